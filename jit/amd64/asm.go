// Package amd64 writes x86-64 machine code (Intel SDM Vol. 2, "Instruction
// Format"). It knows encodings, and nothing of what they are used for.
package amd64

import "encoding/binary"

// A Reg is a register in its encoding: general, or XMM where an instruction
// takes one.
type Reg uint8

// The general registers.
const (
	RAX Reg = iota
	RCX
	RDX
	RBX
	RSP
	RBP
	RSI
	RDI
	R8
	R9
	R10
	R11
	R12
	R13
	R14
	R15
	// None is no register, as base or index of a Mem.
	None Reg = 0xff
)

// A Mem is a memory operand: Base + Index<<Scale + Disp. In the Window it lies in
// GS, and the sum is of 32 bits unless it is Wide.
type Mem struct {
	Base, Index  Reg
	Scale        uint8
	Disp         int32
	Window, Wide bool
}

// At is memory at base plus disp.
func At(base Reg, disp int32) Mem { return Mem{Base: base, Index: None, Disp: disp} }

// Sum is memory at the sum of two registers.
func Sum(base, index Reg) Mem { return Mem{Base: base, Index: index} }

// A Map is an opcode map, by the escape bytes that lead to it.
type Map uint8

// The maps.
const (
	OneByte Map = iota
	TwoByte
	Three38
	Three3A
)

// A Prefix is a set of legacy prefixes.
type Prefix uint8

// The prefixes.
const (
	P66 Prefix = 1 << iota
	PF2
	PF3
	// W is REX.W: an operand of 64 bits.
	W
	// Byte says that a register operand is a byte register, which from SPL on
	// takes a REX prefix.
	Byte
)

// An Asm writes code into a region, from its start.
type Asm struct {
	Code []byte
	Pos  int
}

func (a *Asm) byte(b byte) {
	a.Code[a.Pos] = b
	a.Pos++
}

// Bytes writes bytes as they are.
func (a *Asm) Bytes(b ...byte) { a.Pos += copy(a.Code[a.Pos:], b) }

// U32 writes a doubleword.
func (a *Asm) U32(v uint32) {
	binary.LittleEndian.PutUint32(a.Code[a.Pos:], v)
	a.Pos += 4
}

// head writes prefixes, REX and opcode. r, x and b are the registers whose
// fourth bits go to REX.
func (a *Asm) head(p Prefix, rex byte, m Map, opcode byte) {
	if p&P66 != 0 {
		a.byte(0x66)
	}
	if p&PF2 != 0 {
		a.byte(0xf2)
	}
	if p&PF3 != 0 {
		a.byte(0xf3)
	}
	if p&W != 0 {
		rex |= 0x48
	}
	if rex != 0 {
		a.byte(rex | 0x40)
	}
	switch m {
	case TwoByte:
		a.byte(0x0f)
	case Three38:
		a.Bytes(0x0f, 0x38)
	case Three3A:
		a.Bytes(0x0f, 0x3a)
	}
	a.byte(opcode)
}

func bit3(r Reg, to uint) byte {
	if r == None {
		return 0
	}
	return byte(r>>3&1) << to
}

// RR writes an instruction with a register in r/m.
func (a *Asm) RR(p Prefix, m Map, opcode byte, reg, rm Reg) {
	rex := bit3(reg, 2) | bit3(rm, 0)
	if p&Byte != 0 && (reg >= RSP && reg <= RDI || rm >= RSP && rm <= RDI) {
		rex |= 0x40
	}
	a.head(p, rex, m, opcode)
	a.byte(0xc0 | byte(reg&7)<<3 | byte(rm&7))
}

// OpReg writes an instruction with a register in the opcode.
func (a *Asm) OpReg(p Prefix, m Map, opcode byte, r Reg) { a.head(p, bit3(r, 0), m, opcode|byte(r&7)) }

// RM writes an instruction with memory in r/m; trailing is the number of bytes
// of immediate that the caller writes behind it.
func (a *Asm) RM(p Prefix, m Map, opcode byte, reg Reg, mem Mem) {
	rex := bit3(reg, 2) | bit3(mem.Index, 1) | bit3(mem.Base, 0)
	if p&Byte != 0 && reg >= RSP && reg <= RDI {
		rex |= 0x40
	}
	if mem.Window {
		a.byte(0x65)
		if !mem.Wide {
			a.byte(0x67)
		}
	}
	a.head(p, rex, m, opcode)
	a.modrm(reg, mem)
}

func (a *Asm) modrm(reg Reg, m Mem) {
	r := byte(reg&7) << 3
	if m.Base == None {
		// SIB without a base: a displacement of four bytes.
		a.Bytes(r|4, m.Scale<<6|noIndex(m.Index)<<3|5)
		a.U32(uint32(m.Disp))
		return
	}
	mod := byte(0x80)
	switch {
	case m.Disp == 0 && m.Base&7 != RBP:
		mod = 0
	case m.Disp == int32(int8(m.Disp)):
		mod = 0x40
	}
	if m.Index != None || m.Base&7 == RSP {
		a.Bytes(mod|r|4, m.Scale<<6|noIndex(m.Index)<<3|byte(m.Base&7))
	} else {
		a.byte(mod | r | byte(m.Base&7))
	}
	switch mod {
	case 0x40:
		a.byte(byte(m.Disp))
	case 0x80:
		a.U32(uint32(m.Disp))
	}
}

