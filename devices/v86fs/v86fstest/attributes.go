package v86fstest

import (
	"bytes"
	"slices"
	"testing"

	"github.com/gov86/gov86/devices/v86fs"
)

func attributes(t *testing.T, f *fs) {
	n, d := f.create(f.root, "f"), f.mkdir(f.root, "d")
	f.write(n, "some data", 0)
	a := f.stat(n)
	if a.Nlink != 1 || a.Blksize == 0 || a.Ino == 0 || a.Size != 9 {
		t.Errorf("a file: %+v", a)
	}
	f.mkdir(d, "inner")
	if b := f.stat(d); b.Nlink != 3 && b.Nlink != 1 { // 1: a host that does not count
		t.Errorf("a directory with one in it has %d names", b.Nlink)
	}
	entries, err := f.Readdir(f.root)
	f.ok("readdir", err)
	for _, e := range entries {
		if l, err := f.Lookup(f.root, e.Name); err != nil || l.Ino != e.Ino {
			t.Errorf("%s has ino %d in the listing and %d itself, %v", e.Name, e.Ino, l.Ino, err)
		}
	}
	before := f.stat(n)
	f.write(n, "other", 20)
	if after := f.stat(n); before.Change != 0 && after.Change == before.Change {
		t.Error("a write leaves the change counter as it was")
	}
}

func times(t *testing.T, f *fs) {
	n := f.create(f.root, "f")
	want := v86fs.Change{Valid: v86fs.SetAtime | v86fs.SetAtimeTo | v86fs.SetMtime | v86fs.SetMtimeTo,
		Atime: v86fs.Time{Sec: 1 << 33, Nsec: 999_999_999}, Mtime: v86fs.Time{Sec: -5, Nsec: 1}}
	a, err := f.Setattr(n, want)
	f.ok("setattr", err)
	if b := f.stat(n); a.Atime != want.Atime || a.Mtime != want.Mtime || b.Atime != want.Atime || b.Mtime != want.Mtime {
		t.Errorf("times %v and %v, then %v and %v", a.Atime, a.Mtime, b.Atime, b.Mtime)
	}
	_, err = f.Setattr(n, v86fs.Change{Valid: v86fs.SetMtime})
	f.ok("setattr to now", err)
	if b := f.stat(n); b.Mtime == want.Mtime || b.Atime != want.Atime {
		t.Errorf("after mtime was set to now: %v and %v", b.Atime, b.Mtime)
	}
	if f.Traits().Flags&v86fs.HasOwners == 0 {
		t.Skip("the backend keeps no owners")
	}
	_, err = f.Setattr(n, v86fs.Change{Valid: v86fs.SetUID | v86fs.SetGID, UID: 1000, GID: 70000})
	f.ok("chown", err)
	if b := f.stat(n); b.UID != 1000 || b.GID != 70000 {
		t.Errorf("owner %d:%d", b.UID, b.GID)
	}
	w := file
	w.UID, w.GID = 12, 34
	if b := f.make(f.root, "owned", w); b.UID != 12 || b.GID != 34 {
		t.Errorf("a new file belongs to %d:%d, want 12:34", b.UID, b.GID)
	}
}

func xattrs(t *testing.T, f *fs) {
	if f.Traits().Flags&v86fs.HasXattr == 0 {
		t.Skip("the backend keeps no extended attributes")
	}
	n := f.create(f.root, "f")
	_, err := f.Getxattr(n, "user.a")
	f.is("get of nothing", err, v86fs.ENODATA)
	f.is("replacement of nothing", f.Setxattr(n, "user.a", nil, v86fs.XattrReplace), v86fs.ENODATA)
	value := bytes.Repeat([]byte{0, 0xff}, 500)
	f.ok("set", f.Setxattr(n, "user.a", value, v86fs.XattrCreate))
	f.ok("set of an empty one", f.Setxattr(n, "user.empty", nil, 0))
	f.is("creation over one", f.Setxattr(n, "user.a", nil, v86fs.XattrCreate), v86fs.EEXIST)
	if got, err := f.Getxattr(n, "user.a"); err != nil || !bytes.Equal(got, value) {
		t.Errorf("get: %d bytes, %v", len(got), err)
	}
	names, err := f.Listxattr(n)
	f.ok("list", err)
	for _, name := range []string{"user.a", "user.empty"} {
		if !slices.Contains(names, name) {
			t.Errorf("%s is not in %q", name, names)
		}
	}
	f.ok("remove", f.Removexattr(n, "user.a"))
	f.is("remove again", f.Removexattr(n, "user.a"), v86fs.ENODATA)
	if a := f.stat(n); a.Flags&v86fs.AttrNoXattr != 0 {
		t.Error("a file with an attribute is said to have none")
	}
}

// acl makes a list of tags, permissions and ids.
func acl(entries ...[3]uint32) []byte {
	b := []byte{2, 0, 0, 0}
	for _, e := range entries {
		b = append(b, byte(e[0]), byte(e[0]>>8), byte(e[1]), 0, byte(e[2]), byte(e[2]>>8), byte(e[2]>>16), byte(e[2]>>24))
	}
	return b
}

func lists(t *testing.T, f *fs) {
	if f.Traits().Flags&v86fs.HasACL == 0 {
		t.Skip("the backend keeps no access control lists")
	}
	const access, byDefault, none = "system.posix_acl_access", "system.posix_acl_default", 0xffffffff
	n := f.create(f.root, "f")
	list := acl([3]uint32{1, 6, none}, [3]uint32{2, 4, 1000}, [3]uint32{4, 0, none}, [3]uint32{0x10, 4, none}, [3]uint32{0x20, 0, none})
	f.ok("set", f.Setxattr(n, access, list, 0))
	if a := f.stat(n); a.Mode&0o7777 != 0o640 {
		t.Errorf("mode %o with the list, want 0640", a.Mode&0o7777)
	}
	_, err := f.Setattr(n, v86fs.Change{Valid: v86fs.SetMode, Mode: 0o604})
	f.ok("chmod", err)
	list[4+3*8+2], list[4+4*8+2] = 0, 4
	if got, err := f.Getxattr(n, access); err != nil || !bytes.Equal(got, list) {
		t.Errorf("after chmod 0604 the list is % x, %v, want % x", got, err, list)
	}
	f.is("a list that is none", f.Setxattr(n, access, []byte("abcd"), 0), v86fs.EINVAL)
	d := f.mkdir(f.root, "d")
	inherited := acl([3]uint32{1, 7, none}, [3]uint32{2, 7, 1000}, [3]uint32{4, 5, none}, [3]uint32{0x10, 7, none}, [3]uint32{0x20, 1, none})
	f.ok("set of a default", f.Setxattr(d, byDefault, inherited, 0))
	w := file
	w.Mode, w.Umask = v86fs.ModeRegular|0o664, 0o77
	if a := f.make(d, "inherits", w); a.Mode&0o7777 != 0o660 {
		t.Errorf("mode %o under the default list, want 0660 whatever the umask", a.Mode&0o7777)
	}
	inner := f.mkdir(d, "inner")
	if got, err := f.Getxattr(inner, byDefault); err != nil || !bytes.Equal(got, inherited) {
		t.Errorf("a directory inherits % x, %v", got, err)
	}
}
