package jit

import (
	"github.com/gov86/gov86/cpu/isa"
	. "github.com/gov86/gov86/jit/amd64"
)

// repeatWithin is REP MOVS and REP STOS of segmented units, by runs of elements
// that lie within one page on either side, and within their segments. Each element
// counts as an instruction, and none as one.
func (t *translator) repeatWithin(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	first := len(t.lates)
	short := sixteen(s.AddrSize)
	slow := func(cond byte) { t.late(a.Jcc(cond, 0), lateExit, t.siteOf(i, wantStep)) }
	t.clobber(s.before)
	t.count(s)
	a.RR(0, OneByte, 0x85, R8, R8) // TEST R8D, R8D
	none := a.Jcc(CondE, 0)
	a.Lea64(budget, At(budget, 1))
	run := a.Pos
	a.Lea64(budget, At(budget, -1)) // as who leaves for the interpreter expects it
	a.RR(W, OneByte, 0x85, budget, budget)
	slow(CondS)
	t.count(s)
	t.runOf(i, R10, t.indexed(RDI, isa.ES, s.AddrSize), true, slow)
	if s.Op == isa.MOVS {
		t.runOf(i, R11, t.indexed(RSI, s.Seg, s.AddrSize), false, slow)
	}
	a.RR(W, OneByte, 0x29, R8, budget) // SUB R12, R8
	a.Lea64(budget, At(budget, 1))
	t.repeatHost(s)
	a.Lea(R9, Mem{Base: None, Index: R8, Scale: scaleOf(s.OpSize)})
	a.RR(short, OneByte, 0x01, R9, RDI) // ADD
	if s.Op == isa.MOVS {
		a.RR(short, OneByte, 0x01, R9, RSI)
	}
	a.RR(short, OneByte, 0x29, R8, RCX) // SUB
	a.Jcc(CondNE, run)
	a.Patch(none, a.Pos)
	t.resumes(first)
}

// scaleOf is the binary logarithm of the size of an element.
func scaleOf(size uint8) uint8 { return size / 2 }

// count loads the count of s into R8.
func (t *translator) count(s *step) {
	if s.AddrSize == 2 {
		zeroExtend(&t.e.asm, R8, RCX)
	} else {
		t.e.asm.Mov(R8, RCX)
	}
}

// runOf makes R8 the lesser of itself and the number of elements of step i from the
// offset on that offset puts into R8, and puts their host's address into to. It
// leaves if that is none, or if they cannot be accessed. It uses R9.
func (t *translator) runOf(i int, to Reg, offset func() Reg, write bool, slow func(cond byte)) {
	a := &t.e.asm
	s := &t.steps[i]
	lesser := func() {
		a.RR(W, OneByte, 0xc1, 5, R9) // SHR R9, scale
		a.Bytes(scaleOf(s.OpSize))
		a.RR(W, OneByte, 0x39, R8, R9) // CMP R9, R8
		a.RR(W, TwoByte, 0x42, R8, R9) // CMOVB R8, R9
	}
	push64(a, R8)
	a.Mov(to, offset())
	pop64(a, R8)
	t.roomWithin(write)
	a.RR(W, OneByte, 0x29, to, R9) // SUB R9, to
	slow(CondBE)
	lesser()
	a.RM(0, OneByte, 0x03, to, At(ctx, offSegments+4*int32(t.through.seg))) // ADD to, m32
	a.Mov(R9, to)
	a.RR(0, OneByte, 0x81, 1, R9) // OR R9D, imm32
	a.U32(^uint32(0xfff))
	a.RR(0, OneByte, 0xf7, 3, R9) // NEG R9D
	lesser()
	a.RR(0, OneByte, 0x85, R8, R8) // TEST R8D, R8D
	slow(CondE)                    // an element lies in two pages, or beyond the end
	view := readViews
	if write {
		view = writeViews
	}
	a.Mov(R9, to)
	a.RR(0, OneByte, 0xc1, 5, R9) // SHR R9D, 12
	a.Bytes(12)
	a.Load64(R9, Mem{Base: views, Index: R9, Scale: 3, Disp: view})
	a.RR(W, OneByte, 0x85, R9, R9) // TEST R9, R9
	slow(CondE)
	a.Lea64(to, Sum(to, R9))
}

// roomWithin loads the first offset behind those that may be accessed into R9, zero
// if there are none.
func (t *translator) roomWithin(write bool) {
	a := &t.e.asm
	if t.through.short && t.u.key&keyWhole != 0 {
		a.MovImm(R9, wholeTop+1)
		return
	}
	top := offReadTop
	if write {
		top = offWriteTop
	}
	a.Load64(R9, At(ctx, top+8*int32(t.through.seg)))
	a.Lea64(R9, At(R9, 1))
	if t.through.short {
		a.RR(W, OneByte, 0x81, 7, R9) // CMP R9, imm32
		a.U32(wholeTop + 1)
		within := a.Jcc(CondBE, 0)
		a.MovImm(R9, wholeTop+1)
		a.Patch(within, a.Pos)
	}
}

// repeatHost executes R8D elements of s with R10, and R11 for its source, as the
// addresses.
func (t *translator) repeatHost(s *step) {
	a := &t.e.asm
	for _, r := range []Reg{RCX, RSI, RDI} {
		push64(a, r)
	}
	a.Mov(RCX, R8)
	a.RR(W, OneByte, 0x89, R10, RDI) // MOV
	a.RR(W, OneByte, 0x89, R11, RSI)
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
	for _, r := range []Reg{RDI, RSI, RCX} {
		pop64(a, r)
	}
}
