package i440fx

import (
	"errors"

	"github.com/gov86/gov86/hw"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/snapshot"
)

// coprocessorRegs is all the guest can observe.
type coprocessorRegs struct {
	ferr, ignne, irq13 bool // levels
}

func (r *coprocessorRegs) sync(c *snapshot.Codec) {
	c.Version(1)
	c.Bool("FERR#", &r.ferr)
	c.Bool("IGNNE#", &r.ignne)
	c.Bool("IRQ13", &r.irq13)
}

// A Coprocessor is the PIIX3's coprocessor error function, enabled as firmware
// does: the processor's FERR# becomes IRQ13, and port F0h answers it (82371SB,
// "Coprocessor Error Register").
type Coprocessor struct {
	irq hw.Line
	coprocessorRegs
}

var _ hw.Device = (*Coprocessor)(nil)

// NewCoprocessor returns the function, irq being IRQ13.
func NewCoprocessor(irq hw.Line) *Coprocessor { return &Coprocessor{irq: irq} }

// FERR is the pin. IRQ13 is latched when it is asserted; IGNNE# is never
// asserted without it.
func (d *Coprocessor) FERR(asserted bool) {
	if asserted && !d.ferr {
		d.irq13 = true
		d.irq.Set(true)
	}
	d.ferr = asserted
	d.ignne = d.ignne && asserted
}

// IGNNE is the pin to the processor.
func (d *Coprocessor) IGNNE() bool { return d.ignne }

// Reset implements hw.Device.
func (d *Coprocessor) Reset() { d.coprocessorRegs = coprocessorRegs{} }

// Save implements hw.Device.
func (d *Coprocessor) Save(c *snapshot.Codec) { d.sync(c) }

// Load implements hw.Device.
func (d *Coprocessor) Load(c *snapshot.Codec) error {
	var next coprocessorRegs
	next.sync(c)
	if _, err := c.Close(); err != nil {
		return err
	}
	if next.ignne && !next.ferr {
		return errors.New("IGNNE# without FERR#")
	}
	d.coprocessorRegs = next
	return nil
}

// In implements portio.Handler: the register is not to be read.
func (d *Coprocessor) In(uint16, portio.Width) uint32 { return ^uint32(0) }

// Out implements portio.Handler. Writing anything takes IRQ13 back and, while
// there is an error, lets the processor ignore it.
func (d *Coprocessor) Out(uint16, portio.Width, uint32) {
	d.ignne = d.ferr
	d.irq13 = false
	d.irq.Set(false)
}
