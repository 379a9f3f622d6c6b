# Virtual-8086 mode and real mode (Intel SDM Vol. 3B, "8086 Emulation"; Vol. 2,
# "INT n/INTO/INT3/INT1", "IRET", "CLI", "STI", "PUSHF", "POPF").

	.include "common.inc"

	.set	X2, 0x88
	.set	SOFT, 0x31
	.set	LOW, 0xe000		# code that a 16-bit offset reaches
	.set	SEG, BASE>>4
	.set	PLAY, 0x8000		# DATA as a segment
	.set	SP0, 0x8000		# of a mode's macro
	.set	SS0, (BASE+0x10000)>>4
	.set	BEYOND, 0x2f000		# more than 64 KiB above BASE; going there does no harm
	.set	CR4_VME, 1
	.set	CR4_PVI, 2

	.text	1
features: .long	0			# CPUID.1:EDX
	.text	0

main:
	movl	$1, %eax
	cpuid
	movl	%edx, features
	call	sensitive
	call	calls_out
	call	limits
	btl	$1, features
	jnc	1f
	call	extensions
1:	call	real
	jmp	finish

	.text	1
return:	.long	0
	.text	0

	.macro	ON register:req, bits:req
	movl	%\register, %eax
	orl	$\bits, %eax
	movl	%eax, %\register
	.endm

	.macro	OFF register:req, bits:req
	movl	%\register, %eax
	andl	$~(\bits), %eax
	movl	%eax, %\register
	.endm

# VIRTUAL is a check of one instruction in virtual-8086 mode.
	.macro	VIRTUAL text:req, flags:req, want:req, code:req, instruction:vararg
	T	"\text"
	V86	\flags
	I	\instruction
	.if	\want == BP
	OK16
	.else
	E16	\want, \code
	.endif
	.endm

# PUSHED has in EAX what an instruction pushed in virtual-8086 mode.
	.macro	PUSHED text:req, flags:req, instruction:req
	T	"\text"
	V86	\flags
	\instruction
	popl	%eax
	OK16
	.endm

sensitive:
	popl	return
	.irp	instruction, cli, sti, pushfw, popfw, pushfl, popfl, "int $SOFT", ".byte 0xcd, 3", iretw, iretl
	VIRTUAL	"iopl 0: \instruction", 2, GP, 0, \instruction
	BITS	"vm and rf", r_eflags, F_VM|F_RF, F_VM|F_RF
	EQ	"esp", r_esp, $SP0
	VIRTUAL	"iopl 2: \instruction", 0x2002, GP, 0, \instruction
	.endr
	.irp	instruction, hlt, "movl %cr0, %eax", "movl %eax, %cr0", "movl %cr2, %eax", "movl %dr7, %eax", "movl %eax, %dr0", "lgdt 0", "lidt 0", "lmsw %ax", clts, "invlpg 0", invd, wbinvd
	VIRTUAL	"virtual: \instruction", F_IOPL3|2, GP, 0, \instruction
	.endr
	btl	$5, features		# MSR
	jnc	1f
	.irp	instruction, rdmsr, wrmsr
	VIRTUAL	"virtual: \instruction", F_IOPL3|2, GP, 0, \instruction
	.endr
1:
	.irp	instruction, "larw %ax, %bx", "lslw %ax, %bx", "verr %ax", "verw %ax", "arpl %ax, %bx", "sldt %ax", "str %ax", "lldt %ax", "ltr %ax"
	VIRTUAL	"virtual: \instruction", F_IOPL3|2, UD, 0, \instruction
	.endr
	.irp	instruction, "smsw %ax", "sgdt 0xff00", "sidt 0xff00", "movw %cs, %ax", "cpuid"
	VIRTUAL	"virtual: \instruction", 2, BP, 0, \instruction
	.endr
	VIRTUAL	"iopl 3: cli", F_IOPL3|F_IF|2, BP, 0, cli
	BITS	"if", r_eflags, F_IF, 0
	VIRTUAL	"iopl 3: sti", F_IOPL3|2, BP, 0, sti
	BITS	"if", r_eflags, F_IF, F_IF
	PUSHED	"iopl 3: pushf", F_IOPL3|F_IF|F_CF|2, pushfw
	BITS	"image", r_eax, 0xffff, F_IOPL3|F_IF|F_CF|2
	PUSHED	"iopl 3: pushfd hides vm and rf", F_IOPL3|F_AC|F_RF|2, pushfl
	EQ	"image", r_eax, $F_IOPL3|F_AC|2
	T	"iopl 3: popf keeps iopl"
	V86	F_IOPL3|2
	pushw	$F_IF|F_CF|2
	popfw
	OK16
	BITS	"eflags", r_eflags, F_IOPL3|F_IF|F_CF|F_VM, F_IOPL3|F_IF|F_CF|F_VM
	T	"iopl 3: popfd keeps iopl, vm, vif and vip"
	V86	F_IOPL3|F_VIF|2
	pushl	$F_VIP|F_AC|F_ID|2
	popfl
	OK16
	BITS	"eflags", r_eflags, F_IOPL3|F_VM|F_VIF|F_VIP|F_AC|F_ID, F_IOPL3|F_VM|F_VIF|F_AC|F_ID
	T	"iopl 3: iret"
	V86	F_IOPL3|2
	pushw	$F_IF|F_CF|2
	pushw	$SEG
	pushw	$1f-begin_image
	iretw
