package jit

import (
	"github.com/gov86/gov86/cpu/isa"
	. "github.com/gov86/gov86/jit/amd64"
)

// Segment registers.

// setReal loads segment register g with the selector in R8D as real and
// virtual-8086 mode do, and leaves its base there. It uses R9.
func (t *translator) setReal(g isa.Seg) {
	a := &t.e.asm
	at := stateSeg + int32(g)*segmentSize
	a.Load64(R9, At(ctx, offState))
	store(a, 2, At(R9, at+segSelector), R8)
	a.RR(0, OneByte, 0xc1, 4, R8) // SHL R8D, 4
	a.Bytes(4)
	a.Store(At(R9, at+segBase), R8)
	a.Store(At(ctx, offSegments+4*int32(g)), R8)
}

// realLoad is MOV and POP to a segment register outside protected mode.
func (t *translator) realLoad(i int) {
	first := len(t.lates)
	t.loadSelector(i)
	s := &t.steps[i]
	t.setReal(isa.Seg(s.Args[0].Num()))
	if s.Op == isa.POP {
		t.setStack(esp, int32(s.OpSize))
	}
	t.resumes(first)
}

// loadSelector loads what MOV or POP is to load into a segment register into R8D.
func (t *translator) loadSelector(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	switch source := s.Args[1]; {
	case s.Op == isa.POP:
		a.RM(0, TwoByte, 0xb7, R8, t.access(i, t.onStack(0), s.OpSize, false, s.before))
	case source == isa.Mem:
		a.RM(0, TwoByte, 0xb7, R8, t.access(i, t.operand(s), 2, false, s.before))
	default:
		t.clobber(s.before)
		zeroExtend(a, R8, guest[source.Num()])
	}
}

// loadChecked is MOV and POP to a segment register in protected mode: the engine's.
func (t *translator) loadChecked(i int) {
	first := len(t.lates)
	t.loadSelector(i)
	t.stepOut(i)
	t.resumes(first)
}

// loadPointer is LDS, LES, LFS, LGS and LSS outside protected mode. What is read
// of a pointer of six bytes is checked as if it were eight.
func (t *translator) loadPointer(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	first := len(t.lates)
	n := s.OpSize
	m := t.access(i, t.operand(s), 2*n, false, s.before)
	load(a, n, R10, m)
	a.RM(0, TwoByte, 0xb7, R8, plus(m, int32(n))) // MOVZX R8D, m16
	t.setReal(map[isa.Op]isa.Seg{isa.LDS: isa.DS, isa.LES: isa.ES, isa.LFS: isa.FS, isa.LGS: isa.GS, isa.LSS: isa.SS}[s.Op])
	assign(a, n, guest[s.Args[0].Num()], R10)
	t.resumes(first)
}

// storeSegment is MOV from a segment register.
func (t *translator) storeSegment(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	g := isa.Seg(s.Args[1].Num())
	if s.Args[0] != isa.Mem {
		t.selector(R10, g)
		assign(a, s.OpSize, guest[s.Args[0].Num()], R10)
		return
	}
	first := len(t.lates)
	m := t.access(i, t.operand(s), 2, true, s.before)
	t.selector(R10, g)
	store(a, 2, m, R10)
	t.resumes(first)
}

// leaSized is LEA of any size.
func (t *translator) leaSized(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	r := guest[s.Args[0].Num()]
	a.RM(sixteen(s.OpSize), OneByte, 0x8d, r, operand(&s.Inst))
	if s.OpSize == 4 && s.AddrSize == 2 {
		zeroExtend(a, r, r)
	}
}

// translateByte is XLAT.
func (t *translator) translateByte(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	first := len(t.lates)
	m := t.access(i, func() Reg {
		t.through = addressing{s.Seg, s.AddrSize == 2}
		a.RR(Byte, TwoByte, 0xb6, R8, RAX) // MOVZX R8D, AL
		a.Lea(R8, Sum(RBX, R8))
		if t.through.short {
			zeroExtend(a, R8, R8)
		}
		return R8
	}, 1, false, s.before)
	a.RM(Byte, OneByte, 0x8a, RAX, m)
	t.resumes(first)
}
