# Debugging, double faults, alignment, NMIs, fast system calls, x87 errors and A20
# (Intel SDM Vol. 3B, "Debug, Branch Profile, TSC"; Vol. 3A, "Interrupt and
# Exception Handling"; Vol. 2, "SYSENTER", "SYSEXIT").

	.include "common.inc"

	.set	X2, 0x88
	.set	SOFT, 0x30
	.set	WATCH, DATA+0x10
	.set	PORT, 0xe80		# nobody's
	.set	CR4_DE, 8
	.set	CR0_EM, 4
	.set	CR0_TS, 8
	.set	CR0_AM, 0x40000
	.set	BD, 0x2000
	.set	BS, 0x4000
	.set	B0, 1

	# DR7: what breakpoint 0 is for.
	.set	L0, 1
	.set	G0, 2
	.set	GD, 0x2000
	.set	WRITE, 1<<16
	.set	IO, 2<<16
	.set	ACCESS, 3<<16
	.set	LEN2, 1<<18
	.set	LEN4, 3<<18

	.text	1
features: .long	0			# CPUID.1:EDX
nmis:	.long	0
nested:	.long	0
	.text	0

main:
	movl	$1, %eax
	cpuid
	movl	%edx, features
	call	breakpoints
	call	data_breakpoints
	call	registers
	call	steps
	call	double_faults
	call	alignment
	btl	$11, features
	jnc	1f
	call	fast_calls
1:	call	gate_a20
	call	self_nmi
	btl	$24, features
	jnc	2f
	call	x87_images
2:	call	x87_errors
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

# DEBUG begins a check with a breakpoint at an address; 0 and 0 for none.
	.macro	DEBUG text:req, at:req, control:req
	T	"\text"
	xorl	%eax, %eax
	movl	%eax, %dr7
	movl	%eax, %dr6
	movl	$\at, %eax
	movl	%eax, %dr0
	movl	$\control, %eax
	movl	%eax, %dr7
	xorl	%eax, %eax
	.endm

# QUIET takes the breakpoints away after a check.
	.macro	QUIET
	xorl	%eax, %eax
	movl	%eax, %dr7
	movl	%eax, %dr6
	.endm

# DR6 checks the bits that say why.
	.macro	REASON want:req
	BITS	"dr6", r_dr6, BD|BS|1, \want
	.endm

# TRACE sets TF: the next instruction is traced.
	.macro	TRACE
	pushl	$F_TF|2
	popfl
	.endm

breakpoints:
	popl	return
	.irp	enable, L0, G0
	DEBUG	"execution breakpoint \enable", 1f, \enable
1:	nop
	E	DB, 0, 1b
	REASON	B0
	BITS	"rf", r_eflags, F_RF, 0
	.endr
	DEBUG	"execution breakpoint at level 3", 1f, L0
	RING	3
1:	nop
	E	DB, 0, 1b
	REASON	B0
	DEBUG	"breakpoint that is not enabled", 1f, 4
1:	nop
	OK
	.irp	n, 1, 2, 3
	DEBUG	"execution breakpoint \n", 0, 0
	movl	$1f, %eax
	movl	%eax, %dr\n
	movl	$1<<(2*\n), %eax
	movl	%eax, %dr7
1:	nop
	E	DB, 0, 1b
	BITS	"dr6", r_dr6, BD|BS|(1<<\n), 1<<\n
	QUIET
	.endr
	DEBUG	"breakpoint of the first byte only", 1f+1, L0
1:	movl	$0, %eax
	OK
	DEBUG	"rf passes a breakpoint", 1f, L0
	pushl	$F_RF|2
	pushl	$CODE0
	pushl	$1f
	iretl
1:	nop
	OK
	DEBUG	"rf passes one instruction", 1f, L0|4
	movl	$2f, %eax
	movl	%eax, %dr1
	pushl	$F_RF|2
	pushl	$CODE0
	pushl	$1f
	iretl
