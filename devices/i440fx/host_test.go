package i440fx

import (
	"testing"

	"github.com/gov86/gov86/hw"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/mem"
	"github.com/gov86/gov86/pci"
	"github.com/gov86/gov86/snapshot"
)

// A bench is a bus with the chipset on it.
type bench struct {
	ports  portio.Space
	bus    *pci.Bus
	host   *Host
	isa    *ISA
	pm     *PM
	routes [256]mem.Route // by page frame
	wires  [4]uint8
}

func (b *bench) SetRoute(at mem.Addr, size uint64, r mem.Route) {
	for i := range size >> 12 {
		b.routes[uint64(at)>>12+i] = r
	}
}

// block stands for the registers of power management.
type powerBlock struct{}

func (powerBlock) In(off uint16, _ portio.Width) uint32 { return uint32(off) | 0x80 }
func (powerBlock) Out(uint16, portio.Width, uint32)     {}

func newBench(t *testing.T) *bench {
	t.Helper()
	m, err := mem.New(mem.MinRAM)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	b := new(bench)
	b.bus = pci.NewBus(&b.ports, m, [4]hw.Line{})
	b.ports.Claim(0xcf8, 4, b.bus.Address(nil))
	b.ports.Claim(0xcfc, 4, b.bus.Data())
	b.host = NewHost(b)
	b.bus.Attach(0, 0, b.host.Function)
	b.isa = NewISA(func(w int, to uint8) { b.wires[w] = to })
	b.bus.Attach(1, 0, b.isa.Function)
	b.pm = NewPM(&b.ports, powerBlock{}, 0x40, NewSMBus())
	b.bus.Attach(1, 3, b.pm.Function)
	b.host.Remap()
	b.isa.Remap()
	b.pm.Remap()
	return b
}

// set writes a byte of a function's configuration space.
func (b *bench) set(function, off uint32, v uint8) {
	b.ports.Out(0xcf8, portio.DWord, 1<<31|function<<8|off&^3)
	b.ports.Out(0xcfc+uint16(off&3), portio.Byte, uint32(v))
}

func (b *bench) get(function, off uint32) uint8 {
	b.ports.Out(0xcf8, portio.DWord, 1<<31|function<<8|off&^3)
	return uint8(b.ports.In(0xcfc+uint16(off&3), portio.Byte))
}

// Functions by number, as in CONFIG_ADDRESS.
const (
	host = 0
	isa  = 1 << 3
	pm   = 1<<3 | 3
)

func TestEveryAttributeRoutesItsRegion(t *testing.T) {
	regions := []struct {
		register, shift uint32
		first, last     int
	}{
		{0x59, 4, 0xf0, 0xff},
		{0x5a, 0, 0xc0, 0xc3}, {0x5a, 4, 0xc4, 0xc7}, {0x5b, 0, 0xc8, 0xcb}, {0x5b, 4, 0xcc, 0xcf},
		{0x5c, 0, 0xd0, 0xd3}, {0x5c, 4, 0xd4, 0xd7}, {0x5d, 0, 0xd8, 0xdb}, {0x5d, 4, 0xdc, 0xdf},
		{0x5e, 0, 0xe0, 0xe3}, {0x5e, 4, 0xe4, 0xe7}, {0x5f, 0, 0xe8, 0xeb}, {0x5f, 4, 0xec, 0xef},
	}
	for _, r := range regions {
		for v, want := range []mem.Route{mem.Bus, mem.ReadRAM, mem.WriteRAM, mem.RAM} {
			b := newBench(t)
			b.set(host, r.register, uint8(v)<<r.shift)
			for f := 0xc0; f <= 0xff; f++ {
				expected := mem.Bus
				if f >= r.first && f <= r.last {
					expected = want
				}
				if b.routes[f] != expected {
					t.Fatalf("register %#x = %d: frame %#x has route %d, want %d", r.register, v, f, b.routes[f], expected)
				}
			}
		}
	}
}

