package v86fstest

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/gov86/gov86/devices/v86fs"
)

func buffers(t *testing.T, f *fs) {
	n := f.create(f.root, "f")
	at, k, err := f.Write(n, [][]byte{[]byte("one"), nil, []byte(" two"), []byte(" three")}, 2, 0)
	if at != 2 || k != 13 || err != nil {
		t.Fatalf("write: %d, %d, %v", at, k, err)
	}
	a, b, c := make([]byte, 5), make([]byte, 4), make([]byte, 100)
	k, err = f.Read(n, [][]byte{a, b, c}, 0)
	if all := string(a) + string(b) + string(c[:max(k-9, 0)]); k != 15 || err != nil || all != "\x00\x00one two three" {
		t.Errorf("read: %q, %d, %v", all, k, err)
	}
}

func appends(t *testing.T, f *fs) {
	n := f.create(f.root, "f")
	f.write(n, "begin", 0)
	for i, want := range []uint64{5, 8} {
		at, k, err := f.Write(n, [][]byte{[]byte("+"), []byte("ab")}, 1, v86fs.WriteAppend)
		f.can(err)
		if at != want || k != 3 || err != nil {
			t.Errorf("append %d: at %d, %d bytes, %v, want at %d", i, at, k, err, want)
		}
	}
	f.reads(n, "begin+ab+ab", 0, 20)
}

func privileges(t *testing.T, f *fs) {
	n := f.create(f.root, "f")
	for _, flags := range []uint32{0, v86fs.WriteKillPriv} {
		_, err := f.Setattr(n, v86fs.Change{Valid: v86fs.SetMode, Mode: 0o6755})
		f.ok("chmod", err)
		_, _, err = f.Write(n, [][]byte{[]byte("x")}, 0, flags)
		f.ok("write", err)
	}
	if a := f.stat(n); a.Mode&0o7777 != 0o755 {
		t.Errorf("mode %o after a write, want 0755", a.Mode&0o7777)
	}
}

func allocation(t *testing.T, f *fs) {
	const block = 4096
	n := f.create(f.root, "f")
	f.ok("allocate", f.Fallocate(n, 0, 0, 0, 4*block))
	if a := f.stat(n); a.Size != 4*block || a.Blocks < 4*block/512 {
		t.Errorf("allocated: %d bytes, %d blocks", a.Size, a.Blocks)
	}
	f.ok("allocate beyond", f.Fallocate(n, v86fs.FallocKeepSize, 0, 4*block, block))
	for i, s := range []string{"a", "b", "c", "d"} {
		f.write(n, strings.Repeat(s, block), uint64(i)*block)
	}
	f.ok("punch", f.Fallocate(n, v86fs.FallocPunch|v86fs.FallocKeepSize, 0, block+1, block-1))
	f.reads(n, "ab\x00", block-1, 3)
	f.reads(n, "\x00c", 2*block-1, 2)
	if a := f.stat(n); a.Size != 4*block {
		t.Errorf("size %d, want %d", a.Size, 4*block)
	}
	f.ok("zero", f.Fallocate(n, v86fs.FallocZero, 0, 4*block-1, 2))
	f.reads(n, "d\x00\x00", 4*block-2, 10)
	f.ok("collapse", f.Fallocate(n, v86fs.FallocCollapse, 0, 0, block))
	f.reads(n, "b\x00", 0, 2)
	f.ok("insert", f.Fallocate(n, v86fs.FallocInsert, 0, block, 2*block))
	f.reads(n, "\x00c", 3*block-1, 2)
	f.is("collapse of part of a block", f.Fallocate(n, v86fs.FallocCollapse, 0, 1, block), v86fs.EINVAL)
	f.is("collapse up to the end", f.Fallocate(n, v86fs.FallocCollapse, 0, block, 1<<30), v86fs.EINVAL)
}

func seeks(t *testing.T, f *fs) {
	n := f.create(f.root, "f")
	const hole = 1 << 33
	f.write(n, "data", hole)
	_, err := f.Seek(n, 0, v86fs.SeekData)
	f.can(err)
	size := uint64(hole + 4)
	for _, c := range []struct {
		off    uint64
		whence uint32
		min    uint64
		max    uint64
	}{
		{0, v86fs.SeekData, 0, hole}, // a host may have no holes
		{hole + 1, v86fs.SeekData, hole + 1, hole + 1},
		{hole, v86fs.SeekHole, size, size},
		{0, v86fs.SeekHole, 0, size},
	} {
		if got, err := f.Seek(n, c.off, c.whence); err != nil || got < c.min || got > c.max {
			t.Errorf("seek %d from %d: %d, %v, want %d to %d", c.whence, c.off, got, err, c.min, c.max)
		}
	}
	for _, whence := range []uint32{v86fs.SeekData, v86fs.SeekHole} {
		_, err := f.Seek(n, size, whence)
		f.is("seek at the end", err, v86fs.ENXIO)
	}
}

func copies(t *testing.T, f *fs) {
	from, to := f.create(f.root, "from"), f.create(f.root, "to")
	f.write(from, "0123456789", 0)
	f.write(to, "abc", 0)
	k, err := f.CopyRange(from, 4, to, 1, 100, 0)
	f.ok("copy", err)
	if k != 6 {
		t.Errorf("%d bytes were copied, want 6", k)
	}
	f.reads(to, "a456789", 0, 20)
	if k, err := f.CopyRange(from, 10, to, 0, 5, 0); k != 0 || err != nil {
		t.Errorf("copy from the end: %d, %v", k, err)
	}
	_, err = f.CopyRange(f.root, 0, to, 0, 5, 0)
	f.is("copy of a directory", err, v86fs.EISDIR)
}

// together has several goroutines at work, for backends that allow it: what
// one does is what it finds, and appended lines are all there.
func together(t *testing.T, f *fs) {
	if !f.Traits().Concurrent {
		t.Skip("the backend is called by one goroutine only")
	}
	const workers, rounds = 8, 50
	log := f.create(f.root, "log")
	var all sync.WaitGroup
	for w := range workers {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := range rounds {
				name := fmt.Sprintf("w%d-%d", w, i)
				a, err := f.Create(f.root, name, file)
				if err != nil {
					t.Errorf("create %s: %v", name, err)
					return
				}
				line := fmt.Sprintf("%-7s\n", name)
				f.Write(a.Node, [][]byte{[]byte(line)}, 0, 0)
				f.Write(log, [][]byte{[]byte(line)}, 0, v86fs.WriteAppend)
				p := make([]byte, 20)
				if k, err := f.Read(a.Node, [][]byte{p}, 0); err != nil || string(p[:k]) != line {
					t.Errorf("%s reads %q, %v", name, p[:k], err)
				}
				if err := f.Rename(f.root, name, f.root, name+"x", 0); err != nil {
					t.Errorf("rename %s: %v", name, err)
				}
				if _, err := f.Readdir(f.root); err != nil {
					t.Errorf("readdir: %v", err)
				}
				if err := f.Unlink(f.root, name+"x"); err != nil {
					t.Errorf("unlink %s: %v", name, err)
				}
			}
		}()
	}
	all.Wait()
	if a := f.stat(log); a.Size != 8*workers*rounds {
		t.Errorf("the log has %d bytes, want %d", a.Size, 8*workers*rounds)
	}
	if entries, err := f.Readdir(f.root); err != nil || len(entries) != 1 {
		t.Errorf("%d names are left, %v", len(entries), err)
	}
}
