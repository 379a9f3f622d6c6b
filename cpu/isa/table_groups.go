package isa

// The rows that continue in a table of eight (see row).
const (
	grp1   = byReg + iota
	grp1A  = byReg + iota
	grp2   = byReg + iota
	grp3   = byReg + iota
	grp3v  = byReg + iota
	grp4   = byReg + iota
	grp5   = byReg + iota
	grp6   = byReg + iota
	mod01  = byMod + iota
	grp7   = byReg + iota
	grp7r  = byReg + iota
	rm01C8 = byRM + iota
	np01CA = byPrefix + iota
	np01CB = byPrefix + iota
	grp8   = byReg + iota
	grp9   = byReg + iota
	grp11  = byReg + iota
	grp12  = byReg + iota
	grp13  = byReg + iota
	grp14  = byReg + iota
	grp14x = byReg + iota
	modAE  = byMod + iota
	grp15  = byReg + iota
	grp15r = byReg + iota
	mod18  = byMod + iota
	grp16  = byReg + iota
	mod12  = byMod + iota
	mod16  = byMod + iota
	nop90  = byPrefix + iota
	size98 = bySizeOp + iota
	size99 = bySizeOp + iota
	modD8  = byMod + iota
	modD9  = byMod + iota
	modDA  = byMod + iota
	modDB  = byMod + iota
	modDC  = byMod + iota
	modDD  = byMod + iota
	modDE  = byMod + iota
	modDF  = byMod + iota
	memD8  = byReg + iota
	regD8  = byReg + iota
	memD9  = byReg + iota
	regD9  = byReg + iota
	rmD9D0 = byRM + iota
	rmD9E0 = byRM + iota
	rmD9E8 = byRM + iota
	rmD9F0 = byRM + iota
	rmD9F8 = byRM + iota
	memDA  = byReg + iota
	regDA  = byReg + iota
	rmDAE8 = byRM + iota
	memDB  = byReg + iota
	regDB  = byReg + iota
	rmDBE0 = byRM + iota
	memDC  = byReg + iota
	regDC  = byReg + iota
	memDD  = byReg + iota
	regDD  = byReg + iota
	memDE  = byReg + iota
	regDE  = byReg + iota
	rmDED8 = byRM + iota
	memDF  = byReg + iota
	regDF  = byReg + iota
	rmDFE0 = byRM + iota

	numGroups = iota
)

