package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// cases are by operation; each has a directory to itself, writable by all.
var cases = map[string]func(*checker){
	"chmod": chmod, "chown": chown, "link": link, "mkdir": mkdir, "mknod": mknod, "open": opens, "access": access,
	"rename": rename, "renameflags": renameFlags, "rmdir": rmdir, "symlink": symlink, "truncate": truncate,
	"unlink": unlink, "utimens": utimens, "fallocate": fallocate, "sticky": sticky, "paths": paths, "setgid": setgid,
	"privileges": privileges, "xattr": xattrs, "acl": acls, "locks": locks, "orphans": orphans, "tmpfile": tmpfile,
	"seek": seek, "readdir": readdir, "append": appends, "statfs": statfs, "umask": umask,
}

// posix runs every case.
func posix(dir string, _ time.Duration, _ uint64) error {
	unix.Umask(0)
	if err := os.Mkdir(dir, 0o777); err != nil {
		return err
	}
	c := &checker{dir: dir}
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for n := range cases {
			if !yield(n) {
				return
			}
		}
	}) {
		c.name = name
		if err := os.Mkdir(filepath.Join(dir, name), 0o777); err != nil {
			return err
		}
		cases[name](c)
	}
	for _, w := range c.wrong {
		fmt.Println(w)
	}
	fmt.Printf("posix: %d checks, %d wrong\n", c.checks, len(c.wrong))
	if len(c.wrong) > 0 {
		return fmt.Errorf("%d of %d checks", len(c.wrong), c.checks)
	}
	return nil
}

func chmod(c *checker) {
	for _, k := range kinds {
		c.ok(k.make(c.p(k.name)))
		if k.mode == unix.S_IFLNK {
			c.want(unix.Chmod(c.p(k.name), 0o600), unix.ENOENT)
			continue
		}
		for _, m := range []uint32{0o111, 0o755, 0o4751, 0o1777, 0} {
			before := c.stat(k.name).Ctim
			time.Sleep(12 * time.Millisecond)
			c.ok(unix.Chmod(c.p(k.name), m))
			c.eq(k.name, c.mode(k.name), k.mode|m)
			c.eq("a newer ctime", later(c.stat(k.name).Ctim, before), true)
		}
	}
	c.ok(unix.Symlink("regular", c.p("to")))
	c.ok(unix.Chmod(c.p("to"), 0o640))
	c.eq("mode", c.mode("regular"), uint32(unix.S_IFREG|0o640))
	c.ok(unix.Symlink("loop", c.p("loop")))
	c.want(unix.Chmod(c.p("loop"), 0o600), unix.ELOOP)
	c.want(unix.Chmod(c.p("regular/x"), 0o600), unix.ENOTDIR)
	c.want(unix.Chmod(c.p("none"), 0o600), unix.ENOENT)
	c.want(unix.Chmod(c.p(tooLong), 0o600), unix.ENAMETOOLONG)
	as(someone, someone, nil, func() {
		c.want(unix.Chmod(c.p("regular"), 0o777), unix.EPERM)
		c.file("mine", 0o600)
		c.ok(unix.Chmod(c.p("mine"), 0o4755))
		c.eq("mode", c.mode("mine"), uint32(unix.S_IFREG|0o4755))
	})
	// Set-group-ID is for members of the group.
	c.ok(unix.Chown(c.p("mine"), someone, stranger))
	as(someone, someone, nil, func() {
		c.ok(unix.Chmod(c.p("mine"), 0o2755))
		c.eq("mode", c.mode("mine"), uint32(unix.S_IFREG|0o755))
	})
}

func later(a, b unix.Timespec) bool {
	return a.Nano() > b.Nano()
}

