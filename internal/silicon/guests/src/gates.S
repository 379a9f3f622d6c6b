# Transfers of control (Intel SDM Vol. 2, "JMP", "CALL", "RET", "INT n/INTO/INT3/
# INT1", "IRET", "BOUND"; Vol. 3A, "Protection" and "Interrupt and Exception
# Handling").

	.include "common.inc"
	.include "rounds.inc"

	.set	X2, 0x88
	.set	SOFT, 0x30		# a vector of no exception
	.set	LOW, 0xe000		# code that a 16-bit offset reaches
	.set	FRAME, DATA+0x800	# a stack that stays as it was

	.set	BEYOND, 0x20000		# beyond the limits of code; going there does no harm

	.text	1
gate_dpl: .long	0
inner:	.long	0			# the level a gate leads to
stacks:	.long	DATA0, DATA1, DATA2, DATA3
s_cs:	.asciz	" cs"
s_ss:	.asciz	" ss"
s_ds:	.asciz	" ds"
s_if:	.asciz	" if"
	.text	0

main:
	movl	$0xcccccccc, BEYOND
	call	jumps
	call	returns
	call	return_stacks
	call	through_gates
	call	through_interrupts
	call	inner_stacks
	call	far
	call	call_gates
	call	interrupts
	call	software
	call	back
	jmp	finish

# The descriptor X of this round: 4 GiB from 0, or as much as the segment
# expands down from: nothing.
round:
	movl	$0xffff, GDT + X
	movl	$0x00cf0000, %eax
	jmp	derive

# SEE checks a value that was recorded, in a round.
	.macro	SEE what:req, got:req, want:req
	movl	\want, %edx
	movl	\got, %eax
	movl	$\what, %esi
	call	compare
	.endm

# expect_code expects what a direct jump or call to X must do: code of the same
# level, named with an RPL no greater; or conforming code of no less privilege.
expect_code:
	cmpl	$0x18, kind
	jb	3f
	movl	dpl, %eax
	testb	$4, kind
	jnz	1f
	cmpl	level, %eax
	jne	3f
	movl	rpl, %eax
1:	cmpl	level, %eax
	ja	3f
expect_present:
	movl	$NP, want_vec
	testb	$0x80, access
	jz	3f
	movl	$BP, want_vec
	movl	$0, want_err
3:	ret

# expect_target expects what a gate to X must do, and finds the level it leads
# to; the RPL of the gate's selector says nothing.
expect_target:
	movl	level, %eax
	movl	%eax, inner
	cmpl	$0x18, kind
	jb	1f
	movl	dpl, %eax
	cmpl	level, %eax
	ja	1f
	testb	$4, kind
	jnz	expect_present
	movl	%eax, inner
	jmp	expect_present
1:	ret

# TRANSFERS tries a far jump or call of every kind of descriptor. Gates and TSSs
# that let it pass have checks of their own.
	.macro	TRANSFERS text:req, instruction:req
	ROUNDS	"\text"
1:	TRY
	call	round
	testb	$0x10, access
	jnz	3f
	movl	$0x00001232, %eax	# call and task gates, available TSSs
	movl	kind, %ecx
	btl	%ecx, %eax
	jnc	5f
	movl	dpl, %eax
	cmpl	level, %eax
	jb	5f
	cmpl	rpl, %eax
	jb	5f
	movl	$NP, want_vec
	testb	$0x80, access
	jnz	8f
	jmp	5f
3:	call	expect_code
5:	movl	$2f, DATA
	movl	$X, %eax
	orl	rpl, %eax
	movl	%eax, DATA + 4
	call	to_level
	\instruction *DATA
2:	int3
9:	call	check_round
	cmpl	$BP, want_vec
	jne	8f
	movl	$X, %ebx
	orl	level, %ebx
	SEE	s_cs, r_cs, %ebx
8:	call	next
	testl	$0x100, access
	jz	1b
	.endm

jumps:
	SAVE_RETURN
	TRANSFERS "far jump", ljmp
	TRANSFERS "far call", lcall
	RETURN

# BACK tries a return to every kind of descriptor. To less privilege the frame
# has a stack, and data segments that would be of too much become null.
	.macro	BACK text:req, flags, instruction:req
	ROUNDS	"\text"
1:	TRY
	call	round
	cmpl	$0x18, kind
	jb	3f
	movl	rpl, %eax
	cmpl	level, %eax
	jb	3f
	testb	$4, kind
	jnz	4f
	cmpl	dpl, %eax
	jne	3f
4:	cmpl	dpl, %eax
	jb	3f
	call	expect_present
3:	call	to_level
	movl	rpl, %eax
	pushl	stacks(, %eax, 4)
	pushl	$USTACK
	\flags
	pushl	%ebx
	pushl	$2f
	\instruction
2:	int3
9:	call	check_round
	cmpl	$BP, want_vec
	jne	8f
	movl	$X, %ebx
	orl	rpl, %ebx
	SEE	s_cs, r_cs, %ebx
	movl	rpl, %ebx
	movl	stacks(, %ebx, 4), %ecx
	SEE	s_ss, r_ss, %ecx
	xorl	%ecx, %ecx
	cmpl	level, %ebx
	jne	7f
	movl	stacks(, %ebx, 4), %ecx
