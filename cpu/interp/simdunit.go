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
			t[op] = packed(u.Vector[op])
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
	t[isa.CVTPI2PS], t[isa.CVTPI2PD] = half(u.Vector[isa.CVTDQ2PS], 1), half(u.Vector[isa.CVTDQ2PD], 1)
	t[isa.CVTPS2PI], t[isa.CVTTPS2PI] = half(u.Vector[isa.CVTPS2DQ], 1), half(u.Vector[isa.CVTTPS2DQ], 1)
	t[isa.CVTPD2PI], t[isa.CVTTPD2PI] = half(u.Vector[isa.CVTPD2DQ], 2), half(u.Vector[isa.CVTTPD2DQ], 2)
	t[isa.DPPS] = dotProduct(u.Vector[isa.MULPS], u.Vector[isa.HADDPS], 4)
	t[isa.DPPD] = dotProduct(u.Vector[isa.MULPD], u.Vector[isa.HADDPD], 8)
	return t
}
