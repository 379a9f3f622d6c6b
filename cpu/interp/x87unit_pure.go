package interp

import (
	le "encoding/binary"

	"github.com/gov86/gov86/cpu/fpu"
	"github.com/gov86/gov86/cpu/fpu/host"
)

// pureX87 is package fpu in the shapes of a unit. Each function is written out:
// were fpu's called through a variable, its environment would be allocated.
var pureX87 = x87Unit{
	fadd: pureFadd, fsub: pureFsub, fmul: pureFmul, fdiv: pureFdiv, fcom: pureFcom, fucom: pureFucom,
	fscale: pureFscale, fprem: pureFprem, fprem1: pureFprem1,
	fyl2x: pureFyl2x, fyl2xp1: pureFyl2xp1, fpatan: pureFpatan,
	fsqrt: pureFsqrt, frndint: pureFrndint, f2xm1: pureF2xm1, fsin: pureFsin, fcos: pureFcos,
	fptan: pureFptan, fsincos: pureFsincos, fxtract: pureFxtract,
	fldl2t: pureFldl2t, fldl2e: pureFldl2e, fldpi: pureFldpi, fldlg2: pureFldlg2, fldln2: pureFldln2,
	fstp32: pureFstp32, fstp64: pureFstp64, fistp16: pureFistp16, fistp32: pureFistp32, fistp64: pureFistp64,
	fisttp16: pureFisttp16, fisttp32: pureFisttp32, fisttp64: pureFisttp64, fbstp: pureFbstp,
}

func take(a *host.F80) fpu.F80    { return fpu.F80{Sig: a.Significand, SE: a.SignExponent} }
func give(r *host.F80, v fpu.F80) { r.Significand, r.SignExponent = v.Sig, v.SE }

func pureFadd(r, a, b *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	give(r, fpu.Add(&e, take(a), take(b)))
	return e.Status
}

func pureFsub(r, a, b *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	give(r, fpu.Sub(&e, take(a), take(b)))
	return e.Status
}

func pureFmul(r, a, b *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	give(r, fpu.Mul(&e, take(a), take(b)))
	return e.Status
}

func pureFdiv(r, a, b *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	give(r, fpu.Div(&e, take(a), take(b)))
	return e.Status
}

func pureFscale(r, a, b *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	give(r, fpu.Scale(&e, take(a), take(b)))
	return e.Status
}

func pureFprem(r, a, b *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	give(r, fpu.Rem(&e, take(a), take(b)))
	return e.Status
}

func pureFprem1(r, a, b *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	give(r, fpu.Rem1(&e, take(a), take(b)))
	return e.Status
}

func pureFyl2x(r, a, b *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	give(r, fpu.Log2(&e, take(a), take(b)))
	return e.Status
}

func pureFyl2xp1(r, a, b *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	give(r, fpu.Log2P1(&e, take(a), take(b)))
	return e.Status
}

func pureFpatan(r, a, b *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	give(r, fpu.Atan(&e, take(a), take(b)))
	return e.Status
}

func pureFcom(_, a, b *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	fpu.Compare(&e, take(a), take(b))
	return e.Status
}

func pureFucom(_, a, b *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	fpu.CompareQuiet(&e, take(a), take(b))
	return e.Status
}

func pureFsqrt(r, a *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	give(r, fpu.Sqrt(&e, take(a)))
	return e.Status
}

func pureFrndint(r, a *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	give(r, fpu.Round(&e, take(a)))
	return e.Status
}

func pureF2xm1(r, a *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	give(r, fpu.Exp2M1(&e, take(a)))
	return e.Status
}

func pureFsin(r, a *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	give(r, fpu.Sin(&e, take(a)))
	return e.Status
}

func pureFcos(r, a *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	give(r, fpu.Cos(&e, take(a)))
	return e.Status
}

func pureFldl2t(r *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	give(r, fpu.Log2Ten(&e))
	return e.Status
}

func pureFldl2e(r *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	give(r, fpu.Log2E(&e))
	return e.Status
}

func pureFldpi(r *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	give(r, fpu.Pi(&e))
	return e.Status
}

func pureFldlg2(r *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	give(r, fpu.Log10Two(&e))
	return e.Status
}

func pureFldln2(r *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	give(r, fpu.LnTwo(&e))
	return e.Status
}

func pureFptan(r, s, a *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	tangent, pushed := fpu.Tan(&e, take(a))
	give(r, pushed)
	give(s, tangent)
	return e.Status
}

func pureFsincos(r, s, a *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	sin, cos := fpu.SinCos(&e, take(a))
	give(r, cos)
	give(s, sin)
	return e.Status
}

func pureFxtract(r, s, a *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	significand, exponent := fpu.Extract(&e, take(a))
	give(r, significand)
	give(s, exponent)
	return e.Status
}

func pureFstp32(m *[10]byte, a *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	le.LittleEndian.PutUint32(m[:], fpu.ToFloat32(&e, take(a)))
	return e.Status
}

func pureFstp64(m *[10]byte, a *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	le.LittleEndian.PutUint64(m[:], fpu.ToFloat64(&e, take(a)))
	return e.Status
}

func pureFistp16(m *[10]byte, a *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	le.LittleEndian.PutUint16(m[:], uint16(fpu.ToInt16(&e, take(a))))
	return e.Status
}

func pureFistp32(m *[10]byte, a *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	le.LittleEndian.PutUint32(m[:], uint32(fpu.ToInt32(&e, take(a))))
	return e.Status
}

func pureFistp64(m *[10]byte, a *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	le.LittleEndian.PutUint64(m[:], uint64(fpu.ToInt64(&e, take(a))))
	return e.Status
}

func pureFisttp16(m *[10]byte, a *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	le.LittleEndian.PutUint16(m[:], uint16(fpu.TruncateToInt16(&e, take(a))))
	return e.Status
}

func pureFisttp32(m *[10]byte, a *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	le.LittleEndian.PutUint32(m[:], uint32(fpu.TruncateToInt32(&e, take(a))))
	return e.Status
}

func pureFisttp64(m *[10]byte, a *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	le.LittleEndian.PutUint64(m[:], uint64(fpu.TruncateToInt64(&e, take(a))))
	return e.Status
}

func pureFbstp(m *[10]byte, a *host.F80, control uint16) uint16 {
	e := fpu.Env{Control: control}
	*m = fpu.ToBCD(&e, take(a))
	return e.Status
}
