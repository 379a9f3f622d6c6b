// Package ps2 is the 8042 keyboard and auxiliary device controller of a PS/2
// with the keyboard and the mouse at its ports (IBM PS/2 Hardware Interface
// Technical Reference, "Keyboard and Auxiliary Device Controller", "Keyboards",
// "Mouse").
//
// Bytes follow one another as fast as the fastest wire allows. Not modelled:
// line errors and time-outs, the password, the test inputs, and the fake shifts
// a real keyboard sends around its separate cursor keys.
package ps2

import (
	"fmt"

	"github.com/gov86/gov86/hw"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/trace"
)

// Commands to the controller.
const (
	readRAM      = 0x20 // to 3Fh; byte 0 is the command byte
	writeRAM     = 0x60 // to 7Fh
	testPassword = 0xa4
	disableAux   = 0xa7
	enableAux    = 0xa8
	testAux      = 0xa9
	selfTest     = 0xaa
	testKeyboard = 0xab
	disableKbd   = 0xad
	enableKbd    = 0xae
	readInput    = 0xc0
	readOutput   = 0xd0
	writeOutput  = 0xd1
	writeKbdBuf  = 0xd2
	writeAuxBuf  = 0xd3
	writeAux     = 0xd4
	closeA20     = 0xdd
	openA20      = 0xdf
	readTest     = 0xe0
	pulseOutput  = 0xf0 // to FFh

	ramSize = 32
)

// Bits of the command byte.
const (
	cmdInterrupt    = 1 << 0
	cmdAuxInterrupt = 1 << 1
	cmdSystem       = 1 << 2
	cmdKbdDisabled  = 1 << 4
	cmdAuxDisabled  = 1 << 5
	cmdTranslate    = 1 << 6
)

// Bits of the status register.
const (
	statusOutputFull = 1 << 0
	statusSystem     = 1 << 2
	statusCommand    = 1 << 3 // the last write was a command
	statusUnlocked   = 1 << 4
	statusAux        = 1 << 5 // the output buffer holds a byte of the mouse
)

// Bits of the output port.
const (
	outputNoReset = 1 << 0
	outputA20     = 1 << 1
	outputKbd     = 1 << 4
	outputAux     = 1 << 5
	outputLines   = 3 << 6
)

const (
	selfTestPassed = 0x55
	noPassword     = 0xf1
	inputUnlocked  = 1 << 7

	// byteTime is a start bit, eight of data, parity and a stop bit at
	// 16.7 kHz. Drivers depend on some time passing: one reads a scan code,
	// then calls another that reads it again.
	byteTime = 660 * hw.Microsecond
)

// regs is all the guest can observe.
type regs struct {
	ram       [ramSize]uint8
	expecting uint8 // the command whose data byte comes next
	command   bool  // the last write was to the command port
	a20       bool
	// The output buffer, and the controller's own byte that waits for it.
	out       uint8
	full, aux bool
	reply     uint8
	replying  bool
	released  bool   // the translation has seen F0h
	ready     uint64 // guest time from which a device can send again
	keyboard  keyboard
	mouse     mouse
}

func (r *regs) sync(c *snapshot.Codec) {
	c.Version(2)
	c.Uint8s("ram", r.ram[:])
	c.Uint8("expecting", &r.expecting)
	c.Bool("command", &r.command)
	c.Bool("a20", &r.a20)
	c.Uint8("out", &r.out)
	c.Bool("full", &r.full)
	c.Bool("aux", &r.aux)
	c.Uint8("reply", &r.reply)
	c.Bool("replying", &r.replying)
	c.Bool("released", &r.released)
	c.Uint64("ready", &r.ready)
	r.keyboard.sync(c)
	r.mouse.sync(c)
}

// A Controller is the 8042 with its two devices.
type Controller struct {
	clock    hw.Clock
	timer    hw.Timer
	kbdLine  hw.Line
	auxLine  hw.Line
	setA20   func(open bool)
	resetCPU func()
	regs
}

// New returns a controller whose keyboard and mouse interrupts drive the two
// lines, and which calls setA20 and resetCPU as its output port says.
func New(clock hw.Clock, keyboard, mouse hw.Line, setA20 func(open bool), resetCPU func()) *Controller {
	c := &Controller{clock: clock, kbdLine: keyboard, auxLine: mouse, setA20: setA20, resetCPU: resetCPU}
	c.timer = clock.NewTimer("ps2", func(hw.Time) { c.update() })
	c.Reset()
	return c
}

