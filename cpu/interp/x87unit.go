package interp

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/fpu/host"
	"github.com/gov86/gov86/cpu/isa"
)

// The shapes of an x87 unit's functions: they take the control word, and
// return the status word with the exceptions and the condition codes. See
// package host for what they leave when an exception is not masked.
type (
	x87Constant = func(r *host.F80, control uint16) uint16
	x87Unary    = func(r, a *host.F80, control uint16) uint16
	x87Binary   = func(r, a, b *host.F80, control uint16) uint16
	x87Double   = func(r, s, a *host.F80, control uint16) uint16
	x87Store    = func(m *[10]byte, a *host.F80, control uint16) uint16
)

// An x87Unit is the arithmetic of the x87 operations. There are two, which
// agree but for the last bit of transcendental results: hostX87 is the host's
// own where it has one, pureX87 is the same everywhere.
type x87Unit struct {
	fadd, fsub, fmul, fdiv                    x87Binary
	fcom, fucom                               x87Binary
	fscale, fprem, fprem1                     x87Binary
	fyl2x, fyl2xp1, fpatan                    x87Binary
	fsqrt, frndint, f2xm1, fsin, fcos         x87Unary
	fptan, fsincos, fxtract                   x87Double
	fldl2t, fldl2e, fldpi, fldlg2, fldln2     x87Constant
	fstp32, fstp64, fistp16, fistp32, fistp64 x87Store
	fisttp16, fisttp32, fisttp64, fbstp       x87Store
}

// Condition codes that an operation gives a meaning.
const (
	c1  = statusC1
	c12 = statusC1 | statusC2
)

// ops are the x87 operations that need an arithmetic unit.
func (u *x87Unit) ops() [isa.NumOps]func(*Engine, *isa.Inst) cpu.Trap {
	reals := narrowings{by4: u.fstp32, by8: u.fstp64, by10: whole, none: realIndefinite}
	realsPop := reals.popped()
	integers := narrowings{by2: u.fistp16, by4: u.fistp32, by8: u.fistp64, none: integerIndefinite}
	integersPop := integers.popped()
	truncated := narrowings{by2: u.fisttp16, by4: u.fisttp32, by8: u.fisttp64, none: integerIndefinite, pops: 1}
	decimalPop := narrowings{by10: u.fbstp, none: decimalIndefinite, pops: 1}
	return [isa.NumOps]func(*Engine, *isa.Inst) cpu.Trap{
		isa.FADD: x87Arith(u.fadd, 0), isa.FADDP: x87Arith(u.fadd, popping), isa.FIADD: x87Arith(u.fadd, integral),
		isa.FMUL: x87Arith(u.fmul, 0), isa.FMULP: x87Arith(u.fmul, popping), isa.FIMUL: x87Arith(u.fmul, integral),
		isa.FSUB: x87Arith(u.fsub, 0), isa.FSUBP: x87Arith(u.fsub, popping), isa.FISUB: x87Arith(u.fsub, integral),
		isa.FDIV: x87Arith(u.fdiv, 0), isa.FDIVP: x87Arith(u.fdiv, popping), isa.FIDIV: x87Arith(u.fdiv, integral),
		isa.FSUBR: x87Arith(u.fsub, reversed), isa.FSUBRP: x87Arith(u.fsub, reversed|popping),
		isa.FISUBR: x87Arith(u.fsub, reversed|integral),
		isa.FDIVR:  x87Arith(u.fdiv, reversed), isa.FDIVRP: x87Arith(u.fdiv, reversed|popping),
		isa.FIDIVR: x87Arith(u.fdiv, reversed|integral),

		isa.FCOM: x87Compare(u.fcom, 0), isa.FCOMP: x87Compare(u.fcom, popping),
		isa.FCOMPP: x87Compare(u.fcom, popping|twice),
		isa.FICOM:  x87Compare(u.fcom, integral), isa.FICOMP: x87Compare(u.fcom, integral|popping),
		isa.FUCOM: x87Compare(u.fucom, 0), isa.FUCOMP: x87Compare(u.fucom, popping),
		isa.FUCOMPP: x87Compare(u.fucom, popping|twice),
		isa.FCOMI:   x87Compare(u.fcom, eflags), isa.FCOMIP: x87Compare(u.fcom, eflags|popping),
		isa.FUCOMI: x87Compare(u.fucom, eflags), isa.FUCOMIP: x87Compare(u.fucom, eflags|popping),
		isa.FTST: x87Test(u.fcom),

		isa.FST: x87(fst(&reals)), isa.FSTP: x87(fst(&realsPop)),
		isa.FIST: x87(integers.store), isa.FISTP: x87(integersPop.store),
		isa.FISTTP: x87(truncated.store), isa.FBSTP: x87(decimalPop.store),
		isa.FLDL2T: x87(fldRounded(u.fldl2t)), isa.FLDL2E: x87(fldRounded(u.fldl2e)), isa.FLDPI: x87(fldRounded(u.fldpi)),
		isa.FLDLG2: x87(fldRounded(u.fldlg2)), isa.FLDLN2: x87(fldRounded(u.fldln2)),

		isa.FSQRT: x87Replace(u.fsqrt, c1), isa.FRNDINT: x87Replace(u.frndint, c1), isa.F2XM1: x87Replace(u.f2xm1, c1),
		isa.FSIN: x87Replace(u.fsin, c12), isa.FCOS: x87Replace(u.fcos, c12),
		isa.FPTAN: x87Pair(u.fptan, c12), isa.FSINCOS: x87Pair(u.fsincos, c12), isa.FXTRACT: x87Pair(u.fxtract, c1),
		isa.FYL2X: x87Both(u.fyl2x, c1, 1), isa.FYL2XP1: x87Both(u.fyl2xp1, c1, 1), isa.FPATAN: x87Both(u.fpatan, c1, 1),
		isa.FSCALE: x87Both(u.fscale, c1, 0),
		isa.FPREM:  x87Both(u.fprem, statusCodes, 0), isa.FPREM1: x87Both(u.fprem1, statusCodes, 0),
	}
}
