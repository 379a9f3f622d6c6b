# Loading segment registers, limits, and the instructions that look at
# descriptors (Intel SDM Vol. 3A, chapters "Protected-Mode Memory Management"
# and "Protection"; Vol. 2, "MOV", "LAR", "LSL", "VERR/VERW", "ARPL").

	.include "common.inc"

	.include "rounds.inc"

main:
	call	load_data
	call	load_stack
	call	look
	call	null
	call	limits
	call	expand_down
	call	types
	call	arpl
	call	tables
	jmp	finish

# The descriptor X of this round.
round:
	movl	$0x1000, GDT + X	# a limit of 1000h
	movl	$0x00400000, %eax
	jmp	derive

# MOV to DS, ES, FS and GS (Vol. 2, "MOV"): readable, or #GP; RPL and CPL no
# more than DPL unless it is conforming code, or #GP; present, or #NP.
load_data:
	SAVE_RETURN
	.irp	reg, ds, es, fs, gs
	ROUNDS	"mov \reg"
1:	TRY
	call	round
	movl	kind, %ecx
	movl	$0xccff0000, %eax	# data, and readable code
	btl	%ecx, %eax
	jnc	3f
	movl	$0xf0000000, %eax	# conforming code
	btl	%ecx, %eax
	jc	2f
	movl	dpl, %eax
	cmpl	rpl, %eax
	jb	3f
	cmpl	level, %eax
	jb	3f
2:	movl	$NP, want_vec
	testl	$0x80, access
	jz	3f
	movl	$BP, want_vec
	movl	$0, want_err
3:	call	to_level
	movw	%bx, %\reg
	int3
9:	call	check_round
	# What was loaded, and only that, is marked accessed.
	movl	access, %edx
	cmpl	$BP, want_vec
	jne	4f
	orl	$1, %edx
4:	movzbl	GDT + X + 5, %eax
	movl	$s_accessed, %esi
	call	compare
	call	next
	testl	$0x100, access
	jz	1b
	.endr
	RETURN

	.text	1
s_accessed: .asciz " access"
s_rights: .asciz " rights"
s_limit: .asciz	" limit"
s_zf:	.asciz	" zf"
	.text	0

# MOV to SS: RPL and DPL are CPL, writable data, or #GP; present, or #SS.
load_stack:
	SAVE_RETURN
	ROUNDS	"mov ss"
1:	TRY
	call	round
	movl	level, %eax
	cmpl	rpl, %eax
	jne	3f
	cmpl	dpl, %eax
	jne	3f
	movl	kind, %ecx
	movl	$0x00cc0000, %eax
	btl	%ecx, %eax
	jnc	3f
	movl	$SS, want_vec
	testl	$0x80, access
	jz	3f
	movl	$BP, want_vec
	movl	$0, want_err
3:	call	to_level
	movl	$0xf00, %esp		# within the segment: below its limit, or above
	testb	$4, kind
	jz	4f
	movl	$0x1f00, %esp
4:	movw	%bx, %ss
	nop
	movl	$0x10, %eax
	int3
9:	# At level 0 the frame is on the segment of this round.
	call	check_round
	call	next
	testl	$0x100, access
	jz	1b
	RETURN

# LAR, LSL, VERR and VERW: ZF says whether what they ask for is there to be
# seen (Vol. 2, "LAR", "LSL", "VERR/VERW"). Being present does not matter.
look:
	SAVE_RETURN
	ROUNDS	"lar lsl verr verw"
1:	TRY
	call	round
	movl	$0, want_vec		# here the four answers, LAR first
	movl	kind, %ecx
	movl	$0xf0000000, %eax
	btl	%ecx, %eax
	jc	2f
	movl	dpl, %eax
	cmpl	rpl, %eax
	jb	3f
	cmpl	level, %eax
	jb	3f
