// Package acpi is the power-management function of a PIIX4 as ACPI sees it,
// the reset control register, and the tables that describe the board
// (Advanced Configuration and Power Interface Specification 6.4; Intel
// 82371AB data sheet, "Power Management").
//
// Not modelled: general-purpose events, and sleep states other than S5.
package acpi

import (
	"math/bits"

	"github.com/gov86/gov86/hw"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/trace"
)

// The power-management registers, in a block of PMSize ports.
const (
	pm1Status  = 0x00
	pm1Enable  = 0x02
	pm1Control = 0x04
	pmTimer    = 0x08
	PMSize     = 0x40

	tmrStatus   = 1 << 0
	busMaster   = 1 << 4
	globalLock  = 1 << 5
	powerButton = 1 << 8
	sleepButton = 1 << 9
	rtcAlarm    = 1 << 10
	wake        = 1 << 15
	statusBits  = tmrStatus | busMaster | globalLock | powerButton | sleepButton | rtcAlarm | wake
	enableBits  = tmrStatus | globalLock | powerButton | sleepButton | rtcAlarm

	sciEnable   = 1 << 0
	sleepType   = 7 << 10
	sleepEnable = 1 << 13
	// softOff is SLP_TYP of S5, as \_S5 in the DSDT says.
	softOff = 0

	// timerHz is the frequency of the 24-bit timer.
	timerHz = 3_579_545
)

// regs is all the guest can observe.
type regs struct {
	status, enable, control uint16
	reset                   uint8 // port CF9h
}

func (r *regs) sync(c *snapshot.Codec) {
	c.Version(1)
	c.Uint16("status", &r.status)
	c.Uint16("enable", &r.enable)
	c.Uint16("control", &r.control)
	c.Uint8("reset", &r.reset)
}

// A PM is the power management of the board.
type PM struct {
	clock    hw.Clock
	sci      hw.Line
	carry    hw.Timer
	powerOff func()
	restart  func()
	regs
}

// New returns power management whose events drive sci, and which calls
// powerOff when the guest enters S5 and restart when it resets the board.
func New(clock hw.Clock, sci hw.Line, powerOff, restart func()) *PM {
	p := &PM{clock: clock, sci: sci, powerOff: powerOff, restart: restart}
	p.carry = clock.NewTimer("pm timer", func(hw.Time) {
		p.status |= tmrStatus
		p.update()
	})
	p.Reset()
	return p
}

// Reset implements hw.Device. ACPI mode is on from the start: there is no
// firmware in between that the guest would have to ask for it.
func (p *PM) Reset() {
	p.regs = regs{control: sciEnable}
	p.carry.Stop()
}

// Save implements hw.Device.
func (p *PM) Save(c *snapshot.Codec) { p.regs.sync(c) }

// Load implements hw.Device.
func (p *PM) Load(c *snapshot.Codec) error {
	var next regs
	next.sync(c)
	if _, err := c.Close(); err != nil {
		return err
	}
	p.regs = next
	p.arm()
	return nil
}

// PressPower is the power button.
func (p *PM) PressPower() {
	p.status |= powerButton
	p.update()
}

// ticks is the timer before it is cut to 24 bits.
func (p *PM) ticks() uint64 {
	hi, lo := bits.Mul64(uint64(p.clock.Now()), timerHz)
	q, _ := bits.Div64(hi%uint64(hw.Second), lo, uint64(hw.Second))
	return q
}

// update drives SCI from the registers. Whatever changes one ends here.
func (p *PM) update() {
	p.sci.Set(p.status&p.enable&enableBits != 0)
	p.arm()
}

// arm sets the timer for the next change of the timer's top bit, if it is to
// interrupt.
func (p *PM) arm() {
	if p.enable&tmrStatus == 0 || p.status&tmrStatus != 0 {
		p.carry.Stop()
		return
	}
	const half = 1 << 23
	left := half - p.ticks()%half
	p.carry.Set(p.clock.Now() + hw.Time(left*uint64(hw.Second)/timerHz+1))
}

// In implements portio.Handler for the block of registers.
func (p *PM) In(off uint16, w portio.Width) uint32 {
	word := func(v, at uint16) uint32 { return uint32(v) >> (8 * (off - at)) }
	switch {
	case off < pm1Enable:
		v := word(p.status, pm1Status)
		if w == portio.DWord {
			v |= uint32(p.enable) << 16
		}
		return v
	case off < pm1Control:
		return word(p.enable, pm1Enable)
	case off < pm1Control+2:
		return word(p.control, pm1Control)
	case off >= pmTimer && off < pmTimer+4:
		return uint32(p.ticks()) & 0xffffff >> (8 * (off - pmTimer))
	}
	return 0
}

// Out implements portio.Handler.
func (p *PM) Out(off uint16, w portio.Width, v uint32) {
	switch {
	case off < pm1Enable:
		p.status &^= uint16(v<<(8*off)) & statusBits // ones clear
		if w == portio.DWord {
			p.enable = uint16(v>>16) & enableBits
		}
	case off < pm1Control:
		shift := 8 * (off - pm1Enable)
		m := uint16(w.Mask() << shift)
		p.enable = (p.enable&^m | uint16(v<<shift)&m) & enableBits
	case off < pm1Control+2:
		shift := 8 * (off - pm1Control)
		m := uint16(w.Mask() << shift)
		p.setControl(p.control&^m | uint16(v<<shift)&m)
	}
	p.update()
}

func (p *PM) setControl(v uint16) {
	p.control = v&^sleepEnable | sciEnable
	if v&sleepEnable == 0 {
		return
	}
	if trace.On(trace.ACPI) {
		trace.Emit(trace.ACPI, "sleep", uint64(v&sleepType>>10))
	}
	if v&sleepType>>10 == softOff {
		p.powerOff()
	}
}

const (
	// ResetPort is the reset control register, 0CF9h.
	ResetPort    = 0xcf9
	resetCPU     = 1 << 2
	resetPortOff = 1 // from the start of CONFIG_ADDRESS, which it lies in
)

// ResetControl answers port CF9h by bytes, with offsets counted from CF8h: a
// rising RST_CPU resets the board.
func (p *PM) ResetControl() portio.Handler { return &resetControl{p} }

type resetControl struct{ p *PM }

func (h *resetControl) In(off uint16, _ portio.Width) uint32 {
	if off != resetPortOff {
		return 0xff
	}
	return uint32(h.p.reset)
}

func (h *resetControl) Out(off uint16, _ portio.Width, v uint32) {
	if off != resetPortOff {
		return
	}
	rising := uint8(v) &^ h.p.regs.reset & resetCPU
	h.p.regs.reset = uint8(v) &^ resetCPU
	if rising != 0 {
		h.p.restart()
	}
}
