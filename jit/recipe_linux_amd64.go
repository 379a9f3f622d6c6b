package jit

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	. "github.com/gov86/gov86/jit/amd64"
)

// Flags that a comparison, or arithmetic in a register, has left need not be
// saved: as long as its registers are as they were, they can be computed again.

// A recipe says how to compute flags again.
type recipe struct {
	how  remake
	step *step
	// covers are the flags that it makes.
	covers isa.Flags
	// reads are the registers that it reads, a bit each.
	reads uint8
	// moved is how far the stack pointer has been moved since, if it is one.
	moved int32
}

// A remake is a way to compute flags again.
type remake uint8

const (
	byRepeating remake = iota // the instruction, which changes nothing but flags
	byTesting                 // its result
	byUndoing                 // it, and doing it again elsewhere
)

// resultFlags are those that the result alone tells.
const resultFlags = isa.ZF | isa.SF | isa.PF

// recipeFor returns how to compute the flags of s again, covering none if there is
// no way.
func recipeFor(s *step) (r recipe) {
	r.step = s
	if s.how != howGeneric || s.Args[0].Kind() != isa.Reg32 && s.Args[0].Kind() != isa.Reg16 && s.Args[0].Kind() != isa.Reg8 {
		return r
	}
	register, ok := registerOf(s.Args[1])
	r.reads = registers(s.Args[0])
	whole := s.Args[0].Kind() == isa.Reg32 && (ok || s.Args[1] == isa.Imm) && register&(r.reads|1<<cpu.ESP) == 0
	switch s.Op {
	case isa.CMP, isa.TEST:
		if ok || s.Args[1] == isa.Imm {
			r.covers, r.reads = status, r.reads|register
		}
	case isa.BT:
		if ok || s.Args[1] == isa.Imm {
			r.covers, r.reads = isa.CF, r.reads|register
		}
	case isa.AND, isa.OR, isa.XOR:
		r.how, r.covers = byTesting, status
	case isa.ADD, isa.SUB:
		r.how, r.covers = byTesting, resultFlags
		if whole {
			r.how, r.covers, r.reads = byUndoing, status, r.reads|register
		}
	case isa.INC, isa.DEC:
		r.how, r.covers = byTesting, resultFlags
		if s.OpSize == 4 {
			r.how, r.covers = byUndoing, status&^isa.CF
		}
	case isa.ADC, isa.SBB, isa.NEG:
		r.how, r.covers = byTesting, resultFlags
	}
	return r
}

// registerOf is the register that a is, as a bit, or nothing if it is none.
func registerOf(a isa.Arg) (mask uint8, ok bool) {
	mask = registers(a)
	return mask, mask != 0
}

// registers is the general register that a is or lies in, as a bit.
func registers(a isa.Arg) uint8 {
	switch a.Kind() {
	case isa.Reg32, isa.Reg16:
		return 1 << a.Num()
	case isa.Reg8:
		return 1 << (a.Num() & 3)
	}
	return 0
}

// write writes the recipe while the stack pointer is to be moved by behind. It uses
// R10.
func (r *recipe) write(a *Asm, behind int32) {
	s := r.step
	to := guest[s.Args[0].Num()]
	switch r.how {
	case byRepeating:
		f := s.form()
		if !f.has {
			writeAccumulator(a, &f)
			return
		}
		reg, rm := f.fields(&s.Inst)
		writeRR(a, &f, useOf(f.modrm>>3&7, reg), useOf(f.modrm&7, rm))
	case byTesting:
		switch s.Args[0].Kind() {
		case isa.Reg8:
			n := Reg(s.Args[0].Num()) // without REX these are AL to BL, and AH to BH
			a.RR(0, OneByte, 0x84, n, n)
		case isa.Reg16:
			a.RR(P66, OneByte, 0x85, to, to)
		default:
			a.RR(0, OneByte, 0x85, to, to)
		}
	case byUndoing:
		r.undo(a, to, behind)
	}
}

// undo computes in R10 what was in register to, and what is in it now once more.
func (r *recipe) undo(a *Asm, to Reg, behind int32) {
	s := r.step
	since := -r.moved
	if to == esp {
		since += behind
	}
	switch {
	case s.Op == isa.INC:
		a.Lea(R10, At(to, since-1))
		a.RR(0, OneByte, 0xff, 0, R10)
	case s.Op == isa.DEC:
		a.Lea(R10, At(to, since+1))
		a.RR(0, OneByte, 0xff, 1, R10)
	case s.Args[1] == isa.Imm && s.Op == isa.ADD:
		a.Lea(R10, At(to, since-int32(s.Imm)))
		a.RR(0, OneByte, 0x81, 0, R10)
		a.U32(s.Imm)
	case s.Args[1] == isa.Imm:
		a.Lea(R10, At(to, since+int32(s.Imm)))
		a.RR(0, OneByte, 0x81, 5, R10)
		a.U32(s.Imm)
	case s.Op == isa.ADD:
		by := guest[s.Args[1].Num()]
		a.Lea(R10, At(to, since))
		a.RR(0, OneByte, 0x29, by, R10)
		a.RR(0, OneByte, 0x01, by, R10)
	default:
		by := guest[s.Args[1].Num()]
		a.Lea(R10, Mem{Base: to, Index: by, Disp: since})
		a.RR(0, OneByte, 0x29, by, R10)
	}
}

// keepRecipe prepares for step s, which may write what the recipe reads.
func (t *translator) keepRecipe(s *step) {
	if t.flags&inRecipe != 0 && t.spoils(s) {
		t.supply(s.before)
		t.flags &^= inRecipe
	}
}

// spoils reports whether s writes what the recipe reads and leaves flags that it
// may still have to make. Pushes and pops move the stack pointer, and moveRecipe
// follows.
func (t *translator) spoils(s *step) bool {
	written := uint8(0xff)
	switch s.how {
	case howNothing, howJump, howJcc, howCall, howReturn, howJumpIndirect, howCallIndirect:
		written = 0
	case howPush:
		written = 0
	case howPop:
		written = registers(s.Args[0])
	case howLea:
		written = registers(s.Args[0])
	case howX87:
		written = 1 << cpu.EAX // FNSTSW
	case howGeneric:
		written = writtenBy(s)
	}
	r := &t.recipe
	if r.how != byUndoing && s.movesStack() && r.reads&(1<<cpu.ESP) != 0 {
		return true
	}
	return r.reads&written != 0
}

// movesStack reports whether s is a push or a pop.
func (s *step) movesStack() bool {
	return s.how == howPush || s.how == howPop || s.how == howCall
}

// moveRecipe follows what step s did to the stack pointer.
func (t *translator) moveRecipe(s *step) {
	if t.flags&inRecipe == 0 || !s.movesStack() || t.recipe.reads&(1<<cpu.ESP) == 0 {
		return
	}
	if s.how == howPop {
		t.recipe.moved += 4
	} else {
		t.recipe.moved -= 4
	}
}

// writtenBy are the general registers that a generic step writes, if flags from
// before matter behind it.
func writtenBy(s *step) uint8 {
	switch op := s.Op; {
	case op == isa.MOV, op == isa.MOVZX, op == isa.MOVSX, op == isa.BSWAP, op == isa.NOT, op == isa.MOVNTI, op == isa.CRC32,
		op >= isa.SETO && op <= isa.SETNLE, op >= isa.CMOVO && op <= isa.CMOVNLE, op.Attr()&isa.SIMD != 0, s.MMX():
		return registers(s.Args[0])
	case op == isa.XCHG:
		return registers(s.Args[0]) | registers(s.Args[1])
	case before(&s.Inst, status)&^reads(s) == 0:
		return 0 // it sets all flags anew
	}
	return 0xff
}

// reads are the flags that s reads.
func reads(s *step) isa.Flags {
	read, _, _ := s.Flags()
	return read
}
