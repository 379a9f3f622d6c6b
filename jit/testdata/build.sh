#!/bin/sh
# Assembles the programs of gates_linux_amd64_test.go. It needs GNU as, ld and
# objcopy.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
for source in *.S; do
	name=$(basename "$source" .S)
	at=0x10000
	case $name in
	real_*) at=0 ;;
	esac
	as --32 -o "$work/$name.o" "$source"
	ld -m elf_i386 -N -e 0 -Ttext "$at" --oformat binary -o "$name.bin" "$work/$name.o"
done
