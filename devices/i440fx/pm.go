package i440fx

import (
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/pci"
)

// Registers of the power management function (82371AB, "Power Management PCI
// Configuration Registers"). Those between are timers and traps of devices; they
// hold what is written.
const (
	pmba       = 0x40 // where the power management block is
	pmbaMask   = 0xffc0
	pmDevices  = 0x44 // to DEVRESJ
	devActB    = 0x58
	apmcEnable = 1 << 1 // in the last byte of devActB: a write to APMC makes an SMI
	pmRegMisc  = 0x80
	pmIOSE     = 1 << 0 // decode the block at pmba
	smbba      = 0x90   // where the SMBus host is
	smbbaMask  = 0xfff0
	smbHstCfg  = 0xd2
	smbHstEn   = 1 << 0
	ioCommand  = 0x04
	ioSpace    = 1 << 0
	irqLine    = 0x3c
)

// A block is a range of ports whose base is in a register that is no BAR.
type block struct {
	h      portio.Handler
	size   int
	at     uint16
	mapped bool
}

// place puts the block at at, if it is enabled and that is free.
func (b *block) place(ports *portio.Space, at uint16, enabled bool) {
	if b.mapped && (!enabled || b.at != at) {
		ports.Unmap(b.at, b.h)
		b.mapped = false
	}
	if enabled && !b.mapped && at != 0 {
		b.at, b.mapped = at, ports.Map(at, b.size, b.h)
	}
}

// A PM is the power management function, device 1 function 3 of the bus.
type PM struct {
	*pci.Function
	ports *portio.Space
	power block
	smbus block
}

// NewPM returns the function, which places the registers of power management,
// powerSize ports, and the SMBus host where its own registers say.
//
// APMC_EN reads as set from the start: that is how firmware knows that SMM has
// been set up, and does not set it up once more. There is none.
func NewPM(ports *portio.Space, power portio.Handler, powerSize int, smbus *SMBus) *PM {
	f := pci.NewFunction(pci.Header{Vendor: intel, Device: pmID, Class: classOther, Revision: 3, Pin: 1})
	f.Preset(pmba, 1)
	f.Allow(pmba, pmbaMask&0xff, pmbaMask>>8)
	for off := uint8(pmDevices); off < pmRegMisc; off++ {
		f.Allow(off, 0xff)
	}
	f.Preset(devActB+3, apmcEnable)
	f.Allow(pmRegMisc, pmIOSE)
	f.Preset(smbba, 1)
	f.Allow(smbba, smbbaMask&0xff, smbbaMask>>8)
	f.Allow(smbHstCfg, 0x0f)
	d := &PM{Function: f, ports: ports, power: block{h: power, size: powerSize},
		smbus: block{h: smbus, size: smbusPorts}}
	f.Written = func(uint8, int) { d.Remap() }
	return d
}

// Remap places the blocks as the registers say, after a reset or a load. Each
// has an enable of its own; that of I/O space in the command register is the
// SMBus's alone.
func (d *PM) Remap() {
	d.power.place(d.ports, uint16(d.Config(pmba, 2)&pmbaMask), d.Config(pmRegMisc, 1)&pmIOSE != 0)
	smbus := d.Config(smbHstCfg, 1)&smbHstEn != 0 && d.Config(ioCommand, 1)&ioSpace != 0
	d.smbus.place(d.ports, uint16(d.Config(smbba, 2)&smbbaMask), smbus)
}

// Place puts power management at base and names its interrupt, as firmware would.
func (d *PM) Place(base uint16, sci uint8) {
	d.SetConfig(pmba, 2, uint32(base)|1)
	d.SetConfig(pmRegMisc, 1, pmIOSE)
	d.SetConfig(irqLine, 1, uint32(sci))
	d.Remap()
}
