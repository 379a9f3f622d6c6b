package jit

import (
	"github.com/gov86/gov86/cpu/isa"
	. "github.com/gov86/gov86/jit/amd64"
)

// In a unit with a window an access is the guest's own instruction, with two
// prefixes: GS, where the window begins, and an address of 32 bits, which comes
// round as the guest's does. It takes no register and leaves the flags alone. An
// access that faults has done nothing, and its step begins anew.

// An access is one in a window.
type access struct {
	// pos is where its code begins, which ends with the instruction that faults.
	pos int32
	// flags is where the guest's flags are.
	flags flagPlace
	// turned is a register that is turned by a byte as the access is made.
	turned Reg
	// times is how often the interpreter had to make it.
	times uint8
	site
}

// unreachable is what makes an address fault, whatever its lower half is: it is
// none that the host can have.
const unreachable = 1 << 62

// writeWindow writes what leads GS to the window. To write it takes longer than to
// look, and another thread may run the code than did before.
func writeWindow(a *Asm) {
	a.Load64(R9, At(ctx, offWindow))
	a.RR(W, OneByte, 0x85, R9, R9) // TEST
	without := a.Jcc(CondE, 0)
	a.Bytes(0xf3, 0x49, 0x0f, 0xae, 0xc2) // RDGSBASE R10
	a.RR(W, OneByte, 0x39, R9, R10)       // CMP
	there := a.Jcc(CondE, 0)
	a.Bytes(0xf3, 0x49, 0x0f, 0xae, 0xd9) // WRGSBASE R9
	a.Patch(without, a.Pos)
	a.Patch(there, a.Pos)
}

// windowed reports whether step i makes its accesses in a window.
func (t *translator) windowed(i int) bool {
	return t.u.key&keyWindow != 0 && !t.steps[i].slow
}

// settle has the flags in the host's or saved, and not in a recipe alone, while step
// i makes accesses that may fault.
func (t *translator) settle(i int) {
	s := &t.steps[i]
	if !t.windowed(i) {
		return
	}
	if t.flags == inRecipe {
		t.supply(s.before)
	}
	if !s.sparesFlags() && t.flags != inRecipe {
		t.flags &^= inRecipe
	}
}

// inWindow notes that an access of step i comes next, and returns m in the window.
func (t *translator) inWindow(i int, m Mem, write bool) Mem {
	s := t.siteOf(i, wantWindow)
	s.unit, s.write, s.restart, s.moved = t.u.number, write, int32(t.began), t.moved
	t.u.accesses = append(t.u.accesses, access{pos: int32(t.e.asm.Pos), flags: t.flags, turned: None, site: s})
	m.Window = true
	return m
}

// windowOperand is the memory operand of step i in the window.
func (t *translator) windowOperand(i int, write bool) Mem {
	a := &t.e.asm
	in := &t.steps[i].Inst
	m := t.operandNow(in)
	if in.AddrSize == 2 {
		a.Lea(R8, m)
		a.RR(0, TwoByte, 0xb7, R8, R8) // MOVZX R8D, R8W
		m = At(R8, 0)
	}
	if in.Seg < isa.FS {
		return t.inWindow(i, m, write)
	}
	base := At(ctx, offSegments+4*int32(in.Seg))
	if m.Index == None && m.Base != R8 {
		a.Load(R8, base)
		a.Lea(R8, Mem{Base: R8, Index: m.Base, Disp: m.Disp})
	} else {
		a.Load(R9, base)
		if m.Base != R8 {
			a.Lea(R8, m)
		}
		a.Lea(R8, Sum(R8, R9))
	}
	a.Load64(R9, At(ctx, offReach+8*int32(in.Seg)))
	m = t.inWindow(i, Sum(R8, R9), write)
	m.Wide = true
	return m
}

// windowAccess is access in the window.
func (t *translator) windowAccess(i int, reg func() Reg, write bool, live isa.Flags) Mem {
	s := &t.steps[i]
	named := t.named
	t.named = false
	if !s.sparesFlags() {
		t.clobber(live)
	}
	switch {
	case s.how == howBitInMemory:
		if s.Seg >= isa.FS {
			compareZero(&t.e.asm, At(ctx, offFlat+4*int32(s.Seg)))
			t.late(t.e.asm.Jcc(CondE, 0), lateExit, t.siteOf(i, wantStep))
		}
	case named:
		return t.windowOperand(i, write)
	}
	return t.inWindow(i, At(reg(), 0), write)
}

// sparesFlags reports whether the code of s, but for the access that it makes, uses
// the host's flags as the guest's or not at all.
func (s *step) sparesFlags() bool {
	switch s.how {
	case howGeneric, howPush, howPop, howLeave, howString, howPopMemory, howCall, howCallIndirect, howReturn, howJumpIndirect:
		return true
	case howX87:
		return s.Op != isa.FLDCW
	}
	return false
}

// turn notes that r is turned as the access noted last is made.
func (t *translator) turn(r Reg) { t.u.accesses[len(t.u.accesses)-1].turned = r }

// writeWindowed writes an instruction whose memory operand lies in the window. A
// high byte register that a REX prefix excludes is turned; what leads the address
// through it comes first.
func (t *translator) writeWindowed(f *form, reg use, m Mem) {
	a := &t.e.asm
	extended := func(r Reg) bool { return r != None && r >= R8 }
	switch {
	case !reg.high:
		a.RM(f.prefix, f.m, f.opcode, reg.Reg, m)
	case !extended(m.Base) && !extended(m.Index):
		a.RM(f.prefix, f.m, f.opcode, reg.Reg+4, m)
	default:
		if m.Base == reg.Reg || m.Index == reg.Reg {
			window, wide := m.Window, m.Wide
			m.Window, m.Wide = false, false
			a.Lea(R8, m)
			m = At(R8, 0)
			m.Window, m.Wide = window, wide
		}
		t.turn(reg.Reg)
		a.Rorx(reg.Reg, reg.Reg, 8)
		a.RM(f.prefix, f.m, f.opcode, reg.Reg, m)
		a.Bytes(f.rest...)
		a.Rorx(reg.Reg, reg.Reg, 24)
		return
	}
	a.Bytes(f.rest...)
}

// resumesWindowed makes this the place where the accesses of step i go on when the
// interpreter has executed it.
func (t *translator) resumesWindowed(i int) {
	switch t.steps[i].how {
	case howCall, howCallIndirect, howReturn, howJumpIndirect:
		return
	}
	for j := len(t.u.accesses) - 1; j >= 0 && t.u.accesses[j].eip == t.steps[i].eip; j-- {
		t.u.accesses[j].resume, t.u.accesses[j].left = int32(t.e.asm.Pos), t.moved
	}
}
