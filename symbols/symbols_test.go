package symbols

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"strings"
	"testing"
)

const systemMap = `00000042 A a_constant
c0100000 D image
c0100000 T _text
c0100000 T startup_32
c0100040 t helper
         U elsewhere
c0200000 D data	[a_module]
`

func parse(t *testing.T, file string) *Table {
	t.Helper()
	table, err := Parse([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestAnAddressIsNamedByTheSymbolBeforeIt(t *testing.T) {
	table := parse(t, systemMap)
	for _, c := range []struct {
		at   uint32
		want string
	}{
		{0x42, ""}, {0xc00fffff, ""}, {0xc0100000, "_text"}, {0xc010003f, "_text+0x3f"}, {0xc0100040, "helper"},
		{0xc0200001, "data+0x1"}, {0xc02fffff, "data+0xfffff"}, {0xc0300000, ""}, {0xffffffff, ""},
	} {
		if got := table.Name(c.at); got != c.want {
			t.Errorf("%#x is %q, want %q", c.at, got, c.want)
		}
	}
}

func TestWhereAThingEnds(t *testing.T) {
	table := parse(t, "1000 T f\n1004 t f.loop\n1010 T g\n")
	for _, c := range []struct{ got, want uint32 }{
		{table.Next(0), 0x1000}, {table.Next(0x1000), 0x1004}, {table.Next(0x1005), 0x1010}, {table.Next(0x1010), 0},
		{table.End("f", 0x1000), 0x1010}, {table.End("g", 0x1010), 0},
	} {
		if c.got != c.want {
			t.Errorf("%#x, want %#x", c.got, c.want)
		}
	}
}

func TestNoTableNamesNothing(t *testing.T) {
	if got := (*Table)(nil).Name(0x1000); got != "" {
		t.Errorf("named %q", got)
	}
}

func TestAddresses(t *testing.T) {
	table := parse(t, systemMap)
	for _, c := range []struct {
		text string
		want uint32
	}{
		{"0xc0100000", 0xc0100000}, {"4096", 4096}, {"startup_32", 0xc0100000}, {"helper+0x10", 0xc0100050},
		{"a_constant", 0x42}, {"data+8", 0xc0200008},
	} {
		if got, err := table.Address(c.text); err != nil || got != c.want {
			t.Errorf("%s is %#x, %v, want %#x", c.text, got, err, c.want)
		}
	}
	for _, text := range []string{"", "+1", "nowhere", "helper+", "helper+x", "0x100000000", "0xq", "-1"} {
		if got, err := table.Address(text); err == nil {
			t.Errorf("%q is %#x, want an error", text, got)
		}
	}
	if _, err := (*Table)(nil).Address("helper"); err == nil {
		t.Error("a symbol was found without a table")
	}
}

func TestBadTextIsAnError(t *testing.T) {
	for name, file := range map[string]string{
		"empty":       "",
		"prose":       "this is not a map\n",
		"numbers":     "1 2 3 4\nx y z\n",
		"64 bits":     "ffffffff81000000 T _text\n",
		"restricted":  "00000000 T _text\n00000000 T startup_32\n",
		"cut off ELF": "\x7fELF\x01",
	} {
		if _, err := Parse([]byte(file)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// elf32 is an ELF file with one section of code at base and the symbols given.
func elf32(base uint32, code []byte, symbols map[string]elf.Sym32) []byte {
	le := binary.LittleEndian
	const header, section = 52, 40
	strtab := []byte{0}
	symtab := make([]byte, 16)
	for name, s := range symbols {
		s.Name = uint32(len(strtab))
		strtab = append(append(strtab, name...), 0)
		symtab, _ = binary.Append(symtab, le, s)
	}
	names := []byte("\x00.text\x00.symtab\x00.strtab\x00.shstrtab\x00")
	at := uint32(header)
	sections := []elf.Section32{{}}
	for _, s := range []struct {
		name           string
		kind           elf.SectionType
		content        []byte
		link, info, sz uint32
	}{
		{".text", elf.SHT_PROGBITS, code, 0, 0, 0}, {".symtab", elf.SHT_SYMTAB, symtab, 3, 1, 16},
		{".strtab", elf.SHT_STRTAB, strtab, 0, 0, 0}, {".shstrtab", elf.SHT_STRTAB, names, 0, 0, 0},
	} {
		sections = append(sections, elf.Section32{Name: uint32(bytes.Index(names, []byte(s.name+"\x00"))),
			Type: uint32(s.kind), Off: at, Size: uint32(len(s.content)), Link: s.link, Info: s.info, Entsize: s.sz})
		at += uint32(len(s.content))
	}
	sections[1].Addr, sections[1].Flags = base, uint32(elf.SHF_ALLOC|elf.SHF_EXECINSTR)
	h := elf.Header32{Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_386), Version: 1, Entry: base, Shoff: at,
		Ehsize: header, Phentsize: 32, Shentsize: section, Shnum: uint16(len(sections)), Shstrndx: 4}
	copy(h.Ident[:], "\x7fELF\x01\x01\x01")
	file, _ := binary.Append(nil, le, h)
	for _, content := range [][]byte{code, symtab, strtab, names} {
		file = append(file, content...)
	}
	file, _ = binary.Append(file, le, sections)
	return file
}

func TestELFSymbols(t *testing.T) {
	function := elf.ST_INFO(elf.STB_GLOBAL, elf.STT_FUNC)
	file := elf32(0x100000, make([]byte, 32), map[string]elf.Sym32{
		"kmain":     {Value: 0x100000, Info: function, Shndx: 1},
		"label":     {Value: 0x100000, Shndx: 1},
		"panic":     {Value: 0x100010, Info: function, Shndx: 1},
		"PAGE_SIZE": {Value: 0x1000, Shndx: uint16(elf.SHN_ABS)},
		"kernel.c":  {Info: elf.ST_INFO(elf.STB_LOCAL, elf.STT_FILE), Shndx: uint16(elf.SHN_ABS)},
	})
	table := parse(t, string(file))
	for at, want := range map[uint32]string{0x100000: "kmain", 0x100012: "panic+0x2", 0x1004: ""} {
		if got := table.Name(at); got != want {
			t.Errorf("%#x is %q, want %q", at, got, want)
		}
	}
	if at, err := table.Address("PAGE_SIZE"); err != nil || at != 0x1000 {
		t.Errorf("PAGE_SIZE is %#x, %v", at, err)
	}
	stripped := elf32(0x100000, nil, nil)
	if _, err := Parse(stripped); err == nil {
		t.Error("a file without symbols is no error")
	}
	long := bytes.Clone(file)
	long[4] = byte(elf.ELFCLASS64)
	if _, err := Parse(long); err == nil || !strings.Contains(err.Error(), "ELF") {
		t.Errorf("a 64-bit file: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(systemMap))
	f.Add(elf32(0x1000, nil, map[string]elf.Sym32{"x": {Value: 0x1000, Shndx: 1}}))
	f.Fuzz(func(t *testing.T, file []byte) {
		if table, err := Parse(file); err == nil {
			table.Name(table.sorted[0].at)
		}
	})
}
