package cpu

import "github.com/gov86/gov86/cpu/isa"

// Far transfers of control (Intel SDM Vol. 2, "JMP", "CALL", "RET", "IRET";
// Vol. 3A, "Privilege Level Checking When Transferring Program Control").

func mask(size int) uint32 {
	if size == 2 {
		return 0xffff
	}
	return 0xffffffff
}

// plain reports whether segments are those of the 8086.
func (c *CPU) plain() bool { return !c.Protected() }

// transferReal is a far jump of real and virtual-8086 mode.
func (c *CPU) transferReal(selector uint16, off uint32) Trap {
	if off > c.Seg[isa.CS].Limit {
		return GP(0)
	}
	c.SetRealSegment(isa.CS, selector)
	c.EIP = off
	return NoTrap
}

// codeTarget checks a code segment that a jump or call names directly, for
// privilege level cpl.
func (c *CPU) codeTarget(selector uint16, d *descriptor) Trap {
	rpl := uint8(selector & 3)
	switch {
	case d.conforming() && d.dpl() > c.CPL,
		!d.conforming() && (rpl > c.CPL || d.dpl() != c.CPL):
		return GP(index(selector))
	case !d.present():
		return Fault(VecNP, index(selector))
	}
	return NoTrap
}

// transferred remembers a far transfer from from that ended with t.
func (c *CPU) transferred(from Place, t Trap) Trap {
	if t == NoTrap || t.After() {
		c.branched(from)
	}
	return t
}

// FarJump is JMP with a far pointer of size-byte offset.
func (c *CPU) FarJump(selector uint16, off uint32, size int) Trap {
	return c.transferred(c.place(), c.farJump(selector, off&mask(size)))
}

func (c *CPU) farJump(selector uint16, off uint32) Trap {
	if c.plain() {
		return c.transferReal(selector, off)
	}
	if null(selector) {
		return GP(0)
	}
	d, t := c.need(selector, VecGP, 0)
	if t != NoTrap {
		return t
	}
	if d.code() {
		if t := c.codeTarget(selector, &d); t != NoTrap {
			return t
		}
		if off > d.limit() {
			return GP(0)
		}
		if t := c.setCS(selector, &d, c.CPL); t != NoTrap {
			return t
		}
		c.EIP = off
		return NoTrap
	}
	if t := c.gateRights(selector, &d); t != NoTrap {
		return t
	}
	switch d.kind() {
	case typeCall16, typeCall32:
		target, td, entry, t := c.callGate(&d, true)
		if t != NoTrap {
			return t
		}
		if entry > td.limit() {
			return GP(0)
		}
		if t := c.setCS(target, &td, c.CPL); t != NoTrap {
			return t
		}
		c.EIP = entry
		return NoTrap
	}
	return c.taskTarget(selector, &d, byJump)
}

// gateRights checks a gate or TSS that a jump or call names.
func (c *CPU) gateRights(selector uint16, d *descriptor) Trap {
	if !d.system() {
		return GP(index(selector))
	}
	switch d.kind() {
	case typeCall16, typeCall32, typeTaskGate, typeTSS16, typeTSS32:
	default:
		return GP(index(selector))
	}
	if d.dpl() < c.CPL || d.dpl() < uint8(selector&3) {
		return GP(index(selector))
	}
	if !d.present() {
		return Fault(VecNP, index(selector))
	}
	return NoTrap
}

// callGate follows a call gate to its code segment and entry point. A jump may
// not gain privilege by it.
func (c *CPU) callGate(g *descriptor, jump bool) (selector uint16, d descriptor, entry uint32, t Trap) {
	selector = uint16(g.low >> 16)
	entry = g.low & 0xffff
	if g.kind() == typeCall32 {
		entry |= g.high & 0xffff0000
	}
	if null(selector) {
		return selector, d, 0, GP(0)
	}
	d, t = c.need(selector, VecGP, 0)
	switch {
	case t != NoTrap:
	case !d.code() || d.dpl() > c.CPL || jump && !d.conforming() && d.dpl() != c.CPL:
		t = GP(index(selector))
	case !d.present():
		t = Fault(VecNP, index(selector))
	}
	return selector, d, entry, t
}

// FarCall is CALL with a far pointer of size-byte offset.
func (c *CPU) FarCall(selector uint16, off uint32, size int) Trap {
	return c.transferred(c.place(), c.farCall(selector, off&mask(size), size))
}

func (c *CPU) farCall(selector uint16, off uint32, size int) Trap {
	if c.plain() {
		f := c.operandFrame()
		if t := c.pushReturn(&f, size); t != NoTrap {
			return t
		}
		if t := c.transferReal(selector, off); t != NoTrap {
			return t
		}
		f.commit()
		return NoTrap
	}
	if null(selector) {
		return GP(0)
	}
	d, t := c.need(selector, VecGP, 0)
	if t != NoTrap {
		return t
	}
	if d.code() {
		if t := c.codeTarget(selector, &d); t != NoTrap {
			return t
		}
		return c.callSame(selector, &d, off, size)
	}
	if t := c.gateRights(selector, &d); t != NoTrap {
		return t
	}
	if k := d.kind(); k == typeCall16 || k == typeCall32 {
		return c.callThrough(&d)
	}
	return c.taskTarget(selector, &d, byCall)
}

func (c *CPU) pushReturn(f *frame, size int) Trap {
	if t := f.room(2, size); t != NoTrap {
		return t
	}
	if t := f.push(uint32(c.Seg[isa.CS].Selector), size); t != NoTrap {
		return t
	}
	return f.push(c.EIP, size)
}

// callSame is a call without a change of privilege. The stack is looked at
// before the limit of the code segment.
func (c *CPU) callSame(selector uint16, d *descriptor, off uint32, size int) Trap {
	f := c.operandFrame()
	if t := f.room(2, size); t != NoTrap {
		return t
	}
	if off > d.limit() {
		return GP(0)
	}
	if t := c.pushReturn(&f, size); t != NoTrap {
		return t
	}
	if t := c.setCS(selector, d, c.CPL); t != NoTrap {
		return t
	}
	f.commit()
	c.EIP = off
	return NoTrap
}

// callThrough is a call through a gate: to more privilege it switches stacks
// and copies the gate's count of parameters.
func (c *CPU) callThrough(g *descriptor) Trap {
	size := 2
	if g.kind() == typeCall32 {
		size = 4
	}
	selector, d, entry, t := c.callGate(g, false)
	if t != NoTrap {
		return t
	}
	if d.conforming() || d.dpl() == c.CPL {
		return c.callSame(selector, &d, entry, size)
	}
	f, t := c.innerFrame(d.dpl(), 0)
	if t != NoTrap {
		return t
	}
	count := int(g.high & 31)
	if t := f.room(count+4, size); t != NoTrap {
		return t
	}
	if entry > d.limit() {
		return GP(0)
	}
	old := c.operandFrame()
	var params [32]uint32
	for i := range count {
		if params[i], t = old.pop(size); t != NoTrap {
			return t
		}
	}
	words := []uint32{uint32(c.Seg[isa.SS].Selector), c.Reg32(ESP)}
	for i := count - 1; i >= 0; i-- {
		words = append(words, params[i])
	}
	words = append(words, uint32(c.Seg[isa.CS].Selector), c.EIP)
	for _, w := range words {
		if t := f.push(w, size); t != NoTrap {
			return t
		}
	}
	if t := c.setCS(selector, &d, d.dpl()); t != NoTrap {
		return t
	}
	c.Seg[isa.SS] = f.seg
	f.commit()
	c.EIP = entry
	return NoTrap
}

// returnTarget checks the code segment that a return goes to.
func (c *CPU) returnTarget(selector uint16) (descriptor, Trap) {
	if null(selector) {
		return descriptor{}, GP(0)
	}
	d, t := c.need(selector, VecGP, 0)
	rpl := uint8(selector & 3)
	switch {
	case t != NoTrap:
	case !d.code(), rpl < c.CPL, d.conforming() && d.dpl() > rpl, !d.conforming() && d.dpl() != rpl:
		t = GP(index(selector))
	case !d.present():
		t = Fault(VecNP, index(selector))
	}
	return d, t
}

// returnStack checks the stack segment that a return to less privilege pops.
func (c *CPU) returnStack(selector uint16, rpl uint8) (descriptor, Trap) {
	if null(selector) {
		return descriptor{}, GP(0)
	}
	d, t := c.need(selector, VecGP, 0)
	switch {
	case t != NoTrap:
	case uint8(selector&3) != rpl, !d.writableData(), d.dpl() != rpl:
		t = GP(index(selector))
	case !d.present():
		t = Fault(VecSS, index(selector))
	}
	return d, t
}

// FarReturn is RET far; pop is its count of bytes to release.
func (c *CPU) FarReturn(size int, pop uint16) Trap {
	return c.transferred(c.place(), c.farReturn(size, pop))
}

func (c *CPU) farReturn(size int, pop uint16) Trap {
	f := c.operandFrame()
	off, t := f.pop(size)
	if t != NoTrap {
		return t
	}
	cs, t := f.pop(size)
	if t != NoTrap {
		return t
	}
	selector := uint16(cs)
	if c.plain() {
		if t := c.transferReal(selector, off); t != NoTrap {
			return t
		}
		f.drop(uint32(pop))
		f.commit()
		return NoTrap
	}
	d, t := c.returnTarget(selector)
	if t != NoTrap {
		return t
	}
	f.drop(uint32(pop))
	if uint8(selector&3) == c.CPL {
		if off > d.limit() {
			return GP(0)
		}
		if t := c.setCS(selector, &d, c.CPL); t != NoTrap {
			return t
		}
		f.commit()
		c.EIP = off
		return NoTrap
	}
	return c.returnOuter(&f, selector, &d, off, size, uint32(pop))
}

// returnOuter returns to less privilege: SS:ESP is popped, and data segments
// that the outer level may not use become null. The stack is looked at before
// the limit of the code segment.
func (c *CPU) returnOuter(f *frame, selector uint16, d *descriptor, off uint32, size int, pop uint32) Trap {
	sp, t := f.pop(size)
	if t != NoTrap {
		return t
	}
	ss, t := f.pop(size)
	if t != NoTrap {
		return t
	}
	rpl := uint8(selector & 3)
	sd, t := c.returnStack(uint16(ss), rpl)
	if t != NoTrap {
		return t
	}
	if off > d.limit() {
		return GP(0)
	}
	if t := c.markAccessed(&sd); t != NoTrap {
		return t
	}
	if t := c.setCS(selector, d, rpl); t != NoTrap {
		return t
	}
	c.EIP = off
	c.Seg[isa.SS] = sd.segment(uint16(ss))
	outer := frame{c: c, seg: c.Seg[isa.SS], sp: sp}
	outer.drop(pop)
	outer.commit()
	c.dropSegments()
	return NoTrap
}

// dropSegments nulls data segments of more privilege than CPL. A null selector
// loses its RPL.
func (c *CPU) dropSegments() {
	for _, s := range []isa.Seg{isa.ES, isa.DS, isa.FS, isa.GS} {
		g := &c.Seg[s]
		conforming := g.Access&(AccessCode|AccessDC) == AccessCode|AccessDC
		if !g.Usable || !conforming && g.DPL() < c.CPL {
			*g = Segment{}
		}
	}
}