1:	nop
2:	nop
	E	DB, 0, 2b
	BITS	"dr6", r_dr6, 2, 2
	DEBUG	"popf loads no rf", 1f, L0
	pushl	$F_RF|2
	popfl
1:	nop
	E	DB, 0, 1b
	DEBUG	"breakpoint after mov ss", 1f, L0
	movl	%ss, %eax
	movl	%eax, %ss
1:	nop
	OK
	DEBUG	"breakpoint after pop ss", 1f, L0
	pushl	%ss
	popl	%ss
1:	nop
	OK
	DEBUG	"breakpoint of an instruction that faults", 1f, L0
1:	ud2
	E	DB, 0, 1b
	DEBUG	"faults set rf", 0, 0
	I	ud2
	E	UD
	BITS	"rf", r_eflags, F_RF, F_RF
	DEBUG	"int n does not", 0, 0
	int	$SOFT
9:	EQ	"vector", r_vec, $SOFT
	BITS	"rf", r_eflags, F_RF, 0
	DEBUG	"int1", 0, 0
	.byte	0xf1
1:	E	DB, 0, 1b
	REASON	0
	QUIET
	jmp	*return

# WATCHED tries an instruction with a data breakpoint: it hits, after the
# instruction, or does not.
	.macro	WATCHED text:req, control:req, hit:req, instruction:vararg
	DEBUG	"\text", WATCH, L0|\control
	movl	$WATCH, %ebx
	movl	$WATCH, %esi
	movl	$WATCH, %edi
	\instruction
	.if	\hit
1:	nop
	E	DB, 0, 1b
	REASON	B0
	.else
	OK
	.endif
	.endm

data_breakpoints:
	popl	return
	WATCHED	"write to a byte", WRITE, 1, movb %al, (%ebx)
	WATCHED	"read of a byte that is watched for writes", WRITE, 0, movb (%ebx), %al
	WATCHED	"read of a byte", ACCESS, 1, movb (%ebx), %al
	WATCHED	"write to a byte that is watched for both", ACCESS, 1, movb %al, (%ebx)
	WATCHED	"write before a byte", WRITE, 0, movb %al, -1(%ebx)
	WATCHED	"write behind a byte", WRITE, 0, movb %al, 1(%ebx)
	WATCHED	"dword whose last byte is watched", WRITE, 1, movl %eax, -3(%ebx)
	WATCHED	"dword before a byte", WRITE, 0, movl %eax, -4(%ebx)
	WATCHED	"second byte of a word", WRITE|LEN2, 1, movb %al, 1(%ebx)
	WATCHED	"behind a word", WRITE|LEN2, 0, movb %al, 2(%ebx)
	WATCHED	"last byte of a dword", WRITE|LEN4, 1, movb %al, 3(%ebx)
	WATCHED	"behind a dword", WRITE|LEN4, 0, movb %al, 4(%ebx)
	WATCHED	"word across the start of a dword", WRITE|LEN4, 1, movw %ax, -1(%ebx)
	WATCHED	"word across the end of a dword", WRITE|LEN4, 1, movw %ax, 3(%ebx)
	WATCHED	"modify", WRITE, 1, incl (%ebx)
	WATCHED	"exchange", WRITE, 1, xchgl %eax, (%ebx)
	WATCHED	"bt of a watched dword", WRITE|LEN4, 0, btl $1, (%ebx)
	WATCHED	"bts of a watched dword", WRITE|LEN4, 1, btsl $1, (%ebx)
	WATCHED	"pop to memory", WRITE, 1, popl (%ebx)
	WATCHED	"push of memory", ACCESS, 1, pushl (%ebx)
	WATCHED	"stos", WRITE, 1, stosb
	WATCHED	"lods", ACCESS, 1, lodsb
	WATCHED	"fst of a real10 across", WRITE, 1, fstpt -9(%ebx)
	fninit
	WATCHED	"lea", ACCESS, 0, leal (%ebx), %eax
	WATCHED	"lfs", ACCESS, 1, lfs (%ebx), %eax
	WATCHED	"sidt", WRITE, 1, sidt -5(%ebx)
	DEBUG	"push", WATCH, L0|WRITE|LEN4
	movl	$WATCH+4, %esp
	pushl	%eax
