package jit

import (
	"github.com/gov86/gov86/cpu/isa"
	. "github.com/gov86/gov86/jit/amd64"
)

// Transfers of control in segmented units. Links and addresses in R8 are linear;
// what the guest pushes and pops is an IP or EIP.

// loopSized is LOOP and JCXZ, which leave the flags alone.
func (t *translator) loopSized(i int) {
	s := &t.steps[i]
	if s.AddrSize == 4 {
		t.loop(i)
		return
	}
	a := &t.e.asm
	t.supply(s.after)
	if s.Op == isa.LOOP {
		a.RM(P66, OneByte, 0x8d, RCX, At(RCX, -1)) // LEA CX, [RCX-1]
	}
	push64(a, RCX)
	zeroExtend(a, RCX, RCX)
	a.Bytes(0xe3, 7) // JRCXZ over POP and the jump
	zero, other := s.next(), s.target()
	if s.Op == isa.JCXZ {
		zero, other = other, zero
	}
	pop64(a, RCX)
	t.link(a.Jmp(0), other)
	pop64(a, RCX)
	t.link(a.Jmp(0), zero)
}

func (t *translator) callSized(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	storeImm(a, s.OpSize, t.access(i, t.onStack(-int32(s.OpSize)), s.OpSize, true, s.before), s.next())
	t.setStack(esp, -int32(s.OpSize))
	t.supply(s.after)
	t.link(a.Call(0), s.target())
	t.returned(i)
}

// within leaves step i to the interpreter if the EIP of size bytes in r lies beyond
// the limit of CS. The flags are saved.
func (t *translator) within(i int, r Reg, size uint8) {
	if !t.u.key.limits(size) {
		return
	}
	a := &t.e.asm
	a.RR(0, OneByte, 0x81, 7, r) // CMP r32, imm32
	a.U32(uint32(t.u.key >> limitShift))
	t.late(a.Jcc(CondA, 0), lateExit, t.siteOf(i, wantStep))
}

// linear makes the EIP in r a linear address, in R8.
func (t *translator) linear(r Reg) { t.e.asm.Lea(R8, At(r, int32(t.u.base))) }

func (t *translator) callIndirectSized(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	first := len(t.lates)
	n := s.OpSize
	if s.Args[0] == isa.Mem {
		load(a, n, R10, t.access(i, t.operand(s), n, false, status))
	}
	m := t.access(i, t.onStack(-int32(n)), n, true, status)
	if s.Args[0] == isa.Mem {
		t.again(first)
	} else {
		t.register(R10, s)
	}
	t.within(i, R10, n)
	storeImm(a, n, m, s.next())
	t.setStack(esp, -int32(n))
	t.linear(R10)
	t.supply(status)
	dispatch(a)
	callTo(a, R9)
	t.returned(i)
}

// register loads the operand of s, a general register, into the whole of r.
func (t *translator) register(r Reg, s *step) {
	if from := guest[s.Args[0].Num()]; s.OpSize == 2 {
		zeroExtend(&t.e.asm, r, from)
	} else {
		t.e.asm.Mov(r, from)
	}
}

func (t *translator) jumpIndirectSized(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	switch {
	case s.Args[0] == isa.Mem:
		load(a, s.OpSize, R8, t.access(i, t.operand(s), s.OpSize, false, status))
	case t.u.key.limits(s.OpSize):
		t.clobber(status)
		fallthrough
	default:
		t.register(R8, s)
	}
	t.within(i, R8, s.OpSize)
	t.linear(R8)
	t.supply(status)
	dispatch(a)
	jumpTo(a, R9)
}

func (t *translator) returnSized(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	n := s.OpSize
	if t.u.key&keyWhole != 0 && !t.u.key.stack32() && !t.u.key.limits(n) {
		t.supply(status)
		load(a, n, R8, t.quietAccess(i, t.onStackQuiet, n, false))
	} else {
		load(a, n, R8, t.access(i, t.onStack(0), n, false, status))
		t.within(i, R8, n)
		t.supply(status)
	}
	t.linear(R8)
	t.setStack(esp, int32(n)+int32(uint16(s.Imm)))
	a.Bytes(0xc3)
	t.writeIslands()
}

// onStackQuiet puts the linear address of what SP points to into R8, and leaves the
// flags alone.
func (t *translator) onStackQuiet() Reg {
	a := &t.e.asm
	zeroExtend(a, R8, esp)
	a.Load(R9, At(ctx, offSegments+4*int32(isa.SS)))
	a.Lea(R8, Sum(R8, R9))
	return R8
}

// sameCS leaves step i to the interpreter while an x87 instruction is noted whose
// CS is to be noted as well.
func (t *translator) sameCS(i int) {
	a := &t.e.asm
	compareZero(a, At(ctx, offX87Last))
	t.late(a.Jcc(CondNE, 0), lateExit, t.siteOf(i, wantStep))
}

// jumpFar is JMP with a far pointer: an immediate, or two words in memory.
func (t *translator) jumpFar(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	if s.Args[0] == isa.Mem {
		a.Load(R10, t.access(i, t.operand(s), 4, false, status))
		t.sameCS(i)
		t.farTarget()
		dispatch(a)
		jumpTo(a, R9)
		return
	}
	t.clobber(s.before)
	t.sameCS(i)
	a.MovImm(R8, uint32(s.Imm2))
	t.setReal(isa.CS)
	t.supply(s.after)
	t.link(a.Jmp(0), s.Imm)
}

// farTarget loads CS from the upper word of R10D, makes the lower a linear address
// in R8, and restores the flags.
func (t *translator) farTarget() {
	a := &t.e.asm
	a.Mov(R8, R10)
	a.RR(0, OneByte, 0xc1, 5, R8) // SHR R8D, 16
	a.Bytes(16)
	t.setReal(isa.CS)
	zeroExtend(a, R10, R10)
	a.Lea(R8, Sum(R8, R10))
	t.supply(status)
}

func (t *translator) callFar(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	first := len(t.lates)
	n := s.OpSize
	live := s.before
	if s.Args[0] == isa.Mem {
		live = status
		a.Load(R10, t.access(i, t.operand(s), 4, false, live))
	}
	m := t.access(i, t.onStack(-2*int32(n)), 2*n, true, live)
	t.again(first)
	t.sameCS(i)
	storeImm(a, n, m, s.next())
	t.selector(R11, isa.CS) // no frame holds R11 here
	store(a, n, plus(m, int32(n)), R11)
	t.setStack(esp, -2*int32(n))
	if s.Args[0] == isa.Mem {
		t.farTarget()
		dispatch(a)
		callTo(a, R9)
	} else {
		a.MovImm(R8, uint32(s.Imm2))
		t.setReal(isa.CS)
		t.supply(s.after)
		t.link(a.Call(0), s.Imm)
	}
	t.returned(i)
}

func (t *translator) returnFar(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	n := s.OpSize
	m := t.access(i, t.onStack(0), 2*n, false, status)
	load(a, n, R10, m)
	a.RM(0, TwoByte, 0xb7, R8, plus(m, int32(n))) // MOVZX R8D, m16
	t.within(i, R10, n)
	t.sameCS(i)
	t.setStack(esp, 2*int32(n)+int32(uint16(s.Imm)))
	t.setReal(isa.CS)
	a.Lea(R8, Sum(R8, R10))
	t.supply(status)
	a.Bytes(0xc3)
}
