package jit

import (
	"github.com/gov86/gov86/cpu/isa"
	. "github.com/gov86/gov86/jit/amd64"
	"github.com/gov86/gov86/mem"
)

// An immediate operand that is patched again and again is data: generated code
// reads it from where it is, and a write to it kills nothing.

// immediate is how many bytes of s, its last, are an immediate operand that
// generated code can read; 0 if there is none.
func immediate(in *isa.Inst, code []byte) int {
	if in.OpSize != 4 || in.Args[0] != isa.Imm && in.Args[1] != isa.Imm {
		return 0
	}
	f := parse(code, in.AddrSize)
	if f.m != OneByte || f.prefix != 0 {
		return 0
	}
	o := f.opcode
	switch {
	case o == 0xa9, o == 0x68, o == 0x6a, o&^7 == 0xb8, o < 0x40 && o&7 == 5, o == 0x81, o == 0x83, o == 0xc7,
		o == 0xf7 && f.modrm>>3&7 < 2:
		return len(f.rest)
	}
	return 0
}

// isPatched reports whether s has an immediate operand that is often written. In
// segmented units none has.
func (t *translator) isPatched(s *step) bool {
	off := s.eip & (mem.PageSize - 1)
	if t.patches == nil || t.segmented() || off+uint32(s.Len) > mem.PageSize || s.how != howGeneric && s.how != howPush {
		return false
	}
	n := immediate(&s.Inst, s.code)
	if n == 0 || !t.patches.isData(off+uint32(s.Len)-uint32(n), n) {
		return false
	}
	ram, _ := t.e.Mem.CodePage(mem.Addr(t.u.frame) << 12)
	return ram != nil
}

// decoded is how many bytes of s its translation depends on.
func (t *translator) decoded(s *step) uint8 {
	if s.how == howPatched {
		return s.Len - uint8(immediate(&s.Inst, s.code))
	}
	return s.Len
}

// patched is an instruction whose immediate operand is read from the code.
func (t *translator) patched(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	f := parse(s.code, s.AddrSize)
	first := len(t.lates)
	read := func(to Reg) {
		a.Bytes(0x49, 0xba) // MOV R10, imm64
		at := addressOf(s.code[len(s.code)-len(f.rest):])
		a.U32(uint32(at))
		a.U32(uint32(at >> 32))
		if len(f.rest) == 1 {
			a.RM(0, TwoByte, 0xbe, to, At(R10, 0)) // MOVSX
		} else {
			a.Load(to, At(R10, 0))
		}
	}
	switch o := f.opcode; {
	case s.Op == isa.PUSH:
		m := t.access(i, t.slot, 4, true, s.before)
		read(R10)
		a.Store(m, R10)
		a.Lea(esp, At(esp, -4))
		t.resumes(first)
		return
	case o&^7 == 0xb8:
		read(guest[o&7])
		return
	}
	opcode := byte(0x89)
	switch {
	case s.Op == isa.TEST:
		opcode = 0x85
	case s.Op == isa.MOV:
	case f.has:
		opcode = f.modrm&0x38 | 1
	default:
		opcode = f.opcode&0x38 | 1
	}
	if f.has && f.modrm < 0xc0 {
		_, writes := s.Memory()
		m := t.access(i, t.operand(s), s.Width, writes, s.before)
		t.needs(s)
		read(R10)
		a.RM(0, OneByte, opcode, R10, m)
	} else {
		to := RAX
		if f.has {
			to = guest[f.modrm&7]
		}
		t.needs(s)
		read(R10)
		a.RR(0, OneByte, opcode, R10, to)
	}
	t.wrote(s)
	t.resumes(first)
}