// groups are the tables of eight: the opcode extensions of Intel SDM Vol. 2,
// Appendix A, "Opcode Extensions For One-Byte And Two-byte Opcodes", and the
// choices that are not by reg. The x87 follows in order of its first byte.
var groups = [numGroups][8]row{
	grp1 &^ selector: { // 80 to 83: Group 1
		0: {ADD, ops{}},
		1: {OR, ops{}},
		2: {ADC, ops{}},
		3: {SBB, ops{}},
		4: {AND, ops{}},
		5: {SUB, ops{}},
		6: {XOR, ops{}},
		7: {CMP, ops{}},
	},
	grp1A &^ selector: { // 8F: Group 1A
		0: {POP, ops{}},
	},
	grp2 &^ selector: { // C0, C1, D0 to D3: Group 2. /6 is SHL on every processor, undocumented
		0: {ROL, ops{}},
		1: {ROR, ops{}},
		2: {RCL, ops{}},
		3: {RCR, ops{}},
		4: {SHL, ops{}},
		5: {SHR, ops{}},
		6: {SHL, ops{}},
		7: {SAR, ops{}},
	},
	grp3 &^ selector: { // F6: Group 3. /1 is TEST, undocumented
		0: {TEST, ops{Eb, Ib}},
		1: {TEST, ops{Eb, Ib}},
		2: {NOT, ops{}},
		3: {NEG, ops{}},
		4: {MUL, ops{}},
		5: {IMUL, ops{}},
		6: {DIV, ops{}},
		7: {IDIV, ops{}},
	},
	grp3v &^ selector: { // F7: Group 3
		0: {TEST, ops{Ev, Iz}},
		1: {TEST, ops{Ev, Iz}},
		2: {NOT, ops{}},
		3: {NEG, ops{}},
		4: {MUL, ops{}},
		5: {IMUL, ops{}},
		6: {DIV, ops{}},
		7: {IDIV, ops{}},
	},
	grp4 &^ selector: { // FE: Group 4
		0: {INC, ops{}},
		1: {DEC, ops{}},
	},
	grp5 &^ selector: { // FF: Group 5
		0: {INC, ops{}},
		1: {DEC, ops{}},
		2: {CALL, ops{}},
		3: {CALLF, ops{Mp}},
		4: {JMP, ops{}},
		5: {JMPF, ops{Mp}},
		6: {PUSH, ops{}},
	},
	grp6 &^ selector: { // 0F 00: Group 6
		0: {SLDT, ops{RvMw}},
		1: {STR, ops{RvMw}},
		2: {LLDT, ops{Ew}},
		3: {LTR, ops{Ew}},
		4: {VERR, ops{Ew}},
		5: {VERW, ops{Ew}},
	},
	mod01 &^ selector: { // 0F 01: Group 7
		0: {grp7, ops{}},
		1: {grp7r, ops{}},
	},
	grp7 &^ selector: { // 0F 01 with memory
		0: {SGDT, ops{Ms}},
		1: {SIDT, ops{Ms}},
		2: {LGDT, ops{Ms}},
		3: {LIDT, ops{Ms}},
		4: {SMSW, ops{RvMw}},
		6: {LMSW, ops{Ew}},
		7: {INVLPG, ops{M}},
	},
	grp7r &^ selector: { // 0F 01 with a register
		1: {rm01C8, ops{}},
		4: {SMSW, ops{RvMw}},
		6: {LMSW, ops{Ew}},
	},
	rm01C8 &^ selector: { // 0F 01 C8 on
		0: {MONITOR, ops{}},
		1: {MWAIT, ops{}},
		2: {np01CA, ops{}},
		3: {np01CB, ops{}},
	},
	np01CA &^ selector: { // 0F 01 CA
		np: {CLAC, ops{}},
	},
	np01CB &^ selector: { // 0F 01 CB
		np: {STAC, ops{}},
	},
	grp8 &^ selector: { // 0F BA: Group 8
		4: {BT, ops{}},
		5: {BTS, ops{}},
		6: {BTR, ops{}},
		7: {BTC, ops{}},
	},
	grp9 &^ selector: { // 0F C7: Group 9
		1: {CMPXCHG8B, ops{Mq}},
	},
	grp11 &^ selector: { // C6, C7: Group 11
		0: {MOV, ops{}},
	},
	grp12 &^ selector: { // 0F 71: Group 12
		2: {PSRLW, ops{}},
		4: {PSRAW, ops{}},
		6: {PSLLW, ops{}},
	},
	grp13 &^ selector: { // 0F 72: Group 13
		2: {PSRLD, ops{}},
		4: {PSRAD, ops{}},
		6: {PSLLD, ops{}},
	},
	grp14 &^ selector: { // 0F 73: Group 14
		2: {PSRLQ, ops{}},
		6: {PSLLQ, ops{}},
	},
	grp14x &^ selector: { // 66 0F 73
		2: {PSRLQ, ops{}},
		3: {PSRLDQ, ops{}},
		6: {PSLLQ, ops{}},
		7: {PSLLDQ, ops{}},
	},
	modAE &^ selector: { // 0F AE: Group 15
		0: {grp15, ops{}},
		1: {grp15r, ops{}},
	},
	grp15 &^ selector: { // 0F AE with memory
		0: {FXSAVE, ops{M}},
		1: {FXRSTOR, ops{M}},
		2: {LDMXCSR, ops{Md}},
		3: {STMXCSR, ops{Md}},
		7: {CLFLUSH, ops{M}},
	},
	grp15r &^ selector: { // 0F AE with a register
		5: {LFENCE, ops{}},
		6: {MFENCE, ops{}},
		7: {SFENCE, ops{}},
	},
	mod18 &^ selector: { // 0F 18: Group 16. What is not a prefetch is a hint that does nothing
		0: {grp16, ops{}},
		1: {NOP, ops{En}},
	},
	grp16 &^ selector: { // 0F 18 with memory
		0: {PREFETCHNTA, ops{M}},
		1: {PREFETCHT0, ops{M}},
		2: {PREFETCHT1, ops{M}},
		3: {PREFETCHT2, ops{M}},
		4: {NOP, ops{En}},
		5: {NOP, ops{En}},
		6: {NOP, ops{En}},
		7: {NOP, ops{En}},
	},
	mod12 &^ selector: { // 0F 12
		0: {MOVLPS, ops{Vdq, Mq}},
		1: {MOVHLPS, ops{Vdq, Udq}},
	},
	mod16 &^ selector: { // 0F 16
		0: {MOVHPS, ops{Vdq, Mq}},
		1: {MOVLHPS, ops{Vdq, Udq}},
	},
	nop90 &^ selector: { // 90
		0: {NOP, ops{}},
		1: {NOP, ops{}},
		2: {PAUSE, ops{}},
		3: {NOP, ops{}},
	},
	size98 &^ selector: { // 98
		0: {CBW, ops{}},
		1: {CWDE, ops{}},
	},
	size99 &^ selector: { // 99
		0: {CWD, ops{}},
		1: {CDQ, ops{}},
	},

	// Escape opcodes (Intel SDM Vol. 2, Appendix A, "Escape Opcode Instructions").
	modD8 &^ selector: { // D8
		0: {memD8, ops{}},
		1: {regD8, ops{}},
	},
	modD9 &^ selector: { // D9
		0: {memD9, ops{}},
		1: {regD9, ops{}},
	},
	modDA &^ selector: { // DA
		0: {memDA, ops{}},
		1: {regDA, ops{}},
	},
	modDB &^ selector: { // DB
		0: {memDB, ops{}},
		1: {regDB, ops{}},
	},
	modDC &^ selector: { // DC
		0: {memDC, ops{}},
		1: {regDC, ops{}},
	},
	modDD &^ selector: { // DD
		0: {memDD, ops{}},
		1: {regDD, ops{}},
	},
	modDE &^ selector: { // DE
		0: {memDE, ops{}},
		1: {regDE, ops{}},
	},
	modDF &^ selector: { // DF
		0: {memDF, ops{}},
		1: {regDF, ops{}},
	},
	memD8 &^ selector: { // D8 with memory
		0: {FADD, ops{Md}},
		1: {FMUL, ops{Md}},
		2: {FCOM, ops{Md}},
		3: {FCOMP, ops{Md}},
		4: {FSUB, ops{Md}},
		5: {FSUBR, ops{Md}},
		6: {FDIV, ops{Md}},
		7: {FDIVR, ops{Md}},
	},
	regD8 &^ selector: { // D8 with a register
		0: {FADD, ops{ST0, STi}},
		1: {FMUL, ops{ST0, STi}},
		2: {FCOM, ops{ST0, STi}},
		3: {FCOMP, ops{ST0, STi}},
		4: {FSUB, ops{ST0, STi}},
		5: {FSUBR, ops{ST0, STi}},
		6: {FDIV, ops{ST0, STi}},
		7: {FDIVR, ops{ST0, STi}},
	},
	memD9 &^ selector: { // D9 with memory
		0: {FLD, ops{Md}},
		2: {FST, ops{Md}},
		3: {FSTP, ops{Md}},
		4: {FLDENV, ops{M}},
		5: {FLDCW, ops{Mw}},
		6: {FNSTENV, ops{M}},
		7: {FNSTCW, ops{Mw}},
	},
	regD9 &^ selector: { // D9 with a register. /3 is FSTP on every processor, undocumented
		0: {FLD, ops{STi}},
		1: {FXCH, ops{ST0, STi}},
		2: {rmD9D0, ops{}},
		3: {FSTP, ops{STi}},
		4: {rmD9E0, ops{}},
		5: {rmD9E8, ops{}},
		6: {rmD9F0, ops{}},
		7: {rmD9F8, ops{}},
	},
	rmD9D0 &^ selector: { // D9 D0
		0: {FNOP, ops{}},
	},
	rmD9E0 &^ selector: { // D9 E0 on
		0: {FCHS, ops{}},
		1: {FABS, ops{}},
		4: {FTST, ops{}},
		5: {FXAM, ops{}},
	},
	rmD9E8 &^ selector: { // D9 E8 on
		0: {FLD1, ops{}},
		1: {FLDL2T, ops{}},
		2: {FLDL2E, ops{}},
		3: {FLDPI, ops{}},
		4: {FLDLG2, ops{}},
		5: {FLDLN2, ops{}},
		6: {FLDZ, ops{}},
	},
	rmD9F0 &^ selector: { // D9 F0 on
		0: {F2XM1, ops{}},
		1: {FYL2X, ops{}},
		2: {FPTAN, ops{}},
		3: {FPATAN, ops{}},
		4: {FXTRACT, ops{}},
		5: {FPREM1, ops{}},
		6: {FDECSTP, ops{}},
		7: {FINCSTP, ops{}},
	},
	rmD9F8 &^ selector: { // D9 F8 on
		0: {FPREM, ops{}},
		1: {FYL2XP1, ops{}},
		2: {FSQRT, ops{}},
		3: {FSINCOS, ops{}},
		4: {FRNDINT, ops{}},
		5: {FSCALE, ops{}},
		6: {FSIN, ops{}},
		7: {FCOS, ops{}},
	},
	memDA &^ selector: { // DA with memory
		0: {FIADD, ops{Md}},
		1: {FIMUL, ops{Md}},
		2: {FICOM, ops{Md}},
		3: {FICOMP, ops{Md}},
		4: {FISUB, ops{Md}},
		5: {FISUBR, ops{Md}},
		6: {FIDIV, ops{Md}},
		7: {FIDIVR, ops{Md}},
	},
	regDA &^ selector: { // DA with a register
		0: {FCMOVB, ops{ST0, STi}},
		1: {FCMOVE, ops{ST0, STi}},
		2: {FCMOVBE, ops{ST0, STi}},
		3: {FCMOVU, ops{ST0, STi}},
		5: {rmDAE8, ops{}},
	},
	rmDAE8 &^ selector: { // DA E8 on
		1: {FUCOMPP, ops{}},
	},
	memDB &^ selector: { // DB with memory
		0: {FILD, ops{Md}},
		1: {FISTTP, ops{Md}},
		2: {FIST, ops{Md}},
		3: {FISTP, ops{Md}},
		5: {FLD, ops{Mt}},
		7: {FSTP, ops{Mt}},
	},
	regDB &^ selector: { // DB with a register
		0: {FCMOVNB, ops{ST0, STi}},
		1: {FCMOVNE, ops{ST0, STi}},
		2: {FCMOVNBE, ops{ST0, STi}},
		3: {FCMOVNU, ops{ST0, STi}},
		4: {rmDBE0, ops{}},
		5: {FUCOMI, ops{ST0, STi}},
		6: {FCOMI, ops{ST0, STi}},
	},
	rmDBE0 &^ selector: { // DB E0 on
		0: {FNENI, ops{}},
		1: {FNDISI, ops{}},
		2: {FNCLEX, ops{}},
		3: {FNINIT, ops{}},
		4: {FNSETPM, ops{}},
	},
	memDC &^ selector: { // DC with memory
		0: {FADD, ops{Mq}},
		1: {FMUL, ops{Mq}},
		2: {FCOM, ops{Mq}},
		3: {FCOMP, ops{Mq}},
		4: {FSUB, ops{Mq}},
		5: {FSUBR, ops{Mq}},
		6: {FDIV, ops{Mq}},
		7: {FDIVR, ops{Mq}},
	},
	regDC &^ selector: { // DC with a register. /2 and /3 are as in D8, undocumented
		0: {FADD, ops{STi, ST0}},
		1: {FMUL, ops{STi, ST0}},
		2: {FCOM, ops{ST0, STi}},
		3: {FCOMP, ops{ST0, STi}},
		4: {FSUBR, ops{STi, ST0}},
		5: {FSUB, ops{STi, ST0}},
		6: {FDIVR, ops{STi, ST0}},
		7: {FDIV, ops{STi, ST0}},
	},
	memDD &^ selector: { // DD with memory
		0: {FLD, ops{Mq}},
		1: {FISTTP, ops{Mq}},
		2: {FST, ops{Mq}},
		3: {FSTP, ops{Mq}},
		4: {FRSTOR, ops{M}},
		6: {FNSAVE, ops{M}},
		7: {FNSTSW, ops{Mw}},
	},
	regDD &^ selector: { // DD with a register. /1 is FXCH, undocumented
		0: {FFREE, ops{STi}},
		1: {FXCH, ops{ST0, STi}},
		2: {FST, ops{STi}},
		3: {FSTP, ops{STi}},
		4: {FUCOM, ops{ST0, STi}},
		5: {FUCOMP, ops{ST0, STi}},
	},
	memDE &^ selector: { // DE with memory
		0: {FIADD, ops{Mw}},
		1: {FIMUL, ops{Mw}},
		2: {FICOM, ops{Mw}},
		3: {FICOMP, ops{Mw}},
		4: {FISUB, ops{Mw}},
		5: {FISUBR, ops{Mw}},
		6: {FIDIV, ops{Mw}},
		7: {FIDIVR, ops{Mw}},
	},
	regDE &^ selector: { // DE with a register. /2 is FCOMP, undocumented
		0: {FADDP, ops{STi, ST0}},
		1: {FMULP, ops{STi, ST0}},
		2: {FCOMP, ops{ST0, STi}},
		3: {rmDED8, ops{}},
		4: {FSUBRP, ops{STi, ST0}},
		5: {FSUBP, ops{STi, ST0}},
		6: {FDIVRP, ops{STi, ST0}},
		7: {FDIVP, ops{STi, ST0}},
	},
	rmDED8 &^ selector: { // DE D8 on
		1: {FCOMPP, ops{}},
	},
	memDF &^ selector: { // DF with memory
		0: {FILD, ops{Mw}},
		1: {FISTTP, ops{Mw}},
		2: {FIST, ops{Mw}},
		3: {FISTP, ops{Mw}},
		4: {FBLD, ops{Mt}},
		5: {FILD, ops{Mq}},
		6: {FBSTP, ops{Mt}},
		7: {FISTP, ops{Mq}},
	},
	regDF &^ selector: { // DF with a register. /0 to /3 are undocumented
		0: {FFREEP, ops{STi}},
		1: {FXCH, ops{ST0, STi}},
		2: {FSTP, ops{STi}},
		3: {FSTP, ops{STi}},
		4: {rmDFE0, ops{}},
		5: {FUCOMIP, ops{ST0, STi}},
		6: {FCOMIP, ops{ST0, STi}},
	},
	rmDFE0 &^ selector: { // DF E0
		0: {FNSTSW, ops{AX}},
	},
}
