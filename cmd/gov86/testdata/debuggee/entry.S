	.section .multiboot, "a"
	.long 0x1badb002, 0, -0x1badb002	# magic, flags, checksum

	.text
	.globl _start
_start:
	mov $0x200000, %esp
	fninit
	call start

	.section .note.GNU-stack, "", %progbits
