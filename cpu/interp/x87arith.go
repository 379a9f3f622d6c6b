package interp

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// x87 arithmetic: how operations find their operands and leave their results.
// The operations themselves are functions of an arithmetic unit.

// A form is how an operation with two operands is written.
type form uint8

const (
	reversed form = 1 << iota // source - destination
	popping
	integral // the memory operand is an integer
	twice    // pops once more
	eflags
)

// pops is how often ST(0) is popped.
func (how form) pops() uint8 {
	var n uint8
	if how&popping != 0 {
		n++
	}
	if how&twice != 0 {
		n++
	}
	return n
}

// operand80 reads the memory operand, integer or not.
func (e *Engine) operand80(in *isa.Inst, how form) (r cpu.Float80, sw uint16, t cpu.Trap) {
	if how&integral == 0 {
		return e.real80(in)
	}
	v, t := e.signed(in)
	return integer80(v), 0, t
}

// withDenormal is sw with the denormal exception that the conversion of a
// memory operand hid from the operation, if none of higher priority was found.
// Unmasked it precedes the operation, which then finds nothing else
// (Intel SDM Vol. 1, "Floating-Point Exception Priority").
func withDenormal(loading, sw, control uint16, other *cpu.Float80) uint16 {
	switch {
	case loading&statusDE == 0 || sw&(statusIE|statusZE) != 0 || isNaN(other):
		return sw
	case control&statusDE == 0:
		return statusDE
	}
	return sw | statusDE
}

// x87Arith is FADD and the like in all their forms.
func x87Arith(fn x87Binary, how form) func(*Engine, *isa.Inst) cpu.Trap {
	return x87(func(e *Engine, in *isa.Inst) cpu.Trap {
		if in.Args[0].Kind() == isa.Mem {
			return e.arithMemory(fn, in, how)
		}
		d, s := in.Args[0].Num(), in.Args[1].Num()
		if e.underflow(d|s, d, how.pops()) { // one of them is ST(0)
			return cpu.NoTrap
		}
		a, b := &e.FPU.ST[e.st(d)], &e.FPU.ST[e.st(s)]
		if how&reversed != 0 {
			a, b = b, a
		}
		sw := fn(f80(&e.unit.r), f80(a), f80(b), e.FPU.Control)
		if e.report(sw, statusC1, before) {
			e.setST(d, e.unit.r)
			e.popTimes(how.pops())
		}
		return cpu.NoTrap
	})
}

func (e *Engine) arithMemory(fn x87Binary, in *isa.Inst, how form) cpu.Trap {
	m, loading, t := e.operand80(in, how)
	if t != cpu.NoTrap || e.underflow(0, 0, 0) {
		return t
	}
	e.unit.m = m
	a, b := e.stackTop(), &e.unit.m
	if how&reversed != 0 {
		a, b = b, a
	}
	sw := fn(f80(&e.unit.r), f80(a), f80(b), e.FPU.Control)
	sw = withDenormal(loading, sw, e.FPU.Control, e.stackTop())
	if e.report(sw, statusC1, before) {
		e.setST(0, e.unit.r)
	}
	return cpu.NoTrap
}

// x87Compare is FCOM and the like in all their forms.
func x87Compare(fn x87Binary, how form) func(*Engine, *isa.Inst) cpu.Trap {
	return x87(func(e *Engine, in *isa.Inst) cpu.Trap {
		var loading uint16
		b, i := &e.unit.m, uint8(0)
		switch in.Args[0].Kind() {
		case isa.Mem:
			var t cpu.Trap
			if e.unit.m, loading, t = e.operand80(in, how); t != cpu.NoTrap {
				return t
			}
		case isa.None: // FCOMPP, FUCOMPP
			i = 1
			b = &e.FPU.ST[e.st(i)]
		default:
			i = in.Args[1].Num()
			b = &e.FPU.ST[e.st(i)]
		}
		e.compare(fn, b, i, loading, how)
		return cpu.NoTrap
	})
}

