package main

import (
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// setgid is a directory that gives its group to what is made in it.
func setgid(c *checker) {
	c.dirs(0o2777, "d")
	c.ok(unix.Chown(c.p("d"), 0, stranger))
	c.ok(unix.Chmod(c.p("d"), 0o2777))
	as(someone, someone, nil, func() {
		for _, k := range kinds {
			if k.mode == unix.S_IFCHR || k.mode == unix.S_IFBLK {
				continue
			}
			c.ok(k.make(c.p("d/" + k.name)))
			st := c.stat("d/" + k.name)
			c.eq("gid", st.Gid, uint32(stranger))
			c.eq("uid", st.Uid, uint32(someone))
			c.eq("set-group-ID", st.Mode&unix.S_ISGID != 0, k.mode == unix.S_IFDIR)
		}
	})
}

// privileges go when somebody else writes.
func privileges(c *checker) {
	for _, change := range []func(string) error{
		func(p string) error { return os.WriteFile(p, []byte("x"), 0) },
		func(p string) error { return unix.Truncate(p, 1) },
		func(p string) error {
			f, err := os.OpenFile(p, os.O_APPEND|os.O_WRONLY, 0)
			if err == nil {
				_, err = f.Write([]byte("y"))
				f.Close()
			}
			return err
		},
		func(p string) error {
			fd, err := unix.Open(p, unix.O_RDWR, 0)
			if err == nil {
				err = unix.Fallocate(fd, 0, 0, 4096)
				unix.Close(fd)
			}
			return err
		},
	} {
		c.file("f", 0o666)
		c.ok(unix.Chmod(c.p("f"), 0o6777))
		c.ok(os.WriteFile(c.p("f"), []byte("root"), 0))
		c.ok(unix.Chmod(c.p("f"), 0o6777))
		as(someone, someone, nil, func() { c.ok(change(c.p("f"))) })
		c.eq("mode", c.mode("f"), uint32(unix.S_IFREG|0o777))
		c.ok(unix.Unlink(c.p("f")))
	}
}

func xattrs(c *checker) {
	c.file("f", 0o644)
	set := func(name, value string, flags int) error { return unix.Setxattr(c.p("f"), name, []byte(value), flags) }
	get := func(name string, size int) (string, error) {
		b := make([]byte, size)
		n, err := unix.Getxattr(c.p("f"), name, b)
		return string(b[:max(0, min(n, size))]), err
	}
	err := set("user.a", "value", 0)
	if err == unix.EOPNOTSUPP {
		return
	}
	c.ok(err)
	v, err := get("user.a", 100)
	c.ok(err)
	c.eq("value", v, "value")
	n, err := unix.Getxattr(c.p("f"), "user.a", nil)
	c.ok(err)
	c.eq("length", n, 5)
	_, err = get("user.a", 3)
	c.want(err, unix.ERANGE)
	_, err = get("user.none", 3)
	c.want(err, unix.ENODATA)
	c.want(set("user.a", "x", unix.XATTR_CREATE), unix.EEXIST)
	c.want(set("user.b", "x", unix.XATTR_REPLACE), unix.ENODATA)
	c.ok(set("user.empty", "", 0))
	v, err = get("user.empty", 10)
	c.ok(err)
	c.eq("value", v, "")
	big := strings.Repeat("v", 2000)
	c.ok(set("user.big", big, 0))
	v, err = get("user.big", 4000)
	c.ok(err)
	c.eq("value", v, big)
	list := make([]byte, 1000)
	n, err = unix.Listxattr(c.p("f"), list)
	c.ok(err)
	names := strings.Split(strings.TrimRight(string(list[:max(n, 0)]), "\x00"), "\x00")
	slices.Sort(names)
	c.eq("names", strings.Join(names, " "), "user.a user.big user.empty")
	_, err = unix.Listxattr(c.p("f"), list[:3])
	c.want(err, unix.ERANGE)
	c.ok(unix.Removexattr(c.p("f"), "user.a"))
	c.want(unix.Removexattr(c.p("f"), "user.a"), unix.ENODATA)
	c.ok(set("trusted.t", "root's", 0))
	c.ok(unix.Symlink("f", c.p("l")))
	c.want(unix.Lsetxattr(c.p("l"), "user.a", []byte("x"), 0), unix.EPERM)
	c.dirs(0o755, "d")
	c.ok(unix.Setxattr(c.p("d"), "user.d", []byte("dir"), 0))
	as(someone, someone, nil, func() {
		c.want(set("user.c", "x", 0), unix.EACCES)
		v, err := get("user.big", 4000)
		c.ok(err)
		c.eq("value", v, big)
	})
}

// entry is an ACL's entry as the attribute has it, little-endian.
func entry(tag, perm uint16, id uint32) []byte {
	return []byte{byte(tag), byte(tag >> 8), byte(perm), byte(perm >> 8), byte(id), byte(id >> 8), byte(id >> 16), byte(id >> 24)}
}

func acl(entries ...[]byte) []byte {
	return slices.Concat(append([][]byte{{2, 0, 0, 0}}, entries...)...)
}

func acls(c *checker) {
	const userObj, user, groupObj, mask, other, none = 1, 2, 4, 0x10, 0x20, 0xffffffff
	c.file("f", 0o600)
	list := acl(entry(userObj, 6, none), entry(user, 4, someone), entry(groupObj, 0, none), entry(mask, 4, none), entry(other, 0, none))
	err := unix.Setxattr(c.p("f"), "system.posix_acl_access", list, 0)
	if err == unix.EOPNOTSUPP {
		return
	}
	c.ok(err)
	c.eq("mode", c.mode("f")&0o777, uint32(0o640))
	as(someone, someone, nil, func() {
		c.ok(open(c.p("f"), unix.O_RDONLY, 0))
		c.want(open(c.p("f"), unix.O_WRONLY, 0), unix.EACCES)
	})
	as(stranger, stranger, nil, func() { c.want(open(c.p("f"), unix.O_RDONLY, 0), unix.EACCES) })
	c.ok(unix.Chmod(c.p("f"), 0o600)) // takes the mask away
	as(someone, someone, nil, func() { c.want(open(c.p("f"), unix.O_RDONLY, 0), unix.EACCES) })
	c.dirs(0o755, "d")
	unix.Umask(0o077)
	defer unix.Umask(0)
	c.ok(unix.Setxattr(c.p("d"), "system.posix_acl_default", acl(entry(userObj, 7, none), entry(user, 7, someone),
		entry(groupObj, 5, none), entry(mask, 7, none), entry(other, 0, none)), 0))
	c.ok(open(c.p("d/f"), unix.O_CREAT|unix.O_WRONLY, 0o666))
	c.eq("mode", c.mode("d/f")&0o777, uint32(0o660)) // no umask where there is a default ACL
	c.ok(unix.Mkdir(c.p("d/e"), 0o777))
	c.eq("mode", c.mode("d/e")&0o777, uint32(0o770))
	as(someone, someone, nil, func() {
		c.ok(open(c.p("d/f"), unix.O_RDWR, 0))
		c.ok(open(c.p("d/e/g"), unix.O_CREAT|unix.O_RDWR, 0o600))
	})
	b := make([]byte, 100)
	n, err := unix.Getxattr(c.p("d/e"), "system.posix_acl_default", b)
	c.ok(err)
	c.eq("length of what was handed down", n, 4+5*8)
}

func locks(c *checker) {
	a, err := unix.Open(c.p("f"), unix.O_CREAT|unix.O_RDWR, 0o644)
	c.ok(err)
	b, err := unix.Open(c.p("f"), unix.O_RDWR, 0)
	c.ok(err)
	ofd := func(fd int, cmd int, typ int16, start, length int64) (unix.Flock_t, error) {
		k := unix.Flock_t{Type: typ, Start: start, Len: length}
		err := unix.FcntlFlock(uintptr(fd), cmd, &k)
		return k, err
	}
	set := func(fd int, typ int16, start, length int64) error {
		_, err := ofd(fd, unix.F_OFD_SETLK, typ, start, length)
		return err
	}
	c.ok(set(a, unix.F_WRLCK, 10, 10))
	c.want(set(b, unix.F_RDLCK, 15, 1), unix.EAGAIN)
	c.ok(set(b, unix.F_WRLCK, 20, 0))
	k, err := ofd(b, unix.F_OFD_GETLK, unix.F_WRLCK, 0, 0)
	c.ok(err)
	c.eq("lock in the way", [3]int64{int64(k.Type), k.Start, k.Len}, [3]int64{unix.F_WRLCK, 10, 10})
	c.ok(set(a, unix.F_UNLCK, 12, 3)) // leaves two
	c.ok(set(b, unix.F_WRLCK, 12, 3))
	c.want(set(b, unix.F_WRLCK, 11, 1), unix.EAGAIN)
	c.ok(unix.Close(a))
	c.ok(set(b, unix.F_WRLCK, 0, 0))
	c.want(processLock(c.p("f")), unix.EAGAIN)
	c.ok(unix.Close(b))
	c.ok(processLock(c.p("f")))
	whole(c)
}

// processLock tries a lock of the process.
func processLock(path string) error {
	fd, err := unix.Open(path, unix.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.FcntlFlock(uintptr(fd), unix.F_SETLK, &unix.Flock_t{Type: unix.F_WRLCK})
}

// whole locks by flock, which waits.
func whole(c *checker) {
	a, _ := unix.Open(c.p("f"), unix.O_RDONLY, 0)
	b, _ := unix.Open(c.p("f"), unix.O_RDONLY, 0)
	defer unix.Close(b)
	c.ok(unix.Flock(a, unix.LOCK_SH))
	c.ok(unix.Flock(b, unix.LOCK_SH))
	c.want(unix.Flock(b, unix.LOCK_EX|unix.LOCK_NB), unix.EAGAIN)
	c.ok(unix.Flock(b, unix.LOCK_UN))
	c.ok(unix.Flock(a, unix.LOCK_EX))
	got := make(chan error)
	go func() { got <- unix.Flock(b, unix.LOCK_EX) }()
	c.ok(unix.Close(a))
	c.ok(<-got)
}
