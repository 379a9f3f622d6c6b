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
	return x86asm.IntelSyntax(text, uint64(pc), nil)
}
