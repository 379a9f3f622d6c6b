package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// eventNames are inotify's, as the tests spell them.
var eventNames = []struct {
	mask uint32
	name string
}{
	{unix.IN_CREATE, "create"}, {unix.IN_DELETE, "delete"}, {unix.IN_MODIFY, "modify"}, {unix.IN_ATTRIB, "attrib"},
	{unix.IN_CLOSE_WRITE, "close"}, {unix.IN_MOVED_FROM, "from"}, {unix.IN_MOVED_TO, "to"},
}

// watch prints what inotify tells of a directory, until it is ended.
func watch(dir string, _ time.Duration, _ uint64) error {
	fd, err := unix.InotifyInit1(0)
	if err != nil {
		return err
	}
	if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_ALL_EVENTS&^(unix.IN_OPEN|unix.IN_ACCESS|unix.IN_CLOSE_NOWRITE)); err != nil {
		return err
	}
	fmt.Println("watching")
	buf := make([]byte, 64<<10)
	for {
		n, err := unix.Read(fd, buf)
		if err != nil {
			return err
		}
		for b := buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
			mask, size := binary.LittleEndian.Uint32(b[4:]), int(binary.LittleEndian.Uint32(b[12:]))
			name := strings.TrimRight(string(b[unix.SizeofInotifyEvent:unix.SizeofInotifyEvent+size]), "\x00")
			for _, e := range eventNames {
				if mask&e.mask != 0 {
					fmt.Printf("event %s %s\n", e.name, name)
				}
			}
			b = b[unix.SizeofInotifyEvent+size:]
		}
	}
}

// mapped waits until a file that is mapped begins with NEW.
func mapped(path string, _ time.Duration, _ uint64) error {
	fd, err := unix.Open(path, unix.O_RDWR, 0)
	if err != nil {
		return err
	}
	m, err := unix.Mmap(fd, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	fmt.Printf("mapped %s\n", m[:3])
	for begun := time.Now(); string(m[:3]) != "NEW"; time.Sleep(time.Millisecond) {
		if time.Since(begun) > time.Minute {
			return fmt.Errorf("the mapping still begins with %q", m[:3])
		}
	}
	copy(m[10:], "by the guest")
	return unix.Msync(m, unix.MS_SYNC)
}

// lock tries a lock of the process on a whole file, and then its flock.
func lock(path string, _ time.Duration, _ uint64) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	k := unix.Flock_t{Type: unix.F_WRLCK}
	fmt.Println("fcntl", show(unix.FcntlFlock(f.Fd(), unix.F_SETLK, &k)))
	fmt.Println("flock", show(unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)))
	return nil
}

// crowd has many files open at a time, in a directory of many more.
func crowd(dir string, _ time.Duration, _ uint64) error {
	const files, open = 100_000, 5_000
	if err := os.Mkdir(dir, 0o777); err != nil {
		return err
	}
	unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: open + 100, Max: open + 100})
	var held []*os.File
	for i := range files {
		f, err := os.Create(fmt.Sprintf("%s/%d", dir, i))
		if err != nil {
			return err
		}
		if i%(files/open) > 0 {
			f.Close()
			continue
		}
		held = append(held, f)
	}
	for i, f := range held {
		if _, err := fmt.Fprintln(f, i); err != nil {
			return err
		}
	}
	for i, f := range held {
		var got int
		f.Seek(0, 0)
		if _, err := fmt.Fscan(f, &got); err != nil || got != i {
			return fmt.Errorf("open file %d reads %d, %v", i, got, err)
		}
		f.Close()
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != files {
		return fmt.Errorf("%d of %d names, %v", len(entries), files, err)
	}
	fmt.Printf("crowd: %d files, %d open\n", files, len(held))
	return nil
}
