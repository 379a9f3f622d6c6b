# Hardware task switches and the I/O permission bitmap (Intel SDM Vol. 3A, "Task
# Management"; Vol. 1, "I/O Permission Bit Map"; Vol. 2, "JMP", "CALL", "IRET").

	.include "common.inc"

	.set	X2, 0x88
	.set	SOFT, 0x30
	.set	TASKSTACK, STACK1	# of the task in TSS2, and a second one
	.set	FRAME, DATA+0x800	# a stack that stays as it was

	# Offsets in a TSS.
	.set	LINK, 0
	.set	CR3, 0x1c
	.set	EIP, 0x20
	.set	EFLAGS, 0x24
	.set	EAX, 0x28
	.set	ECX, 0x2c
	.set	EDX, 0x30
	.set	EBX, 0x34
	.set	ESP, 0x38
	.set	EBP, 0x3c
	.set	ESI, 0x40
	.set	EDI, 0x44
	.set	ES_, 0x48
	.set	CS_, 0x4c
	.set	SS_, 0x50
	.set	DS_, 0x54
	.set	FS_, 0x58
	.set	GS_, 0x5c
	.set	LDT_, 0x60
	.set	TRAP, 0x64
	.set	MAP, 0x66

	# Offsets in one of 16 bits.
	.set	IP, 0x0e
	.set	FLAGS, 0x10
	.set	AX, 0x12
	.set	SP, 0x1a
	.set	DI, 0x20
	.set	ES16, 0x22

main:
	jmp	switches

# tasks makes TSS2, a task at level 0 that begins at EIP EAX, available as X, and
# the task of MAINTSS the current one.
tasks:
	movl	%eax, %ebx
	movl	$TSS2, %edi
	xorl	%eax, %eax
	movl	$0x80, %ecx
	rep stosl
	movl	%ebx, TSS2 + EIP
	movl	$2, TSS2 + EFLAGS
	movl	$TASKSTACK, TSS2 + ESP
	movl	$STACK0, TSS2 + 4
	movl	$DATA0, TSS2 + 8
	movl	$CODE0, TSS2 + CS_
	.irp	s, ES_, SS_, DS_, FS_, GS_
	movl	$DATA0, TSS2 + \s
	.endr
	movw	$0x8000, TSS2 + MAP
	movl	$0, TSS + LINK
	DESC	X, TSS2, 0x67, A_TSS32
	movb	$A_TSS32, GDT + MAINTSS + 5
	movl	$MAINTSS, %eax
	ltr	%ax
	clts
	ret

# TASK begins a check with a task that begins at eip.
	.macro	TASK text:req, eip:req
	T	"\text"
	movl	$\eip, %eax
	call	tasks
	.endm

# BUSY checks the types of the two TSS descriptors.
	.macro	BUSY current:req, new:req
	BITS	"old type", GDT+MAINTSS+4, 0xff00, \current<<8
	BITS	"new type", GDT+X+4, 0xff00, \new<<8
	.endm

# CURRENT checks the task register.
	.macro	CURRENT selector:req
	xorl	%ebx, %ebx
	str	%bx
	EQ	"tr", %ebx, $\selector
	.endm

switches:
	TASK	"jump to a task", 1f
	.irp	n, 0, 1, 2, 3, 5, 6, 7
	movl	$0x11111111*(\n+1), TSS2 + EAX + 4 * \n
	.endr
	movl	$DATA3, TSS2 + ES_
	movl	$0, TSS2 + FS_
	movl	$CODE0, TSS2 + GS_
	movl	$F_CF|F_DF|2, TSS2 + EFLAGS
	movl	$0xa1, %eax
	movl	$0xa2, %ecx
	movl	$0xa3, %edx
	movl	$0xa4, %ebx
	movl	$FRAME, %esp
	movl	$0xa6, %ebp
	movl	$0xa7, %esi
	movl	$0xa8, %edi
	movl	$DATA3, TSS + FS_
	pushl	$F_ZF|2
	popfl
	ljmp	$X, $-1
