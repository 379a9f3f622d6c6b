package interp

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/cpu/simd"
)

// simdComputed are the MMX and SSE operations that need an arithmetic unit.
func simdComputed(u *simd.Unit) (t [isa.NumOps]func(*Engine, *isa.Inst) cpu.Trap) {
	for op := range t {
		switch {
		case u.MMX[op] != nil:
			t[op] = either(u.Vector[op], u.MMX[op])
		case u.Vector[op] != nil:
			t[op] = packed(numericOf(u, isa.Op(op)))
		case u.Selected[op] != nil:
			t[op] = selected(u.Selected[op])
		case u.Compare[op] != nil:
			t[op] = comis(u.Compare[op])
		case u.ToInteger[op] != nil:
			t[op] = toInteger(u.ToInteger[op])
		case u.FromInteger[op] != nil:
			t[op] = fromInteger(u.FromInteger[op])
		}
	}
	for op, by := range map[isa.Op]isa.Op{
		isa.CVTPI2PS: isa.CVTDQ2PS, isa.CVTPI2PD: isa.CVTDQ2PD, isa.CVTPS2PI: isa.CVTPS2DQ, isa.CVTTPS2PI: isa.CVTTPS2DQ,
	} {
		t[op] = half(numericOf(u, by), 1)
	}
	t[isa.CVTPD2PI], t[isa.CVTTPD2PI] = half(numericOf(u, isa.CVTPD2DQ), 2), half(numericOf(u, isa.CVTTPD2DQ), 2)
	t[isa.DPPS] = dotProduct(numericOf(u, isa.MULPS), numericOf(u, isa.HADDPS), 4)
	t[isa.DPPD] = dotProduct(numericOf(u, isa.MULPD), numericOf(u, isa.HADDPD), 8)
	return t
}

func numericOf(u *simd.Unit, op isa.Op) numeric { return numeric{u.Vector[op], simd.Pure.Vector[op]} }
