package pci

import (
	"github.com/gov86/gov86/hw"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/mem"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/trace"
)

// A Bus is bus 0 and the host bridge's configuration mechanism #1.
type Bus struct {
	ports  *portio.Space
	memory *mem.Space
	// route is driven with the state of the four interrupt wires.
	route     [4]hw.Line
	functions [256]*Function // by device and function number
	order     []*Function
	busRegs
}

type busRegs struct{ address uint32 }

func (r *busRegs) sync(c *snapshot.Codec) {
	c.Version(1)
	c.Uint32("address", &r.address)
}

// NewBus returns an empty bus whose base address registers map ranges of ports
// and memory. route are the wires PIRQA# to PIRQD#.
func NewBus(ports *portio.Space, memory *mem.Space, route [4]hw.Line) *Bus {
	return &Bus{ports: ports, memory: memory, route: route}
}

// Attach puts f at a device and function number and maps its ranges.
func (b *Bus) Attach(device, function uint8, f *Function) {
	i := device<<3 | function
	if b.functions[i] != nil {
		panic("BUG: two PCI functions in one place")
	}
	f.bus, f.slot = b, device
	b.functions[i] = f
	b.order = append(b.order, f)
	b.remap()
}

// Wire is which of the four wires a pin (1 for INTA#) of a device leads to, as
// boards with a PIIX have it.
func Wire(device, pin uint8) uint8 { return (pin - 1 + device - 1) & 3 }

// drive ORs the pins on each wire.
func (b *Bus) drive() {
	var level [4]bool
	for _, f := range b.order {
		if pin := f.reset[cfgIntPin]; pin != 0 && f.asserted() {
			level[Wire(f.slot, pin)] = true
		}
	}
	for i, l := range b.route {
		if l != nil {
			l.Set(level[i])
		}
	}
}

// remap follows the base address registers and enable bits. Ranges that
// overlap what is there stay unmapped until it moves.
func (b *Bus) remap() {
	for _, f := range b.order {
		for i := range f.bars {
			f.unmapStale(i)
		}
	}
	for _, f := range b.order {
		for i := range f.bars {
			f.mapBAR(i)
		}
	}
}

// place is where BAR i wants to be, if it is enabled.
func (f *Function) place(i int) (at uint32, enabled bool) {
	v, command := f.Config(barOffset(i), 4), f.config[cfgCommand]
	switch {
	case f.bars[i].port != nil:
		return v & ioMask, command&commandIO != 0
	case i == romBAR:
		// Real functions want the command register to enable memory, too. Bochs'
		// firmware reads the ROM before it does.
		return v & romMask, v&romEnable != 0
	}
	return v & memoryMask, command&commandMemory != 0
}

func (f *Function) unmapStale(i int) {
	r := &f.bars[i]
	if !r.mapped {
		return
	}
	if at, enabled := f.place(i); enabled && at == r.at {
		return
	}
	switch {
	case r.port != nil:
		f.bus.ports.Unmap(uint16(r.at), r.port)
	case r.bank != nil:
		f.bus.memory.UnmapBank(mem.Addr(r.at), r.bank)
	default:
		f.bus.memory.UnmapMMIO(mem.Addr(r.at), r.memory)
	}
	r.mapped = false
}

func (f *Function) mapBAR(i int) {
	r := &f.bars[i]
	at, enabled := f.place(i)
	if r.size == 0 || r.mapped || !enabled || at == 0 {
		return
	}
	switch {
	case r.port != nil:
		r.mapped = at < 1<<16 && f.bus.ports.Map(uint16(at), int(r.size), r.port)
	case uint64(at) < f.bus.memory.RAMSize():
	case r.bank != nil:
		r.mapped = f.bus.memory.MapBank(mem.Addr(at), uint64(r.size), r.bank, 0) == nil
	default:
		r.mapped = f.bus.memory.MapMMIO(mem.Addr(at), uint64(r.size), r.memory) == nil
	}
	r.at = at
}

// Reset implements hw.Device.
func (b *Bus) Reset() {
	b.busRegs = busRegs{}
}

// Remap maps the ranges of all functions anew, after a reset or a load.
func (b *Bus) Remap() { b.remap() }

// Configure does for a kernel that is entered without firmware what firmware
// would: every range is where its function was given it, and decoded, and the
// interrupt line says which of the board's interrupts the pin leads to through
// the wires PIRQA# to PIRQD#.
func (b *Bus) Configure(wires [4]uint8) {
	for _, f := range b.order {
		f.configure()
		if pin := f.reset[cfgIntPin]; pin != 0 {
			f.SetConfig(cfgIntLine, 1, uint32(wires[Wire(f.slot, pin)]))
		}
	}
	b.remap()
}

// Save implements hw.Device.
func (b *Bus) Save(c *snapshot.Codec) { b.busRegs.sync(c) }

// Load implements hw.Device.
func (b *Bus) Load(c *snapshot.Codec) error {
	var next busRegs
	next.sync(c)
	if _, err := c.Close(); err != nil {
		return err
	}
	b.busRegs = next
	return nil
}

const addressEnable = 1 << 31

// Address answers CONFIG_ADDRESS, ports CF8h to CFBh: a doubleword register.
// Narrower accesses are not the bridge's; byte is asked for them (CF9h is the
// reset control register), if not nil.
func (b *Bus) Address(byte portio.Handler) portio.Handler { return &address{b, byte} }

type address struct {
	b    *Bus
	byte portio.Handler
}

func (h *address) In(off uint16, w portio.Width) uint32 {
	switch {
	case w == portio.DWord && off == 0:
		return h.b.address
	case w == portio.Byte && h.byte != nil:
		return h.byte.In(off, w)
	}
	return w.Mask()
}

func (h *address) Out(off uint16, w portio.Width, v uint32) {
	switch {
	case w == portio.DWord && off == 0:
		h.b.address = v & (addressEnable | 0xfffffc)
	case w == portio.Byte && h.byte != nil:
		h.byte.Out(off, w, v)
	}
}

// Data answers CONFIG_DATA, ports CFCh to CFFh.
func (b *Bus) Data() portio.Handler { return &data{b} }

type data struct{ b *Bus }

// target is the function and offset that CONFIG_ADDRESS names.
func (h *data) target(off uint16) (*Function, uint8) {
	a := h.b.address
	if a&addressEnable == 0 || a>>16&0xff != 0 {
		return nil, 0
	}
	return h.b.functions[a>>8&0xff], uint8(a&0xfc) + uint8(off)
}

func (h *data) In(off uint16, w portio.Width) uint32 {
	f, at := h.target(off)
	if f == nil {
		return w.Mask()
	}
	if f.Reading != nil {
		f.Reading(at, int(w))
	}
	v := f.Config(at, int(w))
	if trace.On(trace.PCI) {
		trace.Emit(trace.PCI, "read", uint64(h.b.address), uint64(at), uint64(v))
	}
	return v
}

func (h *data) Out(off uint16, w portio.Width, v uint32) {
	if f, at := h.target(off); f != nil {
		if trace.On(trace.PCI) {
			trace.Emit(trace.PCI, "write", uint64(h.b.address), uint64(at), uint64(v))
		}
		f.write(at, int(w), v)
	}
}

var _ hw.Device = (*Bus)(nil)
