package main

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

func opens(c *checker) {
	c.file("f", 0o644)
	c.want(open(c.p("f"), unix.O_CREAT|unix.O_EXCL|unix.O_RDWR, 0o644), unix.EEXIST)
	c.ok(open(c.p("f"), unix.O_CREAT|unix.O_RDWR, 0o644))
	c.want(open(c.p("none"), unix.O_RDWR, 0), unix.ENOENT)
	c.want(open(c.p("none/x"), unix.O_CREAT|unix.O_RDWR, 0o644), unix.ENOENT)
	c.want(open(c.p("f/x"), unix.O_CREAT|unix.O_RDWR, 0o644), unix.ENOTDIR)
	c.dirs(0o755, "d")
	c.want(open(c.p("d"), unix.O_WRONLY, 0), unix.EISDIR)
	c.want(open(c.p("d"), unix.O_RDWR, 0), unix.EISDIR)
	c.want(open(c.p("d"), unix.O_CREAT|unix.O_RDONLY, 0o644), unix.EISDIR)
	c.want(open(c.p("d"), unix.O_TRUNC|unix.O_WRONLY, 0), unix.EISDIR)
	c.want(open(c.p("f"), unix.O_DIRECTORY, 0), unix.ENOTDIR)
	c.ok(open(c.p("d"), unix.O_DIRECTORY, 0))
	c.ok(unix.Mkfifo(c.p("p"), 0o644))
	c.want(open(c.p("p"), unix.O_WRONLY|unix.O_NONBLOCK, 0), unix.ENXIO)
	c.ok(unix.Mknod(c.p("s"), unix.S_IFSOCK|0o644, 0))
	c.want(open(c.p("s"), unix.O_RDONLY, 0), unix.ENXIO)
	// Modes hold for the next open, not for the one that makes the file.
	as(someone, someone, nil, func() {
		fd, err := unix.Open(c.p("mine"), unix.O_CREAT|unix.O_RDWR, 0)
		c.ok(err)
		_, err = unix.Write(fd, []byte("x"))
		c.ok(err)
		c.ok(unix.Close(fd))
		c.want(open(c.p("mine"), unix.O_RDONLY, 0), unix.EACCES)
		c.ok(unix.Chmod(c.p("mine"), 0o200))
		c.ok(open(c.p("mine"), unix.O_WRONLY, 0))
		c.want(open(c.p("mine"), unix.O_RDWR, 0), unix.EACCES)
		c.want(open(c.p("f"), unix.O_WRONLY, 0), unix.EACCES)
		c.want(open(c.p("f"), unix.O_RDONLY|unix.O_TRUNC, 0), unix.EACCES)
		c.want(open(c.p("d/x"), unix.O_CREAT|unix.O_RDWR, 0o644), unix.EACCES)
		c.want(open(c.p("f"), unix.O_RDONLY|unix.O_NOATIME, 0), unix.EPERM)
	})
	c.eq("size", c.stat("mine").Size, int64(1))
	c.ok(open(c.p("mine"), unix.O_WRONLY|unix.O_TRUNC, 0))
	c.eq("size", c.stat("mine").Size, int64(0))
	// A path descriptor reads nothing.
	fd, err := unix.Open(c.p("f"), unix.O_PATH, 0)
	c.ok(err)
	_, err = unix.Read(fd, make([]byte, 1))
	c.want(err, unix.EBADF)
	unix.Close(fd)
	busy(c)
}

// busy is a program that runs: nobody writes to it.
func busy(c *checker) {
	self, err := os.ReadFile("/proc/self/exe")
	c.ok(err)
	c.ok(os.WriteFile(c.p("run"), self, 0o755))
	p, err := os.StartProcess(c.p("run"), []string{"run", "sleep", "."}, &os.ProcAttr{})
	c.ok(err)
	if err == nil {
		p.Wait()
	}
	c.ok(open(c.p("run"), unix.O_WRONLY, 0))
}

func access(c *checker) {
	for _, owner := range []int{someone, 0} {
		c.file("f", 0)
		c.ok(unix.Chown(c.p("f"), owner, stranger))
		for mode := range uint32(0o1000) {
			if mode&0o111 != 0 || mode%5 != 0 {
				continue
			}
			c.ok(unix.Chmod(c.p("f"), mode))
			for _, w := range []struct{ uid, gid, shift int }{{someone, 1, 6}, {someone, stranger, 6}, {1, stranger, 3}, {1, 1, 0}} {
				shift := w.shift
				if w.uid == someone && owner != someone {
					if shift = 0; w.gid == stranger {
						shift = 3
					}
				}
				may := mode >> shift & 7
				as(w.uid, w.gid, nil, func() {
					c.eq("may read", open(c.p("f"), unix.O_RDONLY, 0) == nil, may&4 != 0)
					c.eq("may write", open(c.p("f"), unix.O_WRONLY, 0) == nil, may&2 != 0)
				})
			}
		}
		c.ok(unix.Unlink(c.p("f")))
	}
	c.dirs(0o700, "shut")
	c.file("shut/f", 0o666)
	as(someone, someone, nil, func() {
		c.want(open(c.p("shut/f"), unix.O_RDONLY, 0), unix.EACCES)
		c.want(open(c.p("shut"), unix.O_RDONLY, 0), unix.EACCES)
	})
	c.ok(unix.Chmod(c.p("shut"), 0o711))
	as(someone, someone, nil, func() {
		c.ok(open(c.p("shut/f"), unix.O_RDONLY, 0))
		c.want(open(c.p("shut"), unix.O_RDONLY, 0), unix.EACCES)
	})
}

func truncate(c *checker) {
	c.file("f", 0o644)
	for _, size := range []int64{1234567, 1, 0, 1 << 33, 4096} {
		before := c.stat("f").Mtim
		time.Sleep(12 * time.Millisecond)
		c.ok(unix.Truncate(c.p("f"), size))
		c.eq("size", c.stat("f").Size, size)
		c.eq("a newer mtime", later(c.stat("f").Mtim, before), true)
	}
	c.want(unix.Truncate(c.p("f"), -1), unix.EINVAL)
	c.want(unix.Truncate(c.p("none"), 0), unix.ENOENT)
	c.dirs(0o755, "d")
	c.want(unix.Truncate(c.p("d"), 0), unix.EISDIR)
	c.want(unix.Truncate(c.p("f/x"), 0), unix.ENOTDIR)
	fd, err := unix.Open(c.p("f"), unix.O_RDONLY, 0)
	c.ok(err)
	c.want(unix.Ftruncate(fd, 1), unix.EINVAL)
	unix.Close(fd)
	as(someone, someone, nil, func() { c.want(unix.Truncate(c.p("f"), 0), unix.EACCES) })
	// What was behind the end is zero when the end moves there again.
	c.ok(os.WriteFile(c.p("g"), []byte("abcdefgh"), 0o644))
	c.ok(unix.Truncate(c.p("g"), 3))
	c.ok(unix.Truncate(c.p("g"), 6))
	b, _ := os.ReadFile(c.p("g"))
	c.eq("content", string(b), "abc\x00\x00\x00")
}

func utimens(c *checker) {
	for _, k := range kinds {
		c.ok(k.make(c.p(k.name)))
		for _, t := range []unix.Timespec{{Sec: 1234567890, Nsec: 123456789}, {Sec: 0}, {Sec: 1<<31 - 1, Nsec: 999999999}} {
			ts := []unix.Timespec{t, {Sec: t.Sec, Nsec: t.Nsec / 2}}
			c.ok(unix.UtimesNanoAt(unix.AT_FDCWD, c.p(k.name), ts, unix.AT_SYMLINK_NOFOLLOW))
			st := c.stat(k.name)
			c.eq("atime", st.Atim, ts[0])
			c.eq("mtime", st.Mtim, ts[1])
		}
		c.ok(unix.UtimesNanoAt(unix.AT_FDCWD, c.p(k.name), []unix.Timespec{{Nsec: unix.UTIME_OMIT}, {Sec: 5}}, unix.AT_SYMLINK_NOFOLLOW))
		st := c.stat(k.name)
		c.eq("nanoseconds of the atime", int64(st.Atim.Nsec), int64(999999999))
		c.eq("mtime", st.Mtim, unix.Timespec{Sec: 5})
	}
	now := []unix.Timespec{{Nsec: unix.UTIME_NOW}, {Nsec: unix.UTIME_NOW}}
	c.ok(unix.UtimesNanoAt(unix.AT_FDCWD, c.p("regular"), now, 0))
	c.eq("a time of today", c.stat("regular").Mtim.Sec > 1700000000, true)
	c.ok(unix.Chmod(c.p("regular"), 0o666))
	as(someone, someone, nil, func() {
		c.ok(unix.UtimesNanoAt(unix.AT_FDCWD, c.p("regular"), now, 0))
		c.want(unix.UtimesNanoAt(unix.AT_FDCWD, c.p("regular"), []unix.Timespec{{Sec: 1}, {Sec: 1}}, 0), unix.EPERM)
		c.want(unix.UtimesNanoAt(unix.AT_FDCWD, c.p("dir"), now, 0), unix.EACCES)
	})
	c.want(unix.UtimesNanoAt(unix.AT_FDCWD, c.p("none"), now, 0), unix.ENOENT)
	// Reading a directory, and writing a file, move times by themselves.
	c.ok(unix.UtimesNanoAt(unix.AT_FDCWD, c.p("dir"), []unix.Timespec{{Sec: 9}, {Sec: 9}}, 0))
	c.file("dir/x", 0o644)
	c.eq("mtime of a directory that got a name", c.stat("dir").Mtim.Sec > 9, true)
	c.ok(unix.UtimesNanoAt(unix.AT_FDCWD, c.p("regular"), []unix.Timespec{{Sec: 9}, {Sec: 9}}, 0))
	c.ok(os.WriteFile(c.p("regular"), []byte("x"), 0))
	c.eq("mtime of a file that was written", c.stat("regular").Mtim.Sec > 9, true)
	// Set after a write, it stays.
	fd, err := unix.Open(c.p("regular"), unix.O_RDWR, 0)
	c.ok(err)
	_, err = unix.Write(fd, []byte("abc"))
	c.ok(err)
	c.ok(unix.UtimesNanoAt(unix.AT_FDCWD, c.p("regular"), []unix.Timespec{{Sec: 9}, {Sec: 9}}, 0))
	c.ok(unix.Close(fd))
	c.eq("mtime", c.stat("regular").Mtim.Sec, c.stat("regular").Atim.Sec)
}