1:	nop
	E	DB, 0, 1b
	REASON	B0
	DEBUG	"call", WATCH, L0|WRITE|LEN4
	movl	$WATCH+4, %esp
	call	1f
1:	nop
	E	DB, 0, 1b
	REASON	B0
	DEBUG	"at level 3", WATCH, L0|WRITE
	RING	3
	movb	%al, WATCH
1:	nop
	E	DB, 0, 1b
	EQ	"cs", r_cs, $CODE3
	DEBUG	"rep lods stops after the element", WATCH, L0|ACCESS
	movl	$WATCH-2, %esi
	movl	$8, %ecx
	I	rep lodsb
	E	DB
	EQ	"ecx", r_ecx, $5
	REASON	B0
	DEBUG	"rep lods stops after its last element", WATCH, L0|ACCESS
	movl	$WATCH-2, %esi
	movl	$3, %ecx
	rep	lodsb
1:	nop
	E	DB, 0, 1b
	EQ	"ecx", r_ecx, $0
	DEBUG	"two at once", WATCH, L0|4|WRITE|WRITE<<4
	movl	$WATCH+1, %eax
	movl	%eax, %dr1
	movw	%ax, WATCH
1:	nop
	E	DB, 0, 1b
	BITS	"dr6", r_dr6, 3, 3
	DEBUG	"a fault before the access is no hit", WATCH, L0|ACCESS
	DESC	X, WATCH, 3, A_DATA, 4
	movl	$X, %eax
	movw	%ax, %fs
	I	movl %fs:1, %eax
	E	GP
	REASON	0
	DEBUG	"mov to ss of what is watched", WATCH, L0|ACCESS
	QUIET
	movl	$DATA0, WATCH
	movl	$L0|ACCESS, %eax
	movl	%eax, %dr7
	movw	WATCH, %ss
	nop
1:	nop
	E	DB, 0, 1b
	REASON	B0
	btl	$2, features		# DE
	jnc	1f
	ON	cr4, CR4_DE
	.macro	PORTS text:req, control:req, hit:req, instruction:vararg
	DEBUG	"\text", PORT, L0|\control
	movl	$PORT, %edx
	\instruction
	.if	\hit
8:	nop
	E	DB, 0, 8b
	REASON	B0
	.else
	OK
	.endif
	.endm
	PORTS	"in from a watched port", IO, 1, inb %dx, %al
	PORTS	"out to a watched port", IO, 1, outb %al, %dx
	PORTS	"in from another port", IO|LEN4, 0, inb $0x80, %al
	PORTS	"dword from a watched port", IO, 1, inl %dx, %eax
	DEBUG	"last of four watched ports", PORT, L0|IO|LEN4
	movl	$PORT+3, %edx
	inb	%dx, %al
8:	nop
	E	DB, 0, 8b
	DEBUG	"behind four watched ports", PORT, L0|IO|LEN4
	movl	$PORT+4, %edx
	inb	%dx, %al
	OK
	DEBUG	"memory at the number of a watched port", PORT, L0|IO
	movb	PORT, %al
	OK
	QUIET
	OFF	cr4, CR4_DE
1:	QUIET
	jmp	*return

