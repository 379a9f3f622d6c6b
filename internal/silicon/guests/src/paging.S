# Paging (Intel SDM Vol. 3A, "Paging", "Page-Fault Exception"; Vol. 2, "MOV—Move
# to/from Control Registers", "INVLPG"), and that what faults can be restarted.

	.include "common.inc"

	.set	X2, 0x88
	.set	SOFT, 0x30

	.set	PD, PAGES		# 32-bit paging
	.set	PT0, PAGES+0x1000	# the first 4 MiB as they are
	.set	PT1, PAGES+0x2000	# the window
	.set	PDPT, PAGES+0x3000	# PAE paging
	.set	PDP, PAGES+0x4000
	.set	PTP0, PAGES+0x5000	# two tables for 4 MiB
	.set	PTP1, PAGES+0x7000
	.set	W, 0x400000		# a window to pages of DATA
	.set	B, W+0x1000		# the boundary of its first two pages
	.set	L, 0x800000		# a large page

	.set	CR0_PG, 0x80000000
	.set	CR0_WP, 0x10000
	.set	CR4_PSE, 0x10
	.set	CR4_PAE, 0x20
	.set	CR4_PGE, 0x80
	.set	CR4_SMEP, 0x100000
	.set	CR4_SMAP, 0x200000
	.set	EFER, 0xc0000080

	.text	1
features: .long	0			# CPUID.1:EDX
extended: .long	0			# CPUID.80000001H:EDX
structured: .long 0			# CPUID.7:EBX
physical: .long	36			# MAXPHYADDR
pae:	.long	0
n:	.long	0			# of the round
pde_at:	.long	0
pte_at:	.long	0
pde:	.long	0			# as written
pte:	.long	0
executable: .long 0			# the page may be executed
fetch_bit: .long 0			# of error codes
want_vec: .long	0
want_err: .long	0
want_cr2: .long	0
s_cr2:	.asciz	" cr2"
s_pde:	.asciz	" pde"
s_pte:	.asciz	" pte"
s_dirty: .asciz	" dirty"
	.text	0

# HAS jumps to label unless bit is set in a word of features.
	.macro	HAS word:req, bit:req, label:req
	btl	$\bit, \word
	jnc	\label
	.endm

# SEE checks a value in a round.
	.macro	SEE what:req, got:req, want:req
	movl	\want, %edx
	movl	\got, %eax
	movl	$\what, %esi
	call	compare
	.endm

# MAP makes entry page of the window, 32-bit paging.
	.macro	MAP page:req, entry:req
	movl	$\entry, PT1 + 4 * \page
	invlpg	W + 0x1000 * \page
	.endm

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

	.macro	RELOAD
	movl	%cr3, %eax
	movl	%eax, %cr3
	.endm

# CONTROL tries to write a control register with some bits cleared and others set.
	.macro	CONTROL text:req, register:req, clear:req, set:req, want:req
	T	"\text"
	movl	%\register, %eax
	movl	%eax, %ecx
	andl	$~(\clear), %eax
	orl	$\set, %eax
	I	movl %eax, %\register
	movl	%\register, %edx	# at once, for who allows too much
	movl	%ecx, %\register
	.if	\want == BP
	OK
	.else
	E	\want
	.endif
	.endm

main:
	movl	$1, %eax
	cpuid
	movl	%edx, features
	xorl	%eax, %eax
	cpuid
	cmpl	$7, %eax
	jb	1f
	movl	$7, %eax
	xorl	%ecx, %ecx
	cpuid
	movl	%ebx, structured
1:	movl	$0x80000000, %eax
	cpuid
	movl	%eax, %esi
	cmpl	$0x80000001, %esi
	jb	1f
	movl	$0x80000001, %eax
	cpuid
	movl	%edx, extended
	cmpl	$0x80000008, %esi
	jb	1f
	movl	$0x80000008, %eax
	cpuid
	movzbl	%al, %eax
	movl	%eax, physical
1:	# The structures.
	movl	$PAGES, %edi
	xorl	%eax, %eax
	movl	$0x9000 / 4, %ecx
	rep stosl
	movl	$PT0, %edi
	movl	$7, %eax
	movl	$1024, %ecx
1:	stosl
	addl	$0x1000, %eax
	loop	1b
	movl	$PTP0, %edi
	movl	$7, %eax
	movl	$1024, %ecx
1:	stosl
	movl	$0, (%edi)
	addl	$4, %edi
	addl	$0x1000, %eax
	loop	1b
	movl	$PT0 + 7, PD
	movl	$PT1 + 7, PD + 4
	movl	$PDP + 1, PDPT
	movl	$PTP0 + 7, PDP
	movl	$PTP0 + 0x1007, PDP + 8
	movl	$PTP1 + 7, PDP + 16
	movl	$0xcccccccc, DATA
	movl	$0x12345678, DATA + 4

	movl	$PD, %eax
	movl	%eax, %cr3
	call	registers
	T	"enable paging"
	ON	cr0, CR0_PG
	OK
	movl	$PD + 4, pde_at
	movl	$PT1, pte_at
	call	rights
	call	marks
	call	invalidation
	call	large
	call	restart
	call	restart_strings
	call	supervisor
	OFF	cr0, CR0_PG
	HAS	features, 6, 1f
	call	physical_extension
