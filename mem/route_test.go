package mem

import "testing"

// newShadowed is a space with 1 MiB of RAM that holds 11h, and a page of ROM
// at F0000h that holds 22h.
func newShadowed(t *testing.T) *Space {
	t.Helper()
	s, err := New(MinRAM)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	s.Write(0xf0000, 1, 0x11)
	rom := make([]byte, PageSize)
	rom[0] = 0x22
	if err := s.MapROM(0xf0000, rom); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRoutesSeparateReadsFromWrites(t *testing.T) {
	for _, c := range []struct {
		route     Route
		read, ram uint32 // what a read yields after a write of 33h, and what RAM has
	}{
		{Automatic, 0x22, 0x11},
		{Bus, 0x22, 0x11},
		{ReadRAM, 0x11, 0x11},
		{WriteRAM, 0x22, 0x33},
		{RAM, 0x33, 0x33},
	} {
		s := newShadowed(t)
		s.SetRoute(0xf0000, PageSize, c.route)
		s.Write(0xf0000, 1, 0x33)
		if v := s.Read(0xf0000, 1); v != c.read {
			t.Errorf("route %d reads %#x, want %#x", c.route, v, c.read)
		}
		s.SetRoute(0xf0000, PageSize, RAM)
		if v := s.Read(0xf0000, 1); v != c.ram {
			t.Errorf("route %d left %#x in RAM, want %#x", c.route, v, c.ram)
		}
	}
}

func TestPagesAreRoutedAsAccessesAre(t *testing.T) {
	s := newShadowed(t)
	s.SetRoute(0xf0000, PageSize, WriteRAM)
	if r, w := s.Page(0xf0000, false), s.Page(0xf0000, true); r[0] != 0x22 || w[0] != 0x11 {
		t.Errorf("pages begin with %#x to read and %#x to write", r[0], w[0])
	}
	if s.WriteAt([]byte{0x33}, 0xf0000) != nil || s.ram[0xf0000] != 0x33 {
		t.Error("DMA does not write to RAM")
	}
	s.SetRoute(0xf0000, PageSize, ReadRAM)
	if s.Page(0xf0000, true) != nil || s.WriteAt([]byte{1}, 0xf0000) == nil {
		t.Error("what goes to the bus was written")
	}
	if _, err := s.Borrow(0xf0000, 1, false); err == nil {
		t.Error("a page that is not RAM both ways was lent")
	}
}

func TestNothingOnTheBusReadsAsOnes(t *testing.T) {
	s := newShadowed(t)
	s.SetRoute(0xe0000, PageSize, Bus)
	s.Write(0xe0000, 4, 0)
	if v := s.Read(0xe0000, 4); v != 0xffffffff {
		t.Errorf("reads %#x", v)
	}
	s.SetRoute(0xe0000, PageSize, Automatic)
	if v := s.Read(0xe0000, 4); v != 0 {
		t.Errorf("RAM has %#x, want its own zeros", v)
	}
}

type ones struct{}

func (ones) Widths() (smallest, largest int) { return 1, 4 }
func (ones) Read(uint32, int) uint32         { return 0x55 }
func (ones) Write(uint32, int, uint32)       {}

func TestAWindowUncoversTheROMBelowIt(t *testing.T) {
	s := newShadowed(t)
	if err := s.MapMMIO(0xf0000, PageSize, ones{}); err != nil {
		t.Fatal(err)
	}
	if v := s.Read(0xf0000, 1); v != 0x55 {
		t.Errorf("under a window %#x", v)
	}
	s.UnmapMMIO(0xf0000, ones{})
	if v := s.Read(0xf0000, 1); v != 0x22 {
		t.Errorf("after the window %#x", v)
	}
}

func TestCodeIsForgottenWhenItsFrameShowsSomethingElse(t *testing.T) {
	s := newShadowed(t)
	var forgotten []uint32
	s.OnCodeWrite(func(a Addr, _ int) {
		forgotten = append(forgotten, uint32(a>>pageShift))
		s.KeepCode(uint32(a>>pageShift), 0)
	})
	s.MarkCode(0xf0000, 4)
	s.SetRoute(0xf0000, PageSize, WriteRAM)
	if len(forgotten) != 0 {
		t.Error("forgotten though reads still meet the ROM")
	}
	s.SetRoute(0xf0000, PageSize, RAM)
	if len(forgotten) != 1 || forgotten[0] != 0xf0 {
		t.Errorf("forgotten frames %#x, want F0h", forgotten)
	}
}
