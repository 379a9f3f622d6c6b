// Package i440fx is the chipset of the board as PCI shows it: the 82441FX host
// bridge, the PIIX3 ISA bridge and the PIIX4 power management function (Intel
// 290549 "82441FX", 290550 "82371SB", 290562 "82371AB").
//
// Registers have the values that a reset gives them; who enters a kernel without
// firmware sets what firmware would have set. The IDE function is package ide.
// Not modelled: system management mode, whose memory nothing enters, and the USB
// function.
package i440fx

import "github.com/gov86/gov86/pci"

const (
	intel      = 0x8086
	hostID     = 0x1237 // 82441FX
	isaID      = 0x7000 // 82371SB function 0
	pmID       = 0x7113 // 82371AB function 3
	classHost  = 0x060000
	classISA   = 0x060100
	classOther = 0x068000
)

// Registers of the ISA bridge (82371SB, "PCI Configuration Registers").
const (
	iort = 0x4c // ISA I/O recovery timer
	xbcs = 0x4e // X-bus chip selects
	// PIRQRCA to PIRQRCD: where a wire of PCI leads.
	pirqRoute    = 0x60
	pirqDisabled = 1 << 7
	topOfMemory  = 0x69
)

// An ISA is the ISA bridge, device 1 function 0 of the bus.
type ISA struct {
	*pci.Function
	rerouted func(wire int, route uint8)
}

// NewISA returns an ISA bridge. rerouted is told which interrupt a wire, 0 to 3
// for PIRQA# to PIRQD#, leads to: bit 7 set disconnects it.
func NewISA(rerouted func(wire int, route uint8)) *ISA {
	f := pci.NewFunction(pci.Header{Vendor: intel, Device: isaID, Class: classISA, Multi: true})
	f.Preset(iort, 0x4d, 0, 0x03, 0)
	f.Allow(iort, 0xff, 0, 0xff, 0xff)
	f.Preset(pirqRoute, pirqDisabled, pirqDisabled, pirqDisabled, pirqDisabled)
	f.Allow(pirqRoute, 0x8f, 0x8f, 0x8f, 0x8f)
	f.Preset(topOfMemory, 0x02)
	f.Allow(topOfMemory, 0xfe)
	d := &ISA{f, rerouted}
	f.Written = func(off uint8, n int) {
		if off < pirqRoute+4 && int(off)+n > pirqRoute {
			d.Remap()
		}
	}
	return d
}

// Remap routes the wires as the registers say, after a reset or a load.
func (d *ISA) Remap() {
	for i := range 4 {
		d.rerouted(i, uint8(d.Config(uint8(pirqRoute+i), 1)))
	}
}

// Route leads the wires to interrupts, as firmware would.
func (d *ISA) Route(wires [4]uint8) {
	for i, w := range wires {
		d.SetConfig(uint8(pirqRoute+i), 1, uint32(w))
	}
	d.Remap()
}
