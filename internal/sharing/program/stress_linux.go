package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A worker does what comes to mind in a tree where others do the same.
type worker struct {
	root  string
	rng   *rand.Rand
	count int
}

// stress has several at work in one tree.
func stress(dir string, span time.Duration, seed uint64) error {
	const workers = 8
	if err := os.Mkdir(dir, 0o777); err != nil {
		return err
	}
	var all sync.WaitGroup
	errs, counts := make([]error, workers), make([]int, workers)
	for i := range workers {
		all.Add(1)
		go func() {
			defer all.Done()
			w := &worker{root: dir, rng: rand.New(rand.NewPCG(seed, uint64(i)))}
			for begun := time.Now(); errs[i] == nil && time.Since(begun) < span; w.count++ {
				errs[i] = w.step()
			}
			counts[i] = w.count
		}()
	}
	all.Wait()
	total := 0
	for _, n := range counts {
		total += n
	}
	fmt.Printf("stress: seed %d, %d operations\n", seed, total)
	if inGuest() {
		unix.Sync()
	}
	return errors.Join(errs...)
}

// path is a path in the tree; few names, so that they are often there.
func (w *worker) path() string {
	p := w.root
	for range 1 + w.rng.IntN(3) {
		p = filepath.Join(p, fmt.Sprintf("%c", 'a'+w.rng.IntN(12)))
	}
	return p
}

// expected are the errnos that others' work explains.
var expected = []error{unix.ENOENT, unix.EEXIST, unix.ENOTDIR, unix.EISDIR, unix.ENOTEMPTY, unix.EINVAL, unix.ELOOP,
	unix.EPERM, unix.ENODATA, unix.ENXIO, unix.EMLINK, unix.EBUSY, unix.ETXTBSY, unix.ENAMETOOLONG, unix.EXDEV}

func (w *worker) step() error {
	p, q := w.path(), w.path()
	name, err := "", error(nil)
	switch w.rng.IntN(16) {
	case 0, 1:
		name, err = "mkdir", unix.Mkdir(p, 0o700|w.rng.Uint32()&0o77)
	case 2, 3, 4:
		name, err = "write", w.write(p)
	case 5:
		name, err = "read", w.read(p)
	case 6:
		name, err = "rename", unix.Rename(p, q)
	case 7:
		name, err = "exchange", unix.Renameat2(unix.AT_FDCWD, p, unix.AT_FDCWD, q, unix.RENAME_EXCHANGE)
	case 8:
		name, err = "link", unix.Link(p, q)
	case 9:
		name, err = "symlink", unix.Symlink(filepath.Base(q), p)
	case 10:
		name, err = "unlink", unix.Unlink(p)
	case 11:
		name, err = "rmdir", unix.Rmdir(p)
	case 12:
		name, err = "truncate", unix.Truncate(p, int64(w.rng.IntN(100_000)))
	case 13:
		name, err = "chmod", unix.Chmod(p, 0o600|w.rng.Uint32()&0o177)
		if err == nil {
			err = os.Chtimes(p, time.Unix(w.rng.Int64N(1<<30), 5), time.Unix(w.rng.Int64N(1<<30), 7))
		}
	case 14:
		name, err = "list", w.list(p)
	case 15:
		name, err = "xattr", unix.Lsetxattr(p, "user.w", []byte(q), 0)
		if err == unix.EOPNOTSUPP {
			err = nil
		}
	}
	if err == nil || slices.ContainsFunc(expected, func(e error) bool { return errors.Is(err, e) }) {
		return nil
	}
	return fmt.Errorf("%s %s %s, operation %d: %w", name, p, q, w.count, err)
}

func (w *worker) write(p string) error {
	flags := []int{unix.O_TRUNC, unix.O_APPEND, 0, unix.O_EXCL}[w.rng.IntN(4)]
	fd, err := unix.Open(p, unix.O_CREAT|unix.O_RDWR|unix.O_NONBLOCK|flags, 0o644)
	if err != nil {
		return err
	}
	b := make([]byte, 1+w.rng.IntN(30_000))
	for i := range b {
		b[i] = byte(w.count + i)
	}
	if _, err = unix.Write(fd, b); err == nil && w.rng.IntN(4) == 0 {
		err = unix.Fsync(fd)
	}
	return errors.Join(err, unix.Close(fd))
}

func (w *worker) read(p string) error {
	f, err := os.Open(p)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.ReadAt(make([]byte, 40_000), 0)
	if err != nil && err.Error() == "EOF" {
		err = nil
	}
	return err
}

func (w *worker) list(p string) error {
	entries, err := os.ReadDir(p)
	for _, e := range entries {
		if _, err := e.Info(); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return err
}

// tree prints what lies below a directory: the same lines on both sides of a
// shared directory.
func tree(dir string, _ time.Duration, _ uint64) error {
	sum := sha256.New()
	n := 0
	err := filepath.WalkDir(dir, func(p string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		line, err := describe(dir, p)
		fmt.Fprintln(sum, line)
		fmt.Println(line)
		n++
		return err
	})
	fmt.Printf("tree: %d files, %x\n", n, sum.Sum(nil)[:8])
	return err
}

// describe is all there is to know of a file but where it is.
func describe(dir, p string) (string, error) {
	var st unix.Stat_t
	if err := unix.Lstat(p, &st); err != nil {
		return "", err
	}
	name, _ := filepath.Rel(dir, p)
	line := fmt.Sprintf("%q %o %d %d %d %x %d.%09d", name, st.Mode, st.Nlink, st.Uid, st.Gid, st.Rdev, st.Mtim.Sec, st.Mtim.Nsec)
	list := make([]byte, 4096)
	k, _ := unix.Llistxattr(p, list)
	line += fmt.Sprintf(" %q", list[:max(0, min(k, len(list)))])
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		b, err := os.ReadFile(p)
		return fmt.Sprintf("%s %d %x", line, st.Size, sha256.Sum256(b)), err
	case unix.S_IFLNK:
		to, err := os.Readlink(p)
		return fmt.Sprintf("%s %q", line, to), err
	}
	return line, nil
}