7:	SEE	s_ds, r_ds, %ecx
8:	call	next
	testl	$0x100, access
	jz	1b
	.endm

returns:
	SAVE_RETURN
	BACK	"far return", , lret
	BACK	"interrupt return", "pushl $2", iretl
	RETURN

# The stack segment of a return from level 0: writable data whose DPL and RPL
# are the new level.
	.macro	BACK_STACK text:req, flags, instruction:req
	ROUNDS	"\text"
1:	TRY
	call	round
	cmpl	$0, level
	je	8f
	movl	rpl, %eax
	cmpl	level, %eax
	jne	3f
	cmpl	dpl, %eax
	jne	3f
	movl	$0x00cc0000, %eax
	movl	kind, %ecx
	btl	%ecx, %eax
	jnc	3f
	movl	$SS, want_vec
	testb	$0x80, access
	jz	3f
	movl	$BP, want_vec
	movl	$0, want_err
3:	movl	$X, %eax
	orl	rpl, %eax
	pushl	%eax
	pushl	$USTACK
	\flags
	movl	level, %eax
	pushl	codes(, %eax, 4)
	pushl	$2f
	\instruction
2:	int3
9:	call	check_round
	cmpl	$BP, want_vec
	jne	8f
	movl	$X, %ebx
	orl	level, %ebx
	SEE	s_ss, r_ss, %ebx
8:	call	next
	testl	$0x100, access
	jz	1b
	.endm

	.text	1
codes:	.long	CODE0, CODE1, CODE2, CODE3
	.text	0

return_stacks:
	SAVE_RETURN
	BACK_STACK "stack of a far return", , lret
	BACK_STACK "stack of an interrupt return", "pushl $2", iretl
	RETURN

# Call gates: the gate's DPL is for CPL and RPL; the code segment's, for CPL.
# A jump gains no privilege. EAX is the access byte of the gate.
	.macro	GATED text:req, jump:req, instruction:req
	T	"\text"
	movl	$0, gate_dpl
6:	movl	$0, access
	movl	$0, level
	movl	$0, rpl
1:	TRY
	call	round
	movl	gate_dpl, %eax
	shll	$24, %eax
	orl	%eax, param
	movl	gate_dpl, %ebx
	shll	$5, %ebx
	orl	$0x8c, %ebx
	GATE	GDT+X2, X+3, 2f, 0
	movb	%bl, GDT + X2 + 5
	movl	gate_dpl, %eax
	cmpl	level, %eax
	jb	4f
	cmpl	rpl, %eax
	jb	4f
	call	expect_target
	.if	\jump
	movl	inner, %eax
	cmpl	level, %eax
	je	3f
	movl	$GP, want_vec
	movl	$X, want_err
	.endif
	jmp	3f
4:	movl	$X2, want_err
3:	movl	$-1, DATA		# the offset counts for nothing
	movl	$X2, %eax
	orl	rpl, %eax
	movl	%eax, DATA + 4
	call	to_level
	\instruction *DATA
2:	int3
9:	call	check_round
	cmpl	$BP, want_vec
	jne	8f
	movl	$X, %ebx
	movl	inner, %ecx
	orl	%ecx, %ebx
	SEE	s_cs, r_cs, %ebx
	movl	stacks(, %ecx, 4), %ecx
	SEE	s_ss, r_ss, %ecx
8:	call	next
	testl	$0x100, access
	jz	1b
	incl	gate_dpl
	cmpl	$4, gate_dpl
	jne	6b
	.endm

through_gates:
	SAVE_RETURN
	GATED	"jump through a call gate", 1, ljmp
	GATED	"call through a call gate", 0, lcall
	RETURN

# Interrupt and trap gates. Here the RPL of a round is the DPL of the gate, which
# counts for INT n only. What goes wrong for an exception has the EXT bit.
	.macro	INTERRUPTS text:req, vector:req, type:req, soft:req, instruction:vararg
	ROUNDS	"\text"
1:	TRY
	call	round
	movl	rpl, %ebx
	shll	$5, %ebx
	orl	$0x80|\type, %ebx
	GATE	IDT+8*(\vector), X+3, 2f, 0
	movb	%bl, IDT + 8 * (\vector) + 5
	.if	\soft
	movl	rpl, %eax
	cmpl	level, %eax
	jb	4f
	.endif
	call	expect_target
	.if	!\soft
	cmpl	$BP, want_vec
	je	3f
	orl	$1, want_err
	.endif
	jmp	3f
4:	movl	$(\vector)*8+2, want_err
3:	call	to_level
	\instruction
	jmp	7f
2:	pushfl
	popl	%edx
7:	int3
9:	call	check_round
	cmpl	$BP, want_vec
	jne	8f
	movl	$X, %ebx
	movl	inner, %ecx
	orl	%ecx, %ebx
	SEE	s_cs, r_cs, %ebx
	movl	stacks(, %ecx, 4), %ecx
	SEE	s_ss, r_ss, %ecx
8:	call	next
	testl	$0x100, access
	jz	1b
	UNVECTOR \vector
	.endm

	.text	1
bounds:	.long	1, 0			# nothing is within
	.text	0

