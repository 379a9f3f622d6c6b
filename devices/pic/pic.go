// Package pic is a pair of cascaded 8259A interrupt controllers with the
// edge/level control registers of the PIIX (Intel 8259A data sheet; 82371AB
// data sheet, "ELCR1", "ELCR2").
//
// Not modelled: the MCS-80/85 mode and buffered mode, which a PC cannot use.
package pic

import (
	"fmt"

	"github.com/gov86/gov86/hw"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/trace"
)

const (
	icw1     = 1 << 4 // in the first command word
	icw1IC4  = 1 << 0
	icw1SNGL = 1 << 1
	icw4AEOI = 1 << 1
	icw4SFNM = 1 << 4

	ocw3       = 1 << 3
	ocw3RR     = 1 << 1
	ocw3RIS    = 1 << 0
	ocw3P      = 1 << 2
	ocw3ESMM   = 1 << 6
	ocw3SMM    = 1 << 5
	cascadeIRQ = 2
	spurious   = 7
)

// chip is one 8259A: all the guest can observe.
type chip struct {
	irr, isr, imr uint8
	// lines are the levels at the inputs, elcr which are level-triggered.
	lines, elcr uint8
	base        uint8 // of the vectors, ICW2
	lowest      uint8 // the input of lowest priority
	step        uint8 // the initialization word expected next, 0 for none
	icw4Needed  bool
	single      bool
	readISR     bool
	poll        bool
	autoEOI     bool
	rotateAEOI  bool
	specialMask bool
	nested      bool // special fully nested mode
}

func (c *chip) sync(s *snapshot.Codec) {
	for _, f := range []struct {
		name string
		v    *uint8
	}{{"irr", &c.irr}, {"isr", &c.isr}, {"imr", &c.imr}, {"lines", &c.lines}, {"elcr", &c.elcr},
		{"base", &c.base}, {"lowest", &c.lowest}, {"step", &c.step}} {
		s.Uint8(f.name, f.v)
	}
	for _, f := range []struct {
		name string
		v    *bool
	}{{"icw4Needed", &c.icw4Needed}, {"single", &c.single}, {"readISR", &c.readISR}, {"poll", &c.poll},
		{"autoEOI", &c.autoEOI}, {"rotateAEOI", &c.rotateAEOI}, {"specialMask", &c.specialMask}, {"nested", &c.nested}} {
		s.Bool(f.name, f.v)
	}
}

func (c *chip) validate() error {
	if c.lowest > 7 || c.step > 4 || c.step == 1 || c.base&7 != 0 {
		return fmt.Errorf("priority %d, step %d, base %#x: %w", c.lowest, c.step, c.base, snapshot.ErrCorrupt)
	}
	return nil
}

// set drives an input. A level-triggered request lasts as long as its line.
func (c *chip) set(n uint8, level bool) {
	bit := uint8(1) << n
	rising := level && c.lines&bit == 0
	if level {
		c.lines |= bit
	} else {
		c.lines &^= bit
	}
	switch {
	case c.elcr&bit != 0 && level, rising:
		c.irr |= bit
	case !level:
		// An edge that is gone before it was acknowledged is a spurious one.
		c.irr &^= bit
	}
}

// priority returns the input of highest priority in mask, and its rank, 8 if
// there is none.
func (c *chip) priority(mask uint8) (n, rank uint8) {
	for rank = range uint8(8) {
		n = (c.lowest + 1 + rank) & 7
		if mask>>n&1 != 0 {
			return n, rank
		}
	}
	return 0, 8
}

// request is the input that would be served now.
func (c *chip) request(master bool) (n uint8, ok bool) {
	n, rank := c.priority(c.irr &^ c.imr)
	if rank == 8 {
		return 0, false
	}
	serving := c.isr
	if c.specialMask {
		serving &^= c.imr
	}
	if c.nested && master && n == cascadeIRQ {
		// The slave may interrupt its own service, and nobody else may.
		serving &^= 1 << cascadeIRQ
	}
	_, busy := c.priority(serving)
	return n, rank < busy
}