1:	# The last, for an emulator may not survive it.
	CONTROL	"reserved bits of cr4", cr4, 0, 0x80000000, GP
	jmp	finish

registers:
	popl	return
	CONTROL	"paging without protection", cr0, 1, CR0_PG, GP
	CONTROL	"nw without cd", cr0, 0x60000000, 0x20000000, GP
	CONTROL	"nw and cd", cr0, 0, 0x60000000, BP
	BITS	"cr0", r_edx, 0x60000000, 0x60000000
	CONTROL	"et stays", cr0, 0x10, 0, BP
	BITS	"cr0", r_edx, 0x10, 0x10
	.irp	register, cr1, cr5, cr6, cr7
	T	"mov to \register"
	I	movl %eax, %\register
	E	UD
	T	"mov from \register"
	I	movl %\register, %eax
	E	UD
	.endr
	.irp	instruction, "movl %cr0, %eax", "movl %eax, %cr0", "movl %cr2, %eax", "movl %eax, %cr3", "movl %cr4, %eax", "invlpg DATA", "clts", "lmsw %ax"
	T	"\instruction at level 3"
	RING	3
	movl	$-1, %eax
	I	\instruction
	E	GP
	.endr
	T	"lmsw sets its bits and clears no pe"
	movl	%cr0, %ebx
	movl	$0xfffe, %eax
	lmsw	%ax
	movl	%cr0, %ecx
	movl	%ebx, %cr0
	OK
	BITS	"cr0", r_ecx, 0xf, 0xf
	jmp	*return
	.text	1
return:	.long	0
	.text	0

# rights tries every combination of U/S and R/W of both levels, CR0.WP, CPL and
# kind of access; with PAE, of NX too. What is allowed sets accessed and dirty
# bits, what is not is a fault that says why, and sets no dirty bit.
# n: R/W and U/S of the directory (0, 1) and the table (2, 3), level 3 (4), WP
# (5), read, write or fetch (6, 7), NX of the directory and the table (8, 9).
rights:
	popl	return
	T	"rights"
	movl	$0, n
1:	TRY
	movl	n, %ebx
	movl	%ebx, %eax
	andl	$0xc0, %eax
	cmpl	$0xc0, %eax
	je	8f
	movl	%ebx, %eax
	orl	$0x80000000, %eax
	movl	%eax, param
	# The entries.
	movl	pde_at, %edi
	movl	%ebx, %eax
	andl	$3, %eax
	movl	$PT1 + 1, %ecx
	cmpl	$0, pae
	je	2f
	movl	$PTP1 + 1, %ecx
	movl	%ebx, %edx
	shll	$23, %edx
	andl	$0x80000000, %edx
	movl	%edx, 4(%edi)
2:	leal	(%ecx, %eax, 2), %eax
	movl	%eax, (%edi)
	movl	%eax, pde
	movl	pte_at, %edi
	movl	%ebx, %eax
	shrl	$2, %eax
	andl	$3, %eax
	cmpl	$0, pae
	je	3f
	movl	%ebx, %edx
	shll	$22, %edx
	andl	$0x80000000, %edx
	movl	%edx, 4(%edi)
3:	leal	DATA + 1(, %eax, 2), %eax
	movl	%eax, (%edi)
	movl	%eax, pte
	OFF	cr0, CR0_WP
	testb	$0x20, %bl
	jz	4f
	ON	cr0, CR0_WP
4:	RELOAD
	# What must come of it: EAX is the rights of both, ECX the access.
	movl	pde, %eax
	andl	pte, %eax
	movl	%ebx, %ecx
	shrl	$6, %ecx
	andl	$3, %ecx
	movl	$BP, want_vec
	movl	$0, want_err
	cmpl	$2, %ecx
	jne	5f
	testl	$0x300, %ebx
	jnz	7f
5:	testb	$0x10, %bl
	jz	6f
	testb	$4, %al
	jz	7f
	cmpl	$1, %ecx
	jne	9f
	testb	$2, %al
	jz	7f
	jmp	9f
6:	cmpl	$1, %ecx
	jne	9f
	testb	$2, %al
	jnz	9f
	testb	$0x20, %bl
	jz	9f
7:	movl	$PF, want_vec
	movl	$1, %edx
	testb	$0x10, %bl
	jz	2f
	orl	$4, %edx
2:	cmpl	$1, %ecx
	jne	3f
	orl	$2, %edx
3:	cmpl	$2, %ecx
	jne	4f
	orl	fetch_bit, %edx
4:	movl	%edx, want_err
9:	movl	$9f, resume
	testb	$0x10, %bl
	jz	2f
	RING	3
2:	movl	$W, %eax
	cmpl	$1, %ecx
	ja	4f
	je	3f
	movl	4(%eax), %edx
	int3
3:	movl	%edx, 4(%eax)
	int3
4:	jmp	*%eax
9:	OFF	cr0, CR0_WP
	SEE	v_vector, r_vec, want_vec
	movl	n, %ebx
	cmpl	$PF, want_vec
	je	6f
	movl	pde, %ecx
	orl	$0x20, %ecx
	movl	pde_at, %edi
	SEE	s_pde, (%edi), %ecx
	movl	pte, %ecx
	orl	$0x20, %ecx
	testb	$0x40, %bl
	jz	5f
	orl	$0x40, %ecx
