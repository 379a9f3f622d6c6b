//go:build linux && amd64

package window

import (
	"runtime/debug"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// newFile returns a memory file of n pages, each filled with its number.
func newFile(t *testing.T, n int) int {
	t.Helper()
	fd, err := unix.MemfdCreate("window-test", unix.MFD_CLOEXEC)
	if err != nil {
		t.Skipf("skipped: %v", err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	for i := range n {
		if _, err := unix.Pwrite(fd, []byte(strings.Repeat(string(rune('0'+i)), pageSize)), int64(i)*pageSize); err != nil {
			t.Fatal(err)
		}
	}
	return fd
}

// at is the byte at the beginning of a page of w, 0 if it faults. The handler is
// there, and Go panics as it would without.
func (w Window) at(page uint32) (b byte) {
	defer func() { recover() }()
	return w.memory[int(page)*pageSize]
}

// set writes that byte and reports whether it could.
func (w Window) set(page uint32, b byte) (ok bool) {
	defer func() { recover() }()
	w.memory[int(page)*pageSize] = b
	return true
}

func TestWindowsShowPagesOfAFile(t *testing.T) {
	file := newFile(t, 8)
	w, err := New()
	if err != nil {
		t.Skipf("skipped: %v", err)
	}
	defer func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}()
	release, err := Catch(make([]byte, 16), &Record{})
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	const last = Size/pageSize - 1
	for _, c := range []struct {
		do   func() error
		want string // of pages 2 to 6 and the last, - where it faults
		free string // where it may be written
	}{
		{func() error { return nil }, "------", "------"},
		{func() error { return w.Show(3, 3, file, 5, true, false) }, "-567--", "-www--"},
		{func() error { return w.Protect(4, 1) }, "-567--", "-w-w--"},
		{func() error { return w.Show(last, 1, file, 1, false, true) }, "-567-1", "-w-w--"},
		{func() error { return w.Hide(5, 1) }, "-56--1", "-w----"},
		{func() error { return w.Show(4, 2, file, 0, false, true) }, "-501-1", "-w----"},
		{w.Clear, "------", "------"},
	} {
		if err := c.do(); err != nil {
			t.Fatal(err)
		}
		for i, page := range []uint32{2, 3, 4, 5, 6, last} {
			got := w.at(page)
			if got == 0 {
				got = '-'
			}
			if got != c.want[i] {
				t.Errorf("page %d holds %c, want %c", page, got, c.want[i])
			}
			if ok := w.set(page, got); ok != (c.free[i] == 'w') {
				t.Errorf("page %d can be written: %v", page, ok)
			}
		}
	}
}

// TestRangesAreFinite and come back when they are released.
func TestRangesAreFinite(t *testing.T) {
	var all []func()
	defer func() {
		for _, release := range all {
			release()
		}
	}()
	for range maxRanges + 1 {
		release, err := Catch(make([]byte, 16), &Record{})
		if err != nil {
			if len(all) != maxRanges {
				t.Errorf("%v after %d", err, len(all))
			}
			all[0]()
			if all[0], err = Catch(make([]byte, 16), &Record{}); err != nil {
				t.Error(err)
			}
			return
		}
		all = append(all, release)
	}
	t.Error("there is no end")
}
