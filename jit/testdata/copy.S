# A copy of 16 KiB by doublewords, fifty times.
	movl	$50, %ebp
again:	movl	$0x80000, %esi
	movl	$0x90000, %edi
	movl	$4096, %ecx
1:	movl	(%esi), %eax
	movl	%eax, (%edi)
	addl	$4, %esi
	addl	$4, %edi
	decl	%ecx
	jnz	1b
	decl	%ebp
	jnz	again
	movl	%ebp, %eax
	hlt