func chown(c *checker) {
	for _, k := range kinds {
		c.ok(k.make(c.p(k.name)))
		c.ok(unix.Lchown(c.p(k.name), someone, stranger))
		st := c.stat(k.name)
		c.eq("uid", st.Uid, uint32(someone))
		c.eq("gid", st.Gid, uint32(stranger))
		c.ok(unix.Lchown(c.p(k.name), -1, 7))
		c.ok(unix.Lchown(c.p(k.name), 8, -1))
		st = c.stat(k.name)
		c.eq("uid and gid", fmt.Sprint(st.Uid, st.Gid), "8 7")
	}
	as(8, 7, []int{9}, func() {
		c.ok(unix.Chown(c.p("regular"), -1, 9))
		c.ok(unix.Chown(c.p("regular"), 8, 7))
		c.want(unix.Chown(c.p("regular"), -1, 10), unix.EPERM)
		c.want(unix.Chown(c.p("regular"), 9, -1), unix.EPERM)
	})
	as(someone, someone, nil, func() { c.want(unix.Chown(c.p("regular"), someone, someone), unix.EPERM) })
	c.want(unix.Chown(c.p("none"), 1, 1), unix.ENOENT)
	c.want(unix.Chown(c.p("regular/x"), 1, 1), unix.ENOTDIR)
	// Owners change: set-user-ID goes.
	c.ok(unix.Chmod(c.p("regular"), 0o6755))
	c.ok(unix.Chown(c.p("regular"), 8, 7))
	c.eq("mode", c.mode("regular"), uint32(unix.S_IFREG|0o755))
	c.ok(unix.Chmod(c.p("regular"), 0o2644)) // without execution it is no set-group-ID
	c.ok(unix.Chown(c.p("regular"), 8, 7))
	c.eq("mode", c.mode("regular")&^unix.S_ISGID, uint32(unix.S_IFREG|0o644))
}

func link(c *checker) {
	for _, k := range kinds {
		c.ok(k.make(c.p(k.name)))
		err := unix.Link(c.p(k.name), c.p(k.name+"2"))
		if k.mode == unix.S_IFDIR {
			c.want(err, unix.EPERM)
			continue
		}
		c.ok(err)
		a, b := c.stat(k.name), c.stat(k.name+"2")
		c.eq("inode", a.Ino, b.Ino)
		c.eq("links", fmt.Sprint(a.Nlink, b.Nlink), "2 2")
		if k.mode != unix.S_IFLNK {
			c.ok(unix.Chmod(c.p(k.name), 0o604))
			c.eq("mode", c.mode(k.name+"2"), k.mode|0o604)
		}
		c.ok(unix.Unlink(c.p(k.name)))
		c.eq("links", uint64(c.stat(k.name+"2").Nlink), uint64(1))
	}
	c.file("f", 0o644)
	c.want(unix.Link(c.p("f"), c.p("f")), unix.EEXIST)
	c.want(unix.Link(c.p("f"), c.p("dir")), unix.EEXIST)
	c.want(unix.Link(c.p("none"), c.p("g")), unix.ENOENT)
	c.want(unix.Link(c.p("f/x"), c.p("g")), unix.ENOTDIR)
	c.want(unix.Link(c.p("f"), c.p("f/x")), unix.ENOTDIR)
	c.want(unix.Link(c.p("f"), c.p("none/x")), unix.ENOENT)
	c.want(unix.Link(c.p("f"), c.p(tooLong)), unix.ENAMETOOLONG)
	c.want(unix.Link(c.p("f"), "/dev/elsewhere"), unix.EXDEV)
	c.ok(unix.Link(c.p("f"), c.p(long)))
	c.dirs(0o755, "closed")
	c.ok(unix.Chown(c.p("f"), someone, someone))
	as(someone, someone, nil, func() { c.want(unix.Link(c.p("f"), c.p("closed/x")), unix.EACCES) })
}

