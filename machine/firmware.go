package machine

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gov86/gov86/bios"
	"github.com/gov86/gov86/devices/acpi"
	"github.com/gov86/gov86/devices/floppy"
	"github.com/gov86/gov86/devices/fwcfg"
	"github.com/gov86/gov86/hw"
	portio "github.com/gov86/gov86/io"
)

// A Boot is what firmware is told about how to boot.
type Boot struct {
	// Order are the devices to try, first to last, as QEMU's letters: a and b for
	// a floppy disk, c for a hard disk, d for a CD-ROM, n for the network. Empty is
	// "cad"; more than three are not told.
	Order string
	// Menu lets the user choose, and MenuWait is for how long, 0 for as long as
	// the firmware finds right.
	Menu     bool
	MenuWait time.Duration
	// RetryAfter is when firmware that found nothing tries again, 0 for never.
	RetryAfter time.Duration
}

// BootDevices are the letters that Boot.Order may have, at the place that is
// their number in CMOS memory less one; b is a's.
const BootDevices = "acdn"

// noBootDevice is what SeaBIOS and Bochs' firmware say when there is nothing to
// boot.
const noBootDevice = "No bootable device"

// validateBoot reports what is wrong with what is to be booted.
func (c *Config) validateBoot() (wrong []error) {
	if !c.firm() && (len(c.Firmware) > 0 || len(c.VGABIOS) > 0) {
		wrong = append(wrong, errors.New("firmware: a kernel is entered without it; give the one or the other"))
	}
	for _, letter := range c.bootOrder() {
		if !strings.ContainsRune(BootDevices, letter) {
			wrong = append(wrong, fmt.Errorf("boot order: there is no device %q; write some of a, c, d and n", letter))
		}
	}
	return wrong
}

// firmwareImage is the firmware of a machine without a kernel.
func (c *Config) firmwareImage() []byte {
	if len(c.Firmware) == 0 {
		return bios.SeaBIOS
	}
	return c.Firmware
}

// vgaBIOS is the option ROM of the graphics card.
func (c *Config) vgaBIOS() []byte {
	if len(c.VGABIOS) == 0 {
		return bios.VGABIOS
	}
	return c.VGABIOS
}

// firm reports whether the machine begins with its firmware.
func (c *Config) firm() bool { return len(c.Kernel) == 0 }

// addFirmware adds the ROMs, and what tells firmware what it runs on. A kernel
// that is entered directly finds none of it.
func (b *board) addFirmware(cfg *Config) error {
	if !cfg.firm() {
		return nil
	}
	if err := bios.PlaceFirmware(b.memory, cfg.firmwareImage()); err != nil {
		return err
	}
	// The card has it, too, for firmware that knows PCI.
	if err := bios.PlaceOptionROM(b.memory, cfg.vgaBIOS()); err != nil {
		return err
	}
	d := fwcfg.New(b.memory)
	b.device("fw_cfg", d)
	b.ports.Claim(fwcfg.Port, fwcfg.Ports, d)
	b.ports.Claim(fwcfg.DMAPort, fwcfg.DMAPorts, d.DMA())

	d.Set(fwcfg.RAMSize, 8, cfg.memory())
	d.Set(fwcfg.CPUs, 2, 1)
	d.Set(fwcfg.MaxCPUs, 2, 1)
	d.Set(fwcfg.NUMA, 8, 0)
	d.Set(fwcfg.IRQ0Override, 1, 1)
	d.Set(fwcfg.BootMenu, 2, 0)
	if cfg.Boot.Menu {
		d.Set(fwcfg.BootMenu, 2, 1)
	}
	const ram = 1
	d.Add("etc/e820", binary.LittleEndian.AppendUint32(
		binary.LittleEndian.AppendUint64(make([]byte, 8), cfg.memory()), ram))
	for _, f := range acpi.Files(b.tables(cfg)) {
		d.Add(f.Name, f.Data)
	}
	retry := uint32(1<<32 - 1) // never
	if cfg.Boot.RetryAfter > 0 {
		retry = uint32(min(cfg.Boot.RetryAfter.Milliseconds(), 1<<32-2))
	}
	d.Add("etc/boot-fail-wait", binary.LittleEndian.AppendUint32(nil, retry))
	if w := cfg.Boot.MenuWait; w > 0 {
		d.AddNumber("etc/boot-menu-wait", uint64(w.Milliseconds()))
	}
	if cfg.SerialConsole {
		b.serial[0].IgnoreRTS()
		d.AddNumber("etc/sercon-port", uint64(serialPorts[0]))
	}
	return nil
}

// lastWords is how long, in guest time, firmware that found nothing to boot has
// to say so on its screen, too.
const lastWords = 200 * hw.Millisecond

// listening is put, or nothing, and the machine's own ear for what its firmware
// says.
func (m *Machine) listening(put func(byte)) func(byte) {
	failed := m.clock.NewTimer("boot failed", func(hw.Time) { m.end(Unbootable) })
	l := &listener{heard: func(line []byte) {
		if m.cfg.BootFailEnds && bytes.Contains(line, []byte(noBootDevice)) {
			failed.Set(m.clock.Now() + lastWords)
		}
	}}
	return func(c byte) {
		if put != nil {
			put(c)
		}
		l.put(c)
	}
}

// A listener gathers bytes to lines.
type listener struct {
	line  []byte
	heard func(line []byte)
}

// longestLine is more than firmware writes in one.
const longestLine = 256

func (l *listener) put(c byte) {
	if c != '\n' && len(l.line) < longestLine {
		l.line = append(l.line, c)
		return
	}
	l.heard(l.line)
	l.line = l.line[:0]
}

// Bytes of CMOS memory, as PC firmware has them.
const (
	cmosEquipment = 0x14
	cmosBase      = 0x15 // KiB below 640, two bytes
	cmosExtended  = 0x17 // KiB above 1 MiB, two bytes
	cmosExtended2 = 0x30 // the same once more
	cmosHigh      = 0x34 // units of 64 KiB above 16 MiB, two bytes
	cmosBoot2     = 0x38 // the third device to boot, in the upper half
	cmosBoot1     = 0x3d // the first, and the second in the upper half

	equipmentFPU   = 1 << 1
	equipmentMouse = 1 << 2
)

// fillCMOS stores what a board's setup program would.
func (b *board) fillCMOS(cfg *Config) {
	word := func(at uint8, v uint64) {
		v = min(v, 0xffff)
		b.cmos.SetCMOS(at, uint8(v))
		b.cmos.SetCMOS(at+1, uint8(v>>8))
	}
	const low, extended, high = 640, 1 << 20, 16 << 20
	ram := cfg.memory()
	word(cmosBase, low)
	word(cmosExtended, (ram-extended)>>10)
	word(cmosExtended2, (ram-extended)>>10)
	word(cmosHigh, (max(ram, high)-high)>>16)
	b.cmos.SetCMOS(cmosEquipment, equipmentFPU|equipmentMouse|b.fillDrives(cfg))
	var order [3]uint8
	for i, letter := range cfg.bootOrder() {
		if i < len(order) {
			order[i] = uint8(strings.IndexRune(BootDevices, letter)) + 1
		}
	}
	b.cmos.SetCMOS(cmosBoot1, order[0]|order[1]<<4)
	b.cmos.SetCMOS(cmosBoot2, order[2]<<4)
}

func (c *Config) bootOrder() string {
	if c.Boot.Order == "" {
		return "cad"
	}
	return strings.ReplaceAll(c.Boot.Order, "b", "a")
}

// tables is what the ACPI tables say of this board.
func (b *board) tables(cfg *Config) acpi.Board {
	return acpi.Board{PMBase: pmBase, SCI: sci, PCIWires: pciWires,
		PCIMemory: uint32(cfg.memory()), APIC: b.cpu.Model.APIC(),
		Floppy: b.floppy.Type(0) != floppy.NoDrive || b.floppy.Type(1) != floppy.NoDrive}
}

// standIn does what a kernel expects of the firmware it is entered without.
func (b *board) standIn(cfg *Config) {
	b.host.Shadow()
	b.isa.Route(pciWires)
	b.pci.Configure(pciWires)
	b.pmPCI.Place(pmBase, sci)
	b.ports.Out(acpi.APMCPort, portio.Byte, acpi.ACPIEnable)
	bios.SetTextMode(&b.ports, b.memory)
	var elcr uint32
	for _, w := range append(pciWires[:], sci) {
		elcr |= 1 << w
	}
	b.ports.Out(0x4d0, portio.Byte, elcr&0xff)
	b.ports.Out(0x4d1, portio.Byte, elcr>>8)
	b.ports.Out(0xd4, portio.Byte, 0) // DMA channel 4, the cascade, is open
	if b.cpu.Model.APIC() {
		const selectID, ioAPICID = 0, 1 // as the MADT says
		b.memory.Write(ioAPICAt, 4, selectID)
		b.memory.Write(ioAPICAt+0x10, 4, ioAPICID<<24)
	}
	if err := b.memory.WriteAt(acpi.Tables(tablesAt, b.tables(cfg)), tablesAt); err != nil {
		panic("BUG: no memory for the ACPI tables")
	}
}
