package jit

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	. "github.com/gov86/gov86/jit/amd64"
)

// Most accesses to the stack are near one another: pushes, pops, locals. Steps in
// a row whose distances from the stack pointer are known, and which lie within a
// page, share one look at the views: a frame. Its addend is in R11. Where they do
// not lie within a page, or near an end of the address space, control goes to a
// plain unit, which has no frames.

// A frame is a run of steps that share a look at the views.
type frame struct {
	first, end int // the steps
	// low and high bound what they access, from the stack pointer at first.
	low, high int32
	write     bool
	accesses  int
}

const (
	// worth is how many accesses make a frame worth its check.
	worth = 3
	// widest bounds a frame, in bytes: a wider one would often cross pages.
	widest = 1024
	// reach is how far from the stack pointer a frame and the registers that lead
	// to it may lie, and how far the stack pointer is kept from either end of the
	// address space: sums of 64 bits would not come round there.
	reach = 32 << 10
)

// An anchor is a register whose distance from the stack pointer at the start of a
// frame is known.
type anchor struct {
	off   int32
	known bool
}

// near reports whether a distance from the stack pointer is one of a frame.
func near(off int32) bool { return off >= -reach && off <= reach }

// frames finds the frames of the unit and marks their steps.
func (t *translator) frames() {
	t.frameList = t.frameList[:0]
	switch {
	case t.u.key&(keyPlain|keySegmented) != 0:
		return
	case t.u.key&keyWindow != 0:
		for i := range t.steps {
			t.steps[i].framed = t.windowed(i) // needs no check
		}
		return
	}
	for i := 0; i < len(t.steps); {
		if i > 0 && t.steps[i-1].enables() {
			i++ // its check could lead out
			continue
		}
		f := t.frameFrom(i)
		if f.accesses < worth {
			i = max(f.end, i+1)
			continue
		}
		t.mark(&f)
		t.frameList = append(t.frameList, f)
		i = f.end
	}
}

// mark marks the steps of f whose accesses it covers.
func (t *translator) mark(f *frame) {
	var esp, ebp anchor
	esp.known = true
	for i := f.first; i < f.end; i++ {
		s := &t.steps[i]
		_, _, _, s.framed = t.stackAccess(s, esp, ebp)
		off, ok := t.operandAccess(s, esp, ebp)
		s.local = ok && off&int32(s.Width-1) == 0
		t.follow(s, &esp, &ebp)
	}
}

// frameFrom is the frame that begins at step first, as long as it can be.
func (t *translator) frameFrom(first int) frame {
	f := frame{first: first, end: first}
	var esp, ebp anchor
	esp.known = true
	for i := first; i < len(t.steps); i++ {
		s := &t.steps[i]
		g := f
		if off, size, write, ok := t.stackAccess(s, esp, ebp); ok && !g.cover(off, size, write) {
			return f
		}
		if off, ok := t.operandAccess(s, esp, ebp); ok && off&int32(s.Width-1) == 0 {
			_, writes := s.Memory()
			if !g.cover(off, int32(s.Width), writes) {
				return f
			}
		}
		if !t.follow(s, &esp, &ebp) || !near(esp.off) || !near(ebp.off) {
			if s.how == howCall || s.how == howReturn {
				g.end = i + 1
				return g
			}
			return f
		}
		g.end = i + 1
		f = g
	}
	return f
}

// cover makes an access one of the frame's, and reports whether it may be.
func (f *frame) cover(off, size int32, write bool) bool {
	if !near(off) {
		return false
	}
	if f.accesses == 0 {
		f.low, f.high = off, off+size
	}
	f.low, f.high = min(f.low, off), max(f.high, off+size)
	f.write = f.write || write
	f.accesses++
	return f.high-f.low <= widest
}

// stackAccess is what s accesses by being a push or a pop.
func (t *translator) stackAccess(s *step, esp, ebp anchor) (off, size int32, write, ok bool) {
	switch s.how {
	case howPush, howCall:
		return esp.off - 4, 4, true, true
	case howPop, howReturn:
		return esp.off, 4, false, true
	case howLeave:
		return ebp.off, 4, false, ebp.known
	}
	return 0, 0, false, false
}

