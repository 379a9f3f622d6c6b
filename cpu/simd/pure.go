package simd

import "github.com/gov86/gov86/cpu/isa"

// Pure is the unit of this package.
var Pure = pure()

func pure() (u Unit) {
	u.numeric(single, isa.ADDPS, isa.ADDSS, single.add)
	u.numeric(double, isa.ADDPD, isa.ADDSD, double.add)
	u.numeric(single, isa.SUBPS, isa.SUBSS, single.sub)
	u.numeric(double, isa.SUBPD, isa.SUBSD, double.sub)
	u.numeric(single, isa.MULPS, isa.MULSS, single.mul)
	u.numeric(double, isa.MULPD, isa.MULSD, double.mul)
	u.numeric(single, isa.DIVPS, isa.DIVSS, single.div)
	u.numeric(double, isa.DIVPD, isa.DIVSD, double.div)
	u.numeric(single, isa.MINPS, isa.MINSS, single.min)
	u.numeric(double, isa.MINPD, isa.MINSD, double.min)
	u.numeric(single, isa.MAXPS, isa.MAXSS, single.max)
	u.numeric(double, isa.MAXPD, isa.MAXSD, double.max)
	u.monadic(single, isa.SQRTPS, isa.SQRTSS, single.sqrt)
	u.monadic(double, isa.SQRTPD, isa.SQRTSD, double.sqrt)
	u.monadic(single, isa.RCPPS, isa.RCPSS, rcp)
	u.monadic(single, isa.RSQRTPS, isa.RSQRTSS, rsqrt)
	for p := range uint8(8) {
		u.selected(single, isa.CMPPS, isa.CMPSS, single.predicate(p))
		u.selected(double, isa.CMPPD, isa.CMPSD, double.predicate(p))
	}
	for imm := range uint8(16) {
		u.selectedMonadic(single, isa.ROUNDPS, isa.ROUNDSS, single.toIntegral(imm))
		u.selectedMonadic(double, isa.ROUNDPD, isa.ROUNDSD, double.toIntegral(imm))
	}
	for op, fn := range vectors {
		u.Vector[op] = fn
	}
	u.conversions()
	u.integers()
	return u
}

// numeric defines an operation on all elements and that on the first.
func (u *Unit) numeric(f format, all, first isa.Op, fn binary) {
	u.Vector[all], u.Vector[first] = packed(f.size(), fn), scalar(f.size(), fn)
}

func (u *Unit) monadic(f format, all, first isa.Op, fn unary) {
	u.Vector[all], u.Vector[first] = converted(f.size(), f.size(), fn), replaced(f.size(), f.size(), fn)
}

// selected defines both for the next value of the immediate.
func (u *Unit) selected(f format, all, first isa.Op, fn binary) {
	u.Selected[all] = append(u.Selected[all], packed(f.size(), fn))
	u.Selected[first] = append(u.Selected[first], scalar(f.size(), fn))
}

func (u *Unit) selectedMonadic(f format, all, first isa.Op, fn unary) {
	u.Selected[all] = append(u.Selected[all], converted(f.size(), f.size(), fn))
	u.Selected[first] = append(u.Selected[first], replaced(f.size(), f.size(), fn))
}

func (u *Unit) conversions() {
	u.Compare[isa.COMISS], u.Compare[isa.UCOMISS] = single.compared(true), single.compared(false)
	u.Compare[isa.COMISD], u.Compare[isa.UCOMISD] = double.compared(true), double.compared(false)
	u.ToInteger[isa.CVTSS2SI], u.ToInteger[isa.CVTTSS2SI] = single.general(single.toInteger), single.general(single.truncate)
	u.ToInteger[isa.CVTSD2SI], u.ToInteger[isa.CVTTSD2SI] = double.general(double.toInteger), double.general(double.truncate)
	u.FromInteger[isa.CVTSI2SS], u.FromInteger[isa.CVTSI2SD] = single.fromGeneral, double.fromGeneral
}

