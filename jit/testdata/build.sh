#!/bin/sh
# Assembles the programs of gates_linux_amd64_test.go. It needs GNU as, ld and
# objcopy.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
for source in *.S; do
	name=$(basename "$source" .S)
	as --32 -o "$work/$name.o" "$source"
	ld -m elf_i386 -N -e 0 -Ttext 0x10000 --oformat binary -o "$name.bin" "$work/$name.o"
done
