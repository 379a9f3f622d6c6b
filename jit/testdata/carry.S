# Sums of numbers of 64 doublewords, 500 times: the carry lives from turn to turn.
	.set	A, 0x80000
	.set	B, 0x80200
	movl	$1, A
	movl	$1, B
	movl	$500, %ebp
again:	xorl	%esi, %esi
	movl	$64, %ecx
	clc
1:	movl	A(%esi), %eax
	adcl	B(%esi), %eax
	movl	%eax, A(%esi)
	leal	4(%esi), %esi
	decl	%ecx
	jnz	1b
	decl	%ebp
	jnz	again
	movl	A, %eax
	hlt
