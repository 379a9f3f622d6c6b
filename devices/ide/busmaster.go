package ide

import (
	"encoding/binary"

	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/mem"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/trace"
)

// busRegs is a bus master channel and how far it is in its table.
type busRegs struct {
	command, status uint8
	table           uint32
	// next is where the next Physical Region Descriptor is; at and left are
	// what remains of the one at hand, and last says that none follows.
	next, at, left uint32
	last           bool
}

func (r *busRegs) sync(c *snapshot.Codec) {
	c.Uint8("command", &r.command)
	c.Uint8("status", &r.status)
	c.Uint32("table", &r.table)
	c.Uint32("next", &r.next)
	c.Uint32("at", &r.at)
	c.Uint32("left", &r.left)
	c.Bool("last", &r.last)
}

// master answers the ports of both bus masters.
type master Controller

// In implements portio.Handler.
func (m *master) In(off uint16, w portio.Width) uint32 {
	var v uint32
	for i := range uint16(w) {
		v |= uint32(m.read(off+i)) << (8 * i)
	}
	return v
}

func (m *master) read(off uint16) uint8 {
	if off >= 2*bmLen {
		return 0xff
	}
	b := &m.channels[off/bmLen].bus
	switch reg := off % bmLen; {
	case reg == bmCommand:
		return b.command
	case reg == bmStatus:
		return b.status
	case reg >= bmTable:
		return uint8(b.table >> (8 * (reg - bmTable)))
	}
	return 0
}

// Out implements portio.Handler.
func (m *master) Out(off uint16, w portio.Width, v uint32) {
	for i := range uint16(w) {
		m.write(off+i, uint8(v>>(8*i)))
	}
}

func (m *master) write(off uint16, v uint8) {
	if off >= 2*bmLen {
		return
	}
	c := m.channels[off/bmLen]
	b := &c.bus
	switch reg := off % bmLen; {
	case reg == bmCommand:
		c.master(v)
	case reg == bmStatus:
		// Bits 1 and 2 are cleared by a one; 5 and 6 are software's.
		b.status = b.status&^(v&(bmError|bmInterrupt))&^bmCapable | v&bmCapable
	case reg >= bmTable:
		shift := 8 * (reg - bmTable)
		b.table = (b.table&^(0xff<<shift) | uint32(v)<<shift) &^ 3
	}
}

// master is a write to the bus master's command register. Stopping in the middle loses
// what was under way; the drive is left waiting, until it is reset.
func (c *channel) master(v uint8) {
	b := &c.bus
	started := v&^b.command&bmStart != 0
	b.command = v & (bmStart | bmToMemory)
	switch {
	case v&bmStart == 0:
		b.status &^= bmActive
	case started:
		b.status |= bmActive
		b.next, b.left, b.last = b.table, 0, false
		c.pump()
	}
}

// pump moves data while the bus master is active and the selected drive asks
// for it. The drive decides the direction, as it does on the cable.
func (c *channel) pump() {
	if c.pumping {
		return // the loop below goes on
	}
	c.pumping = true
	defer func() { c.pumping = false }()
	for {
		d := c.selected()
		if c.bus.status&bmActive == 0 || d.phase != phaseDMA {
			return
		}
		d.pos += c.bus.move(c.dma, d.buffer[d.pos:], !d.out)
		if int(d.pos) == len(d.buffer) {
			d.moved()
		}
	}
}

// move moves p to or from the regions and returns how much of it: all, unless
// the table ends before or memory is not there.
func (b *busRegs) move(dma mem.DMA, p []byte, toMemory bool) uint32 {
	done := uint32(0)
	for int(done) < len(p) {
		if b.left == 0 && !b.region(dma) {
			return done
		}
		n := min(b.left, uint32(len(p))-done)
		var err error
		if part := p[done : done+n]; toMemory {
			err = dma.WriteAt(part, mem.Addr(b.at))
		} else {
			err = dma.ReadAt(part, mem.Addr(b.at))
		}
		if err != nil {
			b.fail(err)
			return done
		}
		done, b.at, b.left = done+n, b.at+n, b.left-n
		if b.left == 0 && b.last {
			b.status &^= bmActive
		}
	}
	return done
}

// region takes the next Physical Region Descriptor (PIIX3 data sheet, "Physical
// Region Descriptor Format"): an address, a count of which 0 is 64 KiB, and
// whether it is the last.
func (b *busRegs) region(dma mem.DMA) bool {
	if b.last {
		b.status &^= bmActive
		return false
	}
	var p [8]byte
	if err := dma.ReadAt(p[:], mem.Addr(b.next)); err != nil {
		b.fail(err)
		return false
	}
	b.next += uint32(len(p))
	b.at = binary.LittleEndian.Uint32(p[:]) &^ 1
	count := binary.LittleEndian.Uint32(p[4:])
	b.last = count>>31 != 0
	if b.left = count & 0xfffe; b.left == 0 {
		b.left = 64 << 10
	}
	return true
}

// fail is a master or target abort: the transfer ends there, and the drive is
// not told.
func (b *busRegs) fail(err error) {
	if trace.On(trace.Disk) {
		trace.Text(trace.Disk, "bus master error", err.Error())
	}
	b.status = b.status&^bmActive | bmError
}