func mkdir(c *checker) {
	c.ok(unix.Mkdir(c.p("d"), 0o751))
	c.eq("mode", c.mode("d"), uint32(unix.S_IFDIR|0o751))
	c.eq("links", uint64(c.stat("d").Nlink), uint64(2))
	before := c.stat(".")
	c.ok(unix.Mkdir(c.p("d/e"), 0o755))
	c.eq("links", uint64(c.stat("d").Nlink), uint64(3))
	c.eq("links of above", c.stat(".").Nlink, before.Nlink)
	for _, k := range kinds {
		c.ok(k.make(c.p("there")))
		c.want(unix.Mkdir(c.p("there"), 0o755), unix.EEXIST)
		if k.mode != unix.S_IFDIR && k.mode != unix.S_IFLNK {
			c.want(unix.Mkdir(c.p("there/x"), 0o755), unix.ENOTDIR)
		}
		c.ok(c.remove("there"))
	}
	c.want(unix.Mkdir(c.p("none/x"), 0o755), unix.ENOENT)
	c.want(unix.Mkdir(c.p(tooLong), 0o755), unix.ENAMETOOLONG)
	c.ok(unix.Mkdir(c.p(long), 0o755))
	c.ok(unix.Mkdir(c.p("slash/"), 0o755))
	c.want(unix.Mkdir(c.p("."), 0o755), unix.EEXIST)
	as(someone, someone, nil, func() {
		c.want(unix.Mkdir(c.p("d/x"), 0o755), unix.EACCES)
		c.ok(unix.Mkdir(c.p("m"), 0o700))
		c.eq("uid", c.stat("m").Uid, uint32(someone))
		c.eq("gid", c.stat("m").Gid, uint32(someone))
		c.ok(unix.Mkdir(c.p("m/n"), 0))
		c.want(unix.Mkdir(c.p("m/n/o"), 0o755), unix.EACCES)
	})
}

func mknod(c *checker) {
	for _, k := range kinds {
		c.ok(k.make(c.p(k.name)))
		c.eq(k.name, c.mode(k.name)&unix.S_IFMT, k.mode)
		c.want(unix.Mknod(c.p(k.name), unix.S_IFIFO|0o644, 0), unix.EEXIST)
	}
	c.eq("device", uint64(c.stat("char").Rdev), unix.Mkdev(1, 3))
	c.eq("device", uint64(c.stat("block").Rdev), unix.Mkdev(7, 9))
	c.ok(unix.Mknod(c.p("big"), unix.S_IFCHR|0o600, int(unix.Mkdev(259, 70000))))
	c.eq("device", uint64(c.stat("big").Rdev), unix.Mkdev(259, 70000))
	c.ok(open(c.p("char"), unix.O_WRONLY, 0)) // it is the guest's own /dev/null
	c.ok(unix.Mknod(c.p("plain"), 0o640, 0))
	c.eq("mode", c.mode("plain"), uint32(unix.S_IFREG|0o640))
	c.want(unix.Mknod(c.p("regular/x"), unix.S_IFIFO, 0), unix.ENOTDIR)
	c.want(unix.Mknod(c.p(tooLong), unix.S_IFIFO, 0), unix.ENAMETOOLONG)
	as(someone, someone, nil, func() {
		c.want(unix.Mknod(c.p("dev"), unix.S_IFCHR|0o644, int(unix.Mkdev(1, 3))), unix.EPERM)
		c.ok(unix.Mkfifo(c.p("fifo2"), 0o640))
		c.eq("uid", c.stat("fifo2").Uid, uint32(someone))
	})
	pipe(c)
}

// pipe has two ends of a FIFO meet.
func pipe(c *checker) {
	got := make(chan string)
	go func() {
		b, err := os.ReadFile(c.p("fifo"))
		got <- fmt.Sprint(string(b), err)
	}()
	c.ok(os.WriteFile(c.p("fifo"), []byte("through"), 0))
	c.eq("what came through", <-got, "through<nil>")
}