5:	movl	pte_at, %edi
	SEE	s_pte, (%edi), %ecx
	jmp	8f
6:	SEE	v_code, r_err, want_err
	movl	$W + 4, %ecx
	testb	$0x80, %bl
	jz	7f
	movl	$W, %ecx
7:	SEE	s_cr2, r_cr2, %ecx
	movl	pte_at, %edi
	movl	(%edi), %ecx
	andl	$0x40, %ecx
	SEE	s_dirty, %ecx, $0
8:	incl	n
	movl	$0xc0, %eax
	cmpl	$0, fetch_bit
	je	9f
	movl	$0x400, %eax
9:	cmpl	%eax, n
	jb	1b
	jmp	*return

# Which instructions mark a page accessed, and which dirty.
	.macro	MARK text:req, want:req, instruction:vararg
	T	"\text"
	MAP	0, DATA+7
	movl	$W, %ebx
	movl	$W, %esi
	movl	$W+8, %edi
	xorl	%eax, %eax
	xorl	%ecx, %ecx
	\instruction
	OK
	EQ	"pte", PT1, $DATA+7+\want
	.endm
	.set	A, 0x20
	.set	D, 0x40

marks:
	popl	return
	movl	$PT1 + 7, PD + 4
	RELOAD
	MARK	"cmp marks accessed", A, cmpl $0, (%ebx)
	MARK	"bt marks accessed", A, btl $1, (%ebx)
	MARK	"lods marks accessed", A, lodsl
	MARK	"push of memory marks accessed", A, pushl (%ebx)
	MARK	"lea marks nothing", 0, leal (%ebx), %eax
	MARK	"invlpg marks nothing", 0, invlpg (%ebx)
	MARK	"inc marks dirty", A|D, incl 16(%ebx)
	MARK	"bts marks dirty", A|D, btsl $1, 16(%ebx)
	MARK	"xchg marks dirty", A|D, xchgl %eax, 16(%ebx)
	MARK	"cmpxchg that fails marks dirty", A|D, cmpxchgl %eax, (%ebx)
	MARK	"stos marks dirty", A|D, stosl
	MARK	"pop to memory marks dirty", A|D, popl 16(%ebx)
	MARK	"fst marks dirty", A|D, fnstcw 16(%ebx)
	MARK	"sgdt marks dirty", A|D, sgdt 16(%ebx)
	MARK	"a repeat count of zero marks nothing", 0, rep stosl
	T	"dirty after accessed"
	MAP	0, DATA+7
	movl	W + 16, %eax
	movl	PT1, %ecx
	movl	%eax, W + 16
	OK
	EQ	"after the read", r_ecx, $DATA+7+A
	EQ	"after the write", PT1, $DATA+7+A+D
	T	"marks that are there stay"
	MAP	0, DATA+7+A+D
	movl	W + 16, %eax
	OK
	EQ	"pte", PT1, $DATA+7+A+D
	T	"ignored bits stay"
	MAP	0, DATA+7+0xe00
	movl	%eax, W + 16
	OK
	EQ	"pte", PT1, $DATA+7+A+D+0xe00
	T	"the stack of an inner level is marked"
	MAP	0, DATA+3
	movl	$W + 0x800, TSS + 12
	GATE	IDT+8*SOFT, CODE1, 1f, 0xee
	RING	3
	int	$SOFT
1:	int3
9:	movl	$STACK1, TSS + 12
	EQ	"vector", r_vec, $BP
	EQ	"pte", PT1, $DATA+3+A+D
	T	"a descriptor that is loaded is marked, and its page"
	DESC	LDTSEL, W+0x400, 0xff, A_LDT
	movl	$0xffff, DATA + 0x408
	movl	$0x00cf9200, DATA + 0x40c
	MAP	0, DATA+3
	movl	$LDTSEL, %eax
	lldt	%ax
	movl	$0x0c, %eax
	movl	%eax, %ds
	OK
	EQ	"pte", PT1, $DATA+3+A+D
	BITS	"descriptor", DATA+0x40c, 0xff00, 0x9300
	T	"a descriptor that is marked does not make its page dirty"
	MAP	0, DATA+3
	movl	$0x0c, %eax
	movl	%eax, %ds
	OK
	EQ	"pte", PT1, $DATA+3+A
	T	"a descriptor to be marked on a read-only page"
	movl	$0x00cff200, DATA + 0x40c
	MAP	0, DATA+1
	ON	cr0, CR0_WP
	RING	3
	movl	$0x0f, %eax
	I	movl %eax, %ds
	E	PF, 3
	BITS	"cr2", r_cr2, 0xfffffff8, W+0x408
	EQ	"ds", r_ds, $DATA3
	OFF	cr0, CR0_WP
	T	"a descriptor on a page that is not present"
	MAP	0, 0
	RING	3
	movl	$0x0f, %eax
	I	movl %eax, %ds
	E	PF, 0
	BITS	"cr2", r_cr2, 0xfffffff8, W+0x408
	T	"lar of a descriptor on a page that is not present"
	RING	3
	movl	$0x0f, %eax
	I	larl %eax, %ebx
	E	PF, 0
	T	"the inner stack on a page that is not present"
	movl	$W + 0x800, TSS + 12
	GATE	GDT+X2, CODE1, 1f, 0xec
	RING	3
	I	lcall $X2|3, $0
