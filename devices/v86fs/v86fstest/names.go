package v86fstest

import (
	"testing"

	"github.com/gov86/gov86/devices/v86fs"
)

func removals(t *testing.T, f *fs) {
	f.mkdir(f.root, "d")
	f.create(f.root, "f")
	f.is("unlink of a directory", f.Unlink(f.root, "d"), v86fs.EISDIR)
	f.is("rmdir of a file", f.Rmdir(f.root, "f"), v86fs.ENOTDIR)
	f.ok("unlink", f.Unlink(f.root, "f"))
	f.ok("rmdir", f.Rmdir(f.root, "d"))
}

func links(t *testing.T, f *fs) {
	n, d := f.create(f.root, "f"), f.mkdir(f.root, "d")
	a, err := f.Link(n, d, "g")
	f.ok("link", err)
	if a.Node != n || a.Nlink != 2 {
		t.Errorf("the link is node %d with %d names, want %d with 2", a.Node, a.Nlink, n)
	}
	f.write(n, "shared", 0)
	if a, err := f.Lookup(d, "g"); err != nil || a.Node != n || a.Size != 6 {
		t.Errorf("lookup of the link: %+v, %v", a, err)
	}
	_, err = f.Link(n, d, "g")
	f.is("link over a file", err, v86fs.EEXIST)
	_, err = f.Link(d, f.root, "e")
	f.is("link to a directory", err, v86fs.EPERM)
	f.ok("unlink of the first name", f.Unlink(f.root, "f"))
	f.reads(n, "shared", 0, 10)
	if a := f.stat(n); a.Nlink != 1 {
		t.Errorf("%d names are left, want 1", a.Nlink)
	}
	f.ok("unlink of the last name", f.Unlink(d, "g"))
	_, err = f.Getattr(n)
	f.is("getattr without names", err, v86fs.ESTALE)
}

func types(t *testing.T, f *fs) {
	for _, c := range []struct {
		name string
		w    v86fs.NewFile
	}{
		{"fifo", v86fs.NewFile{Mode: v86fs.ModeFIFO | 0o600}},
		{"socket", v86fs.NewFile{Mode: v86fs.ModeSocket | 0o755}},
		{"char", v86fs.NewFile{Mode: v86fs.ModeChar | 0o666, Major: 1, Minor: 3}},
		{"block", v86fs.NewFile{Mode: v86fs.ModeBlock | 0o660, Major: 259, Minor: 70000}},
	} {
		f.make(f.root, c.name, c.w)
		a, err := f.Lookup(f.root, c.name)
		if err != nil || a.Mode != c.w.Mode || a.RdevMajor != c.w.Major || a.RdevMinor != c.w.Minor || a.Nlink != 1 {
			t.Errorf("%s: %+v, %v", c.name, a, err)
		}
		f.is("open of a "+c.name, f.Open(a.Node, false), v86fs.EACCES)
	}
}

func tmpfiles(t *testing.T, f *fs) {
	w := v86fs.NewFile{Mode: v86fs.ModeRegular | 0o600, Open: true}
	a, err := f.Tmpfile(f.root, w)
	f.ok("tmpfile", err)
	if a.Nlink != 0 {
		t.Errorf("it has %d names", a.Nlink)
	}
	f.write(a.Node, "kept", 0)
	if entries, err := f.Readdir(f.root); err != nil || len(entries) != 0 {
		t.Errorf("it is listed: %v, %v", entries, err)
	}
	b, err := f.Link(a.Node, f.root, "named")
	f.ok("link", err)
	if b.Node != a.Node || b.Nlink != 1 {
		t.Errorf("linked it is %+v", b)
	}
	f.Close(a.Node)
	f.reads(a.Node, "kept", 0, 10)
	w.NoLink = true
	c, err := f.Tmpfile(f.root, w)
	f.ok("tmpfile", err)
	_, err = f.Link(c.Node, f.root, "never")
	f.is("link of one that must not have a name", err, v86fs.ENOENT)
	f.Close(c.Node)
	_, err = f.Getattr(c.Node)
	f.is("getattr after the last close", err, v86fs.ESTALE)
}

func renameFlags(t *testing.T, f *fs) {
	n, d := f.create(f.root, "f"), f.mkdir(f.root, "d")
	inner := f.create(d, "g")
	f.is("onto a name that is there", f.Rename(f.root, "f", d, "g", v86fs.RenameNoReplace), v86fs.EEXIST)
	f.ok("exchange", f.Rename(f.root, "d", f.root, "f", v86fs.RenameExchange))
	for name, want := range map[string]v86fs.Node{"f": d, "d": n} {
		if a, err := f.Lookup(f.root, name); err != nil || a.Node != want {
			t.Errorf("after the exchange %s is %d, %v, want %d", name, a.Node, err, want)
		}
	}
	if a, err := f.Lookup(d, "g"); err != nil || a.Node != inner {
		t.Errorf("in the directory: %+v, %v", a, err)
	}
	f.is("exchange with nothing", f.Rename(f.root, "d", f.root, "none", v86fs.RenameExchange), v86fs.ENOENT)
	f.is("exchange with what is above", f.Rename(d, "g", f.root, "f", v86fs.RenameExchange), v86fs.EINVAL)
	f.ok("whiteout", f.Rename(f.root, "d", f.root, "moved", v86fs.RenameWhiteout))
	if a, err := f.Lookup(f.root, "d"); err != nil || a.Mode&v86fs.ModeType != v86fs.ModeChar || a.RdevMajor != 0 || a.RdevMinor != 0 {
		t.Errorf("the whiteout is %+v, %v", a, err)
	}
}

func openDirectories(t *testing.T, f *fs) {
	d := f.mkdir(f.root, "d")
	f.is("open to write", f.Open(d, true), v86fs.EISDIR)
	f.ok("open", f.Open(d, false))
	f.ok("fsync", f.Fsync(d, false))
	if _, err := f.Readdir(d); err != nil {
		t.Errorf("readdir: %v", err)
	}
	f.Close(d)
}

func createdOpen(t *testing.T, f *fs) {
	a := f.make(f.root, "f", v86fs.NewFile{Mode: v86fs.ModeRegular | 0o400, Open: true})
	f.write(a.Node, "written once", 0)
	f.ok("unlink", f.Unlink(f.root, "f"))
	f.reads(a.Node, "written once", 0, 20)
	f.Close(a.Node)
	_, err := f.Getattr(a.Node)
	f.is("getattr after the last close", err, v86fs.ESTALE)
	if b := f.make(f.root, "g", v86fs.NewFile{Mode: v86fs.ModeRegular | 0o666, Umask: 0o27}); b.Mode&0o7777 != 0o640 {
		t.Errorf("0666 with umask 027 is %o", b.Mode&0o7777)
	}
}
