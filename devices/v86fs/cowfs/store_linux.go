package cowfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/devices/v86fs/dirfs"
)

// An overlay is a directory of the host with a journal and, by number of their
// records, the contents of files.
const (
	journalName = "journal"
	dataDir     = "data"
	baseName    = "base" // what New was told of the base
)

var errInUse = errors.New("another gov86 uses it")

// New lays the overlay in a directory, which is made if need be, over a base. label
// is what the base is called, and an overlay made for another is refused. New takes
// the base over: Shut shuts it, and so does an error.
func New(base v86fs.Backend, label, overlay string) (*FS, error) {
	f, err := open(base, label, overlay)
	if err != nil {
		base.Shut()
		return nil, fmt.Errorf("overlay %s: %w", overlay, err)
	}
	return f, nil
}

func open(base v86fs.Backend, label, overlay string) (*FS, error) {
	if err := os.MkdirAll(filepath.Join(overlay, dataDir), 0o700); err != nil {
		return nil, err
	}
	j, records, err := openJournal(filepath.Join(overlay, journalName))
	if err != nil {
		return nil, err
	}
	if err := belong(overlay, label); err != nil {
		return nil, errors.Join(err, j.Close())
	}
	data, err := dirfs.New(filepath.Join(overlay, dataDir), dirfs.OwnersSquash)
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	f, err := newFS(base, data, &file{j}, j.Close)
	if err == nil {
		err = f.load(records)
	}
	if err != nil {
		return nil, errors.Join(err, data.Shut(), j.Close())
	}
	return f, nil
}

// openJournal opens a journal for one process alone, and writes it anew so that it
// has no more in it than is needed.
func openJournal(name string) (*os.File, map[uint64]*record, error) {
	old, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, err
	}
	defer old.Close()
	if err := unix.Flock(int(old.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, nil, errInUse
	}
	mine, err := old.Stat()
	if err != nil {
		return nil, nil, err
	}
	if now, err := os.Stat(name); err != nil || !os.SameFile(mine, now) {
		return nil, nil, errInUse // another has just opened it
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, nil, err
	}
	if len(b) == 0 {
		b = []byte(magic)
	}
	records, _, err := parse(b)
	if err != nil {
		return nil, nil, err
	}
	anew, err := os.OpenFile(name+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o600)
	if err != nil {
		return nil, nil, err
	}
	if err = unix.Flock(int(anew.Fd()), unix.LOCK_EX|unix.LOCK_NB); err == nil {
		_, err = anew.Write(whole(records))
	}
	if err == nil {
		err = anew.Sync()
	}
	if err == nil {
		err = os.Rename(name+".new", name)
	}
	if err != nil {
		return nil, nil, errors.Join(err, anew.Close())
	}
	return anew, records, nil
}

// belong has an overlay be that of one base, the first it is laid over.
func belong(overlay, label string) error {
	known, err := Label(overlay)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return os.WriteFile(filepath.Join(overlay, baseName), []byte(label), 0o600)
	case err == nil && known != label:
		return fmt.Errorf("it belongs to %s, not to %s", known, label)
	}
	return err
}

// Label is what the base of an overlay is called. The error is fs.ErrNotExist for
// what is no overlay.
func Label(overlay string) (string, error) {
	b, err := os.ReadFile(filepath.Join(overlay, baseName))
	return string(b), err
}

// Discard empties an overlay. It may then be laid over another base.
func Discard(overlay string) error {
	if _, err := Label(overlay); err != nil {
		return fmt.Errorf("overlay %s: %w", overlay, err)
	}
	j, _, err := openJournal(filepath.Join(overlay, journalName))
	if err != nil {
		return fmt.Errorf("overlay %s: %w", overlay, err)
	}
	defer j.Close()
	if err := j.Truncate(int64(len(magic))); err != nil {
		return err
	}
	return errors.Join(os.RemoveAll(filepath.Join(overlay, dataDir)), os.Remove(filepath.Join(overlay, baseName)))
}