// vectors are the operations that have no form for MMX registers.
var vectors = map[isa.Op]VectorFunc{
	isa.ADDSUBPS: alternating(4, single.sub, single.add), isa.ADDSUBPD: alternating(8, double.sub, double.add),
	isa.HADDPS: adjacent(4, single.add), isa.HADDPD: adjacent(8, double.add),
	isa.HSUBPS: adjacent(4, single.sub), isa.HSUBPD: adjacent(8, double.sub),

	isa.CVTPS2PD: converted(8, 4, single.to(double)), isa.CVTSS2SD: replaced(8, 4, single.to(double)),
	isa.CVTPD2PS: converted(4, 8, double.to(single)), isa.CVTSD2SS: replaced(4, 8, double.to(single)),
	isa.CVTDQ2PS: converted(4, 4, single.fromInteger), isa.CVTDQ2PD: converted(8, 4, double.fromInteger),
	isa.CVTPS2DQ: converted(4, 4, single.toInteger), isa.CVTTPS2DQ: converted(4, 4, single.truncate),
	isa.CVTPD2DQ: converted(4, 8, double.toInteger), isa.CVTTPD2DQ: converted(4, 8, double.truncate),

	isa.UNPCKLPD: permuted(punpcklqdq), isa.PUNPCKLQDQ: permuted(punpcklqdq),
	isa.UNPCKHPD: permuted(punpckhqdq), isa.PUNPCKHQDQ: permuted(punpckhqdq),
	isa.UNPCKLPS: permuted(unpackedLow(32)), isa.UNPCKHPS: permuted(unpackedHigh(32)),
	isa.MOVDDUP: permuted(movddup), isa.MOVSLDUP: permuted(duplicated(0)), isa.MOVSHDUP: permuted(duplicated(1)),
	isa.PHMINPOSUW: permuted(phminposuw),

	isa.PMULDQ: whole(elements(64, pmuldq)), isa.PMULLD: whole(elements(32, mul[uint32])),
	isa.PCMPEQQ: whole(elements(64, equals[uint64])), isa.PCMPGTQ: whole(elements(64, exceeds[int64])),
	isa.PACKUSDW: gathered(narrowed(16, uint16Of)),
	isa.PMINSB:   whole(elements(8, lower[int8])), isa.PMINSD: whole(elements(32, lower[int32])),
	isa.PMINUW: whole(elements(16, lower[uint16])), isa.PMINUD: whole(elements(32, lower[uint32])),
	isa.PMAXSB: whole(elements(8, higher[int8])), isa.PMAXSD: whole(elements(32, higher[int32])),
	isa.PMAXUW: whole(elements(16, higher[uint16])), isa.PMAXUD: whole(elements(32, higher[uint32])),

	isa.PMOVSXBW: extended(2, 1, true), isa.PMOVSXBD: extended(4, 1, true), isa.PMOVSXBQ: extended(8, 1, true),
	isa.PMOVSXWD: extended(4, 2, true), isa.PMOVSXWQ: extended(8, 2, true), isa.PMOVSXDQ: extended(8, 4, true),
	isa.PMOVZXBW: extended(2, 1, false), isa.PMOVZXBD: extended(4, 1, false), isa.PMOVZXBQ: extended(8, 1, false),
	isa.PMOVZXWD: extended(4, 2, false), isa.PMOVZXWQ: extended(8, 2, false), isa.PMOVZXDQ: extended(8, 4, false),
}

// integers defines the operations that have a form for MMX registers.
func (u *Unit) integers() {
	for _, shape := range []struct {
		vector func(MMXFunc) VectorFunc
		ops    map[isa.Op]MMXFunc
	}{{whole, vertical}, {shifted, shifts}, {gathered, pairwise}} {
		for op, fn := range shape.ops {
			u.Vector[op], u.MMX[op] = shape.vector(fn), fn
		}
	}
	for n, op := range map[uint]isa.Op{8: isa.PUNPCKLBW, 16: isa.PUNPCKLWD, 32: isa.PUNPCKLDQ} {
		u.Vector[op] = permuted(unpackedLow(n))
		u.MMX[op] = func(a, b uint64) uint64 { return interleave(n, a, b) }
	}
	for n, op := range map[uint]isa.Op{8: isa.PUNPCKHBW, 16: isa.PUNPCKHWD, 32: isa.PUNPCKHDQ} {
		u.Vector[op] = permuted(unpackedHigh(n))
		u.MMX[op] = func(a, b uint64) uint64 { return interleave(n, a>>32, b>>32) }
	}
	u.Vector[isa.PSHUFB], u.MMX[isa.PSHUFB] = permuted(pshufb), pshufbMMX
}