1:	OK16
	BITS	"eflags", r_eflags, F_IOPL3|F_IF|F_CF|F_VM, F_IOPL3|F_IF|F_CF|F_VM
	EQ	"esp", r_esp, $SP0
	T	"iopl 3: iretd stays in virtual-8086 mode"
	V86	F_IOPL3|2
	pushl	$F_CF|F_AC|2
	pushl	$SEG
	pushl	$1f-begin_image
	iretl
1:	OK16
	BITS	"eflags", r_eflags, F_IOPL3|F_IF|F_CF|F_VM|F_AC, F_IOPL3|F_CF|F_VM|F_AC
	# The bitmap of ports is asked whatever IOPL is.
	.set	PORT, 0xe80
	T	"port that is allowed, with iopl 0"
	V86
	movw	$PORT, %dx
	inb	%dx, %al
	OK16
	movb	$1, TSS + 0x88 + PORT / 8
	T	"port that is not allowed, with iopl 3"
	V86	F_IOPL3|2
	movw	$PORT, %dx
	I	inb %dx, %al
	E16	GP
	movb	$0, TSS + 0x88 + PORT / 8
	jmp	*return

# How interrupts and exceptions leave virtual-8086 mode.
calls_out:
	popl	return
	T	"frame of an interrupt"
	V86	F_IOPL3|F_IF|F_CF|2
	int	$SOFT
1:	int3
	.code32
9:	EQ	"vector", r_vec, $SOFT
	EQ	"eip", r_eip, $1b-begin_image
	EQ	"cs", r_cs, $SEG
	BITS	"eflags", r_eflags, F_VM|F_IOPL3|F_IF|F_CF|F_RF, F_VM|F_IOPL3|F_IF|F_CF
	EQ	"esp", r_esp, $SP0
	EQ	"ss", r_ss, $SS0
	EQ	"es", r_es, $0x2002
	EQ	"ds", r_ds, $0x1000
	EQ	"fs", r_fs, $0x3003
	EQ	"gs", r_gs, $0x4004
	EQ	"frame", r_frame, $STACK0-36
	BITS	"flags of the handler", r_now, F_VM|F_IF|F_TF|F_NT|F_RF, 0
	T	"segments of the handler"
	GATE	IDT+8*SOFT, CODE0, 1f, 0xee
	V86	F_IOPL3|2
	movl	$-1, %eax
	movl	%eax, %ebx
	movl	%eax, %ecx
	movl	%eax, %edx
	int	$SOFT
	.code32
1:	movl	%ds, %eax
	movl	%es, %ebx
	movl	%fs, %ecx
	movl	%gs, %edx
	OK
	EQ	"ds", r_eax, $0
	EQ	"es", r_ebx, $0
	EQ	"fs", r_ecx, $0
	EQ	"gs", r_edx, $0
	EQ	"ss", r_ss, $DATA0
	T	"handler that reads through ds"
	GATE	IDT+8*SOFT, CODE0, 1f, 0xee
	V86	F_IOPL3|2
	int	$SOFT
	.code32
1:	I	movl 0x1000, %eax
	E	GP
	T	"interrupt gate of 16 bits"
	movb	$0xcc, LOW
	GATE	IDT+8*SOFT, CODE0, LOW, 0xe6
	V86	F_IOPL3|2
	int	$SOFT
1:	int3
	.code32
