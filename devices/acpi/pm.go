// Package acpi is the power-management function of a PIIX4 as ACPI sees it,
// its port for commands to firmware, the reset control register, and the tables
// that describe the board (Advanced Configuration and Power Interface
// Specification 6.4; Intel 82371AB data sheet, "Power Management").
//
// Not modelled: causes of general-purpose events, sleep states other than S5,
// and system management interrupts: what the guest's firmware would do in them,
// turning ACPI on and off, the function does by itself.
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
	pm1Enable  = 0x02 // upper half of what pm1Status begins
	pm1Control = 0x04
	pmTimer    = 0x08
	gpStatus   = 0x0c
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
	gpEnable                uint16
	apmc, apms              uint8 // ports B2h and B3h
	reset                   uint8 // port CF9h
}

func (r *regs) sync(c *snapshot.Codec) {
	c.Version(1)
	c.Uint16("status", &r.status)
	c.Uint16("enable", &r.enable)
	c.Uint16("control", &r.control)
	c.Uint16("GPEN", &r.gpEnable)
	c.Uint8("APMC", &r.apmc)
	c.Uint8("APMS", &r.apms)
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

// Reset implements hw.Device. ACPI mode is off until firmware is asked for it.
func (p *PM) Reset() {
	p.regs = regs{}
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
	p.sci.Set(p.control&sciEnable != 0 && p.status&p.enable&enableBits != 0)
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

// doubleword is the registers at off, a multiple of 4.
func (p *PM) doubleword(off uint16) uint32 {
	switch off {
	case pm1Status:
		return uint32(p.status) | uint32(p.enable)<<16
	case pm1Control:
		return uint32(p.control)
	case pmTimer:
		return uint32(p.ticks()) & 0xffffff
	case gpStatus:
		return uint32(p.gpEnable) << 16
	}
	return 0
}

// In implements portio.Handler for the block of registers.
func (p *PM) In(off uint16, w portio.Width) uint32 {
	v := uint64(p.doubleword(off &^ 3))
	if off&3+uint16(w) > 4 {
		v |= uint64(p.doubleword(off&^3+4)) << 32
	}
	return uint32(v >> (8 * (off & 3)))
}

// Out implements portio.Handler.
func (p *PM) Out(off uint16, w portio.Width, v uint32) {
	shift := 8 * (off & 3)
	mask, value := uint64(w.Mask())<<shift, uint64(v)<<shift
	p.write(off&^3, uint32(mask), uint32(value))
	if mask>>32 != 0 {
		p.write(off&^3+4, uint32(mask>>32), uint32(value>>32))
	}
	p.update()
}

// write is a write to those bits of the registers at off that are in mask.
func (p *PM) write(off uint16, mask, v uint32) {
	low := func(old uint16) uint16 { return old&^uint16(mask) | uint16(v&mask) }
	high := func(old uint16) uint16 { return old&^uint16(mask>>16) | uint16(v&mask>>16) }
	switch off {
	case pm1Status:
		p.status &^= uint16(v&mask) & statusBits // ones clear
		p.enable = high(p.enable) & enableBits
	case pm1Control:
		if mask&0xffff != 0 {
			p.setControl(low(p.control))
		}
	case gpStatus:
		p.gpEnable = high(p.gpEnable)
	}
}

func (p *PM) setControl(v uint16) {
	p.control = v &^ sleepEnable
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

// The port for commands to firmware, and what asks it for ACPI.
const (
	APMCPort    = 0xb2
	ACPIEnable  = 0xf1
	ACPIDisable = 0xf0
)

// APM answers the ports B2h and B3h (82371AB, "Advanced Power Management
// Registers"): a command, and a byte that goes with it.
func (p *PM) APM() portio.Handler { return &apm{p} }

type apm struct{ p *PM }

func (h *apm) In(off uint16, w portio.Width) uint32 {
	v := uint32(h.p.apmc) | uint32(h.p.apms)<<8
	return v >> (8 * off)
}

func (h *apm) Out(off uint16, w portio.Width, v uint32) {
	if w != portio.Byte {
		h.p.apms = uint8(v >> 8) // before the command that it goes with
	}
	if off != 0 {
		h.p.apms = uint8(v)
		return
	}
	h.p.apmc = uint8(v)
	switch h.p.apmc {
	case ACPIEnable:
		h.p.control |= sciEnable
	case ACPIDisable:
		h.p.control &^= sciEnable
	}
	h.p.update()
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
