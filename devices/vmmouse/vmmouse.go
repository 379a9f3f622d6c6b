// Package vmmouse is the pointer at VMware's backdoor, which tells a guest where
// the host's pointer is and so needs no grab (Linux, drivers/input/mouse/vmmouse.c;
// open-vm-tools, backdoor_def.h).
//
// The backdoor is a port whose reads take their arguments from the processor's
// registers and leave their results there. Of its commands only the pointer's are
// here. The PS/2 mouse tells the guest when to read.
package vmmouse

import (
	"fmt"

	"github.com/gov86/gov86/hw"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/trace"
)

// Port is where the backdoor is, and Ports is how many ports it has.
const (
	Port  = 0x5658
	Ports = 4
)

// magic is in EAX, or the read is none of ours.
const magic = 0x564d5868

// Commands, in CX.
const (
	getVersion      = 10
	pointerData     = 39
	pointerStatus   = 40
	pointerCommand  = 41
	pointerRestrict = 86
)

// Commands to the pointer, in EBX.
const (
	pointerEnable   = 0x45414552
	pointerDisable  = 0xf5
	requestRelative = 0x4c455252
	requestAbsolute = 0x53424152
)

const (
	version        = 6
	serverProduct  = 2
	pointerID      = 0x3442554a // the first word after an enable
	pointerError   = 0xffff0000 // in the status: it is disabled
	noSuchCommand  = 1<<32 - 1
	relativePacket = 1 << 16
)

// Buttons in the first word of a packet.
const (
	leftButton   = 0x20
	rightButton  = 0x10
	middleButton = 0x08
)

// A packet has packetWords: buttons, x, y and the wheel. The queue holds so many
// words that a guest may be away for a second.
const (
	packetWords = 4
	maxWords    = 64 * packetWords
)

// Registers are those that the backdoor reads and writes.
type Registers struct{ EAX, EBX, ECX, EDX, ESI, EDI uint32 }

// regs is all the guest can observe.
type regs struct {
	enabled, absolute bool
	n                 uint16 // words that wait
	words             [maxWords]uint32
}

func (r *regs) sync(c *snapshot.Codec) {
	c.Version(1)
	c.Bool("enabled", &r.enabled)
	c.Bool("absolute", &r.absolute)
	c.Uint16("length", &r.n)
	c.Uint32s("words", r.words[:])
}

// A Pointer is the pointer and its backdoor.
type Pointer struct {
	load  func() Registers
	store func(Registers)
	nudge func()
	regs
}

// New returns a pointer whose backdoor reads and writes the processor's registers
// by load and store, and which calls nudge when there is something to read.
func New(load func() Registers, store func(Registers), nudge func()) *Pointer {
	return &Pointer{load: load, store: store, nudge: nudge}
}

// Reset implements hw.Device.
func (p *Pointer) Reset() { p.regs = regs{} }

// Save implements hw.Device.
func (p *Pointer) Save(c *snapshot.Codec) { p.sync(c) }

// Load implements hw.Device.
func (p *Pointer) Load(c *snapshot.Codec) error {
	var next regs
	next.sync(c)
	if _, err := c.Close(); err != nil {
		return err
	}
	if next.n > maxWords {
		return fmt.Errorf("queue of %d words: %w", next.n, snapshot.ErrCorrupt)
	}
	p.regs = next
	return nil
}

// Absolute reports whether a driver wants to know where the pointer is.
func (p *Pointer) Absolute() bool { return p.enabled && p.absolute }

// Enabled reports whether a driver reads packets here instead of the PS/2
// mouse's.
func (p *Pointer) Enabled() bool { return p.enabled }

// Place says where the pointer is, from 0 to FFFFh across and down; that the
// wheel was turned by so many notches away from the user; and which buttons are
// held: left, right and middle from bit 0 on.
func (p *Pointer) Place(x, y uint16, wheel int, buttons uint8) {
	p.report(packetOf(0, uint32(x), uint32(y), wheel, buttons))
}

// Move says that the pointer has moved to the right and down.
func (p *Pointer) Move(dx, dy, wheel int, buttons uint8) {
	p.report(packetOf(relativePacket, uint32(dx), uint32(-dy), wheel, buttons))
}

func packetOf(flags, x, y uint32, wheel int, buttons uint8) [packetWords]uint32 {
	for bit, flag := range []uint32{leftButton, rightButton, middleButton} {
		if buttons>>bit&1 != 0 {
			flags |= flag
		}
	}
	toUser := min(max(-wheel, -128), 127)
	return [packetWords]uint32{flags, x, y, uint32(uint8(int8(toUser)))}
}

// report queues a packet. One that waits and says no more than where the pointer
// was gives way to it; a full queue takes no more.
func (p *Pointer) report(packet [packetWords]uint32) {
	if !p.enabled {
		return
	}
	last := p.words[max(int(p.n), packetWords)-packetWords:][:packetWords]
	switch {
	case p.n >= packetWords && packet[0]&relativePacket == 0 && last[0] == packet[0] && last[3] == 0:
		copy(last, packet[:])
	case p.n+packetWords <= maxWords:
		p.n += uint16(copy(p.words[p.n:], packet[:]))
	}
	p.nudge()
}

// take removes the first n words into the registers.
func (p *Pointer) take(r *Registers) {
	n := uint16(r.EBX)
	if r.EBX == 0 || r.EBX > 6 || n > p.n { // out of step: begin anew
		p.enabled, p.n = false, 0
		r.EAX = noSuchCommand
		return
	}
	to := []*uint32{&r.EAX, &r.EBX, &r.ECX, &r.EDX, &r.ESI, &r.EDI}
	for i, w := range p.words[:n] {
		*to[i] = w
	}
	p.n = uint16(copy(p.words[:], p.words[n:p.n]))
}

// In implements portio.Handler.
func (p *Pointer) In(off uint16, w portio.Width) uint32 {
	r := p.load()
	if off != 0 || w != portio.DWord || r.EAX != magic {
		return noSuchCommand
	}
	if trace.On(trace.PS2) {
		trace.Emit(trace.PS2, "backdoor", uint64(r.ECX), uint64(r.EBX))
	}
	p.execute(&r)
	p.store(r)
	return r.EAX
}

// execute does the command in CX.
func (p *Pointer) execute(r *Registers) {
	switch uint16(r.ECX) {
	case getVersion:
		r.EAX, r.EBX, r.ECX = version, magic, serverProduct
	case pointerData:
		p.take(r)
	case pointerStatus:
		r.EAX = uint32(p.n)
		if !p.enabled {
			r.EAX = pointerError
		}
	case pointerCommand:
		p.command(r.EBX)
		r.EAX = 0
	case pointerRestrict: // access is by the port's, which the guest rules
		r.EAX = 0
	default:
		r.EAX = noSuchCommand
	}
}

func (p *Pointer) command(c uint32) {
	switch c {
	case pointerEnable:
		p.enabled, p.n = true, 1
		p.words[0] = pointerID
	case pointerDisable:
		p.enabled, p.absolute, p.n = false, false, 0
	case requestRelative, requestAbsolute:
		p.absolute = c == requestAbsolute
	}
}

// Out implements portio.Handler. Writes are for parts of the backdoor that are
// not here.
func (p *Pointer) Out(uint16, portio.Width, uint32) {}

var _ hw.Device = (*Pointer)(nil)
