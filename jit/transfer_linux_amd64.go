package jit

import (
	"github.com/gov86/gov86/cpu/isa"
	. "github.com/gov86/gov86/jit/amd64"
)

// The stack, and transfers of control.

// jcc is a conditional jump.
func (t *translator) jcc(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	t.supply(s.before)
	at := a.Jcc(byte(s.Op-isa.JO), 0)
	undone := s.end - i - 1
	if undone == 0 {
		t.link(at, s.target())
		return
	}
	t.late(at, lateLink, site{kind: wantLink, eip: s.target()})
	t.lates[len(t.lates)-1].refund = int32(undone)
}

// loop is LOOP and JECXZ, which leave the flags alone.
func (t *translator) loop(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	t.supply(s.after)
	if s.Op == isa.LOOP {
		a.Lea(RCX, At(RCX, -1))
	}
	a.Bytes(0x67, 0xe3, 5) // JECXZ over the jump
	zero, other := s.next(), s.target()
	if s.Op == isa.JCXZ {
		zero, other = other, zero
	}
	t.link(a.Jmp(0), other)
	t.link(a.Jmp(0), zero)
}

// slot is the address of the stack's next free doubleword.
func (t *translator) slot() Reg {
	t.e.asm.Lea(R8, At(esp, -4))
	return R8
}

// topOfStack is the address of the stack's top.
func (t *translator) topOfStack() Reg { return esp }

// push is PUSH: memory, then ESP.
func (t *translator) push(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	first := len(t.lates)
	if s.Args[0] == isa.Mem {
		m := t.access(i, t.operand(s), 4, false, s.before)
		a.Load(R10, m)
	}
	m := top(-4)
	if !s.framed {
		m = t.access(i, t.slot, 4, true, s.before)
	}
	if s.Args[0] == isa.Mem && !s.framed {
		// From the second access on there is no way back to the first.
		t.again(first)
	}
	switch s.Args[0].Kind() {
	case isa.Reg32:
		a.Store(m, guest[s.Args[0].Num()])
	case isa.Mem:
		a.Store(m, R10)
	case isa.SReg:
		a.Load64(R10, At(ctx, offState))
		a.RM(0, TwoByte, 0xb7, R10, At(R10, stateSeg+int32(s.Args[0].Num())*segmentSize)) // MOVZX
		a.Store(m, R10)
	default:
		a.StoreImm(m, s.Imm)
	}
	a.Lea(esp, At(esp, -4))
	t.resumes(first)
}

// again makes all accesses of a step, from the late piece first on, restart at
// the first.
func (t *translator) again(first int) {
	restart := int32(0)
	for j := first; j < len(t.lates); j++ {
		s := &t.lates[j].site
		if s.kind != wantAccess {
			continue
		}
		if restart == 0 {
			restart = s.restart
		}
		s.restart = restart
	}
}

func (t *translator) pop(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	first := len(t.lates)
	m := top(0)
	if !s.framed {
		m = t.access(i, t.topOfStack, 4, false, s.before)
	}
	r := guest[s.Args[0].Num()]
	a.Load(r, m)
	if r != esp {
		a.Lea(esp, At(esp, 4))
	}
	t.resumes(first)
}

func (t *translator) leave(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	first := len(t.lates)
	m := Sum(R11, RBP)
	if !s.framed {
		m = t.access(i, func() Reg { return RBP }, 4, false, s.before)
	}
	a.Load(R10, m)
	a.Lea(esp, At(RBP, 4))
	a.Mov(RBP, R10)
	t.resumes(first)
}

// call is CALL with a displacement: the return address goes to the guest's
// stack, and the place behind to ours.
func (t *translator) call(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	m := top(-4)
	if !s.framed {
		m = t.access(i, t.slot, 4, true, s.before)
	}
	a.StoreImm(m, s.next())
	a.Lea(esp, At(esp, -4))
	t.supply(s.after)
	t.link(a.Call(0), s.target())
	t.returned(i)
}

// callIndirect is CALL through a register or memory.
func (t *translator) callIndirect(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	first := len(t.lates)
	if s.Args[0] == isa.Mem {
		m := t.access(i, t.operand(s), 4, false, status)
		a.Load(R10, m)
	}
	m := t.access(i, t.slot, 4, true, status)
	if s.Args[0] == isa.Mem {
		t.again(first)
	} else {
		a.Mov(R10, guest[s.Args[0].Num()])
	}
	a.StoreImm(m, s.next())
	a.Mov(esp, R8)
	a.Mov(R8, R10)
	a.Call(t.e.stubs.indirect)
	t.returned(i)
}

// returned is where a RET comes back behind the call of step i, with the address
// it returns to in R8 and the flags saved.
func (t *translator) returned(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	a.Bytes(0x41, 0x81, 0xf8) // CMP R8D, imm
	a.U32(s.next())
	a.Patch(a.Jcc(CondNE, 0), t.e.stubs.mismatch)
	t.flags = inSaved
	if i+1 < len(t.steps) {
		t.charge(i + 1)
		t.ensure(i + 1)
	}
}

func (t *translator) ret(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	m := top(0)
	if s.framed {
		t.clobber(status)
	} else {
		m = t.access(i, t.topOfStack, 4, false, status)
	}
	a.Load(R8, m)
	a.Lea(esp, At(esp, 4+int32(uint16(s.Imm))))
	a.Bytes(0xc3)
}

func (t *translator) jumpIndirect(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	if s.Args[0] == isa.Mem {
		m := t.access(i, t.operand(s), 4, false, status)
		a.Load(R8, m)
	} else {
		t.clobber(status)
		a.Mov(R8, guest[s.Args[0].Num()])
	}
	a.Load64(R9, At(ctx, offTable))
	a.RR(0, TwoByte, 0xb7, R10, R8)
	jump64(a, Mem{Base: R9, Index: R10, Scale: 3})
}
