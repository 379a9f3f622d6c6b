package isa

//lint:file-ignore SA4016 a register's number is added to its file, 0 like any other

// An operand is a column of an opcode map in the notation of the Intel SDM
// Vol. 2, Appendix A: where the operand is, then its type.
type operand uint8

// Operands in ModR/M. Letters after those of the SDM: n is memory that is not
// accessed, t is ten bytes.
const (
	none operand = iota

	// E: a general register or memory.
	Eb
	Ew
	Ed
	Ev
	En
	RvMw // a register of operand size, or a word in memory
	RdMw
	RdMb

	// M: memory only.
	M // an address, or an image of more than 16 bytes
	Mw
	Md
	Mq
	Mt
	Mdq
	Mp // far pointer
	Ma // a pair of operand size
	Ms // pseudo-descriptor
	Mv

	// R, N, U: a register only, in the r/m field.
	Rd // whatever mod says
	Nq
	Udq
	STi

	// Q, W: an MMX or XMM register, or memory.
	Qd
	Qq
	Ww
	Wd
	Wq
	Wdq

	// G, S, C, D, P, V: the reg field.
	Gb
	Gw
	Gd
	Gv
	Sw
	Cd
	Dd
	Pq
	Vdq

	// Z: a general register in the low bits of the opcode.
	Zb
	Zv

	// I, J, A, O: after ModR/M.
	I1 // the constant 1
	Ib
	Ibs // sign-extended
	Iw
	Iz
	Jb
	Jz
	Ap
	Ob
	Ov

	// X, Y: the memory of string instructions, which Inst does not list.
	Xb
	Xv
	Yb
	Yv

	// Registers by name.
	AL
	CL
	AX
	DX
	eAX
	segES
	segCS
	segSS
	segDS
	segFS
	segGS
	ST0

	numOperands
)

// A field is where an operand is encoded.
type field uint8

const (
	noField      field = iota
	fieldRM            // mod and r/m
	fieldRMReg         // r/m, a register whatever mod says
	fieldReg           // reg
	fieldSeg           // reg, as a segment register
	fieldControl       // reg, as a control register
	fieldOpcode        // low bits of the opcode
	fieldFixed         // nowhere
	fieldOne
	fieldImm
	fieldSigned
	fieldRel
	fieldFar
	fieldOffset
	fieldString
)

// A form says how to decode an operand.
type form struct {
	field field
	// reg is the operand when it is a register: its kind, bySize for a general
	// register of operand size, None when it cannot be one.
	reg Arg
	// width is in bytes, or one of the widths that depend on the operand size.
	width uint8
}

const (
	// bySize is the kind of a general register of operand size.
	bySize = kindArg

	widthV  uint8 = 0x80 // operand size
	widthP  uint8 = 0x81 // operand size and a selector
	widthA  uint8 = 0x82 // twice the operand size
	noWidth uint8 = 0xff // cannot be memory
)

var forms = [numOperands]form{
	Eb:   {fieldRM, Reg8, 1},
	Ew:   {fieldRM, Reg16, 2},
	Ed:   {fieldRM, Reg32, 4},
	Ev:   {fieldRM, bySize, widthV},
	En:   {fieldRM, bySize, 0},
	RvMw: {fieldRM, bySize, 2},
	RdMw: {fieldRM, Reg32, 2},
	RdMb: {fieldRM, Reg32, 1},

	M:   {fieldRM, None, 0},
	Mw:  {fieldRM, None, 2},
	Md:  {fieldRM, None, 4},
	Mq:  {fieldRM, None, 8},
	Mt:  {fieldRM, None, 10},
	Mdq: {fieldRM, None, 16},
	Mp:  {fieldRM, None, widthP},
	Ma:  {fieldRM, None, widthA},
	Ms:  {fieldRM, None, 6},
	Mv:  {fieldRM, None, widthV},

	Rd:  {fieldRMReg, Reg32, noWidth},
	Nq:  {fieldRM, MMX, noWidth},
	Udq: {fieldRM, XMM, noWidth},
	STi: {fieldRM, ST, noWidth},

	Qd:  {fieldRM, MMX, 4},
	Qq:  {fieldRM, MMX, 8},
	Ww:  {fieldRM, XMM, 2},
	Wd:  {fieldRM, XMM, 4},
	Wq:  {fieldRM, XMM, 8},
	Wdq: {fieldRM, XMM, 16},

	Gb:  {fieldReg, Reg8, 0},
	Gw:  {fieldReg, Reg16, 0},
	Gd:  {fieldReg, Reg32, 0},
	Gv:  {fieldReg, bySize, 0},
	Sw:  {fieldSeg, SReg, 0},
	Cd:  {fieldControl, CReg, 0},
	Dd:  {fieldReg, DReg, 0},
	Pq:  {fieldReg, MMX, 0},
	Vdq: {fieldReg, XMM, 0},

	Zb: {fieldOpcode, Reg8, 0},
	Zv: {fieldOpcode, bySize, 0},

	I1:  {fieldOne, None, 0},
	Ib:  {fieldImm, None, 1},
	Ibs: {fieldSigned, None, 1},
	Iw:  {fieldImm, None, 2},
	Iz:  {fieldImm, None, widthV},
	Jb:  {fieldRel, None, 1},
	Jz:  {fieldRel, None, widthV},
	Ap:  {fieldFar, None, widthV},
	Ob:  {fieldOffset, None, 1},
	Ov:  {fieldOffset, None, widthV},

	Xb: {fieldString, None, 1},
	Xv: {fieldString, None, widthV},
	Yb: {fieldString, None, 1},
	Yv: {fieldString, None, widthV},

	AL:    {fieldFixed, Reg8 | 0, 0},
	CL:    {fieldFixed, Reg8 | 1, 0},
	AX:    {fieldFixed, Reg16 | 0, 0},
	DX:    {fieldFixed, Reg16 | 2, 0},
	eAX:   {fieldFixed, bySize, 0},
	segES: {fieldFixed, SReg | Arg(ES), 0},
	segCS: {fieldFixed, SReg | Arg(CS), 0},
	segSS: {fieldFixed, SReg | Arg(SS), 0},
	segDS: {fieldFixed, SReg | Arg(DS), 0},
	segFS: {fieldFixed, SReg | Arg(FS), 0},
	segGS: {fieldFixed, SReg | Arg(GS), 0},
	ST0:   {fieldFixed, ST | 0, 0},
}
