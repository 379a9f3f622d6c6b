package jit

import (
	"github.com/gov86/gov86/cpu/isa"
	. "github.com/gov86/gov86/jit/amd64"
)

// A form is the parts of an instruction's encoding.
type form struct {
	prefix Prefix // P66, PF2 and PF3, if they were there
	m      Map
	opcode byte
	modrm  byte
	has    bool   // modrm holds
	rest   []byte // what follows the address
}

// parse takes an encoding apart that isa.Decode has accepted.
func parse(code []byte, addrSize uint8) (f form) {
	i := 0
prefixes:
	for ; ; i++ {
		switch code[i] {
		case 0x66:
			f.prefix |= P66
		case 0xf2:
			f.prefix = f.prefix&^PF3 | PF2
		case 0xf3:
			f.prefix = f.prefix&^PF2 | PF3
		case 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x67, 0xf0:
		default:
			break prefixes
		}
	}
	if code[i] == 0x0f {
		i++
		f.m = TwoByte
		switch code[i] {
		case 0x38:
			f.m = Three38
			i++
		case 0x3a:
			f.m = Three3A
			i++
		}
	}
	f.opcode = code[i]
	i++
	if f.has = f.hasModRM(); f.has {
		f.modrm = code[i]
		i += 1 + addressBytes(code[i:], addrSize)
	}
	f.rest = code[i:]
	return f
}

func (f *form) hasModRM() bool {
	o := f.opcode
	switch f.m {
	case OneByte:
		return o < 0x40 && o&7 < 4 || o == 0x69 || o == 0x6b || o >= 0x80 && o < 0x90 || o&^1 == 0xc0 || o&^1 == 0xc6 ||
			o >= 0xd0 && o < 0xd4 || o >= 0xd8 && o < 0xe0 || o&^1 == 0xf6 || o&^1 == 0xfe
	case TwoByte:
		return o&^7 != 0xc8 && o&^15 != 0x80
	}
	return true
}

// addressBytes is how many bytes of SIB and displacement follow a ModR/M byte.
func addressBytes(p []byte, addrSize uint8) int {
	mod, rm := p[0]>>6, p[0]&7
	switch {
	case mod == 3:
		return 0
	case addrSize == 2:
		if mod == 0 && rm == 6 {
			return 2
		}
		return int(mod)
	}
	n := [3]int{0, 1, 4}[mod]
	switch {
	case rm == 4 && mod == 0 && p[1]&7 == 5:
		n = 5
	case rm == 4:
		n++
	case rm == 5 && mod == 0:
		n = 4
	}
	return n
}

// A field is what a field of ModR/M stands for.
type field uint8

const (
	fieldWide field = iota // a general register of 16 or 32 bits
	fieldByte
	fieldOther // part of the opcode, or another kind of register
)

// fields says what reg and r/m are.
func (f *form) fields(in *isa.Inst) (reg, rm field) {
	if in.Op.Attr()&isa.SIMD != 0 {
		return fieldOther, fieldOther
	}
	o := f.opcode
	switch f.m {
	case OneByte:
		if o&1 == 0 && o != 0x8d {
			reg, rm = fieldByte, fieldByte
		}
		switch o {
		case 0x80, 0x81, 0x82, 0x83, 0xc0, 0xc1, 0xc6, 0xc7, 0xd0, 0xd1, 0xd2, 0xd3, 0xf6, 0xf7, 0xfe, 0xff:
			reg = fieldOther
		}
	case TwoByte:
		switch {
		case o&^15 == 0x90:
			return fieldOther, fieldByte
		case o == 0xb6 || o == 0xbe:
			return fieldWide, fieldByte
		case o == 0xb0 || o == 0xc0:
			return fieldByte, fieldByte
		case o == 0xba || o == 0xc7:
			return fieldOther, fieldWide
		}
	case Three38:
		if o == 0xf0 {
			rm = fieldByte
		}
	}
	return reg, rm
}

// A use is a register operand for the host. A high byte register may have to be
// turned to the low byte for the time of the instruction.
type use struct {
	Reg
	high bool
}

func useOf(n byte, f field) use {
	switch {
	case f == fieldOther:
		return use{Reg(n), false}
	case f == fieldByte && n >= 4:
		return use{Reg(n - 4), true}
	}
	return use{guest[n], false}
}

