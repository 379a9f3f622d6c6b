# The boot sector of a disk that holds a guest from its second sector on. It
# reads 64 KiB to where the guest belongs and enters it as Multiboot would.

	.code16
	.text
	.globl	_start
_start:
	ljmp	$0, $1f
1:	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %ss
	movw	$0x7c00, %sp
	sti
	movb	%dl, drive
	movw	$0x1000, %ax
	movw	%ax, %es
	movw	$1, %si			# the sector, counted from zero
2:	# 18 sectors a track, two heads.
	movw	%si, %ax
	xorw	%dx, %dx
	movw	$18, %bx
	divw	%bx
	movb	%dl, %cl
	incb	%cl
	movb	%al, %dh
	andb	$1, %dh
	shrw	$1, %ax
	movb	%al, %ch
	movb	drive, %dl
	movw	$0x0201, %ax
	xorw	%bx, %bx
	int	$0x13
	jc	2b
	movw	%es, %ax
	addw	$0x20, %ax
	movw	%ax, %es
	incw	%si
	cmpw	$SECTORS + 1, %si
	jne	2b
	# The motor off.
	movw	$0x3f2, %dx
	xorb	%al, %al
	outb	%al, %dx
	cli
	inb	$0x92, %al
	orb	$2, %al
	andb	$0xfe, %al
	outb	%al, $0x92
	lgdtl	pointer
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmpl	$8, $3f
	.code32
3:	movl	$16, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	$0x10080, %eax
	jmp	*%eax

drive:	.byte	0
	.balign	8
gdt:	.quad	0, 0x00cf9b000000ffff, 0x00cf93000000ffff
pointer:
	.word	23
	.long	gdt
	.org	510
	.word	0xaa55
