package snapfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// Replace writes a file of a name with what write writes, or leaves the file there
// is as it was: it is written under another name beside it, synced and renamed.
func Replace(name string, write func(w io.Writer) error) error {
	dir, base := filepath.Split(name)
	if dir == "" {
		dir = "."
	}
	f, err := os.CreateTemp(dir, "."+base+".*.part")
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	if d, err := os.Open(dir); err == nil {
		d.Sync() // where directories can be, the new name is lasting, too
		d.Close()
	}
	return nil
}
