// Package debugexit is the port through which a guest ends its machine with a
// status, as QEMU's isa-debug-exit does. No hardware has it.
package debugexit

import (
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/snapshot"
)

// Ports is how many ports the device takes: a doubleword may be written.
const Ports = 4

// A Port is the port to write to. It holds nothing.
type Port struct{ end func(v uint32) }

// New returns a port that hands end what the guest writes.
func New(end func(v uint32)) *Port { return &Port{end} }

// Reset implements hw.Device.
func (p *Port) Reset() {}

// Save implements hw.Device.
func (p *Port) Save(c *snapshot.Codec) { c.Version(1) }

// Load implements hw.Device.
func (p *Port) Load(c *snapshot.Codec) error {
	c.Version(1)
	_, err := c.Close()
	return err
}

// In implements portio.Handler: as QEMU's, the port reads as zero.
func (p *Port) In(uint16, portio.Width) uint32 { return 0 }

// Out implements portio.Handler. Every one of the ports ends the machine.
func (p *Port) Out(_ uint16, w portio.Width, v uint32) { p.end(v & w.Mask()) }