2:	xorl	%ebx, %ebx
	movl	$0xffff1a3e, %eax	# LAR: not the gates of interrupts, not reserved
	btl	%ecx, %eax
	rcll	%ebx
	movl	$0xffff0a0e, %eax	# LSL: TSSs and the LDT
	btl	%ecx, %eax
	rcll	%ebx
	movl	$0xccff0000, %eax	# VERR
	btl	%ecx, %eax
	rcll	%ebx
	movl	$0x00cc0000, %eax	# VERW
	btl	%ecx, %eax
	rcll	%ebx
	movl	%ebx, want_vec
3:	call	to_level
	movl	$0x55555555, %esi
	movl	%esi, %edi
	larl	%ebx, %esi
	setz	%al
	lsll	%ebx, %edi
	setz	%ah
	verr	%bx
	setz	%dl
	verw	%bx
	setz	%dh
	int3
9:	xorl	%ebx, %ebx
	.irp	b, 0, 1
	movzbl	r_eax + \b, %ecx
	leal	(%ecx, %ebx, 2), %ebx
	.endr
	.irp	b, 0, 1
	movzbl	r_edx + \b, %ecx
	leal	(%ecx, %ebx, 2), %ebx
	.endr
	movl	%ebx, %eax
	movl	want_vec, %edx
	movl	$s_zf, %esi
	call	compare
	movl	$0x55555555, %edx
	testl	$8, want_vec
	jz	4f
	movl	access, %edx
	shll	$8, %edx
	orl	$0x00400000, %edx
4:	movl	r_esi, %eax
	movl	$s_rights, %esi
	call	compare
	movl	$0x55555555, %edx
	testl	$4, want_vec
	jz	5f
	movl	$0x1000, %edx
5:	movl	r_edi, %eax
	movl	$s_limit, %esi
	call	compare
	call	next
	testl	$0x100, access
	jz	1b
	RETURN

null:
	SAVE_RETURN
	.irp	sel, 0, 1, 2, 3
	T	"null selector \sel to ds"
	movl	$\sel, %eax
	I	movw %ax, %ds
	OK
	EQ	"ds", r_ds, $\sel
	T	"null selector \sel to ss"
	movl	$\sel, %eax
	I	movw %ax, %ss
	E	GP
	.endr
	T	"read through null es"
	xorl	%eax, %eax
	movw	%ax, %es
	I	movl %es:(%eax), %eax
	E	GP
	T	"write through null gs"
	xorl	%eax, %eax
	movw	%ax, %gs
	I	movl %eax, %gs:DATA
	E	GP
	T	"mov to cs"
	I	.byte 0x8e, 0xc8
	E	UD
	T	"mov to segment 6"
	I	.byte 0x8e, 0xf0
	E	UD
	T	"mov from segment 7"
	I	.byte 0x8c, 0xf8
	E	UD
	T	"selector beyond the gdt"
	movl	$0x203, %eax
	I	movw %ax, %es
	E	GP, 0x200
	T	"selector of no ldt"
	movl	$0x0f, %eax
	I	movw %ax, %es
	E	GP, 0x0c
	T	"selector in the ldt"
	movl	$0x00001000, LDT + 8
	movl	$0x00409300, LDT + 12
	movl	$LDTSEL, %eax
	lldt	%ax
	movl	$0x0c, %eax
	I	movw %ax, %es
	OK
	T	"selector beyond the ldt"
	movl	$0x104, %eax
	I	movw %ax, %es
	E	GP, 0x104
	T	"selector at the last byte of the gdt"
	lgdt	cut_gdt			# ends one byte before the end of X
	movl	$X, %eax
	I	movw %ax, %es
	E	GP, X
	T	"pop ds keeps esp when it faults"
	lgdt	gdt_pointer
	pushl	$0x203
	I	popl %ds
	E	GP, 0x200
	EQ	"esp", r_esp, $STACK-4
	T	"lds keeps its register when it faults"
	movl	$0x11111111, DATA
	movl	$0x203, DATA + 4
	movl	$0x22222222, %ebx
	I	lds DATA, %ebx
	E	GP, 0x200
	EQ	"ebx", r_ebx, $0x22222222
	EQ	"ds", r_ds, $DATA0
	T	"lss loads both"
	movl	$STACK - 64, DATA
	movl	$DATA0, DATA + 4
	I	lss DATA, %esp
	OK
	EQ	"esp", r_esp, $STACK-64
	T	"lfs of a register"
	I	.byte 0x0f, 0xb4, 0xc0
	E	UD
	xorl	%eax, %eax
	lldt	%ax
	RETURN

	.text	1
