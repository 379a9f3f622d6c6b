// Package i440fx is the chipset of the board as PCI shows it: the 82441FX host
// bridge, the PIIX3 ISA bridge and the PIIX4 power management function (Intel
// 290549 "82441FX", 290550 "82371SB", 290562 "82371AB").
//
// The registers that firmware uses are stored and, without firmware, already
// hold what it would write. Not modelled: shadowing by PAM, which has no effect
// while RAM lies where ROM would be, and the USB function; the IDE function is
// package ide.
package i440fx

import "github.com/gov86/gov86/pci"

const (
	intel      = 0x8086
	deviceID   = 0x1237 // 82441FX
	isaID      = 0x7000 // 82371SB function 0
	pmID       = 0x7113 // 82371AB function 3
	classHost  = 0x060000
	classISA   = 0x060100
	classOther = 0x068000

	// PAM0 to PAM6, the attributes of memory from C0000h to FFFFFh.
	pam0  = 0x59
	smram = 0x72
	// PIRQRCA to PIRQRCD: where a wire of PCI leads, bit 7 for nowhere.
	pirqRoute = 0x60

	pmBase     = 0x40
	pmRegMisc  = 0x80 // bit 0 enables the block at PMBASE
	pmSCIRoute = 0x3c
)

// NewHost returns the host bridge, device 0.
func NewHost() *pci.Function {
	f := pci.NewFunction(pci.Header{Vendor: intel, Device: deviceID, Class: classHost, Revision: 2})
	f.Allow(pam0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
	f.Preset(pam0, 0x30, 0x33, 0x33, 0x33, 0x33, 0x33, 0x33)
	f.Allow(smram, 0x7f)
	f.Preset(smram, 0x02)
	return f
}

// NewISA returns the ISA bridge, device 1 function 0, whose wires lead to the
// given interrupts. rerouted is told when the guest changes that: bit 7 set
// disconnects a wire.
func NewISA(wires [4]uint8, rerouted func(wire int, route uint8)) *pci.Function {
	f := pci.NewFunction(pci.Header{Vendor: intel, Device: isaID, Class: classISA, Multi: true})
	f.Allow(pirqRoute, 0x8f, 0x8f, 0x8f, 0x8f)
	f.Preset(pirqRoute, wires[:]...)
	f.Written = func(off uint8, n int) {
		for i := range 4 {
			if at := pirqRoute + i; at >= int(off) && at < int(off)+n {
				rerouted(i, uint8(f.Config(uint8(at), 1)))
			}
		}
	}
	return f
}

// NewPM returns the power management function, device 1 function 3, whose
// registers are at base for good.
func NewPM(base uint16, sci uint8) *pci.Function {
	f := pci.NewFunction(pci.Header{Vendor: intel, Device: pmID, Class: classOther, Revision: 3})
	f.Preset(pmBase, uint8(base)|1, uint8(base>>8))
	f.Preset(pmRegMisc, 1)
	f.Preset(pmSCIRoute, sci, 1)
	return f
}
