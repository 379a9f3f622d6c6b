//go:build !linux

package dirfs

import (
	"errors"

	"github.com/gov86/gov86/devices/v86fs"
)

// Supported reports whether New works on this host.
const Supported = false

var errSupport = errors.New("directories can be shared on Linux only")

// New opens dir for sharing.
func New(string, Owners) (v86fs.Backend, error) { return nil, errSupport }

// NewReadOnly opens dir for sharing with a guest that may change nothing.
func NewReadOnly(string, Owners) (v86fs.Backend, error) { return nil, errSupport }
