package disk

import (
	"fmt"
	"io"
	"os"
)

// A raw image is a file that is the disk, byte by byte.
type raw struct {
	f        *os.File
	size     int64
	readOnly bool
}

func newRaw(f *os.File, name string, size int64, readOnly bool) (*raw, error) {
	if size == 0 {
		return nil, &Error{name, "it is empty", "make it as large as the disk, for example with truncate -s 1G"}
	}
	if size%SectorSize != 0 {
		return nil, &Error{name, fmt.Sprintf("its %d bytes are no whole number of sectors", size),
			fmt.Sprintf("make it a multiple of %d bytes", SectorSize)}
	}
	return &raw{f, size, readOnly}, nil
}

// Size implements Image.
func (r *raw) Size() int64 { return r.size }

// ReadOnly implements Image.
func (r *raw) ReadOnly() bool { return r.readOnly }

// ReadAt implements Image.
func (r *raw) ReadAt(p []byte, off int64) (int, error) { return r.f.ReadAt(p, off) }

// WriteAt implements Image.
func (r *raw) WriteAt(p []byte, off int64) (int, error) {
	if r.readOnly {
		return 0, errReadOnly
	}
	return r.f.WriteAt(p, off)
}

// Zero implements Image.
func (r *raw) Zero(off, n int64) error {
	if r.readOnly {
		return errReadOnly
	}
	if punch(r.f, off, n) {
		return nil
	}
	return writeZeroes(r.f, off, n)
}

// writeZeroes writes n zeroes from byte off on.
func writeZeroes(w io.WriterAt, off, n int64) error {
	zeroes := make([]byte, min(n, 1<<20))
	for n > 0 {
		done, err := w.WriteAt(zeroes[:min(n, int64(len(zeroes)))], off)
		if err != nil {
			return err
		}
		off, n = off+int64(done), n-int64(done)
	}
	return nil
}

// Flush implements Image.
func (r *raw) Flush() error {
	if r.readOnly {
		return nil
	}
	return syncData(r.f)
}

// Close implements Image.
func (r *raw) Close() error { return closeFlushed(r.f, r.Flush()) }

func closeFlushed(f *os.File, err error) error {
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}
