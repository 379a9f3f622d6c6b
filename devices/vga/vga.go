// Package vga is a VGA with Bochs' extensions for more colours and larger
// screens, as QEMU's standard VGA has them: the registers and the 256 KiB of
// planar memory of IBM's (IBM VGA/XGA Technical Reference; FreeVGA), the DISPI
// registers (Bochs VBE), and a PCI function with a linear frame buffer (QEMU
// standard VGA).
//
// Memory holds the four planes interleaved: byte p of cell n is plane p at
// address n. Chain 4 packs, as on this card and other than on IBM's: pixel n is
// plane n mod 4 at address n/4, so that 256 colours are a run of bytes which the
// processor may reach without us.
//
// Nothing scans: retrace and blinking follow from guest time, and a frame is
// drawn from registers and memory when someone wants to see it. Not modelled:
// what changes in the middle of a frame, the vertical interrupt, the light pen,
// interlacing, and loads of the shift registers every second or fourth clock.
package vga

import (
	"fmt"

	"github.com/gov86/gov86/display"
	"github.com/gov86/gov86/hw"
	"github.com/gov86/gov86/mem"
	"github.com/gov86/gov86/snapshot"
)

// MemorySize is the size of video memory in bytes.
const MemorySize = 16 << 20

// planeSize is how many addresses a plane of the VGA has.
const planeSize = 1 << 16

// regs is all the guest can observe besides memory.
type regs struct {
	misc    uint8
	feature uint8
	enabled uint8 // video subsystem enable
	seq     bankOf5
	crtc    bankOf25
	gc      bankOf9
	attr    bankOf21
	// flipflop is set when the next write of the attribute port is data.
	flipflop bool
	latch    uint32
	dac      dac
	dispi    dispi
	// bigEndian is the byte order of the frame buffer.
	bigEndian bool
}

// The indexed registers of each part, with their index.
type (
	bankOf5 struct {
		index uint8
		r     [5]uint8
	}
	bankOf9 struct {
		index uint8
		r     [9]uint8
	}
	bankOf21 struct {
		index uint8
		r     [21]uint8
	}
	bankOf25 struct {
		index uint8
		r     [25]uint8
	}
)

func (r *regs) sync(c *snapshot.Codec) {
	c.Version(1)
	c.Uint8("misc", &r.misc)
	c.Uint8("feature", &r.feature)
	c.Uint8("enabled", &r.enabled)
	c.Uint8("seq.index", &r.seq.index)
	c.Uint8s("seq", r.seq.r[:])
	c.Uint8("crtc.index", &r.crtc.index)
	c.Uint8s("crtc", r.crtc.r[:])
	c.Uint8("gc.index", &r.gc.index)
	c.Uint8s("gc", r.gc.r[:])
	c.Uint8("attr.index", &r.attr.index)
	c.Uint8s("attr", r.attr.r[:])
	c.Bool("flipflop", &r.flipflop)
	c.Uint32("latch", &r.latch)
	r.dac.sync(c)
	r.dispi.sync(c)
	c.Bool("bigEndian", &r.bigEndian)
}

// A VGA is the card.
type VGA struct {
	clock hw.Clock
	bank  *mem.Bank
	bytes []byte // of bank
	edid  [edidSize]uint8
	regs
	screen
	window       window
	space        *mem.Space
	lower, upper half
	direct       bool // the lower half is memory
}

// New returns a card whose memory is bank, of MemorySize bytes.
func New(clock hw.Clock, bank *mem.Bank) *VGA {
	v := &VGA{clock: clock, bank: bank, bytes: bank.Bytes(), edid: makeEDID()}
	v.lower, v.upper = half{v, 0}, half{v, upperHalf - lowerHalf}
	v.screen.timer = clock.NewTimer("vga", func(hw.Time) { v.refresh() })
	bank.OnDirty(v.wake)
	v.Reset()
	return v
}

// SetSink has s shown what is on the screen, from now on; nil for nobody.
func (v *VGA) SetSink(s display.Sink) {
	v.sink = s
	v.renew()
}

// Reset implements hw.Device. Registers are zero, where real ones are
// undefined, so that the screen is blank; memory keeps its bytes.
func (v *VGA) Reset() {
	v.regs = regs{enabled: 1, misc: miscRAM}
	v.dac.mask = 0xff
	v.dispi.reset()
	v.renew()
}

// renew follows registers that are all others now.
func (v *VGA) renew() {
	v.timer.Stop()
	v.soon = false
	v.forget()
	v.remap()
	v.wake()
}

// Save implements hw.Device.
func (v *VGA) Save(c *snapshot.Codec) { v.regs.sync(c) }

// Load implements hw.Device.
func (v *VGA) Load(c *snapshot.Codec) error {
	var next regs
	next.sync(c)
	if _, err := c.Close(); err != nil {
		return err
	}
	if err := next.validate(); err != nil {
		return err
	}
	v.regs = next
	v.renew()
	return nil
}

// validate reports what no guest could have brought about.
func (r *regs) validate() error {
	switch {
	case r.dac.part > 2, r.dac.state&^3 != 0:
		return fmt.Errorf("DAC: %w", snapshot.ErrCorrupt)
	case !r.dispi.valid():
		return fmt.Errorf("DISPI registers: %w", snapshot.ErrCorrupt)
	}
	return nil
}

var _ hw.Device = (*VGA)(nil)
