package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The formats of images.
const (
	Raw   = "raw"
	QCOW2 = "qcow2"
)

// formatOf is the format of a file by its name. The content does not decide: a
// guest writes that of a raw image, and a QCOW2 image names further files.
func formatOf(name string) string {
	if strings.EqualFold(filepath.Ext(name), "."+QCOW2) {
		return QCOW2
	}
	return Raw
}

// openBacking opens the image that another is based on, whose header says where
// it is, and maybe in which format.
func openBacking(f *os.File, name string, h *header, depth int) (Image, error) {
	p := make([]byte, h.backingLen)
	if _, err := f.ReadAt(p, int64(h.backingAt)); err != nil {
		return nil, &Error{name, reason(err), qcow2Remedy}
	}
	base := string(p)
	if depth == 0 {
		return nil, &Error{name, fmt.Sprintf("more than %d images are based on each other", maxChain), qcow2Remedy}
	}
	if !filepath.IsAbs(base) {
		base = filepath.Join(filepath.Dir(name), base)
	}
	format := backingFormat(f, h)
	if format == "" {
		format = formatOf(base)
	}
	return openAs(base, format, true, depth-1)
}

// backingFormat is the header extension of that name, empty if there is none.
func backingFormat(f *os.File, h *header) string {
	at, limit := int64(h.length), int64(1)<<h.bits
	for at+8 <= limit {
		var p [8]byte
		if _, err := f.ReadAt(p[:], at); err != nil {
			return ""
		}
		kind, n := be.Uint32(p[:]), int64(be.Uint32(p[4:]))
		at += 8
		if kind == extensionEnd || n > limit-at {
			return ""
		}
		if kind == extensionBackingFormat {
			name := make([]byte, n)
			if _, err := f.ReadAt(name, at); err != nil {
				return ""
			}
			return string(name)
		}
		at += (n + 7) &^ 7
	}
	return ""
}

// openOverlay opens the image name with the overlay that keeps what is written,
// and makes that if there is none.
func openOverlay(name, format, overlay string) (Image, error) {
	if _, err := os.Stat(overlay); errors.Is(err, os.ErrNotExist) {
		if err := createOverlay(name, format, overlay); err != nil {
			return nil, err
		}
	}
	f, _, err := openLocked(overlay, false)
	if err != nil {
		return nil, err
	}
	q, err := openQCOW2(f, overlay, false, maxChain)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := q.basedOn(name); err != nil {
		return nil, errors.Join(err, q.Close())
	}
	return q, nil
}

// basedOn refuses an overlay of another image.
func (q *qcow2) basedOn(name string) error {
	var base string
	switch b := q.backing.(type) {
	case *raw:
		base = b.f.Name()
	case *qcow2:
		base = b.name
	}
	is, err := os.Stat(base)
	wanted, err2 := os.Stat(name)
	if base == "" || err != nil || err2 != nil || !os.SameFile(is, wanted) {
		if base == "" {
			base = "nothing"
		}
		return &Error{q.name, "it is based on " + base + ", not on " + name, "give another overlay, or the image it belongs to"}
	}
	return nil
}

// createOverlay makes an overlay of an image.
func createOverlay(name, format, overlay string) error {
	base, err := openAs(name, format, true, maxChain)
	if err != nil {
		return err
	}
	defer base.Close()
	path, err := filepath.Abs(name)
	if err == nil && len(path) > maxNameLen {
		err = errors.New("the name of the image it is based on is too long")
	}
	var f *os.File
	if err == nil {
		f, err = os.OpenFile(overlay, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	}
	if err == nil {
		err = closeFlushed(f, errors.Join(create(f, base.Size(), path, format), syncData(f)))
	}
	if err != nil {
		return &Error{overlay, reason(err), "give an overlay that can be made"}
	}
	return nil
}

// snapshotOf is an image over base that is gone when it is closed.
func snapshotOf(base Image) (Image, error) {
	f, err := os.CreateTemp("", "gov86-*."+QCOW2)
	if err == nil {
		os.Remove(f.Name()) // where that is allowed
		err = create(f, base.Size(), "", "")
	}
	if err != nil {
		return nil, &Error{"snapshot", reason(err), "let TMPDIR name a directory with room"}
	}
	q, err := openQCOW2(f, f.Name(), false, 0)
	if err != nil {
		return nil, err
	}
	q.backing, q.volatile = base, true
	return q, nil
}
