package bios

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
)

// A linux describes a bzImage to build.
type linux struct {
	version              uint16
	loadflags, xloadflag uint8
	payload              int // bytes of the protected-mode part
	cmdlineSize          uint32
	initrdMax            uint32
	prefAddress          uint64
	initSize             uint32
	syssize              uint32 // in paragraphs, that of the payload if zero
	setupSects           uint8  // 2 if zero; the header says 0 for 4
}

// image builds the kernel. The bytes of its payload count up.
func (l linux) image() []byte {
	sects, said := 2, uint8(2)
	if l.setupSects != 0 {
		sects, said = int(l.setupSects), l.setupSects
		if sects == 4 {
			said = 0
		}
	}
	k := make([]byte, (sects+1)*512)
	k[0x1f1] = said
	syssize := l.syssize
	if syssize == 0 {
		syssize = uint32(l.payload+15) / 16
	}
	put32(k[0x1f4:], syssize)
	put16(k[0x1fe:], 0xaa55)
	k[0x200], k[0x201] = 0xeb, 0x6a // to 26ch: where a header of 2.15 ends
	copy(k[0x202:], "HdrS")
	put16(k[0x206:], l.version)
	k[0x211] = l.loadflags
	put32(k[0x214:], 0x100000)
	if l.version >= 0x203 {
		put32(k[0x22c:], l.initrdMax)
	}
	if l.version >= 0x205 {
		put32(k[0x230:], 1<<20)
		k[0x234] = 1
	}
	if l.version >= 0x206 {
		put32(k[0x238:], l.cmdlineSize)
	}
	if l.version >= 0x20a {
		put64(k[0x258:], l.prefAddress)
		put32(k[0x260:], l.initSize)
	}
	k[0x236] = l.xloadflag
	return append(k, counting(l.payload)...)
}

func counting(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = uint8(i*7 + i>>8 + 1)
	}
	return p
}

// modern is a relocatable kernel of today.
func modern() linux {
	return linux{version: 0x20f, loadflags: 1, payload: 5000, cmdlineSize: 2047,
		initrdMax: 0x7fffffff, prefAddress: 2 << 20, initSize: 1 << 20}
}

// A segment is one PT_LOAD of an executable to build.
type segment struct {
	vaddr, paddr, memsz uint32
	data                []byte
}

// elf32 builds an executable for the 386.
func elf32(entry uint32, segments ...segment) []byte {
	const headers, program = 52, 32
	h := elf.Header32{Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_386), Version: 1,
		Entry: entry, Phoff: headers, Ehsize: headers, Phentsize: program, Phnum: uint16(len(segments))}
	copy(h.Ident[:], elf.ELFMAG)
	h.Ident[elf.EI_CLASS], h.Ident[elf.EI_DATA] = byte(elf.ELFCLASS32), byte(elf.ELFDATA2LSB)
	h.Ident[elf.EI_VERSION] = byte(elf.EV_CURRENT)
	var out, body bytes.Buffer
	_ = binary.Write(&out, binary.LittleEndian, h)
	off := uint32(headers + program*len(segments))
	for _, s := range segments {
		_ = binary.Write(&out, binary.LittleEndian, elf.Prog32{Type: uint32(elf.PT_LOAD), Off: off + uint32(body.Len()),
			Vaddr: s.vaddr, Paddr: s.paddr, Filesz: uint32(len(s.data)), Memsz: s.memsz})
		body.Write(s.data)
	}
	return append(out.Bytes(), body.Bytes()...)
}

// multiboot builds a header; with fields they are the addresses of bit 16.
func multiboot(flags uint32, fields ...uint32) []byte {
	const magic = 0x1badb002
	p := binary.LittleEndian.AppendUint32(nil, magic)
	p = binary.LittleEndian.AppendUint32(p, flags)
	p = binary.LittleEndian.AppendUint32(p, -(uint32(magic) + flags))
	for _, f := range fields {
		p = binary.LittleEndian.AppendUint32(p, f)
	}
	return p
}

// kludge is a Multiboot image at 1 MiB that loads by its addresses.
func kludge() []byte {
	const load = 0x100000
	return append(multiboot(1<<16|3, load, load, load+100, load+5000, load+32), counting(200)...)
}
