package jit

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// planSegmented decides for what a segmented unit does in its own way, and for
// everything that flat units leave out because of its size. ok is false for the
// rest.
func (t *translator) planSegmented(s *step) (h how, ok bool) {
	in := &s.Inst
	switch {
	case in.Op.Attr()&isa.Jumps == 0:
	case in.Args[0] == isa.Rel:
		return t.planRelative(s), true
	default:
		return t.planTransfer(in), true
	}
	k := t.u.key
	switch in.Op {
	case isa.PUSH:
		return howPush, true
	case isa.POP:
		switch {
		case in.Args[0].Kind() == isa.SReg:
			return t.planLoad(in.Args[0]), true
		case in.Args[0] != isa.Mem:
			return howPop, true
		case in.Base != cpu.ESP:
			return howPopMemory, true
		}
		return howStep, true
	case isa.MOVSREG:
		if in.Args[0].Kind() == isa.SReg {
			return t.planLoad(in.Args[0]), true
		}
	case isa.LDS, isa.LES, isa.LFS, isa.LGS, isa.LSS:
		if k.real() {
			return howLoadPointer, true
		}
	case isa.PUSHA:
		return howPushAll, true
	case isa.POPA:
		return howPopAll, true
	case isa.LEAVE:
		return howLeave, true
	case isa.ENTER:
		if in.Imm2&31 == 0 {
			return howEnter, true
		}
	case isa.PUSHF:
		return stepUnless(k.setsIF(), howPushFlags), true
	case isa.POPF:
		return stepUnless(k.setsIF(), howPopFlags), true
	case isa.CLI, isa.STI:
		return stepUnless(k.setsIF(), howSetIF), true
	case isa.LEA:
		return howLea, true
	case isa.XLAT:
		return howTranslate, true
	case isa.BT, isa.BTS, isa.BTR, isa.BTC:
		if in.Args[0] == isa.Mem && in.Args[1] != isa.Imm {
			return howStep, true // with a register it reaches beyond the operand
		}
	}
	return howStep, false
}

// stepUnless is h, or howStep unless ok.
func stepUnless(ok bool, h how) how {
	if ok {
		return h
	}
	return howStep
}

// planLoad decides for MOV and POP to segment register a.
func (t *translator) planLoad(a isa.Arg) how {
	switch {
	case isa.Seg(a.Num()) == isa.CS:
		return howStep
	case t.u.key.real():
		return howRealLoad
	case t.u.key&key(cpu.ModeProtected) != 0 && loadable(a):
		return howLoadSegment
	}
	return howStep
}

// planTransfer decides for jumps, calls and returns.
func (t *translator) planTransfer(in *isa.Inst) how {
	k := t.u.key
	switch in.Op {
	case isa.JMP:
		return howJumpIndirect
	case isa.CALL:
		return howCallIndirect
	case isa.RET:
		return howReturn
	}
	if !k.real() {
		return howStepEnds
	}
	// A far pointer in memory is read in one piece, of two words.
	words := in.Args[0] == isa.Mem && in.OpSize == 2
	direct := in.Args[0] == isa.Far && uint64(in.Imm) <= uint64(k>>limitShift)
	switch {
	case in.Op == isa.JMPF && (direct || words):
		return howJumpFar
	case in.Op == isa.CALLF && (direct || words):
		return howCallFar
	case in.Op == isa.RETF:
		return howReturnFar
	}
	return howStepEnds
}

// planRelative decides for s, a jump or call to a displacement.
func (t *translator) planRelative(s *step) how {
	if !t.u.key.reaches(s.target(), 1) {
		return howStepEnds
	}
	switch op := s.Op; {
	case op == isa.JMP:
		return howJump
	case op == isa.CALL:
		return howCall
	case op >= isa.JO && op <= isa.JNLE:
		return howJcc
	case op == isa.LOOP, op == isa.JCXZ:
		return howLoop
	}
	return howStepEnds
}

// stepSegmented writes the code of step i if a segmented unit does that in its own
// way, and reports whether it does.
func (t *translator) stepSegmented(i int) bool {
	switch t.steps[i].how {
	case howPush:
		t.pushSized(i)
	case howPop:
		t.popSized(i)
	case howPopMemory:
		t.popMemorySized(i)
	case howPushAll:
		t.pushAll(i)
	case howPopAll:
		t.popAll(i)
	case howEnter:
		t.enterSized(i)
	case howLeave:
		t.leaveSized(i)
	case howPushFlags:
		t.pushFlagsSized(i)
	case howPopFlags:
		t.popFlagsSized(i)
	case howLea:
		t.leaSized(i)
	case howTranslate:
		t.translateByte(i)
	case howRealLoad:
		t.realLoad(i)
	case howLoadPointer:
		t.loadPointer(i)
	case howLoadSegment:
		t.loadChecked(i)
	case howRepeat:
		t.repeatWithin(i)
	default:
		return t.transferSegmented(i)
	}
	return true
}

// transferSegmented is stepSegmented for transfers of control.
func (t *translator) transferSegmented(i int) bool {
	switch t.steps[i].how {
	case howLoop:
		t.loopSized(i)
	case howCall:
		t.callSized(i)
	case howCallIndirect:
		t.callIndirectSized(i)
	case howReturn:
		t.returnSized(i)
	case howJumpIndirect:
		t.jumpIndirectSized(i)
	case howJumpFar:
		t.jumpFar(i)
	case howCallFar:
		t.callFar(i)
	case howReturnFar:
		t.returnFar(i)
	default:
		return false
	}
	return true
}