cut_gdt: .word	X + 6
	.long	GDT
	.text	0

# LIMIT tries an access through FS = X; want is a vector, or BP for none.
	.macro	LIMIT text:req, want:req, instruction:vararg
	T	"\text"
	movl	$X, %eax
	movw	%ax, %fs
	movl	$DATA, %ebx
	I	\instruction
	.if	\want == BP
	OK
	.else
	E	\want
	.endif
	.endm

limits:
	SAVE_RETURN
	# What an emulator without limits finds there does no harm.
	.irp	at, 0x20000, 0x20032, 0x30000, 0x30004
	movl	$0xcccccccc, \at
	.endr
	DESC	X, DATA, 0xff, A_DATA, 4
	LIMIT	"byte at the limit", BP, movb %fs:0xff, %al
	LIMIT	"byte beyond the limit", GP, movb %fs:0x100, %al
	LIMIT	"word at the limit", BP, movw %fs:0xfe, %ax
	LIMIT	"word across the limit", GP, movw %fs:0xff, %ax
	LIMIT	"dword at the limit", BP, movl %fs:0xfc, %eax
	LIMIT	"dword across the limit", GP, movl %fs:0xfd, %eax
	LIMIT	"write across the limit", GP, movl %eax, %fs:0xfd
	LIMIT	"dword that wraps the offset", GP, movl %fs:0xfffffffd, %eax
	LIMIT	"fld80 across the limit", GP, fldt %fs:0xf7
	movl	$1, %eax
	cpuid
	btl	$8, %edx		# CX8
	jnc	1f
	LIMIT	"cmpxchg8b across the limit", GP, cmpxchg8b %fs:0xf9
1:
	LIMIT	"bound across the limit", GP, bound %ebx, %fs:0xf9
	movw	$GDT_LIMIT, DATA + 0xfb
	movl	$GDT, DATA + 0xfd
	LIMIT	"lgdt across the limit", GP, lgdt %fs:0xfb
	LIMIT	"sidt across the limit", GP, sidt %fs:0xfb
	LIMIT	"far pointer across the limit", GP, les %fs:0xfb, %eax
	movl	$9f, DATA + 0xfb
	movl	$CODE0, DATA + 0xff
	LIMIT	"far jump pointer across the limit", GP, ljmp *%fs:0xfb
	LIMIT	"lea checks nothing", BP, .byte 0x64, 0x8d, 0x05, 0, 0x10, 0, 0
	LIMIT	"invlpg checks no limit", BP, invlpg %fs:0x1000
	DESC	X, DATA, 0, A_DATA, 0xc
	LIMIT	"page limit 0 is fffh", BP, movb %fs:0xfff, %al
	LIMIT	"beyond page limit 0", GP, movb %fs:0x1000, %al
	DESC	X, DATA, 0xfffff, A_DATA, 4
	LIMIT	"byte limit fffffh", GP, movb %fs:0x100000, %al
	DESC	X, DATA, 0xfffff, A_DATA, 0xc
	LIMIT	"4 GiB: dword wraps the address space", BP, movl %fs:0xfffffffc, %eax
	DESC	X, 0xfffffff0, 0xfffff, A_DATA, 0xc
	movl	$0x12345678, DATA + 0x10
	LIMIT	"base plus offset wraps", BP, movl %fs:DATA+0x20, %eax
	EQ	"value", r_eax, $0x12345678
	# The stack: SS faults are #SS, ESP stays.
	DESC	X, DATA, 0xff, A_DATA, 4
	T	"read beyond ss through ebp is #SS"
	movl	$X, %eax
	movw	%ax, %ss
	movl	$0x80, %esp
	movl	$0x100, %ebp
	I	movl (%ebp), %eax
	E	SS
	T	"an override makes it #GP"
	movl	$X, %eax
	movw	%ax, %fs
	movl	$0x100, %ebp
	I	movl %fs:(%ebp), %eax
	E	GP
	T	"an override to ss makes it #SS"
	movl	$X, %eax
	movw	%ax, %ss
	movl	$0x80, %esp
	movl	$0x100, %ebx
	I	movl %ss:(%ebx), %eax
	E	SS
	# Near transfers beyond the limit of CS are #GP of the transfer.
	DESC	X, 0, 0x1ffff, A_CODE, 4
	T	"jump beyond cs"
	ljmp	$X, $1f
