//go:build !linux

package cowfs

import (
	"errors"

	"github.com/gov86/gov86/devices/v86fs"
)

var errSupport = errors.New("changes can be kept apart on Linux only")

// New lays the overlay in a directory over a base.
func New(v86fs.Backend, string, string) (*FS, error) { return nil, errSupport }

// Label is what the base of an overlay is called.
func Label(string) (string, error) { return "", errSupport }

// Discard empties an overlay.
func Discard(string) error { return errSupport }
