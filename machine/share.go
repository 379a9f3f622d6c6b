package machine

import (
	"fmt"
	"io/fs"
	"time"

	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/devices/v86fs/dirfs"
	"github.com/gov86/gov86/devices/v86fs/iofs"
	"github.com/gov86/gov86/devices/v86fs/memfs"
)

// CanShare reports whether directories of this host can be shared.
const CanShare = dirfs.Supported

// An Export is a shared directory.
type Export = v86fs.Export

// ShareOptions say how a directory is shared.
type ShareOptions struct {
	ReadOnly bool
	// Owners says whose the files are that the guest sees and makes: auto, squash,
	// mapped or host (docs/shared-directories.md); empty is auto.
	Owners string
	// Overlay is a directory that takes what the guest changes, made if need be; the
	// shared directory itself stays as it is. Empty for none.
	Overlay string
}

// Check reports what is wrong with the options.
func (o ShareOptions) Check() error {
	_, err := dirfs.ParseOwners(o.Owners)
	return err
}

// Share opens a directory of the host to be one of a Config's Exports.
func Share(name, dir string, o ShareOptions) (Export, error) {
	owners, err := dirfs.ParseOwners(o.Owners)
	if err != nil {
		return Export{}, err
	}
	x := Export{Name: name, ReadOnly: o.ReadOnly}
	if o.Overlay != "" {
		x.Backend, err = overlaid(dir, owners, &o)
	} else if o.ReadOnly {
		x.Backend, err = dirfs.NewReadOnly(dir, owners)
	} else {
		x.Backend, err = dirfs.New(dir, owners)
	}
	if err != nil {
		return Export{}, err
	}
	return x, nil
}

// ShareFS has an io/fs.FS be one of a Config's Exports, read-only: embedded files,
// a ZIP archive, a tree in memory. The FS must allow calls on several goroutines.
// A directory of the host is better given to Share: the FS of os.DirFS follows
// symbolic links to wherever they lead.
func ShareFS(name string, fsys fs.FS) (Export, error) {
	b, err := iofs.New(fsys)
	if err != nil {
		return Export{}, fmt.Errorf("share %s: %w", name, err)
	}
	return Export{Name: name, Backend: b, ReadOnly: true}, nil
}

// ShareMemory has an empty file system be one of a Config's Exports. It holds at
// most limit bytes, 256 MiB if that is 0, and goes with the machine.
func ShareMemory(name string, limit uint64) Export {
	if limit == 0 {
		limit = memfs.DefaultLimit
	}
	return Export{Name: name, Backend: memfs.New(limit, func() (int64, uint32) {
		now := time.Now()
		return now.Unix(), uint32(now.Nanosecond())
	})}
}
