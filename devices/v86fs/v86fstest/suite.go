// Package v86fstest is the suite that every backend of v86fs passes: what a
// local POSIX file system would do, as far as the protocol can say it.
package v86fstest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gov86/gov86/devices/v86fs"
)

// Run runs the suite; create returns a new, empty, writable backend.
func Run(t *testing.T, create func(t *testing.T) v86fs.Backend) {
	for _, c := range []struct {
		name string
		fn   func(*testing.T, *fs)
	}{
		{"A name leads to what was created", names},
		{"Data is read back, holes as zeros", data},
		{"Offsets reach beyond 2 and 4 GiB", offsets},
		{"A size is set both ways", sizes},
		{"A directory is removed when it is empty", directories},
		{"An unlinked file lives while it is open", unlinked},
		{"Rename follows POSIX", renames},
		{"A symbolic link is kept as it is", symlinks},
		{"A listing is whole and stable", listing},
		{"Permissions are kept", modes},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := create(t)
			t.Cleanup(func() { b.Shut() })
			root, err := b.Root()
			if err != nil {
				t.Fatal(err)
			}
			c.fn(t, &fs{b, t, root.Node})
		})
	}
}

// fs is a backend with helpers that fail the test.
type fs struct {
	v86fs.Backend
	t    *testing.T
	root v86fs.Node
}

func (f *fs) create(dir v86fs.Node, name string) v86fs.Node {
	f.t.Helper()
	a, err := f.Create(dir, name, 0o644)
	if err != nil {
		f.t.Fatalf("create %q: %v", name, err)
	}
	return a.Node
}

func (f *fs) mkdir(dir v86fs.Node, name string) v86fs.Node {
	f.t.Helper()
	a, err := f.Mkdir(dir, name, 0o755)
	if err != nil {
		f.t.Fatalf("mkdir %q: %v", name, err)
	}
	return a.Node
}

func (f *fs) write(n v86fs.Node, s string, off uint64) {
	f.t.Helper()
	if k, err := f.Write(n, []byte(s), off); err != nil || k != len(s) {
		f.t.Fatalf("write of %d bytes at %d: %d, %v", len(s), off, k, err)
	}
}

func (f *fs) reads(n v86fs.Node, want string, off uint64, size int) {
	f.t.Helper()
	p := make([]byte, size)
	if k, err := f.Read(n, p, off); err != nil || string(p[:k]) != want {
		f.t.Errorf("read of %d bytes at %d: %q, %v, want %q", size, off, p[:k], err, want)
	}
}

