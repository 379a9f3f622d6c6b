package jit

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	. "github.com/gov86/gov86/jit/amd64"
)

// Instructions that read and write EFLAGS as a whole, and BT with its operand in
// memory.

// eflags loads the processor's EFLAGS, whose status flags mean nothing here, into
// R9D.
func eflags(a *Asm) {
	a.Load64(R9, At(ctx, offState))
	a.Load(R9, At(R9, stateEFLAGS))
}

// setIF writes CLI and STI of the kernel. While an interrupt waits STI is the
// interpreter's.
func (t *translator) setIF(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	first := len(t.lates)
	t.clobber(s.before)
	if s.Op == isa.STI {
		t.late(t.ifPending(), lateExit, t.siteOf(i, wantStep))
	}
	a.Load64(R9, At(ctx, offState))
	if s.Op == isa.CLI {
		a.RM(0, OneByte, 0x81, 4, At(R9, stateEFLAGS))
		a.U32(^uint32(cpu.FlagIF))
	} else {
		a.RM(0, OneByte, 0x81, 1, At(R9, stateEFLAGS))
		a.U32(cpu.FlagIF)
	}
	t.resumes(first)
}

// setAC is STAC and CLAC of the kernel: other views for what it accesses.
func (t *translator) setAC(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	t.clobber(s.before)
	a.Load64(R9, At(ctx, offState))
	if s.Op == isa.STAC {
		a.RM(0, OneByte, 0x81, 1, At(R9, stateEFLAGS))
		a.U32(cpu.FlagAC)
		a.Load64(views, At(ctx, offOverride))
	} else {
		a.RM(0, OneByte, 0x81, 4, At(R9, stateEFLAGS))
		a.U32(^uint32(cpu.FlagAC))
		a.Load64(views, At(ctx, offNormal))
	}
}

// ifPending jumps when something asks for the processor's attention.
func (t *translator) ifPending() int {
	a := &t.e.asm
	compareZero(a, At(ctx, offPending))
	return a.Jcc(CondNE, 0)
}

// pushFlags is PUSHFD.
func (t *translator) pushFlags(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	first := len(t.lates)
	t.supply(status)
	restart := a.Pos
	a.Bytes(0x9c) // PUSHFQ
	t.clobber(s.before)
	pop64(a, R10)
	a.RR(0, OneByte, 0x81, 4, R10)
	a.U32(cpu.FlagsStatus)
	eflags(a)
	a.RR(0, OneByte, 0x81, 4, R9)
	a.U32(^uint32(cpu.FlagsStatus | cpu.FlagVM | cpu.FlagRF))
	a.RR(0, OneByte, 0x09, R9, R10)
	m := t.access(i, t.slot, 4, true, s.before)
	for j := first; j < len(t.lates); j++ {
		t.lates[j].site.restart = int32(restart)
	}
	a.Store(m, R10)
	a.Mov(esp, R8)
	t.resumes(first)
}

// popFlags is POPFD of the kernel when nothing but status flags and IF change.
func (t *translator) popFlags(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	first := len(t.lates)
	slow := func(at int) { t.late(at, lateExit, t.siteOf(i, wantStep)) }
	m := t.access(i, t.topOfStack, 4, false, s.before)
	a.Load(R8, m)
	eflags(a)
	a.RR(0, OneByte, 0x31, R8, R9) // XOR R9D, R8D
	a.RR(0, OneByte, 0x81, 4, R9)
	a.U32(^uint32(cpu.FlagsStatus))
	same := a.Jcc(CondE, 0)
	a.RR(0, OneByte, 0x81, 7, R9)
	a.U32(cpu.FlagIF)
	slow(a.Jcc(CondNE, 0))
	slow(t.ifPending())
	a.Load64(R9, At(ctx, offState))
	a.RM(0, OneByte, 0x81, 6, At(R9, stateEFLAGS)) // XOR m32, imm32
	a.U32(cpu.FlagIF)
	a.Patch(same, a.Pos)
	a.Lea(esp, At(esp, 4))
	a.Mov(R10, RAX)
	a.Mov(RAX, R8)
	a.Bytes(0x88, 0xc4)                         // MOV AH, AL
	a.Bytes(0x41, 0x0f, 0xba, 0xe0, 11)         // BT R8D, 11
	a.Bytes(0x0f, 0x92, 0xc0, 0x04, 0x7f, 0x9e) // SETC AL; ADD AL, 7FH; SAHF
	a.Mov(RAX, R10)
	t.flags = inHost
	t.resumes(first)
}

// bitInMemory is BT, BTS, BTR and BTC with a bit offset in a register, which
// reaches beyond the operand.
func (t *translator) bitInMemory(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	first := len(t.lates)
	offset := guest[s.Args[1].Num()]
	t.named = true
	m := t.access(i, func() Reg {
		r := t.address(&s.Inst)
		a.Mov(R9, offset)
		a.RR(0, OneByte, 0xc1, 7, R9) // SAR R9D, 5
		a.Bytes(5)
		a.Lea(R8, Mem{Base: r, Index: R9, Scale: 2})
		return R8
	}, 4, s.Op != isa.BT, s.before)
	t.needs(s)
	a.Load(R10, m)
	opcode := map[isa.Op]byte{isa.BT: 0xa3, isa.BTS: 0xab, isa.BTR: 0xb3, isa.BTC: 0xbb}[s.Op]
	a.RR(0, TwoByte, opcode, offset, R10)
	if s.Op != isa.BT {
		a.Store(m, R10)
	}
	t.wrote(s)
	t.resumes(first)
}

// popMemory is POP to memory, which is not addressed through ESP.
func (t *translator) popMemory(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	first := len(t.lates)
	m := t.access(i, t.topOfStack, 4, false, s.before)
	a.Load(R10, m)
	m = t.access(i, t.operand(s), 4, true, s.before)
	t.again(first)
	a.Store(m, R10)
	a.Lea(esp, At(esp, 4))
	t.resumes(first)
}

// loadSegment is MOV and POP to DS, ES, FS or GS.
func (t *translator) loadSegment(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	first := len(t.lates)
	g := isa.Seg(s.Args[0].Num())
	source := s.Args[1]
	switch {
	case s.Op == isa.POP:
		m := t.access(i, t.topOfStack, 4, false, s.before)
		a.RM(0, TwoByte, 0xb7, R8, m) // MOVZX R8D, m16
	case source == isa.Mem:
		m := t.access(i, t.operand(s), 2, false, s.before)
		a.RM(0, TwoByte, 0xb7, R8, m)
	default:
		t.clobber(s.before)
		a.RR(0, TwoByte, 0xb7, R8, guest[source.Num()])
	}
	a.Call(t.e.stubs.load[g])
	x := t.siteOf(i, wantStep)
	x.order = orderOf(s)
	t.late(a.Jcc(CondB, 0), lateExit, x)
	if s.Op == isa.POP {
		a.Lea(esp, At(esp, 4))
	}
	t.resumes(first)
}
