package interp

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/cpu/simd"
)

// What all MMX and SSE operations share: when they are available, where their
// operands are, and the numeric exceptions (Intel SDM Vol. 1, "Programming
// with Intel MMX Technology", "SSE and SSE2 Exceptions").

// A vector is an XMM register, or an MMX register in the low half.
type vector = simd.Vector

// simdReady is the trap of an instruction with MMX or XMM registers that are
// not available.
func (e *Engine) simdReady(mmx, xmm bool) cpu.Trap {
	switch {
	case e.CR0&cpu.CR0EM != 0 || xmm && e.CR4&cpu.CR4OSFXSR == 0:
		return cpu.UD()
	case e.CR0&cpu.CR0TS != 0:
		return cpu.Exception(cpu.VecNM)
	case mmx:
		return e.pendingError()
	}
	return cpu.NoTrap
}

// guarded guards an instruction on MMX or XMM registers. Those on MMX registers
// leave all of the x87 registers valid and ST(0) at R0, even if a conversion
// then raises an exception or a masked move faults, but not if a memory operand
// cannot be read.
func guarded(op func(*Engine, *isa.Inst) cpu.Trap) func(*Engine, *isa.Inst) cpu.Trap {
	return func(e *Engine, in *isa.Inst) cpu.Trap {
		a, b := in.Args[0].Kind(), in.Args[1].Kind()
		mmx, xmm := a == isa.MMX || b == isa.MMX, a == isa.XMM || b == isa.XMM
		if t := e.simdReady(mmx, xmm); t != cpu.NoTrap {
			return t
		}
		t := op(e, in)
		if mmx && (t == cpu.NoTrap || t.Vector() == cpu.VecXM || in.Op == isa.MASKMOVQ) {
			e.FPU.Status &^= statusTop
			e.FPU.Tag = 0
		}
		return t
	}
}

// emms frees the x87 registers and, like the others, makes R0 the top.
func emms(e *Engine, _ *isa.Inst) cpu.Trap {
	if t := e.simdReady(true, false); t != cpu.NoTrap {
		return t
	}
	e.FPU.Status &^= statusTop
	e.FPU.Tag = 0xffff
	return cpu.NoTrap
}

// vectorAddress is the linear address of in's memory operand. Sixteen bytes
// are aligned, except for the operations that exist for those which are not.
func (e *Engine) vectorAddress(in *isa.Inst, write bool) (uint32, cpu.Trap) {
	off := e.offset(in)
	if in.Width == 16 && in.Op.Attr()&isa.Unaligned == 0 && (e.base[in.Seg&7]+off)&15 != 0 {
		return 0, cpu.GP(0)
	}
	return e.address(in.Seg, off, int(in.Width), write)
}

// vector reads operand a of in, zero-extended.
func (e *Engine) vector(in *isa.Inst, a isa.Arg) (v vector, t cpu.Trap) {
	switch a.Kind() {
	case isa.XMM:
		return e.XMM[a.Num()&7], cpu.NoTrap
	case isa.MMX:
		v[0] = e.FPU.ST[a.Num()&7].Significand
		return v, cpu.NoTrap
	case isa.Imm:
		v[0] = uint64(in.Imm)
		return v, cpu.NoTrap
	case isa.Reg32:
		v[0] = uint64(e.Reg32(a.Num()))
		return v, cpu.NoTrap
	}
	l, t := e.vectorAddress(in, false)
	if t != cpu.NoTrap {
		return v, t
	}
	if in.Width < 8 {
		w, t := e.load(l, in.Width)
		v[0] = uint64(w)
		return v, t
	}
	if v[0], t = e.load64(l); t == cpu.NoTrap && in.Width == 16 {
		v[1], t = e.load64(l + 8)
	}
	return v, t
}

// setVector writes operand a of in, of which a register is replaced whole.
func (e *Engine) setVector(in *isa.Inst, a isa.Arg, v vector) cpu.Trap {
	switch a.Kind() {
	case isa.XMM:
		e.XMM[a.Num()&7] = v
		return cpu.NoTrap
	case isa.MMX:
		e.FPU.ST[a.Num()&7] = cpu.Float80{Significand: v[0], SignExponent: 0xffff}
		return cpu.NoTrap
	case isa.Reg32:
		e.SetReg32(a.Num(), uint32(v[0]))
		return cpu.NoTrap
	}
	l, t := e.vectorAddress(in, true)
	if t != cpu.NoTrap {
		return t
	}
	switch in.Width {
	case 16:
		return e.store128(l, v)
	case 8:
		return e.store64(l, v[0])
	}
	return e.store(l, in.Width, uint32(v[0]))
}

// store128 writes sixteen bytes: all of them or, on a fault, none.
func (e *Engine) store128(l uint32, v vector) cpu.Trap {
	if l&15 != 0 {
		if t := e.Probe(cpu.Linear(l), 16, e.Data()|cpu.Write); t != cpu.NoTrap {
			return t
		}
	}
	if t := e.store64(l, v[0]); t != cpu.NoTrap {
		return t
	}
	return e.store64(l+8, v[1])
}

// exceptions takes up the flags of an operation that was executed with all
// exceptions masked, and returns the trap of those that are not.
func (e *Engine) exceptions(flags uint32) cpu.Trap {
	flags &= simd.Flags
	unmasked := flags &^ (e.MXCSR >> simd.Masks)
	if unmasked == 0 {
		e.MXCSR |= flags
		return cpu.NoTrap
	}
	if unmasked&(simd.IE|simd.DE|simd.ZE) != 0 {
		flags &= simd.IE | simd.DE | simd.ZE // there was no operation that could raise the others
	}
	e.MXCSR |= flags
	if e.CR4&cpu.CR4OSXMMEXCPT == 0 {
		return cpu.UD()
	}
	return cpu.Exception(cpu.VecXM)
}

// masked is MXCSR with all exceptions masked and no flag set.
func (e *Engine) masked() uint32 { return e.MXCSR&^simd.Flags | simd.Flags<<simd.Masks }
