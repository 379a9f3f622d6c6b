package interp

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// jumpTo transfers control within the code segment. With 16-bit operands the
// target is an IP.
func (e *Engine) jumpTo(target uint32, size uint8) cpu.Trap {
	if size == 2 {
		target &= 0xffff
	}
	if target > e.Seg[isa.CS].Limit {
		return cpu.GP(0)
	}
	e.EIP = target
	return cpu.NoTrap
}

// target is where a near jump or call leads.
func (e *Engine) target(in *isa.Inst) (uint32, cpu.Trap) {
	if in.Args[0] == isa.Rel {
		return e.EIP + in.Imm, cpu.NoTrap
	}
	return e.value(in, in.Args[0])
}

func jmp(e *Engine, in *isa.Inst) cpu.Trap {
	to, t := e.target(in)
	if t != cpu.NoTrap {
		return t
	}
	return e.jumpTo(to, in.OpSize)
}

func jcc(cc uint8) func(*Engine, *isa.Inst) cpu.Trap {
	return func(e *Engine, in *isa.Inst) cpu.Trap {
		if !e.flags.condition(cc) {
			return cpu.NoTrap
		}
		return e.jumpTo(e.EIP+in.Imm, in.OpSize)
	}
}

func call(e *Engine, in *isa.Inst) cpu.Trap {
	to, t := e.target(in)
	if t != cpu.NoTrap {
		return t
	}
	back := e.EIP
	if t := e.jumpTo(to, in.OpSize); t != cpu.NoTrap {
		return t
	}
	if t := e.push(back, in.OpSize); t != cpu.NoTrap {
		e.EIP = back
		return t
	}
	return cpu.NoTrap
}

func ret(e *Engine, in *isa.Inst) cpu.Trap {
	to, t := e.top(0, in.OpSize)
	if t != cpu.NoTrap {
		return t
	}
	if t := e.jumpTo(to, in.OpSize); t != cpu.NoTrap {
		return t
	}
	e.setSP(e.sp() + uint32(in.OpSize) + in.Imm&0xffff)
	return cpu.NoTrap
}

// loop is LOOP, LOOPE and LOOPNE: want is the ZF that goes on, if any.
func loop(goes func(f *flags) bool) func(*Engine, *isa.Inst) cpu.Trap {
	return func(e *Engine, in *isa.Inst) cpu.Trap {
		s := e.string(in)
		left := (e.index(s, cpu.ECX) - 1) & s.mask
		if left != 0 && goes(&e.flags) {
			if t := e.jumpTo(e.EIP+in.Imm, in.OpSize); t != cpu.NoTrap {
				return t
			}
		}
		e.advance(s, cpu.ECX, ^uint32(0))
		return cpu.NoTrap
	}
}

func jcxz(e *Engine, in *isa.Inst) cpu.Trap {
	if e.index(e.string(in), cpu.ECX) != 0 {
		return cpu.NoTrap
	}
	return e.jumpTo(e.EIP+in.Imm, in.OpSize)
}

// pointer is a far pointer operand: in the instruction or in memory.
func (e *Engine) pointer(in *isa.Inst, a isa.Arg) (sel uint16, off uint32, t cpu.Trap) {
	if a == isa.Far {
		return in.Imm2, in.Imm, cpu.NoTrap
	}
	at := e.offset(in)
	l, t := e.address(in.Seg, at, int(in.OpSize), false)
	if t != cpu.NoTrap {
		return 0, 0, t
	}
	if off, t = e.load(l, in.OpSize); t != cpu.NoTrap {
		return 0, 0, t
	}
	l, t = e.addressOf(in.Seg, behind(in, at), 2, 1, false)
	if t != cpu.NoTrap {
		return 0, 0, t
	}
	s, t := e.load16(l)
	return uint16(s), off, t
}

// behind is the offset of the second part of in's operand at off, whose first
// part has the operand's size: with 16-bit addresses it wraps.
func behind(in *isa.Inst, off uint32) uint32 {
	off += uint32(in.OpSize)
	if in.AddrSize == 2 {
		off &= 0xffff
	}
	return off
}

func jmpf(e *Engine, in *isa.Inst) cpu.Trap {
	sel, off, t := e.pointer(in, in.Args[0])
	if t != cpu.NoTrap {
		return t
	}
	return e.system(func() cpu.Trap { return e.FarJump(sel, off, int(in.OpSize)) })
}

func callf(e *Engine, in *isa.Inst) cpu.Trap {
	sel, off, t := e.pointer(in, in.Args[0])
	if t != cpu.NoTrap {
		return t
	}
	return e.system(func() cpu.Trap { return e.FarCall(sel, off, int(in.OpSize)) })
}

func retf(e *Engine, in *isa.Inst) cpu.Trap {
	return e.system(func() cpu.Trap { return e.FarReturn(int(in.OpSize), uint16(in.Imm)) })
}

func iret(e *Engine, in *isa.Inst) cpu.Trap {
	return e.system(func() cpu.Trap { return e.InterruptReturn(int(in.OpSize)) })
}

// loadPointer is LDS, LES, LFS, LGS, LSS.
func loadPointer(s isa.Seg) func(*Engine, *isa.Inst) cpu.Trap {
	return func(e *Engine, in *isa.Inst) cpu.Trap {
		sel, off, t := e.pointer(in, isa.Mem)
		if t != cpu.NoTrap {
			return t
		}
		if t := e.LoadSegment(s, sel); t != cpu.NoTrap {
			return t
		}
		e.setRegister(in.Args[0], off)
		return cpu.NoTrap
	}
}

func bound(e *Engine, in *isa.Inst) cpu.Trap {
	n := in.OpSize
	off := e.offset(in)
	var limits [2]uint32
	for i := range limits {
		if i == 1 {
			off = behind(in, off)
		}
		l, t := e.address(in.Seg, off, int(n), false)
		if t != cpu.NoTrap {
			return t
		}
		if limits[i], t = e.load(l, n); t != cpu.NoTrap {
			return t
		}
	}
	v := int32(extend(e.register(in.Args[0]), n))
	if v < int32(extend(limits[0], n)) || v > int32(extend(limits[1], n)) {
		return cpu.Exception(cpu.VecBR)
	}
	return cpu.NoTrap
}