// operandAccess is where the memory operand of s is, if it is a local.
func (t *translator) operandAccess(s *step, esp, ebp anchor) (off int32, ok bool) {
	if s.how != howGeneric || s.Width == 0 || s.Width > 4 || s.Seg >= isa.FS || s.AddrSize != 4 || s.Index != isa.NoReg {
		return 0, false
	}
	if s.Args[0] != isa.Mem && s.Args[1] != isa.Mem && s.Args[2] != isa.Mem {
		return 0, false
	}
	switch s.Base {
	case cpu.ESP:
		return esp.off + int32(s.Disp), true
	case cpu.EBP:
		return ebp.off + int32(s.Disp), ebp.known
	}
	return 0, false
}

// follow moves the anchors past s and reports whether the frame may go on.
func (t *translator) follow(s *step, esp, ebp *anchor) bool {
	writes := func(r uint8) bool {
		if s.Args[0] == isa.Reg32|isa.Arg(r) || s.Args[0] == isa.Reg16|isa.Arg(r) {
			return s.Op != isa.CMP && s.Op != isa.TEST && s.Op != isa.PUSH
		}
		swapped := s.Op == isa.XCHG || s.Op == isa.XADD
		return swapped && (s.Args[1] == isa.Reg32|isa.Arg(r) || s.Args[1] == isa.Reg16|isa.Arg(r))
	}
	switch s.how {
	case howPush:
		esp.off -= 4
		return true
	case howPop:
		if writes(cpu.ESP) {
			return false
		}
		esp.off += 4
		ebp.known = ebp.known && !writes(cpu.EBP)
		return true
	case howLeave:
		if !ebp.known {
			return false
		}
		esp.off, ebp.known = ebp.off+4, false
		return true
	case howJcc, howNothing, howJump:
		return true
	case howGeneric, howLea:
	default:
		return false
	}
	if writes(cpu.ESP) {
		constant := s.Args[1] == isa.Imm && s.OpSize == 4
		switch {
		case s.Op == isa.ADD && constant:
			esp.off += int32(s.Imm)
		case s.Op == isa.SUB && constant:
			esp.off -= int32(s.Imm)
		case s.how == howLea && s.OpSize == 4 && s.Base == cpu.ESP && s.Index == isa.NoReg:
			esp.off += int32(s.Disp)
		default:
			return false
		}
		return true
	}
	if writes(cpu.EBP) {
		*ebp = anchor{}
		if s.Op == isa.MOV && s.Args[1] == isa.Reg32|cpu.ESP {
			*ebp = *esp
		}
	}
	return true
}

// openFrame writes the check of the frame that begins at step i, if one does.
func (t *translator) openFrame(i int) {
	for j := range t.frameList {
		if f := &t.frameList[j]; f.first == i {
			t.checkFrame(i, f)
		}
	}
}

func (t *translator) checkFrame(i int, f *frame) {
	a := &t.e.asm
	s := &t.steps[i]
	t.moveStack() // what lies far behind would not come round
	t.clobber(s.before)
	view := readViews
	if f.write {
		view = writeViews
	}
	plain := func(cond byte) {
		t.late(a.Jcc(cond, 0), lateLink, site{kind: wantPlain, eip: s.eip})
		l := &t.lates[len(t.lates)-1]
		l.refund, l.live = int32(s.end-i), s.before
	}
	a.Lea(R8, At(esp, f.low))
	a.Mov(R9, R8)
	a.RR(0, OneByte, 0xc1, 5, R9) // SHR R9D, 12
	a.Bytes(12)
	a.Load64(R11, Mem{Base: views, Index: R9, Scale: 3, Disp: view})
	a.RR(W, OneByte, 0x85, R11, R11)
	plain(CondE)
	a.Lea(R9, At(esp, -reach))
	a.RR(0, OneByte, 0x81, 7, R9) // CMP R9D, imm32
	a.U32(1<<32 - 2*reach)
	plain(CondAE)
	a.RR(0, OneByte, 0x81, 4, R8)
	a.U32(0xfff)
	a.RR(0, OneByte, 0x81, 7, R8)
	a.U32(0x1000 - uint32(f.high-f.low))
	plain(CondA)
}

// local is the operand of s for the host, which is one of a frame.
func (t *translator) local(s *step) Mem {
	m := t.operandNow(&s.Inst)
	return Mem{Base: R11, Index: m.Base, Disp: m.Disp}
}

// top is the stack's memory at d bytes from the stack pointer, for step i, which is
// in a frame or in a window.
func (t *translator) top(i int, d int32) Mem {
	if t.windowed(i) {
		return t.inWindow(i, At(esp, t.moved+d), d < 0)
	}
	return Mem{Base: R11, Index: esp, Disp: t.moved + d}
}