// generic writes an instruction as itself, with its operands where they are now.
func (t *translator) generic(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	f := s.form()
	if !f.has && !(f.m == OneByte && f.opcode >= 0xa0 && f.opcode < 0xa4) {
		t.needs(s)
		t.withoutModRM(s, &f)
		t.wrote(s)
		return
	}
	if f.has && f.modrm >= 0xc0 {
		t.needs(s)
		regField, rmField := f.fields(&s.Inst)
		writeRR(a, &f, useOf(f.modrm>>3&7, regField), useOf(f.modrm&7, rmField))
		t.wrote(s)
		return
	}
	first := len(t.lates)
	var m Mem
	if s.local {
		m = t.local(s)
	} else {
		_, writes := s.Memory()
		m = t.access(i, t.operand(s), s.Width, writes, s.before)
	}
	if !m.Window && s.Width == 16 && s.Op.Attr()&isa.Unaligned == 0 {
		t.lates[len(t.lates)-1].what = lateAccess
	}
	t.needs(s)
	if !f.has {
		// MOV with an address and the accumulator.
		f.opcode = [4]byte{0x8a, 0x8b, 0x88, 0x89}[f.opcode&3]
		f.modrm = 0
		f.rest = nil
	}
	regField, _ := f.fields(&s.Inst)
	if m.Window {
		t.writeWindowed(&f, useOf(f.modrm>>3&7, regField), m)
	} else {
		writeRM(a, &f, useOf(f.modrm>>3&7, regField), m)
	}
	t.wrote(s)
	t.resumes(first)
}

// form is what s is to the host.
func (s *step) form() form {
	f := parse(s.code, s.AddrSize)
	f.tidy(&s.Inst)
	if s.short {
		f.widen(&s.Inst)
	}
	return f
}

// tidy drops prefixes that mean something else, or nothing, to the host.
func (f *form) tidy(in *isa.Inst) {
	switch {
	case in.Op.Attr()&isa.SIMD != 0, in.Op == isa.POPCNT, in.Op == isa.CRC32:
	default:
		f.prefix &= P66
	}
	if f.m == OneByte && f.opcode == 0x82 {
		f.opcode = 0x80
	}
}

func writeRR(a *Asm, f *form, reg, rm use) {
	// With a REX prefix there are no high bytes.
	turn := (reg.high || rm.high) && (reg.Reg >= R8 || rm.Reg >= R8)
	if !turn {
		r, m := reg.Reg, rm.Reg
		if reg.high {
			r += 4
		}
		if rm.high {
			m += 4
		}
		a.RR(f.prefix, f.m, f.opcode, r, m)
		a.Bytes(f.rest...)
		return
	}
	high := rm.Reg
	if reg.high {
		high = reg.Reg
	}
	a.Rorx(high, high, 8)
	a.RR(f.prefix, f.m, f.opcode, reg.Reg, rm.Reg)
	a.Bytes(f.rest...)
	a.Rorx(high, high, 24)
}

func writeRM(a *Asm, f *form, reg use, m Mem) {
	if reg.high {
		// The address may lie in the register that is turned.
		if m.Index == reg.Reg {
			a.Mov(R8, m.Index)
			m.Index = R8
		}
		a.Rorx(reg.Reg, reg.Reg, 8)
	}
	a.RM(f.prefix, f.m, f.opcode, reg.Reg, m)
	a.Bytes(f.rest...)
	if reg.high {
		a.Rorx(reg.Reg, reg.Reg, 24)
	}
}

// withoutModRM writes an instruction that has its operands in the opcode.
func (t *translator) withoutModRM(s *step, f *form) {
	a := &t.e.asm
	o := f.opcode
	r := guest[o&7]
	switch {
	case f.m == TwoByte: // BSWAP
		a.OpReg(f.prefix, TwoByte, 0xc8, r)
	case o >= 0x40 && o < 0x50:
		a.RR(f.prefix, OneByte, 0xff, Reg(o>>3&1), r)
	case o >= 0x91 && o < 0x98:
		a.RR(f.prefix, OneByte, 0x87, RAX, r)
	case o == 0x90:
	case o >= 0xb8 && o < 0xc0:
		a.OpReg(f.prefix, OneByte, 0xb8, r)
		a.Bytes(f.rest...)
	default:
		writeAccumulator(a, f)
	}
}

