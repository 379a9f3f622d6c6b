package interp

import (
	"math/bits"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

func mov(e *Engine, in *isa.Inst) cpu.Trap {
	v, t := e.value(in, in.Args[1])
	if t != cpu.NoTrap {
		return t
	}
	return e.setValue(in, in.Args[0], v)
}

func movzx(e *Engine, in *isa.Inst) cpu.Trap { return mov(e, in) }

func movsx(e *Engine, in *isa.Inst) cpu.Trap {
	v, t := e.value(in, in.Args[1])
	if t != cpu.NoTrap {
		return t
	}
	e.setRegister(in.Args[0], extend(v, size(in, in.Args[1])))
	return cpu.NoTrap
}

// movbe is MOVBE: a move that reverses the bytes.
func movbe(e *Engine, in *isa.Inst) cpu.Trap {
	v, t := e.value(in, in.Args[1])
	if t != cpu.NoTrap {
		return t
	}
	return e.setValue(in, in.Args[0], bits.ReverseBytes32(v)>>(32-8*uint(in.OpSize)))
}

func lea(e *Engine, in *isa.Inst) cpu.Trap {
	e.setRegister(in.Args[0], e.offset(in))
	return cpu.NoTrap
}

func xchg(e *Engine, in *isa.Inst) cpu.Trap {
	a, b := in.Args[0], in.Args[1]
	if b.Kind() == isa.Mem {
		a, b = b, a
	}
	p, v, t := e.modify(in, a)
	if t != cpu.NoTrap {
		return t
	}
	if t := e.finish(p, e.register(b)); t != cpu.NoTrap {
		return t
	}
	e.setRegister(b, v)
	return cpu.NoTrap
}

func bswap(e *Engine, in *isa.Inst) cpu.Trap {
	r := in.Args[0].Num()
	if in.Args[0].Kind() == isa.Reg16 {
		// Undefined; processors store zero.
		e.SetReg16(r, 0)
		return cpu.NoTrap
	}
	e.SetReg32(r, bits.ReverseBytes32(e.Reg32(r)))
	return cpu.NoTrap
}

// cmov loads its source whatever the condition.
func cmov(cc uint8) func(*Engine, *isa.Inst) cpu.Trap {
	return func(e *Engine, in *isa.Inst) cpu.Trap {
		v, t := e.value(in, in.Args[1])
		if t == cpu.NoTrap && e.flags.condition(cc) {
			e.setRegister(in.Args[0], v)
		}
		return t
	}
}

func setcc(cc uint8) func(*Engine, *isa.Inst) cpu.Trap {
	return func(e *Engine, in *isa.Inst) cpu.Trap {
		var v uint32
		if e.flags.condition(cc) {
			v = 1
		}
		return e.setValue(in, in.Args[0], v)
	}
}

// cbw is CBW and CWDE, cwd CWD and CDQ: OpSize tells them apart.
func cbw(e *Engine, in *isa.Inst) cpu.Trap {
	if in.OpSize == 2 {
		e.SetReg16(cpu.EAX, uint16(int8(e.Reg8(0))))
	} else {
		e.SetReg32(cpu.EAX, uint32(int32(int16(e.Reg16(cpu.EAX)))))
	}
	return cpu.NoTrap
}

func cwd(e *Engine, in *isa.Inst) cpu.Trap {
	if in.OpSize == 2 {
		e.SetReg16(cpu.EDX, uint16(int16(e.Reg16(cpu.EAX))>>15))
	} else {
		e.SetReg32(cpu.EDX, uint32(int32(e.Reg32(cpu.EAX))>>31))
	}
	return cpu.NoTrap
}

func xlat(e *Engine, in *isa.Inst) cpu.Trap {
	off := e.Reg32(cpu.EBX) + uint32(e.Reg8(0))
	if in.AddrSize == 2 {
		off &= 0xffff
	}
	l, t := e.address(in.Seg, off, 1, false)
	if t != cpu.NoTrap {
		return t
	}
	v, t := e.load8(l)
	if t == cpu.NoTrap {
		e.SetReg8(0, uint8(v))
	}
	return t
}

func lahf(e *Engine, _ *isa.Inst) cpu.Trap {
	e.SetReg8(4, uint8(e.flags.word()|cpu.FlagOne))
	return cpu.NoTrap
}

func sahf(e *Engine, _ *isa.Inst) cpu.Trap {
	of := uint32(0)
	if e.flags.of() {
		of = cpu.FlagOF
	}
	e.flags.set(uint32(e.Reg8(4))&(cpu.FlagsStatus&0xff) | of)
	return cpu.NoTrap
}

func salc(e *Engine, _ *isa.Inst) cpu.Trap {
	e.SetReg8(0, uint8(-e.flags.cf()))
	return cpu.NoTrap
}

func clc(e *Engine, _ *isa.Inst) cpu.Trap { e.flags.setCF(false); return cpu.NoTrap }
func stc(e *Engine, _ *isa.Inst) cpu.Trap { e.flags.setCF(true); return cpu.NoTrap }
func cmc(e *Engine, _ *isa.Inst) cpu.Trap { e.flags.setCF(e.flags.cf() == 0); return cpu.NoTrap }
func cld(e *Engine, _ *isa.Inst) cpu.Trap { e.EFLAGS &^= cpu.FlagDF; return cpu.NoTrap }
func std(e *Engine, _ *isa.Inst) cpu.Trap { e.EFLAGS |= cpu.FlagDF; return cpu.NoTrap }

// nop also stands for hints that have no effect here.
func nop(*Engine, *isa.Inst) cpu.Trap { return cpu.NoTrap }

// undefined is an operation this processor does not have.
func undefined(*Engine, *isa.Inst) cpu.Trap { return cpu.UD() }