1:	E	PF, 2
	BITS	"cr2", r_cr2, 0xfffff000, W
	EQ	"esp", r_esp, $USTACK
	T	"the inner stack of an interrupt on a page that is not present"
	RING	3
	I	int $SOFT
	E	PF, 2
	EQ	"esp", r_esp, $USTACK
	T	"the inner stack of an exception on a page that is not present"
	GATE	IDT+8*UD, CODE1, stubs, 0x8e
	RING	3
	I	ud2
9:	UNVECTOR UD
	movl	$STACK1, TSS + 12
	EQ	"vector", r_vec, $PF
	EQ	"code", r_err, $2
	EQ	"eip", r_eip, $5b
	xorl	%eax, %eax
	lldt	%ax
	jmp	*return

# FAULT is a check of one instruction at a level that must page-fault.
	.macro	FAULT text:req, level:req, code:req, cr2:req, instruction:vararg
	T	"\text"
	.if	\level
	RING	\level
	.endif
	movl	$W, %ebx
	I	\instruction
	E	PF, \code
	EQ	"cr2", r_cr2, $\cr2
	.endm

invalidation:
	popl	return
	movl	$0x12345678, DATA + 4
	MAP	0, 0
	FAULT	"read a page that is not present", 0, 0, W+4, movl 4(%ebx), %eax
	FAULT	"write a page that is not present", 0, 2, W+4, movl %eax, 4(%ebx)
	FAULT	"read a page that is not present at level 3", 3, 4, W+4, movl 4(%ebx), %eax
	FAULT	"write a page that is not present at level 3", 3, 6, W+4, movl %eax, 4(%ebx)
	FAULT	"modify a page that is not present at level 3", 3, 6, W+4, incl 4(%ebx)
	FAULT	"read a page that is not present at level 2", 2, 0, W+4, movl 4(%ebx), %eax
	FAULT	"read a table that is not present", 0, 0, 0xc00004, movl 0x800004(%ebx), %eax
	FAULT	"write a table that is not present at level 3", 3, 6, 0xc00004, movl %eax, 0x800004(%ebx)
	T	"fetch from a page that is not present"
	RING	3
	movl	$W + 5, %eax
	jmp	*%eax
	E	PF, 4, W+5
	EQ	"cr2", r_cr2, $W+5
	T	"what is not present is not kept"
	movl	$DATA + 7, PT1
	movl	W + 4, %eax
	OK
	EQ	"value", r_eax, $0x12345678
	T	"a fault forgets the rights it found"
	MAP	0, DATA+5
	RING	3
	movl	W + 4, %eax
	I	movl %eax, W + 4
	E	PF, 7
	movl	$DATA + 7, PT1
	T	"and the write succeeds afterwards"
	RING	3
	movl	%eax, W + 4
	OK
	movl	$0x12345678, DATA + 4
	movl	$0x11111111, DATA + 0x1004
	T	"invlpg forgets a page"
	MAP	0, DATA+7
	movl	W + 4, %eax
	movl	$DATA + 0x1007, PT1
	invlpg	W + 0xfff
	movl	W + 4, %ecx
	OK
	EQ	"before", r_eax, $0x12345678
	EQ	"after", r_ecx, $0x11111111
	T	"mov to cr3 forgets pages"
	MAP	0, DATA+7
	movl	W + 4, %eax
	movl	$DATA + 0x1007, PT1
	RELOAD
	movl	W + 4, %ecx
	OK
	EQ	"after", r_ecx, $0x11111111
	T	"a smaller right takes effect with invlpg"
	MAP	0, DATA+7
	movl	%eax, W + 8
	MAP	0, DATA+5
	RING	3
	I	movl %eax, W + 8
	E	PF, 7
	T	"a page given to the supervisor"
	MAP	0, DATA+7
	movl	W + 8, %eax
	MAP	0, DATA+3
	RING	3
	I	movl W + 8, %eax
	E	PF, 5
	HAS	features, 13, 1f
	ON	cr4, CR4_PGE
	T	"invlpg forgets a global page"
	MAP	0, DATA+0x107
	movl	W + 4, %eax
	MAP	0, DATA+0x1107
	movl	W + 4, %ecx
	OK
	EQ	"after", r_ecx, $0x11111111
	T	"cr4.pge forgets global pages"
	MAP	0, DATA+0x107
	movl	W + 4, %eax
	movl	$DATA + 0x1107, PT1
	OFF	cr4, CR4_PGE
	movl	W + 4, %ecx
	OK
	EQ	"after", r_ecx, $0x11111111
	T	"g without cr4.pge"
	MAP	0, DATA+0x107
	movl	W + 4, %eax
	movl	$DATA + 0x1107, PT1
	RELOAD
	movl	W + 4, %ecx
	OK
	EQ	"after", r_ecx, $0x11111111
1:	T	"invlpg of what is not present"
	invlpg	0xc00000
	OK
	T	"cr2 can be written"
	movl	$0x87654321, %eax
	movl	%eax, %cr2
	movl	%cr2, %ebx
	OK
	EQ	"cr2", r_ebx, $0x87654321
	jmp	*return

