package interp

import "github.com/gov86/gov86/cpu/fpu/host"

// hostX87 is the host's own unit.
var hostX87 = x87Unit{
	fadd: host.Fadd, fsub: host.Fsub, fmul: host.Fmul, fdiv: host.Fdiv, fcom: host.Fcom, fucom: host.Fucom,
	fscale: host.Fscale, fprem: host.Fprem, fprem1: host.Fprem1,
	fyl2x: host.Fyl2x, fyl2xp1: host.Fyl2xp1, fpatan: host.Fpatan,
	fsqrt: host.Fsqrt, frndint: host.Frndint, f2xm1: host.F2xm1, fsin: host.Fsin, fcos: host.Fcos,
	fptan: host.Fptan, fsincos: host.Fsincos, fxtract: host.Fxtract,
	fldl2t: host.Fldl2t, fldl2e: host.Fldl2e, fldpi: host.Fldpi, fldlg2: host.Fldlg2, fldln2: host.Fldln2,
	fstp32: host.Fstp32, fstp64: host.Fstp64, fistp16: host.Fistp16, fistp32: host.Fistp32, fistp64: host.Fistp64,
	fisttp16: host.Fisttp16, fisttp32: host.Fisttp32, fisttp64: host.Fisttp64, fbstp: host.Fbstp,
}
