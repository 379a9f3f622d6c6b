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
	t.e.asm.Lea(R8, At(esp, t.moved-4))
	return R8
}

// topOfStack is the address of the stack's top.
func (t *translator) topOfStack() Reg {
	if t.moved == 0 {
		return esp
	}
	t.e.asm.Lea(R8, At(esp, t.moved))
	return R8
}

// push is PUSH: memory, then ESP.
func (t *translator) push(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	first := len(t.lates)
	if s.Args[0] == isa.Mem {
		m := t.access(i, t.operand(s), 4, false, s.before)
		a.Load(R10, m)
	}
	var m Mem
	if s.framed {
		m = t.top(i, -4)
	} else {
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
	t.moved -= 4
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
	var m Mem
	if s.framed {
		m = t.top(i, 0)
	} else {
		m = t.access(i, t.topOfStack, 4, false, s.before)
	}
	r := guest[s.Args[0].Num()]
	a.Load(r, m)
	if r != esp {
		t.moved += 4
	}
	t.resumes(first)
}

func (t *translator) leave(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	first := len(t.lates)
	m := Sum(R11, RBP)
	if t.windowed(i) {
		m = t.inWindow(i, At(RBP, 0), false)
	} else if !s.framed {
		m = t.access(i, func() Reg { return RBP }, 4, false, s.before)
	}
	a.Load(R10, m)
	a.Lea(esp, At(RBP, 4))
	t.moved = 0
	a.Mov(RBP, R10)
	t.resumes(first)
}

// call is CALL with a displacement: the return address goes to the guest's
// stack, and the place behind to ours.
func (t *translator) call(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	var m Mem
	if s.framed {
		m = t.top(i, -4)
	} else {
		m = t.access(i, t.slot, 4, true, s.before)
	}
	a.StoreImm(m, s.next())
	t.supply(s.after)
	a.Lea(esp, At(esp, t.moved-4))
	t.moved = 0
	t.link(a.Call(0), s.target())
	t.returned(i)
}

// callIndirect is CALL through a register or memory.
func (t *translator) callIndirect(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	first := len(t.lates)
	t.supply(status)
	if t.windowed(i) {
		t.callThrough(i)
		return
	}
	if s.Args[0] == isa.Mem {
		a.Load(R10, t.quietAccess(i, t.operand(s), 4, false))
		if s.Seg >= isa.FS { // with all that this needs the islands would lie too far
			over := a.JmpShort()
			t.writeIslands()
			a.PatchShort(over, a.Pos)
		}
	}
	m := t.quietAccess(i, t.slot, 4, true)
	t.again(first)
	if s.Args[0] != isa.Mem {
		a.Mov(R10, guest[s.Args[0].Num()])
	}
	a.StoreImm(m, s.next())
	a.Mov(esp, R8)
	t.moved = 0
	a.Mov(R8, R10)
	dispatch(a)
	callTo(a, R9)
	t.returned(i)
}

// returned is where a RET comes back behind the call of step i, with the address
// it returns to in R8. If that is another one, the flags are still the guest's.
func (t *translator) returned(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	a.Mov(R10, RCX)
	a.Lea(RCX, At(R8, -int32(t.u.base+s.next())))
	same := a.Jrcxz()
	a.Jmp(t.e.stubs.mismatch)
	t.writeIslands()
	a.PatchShort(same, a.Pos)
	if t.segmented() {
		t.inSegment(t.e.stubs.mismatch)
	}
	a.Mov(RCX, R10)
	t.flags = inHost
	if i+1 < len(t.steps) {
		t.clobber(t.steps[i+1].before)
		t.charge(i + 1)
		t.ensure(i + 1)
	}
}

// An island is the way from a short jump to a late piece of code.
type island struct {
	from int // the displacement that leads to it
	late int
}

// quietAccess is access, of a doubleword or a word, that leaves the host's flags
// alone, for steps that end with a jump. It uses R11, which such a step needs for no
// frame. The low two bits of the address, of a word the lowest, take part in the
// number of the page, and lead to nothing if they are set: the interpreter makes such
// an access.
func (t *translator) quietAccess(i int, reg func() Reg, size uint8, write bool) Mem {
	a := &t.e.asm
	if t.windowed(i) {
		return t.windowAccess(i, reg, write, 0)
	}
	restart := a.Pos
	// unlessZero goes out of line with s if r is zero.
	unlessZero := func(load func(), what lateKind, s site) {
		a.Mov(R11, RCX)
		load()
		t.islands = append(t.islands, island{a.Jrcxz(), len(t.lates)})
		t.late(0, what, s)
		a.Mov(RCX, R11)
	}
	if s := &t.steps[i]; s.Seg >= isa.FS && t.named {
		unlessZero(func() { a.Load(RCX, At(ctx, offFlat+4*int32(s.Seg))) }, lateExit, t.siteOf(i, wantStep))
	}
	t.named = false
	r := reg()
	from := readViews
	if write {
		from = writeViews
	}
	a.Rorx(R9, r, size/2)
	a.MovImm(R11, 12-uint32(size/2))
	a.Shrx(R9, R9, R11)
	a.Load64(R9, Mem{Base: views, Index: R9, Scale: 3, Disp: from})
	s := t.siteOf(i, wantAccess)
	s.write, s.restart, s.size = write, int32(restart), unadmitted
	unlessZero(func() { a.Mov64(RCX, R9) }, lateAccess, s)
	t.lates[len(t.lates)-1].reg = uint8(r)
	return Sum(R9, r)
}

// writeIslands writes what quiet accesses need behind a jump.
func (t *translator) writeIslands() {
	a := &t.e.asm
	for _, l := range t.islands {
		a.PatchShort(l.from, a.Pos)
		a.Mov(RCX, R11)
		t.lates[l.late].from = a.Jmp(0)
	}
	t.islands = t.islands[:0]
}

func (t *translator) ret(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	t.supply(status)
	var m Mem
	if s.framed {
		m = t.top(i, 0)
	} else {
		m = t.quietAccess(i, t.topOfStack, 4, false)
	}
	a.Load(R8, m)
	a.Lea(esp, At(esp, t.moved+4+int32(uint16(s.Imm))))
	t.moved = 0
	a.Bytes(0xc3)
	t.writeIslands()
}

func (t *translator) jumpIndirect(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	t.supply(status)
	if s.Args[0] == isa.Mem {
		a.Load(R8, t.quietAccess(i, t.operand(s), 4, false))
	} else {
		a.Mov(R8, guest[s.Args[0].Num()])
	}
	dispatch(a)
	jumpTo(a, R9)
	t.writeIslands()
}
