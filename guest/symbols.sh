#!/bin/sh
# Makes a symbol file for GDB of what a Linux kernel for i386 knows about
# itself: the addresses of its functions. For kernels without debug information,
# such as the embedded one.
#
#   guest/symbols.sh KALLSYMS FILE
#
# KALLSYMS is /proc/kallsyms as root reads it in the guest. FILE becomes an ELF
# file without contents. Modules are left out: they have no fixed place.
set -eu
if [ $# != 2 ]; then
	sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
	exit 2
fi
object=$2.o
trap 'rm -f "$object"' EXIT
# All are made global: ld drops local symbols of a section without contents.
base=0x$(awk '$3 == "_text" { print $1 }' "$1")
awk -v base="$base" '
	BEGIN { print ".section .kernel, \"ax\", @nobits\nkernel: .space 0x2000000" }
	NF == 3 && $2 ~ /[TtWw]/ {
		printf ".set \"%s\", kernel + 0x%s - %s\n", $3, $1, base
		printf ".type \"%s\", @function\n.globl \"%s\"\n", $3, $3
	}' "$1" | as --32 -o "$object" -
ld -m elf_i386 --section-start=.kernel="$base" -e 0 -o "$2" "$object"