1:	I	jmp 0x20000
	E	GP
	T	"jcc beyond cs"
	ljmp	$X, $1f
1:	stc
	I	jc 0x20000
	E	GP
	T	"jcc not taken"
	ljmp	$X, $1f
1:	clc
	I	jc 0x20000
	OK
	T	"call beyond cs pushes nothing"
	ljmp	$X, $1f
1:	I	call 0x20000
	E	GP
	EQ	"esp", r_esp, $STACK
	T	"ret beyond cs pops nothing"
	ljmp	$X, $1f
1:	pushl	$0x20000
	I	ret
	E	GP
	EQ	"esp", r_esp, $STACK-4
	T	"loop beyond cs counts nothing"
	ljmp	$X, $1f
1:	movl	$5, %ecx
	movw	$0x40e2, 0x1fff0		# LOOP to 20032h
	movl	$0x1fff0, %eax
	jmp	*%eax
	E	GP, 0, 0x1fff0
	EQ	"ecx", r_ecx, $5
	T	"instruction across the limit of cs"
	movb	$0x90, 0x2fffe		# NOP; MOV EAX, imm32, cut
	movb	$0xb8, 0x2ffff
	DESC	X, 0, 0x2ffff, A_CODE, 4
	ljmp	$X, $0x2fffe
	E	GP, 0, 0x2ffff
	T	"instruction beyond the limit of cs"
	movb	$0x90, 0x2ffff
	ljmp	$X, $0x2fffe
	E	GP, 0, 0x30000
	RETURN

expand_down:
	SAVE_RETURN
	DESC	X, DATA, 0xff, 0x97, 4	# to 4 GiB
	LIMIT	"expand-down 32: at the limit", GP, movb %fs:0xff, %al
	LIMIT	"expand-down 32: above", BP, movb %fs:0x100, %al
	LIMIT	"expand-down 32: dword from the limit", GP, movl %fs:0xff, %eax
	LIMIT	"expand-down 32: last byte", BP, movb %fs:0xffffffff, %al
	LIMIT	"expand-down 32: across the top", GP, movl %fs:0xfffffffe, %eax
	DESC	X, DATA, 0xff, 0x97, 0	# to 64 KiB
	LIMIT	"expand-down 16: last byte", BP, movb %fs:0xffff, %al
	LIMIT	"expand-down 16: across the top", GP, movw %fs:0xffff, %ax
	LIMIT	"expand-down 16: beyond the top", GP, movb %fs:0x10000, %al
	LIMIT	"expand-down 16: at the limit", GP, movb %fs:0xff, %al
	DESC	X, DATA, 1, 0x97, 0xc		# page granular: above 1FFFh
	LIMIT	"expand-down pages: at the limit", GP, movb %fs:0x1fff, %al
	LIMIT	"expand-down pages: above", BP, movb %fs:0x2000, %al
	RETURN

