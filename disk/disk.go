// Package disk is where disks are on the host: raw images and QCOW2 images in
// files, and images in memory. It knows no guest.
//
// An image has one user.
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
	// Format is Raw or QCOW2. Empty is QCOW2 for a name that ends in .qcow2, and
	// raw otherwise.
	Format string
	// ReadOnly refuses writes.
	ReadOnly bool
	// Snapshot keeps what is written in a temporary file, which is gone when the
	// image is closed.
	Snapshot bool
	// Overlay names a QCOW2 image that keeps what is written instead. It is
	// created if it does not exist.
	Overlay string
}

// Open opens the image in a file. A file that is written is locked against
// everyone else, one that is read against those who write. Errors are *Error.
func Open(name string, o Options) (Image, error) {
	format := o.Format
	if format == "" {
		format = formatOf(name)
		if err := guess(name, format); err != nil {
			return nil, err
		}
	}
	switch {
	case o.Overlay != "" && (o.ReadOnly || o.Snapshot):
		return nil, &Error{o.Overlay, "an overlay is for what is written", "give it without ro and snapshot"}
	case o.Overlay != "":
		return openOverlay(name, format, o.Overlay)
	case !o.Snapshot:
		return openAs(name, format, o.ReadOnly, maxChain)
	}
	base, err := openAs(name, format, true, maxChain)
	if err != nil {
		return nil, err
	}
	image, err := snapshotOf(base)
	if err != nil {
		return nil, errors.Join(err, base.Close())
	}
	return image, nil
}

// guess refuses a file that is taken for a raw image and looks like QCOW2.
func guess(name, format string) error {
	f, err := os.Open(name)
	if err != nil {
		return nil // who opens it says why
	}
	defer f.Close()
	if format == Raw && isQCOW2(f) {
		return &Error{name, "it looks like a QCOW2 image, and is not named so", "write format=qcow2, or format=raw if it is the disk itself"}
	}
	return nil
}

// openAs opens an image of a format, with what it is based on, which may be as
// many images as depth.
func openAs(name, format string, readOnly bool, depth int) (Image, error) {
	if format != Raw && format != QCOW2 {
		return nil, &Error{name, "there is no format " + format, "convert it to raw or qcow2"}
	}
	f, size, err := openLocked(name, readOnly)
	if err != nil {
		return nil, err
	}
	var image Image
	if format == QCOW2 {
		image, err = openQCOW2(f, name, readOnly, depth)
	} else {
		image, err = newRaw(f, name, size, readOnly)
	}
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
