package interp

import (
	xcpu "golang.org/x/sys/cpu"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/fpu/host"
	"github.com/gov86/gov86/cpu/isa"
)

// simdUnit are the MMX and SSE operations that the host's unit executes, as
// far as the host has them.
var simdUnit = supported([isa.NumOps]func(*Engine, *isa.Inst) cpu.Trap{
	isa.ADDPS: packed(host.Addps), isa.ADDPD: packed(host.Addpd), isa.ADDSS: packed(host.Addss),
	isa.ADDSD: packed(host.Addsd), isa.MULPS: packed(host.Mulps), isa.MULPD: packed(host.Mulpd),
	isa.MULSS: packed(host.Mulss), isa.MULSD: packed(host.Mulsd), isa.SUBPS: packed(host.Subps),
	isa.SUBPD: packed(host.Subpd), isa.SUBSS: packed(host.Subss), isa.SUBSD: packed(host.Subsd),
	isa.MINPS: packed(host.Minps), isa.MINPD: packed(host.Minpd), isa.MINSS: packed(host.Minss),
	isa.MINSD: packed(host.Minsd), isa.DIVPS: packed(host.Divps), isa.DIVPD: packed(host.Divpd),
	isa.DIVSS: packed(host.Divss), isa.DIVSD: packed(host.Divsd), isa.MAXPS: packed(host.Maxps),
	isa.MAXPD: packed(host.Maxpd), isa.MAXSS: packed(host.Maxss), isa.MAXSD: packed(host.Maxsd),
	isa.SQRTPS: packed(host.Sqrtps), isa.SQRTPD: packed(host.Sqrtpd), isa.SQRTSS: packed(host.Sqrtss),
	isa.SQRTSD: packed(host.Sqrtsd), isa.RSQRTPS: packed(host.Rsqrtps), isa.RSQRTSS: packed(host.Rsqrtss),
	isa.RCPPS: packed(host.Rcpps), isa.RCPSS: packed(host.Rcpss), isa.CVTPS2PD: packed(host.Cvtps2pd),
	isa.CVTPD2PS: packed(host.Cvtpd2ps), isa.CVTSS2SD: packed(host.Cvtss2sd),
	isa.CVTSD2SS: packed(host.Cvtsd2ss), isa.CVTDQ2PS: packed(host.Cvtdq2ps),
	isa.CVTPS2DQ: packed(host.Cvtps2dq), isa.CVTTPS2DQ: packed(host.Cvttps2dq),
	isa.CVTTPD2DQ: packed(host.Cvttpd2dq), isa.CVTDQ2PD: packed(host.Cvtdq2pd),
	isa.CVTPD2DQ: packed(host.Cvtpd2dq), isa.ADDSUBPS: packed(host.Addsubps),
	isa.ADDSUBPD: packed(host.Addsubpd), isa.HADDPS: packed(host.Haddps), isa.HADDPD: packed(host.Haddpd),
	isa.HSUBPS: packed(host.Hsubps), isa.HSUBPD: packed(host.Hsubpd), isa.UNPCKLPS: packed(host.Unpcklps),
	isa.UNPCKLPD: packed(host.Unpcklpd), isa.UNPCKHPS: packed(host.Unpckhps),
	isa.UNPCKHPD: packed(host.Unpckhpd), isa.PUNPCKLQDQ: packed(host.Punpcklqdq),
	isa.PUNPCKHQDQ: packed(host.Punpckhqdq), isa.MOVDDUP: packed(host.Movddup),
	isa.MOVSLDUP: packed(host.Movsldup), isa.MOVSHDUP: packed(host.Movshdup),
	isa.PHMINPOSUW: packed(host.Phminposuw), isa.PMULDQ: packed(host.Pmuldq),
	isa.PCMPEQQ: packed(host.Pcmpeqq), isa.PCMPGTQ: packed(host.Pcmpgtq), isa.PACKUSDW: packed(host.Packusdw),
	isa.PMINSB: packed(host.Pminsb), isa.PMINSD: packed(host.Pminsd), isa.PMINUW: packed(host.Pminuw),
	isa.PMINUD: packed(host.Pminud), isa.PMAXSB: packed(host.Pmaxsb), isa.PMAXSD: packed(host.Pmaxsd),
	isa.PMAXUW: packed(host.Pmaxuw), isa.PMAXUD: packed(host.Pmaxud), isa.PMULLD: packed(host.Pmulld),
	isa.PMOVSXBW: packed(host.Pmovsxbw), isa.PMOVSXBD: packed(host.Pmovsxbd),
	isa.PMOVSXBQ: packed(host.Pmovsxbq), isa.PMOVSXWD: packed(host.Pmovsxwd),
	isa.PMOVSXWQ: packed(host.Pmovsxwq), isa.PMOVSXDQ: packed(host.Pmovsxdq),
	isa.PMOVZXBW: packed(host.Pmovzxbw), isa.PMOVZXBD: packed(host.Pmovzxbd),
	isa.PMOVZXBQ: packed(host.Pmovzxbq), isa.PMOVZXWD: packed(host.Pmovzxwd),
	isa.PMOVZXWQ: packed(host.Pmovzxwq), isa.PMOVZXDQ: packed(host.Pmovzxdq),

	isa.PUNPCKLBW: either(host.Punpcklbw, host.MMPunpcklbw),
	isa.PUNPCKLWD: either(host.Punpcklwd, host.MMPunpcklwd),
	isa.PUNPCKLDQ: either(host.Punpckldq, host.MMPunpckldq),
	isa.PACKSSWB:  either(host.Packsswb, host.MMPacksswb), isa.PCMPGTB: either(host.Pcmpgtb, host.MMPcmpgtb),
	isa.PCMPGTW: either(host.Pcmpgtw, host.MMPcmpgtw), isa.PCMPGTD: either(host.Pcmpgtd, host.MMPcmpgtd),
	isa.PACKUSWB:  either(host.Packuswb, host.MMPackuswb),
	isa.PUNPCKHBW: either(host.Punpckhbw, host.MMPunpckhbw),
	isa.PUNPCKHWD: either(host.Punpckhwd, host.MMPunpckhwd),
	isa.PUNPCKHDQ: either(host.Punpckhdq, host.MMPunpckhdq),
	isa.PACKSSDW:  either(host.Packssdw, host.MMPackssdw), isa.PCMPEQB: either(host.Pcmpeqb, host.MMPcmpeqb),
	isa.PCMPEQW: either(host.Pcmpeqw, host.MMPcmpeqw), isa.PCMPEQD: either(host.Pcmpeqd, host.MMPcmpeqd),
	isa.PSRLW: either(host.Psrlw, host.MMPsrlw), isa.PSRLD: either(host.Psrld, host.MMPsrld),
	isa.PSRLQ: either(host.Psrlq, host.MMPsrlq), isa.PADDQ: either(host.Paddq, host.MMPaddq),
	isa.PMULLW: either(host.Pmullw, host.MMPmullw), isa.PSUBUSB: either(host.Psubusb, host.MMPsubusb),
	isa.PSUBUSW: either(host.Psubusw, host.MMPsubusw), isa.PMINUB: either(host.Pminub, host.MMPminub),
	isa.PADDUSB: either(host.Paddusb, host.MMPaddusb),
	isa.PADDUSW: either(host.Paddusw, host.MMPaddusw), isa.PMAXUB: either(host.Pmaxub, host.MMPmaxub),
	isa.PAVGB: either(host.Pavgb, host.MMPavgb),
	isa.PSRAW: either(host.Psraw, host.MMPsraw), isa.PSRAD: either(host.Psrad, host.MMPsrad),
	isa.PAVGW: either(host.Pavgw, host.MMPavgw), isa.PMULHUW: either(host.Pmulhuw, host.MMPmulhuw),
	isa.PMULHW: either(host.Pmulhw, host.MMPmulhw), isa.PSUBSB: either(host.Psubsb, host.MMPsubsb),
	isa.PSUBSW: either(host.Psubsw, host.MMPsubsw), isa.PMINSW: either(host.Pminsw, host.MMPminsw),
	isa.PADDSB: either(host.Paddsb, host.MMPaddsb),
	isa.PADDSW: either(host.Paddsw, host.MMPaddsw), isa.PMAXSW: either(host.Pmaxsw, host.MMPmaxsw),
	isa.PSLLW: either(host.Psllw, host.MMPsllw),
	isa.PSLLD: either(host.Pslld, host.MMPslld), isa.PSLLQ: either(host.Psllq, host.MMPsllq),
	isa.PMULUDQ: either(host.Pmuludq, host.MMPmuludq), isa.PMADDWD: either(host.Pmaddwd, host.MMPmaddwd),
	isa.PSADBW: either(host.Psadbw, host.MMPsadbw), isa.PSUBB: either(host.Psubb, host.MMPsubb),
	isa.PSUBW: either(host.Psubw, host.MMPsubw), isa.PSUBD: either(host.Psubd, host.MMPsubd),
	isa.PSUBQ: either(host.Psubq, host.MMPsubq), isa.PADDB: either(host.Paddb, host.MMPaddb),
	isa.PADDW: either(host.Paddw, host.MMPaddw), isa.PADDD: either(host.Paddd, host.MMPaddd),
	isa.PSHUFB: either(host.Pshufb, host.MMPshufb), isa.PHADDW: either(host.Phaddw, host.MMPhaddw),
	isa.PHADDD: either(host.Phaddd, host.MMPhaddd), isa.PHADDSW: either(host.Phaddsw, host.MMPhaddsw),
	isa.PMADDUBSW: either(host.Pmaddubsw, host.MMPmaddubsw), isa.PHSUBW: either(host.Phsubw, host.MMPhsubw),
	isa.PHSUBD: either(host.Phsubd, host.MMPhsubd), isa.PHSUBSW: either(host.Phsubsw, host.MMPhsubsw),
	isa.PSIGNB: either(host.Psignb, host.MMPsignb), isa.PSIGNW: either(host.Psignw, host.MMPsignw),
	isa.PSIGND: either(host.Psignd, host.MMPsignd), isa.PMULHRSW: either(host.Pmulhrsw, host.MMPmulhrsw),
	isa.PABSB: either(host.Pabsb, host.MMPabsb), isa.PABSW: either(host.Pabsw, host.MMPabsw),
	isa.PABSD: either(host.Pabsd, host.MMPabsd),

	isa.CMPPS: selected(cmpps), isa.CMPPD: selected(cmppd), isa.CMPSS: selected(cmpss), isa.CMPSD: selected(cmpsd),
	isa.ROUNDPS: selected(roundps), isa.ROUNDPD: selected(roundpd), isa.ROUNDSS: selected(roundss), isa.ROUNDSD: selected(roundsd),
	isa.COMISS: comis(host.Comiss), isa.COMISD: comis(host.Comisd),
	isa.UCOMISS: comis(host.Ucomiss), isa.UCOMISD: comis(host.Ucomisd),
	isa.CVTSS2SI: toInteger(host.Cvtss2si), isa.CVTTSS2SI: toInteger(host.Cvttss2si),
	isa.CVTSD2SI: toInteger(host.Cvtsd2si), isa.CVTTSD2SI: toInteger(host.Cvttsd2si),
	isa.CVTSI2SS: fromInteger(host.Cvtsi2ss), isa.CVTSI2SD: fromInteger(host.Cvtsi2sd),
	isa.CVTPI2PS: half(host.Cvtdq2ps, 1), isa.CVTPI2PD: half(host.Cvtdq2pd, 1),
	isa.CVTPS2PI: half(host.Cvtps2dq, 1), isa.CVTTPS2PI: half(host.Cvttps2dq, 1),
	isa.CVTPD2PI: half(host.Cvtpd2dq, 2), isa.CVTTPD2PI: half(host.Cvttpd2dq, 2),
	isa.DPPS: dotProduct(host.Mulps, host.Haddps, 4), isa.DPPD: dotProduct(host.Mulpd, host.Haddpd, 8),
})

