# The CRC-16 of 1024 bytes, fifty times: near and far calls, far pointers, the
# stack. AX is the CRC.
	.code16
	.set	SIZE, 1024
	.set	POINTERS, 0x800
	xorw	%di, %di
	movw	$SIZE, %cx
	movb	$0, %al
	cld
1:	stosb
	addb	$7, %al
	loop	1b
	movw	$sum, POINTERS
	movw	%cs, POINTERS+2
	movw	$0, POINTERS+4
	movw	%es, POINTERS+6
	movw	$50, %bp
again:	lcall	*POINTERS
	decw	%bp
	jnz	again
	movzwl	%ax, %eax
	hlt

sum:	pushw	%ds
	pushw	%si
	ldsw	POINTERS+4, %si
	movw	$SIZE, %cx
	movw	$0xffff, %dx
2:	lodsb
	pushw	%cx
	call	byte
	popw	%cx
	loop	2b
	movw	%dx, %ax
	popw	%si
	popw	%ds
	lret

byte:	xorb	%al, %dh
	movw	$8, %cx
3:	shlw	%dx
	jnc	4f
	xorw	$0x1021, %dx
4:	loop	3b
	ret
