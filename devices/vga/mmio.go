package vga

import "github.com/gov86/gov86/mem"

// The registers in memory (QEMU standard VGA, "MMIO area spec").
const (
	MMIOSize = 0x1000

	mmioPorts    = 0x400 // ports 3C0h to 3DFh
	mmioPortsEnd = 0x420
	mmioDispi    = 0x500 // DISPI registers without their index
	mmioDispiEnd = mmioDispi + 2*dispiRegisters
	mmioExtended = 0x600 // the size of what follows, itself included
	mmioEndian   = 0x604

	extendedSize = 8
	littleEndian = 0x1e1e1e1e
	bigEndian    = 0xbebebebe
)

// MMIO answers MMIOSize bytes of registers in memory.
func (v *VGA) MMIO() mem.MMIO { return (*mmio)(v) }

type mmio VGA

// Widths implements mem.MMIO.
func (h *mmio) Widths() (smallest, largest int) { return 1, 4 }

// Read implements mem.MMIO.
func (h *mmio) Read(off uint32, w int) uint32 {
	v := (*VGA)(h)
	var value uint32
	switch {
	case off >= mmioDispi && off < mmioDispiEnd:
		for i := range uint32(w) {
			at := off + i - mmioDispi
			value |= uint32(v.dispi.value(uint16(at>>1))) >> (8 * (at & 1)) & 0xff << (8 * i)
		}
		return value
	case off == mmioExtended:
		return extendedSize
	case off == mmioEndian && v.bigEndian:
		return bigEndian
	case off == mmioEndian:
		return littleEndian
	}
	for i := range uint32(w) {
		value |= uint32(v.byteAt(off+i)) << (8 * i)
	}
	return value
}

// byteAt reads the monitor's EDID, or a port.
func (v *VGA) byteAt(off uint32) uint8 {
	switch {
	case off < edidSize:
		return v.edid[off]
	case off >= mmioPorts && off < mmioPortsEnd:
		return v.in(uint8(off-mmioPorts) + portAttr)
	}
	return 0
}

// Write implements mem.MMIO. DISPI registers are written by the word.
func (h *mmio) Write(off uint32, w int, value uint32) {
	v := (*VGA)(h)
	switch {
	case off >= mmioDispi && off < mmioDispiEnd:
		for i := uint32(0); i+2 <= uint32(w); i += 2 {
			v.setDispi(uint16((off+i-mmioDispi)>>1), uint16(value>>(8*i)))
		}
	case off >= mmioPorts && off < mmioPortsEnd:
		for i := range uint32(w) {
			if off+i < mmioPortsEnd {
				v.out(uint8(off+i-mmioPorts)+portAttr, uint8(value>>(8*i)))
			}
		}
	case off == mmioEndian && (value == bigEndian || value == littleEndian):
		v.bigEndian = value == bigEndian
		v.wake()
	}
}