# TYPED tries an access of a type that the segment may not have.
	.macro	TYPED text:req, access:req, want:req, instruction:vararg
	DESC	X, DATA, 0xfff, \access, 4
	LIMIT	"\text", \want, \instruction
	.endm

types:
	SAVE_RETURN
	TYPED	"write read-only data", 0x91, GP, movb %al, %fs:0
	TYPED	"read read-only data", 0x91, BP, movb %fs:0, %al
	TYPED	"modify read-only data", 0x91, GP, incb %fs:0
	TYPED	"compare in read-only data", 0x91, BP, cmpb $0, %fs:0
	TYPED	"xchg with read-only data", 0x91, GP, xchgb %al, %fs:0
	TYPED	"bt of read-only data", 0x91, BP, btl $1, %fs:0
	TYPED	"bts of read-only data", 0x91, GP, btsl $1, %fs:0
	TYPED	"push of read-only data", 0x91, BP, pushl %fs:0
	TYPED	"pop to read-only data", 0x91, GP, popl %fs:0
	TYPED	"cmpxchg that fails still writes", 0x91, GP, cmpxchgl %eax, %fs:0
	TYPED	"fst to read-only data", 0x91, GP, fstpl %fs:0
	TYPED	"sgdt to read-only data", 0x91, GP, sgdt %fs:0
	TYPED	"str to read-only data", 0x91, GP, str %fs:0
	TYPED	"write code", 0x9b, GP, movb %al, %fs:0
	TYPED	"read readable code", 0x9b, BP, movb %fs:0, %al
	TYPED	"write expand-down data", 0x97, BP, movb %al, %fs:0x2000
	T	"read through cs of execute-only code"
	DESC	X, 0, 0xfffff, 0x99, 0xc
	ljmp	$X, $1f
1:	I	movl %cs:DATA, %eax
	E	GP
	T	"write through cs"
	I	movl %eax, %cs:DATA
	E	GP
	T	"the accessed bit of code"
	DESC	X, 0, 0xfffff, 0x9a, 0xc
	ljmp	$X, $1f
1:	OK
	EQ	"access", GDT+X+4, $0x00cf9b00
	RETURN

	.macro	ADJUST a:req, b:req, result:req, zf:req
	T	"arpl \a \b"
	movl	$\a, %eax
	movl	$\b, %ebx
	arpl	%bx, %ax
	OK
	EQ	"result", r_eax, $\result
	BITS	"zf", r_eflags, F_ZF, \zf
	.endm

arpl:
	SAVE_RETURN
	ADJUST	0xaaaa0010, 3, 0xaaaa0013, F_ZF
	ADJUST	0xaaaa0013, 0, 0xaaaa0013, 0
	ADJUST	0x0012, 2, 0x0012, 0
	ADJUST	0x0011, 0xfffe, 0x0012, F_ZF
	T	"arpl to read-only data"
	DESC	X, DATA, 0xfff, 0x91, 4
	movl	$X, %eax
	movw	%ax, %fs
	movl	$3, %ebx
	I	arpl %bx, %fs:0
	E	GP
	.irp	sel, 0, 3
	T	"lar of null \sel"
	movl	$\sel, %eax
	movl	$0x1234, %ebx
	orl	$-1, %ecx
	incl	%ecx			# ZF set
	larl	%eax, %ebx
	OK
	BITS	"zf", r_eflags, F_ZF, 0
	EQ	"ebx", r_ebx, $0x1234
	T	"verr of null \sel"
	movl	$\sel, %eax
	verr	%ax
	OK
	BITS	"zf", r_eflags, F_ZF, 0
	.endr
	T	"lsl beyond the gdt"
	movl	$0x400, %eax
	lsll	%eax, %ebx
	OK
	BITS	"zf", r_eflags, F_ZF, 0
	T	"lsl of pages"
	movl	$DATA0, %eax
	lsll	%eax, %ebx
	OK
	EQ	"limit", r_ebx, $0xffffffff
	T	"lar of 16 bits"
	movl	$DATA0, %eax
	movl	$0xaaaaaaaa, %ebx
	larw	%ax, %bx
	OK
	EQ	"rights", r_ebx, $0xaaaa9300
	T	"lsl of 16 bits"
	movl	$DATA0, %eax
	movl	$0xaaaa0000, %ebx
	lslw	%ax, %bx
	OK
	EQ	"limit", r_ebx, $0xaaaaffff
	RETURN

