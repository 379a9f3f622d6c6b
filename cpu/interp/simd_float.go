package interp

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/cpu/simd"
)

// How MMX and SSE operations call the functions of an arithmetic unit.

// A numeric is an operation of a unit on XMM registers: fn if overflow and
// underflow are masked, else exact, which is simd.Pure's.
type numeric struct{ fn, exact simd.VectorFunc }

// packed is an operation on XMM registers, numeric or not.
func packed(op numeric) func(*Engine, *isa.Inst) cpu.Trap {
	return guarded(func(e *Engine, in *isa.Inst) cpu.Trap {
		var t cpu.Trap
		if e.unit.b, t = e.vector(in, in.Args[1]); t != cpu.NoTrap {
			return t
		}
		return e.compute(op, &e.XMM[in.Args[0].Num()&7])
	})
}

// compute replaces d by the result of op on d and e.unit.b.
func (e *Engine) compute(op numeric, d *vector) cpu.Trap {
	const masks = (simd.OE | simd.UE) << simd.Masks
	if e.MXCSR&masks != masks {
		return e.apply(op.exact, d, e.masked()&^masks|e.MXCSR&masks)
	}
	return e.apply(op.fn, d, e.masked())
}

// apply replaces d by fn of d and e.unit.b.
func (e *Engine) apply(fn simd.VectorFunc, d *vector, mxcsr uint32) cpu.Trap {
	t := e.exceptions(fn(&e.unit.v, d, &e.unit.b, mxcsr))
	if t == cpu.NoTrap {
		*d = e.unit.v
	}
	return t
}

// either is an operation with a form for XMM registers and one for
// MMX registers.
func either(whole simd.VectorFunc, half simd.MMXFunc) func(*Engine, *isa.Inst) cpu.Trap {
	return guarded(func(e *Engine, in *isa.Inst) cpu.Trap {
		var t cpu.Trap
		if e.unit.b, t = e.vector(in, in.Args[1]); t != cpu.NoTrap {
			return t
		}
		d := in.Args[0]
		if d.Kind() == isa.XMM {
			r := &e.XMM[d.Num()&7]
			whole(r, r, &e.unit.b, 0)
			return cpu.NoTrap
		}
		r := half(e.FPU.ST[d.Num()&7].Significand, e.unit.b[0])
		return e.setVector(in, d, vector{r})
	})
}

// selected is an operation with a function for each value of the low bits of
// its immediate.
func selected(fns []simd.VectorFunc) func(*Engine, *isa.Inst) cpu.Trap {
	return guarded(func(e *Engine, in *isa.Inst) cpu.Trap {
		var t cpu.Trap
		if e.unit.b, t = e.vector(in, in.Args[1]); t != cpu.NoTrap {
			return t
		}
		return e.apply(fns[int(in.Imm)&(len(fns)-1)], &e.XMM[in.Args[0].Num()&7], e.masked())
	})
}

// comis is COMISS and the like: ZF, PF and CF tell, and the others are clear.
func comis(fn simd.CompareFunc) func(*Engine, *isa.Inst) cpu.Trap {
	return guarded(func(e *Engine, in *isa.Inst) cpu.Trap {
		var t cpu.Trap
		if e.unit.b, t = e.vector(in, in.Args[1]); t != cpu.NoTrap {
			return t
		}
		w, flags := fn(&e.XMM[in.Args[0].Num()&7], &e.unit.b, e.masked())
		if t := e.exceptions(flags); t != cpu.NoTrap {
			return t
		}
		e.flags.set(w & (cpu.FlagZF | cpu.FlagPF | cpu.FlagCF))
		return cpu.NoTrap
	})
}

// toInteger converts a scalar to a general register.
func toInteger(fn simd.ToIntegerFunc) func(*Engine, *isa.Inst) cpu.Trap {
	return guarded(func(e *Engine, in *isa.Inst) cpu.Trap {
		var t cpu.Trap
		if e.unit.b, t = e.vector(in, in.Args[1]); t != cpu.NoTrap {
			return t
		}
		v, flags := fn(&e.unit.b, e.masked())
		if t := e.exceptions(flags); t != cpu.NoTrap {
			return t
		}
		e.SetReg32(in.Args[0].Num(), v)
		return cpu.NoTrap
	})
}

// fromInteger converts a general register or memory to a scalar.
func fromInteger(fn simd.FromIntegerFunc) func(*Engine, *isa.Inst) cpu.Trap {
	return guarded(func(e *Engine, in *isa.Inst) cpu.Trap {
		v, t := e.value(in, in.Args[1])
		if t != cpu.NoTrap {
			return t
		}
		d := &e.XMM[in.Args[0].Num()&7]
		t = e.exceptions(fn(&e.unit.v, d, v, e.masked()))
		if t == cpu.NoTrap {
			*d = e.unit.v
		}
		return t
	})
}

// half converts between an MMX register and the n low quadwords of an XMM
// register, by an operation on XMM registers. What it sees above the
// operand is zero, which raises nothing.
func half(op numeric, n int) func(*Engine, *isa.Inst) cpu.Trap {
	return guarded(func(e *Engine, in *isa.Inst) cpu.Trap {
		b, t := e.vector(in, in.Args[1])
		if t != cpu.NoTrap {
			return t
		}
		clear(b[n:])
		e.unit.b, e.unit.w = b, vector{}
		if t := e.compute(op, &e.unit.w); t != cpu.NoTrap {
			return t
		}
		r, d := e.unit.w, in.Args[0]
		if d.Kind() == isa.XMM && in.Op == isa.CVTPI2PS {
			r[1] = e.XMM[d.Num()&7][1]
		}
		return e.setVector(in, d, r)
	})
}

// dotProduct multiplies the elements of n bytes that the high bits of the
// immediate select, sums the products pairwise, and leaves the sum in the
// elements that the low bits select.
func dotProduct(mul, sum numeric, n uint8) func(*Engine, *isa.Inst) cpu.Trap {
	return guarded(func(e *Engine, in *isa.Inst) cpu.Trap {
		b, t := e.vector(in, in.Args[1])
		if t != cpu.NoTrap {
			return t
		}
		d, imm := &e.XMM[in.Args[0].Num()&7], uint8(in.Imm)
		a := *d
		for i := range 16 / n {
			if imm>>(4+i)&1 == 0 {
				simd.SetLane(&a, i, n, 0)
				simd.SetLane(&b, i, n, 0)
			}
		}
		e.unit.w, e.unit.b = a, b
		if t := e.compute(mul, &e.unit.w); t != cpu.NoTrap {
			return t
		}
		for k := 16 / n; k > 1; k /= 2 {
			e.unit.b = e.unit.w
			if t := e.compute(sum, &e.unit.w); t != cpu.NoTrap {
				return t
			}
		}
		*d = vector{}
		for i := range 16 / n {
			if imm>>i&1 != 0 {
				simd.SetLane(d, i, n, simd.Lane(&e.unit.w, 0, n))
			}
		}
		return cpu.NoTrap
	})
}