// Reset implements hw.Device. The controller is left as firmware leaves it:
// tested, translating, the keyboard interrupting and A20 open.
func (c *Controller) Reset() {
	c.regs = regs{a20: true}
	c.ram[0] = cmdInterrupt | cmdSystem | cmdAuxDisabled | cmdTranslate
	c.keyboard.reset()
	c.mouse.reset()
	c.timer.Stop()
}

// Save implements hw.Device.
func (c *Controller) Save(s *snapshot.Codec) { c.regs.sync(s) }

// Load implements hw.Device.
func (c *Controller) Load(s *snapshot.Codec) error {
	var next regs
	next.sync(s)
	if _, err := s.Close(); err != nil {
		return err
	}
	if err := next.keyboard.validate(); err != nil {
		return fmt.Errorf("keyboard: %w", err)
	}
	if err := next.mouse.validate(); err != nil {
		return fmt.Errorf("mouse: %w", err)
	}
	c.regs = next
	c.arm()
	return nil
}

// Key presses or releases a key by its usage on the keyboard page of the USB
// HID Usage Tables. The keyboard itself repeats a key that is held.
func (c *Controller) Key(usage uint16, down bool) {
	if usage < uint16(len(keys)) {
		c.keyboard.key(uint8(usage), down, c.clock.Now())
		c.update()
	}
}

// Mouse moves the mouse by dx to the right and dy down, turns the wheel away
// from the user, and sets the buttons: left, right, middle, fourth and fifth
// from bit 0 on.
func (c *Controller) Mouse(dx, dy, wheel int, buttons uint8) {
	c.mouse.move(dx, dy, wheel, buttons)
	c.update()
}

// Idle reports whether the guest has taken all that the keyboard sent.
func (c *Controller) Idle() bool { return !c.full && c.keyboard.codes.n == 0 }

// Nudge has a mouse that reports movement report that there is none, for a driver
// which is told elsewhere what there is.
func (c *Controller) Nudge() {
	c.mouse.nudge()
	c.update()
}

// LEDs are the keyboard's: Scroll Lock, Num Lock and Caps Lock from bit 0 on.
func (c *Controller) LEDs() uint8 { return c.keyboard.leds }

// update moves bytes up, drives the lines and sets the timer for what comes
// next. Whatever changes a register ends here.
func (c *Controller) update() {
	now := c.clock.Now()
	c.keyboard.tick(now)
	c.mouse.tick(now)
	c.transfer(now)
	c.kbdLine.Set(c.kbdInterrupt())
	c.auxLine.Set(c.auxInterrupt())
	c.arm()
}

func (c *Controller) kbdInterrupt() bool { return c.full && !c.aux && c.ram[0]&cmdInterrupt != 0 }
func (c *Controller) auxInterrupt() bool { return c.full && c.aux && c.ram[0]&cmdAuxInterrupt != 0 }

// sending reports whether a device has a byte that its port lets through.
func (c *Controller) sending() bool {
	return c.ram[0]&cmdKbdDisabled == 0 && c.keyboard.sending() || c.ram[0]&cmdAuxDisabled == 0 && c.mouse.sending()
}

// arm sets the timer for the first thing that happens by itself.
func (c *Controller) arm() {
	var first uint64
	due := func(at uint64) {
		if at != 0 && (first == 0 || at < first) {
			first = at
		}
	}
	if !c.full && c.sending() {
		due(c.ready)
	}
	due(c.keyboard.repeatAt)
	due(c.mouse.due())
	if first == 0 {
		c.timer.Stop()
	} else {
		c.timer.Set(hw.Time(first))
	}
}

// transfer fills the output buffer, if it is empty, with what comes first: the
// controller's own byte, then the keyboard's, then the mouse's.
func (c *Controller) transfer(now hw.Time) {
	switch {
	case c.full:
		return
	case c.replying:
		c.replying = false
		c.output(c.reply, false)
		return
	case uint64(now) < c.ready:
		return
	}
	for c.ram[0]&cmdKbdDisabled == 0 && c.keyboard.sending() {
		if b, ok := c.translate(c.keyboard.take()); ok {
			c.output(b, false)
			return
		}
	}
	if c.ram[0]&cmdAuxDisabled == 0 && c.mouse.sending() {
		c.output(c.mouse.take(), true)
	}
}

func (c *Controller) output(b uint8, aux bool) { c.out, c.full, c.aux = b, true, aux }

