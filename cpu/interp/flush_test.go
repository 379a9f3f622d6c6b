package interp

import "testing"

func TestLinksFromBeforeAFlushLeadNowhere(t *testing.T) {
	e := newMachine(t)
	e.must(0xb9, 0x10, 0, 0, 0, 0x49, 0x75, 0xfd) // MOV ECX, 16; DEC ECX; JNZ
	for i := range e.jump {
		e.jump[i] = 1000
	}
	e.cache.Flush()
	for l := range uint32(jumpSlots) {
		if e.lookup(l) != 0 {
			t.Fatalf("a block is found at %#x after the flush", l)
		}
	}
}
