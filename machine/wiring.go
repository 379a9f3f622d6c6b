package machine

import (
	"fmt"

	"github.com/gov86/gov86/snapshot"
)

// wiring is the state of the board that no device has: the levels of its wires, and
// what the run loop has still to do.
type wiring struct {
	// now is guest time, retired the number of instructions.
	now, retired uint64
	again        uint8 // a restart
	a20          [2]bool
	levels       [16]uint32 // of what each interrupt input shares
	pci          [4]bool    // levels of PIRQA# to PIRQD#
	routes       [4]uint8   // where they lead
}

func (w *wiring) sync(c *snapshot.Codec) {
	c.Version(1)
	c.Uint64("now", &w.now)
	c.Uint64("retired", &w.retired)
	c.Uint8("again", &w.again)
	c.Bools("A20", w.a20[:])
	c.Uint32s("IRQ", w.levels[:])
	c.Bools("PIRQ", w.pci[:])
	c.Uint8s("PIRQ route", w.routes[:])
}

// latest is far enough from the end of guest time for every sum of times: a century.
const latest = 100 * 365 * 24 * 3600 * 1e9

func (w *wiring) validate(b *board) error {
	if w.now > latest || w.again > uint8(hard) {
		return fmt.Errorf("time %d, restart %d: %w", w.now, w.again, snapshot.ErrCorrupt)
	}
	for i, l := range w.levels {
		if l>>b.irq[i].taps != 0 {
			return fmt.Errorf("interrupt %d has sources %#x: %w", i, l, snapshot.ErrCorrupt)
		}
	}
	return nil
}

// wiring is what the machine's wires are at now.
func (m *Machine) wiring() wiring {
	w := wiring{now: uint64(m.clock.Now()), retired: m.retired, again: uint8(m.again), a20: m.board.a20,
		pci: m.board.pirq.level, routes: m.board.pirq.to}
	for i := range m.board.irq {
		w.levels[i] = m.board.irq[i].levels
	}
	return w
}

// rewire puts the wires at what w says. Nothing notices: levels are the state of
// the interrupt controllers, too.
func (m *Machine) rewire(w *wiring) {
	m.retired, m.again = w.retired, restart(w.again)
	m.shown.retired.Store(m.retired)
	b := m.board
	b.a20, b.pirq.level, b.pirq.to = w.a20, w.pci, w.routes
	for i := range b.irq {
		b.irq[i].levels = w.levels[i]
	}
}