through_interrupts:
	SAVE_RETURN
	INTERRUPTS "int n through an interrupt gate", SOFT, 0xe, 1, int $SOFT
	INTERRUPTS "int n through a trap gate", SOFT, 0xf, 1, int $SOFT
	INTERRUPTS "exception through an interrupt gate", BR, 0xe, 0, bound %ebx, bounds
	INTERRUPTS "exception through a trap gate", BR, 0xf, 0, bound %ebx, bounds
	RETURN

# The stack segment in the TSS. Here the level of a round is the inner one, 1 or
# 2; the calls come from level 3.
	.macro	INNER text:req, ext:req, instruction:vararg
	ROUNDS	"\text"
1:	TRY
	call	round
	movl	level, %ecx
	cmpl	$1, %ecx
	je	3f
	cmpl	$2, %ecx
	jne	8f
3:	movl	$X, %eax
	orl	rpl, %eax
	movl	%eax, TSS+8(, %ecx, 8)
	movl	$TS, want_vec
	movl	$X|\ext, want_err
	movl	rpl, %eax
	cmpl	%eax, %ecx
	jne	4f
	cmpl	dpl, %eax
	jne	4f
	movl	$0x00cc0000, %eax
	movl	kind, %edx
	btl	%edx, %eax
	jnc	4f
	movl	$SS, want_vec
	testb	$0x80, access
	jz	4f
	testb	$4, access		# it expands down: no room
	jnz	4f
	movl	$BP, want_vec
	movl	$0, want_err
4:	movl	codes(, %ecx, 4), %ebx
	GATE	GDT+X2, 0, 2f, 0xec
	movw	%bx, GDT + X2 + 2
	GATE	IDT+8*BR, 0, 2f, 0x8e
	movw	%bx, IDT + 8 * BR + 2
	RING	3
	\instruction
2:	int3
9:	movl	$DATA1, TSS + 16
	movl	$DATA2, TSS + 24
	call	check_round
	cmpl	$BP, want_vec
	jne	8f
	movl	$X, %ebx
	orl	level, %ebx
	SEE	s_ss, r_ss, %ebx
8:	call	next
	testl	$0x100, access
	jz	1b
	UNVECTOR BR
	.endm

inner_stacks:
	SAVE_RETURN
	INNER	"inner stack of a call", 0, lcall $X2, $0
	INNER	"inner stack of an exception", 1, bound %ebx, bounds
	RETURN

far:
	SAVE_RETURN
	.irp	instruction, ljmp, lcall
	T	"\instruction to a null selector"
	I	\instruction $3, $1f
1:	E	GP
	T	"\instruction beyond the gdt"
	I	\instruction $0x201, $1f
1:	E	GP, 0x200
	T	"\instruction beyond the limit"
	DESC	X, 0, 0xffff, A_CODE, 4
	I	\instruction $X, $BEYOND
	E	GP
	EQ	"esp", r_esp, $STACK
	EQ	"cs", r_cs, $CODE0
	T	"\instruction at the limit"
	movb	$0xcc, 0xffff
	I	\instruction $X, $0xffff
	E	BP, 0, 0x10000
	T	"\instruction to code that is not present, beyond its limit"
	DESC	X, 0, 0xffff, 0x1b, 4
	I	\instruction $X, $BEYOND
	E	NP, X
	T	"\instruction of 16 bits"
	I	\instruction\()w $CODE16, $1f-begin_image
	.code16
1:	OK16
	EQ	"cs", r_cs, $CODE16
	T	"\instruction marks its target accessed"
	DESC	X, 0, 0xfffff, 0x9a, 0xc
	I	\instruction $X, $1f
1:	OK
	BITS	"access", GDT+X+4, 0xff00, 0x9b00
	.endr
	T	"far call pushes cs and eip"
	movl	$FRAME, %esp
	lcall	$CODE0, $1f
1:	OK
	EQ	"esp", r_esp, $FRAME-8
	EQ	"eip", FRAME-8, $1b
	BITS	"cs", FRAME-4, 0xffff, CODE0
	T	"far call of 16 bits pushes words"
	movl	$FRAME, %esp
	lcallw	$CODE16, $1f-begin_image
	.code16
1:	OK16
	EQ	"esp", r_esp, $FRAME-4
	EQ	"frame", FRAME-4, $(CODE0<<16)+(1b-begin_image)
	T	"far return that releases parameters"
	pushl	$0x11111111
	pushl	$0x22222222
	pushl	$CODE0
	pushl	$1f
	lret	$8
1:	OK
	EQ	"esp", r_esp, $STACK
	T	"far return of 16 bits"
	pushw	$CODE16
	pushw	$1f-begin_image
	lretw
	.code16
1:	OK16
	EQ	"esp", r_esp, $STACK
	T	"far return to a null selector"
	pushl	$1
	pushl	$1f
	I	lret
1:	E	GP
	EQ	"esp", r_esp, $STACK-8
	T	"far return beyond the limit"
	DESC	X, 0, 0xffff, A_CODE, 4
	pushl	$X
	pushl	$BEYOND
	I	lret
	E	GP
	EQ	"esp", r_esp, $STACK-8
	T	"far return to a null stack"
	pushl	$3
	pushl	$USTACK
	pushl	$CODE3
	pushl	$1f
	I	lret
1:	E	GP
	EQ	"esp", r_esp, $STACK-16
	T	"far return to a stack beyond the gdt"
	pushl	$0x203
	pushl	$USTACK
	pushl	$CODE3
	pushl	$1f
	I	lret
