package main

import (
	"fmt"
	"os"
	"sort"

	"golang.org/x/sys/unix"
)

func rename(c *checker) {
	for _, k := range kinds {
		c.ok(k.make(c.p("a")))
		before := c.stat("a")
		c.ok(unix.Rename(c.p("a"), c.p("b")))
		c.eq("inode", c.stat("b").Ino, before.Ino)
		c.want(unix.Access(c.p("a"), 0), unix.ENOENT)
		// Over a file of each kind.
		for _, o := range kinds {
			c.ok(o.make(c.p("o")))
			var want error
			switch {
			case k.mode == unix.S_IFDIR && o.mode != unix.S_IFDIR:
				want = unix.ENOTDIR
			case k.mode != unix.S_IFDIR && o.mode == unix.S_IFDIR:
				want = unix.EISDIR
			}
			c.want(unix.Rename(c.p("b"), c.p("o")), want)
			if want == nil {
				c.eq("inode", c.stat("o").Ino, before.Ino)
				c.ok(unix.Rename(c.p("o"), c.p("b")))
			} else {
				c.ok(c.remove("o"))
			}
		}
		c.ok(c.remove("b"))
	}
	c.dirs(0o777, "d", "d/e", "d/e/f", "x", "x/y")
	c.file("file", 0o644)
	c.want(unix.Rename(c.p("d"), c.p("d/e/f/g")), unix.EINVAL)
	c.want(unix.Rename(c.p("d"), c.p("x")), unix.ENOTEMPTY)
	c.want(unix.Rename(c.p("d/e"), c.p("d")), unix.ENOTEMPTY)
	c.want(unix.Rename(c.p("none"), c.p("n")), unix.ENOENT)
	c.want(unix.Rename(c.p("d"), c.p("none/n")), unix.ENOENT)
	c.want(unix.Rename(c.p("d"), c.p("file/n")), unix.ENOTDIR)
	c.want(unix.Rename(c.p("d"), c.p(tooLong)), unix.ENAMETOOLONG)
	c.want(unix.Rename(c.p("file"), c.p("file/")), unix.ENOTDIR)
	c.want(unix.Rename(c.p("d/."), c.p("n")), unix.EBUSY)
	c.ok(unix.Rename(c.p("d/e"), c.p("x/y")))
	c.eq("links", fmt.Sprint(c.stat("d").Nlink, c.stat("x").Nlink), "2 3")
	c.ok(unix.Access(c.p("x/y/f"), 0))
	c.ok(unix.Rename(c.p("x/y/f"), c.p("d/f")))
	c.file("h1", 0o644)
	c.ok(unix.Link(c.p("h1"), c.p("h2")))
	c.ok(unix.Rename(c.p("h1"), c.p("h2"))) // the same file: nothing happens
	c.eq("links", uint64(c.stat("h1").Nlink), uint64(2))
	c.ok(unix.Chmod(c.p("d"), 0o755))
	as(someone, someone, nil, func() {
		c.want(unix.Rename(c.p("d/f"), c.p("mine")), unix.EACCES)
		c.want(unix.Rename(c.p("h1"), c.p("d/h")), unix.EACCES)
	})
}

func renameFlags(c *checker) {
	at := func(from, to string, flags uint) error {
		return unix.Renameat2(unix.AT_FDCWD, c.p(from), unix.AT_FDCWD, c.p(to), flags)
	}
	c.ok(os.WriteFile(c.p("a"), []byte("A"), 0o644))
	c.dirs(0o755, "d", "d/e")
	c.want(at("a", "d", unix.RENAME_NOREPLACE), unix.EEXIST)
	c.ok(at("a", "b", unix.RENAME_NOREPLACE))
	c.ok(at("b", "d", unix.RENAME_EXCHANGE))
	c.eq("mode", c.mode("d"), uint32(unix.S_IFREG|0o644))
	c.ok(unix.Access(c.p("b/e"), 0))
	c.ok(at("d", "b/e", unix.RENAME_EXCHANGE))
	b, err := os.ReadFile(c.p("b/e"))
	c.ok(err)
	c.eq("content", string(b), "A")
	c.eq("mode", c.mode("d")&unix.S_IFMT, uint32(unix.S_IFDIR))
	c.want(at("b", "none", unix.RENAME_EXCHANGE), unix.ENOENT)
	c.want(at("b", "d", unix.RENAME_EXCHANGE|unix.RENAME_NOREPLACE), unix.EINVAL)
}

