// Package debugcon is the port a guest writes text to that is looking for
// bugs in itself: E9h of Bochs ("Port E9 Hack") and 402h of SeaBIOS. It needs
// no setting up and is never busy. No hardware has it.
package debugcon

import (
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/snapshot"
)

// present is what the port reads as, by which a guest can tell that it is there.
const present = 0xe9

// A Port is one port. It holds nothing.
type Port struct{ put func(b byte) }

// New returns a port that hands put what the guest writes.
func New(put func(b byte)) *Port { return &Port{put} }

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

// In implements portio.Handler.
func (p *Port) In(uint16, portio.Width) uint32 { return present }

// Out implements portio.Handler.
func (p *Port) Out(_ uint16, _ portio.Width, v uint32) { p.put(byte(v)) }
