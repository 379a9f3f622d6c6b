package port92

import (
	"testing"

	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/snapshot/snapshottest"
)

type board struct {
	open   bool
	resets int
}

func newTest() (*Port, *board) {
	b := &board{}
	return New(func(open bool) { b.open = open }, func() { b.resets++ }), b
}

func TestBit1IsTheA20Gate(t *testing.T) {
	p, b := newTest()
	for _, open := range []bool{false, true} {
		v := uint32(0)
		if open {
			v = a20
		}
		p.Out(0, portio.Byte, v)
		if b.open != open || p.In(0, portio.Byte) != v {
			t.Errorf("wrote %#x: gate open %t, reads %#x", v, b.open, p.In(0, portio.Byte))
		}
	}
	if b.resets != 0 {
		t.Error("the gate reset the processor")
	}
}

func TestBit0ResetsWhenItRises(t *testing.T) {
	p, b := newTest()
	for i, c := range []struct{ v, resets uint32 }{
		{a20 | fastReset, 1}, {a20 | fastReset, 1}, {a20, 1}, {a20 | fastReset, 2},
	} {
		p.Out(0, portio.Byte, c.v)
		if b.resets != int(c.resets) {
			t.Errorf("write %d, of %#x: %d resets, want %d", i, c.v, b.resets, c.resets)
		}
	}
	if p.In(0, portio.Byte)&fastReset == 0 {
		t.Error("bit 0 does not tell that it caused the reset")
	}
}

func TestTheGateIsOpenAfterReset(t *testing.T) {
	p, _ := newTest()
	p.Out(0, portio.Byte, fastReset)
	p.Reset()
	if got := p.In(0, portio.Byte); got != a20 {
		t.Errorf("reads %#x after reset, want %#x", got, a20)
	}
}

func TestStateListIsComplete(t *testing.T) { snapshottest.Complete(t, (*regs).sync, nil) }

func FuzzLoad(f *testing.F) {
	p, _ := newTest()
	s := snapshot.NewSaver()
	p.Save(s)
	b, _ := s.Close()
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if p.Load(snapshot.NewLoader(b)) == nil {
			p.Out(0, portio.Byte, p.In(0, portio.Byte))
		}
	})
}
