package pci

import (
	"testing"

	"github.com/gov86/gov86/hw"
	"github.com/gov86/gov86/hw/hwtest"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/mem"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/snapshot/snapshottest"
)

type echo struct{}

func (echo) In(off uint16, _ portio.Width) uint32 { return uint32(off) + 0x40 }
func (echo) Out(uint16, portio.Width, uint32)     {}

func newTest(t *testing.T) (*portio.Space, *Function, *[4]hwtest.Line) {
	t.Helper()
	m, err := mem.New(mem.MinRAM)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	var ports portio.Space
	var wires [4]hwtest.Line
	b := NewBus(&ports, m, [4]hw.Line{&wires[0], &wires[1], &wires[2], &wires[3]})
	ports.Claim(0xcf8, 4, b.Address(nil))
	ports.Claim(0xcfc, 4, b.Data())
	f := NewFunction(Header{Vendor: 0x1af4, Device: 0x107f, Class: 0x020000, Pin: 1})
	f.IO(0, 0xf800, 64, echo{})
	b.Attach(14, 0, f)
	b.Configure([4]uint8{10, 10, 11, 11})
	return &ports, f, &wires
}

func read(p *portio.Space, device, off uint32, w portio.Width) uint32 {
	p.Out(0xcf8, portio.DWord, 1<<31|device<<11|off&0xfc)
	return p.In(0xcfc+uint16(off&3), w)
}

func write(p *portio.Space, device, off uint32, w portio.Width, v uint32) {
	p.Out(0xcf8, portio.DWord, 1<<31|device<<11|off&0xfc)
	p.Out(0xcfc+uint16(off&3), w, v)
}

func TestMechanismOneFindsTheFunction(t *testing.T) {
	p, _, _ := newTest(t)
	if v := read(p, 14, 0, portio.DWord); v != 0x107f1af4 {
		t.Errorf("identity %#x", v)
	}
	if v := read(p, 14, 2, portio.Word); v != 0x107f {
		t.Errorf("device by word %#x", v)
	}
	if v := read(p, 13, 0, portio.DWord); v != 0xffffffff {
		t.Errorf("an empty slot reads %#x, want ones", v)
	}
}

func TestWritingOnesToABARTellsItsSize(t *testing.T) {
	p, _, _ := newTest(t)
	write(p, 14, 0x10, portio.DWord, 0xffffffff)
	if v := read(p, 14, 0x10, portio.DWord); v != 0xffffffc1 {
		t.Errorf("BAR %#x, want 64 ports", v)
	}
}

func TestBARMovesItsPorts(t *testing.T) {
	p, _, _ := newTest(t)
	if v := p.In(0xf801, portio.Byte); v != 0x41 {
		t.Fatalf("port at the first place reads %#x", v)
	}
	write(p, 14, 0x10, portio.DWord, 0xc000)
	if v := p.In(0xc002, portio.Byte); v != 0x42 {
		t.Errorf("port at the new place reads %#x", v)
	}
	if v := p.In(0xf801, portio.Byte); v != 0xff {
		t.Errorf("port at the old place reads %#x, want 0xff", v)
	}
	write(p, 14, 4, portio.Word, 0)
	if v := p.In(0xc002, portio.Byte); v != 0xff {
		t.Errorf("port reads %#x with I/O space disabled", v)
	}
	// On top of the configuration ports it stays unmapped, and comes back.
	write(p, 14, 4, portio.Word, 1)
	write(p, 14, 0x10, portio.DWord, 0xcc0)
	if v := read(p, 14, 0, portio.DWord); v != 0x107f1af4 {
		t.Errorf("configuration lost under a BAR: %#x", v)
	}
	write(p, 14, 0x10, portio.DWord, 0xd000)
	if v := p.In(0xd000, portio.Byte); v != 0x40 {
		t.Errorf("port reads %#x after the overlap ended", v)
	}
}

func TestINTxFollowsPinAndDisableBit(t *testing.T) {
	p, f, wires := newTest(t)
	wire := &wires[Wire(14, 1)]
	f.SetINTx(true)
	if !wire.Asserted() || read(p, 14, 6, portio.Word)&statusINTx == 0 {
		t.Error("wire or status bit not set")
	}
	write(p, 14, 4, portio.Word, commandIO|commandNoINTx)
	if wire.Asserted() {
		t.Error("wire asserted while INTx is disabled")
	}
	write(p, 14, 4, portio.Word, commandIO)
	if !wire.Asserted() {
		t.Error("wire not asserted once INTx is enabled again")
	}
}

func TestStateListsAreComplete(t *testing.T) {
	snapshottest.Complete(t, (*regs).sync, nil)
	snapshottest.Complete(t, (*busRegs).sync, nil)
}

func FuzzConfiguration(f *testing.F) {
	f.Add([]byte{0x10, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, fn, _ := newTest(t)
		for ; len(b) >= 3; b = b[3:] {
			write(p, 14, uint32(b[0]), portio.Word, uint32(b[1])|uint32(b[2])<<8)
		}
		_ = fn.Load(snapshot.NewLoader(b))
	})
}

func TestExpansionROMShowsWhereItIsEnabled(t *testing.T) {
	m, err := mem.New(mem.MinRAM)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var ports portio.Space
	b := NewBus(&ports, m, [4]hw.Line{})
	ports.Claim(0xcf8, 4, b.Address(nil))
	ports.Claim(0xcfc, 4, b.Data())
	f := NewFunction(Header{Vendor: 1, Device: 2})
	image := make([]byte, 5000)
	image[4] = 0x77
	f.ROM(image)
	b.Attach(2, 0, f)

	write(&ports, 2, 0x30, portio.DWord, 0xfffffffe)
	if v := read(&ports, 2, 0x30, portio.DWord); v != 0xffffe000 {
		t.Errorf("ROM base %#x, want 8 KiB", v)
	}
	const at = 0xe0000000
	write(&ports, 2, 0x30, portio.DWord, at|1)
	m.Write(at+4, 1, 0x11)
	if v := m.Read(at+4, 4); v != 0x77 {
		t.Errorf("reads %#x", v)
	}
	if v := m.Read(at+4998, 4); v != 0xffff0000 {
		t.Errorf("at the end of the image %#x", v)
	}
	write(&ports, 2, 0x30, portio.DWord, at)
	if v := m.Read(at+4, 1); v != 0xff {
		t.Errorf("reads %#x with the ROM disabled", v)
	}
}

func TestARangeIsNowhereUntilItIsConfigured(t *testing.T) {
	p, f, _ := newTest(t)
	f.Reset()
	f.bus.Remap()
	if v := p.In(0xf801, portio.Byte); v != 0xff {
		t.Errorf("decoded after reset: %#x", v)
	}
	if v := read(p, 14, 0x10, portio.DWord); v != 1 {
		t.Errorf("BAR %#x after reset, want ports at 0", v)
	}
	f.bus.Configure([4]uint8{10, 10, 11, 11})
	if v := p.In(0xf801, portio.Byte); v != 0x41 {
		t.Errorf("configured, the port reads %#x", v)
	}
	if v := read(p, 14, 0x3c, portio.Byte); v != 10 {
		t.Errorf("interrupt line %d, want that of PIRQB#", v)
	}
}