1:	E	GP, 0x200
	T	"far return: the stack is checked before the limit of code"
	DESC	X, 0, 0xffff, A_CODE|DPL3, 4
	pushl	$0x203
	pushl	$USTACK
	pushl	$X|3
	pushl	$BEYOND
	I	lret
	E	GP, 0x200
	T	"far return to level 3 beyond the limit"
	DESC	X, 0, 0xffff, A_CODE|DPL3, 4
	pushl	$DATA3
	pushl	$USTACK
	pushl	$X|3
	pushl	$BEYOND
	I	lret
	E	GP
	EQ	"ss", r_ss, $DATA0
	T	"far return to level 3 releases parameters of both stacks"
	pushl	$DATA3
	pushl	$USTACK-16
	pushl	$0x11111111
	pushl	$CODE3
	pushl	$1f
	lret	$4
1:	OK
	EQ	"esp", r_esp, $USTACK-12
	EQ	"ss", r_ss, $DATA3
	T	"segments of a return to level 3"
	DESC	X, 0, 0xfffff, 0x9f, 0xc	# conforming code of level 0 may stay
	movl	$DATA0, %eax
	movl	%eax, %ds
	movl	$DATA3, %eax
	movl	%eax, %es
	movl	$X, %eax
	movl	%eax, %fs
	movl	$CODE0, %eax
	movl	%eax, %gs
	pushl	$DATA3
	pushl	$USTACK
	pushl	$CODE3
	pushl	$1f
	lret
1:	OK
	EQ	"ds", r_ds, $0
	EQ	"es", r_es, $DATA3
	EQ	"fs", r_fs, $X
	EQ	"gs", r_gs, $0
	T	"an unusable segment after a return"
	pushl	$DATA3
	pushl	$USTACK
	pushl	$CODE3
	pushl	$1f
	lret
1:	I	movl DATA, %eax
	E	GP
	T	"far call without room"
	DESC	X, DATA, 0xffff, A_DATA|DPL3, 4
	RING	3
	movl	$X|3, %eax
	movl	%eax, %ss
	movl	$4, %esp
	I	lcall $CODE3, $1f
1:	E	SS
	EQ	"esp", r_esp, $4
	EQ	"cs", r_cs, $CODE3
	T	"far call: the stack is checked before the limit of code"
	DESC	X2, 0, 0xffff, A_CODE|DPL3, 4
	RING	3
	movl	$X|3, %eax
	movl	%eax, %ss
	movl	$4, %esp
	I	lcall $X2|3, $BEYOND
	E	SS
	T	"far return across the limit of the stack"
	RING	3
	movl	$X|3, %eax
	movl	%eax, %ss
	movl	$0xfffc, %esp
	I	lret
	E	SS
	EQ	"esp", r_esp, $0xfffc
	T	"far return to level 3 across the limit of the stack"
	DESC	X, 0, STACK1-1, A_DATA|0x20, 4
	RING	1
	pushl	$CODE3
	pushl	$1f
	movl	$X|1, %eax
	movl	%eax, %ss
	I	lret
1:	E	SS
	RETURN

# PARAMETERS puts numbers on the stack, the last at its top.
	.macro	PARAMETERS count:req
	movl	$\count, %ecx
3:	pushl	%ecx
	loop	3b
	.endm

call_gates:
	SAVE_RETURN
	.irp	count, 0, 1, 31
	T	"call gate with \count parameters"
	GATE	GDT+X2, CODE0, 1f, 0xec, \count
	RING	3
	PARAMETERS 32
	lcall	$X2|3, $0
2:	int3
1:	OK
	EQ	"esp", r_esp, $STACK0-16-4*\count
	EQ	"eip", STACK0-16-4*\count, $2b
	BITS	"cs", STACK0-12-4*\count, 0xffff, CODE3
	EQ	"old esp", STACK0-8, $USTACK-128
	BITS	"old ss", STACK0-4, 0xffff, DATA3
	.if	\count
	EQ	"first", STACK0-8-4*\count, $1
	EQ	"last", STACK0-12, $\count
	.endif
	.endr
	T	"call gate ignores the upper bits of its count"
	GATE	GDT+X2, CODE0, 1f, 0xec, 0xe1
	RING	3
	pushl	$77
	lcall	$X2|3, $0
1:	OK
	EQ	"esp", r_esp, $STACK0-20
	EQ	"parameter", STACK0-12, $77
	T	"call gate of 16 bits"
	movb	$0xcc, LOW
	GATE	GDT+X2, CODE0, 0xffff0000|LOW, 0xe4, 2
	RING	3
	pushl	$0x33333333
	pushl	$0x22221111
	lcall	$X2|3, $0
2:	int3
9:	call	verify
	.long	BP, 0, LOW+1
	EQ	"esp", r_esp, $STACK0-12
	EQ	"return", STACK0-12, $(CODE3<<16)+(2b-begin_image)
	EQ	"parameters", STACK0-8, $0x22221111
	EQ	"old stack", STACK0-4, $(DATA3<<16)+((USTACK-8)&0xffff)
	T	"call gate to the same level copies nothing"
	GATE	GDT+X2, CODE0, 1f, 0x8c, 3
	movl	$FRAME, %esp
	lcall	$X2, $0
