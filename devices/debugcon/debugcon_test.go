package debugcon

import (
	"testing"

	"github.com/gov86/gov86/hw"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/snapshot"
)

var _ hw.Device = (*Port)(nil)

func TestTextPassesAndThePortTellsThatItIsThere(t *testing.T) {
	var text []byte
	p := New(func(b byte) { text = append(text, b) })
	for _, b := range []byte("ok\n\x00\xff") {
		p.Out(0, portio.Byte, uint32(b))
	}
	if string(text) != "ok\n\x00\xff" {
		t.Errorf("put %q", text)
	}
	if v := p.In(0, portio.Byte); v != 0xe9 {
		t.Errorf("reads %#x, want E9h", v)
	}
	p.Reset()
}

func FuzzLoad(f *testing.F) {
	p := New(func(byte) {})
	s := snapshot.NewSaver()
	p.Save(s)
	b, _ := s.Close()
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) { p.Load(snapshot.NewLoader(b)) })
}