registers:
	popl	return
	.irp	instruction, "movl %dr0, %eax", "movl %eax, %dr3", "movl %dr6, %eax", "movl %dr7, %eax", "movl %eax, %dr7"
	DEBUG	"general detection: \instruction", 0, GD
	movl	$GD, %eax
	I	\instruction
	E	DB
	REASON	BD
	movl	%dr7, %ebx
	BITS	"gd", %ebx, GD, 0
	QUIET
	DEBUG	"at level 3: \instruction", 0, 0
	RING	3
	I	\instruction
	E	GP
	.endr
	DEBUG	"bits of dr6", 0, 0
	movl	$0, %eax
	movl	%eax, %dr6
	movl	%dr6, %ebx
	OK
	BITS	"zero", r_ebx, 0xfffe17f0, 0xfffe07f0
	DEBUG	"bits of dr7", 0, 0
	movl	$0xd000, %eax
	movl	%eax, %dr7
	movl	%dr7, %ebx
	OK
	EQ	"dr7", r_ebx, $0x400
	DEBUG	"dr4 and dr5 are dr6 and dr7", 0x12345678, 0
	movl	$0xffff4ff0, %eax
	movl	%eax, %dr6
	movl	%dr4, %ebx
	movl	%dr5, %ecx
	movl	%dr0, %edx
	OK
	BITS	"dr4", r_ebx, 0xe00f, 0x4000
	EQ	"dr5", r_ecx, $0x400
	EQ	"dr0", r_edx, $0x12345678
	btl	$2, features
	jnc	1f
	ON	cr4, CR4_DE
	.irp	n, 4, 5
	DEBUG	"cr4.de: mov from dr\n", 0, 0
	I	movl %dr\n, %eax
	E	UD
	DEBUG	"cr4.de: mov to dr\n", 0, 0
	I	movl %eax, %dr\n
	E	UD
	.endr
	OFF	cr4, CR4_DE
1:	jmp	*return

steps:
	popl	return
	DEBUG	"single step", 0, 0
	TRACE
	nop
1:	nop
	E	DB, 0, 1b
	REASON	BS
	BITS	"tf", r_eflags, F_TF|F_RF, F_TF
	BITS	"tf of the handler", r_now, F_TF, 0
	DEBUG	"single step over a jump", 0, 0
	TRACE
	jmp	1f
	nop
1:	nop
	E	DB, 0, 1b
	DEBUG	"iret that sets tf", 0, 0
	pushl	$F_TF|2
	pushl	$CODE0
	pushl	$1f
	iretl
1:	nop
2:	nop
	E	DB, 0, 2b
	REASON	BS
	DEBUG	"iret to level 3 that sets tf", 0, 0
	RING	3, F_TF|2
	nop
1:	nop
	E	DB, 0, 1b
	DEBUG	"popf that clears tf", 0, 0
	pushl	$2
	TRACE
	popfl
1:	nop
	E	DB, 0, 1b
	BITS	"tf", r_eflags, F_TF, 0
	REASON	BS
	DEBUG	"pushf with tf", 0, 0
	movl	$DATA+0x800, %esp
	TRACE
	pushfl
1:	nop
	E	DB, 0, 1b
	EQ	"image", DATA+0x800-4, $F_TF|2
	DEBUG	"int n with tf", 0, 0
	TRACE
	int	$SOFT
1:	nop
9:	EQ	"vector", r_vec, $SOFT
	EQ	"eip", r_eip, $1b
	BITS	"tf", r_eflags, F_TF, F_TF
	BITS	"tf of the handler", r_now, F_TF, 0
	DEBUG	"int3 with tf", 0, 0
	TRACE
	int3
9:	EQ	"vector", r_vec, $BP
	BITS	"tf", r_eflags, F_TF, F_TF
	DEBUG	"a fault with tf", 0, 0
	TRACE
	I	ud2
	E	UD
	BITS	"tf", r_eflags, F_TF, F_TF
	REASON	0
	DEBUG	"single step over rep", 0, 0
	movl	$DATA, %esi
	movl	$3, %ecx
	TRACE
	I	rep lodsb
	E	DB
	EQ	"ecx", r_ecx, $2
	EQ	"esi", r_esi, $DATA+1
	DEBUG	"single step over the last of rep", 0, 0
	movl	$DATA, %esi
	movl	$1, %ecx
	TRACE
	rep	lodsb
1:	nop
	E	DB, 0, 1b
	DEBUG	"single step over a rep of nothing", 0, 0
	xorl	%ecx, %ecx
	TRACE
	rep	lodsb
1:	nop
	E	DB, 0, 1b
	DEBUG	"single step over mov to ss", 0, 0
	movl	%ss, %eax
	TRACE
	movl	%eax, %ss
	nop