9:	call	verify
	.long	BP, 0, LOW+1
	EQ	"esp", r_esp, $STACK0-18
	EQ	"return", STACK0-18, $(SEG<<16)+(1b-begin_image)
	EQ	"flags and sp", STACK0-14, $(SP0<<16)+(F_IOPL3|2)
	EQ	"ss and es", STACK0-10, $(0x2002<<16)+SS0
	EQ	"ds and fs", STACK0-6, $(0x3003<<16)+0x1000
	BITS	"gs", STACK0-2, 0xffff, 0x4004
	T	"interrupt and return"
	GATE	IDT+8*SOFT, CODE0, 1f, 0xee
	V86	F_IOPL3|F_CF|2
	movw	$0x4321, %cx
	int	$SOFT
	jmp	2f
	.code32
1:	iretl
	.code16
2:	OK16
	EQ	"cs", r_cs, $SEG
	EQ	"ds", r_ds, $0x1000
	EQ	"gs", r_gs, $0x4004
	EQ	"esp", r_esp, $SP0
	BITS	"eflags", r_eflags, F_VM|F_IOPL3|F_CF, F_VM|F_IOPL3|F_CF
	.macro	LED text:req, selector:req, access:req, want:req, code:req
	T	"\text"
	GATE	IDT+8*SOFT, \selector, stubs, \access
	V86	F_IOPL3|2
	I	int $SOFT
	E16	\want, \code
	.endm
	LED	"interrupt gate of dpl 0", CODE0, 0x8e, GP, SOFT*8+2
	LED	"interrupt gate of dpl 2", CODE0, 0xce, GP, SOFT*8+2
	LED	"interrupt gate that is not present", CODE0, 0x6e, NP, SOFT*8+2
	LED	"handler of level 1", CODE1, 0xee, GP, CODE1&~3
	LED	"handler of level 3", CODE3, 0xee, GP, CODE3&~3
	DESC	X, 0, 0xfffff, 0x9f, 0xc
	LED	"handler of conforming code", X, 0xee, GP, X
	DESC	X, 0, 0xfffff, 0x1b, 0xc
	LED	"handler that is not present", X, 0xee, NP, X
	UNVECTOR SOFT
	T	"exception to a handler of level 1"
	GATE	IDT+8*UD, CODE1, stubs, 0x8e
	V86
	I	ud2
	.code32
9:	UNVECTOR UD
	EQ	"vector", r_vec, $GP
	EQ	"code", r_err, $(CODE1&~3)+1
	T	"int3 with iopl 0"
	V86
	int3
	.code32
9:	EQ	"vector", r_vec, $BP
	EQ	"eip", r_eip, $9b-begin_image
	T	"int3 through a gate of dpl 0"
	movb	$0x8e, IDT + 8 * BP + 5
	V86
	I	int3
	.code32
9:	movb	$0xee, IDT + 8 * BP + 5
	EQ	"vector", r_vec, $GP
	EQ	"code", r_err, $BP*8+2
	T	"into with iopl 0"
	V86	F_OF|2
	into
1:	int3
	.code32
9:	EQ	"vector", r_vec, $OF
	EQ	"eip", r_eip, $1b-begin_image
	T	"divide error"
	V86
	xorw	%cx, %cx
	I	divw %cx
	E16	DE
	BITS	"rf", r_eflags, F_RF, F_RF
	T	"iret to virtual-8086 mode beyond 64 KiB"
	movl	$0xcccccccc, DATA	# for who goes there
	movl	$0xcccccccc, DATA + 0x10000
	.rept	4
	pushl	$0
	.endr
	pushl	$SS0
	pushl	$SP0
	pushl	$F_VM|2
	pushl	$PLAY
	pushl	$0x10000
	I	iretl
	E	GP
	BITS	"vm", r_eflags, F_VM, 0
	EQ	"esp", r_esp, $STACK-36
	T	"iret to virtual-8086 mode drops the upper halves of selectors"
	pushl	$0xffff4004
	pushl	$0xffff3003
	pushl	$0xffff1000
	pushl	$0xffff2002
	pushl	$0xffff0000|SS0
	pushl	$SP0
	pushl	$F_VM|2
	pushl	$0xffff0000|SEG
	pushl	$1f-begin_image
	iretl
	.code16
