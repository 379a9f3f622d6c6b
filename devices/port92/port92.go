// Package port92 is system control port A of the PS/2 and its successors: the
// fast A20 gate and the fast processor reset (IBM PS/2 Hardware Interface
// Technical Reference, "System Control Port A").
package port92

import (
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/snapshot"
)

const (
	fastReset = 1 << 0
	a20       = 1 << 1
)

// regs is all the guest can observe.
type regs struct{ value uint8 }

func (r *regs) sync(c *snapshot.Codec) {
	c.Version(1)
	c.Uint8("value", &r.value)
}

// A Port is port 92h.
type Port struct {
	gate  func(open bool)
	reset func()
	regs
}

// New returns a port that drives the A20 gate and pulses the processor's reset.
func New(gate func(open bool), reset func()) *Port {
	p := &Port{gate: gate, reset: reset}
	p.Reset()
	return p
}

// Reset implements hw.Device. The gate is open, as firmware leaves it.
func (p *Port) Reset() { p.regs = regs{a20} }

// Save implements hw.Device.
func (p *Port) Save(c *snapshot.Codec) { p.regs.sync(c) }

// Load implements hw.Device.
func (p *Port) Load(c *snapshot.Codec) error {
	var next regs
	next.sync(c)
	if _, err := c.Close(); err != nil {
		return err
	}
	p.regs = next
	return nil
}

// In implements portio.Handler. A program that was reset by bit 0 can tell, as
// the bit stays until it is written.
func (p *Port) In(uint16, portio.Width) uint32 { return uint32(p.value) }

// Out implements portio.Handler. Bit 0 resets the processor when it changes from
// 0 to 1, and nothing else: programs count on it to leave protected mode.
func (p *Port) Out(_ uint16, _ portio.Width, v uint32) {
	rising := uint8(v) & fastReset &^ p.value
	p.value = uint8(v)
	p.gate(v&a20 != 0)
	if rising != 0 {
		p.reset()
	}
}
