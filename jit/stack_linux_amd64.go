package jit

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	. "github.com/gov86/gov86/jit/amd64"
)

// Pushes, pops and what moves the stack pointer by a constant would each wait for
// the one before. So they do not move it: they reach as far from where it is as it
// should have been moved, and it follows where it must. Who leaves in between moves
// it first, and the site is told how far it is behind.

// furthest bounds how far the stack pointer is behind, in bytes.
const furthest = 1 << 20

// settleStack moves the stack pointer to where it belongs, if step i needs that.
func (t *translator) settleStack(i int) {
	if t.moved != 0 && (!t.toleratesStack(i) || t.moved > furthest || t.moved < -furthest) {
		t.moveStack()
	}
}

// moveStack moves the stack pointer to where it belongs.
func (t *translator) moveStack() {
	moveStack(&t.e.asm, t.moved)
	t.moved = 0
}

// moveStack moves a stack pointer that is behind by d, and leaves the flags alone.
func moveStack(a *Asm, d int32) {
	if d != 0 {
		a.Lea(esp, At(esp, d))
	}
}

// toleratesStack reports whether the code of step i takes into account that the
// stack pointer is behind.
func (t *translator) toleratesStack(i int) bool {
	s := &t.steps[i]
	if t.segmented() {
		return false
	}
	switch s.how {
	case howNothing, howJump, howCall, howReturn, howLeave:
		return true
	case howJcc:
		return i+1 < s.end // its own way leads to where the stack pointer follows
	case howPush, howPop, howCallIndirect:
		return !s.names(cpu.ESP)
	case howLea:
		return s.OpSize == 4 && s.AddrSize == 4
	case howX87:
		return s.Op != isa.FLDCW && s.Seg < isa.FS && s.AddrSize == 4
	case howGeneric:
		return s.AddrSize == 4 && (!s.names(cpu.ESP) || t.movesOnly(s))
	}
	return false
}

// names reports whether s has the register r, of 16 or 32 bits, as an operand.
func (s *step) names(r uint8) bool {
	for _, a := range s.Args {
		if a == isa.Reg32|isa.Arg(r) || a == isa.Reg16|isa.Arg(r) {
			return true
		}
	}
	return false
}

// movesOnly reports whether s moves the stack pointer by a constant, or copies it
// from or to another register.
func (t *translator) movesOnly(s *step) bool {
	if s.how != howGeneric || s.OpSize != 4 {
		return false
	}
	to, from := s.Args[0], s.Args[1]
	switch s.Op {
	case isa.ADD, isa.SUB:
		return to == isa.Reg32|cpu.ESP && from == isa.Imm
	case isa.MOV:
		return to.Kind() == isa.Reg32 && from.Kind() == isa.Reg32 && to != from
	}
	return false
}

// stack does what step i is for if that is no more than to move the stack pointer,
// or copy it, and reports whether it was.
func (t *translator) stack(i int) bool {
	a := &t.e.asm
	s := &t.steps[i]
	if t.segmented() {
		return false
	}
	switch {
	case s.how == howLea && s.Args[0] == isa.Reg32|cpu.ESP:
		if s.Base == cpu.ESP && s.Index == isa.NoReg {
			t.moved += int32(s.Disp)
			break
		}
		a.Lea(esp, t.operandNow(&s.Inst))
		t.moved = 0
	case s.how != howGeneric || !s.names(cpu.ESP) || !t.movesOnly(s):
		return false
	case s.Op == isa.ADD:
		t.moved += int32(s.Imm)
		t.flagsOfMove(s)
	case s.Op == isa.SUB:
		t.moved -= int32(s.Imm)
		t.flagsOfMove(s)
	case s.Args[0] == isa.Reg32|cpu.ESP:
		a.Mov(esp, guest[s.Args[1].Num()])
		t.moved = 0
	default:
		a.Lea(guest[s.Args[0].Num()], At(esp, t.moved))
	}
	return true
}

// flagsOfMove has the flags of s, which adds a constant to the stack pointer or
// subtracts it, computed if they are wanted.
func (t *translator) flagsOfMove(s *step) {
	t.flags = 0
	if s.after != 0 {
		t.flags, t.recipe = inRecipe, recipeFor(s)
	}
}

// callThrough is CALL through a register or memory, with the flags in the host's.
func (t *translator) callThrough(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	if s.Args[0] == isa.Mem {
		a.Load(R8, t.windowOperand(i, false))
	} else {
		a.Mov(R8, guest[s.Args[0].Num()])
	}
	a.StoreImm(t.top(i, -4), s.next())
	a.Lea(esp, At(esp, t.moved-4))
	t.moved = 0
	dispatch(a)
	callTo(a, R9)
	t.returned(i)
}

// operandNow is the effective address of the memory operand of s where the stack
// pointer is now.
func (t *translator) operandNow(in *isa.Inst) Mem {
	m := operand(in)
	if in.Base == cpu.ESP {
		m.Disp += t.moved
	}
	return m
}
