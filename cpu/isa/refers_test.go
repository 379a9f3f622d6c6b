package isa

import "testing"

func TestRefers(t *testing.T) {
	for _, c := range []struct {
		name string
		code []byte
		mode Mode
		at   uint32
		ok   bool
	}{
		{"CALL", []byte{0xe8, 0xfb, 0x0f, 0, 0}, Code32, 0x2000, true},
		{"JZ back", []byte{0x74, 0xfe}, Code32, 0x1000, true},
		{"JMP that wraps at 64 KiB", []byte{0xe9, 0xfd, 0xef}, Code16, 0, true},
		{"MOV from memory", []byte{0xa1, 0x78, 0x56, 0x34, 0x12}, Code32, 0x12345678, true},
		{"LIDT", []byte{0x0f, 0x01, 0x1d, 0x00, 0x50, 0, 0}, Code32, 0x5000, true},
		{"MOV from memory by a register", []byte{0x8b, 0x45, 0x08}, Code32, 0, false},
		{"MOV immediate", []byte{0xb8, 0x78, 0x56, 0x34, 0x12}, Code32, 0, false},
		{"STOSB", []byte{0xaa}, Code32, 0, false},
		{"XLAT", []byte{0xd7}, Code32, 0, false},
		{"none", []byte{0x0f, 0x04}, Code32, 0, false},
	} {
		if at, ok := Refers(c.code, c.mode, 0x1000); at != c.at || ok != c.ok {
			t.Errorf("%s: %#x, %t, want %#x, %t", c.name, at, ok, c.at, c.ok)
		}
	}
}

func TestDisasmWrapsTargets(t *testing.T) {
	for _, c := range []struct {
		code []byte
		mode Mode
		pc   uint32
		want string
	}{
		{[]byte{0x7f, 0x45}, Code32, 0, "jnle 0x47"},
		{[]byte{0xeb, 0xe0}, Code32, 0x10, "jmp 0xfffffff2"},
		{[]byte{0xe8, 0, 0, 0, 0x80}, Code32, 0x7fff0000, "call 0xffff0005"},
		{[]byte{0xe8, 0xf0, 0xff}, Code16, 0x8, "call 0xfffb"},
		{[]byte{0xe2, 0x10}, Code16, 0xfff8, "loop 0xa"},
	} {
		if got := Disasm(c.code, c.mode, c.pc); got != c.want {
			t.Errorf("% x at %#x: %s, want %s", c.code, c.pc, got, c.want)
		}
	}
}
