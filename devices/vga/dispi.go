package vga

import (
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/snapshot"
)

// The ports of the DISPI registers. The data register is at both of the last.
const (
	DispiAt    = 0x1ce
	DispiPorts = 4
)

// DISPI registers (Bochs VBE).
const (
	dispiID = iota
	dispiXRes
	dispiYRes
	dispiBPP
	dispiEnable
	dispiBank
	dispiVirtWidth
	dispiVirtHeight
	dispiXOffset
	dispiYOffset
	dispiMemory // in units of 64 KiB
	dispiRegisters
)

// Values of DISPI registers.
const (
	oldestID      = 0xb0c0
	newestID      = 0xb0c5
	dispiEnabled  = 1 << 0
	dispiGetCaps  = 1 << 1
	dispi8BitDAC  = 1 << 5
	dispiLFB      = 1 << 6
	dispiNoClear  = 1 << 7
	dispiBits     = dispiEnabled | dispiGetCaps | dispi8BitDAC | dispiLFB | dispiNoClear
	maxXRes       = 2560
	maxYRes       = 1600
	maxBPP        = 32
	memoryIn64KiB = MemorySize >> 16
	// maxVirtWidth keeps a line's bytes far from any overflow.
	maxVirtWidth = 0x7fff
)

// A dispi is Bochs' extension of a VGA.
type dispi struct {
	index      uint16
	id         uint16
	xres, yres uint16
	bpp        uint16
	enable     uint16
	bank       uint16
	virtWidth  uint16
	xoff, yoff uint16
}

func (d *dispi) sync(c *snapshot.Codec) {
	c.Uint16("dispi.index", &d.index)
	c.Uint16("dispi.id", &d.id)
	c.Uint16("dispi.xres", &d.xres)
	c.Uint16("dispi.yres", &d.yres)
	c.Uint16("dispi.bpp", &d.bpp)
	c.Uint16("dispi.enable", &d.enable)
	c.Uint16("dispi.bank", &d.bank)
	c.Uint16("dispi.virtWidth", &d.virtWidth)
	c.Uint16("dispi.xoff", &d.xoff)
	c.Uint16("dispi.yoff", &d.yoff)
}

func (d *dispi) reset() { *d = dispi{id: newestID, bpp: 8} }

func (d *dispi) enabled() bool { return d.enable&dispiEnabled != 0 }
func (d *dispi) wideDAC() bool { return d.enable&dispi8BitDAC != 0 }

// valid reports whether writes could have led to d.
func (d *dispi) valid() bool {
	ok := d.id >= oldestID && d.id <= newestID && d.xres <= maxXRes && d.yres <= maxYRes && validBPP(d.bpp) &&
		d.bank < memoryIn64KiB && d.virtWidth <= maxVirtWidth && d.enable&^dispiBits == 0
	return ok && (!d.enabled() || d.fits())
}

func validBPP(n uint16) bool {
	switch n {
	case 4, 8, 15, 16, 24, 32:
		return true
	}
	return false
}

// bytesPerPixel is that of all depths but 4.
func bytesPerPixel(bpp uint16) int { return (int(bpp) + 7) / 8 }

// pitch is how many bytes there are from line to line.
func (d *dispi) pitch() int {
	if d.bpp == 4 {
		return int(d.virtWidth) / 8 * 4
	}
	return int(d.virtWidth) * bytesPerPixel(d.bpp)
}

// virtHeight is how many lines fit into memory.
func (d *dispi) virtHeight() int { return min(MemorySize/max(d.pitch(), 1), 0xffff) }

// fits reports whether a screen can be shown.
func (d *dispi) fits() bool {
	return d.xres > 0 && d.yres > 0 && d.virtWidth >= d.xres && d.pitch() > 0 && d.pitch()*int(d.yres) <= MemorySize
}

// value is what register i reads as.
func (d *dispi) value(i uint16) uint16 {
	caps := d.enable&dispiGetCaps != 0
	switch i {
	case dispiID:
		return d.id
	case dispiXRes:
		if caps {
			return maxXRes
		}
		return d.xres
	case dispiYRes:
		if caps {
			return maxYRes
		}
		return d.yres
	case dispiBPP:
		if caps {
			return maxBPP
		}
		return d.bpp
	case dispiEnable:
		return d.enable
	case dispiBank:
		return d.bank
	case dispiVirtWidth:
		return d.virtWidth
	case dispiVirtHeight:
		return uint16(d.virtHeight())
	case dispiXOffset:
		return d.xoff
	case dispiYOffset:
		return d.yoff
	case dispiMemory:
		return memoryIn64KiB
	}
	return 0
}

// setDispi writes register i. Resolution and depth take no new value while the
// screen is shown; what is too large is not taken at all.
func (v *VGA) setDispi(i, x uint16) {
	d := &v.dispi
	switch i {
	case dispiID:
		if x >= oldestID && x <= newestID {
			d.id = x
		}
	case dispiXRes:
		if !d.enabled() && x <= maxXRes {
			d.xres = x
		}
	case dispiYRes:
		if !d.enabled() && x <= maxYRes {
			d.yres = x
		}
	case dispiBPP:
		if x == 0 {
			x = 8
		}
		if !d.enabled() && validBPP(x) {
			d.bpp = x
		}
	case dispiEnable:
		v.enableDispi(x & dispiBits)
	case dispiBank:
		if x < memoryIn64KiB {
			d.bank = x
		}
	case dispiVirtWidth:
		if x >= d.xres && x <= maxVirtWidth {
			was := d.virtWidth
			if d.virtWidth = x; d.enabled() && !d.fits() {
				d.virtWidth = was
			}
		}
	case dispiXOffset:
		d.xoff = x
	case dispiYOffset:
		d.yoff = x
	}
	v.remap()
	v.wake()
}

// enableDispi switches the screen between the VGA's and Bochs'. Each time it
// becomes Bochs', it is as wide as it looks, begins with memory and, unless
// asked not to, is cleared.
func (v *VGA) enableDispi(x uint16) {
	d := &v.dispi
	on := x&dispiEnabled != 0 && !d.enabled()
	if v.recolour = v.recolour || (x^d.enable)&dispi8BitDAC != 0; on {
		next := *d
		next.virtWidth, next.xoff, next.yoff, next.bank = d.xres, 0, 0, 0
		if !next.fits() {
			x &^= dispiEnabled
		} else {
			*d = next
			if n := d.pitch() * int(d.yres); x&dispiNoClear == 0 {
				clear(v.bytes[:n])
				v.bank.Touch(0, n)
			}
		}
	}
	d.enable = x
}

// Dispi answers the ports from DispiAt on: a register's index, and its value.
func (v *VGA) Dispi() portio.Handler { return (*dispiPorts)(v) }

type dispiPorts VGA

// In implements portio.Handler. The registers are words.
func (h *dispiPorts) In(off uint16, w portio.Width) uint32 {
	if w != portio.Word {
		return w.Mask()
	}
	if off == 0 {
		return uint32(h.dispi.index)
	}
	return uint32(h.dispi.value(h.dispi.index))
}

// Out implements portio.Handler.
func (h *dispiPorts) Out(off uint16, w portio.Width, x uint32) {
	switch {
	case w != portio.Word:
	case off == 0:
		h.dispi.index = uint16(x)
	default:
		(*VGA)(h).setDispi(h.dispi.index, uint16(x))
	}
}
