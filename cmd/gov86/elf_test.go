package main

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
)

// elfWithCode is a 32-bit ELF file with a section of code at 1 MiB: NOP; JMP to
// end; end: HLT.
func elfWithCode() []byte {
	le := binary.LittleEndian
	code := []byte{0x90, 0xeb, 0x00, 0xf4}
	strtab := []byte("\x00start\x00end\x00")
	names := []byte("\x00.text\x00.symtab\x00.strtab\x00.shstrtab\x00")
	symtab, _ := binary.Append(nil, le, []elf.Sym32{{}, {Name: 1, Value: 0x100000, Shndx: 1}, {Name: 7, Value: 0x100003, Shndx: 1}})
	h := elf.Header32{Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_386), Version: 1, Entry: 0x100000,
		Ehsize: 52, Phentsize: 32, Shentsize: 40, Shnum: 5, Shstrndx: 4}
	copy(h.Ident[:], "\x7fELF\x01\x01\x01")
	sections := []elf.Section32{
		{},
		{Type: uint32(elf.SHT_PROGBITS), Flags: uint32(elf.SHF_ALLOC | elf.SHF_EXECINSTR), Addr: 0x100000},
		{Type: uint32(elf.SHT_SYMTAB), Link: 3, Info: 1, Entsize: elf.Sym32Size},
		{Type: uint32(elf.SHT_STRTAB)},
		{Type: uint32(elf.SHT_STRTAB)},
	}
	var body []byte
	for i, part := range [][]byte{code, symtab, strtab, names} {
		s := &sections[i+1]
		name := []string{".text", ".symtab", ".strtab", ".shstrtab"}[i]
		s.Name = uint32(bytes.Index(names, []byte(name+"\x00")))
		s.Off, s.Size = uint32(52+len(body)), uint32(len(part))
		body = append(body, part...)
	}
	h.Shoff = uint32(52 + len(body))
	file, _ := binary.Append(nil, le, h)
	file, _ = binary.Append(append(file, body...), le, sections)
	return file
}