2:	int3
1:	OK
	EQ	"esp", r_esp, $FRAME-8
	EQ	"eip", FRAME-8, $2b
	T	"call gate to conforming code"
	DESC	X, 0, 0xfffff, 0x9f, 0xc
	GATE	GDT+X2, X, 1f, 0xec, 3
	RING	3
	lcall	$X2|3, $0
1:	OK
	EQ	"cs", r_cs, $X|3
	EQ	"esp", r_esp, $USTACK-8
	T	"call and return through a gate"
	GATE	GDT+X2, CODE0, 1f, 0xec, 2
	RING	3
	pushl	$2
	pushl	$1
	lcall	$X2|3, $0
	jmp	2f
1:	lret	$8
2:	OK
	EQ	"esp", r_esp, $USTACK
	EQ	"cs", r_cs, $CODE3
	T	"call gate to a null selector"
	GATE	GDT+X2, 3, 1f, 0x8c
	I	lcall $X2, $0
1:	E	GP
	T	"jump through a gate to a null selector"
	I	ljmp $X2, $0
	E	GP
	T	"call gate beyond the gdt"
	GATE	GDT+X2, 0x203, 1f, 0x8c
	I	lcall $X2, $0
1:	E	GP, 0x200
	T	"call gate beyond the limit of code"
	DESC	X, 0, 0xffff, A_CODE, 4
	GATE	GDT+X2, X, BEYOND, 0x8c
	I	lcall $X2, $0
	E	GP
	T	"jump through a gate beyond the limit of code"
	I	ljmp $X2, $0
	E	GP
	T	"call gate to level 0 beyond the limit of code"
	GATE	GDT+X2, X, BEYOND, 0xec
	RING	3
	I	lcall $X2|3, $0
	E	GP
	EQ	"ss", r_ss, $DATA3
	T	"call gate that is not present, of too little privilege"
	GATE	GDT+X2, CODE0, 1f, 0x0c
	RING	3
	I	lcall $X2|3, $0
1:	E	GP, X2
	T	"call gate that is not present, to nothing"
	GATE	GDT+X2, 0x200, 1f, 0x0c
	I	lcall $X2, $0
1:	E	NP, X2
	# The inner stack.
	.macro	INNER_STACK text:req, selector:req, want:req, code:req
	T	"\text"
	movl	$\selector, TSS + 16
	GATE	GDT+X2, CODE1, 1f, 0xec
	RING	3
	I	lcall $X2|3, $0
1:	E	\want, \code
	EQ	"esp", r_esp, $USTACK
	movl	$DATA1, TSS + 16
	.endm
	INNER_STACK "inner stack is null", 1, TS, 0
	INNER_STACK "inner stack beyond the gdt", 0x201, TS, 0x200
	T	"inner stack without room"
	DESC	X, 0, STACK1-1, A_DATA|0x20, 4
	movl	$X|1, TSS + 16
	movl	$STACK1 + 4, TSS + 12
	GATE	GDT+X2, CODE1, 1f, 0xec
	RING	3
	I	lcall $X2|3, $0
1:	E	SS, X
	EQ	"esp", r_esp, $USTACK
	T	"inner stack without room for the parameters"
	DESC	X, STACK1, 0xff, A_DATA|0x20, 4
	movl	$16, TSS + 12
	GATE	GDT+X2, CODE1, 1f, 0xec, 1
	RING	3
	I	lcall $X2|3, $0
1:	E	SS, X
	T	"inner stack with just enough room"
	GATE	GDT+X2, CODE1, 1f, 0xec, 0
	RING	3
	I	lcall $X2|3, $0
1:	OK
	EQ	"esp", r_esp, $0
	T	"the inner stack is checked before the limit of code"
	GATE	GDT+X2, X2+8, BEYOND, 0xec, 1
	DESC	X2+8, 0, 0xffff, A_CODE|0x20, 4
	RING	3
	I	lcall $X2|3, $0
	E	SS, X
	movl	$DATA1, TSS + 16
	movl	$STACK1, TSS + 12
	T	"parameters beyond the limit of the outer stack"
	DESC	X, 0, USTACK-1, A_DATA|DPL3, 4
	GATE	GDT+X2, CODE1, 1f, 0xec, 1
	RING	3
	movl	$X|3, %eax
	movl	%eax, %ss
	I	lcall $X2|3, $0
1:	E	SS
	# Inner stacks of TSSs that are short, or of 16 bits.
	T	"tss too short for the inner stack"
	DESC	X, TSS, 0x18, A_TSS32	# one byte before the end of SS2
	movl	$X, %eax
	ltr	%ax
	GATE	GDT+X2, CODE2, 1f, 0xec
	RING	3
	I	lcall $X2|3, $0
1:	E	TS, X
	T	"tss just long enough for the inner stack"
	DESC	X, TSS, 0x17, A_TSS32
	movl	$X, %eax
	ltr	%ax
	GATE	GDT+X2, CODE1, 1f, 0xec
	RING	3
	lcall	$X2|3, $0
1:	OK
	T	"inner stack of a 16-bit tss"
	DESC	X, TSS2, 0x2b, A_TSS16
	movl	$DATA0 << 16 | 0xfe00, TSS2 + 2
	movl	$DATA1 << 16 | 0xff00, TSS2 + 6
	movl	$X, %eax
	ltr	%ax
	GATE	GDT+X2, CODE1, 1f, 0xec
	RING	3
	lcall	$X2|3, $0
