package vga

import "github.com/gov86/gov86/display"

// A cell of text is a character in plane 0 and its attribute in plane 1. The
// values compared have two more bits.
const (
	cellCursor = 1 << 16 // the cursor is on it, and seen now
	cellHidden = 1 << 17 // it blinks, and is not seen now
)

// Text attributes.
const (
	attributeBlink      = 0x80
	attributeSecondFont = 0x08
	attributeUnderlined = 0x01 // of those without colour bits
	attributeColours    = 0x77
)

// fontAddress is where in plane 2 the character map i begins
// (IBM VGA/XGA Technical Reference, "Character Map Select Register").
func fontAddress(i uint8) int { return int(i&3)<<14 | int(i>>2&1)<<13 }

// fonts are the maps of characters without and with attribute bit 3.
func (c *charPicture) fonts() [2]int {
	s := c.mapSelect
	return [2]int{fontAddress(s&3 | s>>2&4), fontAddress(s>>2&3 | s>>3&4)}
}

// cursorAt is the counter of the cell with the cursor, -1 for none.
func (v *VGA) cursorAt() int {
	c := &v.pic.chars
	if c.cursorStart&cursorOff != 0 || c.cursorStart&31 > c.cursorEnd {
		return -1
	}
	skew := int(v.crtc.r[crtCursorEnd] >> 5 & 3)
	return int(v.crtc.r[crtCursorHigh])<<8 | int(v.crtc.r[crtCursorLow]) + skew
}

// cell is the character at a counter, with what is seen of it.
func (v *VGA) cell(counter, cursor int, b blink) uint32 {
	at := 4 * v.pic.crt.address(counter, 0)
	x := uint32(v.bytes[at]) | uint32(v.bytes[at+1])<<8
	if counter == cursor && b.cursor {
		x |= cellCursor
	}
	if v.pic.chars.attr&attrBlink != 0 && x>>8&attributeBlink != 0 && !b.characters {
		x |= cellHidden
	}
	return x
}

// compareText notes the rows of characters that are not what they were, or all,
// and reports whether something blinks.
func (v *VGA) compareText(b blink, all bool, next uint64) (blinking bool) {
	cursor, p := v.cursorAt(), &v.pic
	blinks := uint32(0)
	if p.chars.attr&attrBlink != 0 {
		blinks = attributeBlink << 8
	}
	n := 0
	if all {
		v.characters = v.characters[:0]
	}
	for y := 0; y < len(v.rows); {
		end, counter := y+1, v.rows[y].counter
		for end < len(v.rows) && v.rows[end].counter == counter {
			end++
		}
		differ := false
		for i := range p.cells + 1 { // panned, a part of one more is seen
			x := v.cell(counter+i/int(p.crt.everyCell), cursor, b)
			blinking = blinking || x&blinks != 0 || counter+i == cursor
			if all {
				v.characters = append(v.characters, x)
			} else if v.characters[n] != x {
				v.characters[n], differ = x, true
			}
			n++
		}
		for ; y < end; y++ {
			if differ {
				v.changed[y], v.version = next, next
			}
		}
	}
	return blinking
}

// drawText draws one line of a row of characters.
func (v *VGA) drawText(to []byte, l line, b blink) {
	p := &v.pic
	c := &p.chars
	fonts, cursor := c.fonts(), v.cursorAt()
	if l.row < c.cursorStart&31 || l.row > c.cursorEnd {
		cursor = -1
	}
	underline := c.attr&attrMono != 0 && l.row == p.crt.underlineMode&31
	px := v.scratch[:0]
	for i := range p.cells + 1 {
		x := v.cell(l.counter+i/int(p.crt.everyCell), cursor, b)
		char, attr := uint8(x), uint8(x>>8)
		glyph := v.bytes[4*(fonts[attr>>3&1]+int(char)*32+int(l.row))+2]
		ninth := c.attr&attrLineGraphics != 0 && char >= 0xc0 && char <= 0xdf && glyph&1 != 0
		if underline && attr&attributeColours == attributeUnderlined {
			glyph, ninth = 0xff, true
		}
		if x&cellHidden != 0 {
			glyph, ninth = 0, false
		}
		if x&cellCursor != 0 {
			glyph, ninth = 0xff, true
		}
		back := attr >> 4
		if c.attr&attrBlink != 0 {
			back &= 7
		}
		ink, paper := v.sixteen[attr&15], v.sixteen[back]
		for bit := uint8(0x80); bit != 0; bit >>= 1 {
			if glyph&bit != 0 {
				px = append(px, ink)
			} else {
				px = append(px, paper)
			}
		}
		if c.dots == 9 && ninth {
			px = append(px, ink)
		} else if c.dots == 9 {
			px = append(px, paper)
		}
	}
	v.scratch = px
	output(to, px[l.pan:])
}

// describeText has t tell what characters are on the screen.
func (v *VGA) describeText(t *display.Text) {
	t.Columns, t.Rows, t.Cursor, t.Cells = 0, 0, -1, t.Cells[:0]
	if v.pic.kind != text {
		return
	}
	p := &v.pic
	t.Columns = p.cells
	for i, c := range v.sixteen {
		t.Palette[i] = [3]uint8{uint8(c), uint8(c >> 8), uint8(c >> 16)}
	}
	cursor, last := v.cursorAt(), -1
	for _, l := range v.rows {
		if l.counter == last {
			continue
		}
		last = l.counter
		if n := cursor - l.counter; cursor >= 0 && n >= 0 && n < p.cells {
			t.Cursor = len(t.Cells) + n
		}
		for i := range p.cells {
			x := v.cell(l.counter+i/int(p.crt.everyCell), -1, blink{characters: true})
			paper := uint8(x >> 12)
			if p.chars.attr&attrBlink != 0 {
				paper &= 7
			}
			t.Cells = append(t.Cells, display.Cell{Code: uint8(x), Ink: uint8(x >> 8 & 15), Paper: paper & 15})
		}
		t.Rows++
	}
}

// Text is what text is on the screen, a string a row in code page 437, or nil in
// other modes.
func (v *VGA) Text() []string {
	v.look()
	if v.pic.kind != text {
		return nil
	}
	var all []string
	last := -1
	for _, l := range v.rows {
		if l.counter == last {
			continue
		}
		last = l.counter
		row := make([]byte, v.pic.cells)
		for i := range row {
			row[i] = uint8(v.cell(l.counter+i, -1, blink{}))
		}
		all = append(all, string(row))
	}
	return all
}
