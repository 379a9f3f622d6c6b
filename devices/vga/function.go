package vga

import "github.com/gov86/gov86/pci"

// NewFunction returns the card's PCI function, that of QEMU's standard VGA: the
// frame buffer is base address register 0, first placed at frameBuffer, the
// registers are number 2, at registers.
func (v *VGA) NewFunction(frameBuffer, registers uint32) *pci.Function {
	f := pci.NewFunction(pci.Header{
		Vendor: 0x1234, Device: 0x1111, SubVendor: 0x1af4, SubDevice: 0x1100, Class: 0x030000, Revision: 2,
	})
	f.Bank(0, frameBuffer, v.bank)
	f.Memory(2, registers, MMIOSize, v.MMIO())
	return f
}
