# Code that is written, moved and left in unusual ways, and code that faults in
# the middle (Intel SDM Vol. 3A, "Self-Modifying Code", "Cross-Modifying Code",
# "Invalidation of TLBs and Paging-Structure Caches"). Everything is tried the
# first time and after it ran hundreds of times: who translates code has then
# translated and linked it.

	.include "common.inc"
	.include "code.inc"

main:
	call	identify
	call	map_memory
	call	self_modifying
	call	spilled
	call	remapped
	call	returns
	call	jumps
	call	faults
	call	flags
	call	widths
	call	segments
	call	stepped
	call	levels
	call	interrupts
	call	address_line
	OFF	cr0, CR0_PG
	call	no_execute
	jmp	finish

# The last of a chain of calls would return to a stack that T has emptied.
	.macro	SAVE_RETURN
	popl	return
	.endm
	.macro	RETURN
	jmp	*return
	.endm

identify:
	movl	$1, %eax
	cpuid
	movl	%edx, features
	movl	$0x80000000, %eax
	cpuid
	cmpl	$0x80000001, %eax
	jb	1f
	movl	$0x80000001, %eax
	cpuid
	movl	%edx, extended
1:	HAS	features, SSE, 1f
	movl	%cr4, %eax
	orl	$CR4_OSFXSR, %eax
	movl	%eax, %cr4
1:	ret

# map_memory turns on 32-bit paging: the first 4 MiB as they are, and the window:
# page n of it is page n of DATA. PD2 has a window of its own.
map_memory:
	movl	$PT0, %edi
	movl	$7, %eax
	movl	$1024, %ecx
1:	stosl
	addl	$0x1000, %eax
	loop	1b
	.irp	table, PT1, PT2
	movl	$\table, %edi
	movl	$DATA+7, %eax
	movl	$16, %ecx
1:	stosl
	addl	$0x1000, %eax
	loop	1b
	.endr
	movl	$PT0+7, PD
	movl	$PT1+7, PD+4
	movl	$PT0+7, PD2
	movl	$PT2+7, PD2+4
	movl	$PD, %eax
	movl	%eax, %cr3
	ON	cr0, CR0_PG
	ret

# Self-modifying code.
	.set	IMM, DATA+0x100		# MOV EAX, imm32; RET
	.set	COPIED, DATA+0x200
	.set	FILLED, DATA+0x240
	.set	SECOND, DATA+0x1000	# MOV AL, imm8; RET at the start of a page

self_modifying:
	SAVE_RETURN
	PUT	IMM, constant, constant_end
	movb	$0xc3, FILLED+32
	movb	$0xc3, SECOND+2
	MAP	2, DATA+0x2007
	MAP	3, DATA+0x1007
	HOT	"a write to the next instruction", write_next
	HOT	"a write to one later in the block", write_later
	HOT	"a write to the head of a loop from within", write_head
	HOT	"a write to a loop's operand in every turn", write_operand
	HOT	"a write to another page", write_page
	HOT	"a write through an alias", write_alias
	HOT	"a write to what runs through an alias", run_alias
	HOT	"rep movsb over code", copy_code
	HOT	"rep movsb over what comes next", copy_next
	HOT	"rep stosl over code", fill_code
	HOT	"a call whose target is written", write_call
	HOT	"a conditional jump that is turned round", write_condition
	HOT	"a store that reaches into code", store_across
	HOT	"a store that reaches into code of another frame", store_across_alias
	HOT	"a push over code", push_code
	HOT	"a counter beside the loop that counts", mixed
	HOT	"code and data far apart in a page", mixed_apart
	HAS	features, SSE, 1f
	HOT	"a store of 16 bytes that reaches into code", store_across_16
1:	RETURN

constant:
	movl	$0x11111111, %eax
	ret
constant_end:

write_next:
	movl	round, %ecx
	movb	%cl, 1f+1
1:	movb	$0x77, %al
	movzbl	%al, %eax
	movzbl	%cl, %edx
	ret

write_later:
	movl	round, %ecx
	movl	%ecx, 1f+1
	leal	5(%ecx), %edx
	addl	$3, %ecx
	incl	%ecx
1:	movl	$0x77777777, %eax
	addl	$5, %eax
	ret

write_head:
	xorl	%eax, %eax
	movl	$6, %ecx
	movl	$1, 1f+1
1:	addl	$0x01010101, %eax
	cmpl	$3, %ecx
	jne	2f
	movl	round, %edx
	movl	%edx, 1b+1
2:	decl	%ecx
	jnz	1b
	movl	round, %edx
	leal	4(, %edx, 2), %edx
	ret

write_operand:
	xorl	%eax, %eax
	movl	$10, %ecx
1:	movl	%ecx, 2f+1
2:	addl	$0x01010101, %eax
	loop	1b
	movl	$55, %edx
	ret

write_page:
	movl	round, %edx
	movl	%edx, IMM+1
	call	IMM
	ret

write_alias:
	movl	round, %edx
	movl	%edx, W-DATA+IMM+1
	call	IMM
	ret

run_alias:
	call	IMM
	call	W-DATA+IMM
	movl	round, %edx
	movl	%edx, IMM+1
	call	W-DATA+IMM
	pushl	%eax
	notl	W-DATA+IMM+1
	call	W-DATA+IMM
	notl	%eax
	popl	%ecx
	subl	%edx, %ecx
	addl	%ecx, %eax
	ret

copy_code:
	movl	round, %edx
	andl	$1, %edx
	leal	bodies(, %edx, 8), %esi
	movl	$COPIED, %edi
	movl	$8, %ecx
	rep	movsb
	call	COPIED
	incl	%edx
	ret
bodies:
	movl	$1, %eax
	ret
	nop
	nop
	movb	$2, %al
	movzbl	%al, %eax
	nop
	nop
	ret
	.balign	4

# copy_next copies one of two instructions over the one behind the copy.
copy_next:
	movl	round, %edx
	andl	$1, %edx
	leal	pair(, %edx, 2), %esi
	movl	$1f, %edi
	movl	$2, %ecx
	movl	$0, %eax
	rep	movsb
1:	movb	$0x77, %al
	incl	%edx
	ret
pair:	movb	$1, %al
	movb	$2, %al

fill_code:
	movl	$FILLED, %edi
	movl	$0x90909090, %eax
	movl	$8, %ecx
	rep	stosl
	movl	round, %ecx
	andl	$7, %ecx
	leal	(, %ecx, 4), %edx
	movl	$FILLED, %edi
	movl	$0x40404040, %eax		# INC EAX
	rep	stosl
	xorl	%eax, %eax
	call	FILLED
	ret

write_call:
	movl	round, %edx
	andl	$1, %edx
	movl	targets(, %edx, 4), %eax
	subl	$2f, %eax
	movl	%eax, 1f+1
1:	call	return_one
2:	incl	%edx
	ret
return_one:
	movl	$1, %eax
	ret
return_two:
	movl	$2, %eax
	ret
	.balign	4
targets: .long	return_one, return_two

write_condition:
	movl	round, %edx
	andl	$1, %edx
	leal	0x74(%edx), %eax		# JE, JNE
	movb	%al, 1f
	xorl	%eax, %eax
1:	je	2f
	incl	%eax
2:	ret

store_across:
	movzbl	round, %edx
	movl	%edx, %eax
	shll	$24, %eax
	orl	$0x00b0aaaa, %eax
	movl	%eax, SECOND-2
	xorl	%eax, %eax
	call	SECOND
	ret

store_across_alias:
	movzbl	round, %edx
	notb	%dl
	movl	%edx, %eax
	shll	$24, %eax
	orl	$0x00b0aaaa, %eax
	movl	%eax, W+0x2ffe
	xorl	%eax, %eax
	call	SECOND
	ret

store_across_16:
	movzbl	round, %edx
	movl	%edx, %eax
	shll	$24, %eax
	orl	$0x00b0aaaa, %eax
	movl	%eax, wide+12
	movups	wide, %xmm0
	movups	%xmm0, SECOND-14
	xorl	%eax, %eax
	call	SECOND
	ret

# push_code pushes the operand of the instruction it returns to.
push_code:
	movzbl	round, %edx
	movl	%esp, %ecx
	movl	$1f+5, %esp
	pushl	%edx
	movl	%ecx, %esp
1:	movl	$0x77777777, %eax
	ret

	.balign	64
mixed:
	movl	$50, %ecx
1:	incl	2f
	loop	1b
	movl	2f, %eax
	movl	round, %edx
	incl	%edx
	imull	$50, %edx
	ret
	.balign	4
2:	.long	0

mixed_apart:
	movl	$50, %ecx
	movl	$0, mixed_apart+0x400
1:	addl	%ecx, mixed_apart+0x400
	loop	1b
	movl	mixed_apart+0x400, %eax
	movl	$50*51/2, %edx
	ret
	.org	mixed_apart+0x400
	.long	0

	.include "code_pages.inc"
	.include "code_flow.inc"
	.include "code_faults.inc"
	.include "code_flags.inc"
	.include "code_modes.inc"

	.text	2
end_image:
