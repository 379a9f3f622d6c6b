package mem

import (
	"runtime"
	"testing"
)

func TestPlainIsRAMAlone(t *testing.T) {
	s, err := New(MinRAM)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.MapROM(0xf0000, make([]byte, PageSize)); err != nil {
		t.Fatal(err)
	}
	b := newBank(t, PageSize)
	if err := s.MapBank(0xa0000, PageSize, b, 0); err != nil {
		t.Fatal(err)
	}
	s.MarkCode(0x3010, 4)
	for frame, want := range map[uint32][2]bool{
		0: {true, true}, 3: {true, false}, 0xf0: {}, 0xa0: {}, 0x100: {}, frames - 1: {}, frames: {},
	} {
		if plain, writable := s.Plain(frame); plain != want[0] || writable != want[1] {
			t.Errorf("frame %#x: plain %v, writable %v", frame, plain, writable)
		}
	}
	if _, ok := s.File(); ok != (runtime.GOOS == "linux") {
		t.Errorf("there is a file: %v", ok)
	}
}
