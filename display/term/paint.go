package term

import (
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/gov86/gov86/display"
)

// A glyph is a character of the terminal and its colours, as red, green and blue.
type glyph struct {
	r          rune
	ink, paper uint32
}

// A painter turns frames into what changes on a terminal.
type painter struct {
	rows, columns int
	shown         []glyph // what the terminal shows
	next          []glyph
	cursor        int // where its cursor is shown, -1 for hidden
	begun         bool
	out           []byte
	// What the terminal is set to.
	ink, paper uint32
	at         int // where the next character goes, -1 for unknown
}

// none is no colour.
const none = 1 << 24

// paint returns what shows f on a terminal of a size, of which nothing is shown
// beyond its edges. The result is valid until the next call.
func (p *painter) paint(f *display.Frame, rows, columns int) []byte {
	p.out = p.out[:0]
	if rows <= 0 || columns <= 0 {
		rows, columns = 25, 80
	}
	if !p.begun || rows != p.rows || columns != p.columns {
		*p = painter{rows: rows, columns: columns, out: p.out, begun: true, cursor: -1, ink: none, paper: none}
		p.shown = slices.Repeat([]glyph{{' ', none, none}}, rows*columns)
		p.out = append(p.out, "\x1b[0m\x1b[2J\x1b[?25l"...)
	}
	p.at = -1
	p.next = p.next[:0]
	for range rows * columns {
		p.next = append(p.next, glyph{' ', none, none})
	}
	cursor := -1
	if f.Text.Rows > 0 {
		cursor = p.text(&f.Text)
	} else {
		p.blocks(f)
	}
	before := len(p.out)
	for i, g := range p.next {
		if g != p.shown[i] {
			p.put(i, g)
		}
	}
	p.shown, p.next = p.next, p.shown
	p.place(cursor, len(p.out) > before)
	return p.out
}

// text lays out a text mode and returns where its cursor is. Rows that there is no
// room for are those at the top: a prompt is at the bottom.
func (p *painter) text(t *display.Text) (cursor int) {
	cursor = -1
	first := 0
	if t.Rows > p.rows {
		first = t.Rows - p.rows
		if t.Cursor >= 0 {
			first = min(first, t.Cursor/t.Columns)
		}
	}
	var colours [16]uint32
	for i, c := range t.Palette {
		colours[i] = uint32(c[0])<<16 | uint32(c[1])<<8 | uint32(c[2])
	}
	for y := first; y < min(t.Rows, first+p.rows); y++ {
		for x, c := range t.Row(y)[:min(t.Columns, p.columns)] {
			at := (y-first)*p.columns + x
			p.next[at] = glyph{display.Rune(c.Code), colours[c.Ink&15], colours[c.Paper&15]}
			if p.next[at].r == ' ' {
				p.next[at].ink = p.next[at].paper
			}
			if t.Cursor == y*t.Columns+x {
				cursor = at
			}
		}
	}
	return cursor
}

// blocks draws pixels: each character is two of them, one above the other. The
// picture fills the terminal as far as its shape allows.
func (p *painter) blocks(f *display.Frame) {
	width, height := f.Width*max(f.ScaleX, 1), f.Height*max(f.ScaleY, 1)
	w, h := p.columns, p.columns*height/width
	if h > 2*p.rows {
		w, h = 2*p.rows*width/height, 2*p.rows
	}
	w, h = max(w, 1), max(h, 1)
	for y := 0; y < h; y += 2 {
		for x := range w {
			g := glyph{'▀', average(f, x, y, w, h), 0}
			if y+1 < h {
				g.paper = average(f, x, y+1, w, h)
			}
			p.next[y/2*p.columns+x] = g
		}
	}
}

// average is the colour of part x, y of a frame in w times h parts.
func average(f *display.Frame, x, y, w, h int) uint32 {
	x0, y0 := x*f.Width/w, y*f.Height/h
	x1, y1 := max((x+1)*f.Width/w, x0+1), max((y+1)*f.Height/h, y0+1)
	var r, g, b, n uint32
	for ; y0 < y1; y0++ {
		row := f.Row(y0)[4*x0 : 4*x1]
		for i := 0; i < len(row); i += 4 {
			r, g, b, n = r+uint32(row[i]), g+uint32(row[i+1]), b+uint32(row[i+2]), n+1
		}
	}
	return r/n<<16 | g/n<<8 | b/n
}

// put writes a character at index i.
func (p *painter) put(i int, g glyph) {
	if p.at != i {
		p.out = append(p.out, "\x1b["...)
		p.out = strconv.AppendInt(p.out, int64(i/p.columns+1), 10)
		p.out = append(p.out, ';')
		p.out = strconv.AppendInt(p.out, int64(i%p.columns+1), 10)
		p.out = append(p.out, 'H')
	}
	if p.ink != g.ink && g.r != ' ' {
		p.colour(38, g.ink)
		p.ink = g.ink
	}
	if p.paper != g.paper {
		p.colour(48, g.paper)
		p.paper = g.paper
	}
	p.out = utf8.AppendRune(p.out, g.r)
	p.at = i + 1
	if p.at%p.columns == 0 {
		p.at = -1
	}
}

// vga are the colours of text modes as they are after a reset, in the order of
// ECMA-48's, which counts blue as 4 and red as 1.
var vga = [16]uint32{
	0x000000, 0xaa0000, 0x00aa00, 0xaa5500, 0x0000aa, 0xaa00aa, 0x00aaaa, 0xaaaaaa,
	0x555555, 0xff5555, 0x55ff55, 0xffff55, 0x5555ff, 0xff55ff, 0x55ffff, 0xffffff,
}

// colour selects a colour: one of the terminal's own sixteen where the guest has
// that, for terminals that know no others and users who chose them. kind is 38 for
// the ink and 48 for the paper.
func (p *painter) colour(kind int, c uint32) {
	p.out = append(p.out, "\x1b["...)
	i := slices.Index(vga[:], c)
	switch {
	case c == none:
		p.out = strconv.AppendInt(p.out, int64(kind+1), 10)
	case i >= 8:
		p.out = strconv.AppendInt(p.out, int64(kind+52+i-8), 10)
	case i >= 0:
		p.out = strconv.AppendInt(p.out, int64(kind-8+i), 10)
	default:
		p.out = strconv.AppendInt(p.out, int64(kind), 10)
		p.out = append(p.out, ";2"...)
		for shift := 16; shift >= 0; shift -= 8 {
			p.out = append(p.out, ';')
			p.out = strconv.AppendInt(p.out, int64(c>>shift&0xff), 10)
		}
	}
	p.out = append(p.out, 'm')
}

// place shows the cursor at an index, or hides it. Where writing has moved it, it
// is placed anew.
func (p *painter) place(cursor int, moved bool) {
	if cursor == p.cursor && (cursor < 0 || !moved) {
		return
	}
	if cursor < 0 {
		p.out = append(p.out, "\x1b[?25l"...)
	} else {
		p.out = append(p.out, "\x1b["...)
		p.out = strconv.AppendInt(p.out, int64(cursor/p.columns+1), 10)
		p.out = append(p.out, ';')
		p.out = strconv.AppendInt(p.out, int64(cursor%p.columns+1), 10)
		p.out = append(p.out, "H\x1b[?25h"...)
	}
	p.cursor = cursor
}