1:	OK16
	EQ	"cs", r_cs, $SEG
	EQ	"gs", r_gs, $0x4004
	EQ	"fs", r_fs, $0x3003
	T	"far call and return"
	V86
	lcallw	$SEG, $1f-begin_image
	jmp	2f
1:	lretw
2:	OK16
	EQ	"esp", r_esp, $SP0
	T	"segments are bases"
	movl	$0x13572468, DATA + 0x128
	V86
	movw	$PLAY+0x12, %ax
	movw	%ax, %es
	movl	%es:8, %eax
	OK16
	EQ	"value", r_eax, $0x13572468
	jmp	*return

# EDGES are checks of the 64-KiB limit, in both modes; CHECK names the macro.
	.macro	EDGES CHECK:req
	\CHECK	"byte at the end", BP, movb %es:0xffff, %al
	\CHECK	"word across the end", GP, movw %es:0xffff, %ax
	\CHECK	"word at the end", BP, movw %es:0xfffe, %ax
	\CHECK	"dword across the end", GP, movl %es:0xfffd, %eax
	\CHECK	"write across the end", GP, movl %eax, %es:0xfffd
	\CHECK	"offset above 64 KiB", GP, movb %es:(%ebx), %al
	\CHECK	"offset above 64 KiB through ebp", SS, movb (%ebp), %al
	\CHECK	"offset that wraps", BP, movw %es:3(%di), %ax
	\CHECK	"word of the stack across the end", SS, movw %ss:(%di), %ax
	\CHECK	"lods across the end", GP, lodsw %es:(%si), %ax
	\CHECK	"lods at the end", BP, lodsb %es:(%si), %al
	BITS	"si", r_esi, 0xffff, 0
	\CHECK	"stos across the end", GP, stosl
	\CHECK	"jump beyond the end", GP, jmpl *%edx
	\CHECK	"call beyond the end", GP, calll *%edx
	\CHECK	"far jump beyond the end", GP, ljmpl $PLAY, $0x10000
	\CHECK	"lea wraps", BP, leaw 3(%di), %ax
	BITS	"ax", r_eax, 0xffff, 2
	\CHECK	"loop counts in cx", BP, loop 5b
	EQ	"ecx", r_ecx, $0xffff0000
	\CHECK	"write through cs", BP, movw %ax, %cs:0xff00
	.endm

# EDGE is the instruction of such a check, and what must come of it.
	.macro	EDGE want:req, instruction:vararg
	movw	$PLAY, %ax
	movw	%ax, %es
	movl	$0x10000, %ebx
	movl	%ebx, %ebp
	movw	$0xffff, %di
	movw	%di, %si
	movl	$0xffff0001, %ecx
	movl	$BEYOND-BASE, %edx
	xorw	%ax, %ax
	I	\instruction
	.if	\want == BP
	OK16
	.else
	E16	\want
	.endif
	.endm

	.macro	VIRTUAL_EDGE text:req, want:req, instruction:vararg
	T	"virtual: \text"
	V86
	EDGE	\want, \instruction
	.endm

	.macro	REAL_EDGE text:req, want:req, instruction:vararg
	T	"real: \text"
	REAL
	EDGE	\want, \instruction
	.endm

limits:
	popl	return
	movl	$0xcccccccc, BEYOND
	EDGES	VIRTUAL_EDGE
	T	"virtual: push across the end"
	V86
	movw	$1, %sp
	I	pushw %ax
	E16	SS
	T	"virtual: pop across the end"
	V86
	movw	$0xffff, %sp
	I	popw %ax
	E16	SS
	T	"virtual: push wraps"
	V86
	xorw	%sp, %sp
	pushw	%ax
	OK16
	EQ	"esp", r_esp, $0xfffe
	T	"virtual: fetch across the end"
	movb	$0xb8, DATA + 0xffff
	V86
	ljmpw	$PLAY, $0xffff
	.code32
9:	EQ	"vector", r_vec, $GP
	EQ	"code", r_err, $0
	EQ	"eip", r_eip, $0xffff
	jmp	*return

# CR4.VME and CR4.PVI.
extensions:
	popl	return
	ON	cr4, CR4_VME
	.macro	REDIRECT vector:req, handler:req
	movw	$\handler-begin_image, 4 * \vector
	movw	$SEG, 4 * \vector + 2
	.endm
	.set	SP1, 0x4000		# for frames that are looked at
	.set	IMAGE, SS0*16+SP1-6
	T	"vme: int n below iopl 3"
	REDIRECT SOFT, 1f
	V86	F_VIF|F_CF|2
	movw	$SP1, %sp
	int	$SOFT
