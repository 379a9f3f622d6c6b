package vga

import "github.com/gov86/gov86/snapshot"

// A dac is the colour look-up table with its registers (FreeVGA, "VGA DAC
// Operation"; IBM VGA/XGA Technical Reference, "Video Digital-to-Analog
// Converter").
type dac struct {
	mask uint8 // PEL mask
	// state is what Read of the DAC state says: 0 after the write index was set,
	// 3 after the read index was.
	state     uint8
	read      uint8
	write     uint8
	part      uint8 // which of the three values comes next
	pending   [3]uint8
	component [256 * 3]uint8
}

func (d *dac) sync(c *snapshot.Codec) {
	c.Uint8("dac.mask", &d.mask)
	c.Uint8("dac.state", &d.state)
	c.Uint8("dac.read", &d.read)
	c.Uint8("dac.write", &d.write)
	c.Uint8("dac.part", &d.part)
	c.Uint8s("dac.pending", d.pending[:])
	c.Uint8s("dac", d.component[:])
}

const dacReading = 3

func (d *dac) in(p uint8) uint8 {
	switch p {
	case portDACMask:
		return d.mask
	case portDACRead:
		return d.state
	case portDACWrite:
		return d.write
	}
	b := d.component[3*int(d.read)+int(d.part)]
	if d.part++; d.part == 3 {
		d.part = 0
		d.read++
	}
	return b
}

// out writes a register; wide says that a component has eight bits, not six. It
// reports whether a colour may have changed.
func (d *dac) out(p, b uint8, wide bool) (changed bool) {
	switch p {
	case portDACMask:
		changed = d.mask != b
		d.mask = b
	case portDACRead:
		d.read, d.part, d.state = b, 0, dacReading
	case portDACWrite:
		d.write, d.part, d.state = b, 0, 0
	case portDACData:
		if !wide {
			b &= 0x3f
		}
		d.pending[d.part] = b
		if d.part++; d.part == 3 {
			changed = copy(d.component[3*int(d.write):], d.pending[:]) > 0
			d.part = 0
			d.write++
		}
	}
	return changed
}

// colour is what DAC register i shows, as a pixel of a frame.
func (d *dac) colour(i uint8, wide bool) uint32 {
	c := d.component[3*int(i&d.mask):]
	r, g, b := uint32(c[0]), uint32(c[1]), uint32(c[2])
	if !wide {
		r, g, b = r<<2|r>>4, g<<2|g>>4, b<<2|b>>4
	}
	return opaque | b<<16 | g<<8 | r
}

// opaque is the last byte of each pixel of a frame.
const opaque = 0xff << 24