1:	nop
	E	DB, 0, 1b
	REASON	BS
	DEBUG	"single step over pop to ss", 0, 0
	pushl	%ss
	TRACE
	popl	%ss
	nop
1:	nop
	E	DB, 0, 1b
	DEBUG	"single step over lss", 0, 0
	movl	$STACK, DATA
	movl	$DATA0, DATA + 4
	TRACE
	lss	DATA, %esp
1:	nop
	E	DB, 0, 1b
	DEBUG	"single step over mov to ds", 0, 0
	movl	%ds, %eax
	TRACE
	movl	%eax, %ds
1:	nop
	E	DB, 0, 1b
	DEBUG	"single step over sti", 0, 0
	TRACE
	sti
1:	nop
	E	DB, 0, 1b
	DEBUG	"single step that hits a data breakpoint", WATCH, L0|WRITE
	TRACE
	movb	%al, WATCH
1:	nop
	E	DB, 0, 1b
	REASON	BS|B0
	DEBUG	"single step to an execution breakpoint", 1f, L0
	TRACE
	nop
1:	nop
	E	DB, 0, 1b
	BITS	"bs", r_dr6, BS, BS
	QUIET
	DEBUG	"single step in virtual-8086 mode", 0, 0
	V86	F_TF|2
	nop
1:	nop
	E16	DB, 0, 1b
	BITS	"vm", r_eflags, F_VM|F_TF, F_VM|F_TF
	DEBUG	"int1 with tf", 0, 0
	TRACE
	.byte	0xf1
1:	E	DB, 0, 1b
	REASON	0
	QUIET
	jmp	*return

# SECOND raises an exception whose gate is not present, or not good.
	.macro	SECOND text:req, vector:req, access:req, want:req, code:req, instruction:vararg
	T	"\text"
	movb	$\access, IDT + 8 * \vector + 5
	xorl	%ecx, %ecx
	movl	$0x200, %eax
	\instruction
	int3
9:	movb	$0xee, IDT + 8 * \vector + 5
	EQ	"vector", r_vec, $\want
	EQ	"code", r_err, $\code
	.endm

double_faults:
	popl	return
	SECOND	"#NP of #DE", DE, 0x6e, DF, 0, divl %ecx
	SECOND	"#GP of #DE", DE, 0x80, DF, 0, divl %ecx
	SECOND	"#NP of #GP", GP, 0x6e, DF, 0, movw %ax, %ds
	SECOND	"#GP of #GP", GP, 0x80, DF, 0, movw %ax, %ds
	SECOND	"#NP of #UD", UD, 0x6e, NP, UD*8+3, ud2
	SECOND	"#GP of #UD", UD, 0x80, GP, UD*8+3, ud2
	DESC	X, DATA, 0xff, 0x13, 4
	SECOND	"#NP of #SS", SS, 0x6e, DF, 0, movw notpresent, %ss
	SECOND	"#GP of #NP", NP, 0x80, DF, 0, movw notpresent, %ds
	movl	$0xff, DATA
	SECOND	"#NP of #BR", BR, 0x6e, NP, BR*8+3, bound %ecx, unbound
	SECOND	"#GP of an int n of a vector of faults", DE, 0x80, GP, DE*8+2, int $DE
	T	"double fault at level 3"
	movb	$0x6e, IDT + 8 * GP + 5
	RING	3
	hlt
9:	movb	$0xee, IDT + 8 * GP + 5
	EQ	"vector", r_vec, $DF
	EQ	"code", r_err, $0
	EQ	"esp", r_esp, $USTACK
	T	"double fault through a task gate"
	movl	$TSS2, %edi
	xorl	%eax, %eax
	movl	$0x1a, %ecx
	rep stosl
	movl	$1f, TSS2 + 0x20
	movl	$2, TSS2 + 0x24
	movl	$STACK1, TSS2 + 0x38
	movl	$CODE0, TSS2 + 0x4c
	.irp	s, 0x48, 0x50, 0x54, 0x58, 0x5c
	movl	$DATA0, TSS2 + \s
	.endr
	DESC	X, TSS2, 0x67, A_TSS32
	GATE	IDT+8*DF, X, 0, 0x85
	movb	$0x6e, IDT + 8 * GP + 5
	movl	$0x200, %eax
	movw	%ax, %ds
	int3