# LLDT and LTR.
	.macro	SYSTEM text:req, instruction:req, access:req, want:req, code=0
	T	"\text"
	DESC	X, TSS2, 0x67, \access
	movl	$X, %eax
	I	\instruction %ax
	.if	\want == BP
	OK
	.else
	E	\want, \code
	.endif
	.endm

tables:
	SAVE_RETURN
	SYSTEM	"lldt of a tss", lldt, A_TSS32, GP, X
	SYSTEM	"lldt of data", lldt, A_DATA, GP, X
	SYSTEM	"lldt not present", lldt, 0x02, NP, X
	SYSTEM	"lldt of an ldt of dpl 3", lldt, 0xe2, BP
	SYSTEM	"ltr of an ldt", ltr, A_LDT, GP, X
	SYSTEM	"ltr not present", ltr, 0x09, NP, X
	SYSTEM	"ltr of a busy tss", ltr, 0x8b, GP, X
	SYSTEM	"ltr of a busy 16-bit tss", ltr, 0x83, GP, X
	SYSTEM	"ltr of a call gate", ltr, 0x8c, GP, X
	SYSTEM	"ltr of a task gate", ltr, 0x85, GP, X
	T	"ltr null"
	xorl	%eax, %eax
	I	ltr %ax
	E	GP
	T	"ltr in the ldt"
	movl	$LDTSEL, %eax
	lldt	%ax
	movl	$0x0c, %eax
	I	ltr %ax
	E	GP, 0x0c
	T	"lldt in the ldt"
	movl	$0x0c, %eax
	I	lldt %ax
	E	GP, 0x0c
	T	"lldt null is unusable"
	movl	$3, %eax
	lldt	%ax
	sldt	%ebx
	OK
	EQ	"sldt", r_ebx, $3
	SYSTEM	"ltr of a 16-bit tss", ltr, A_TSS16, BP
	EQ	"busy", GDT+X+4, $0x00008300
	SYSTEM	"ltr of a 32-bit tss", ltr, A_TSS32, BP
	EQ	"busy", GDT+X+4, $0x00008b00
	T	"str zero-extends"
	movl	$-1, %ebx
	str	%ebx
	OK
	EQ	"str", r_ebx, $X
	movb	$0x89, GDT + MAINTSS + 5
	movl	$MAINTSS, %eax
	ltr	%ax
	.irp	what, "lldt %ax", "ltr %ax", "lgdt gdt_pointer", "lidt idt_pointer"
	T	"\what at level 3"
	RING	3
	xorl	%eax, %eax
	I	\what
	E	GP
	.endr
	.irp	what, "sldt %eax", "str %eax", "sgdt DATA", "sidt DATA", "smsw %eax"
	T	"\what at level 3"
	RING	3
	I	\what
	OK
	.endr
	T	"sgdt stores limit and base"
	movl	$-1, DATA + 4
	sgdt	DATA
	OK
	EQ	"low", DATA, $(GDT_LIMIT|((GDT&0xffff)<<16))
	EQ	"high", DATA+4, $0xffff0000
	T	"lgdt of 16 bits loads 24 of the base"
	movw	$GDT_LIMIT, DATA
	movl	$GDT | 0x55000000, DATA + 2
	data16 lgdt DATA
	sgdt	DATA + 8
	OK
	EQ	"base", DATA+10, $GDT
	RETURN

	.text	2
end_image:
