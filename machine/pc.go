package machine

import (
	"log/slog"
	"strconv"
	"time"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/devices/acpi"
	"github.com/gov86/gov86/devices/apic"
	"github.com/gov86/gov86/devices/floppy"
	"github.com/gov86/gov86/devices/i440fx"
	"github.com/gov86/gov86/devices/i8237"
	"github.com/gov86/gov86/devices/ide"
	"github.com/gov86/gov86/devices/pic"
	"github.com/gov86/gov86/devices/pit"
	"github.com/gov86/gov86/devices/port92"
	"github.com/gov86/gov86/devices/ps2"
	"github.com/gov86/gov86/devices/rtc"
	"github.com/gov86/gov86/devices/uart"
	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/devices/vga"
	"github.com/gov86/gov86/devices/virtio"
	"github.com/gov86/gov86/devices/vmmouse"
	"github.com/gov86/gov86/hw"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/mem"
	"github.com/gov86/gov86/pci"
)

// Where things are on this board.
const (
	pmBase   = 0x600
	sci      = 9
	tablesAt = 0xf0000
	v86fsAt  = 0x0e // its PCI device number
	apicSize = 0x1000
	ioAPICAt = 0xfec00000
	vgaAt    = 0x02 // its PCI device number
	// Where the graphics card's memory and registers are first placed.
	frameBufferAt  = 0xe0000000
	vgaRegistersAt = 0xe1000000
)

// pciWires are the interrupts that the wires PIRQA# to PIRQD# lead to: the ACPI
// tables say so, and firmware that reads them leads them there.
var pciWires = [4]uint8{10, 10, 11, 11}

// serialPorts are where the UARTs are.
var serialPorts = [4]uint16{0x3f8, 0x2f8, 0x3e8, 0x2e8}

// v86fsPorts are where v86fs is first placed: common, notify, ISR, device.
var v86fsPorts = [4]uint16{0xf800, 0xf900, 0xf700, 0xf600}

// A named is a device under its name on the board.
type named struct {
	name string
	hw.Device
}

// A board is the parts of the machine and their wires.
type board struct {
	clock   *clock
	memory  *mem.Space
	ports   portio.Space
	cpu     *cpu.CPU
	engine  cpu.Engine
	irq     [16]wiredOR
	pic     *pic.PIC
	pit     *pit.PIT
	local   *apic.Local
	localAt mem.Addr // where its registers are, 0 for nowhere
	pm      *acpi.PM
	ps2     *ps2.Controller
	serial  [4]*uart.UART
	pci     *pci.Bus
	host    *i440fx.Host
	isa     *i440fx.ISA
	pmPCI   *i440fx.PM
	cmos    *rtc.RTC
	fs      *v86fs.Device
	vga     *vga.VGA
	video   *mem.Bank // the memory of vga
	pointer *vmmouse.Pointer
	hand    hand
	ide     *ide.Controller
	floppy  *floppy.Controller
	dma     *i8237.Pair
	devices []named
	// a20 is what the keyboard controller and port 92h each say of the gate.
	a20 [2]bool
	// pirq are the wires PIRQA# to PIRQD#: their levels, and where they lead.
	pirq struct {
		level [4]bool
		to    [4]uint8
	}
}

// gateA20 is the wire of source i to the A20 gate, which is open when either says so.
func (b *board) gateA20(i int) func(open bool) {
	return func(open bool) {
		b.a20[i] = open
		traceBoard("A20", strconv.FormatBool(b.a20[0] || b.a20[1]))
		b.memory.SetA20(b.a20[0] || b.a20[1])
	}
}

// A wiredOR is an interrupt input that several sources share. It leads to an
// 8259A and to the I/O APIC alike; the guest decides which it listens to.
type wiredOR struct {
	pic, io hw.Line
	levels  uint32
	taps    uint
}

func (w *wiredOR) set(asserted bool) {
	w.pic.Set(asserted)
	w.io.Set(asserted)
}

// tap returns a line that raises the input together with the others.
func (w *wiredOR) tap() hw.Line {
	bit := uint32(1) << w.taps
	w.taps++
	return hw.LineFunc(func(asserted bool) {
		if asserted {
			w.levels |= bit
		} else {
			w.levels &^= bit
		}
		w.set(w.levels != 0)
	})
}

