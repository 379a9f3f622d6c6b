package jit

import (
	"github.com/gov86/gov86/cpu/isa"
	. "github.com/gov86/gov86/jit/amd64"
)

// String instructions that go up. One without a repeat prefix is an access or
// two; REP MOVS and REP STOS become the host's when what they touch lies within
// one page on either side, and are the interpreter's else.

// planString decides for MOVS, STOS, LODS, SCAS and CMPS.
func (t *translator) planString(in *isa.Inst) how {
	repeated := in.Prefix&(isa.Rep|isa.RepNE) != 0
	switch {
	case t.u.key&keyDown != 0, !t.segmented() && (in.AddrSize != 4 || in.Seg >= isa.FS):
		return howStep
	case !repeated && in.Op != isa.INS && in.Op != isa.OUTS:
		return howString
	case repeated && (in.Op == isa.MOVS || in.Op == isa.STOS) && t.u.key&keyLow == 0:
		return howRepeat
	}
	return howStep
}

// source and destination are the addresses that s reads, and reads or writes.
func (t *translator) source(s *step) func() Reg {
	if t.segmented() {
		return t.indexed(RSI, s.Seg, s.AddrSize)
	}
	return func() Reg { return RSI }
}

func (t *translator) destination(s *step) func() Reg {
	if t.segmented() {
		return t.indexed(RDI, isa.ES, s.AddrSize)
	}
	return func() Reg { return RDI }
}

// sized is the prefix, and what is to be added to the opcode of bytes, for an
// element.
func sized(size uint8) (Prefix, byte) {
	switch size {
	case 1:
		return Byte, 0
	case 2:
		return P66, 1
	}
	return 0, 1
}

// string is a string instruction without a repeat prefix.
func (t *translator) string(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	first := len(t.lates)
	size := s.OpSize
	p, wide := sized(size)
	source, destination := t.source(s), t.destination(s)
	up := func(r Reg) { a.RM(sixteen(s.AddrSize), OneByte, 0x8d, r, At(r, int32(size))) } // LEA
	switch s.Op {
	case isa.LODS:
		a.RM(p, OneByte, 0x8a+wide, RAX, t.access(i, source, size, false, s.before))
		up(RSI)
	case isa.STOS:
		a.RM(p, OneByte, 0x88+wide, RAX, t.access(i, destination, size, true, s.before))
		up(RDI)
	case isa.MOVS:
		a.RM(p, OneByte, 0x8a+wide, R10, t.access(i, source, size, false, s.before))
		m := t.access(i, destination, size, true, s.before)
		t.again(first)
		a.RM(p, OneByte, 0x88+wide, R10, m)
		up(RSI)
		up(RDI)
	case isa.SCAS:
		a.RM(p, OneByte, 0x3a+wide, RAX, t.access(i, destination, size, false, s.before))
		up(RDI)
	case isa.CMPS:
		a.RM(p, OneByte, 0x8a+wide, R10, t.access(i, source, size, false, s.before))
		m := t.access(i, destination, size, false, s.before)
		t.again(first)
		a.RM(p, OneByte, 0x3a+wide, R10, m)
		up(RSI)
		up(RDI)
	}
	t.wrote(s)
	t.resumes(first)
}

// repeat is REP MOVS and REP STOS, page by page. Each element counts as an
// instruction, and none as one.
func (t *translator) repeat(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	first := len(t.lates)
	shiftBy := map[uint8]byte{1: 0, 2: 1, 4: 2}[s.OpSize]
	t.clobber(s.before)
	slow := func(cond byte) { t.late(a.Jcc(cond, 0), lateExit, t.siteOf(i, wantStep)) }
	// left leaves in to how many elements there are up to the end of r's page.
	left := func(to, r Reg) {
		a.Mov(to, r)
		a.RR(0, OneByte, 0x81, 4, to) // AND to, FFFH
		a.U32(0xfff)
		a.RR(0, OneByte, 0x81, 5, to) // SUB to, 1000H
		a.U32(0x1000)
		a.RR(0, OneByte, 0xf7, 3, to) // NEG to
		a.RR(0, OneByte, 0xc1, 5, to) // SHR to, shiftBy
		a.Bytes(shiftBy)
	}
	less := func(r Reg) { // R8D is the lesser of both
		a.RR(0, OneByte, 0x39, R8, r) // CMP r, R8D
		a.RR(0, TwoByte, 0x42, R8, r) // CMOVB R8D, r
	}
	addend := func(to, r Reg, view int32) {
		a.Mov(to, r)
		a.RR(0, OneByte, 0xc1, 5, to)
		a.Bytes(12)
		a.Load64(to, Mem{Base: views, Index: to, Scale: 3, Disp: view})
		a.RR(W, OneByte, 0x85, to, to)
		slow(CondE)
	}
	a.RR(0, OneByte, 0x85, RCX, RCX) // TEST ECX, ECX
	none := a.Jcc(CondE, 0)
	a.Lea64(budget, At(budget, 1))
	page := a.Pos
	a.Lea64(budget, At(budget, -1)) // as who leaves for the interpreter expects it
	a.RR(W, OneByte, 0x85, budget, budget)
	slow(CondS)
	left(R8, RDI)
	if s.Op == isa.MOVS {
		left(R9, RSI)
		less(R9)
	}
	less(RCX)
	a.RR(0, OneByte, 0x85, R8, R8)
	slow(CondE) // an element lies in two pages
	addend(R10, RDI, writeViews)
	if s.Op == isa.MOVS {
		addend(R9, RSI, readViews)
		a.Lea64(RSI, Sum(RSI, R9))
	}
	a.Lea64(RDI, Sum(RDI, R10))
	a.RR(W, OneByte, 0x29, R8, budget) // SUB R12, R8
	a.Lea64(budget, At(budget, 1))
	push64(a, RCX)
	a.Mov(RCX, R8)
	if s.OpSize == 2 {
		a.Bytes(0x66)
	}
	opcode := byte(0xa4)
	if s.Op == isa.STOS {
		opcode = 0xaa
	}
	if s.OpSize > 1 {
		opcode++
	}
	a.Bytes(0xf3, opcode)
	pop64(a, RCX)
	// Of 32 bits: behind the last page comes address zero.
	a.RR(0, OneByte, 0x29, R10, RDI)
	if s.Op == isa.MOVS {
		a.RR(0, OneByte, 0x29, R9, RSI)
	}
	a.RR(0, OneByte, 0x29, R8, RCX) // SUB ECX, R8D
	a.Jcc(CondNE, page)
	a.Patch(none, a.Pos)
	t.resumes(first)
}