large:
	popl	return
	MAP	0, DATA+7
	T	"ps without cr4.pse"
	movl	$PT1 + 0x87, PD + 8
	movl	L + 4, %eax
	OK
	EQ	"value", r_eax, $0x12345678
	EQ	"pde", PD+8, $PT1+0x87+A
	HAS	features, 3, 1f
	ON	cr4, CR4_PSE
	.macro	LARGE entry:req
	movl	$\entry, PD + 8
	RELOAD
	.endm
	T	"4-MiB page"
	LARGE	0x87
	movl	L + DATA + 4, %eax
	movl	PD + 8, %ecx
	movl	%eax, L + DATA + 4
	OK
	EQ	"value", r_eax, $0x12345678
	EQ	"accessed", r_ecx, $0x87+A
	EQ	"dirty", PD+8, $0x87+A+D
	T	"read a 4-MiB page of the supervisor"
	LARGE	0x83
	RING	3
	I	movl L + DATA, %eax
	E	PF, 5
	EQ	"cr2", r_cr2, $L+DATA
	T	"write a read-only 4-MiB page"
	LARGE	0x85
	RING	3
	I	movl %eax, L + DATA
	E	PF, 7
	BITS	"dirty", PD+8, D, 0
	T	"4-MiB page that is not present"
	LARGE	0x86
	I	movl %eax, L + DATA
	E	PF, 2
	HAS	features, 16, 2f
	T	"the pat bit of a 4-MiB page is not reserved"
	LARGE	0x1087
	movl	L + DATA + 4, %eax
	OK
	EQ	"value", r_eax, $0x12345678
2:
	T	"invlpg forgets a 4-MiB page"
	movl	$0x86, PD + 8
	invlpg	L + 0x300000
	I	movl L + DATA + 4, %eax
	E	PF
	HAS	features, 17, 2f
	T	"reserved bit 21 of a 4-MiB page"
	LARGE	0x200087
	I	movl L, %eax
	E	PF, 9
	T	"reserved bit 21 of a 4-MiB page, written at level 3"
	RING	3
	I	movl %eax, L
	E	PF, 15
	T	"reserved bits of what is not present"
	LARGE	0x200086
	I	movl L, %eax
	E	PF
	cmpl	$40, physical
	jae	2f
	T	"bits of a 4-MiB page at and above maxphyaddr"
	movl	physical, %ecx
	subl	$19, %ecx
	movl	$0x87, %eax
	btsl	%ecx, %eax
	movl	%eax, PD + 8
	RELOAD
	I	movl L, %eax
	E	PF, 9
2:	movl	$0, PD + 8
	OFF	cr4, CR4_PSE
1:	jmp	*return

# CROSS is a check of one instruction at level 3, that page-faults on one of the
# two pages about B and then must have changed nothing of ESP and EBP.
	.macro	CROSS text:req, absent:req, esp:req, code:req, cr2:req, instruction:vararg
	T	"\text"
	MAP	0, DATA+7
	MAP	1, DATA+0x1007
	MAP	\absent, 0
	movl	$0x5a5a5a5a, DATA + 0xffc
	RING	3
	movl	$\esp, %esp
	movl	$B-2, %ebp
	movl	$W, %ebx
	movl	$0x77777777, %ecx
	I	\instruction
	E	PF, \code
	EQ	"cr2", r_cr2, $\cr2
	EQ	"esp", r_esp, $\esp
	EQ	"ebp", r_ebp, $B-2
	EQ	"ecx", r_ecx, $0x77777777
	.endm

# and NOTHING, that what it would have written first was not.
	.macro	NOTHING
	EQ	"memory", DATA+0xffc, $0x5a5a5a5a
	.endm

restart:
	popl	return
	CROSS	"push across", 1, B+2, 6, B, pushl %eax
	NOTHING
	CROSS	"push across to what is not present", 0, B+2, 6, B-2, pushl %eax
	CROSS	"push of what is not present", 1, B-16, 4, B+8, pushl 0x1008(%ebx)
	CROSS	"pop of what is not present", 1, B, 4, B, popl %eax
	CROSS	"pop across", 1, B-2, 4, B, popl %eax
	CROSS	"pop to what is not present", 1, B-16, 6, B+8, popl 0x1008(%ebx)
	CROSS	"pusha across", 0, B+16, 6, B-4, pushal
	CROSS	"pushaw across", 0, B+8, 6, B-2, pushaw
	CROSS	"pushf across", 1, B+2, 6, B, pushfl
	NOTHING
	CROSS	"popf across", 1, B-2, 4, B, popfl
	CROSS	"enter across", 1, B+2, 6, B, enter $16, $0
	CROSS	"enter beyond", 0, B+8, 6, B-4, enter $8, $0
	CROSS	"leave across", 1, W+0x100, 4, B, leave
	CROSS	"call across", 1, B+2, 6, B, call .
	NOTHING
	CROSS	"call through what is not present", 1, B-16, 4, B+8, call *0x1008(%ebx)
	CROSS	"ret across", 1, B-2, 4, B, ret
	CROSS	"far call across", 0, B+4, 6, B-4, lcall $CODE3, $1f
