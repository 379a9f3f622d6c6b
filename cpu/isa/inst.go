// Package isa is the instruction set: opcode tables in the notation of the
// Intel SDM, the decoder that turns bytes into an Inst, and what each
// operation does to flags, privilege and control flow. Interpreter, translator
// and tracer consume the same rows.
package isa

// An Inst is one decoded instruction. It holds no pointers, so that caches of
// millions cost the collector nothing, and is 32 bytes (a test pins it).
type Inst struct {
	// Op is the operation; operand sizes and kinds tell its forms apart.
	Op Op
	// Handler is for the engine that executes: zero from the decoder.
	Handler uint16
	// Len is the length in bytes, 1 to 15.
	Len uint8
	// Prefix has the prefixes that still matter after decoding.
	Prefix Prefix
	// OpSize is the operand size in bytes: 2 or 4 (1 for byte forms).
	OpSize uint8
	// AddrSize is the address size in bytes: 2 or 4.
	AddrSize uint8
	// Args are the operands in Intel order, destination first; the unused ones
	// are None. Implicit operands that the SDM's opcode map prints (AL in
	// "ADD AL, Ib", DX in "IN AL, DX") are listed; those it does not print
	// (EDX:EAX of MUL, ESI and EDI of string instructions) are not.
	Args [4]Arg
	// Seg, Base, Index, Scale and Disp describe the memory operand, if there is
	// one (and the source of string instructions: Seg). Base and Index are
	// register numbers, NoReg when absent. Scale is a shift, 0 to 3. In 16-bit
	// addressing the sum is truncated to 16 bits.
	Seg   Seg
	Base  uint8
	Index uint8
	Scale uint8
	Disp  uint32
	// Imm is the immediate, sign-extended to 32 bits where the operation wants
	// that; the offset of a far pointer; the displacement of a relative branch
	// (sign-extended; the target is the next EIP + Imm); the first operand of
	// ENTER.
	Imm uint32
	// Imm2 is the selector of a far pointer, the level of ENTER, the second
	// immediate byte of EXTRQ-like forms.
	Imm2 uint16
	// Width is the width of the memory operand in bytes, 0 when there is none
	// or it is not data (LEA, INVLPG), up to 16; wider images (FNSAVE, FXSAVE,
	// FLDENV) are 0 as well.
	Width uint8
	// Reg is the reg field of ModR/M, for operations that need it raw.
	Reg uint8
	// Off is for the block that holds the instruction: its distance in bytes
	// from the start of the block. Zero from the decoder.
	Off uint16
	// X87 is what the FPU calls the opcode of an x87 instruction, FOP: the low
	// three bits of the escape byte and, below them, ModR/M.
	X87 uint16
}

// NoReg is the number of the base or index register that is not there. The
// general-register file has a slot of that number which is always zero, so
// that an effective address is computed without asking.
const NoReg = 8

// A Prefix is a set of prefixes.
type Prefix uint8

// The prefixes. LOCK is only accepted where the row allows it.
const (
	Lock  Prefix = 1 << iota
	Rep          // F3, where it is not part of the opcode
	RepNE        // F2, where it is not part of the opcode
	// SegOverride: Seg was chosen by a prefix.
	SegOverride
)

// A Seg is a segment register, in the encoding of the Sreg field.
type Seg uint8

// The segment registers.
const (
	ES Seg = iota
	CS
	SS
	DS
	FS
	GS
)

// An Arg is one operand: a kind in the high four bits and, for registers, the
// number in the low four.
type Arg uint8

// The kinds of operand.
const (
	None    Arg = 0x00
	Reg8    Arg = 0x10 // AL CL DL BL AH CH DH BH
	Reg16   Arg = 0x20
	Reg32   Arg = 0x30
	Mem     Arg = 0x40 // described by Seg, Base, Index, Scale, Disp, Width
	Imm     Arg = 0x50 // Inst.Imm
	Imm2    Arg = 0x60 // Inst.Imm2
	Rel     Arg = 0x70 // relative branch, Inst.Imm
	Far     Arg = 0x80 // far pointer Imm2:Imm
	SReg    Arg = 0x90
	CReg    Arg = 0xa0
	DReg    Arg = 0xb0
	MMX     Arg = 0xc0
	XMM     Arg = 0xd0
	ST      Arg = 0xe0 // x87 stack register ST(i)
	kindArg Arg = 0xf0
)

// Kind is the operand without its register number.
func (a Arg) Kind() Arg { return a & kindArg }

// Num is the register number.
func (a Arg) Num() uint8 { return uint8(a &^ kindArg) }

// Mode is what changes the meaning of the bytes.
type Mode uint8

// Code segment sizes. The stack's size does not change decoding.
const (
	Code16 Mode = 16
	Code32 Mode = 32
)