1:	popl	%ebx
	int3
9:	UNVECTOR DF
	movb	$0xee, IDT + 8 * GP + 5
	movb	$A_TSS32, GDT + MAINTSS + 5
	movl	$MAINTSS, %eax
	ltr	%ax
	clts
	EQ	"vector", r_vec, $BP
	EQ	"code", r_ebx, $0
	EQ	"esp", r_esp, $STACK1
	# With paging.
	movl	$PAGES + 0x1000, %edi
	movl	$7, %eax
	movl	$1024, %ecx
1:	stosl
	addl	$0x1000, %eax
	loop	1b
	movl	$PAGES + 0x1007, PAGES
	movl	$0, PAGES + 4
	movl	$0, PAGES + 0x1000 + (STACK1 - 0x1000) / 0x400
	movl	$PAGES, %eax
	movl	%eax, %cr3
	ON	cr0, 0x80000000
	.set	ABSENT, 0x400000
	SECOND	"#NP of #PF", PF, 0x6e, DF, 0, movl ABSENT, %eax
	SECOND	"#GP of #PF", PF, 0x80, DF, 0, movl ABSENT, %eax
	T	"#PF of #PF"
	GATE	IDT+8*PF, CODE1, stubs+5*PF, 0xee
	RING	3
	movl	ABSENT, %eax
9:	UNVECTOR PF
	EQ	"vector", r_vec, $DF
	EQ	"code", r_err, $0
	EQ	"cs", r_cs, $CODE3
	T	"#PF of #GP"
	GATE	IDT+8*GP, CODE1, stubs+5*GP, 0xee
	RING	3
	I	hlt
9:	UNVECTOR GP
	EQ	"vector", r_vec, $PF
	EQ	"code", r_err, $2
	EQ	"eip", r_eip, $5b
	T	"#PF of #UD"
	GATE	IDT+8*UD, CODE1, stubs+5*UD, 0xee
	RING	3
	I	ud2
9:	UNVECTOR UD
	EQ	"vector", r_vec, $PF
	EQ	"eip", r_eip, $5b
	OFF	cr0, 0x80000000
	jmp	*return
	.text	1
notpresent: .long X
unbound: .long	1, 0
	.text	0

# ALIGNED tries an access at level 3 with AC and CR0.AM set.
	.macro	ALIGNED text:req, want:req, instruction:vararg
	T	"aligned: \text"
	RING	3, F_AC|2
	movl	$DATA, %ebx
	movl	$DATA+1, %esi
	I	\instruction
	.if	\want == BP
	OK
	.else
	E	\want
	.endif
	.endm

