package main

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// A checker runs cases in a directory of each one's own, and counts.
type checker struct {
	dir    string
	name   string // of the case
	checks int
	wrong  []string
}

// users that cases work as.
const (
	someone  = 65534
	stranger = 65533
)

// p is a path in the case's directory.
func (c *checker) p(name string) string { return filepath.Join(c.dir, c.name) + "/" + name }

func (c *checker) failf(format string, a ...any) {
	_, file, line, _ := runtime.Caller(2)
	c.wrong = append(c.wrong, fmt.Sprintf("%s:%d: %s: %s", filepath.Base(file), line, c.name, fmt.Sprintf(format, a...)))
}

// want checks what an operation answered: nil, or an errno.
func (c *checker) want(got, want error) {
	c.checks++
	if got != want {
		c.failf("answered %v, not %v", show(got), show(want))
	}
}

// ok checks that an operation succeeded.
func (c *checker) ok(got error) {
	c.checks++
	if got != nil {
		c.failf("answered %v", show(got))
	}
}

// eq checks a value.
func (c *checker) eq(what string, got, want any) {
	c.checks++
	if got != want {
		c.failf("%s is %v, not %v", what, got, want)
	}
}

func show(err error) string {
	if e, ok := err.(unix.Errno); ok {
		return unix.ErrnoName(e)
	}
	return fmt.Sprint(err)
}

// as runs fn as another user: what is asked is who the file system takes the
// thread for.
func as(uid, gid int, groups []int, fn func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		// The thread ends with its goroutine: nobody else is to run on it.
		runtime.LockOSThread()
		if err := unix.Setgroups(groups); err != nil {
			panic(err)
		}
		unix.SetfsgidRetGid(gid)
		unix.SetfsuidRetUid(uid)
		fn()
	}()
	<-done
}

// stat is lstat, zeros where there is nothing.
func (c *checker) stat(name string) (st unix.Stat_t) {
	unix.Lstat(c.p(name), &st)
	return st
}

func (c *checker) mode(name string) uint32 { return c.stat(name).Mode }

// file makes an empty file.
func (c *checker) file(name string, mode uint32) {
	fd, err := unix.Open(c.p(name), unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY, mode)
	c.ok(err)
	if err == nil {
		c.ok(unix.Fchmod(fd, mode))
		c.ok(unix.Close(fd))
	}
}

func (c *checker) dirs(mode uint32, names ...string) {
	for _, n := range names {
		c.ok(unix.Mkdir(c.p(n), mode))
		c.ok(unix.Chmod(c.p(n), mode))
	}
}

func open(path string, flags int, mode uint32) error {
	fd, err := unix.Open(path, flags, mode)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

var (
	long    = strings.Repeat("n", 255)
	tooLong = strings.Repeat("n", 256)
)

// A kind makes a file of one kind.
type kind struct {
	name string
	mode uint32
	make func(path string) error
}

var kinds = []kind{
	{"regular", unix.S_IFREG, func(p string) error { return open(p, unix.O_CREAT|unix.O_EXCL|unix.O_RDWR, 0o644) }},
	{"dir", unix.S_IFDIR, func(p string) error { return unix.Mkdir(p, 0o755) }},
	{"fifo", unix.S_IFIFO, func(p string) error { return unix.Mkfifo(p, 0o644) }},
	{"symlink", unix.S_IFLNK, func(p string) error { return unix.Symlink("nowhere", p) }},
	{"char", unix.S_IFCHR, func(p string) error { return unix.Mknod(p, unix.S_IFCHR|0o644, int(unix.Mkdev(1, 3))) }},
	{"block", unix.S_IFBLK, func(p string) error { return unix.Mknod(p, unix.S_IFBLK|0o644, int(unix.Mkdev(7, 9))) }},
	{"socket", unix.S_IFSOCK, func(p string) error { return unix.Mknod(p, unix.S_IFSOCK|0o644, 0) }},
}

func (c *checker) remove(name string) error {
	err := unix.Unlink(c.p(name))
	if err == unix.EISDIR {
		err = unix.Rmdir(c.p(name))
	}
	return err
}
