package jit

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// A how is the way an instruction is translated.
type how uint8

const (
	howStep     how = iota // the interpreter executes it
	howStepEnds            // the same, and the unit ends: control goes elsewhere
	howGeneric             // it becomes itself
	howNothing
	howLea
	howDivide
	howDivideNarrow
	howPush
	howPop
	howLeave
	howString
	howRepeat
	howSetIF
	howSetAC
	howPushFlags
	howPopFlags
	howBitInMemory
	howPopMemory
	howLoadSegment
	howStoreSegment
	howJump
	howJcc
	howLoop
	howCall
	howReturn
	howJumpIndirect
	howCallIndirect
	howX87
	howPatched
	// Of segmented units.
	howEnter
	howPushAll
	howPopAll
	howTranslate   // XLAT
	howRealLoad    // of a segment register, outside protected mode
	howLoadPointer // the same, from memory, beside a general register
	howJumpFar     // far transfers outside protected mode
	howCallFar
	howReturnFar
)

// ends reports whether a unit ends behind such a step.
func (h how) ends() bool {
	switch h {
	case howStepEnds, howLoop, howReturn, howJumpIndirect, howJumpFar, howReturnFar:
		return true
	}
	return false
}

// calls reports whether such a step is a call.
func (h how) calls() bool { return h == howCall || h == howCallIndirect || h == howCallFar }

// plan decides how a step is translated.
func (t *translator) plan(s *step) how {
	in := &s.Inst
	a := in.Op.Attr()
	memory := in.Args[0] == isa.Mem || in.Args[1] == isa.Mem || in.Args[2] == isa.Mem
	if memory && !t.reachable(s) {
		if a&isa.Jumps != 0 {
			return howStepEnds
		}
		return howStep
	}
	if t.segmented() {
		if h, ok := t.planSegmented(s); ok {
			return h
		}
	}
	if a&isa.Jumps != 0 {
		return t.planJump(in)
	}
	switch {
	case a&isa.X87 != 0, in.MMX():
		return t.planX87(in)
	case a&isa.SIMD != 0:
		if t.u.key&(keyNoSIMD|key(cpu.ModeNoFPU)) != 0 {
			return howStep
		}
		switch in.Op {
		case isa.LDMXCSR, isa.STMXCSR, isa.MASKMOVDQU:
			return howStep
		case isa.CVTPI2PS:
			return howStep // with memory some processors make it an MMX instruction
		}
		if in.Args[0] == isa.Reg32|cpu.ESP || in.Args[1] == isa.Reg32|cpu.ESP {
			return howStep // ESP is in another register; these are rare
		}
		return howGeneric
	case in.Op == isa.STAC, in.Op == isa.CLAC:
		if t.u.key&keyKernel != 0 {
			return howSetAC
		}
		return howStep
	case a&isa.CPL0 != 0:
		return howStep
	case a&isa.String != 0:
		return t.planString(in)
	}
	kernel := t.u.key&keyKernel != 0
	switch in.Op {
	case isa.ADD, isa.OR, isa.ADC, isa.SBB, isa.AND, isa.SUB, isa.XOR, isa.CMP, isa.TEST, isa.NOT, isa.NEG,
		isa.ROL, isa.ROR, isa.RCL, isa.RCR, isa.SHL, isa.SHR, isa.SAR, isa.SHLD, isa.SHRD, isa.MUL, isa.IMUL,
		isa.INC, isa.DEC, isa.BSF, isa.BSR, isa.MOV, isa.XCHG, isa.XADD, isa.CMPXCHG8B, isa.BSWAP,
		isa.MOVZX, isa.MOVSX, isa.LAHF, isa.SAHF, isa.CBW, isa.CWDE, isa.CWD, isa.CDQ, isa.CLC, isa.STC, isa.CMC,
		isa.MOVNTI, isa.POPCNT, isa.CRC32:
		return howGeneric
	case isa.CMPXCHG:
		if in.Args[0] == isa.Mem && in.Args[1] == isa.Reg8|4 {
			return howStep // AH and AL cannot both be where they belong
		}
		return howGeneric
	case isa.BT, isa.BTS, isa.BTR, isa.BTC:
		switch {
		case in.Args[0] != isa.Mem || in.Args[1] == isa.Imm:
			return howGeneric
		case in.OpSize == 4 && in.Args[1].Num() != cpu.ESP:
			return howBitInMemory
		}
		return howStep
	case isa.LEA:
		if in.AddrSize == 4 {
			return howLea
		}
	case isa.NOP, isa.PAUSE, isa.PREFETCHNTA, isa.PREFETCHT0, isa.PREFETCHT1, isa.PREFETCHT2, isa.LFENCE,
		isa.MFENCE, isa.SFENCE:
		return howNothing
	case isa.CLD:
		if t.u.key&keyDown == 0 {
			return howNothing
		}
	case isa.DIV, isa.IDIV:
		if t.e.exact {
			return howStep // the comparisons before it leave other flags
		}
		switch {
		case in.Args[0].Kind() == isa.Reg32 || in.Args[0] == isa.Mem && in.Width == 4:
			return howDivide
		case in.OpSize == 2 || in.Op == isa.DIV:
			return howDivideNarrow
		}
	case isa.PUSH:
		if in.OpSize == 4 {
			return howPush
		}
	case isa.POP:
		if in.OpSize == 4 && in.Args[0].Kind() == isa.Reg32 {
			return howPop
		}
		if in.OpSize == 4 && loadable(in.Args[0]) {
			return howLoadSegment
		}
		if in.OpSize == 4 && in.Args[0] == isa.Mem && in.Base != cpu.ESP {
			return howPopMemory
		}
	case isa.MOVSREG:
		if loadable(in.Args[0]) {
			return howLoadSegment
		}
		if in.Args[1].Kind() == isa.SReg {
			return howStoreSegment
		}
	case isa.CLI, isa.STI:
		if kernel {
			return howSetIF
		}
	case isa.PUSHF:
		if in.OpSize == 4 {
			return howPushFlags
		}
	case isa.POPF:
		if in.OpSize == 4 && kernel {
			return howPopFlags
		}
	case isa.LEAVE:
		if in.OpSize == 4 {
			return howLeave
		}
	}
	switch {
	case in.Op >= isa.SETO && in.Op <= isa.SETNLE, in.Op >= isa.CMOVO && in.Op <= isa.CMOVNLE:
		return howGeneric
	}
	return howStep
}

func (t *translator) planJump(in *isa.Inst) how {
	if in.OpSize != 4 {
		return howStepEnds
	}
	direct := in.Args[0] == isa.Rel
	switch {
	case in.Op == isa.JMP && direct:
		return howJump
	case in.Op == isa.JMP:
		return howJumpIndirect
	case in.Op == isa.CALL && direct:
		return howCall
	case in.Op == isa.CALL:
		return howCallIndirect
	case in.Op == isa.RET:
		return howReturn
	case in.Op >= isa.JO && in.Op <= isa.JNLE:
		return howJcc
	case (in.Op == isa.LOOP || in.Op == isa.JCXZ) && in.AddrSize == 4:
		return howLoop
	}
	return howStepEnds
}

// reachable reports whether generated code can make the access of s.
func (t *translator) reachable(s *step) bool {
	in := &s.Inst
	if _, writes := in.Memory(); writes && in.Seg == isa.CS && !t.segmented() {
		return false
	}
	return in.Width <= 16
}

// loadable reports whether a is a data segment register but SS.
func loadable(a isa.Arg) bool {
	s := isa.Seg(a.Num())
	return a.Kind() == isa.SReg && (s == isa.DS || s == isa.ES || s == isa.FS || s == isa.GS)
}