// acknowledge is the second INTA pulse for input n.
func (c *chip) acknowledge(n uint8) {
	bit := uint8(1) << n
	if c.elcr&bit == 0 {
		c.irr &^= bit
	}
	if !c.autoEOI {
		c.isr |= bit
	} else if c.rotateAEOI {
		c.lowest = n
	}
}

// A PIC is the pair. The master's INT drives intr.
type PIC struct {
	intr hw.Line
	regs
}

// regs is all the guest can observe.
type regs struct{ master, slave chip }

func (r *regs) sync(s *snapshot.Codec) {
	s.Version(1)
	r.master.sync(s)
	r.slave.sync(s)
}

// New returns a pair whose INT output is intr.
func New(intr hw.Line) *PIC {
	p := &PIC{intr: intr}
	p.Reset()
	return p
}

// Reset implements hw.Device.
func (p *PIC) Reset() {
	lines := [2]uint8{p.master.lines, p.slave.lines}
	p.regs = regs{}
	for i, c := range []*chip{&p.master, &p.slave} {
		c.lines, c.lowest, c.imr = lines[i], 7, 0xff
	}
}

// Save implements hw.Device.
func (p *PIC) Save(s *snapshot.Codec) { p.regs.sync(s) }

// Load implements hw.Device.
func (p *PIC) Load(s *snapshot.Codec) error {
	var next regs
	next.sync(s)
	if _, err := s.Close(); err != nil {
		return err
	}
	for _, c := range []*chip{&next.master, &next.slave} {
		if err := c.validate(); err != nil {
			return err
		}
	}
	p.regs = next
	return nil
}

// Line is interrupt request input n, 0 to 15. Input 2 is the slave's own.
func (p *PIC) Line(n int) hw.Line {
	return hw.LineFunc(func(level bool) {
		if n < 8 {
			p.master.set(uint8(n), level)
		} else {
			p.slave.set(uint8(n-8), level)
		}
		p.update()
	})
}

// update drives the slave's INT into the master and the master's into the
// processor. Whatever changes a register ends here.
func (p *PIC) update() {
	_, slave := p.slave.request(false)
	// The cascade is a level whatever the trigger mode: it follows the slave.
	if slave {
		p.master.irr |= 1 << cascadeIRQ
	} else {
		p.master.irr &^= 1 << cascadeIRQ
	}
	_, master := p.master.request(true)
	p.intr.Set(master)
}

// Acknowledge is the INTA cycle. A request that has gone away in the meantime
// is answered as input 7, which is not recorded as in service.
func (p *PIC) Acknowledge() uint8 {
	defer p.update()
	n, ok := p.master.request(true)
	if !ok {
		return p.master.base | spurious
	}
	p.master.acknowledge(n)
	if n != cascadeIRQ {
		if trace.On(trace.PIC) {
			trace.Emit(trace.PIC, "acknowledge", uint64(n))
		}
		return p.master.base | n
	}
	if n, ok = p.slave.request(false); !ok {
		return p.slave.base | spurious
	}
	p.slave.acknowledge(n)
	if trace.On(trace.PIC) {
		trace.Emit(trace.PIC, "acknowledge", uint64(n)+8)
	}
	return p.slave.base | n
}

// Master and Slave answer the two ports of each chip, ELCR the two registers
// at 4D0h.
func (p *PIC) Master() portio.Handler { return &ports{p, &p.master} }

// Slave answers the ports of the second chip.
func (p *PIC) Slave() portio.Handler { return &ports{p, &p.slave} }

// ELCR answers the edge/level control registers.
func (p *PIC) ELCR() portio.Handler { return &elcr{p} }

type ports struct {
	p *PIC
	c *chip
}

