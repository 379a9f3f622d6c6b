# The native side: a 32-bit program without a library that executes cases on
# the processor it runs on, and records what state they ended in.
#
# It shares the memory file on descriptor 3 with its parent, which lays out
# everything (layout.go): the system calls that prepare the address space, and
# the cases. The parent writes a byte to descriptor 0 when a batch is there; the
# answer on descriptor 1 says that it is done. A case ends by whatever signal it
# causes, at the latest that of the HLT behind it.

	.set	CONTROL, 0x5a5a0000	# header, then the records
	.set	CONTROL_PAGES, 256
	.set	SETUP, CONTROL + 0x40
	.set	CURRENT, CONTROL + 0x800	# the case being executed, IN_SIZE bytes
	.set	STACKS, CONTROL + 0x8000	# top of the stack signals are handled on
	.set	INPUTS, CONTROL + 0x8000
	.set	OUTPUTS, CONTROL + 0x10000
	.set	RESULTS, CONTROL + 0x20000	# FXSAVE images, each with CR2 behind it
	.set	IN_SIZE, 64
	.set	OUT_SIZE, 64
	.set	IMAGE_USED, 288	# up to XMM7

	# The header.
	.set	SETUPS, CONTROL + 0
	.set	CASES, CONTROL + 4
	.set	INDEX, CONTROL + 8

	# struct ucontext and struct sigcontext of the i386 ABI, from the ucontext.
	.set	UC_REGS, 20
	.set	UC_FPSTATE, UC_REGS + 76
	.set	UC_CR2, UC_REGS + 84
	# The FXSAVE image within struct _fpstate.
	.set	FP_IMAGE, 112

	.text
	.globl	_start
_start:
	movl	$192, %eax		# mmap2
	movl	$CONTROL, %ebx
	movl	$CONTROL_PAGES << 12, %ecx
	movl	$3, %edx		# PROT_READ | PROT_WRITE
	movl	$0x8011, %esi		# MAP_SHARED | MAP_FIXED | MAP_POPULATE
	movl	$3, %edi
	xorl	%ebp, %ebp
	int	$0x80
	cmpl	$CONTROL, %eax
	jne	exit
	movl	$STACKS, %esp

wait:
	movl	$3, %eax		# read
	xorl	%ebx, %ebx
	movl	$INDEX, %ecx
	movl	$1, %edx
	int	$0x80
	cmpl	$1, %eax
	jne	exit
	cmpl	$0, SETUPS
	je	begin

	# Seven words a call: number and six arguments; the eighth is the result.
	movl	$SETUP, CURRENT
prepare:
	movl	CURRENT, %eax
	movl	4(%eax), %ebx
	movl	8(%eax), %ecx
	movl	12(%eax), %edx
	movl	16(%eax), %esi
	movl	20(%eax), %edi
	movl	24(%eax), %ebp
	movl	(%eax), %eax
	int	$0x80
	movl	CURRENT, %ebx
	movl	%eax, 28(%ebx)
	addl	$32, CURRENT
	decl	SETUPS
	jnz	prepare
	jmp	done

begin:
	movl	$0, INDEX
next:
	cld
	movl	INDEX, %eax
	cmpl	CASES, %eax
	jae	done
	shll	$6, %eax
	leal	INPUTS(%eax), %esi
	movl	$CURRENT, %edi
	movl	$IN_SIZE / 4, %ecx
	rep movsl
	movl	CURRENT + 52, %eax
	fxrstor	(%eax)
	movw	CURRENT + 46, %es
	movw	CURRENT + 48, %fs
	movw	CURRENT + 50, %gs
	movl	CURRENT + 0, %eax
	movl	CURRENT + 4, %ecx
	movl	CURRENT + 8, %edx
	movl	CURRENT + 12, %ebx
	movl	CURRENT + 20, %ebp
	movl	CURRENT + 24, %esi
	movl	CURRENT + 28, %edi
	pushl	CURRENT + 40
	popfl
	lssl	CURRENT + 56, %esp
	movw	CURRENT + 44, %ds
	ljmpl	*%cs:CURRENT + 32

done:
	movl	$4, %eax		# write
	movl	$1, %ebx
	movl	$INDEX, %ecx
	movl	$1, %edx
	int	$0x80
	jmp	wait

exit:
	movl	$1, %eax
	movl	$1, %ebx
	int	$0x80

# Every signal: 4(%esp) its number, 12(%esp) the ucontext. The registers go to
# the result as the kernel saved them.
	.globl	caught
	.org	0x200
caught:
	movl	4(%esp), %eax
	movl	12(%esp), %ebx
	cld
	movl	INDEX, %ecx
	movl	%ecx, %edi
	shll	$6, %edi
	addl	$OUTPUTS, %edi
	leal	UC_REGS(%ebx), %esi
	shll	$16, %eax
	movl	$15, %ecx
	rep movsl			# gs fs es ds edi esi ebp esp ebx edx ecx eax trapno err eip
	orl	%eax, -12(%edi)		# the signal above the trap number
	movw	UC_REGS + 60(%ebx), %ax	# cs and ss into the padding of gs and fs
	movw	%ax, -58(%edi)
	movw	UC_REGS + 72(%ebx), %ax
	movw	%ax, -54(%edi)
	movl	UC_REGS + 64(%ebx), %eax
	movl	%eax, (%edi)		# eflags
	movl	INDEX, %edi
	shll	$9, %edi
	addl	$RESULTS, %edi
	movl	UC_FPSTATE(%ebx), %esi
	addl	$FP_IMAGE, %esi
	movl	$IMAGE_USED / 4, %ecx
	rep movsl
	movl	UC_CR2(%ebx), %eax
	stosl
	incl	INDEX
	movl	$STACKS, %esp
	jmp	next

	.section .note.GNU-stack, "", @progbits