func TestSMRAMShowsWhenOpenedUntilLocked(t *testing.T) {
	b := newBench(t)
	if v := b.get(host, smram); v != 0x02 {
		t.Errorf("SMRAM after reset %#x", v)
	}
	b.set(host, smram, dOpen)
	if b.routes[0xa0] != mem.Bus {
		t.Error("open without G_SMRAME")
	}
	b.set(host, smram, dOpen|smramE)
	if b.routes[0xa0] != mem.RAM || b.routes[0xbf] != mem.RAM {
		t.Error("not open")
	}
	b.set(host, smram, dOpen|smramE|dLock)
	if v := b.get(host, smram); v != smramE|dLock|0x02 || b.routes[0xa0] != mem.Bus {
		t.Errorf("locked: %#x, route %d", v, b.routes[0xa0])
	}
	b.set(host, smram, dOpen|smramE)
	if b.routes[0xa0] != mem.Bus || b.get(host, smram)&dLock == 0 {
		t.Error("opened in spite of the lock")
	}
	b.host.Reset()
	b.host.Remap()
	b.set(host, smram, dOpen|smramE)
	if b.routes[0xa0] != mem.RAM {
		t.Error("still locked after a reset")
	}
}

func TestWiresLeadWhereTheISABridgeSays(t *testing.T) {
	b := newBench(t)
	if b.wires != [4]uint8{0x80, 0x80, 0x80, 0x80} {
		t.Errorf("after reset %#x", b.wires)
	}
	b.set(isa, 0x62, 0x0b)
	if b.wires != [4]uint8{0x80, 0x80, 0x0b, 0x80} {
		t.Errorf("after PIRQRCC = 11 %#x", b.wires)
	}
}

func TestPowerManagementIsWherePMBASaysWhileEnabled(t *testing.T) {
	b := newBench(t)
	b.set(pm, 0x41, 0xb0)
	if v := b.ports.In(0xb004, portio.Byte); v != 0xff {
		t.Errorf("there before it was enabled: %#x", v)
	}
	b.set(pm, 0x80, 1)
	if v := b.ports.In(0xb004, portio.Byte); v != 0x84 {
		t.Errorf("reads %#x", v)
	}
	b.set(pm, 0x41, 0x06)
	if at, old := b.ports.In(0x604, portio.Byte), b.ports.In(0xb004, portio.Byte); at != 0x84 || old != 0xff {
		t.Errorf("after a move %#x, where it was %#x", at, old)
	}
	b.set(pm, 0x41, 0x0c) // C00h to C3Fh
	b.set(pm, 0x40, 0xc0) // CC0h to CFFh: the configuration ports are there
	if v := b.get(pm, 0); v != 0x86 {
		t.Errorf("the configuration ports were taken: %#x", v)
	}
}

func TestFirmwareSeesSMMAsSetUp(t *testing.T) {
	if b := newBench(t); b.get(pm, 0x5b)&apmcEnable == 0 {
		t.Error("APMC_EN is clear")
	}
}

func TestSMBusAnswersThatNobodyIsThere(t *testing.T) {
	b := newBench(t)
	b.set(pm, 0x91, 0x07)
	b.set(pm, 0xd2, 1)
	if v := b.ports.In(0x700, portio.Byte); v != 0xff {
		t.Errorf("there with I/O space disabled: %#x", v)
	}
	b.set(pm, 0x04, 1)
	b.ports.Out(0x704, portio.Byte, 0xa1)
	b.ports.Out(0x702, portio.Byte, 0x48)
	if v := b.ports.In(0x700, portio.Byte); v != deviceError {
		t.Errorf("status %#x after a transfer, want a device error", v)
	}
	if v := b.ports.In(0x702, portio.DWord); v != 0x00a10008 {
		t.Errorf("control, command, address, data %#x", v)
	}
	b.ports.Out(0x700, portio.Byte, 0xff)
	if v := b.ports.In(0x700, portio.Byte); v != 0 {
		t.Errorf("status %#x after it was cleared", v)
	}
}

func FuzzLoadSMBus(f *testing.F) {
	c := snapshot.NewSaver()
	NewSMBus().Save(c)
	p, err := c.Close()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p)
	f.Fuzz(func(t *testing.T, p []byte) {
		d := NewSMBus()
		if d.Load(snapshot.NewLoader(p)) != nil && d.smbusRegs != (smbusRegs{}) {
			t.Error("a refused state was taken")
		}
	})
}
