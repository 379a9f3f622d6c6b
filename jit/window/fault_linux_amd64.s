#include "textflag.h"
#include "go_asm.h"

// Offsets in what the system gives a handler (AMD64 ABI, "struct sigcontext").
#define infoAddress 16
#define frameRIP 168

// onFault is the handler of SIGSEGV and SIGBUS: DI is the signal, SI its siginfo,
// DX the interrupted state. Where a range of generated code was interrupted, its
// record is told where, and the code goes on where the record says. All else is
// the business of who had the signal before. No Go runs here, and nothing is
// changed that the latter would look at.
TEXT onFault<>(SB), NOSPLIT|NOFRAME, $0
	MOVQ frameRIP(DX), R8
	LEAQ ·ranges(SB), R9
	MOVQ $const_maxRanges, CX

next:
	CMPQ R8, code_low(R9)
	JB   other
	CMPQ R8, code_high(R9)
	JAE  other
	MOVQ code_record(R9), R10
	MOVQ infoAddress(SI), AX
	MOVQ AX, Record_Address(R10)
	MOVQ R8, Record_RIP(R10)
	MOVQ Record_Goto(R10), AX
	MOVQ AX, frameRIP(DX)
	RET

other:
	ADDQ $code__size, R9
	SUBQ $1, CX
	JNZ  next
	LEAQ ·previous(SB), R9
	CMPQ DI, $7                 // SIGBUS
	JNE  chain
	ADDQ $action__size, R9

chain:
	MOVQ action_handler(R9), AX
	JMP  AX

// onReturn ends a handler (RT_SIGRETURN).
TEXT onReturn<>(SB), NOSPLIT|NOFRAME, $0
	MOVL $15, AX
	SYSCALL
	INT  $3

// func handler() (entry, restorer uintptr)
TEXT ·handler(SB), NOSPLIT, $0-16
	LEAQ onFault<>(SB), AX
	MOVQ AX, entry+0(FP)
	LEAQ onReturn<>(SB), AX
	MOVQ AX, restorer+8(FP)
	RET
