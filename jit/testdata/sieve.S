# The sieve of Eratosthenes, ten times; EAX is the number of primes below 8192.
	.set	SIZE, 8192
	.set	FLAGS, 0x80000
	movl	$10, %ebp
again:	movl	$FLAGS, %edi
	movl	$SIZE, %ecx
	movb	$1, %al
	cld
	rep	stosb
	xorl	%eax, %eax
	movl	$2, %esi
1:	cmpb	$0, FLAGS(%esi)
	je	3f
	incl	%eax
	leal	(%esi, %esi), %edx
2:	cmpl	$SIZE, %edx
	jae	3f
	movb	$0, FLAGS(%edx)
	addl	%esi, %edx
	jmp	2b
3:	incl	%esi
	cmpl	$SIZE, %esi
	jne	1b
	decl	%ebp
	jnz	again
	hlt