// answer is a byte of the controller's own.
func (c *Controller) answer(b uint8) { c.reply, c.replying = b, true }

// translate turns scan codes of set 2 into set 1, if it is on. It takes two
// bytes for a release: F0h alone makes none.
func (c *Controller) translate(b uint8) (uint8, bool) {
	if c.ram[0]&cmdTranslate == 0 {
		return b, true
	}
	return toSet1(b, &c.released)
}

// Data is port 60h.
func (c *Controller) Data() portio.Handler { return (*data)(c) }

// Command is port 64h: the status when read.
func (c *Controller) Command() portio.Handler { return (*command)(c) }

type data Controller

func (d *data) In(uint16, portio.Width) uint32 {
	c := (*Controller)(d)
	b := c.out // the byte stays there for who reads it again
	if c.full {
		c.full = false
		c.ready = uint64(c.clock.Now() + byteTime)
		c.update()
	}
	if trace.On(trace.PS2) {
		trace.Emit(trace.PS2, "read", uint64(b))
	}
	return uint32(b)
}

func (d *data) Out(_ uint16, _ portio.Width, v uint32) {
	c := (*Controller)(d)
	if trace.On(trace.PS2) {
		trace.Emit(trace.PS2, "write", uint64(v), uint64(c.expecting))
	}
	c.command = false
	cmd := c.expecting
	c.expecting = 0
	c.take(cmd, uint8(v))
	c.update()
}

// take is a write to port 60h after command cmd, 0 for none.
func (c *Controller) take(cmd, b uint8) {
	switch cmd {
	case 0:
		c.ram[0] &^= cmdKbdDisabled // so that it can answer
		c.keyboard.write(b)
	case writeOutput:
		c.gate(b&outputA20 != 0)
		if b&outputNoReset == 0 {
			c.resetCPU()
		}
	case writeKbdBuf:
		c.output(b, false)
	case writeAuxBuf:
		c.output(b, true)
	case writeAux:
		c.ram[0] &^= cmdAuxDisabled
		c.mouse.write(b)
	default: // writeRAM
		c.ram[cmd%ramSize] = b
	}
}

func (c *Controller) gate(open bool) {
	c.a20 = open
	c.setA20(open)
}

type command Controller

func (h *command) In(uint16, portio.Width) uint32 {
	c := (*Controller)(h)
	v := uint32(statusUnlocked)
	if c.full {
		v |= statusOutputFull
		if c.aux {
			v |= statusAux
		}
	}
	if c.ram[0]&cmdSystem != 0 {
		v |= statusSystem
	}
	if c.command {
		v |= statusCommand
	}
	return v
}

func (h *command) Out(_ uint16, _ portio.Width, v uint32) {
	c := (*Controller)(h)
	if trace.On(trace.PS2) {
		trace.Emit(trace.PS2, "command", uint64(v))
	}
	c.command, c.expecting = true, 0
	c.execute(uint8(v))
	c.update()
}

// execute is a write to port 64h.
func (c *Controller) execute(cmd uint8) {
	switch cmd {
	case testPassword:
		c.answer(noPassword)
	case disableAux:
		c.ram[0] |= cmdAuxDisabled
	case enableAux:
		c.ram[0] &^= cmdAuxDisabled
	case testAux, testKeyboard, readTest:
		c.answer(0)
	case selfTest:
		c.ram[0] |= cmdSystem
		c.answer(selfTestPassed)
	case disableKbd:
		c.ram[0] |= cmdKbdDisabled
	case enableKbd:
		c.ram[0] &^= cmdKbdDisabled
	case readInput:
		c.answer(inputUnlocked)
	case readOutput:
		c.answer(c.outputPort())
	case writeOutput, writeKbdBuf, writeAuxBuf, writeAux:
		c.expecting = cmd
	case closeA20, openA20:
		c.gate(cmd == openA20)
	default:
		switch {
		case cmd >= readRAM && cmd < readRAM+ramSize:
			c.answer(c.ram[cmd%ramSize])
		case cmd >= writeRAM && cmd < writeRAM+ramSize:
			c.expecting = cmd
		case cmd >= pulseOutput && cmd&outputNoReset == 0:
			c.resetCPU()
		}
	}
}

func (c *Controller) outputPort() uint8 {
	v := uint8(outputNoReset | outputLines)
	if c.a20 {
		v |= outputA20
	}
	if c.kbdInterrupt() {
		v |= outputKbd
	}
	if c.auxInterrupt() {
		v |= outputAux
	}
	return v
}
