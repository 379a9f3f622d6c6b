package machine

import (
	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/devices/v86fs/dirfs"
)

// CanShare reports whether directories of this host can be shared.
const CanShare = dirfs.Supported

// An Export is a shared directory.
type Export = v86fs.Export

// Share opens a directory of the host to be one of a Config's Exports.
func Share(name, dir string, readOnly bool) (v86fs.Export, error) {
	backend, err := dirfs.New(dir, dirfs.OwnersAuto)
	if err != nil {
		return v86fs.Export{}, err
	}
	return v86fs.Export{Name: name, Backend: backend, ReadOnly: readOnly}, nil
}
