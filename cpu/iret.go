package cpu

import "github.com/gov86/gov86/cpu/isa"

// flagsMask are the bits of EFLAGS that IRET with size-byte operands loads at
// privilege level cpl.
func (c *CPU) flagsMask(size int) uint32 {
	m := uint32(FlagsStatus | FlagTF | FlagDF | FlagNT)
	if size == 4 {
		m |= FlagRF | FlagAC | FlagID
	}
	if c.CR0&CR0PE == 0 || c.CPL <= c.IOPL() {
		m |= FlagIF
	}
	if c.CPL == 0 && !c.V86() {
		m |= FlagIOPL
		if size == 4 && c.CR0&CR0PE != 0 {
			m |= FlagVIF | FlagVIP
		}
	}
	return m
}

// InterruptReturn is IRET. An NMI may come again afterwards, even if it faults
// (Intel SDM Vol. 3A, "Handling Multiple NMIs").
func (c *CPU) InterruptReturn(size int) Trap {
	c.NMIBlocked = false
	stepped := c.EFLAGS&FlagTF != 0
	t := c.transferred(c.place(), c.interruptReturn(size))
	if c.DR[7]&dr7Enable == 0 && !stepped {
		// RF would be cleared by the next instruction, which has no breakpoint
		// to pass. Without one, and without a trap before it, nobody looks.
		c.EFLAGS &^= FlagRF
	}
	return t
}

func (c *CPU) interruptReturn(size int) Trap {
	switch {
	case c.V86():
		return c.returnV86(size)
	case c.CR0&CR0PE == 0:
		return c.returnPlain(size, c.flagsMask(size))
	case c.EFLAGS&FlagNT != 0:
		return c.taskReturn()
	}
	return c.returnProtected(size)
}

// returnPlain is IRET of the 8086: it loads the flags in m.
func (c *CPU) returnPlain(size int, m uint32) Trap {
	f := c.operandFrame()
	var w [3]uint32
	for i := range w {
		var t Trap
		if w[i], t = f.pop(size); t != NoTrap {
			return t
		}
	}
	if t := c.transferReal(uint16(w[1]), w[0]); t != NoTrap {
		return t
	}
	f.commit()
	c.EFLAGS = c.EFLAGS&^m | w[2]&m
	if size == 2 {
		c.EFLAGS &^= FlagRF
	}
	return NoTrap
}

// returnV86 is IRET in virtual-8086 mode. Below IOPL 3 it needs CR4.VME, and IF
// stands for VIF.
func (c *CPU) returnV86(size int) Trap {
	if c.IOPL() == 3 {
		return c.returnPlain(size, c.flagsMask(size)&^FlagIOPL)
	}
	if c.CR4&CR4VME == 0 || size == 4 {
		return GP(0)
	}
	f := c.operandFrame()
	f.drop(4)
	v, t := f.pop(2)
	if t != NoTrap {
		return t
	}
	if v&FlagTF != 0 || v&FlagIF != 0 && c.EFLAGS&FlagVIP != 0 {
		return GP(0)
	}
	if t := c.returnPlain(2, FlagsStatus|FlagDF|FlagNT); t != NoTrap {
		return t
	}
	c.EFLAGS &^= FlagVIF
	if v&FlagIF != 0 {
		c.EFLAGS |= FlagVIF
	}
	return NoTrap
}

// returnProtected is IRET in protected mode, outside a nested task.
func (c *CPU) returnProtected(size int) Trap {
	f := c.operandFrame()
	var w [3]uint32
	for i := range w {
		var t Trap
		if w[i], t = f.pop(size); t != NoTrap {
			return t
		}
	}
	off, selector, flags := w[0], uint16(w[1]), w[2]
	if size == 4 && flags&FlagVM != 0 && c.CPL == 0 {
		return c.enterV86(&f, off, selector, flags)
	}
	d, t := c.returnTarget(selector)
	if t != NoTrap {
		return t
	}
	m := c.flagsMask(size)
	if uint8(selector&3) == c.CPL {
		if off > d.limit() {
			return GP(0)
		}
		if t := c.setCS(selector, &d, c.CPL); t != NoTrap {
			return t
		}
		f.commit()
		c.EIP = off
	} else if t := c.returnOuter(&f, selector, &d, off, size, 0); t != NoTrap {
		return t
	}
	c.EFLAGS = c.EFLAGS&^m | flags&m
	if size == 2 {
		c.EFLAGS &^= FlagRF
	}
	return NoTrap
}

// enterV86 is IRET to virtual-8086 mode: the rest of the frame holds its stack
// and segments.
func (c *CPU) enterV86(f *frame, off uint32, selector uint16, flags uint32) Trap {
	var w [6]uint32
	for i := range w {
		var t Trap
		if w[i], t = f.pop(4); t != NoTrap {
			return t
		}
	}
	if off > 0xffff {
		return GP(0)
	}
	c.EFLAGS = flags&loadable | FlagOne | FlagVM
	c.CPL = 3
	c.SetRealSegment(isa.CS, selector)
	c.SetReg32(ESP, w[0])
	for i, s := range []isa.Seg{isa.SS, isa.ES, isa.DS, isa.FS, isa.GS} {
		c.SetRealSegment(s, uint16(w[i+1]))
	}
	c.EIP = off
	return NoTrap
}
