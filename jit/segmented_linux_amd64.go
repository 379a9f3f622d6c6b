package jit

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	. "github.com/gov86/gov86/jit/amd64"
)

// Units of the other modes: real and virtual-8086 mode, 16-bit code and stacks,
// segments that are not flat or do not begin at zero.
//
// CS is a constant of such a unit, its base and its limit. An access through
// another segment computes the offset, holds it to the segment's bounds, adds the
// base, both from the context, and goes on like any other. Outside protected mode
// segments are mostly whole: then an offset of 16 bits can only be too large where
// an operand runs over the end, and for that the operand must be unaligned, which
// is looked at anyway.

// Of a key with keySegmented: the bits of cpu.Mode that segmentedKey keeps, these,
// and in the upper half the limit of CS.
const (
	limitShift = 32
	// wholeTop is the last offset of 16 bits.
	wholeTop = 0xffff
	// paragraph is what a base of real mode is a multiple of.
	paragraph = 16
)

// segmentedKey is the part of a key that tells of segments.
//
// With keyWhole all segments are those of real or virtual-8086 mode: each ends at
// 64 KiB or above, can be read and written, and begins at a multiple of 16. With
// keyLow one of them expands down. With keyVM3 the mode is virtual-8086 mode and
// IOPL is 3.
func segmentedKey(c *cpu.CPU, m cpu.Mode) key {
	const keep = cpu.ModeCode32 | cpu.ModeStack32 | cpu.ModeProtected | cpu.ModeV86
	k := keySegmented | key(m&keep) | key(c.Seg[isa.CS].Limit)<<limitShift
	whole := m&cpu.ModeProtected == 0
	for i := range c.Seg {
		g := &c.Seg[i]
		down := expandsDown(g)
		if down {
			k |= keyLow
		}
		whole = whole && !down && g.Usable && g.Limit >= wholeTop && g.Base&15 == 0
	}
	if whole && (m&cpu.ModeV86 != 0 || afterFarTransfer(&c.Seg[isa.CS])) {
		k |= keyWhole
	}
	if m&cpu.ModeV86 != 0 && c.IOPL() == 3 {
		k |= keyVM3
	}
	return k
}

// expandsDown reports whether the valid offsets of g are those above its limit.
func expandsDown(g *cpu.Segment) bool {
	return g.Access&(cpu.AccessCode|cpu.AccessDC) == cpu.AccessDC
}

// afterFarTransfer reports whether CS is as far transfers of real mode leave it,
// so that another changes the base alone.
func afterFarTransfer(cs *cpu.Segment) bool {
	return cs.Access&^(cpu.AccessDB|cpu.AccessG) == cpu.AccessP|cpu.AccessS|cpu.AccessRW|cpu.AccessA
}

// code is the size of code.
func (k key) code() isa.Mode {
	if k&keySegmented != 0 && k&key(cpu.ModeCode32) == 0 {
		return isa.Code16
	}
	return isa.Code32
}

// reaches reports whether n bytes at eip, at least one, lie within the limit of
// CS.
func (k key) reaches(eip uint32, n uint8) bool {
	return k&keySegmented == 0 || uint64(eip)+uint64(n)-1 <= uint64(k>>limitShift)
}

// limits reports whether an EIP of size bytes can lie beyond the limit of CS.
func (k key) limits(size uint8) bool {
	return k>>limitShift < wholeTop || size == 4 && k>>limitShift != 0xffffffff
}

// real reports whether segment registers are loaded as the 8086 does, and nothing
// but selector and base changes with it.
func (k key) real() bool { return k&keyWhole != 0 }

// stack32 reports whether the stack pointer is ESP.
func (k key) stack32() bool { return k&key(cpu.ModeStack32) != 0 }

// setsIF reports whether CLI, STI, PUSHF, POPF and IRET do what they do in real
// mode.
func (k key) setsIF() bool { return k&(keyKernel|keyVM3) != 0 }

// Bounds are what offsets within segments are held to, by isa.Seg: the last
// offset that may be read, and written, -1 if there is none, and the first.
type bounds struct {
	readTop, writeTop [6]int64
	low               [6]uint32
}

// prepareSegments derives what segmented units need of the segments, in mode m.
func (e *Engine) prepareSegments(m cpu.Mode) {
	r := e.region
	for i := range e.Seg {
		g := &e.Seg[i]
		top, low := int64(g.Limit), uint32(0)
		if expandsDown(g) {
			if low = g.Limit + 1; low == 0 {
				top = -1
			} else if top = wholeTop; g.Access&cpu.AccessDB != 0 {
				top = 0xffffffff
			}
		}
		if !g.Usable {
			top = -1
		}
		read, write := top, top
		if m&cpu.ModeProtected != 0 {
			code, granted := g.Access&cpu.AccessCode != 0, g.Access&cpu.AccessRW != 0
			if code && !granted {
				read = -1
			}
			if code || !granted {
				write = -1
			}
		}
		r.segments[i], r.readTop[i], r.writeTop[i], r.low[i] = g.Base, read, write, low
	}
}

// An addressing is the segment that an access goes through, and whether its offset has
// 16 bits.
type addressing struct {
	seg   isa.Seg
	short bool
}

func (t *translator) segmented() bool { return t.u.key&keySegmented != 0 }

