package machine

import (
	"context"
	"time"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/devices/vmmouse"
	"github.com/gov86/gov86/display"
)

// A hand is what is remembered of the pointer between two events. It is the
// user's, not the guest's: no state.
type hand struct {
	buttons display.Buttons
	placed  bool // x and y are known
	x, y    int  // dots
}

// input does what a user did.
func (b *board) input(e display.Event) {
	switch e := e.(type) {
	case display.Key:
		b.ps2.Key(e.Usage, e.Down)
	case display.Motion:
		b.hand.placed = false
		b.move(e.DX, e.DY, 0)
	case display.Position:
		b.place(e)
	case display.Buttons:
		b.hand.buttons = e
		b.move(0, 0, 0)
	case display.Wheel:
		b.move(0, 0, e.Up)
	}
}

// move reports movement, the wheel and the buttons that are held.
func (b *board) move(dx, dy, wheel int) {
	buttons := uint8(b.hand.buttons)
	if !b.pointer.Enabled() {
		b.ps2.Mouse(dx, dy, wheel, buttons)
		return
	}
	if b.hand.placed && b.pointer.Absolute() {
		width, height := b.vga.Size()
		at := func(v, of int) uint16 { return uint16(min((2*v+1)*0x8000/of, 0xffff)) }
		b.pointer.Place(at(b.hand.x, width), at(b.hand.y, height), wheel, buttons)
		return
	}
	b.pointer.Move(dx, dy, wheel, buttons)
}

// place reports where the pointer is, or to who does not want to know that, by
// how much it moved.
func (b *board) place(e display.Position) {
	width, height := b.vga.Size()
	at := func(v uint16, of int) int { return min(int(v)*of/(display.PositionMax+1), of-1) }
	was := b.hand
	b.hand.x, b.hand.y, b.hand.placed = at(e.X, width), at(e.Y, height), true
	if was.placed || b.pointer.Absolute() {
		b.move(b.hand.x-was.x, b.hand.y-was.y, 0)
	}
}

// backdoorIn and backdoorOut are the registers that VMware's backdoor uses.
func (b *board) backdoorIn() vmmouse.Registers {
	c := b.cpu
	return vmmouse.Registers{
		EAX: c.Reg32(cpu.EAX), EBX: c.Reg32(cpu.EBX), ECX: c.Reg32(cpu.ECX),
		EDX: c.Reg32(cpu.EDX), ESI: c.Reg32(cpu.ESI), EDI: c.Reg32(cpu.EDI),
	}
}

func (b *board) backdoorOut(r vmmouse.Registers) {
	c := b.cpu
	c.SetReg32(cpu.EBX, r.EBX)
	c.SetReg32(cpu.ECX, r.ECX)
	c.SetReg32(cpu.EDX, r.EDX)
	c.SetReg32(cpu.ESI, r.ESI)
	c.SetReg32(cpu.EDI, r.EDI)
}

// Input hands over what a user did. Any goroutine may call it.
func (m *Machine) Input(events ...display.Event) {
	m.Post(func() {
		m.both(func(b *board) {
			for _, e := range events {
				b.input(e)
			}
		})
		m.shown.absolute.Store(m.board.pointer.Absolute())
	})
}

// typingPace is the shortest time between two events of typed text. It is less
// than it takes any guest to lose a key, and 50 characters a second.
const typingPace = 10 * time.Millisecond

// Type types text on a US keyboard, no faster than the guest reads, until ctx or
// the run ends. Characters without a key are left out. Any goroutine may call it.
func (m *Machine) Type(ctx context.Context, text string) {
	for _, r := range text {
		for _, e := range display.Typed(r) {
			if !m.offer(ctx, e) {
				return
			}
		}
	}
}

// offer hands over e once the guest has read what came before. It reports whether
// it could.
func (m *Machine) offer(ctx context.Context, e display.Event) bool {
	took := make(chan bool, 1)
	for {
		m.Post(func() {
			idle := m.board.ps2.Idle()
			if idle {
				m.both(func(b *board) { b.input(e) })
			}
			took <- idle
		})
		done := false
		select {
		case done = <-took:
		case <-ctx.Done():
			return false
		case <-m.gone:
			return false
		}
		if !pass(ctx, typingPace) {
			return false
		}
		if done {
			return true
		}
	}
}

// pass waits, and reports whether ctx has not ended meanwhile.
func pass(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// SendKey presses keys together, by their usages, and lets them go after hold.
// Any goroutine may call it.
func (m *Machine) SendKey(ctx context.Context, hold time.Duration, usages ...uint16) {
	events := display.Chord(usages...)
	m.Input(events[:len(usages)]...)
	pass(ctx, hold)
	m.Input(events[len(usages):]...)
}
