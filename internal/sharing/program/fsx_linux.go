package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// fileLimit bounds the file's size.
const fileLimit = 300_000

// A twin is a file and what it should hold.
type twin struct {
	path  string
	rng   *rand.Rand
	model []byte
	fd    int // read and write
	tail  int // the same, appending
	raw   int // the same, past the cache; -1 where it cannot be had
	past  []string
	count int
}

// fsx does what comes to seed's mind with one file, and looks at it.
func fsx(dir string, span time.Duration, seed uint64) error {
	if err := os.Mkdir(dir, 0o777); err != nil {
		return err
	}
	t := &twin{path: filepath.Join(dir, "f"), rng: rand.New(rand.NewPCG(seed, 0)), fd: -1, tail: -1, raw: -1}
	if err := t.reopen(); err != nil {
		return err
	}
	defer t.close()
	begun := time.Now()
	for time.Since(begun) < span {
		if err := t.step(); err != nil {
			return fmt.Errorf("seed %d, operation %d: %w; before it:\n%s", seed, t.count, err, bytes.Join(lines(t.past), []byte("\n")))
		}
	}
	if err := t.whole(); err != nil {
		return fmt.Errorf("seed %d, at the end: %w", seed, err)
	}
	fmt.Printf("fsx: seed %d, %d operations\n", seed, t.count)
	return nil
}

func lines(past []string) [][]byte {
	var out [][]byte
	for _, p := range past[max(0, len(past)-40):] {
		out = append(out, []byte(p))
	}
	return out
}

func (t *twin) close() {
	for _, fd := range []*int{&t.fd, &t.tail, &t.raw} {
		if *fd >= 0 {
			unix.Close(*fd)
		}
		*fd = -1
	}
}

func (t *twin) reopen() (err error) {
	t.close()
	if t.fd, err = unix.Open(t.path, unix.O_CREAT|unix.O_RDWR, 0o644); err != nil {
		return err
	}
	if t.tail, err = unix.Open(t.path, unix.O_RDWR|unix.O_APPEND, 0); err != nil {
		return err
	}
	t.raw, _ = unix.Open(t.path, unix.O_RDWR|unix.O_DIRECT, 0)
	return nil
}

func (t *twin) note(format string, a ...any) {
	t.count++
	t.past = append(t.past, fmt.Sprintf("%d ", t.count)+fmt.Sprintf(format, a...))
	if len(t.past) > 1000 {
		t.past = append([]string(nil), t.past[900:]...)
	}
}

// place is an offset, and a length that keeps within the limit.
func (t *twin) place() (off, n int) {
	off = t.rng.IntN(fileLimit)
	if t.rng.IntN(3) == 0 && len(t.model) > 0 {
		off = t.rng.IntN(len(t.model))
	}
	n = 1 + t.rng.IntN(70_000)
	if t.rng.IntN(2) == 0 {
		n = 1 + t.rng.IntN(6000)
	}
	return off, min(n, fileLimit-off)
}

func (t *twin) bytes(n int) []byte {
	b := make([]byte, n)
	x := t.rng.Uint64()
	for i := range b {
		x = x*6364136223846793005 + 1442695040888963407
		b[i] = byte(x >> 56)
	}
	return b
}

// put has the model hold b at off.
func (t *twin) put(off int, b []byte) {
	t.grow(off + len(b))
	copy(t.model[off:], b)
}

func (t *twin) grow(size int) {
	if size > len(t.model) {
		t.model = append(t.model, make([]byte, size-len(t.model))...)
	}
}

func (t *twin) step() error {
	steps := []func() error{t.read, t.read, t.write, t.write, t.append, t.truncate, t.mapRead, t.mapWrite, t.allocate,
		t.punch, t.copy, t.sync, t.directRead, t.directWrite, t.reopens, t.drop, t.size, t.seek, t.splice}
	return steps[t.rng.IntN(len(steps))]()
}

func differ(what string, off int, got, want []byte) error {
	if bytes.Equal(got, want) {
		return nil
	}
	if len(got) != len(want) {
		return fmt.Errorf("%s of %d bytes at %d: there are %d", what, len(want), off, len(got))
	}
	i := 0
	for got[i] == want[i] {
		i++
	}
	return fmt.Errorf("%s of %d bytes at %d: byte %d is %#x, not %#x", what, len(want), off, off+i, got[i], want[i])
}

// held is what the model has there.
func (t *twin) held(off, n int) []byte {
	off = min(off, len(t.model))
	return t.model[off:min(off+n, len(t.model))]
}

func (t *twin) readBy(fd int, what string, off, n int, b []byte) error {
	got := 0
	for got < n {
		k, err := unix.Pread(fd, b[got:n], int64(off+got))
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if k == 0 {
			break
		}
		got += k
	}
	return differ(what, off, b[:got], t.held(off, n))
}

func (t *twin) read() error {
	off, n := t.place()
	t.note("read %d+%d", off, n)
	return t.readBy(t.fd, "read", off, n, make([]byte, n))
}

func (t *twin) write() error {
	off, n := t.place()
	t.note("write %d+%d", off, n)
	b := t.bytes(n)
	if k, err := unix.Pwrite(t.fd, b, int64(off)); err != nil || k != n {
		return fmt.Errorf("write: %d, %w", k, err)
	}
	t.put(off, b)
	return nil
}

func (t *twin) append() error {
	n := 1 + t.rng.IntN(20_000)
	if len(t.model)+n > fileLimit {
		return nil
	}
	t.note("append %d at %d", n, len(t.model))
	b := t.bytes(n)
	if k, err := unix.Write(t.tail, b); err != nil || k != n {
		return fmt.Errorf("append: %d, %w", k, err)
	}
	t.put(len(t.model), b)
	return nil
}

func (t *twin) truncate() error {
	size := t.rng.IntN(fileLimit)
	t.note("truncate %d to %d", len(t.model), size)
	var err error
	if t.rng.IntN(2) == 0 {
		err = unix.Ftruncate(t.fd, int64(size))
	} else {
		err = unix.Truncate(t.path, int64(size))
	}
	t.grow(size)
	t.model = t.model[:size:size]
	return err
}

// mapped runs fn on a mapping of the pages that n bytes at off lie in.
func (t *twin) mapped(off, n int, fn func([]byte)) error {
	from := off &^ 4095
	m, err := unix.Mmap(t.fd, int64(from), off-from+n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("mmap: %w", err)
	}
	fn(m[off-from:])
	return unix.Munmap(m)
}

func (t *twin) mapRead() error {
	off, n := t.place()
	n = min(n, len(t.model)-off)
	if n <= 0 {
		return nil
	}
	t.note("read mapped %d+%d", off, n)
	b := make([]byte, n)
	if err := t.mapped(off, n, func(m []byte) { copy(b, m) }); err != nil {
		return err
	}
	return differ("mapped read", off, b, t.held(off, n))
}

func (t *twin) mapWrite() error {
	off, n := t.place()
	n = min(n, len(t.model)-off)
	if n <= 0 {
		return nil
	}
	t.note("write mapped %d+%d", off, n)
	b := t.bytes(n)
	t.put(off, b)
	return t.mapped(off, n, func(m []byte) {
		copy(m, b)
		if t.rng.IntN(3) == 0 {
			unix.Msync(m[:0:0], unix.MS_SYNC)
		}
	})
}

func (t *twin) allocate() error {
	off, n := t.place()
	keep := t.rng.IntN(2) == 0
	t.note("allocate %d+%d, keep the size %v", off, n, keep)
	mode := uint32(0)
	if keep {
		mode = unix.FALLOC_FL_KEEP_SIZE
	}
	if err := unix.Fallocate(t.fd, mode, int64(off), int64(n)); err != nil {
		return fmt.Errorf("fallocate: %w", err)
	}
	if !keep {
		t.grow(off + n)
	}
	return nil
}

// punch makes a range zero, by a hole or otherwise.
func (t *twin) punch() error {
	off, n := t.place()
	modes := []uint32{unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE, unix.FALLOC_FL_ZERO_RANGE,
		unix.FALLOC_FL_ZERO_RANGE | unix.FALLOC_FL_KEEP_SIZE}
	mode := modes[t.rng.IntN(len(modes))]
	t.note("zero %d+%d by mode %d", off, n, mode)
	if err := unix.Fallocate(t.fd, mode, int64(off), int64(n)); err == unix.EOPNOTSUPP {
		return nil
	} else if err != nil {
		return fmt.Errorf("fallocate: %w", err)
	}
	if mode&unix.FALLOC_FL_KEEP_SIZE == 0 {
		t.grow(off + n)
	}
	clear(t.held(off, n))
	return nil
}