// is checks that an error is one of Linux's numbers.
func (f *fs) is(what string, err error, want v86fs.Errno) {
	f.t.Helper()
	if !errors.Is(err, want) {
		f.t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func names(t *testing.T, f *fs) {
	for _, name := range []string{"a", "with space", "\xff\xfe", strings.Repeat("n", 255), "line\nbreak", `back\slash`} {
		n := f.create(f.root, name)
		a, err := f.Lookup(f.root, name)
		if err != nil || a.Node != n || a.Mode != v86fs.ModeRegular|0o644 {
			t.Errorf("lookup %q: %+v, %v, want node %d", name, a, err, n)
		}
	}
	_, err := f.Lookup(f.root, "missing")
	f.is("lookup of nothing", err, v86fs.ENOENT)
	_, err = f.Create(f.root, "a", 0o644)
	f.is("create over a file", err, v86fs.EEXIST)
	_, err = f.Mkdir(f.root, "a", 0o755)
	f.is("mkdir over a file", err, v86fs.EEXIST)
	_, err = f.Lookup(f.create(f.root, "file"), "x")
	f.is("lookup in a file", err, v86fs.ENOTDIR)
	_, err = f.Getattr(1 << 40)
	f.is("a node never given", err, v86fs.ESTALE)
}

func data(t *testing.T, f *fs) {
	n := f.create(f.root, "f")
	f.write(n, "hello", 0)
	f.write(n, "world", 10)
	f.reads(n, "hello\x00\x00\x00\x00\x00world", 0, 100)
	f.reads(n, "rld", 12, 3)
	f.reads(n, "", 15, 8)
	f.write(n, "J", 0)
	f.reads(n, "Jello", 0, 5)
	if a, err := f.Getattr(n); err != nil || a.Size != 15 {
		t.Errorf("size %d, %v, want 15", a.Size, err)
	}
	if err := f.Fsync(n); err != nil {
		t.Errorf("fsync: %v", err)
	}
	_, err := f.Read(f.root, make([]byte, 1), 0)
	f.is("read of a directory", err, v86fs.EISDIR)
}

func offsets(t *testing.T, f *fs) {
	n := f.create(f.root, "sparse")
	for i, off := range []uint64{1<<31 - 1, 1<<32 - 1, 1<<32 + 1<<31, 1 << 40} {
		text := fmt.Sprint("mark", i)
		f.write(n, text, off)
		f.reads(n, text, off, len(text))
		if a, err := f.Getattr(n); err != nil || a.Size != off+uint64(len(text)) {
			t.Errorf("size %d, %v, want %d", a.Size, err, off+uint64(len(text)))
		}
	}
	f.reads(n, "mark0", 1<<31-1, 5)
	_, err := f.Write(n, []byte("x"), 1<<63)
	f.is("write beyond what a file can hold", err, v86fs.EFBIG)
}

func sizes(t *testing.T, f *fs) {
	n := f.create(f.root, "f")
	f.write(n, "0123456789", 0)
	for _, c := range []struct {
		size uint64
		want string
	}{{4, "0123"}, {8, "0123\x00\x00\x00\x00"}, {0, ""}} {
		if err := f.Setattr(n, v86fs.Change{Valid: v86fs.SetSize, Size: c.size}); err != nil {
			t.Fatalf("size %d: %v", c.size, err)
		}
		f.reads(n, c.want, 0, 100)
	}
}

func directories(t *testing.T, f *fs) {
	d := f.mkdir(f.root, "d")
	f.create(d, "f")
	f.is("removal of a directory with a file", f.Unlink(f.root, "d"), v86fs.ENOTEMPTY)
	if err := f.Unlink(d, "f"); err != nil {
		t.Fatal(err)
	}
	if err := f.Unlink(f.root, "d"); err != nil {
		t.Fatal(err)
	}
	f.is("removal of nothing", f.Unlink(f.root, "d"), v86fs.ENOENT)
	if _, err := f.Create(d, "late", 0o644); err == nil {
		t.Error("a file is created in a directory that was removed")
	}
}

func unlinked(t *testing.T, f *fs) {
	n := f.create(f.root, "f")
	f.write(n, "before", 0)
	if err := f.Open(n, true); err != nil {
		t.Fatal(err)
	}
	if err := f.Unlink(f.root, "f"); err != nil {
		t.Fatal(err)
	}
	other := f.create(f.root, "f")
	if other == n {
		t.Fatal("a new file has the node of the old one")
	}
	f.write(n, "after ", 0)
	f.reads(n, "after ", 0, 10)
	f.reads(other, "", 0, 10)
	if _, err := f.Getattr(n); err != nil {
		t.Errorf("getattr of an open file: %v", err)
	}
	f.Close(n)
	_, err := f.Getattr(n)
	f.is("getattr after the last close", err, v86fs.ESTALE)
}

func renames(t *testing.T, f *fs) {
	a, b := f.mkdir(f.root, "a"), f.mkdir(f.root, "b")
	n := f.create(a, "f")
	f.write(n, "moved", 0)
	old := f.create(b, "f")
	if err := f.Rename(a, "f", b, "f"); err != nil {
		t.Fatalf("over a file: %v", err)
	}
	f.reads(n, "moved", 0, 10)
	if got, err := f.Lookup(b, "f"); err != nil || got.Node != n {
		t.Errorf("the new name leads to %d, %v, want %d", got.Node, err, n)
	}
	_, err := f.Lookup(a, "f")
	f.is("lookup of the old name", err, v86fs.ENOENT)
	_, err = f.Getattr(old)
	f.is("getattr of what was replaced", err, v86fs.ESTALE)
	f.is("a directory over a file", f.Rename(f.root, "a", b, "f"), v86fs.ENOTDIR)
	f.is("a file over a directory", f.Rename(b, "f", f.root, "a"), v86fs.EISDIR)
	f.is("a directory into itself", f.Rename(f.root, "a", a, "x"), v86fs.EINVAL)
	f.is("a directory over one with a file", f.Rename(f.root, "a", f.root, "b"), v86fs.ENOTEMPTY)
	f.is("nothing", f.Rename(a, "none", a, "x"), v86fs.ENOENT)
	if err := f.Rename(b, "f", b, "f"); err != nil {
		t.Errorf("onto itself: %v", err)
	}
	inner := f.create(b, "g")
	if err := f.Rename(f.root, "b", a, "b"); err != nil {
		t.Fatalf("a directory: %v", err)
	}
	f.write(inner, "reached", 0)
	f.reads(inner, "reached", 0, 10)
}

func symlinks(t *testing.T, f *fs) {
	target := "../" + strings.Repeat("x/", 100) + "\xff"
	a, err := f.Symlink(f.root, "l", target)
	if err != nil || a.Mode&v86fs.ModeType != v86fs.ModeSymlink {
		t.Fatalf("symlink: %+v, %v", a, err)
	}
	if got, err := f.Readlink(a.Node); err != nil || got != target {
		t.Errorf("readlink: %q, %v, want %q", got, err, target)
	}
	_, err = f.Readlink(f.create(f.root, "f"))
	f.is("readlink of a file", err, v86fs.EINVAL)
	if err := f.Open(a.Node, false); err == nil {
		t.Error("a symbolic link can be opened")
	}
	if _, err := f.Lookup(a.Node, "x"); err == nil {
		t.Error("a symbolic link is followed")
	}
}

func listing(t *testing.T, f *fs) {
	const count = 2000
	want := map[string]v86fs.Node{}
	for i := range count {
		name := fmt.Sprintf("f%05d", i*7919%count)
		want[name] = f.create(f.root, name)
	}
	want["dir"] = f.mkdir(f.root, "dir")
	first, err := f.Readdir(f.root)
	if err != nil || len(first) != len(want) {
		t.Fatalf("%d entries, %v, want %d", len(first), err, len(want))
	}
	second, err := f.Readdir(f.root)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range first {
		kind := uint8(8)
		if e.Name == "dir" {
			kind = 4
		}
		if e.Node != want[e.Name] || e.Type != kind || second[i] != e {
			t.Fatalf("entry %d is %+v, then %+v", i, e, second[i])
		}
	}
	_, err = f.Readdir(want["f00000"])
	f.is("listing of a file", err, v86fs.ENOTDIR)
}

func modes(t *testing.T, f *fs) {
	n := f.create(f.root, "f")
	for _, c := range []struct {
		change v86fs.Change
		want   uint32
	}{
		{v86fs.Change{Valid: v86fs.SetMode, Mode: 0o4755}, 0o4755},
		{v86fs.Change{Valid: v86fs.KillSUID}, 0o755},
		{v86fs.Change{Valid: v86fs.SetMode, Mode: 0o600}, 0o600},
	} {
		if err := f.Setattr(n, c.change); err != nil {
			t.Fatalf("%+v: %v", c.change, err)
		}
		if a, err := f.Getattr(n); err != nil || a.Mode != v86fs.ModeRegular|c.want {
			t.Errorf("%+v: mode %o, %v, want %o", c.change, a.Mode, err, c.want)
		}
	}
	if s, err := f.Statfs(); err != nil || s.BlockSize == 0 || s.Blocks < s.Free {
		t.Errorf("statfs: %+v, %v", s, err)
	}
}
