package interp

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

func push(e *Engine, in *isa.Inst) cpu.Trap {
	if in.Args[0].Kind() == isa.SReg {
		return e.push(uint32(e.Seg[in.Args[0].Num()].Selector), in.OpSize)
	}
	v, t := e.value(in, in.Args[0])
	if t != cpu.NoTrap {
		return t
	}
	return e.push(v, in.OpSize)
}

func pop(e *Engine, in *isa.Inst) cpu.Trap {
	a := in.Args[0]
	switch a.Kind() {
	case isa.SReg:
		v, t := e.top(0, in.OpSize)
		if t != cpu.NoTrap {
			return t
		}
		if t := e.LoadSegment(isa.Seg(a.Num()), uint16(v)); t != cpu.NoTrap {
			return t
		}
		// POP SS: the stack's size may have changed with the segment, and the
		// pointer moves by the old one.
		e.setSP(e.sp() + uint32(in.OpSize))
		e.Shadow = isa.Seg(a.Num()) == isa.SS
		return cpu.NoTrap
	case isa.Mem:
		// An address based on ESP is computed after ESP has moved.
		old := e.GPR[cpu.ESP]
		v, t := e.pop(in.OpSize)
		if t != cpu.NoTrap {
			return t
		}
		if t := e.setValue(in, a, v); t != cpu.NoTrap {
			e.GPR[cpu.ESP] = old
			return t
		}
		return cpu.NoTrap
	}
	v, t := e.pop(in.OpSize)
	if t == cpu.NoTrap {
		e.setRegister(a, v)
	}
	return t
}

// pusha stores register by register: a fault leaves what was pushed before it
// in memory, below the stack pointer, as processors do.
func pusha(e *Engine, in *isa.Inst) cpu.Trap {
	n := uint32(in.OpSize)
	sp := e.sp()
	for r := range uint8(8) {
		v := e.Reg32(r)
		if r == cpu.ESP {
			v = sp
			if n == 4 {
				v = e.Reg32(cpu.ESP)
			}
		}
		l, t := e.address(isa.SS, (sp-(uint32(r)+1)*n)&e.stackMask, int(n), true)
		if t != cpu.NoTrap {
			return t
		}
		if t := e.store(l, in.OpSize, v); t != cpu.NoTrap {
			return t
		}
	}
	e.setSP(sp - 8*n)
	return cpu.NoTrap
}

// popa loads register by register: a fault leaves those before it changed, but
// not the stack pointer, as processors do.
func popa(e *Engine, in *isa.Inst) cpu.Trap {
	n := uint32(in.OpSize)
	for i := range uint8(8) {
		v, t := e.top(uint32(i)*n, in.OpSize)
		if t != cpu.NoTrap {
			return t
		}
		switch r := cpu.EDI - i; {
		case r == cpu.ESP:
		case n == 2:
			e.SetReg16(r, uint16(v))
		default:
			e.SetReg32(r, v)
		}
	}
	e.setSP(e.sp() + 8*n)
	return cpu.NoTrap
}

// pushf and popf obey IOPL in virtual-8086 mode
// (Intel SDM Vol. 2, "PUSHF/PUSHFD", "POPF/POPFD").
func pushf(e *Engine, in *isa.Inst) cpu.Trap {
	v := (e.EFLAGS&^cpu.FlagsStatus | e.flags.word() | cpu.FlagOne) &^ (cpu.FlagVM | cpu.FlagRF)
	if e.V86() && e.IOPL() < 3 {
		if in.OpSize == 4 || e.CR4&cpu.CR4VME == 0 {
			return cpu.GP(0)
		}
		v = v&^cpu.FlagIF | cpu.FlagIOPL
		if e.EFLAGS&cpu.FlagVIF != 0 {
			v |= cpu.FlagIF
		}
	}
	return e.push(v, in.OpSize)
}

func popf(e *Engine, in *isa.Inst) cpu.Trap {
	if e.V86() && e.IOPL() < 3 {
		return e.popfVME(in)
	}
	v, t := e.top(0, in.OpSize)
	if t != cpu.NoTrap {
		return t
	}
	mask := uint32(cpu.FlagsStatus | cpu.FlagTF | cpu.FlagDF | cpu.FlagNT)
	if in.OpSize == 4 {
		mask |= cpu.FlagAC | cpu.FlagID
	}
	if e.CPL <= e.IOPL() || !e.Protected() {
		mask |= cpu.FlagIF
	}
	if e.CPL == 0 && !e.V86() {
		mask |= cpu.FlagIOPL
	}
	e.setSP(e.sp() + uint32(in.OpSize))
	e.setFlags(v, mask)
	e.EFLAGS &^= cpu.FlagRF
	return cpu.NoTrap
}

// popfVME is POPF in virtual-8086 mode below IOPL 3, with CR4.VME: IF stands
// for VIF.
func (e *Engine) popfVME(in *isa.Inst) cpu.Trap {
	if in.OpSize == 4 || e.CR4&cpu.CR4VME == 0 {
		return cpu.GP(0)
	}
	v, t := e.top(0, 2)
	if t != cpu.NoTrap {
		return t
	}
	if v&cpu.FlagTF != 0 || v&cpu.FlagIF != 0 && e.EFLAGS&cpu.FlagVIP != 0 {
		return cpu.GP(0)
	}
	e.setSP(e.sp() + 2)
	e.setFlags(v, cpu.FlagsStatus|cpu.FlagTF|cpu.FlagDF|cpu.FlagNT)
	e.EFLAGS &^= cpu.FlagVIF | cpu.FlagRF
	if v&cpu.FlagIF != 0 {
		e.EFLAGS |= cpu.FlagVIF
	}
	return cpu.NoTrap
}

// setFlags replaces the bits of EFLAGS that mask names.
func (e *Engine) setFlags(v, mask uint32) {
	e.EFLAGS = e.EFLAGS&^mask | v&mask
	e.flags.set(v)
}

func enter(e *Engine, in *isa.Inst) cpu.Trap {
	level := uint32(in.Imm2) & 31
	n := uint32(in.OpSize)
	sp, bp := e.sp(), e.Reg32(cpu.EBP)
	old := e.GPR[cpu.ESP]
	fail := func(t cpu.Trap) cpu.Trap { e.GPR[cpu.ESP] = old; return t }
	if t := e.push(bp, in.OpSize); t != cpu.NoTrap {
		return fail(t)
	}
	frame := (sp - n) & e.stackMask
	top := uint32(old)&^e.stackMask | frame
	if level > 0 {
		for i := uint32(1); i < level; i++ {
			l, t := e.address(isa.SS, (bp-i*n)&e.stackMask, int(n), false)
			if t != cpu.NoTrap {
				return fail(t)
			}
			v, t := e.load(l, in.OpSize)
			if t == cpu.NoTrap {
				t = e.push(v, in.OpSize)
			}
			if t != cpu.NoTrap {
				return fail(t)
			}
		}
		if t := e.push(top, in.OpSize); t != cpu.NoTrap {
			return fail(t)
		}
	}
	to := (e.sp() - in.Imm&0xffff) & e.stackMask
	// The new top must be writable: a guard page faults here, not later.
	l, t := e.address(isa.SS, to, int(n), true)
	if t == cpu.NoTrap {
		t = e.Probe(cpu.Linear(l), int(n), e.Data()|cpu.Write)
	}
	if t != cpu.NoTrap {
		return fail(t)
	}
	e.setSP(to)
	if n == 2 {
		e.SetReg16(cpu.EBP, uint16(frame))
	} else {
		e.SetReg32(cpu.EBP, top)
	}
	return cpu.NoTrap
}

func leave(e *Engine, in *isa.Inst) cpu.Trap {
	bp := e.Reg32(cpu.EBP) & e.stackMask
	l, t := e.address(isa.SS, bp, int(in.OpSize), false)
	if t != cpu.NoTrap {
		return t
	}
	v, t := e.load(l, in.OpSize)
	if t != cpu.NoTrap {
		return t
	}
	e.setSP(bp + uint32(in.OpSize))
	if in.OpSize == 2 {
		e.SetReg16(cpu.EBP, uint16(v))
	} else {
		e.SetReg32(cpu.EBP, v)
	}
	return cpu.NoTrap
}