// copy copies a range to another that does not overlap it.
func (t *twin) copy() error {
	from, n := t.place()
	to, _ := t.place()
	n = min(n, len(t.model)-from, fileLimit-to)
	if n <= 0 || from < to+n && to < from+n {
		return nil
	}
	t.note("copy %d+%d to %d", from, n, to)
	for done := 0; done < n; {
		a, b := int64(from+done), int64(to+done)
		k, err := unix.CopyFileRange(t.fd, &a, t.fd, &b, n-done, 0)
		if err != nil || k == 0 {
			return fmt.Errorf("copy_file_range: %d of %d, %w", k, n-done, err)
		}
		t.put(to+done, bytes.Clone(t.model[from+done:from+done+k]))
		done += k
	}
	return nil
}

func (t *twin) sync() error {
	t.note("sync")
	if t.rng.IntN(2) == 0 {
		return unix.Fdatasync(t.fd)
	}
	return unix.Fsync(t.fd)
}

// aligned runs fn on a buffer that the host's disk can be read into.
func aligned(n int, fn func(b []byte) error) error {
	b, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return err
	}
	defer unix.Munmap(b)
	return fn(b)
}

func (t *twin) directRead() error {
	off, n := t.place()
	off, n = off&^4095, (n+4095)&^4095
	if t.raw < 0 {
		return nil
	}
	t.note("read directly %d+%d", off, n)
	return aligned(n, func(b []byte) error {
		k, err := unix.Pread(t.raw, b, int64(off))
		if err != nil {
			return fmt.Errorf("direct read: %w", err)
		}
		return differ("direct read", off, b[:k], t.held(off, n))
	})
}

func (t *twin) directWrite() error {
	off, n := t.place()
	off, n = off&^4095, (n+4095)&^4095
	if t.raw < 0 || off+n > fileLimit {
		return nil
	}
	t.note("write directly %d+%d", off, n)
	return aligned(n, func(b []byte) error {
		copy(b, t.bytes(n))
		if k, err := unix.Pwrite(t.raw, b, int64(off)); err != nil || k != n {
			return fmt.Errorf("direct write: %d, %w", k, err)
		}
		t.put(off, b)
		return nil
	})
}

func (t *twin) reopens() error {
	if t.rng.IntN(4) > 0 {
		return nil
	}
	t.note("open again")
	return t.reopen()
}

// drop has the kernel forget what it need not know.
func (t *twin) drop() error {
	if t.rng.IntN(6) > 0 {
		return nil
	}
	t.note("drop caches")
	if t.rng.IntN(2) == 0 {
		unix.Fsync(t.fd)
	}
	unix.Fadvise(t.fd, 0, 0, unix.FADV_DONTNEED)
	if inGuest() {
		os.WriteFile("/proc/sys/vm/drop_caches", []byte("3"), 0)
	}
	return nil
}

func (t *twin) size() error {
	t.note("size")
	var st unix.Stat_t
	if err := unix.Stat(t.path, &st); err != nil {
		return err
	}
	if st.Size != int64(len(t.model)) {
		return fmt.Errorf("size is %d, not %d", st.Size, len(t.model))
	}
	return nil
}

// seek checks that what is told to be a hole has nothing in it.
func (t *twin) seek() error {
	off, _ := t.place()
	t.note("seek data from %d", off)
	at, err := unix.Seek(t.fd, int64(off), unix.SEEK_DATA)
	if err == unix.ENXIO {
		at = int64(len(t.model))
	} else if err != nil {
		return fmt.Errorf("seek: %w", err)
	}
	if hole := t.held(off, max(0, int(at)-off)); len(bytes.Trim(hole, "\x00")) > 0 {
		return fmt.Errorf("data in a hole from %d to %d", off, at)
	}
	return nil
}

// splice has the kernel move what it reads.
func (t *twin) splice() error {
	off, n := t.place()
	n = min(n, 60_000, len(t.model)-off)
	if n <= 0 {
		return nil
	}
	t.note("splice %d+%d", off, n)
	var p [2]int
	if err := unix.Pipe(p[:]); err != nil {
		return err
	}
	defer unix.Close(p[0])
	defer unix.Close(p[1])
	at := int64(off)
	k, err := unix.Splice(t.fd, &at, p[1], nil, n, unix.SPLICE_F_NONBLOCK)
	if err != nil {
		return fmt.Errorf("splice: %w", err)
	}
	b := make([]byte, k)
	for got := 0; got < int(k); {
		m, err := unix.Read(p[0], b[got:])
		if err != nil || m == 0 {
			return fmt.Errorf("pipe: %d, %w", m, err)
		}
		got += m
	}
	return differ("splice", off, b, t.held(off, int(k)))
}

// whole compares all of the file, read anew.
func (t *twin) whole() error {
	if err := t.reopen(); err != nil {
		return err
	}
	return t.readBy(t.fd, "whole", 0, fileLimit+1, make([]byte, fileLimit+1))
}