1:	nop
	CROSS	"far return across", 1, B-4, 4, B, lret
	CROSS	"iret across", 1, B-8, 4, B, iretl
	CROSS	"write across", 1, USTACK, 6, B, movl %eax, 0xffe(%ebx)
	NOTHING
	CROSS	"read across", 1, USTACK, 4, B, movl 0xffe(%ebx), %ecx
	CROSS	"read across from what is not present", 0, USTACK, 4, B-2, movl 0xffe(%ebx), %ecx
	CROSS	"modify across", 1, USTACK, 6, B, addl %ecx, 0xffe(%ebx)
	NOTHING
	CROSS	"exchange across", 1, USTACK, 6, B, xchgl %ecx, 0xffe(%ebx)
	NOTHING
	CROSS	"exchange and add across", 1, USTACK, 6, B, xaddl %ecx, 0xffe(%ebx)
	NOTHING
	CROSS	"shift across", 1, USTACK, 6, B, shll $1, 0xffe(%ebx)
	NOTHING
	HAS	features, 8, 1f
	CROSS	"cmpxchg8b across", 1, USTACK, 6, B, cmpxchg8b 0xffc(%ebx)
	NOTHING
1:
	CROSS	"sidt across", 1, USTACK, 6, B, sidt 0xffc(%ebx)
	CROSS	"far pointer across", 1, USTACK, 4, B, lfs 0xffc(%ebx), %ecx
	CROSS	"bound across", 1, USTACK, 4, B, bound %ecx, 0xffc(%ebx)
	CROSS	"setcc of what is not present", 1, USTACK, 6, B, setz 0x1000(%ebx)
	T	"fst across keeps the x87 stack"
	fninit
	fld1
	RING	3
	movl	$W, %ebx
	I	fstpl 0xffc(%ebx)
	E	PF, 6
	fnstsw	%ax
	movzwl	%ax, %ebx
	EQ	"top", %ebx, $0x3800
	fninit
	T	"fetch across"
	movl	$0xb8, DATA + 0xffe		# MOV EAX, imm32, cut
	MAP	0, DATA+7
	MAP	1, 0
	RING	3
	movl	$W+0xffe, %eax
	jmp	*%eax
	E	PF, 4, W+0xffe
	EQ	"cr2", r_cr2, $B
	T	"fetch that ends with its page"
	movl	$0xccccb0, DATA + 0xffd	# MOV AL, imm8; INT3
	RING	3
	movl	$W+0xffd, %eax
	jmp	*%eax
	E	BP, 0, B
	.irp	instruction, "incl (%ebx)", "cmpxchgl %eax, (%ebx)", "btrl $0, (%ebx)", "xchgl %eax, (%ebx)", "popl (%ebx)", "fnstcw (%ebx)", "sldt (%ebx)"
	T	"\instruction of a read-only page"
	MAP	0, DATA+5
	RING	3
	pushl	$0
	movl	$W, %ebx
	I	\instruction
	E	PF, 7
	EQ	"esp", r_esp, $USTACK-4
	.endr
	jmp	*return

# STRING is a check of a repeated instruction that faults on the second page:
# what came before is done, and the registers tell where to go on. It then goes
# on with the page present.
	.macro	STRING text:req, esi:req, edi:req, code:req, cr2:req, done:req, instruction:vararg
	T	"\text"
	MAP	0, DATA+7
	MAP	1, 0
	RING	3
	movl	$\esi, %esi
	movl	$\edi, %edi
	movl	$8, %ecx
	xorl	%eax, %eax
	I	\instruction
	E	PF, \code
	EQ	"cr2", r_cr2, $\cr2
	EQ	"ecx", r_ecx, $8-\done
	.endm

	.macro	WHERE esi:req, edi:req
	EQ	"esi", r_esi, $\esi
	EQ	"edi", r_edi, $\edi
	.endm

restart_strings:
	popl	return
	movl	$DATA + 0x2000, %edi
	movl	$0x400, %ecx
	xorl	%eax, %eax
	rep stosl
	.set	S, DATA+0x2000		# a page of zeros
	STRING	"rep movsb to what is not present", S, B-3, 6, B, 3, rep movsb
	WHERE	S+3, B
	STRING	"rep movsb from what is not present", B-3, S, 4, B, 3, rep movsb
	WHERE	B, S+3
	STRING	"rep movsl to across", S, B-6, 6, B, 1, rep movsl
	WHERE	S+4, B-2
	STRING	"rep movsl from across", B-6, S, 4, B, 1, rep movsl
	WHERE	B-2, S+4
	STRING	"rep stosl across", S, B-14, 6, B, 3, rep stosl
	WHERE	S, B-2
	STRING	"rep stosb", S, B-7, 6, B, 7, rep stosb
	WHERE	S, B
	STRING	"rep lodsw", B-4, S, 4, B, 2, rep lodsw
	WHERE	B, S
	movl	$0, DATA + 0xffc
	STRING	"repe cmpsb", S, B-4, 4, B, 4, repe cmpsb
	WHERE	S+4, B
	STRING	"repe cmpsb, the other", B-4, S, 4, B, 4, repe cmpsb
	WHERE	B, S+4
	STRING	"repe scasb", S, B-4, 4, B, 4, repe scasb
	WHERE	S, B
	movl	$PT1, %eax
	STRING	"movsb to what is not present", S, B, 6, B, 0, movsb
	WHERE	S, B
	STRING	"stosl across", S, B-2, 6, B, 0, stosl
	WHERE	S, B-2
	T	"rep movsb goes on where it faulted"
	MAP	0, DATA+7
	MAP	1, 0
	movl	$0x44332211, S
	RING	3
	movl	$S, %esi
	movl	$B-2, %edi
	movl	$4, %ecx
	I	rep movsb
	E	PF, 6
	movl	$0, S			# read no more
	MAP	1, DATA+0x1007
	movb	$0x33, S + 2
	movb	$0x44, S + 3
	T	"and ends"
	movl	r_esi, %esi
	movl	r_edi, %edi
	movl	r_ecx, %ecx
	rep	movsb
	movl	W + 0xffe, %eax
	OK
	EQ	"value", r_eax, $0x44332211
	T	"rep movsb downward"
	MAP	0, 0
	MAP	1, DATA+0x1007
	RING	3
	movl	$S+0x100, %esi
	movl	$B+2, %edi
	movl	$8, %ecx
	std
	I	rep movsb
	E	PF, 6
	EQ	"cr2", r_cr2, $B-1
	EQ	"ecx", r_ecx, $5
	WHERE	S+0xfd, B-1
	T	"rep insb reads no port for what is not present"
	MAP	0, 0
	RING	3, F_IOPL3|2
	movl	$W, %edi
	movl	$4, %ecx
	movl	$0xe80, %edx
	I	rep insb
	E	PF, 6
	EQ	"ecx", r_ecx, $4
	T	"rep outsb from what is not present"
	RING	3, F_IOPL3|2
	movl	$W, %esi
	movl	$4, %ecx
	movl	$0xe80, %edx
	I	rep outsb
	E	PF, 4
	EQ	"ecx", r_ecx, $4
	jmp	*return