// vertical are those that do the same to both halves of an XMM register.
var vertical = map[isa.Op]MMXFunc{
	isa.PADDB: elements(8, add[uint8]), isa.PADDW: elements(16, add[uint16]),
	isa.PADDD: elements(32, add[uint32]), isa.PADDQ: elements(64, add[uint64]),
	isa.PSUBB: elements(8, sub[uint8]), isa.PSUBW: elements(16, sub[uint16]),
	isa.PSUBD: elements(32, sub[uint32]), isa.PSUBQ: elements(64, sub[uint64]),
	isa.PADDSB: elements(8, paddsb), isa.PADDSW: elements(16, paddsw),
	isa.PADDUSB: elements(8, paddusb), isa.PADDUSW: elements(16, paddusw),
	isa.PSUBSB: elements(8, psubsb), isa.PSUBSW: elements(16, psubsw),
	isa.PSUBUSB: elements(8, psubusb), isa.PSUBUSW: elements(16, psubusw),
	isa.PAVGB: elements(8, pavgb), isa.PAVGW: elements(16, pavgw),
	isa.PMINUB: elements(8, lower[uint8]), isa.PMINSW: elements(16, lower[int16]),
	isa.PMAXUB: elements(8, higher[uint8]), isa.PMAXSW: elements(16, higher[int16]),
	isa.PCMPEQB: elements(8, equals[uint8]), isa.PCMPEQW: elements(16, equals[uint16]), isa.PCMPEQD: elements(32, equals[uint32]),
	isa.PCMPGTB: elements(8, exceeds[int8]), isa.PCMPGTW: elements(16, exceeds[int16]), isa.PCMPGTD: elements(32, exceeds[int32]),
	isa.PSIGNB: elements(8, withSign[int8]), isa.PSIGNW: elements(16, withSign[int16]), isa.PSIGND: elements(32, withSign[int32]),
	isa.PABSB: elements(8, absolute[int8]), isa.PABSW: elements(16, absolute[int16]), isa.PABSD: elements(32, absolute[int32]),
	isa.PMULLW: elements(16, mul[uint16]), isa.PMULHW: elements(16, pmulhw), isa.PMULHUW: elements(16, pmulhuw),
	isa.PMULHRSW: elements(16, pmulhrsw), isa.PMULUDQ: pmuludq, isa.PMADDWD: elements(32, pmaddwd),
	isa.PMADDUBSW: elements(16, pmaddubsw), isa.PSADBW: psadbw,
}

var shifts = map[isa.Op]MMXFunc{
	isa.PSLLW: shiftedLeft(16), isa.PSLLD: shiftedLeft(32), isa.PSLLQ: shiftedLeft(64),
	isa.PSRLW: shiftedRight(16), isa.PSRLD: shiftedRight(32), isa.PSRLQ: shiftedRight(64),
	isa.PSRAW: arithmetic(16), isa.PSRAD: arithmetic(32),
}

// pairwise are those that make one half of each operand.
var pairwise = map[isa.Op]MMXFunc{
	isa.PACKSSWB: narrowed(8, int8Of), isa.PACKUSWB: narrowed(8, uint8Of), isa.PACKSSDW: narrowed(16, int16Of),
	isa.PHADDW: horizontal(16, add[uint16]), isa.PHADDD: horizontal(32, add[uint32]), isa.PHADDSW: horizontal(16, paddsw),
	isa.PHSUBW: horizontal(16, sub[uint16]), isa.PHSUBD: horizontal(32, sub[uint32]), isa.PHSUBSW: horizontal(16, psubsw),
}