1:	OK
	EQ	"ss", r_ss, $DATA1
	EQ	"esp", r_esp, $0xff00-16
	movb	$0x89, GDT + MAINTSS + 5
	movl	$MAINTSS, %eax
	ltr	%ax
	RETURN

# HANDLER makes a gate for SOFT, with its access byte.
	.macro	HANDLER selector:req, offset:req, access:req
	GATE	IDT+8*SOFT, \selector, \offset, \access
	.endm

interrupts:
	SAVE_RETURN
	T	"frame of an interrupt at the same level"
	HANDLER	CODE0, 1f, 0x8e
	movl	$FRAME, %esp
	pushl	$F_IF|F_CF|2
	popfl
	int	$SOFT
2:	int3
1:	OK
	EQ	"esp", r_esp, $FRAME-12
	EQ	"eip", FRAME-12, $2b
	BITS	"cs", FRAME-8, 0xffff, CODE0
	EQ	"eflags", FRAME-4, $F_IF|F_CF|2
	BITS	"if", r_eflags, F_IF, 0
	T	"frame of an interrupt at level 3"
	HANDLER	CODE0, 1f, 0xee
	RING	3, F_IOPL3|F_IF|F_NT|F_AC|2
	int	$SOFT
2:	int3
1:	int3
9:	EQ	"vector", r_vec, $BP
	EQ	"esp", r_esp, $STACK0-20
	EQ	"eip", STACK0-20, $2b
	BITS	"cs", STACK0-16, 0xffff, CODE3
	EQ	"eflags", STACK0-12, $F_IOPL3|F_IF|F_NT|F_AC|2
	EQ	"old esp", STACK0-8, $USTACK
	BITS	"old ss", STACK0-4, 0xffff, DATA3
	BITS	"flags of the handler", r_eflags, F_IF|F_NT|F_TF|F_AC|F_IOPL3, F_IOPL3|F_AC
	T	"trap gate leaves if"
	HANDLER	CODE0, 1f, 0x8f
	pushl	$F_IF|2
	popfl
	int	$SOFT
1:	OK
	BITS	"if", r_eflags, F_IF, F_IF
	T	"interrupt gate of 16 bits"
	movb	$0xcc, LOW
	HANDLER	CODE0, 0xffff0000|LOW, 0xe6
	RING	3
	int	$SOFT
2:	int3
9:	call	verify
	.long	BP, 0, LOW+1
	EQ	"esp", r_esp, $STACK0-10
	EQ	"return", STACK0-10, $(CODE3<<16)+(2b-begin_image)
	BITS	"eflags", STACK0-6, 0xffff, 2
	EQ	"old stack", STACK0-4, $(DATA3<<16)+(USTACK&0xffff)
	T	"trap gate of 16 bits with an error code"
	GATE	IDT+8*GP, CODE0, LOW, 0xe7
	movl	$0x200, %eax
	movl	$FRAME, %esp
2:	movw	%ax, %ds
	int3
9:	UNVECTOR GP
	EQ	"vector", r_vec, $BP
	EQ	"esp", r_esp, $FRAME-8
	EQ	"code and ip", FRAME-8, $((2b-begin_image)<<16)+0x200
	T	"interrupt beyond the idt"
	lidt	cut_idt
	I	int $SOFT
	E	GP, SOFT*8+2
	lidt	idt_pointer
	.irp	type, 0, 1, 2, 3, 4, 8, 9, 0xa, 0xb, 0xc, 0xd, 0x10, 0x1b, 0x16, 0x1f
	T	"interrupt through a gate of type \type"
	HANDLER	CODE0, 1f, 0xe0|\type
	I	int $SOFT
1:	E	GP, SOFT*8+2
	.endr
	T	"interrupt gate that is not present"
	HANDLER	CODE0, 1f, 0x6e
	RING	3
	I	int $SOFT
1:	E	NP, SOFT*8+2
	T	"interrupt gate that is not present, of too little privilege"
	HANDLER	CODE0, 1f, 0x0e
	RING	3
	I	int $SOFT
1:	E	GP, SOFT*8+2
	T	"interrupt gate to a null selector"
	HANDLER	3, 1f, 0xee
	I	int $SOFT
1:	E	GP
	T	"interrupt gate beyond the gdt"
	HANDLER	0x203, 1f, 0xee
	I	int $SOFT
1:	E	GP, 0x200
	T	"interrupt gate to the ldt"
	HANDLER	0x0f, 1f, 0xee
	I	int $SOFT
1:	E	GP, 0x0c
	T	"interrupt gate beyond the limit of code"
	DESC	X, 0, 0xffff, A_CODE, 4
	HANDLER	X, BEYOND, 0xee
	I	int $SOFT
	E	GP
	EQ	"esp", r_esp, $STACK
	T	"interrupt gate to level 0 beyond the limit of code"
	RING	3
	I	int $SOFT
	E	GP
	EQ	"esp", r_esp, $USTACK
	.macro	EXCEPTION text:req, want:req, code:req
	T	"\text"
	I	ud2
1:	UNVECTOR UD
	int3
