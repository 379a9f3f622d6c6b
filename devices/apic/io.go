package apic

import (
	"fmt"

	"github.com/gov86/gov86/hw"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/trace"
)

// NumInputs is the number of interrupt inputs of an I/O APIC.
const NumInputs = 24

// Registers of the I/O APIC (82093AA data sheet, "I/O APIC Registers").
const (
	ioRegSel = 0x00
	ioWin    = 0x10

	ioID          = 0x00
	ioVersion     = 0x01
	ioArbitration = 0x02
	ioRedirection = 0x10 // two for each input

	ioVersionValue = (NumInputs-1)<<16 | 0x11
	idBits         = 0x0f000000

	destinationShift = 56
	redirectionBits  = entryVector | entryMode | entryLogical | entryPolarity | entryLevel | entryMask |
		0xff<<destinationShift
)

// ioRegs is all the guest can observe.
type ioRegs struct {
	sel         uint8
	id          uint32
	redirection [NumInputs]uint64
	lines       uint32 // levels at the inputs
}

func (r *ioRegs) sync(c *snapshot.Codec) {
	c.Version(1)
	c.Uint8("sel", &r.sel)
	c.Uint32("id", &r.id)
	c.Uint64s("redirection", r.redirection[:])
	c.Uint32("lines", &r.lines)
}

func (r *ioRegs) validate() error {
	for n, e := range r.redirection {
		if e&^(redirectionBits|entryRemoteIRR) != 0 || e&(entryRemoteIRR|entryLevel) == entryRemoteIRR {
			return fmt.Errorf("redirection %d is %#x: %w", n, e, snapshot.ErrCorrupt)
		}
	}
	if r.id&^idBits != 0 || r.lines>>NumInputs != 0 {
		return fmt.Errorf("ID %#x, lines %#x: %w", r.id, r.lines, snapshot.ErrCorrupt)
	}
	return nil
}

// An IO is the I/O APIC, 4 KiB of registers that are mapped at FEC00000h.
type IO struct {
	local *Local
	ioRegs
}

// NewIO returns an I/O APIC that sends its messages to local and follows the
// EOIs that local broadcasts.
func NewIO(local *Local) *IO {
	x := &IO{local: local}
	local.io = x
	x.Reset()
	return x
}

// Reset implements hw.Device. The inputs keep their levels.
func (x *IO) Reset() {
	x.ioRegs = ioRegs{lines: x.lines}
	for n := range x.redirection {
		x.redirection[n] = entryMask
	}
}

// Save implements hw.Device.
func (x *IO) Save(c *snapshot.Codec) { x.ioRegs.sync(c) }

// Load implements hw.Device.
func (x *IO) Load(c *snapshot.Codec) error {
	var next ioRegs
	next.sync(c)
	if _, err := c.Close(); err != nil {
		return err
	}
	if err := next.validate(); err != nil {
		return err
	}
	x.ioRegs = next
	return nil
}

// Line is interrupt input n, 0 to 23. The polarity in the redirection table is
// stored and has no effect: a Line says that an interrupt is asserted, by
// whichever voltage.
func (x *IO) Line(n int) hw.Line {
	if n < 0 || n >= NumInputs {
		panic(fmt.Sprintf("BUG: I/O APIC input %d", n))
	}
	return hw.LineFunc(func(level bool) { x.set(n, level) })
}

// set drives an input. The data sheet has an edge at a masked input forgotten.
func (x *IO) set(n int, level bool) {
	bit := uint32(1) << n
	rising := level && x.lines&bit == 0
	if level {
		x.lines |= bit
	} else {
		x.lines &^= bit
	}
	if e := x.redirection[n]; byLevel(e) {
		x.serve(n)
	} else if rising && e&entryMask == 0 {
		x.deliver(e)
	}
	x.forward()
}

// byLevel reports whether an entry's input is level-triggered. Only what has a
// vector is: the data sheet has NMI, SMI and INIT be edges whatever the entry says.
func byLevel(e uint64) bool {
	m := Mode(e & entryMode >> entryModeShift)
	return e&entryLevel != 0 && (m == Fixed || m == Lowest)
}

// serve requests the interrupt of a level-triggered input until it is
// accepted, and again after its EOI.
func (x *IO) serve(n int) {
	e := &x.redirection[n]
	if byLevel(*e) && *e&(entryMask|entryRemoteIRR) == 0 && x.lines>>n&1 != 0 && x.deliver(*e) {
		*e |= entryRemoteIRR
	}
}

// deliver sends the message of entry e and reports whether it was accepted.
// ExtINT is a level, which forward follows.
func (x *IO) deliver(e uint64) bool {
	m := Message{
		Vector: uint8(e), Mode: Mode(e & entryMode >> entryModeShift), Level: byLevel(e),
		Logical: e&entryLogical != 0, Destination: uint8(e >> destinationShift),
	}
	if trace.On(trace.APIC) {
		trace.Emit(trace.APIC, "send", uint64(m.Vector), uint64(m.Mode), uint64(m.Destination))
	}
	return x.local.Accept(m)
}

// forward passes the 8259A's INTR on from an input whose entry says ExtINT.
func (x *IO) forward() {
	const extINT = uint64(ExtINT) << entryModeShift
	on := false
	for n, e := range x.redirection {
		on = on || x.lines>>n&1 != 0 && e&(entryMask|entryMode) == extINT
	}
	x.local.setExternal(on)
}

// endOfInterrupt is the broadcast of an EOI.
func (x *IO) endOfInterrupt(vector uint8) {
	for n := range x.redirection {
		if e := &x.redirection[n]; *e&entryRemoteIRR != 0 && uint8(*e) == vector {
			*e &^= entryRemoteIRR
			x.serve(n)
		}
	}
}

// retry requests what the local APIC could not accept before.
func (x *IO) retry() {
	for n := range x.redirection {
		x.serve(n)
	}
	x.forward()
}

// Widths implements mem.MMIO.
func (x *IO) Widths() (smallest, largest int) { return 4, 4 }

// Read implements mem.MMIO.
func (x *IO) Read(off uint32, _ int) uint32 {
	switch off {
	case ioRegSel:
		return uint32(x.sel)
	case ioWin:
		return x.register()
	}
	return 0
}

func (x *IO) register() uint32 {
	switch x.sel {
	case ioID, ioArbitration:
		return x.id
	case ioVersion:
		return ioVersionValue
	}
	i := int(x.sel) - ioRedirection
	if i < 0 || i >= 2*NumInputs {
		return 0
	}
	return uint32(x.redirection[i/2] >> (32 * (i % 2)))
}

// Write implements mem.MMIO.
func (x *IO) Write(off uint32, _ int, v uint32) {
	switch off {
	case ioRegSel:
		x.sel = uint8(v)
	case ioWin:
		x.setRegister(v)
	}
}

func (x *IO) setRegister(v uint32) {
	if x.sel == ioID {
		x.id = v & idBits
	}
	i := int(x.sel) - ioRedirection
	if i < 0 || i >= 2*NumInputs {
		return
	}
	n, shift := i/2, 32*(i%2)
	old := x.redirection[n]
	e := (old&^(0xffffffff<<shift) | uint64(v)<<shift) & redirectionBits
	if e&entryLevel != 0 {
		// Turning an input to edge-triggered and back is how drivers clear
		// Remote IRR without an EOI.
		e |= old & entryRemoteIRR
	}
	x.redirection[n] = e
	x.serve(n)
	x.forward()
}
