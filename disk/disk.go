// Package disk is where disks are on the host: raw images in files, and images
// in memory. It knows no guest.
//
// An image has one user, and its methods are not for two goroutines at once.
package disk

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// SectorSize is what the size of an image is a multiple of.
const SectorSize = 512

// An Image is the content of a disk. Reads and writes lie within Size, which
// stays the same.
type Image interface {
	io.ReaderAt
	io.WriterAt
	// Size is in bytes.
	Size() int64
	ReadOnly() bool
	// Zero makes zeroes of the n bytes from byte off on. The room they take on the
	// host may be given up.
	Zero(off, n int64) error
	// Flush returns when everything written before will survive a loss of power.
	Flush() error
	// Close flushes, and ends the use of the image.
	Close() error
}

// An Error says what is wrong with an image, and what to do.
type Error struct {
	// Name is the file.
	Name         string
	What, Remedy string
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %s; %s", e.Name, e.What, e.Remedy) }

var errReadOnly = errors.New("the image is read-only")

// Options are how an image is opened.
type Options struct {
	// ReadOnly refuses writes.
	ReadOnly bool
}

// Open opens the raw image in a file. A file that is written is locked against
// everyone else, one that is read against those who write. Errors are *Error.
func Open(name string, o Options) (Image, error) {
	f, size, err := openLocked(name, o.ReadOnly)
	if err != nil {
		return nil, err
	}
	image, err := newRaw(f, name, size, o.ReadOnly)
	if err != nil {
		f.Close()
		return nil, err
	}
	return image, nil
}

// openLocked opens and locks a file, and tells its size.
func openLocked(name string, readOnly bool) (*os.File, int64, error) {
	mode := os.O_RDWR
	if readOnly {
		mode = os.O_RDONLY
	}
	f, err := os.OpenFile(name, mode, 0)
	switch {
	case errors.Is(err, os.ErrPermission) && !readOnly:
		return nil, 0, &Error{name, "it cannot be written", "give it with ro or snapshot, or change its permissions"}
	case err != nil:
		return nil, 0, &Error{name, reason(err), "give a file that exists and can be read"}
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = errors.New("it is a directory")
	}
	var size int64
	if err == nil {
		// Of a block device, too.
		size, err = f.Seek(0, io.SeekEnd)
	}
	if err != nil {
		f.Close()
		return nil, 0, &Error{name, reason(err), "give an image of a disk"}
	}
	if err := lock(f, !readOnly); err != nil {
		f.Close()
		if errors.Is(err, errLocked) {
			return nil, 0, &Error{name, "another program uses it", "end that, or give a copy of the file"}
		}
		return nil, 0, &Error{name, reason(err), "give a file on a file system that can lock it"}
	}
	return f, size, nil
}

// reason is what went wrong with a file, without its name.
func reason(err error) string {
	var path *os.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return err.Error()
}
