//go:build !linux

package dirfs

import (
	"errors"

	"github.com/gov86/gov86/devices/v86fs"
)

// Supported reports whether New works on this host.
const Supported = false

// New opens dir for sharing.
func New(string, Owners) (v86fs.Backend, error) {
	return nil, errors.New("directories can be shared on Linux only")
}
