package apic

import (
	"fmt"
	"math/bits"

	"github.com/gov86/gov86/hw"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/trace"
)

// Register offsets (Intel SDM Vol. 3A, "Local APIC Register Address Map").
const (
	regID      = 0x020
	regVersion = 0x030
	regTPR     = 0x080
	regAPR     = 0x090
	regPPR     = 0x0a0
	regEOI     = 0x0b0
	regRRD     = 0x0c0
	regLDR     = 0x0d0
	regDFR     = 0x0e0
	regSVR     = 0x0f0
	regISR     = 0x100 // eight registers, as are TMR and IRR
	regTMR     = 0x180
	regIRR     = 0x200
	regESR     = 0x280
	regICRLow  = 0x300
	regICRHigh = 0x310
	regTimer   = 0x320 // the first of the LVT
	regThermal = 0x330
	regPerf    = 0x340
	regLINT0   = 0x350
	regLINT1   = 0x360
	regError   = 0x370 // the last of the LVT
	regInitial = 0x380
	regCurrent = 0x390
	regDivide  = 0x3e0

	// version is that of a Pentium 4, with six entries in the LVT.
	version = 0x00050014

	svrEnable = 1 << 8
	svrFocus  = 1 << 9

	dfrFlat    = 0xf
	dfrCluster = 0

	esrSendVector    = 1 << 5
	esrReceiveVector = 1 << 6
	esrRegister      = 1 << 7

	icrLevel     = 1 << 14
	icrShorthand = 18
)

// Entries of the LVT.
const (
	lvtTimer = iota
	lvtThermal
	lvtPerf
	lvtLINT0
	lvtLINT1
	lvtError
	numLVT
)

// lvtWritable are the bits of each entry that software can change.
var lvtWritable = [numLVT]uint32{
	lvtTimer:   entryVector | entryMask | timerPeriodic,
	lvtThermal: entryVector | entryMode | entryMask,
	lvtPerf:    entryVector | entryMode | entryMask,
	lvtLINT0:   entryVector | entryMode | entryPolarity | entryLevel | entryMask,
	lvtLINT1:   entryVector | entryMode | entryPolarity | entryLevel | entryMask,
	lvtError:   entryVector | entryMask,
}

// localRegs is all the guest can observe.
type localRegs struct {
	hidden        bool // disabled in IA32_APIC_BASE
	id, tpr       uint8
	ldr, dfr      uint8 // the high byte and the high four bits
	svr           uint32
	isr, tmr, irr set
	// esr is what the register shows; errors have happened since it was written.
	esr, errors     uint8
	icrLow, icrHigh uint32
	lvt             [numLVT]uint32
	lint            [2]bool // levels at the pins
	external        bool    // an I/O APIC forwards the 8259A's INTR
	initial         uint32
	divide          uint8
	start           uint64 // guest time at which the timer held initial
}

func (r *localRegs) sync(c *snapshot.Codec) {
	c.Version(1)
	c.Bool("hidden", &r.hidden)
	c.Uint8("id", &r.id)
	c.Uint8("tpr", &r.tpr)
	c.Uint8("ldr", &r.ldr)
	c.Uint8("dfr", &r.dfr)
	c.Uint32("svr", &r.svr)
	c.Uint32s("isr", r.isr[:])
	c.Uint32s("tmr", r.tmr[:])
	c.Uint32s("irr", r.irr[:])
	c.Uint8("esr", &r.esr)
	c.Uint8("errors", &r.errors)
	c.Uint32("icrLow", &r.icrLow)
	c.Uint32("icrHigh", &r.icrHigh)
	c.Uint32s("lvt", r.lvt[:])
	c.Bools("lint", r.lint[:])
	c.Bool("external", &r.external)
	c.Uint32("initial", &r.initial)
	c.Uint8("divide", &r.divide)
	c.Uint64("start", &r.start)
}