// compare compares ST(0) and b, which is ST(i) unless i is zero.
func (e *Engine) compare(fn x87Binary, b *cpu.Float80, i uint8, loading uint16, how form) {
	const codes = statusC0 | statusC2 | statusC3
	var sw, order uint16
	if e.empty(0) || e.empty(i) {
		sw, order = statusIE|statusSF, codes
	} else {
		sw = fn(f80(&e.unit.r), f80(e.stackTop()), f80(b), e.FPU.Control) &^ statusC1
		order = sw & codes
		sw = withDenormal(loading, sw, e.FPU.Control, e.stackTop())
	}
	// The order is told even when an exception is not masked, whatever the SDM
	// says; only the pop does not happen then.
	if how&eflags != 0 {
		e.flags.set(comparison87(order))
	} else {
		e.FPU.Status = e.FPU.Status&^codes | order
	}
	if e.report(sw&^codes, statusC1, before) {
		e.popTimes(how.pops())
	}
}

// comparison87 puts C3, C2 and C0 where FCOMI leaves them: ZF, PF and CF.
func comparison87(sw uint16) (w uint32) {
	if sw&statusC3 != 0 {
		w |= cpu.FlagZF
	}
	if sw&statusC2 != 0 {
		w |= cpu.FlagPF
	}
	if sw&statusC0 != 0 {
		w |= cpu.FlagCF
	}
	return w
}

// x87Test is FTST, by a comparison with zero.
func x87Test(fn x87Binary) func(*Engine, *isa.Inst) cpu.Trap {
	return x87(func(e *Engine, _ *isa.Inst) cpu.Trap {
		e.unit.m = x87Zero
		e.compare(fn, &e.unit.m, 0, 0, 0)
		return cpu.NoTrap
	})
}

// x87Replace replaces ST(0) by a function of it. codes are the condition codes
// it gives a meaning.
func x87Replace(fn x87Unary, codes uint16) func(*Engine, *isa.Inst) cpu.Trap {
	return x87(func(e *Engine, _ *isa.Inst) cpu.Trap {
		e.FPU.Status &^= codes & statusC2
		if e.underflow(0, 0, 0) {
			return cpu.NoTrap
		}
		sw := fn(f80(&e.unit.r), f80(e.stackTop()), e.FPU.Control)
		if e.report(sw, codes, before) {
			e.setST(0, e.unit.r)
		}
		return cpu.NoTrap
	})
}

// x87Both replaces ST(0), or ST(1) after which it pops, by a function of both.
func x87Both(fn x87Binary, codes uint16, dst uint8) func(*Engine, *isa.Inst) cpu.Trap {
	return x87(func(e *Engine, _ *isa.Inst) cpu.Trap {
		e.FPU.Status &^= codes & statusC2
		if e.underflow(1, dst, dst) {
			return cpu.NoTrap
		}
		a, b := e.stackTop(), &e.FPU.ST[e.st(1)]
		sw := fn(f80(&e.unit.r), f80(a), f80(b), e.FPU.Control)
		codes := codes
		if sw&statusIE != 0 || sw&^e.FPU.Control&before != 0 || isNaN(a) || isNaN(b) {
			codes &= c12 // there is no quotient to tell the bits of
		}
		if e.report(sw, codes, before) {
			e.setST(dst, e.unit.r)
			e.popTimes(dst)
		}
		return cpu.NoTrap
	})
}

// x87Pair replaces ST(0) by one result and pushes the other. With C2 in codes
// an argument out of range is left alone.
func x87Pair(fn x87Double, codes uint16) func(*Engine, *isa.Inst) cpu.Trap {
	return x87(func(e *Engine, _ *isa.Inst) cpu.Trap {
		e.FPU.Status &^= codes & statusC2
		if underflow := e.empty(0); underflow || !e.empty(7) {
			if e.stackFault(!underflow) {
				e.setST(0, indefinite)
				e.pushST(indefinite)
			}
			return cpu.NoTrap
		}
		sw := fn(f80(&e.unit.r), f80(&e.unit.s), f80(e.stackTop()), e.FPU.Control)
		if e.report(sw, codes, before) && sw&codes&statusC2 == 0 {
			e.setST(0, e.unit.s)
			e.pushST(e.unit.r)
		}
		return cpu.NoTrap
	})
}