2:	int3
1:	OK
	EQ	"eax", r_eax, $0x11111111
	EQ	"ecx", r_ecx, $0x22222222
	EQ	"edx", r_edx, $0x33333333
	EQ	"ebx", r_ebx, $0x44444444
	EQ	"esp", r_esp, $TASKSTACK
	EQ	"ebp", r_ebp, $0x66666666
	EQ	"esi", r_esi, $0x77777777
	EQ	"edi", r_edi, $0x88888888
	EQ	"es", r_es, $DATA3
	EQ	"fs", r_fs, $0
	EQ	"gs", r_gs, $CODE0
	EQ	"cs", r_cs, $CODE0
	BITS	"eflags", r_eflags, F_CF|F_DF|F_ZF|F_NT, F_CF|F_DF
	BUSY	0x89, 0x8b
	CURRENT	X
	movl	%cr0, %ebx
	BITS	"task switched", %ebx, 8, 8
	EQ	"link", TSS2+LINK, $0
	EQ	"saved eip", TSS+EIP, $2b
	EQ	"saved eflags", TSS+EFLAGS, $F_ZF|2
	EQ	"saved eax", TSS+EAX, $0xa1
	EQ	"saved ecx", TSS+ECX, $0xa2
	EQ	"saved edx", TSS+EDX, $0xa3
	EQ	"saved ebx", TSS+EBX, $0xa4
	EQ	"saved esp", TSS+ESP, $FRAME
	EQ	"saved ebp", TSS+EBP, $0xa6
	EQ	"saved esi", TSS+ESI, $0xa7
	EQ	"saved edi", TSS+EDI, $0xa8
	BITS	"saved cs", TSS+CS_, 0xffff, CODE0
	BITS	"saved ss", TSS+SS_, 0xffff, DATA0
	BITS	"saved fs", TSS+FS_, 0xffff, DATA0

	TASK	"call a task", 1f
	movl	$FRAME, %esp
	movl	$0x5a5a5a5a, FRAME - 4
	lcall	$X, $-1
2:	int3
1:	OK
	BITS	"nt", r_eflags, F_NT, F_NT
	BITS	"link", TSS2+LINK, 0xffff, MAINTSS
	EQ	"saved eip", TSS+EIP, $2b
	EQ	"saved esp", TSS+ESP, $FRAME
	EQ	"nothing pushed", FRAME-4, $0x5a5a5a5a
	BUSY	0x8b, 0x8b
	CURRENT	X

	TASK	"return from a task", 1f
	movl	$0x77, %esi
	pushl	$F_CF|2
	popfl
	lcall	$X, $0
	jmp	2f
1:	movl	$0x99, %esi
	iretl
3:	int3
2:	OK
	EQ	"esi", r_esi, $0x77
	BITS	"eflags", r_eflags, F_CF|F_NT, F_CF
	EQ	"saved eip", TSS2+EIP, $3b
	EQ	"saved esi", TSS2+ESI, $0x99
	BITS	"saved nt", TSS2+EFLAGS, F_NT, 0
	BUSY	0x8b, 0x89
	CURRENT	MAINTSS

	TASK	"call a task again", 1f
	movl	$1, %ecx
	lcall	$X, $0
	lcall	$X, $0
	jmp	2f
1:	incl	%ecx
	iretl
	movl	$0x77, %ecx
2:	OK
	EQ	"ecx", r_ecx, $0x77
	EQ	"the first time's", TSS2+ECX, $1
	BUSY	0x8b, 0x8b

	TASK	"int n through a task gate", 1f
	GATE	IDT+8*SOFT, X, 0, 0xe5
	movl	$FRAME, %esp
	int	$SOFT
2:	int3
1:	OK
	BITS	"nt", r_eflags, F_NT, F_NT
	BITS	"link", TSS2+LINK, 0xffff, MAINTSS
	EQ	"saved eip", TSS+EIP, $2b
	EQ	"esp", r_esp, $TASKSTACK
	BUSY	0x8b, 0x8b

	TASK	"int n and iret through a task gate", 1f
	RING	3, F_CF|2
	int	$SOFT
	jmp	2f
1:	iretl
2:	OK
	EQ	"cs", r_cs, $CODE3
	EQ	"esp", r_esp, $USTACK
	BITS	"eflags", r_eflags, F_CF|F_NT, F_CF

	TASK	"int n through a task gate of too little privilege", 1f
	movb	$0x85, IDT + 8 * SOFT + 5
	RING	3
	I	int $SOFT
1:	E	GP, SOFT*8+2
	CURRENT	MAINTSS

	TASK	"exception through a task gate", 1f
	GATE	IDT+8*GP, X, 0, 0x85
	movl	$0x1234, %eax
	I	movw %ax, %ds
	int3