func rmdir(c *checker) {
	c.dirs(0o755, "d", "d/e")
	before := c.stat("d")
	c.want(unix.Rmdir(c.p("d")), unix.ENOTEMPTY)
	c.ok(unix.Rmdir(c.p("d/e")))
	c.eq("links", uint64(c.stat("d").Nlink), uint64(before.Nlink-1))
	c.want(unix.Rmdir(c.p("d/.")), unix.EINVAL)
	c.want(unix.Rmdir(c.p("d/..")), unix.ENOTEMPTY)
	c.want(unix.Rmdir(c.p("none")), unix.ENOENT)
	for _, k := range kinds {
		if k.mode != unix.S_IFDIR {
			c.ok(k.make(c.p(k.name)))
			c.want(unix.Rmdir(c.p(k.name)), unix.ENOTDIR)
		}
	}
	c.ok(unix.Chmod(c.p("."), 0o755))
	as(someone, someone, nil, func() { c.want(unix.Rmdir(c.p("d")), unix.EACCES) })
	c.ok(unix.Rmdir(c.p("d/")))
	c.want(unix.Access(c.p("d"), 0), unix.ENOENT)
}

func unlink(c *checker) {
	for _, k := range kinds {
		c.ok(k.make(c.p(k.name)))
		err := unix.Unlink(c.p(k.name))
		if k.mode == unix.S_IFDIR {
			c.want(err, unix.EISDIR)
			continue
		}
		c.ok(err)
		c.want(unix.Unlink(c.p(k.name)), unix.ENOENT)
	}
	c.file("f", 0o644)
	c.want(unix.Unlink(c.p("f/")), unix.ENOTDIR)
	c.want(unix.Unlink(c.p("f/x")), unix.ENOTDIR)
	c.want(unix.Unlink(c.p(tooLong)), unix.ENAMETOOLONG)
	c.ok(unix.Link(c.p("f"), c.p("g")))
	before := c.stat("g")
	c.ok(unix.Unlink(c.p("f")))
	c.eq("links", uint64(c.stat("g").Nlink), uint64(1))
	c.eq("a ctime not older", !later(before.Ctim, c.stat("g").Ctim), true)
	c.dirs(0o755, "closed")
	c.file("closed/f", 0o666)
	as(someone, someone, nil, func() { c.want(unix.Unlink(c.p("closed/f")), unix.EACCES) })
}

func sticky(c *checker) {
	c.dirs(0o1777, "s")
	c.ok(unix.Chown(c.p("s"), stranger, stranger))
	for i, k := range kinds {
		name := fmt.Sprint("s/", i)
		c.ok(k.make(c.p(name)))
		c.ok(unix.Lchown(c.p(name), someone, someone))
		as(1, 1, nil, func() {
			c.want(c.remove(name), unix.EPERM)
			c.want(unix.Rename(c.p(name), c.p("s/x")), unix.EPERM)
			c.want(unix.Rename(c.p(name), c.p("x")), unix.EPERM)
		})
		if k.mode != unix.S_IFDIR {
			as(1, 1, nil, func() {
				c.ok(open(c.p("s/own"), unix.O_CREAT|unix.O_WRONLY, 0o644))
				c.want(unix.Rename(c.p("s/own"), c.p(name)), unix.EPERM)
			})
		}
		who := someone // his own file
		if i%2 == 1 {
			who = stranger // his own directory
		}
		as(who, 1, nil, func() { c.ok(c.remove(name)) })
	}
}

// orphans are used after their names are gone.
func orphans(c *checker) {
	c.ok(os.WriteFile(c.p("f"), []byte("before"), 0o644))
	f, err := os.OpenFile(c.p("f"), os.O_RDWR, 0)
	c.ok(err)
	defer f.Close()
	c.ok(unix.Unlink(c.p("f")))
	c.ok(os.WriteFile(c.p("f"), []byte("another"), 0o644))
	_, err = f.WriteAt([]byte("after"), 6)
	c.ok(err)
	c.ok(f.Sync())
	b := make([]byte, 11)
	_, err = f.ReadAt(b, 0)
	c.ok(err)
	c.eq("content", string(b), "beforeafter")
	var st unix.Stat_t
	c.ok(unix.Fstat(int(f.Fd()), &st))
	c.eq("links", uint64(st.Nlink), uint64(0))
	c.eq("size", st.Size, int64(11))
	c.ok(f.Chmod(0o600))
	c.ok(f.Truncate(3))
	c.ok(unix.Fstat(int(f.Fd()), &st))
	c.eq("size", st.Size, int64(3))
	// Over an open file, and a directory that is open.
	g, err := os.Open(c.p("f"))
	c.ok(err)
	defer g.Close()
	c.ok(os.WriteFile(c.p("n"), []byte("new"), 0o644))
	c.ok(unix.Rename(c.p("n"), c.p("f")))
	_, err = g.ReadAt(b[:7], 0)
	c.ok(err)
	c.eq("content", string(b[:7]), "another")
	c.dirs(0o755, "d")
	d, err := unix.Open(c.p("d"), unix.O_DIRECTORY, 0)
	c.ok(err)
	defer unix.Close(d)
	c.ok(unix.Rmdir(c.p("d")))
	c.want(unix.Mkdirat(d, "x", 0o755), unix.ENOENT)
	c.ok(unix.Fstat(d, &st))
	buf := make([]byte, 4096)
	_, err = unix.Getdents(d, buf)
	c.ok(dropped(err))
}

// dropped is nil for what may be said of a directory that is gone.
func dropped(err error) error {
	if err == unix.ENOENT {
		return nil
	}
	return err
}

func tmpfile(c *checker) {
	fd, err := unix.Open(c.p("."), unix.O_TMPFILE|unix.O_RDWR, 0o640)
	c.ok(err)
	if err != nil {
		return
	}
	_, err = unix.Write(fd, []byte("unnamed"))
	c.ok(err)
	var st unix.Stat_t
	c.ok(unix.Fstat(fd, &st))
	c.eq("links", uint64(st.Nlink), uint64(0))
	c.ok(unix.Linkat(unix.AT_FDCWD, fmt.Sprint("/proc/self/fd/", fd), unix.AT_FDCWD, c.p("named"), unix.AT_SYMLINK_FOLLOW))
	c.ok(unix.Close(fd))
	b, err := os.ReadFile(c.p("named"))
	c.ok(err)
	c.eq("content", string(b), "unnamed")
	c.eq("mode", c.mode("named"), uint32(unix.S_IFREG|0o640))
	c.eq("links", uint64(c.stat("named").Nlink), uint64(1))
}

func readdir(c *checker) {
	var want []string
	for i := range 1500 {
		name := fmt.Sprintf("%0*d", 1+i%40, i)
		want = append(want, name)
		c.ok(open(c.p(name), unix.O_CREAT|unix.O_WRONLY, 0o644))
	}
	sort.Strings(want)
	d, err := os.Open(c.p("."))
	c.ok(err)
	defer d.Close()
	for range 2 {
		got, err := d.Readdirnames(-1)
		c.ok(err)
		sort.Strings(got)
		c.eq("names", fmt.Sprint(got), fmt.Sprint(want))
		_, err = d.Seek(0, 0)
		c.ok(err)
	}
	// What is there all the time is told once, whatever is removed meanwhile.
	seen := map[string]int{}
	for {
		names, _ := d.Readdirnames(50)
		if len(names) == 0 {
			break
		}
		for i, n := range names {
			seen[n]++
			if i%2 == 0 {
				c.ok(unix.Unlink(c.p(n)))
			}
		}
	}
	c.eq("names told", len(seen), len(want))
	left, err := os.ReadDir(c.p("."))
	c.ok(err)
	c.eq("names left", len(left) < len(want) && len(left) > 0, true)
}
