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