# SMEP and SMAP, where there are any; the rest of memory is then the supervisor's.
supervisor:
	popl	return
	movl	$PT0 + 3, PD
	MAP	0, DATA+7
	RELOAD
	HAS	structured, 7, 1f
	ON	cr4, CR4_SMEP
	T	"smep: fetch from a page of users"
	movl	$W, %eax
	jmp	*%eax
	E	PF, 0x11, W
	T	"smep: read a page of users"
	movl	W + 4, %eax
	OK
	OFF	cr4, CR4_SMEP
	jmp	2f
1:	CONTROL	"cr4.smep where there is none", cr4, 0, CR4_SMEP, GP
2:	HAS	structured, 20, 1f
	ON	cr4, CR4_SMAP
	T	"smap: read a page of users"
	I	movl W + 4, %eax
	E	PF, 1
	T	"smap: write a page of users"
	I	movl %eax, W + 4
	E	PF, 3
	T	"smap: read a page of users with ac"
	pushl	$F_AC|2
	popfl
	movl	W + 4, %eax
	OK
	T	"smap: fetch from a page of users"
	movl	$W, %eax
	jmp	*%eax
	E	BP, 0, W+1
	T	"smap: a descriptor on a page of users, with ac"
	movl	$0xffff, DATA + 0x408
	movl	$0x00cf9300, DATA + 0x40c
	DESC	LDTSEL, W+0x400, 0xff, A_LDT
	movl	$LDTSEL, %eax
	lldt	%ax
	pushl	$F_AC|2
	popfl
	movl	$0x0c, %eax
	I	movw %ax, %fs
	E	PF, 1
	BITS	"cr2", r_cr2, 0xfffffff8, W+0x408
	xorl	%eax, %eax
	lldt	%ax
	OFF	cr4, CR4_SMAP
	jmp	2f
1:	CONTROL	"cr4.smap where there is none", cr4, 0, CR4_SMAP, GP
2:	movl	$PT0 + 7, PD
	RELOAD
	jmp	*return

# MAP8 makes an entry of the window with PAE paging, and PAGE8 a 2-MiB page at L.
	.macro	MAP8 page:req, low:req, high=0
	movl	$\low, PTP1 + 8 * \page
	movl	$\high, PTP1 + 8 * \page + 4
	invlpg	W + 0x1000 * \page
	.endm

	.macro	PAGE8 low:req, high=0
	movl	$\low, PDP + 32
	movl	$\high, PDP + 36
	RELOAD
	.endm

# POINTERS tries to load a page-directory-pointer table whose second entry has
# some bits.
	.macro	POINTERS text:req, low:req, high:req, want:req
	T	"\text"
	movl	$\low, PDPT + 8
	movl	$\high, PDPT + 12
	movl	$PDPT, %eax
	I	movl %eax, %cr3
	.if	\want == BP
	OK
	.else
	E	\want
	.endif
	movl	$0, PDPT + 8
	movl	$0, PDPT + 12
	.endm

physical_extension:
	popl	return_pae
	T	"paging with a bad page-directory-pointer entry"
	movl	$PDP + 3, PDPT + 8
	movl	$PDPT, %eax
	movl	%eax, %cr3
	ON	cr4, CR4_PAE
	movl	%cr0, %eax
	orl	$CR0_PG, %eax
	I	movl %eax, %cr0
	E	GP
	movl	%cr0, %ebx
	BITS	"pg", %ebx, CR0_PG, 0
	movl	$0, PDPT + 8
	T	"pae paging"
	ON	cr0, CR0_PG
	MAP8	0, DATA+7
	movl	W + 4, %eax
	OK
	EQ	"value", r_eax, $0x12345678
	movl	$1, pae
	movl	$PDP + 16, pde_at
	movl	$PTP1, pte_at
	HAS	extended, 20, 1f
	movl	$EFER, %ecx
	rdmsr
	orl	$0x800, %eax
	wrmsr
	movl	$0x10, fetch_bit
1:	call	rights
	movl	$0x12345678, DATA + 4
	movl	$PTP1 + 7, PDP + 16
	movl	$0, PDP + 20
	MAP8	0, DATA+7
	RELOAD
	.irp	bit, 1, 2, 5, 6, 7, 8
	POINTERS "page-directory-pointer entry with bit \bit", PDP+1+(1<<\bit), 0, GP
	.endr
	.irp	bit, 3, 4, 9, 10, 11
	POINTERS "page-directory-pointer entry with bit \bit", PDP+1+(1<<\bit), 0, BP
	.endr
	POINTERS "page-directory-pointer entry with bit 51", PDP+1, 0x80000, GP
	POINTERS "page-directory-pointer entry with bit 63", PDP+1, 0x80000000, GP
	POINTERS "page-directory-pointer entry that is not present", 0x1e6, 0xfff00000, BP
	T	"a bad page-directory-pointer entry leaves cr3"
	movl	$PDP + 3, PDPT + 0x28
	movl	$1 + PDP, PDPT + 0x20
	movl	$PDPT + 0x20, %eax
	movl	%cr3, %ecx
	I	movl %eax, %cr3
	E	GP
	movl	%cr3, %ebx
	EQ	"cr3", %ebx, r_ecx
	T	"page-directory-pointer entry that is not present, accessed"
	RELOAD
	I	movl 0x40000004, %eax
	E	PF
	EQ	"cr2", r_cr2, $0x40000004
	T	"page-directory-pointer entries are registers"
	movl	$PDP + 1, PDPT + 8
	I	movl 0x40000004 + W, %eax
	E	PF
	T	"that mov to cr3 loads"
	RELOAD
	movl	0x40000004 + W, %eax
	OK
	EQ	"value", r_eax, $0x12345678
	movl	$0, PDPT + 8
	RELOAD
	# Reserved bits.
	.irp	high, 0x80000, 0x40000000
	T	"reserved bit \high of the upper half of a pte"
	MAP8	0, DATA+7, \high
	I	movl W, %eax
	E	PF, 9
	T	"reserved bit \high of the upper half of a pte that is not present"
	MAP8	0, DATA+6, \high
	I	movl W, %eax
	E	PF
	T	"reserved bit \high of the upper half of a pde"
	MAP8	0, DATA+7
	movl	$\high, PDP + 20
	RELOAD
	RING	3
	I	movl %eax, W
	E	PF, 15
	movl	$0, PDP + 20
	T	"reserved bit \high of the upper half of a 2-MiB page"
	PAGE8	0x87, \high
	I	movl L, %eax
	E	PF, 9
	.endr
	T	"bit of a pte at maxphyaddr"
	movl	physical, %ecx
	xorl	%eax, %eax
	btsl	%ecx, %eax		# modulo 32
	movl	$DATA + 7, PTP1
	movl	%eax, PTP1 + 4
	RELOAD
	I	movl W, %eax
	E	PF, 9
	MAP8	0, DATA+7
	.irp	bit, 13, 16, 20
	T	"reserved bit \bit of a 2-MiB page"
	PAGE8	0x87+(1<<\bit)
	I	movl L, %eax
	E	PF, 9
	.endr
	T	"2-MiB page without cr4.pse"
	PAGE8	0x1087
	movl	L + DATA + 4, %eax
	movl	PDP + 32, %ecx
	movl	%eax, L + DATA + 4
	OK
	EQ	"value", r_eax, $0x12345678
	EQ	"accessed", r_ecx, $0x1087+A
	EQ	"dirty", PDP+32, $0x1087+A+D
	T	"2-MiB page of the supervisor"
	PAGE8	0x83
	RING	3
	I	movl %eax, L
	E	PF, 7
	T	"a fetch from what is not present"
	PAGE8	0
	movl	$L, %eax
	movl	fetch_bit, %ebx
	jmp	*%eax
	int3
9:	EQ	"vector", r_vec, $PF
	EQ	"code", r_err, fetch_bit
	HAS	extended, 20, 1f
	T	"a fetch from a 2-MiB page with nx"
	movb	$0xcc, DATA
	PAGE8	0x87, 0x80000000
	movl	$L+DATA, %eax
	jmp	*%eax
	E	PF, 0x11, L+DATA
	T	"a read from a 2-MiB page with nx"
	movl	L + DATA + 4, %eax
	OK
	movl	$EFER, %ecx
	rdmsr
	andl	$~0x800, %eax
	wrmsr
	T	"nx without efer.nxe is reserved"
	MAP8	0, DATA+7, 0x80000000
	I	movl W, %eax
	E	PF, 9
	T	"a fetch without efer.nxe"
	MAP8	0, DATA+3
	RING	3
	movl	$W, %eax
	jmp	*%eax
	E	PF, 5, W
1:	OFF	cr0, CR0_PG
	OFF	cr4, CR4_PAE
	jmp	*return_pae
	.text	1
return_pae: .long 0
	.text	0

	.text	2
end_image:
