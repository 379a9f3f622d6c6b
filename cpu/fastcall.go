package cpu

import "github.com/gov86/gov86/cpu/isa"

// flatSegment is a segment SYSENTER and SYSEXIT load without a descriptor.
func flatSegment(selector uint16, dpl uint8, code bool) Segment {
	g := Segment{Selector: selector, Limit: 0xffffffff, Usable: true,
		Access: AccessP | AccessS | AccessRW | AccessA | AccessDB | AccessG | uint16(dpl)<<5}
	if code {
		g.Access |= AccessCode
	}
	return g
}

// SysEnter is SYSENTER (Intel SDM Vol. 2, "SYSENTER—Fast System Call").
func (c *CPU) SysEnter() Trap {
	cs := uint16(c.MSR.SysenterCS) &^ 3
	if c.CR0&CR0PE == 0 || cs == 0 {
		return GP(0)
	}
	c.EFLAGS &^= FlagVM | FlagIF | FlagRF
	c.Seg[isa.CS] = flatSegment(cs, 0, true)
	c.Seg[isa.SS] = flatSegment(cs+8, 0, false)
	c.CPL = 0
	c.SetReg32(ESP, c.MSR.SysenterESP)
	c.EIP = c.MSR.SysenterEIP
	return NoTrap
}

// SysExit is SYSEXIT (Intel SDM Vol. 2, "SYSEXIT—Fast Return from Fast System Call").
func (c *CPU) SysExit() Trap {
	cs := uint16(c.MSR.SysenterCS) &^ 3
	if c.CR0&CR0PE == 0 || cs == 0 || c.CPL != 0 || c.V86() {
		return GP(0)
	}
	c.Seg[isa.CS] = flatSegment(cs+16|3, 3, true)
	c.Seg[isa.SS] = flatSegment(cs+24|3, 3, false)
	c.CPL = 3
	c.SetReg32(ESP, c.Reg32(ECX))
	c.EIP = c.Reg32(EDX)
	return NoTrap
}