alignment:
	popl	return
	ON	cr0, CR0_AM
	ALIGNED	"byte", BP, movb 1(%ebx), %al
	ALIGNED	"word", BP, movw 2(%ebx), %ax
	ALIGNED	"word at an odd address", AC, movw 1(%ebx), %ax
	ALIGNED	"dword", BP, movl 4(%ebx), %eax
	ALIGNED	"dword at an even address", AC, movl 2(%ebx), %eax
	ALIGNED	"write of a dword", AC, movl %eax, 1(%ebx)
	ALIGNED	"modify", AC, incl 1(%ebx)
	ALIGNED	"lods", AC, lodsl
	ALIGNED	"real8 at a dword", AC, fldl 4(%ebx)
	ALIGNED	"real4", BP, flds 4(%ebx)
	ALIGNED	"far pointer at a dword", BP, lfs zeros, %eax
	ALIGNED	"push", BP, pushl %eax
	T	"aligned: push to an odd address"
	RING	3, F_AC|2
	movl	$USTACK-1, %esp
	I	pushl %eax
	E	AC
	EQ	"esp", r_esp, $USTACK-1
	T	"aligned: a descriptor at level 3"
	DESC	LDTSEL, LDT+1, 0xff, A_LDT
	movl	$0xffff, LDT + 9
	movl	$0x00cff300, LDT + 13
	movl	$LDTSEL, %eax
	lldt	%ax
	RING	3, F_AC|2
	movl	$0x0f, %eax
	movw	%ax, %fs
	OK
	EQ	"fs", r_fs, $0x0f
	xorl	%eax, %eax
	lldt	%ax
	T	"ac at level 2"
	RING	2, F_AC|2
	movl	DATA + 1, %eax
	OK
	T	"level 3 without ac"
	RING	3
	movl	DATA + 1, %eax
	OK
	OFF	cr0, CR0_AM
	T	"ac without cr0.am"
	RING	3, F_AC|2
	movl	DATA + 1, %eax
	OK
	fninit
	jmp	*return
	.text	1
	.balign	4
zeros:	.long	0, 0
	.text	0

# SETMSR writes a machine-specific register.
	.macro	SETMSR number:req, value:req
	movl	$\number, %ecx
	movl	$\value, %eax
	xorl	%edx, %edx
	wrmsr
	.endm
	.set	SYSENTER_CS, 0x174
	.set	SYSENTER_ESP, 0x175
	.set	SYSENTER_EIP, 0x176

fast_calls:
	popl	return
	T	"sysenter with a null selector"
	SETMSR	SYSENTER_CS, 3
	SETMSR	SYSENTER_ESP, STACK0-0x40
	SETMSR	SYSENTER_EIP, 1f	# for who goes there
	RING	3
	I	sysenter
1:	E	GP
	T	"sysexit with a null selector"
	movl	$USTACK, %ecx
	movl	$1f, %edx
	I	sysexit
1:	E	GP
	T	"sysenter"
	SETMSR	SYSENTER_CS, CODE0
	SETMSR	SYSENTER_ESP, STACK0-0x40
	SETMSR	SYSENTER_EIP, 1f
	RING	3, F_IOPL3|F_IF|F_CF|2
	sysenter
1:	OK
	EQ	"cs", r_cs, $CODE0
	EQ	"ss", r_ss, $DATA0
	EQ	"esp", r_esp, $STACK0-0x40
	BITS	"eflags", r_eflags, F_IF|F_CF|F_IOPL3, F_CF|F_IOPL3
	EQ	"ds", r_ds, $DATA3
	T	"sysenter in virtual-8086 mode"
	SETMSR	SYSENTER_CS, CODE0|3
	SETMSR	SYSENTER_EIP, 1f
	V86	F_IF|2
	sysenter
	.code32
1:	OK
	EQ	"cs", r_cs, $CODE0
	BITS	"eflags", r_eflags, F_VM|F_IF, 0
	T	"sysenter at level 0"
	SETMSR	SYSENTER_EIP, 1f
	sysenter
1:	OK
	EQ	"esp", r_esp, $STACK0-0x40
	T	"sysexit"
	pushl	$F_IF|2
	popfl
	movl	$USTACK-0x20, %ecx
	movl	$1f, %edx
	sysexit
1:	OK
	EQ	"cs", r_cs, $CODE3
	EQ	"ss", r_ss, $DATA3
	EQ	"esp", r_esp, $USTACK-0x20
	BITS	"if", r_eflags, F_IF, F_IF
	EQ	"ds", r_ds, $DATA0
	T	"sysexit at level 3"
	RING	3
	I	sysexit
	E	GP
	T	"sysexit at level 1"
	RING	1
	I	sysexit
	E	GP
	jmp	*return