func (r *localRegs) validate(now hw.Time) error {
	for i, v := range r.lvt {
		writable := lvtWritable[i]
		if i == lvtLINT0 || i == lvtLINT1 {
			writable |= entryRemoteIRR
		}
		asReset := i == lvtLINT0 && v == resetLINT0
		if v&^writable != 0 || r.svr&svrEnable == 0 && v&entryMask == 0 && !asReset {
			return fmt.Errorf("LVT entry %d is %#x: %w", i, v, snapshot.ErrCorrupt)
		}
	}
	switch {
	case (r.irr[0]|r.isr[0])&(1<<firstVector-1) != 0:
		return fmt.Errorf("a vector below %d: %w", firstVector, snapshot.ErrCorrupt)
	case r.svr&^(svrFocus|svrEnable|entryVector) != 0, r.divide&^divideBits != 0, r.dfr > 15:
		return fmt.Errorf("SVR %#x, DFR %#x, divider %#x: %w", r.svr, r.dfr, r.divide, snapshot.ErrCorrupt)
	case r.start > uint64(now):
		return fmt.Errorf("timer started at %d: %w", r.start, snapshot.ErrCorrupt)
	}
	return nil
}

// A Local is the local APIC, 4 KiB of registers that are mapped at FEE00000h.
// It is all that drives the processor's INTR and NMI: the 8259A goes through
// LINT0.
type Local struct {
	clock hw.Clock
	intr  hw.Line
	nmi   func()
	timer hw.Timer
	io    *IO // told of EOIs, nil for none
	localRegs
}

// NewLocal returns a local APIC whose requests drive intr, and which calls nmi
// for each non-maskable interrupt.
func NewLocal(clock hw.Clock, intr hw.Line, nmi func()) *Local {
	l := &Local{clock: clock, intr: intr, nmi: nmi}
	l.timer = clock.NewTimer("local APIC", l.expired)
	l.Reset()
	return l
}

// resetLINT0 is what LINT0's entry is after a reset: not masked.
const resetLINT0 = uint32(ExtINT) << entryModeShift

// Reset implements hw.Device. The pins keep their levels. Real parts have LINT0
// masked like the others; there is firmware that turns the local APIC on, leaves
// LINT0 alone and counts on the 8259A to reach the processor still.
func (l *Local) Reset() {
	l.localRegs = localRegs{dfr: dfrFlat, svr: 0xff, lint: l.lint}
	for i := range l.lvt {
		l.lvt[i] = entryMask
	}
	l.lvt[lvtLINT0] = resetLINT0
	l.timer.Stop()
}

// Save implements hw.Device.
func (l *Local) Save(c *snapshot.Codec) { l.localRegs.sync(c) }

// Load implements hw.Device.
func (l *Local) Load(c *snapshot.Codec) error {
	var next localRegs
	next.sync(c)
	if _, err := c.Close(); err != nil {
		return err
	}
	if err := next.validate(l.clock.Now()); err != nil {
		return err
	}
	l.localRegs = next
	l.arm()
	return nil
}

// SetBase follows the global enable bit of IA32_APIC_BASE. A local APIC that
// is disabled there forgets its state, and the pins reach the processor as if
// there were none.
func (l *Local) SetBase(enabled bool) {
	if enabled == !l.hidden {
		return
	}
	l.Reset()
	l.hidden = !enabled
	l.update()
}

// bypassed reports whether LINT0 and LINT1 are the processor's INTR and NMI.
// Real parts do so when disabled in IA32_APIC_BASE only; that it also holds
// while disabled in SVR, as after reset, stands for the virtual wire mode
// which firmware sets up.
func (l *Local) bypassed() bool { return l.hidden || l.svr&svrEnable == 0 }

// LINT0 is the pin that the 8259A's INTR is wired to.
func (l *Local) LINT0() hw.Line { return hw.LineFunc(func(level bool) { l.pin(0, level) }) }

// LINT1 is the pin that the board's NMI is wired to.
func (l *Local) LINT1() hw.Line { return hw.LineFunc(func(level bool) { l.pin(1, level) }) }

// pin follows a LINT pin.
func (l *Local) pin(n int, level bool) {
	rising := level && !l.lint[n]
	l.lint[n] = level
	switch e := l.lvt[lvtLINT0+n]; {
	case l.bypassed():
		if n == 1 && rising {
			l.nmi()
		}
	case e&entryMask != 0:
	case Mode(e&entryMode>>entryModeShift) == Fixed && e&entryLevel != 0:
		l.levelPin(n)
	case rising:
		l.local(e)
	}
	l.update()
}

// levelPin requests the interrupt of a level-triggered pin until it is
// accepted, and again after its EOI.
func (l *Local) levelPin(n int) {
	e := &l.lvt[lvtLINT0+n]
	if l.lint[n] && *e&(entryMask|entryRemoteIRR) == 0 {
		*e |= entryRemoteIRR
		l.accept(uint8(*e), true)
	}
}