// The functions that their immediate selects.
var (
	cmpps = []vectorFunc{
		host.Cmpps0, host.Cmpps1, host.Cmpps2, host.Cmpps3, host.Cmpps4, host.Cmpps5, host.Cmpps6, host.Cmpps7,
	}
	cmppd = []vectorFunc{
		host.Cmppd0, host.Cmppd1, host.Cmppd2, host.Cmppd3, host.Cmppd4, host.Cmppd5, host.Cmppd6, host.Cmppd7,
	}
	cmpss = []vectorFunc{
		host.Cmpss0, host.Cmpss1, host.Cmpss2, host.Cmpss3, host.Cmpss4, host.Cmpss5, host.Cmpss6, host.Cmpss7,
	}
	cmpsd = []vectorFunc{
		host.Cmpsd0, host.Cmpsd1, host.Cmpsd2, host.Cmpsd3, host.Cmpsd4, host.Cmpsd5, host.Cmpsd6, host.Cmpsd7,
	}
	roundps = []vectorFunc{
		host.Roundps0, host.Roundps1, host.Roundps2, host.Roundps3, host.Roundps4, host.Roundps5, host.Roundps6,
		host.Roundps7, host.Roundps8, host.Roundps9, host.Roundps10, host.Roundps11, host.Roundps12,
		host.Roundps13, host.Roundps14, host.Roundps15,
	}
	roundpd = []vectorFunc{
		host.Roundpd0, host.Roundpd1, host.Roundpd2, host.Roundpd3, host.Roundpd4, host.Roundpd5, host.Roundpd6,
		host.Roundpd7, host.Roundpd8, host.Roundpd9, host.Roundpd10, host.Roundpd11, host.Roundpd12,
		host.Roundpd13, host.Roundpd14, host.Roundpd15,
	}
	roundss = []vectorFunc{
		host.Roundss0, host.Roundss1, host.Roundss2, host.Roundss3, host.Roundss4, host.Roundss5, host.Roundss6,
		host.Roundss7, host.Roundss8, host.Roundss9, host.Roundss10, host.Roundss11, host.Roundss12,
		host.Roundss13, host.Roundss14, host.Roundss15,
	}
	roundsd = []vectorFunc{
		host.Roundsd0, host.Roundsd1, host.Roundsd2, host.Roundsd3, host.Roundsd4, host.Roundsd5, host.Roundsd6,
		host.Roundsd7, host.Roundsd8, host.Roundsd9, host.Roundsd10, host.Roundsd11, host.Roundsd12,
		host.Roundsd13, host.Roundsd14, host.Roundsd15,
	}
)

// supported makes undefined what the host does not have.
func supported(t [isa.NumOps]func(*Engine, *isa.Inst) cpu.Trap) [isa.NumOps]func(*Engine, *isa.Inst) cpu.Trap {
	has := map[isa.Feature]bool{
		isa.FeatureSSE3: xcpu.X86.HasSSE3, isa.FeatureSSSE3: xcpu.X86.HasSSSE3,
		isa.FeatureSSE41: xcpu.X86.HasSSE41, isa.FeatureSSE42: xcpu.X86.HasSSE42,
	}
	for op, fn := range t {
		in := isa.Inst{Op: isa.Op(op)}
		if yes, asked := has[in.Feature()]; asked && !yes && fn != nil {
			t[op] = undefined
		}
	}
	return t
}