func (h *ports) In(off uint16, _ portio.Width) uint32 {
	c := h.c
	switch {
	case c.poll:
		c.poll = false
		n, ok := c.request(c == &h.p.master)
		if !ok {
			return 0
		}
		c.acknowledge(n)
		h.p.update()
		return 0x80 | uint32(n)
	case off == 1:
		return uint32(c.imr)
	case c.readISR:
		return uint32(c.isr)
	}
	return uint32(c.irr)
}

func (h *ports) Out(off uint16, _ portio.Width, v uint32) {
	c, b := h.c, uint8(v)
	switch {
	case off == 1:
		c.data(b)
	case b&icw1 != 0:
		c.initialize(b)
	case b&ocw3 != 0:
		c.command(b)
	default:
		c.endOfInterrupt(b)
	}
	h.p.update()
}

// initialize is ICW1.
func (c *chip) initialize(v uint8) {
	*c = chip{lines: c.lines, elcr: c.elcr, base: c.base, lowest: 7, step: 2,
		icw4Needed: v&icw1IC4 != 0, single: v&icw1SNGL != 0}
	// A level that is up makes a request again; an edge must come anew.
	c.irr = c.lines & c.elcr
}

// data is ICW2 to ICW4 after ICW1, else OCW1.
func (c *chip) data(v uint8) {
	next := func(after uint8) {
		c.step = after
		if after == 3 && c.single {
			c.step = 4
		}
		if c.step == 4 && !c.icw4Needed {
			c.step = 0
		}
	}
	switch c.step {
	case 2:
		c.base = v &^ 7
		next(3)
	case 3:
		next(4)
	case 4:
		c.autoEOI, c.nested = v&icw4AEOI != 0, v&icw4SFNM != 0
		c.step = 0
	default:
		c.imr = v
	}
}

// command is OCW3.
func (c *chip) command(v uint8) {
	if v&ocw3P != 0 {
		c.poll = true
	}
	if v&ocw3RR != 0 {
		c.readISR = v&ocw3RIS != 0
	}
	if v&ocw3ESMM != 0 {
		c.specialMask = v&ocw3SMM != 0
	}
}

// endOfInterrupt is OCW2: R, SL and EOI in bits 7 to 5, a level in bits 2 to 0.
func (c *chip) endOfInterrupt(v uint8) {
	level := v & 7
	serving := c.isr
	if c.specialMask {
		serving &^= c.imr
	}
	n, rank := c.priority(serving)
	switch v >> 5 {
	case 0, 4: // rotate in automatic EOI mode: clear, set
		c.rotateAEOI = v>>5 == 4
	case 1, 5: // non-specific EOI, and rotate
		if rank < 8 {
			c.isr &^= 1 << n
			if v>>5 == 5 {
				c.lowest = n
			}
		}
	case 3, 7: // specific EOI, and rotate
		c.isr &^= 1 << level
		if v>>5 == 7 {
			c.lowest = level
		}
	case 6: // set priority
		c.lowest = level
	}
}

type elcr struct{ p *PIC }

// The inputs of the timer, keyboard, cascade, clock and coprocessor are always
// edge-triggered.
const (
	elcrMaster = 0xf8
	elcrSlave  = 0xde
)

func (h *elcr) In(off uint16, _ portio.Width) uint32 {
	if off == 0 {
		return uint32(h.p.master.elcr)
	}
	return uint32(h.p.slave.elcr)
}

func (h *elcr) Out(off uint16, _ portio.Width, v uint32) {
	if off == 0 {
		h.p.master.setELCR(uint8(v) & elcrMaster)
	} else {
		h.p.slave.setELCR(uint8(v) & elcrSlave)
	}
	h.p.update()
}

// setELCR turns inputs into level-triggered ones, which request by their lines.
func (c *chip) setELCR(v uint8) {
	c.elcr = v
	c.irr = c.irr&^v | c.lines&v
}