9:	movl	r_vec, %ebx
	movl	r_err, %ecx
	UNVECTOR UD
	EQ	"vector", %ebx, $\want
	EQ	"code", %ecx, $\code
	EQ	"eip", r_eip, $5b
	.endm
	GATE	IDT+8*UD, CODE0, stubs, 0x0e
	EXCEPTION "exception through a gate that is not present", NP, UD*8+3
	GATE	IDT+8*UD, CODE0, stubs, 0x8c
	EXCEPTION "exception through a call gate", GP, UD*8+3
	GATE	IDT+8*UD, 0, stubs, 0x8e
	EXCEPTION "exception to a null selector", GP, 1
	GATE	IDT+8*UD, 0x200, stubs, 0x8e
	EXCEPTION "exception beyond the gdt", GP, 0x201
	GATE	IDT+8*UD, X, BEYOND, 0x8e
	EXCEPTION "exception beyond the limit of code", GP, 1
	T	"inner stack of an interrupt is null"
	movl	$0, TSS + 16
	HANDLER	CODE1, 1f, 0xee
	RING	3
	I	int $SOFT
1:	E	TS
	EQ	"esp", r_esp, $USTACK
	T	"inner stack of an exception is null"
	GATE	IDT+8*UD, CODE1, 1f, 0x8e
	RING	3
	I	ud2
1:	E	TS, 1
	movl	$DATA1, TSS + 16
	T	"inner stack of an interrupt without room"
	DESC	X, STACK1, 0xff, A_DATA|0x20, 4
	movl	$X|1, TSS + 16
	movl	$16, TSS + 12
	HANDLER	CODE1, 1f, 0xee
	RING	3
	I	int $SOFT
1:	E	SS, X
	T	"inner stack of an exception without room"
	RING	3
	I	ud2
1:	E	SS, X+1
	T	"inner stack of an interrupt with just enough room"
	movl	$20, TSS + 12
	HANDLER	CODE1, 1f, 0xee
	RING	3
	int	$SOFT
1:	OK
	EQ	"esp", r_esp, $0
	movl	$DATA1, TSS + 16
	movl	$STACK1, TSS + 12
	UNVECTOR UD
	RETURN

	.text	1
cut_idt: .word	SOFT * 8 + 6
	.long	IDT
word_bounds: .word -3, 5
dword_bounds: .long -3, 5
	.text	0

software:
	SAVE_RETURN
	.irp	vector, 0, 8, 13, 14, 0xff
	T	"int \vector pushes no error code"
	movl	$1, nocode
	I	int $\vector
9:	EQ	"vector", r_vec, $\vector
	EQ	"eip", r_eip, $9b
	EQ	"esp", r_esp, $STACK
	.endr
	.irp	instruction, "int3", "int $3", "into"
	T	"\instruction through a gate of level 0 from level 3"
	movb	$0x8e, IDT + 8 * BP + 5
	movb	$0x8e, IDT + 8 * OF + 5
	RING	3, F_OF|2
	I	\instruction
9:	movb	$0xee, IDT + 8 * BP + 5
	movb	$0xee, IDT + 8 * OF + 5
	EQ	"vector", r_vec, $GP
	EQ	"eip", r_eip, $5b
	.ifc	"\instruction", "into"
	EQ	"code", r_err, $OF*8+2
	.else
	EQ	"code", r_err, $BP*8+2
	.endif
	.endr
	.irp	instruction, "int3", "into"
	T	"\instruction through a gate that is not present"
	movb	$0x6e, IDT + 8 * BP + 5
	movb	$0x6e, IDT + 8 * OF + 5
	RING	3, F_OF|2
	I	\instruction
9:	movb	$0xee, IDT + 8 * BP + 5
	movb	$0xee, IDT + 8 * OF + 5
	EQ	"vector", r_vec, $NP
	EQ	"eip", r_eip, $5b
	.ifc	"\instruction", "into"
	EQ	"code", r_err, $OF*8+2
	.else
	EQ	"code", r_err, $BP*8+2
	.endif
	.endr
	T	"int1 is not stopped by the dpl of its gate"
	movb	$0x8e, IDT + 8 * DB + 5
	RING	3
	.byte	0xf1
1:	E	DB, 0, 1b
	movb	$0xee, IDT + 8 * DB + 5
	T	"int1 through a gate that is not present"
	movb	$0x6e, IDT + 8 * DB + 5
	I	.byte 0xf1
9:	movb	$0xee, IDT + 8 * DB + 5
	EQ	"vector", r_vec, $NP
	EQ	"code", r_err, $DB*8+3
	T	"exceptions are not stopped by the dpl of their gate"
	movb	$0x8e, IDT + 8 * DE + 5
	RING	3
	xorl	%ecx, %ecx
	I	divl %ecx
	E	DE
	movb	$0xee, IDT + 8 * DE + 5
	T	"into without of"
	clc
	into
	OK
	T	"into with of"
	movb	$0x7f, %al
	addb	$1, %al
	into
1:	E	OF, 0, 1b
	T	"int3 of two bytes"
	.byte	0xcd, 3