2:	int3
1:	OK16
	EQ	"esp", r_esp, $SP1-6
	EQ	"return", IMAGE, $(SEG<<16)+(2b-begin_image)
	BITS	"flags", IMAGE+4, 0xffff, F_IOPL3|F_IF|F_CF|2
	BITS	"eflags", r_eflags, F_VM|F_VIF|F_IOPL3|F_CF|F_TF, F_VM|F_CF
	T	"vme: int n below iopl 3, with vif clear"
	REDIRECT SOFT, 1f
	V86	F_IF|2
	movw	$SP1, %sp
	int	$SOFT
1:	OK16
	BITS	"flags", IMAGE+4, 0xffff, F_IOPL3|2
	BITS	"if", r_eflags, F_IF|F_VIF, F_IF
	T	"vme: int n with iopl 3"
	REDIRECT SOFT, 1f
	V86	F_IOPL3|F_IF|F_VIF|2
	movw	$SP1, %sp
	int	$SOFT
1:	OK16
	BITS	"flags", IMAGE+4, 0xffff, F_IOPL3|F_IF|2
	BITS	"eflags", r_eflags, F_IF|F_VIF|F_IOPL3, F_VIF|F_IOPL3
	T	"vme: int3 is not redirected"
	V86
	int3
	.code32
9:	EQ	"vector", r_vec, $BP
	T	"vme: int 3 of two bytes is"
	movl	4 * BP, %ebx
	REDIRECT BP, 1f
	V86
	.byte	0xcd, 3
1:	OK16
	EQ	"esp", r_esp, $SP0-6
	movw	$stubs16-begin_image+9, 4 * BP
	movb	$1 << (SOFT & 7), TSS + 0x68 + SOFT / 8
	T	"vme: int n that is not redirected, below iopl 3"
	V86
	I	int $SOFT
	E16	GP
	T	"vme: int n that is not redirected, with iopl 3"
	V86	F_IOPL3|F_IF|2
	int	$SOFT
	.code32
9:	EQ	"vector", r_vec, $SOFT
	EQ	"cs", r_cs, $SEG
	movb	$0, TSS + 0x68 + SOFT / 8
	VIRTUAL	"vme: cli", F_VIF|F_IF|2, BP, 0, cli
	BITS	"eflags", r_eflags, F_VIF|F_IF, F_IF
	VIRTUAL	"vme: sti", 2, BP, 0, sti
	BITS	"eflags", r_eflags, F_VIF|F_IF, F_VIF
	VIRTUAL	"vme: sti with vip", F_VIP|2, GP, 0, sti
	VIRTUAL	"vme: cli with vip", F_VIP|2, BP, 0, cli
	VIRTUAL	"vme: sti with iopl 3 and vip", F_IOPL3|F_VIP|2, BP, 0, sti
	BITS	"eflags", r_eflags, F_VIF|F_IF, F_IF
	PUSHED	"vme: pushf", F_VIF|2, pushfw
	BITS	"image", r_eax, 0xffff, F_IOPL3|F_IF|2
	PUSHED	"vme: pushf with vif clear", F_IF|2, pushfw
	BITS	"image", r_eax, 0xffff, F_IOPL3|2
	PUSHED	"vme: pushf with iopl 3", F_IOPL3|F_VIF|2, pushfw
	BITS	"image", r_eax, 0xffff, F_IOPL3|2
	VIRTUAL	"vme: pushfd", 2, GP, 0, pushfl
	VIRTUAL	"vme: popfd", 2, GP, 0, popfl
	VIRTUAL	"vme: iretd", 2, GP, 0, iretl
	.macro	POPPED text:req, flags:req, image:req, want:req
	T	"vme: popf \text"
	V86	\flags
	pushw	$\image
	I	popfw
	.if	\want == BP
	OK16
	.else
	E16	\want
	EQ	"esp", r_esp, $SP0-2
	.endif
	.endm
	POPPED	"sets vif", 2, F_IF|F_CF|F_IOPL3|2, BP
	BITS	"eflags", r_eflags, F_VIF|F_IF|F_CF|F_IOPL3, F_VIF|F_CF
	POPPED	"clears vif", F_VIF|F_IF|2, 2, BP
	BITS	"eflags", r_eflags, F_VIF|F_IF, F_IF
	POPPED	"of tf", 2, F_TF|2, GP
	POPPED	"of if with vip", F_VIP|2, F_IF|2, GP
	POPPED	"without if with vip", F_VIP|2, 2, BP
	.macro	RETURNED text:req, flags:req, image:req, want:req
	T	"vme: iret \text"
	V86	\flags
	pushw	$\image
	pushw	$SEG
	pushw	$1f-begin_image
	I	iretw
1:
	.if	\want == BP
	OK16
	.else
	E16	\want
	EQ	"esp", r_esp, $SP0-6
	.endif
	.endm
	RETURNED "sets vif", 2, F_IF|F_CF|2, BP
	BITS	"eflags", r_eflags, F_VIF|F_IF|F_CF|F_IOPL3, F_VIF|F_CF
	EQ	"esp", r_esp, $SP0
	RETURNED "clears vif", F_VIF|F_IF|2, 2, BP
	BITS	"eflags", r_eflags, F_VIF|F_IF, F_IF
	RETURNED "of tf", 2, F_TF|2, GP
	RETURNED "of if with vip", F_VIP|2, F_IF|2, GP
	T	"vme: the bitmap of redirections beyond the tss"
	movl	$0x20880000, TSS + 0x64
	movb	$1, TSS + 0x2088 - 32
	DESC	MAINTSS, TSS, 0x1000, A_TSS32
	movl	$MAINTSS, %eax
	ltr	%ax
	V86
	I	int $SOFT
	E16	GP
	movb	$0, TSS + 0x2088 - 32
	movl	$0x880000, TSS + 0x64
	DESC	MAINTSS, TSS, 0x2088, A_TSS32
	movl	$MAINTSS, %eax
	ltr	%ax
	OFF	cr4, CR4_VME
	# Protected mode.
	T	"without pvi: cli at level 3"
	RING	3, F_VIF|2
	I	cli
	E	GP
	ON	cr4, CR4_PVI
	.macro	PROTECTED text:req, level:req, flags:req, want:req, instruction:vararg
	T	"pvi: \text"
	RING	\level, \flags
	I	\instruction
	.if	\want == BP
	OK
	.else
	E	\want
	.endif
	.endm
	PROTECTED "cli", 3, F_VIF|F_IF|2, BP, cli
	BITS	"eflags", r_eflags, F_VIF|F_IF, F_IF
	PROTECTED "sti", 3, 2, BP, sti
	BITS	"eflags", r_eflags, F_VIF|F_IF, F_VIF
	PROTECTED "sti with vip", 3, F_VIP|2, GP, sti
	PROTECTED "sti with iopl 3", 3, F_IOPL3|2, BP, sti
	BITS	"eflags", r_eflags, F_VIF|F_IF, F_IF
	PROTECTED "cli at level 2", 2, F_VIF|2, GP, cli
	PROTECTED "sti at level 1", 1, 2, GP, sti
	T	"pvi: pushf shows if"
	RING	3, F_VIF|2
	pushfl
	popl	%eax
	OK
	BITS	"image", r_eax, F_IF|F_IOPL3|F_VIF, F_VIF
	T	"pvi: popf keeps vif"
	RING	3, F_VIF|2
	pushl	$2
	popfl
	OK
	BITS	"eflags", r_eflags, F_IF|F_VIF, F_VIF
	OFF	cr4, CR4_PVI
	jmp	*return

real:
	popl	return
	EDGES	REAL_EDGE
	.irp	instruction, "larw %ax, %bx", "lslw %ax, %bx", "verr %ax", "verw %ax", "arpl %ax, %bx", "sldt %ax", "str %ax", "lldt %ax", "ltr %ax"
	T	"real: \instruction"
	REAL
	I	\instruction
	E16	UD
	.endr
	.irp	instruction, "smsw %ax", cli, sti, clts, "movl %cr0, %eax", "movl %dr7, %eax", "sgdt 0xff00", wbinvd
	T	"real: \instruction"
	REAL
	I	\instruction
	OK16
	.endr
	T	"real: fetch across the end"
	movb	$0xb8, DATA + 0xffff
	REAL
	ljmpw	$PLAY, $0xffff
	.code32
