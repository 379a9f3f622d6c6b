package machine

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/devices/v86fs/cowfs"
	"github.com/gov86/gov86/devices/v86fs/dirfs"
)

// ownersMark parts the two words of an overlay's label.
const ownersMark = ",owners="

// overlaid opens a directory with the changes that an overlay has.
func overlaid(dir string, owners dirfs.Owners, o *ShareOptions) (v86fs.Backend, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	overlay, err := filepath.Abs(o.Overlay)
	if err != nil {
		return nil, err
	}
	if rel, err := filepath.Rel(dir, overlay); err == nil && filepath.IsLocal(rel) {
		return nil, fmt.Errorf("overlay %s: it must not lie in the directory itself", o.Overlay)
	}
	base, err := dirfs.NewReadOnly(dir, owners)
	if err != nil {
		return nil, err
	}
	b, err := cowfs.New(base, dir+ownersMark+o.Owners, overlay)
	switch {
	case err != nil:
		return nil, err
	case o.ReadOnly:
		return v86fs.Protect(b), nil
	}
	return b, nil
}

// An OverlayDifference is a name that an overlay has otherwise than the directory it
// belongs to.
type OverlayDifference = cowfs.Difference

// OverlayConflict is the error of changes whose directory was changed, too.
type OverlayConflict = cowfs.Conflict

// openOverlay opens an overlay with the directory it belongs to.
func openOverlay(overlay string, writable bool) (*cowfs.FS, error) {
	label, err := cowfs.Label(overlay)
	if err != nil {
		return nil, fmt.Errorf("%s is no overlay: %w", overlay, err)
	}
	i := strings.LastIndex(label, ownersMark)
	if i < 0 {
		return nil, fmt.Errorf("%s is no overlay: it does not say of what", overlay)
	}
	owners, err := dirfs.ParseOwners(label[i+len(ownersMark):])
	if err != nil {
		return nil, err
	}
	var base v86fs.Backend
	if writable {
		base, err = dirfs.New(label[:i], owners)
	} else {
		base, err = dirfs.NewReadOnly(label[:i], owners)
	}
	if err != nil {
		return nil, err
	}
	return cowfs.New(base, label, overlay)
}

// DiffOverlay lists what an overlay changes.
func DiffOverlay(overlay string) ([]OverlayDifference, error) {
	f, err := openOverlay(overlay, false)
	if err != nil {
		return nil, err
	}
	return f.Diff(), f.Shut()
}

// ApplyOverlay makes the changes of an overlay in its directory, and empties the
// overlay. The error is an *OverlayConflict, and nothing is changed, if the
// directory was changed at the same places. lost names what the directory cannot
// keep, such as owners that are not the user's.
func ApplyOverlay(overlay string) (lost []string, err error) {
	f, err := openOverlay(overlay, true)
	if err != nil {
		return nil, err
	}
	lost, err = f.Apply()
	if err = errors.Join(err, f.Shut()); err != nil {
		return lost, err
	}
	return lost, cowfs.Discard(overlay)
}

// DiscardOverlay empties an overlay.
func DiscardOverlay(overlay string) error { return cowfs.Discard(overlay) }
