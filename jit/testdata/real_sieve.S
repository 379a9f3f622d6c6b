# The sieve of Eratosthenes in 16-bit code, ten times; AX is the number of primes
# below 8192.
	.code16
	.set	SIZE, 8192
	pushw	%ds
	popw	%es
	movw	$10, %bp
again:	xorw	%di, %di
	movw	$SIZE, %cx
	movb	$1, %al
	cld
	rep	stosb
	xorw	%ax, %ax
	movw	$2, %si
1:	cmpb	$0, (%si)
	je	3f
	incw	%ax
	movw	%si, %bx
	addw	%si, %bx
2:	cmpw	$SIZE, %bx
	jae	3f
	movb	$0, (%bx)
	addw	%si, %bx
	jmp	2b
3:	incw	%si
	cmpw	$SIZE, %si
	jne	1b
	decw	%bp
	jnz	again
	movzwl	%ax, %eax
	hlt