// arrival writes where indirect jumps lead: unless CS begins where that of the unit
// does, they go to the engine. Flags stay as they are.
func (t *translator) arrival() {
	a := &t.e.asm
	t.u.indirect = a.Pos
	if t.segmented() {
		a.Mov(R10, RCX)
		t.inSegment(t.e.stubs.astray)
		a.Mov(RCX, R10)
	}
}

// inSegment leads elsewhere unless CS begins where that of the unit does. ECX is in
// R10; the flags stay as they are.
func (t *translator) inSegment(elsewhere int) {
	a := &t.e.asm
	a.Load(RCX, At(ctx, offSegments+4*int32(isa.CS)))
	a.Lea(RCX, At(RCX, -int32(t.u.base)))
	same := a.Jrcxz()
	a.Jmp(elsewhere)
	a.PatchShort(same, a.Pos)
}

// zeroExtend writes MOVZX of the low word of from.
func zeroExtend(a *Asm, to, from Reg) { a.RR(0, TwoByte, 0xb7, to, from) }

// sixteen is the prefix of operands of so many bytes, two or four.
func sixteen(size uint8) Prefix {
	if size == 2 {
		return P66
	}
	return 0
}

// effective puts the offset of in's memory operand into R8.
func (t *translator) effective(in *isa.Inst) Reg {
	a := &t.e.asm
	t.through = addressing{in.Seg, in.AddrSize == 2}
	switch m := operand(in); {
	case m.Base == None && m.Index == None:
		a.MovImm(R8, in.Disp)
	case t.through.short && m.Index == None && m.Disp == 0:
		zeroExtend(a, R8, m.Base)
	default:
		a.Lea(R8, m)
		if t.through.short {
			zeroExtend(a, R8, R8)
		}
	}
	return R8
}

// indexed is what puts the offset in an index register into R8.
func (t *translator) indexed(r Reg, seg isa.Seg, addrSize uint8) func() Reg {
	return func() Reg {
		t.through = addressing{seg, addrSize == 2}
		if addrSize == 2 {
			zeroExtend(&t.e.asm, R8, r)
		} else {
			t.e.asm.Mov(R8, r)
		}
		return R8
	}
}

// throughSegment makes the offset in R8 of an access of step i its linear address,
// if the unit is segmented: it leaves if the segment does not allow the access, and
// reports whether the end of the operand is still to be looked at, see unlessWithin.
func (t *translator) throughSegment(i int, size uint8, write bool) (open bool) {
	if !t.segmented() {
		return false
	}
	a := &t.e.asm
	seg := int32(t.through.seg)
	if t.through.short && t.u.key&keyWhole != 0 && size <= paragraph {
		open = true
	} else {
		t.holdToBounds(i, size, write)
	}
	a.RM(0, OneByte, 0x03, R8, At(ctx, offSegments+4*seg)) // ADD R8D, m32
	return open
}

// holdToBounds leaves unless size bytes from the offset in R8 on lie within their
// segment, and in one piece.
func (t *translator) holdToBounds(i int, size uint8, write bool) {
	a := &t.e.asm
	slow := func(cond byte) { t.late(a.Jcc(cond, 0), lateExit, t.siteOf(i, wantStep)) }
	seg := int32(t.through.seg)
	if t.u.key&keyLow != 0 {
		a.RM(0, OneByte, 0x3b, R8, At(ctx, offLow+4*seg)) // CMP R8D, m32
		slow(CondB)
	}
	if t.through.short && size > 4 {
		// Several operands in a row: each would come round by itself.
		a.RR(0, OneByte, 0x81, 7, R8) // CMP R8D, imm32
		a.U32(wholeTop + 1 - uint32(size))
		slow(CondA)
	}
	last := R8
	if size > 1 {
		last = R9
		a.Lea64(R9, At(R8, int32(size)-1))
	}
	top := offReadTop
	if write {
		top = offWriteTop
	}
	a.RM(W, OneByte, 0x3b, last, At(ctx, top+8*seg)) // CMP r64, m64
	slow(CondG)
}

// unlessWithin is the rest of the check that throughSegment left open, of an
// unaligned operand at the linear address in R8: it goes back unless the operand ends
// beyond the last offset of 16 bits. Then the interpreter makes the access.
func (t *translator) unlessWithin(l *late) {
	a := &t.e.asm
	push64(a, R10)
	a.Mov(R10, R8)
	a.RM(0, OneByte, 0x2b, R10, At(ctx, offSegments+4*int32(l.seg))) // SUB R10D, m32
	a.RR(0, OneByte, 0x81, 7, R10)                                   // CMP R10D, imm32
	a.U32(wholeTop + 1 - uint32(l.size))
	pop64(a, R10)
	a.Jcc(CondBE, l.back)
	s := l.site
	s.kind = wantStep
	a.StoreImm(At(ctx, offSite), t.addSite(s))
	t.exit(l.flags, &l.recipe)
}

// widen gives f the prefix that in, which was decoded as 16-bit code, takes in
// code of the host.
func (f *form) widen(in *isa.Inst) {
	switch {
	case in.Op == isa.CMPXCHG8B, in.Op == isa.MOVNTI:
		f.prefix &^= P66 // they have one size
	case in.Op.Attr()&isa.SIMD == 0:
		f.prefix ^= P66
	}
}