1:	popl	%eax
	int3
9:	UNVECTOR GP
	EQ	"vector", r_vec, $BP
	EQ	"error code", r_eax, $0x1234
	EQ	"esp", r_esp, $TASKSTACK
	EQ	"saved eip", TSS+EIP, $5b
	BITS	"saved rf", TSS+EFLAGS, F_RF, F_RF

	TASK	"exception without an error code through a task gate", 1f
	GATE	IDT+8*UD, X, 0, 0x85
	I	ud2
	int3
1:	int3
9:	UNVECTOR UD
	EQ	"vector", r_vec, $BP
	EQ	"esp", r_esp, $TASKSTACK
	EQ	"saved eip", TSS+EIP, $5b

	TASK	"jump through a task gate", 1f
	GATE	GDT+X2, X, 0, 0x85
	ljmp	$X2, $0
1:	OK
	BITS	"nt", r_eflags, F_NT, 0
	BUSY	0x89, 0x8b

	TASK	"call through a task gate from level 3", 1f
	GATE	GDT+X2, X, 0, 0xe5
	RING	3
	lcall	$X2|3, $0
1:	OK
	BITS	"nt", r_eflags, F_NT, F_NT
	EQ	"cs", r_cs, $CODE0
	BUSY	0x8b, 0x8b

	TASK	"jump through a task gate of too little privilege", 1f
	GATE	GDT+X2, X, 0, 0x85
	RING	3
	I	ljmp $X2|3, $0
1:	E	GP, X2
	TASK	"jump to a tss of too little privilege", 1f
	RING	3
	I	ljmp $X|3, $0
1:	E	GP, X
	TASK	"jump to a tss with an rpl above its dpl", 1f
	I	ljmp $X|3, $0
1:	E	GP, X
	TASK	"jump to a tss of dpl 3 from level 3", 1f
	movb	$0xe9, GDT + X + 5
	RING	3
	ljmp	$X|3, $0
1:	OK
	EQ	"cs", r_cs, $CODE0

	TASK	"jump to a task of level 3", 1f
	call	user_task
	ljmp	$X, $0
1:	OK
	EQ	"cs", r_cs, $CODE3
	EQ	"ss", r_ss, $DATA3
	EQ	"esp", r_esp, $TASKSTACK

	TASK	"iret from a task of level 3", 1f
	call	user_task
	lcall	$X, $0
	jmp	2f
1:	iretl
	int3
2:	OK
	EQ	"cs", r_cs, $CODE0
	BUSY	0x8b, 0x89

	TASK	"jump to a task in virtual-8086 mode", 1f-begin_image
	movl	$F_VM|2, TSS2 + EFLAGS
	movl	$BASE>>4, TSS2 + CS_
	movl	$0x2800, TSS2 + SS_
	movl	$0x1234, TSS2 + DS_
	movl	$0, TSS2 + ES_
	movl	$0x100, TSS2 + ESP
	ljmp	$X, $0
	.code16
1:	OK16
	BITS	"vm", r_eflags, F_VM, F_VM
	EQ	"cs", r_cs, $BASE>>4
	EQ	"ss", r_ss, $0x2800
	EQ	"ds", r_ds, $0x1234
	EQ	"esp", r_esp, $0x100

	TASK	"the t bit of a task", 1f
	movw	$1, TSS2 + TRAP
	ljmp	$X, $0
1:	nop
	E	DB, 0, 1b
	BITS	"bt", r_dr6, 0x800f, 0x8000
	xorl	%eax, %eax
	movl	%eax, %dr6

	TASK	"a task switch clears local breakpoints", 1f
	movl	$0xff000000, %eax
	movl	%eax, %dr0
	movl	%eax, %dr1
	movl	%eax, %dr2
	movl	%eax, %dr3
	movl	$0x3ff, %eax
	movl	%eax, %dr7
	ljmp	$X, $0
1:	movl	%dr7, %ebx
	xorl	%eax, %eax
	movl	%eax, %dr7
	OK
	BITS	"dr7", r_ebx, 0xff, 0xaa

	# A chain of two.
	TASK	"nested tasks", 1f
	movl	$TSS2, %esi
	movl	$TSS3, %edi
	movl	$0x1a, %ecx
	rep movsl
	DESC	X2, TSS3, 0x67, A_TSS32
	movl	$2f, TSS3 + EIP
	movl	$TASKSTACK - 0x100, TSS3 + ESP
	lcall	$X, $0
	jmp	3f
1:	lcall	$X2, $0
	iretl
2:	iretl
	int3
3:	OK
	BITS	"link of the inner", TSS3+LINK, 0xffff, X
	BITS	"link of the outer", TSS2+LINK, 0xffff, MAINTSS
	BITS	"type of the inner", GDT+X2+4, 0xff00, 0x8900
	BUSY	0x8b, 0x89

narrow:	# 16 bits.
	TASK	"jump to a 16-bit task", 0
	call	narrow_task
	movw	$1f-begin_image, TSS2 + IP
	ljmp	$X, $0
	.code16
1:	OK16
	BITS	"ax", r_eax, 0xffff, 0x1111
	BITS	"di", r_edi, 0xffff, 0x8888
	BITS	"sp", r_esp, 0xffff, 0xff00
	EQ	"cs", r_cs, $CODE16
	EQ	"es", r_es, $DATA3
	BITS	"eflags", r_eflags, 0xffff, F_CF|2
	BUSY	0x89, 0x83
	TASK	"call a 16-bit task", 0
	call	narrow_task
	movw	$1f-begin_image, TSS2 + IP
	lcall	$X, $0
	jmp	2f
	.code16
1:	movw	$0x5a5a, %ax
	iretw
3:	int3
	.code32
2:	OK
	EQ	"cs", r_cs, $CODE0
	BITS	"link", TSS2+LINK, 0xffff, MAINTSS
	BITS	"saved ip", TSS2+IP, 0xffff, 3b-begin_image
	BITS	"saved ax", TSS2+AX, 0xffff, 0x5a5a
	BITS	"saved sp", TSS2+SP, 0xffff, 0xff00
	BITS	"saved es", TSS2+ES16, 0xffff, DATA3
	BITS	"saved flags", TSS2+FLAGS, F_CF|F_NT, F_CF
	BUSY	0x8b, 0x81
	TASK	"exception through a gate to a 16-bit task", 0
	call	narrow_task
	movw	$1f-begin_image, TSS2 + IP
	GATE	IDT+8*GP, X, 0, 0x85
	movl	$0x1234, %eax
	movw	%ax, %ds
	.code16
1:	popw	%ax
	int3
	.code32
9:	UNVECTOR GP
	EQ	"vector", r_vec, $BP
	BITS	"error code", r_eax, 0xffff, 0x1234
	BITS	"sp", r_esp, 0xffff, 0xff00

before:	# What is found before the switch is a fault of the old task.
	.macro	REFUSED text:req, access:req, limit:req, vector:req, code:req, instruction:vararg
	TASK	"\text", 1f
	DESC	X, TSS2, \limit, \access
	GATE	GDT+X2, X, 0, 0xe5
	GATE	IDT+8*SOFT, X, 0, 0xe5
	I	\instruction
1:	E	\vector, \code
	CURRENT	MAINTSS
	BITS	"old type", GDT+MAINTSS+4, 0xff00, 0x8b00
	.endm
	.irp	instruction, "ljmp $X, $0", "lcall $X, $0", "ljmp $X2, $0", "int $SOFT"
	REFUSED	"busy tss: \instruction", 0x8b, 0x67, GP, X, \instruction
	REFUSED	"busy 16-bit tss: \instruction", 0x83, 0x67, GP, X, \instruction
	REFUSED	"tss that is not present: \instruction", 0x09, 0x67, NP, X, \instruction
	REFUSED	"tss that is too short: \instruction", 0x89, 0x66, TS, X, \instruction
	REFUSED	"16-bit tss that is too short: \instruction", 0x81, 0x2a, TS, X, \instruction
	.endr
	.irp	instruction, "ljmp $X2, $0", "int $SOFT"
	REFUSED	"task gate to an ldt: \instruction", 0x82, 0x67, GP, X, \instruction
	REFUSED	"task gate to data: \instruction", 0x92, 0x67, GP, X, \instruction
	.endr
	.macro	MISLED text:req, selector:req, code:req
	TASK	"\text", 1f
	GATE	GDT+X2, \selector, 0, 0x85
	I	ljmp $X2, $0
1:	E	GP, \code
	.endm
	MISLED	"task gate beyond the gdt", 0x200, 0x200
	MISLED	"task gate to the ldt", X|4, X|4
	MISLED	"task gate to a null selector", 0, 0
	TASK	"jump to the current task", 1f
	I	ljmp $MAINTSS, $0
1:	E	GP, MAINTSS
	TASK	"task gate that is not present", 1f
	GATE	GDT+X2, X, 0, 0x05
	I	ljmp $X2, $0
1:	E	NP, X2
	TASK	"exception through a task gate to a busy tss", 1f
	movb	$0x8b, GDT + X + 5
	GATE	IDT+8*UD, X, 0, 0x85
	I	ud2
1:	int3
9:	UNVECTOR UD
	EQ	"vector", r_vec, $GP
	EQ	"code", r_err, $X+1
	EQ	"eip", r_eip, $5b
	# IRET of a nested task.
	.macro	UNLINKED text:req, access:req, link:req, vector:req, code:req
	TASK	"\text", 1f
	movb	$\access, GDT + X + 5
	movl	$\link, TSS + LINK
	pushl	$F_NT|2
	popfl
	I	iretl
1:	E	\vector, \code
	BITS	"nt", r_eflags, F_NT, F_NT
	CURRENT	MAINTSS
	.endm
	UNLINKED "return to a task that is not busy", 0x89, X, TS, X
	UNLINKED "return to a busy task that is not present", 0x0b, X, NP, X
	UNLINKED "return to data", 0x93, X, TS, X
	UNLINKED "return to a task gate", 0x85, X, TS, X
	UNLINKED "return to a null link", 0x8b, 0, TS, 0
	UNLINKED "return to a link in the ldt", 0x8b, X|4, TS, X|4
	UNLINKED "return to a link beyond the gdt", 0x8b, 0x203, TS, 0x200
	TASK	"return to a busy task", 1f
	movb	$0x8b, GDT + X + 5
	movl	$X, TSS + LINK
	pushl	$F_NT|2
	popfl
	iretl
2:	int3
1:	OK
	BUSY	0x89, 0x8b
	BITS	"nt", r_eflags, F_NT, 0
	BITS	"saved nt", TSS+EFLAGS, F_NT, 0

after:	# What is found later is a fault of the new task, with its EIP.
	.macro	LATE text:req, field:req, value:req, vector:req, code:req
	TASK	"\text", 1f
	call	user_task
	movl	$\value, TSS2 + \field
	ljmp	$X, $0
1:	nop
	E	\vector, \code, 1b
	BUSY	0x89, 0x8b
	CURRENT	X
	.endm
	DESC	X2, DATA, 0xfff, 0x72, 4	# data that is not present
	LATE	"task with an ldt that is code", LDT_, CODE0, TS, CODE0
	LATE	"task with an ldt beyond the gdt", LDT_, 0x200, TS, 0x200
	LATE	"task with an ldt in the ldt", LDT_, LDTSEL|4, TS, LDTSEL|4
	movb	$0x02, GDT + LDTSEL + 5
	LATE	"task with an ldt that is not present", LDT_, LDTSEL, TS, LDTSEL
	movb	$0x82, GDT + LDTSEL + 5
	LATE	"task with data for code", CS_, DATA3, TS, DATA3&~3
	LATE	"task with code of level 0 and an rpl of 3", CS_, CODE0|3, TS, CODE0
	LATE	"task with code beyond the gdt", CS_, 0x203, TS, 0x200
	DESC	X2, 0, 0xfffff, 0x7b, 0xc
	LATE	"task with code that is not present", CS_, X2|3, NP, X2
	LATE	"task with a null stack", SS_, 0, TS, 0
	LATE	"task with a stack that is code", SS_, CODE3, TS, CODE3&~3
	LATE	"task with a stack of level 0", SS_, DATA0|3, TS, DATA0
	LATE	"task with a stack of rpl 0", SS_, DATA3&~3, TS, DATA3&~3
	LATE	"task with a stack beyond the gdt", SS_, 0x203, TS, 0x200
	DESC	X2, 0, 0xfffff, 0x73, 0xc
	LATE	"task with a stack that is not present", SS_, X2|3, SS, X2
	.irp	s, ES_, DS_, FS_, GS_
	LATE	"task with data of level 0 in \s", \s, DATA0, TS, DATA0
	LATE	"task with a tss in \s", \s, X, TS, X
	LATE	"task with a selector beyond the gdt in \s", \s, 0x203, TS, 0x200
	LATE	"task with data that is not present in \s", \s, X2|3, NP, X2
	.endr
	TASK	"task that begins beyond its limit", 0x20000
	movb	$0xcc, 0x20000
	DESC	X2, 0, 0xffff, 0xfb, 4
	call	user_task
	movl	$X2|3, TSS2 + CS_
	ljmp	$X, $0
	E	GP, 0, 0x20000
	CURRENT	X
	TASK	"task with an ldt", 1f
	movl	$LDTSEL, TSS2 + LDT_
	movl	$0xffff, LDT + 8
	movl	$0x00cf9300, LDT + 12
	movl	$0x0c, TSS2 + DS_
	ljmp	$X, $0
1:	sldt	%ebx
	OK
	EQ	"ldtr", r_ebx, $LDTSEL
	EQ	"ds", r_ds, $0x0c

	# With paging: CR3 is the task's, and page faults leave the old task whole.
	movl	$PAGES + 0x1000, %edi
	movl	$3, %eax
	movl	$1024, %ecx
1:	stosl
	addl	$0x1000, %eax
	loop	1b
	movl	$PAGES + 0x1000, %esi
	movl	$PAGES + 0x3000, %edi
	movl	$1024, %ecx
	rep movsl
	movl	$PAGES + 0x1003, PAGES
	movl	$PAGES + 0x3003, PAGES + 0x2000
	movl	$DATA + 0x2003, PAGES + 0x3000 + DATA / 0x400
	movl	$0x11111111, DATA
	movl	$0x22222222, DATA + 0x2000
	movl	$PAGES, %eax
	movl	%eax, %cr3
	movl	%cr0, %eax
	orl	$0x80000000, %eax
	movl	%eax, %cr0
	jmp	1f
1:
	TASK	"task with a cr3 of its own", 1f
	movl	$PAGES, TSS + CR3
	movl	$PAGES + 0x2000, TSS2 + CR3
	lcall	$X, $0
	movl	DATA, %ebx
	jmp	2f
1:	movl	DATA, %eax
	iretl
	int3
2:	OK
	EQ	"its own", TSS2+EAX, $0x22222222
	EQ	"the old one's", r_ebx, $0x11111111
	TASK	"tss on a page that is not present", 1f
	DESC	X, DATA+0x1000-0x30, 0x67, A_TSS32
	movl	$TSS2, %esi
	movl	$DATA + 0x1000 - 0x30, %edi
	movl	$0x1a, %ecx
	rep movsl
	movl	$0, PAGES + 0x1000 + (DATA + 0x1000) / 0x400
	invlpg	DATA + 0x1000
	I	ljmp $X, $0
1:	E	PF
	BITS	"cr2", r_cr2, 0xfffff000, DATA+0x1000
	CURRENT	MAINTSS
	BUSY	0x8b, 0x89
	movl	%cr0, %eax
	andl	$0x7fffffff, %eax
	movl	%eax, %cr0
	jmp	1f
1:	movl	$0, %eax
	movl	%eax, %cr3

