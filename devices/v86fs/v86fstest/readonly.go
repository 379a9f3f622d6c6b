package v86fstest

import (
	"bytes"
	iofs "io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/gov86/gov86/devices/v86fs"
)

// long is a content of several pages.
var long = bytes.Repeat([]byte("0123456789abcdef"), 5000)

// LinkName is a symbolic link to LinkTarget in the root.
const (
	LinkName   = "link"
	LinkTarget = "d/../nowhere"
)

// tree is what a read-only backend shows in its suite.
func tree() fstest.MapFS {
	at := time.Unix(1_600_000_000, 0)
	return fstest.MapFS{
		"empty":       {Mode: 0o644, ModTime: at},
		"long":        {Data: long, Mode: 0o444, ModTime: at},
		"d":           {Mode: iofs.ModeDir | 0o755, ModTime: at},
		"d/f":         {Data: []byte("inner"), Mode: 0o755, ModTime: at},
		LinkName:      {Data: []byte(LinkTarget), Mode: iofs.ModeSymlink | 0o777, ModTime: at},
		"d/e":         {Mode: iofs.ModeDir | 0o755, ModTime: at},
		"d/e/ümlaut ": {Data: []byte("name"), Mode: 0o644, ModTime: at},
	}
}

// RunReadOnly runs the part of the suite for backends that cannot be written to.
// create returns one that shows files.
func RunReadOnly(t *testing.T, create func(t *testing.T, files fstest.MapFS) v86fs.Backend) {
	for _, c := range []struct {
		name string
		fn   func(*testing.T, *given)
	}{
		{"The tree is whole", wholeTree},
		{"Data is read from anywhere", anywhere},
		{"Nodes are stable", stable},
		{"A symbolic link is shown as it is", shownLink},
		{"Every change is refused", unchanged},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := tree()
			b := create(t, files)
			t.Cleanup(func() { b.Shut() })
			a, err := b.Root()
			if err != nil {
				t.Fatal(err)
			}
			c.fn(t, &given{&fs{b, t, a.Node}, files})
		})
	}
}

// given is a backend that shows files.
type given struct {
	*fs
	files fstest.MapFS
}

// walk looks a path up.
func (f *given) walk(path string) v86fs.Attr {
	f.t.Helper()
	a := f.stat(f.root)
	for name := range strings.SplitSeq(path, "/") {
		var err error
		if a, err = f.Lookup(a.Node, name); err != nil {
			f.t.Fatalf("%s: %v", path, err)
		}
	}
	return a
}

func wholeTree(t *testing.T, f *given) {
	seen := map[string]bool{}
	var list func(dir v86fs.Node, prefix string)
	list = func(dir v86fs.Node, prefix string) {
		entries, err := f.Readdir(dir)
		f.ok("readdir", err)
		for _, e := range entries {
			path := prefix + e.Name
			seen[path] = true
			a, want := f.walk(path), f.files[path]
			if want == nil {
				t.Errorf("%q is listed", path)
				continue
			}
			if e.Type != uint8(a.Mode>>12) || a.Mode&0o7777 != uint32(want.Mode.Perm()) || a.Mtime.Sec != want.ModTime.Unix() || a.Ino != e.Ino {
				t.Errorf("%s: %+v, listed as %+v", path, a, e)
			}
			if e.Type == 4 {
				list(a.Node, path+"/")
			} else if a.Size != uint64(len(want.Data)) {
				t.Errorf("%s has %d bytes, want %d", path, a.Size, len(want.Data))
			}
		}
	}
	list(f.root, "")
	if len(seen) != len(f.files) {
		t.Errorf("%d files are listed, want %d", len(seen), len(f.files))
	}
	_, err := f.Lookup(f.root, "missing")
	f.is("lookup of nothing", err, v86fs.ENOENT)
	_, err = f.Lookup(f.root, "\xff")
	f.is("lookup of what is no text", err, v86fs.ENOENT)
	_, err = f.Lookup(f.walk("d/f").Node, "x")
	f.is("lookup in a file", err, v86fs.ENOTDIR)
	_, err = f.Readdir(f.walk("d/f").Node)
	f.is("listing of a file", err, v86fs.ENOTDIR)
	_, err = f.Getattr(1 << 40)
	f.is("a node never given", err, v86fs.ESTALE)
}

func anywhere(t *testing.T, f *given) {
	n := f.walk("long").Node
	_, err := f.Read(f.root, [][]byte{make([]byte, 1)}, 0)
	f.is("read of a directory", err, v86fs.EISDIR)
	for _, open := range []bool{false, true} {
		if open {
			f.ok("open", f.Open(n, false))
		}
		for _, off := range []int{0, 70_000, 5, 4095, 79_990, 80_000, 90_000, 0} {
			want := long[min(off, len(long)):min(off+5000, len(long))]
			a, b := make([]byte, 1000), make([]byte, 4000)
			k, err := f.Read(n, [][]byte{a, b}, uint64(off))
			if got := append(a, b...)[:k]; err != nil || !bytes.Equal(got, want) {
				t.Errorf("read at %d: %d bytes, %v, want %d", off, k, err, len(want))
			}
		}
	}
	f.Close(n)
	f.reads(f.walk("empty").Node, "", 0, 10)
	f.reads(f.walk("d/e/ümlaut ").Node, "name", 0, 10)
}

func stable(t *testing.T, f *given) {
	for path := range f.files {
		a := f.walk(path)
		f.Forget(a.Node, 1)
		if b := f.walk(path); b.Ino != a.Ino {
			t.Errorf("%s has inode %d, then %d", path, a.Ino, b.Ino)
		} else if c := f.stat(b.Node); c.Node != b.Node || c.Ino != b.Ino {
			t.Errorf("%s: %+v, then %+v", path, b, c)
		}
	}
}

func shownLink(t *testing.T, f *given) {
	n := f.walk("d/f").Node
	_, err := f.Readlink(n)
	f.is("readlink of a file", err, v86fs.EINVAL)
	a, err := f.Lookup(f.root, LinkName)
	if err != nil || a.Mode&v86fs.ModeType != v86fs.ModeSymlink {
		t.Skip("the backend shows no symbolic links")
	}
	if got, err := f.Readlink(a.Node); err != nil || got != LinkTarget {
		t.Errorf("readlink: %q, %v, want %q", got, err, LinkTarget)
	}
	if err := f.Open(a.Node, false); err == nil {
		t.Error("a symbolic link can be opened")
	}
}

func unchanged(t *testing.T, f *given) {
	n, d := f.walk("d/f").Node, f.walk("d").Node
	one := [][]byte{[]byte("x")}
	_, err := f.Create(d, "new", file)
	f.is("create", err, v86fs.EROFS)
	_, err = f.Tmpfile(d, file)
	f.is("tmpfile", err, v86fs.EROFS)
	_, _, err = f.Write(n, one, 0, 0)
	f.is("write", err, v86fs.EROFS)
	_, err = f.Setattr(n, v86fs.Change{Valid: v86fs.SetAtime})
	f.is("setattr", err, v86fs.EROFS)
	_, err = f.Link(n, d, "new")
	f.is("link", err, v86fs.EROFS)
	_, err = f.CopyRange(n, 0, n, 2, 2, 0)
	f.is("copy", err, v86fs.EROFS)
	f.is("open to write", f.Open(n, true), v86fs.EROFS)
	f.is("unlink", f.Unlink(d, "f"), v86fs.EROFS)
	f.is("rmdir", f.Rmdir(d, "e"), v86fs.EROFS)
	f.is("rename", f.Rename(d, "f", d, "g", 0), v86fs.EROFS)
	f.is("fallocate", f.Fallocate(n, 0, 0, 0, 1), v86fs.EROFS)
	f.is("setxattr", f.Setxattr(n, "user.a", nil, 0), v86fs.EROFS)
	f.is("removexattr", f.Removexattr(n, "user.a"), v86fs.EROFS)
	f.ok("fsync", f.Fsync(n, false))
	f.ok("sync", f.Sync())
	f.reads(n, "inner", 0, 10)
	wholeTree(t, f)
}