func symlink(c *checker) {
	target := strings.Repeat("t/", 2047) + "t"
	c.ok(unix.Symlink(target, c.p("far")))
	buf := make([]byte, 5000)
	n, err := unix.Readlink(c.p("far"), buf)
	c.ok(err)
	c.eq("target", string(buf[:n]), target)
	c.eq("size", c.stat("far").Size, int64(len(target)))
	c.want(unix.Symlink(target+"tt", c.p("farther")), unix.ENAMETOOLONG)
	c.want(unix.Symlink("", c.p("empty")), unix.ENOENT)
	c.want(unix.Symlink("x", c.p("far")), unix.EEXIST)
	c.want(unix.Symlink("x", c.p("none/x")), unix.ENOENT)
	c.want(unix.Symlink("x", c.p(tooLong)), unix.ENAMETOOLONG)
	c.dirs(0o755, "d")
	c.file("d/f", 0o644)
	c.ok(unix.Symlink("d", c.p("dir")))
	c.eq("mode through it", c.mode("dir/f"), uint32(unix.S_IFREG|0o644))
	c.want(unix.Rmdir(c.p("dir")), unix.ENOTDIR)
	c.want(open(c.p("dir"), unix.O_RDONLY|unix.O_NOFOLLOW, 0), unix.ELOOP)
	c.ok(unix.Symlink("b", c.p("a")))
	c.ok(unix.Symlink("a", c.p("b")))
	c.want(open(c.p("a"), unix.O_RDONLY, 0), unix.ELOOP)
	_, err = unix.Readlink(c.p("d"), buf)
	c.want(err, unix.EINVAL)
	// A name that is made by way of a link that leads nowhere.
	c.ok(unix.Symlink("made", c.p("maker")))
	c.ok(open(c.p("maker"), unix.O_CREAT|unix.O_WRONLY, 0o600))
	c.eq("mode", c.mode("made"), uint32(unix.S_IFREG|0o600))
	c.want(open(c.p("maker"), unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY, 0o600), unix.EEXIST)
}

func paths(c *checker) {
	c.ok(open(c.p(long), unix.O_CREAT|unix.O_WRONLY, 0o644))
	c.want(open(c.p(tooLong), unix.O_CREAT|unix.O_WRONLY, 0o644), unix.ENAMETOOLONG)
	// The longest path there is, by steps, and one more.
	at := c.p("")
	for len(at)+256 < unix.PathMax-1 {
		at += strings.Repeat("d", 254)
		c.ok(unix.Mkdir(at, 0o755))
		at += "/"
	}
	last := at + strings.Repeat("x", unix.PathMax-1-len(at))
	c.ok(open(last, unix.O_CREAT|unix.O_WRONLY, 0o644))
	c.want(open(last+"x", unix.O_CREAT|unix.O_WRONLY, 0o644), unix.ENAMETOOLONG)
	c.ok(unix.Unlink(last))
	for _, name := range []string{"\xff\xfe", "a b", "new\nline", "\\", "…", "*", "-rf", "...", "con", "a:b", "\x01"} {
		c.ok(open(c.p(name), unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY, 0o644))
		c.ok(open(c.p(name), unix.O_RDONLY, 0))
	}
	c.want(open(c.p(long+"/x"), unix.O_RDONLY, 0), unix.ENOTDIR)
	c.want(open(c.p("a b/"), unix.O_RDONLY, 0), unix.ENOTDIR)
	c.want(open(c.p("a b/."), unix.O_RDONLY, 0), unix.ENOTDIR)
	c.want(open("", unix.O_RDONLY, 0), unix.ENOENT)
}

func umask(c *checker) {
	unix.Umask(0o027)
	defer unix.Umask(0)
	for _, k := range kinds {
		c.ok(k.make(c.p(k.name)))
	}
	for _, w := range []struct {
		name string
		mode uint32
	}{{"regular", 0o640}, {"dir", 0o750}, {"fifo", 0o640}, {"char", 0o640}, {"socket", 0o640}} {
		c.eq(w.name, c.mode(w.name)&0o7777, w.mode)
	}
}

func statfs(c *checker) {
	var st unix.Statfs_t
	c.ok(unix.Statfs(c.dir, &st))
	c.eq("longest name", int64(st.Namelen), int64(255))
	c.eq("a size", st.Blocks > 0 && st.Bsize > 0 && st.Bavail <= st.Blocks, true)
}
