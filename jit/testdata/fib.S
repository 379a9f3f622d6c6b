# EAX is the twentieth Fibonacci number, by a function as a compiler makes it.
	pushl	$20
	call	fib
	addl	$4, %esp
	hlt
fib:	pushl	%ebp
	movl	%esp, %ebp
	pushl	%ebx
	subl	$4, %esp
	movl	8(%ebp), %ebx
	movl	%ebx, %eax
	cmpl	$1, %ebx
	jle	1f
	leal	-1(%ebx), %eax
	movl	%eax, (%esp)
	call	fib
	subl	$2, %ebx
	movl	%ebx, (%esp)
	movl	%eax, %ebx
	call	fib
	addl	%ebx, %eax
1:	movl	-4(%ebp), %ebx
	leave
	ret