ports:	# The I/O permission bitmap.
	T	"restore the task"
	xorl	%eax, %eax
	call	tasks
	OK
	.set	PORT, 0xe80		# nobody's, and a multiple of 8
	.macro	PORTS text:req, bytes:req, want:req, port:req, instruction:vararg
	T	"\text"
	movl	$\bytes, TSS + 0x88 + PORT / 8
	RING	3
	movl	$\port, %edx
	I	\instruction
	.if	\want == BP
	OK
	.else
	E	\want
	.endif
	.endm
	PORTS	"byte that is allowed", 0xfffffffe, BP, PORT, inb %dx, %al
	PORTS	"byte that is not", 1, GP, PORT, inb %dx, %al
	PORTS	"byte at bit 7 that is allowed", 0xffffff7f, BP, PORT+7, inb %dx, %al
	PORTS	"byte at bit 7 that is not", 0x80, GP, PORT+7, inb %dx, %al
	PORTS	"word that is allowed", 0xfffffff9, BP, PORT+1, inw %dx, %ax
	PORTS	"word whose first byte is not", 2, GP, PORT+1, inw %dx, %ax
	PORTS	"word whose second byte is not", 4, GP, PORT+1, inw %dx, %ax
	PORTS	"word across bytes of the bitmap that is allowed", 0xfffffe7f, BP, PORT+7, inw %dx, %ax
	PORTS	"word across bytes of the bitmap that is not", 0x100, GP, PORT+7, inw %dx, %ax
	PORTS	"dword that is allowed", 0xffffff0f, BP, PORT+4, inl %dx, %eax
	.irp	bit, 4, 5, 6, 7
	PORTS	"dword whose bit \bit is set", 1<<\bit, GP, PORT+4, inl %dx, %eax
	.endr
	PORTS	"dword across bytes of the bitmap that is allowed", 0xfffffc3f, BP, PORT+6, inl %dx, %eax
	PORTS	"dword across bytes of the bitmap that is not", 0x200, GP, PORT+6, inl %dx, %eax
	PORTS	"out that is not allowed", 1, GP, PORT, outb %al, %dx
	PORTS	"ins that is not allowed", 1, GP, PORT, insb
	PORTS	"outs that is not allowed", 1, GP, PORT, outsb
	movl	$0, TSS + 0x88 + PORT / 8
	T	"out of an immediate port that is not allowed"
	movb	$1, TSS + 0x88 + 0x80 / 8
	RING	3
	I	outb %al, $0x80
	E	GP
	movb	$0, TSS + 0x88 + 0x80 / 8
	T	"iopl 3 needs no bitmap"
	movb	$1, TSS + 0x88 + PORT / 8
	RING	3, F_IOPL3|2
	movl	$PORT, %edx
	inb	%dx, %al
	OK
	movb	$0, TSS + 0x88 + PORT / 8
	T	"the last port"
	RING	3
	movl	$0xffff, %edx
	inb	%dx, %al
	OK
	.macro	LIMITED text:req, limit:req, map:req, type:req, want:req, port:req, instruction:vararg
	T	"\text"
	movl	$\map << 16, TSS + 0x64
	DESC	MAINTSS, TSS, \limit, \type
	movl	$MAINTSS, %eax
	ltr	%ax
	RING	3
	movl	$\port, %edx
	I	\instruction
	.if	\want == BP
	OK
	.else
	E	\want
	.endif
	.endm
	# Two bytes of the bitmap are read always.
	LIMITED	"bitmap that ends with the port's byte", 0x100, 0x88, A_TSS32, GP, (0x100-0x88)*8, inb %dx, %al
	LIMITED	"bitmap that ends a byte later", 0x101, 0x88, A_TSS32, BP, (0x100-0x88)*8, inb %dx, %al
	LIMITED	"bitmap beyond the limit", 0x2088, 0x2089, A_TSS32, GP, 0, inb %dx, %al
	LIMITED	"bitmap far beyond the limit", 0x2088, 0xffff, A_TSS32, GP, 0x1000, inb %dx, %al
	T	"a 16-bit tss has no bitmap"
	movl	$0x880000, TSS + 0x64
	movl	$DATA0 << 16 | 0xfe00, TSS2 + 2
	DESC	X, TSS2, 0x67, A_TSS16
	movl	$X, %eax
	ltr	%ax
	movw	$0, TSS2 + MAP
	RING	3
	movl	$PORT, %edx
	I	inb %dx, %al
	E	GP
	jmp	finish

# user_task makes the task one of level 3.
user_task:
	movl	$CODE3, TSS2 + CS_
	.irp	s, ES_, SS_, DS_, FS_, GS_
	movl	$DATA3, TSS2 + \s
	.endr
	ret

# narrow_task makes TSS2 a 16-bit TSS, whose code and stack lie in the 64 KiB
# from BASE.
narrow_task:
	DESC	X, TSS2, 0x2b, A_TSS16
	movl	$TSS2, %edi
	xorl	%eax, %eax
	movl	$0x20, %ecx
	rep stosl
	movw	$F_CF|2, TSS2 + FLAGS
	.irp	n, 0, 1, 2, 3, 5, 6, 7
	movw	$0x1111*(\n+1), TSS2 + AX + 2 * \n
	.endr
	movw	$0xff00, TSS2 + SP
	movw	$DATA3, TSS2 + ES16
	movw	$CODE16, TSS2 + ES16 + 2
	movw	$DATA16, TSS2 + ES16 + 4
	movw	$DATA0, TSS2 + ES16 + 6
	ret

	.text	2
end_image:
