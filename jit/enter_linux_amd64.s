#include "textflag.h"

// func enter(c unsafe.Pointer, code uintptr)
//
// Generated code changes every register but RSP; the frame makes the assembler
// keep RBP, and Go restores what else it relies on behind an ABI0 call.
TEXT ·enter(SB), NOSPLIT, $16-16
	MOVQ c+0(FP), R14
	MOVQ code+8(FP), AX
	CALL AX
	RET