1:	E	BP, 0, 1b
	.macro	BOUNDS text:req, value:req, want:req, instruction:vararg
	T	"\text"
	movl	$\value, %ebx
	I	\instruction
	.if	\want == BP
	OK
	.else
	E	\want
	.endif
	.endm
	BOUNDS	"bound at the lower limit", -3, BP, bound %ebx, dword_bounds
	BOUNDS	"bound at the upper limit", 5, BP, bound %ebx, dword_bounds
	BOUNDS	"bound below", -4, BR, bound %ebx, dword_bounds
	BOUNDS	"bound above", 6, BR, bound %ebx, dword_bounds
	BOUNDS	"bound of words at the lower limit", 0x1fffd, BP, boundw %bx, word_bounds
	BOUNDS	"bound of words above", 6, BR, boundw %bx, word_bounds
	BOUNDS	"bound of a register", 0, UD, .byte 0x62, 0xc3
	RETURN

# FLAGGED checks which flags IRET loads.
	.macro	FLAGGED text:req, level:req, before:req, image:req, mask:req, want:req, instruction=iretl
	T	"\text"
	.if	\level
	RING	\level, \before
	.else
	pushl	$\before
	popfl
	.endif
	.ifc	\instruction, iretl
	pushl	$\image
	pushl	$CODE\level
	pushl	$2f
	.else
	pushw	$\image
	.if	\level
	pushw	$CODE16U
	.else
	pushw	$CODE16
	.endif
	pushw	$2f-begin_image
	.endif
	\instruction
	.ifc	\instruction, iretl
2:	OK
	.else
	.code16
2:	OK16
	.endif
	BITS	"eflags", r_eflags, \mask, \want
	.endm

back:
	SAVE_RETURN
	FLAGGED	"iret at level 0 loads all flags", 0, 2, 0x243ed7, 0x7ffed7, 0x243ed7
	FLAGGED	"iret at level 0 clears all flags", 0, 0x243cd7, 2, 0x7ffed7, 2
	FLAGGED	"iret at level 1 keeps iopl, and if above it", 1, 2, F_IOPL3|F_IF|F_CF|F_AC|F_ID|2, F_IOPL3|F_IF|F_CF|F_AC|F_ID, F_CF|F_AC|F_ID
	FLAGGED	"iret at level 1 loads if within iopl", 1, 0x1002, F_IOPL3|F_IF|2, F_IOPL3|F_IF, 0x1000|F_IF
	FLAGGED	"iret at level 3 keeps iopl and if", 3, 0x1202, 0x2002, F_IOPL3|F_IF, 0x1200
	FLAGGED	"iret at level 3 with iopl 3 loads if", 3, F_IOPL3|2, F_IF|2, F_IOPL3|F_IF, F_IOPL3|F_IF
	FLAGGED	"iret at level 3 keeps vm, vif and vip", 3, 2, F_VM|F_VIF|F_VIP|2, F_VM|F_VIF|F_VIP, 0
	FLAGGED	"iret of 16 bits keeps the upper flags", 0, F_AC|F_ID|2, F_CF|2, F_AC|F_ID|F_CF, F_AC|F_ID|F_CF, iretw
	FLAGGED	"iret of 16 bits at level 0 loads iopl", 0, 2, F_IOPL3|F_CF|2, F_IOPL3|F_CF, F_IOPL3|F_CF, iretw
	FLAGGED	"iret of 16 bits at level 3 keeps iopl", 3, 2, F_IOPL3|F_CF|F_IF|2, F_IOPL3|F_CF|F_IF, F_CF, iretw
	T	"iret to a null selector"
	pushl	$2
	pushl	$2
	pushl	$1f
	I	iretl
1:	E	GP
	EQ	"esp", r_esp, $STACK-12
	T	"iret beyond the limit keeps the flags"
	DESC	X, 0, 0xffff, A_CODE, 4
	pushl	$F_CF|F_DF|2
	pushl	$X
	pushl	$BEYOND
	clc
	I	iretl
	E	GP
	EQ	"esp", r_esp, $STACK-12
	BITS	"eflags", r_eflags, F_CF|F_DF, 0
	T	"iret to level 3 beyond the limit"
	DESC	X, 0, 0xffff, A_CODE|DPL3, 4
	pushl	$DATA3
	pushl	$USTACK
	pushl	$2
	pushl	$X|3
	pushl	$BEYOND
	I	iretl
	E	GP
	EQ	"cs", r_cs, $CODE0
	T	"iret to level 3 pops the stack"
	pushl	$DATA3
	pushl	$USTACK-40
	pushl	$2
	pushl	$CODE3
	pushl	$2f
	iretl
2:	OK
	EQ	"esp", r_esp, $USTACK-40
	EQ	"ds", r_ds, $0
	T	"iret to the same level pops no stack"
	pushl	$2
	pushl	$CODE0
	pushl	$2f
	iretl
2:	OK
	EQ	"esp", r_esp, $STACK
	T	"iret to a 16-bit stack keeps the upper half of esp"
	pushl	$DATA16U
	pushl	$0x1234f000
	pushl	$2
	pushl	$CODE3
	pushl	$2f
	iretl
2:	OK
	BITS	"sp", r_esp, 0xffff, 0xf000
	T	"iret across the limit of the stack"
	DESC	X, DATA, 0xffff, A_DATA|DPL3, 4
	RING	3
	movl	$X|3, %eax
	movl	%eax, %ss
	movl	$0xfff8, %esp
	I	iretl
	E	SS
	EQ	"esp", r_esp, $0xfff8
	RETURN

	.text	2
end_image:
