package cpu

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/gov86/gov86/cpu/isa"
	portio "github.com/gov86/gov86/io"
)

// A Place is the address of an instruction. Linear is what CS and EIP made it.
type Place struct {
	Selector uint16
	EIP      uint32
	Linear   Linear
}

// A Record is one exception that was delivered.
type Record struct {
	Place
	Vector uint8
	Code   uint16
	CR2    uint32
}

// An Interrupt is one interrupt or NMI that was accepted before the
// instruction at its place.
type Interrupt struct {
	Place
	Vector uint8
}

// A Branch is one far transfer of control.
type Branch struct{ From, To Place }

// An Output is one write to ports.
type Output struct {
	Place
	Port  uint16
	Width portio.Width
	Value uint32
}

// An Entry is a place where the engine began anew, beside the blocks it knew to
// follow one another: new code, and what follows a system instruction.
type Entry struct{ Linear }

// A History is a flight recorder: the latest of each kind of event. It is
// always on. Each kind has a ring of its own, so that what happens often does
// not push out what happens seldom.
type History struct {
	exceptions ring[Record]
	interrupts ring[Interrupt]
	branches   ring[Branch]
	outputs    ring[Output]
	entries    ring[Entry]
	entered    [2]Linear // the latest entries
	now        uint64    // events ever
}

// ringSize is a power of two.
const ringSize = 32

// A ring keeps the latest of one kind of event, and when each was.
type ring[E any] struct {
	event [ringSize]E
	when  [ringSize]uint64
	n     uint
}

func (r *ring[E]) put(when uint64, event E) {
	i := r.n % ringSize
	r.event[i], r.when[i] = event, when
	r.n++
}

// each calls fn with every event, oldest first.
func (r *ring[E]) each(fn func(when uint64, event E)) {
	for i := r.n - min(r.n, ringSize); i != r.n; i++ {
		fn(r.when[i%ringSize], r.event[i%ringSize])
	}
}

func (h *History) tick() uint64 {
	h.now++
	return h.now
}

// Enter remembers that the engine looks for the block at l. A loop that waits
// for a device goes round between two blocks: it is remembered once.
func (h *History) Enter(l Linear) {
	if l == h.entered[0] || l == h.entered[1] {
		return
	}
	h.entered = [2]Linear{l, h.entered[0]}
	h.entries.put(h.tick(), Entry{l})
}

// RecordOut remembers a write to ports by the current instruction.
func (c *CPU) RecordOut(port uint16, w portio.Width, v uint32) {
	c.Last.outputs.put(c.Last.tick(), Output{c.placeOf(c.Start), port, w, v & w.Mask()})
}

// place is CS:EIP.
func (c *CPU) place() Place { return c.placeOf(c.EIP) }

func (c *CPU) placeOf(eip uint32) Place {
	g := &c.Seg[isa.CS]
	return Place{g.Selector, eip, Linear(g.Base + eip)}
}

// branched remembers that control came here from from.
func (c *CPU) branched(from Place) { c.Last.branches.put(c.Last.tick(), Branch{from, c.place()}) }

// record remembers an exception about to be delivered.
func (c *CPU) record(v *event) {
	r := Record{c.place(), v.vector, v.code, uint32(c.faultAddress)}
	c.Last.exceptions.put(c.Last.tick(), r)
	c.traceException(v, &r)
}

// accepted remembers an interrupt about to be delivered.
func (c *CPU) accepted(vector uint8) {
	c.Last.interrupts.put(c.Last.tick(), Interrupt{c.place(), vector})
	c.traceInterrupt("accept", vector, c.place())
}

// Records are the latest exceptions, oldest first.
func (h *History) Records() []Record {
	var all []Record
	h.exceptions.each(func(_ uint64, r Record) { all = append(all, r) })
	return all
}

// Events are what h remembers, oldest first. Each is a Record, an Interrupt, a
// Branch, an Output or an Entry.
func (h *History) Events() []any {
	type stamped struct {
		when  uint64
		event any
	}
	var all []stamped
	h.exceptions.each(func(when uint64, e Record) { all = append(all, stamped{when, e}) })
	h.interrupts.each(func(when uint64, e Interrupt) { all = append(all, stamped{when, e}) })
	h.branches.each(func(when uint64, e Branch) { all = append(all, stamped{when, e}) })
	h.outputs.each(func(when uint64, e Output) { all = append(all, stamped{when, e}) })
	h.entries.each(func(when uint64, e Entry) { all = append(all, stamped{when, e}) })
	slices.SortFunc(all, func(a, b stamped) int { return cmp.Compare(a.when, b.when) })
	events := make([]any, len(all))
	for i := range all {
		events[i] = all[i].event
	}
	return events
}

// Names names linear addresses: a symbol and an offset, or nothing. A nil Names
// has no names.
type Names func(Linear) string

// suffix is the name of l with a space before it, or nothing.
func (n Names) suffix(l Linear) string {
	if n == nil {
		return ""
	}
	if s := n(l); s != "" {
		return " " + s
	}
	return ""
}

// dump writes the events, a line each.
func (h *History) dump(w io.Writer, names Names) {
	at := func(p Place) string { return fmt.Sprintf("%04x:%08x%s", p.Selector, p.EIP, names.suffix(p.Linear)) }
	for _, e := range h.Events() {
		switch e := e.(type) {
		case Record:
			fmt.Fprintf(w, "exception %2d %s code %04x at %s cr2 %08x\n", e.Vector, Mnemonic(e.Vector), e.Code, at(e.Place), e.CR2)
		case Interrupt:
			fmt.Fprintf(w, "interrupt %02x at %s\n", e.Vector, at(e.Place))
		case Branch:
			fmt.Fprintf(w, "far %s -> %s\n", at(e.From), at(e.To))
		case Output:
			fmt.Fprintf(w, "out port %04x value %0*x at %s\n", e.Port, 2*int(e.Width), e.Value, at(e.Place))
		case Entry:
			fmt.Fprintf(w, "entered %08x%s\n", uint32(e.Linear), names.suffix(e.Linear))
		}
	}
}