func noIndex(r Reg) byte {
	if r == None {
		return 4
	}
	return byte(r & 7)
}

// Load writes a MOV of 32 bits from memory, Load64 one of 64.
func (a *Asm) Load(r Reg, m Mem)   { a.RM(0, OneByte, 0x8b, r, m) }
func (a *Asm) Load64(r Reg, m Mem) { a.RM(W, OneByte, 0x8b, r, m) }

// Store writes a MOV of 32 bits to memory, Store64 one of 64.
func (a *Asm) Store(m Mem, r Reg)   { a.RM(0, OneByte, 0x89, r, m) }
func (a *Asm) Store64(m Mem, r Reg) { a.RM(W, OneByte, 0x89, r, m) }

// StoreImm writes a MOV of an immediate of 32 bits to memory.
func (a *Asm) StoreImm(m Mem, v uint32) {
	a.RM(0, OneByte, 0xc7, 0, m)
	a.U32(v)
}

// Mov writes a MOV between 32-bit registers, which clears the upper half.
func (a *Asm) Mov(to, from Reg) { a.RR(0, OneByte, 0x89, from, to) }

// MovImm writes a MOV of an immediate to a 32-bit register.
func (a *Asm) MovImm(r Reg, v uint32) {
	a.head(0, bit3(r, 0), OneByte, 0xb8|byte(r&7))
	a.U32(v)
}

// Mov64 writes a MOV between 64-bit registers.
func (a *Asm) Mov64(to, from Reg) { a.RR(W, OneByte, 0x89, from, to) }

// Lea writes an LEA with a 32-bit result, Lea64 one of 64.
func (a *Asm) Lea(r Reg, m Mem)   { a.RM(0, OneByte, 0x8d, r, m) }
func (a *Asm) Lea64(r Reg, m Mem) { a.RM(W, OneByte, 0x8d, r, m) }

// Rorx writes RORX of 32 bits: to is from rotated right by n, no flags.
func (a *Asm) Rorx(to, from Reg, n byte) {
	// VEX.LZ.F2.0F3A.W0 F0 /r ib
	a.Bytes(0xc4, ^(bit3(to, 7)|bit3(from, 5))&0xa0|0x43, 0x7b, 0xf0, 0xc0|byte(to&7)<<3|byte(from&7), n)
}

// Shrx writes SHRX of 32 bits: to is from shifted right by the low five bits of
// n, no flags.
func (a *Asm) Shrx(to, from, n Reg) {
	// VEX.LZ.F2.0F38.W0 F7 /r
	a.Bytes(0xc4, ^(bit3(to, 7)|bit3(from, 5))&0xa0|0x42, ^byte(n<<3)&0x78|0x03, 0xf7, 0xc0|byte(to&7)<<3|byte(from&7))
}

// TestImm8 writes a TEST of the low byte of a register.
func (a *Asm) TestImm8(r Reg, v byte) {
	a.RR(Byte, OneByte, 0xf6, 0, r)
	a.byte(v)
}

// Condition codes (Intel SDM Vol. 1, "EFLAGS Condition Codes").
const (
	CondB  = 2
	CondAE = 3
	CondE  = 4
	CondNE = 5
	CondBE = 6
	CondA  = 7
	CondS  = 8
	CondNS = 9
	CondL  = 12
	CondG  = 15
)

// Jmp writes JMP to a place within the region; Call a CALL, Jcc a conditional
// jump. Each returns where its displacement is, for Patch.
func (a *Asm) Jmp(to int) int {
	a.byte(0xe9)
	return a.rel(to)
}

func (a *Asm) Call(to int) int {
	a.byte(0xe8)
	return a.rel(to)
}

func (a *Asm) Jcc(cond byte, to int) int {
	a.Bytes(0x0f, 0x80|cond)
	return a.rel(to)
}

// Jrcxz writes JRCXZ, whose displacement has 8 bits, for PatchShort.
func (a *Asm) Jrcxz() int {
	a.Bytes(0xe3, 0)
	return a.Pos - 1
}

// JmpShort writes JMP with a displacement of 8 bits, for PatchShort.
func (a *Asm) JmpShort() int {
	a.Bytes(0xeb, 0)
	return a.Pos - 1
}

// PatchShort leads the displacement of 8 bits at at to a place that it reaches.
func (a *Asm) PatchShort(at, to int) {
	d := to - (at + 1)
	if d != int(int8(d)) {
		panic("amd64: a short jump over too much code")
	}
	a.Code[at] = byte(d)
}

func (a *Asm) rel(to int) int {
	at := a.Pos
	a.U32(uint32(to - (at + 4)))
	return at
}

// Patch leads the displacement at at elsewhere.
func (a *Asm) Patch(at, to int) { binary.LittleEndian.PutUint32(a.Code[at:], uint32(to-(at+4))) }

// Target is where the displacement at at leads.
func (a *Asm) Target(at int) int {
	return at + 4 + int(int32(binary.LittleEndian.Uint32(a.Code[at:])))
}
