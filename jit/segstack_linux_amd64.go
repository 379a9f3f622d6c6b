package jit

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	. "github.com/gov86/gov86/jit/amd64"
)

// The stack in segmented units: operands of two or four bytes, at SP or ESP.

// onStack is what puts the offset d bytes from the stack pointer into R8.
func (t *translator) onStack(d int32) func() Reg { return t.fromStack(esp, d) }

// fromStack is the same from register r, which points into the stack.
func (t *translator) fromStack(r Reg, d int32) func() Reg {
	return func() Reg {
		a := &t.e.asm
		t.through = addressing{isa.SS, !t.u.key.stack32()}
		switch {
		case t.through.short && d == 0:
			zeroExtend(a, R8, r)
		case t.through.short:
			a.Lea(R8, At(r, d))
			zeroExtend(a, R8, R8)
		default:
			a.Lea(R8, At(r, d))
		}
		return R8
	}
}

// setStack makes r plus d the stack pointer.
func (t *translator) setStack(r Reg, d int32) {
	p := Prefix(0)
	if !t.u.key.stack32() {
		p = P66
	}
	t.e.asm.RM(p, OneByte, 0x8d, esp, At(r, d)) // LEA
}

// load writes a MOV from memory of size bytes, two or four, to the whole of r,
// which is not one of the guest's, store one to memory, storeImm one of an
// immediate.
func load(a *Asm, size uint8, r Reg, m Mem) {
	if size == 2 {
		a.RM(0, TwoByte, 0xb7, r, m) // MOVZX
	} else {
		a.Load(r, m)
	}
}

func store(a *Asm, size uint8, m Mem, r Reg) { a.RM(sixteen(size), OneByte, 0x89, r, m) }

func storeImm(a *Asm, size uint8, m Mem, v uint32) {
	if size == 4 {
		a.StoreImm(m, v)
		return
	}
	a.RM(P66, OneByte, 0xc7, 0, m)
	a.Bytes(byte(v), byte(v>>8))
}

// assign writes a MOV of size bytes between registers.
func assign(a *Asm, size uint8, to, from Reg) { a.RR(sixteen(size), OneByte, 0x89, from, to) }

// plus is m, d bytes further on.
func plus(m Mem, d int32) Mem {
	m.Disp += d
	return m
}

// selector loads the selector of a segment register into r.
func (t *translator) selector(r Reg, g isa.Seg) {
	a := &t.e.asm
	a.Load64(r, At(ctx, offState))
	a.RM(0, TwoByte, 0xb7, r, At(r, stateSeg+int32(g)*segmentSize+segSelector)) // MOVZX
}

func (t *translator) pushSized(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	first := len(t.lates)
	n := s.OpSize
	if s.Args[0] == isa.Mem {
		load(a, n, R10, t.access(i, t.operand(s), n, false, s.before))
	}
	m := t.access(i, t.onStack(-int32(n)), n, true, s.before)
	switch s.Args[0].Kind() {
	case isa.Reg16, isa.Reg32:
		store(a, n, m, guest[s.Args[0].Num()])
	case isa.Mem:
		t.again(first)
		store(a, n, m, R10)
	case isa.SReg:
		t.selector(R10, isa.Seg(s.Args[0].Num()))
		store(a, n, m, R10)
	default:
		storeImm(a, n, m, s.Imm)
	}
	t.setStack(esp, -int32(n))
	t.resumes(first)
}

func (t *translator) popSized(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	first := len(t.lates)
	n := s.OpSize
	load(a, n, R10, t.access(i, t.onStack(0), n, false, s.before))
	t.setStack(esp, int32(n)) // before POP SP, which leaves the upper half like this
	assign(a, n, guest[s.Args[0].Num()], R10)
	t.resumes(first)
}

// popMemorySized is POP to memory, which is not addressed through ESP.
func (t *translator) popMemorySized(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	first := len(t.lates)
	n := s.OpSize
	load(a, n, R10, t.access(i, t.onStack(0), n, false, s.before))
	m := t.access(i, t.operand(s), n, true, s.before)
	t.again(first)
	store(a, n, m, R10)
	t.setStack(esp, int32(n))
	t.resumes(first)
}

// pushAll is PUSHA, and popAll POPA, where the stack is in one piece.
func (t *translator) pushAll(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	first := len(t.lates)
	n := s.OpSize
	m := t.access(i, t.onStack(-8*int32(n)), 8*n, true, s.before)
	for r := range int32(8) {
		store(a, n, plus(m, (7-r)*int32(n)), guest[r])
	}
	t.setStack(esp, -8*int32(n))
	t.resumes(first)
}

func (t *translator) popAll(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	first := len(t.lates)
	n := s.OpSize
	m := t.access(i, t.onStack(0), 8*n, false, s.before)
	for r := range int32(8) {
		if r != cpu.ESP {
			a.RM(sixteen(n), OneByte, 0x8b, guest[r], plus(m, (7-r)*int32(n)))
		}
	}
	t.setStack(esp, 8*int32(n))
	t.resumes(first)
}

