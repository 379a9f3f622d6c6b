package debugexit

import (
	"slices"
	"testing"

	"github.com/gov86/gov86/hw"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/snapshot"
)

var _ hw.Device = (*Port)(nil)

func TestAWriteOfAnyWidthEndsTheMachineWithItsValue(t *testing.T) {
	var ends []uint32
	p := New(func(v uint32) { ends = append(ends, v) })
	p.Out(0, portio.Byte, 0x12)
	p.Out(0, portio.Word, 0xfff1234)
	p.Out(3, portio.Byte, 7)
	p.Out(0, portio.DWord, 0x12345678)
	if want := []uint32{0x12, 0x1234, 7, 0x12345678}; !slices.Equal(ends, want) {
		t.Errorf("ended with %#x, want %#x", ends, want)
	}
}

func TestAReadEndsNothing(t *testing.T) {
	p := New(func(uint32) { t.Error("a read ended the machine") })
	if v := p.In(0, portio.DWord); v != 0 {
		t.Errorf("reads %#x, want 0", v)
	}
	p.Reset()
}

func FuzzLoad(f *testing.F) {
	p := New(func(uint32) {})
	s := snapshot.NewSaver()
	p.Save(s)
	b, _ := s.Close()
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) { p.Load(snapshot.NewLoader(b)) })
}
