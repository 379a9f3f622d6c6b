package vga

import (
	"testing"

	"github.com/gov86/gov86/bios"
	"github.com/gov86/gov86/mem"
)

const textAt mem.Addr = 0xb8000

// write writes text with an attribute at a cell of 80 columns.
func (r *rig) write(cell int, attr uint8, s string) {
	for i := range len(s) {
		r.poke(textAt+mem.Addr(2*(cell+i)), s[i], attr)
	}
}

// attributes fills the screen with each attribute and each character.
func (r *rig) attributes() {
	for i := range 256 {
		r.write(80*(i/16)+i%16*5, uint8(i), string([]byte{' ', "0123456789ABCDEF"[i/16], "0123456789ABCDEF"[i%16], ' '}))
		r.write(80*(17+i/64)+i%64, 0x07, string([]byte{uint8(i)}))
	}
	r.write(80*22, 0x1f, "\xc9\xcd\xcd\xbb\xc0\xc4\xc4\xd9")
}

func TestPicturesOfText(t *testing.T) {
	t.Run("every attribute and character", func(t *testing.T) {
		r := newRig(t)
		bios.SetTextMode(&r.ports, r.space)
		r.attributes()
		r.golden("text")
	})
	t.Run("blinking characters are hidden half of the time", func(t *testing.T) {
		r := newRig(t)
		bios.SetTextMode(&r.ports, r.space)
		r.attributes()
		r.clock.Advance(20 * r.raster().frame)
		r.golden("text-hidden")
	})
	t.Run("bright backgrounds, 8 dots, 40 columns, two fonts", func(t *testing.T) {
		r := newRig(t)
		r.show(&mode01)
		r.set(0x3c4, seqClockingMode, 9)
		r.setAttr(attrMode, 0x04)
		r.set(0x3c4, seqCharacterMap, 0x01) // map 1, at 16 KiB, without attribute bit 3
		r.loadFont(0, 0)
		r.loadFont(0x4000, 1)
		for i := range 256 {
			r.write(40*(i/16)+i%16*2, uint8(i), "Fg")
		}
		r.golden("text-40")
	})
	t.Run("monochrome with underlines and a block cursor", func(t *testing.T) {
		r := newRig(t)
		bios.SetTextMode(&r.ports, r.space)
		r.setAttr(attrMode, 0x0e)
		r.set(0x3d4, crtUnderline, 0x0d)
		r.write(0, 0x01, "underlined ")
		r.write(11, 0x09, "bright underlined")
		r.write(28, 0x07, " plain")
		r.set(0x3d4, crtCursorStart, 4)
		r.set(0x3d4, crtCursorLow, 3)
		r.golden("text-mono")
	})
	t.Run("smooth scrolling above a split screen", func(t *testing.T) {
		r := newRig(t)
		bios.SetTextMode(&r.ports, r.space)
		for line := range 25 {
			for i := range 8 {
				r.write(80*line+10*i, uint8(0x10*(line%8)+7), "line "+string([]byte{uint8('a' + line)}))
			}
		}
		r.set(0x3d4, crtStartLow, 80) // from the second line,
		r.set(0x3d4, crtPresetRowScan, 0x25)
		r.setAttr(attrPanning, 2) // and 3 dots and a character to the left
		r.setAttr(attrMode, 0x2c)
		r.set(0x3d4, crtLineCompare, 299&0xff)
		r.set(0x3d4, crtOverflow, 0x1f)
		r.set(0x3d4, crtMaximumScanLine, 0x0f)
		r.golden("text-split")
	})
}

// loadFont puts a font into plane 2 at an address: the BIOS's, or that upside down.
func (r *rig) loadFont(at int, upside int) {
	was := append([]byte(nil), r.bytes[:4*planeSize]...)
	bios.SetTextMode(&r.ports, r.space)
	font := append([]byte(nil), r.bytes[:4*0x2000]...)
	copy(r.bytes, was)
	for c := range 256 {
		for row := range 16 {
			from := row
			if upside != 0 {
				from = 15 - row
			}
			r.bytes[4*(at+32*c+row)+2] = font[4*(32*c+from)+2]
		}
	}
	r.refont = true
	r.bank.Touch(0, 4*planeSize)
	for i, v := range mode01.crtc {
		r.set(0x3d4, uint8(i), v)
	}
	r.set(0x3c4, seqClockingMode, 9)
	r.set(0x3c4, seqCharacterMap, 0x01)
	r.setAttr(attrMode, 0x04)
}

// diagonal draws a pattern of lines and areas into 16 colours.
func diagonal(x, y int) uint8 { return uint8(x/20+y/20) & 15 }

func TestPicturesOfGraphics(t *testing.T) {
	t.Run("mode 4", func(t *testing.T) {
		r := newRig(t)
		r.show(&mode04)
		for y := range 200 {
			for x := 0; x < 320; x += 4 {
				var b uint8
				for i := range 4 {
					b = b<<2 | uint8((x+i)/16+y/10)&3
				}
				r.poke(textAt+mem.Addr(y&1*0x2000+y/2*80+x/4), b)
			}
		}
		r.golden("mode04")
	})
	t.Run("mode 6", func(t *testing.T) {
		r := newRig(t)
		r.show(&mode06)
		for y := range 200 {
			for x := range 80 {
				r.poke(textAt+mem.Addr(y&1*0x2000+y/2*80+x), uint8(0xff<<(x&7))*uint8(y>>3&1^1))
			}
		}
		r.golden("mode06")
	})
	t.Run("mode 12h", func(t *testing.T) {
		r := newRig(t)
		r.show(&mode12)
		r.set(0x3ce, gcEnableSetReset, 15)
		for y := range 480 {
			for x := 0; x < 640; x += 4 {
				r.set(0x3ce, gcSetReset, diagonal(x, y))
				r.set(0x3ce, gcBitMask, 0xf0>>(x&4))
				at := 0xa0000 + mem.Addr(y*80+x/8)
				r.peek(at)
				r.poke(at, 0)
			}
		}
		r.golden("mode12")
	})
	t.Run("mode 13h", func(t *testing.T) {
		r := newRig(t)
		r.show(&mode13)
		r.rgb332()
		for y := range 200 {
			for x := range 320 {
				r.poke(0xa0000+mem.Addr(y*320+x), uint8(x*16/320|y*16/200<<4))
			}
		}
		r.golden("mode13")
	})
	t.Run("mode X, panned, above a split screen", func(t *testing.T) {
		r := newRig(t)
		r.modeX()
		r.rgb332()
		r.set(0x3d4, crtOffset, 44) // 352 pixels
		for plane := range 4 {
			r.set(0x3c4, seqMapMask, 1<<plane)
			for y := range 240 {
				for x := plane; x < 352; x += 4 {
					r.poke(0xa0000+mem.Addr(y*88+x/4), uint8(x*16/352|y*16/240<<4))
				}
			}
		}
		r.set(0x3d4, crtStartLow, 3)
		r.set(0x3d4, crtStartHigh, 88*60>>8)
		r.setAttr(attrPanning, 4)
		r.setAttr(attrMode, 0x61)
		r.set(0x3d4, crtLineCompare, 399&0xff)
		r.set(0x3d4, crtOverflow, 0x3e)
		r.set(0x3d4, crtMaximumScanLine, 0x01)
		r.golden("modex")
	})
}

// hue is a colour of an area of 256 by 128.
func hue(x, y int) (r, g, b uint8) { return uint8(x), uint8(2 * y), uint8(255 - x/2 - y) }

func TestPicturesOfBochsModes(t *testing.T) {
	const width, height = 256, 128
	for _, c := range []struct {
		name string
		bpp  uint16
		put  func(p []byte, i int, r, g, b uint8)
	}{
		{"vbe8", 8, func(p []byte, i int, r, g, b uint8) { p[i] = r&0xe0 | g>>3&0x1c | b>>6 }},
		{"vbe15", 15, func(p []byte, i int, r, g, b uint8) {
			v := uint16(r)>>3<<10 | uint16(g)>>3<<5 | uint16(b)>>3
			p[2*i], p[2*i+1] = uint8(v), uint8(v>>8)
		}},
		{"vbe16", 16, func(p []byte, i int, r, g, b uint8) {
			v := uint16(r)>>3<<11 | uint16(g)>>2<<5 | uint16(b)>>3
			p[2*i], p[2*i+1] = uint8(v), uint8(v>>8)
		}},
		{"vbe24", 24, func(p []byte, i int, r, g, b uint8) { p[3*i], p[3*i+1], p[3*i+2] = b, g, r }},
		{"vbe32", 32, func(p []byte, i int, r, g, b uint8) { p[4*i], p[4*i+1], p[4*i+2] = b, g, r }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.show(&mode13)
			r.rgb332()
			r.extend(width, height, c.bpp)
			for i := range width * height {
				red, green, blue := hue(i%width, i/width)
				c.put(r.bytes, i, red, green, blue)
			}
			r.bank.Touch(0, width*height*4)
			r.golden(c.name)
		})
	}
	t.Run("vbe4", func(t *testing.T) {
		r := newRig(t)
		r.show(&mode12)
		r.extend(width, height, 4)
		r.set(0x3ce, gcMode, 2)
		for i := 0; i < width*height; i += 8 {
			r.poke(0xa0000+mem.Addr(i/8), diagonal(i%width, i/width))
		}
		r.golden("vbe4")
	})
}

func TestTheScreenIsBlankUntilItIsProgrammed(t *testing.T) {
	r := newRig(t)
	f := r.Frame()
	for i, b := range f.Pix {
		if want := uint8(0xff * (i & 3 / 3)); b != want {
			t.Fatalf("byte %d of a blank frame is %#x", i, b)
		}
	}
}