func fallocate(c *checker) {
	fd, err := unix.Open(c.p("f"), unix.O_CREAT|unix.O_RDWR, 0o644)
	c.ok(err)
	defer unix.Close(fd)
	c.ok(unix.Fallocate(fd, 0, 0, 100000))
	c.eq("size", c.stat("f").Size, int64(100000))
	c.eq("blocks", c.stat("f").Blocks >= 100000/512, true)
	c.ok(unix.Fallocate(fd, unix.FALLOC_FL_KEEP_SIZE, 100000, 100000))
	c.eq("size", c.stat("f").Size, int64(100000))
	c.want(unix.Fallocate(fd, 0, -1, 10), unix.EINVAL)
	c.want(unix.Fallocate(fd, 0, 0, 0), unix.EINVAL)
	c.want(unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE, 0, 10), unix.EOPNOTSUPP)
	ro, err := unix.Open(c.p("f"), unix.O_RDONLY, 0)
	c.ok(err)
	c.want(unix.Fallocate(ro, 0, 0, 10), unix.EBADF)
	unix.Close(ro)
	_, err = unix.Pwrite(fd, []byte("abcdefgh"), 4094)
	c.ok(err)
	c.ok(unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 4096, 4096))
	b := make([]byte, 6)
	_, err = unix.Pread(fd, b, 4093)
	c.ok(err)
	c.eq("content", string(b), "\x00ab\x00\x00\x00")
}

func seek(c *checker) {
	fd, err := unix.Open(c.p("f"), unix.O_CREAT|unix.O_RDWR, 0o644)
	c.ok(err)
	defer unix.Close(fd)
	_, err = unix.Pwrite(fd, []byte("data"), 1<<20)
	c.ok(err)
	at, err := unix.Seek(fd, 0, unix.SEEK_DATA)
	c.ok(err)
	c.eq("data", at, int64(1<<20))
	at, err = unix.Seek(fd, 0, unix.SEEK_HOLE)
	c.ok(err)
	c.eq("hole", at, int64(0))
	at, err = unix.Seek(fd, 1<<20, unix.SEEK_HOLE)
	c.ok(err)
	c.eq("hole", at, int64(1<<20+4))
	_, err = unix.Seek(fd, 1<<21, unix.SEEK_DATA)
	c.want(err, unix.ENXIO)
	at, err = unix.Seek(fd, -1, unix.SEEK_END)
	c.ok(err)
	c.eq("end", at, int64(1<<20+3))
	_, err = unix.Seek(fd, -1, unix.SEEK_SET)
	c.want(err, unix.EINVAL)
}

func appends(c *checker) {
	a, err := unix.Open(c.p("f"), unix.O_CREAT|unix.O_WRONLY|unix.O_APPEND, 0o644)
	c.ok(err)
	b, err := unix.Open(c.p("f"), unix.O_WRONLY|unix.O_APPEND, 0)
	c.ok(err)
	for i := range 20 {
		fd := a
		if i%2 == 1 {
			fd = b
		}
		_, err = unix.Write(fd, []byte{byte('a' + i)})
		c.ok(err)
	}
	c.eq("size", c.stat("f").Size, int64(20))
	text, _ := os.ReadFile(c.p("f"))
	c.eq("content", string(text), "abcdefghijklmnopqrst")
	at, _ := unix.Seek(a, 0, unix.SEEK_CUR)
	c.eq("position", at, int64(19))
	unix.Close(a)
	unix.Close(b)
}
