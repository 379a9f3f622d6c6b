package symbols

import (
	"bytes"
	"debug/elf"
	"fmt"
)

func isELF(file []byte) bool { return bytes.HasPrefix(file, []byte(elf.ELFMAG)) }

// readELF reads the symbol table of a 32-bit x86 file.
func (t *Table) readELF(file []byte) error {
	f, err := elf.NewFile(bytes.NewReader(file))
	if err != nil {
		return fmt.Errorf("it is a damaged ELF file: %w", err)
	}
	if f.Class != elf.ELFCLASS32 || f.Machine != elf.EM_386 {
		return fmt.Errorf("it is an ELF file, but not for a 32-bit x86")
	}
	list, err := f.Symbols()
	if err != nil {
		return fmt.Errorf("it is an ELF file without symbols: %w", err)
	}
	for _, s := range list {
		kind := elf.ST_TYPE(s.Info)
		if s.Name == "" || s.Section == elf.SHN_UNDEF || kind == elf.STT_FILE || kind == elf.STT_SECTION || kind == elf.STT_TLS {
			continue
		}
		t.add(symbol{uint32(s.Value), s.Name, kind == elf.STT_FUNC}, s.Section == elf.SHN_ABS)
	}
	return nil
}
