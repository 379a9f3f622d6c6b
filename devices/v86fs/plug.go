package v86fs

import (
	"fmt"

	"github.com/gov86/gov86/devices/v86fs/wire"
)

// nowhereExport is the number of the export of names that are none. It is above
// all others, however many there will be.
const nowhereExport = 1<<31 - 1

// export is the export of a number, and nowhere for one that is gone.
func (d *Device) export(number uint32) *Export {
	if int(number) >= len(d.exports) || d.exports[number].gone {
		return &nowhere
	}
	return &d.exports[number]
}

// AddExport has one more export from now on. It fails if there is one of the name.
// Configuration space tells of it at the next reset of the driver, EXPORTS and
// MOUNT2 at once.
func (d *Device) AddExport(x Export) error {
	for i := range d.exports {
		if d.exports[i].Name == x.Name && !d.exports[i].gone {
			return fmt.Errorf("a shared directory has the name %q already", x.Name)
		}
	}
	d.exports = append(d.exports, x)
	d.configure()
	if d.post != nil {
		d.watch(len(d.exports)-1, d.post)
	}
	return nil
}

// RemoveExport ends an export and shuts its backend. What the guest has mounted of
// it is gone: by the extended protocol ESTALE, by the base protocol an empty
// directory. UmountNotify, sent before, lets the guest unmount it properly.
func (d *Device) RemoveExport(name string) error {
	for i := range d.exports {
		x := &d.exports[i]
		if x.Name != name || x.gone {
			continue
		}
		d.Drain()
		for _, m := range d.session.mounts {
			if m.export == uint32(i) {
				d.session.unmount(m)
			}
		}
		for h, at := range d.handles {
			if d.inodes[at.inode-1].export == uint32(i) {
				d.closeHandle(h)
			}
		}
		x.gone = true
		d.configure()
		return x.Backend.Shut()
	}
	return fmt.Errorf("there is no shared directory of the name %q", name)
}

// configure writes the configuration space.
func (d *Device) configure() {
	live := uint32(0)
	for i := range d.exports {
		if !d.exports[i].gone {
			live++
		}
	}
	c := wire.Config{Version: wire.Version, MaxData: wire.MaxData, MaxInflight: inflightLimit, MaxName: wire.MaxName,
		NotifySize: wire.NotifySize, MaxForget: wire.MaxForget, MaxHandles: handleLimit, Exports: live}
	d.config = c.Append(nil)
}