# A20, where port 92h has it.
gate_a20:
	popl	return
	T	"a20"
	movl	$0x11111111, DATA
	movl	$0x22222222, DATA + 0x100000
	inb	$0x92, %al
	andb	$0xfc, %al
	outb	%al, $0x92
	inb	$0x92, %al
	movl	DATA + 0x100000, %ebx
	movb	%al, %cl
	orb	$2, %al
	outb	%al, $0x92
	movl	DATA + 0x100000, %edx
	testb	$2, %cl
	jnz	1f
	OK
	EQ	"masked", r_ebx, $0x11111111
	EQ	"not masked", r_edx, $0x22222222
1:	jmp	*return

# send_nmi sends the processor an NMI by its local APIC.
send_nmi:
	movl	0xfee00020, %eax
	andl	$0xff000000, %eax
	movl	%eax, 0xfee00310
	movl	$0x4400, 0xfee00300
	movl	$200000, %eax
1:	decl	%eax
	jnz	1b
	ret

self_nmi:
	popl	return
	btl	$9, features
	jnc	3f
	T	"nmi during its handler waits for iret"
	movl	$0x1ff, 0xfee000f0
	movl	$0x700, 0xfee00350	# LINT0: the interrupt controllers
	GATE	IDT+8*NMI, CODE0, 1f, 0x8e
	call	send_nmi
	jmp	2f
1:	pushl	%eax
	incl	nmis
	cmpl	$1, nmis
	jne	4f
	call	send_nmi
	movl	nmis, %eax
	movl	%eax, nested
4:	popl	%eax
	iretl
2:	OK
	EQ	"nmis", nmis, $2
	EQ	"during the first", nested, $1
	UNVECTOR NMI
3:	jmp	*return

# FXSAVE and FXRSTOR obey CR0.EM as x87 does: see fxsave in cpu/interp.
x87_images:
	popl	return
	.irp	op, fxsave, fxrstor
	T	"\op with cr0.em"
	fxsave	DATA
	ON	cr0, CR0_EM
	I	\op DATA
	E	NM
	OFF	cr0, CR0_EM
	T	"\op with cr0.ts"
	ON	cr0, CR0_TS
	I	\op DATA
	E	NM
	clts
	.endr
	jmp	*return

# X87 errors: #MF, or with CR0.NE clear the interrupt of FERR#, where there are
# interrupt controllers.
x87_errors:
	popl	return
	T	"#MF"
	fninit
	fldcw	zeros			# all unmasked
	fldz
	fld1
	fdivp				# by zero
	I	fwait
	E	MF
	fnclex
	T	"no #MF of what does not wait"
	fninit
	fldcw	zeros
	fldz
	fld1
	fdivp
	fnstsw	%ax
	fninit
	OK
	BITS	"status", r_eax, 0x8084, 0x8084
	movb	$0xdf, %al		# all but IRQ13
	outb	%al, $0xa1
	movb	$0xfb, %al		# all but the second controller
	outb	%al, $0x21
	inb	$0xa1, %al
	cmpb	$0xdf, %al
	jne	1f
	inb	$0x21, %al
	cmpb	$0xfb, %al
	jne	1f
	# Vectors from 20h.
	movb	$0x11, %al
	outb	%al, $0x20
	outb	%al, $0xa0
	movb	$0x20, %al
	outb	%al, $0x21
	movb	$0x28, %al
	outb	%al, $0xa1
	movb	$4, %al
	outb	%al, $0x21
	movb	$2, %al
	outb	%al, $0xa1
	movb	$1, %al
	outb	%al, $0x21
	outb	%al, $0xa1
	movb	$0xfb, %al
	outb	%al, $0x21
	movb	$0xdf, %al
	outb	%al, $0xa1
	T	"irq13"
	OFF	cr0, 0x20
	fninit
	fldcw	zeros
	fldz
	fld1
	sti
	fdivp
	fwait
	nop
	nop
9:	cli
	movb	$0xff, %al
	outb	%al, $0x21
	outb	%al, $0xa1
	outb	%al, $0xf0
	fninit
	ON	cr0, 0x20
	EQ	"vector", r_vec, $0x2d
	BITS	"if", r_eflags, F_IF, F_IF
1:	jmp	*return

	.text	2
end_image:
