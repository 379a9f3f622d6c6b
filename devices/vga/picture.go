package vga

// What is on the screen.
type kind uint8

const (
	nothing  kind = iota // not looked at yet
	blank                // black
	text                 // characters
	planar               // 16 colours, a bit of each in each plane
	cga                  // 4 or 16 colours, two bits of each in each plane
	packed               // 256 colours, four of them in a cell
	extended             // what DISPI asks for
)

// A picture is all that a frame depends on besides memory and the DAC. A frame
// is drawn anew when it is another.
type picture struct {
	kind           kind
	width, height  int
	scaleX, scaleY int
	cells          int // across
	bpp            uint16
	bigEndian      bool
	start          int // extended: the first byte; else the address counter
	pitch          int // the same from row to row
	pan            int // pixels to leave out on the left
	colours        [16]uint8
	crt            crtPicture
	chars          charPicture
}

// A crtPicture is what makes lines of addresses. The line after compare begins
// at address 0, without panning if that says so.
type crtPicture struct {
	shown, compare      int // scan lines
	preset, maximum     uint8
	doubled, panOnce    bool
	mode, underlineMode uint8 // registers 17h and 14h
	everyCell           uint8 // the counter counts once in so many shifts
	packed              bool  // chain 4 needs no doubleword addresses
}

// A charPicture is what else text depends on.
type charPicture struct {
	dots                   int
	mapSelect              uint8
	cursorStart, cursorEnd uint8
	attr                   uint8 // the attribute controller's mode
}

// displayedLines is the vertical display end in scan lines.
func (v *VGA) displayedLines() int {
	over := int(v.crtc.r[crtOverflow])
	return int(v.crtc.r[crtVerticalDisplayEnd]) | over>>1&1<<8 | over>>6&1<<9 + 1
}

// shown reports whether there is more than black on the screen.
func (v *VGA) shown() bool {
	on := v.attr.index&attrPaletteSource != 0 && v.enabled&1 != 0
	if v.dispi.enabled() {
		return on
	}
	return on && v.seq.r[seqReset] == seqRunning && v.seq.r[seqClockingMode]&clockScreenOff == 0
}

// picture is what the registers say is on the screen.
func (v *VGA) picture() picture {
	var p picture
	switch {
	case v.dispi.enabled():
		p = v.extendedPicture()
	case v.crtc.r[crtHorizontalDisplayEnd] == 0:
		return picture{kind: blank, width: 720, height: 400, scaleX: 1, scaleY: 1}
	default:
		p = v.crtPicture()
	}
	if !v.shown() {
		return picture{kind: blank, width: p.width, height: p.height, scaleX: p.scaleX, scaleY: p.scaleY}
	}
	return p
}

func (v *VGA) extendedPicture() picture {
	d := &v.dispi
	p := picture{
		kind: extended, bpp: d.bpp, width: int(d.xres), height: int(d.yres), scaleX: 1, scaleY: 1, pitch: d.pitch(),
		bigEndian: v.bigEndian,
	}
	p.start = int(d.yoff) * p.pitch
	if d.bpp == 4 {
		p.start += int(d.xoff) / 8 * 4
		p.pan = int(d.xoff) % 8
		p.colours = v.attrColours()
		return p
	}
	p.start += int(d.xoff) * bytesPerPixel(d.bpp)
	return p
}

// crtPicture is that of the VGA proper.
func (v *VGA) crtPicture() picture {
	r, mode := &v.crtc.r, v.attr.r[attrMode]
	p := picture{
		kind: text, scaleX: 1, scaleY: 1, cells: int(r[crtHorizontalDisplayEnd]) + 1,
		start: int(r[crtStartHigh])<<8 | int(r[crtStartLow]) + int(r[crtPresetRowScan]>>5&3),
		pitch: 2 * int(r[crtOffset]), colours: v.attrColours(),
	}
	over := int(r[crtOverflow])
	p.crt = crtPicture{
		shown:   v.displayedLines(),
		compare: int(r[crtLineCompare]) | over>>4&1<<8 | int(r[crtMaximumScanLine])>>6&1<<9,
		preset:  r[crtPresetRowScan] & 31, maximum: r[crtMaximumScanLine] & 31,
		doubled: r[crtMaximumScanLine]&scanDouble != 0,
		panOnce: mode&attrPanCompatible != 0,
		mode:    r[crtMode] &^ 0x84, underlineMode: r[crtUnderline], everyCell: 1,
	}
	switch {
	case r[crtUnderline]&underlineCountBy4 != 0:
		p.crt.everyCell = 4
	case r[crtMode]&modeCountBy2 != 0:
		p.crt.everyCell = 2
	}
	dots := 8
	switch gm := v.gc.r[gcMode]; {
	case v.gc.r[gcMiscellaneous]&miscGraphics == 0:
		if v.seq.r[seqClockingMode]&clockEightDots == 0 {
			dots = 9
		}
		p.chars = charPicture{dots, v.seq.r[seqCharacterMap], r[crtCursorStart] & 0x3f, r[crtCursorEnd] & 31, mode}
	case gm&gcShift256 != 0:
		p.kind, dots, p.scaleX = packed, 4, 2
		p.crt.packed = v.seq.r[seqMemoryMode]&memChain4 != 0
	case gm&gcShiftCGA != 0:
		p.kind = cga
	default:
		p.kind = planar
	}
	p.pan = panning(v.attr.r[attrPanning], dots)
	if v.seq.r[seqClockingMode]&clockHalfDots != 0 {
		p.scaleX *= 2
	}
	p.width = p.cells * dots
	p.scaleY = p.crt.repeats(p.kind)
	p.height = (p.crt.shown + p.scaleY - 1) / p.scaleY
	return p
}

// panning is how many pixels the Horizontal PEL Panning register x moves the
// picture to the left (IBM VGA/XGA Technical Reference, "Horizontal PEL Panning
// Register").
func panning(x uint8, dots int) int {
	switch {
	case dots == 4:
		return int(x>>1) & 3
	case dots == 9:
		return int(x+1) % 9
	}
	return int(x & 7)
}

// repeats is how many scan lines are alike from the first line of each row on.
func (c *crtPicture) repeats(k kind) int {
	n := 1
	const both = modeRowScan13 | modeRowScan14
	if k != text && c.mode&both == both {
		n = int(c.maximum) + 1
	}
	if c.doubled {
		n *= 2
	}
	return n
}

// attrColours are the DAC registers of the attribute controller's 16 colours.
func (v *VGA) attrColours() (c [16]uint8) {
	r := &v.attr.r
	for i := range c {
		x := r[uint8(i)&r[attrPlaneEnable]&15]
		if r[attrMode]&attrP54 != 0 {
			x = x&15 | r[attrColorSelect]<<4&0x30
		}
		c[i] = x | r[attrColorSelect]<<4&0xc0
	}
	return c
}

// A line is one of a frame: where its address counter begins, its row within
// characters, and how many pixels of it are left out.
type line struct {
	counter int
	row     uint8
	pan     int
}

// lines are those of p, from the scan lines of a whole frame.
func (p *picture) lines(to []line) []line {
	to = to[:0]
	c := &p.crt
	at := line{p.start, c.preset, p.pan}
	again := c.doubled
	for scan := range c.shown {
		if scan%p.scaleY == 0 {
			to = append(to, at)
		}
		switch {
		case scan == c.compare:
			at.counter, at.row, again = 0, 0, c.doubled
			if c.panOnce {
				at.pan = 0
			}
		case again:
			again = false
		case at.row == c.maximum:
			at.counter, at.row, again = at.counter+p.pitch, 0, c.doubled
		default:
			at.row, again = (at.row+1)&31, c.doubled
		}
	}
	return to
}

// address is where in a plane the counter leads (IBM VGA/XGA Technical Reference,
// "CRT Mode Control Register" and "Underline Location Register").
func (c *crtPicture) address(counter int, row uint8) int {
	a := counter
	switch {
	case c.underlineMode&underlineDoubleword != 0 && !c.packed:
		a = a<<2 | a>>12&3
	case c.underlineMode&underlineDoubleword != 0, c.mode&modeByte != 0:
	case c.mode&modeWrap != 0:
		a = a<<1 | a>>15&1
	default:
		a = a<<1 | a>>13&1
	}
	if c.mode&modeRowScan13 == 0 {
		a = a&^(1<<13) | int(row&1)<<13
	}
	if c.mode&modeRowScan14 == 0 {
		a = a&^(1<<14) | int(row>>1&1)<<14
	}
	return a & (planeSize - 1)
}
