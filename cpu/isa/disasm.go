package isa

import "golang.org/x/arch/x86/x86asm"

// Disasm is the instruction that begins code as text, in Intel's syntax, or
// "(bad)". Branch targets are relative to pc, the address of code.
func Disasm(code []byte, m Mode, pc uint32) string {
	in, err := Decode(code, m)
	if err != nil {
		return "(bad)"
	}
	text, err := x86asm.Decode(code[:in.Len], int(m))
	if err != nil || text.Op == 0 || text.Len != int(in.Len) {
		return in.String()
	}
	if _, relative := text.Args[0].(x86asm.Rel); relative {
		// x86asm neither wraps targets nor has a pc of zero.
		text.Args[0] = x86asm.Imm(in.target(pc))
	}
	return x86asm.IntelSyntax(text, uint64(pc), nil)
}

// target is where a relative branch at pc leads.
func (in *Inst) target(pc uint32) uint32 {
	to := pc + uint32(in.Len) + in.Imm
	if in.OpSize == 2 {
		to &= 0xffff
	}
	return to
}

// Refers is the address that the instruction that begins code names: where a
// near branch leads from pc, or that of a memory operand without registers.
func Refers(code []byte, m Mode, pc uint32) (at uint32, ok bool) {
	in, err := Decode(code, m)
	if err != nil {
		return 0, false
	}
	for _, a := range in.Args {
		switch {
		case a == Rel:
			return in.target(pc), true
		case a.Kind() == Mem && in.Base == NoReg && in.Index == NoReg:
			return in.Disp, true
		}
	}
	return 0, false
}