// enterSized is ENTER with a level of zero.
func (t *translator) enterSized(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	first := len(t.lates)
	n, locals := int32(s.OpSize), int32(s.Imm&0xffff)
	t.probe(i, t.onStack(-n-locals))
	m := t.access(i, t.onStack(-n), s.OpSize, true, s.before)
	t.again(first)
	store(a, s.OpSize, m, RBP)
	if n == 4 && !t.u.key.stack32() {
		a.Mov(RBP, esp)
		a.RM(P66, OneByte, 0x8d, RBP, At(RBP, -n)) // LEA BP, [EBP-4]
	} else {
		a.RM(sixteen(s.OpSize), OneByte, 0x8d, RBP, At(esp, -n))
	}
	t.setStack(esp, -n-locals)
	t.resumes(first)
}

// probe checks a write of step i that is not made. Only one write of a step may lead
// to a page with code: this one is the interpreter's then.
func (t *translator) probe(i int, offset func() Reg) {
	s := &t.steps[i]
	first := len(t.lates)
	t.access(i, offset, s.OpSize, true, s.before)
	for j := first; j < len(t.lates); j++ {
		if l := &t.lates[j]; l.site.kind == wantAccess {
			l.site.size = unadmitted
			if l.what == lateWrite {
				l.what = lateAccess
			}
		}
	}
}

func (t *translator) leaveSized(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	first := len(t.lates)
	load(a, s.OpSize, R10, t.access(i, t.fromStack(RBP, 0), s.OpSize, false, s.before))
	t.setStack(RBP, int32(s.OpSize))
	assign(a, s.OpSize, RBP, R10)
	t.resumes(first)
}

// pushFlagsSized is PUSHF where it is not sensitive to IOPL.
func (t *translator) pushFlagsSized(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	first := len(t.lates)
	t.supply(status)
	restart := a.Pos
	a.Bytes(0x9c) // PUSHFQ
	t.clobber(s.before)
	pop64(a, R10)
	a.RR(0, OneByte, 0x81, 4, R10) // AND
	a.U32(cpu.FlagsStatus)
	eflags(a)
	a.RR(0, OneByte, 0x81, 4, R9)
	a.U32(^uint32(cpu.FlagsStatus | cpu.FlagVM | cpu.FlagRF))
	a.RR(0, OneByte, 0x09, R9, R10) // OR R10D, R9D
	m := t.access(i, t.onStack(-int32(s.OpSize)), s.OpSize, true, s.before)
	for j := first; j < len(t.lates); j++ {
		t.lates[j].site.restart = int32(restart)
	}
	store(a, s.OpSize, m, R10)
	t.setStack(esp, -int32(s.OpSize))
	t.resumes(first)
}

// popFlagsSized is POPF when nothing but status flags and IF change.
func (t *translator) popFlagsSized(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	first := len(t.lates)
	slow := func(cond byte) { t.late(a.Jcc(cond, 0), lateExit, t.siteOf(i, wantStep)) }
	loaded := uint32(cpu.FlagTF | cpu.FlagIF | cpu.FlagDF | cpu.FlagIOPL | cpu.FlagNT | cpu.FlagRF)
	if s.OpSize == 4 {
		loaded |= cpu.FlagVM | cpu.FlagAC | cpu.FlagVIF | cpu.FlagVIP | cpu.FlagID
	}
	load(a, s.OpSize, R8, t.access(i, t.onStack(0), s.OpSize, false, s.before))
	eflags(a)
	a.RR(0, OneByte, 0x31, R8, R9) // XOR R9D, R8D
	a.RR(0, OneByte, 0x81, 4, R9)  // AND
	a.U32(loaded)
	same := a.Jcc(CondE, 0)
	a.RR(0, OneByte, 0x81, 7, R9) // CMP
	a.U32(cpu.FlagIF)
	slow(CondNE)
	compareZero(a, At(ctx, offPending))
	slow(CondNE)
	a.Load64(R9, At(ctx, offState))
	a.RM(0, OneByte, 0x81, 6, At(R9, stateEFLAGS)) // XOR m32, imm32
	a.U32(cpu.FlagIF)
	a.Patch(same, a.Pos)
	t.setStack(esp, int32(s.OpSize))
	t.setStatus()
	t.resumes(first)
}

// setStatus makes the status flags those in R8D.
func (t *translator) setStatus() {
	a := &t.e.asm
	a.Mov(R10, RAX)
	a.Mov(RAX, R8)
	a.Bytes(0x88, 0xc4)                         // MOV AH, AL
	a.Bytes(0x41, 0x0f, 0xba, 0xe0, 11)         // BT R8D, 11
	a.Bytes(0x0f, 0x92, 0xc0, 0x04, 0x7f, 0x9e) // SETC AL; ADD AL, 7FH; SAHF
	a.Mov(RAX, R10)
	t.flags = inHost
}
