package cpu

import (
	"github.com/gov86/gov86/cpu/isa"
)

// A descriptor is eight bytes of the GDT or an LDT, and where they lie
// (Intel SDM Vol. 3A, "Segment Descriptors").
type descriptor struct {
	low, high uint32
	at        Linear
}

func (d *descriptor) access() uint16 { return uint16(d.high>>8) & 0xf0ff }
func (d *descriptor) present() bool  { return d.high&(1<<15) != 0 }
func (d *descriptor) dpl() uint8     { return uint8(d.high >> 13 & 3) }
func (d *descriptor) system() bool   { return d.high&(1<<12) == 0 }
func (d *descriptor) kind() uint8    { return uint8(d.high >> 8 & 15) }
func (d *descriptor) base() uint32 {
	return d.low>>16 | d.high&0xff<<16 | d.high&0xff000000
}

func (d *descriptor) limit() uint32 {
	l := d.low&0xffff | d.high&0xf0000
	if d.high&(1<<23) != 0 {
		l = l<<12 | 0xfff
	}
	return l
}

// code and data classify segments that are not system segments.
func (d *descriptor) code() bool       { return !d.system() && d.kind()&AccessCode != 0 }
func (d *descriptor) conforming() bool { return d.code() && d.kind()&AccessDC != 0 }
func (d *descriptor) writableData() bool {
	return !d.system() && d.kind()&(AccessCode|AccessRW) == AccessRW
}

// segment is the hidden part a descriptor loads.
func (d *descriptor) segment(selector uint16) Segment {
	return Segment{Selector: selector, Access: d.access(), Limit: d.limit(), Base: d.base(), Usable: true}
}

// Types of system segments and gates (Intel SDM Vol. 3A, "System Descriptor Types").
const (
	typeTSS16     = 1
	typeLDT       = 2
	typeTSS16Busy = 3
	typeCall16    = 4
	typeTaskGate  = 5
	typeInt16     = 6
	typeTrap16    = 7
	typeTSS32     = 9
	typeTSS32Busy = 11
	typeCall32    = 12
	typeInt32     = 14
	typeTrap32    = 15
)

func null(selector uint16) bool { return selector&^3 == 0 }

// index is a selector as error codes have it: without the RPL.
func index(selector uint16) uint16 { return selector &^ 3 }

// lookup finds the descriptor a selector names. ok is false when it lies
// beyond its table.
func (c *CPU) lookup(selector uint16) (d descriptor, ok bool, t Trap) {
	table := &c.GDTR
	if selector&4 != 0 {
		if table = &c.LDTR; !table.Usable {
			return d, false, NoTrap
		}
	}
	if uint32(selector|7) > table.Limit {
		return d, false, NoTrap
	}
	d.at = Linear(table.Base + uint32(selector&^7))
	if d.low, t = c.ReadLinear(d.at, 4, Implicit); t != NoTrap {
		return d, false, t
	}
	d.high, t = c.ReadLinear(d.at+4, 4, Implicit)
	return d, t == NoTrap, t
}

// need is lookup for a selector that must name a descriptor: if it does not,
// the fault is vec with the selector as error code.
func (c *CPU) need(selector uint16, vec uint8, ext uint16) (descriptor, Trap) {
	d, ok, t := c.lookup(selector)
	if t == NoTrap && !ok {
		t = Fault(vec, index(selector)|ext)
	}
	return d, t
}

// markAccessed sets the accessed bit of a code or data descriptor in its table.
func (c *CPU) markAccessed(d *descriptor) Trap {
	if d.system() || d.high&(1<<8) != 0 {
		return NoTrap
	}
	d.high |= 1 << 8
	return c.WriteLinear(d.at+4, 4, d.high, Implicit)
}

// SetRealSegment loads a segment register as real and virtual-8086 mode do:
// the base is the selector times 16. In real mode the limit, and all of the
// hidden part but the base, stay as they are ("unreal mode" lives on that).
func (c *CPU) SetRealSegment(s isa.Seg, selector uint16) {
	g := &c.Seg[s]
	if !g.Usable {
		// It was null in protected mode, and so has no limit to keep.
		g.Limit, g.Access = 0xffff, realAccess
	}
	g.Selector, g.Base, g.Usable = selector, uint32(selector)<<4, true
	if c.V86() {
		g.Limit, g.Access = 0xffff, v86Access
	} else if s == isa.CS {
		// A far transfer in real mode makes CS readable, writable code.
		g.Access = g.Access&(AccessDB|AccessG) | realAccess
	}
}

const (
	realAccess = AccessP | AccessS | AccessRW | AccessA
	v86Access  = realAccess | 3<<5
)

// LoadSegment is MOV or POP to ES, SS, DS, FS or GS, and the far-pointer loads
// (Intel SDM Vol. 2, "MOV", Protected Mode Exceptions). It changes nothing
// unless it succeeds.
func (c *CPU) LoadSegment(s isa.Seg, selector uint16) Trap {
	switch {
	case !c.Protected():
		c.SetRealSegment(s, selector)
		return NoTrap
	case s == isa.SS:
		return c.loadSS(selector, c.CPL)
	}
	return c.loadData(s, selector)
}

// loadSS loads the stack segment for privilege level cpl.
func (c *CPU) loadSS(selector uint16, cpl uint8) Trap {
	if null(selector) {
		return GP(0)
	}
	d, t := c.need(selector, VecGP, 0)
	if t != NoTrap {
		return t
	}
	switch {
	case uint8(selector&3) != cpl, d.dpl() != cpl, !d.writableData():
		return GP(index(selector))
	case !d.present():
		return Fault(VecSS, index(selector))
	}
	if t := c.markAccessed(&d); t != NoTrap {
		return t
	}
	c.Seg[isa.SS] = d.segment(selector)
	return NoTrap
}

// loadData loads a data segment register.
func (c *CPU) loadData(s isa.Seg, selector uint16) Trap {
	if null(selector) {
		c.Seg[s] = Segment{Selector: selector}
		return NoTrap
	}
	d, t := c.need(selector, VecGP, 0)
	if t != NoTrap {
		return t
	}
	readable := !d.system() && (!d.code() || d.kind()&AccessRW != 0)
	if !readable {
		return GP(index(selector))
	}
	if !d.conforming() && (uint8(selector&3) > d.dpl() || c.CPL > d.dpl()) {
		return GP(index(selector))
	}
	if !d.present() {
		return Fault(VecNP, index(selector))
	}
	if t := c.markAccessed(&d); t != NoTrap {
		return t
	}
	c.Seg[s] = d.segment(selector)
	return NoTrap
}

// setCS loads CS with a code segment that was checked, for privilege level cpl.
func (c *CPU) setCS(selector uint16, d *descriptor, cpl uint8) Trap {
	if t := c.markAccessed(d); t != NoTrap {
		return t
	}
	c.Seg[isa.CS] = d.segment(selector&^3 | uint16(cpl))
	c.CPL = cpl
	return NoTrap
}

// Check checks an access of n bytes at offset off of a segment
// (Intel SDM Vol. 3A, "Limit Checking", "Type Checking").
func (c *CPU) Check(s isa.Seg, off uint32, n int, write bool) Trap {
	g := &c.Seg[s]
	vec := uint8(VecGP)
	if s == isa.SS {
		vec = VecSS
	}
	if !g.Usable {
		return GP(0)
	}
	if c.Protected() {
		code := g.Access&AccessCode != 0
		if write && (code || g.Access&AccessRW == 0) || !write && code && g.Access&AccessRW == 0 {
			return GP(0)
		}
	}
	last := uint64(off) + uint64(n) - 1
	if g.Access&(AccessCode|AccessDC) == AccessDC { // expand-down
		top := uint64(0xffff)
		if g.Access&AccessDB != 0 {
			top = 0xffffffff
		}
		if off <= g.Limit || last > top {
			return Fault(vec, 0)
		}
		return NoTrap
	}
	if last > uint64(g.Limit) {
		return Fault(vec, 0)
	}
	return NoTrap
}

// LoadLDT is LLDT.
func (c *CPU) LoadLDT(selector uint16) Trap {
	if null(selector) {
		c.LDTR = Segment{Selector: selector}
		return NoTrap
	}
	if selector&4 != 0 {
		return GP(index(selector))
	}
	d, t := c.need(selector, VecGP, 0)
	if t != NoTrap {
		return t
	}
	if !d.system() || d.kind() != typeLDT {
		return GP(index(selector))
	}
	if !d.present() {
		return Fault(VecNP, index(selector))
	}
	c.LDTR = d.segment(selector)
	return NoTrap
}

// LoadTR is LTR: the TSS is made busy.
func (c *CPU) LoadTR(selector uint16) Trap {
	if null(selector) {
		return GP(0)
	}
	if selector&4 != 0 {
		return GP(index(selector))
	}
	d, t := c.need(selector, VecGP, 0)
	if t != NoTrap {
		return t
	}
	if !d.system() || d.kind() != typeTSS16 && d.kind() != typeTSS32 {
		return GP(index(selector))
	}
	if !d.present() {
		return Fault(VecNP, index(selector))
	}
	d.high |= tssBusy
	if t := c.WriteLinear(d.at+4, 4, d.high, Implicit); t != NoTrap {
		return t
	}
	c.TR = d.segment(selector)
	return NoTrap
}

// visible reports whether LAR, LSL, VERR and VERW may see a descriptor.
func (c *CPU) visible(selector uint16, d *descriptor) bool {
	return d.conforming() || c.CPL <= d.dpl() && uint8(selector&3) <= d.dpl()
}

// LoadAccessRights is LAR; ok is what ZF becomes.
func (c *CPU) LoadAccessRights(selector uint16) (rights uint32, ok bool, t Trap) {
	d, ok, t := c.inspect(selector, 1<<typeTSS16|1<<typeLDT|1<<typeTSS16Busy|1<<typeCall16|1<<typeTaskGate|
		1<<typeTSS32|1<<typeTSS32Busy|1<<typeCall32)
	return d.high & 0xf0ff00, ok, t
}

// SegmentLimit is LSL; ok is what ZF becomes.
func (c *CPU) SegmentLimit(selector uint16) (limit uint32, ok bool, t Trap) {
	d, ok, t := c.inspect(selector, 1<<typeTSS16|1<<typeLDT|1<<typeTSS16Busy|1<<typeTSS32|1<<typeTSS32Busy)
	return d.limit(), ok, t
}

// inspect finds a descriptor that may be seen: a segment, or a system segment
// or gate of a type in kinds.
func (c *CPU) inspect(selector uint16, kinds uint32) (d descriptor, ok bool, t Trap) {
	if null(selector) {
		return d, false, NoTrap
	}
	d, ok, t = c.lookup(selector)
	if !ok || t != NoTrap {
		return d, false, t
	}
	if d.system() && kinds>>d.kind()&1 == 0 {
		return d, false, NoTrap
	}
	return d, c.visible(selector, &d), NoTrap
}

// Verify is VERR or VERW; ok is what ZF becomes.
func (c *CPU) Verify(selector uint16, write bool) (ok bool, t Trap) {
	d, ok, t := c.inspect(selector, 0)
	if !ok || t != NoTrap {
		return false, t
	}
	if write {
		return d.writableData(), NoTrap
	}
	return !d.code() || d.kind()&AccessRW != 0, NoTrap
}