// local delivers the interrupt of an LVT entry that is not masked. One that
// asks for ExtINT is a level, which update follows.
func (l *Local) local(e uint32) {
	switch Mode(e & entryMode >> entryModeShift) {
	case Fixed:
		l.accept(uint8(e), false)
	case NMI:
		l.nmi()
	}
}

// accept records a request in IRR.
func (l *Local) accept(v uint8, level bool) {
	if v < firstVector {
		l.fail(esrReceiveVector)
		return
	}
	if trace.On(trace.APIC) {
		trace.Emit(trace.APIC, "accept", uint64(v))
	}
	l.irr.add(v)
	if level {
		l.tmr.add(v)
	} else {
		l.tmr.remove(v)
	}
}

// fail records an error, and interrupts the first time. The error interrupt
// must not fail in turn without end.
func (l *Local) fail(e uint8) {
	first := l.errors&e == 0
	l.errors |= e
	if v := l.lvt[lvtError]; first && v&entryMask == 0 {
		l.accept(uint8(v), false)
	}
}

// matches reports whether a message is for this processor.
func (l *Local) matches(m Message) bool {
	switch {
	case m.Destination == 0xff:
		return true
	case !m.Logical:
		return m.Destination == l.id
	case l.dfr == dfrCluster:
		return m.Destination>>4 == l.ldr>>4 && m.Destination&l.ldr&15 != 0
	}
	return m.Destination&l.ldr != 0
}

// Accept takes a message off the bus. It reports whether it was for this
// processor and could be taken.
func (l *Local) Accept(m Message) bool {
	if l.hidden || !l.matches(m) {
		return false
	}
	switch m.Mode {
	case Fixed, Lowest:
		if l.bypassed() {
			return false
		}
		l.accept(m.Vector, m.Level)
		l.update()
	case NMI:
		l.nmi()
	}
	return true
}

// setExternal follows the 8259A's INTR as an I/O APIC forwards it.
func (l *Local) setExternal(level bool) {
	if level != l.external {
		l.external = level
		l.update()
	}
}

// highest is the highest vector in s, 0 for none.
func highest(s *set) uint8 {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] != 0 {
			return uint8(32*i + bits.Len32(s[i]) - 1)
		}
	}
	return 0
}

// ppr is the processor priority register.
func (l *Local) ppr() uint8 {
	if v := highest(&l.isr); v>>4 > l.tpr>>4 {
		return v & 0xf0
	}
	return l.tpr
}

// request is the vector that would be delivered now.
func (l *Local) request() (uint8, bool) {
	v := highest(&l.irr)
	return v, !l.bypassed() && v>>4 > l.ppr()>>4
}

// extINT reports whether the 8259A wants the processor through this APIC.
func (l *Local) extINT() bool {
	if l.bypassed() {
		return l.lint[0]
	}
	const extINT = uint32(ExtINT) << entryModeShift
	return l.external || l.lint[0] && l.lvt[lvtLINT0]&(entryMask|entryMode) == extINT
}

// update drives INTR from the registers. Whatever changes one ends here.
func (l *Local) update() {
	_, ok := l.request()
	l.intr.Set(ok || l.extINT())
}

// Acknowledge is the processor's answer to INTR. ok is false when the vector is
// to be had from the 8259A, by an INTA cycle of its own. A request that has
// gone away in the meantime is answered by the spurious vector.
func (l *Local) Acknowledge() (vector uint8, ok bool) {
	v, pending := l.request()
	switch {
	case pending:
		l.irr.remove(v)
		l.isr.add(v)
		l.update()
		if trace.On(trace.APIC) {
			trace.Emit(trace.APIC, "acknowledge", uint64(v))
		}
		return v, true
	case l.bypassed(), l.extINT():
		return 0, false
	}
	return uint8(l.svr), true
}

// endOfInterrupt is a write to EOI.
func (l *Local) endOfInterrupt() {
	v := highest(&l.isr)
	if v == 0 {
		return
	}
	l.isr.remove(v)
	if !l.tmr.has(v) {
		return
	}
	for n := range l.lint {
		if e := &l.lvt[lvtLINT0+n]; *e&entryRemoteIRR != 0 && uint8(*e) == v {
			*e &^= entryRemoteIRR
			l.levelPin(n)
		}
	}
	if l.io != nil {
		l.io.endOfInterrupt(v)
	}
}
