# A comparison of two strings, by a function of a library, 300 times.
	.set	A, 0x80000
	.set	B, 0x81000
	movl	$255, %ecx
1:	movb	%cl, A-1(%ecx)
	movb	%cl, B-1(%ecx)
	loop	1b
	movl	$300, %ebx
again:	movl	$A, %ecx
	movl	$B, %edx
	call	strcmp
	decl	%ebx
	jnz	again
	hlt
strcmp:	pushl	%esi
1:	movzbl	(%ecx), %eax
	movzbl	(%edx), %esi
	incl	%ecx
	incl	%edx
	testb	%al, %al
	jz	2f
	cmpl	%esi, %eax
	je	1b
2:	subl	%esi, %eax
	popl	%esi
	ret
