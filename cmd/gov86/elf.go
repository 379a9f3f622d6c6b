package main

import (
	"bytes"
	"debug/elf"
)

// sections are the sections of code of an ELF file, or the one called want.
func sections(image []byte, name, want string) ([]piece, error) {
	f, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return nil, failure{name, "it is a damaged ELF file", "give --base to decode it as it is"}
	}
	if f.Machine != elf.EM_386 {
		return nil, failure{name, "it is an ELF file for another processor", "give --base to decode it as it is"}
	}
	var pieces []piece
	for _, s := range f.Sections {
		wanted := s.Flags&elf.SHF_EXECINSTR != 0
		if want != "" {
			wanted = s.Name == want
		}
		if !wanted || s.Type == elf.SHT_NOBITS {
			continue
		}
		code, err := s.Data()
		if err != nil {
			return nil, failure{name, "its section " + s.Name + " is damaged", "give --base to decode it as it is"}
		}
		if len(code) > 0 {
			pieces = append(pieces, piece{s.Name, uint32(s.Addr), code})
		}
	}
	if len(pieces) == 0 {
		return nil, failure{name, "it has no such section with code",
			"choose one by --section, or give --base to decode it as it is"}
	}
	return pieces, nil
}