9:	EQ	"vector", r_vec, $GP
	EQ	"eip", r_eip, $0xffff
	EQ	"cs", r_cs, $PLAY
	T	"real: frame of an interrupt"
	REDIRECT SOFT, 1f
	REAL
	movw	$SP1, %sp
	pushl	$F_AC|F_IF|F_CF|2
	popfl
	int	$SOFT
2:	int3
1:	pushfl
	popl	%edx
	OK16
	EQ	"esp", r_esp, $SP1-6
	EQ	"return", IMAGE, $(SEG<<16)+(2b-begin_image)
	BITS	"flags", IMAGE+4, 0xffff, F_IF|F_CF|2
	BITS	"flags of the handler", r_edx, F_IF|F_TF|F_AC|F_CF, F_CF
	T	"real: iret"
	REAL
	pushw	$F_IF|F_NT|F_IOPL3|F_CF|2
	pushw	$SEG
	pushw	$1f-begin_image
	iretw
1:	pushfl
	popl	%edx
	OK16
	BITS	"eflags", r_edx, 0xffff, F_IF|F_NT|F_IOPL3|F_CF|2
	EQ	"esp", r_esp, $SP0
	T	"real: iretd keeps vm and vip"
	REAL
	pushl	$F_AC|F_ID|F_VM|F_VIP|F_CF|2
	pushl	$SEG
	pushl	$1f-begin_image
	iretl
1:	pushfl
	popl	%edx
	OK16
	BITS	"eflags", r_edx, F_AC|F_ID|F_VM|F_VIP|F_CF, F_AC|F_ID|F_CF
	T	"real: popf loads iopl and nt"
	REAL
	pushw	$F_IOPL3|F_NT|2
	popfw
	pushfw
	popw	%dx
	OK16
	BITS	"flags", r_edx, F_IOPL3|F_NT, F_IOPL3|F_NT
	T	"real: interrupt table elsewhere"
	movw	$1f-begin_image, DATA + 4 * SOFT
	movw	$SEG, DATA + 4 * SOFT + 2
	REAL
	lidtl	elsewhere - begin_image
	int	$SOFT
1:	lidtl	ivt_pointer - begin_image
	OK16
	EQ	"esp", r_esp, $SP0-6
	T	"real: interrupt beyond the table"
	REAL
	lidtl	short_ivt - begin_image
	I	int $SOFT
	E16	GP
	EQ	"esp", r_esp, $SP0
	T	"real: divide error"
	REAL
	xorw	%cx, %cx
	I	divw %cx
	E16	DE
	T	"real: bound"
	REAL
	movw	$5, %ax
	I	boundw %ax, within - begin_image
	E16	BR
	T	"real: push sp"
	REAL
	pushw	%sp
	popw	%ax
	OK16
	BITS	"ax", r_eax, 0xffff, SP0
	T	"real: above 1 MiB"
	movl	$0x24681357, 0x100008
	REAL
	movw	$0xffff, %ax
	movw	%ax, %es
	movl	%es:0x18, %eax
	OK16
	EQ	"value", r_eax, $0x24681357
	T	"real: push wraps"
	REAL
	xorw	%sp, %sp
	pushw	%ax
	OK16
	EQ	"esp", r_esp, $0xfffe
	T	"real: rep counts in cx"
	REAL
	movl	$0xffff0002, %ecx
	movl	$0xffff0010, %edi
	movw	$PLAY, %ax
	movw	%ax, %es
	rep	stosb
	OK16
	EQ	"ecx", r_ecx, $0xffff0000
	EQ	"edi", r_edi, $0xffff0012
	T	"real: a limit of protected mode stays"
	movl	$0x55667788, DATA + 0x10010
	REAL
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	movw	$DATA0, %bx
	movw	%bx, %fs
	andb	$0xfe, %al
	movl	%eax, %cr0
	movl	$DATA+0x10010, %ebx
	movl %fs:(%ebx), %ecx
	movw	$PLAY, %dx
	movw	%dx, %fs
	movl	$0x10010, %ebx
	movl %fs:(%ebx), %edx
	OK16
	EQ	"flat", r_ecx, $0x55667788
	EQ	"with a new base", r_edx, $0x55667788
	T	"real: sysenter"
	btl	$11, features
	jnc	1f
	REAL
	I	sysenter
	E16	GP
1:	jmp	*return

	.text	1
elsewhere: .word 0x3ff
	.long	DATA
short_ivt: .word 0x3f
	.long	0
within:	.word	0, 4
	.text	0

	.text	2
end_image:
