#!/bin/sh
# Assembles the guests and the boot sector into prebuilt/, and lists their
# hashes in prebuilt/MANIFEST. It needs GNU as, ld and objcopy.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
mkdir -p prebuilt
for source in src/*.S; do
	name=$(basename "$source" .S)
	at=0x10000
	if [ "$name" = boot ]; then
		at=0x7c00
	fi
	as --32 -I src --defsym SECTORS=127 -o "$work/$name.o" "$source"
	ld -m elf_i386 -N -e 0 -Ttext $at --oformat binary -o "prebuilt/$name.bin" "$work/$name.o"
done
cd prebuilt
sha256sum -- *.bin >MANIFEST
