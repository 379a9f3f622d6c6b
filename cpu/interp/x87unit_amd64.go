package interp

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/fpu/host"
	"github.com/gov86/gov86/cpu/isa"
)

// The arithmetic unit is the host's own. On hosts that are not an x86 the
// operations of this file are undefined; see unit_other.go.

const (
	c1  = statusC1
	c12 = statusC1 | statusC2
)

var (
	reals      = narrowings{by4: host.Fstp32, by8: host.Fstp64, by10: whole, none: realIndefinite}
	realsPop   = reals.popped()
	integers   = narrowings{by2: host.Fistp16, by4: host.Fistp32, by8: host.Fistp64, none: integerIndefinite}
	intPop     = integers.popped()
	truncated  = narrowings{by2: host.Fisttp16, by4: host.Fisttp32, by8: host.Fisttp64, none: integerIndefinite, pops: 1}
	decimalPop = narrowings{by10: host.Fbstp, none: decimalIndefinite, pops: 1}
)

// x87Unit are the x87 operations that the host's unit executes.
var x87Unit = supported([isa.NumOps]func(*Engine, *isa.Inst) cpu.Trap{
	isa.FADD: x87Arith(host.Fadd, 0), isa.FADDP: x87Arith(host.Fadd, popping), isa.FIADD: x87Arith(host.Fadd, integral),
	isa.FMUL: x87Arith(host.Fmul, 0), isa.FMULP: x87Arith(host.Fmul, popping), isa.FIMUL: x87Arith(host.Fmul, integral),
	isa.FSUB: x87Arith(host.Fsub, 0), isa.FSUBP: x87Arith(host.Fsub, popping), isa.FISUB: x87Arith(host.Fsub, integral),
	isa.FDIV: x87Arith(host.Fdiv, 0), isa.FDIVP: x87Arith(host.Fdiv, popping), isa.FIDIV: x87Arith(host.Fdiv, integral),
	isa.FSUBR: x87Arith(host.Fsub, reversed), isa.FSUBRP: x87Arith(host.Fsub, reversed|popping),
	isa.FISUBR: x87Arith(host.Fsub, reversed|integral),
	isa.FDIVR:  x87Arith(host.Fdiv, reversed), isa.FDIVRP: x87Arith(host.Fdiv, reversed|popping),
	isa.FIDIVR: x87Arith(host.Fdiv, reversed|integral),

	isa.FCOM: x87Compare(host.Fcom, 0), isa.FCOMP: x87Compare(host.Fcom, popping),
	isa.FCOMPP: x87Compare(host.Fcom, popping|twice),
	isa.FICOM:  x87Compare(host.Fcom, integral), isa.FICOMP: x87Compare(host.Fcom, integral|popping),
	isa.FUCOM: x87Compare(host.Fucom, 0), isa.FUCOMP: x87Compare(host.Fucom, popping),
	isa.FUCOMPP: x87Compare(host.Fucom, popping|twice),
	isa.FCOMI:   x87Compare(host.Fcom, eflags), isa.FCOMIP: x87Compare(host.Fcom, eflags|popping),
	isa.FUCOMI: x87Compare(host.Fucom, eflags), isa.FUCOMIP: x87Compare(host.Fucom, eflags|popping),
	isa.FTST: x87Test(host.Fcom),

	isa.FST: x87(fst(&reals)), isa.FSTP: x87(fst(&realsPop)),
	isa.FIST: x87(integers.store), isa.FISTP: x87(intPop.store),
	isa.FISTTP: x87(truncated.store), isa.FBSTP: x87(decimalPop.store),
	isa.FLDL2T: x87(fldRounded(host.Fldl2t)), isa.FLDL2E: x87(fldRounded(host.Fldl2e)), isa.FLDPI: x87(fldRounded(host.Fldpi)),
	isa.FLDLG2: x87(fldRounded(host.Fldlg2)), isa.FLDLN2: x87(fldRounded(host.Fldln2)),

	isa.FSQRT: x87Replace(host.Fsqrt, c1), isa.FRNDINT: x87Replace(host.Frndint, c1), isa.F2XM1: x87Replace(host.F2xm1, c1),
	isa.FSIN: x87Replace(host.Fsin, c12), isa.FCOS: x87Replace(host.Fcos, c12),
	isa.FPTAN: x87Pair(host.Fptan, c12), isa.FSINCOS: x87Pair(host.Fsincos, c12), isa.FXTRACT: x87Pair(host.Fxtract, c1),
	isa.FYL2X: x87Both(host.Fyl2x, c1, 1), isa.FYL2XP1: x87Both(host.Fyl2xp1, c1, 1), isa.FPATAN: x87Both(host.Fpatan, c1, 1),
	isa.FSCALE: x87Both(host.Fscale, c1, 0),
	isa.FPREM:  x87Both(host.Fprem, statusCodes, 0), isa.FPREM1: x87Both(host.Fprem1, statusCodes, 0),
})