// pcBoard puts the machine together: its parts list.
func pcBoard(m *Machine, cfg *Config, host *Host) (*board, error) {
	b := &board{clock: m.clock}
	var err error
	if b.memory, err = mem.New(cfg.memory()); err != nil {
		return nil, err
	}
	model, err := cfg.model()
	if err != nil {
		return nil, err
	}
	if b.cpu, err = cpu.New(b.memory, (*pins)(b), model); err != nil {
		return nil, err
	}
	if b.engine, err = newEngine(cfg, b.cpu); err != nil {
		return nil, err
	}

	b.local = apic.NewLocal(b.clock, hw.LineFunc(b.cpu.SetINTR), b.cpu.RaiseNMI)
	b.device("local apic", b.local)
	io := apic.NewIO(b.local)
	b.device("io apic", io)
	if model.APIC() {
		if err := b.memory.MapMMIO(ioAPICAt, apicSize, io); err != nil {
			return nil, err
		}
	}

	b.pic = pic.New(b.local.LINT0())
	b.device("pic", b.pic)
	b.ports.Claim(0x20, 2, b.pic.Master())
	b.ports.Claim(0xa0, 2, b.pic.Slave())
	b.ports.Claim(0x4d0, 2, b.pic.ELCR())
	for i := range b.irq {
		input := i
		if i == 0 {
			input = 2 // as the override in the MADT says
		}
		b.irq[i].pic, b.irq[i].io = b.pic.Line(i), io.Line(input)
	}

	timer := pit.New(b.clock, b.irq[0].tap())
	b.pit = timer
	b.device("pit", timer)
	b.ports.Claim(0x40, 4, timer)
	b.ports.Claim(0x61, 1, timer.Port61())

	base := host.Time
	if base.IsZero() {
		base = time.Now()
	}
	b.cmos = rtc.New(b.clock, b.irq[8].tap(), base.Unix())
	b.device("rtc", b.cmos)
	b.ports.Claim(0x70, 2, b.cmos)

	b.ps2 = ps2.New(b.clock, b.irq[1].tap(), b.irq[12].tap(), b.gateA20(0), m.requestInit)
	b.device("ps2", b.ps2)
	b.ports.Claim(0x60, 1, b.ps2.Data())
	b.ports.Claim(0x64, 1, b.ps2.Command())

	b.pointer = vmmouse.New(b.backdoorIn, b.backdoorOut, b.ps2.Nudge)
	b.device("vmmouse", b.pointer)
	b.ports.Claim(vmmouse.Port, vmmouse.Ports, b.pointer)

	gate := port92.New(b.gateA20(1), m.requestInit)
	b.device("port92", gate)
	b.ports.Claim(0x92, 1, gate)

	for i, at := range serialPorts {
		u := uart.New(b.clock, b.irq[4-i%2].tap(), host.Serial[i])
		b.device("uart"+string(rune('0'+i)), u)
		b.ports.Claim(at, 8, u)
		b.serial[i] = u
	}

	b.pm = acpi.New(b.clock, b.irq[sci].tap(), m.requestPowerOff, m.requestReset)
	b.device("pm", b.pm)
	b.ports.Claim(acpi.APMCPort, 2, b.pm.APM())

	errors := i440fx.NewCoprocessor(b.irq[13].tap())
	b.device("coprocessor error", errors)
	b.ports.Claim(0xf0, 1, errors)
	b.cpu.ErrorPins = errors

	b.addPCI()
	if err := b.addVGA(cfg, host); err != nil {
		return nil, err
	}
	b.addStorage(cfg, host.Log)
	b.addShared(cfg, host.Log)
	b.fillCMOS(cfg)
	if err := b.addFirmware(cfg); err != nil {
		return nil, err
	}
	return b, b.addDebugPorts(m, cfg, host)
}

// wirePIRQ returns the wires PIRQA# to PIRQD#, each of which leads where the ISA
// bridge says.
func (b *board) wirePIRQ() (route [4]hw.Line) {
	var taps [4][16]hw.Line
	for w := range route {
		for _, n := range []int{3, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15} {
			taps[w][n] = b.irq[n].tap()
		}
		route[w] = hw.LineFunc(func(asserted bool) {
			b.pirq.level[w] = asserted
			to := b.pirq.to[w]
			if l := taps[w][to&15]; l != nil && to < 16 {
				l.Set(asserted)
			}
		})
	}
	return route
}

// addPCI adds the bus and the chipset.
func (b *board) addPCI() {
	route := b.wirePIRQ()
	b.pci = pci.NewBus(&b.ports, b.memory, route)
	b.device("pci", b.pci)
	b.ports.Claim(0xcf8, 4, b.pci.Address(b.pm.ResetControl()))
	b.ports.Claim(0xcfc, 4, b.pci.Data())
	b.host = i440fx.NewHost(b.memory)
	b.attach("host bridge", 0, 0, b.host.Function, b.host)
	b.isa = i440fx.NewISA(func(w int, to uint8) {
		if b.pirq.to[w] == to {
			return
		}
		was := b.pirq.level[w]
		route[w].Set(false)
		b.pirq.to[w] = to
		route[w].Set(was)
	})
	b.attach("isa bridge", 1, 0, b.isa.Function, b.isa)
	smbus := i440fx.NewSMBus()
	b.device("smbus", smbus)
	b.pmPCI = i440fx.NewPM(&b.ports, b.pm, acpi.PMSize, smbus)
	b.attach("pm function", 1, 3, b.pmPCI.Function, b.pmPCI)
}

// addVGA adds the graphics card.
func (b *board) addVGA(cfg *Config, host *Host) (err error) {
	if b.video, err = mem.NewBank(vga.MemorySize); err != nil {
		return err
	}
	b.vga = vga.New(b.clock, b.video)
	b.vga.SetSink(host.Screen)
	f := b.vga.NewFunction(frameBufferAt, vgaRegistersAt)
	if cfg.firm() {
		f.ROM(cfg.vgaBIOS())
	}
	b.function("vga function", vgaAt, 0, f)
	b.device("vga", b.vga)
	b.device("video memory", b.video)
	for _, r := range vga.Ports {
		b.ports.Claim(r.First, r.N, b.vga.Registers(r.First))
	}
	b.ports.Claim(vga.DispiAt, vga.DispiPorts, b.vga.Dispi())
	return b.vga.Attach(b.memory)
}

// addShared adds the shared directories.
func (b *board) addShared(cfg *Config, log *slog.Logger) {
	b.fs = v86fs.New(cfg.Exports, log)
	b.device("v86fs", b.fs)
	t := virtio.NewPCI(b.fs, b.pci, v86fsAt, v86fsPorts, b.memory)
	b.device("v86fs transport", t)
	b.device("v86fs function", t.Function())
}

func (b *board) device(name string, d hw.Device) { b.devices = append(b.devices, named{name, d}) }

// function adds a function of the bus that is a device of its own.
func (b *board) function(name string, device, function uint8, f *pci.Function) {
	b.attach(name, device, function, f, f)
}

// attach adds a function of the bus, and the device that it is part of.
func (b *board) attach(name string, device, function uint8, f *pci.Function, d hw.Device) {
	b.pci.Attach(device, function, f)
	b.device(name, d)
}

// reset is the three passes of a hard reset: devices, then wires and mappings,
// then the processor.
func (b *board) reset() {
	for _, d := range b.devices {
		d.Reset()
	}
	for i := range b.irq {
		b.irq[i].levels = 0
		b.irq[i].set(false)
	}
	b.a20 = [2]bool{false, true}
	b.memory.SetA20(true)
	b.remap()
	b.cpu.Reset()
	b.relocateAPIC(b.cpu.MSR.APICBase)
}

// remap places what the registers of the chipset and of the bus place, after a
// reset or a load.
func (b *board) remap() {
	b.host.Remap()
	b.isa.Remap()
	b.pmPCI.Remap()
	b.pci.Remap()
}

// init is a soft reset, which the processor alone sees, and its local APIC: it
// begins at the reset vector, and everything else is as it was.
func (b *board) init() {
	b.cpu.Init()
	b.local.SetBase(false)
	b.relocateAPIC(b.cpu.MSR.APICBase)
}

// pins connect the processor to the board.
type pins board

func (p *pins) In(port uint16, w portio.Width) uint32 { return p.ports.In(port, w) }
func (p *pins) RelocateAPIC(base uint64)              { (*board)(p).relocateAPIC(base) }
func (p *pins) Cycles() uint64                        { return p.clock.cycles() }

// Out also remembers what was written, for a post-mortem.
func (p *pins) Out(port uint16, w portio.Width, v uint32) {
	p.cpu.RecordOut(port, w, v)
	p.ports.Out(port, w, v)
}

// Acknowledge is the INTA cycle: the local APIC answers, or lets the 8259As.
func (p *pins) Acknowledge() uint8 {
	if v, ok := p.local.Acknowledge(); ok {
		return v
	}
	return p.pic.Acknowledge()
}

// relocateAPIC follows IA32_APIC_BASE: the local APIC is enabled there, and its
// registers are where it says, if that is free.
func (b *board) relocateAPIC(base uint64) {
	enabled := b.cpu.Model.APIC() && base&cpu.APICEnable != 0
	b.local.SetBase(enabled)
	if b.localAt != 0 {
		b.memory.UnmapMMIO(b.localAt, b.local)
		b.localAt = 0
	}
	at := mem.Addr(base &^ (apicSize - 1))
	if enabled && at != 0 && b.memory.MapMMIO(at, apicSize, b.local) == nil {
		b.localAt = at
	}
}
