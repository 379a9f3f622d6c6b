package isa

// threeByte38 is Intel SDM Vol. 2, Appendix A, "Three-byte Opcode Map: First
// Two Bytes are 0F 38H".
var threeByte38 = [4][256]row{
	np: {
		0x00: {PSHUFB, ops{Pq, Qq}},
		0x01: {PHADDW, ops{Pq, Qq}},
		0x02: {PHADDD, ops{Pq, Qq}},
		0x03: {PHADDSW, ops{Pq, Qq}},
		0x04: {PMADDUBSW, ops{Pq, Qq}},
		0x05: {PHSUBW, ops{Pq, Qq}},
		0x06: {PHSUBD, ops{Pq, Qq}},
		0x07: {PHSUBSW, ops{Pq, Qq}},
		0x08: {PSIGNB, ops{Pq, Qq}},
		0x09: {PSIGNW, ops{Pq, Qq}},
		0x0a: {PSIGND, ops{Pq, Qq}},
		0x0b: {PMULHRSW, ops{Pq, Qq}},

		0x1c: {PABSB, ops{Pq, Qq}},
		0x1d: {PABSW, ops{Pq, Qq}},
		0x1e: {PABSD, ops{Pq, Qq}},

		0xf0: {MOVBE, ops{Gv, Mv}},
		0xf1: {MOVBE, ops{Mv, Gv}},
	},
	p66: {
		0x00: {PSHUFB, ops{Vdq, Wdq}},
		0x01: {PHADDW, ops{Vdq, Wdq}},
		0x02: {PHADDD, ops{Vdq, Wdq}},
		0x03: {PHADDSW, ops{Vdq, Wdq}},
		0x04: {PMADDUBSW, ops{Vdq, Wdq}},
		0x05: {PHSUBW, ops{Vdq, Wdq}},
		0x06: {PHSUBD, ops{Vdq, Wdq}},
		0x07: {PHSUBSW, ops{Vdq, Wdq}},
		0x08: {PSIGNB, ops{Vdq, Wdq}},
		0x09: {PSIGNW, ops{Vdq, Wdq}},
		0x0a: {PSIGND, ops{Vdq, Wdq}},
		0x0b: {PMULHRSW, ops{Vdq, Wdq}},

		0x10: {PBLENDVB, ops{Vdq, Wdq}},
		0x14: {BLENDVPS, ops{Vdq, Wdq}},
		0x15: {BLENDVPD, ops{Vdq, Wdq}},
		0x17: {PTEST, ops{Vdq, Wdq}},
		0x1c: {PABSB, ops{Vdq, Wdq}},
		0x1d: {PABSW, ops{Vdq, Wdq}},
		0x1e: {PABSD, ops{Vdq, Wdq}},

		0x20: {PMOVSXBW, ops{Vdq, Wq}},
		0x21: {PMOVSXBD, ops{Vdq, Wd}},
		0x22: {PMOVSXBQ, ops{Vdq, Ww}},
		0x23: {PMOVSXWD, ops{Vdq, Wq}},
		0x24: {PMOVSXWQ, ops{Vdq, Wd}},
		0x25: {PMOVSXDQ, ops{Vdq, Wq}},
		0x28: {PMULDQ, ops{Vdq, Wdq}},
		0x29: {PCMPEQQ, ops{Vdq, Wdq}},
		0x2a: {MOVNTDQA, ops{Vdq, Mdq}},
		0x2b: {PACKUSDW, ops{Vdq, Wdq}},

		0x30: {PMOVZXBW, ops{Vdq, Wq}},
		0x31: {PMOVZXBD, ops{Vdq, Wd}},
		0x32: {PMOVZXBQ, ops{Vdq, Ww}},
		0x33: {PMOVZXWD, ops{Vdq, Wq}},
		0x34: {PMOVZXWQ, ops{Vdq, Wd}},
		0x35: {PMOVZXDQ, ops{Vdq, Wq}},
		0x37: {PCMPGTQ, ops{Vdq, Wdq}},
		0x38: {PMINSB, ops{Vdq, Wdq}},
		0x39: {PMINSD, ops{Vdq, Wdq}},
		0x3a: {PMINUW, ops{Vdq, Wdq}},
		0x3b: {PMINUD, ops{Vdq, Wdq}},
		0x3c: {PMAXSB, ops{Vdq, Wdq}},
		0x3d: {PMAXSD, ops{Vdq, Wdq}},
		0x3e: {PMAXUW, ops{Vdq, Wdq}},
		0x3f: {PMAXUD, ops{Vdq, Wdq}},

		0x40: {PMULLD, ops{Vdq, Wdq}},
		0x41: {PHMINPOSUW, ops{Vdq, Wdq}},

		0xf0: {MOVBE, ops{Gv, Mv}},
		0xf1: {MOVBE, ops{Mv, Gv}},
	},
	pF2: {
		0xf0: {CRC32, ops{Gd, Eb}},
		0xf1: {CRC32, ops{Gd, Ev}},
	},
}

// threeByte3A is Intel SDM Vol. 2, Appendix A, "Three-byte Opcode Map: First
// Two Bytes are 0F 3AH".
var threeByte3A = [4][256]row{
	np: {
		0x0f: {PALIGNR, ops{Pq, Qq, Ib}},
	},
	p66: {
		0x08: {ROUNDPS, ops{Vdq, Wdq, Ib}},
		0x09: {ROUNDPD, ops{Vdq, Wdq, Ib}},
		0x0a: {ROUNDSS, ops{Vdq, Wd, Ib}},
		0x0b: {ROUNDSD, ops{Vdq, Wq, Ib}},
		0x0c: {BLENDPS, ops{Vdq, Wdq, Ib}},
		0x0d: {BLENDPD, ops{Vdq, Wdq, Ib}},
		0x0e: {PBLENDW, ops{Vdq, Wdq, Ib}},
		0x0f: {PALIGNR, ops{Vdq, Wdq, Ib}},

		0x14: {PEXTRB, ops{RdMb, Vdq, Ib}},
		0x15: {PEXTRW_M, ops{RdMw, Vdq, Ib}},
		0x16: {PEXTRD, ops{Ed, Vdq, Ib}},
		0x17: {EXTRACTPS, ops{Ed, Vdq, Ib}},

		0x20: {PINSRB, ops{Vdq, RdMb, Ib}},
		0x21: {INSERTPS, ops{Vdq, Wd, Ib}},
		0x22: {PINSRD, ops{Vdq, Ed, Ib}},

		0x40: {DPPS, ops{Vdq, Wdq, Ib}},
		0x41: {DPPD, ops{Vdq, Wdq, Ib}},
		0x42: {MPSADBW, ops{Vdq, Wdq, Ib}},

		0x60: {PCMPESTRM, ops{Vdq, Wdq, Ib}},
		0x61: {PCMPESTRI, ops{Vdq, Wdq, Ib}},
		0x62: {PCMPISTRM, ops{Vdq, Wdq, Ib}},
		0x63: {PCMPISTRI, ops{Vdq, Wdq, Ib}},
	},
}