// writeAccumulator writes an instruction with the accumulator, or none, in its
// opcode.
func writeAccumulator(a *Asm, f *form) {
	if f.prefix&P66 != 0 {
		a.Bytes(0x66)
	}
	a.Bytes(f.opcode)
	a.Bytes(f.rest...)
}

func (t *translator) lea(s *step) {
	p := Prefix(0)
	if s.OpSize == 2 {
		p = P66
	}
	t.e.asm.RM(p, OneByte, 0x8d, guest[s.Args[0].Num()], t.operandNow(&s.Inst))
}

// divide is DIV and IDIV of 32 bits. What might overflow is left to the
// interpreter, which raises #DE.
func (t *translator) divide(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	first := len(t.lates)
	if s.Args[0] == isa.Mem {
		m := t.access(i, t.operand(s), 4, false, s.before)
		a.Load(R10, m)
	} else {
		t.clobber(s.before)
		a.Mov(R10, guest[s.Args[0].Num()])
	}
	slow := func(cond byte) { t.late(a.Jcc(cond, 0), lateExit, t.siteOf(i, wantStep)) }
	if s.Op == isa.DIV {
		a.RR(0, OneByte, 0x39, R10, RDX) // CMP EDX, R10D
		slow(CondAE)
		a.RR(0, OneByte, 0xf7, 6, R10)
	} else {
		// EDX is the sign of EAX, and the divisor neither 0 nor -1.
		a.Mov(R8, RAX)
		a.RR(0, OneByte, 0xc1, 7, R8) // SAR R8D, 31
		a.Bytes(31)
		a.RR(0, OneByte, 0x39, RDX, R8)
		slow(CondNE)
		a.Lea(R8, At(R10, 1))
		a.RR(0, OneByte, 0x83, 7, R8) // CMP R8D, 1
		a.Bytes(1)
		slow(CondBE)
		a.RR(0, OneByte, 0xf7, 7, R10)
	}
	t.flags = inHost
	t.resumes(first)
}

// divideNarrow is DIV of 8 and 16 bits and IDIV of 16. What might overflow is left
// to the interpreter.
func (t *translator) divideNarrow(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	first := len(t.lates)
	t.divisor(i)
	slow := func(cond byte) { t.late(a.Jcc(cond, 0), lateExit, t.siteOf(i, wantStep)) }
	switch {
	case s.OpSize == 1:
		a.Mov(R8, RAX)
		a.RR(0, OneByte, 0xc1, 5, R8) // SHR R8D, 8
		a.Bytes(8)
		a.RR(Byte, OneByte, 0x38, R10, R8) // CMP R8B, R10B
		slow(CondAE)
		a.RR(Byte, OneByte, 0xf6, 6, R10)
	case s.Op == isa.DIV:
		a.RR(P66, OneByte, 0x39, R10, RDX) // CMP DX, R10W
		slow(CondAE)
		a.RR(P66, OneByte, 0xf7, 6, R10)
	default:
		// DX is the sign of AX, and the divisor neither 0 nor -1.
		a.RR(0, TwoByte, 0xbf, R8, RAX) // MOVSX R8D, AX
		a.RR(0, OneByte, 0xc1, 7, R8)   // SAR R8D, 16
		a.Bytes(16)
		a.RR(P66, OneByte, 0x39, RDX, R8) // CMP R8W, DX
		slow(CondNE)
		a.Lea(R8, At(R10, 1))
		a.RR(P66, OneByte, 0x83, 7, R8) // CMP R8W, 1
		a.Bytes(1)
		slow(CondBE)
		a.RR(P66, OneByte, 0xf7, 7, R10)
	}
	t.flags = inHost
	t.resumes(first)
}

// divisor loads the operand of step i, of 8 or 16 bits, into the low part of R10D.
func (t *translator) divisor(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	if s.Args[0] == isa.Mem {
		m := t.access(i, t.operand(s), s.OpSize, false, s.before)
		if s.OpSize == 1 {
			a.RM(0, TwoByte, 0xb6, R10, m) // MOVZX
		} else {
			a.RM(0, TwoByte, 0xb7, R10, m)
		}
		return
	}
	t.clobber(s.before)
	n := s.Args[0].Num()
	if s.OpSize == 2 {
		a.Mov(R10, guest[n])
		return
	}
	a.Mov(R10, guest[n&3])
	if n >= 4 {
		a.RR(0, OneByte, 0xc1, 5, R10) // SHR R10D, 8
		a.Bytes(8)
	}
}
