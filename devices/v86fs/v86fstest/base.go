package v86fstest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gov86/gov86/devices/v86fs"
)

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
	_, err = f.Create(f.root, "a", file)
	f.is("create over a file", err, v86fs.EEXIST)
	_, err = f.Create(f.root, "a", directory)
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
	if err := f.Fsync(n, false); err != nil {
		t.Errorf("fsync: %v", err)
	}
	_, err := f.Read(f.root, [][]byte{make([]byte, 1)}, 0)
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
	_, _, err := f.Write(n, [][]byte{[]byte("x")}, 1<<63, 0)
	f.is("write beyond what a file can hold", err, v86fs.EFBIG)
}

func sizes(t *testing.T, f *fs) {
	n := f.create(f.root, "f")
	f.write(n, "0123456789", 0)
	for _, c := range []struct {
		size uint64
		want string
	}{{4, "0123"}, {8, "0123\x00\x00\x00\x00"}, {0, ""}} {
		if _, err := f.Setattr(n, v86fs.Change{Valid: v86fs.SetSize, Size: c.size}); err != nil {
			t.Fatalf("size %d: %v", c.size, err)
		}
		f.reads(n, c.want, 0, 100)
	}
}

func directories(t *testing.T, f *fs) {
	d := f.mkdir(f.root, "d")
	f.create(d, "f")
	f.is("removal of a directory with a file", f.Rmdir(f.root, "d"), v86fs.ENOTEMPTY)
	if err := f.Unlink(d, "f"); err != nil {
		t.Fatal(err)
	}
	if err := f.Rmdir(f.root, "d"); err != nil {
		t.Fatal(err)
	}
	f.is("removal of nothing", f.Rmdir(f.root, "d"), v86fs.ENOENT)
	if _, err := f.Create(d, "late", file); err == nil {
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
	if err := f.Rename(a, "f", b, "f", 0); err != nil {
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
	f.is("a directory over a file", f.Rename(f.root, "a", b, "f", 0), v86fs.ENOTDIR)
	f.is("a file over a directory", f.Rename(b, "f", f.root, "a", 0), v86fs.EISDIR)
	f.is("a directory into itself", f.Rename(f.root, "a", a, "x", 0), v86fs.EINVAL)
	f.is("a directory over one with a file", f.Rename(f.root, "a", f.root, "b", 0), v86fs.ENOTEMPTY)
	f.is("nothing", f.Rename(a, "none", a, "x", 0), v86fs.ENOENT)
	if err := f.Rename(b, "f", b, "f", 0); err != nil {
		t.Errorf("onto itself: %v", err)
	}
	inner := f.create(b, "g")
	if err := f.Rename(f.root, "b", a, "b", 0); err != nil {
		t.Fatalf("a directory: %v", err)
	}
	f.write(inner, "reached", 0)
	f.reads(inner, "reached", 0, 10)
}

func symlinks(t *testing.T, f *fs) {
	target := "../" + strings.Repeat("x/", 100) + "\xff"
	a, err := f.Create(f.root, "l", v86fs.NewFile{Mode: v86fs.ModeSymlink | 0o777, Target: target})
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
		if e.Node != 0 && e.Node != want[e.Name] || e.Type != kind || second[i] != e {
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
		if _, err := f.Setattr(n, c.change); err != nil {
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
