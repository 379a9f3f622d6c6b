package vga

import "encoding/binary"

// output stores the pixels that to has room for.
func output(to []byte, px []uint32) {
	for _, x := range px {
		if len(to) < 4 {
			return
		}
		binary.LittleEndian.PutUint32(to, x)
		to = to[4:]
	}
}

// nibbles makes the bits of a byte, the leftmost first, the lowest bits of eight
// nibbles, the leftmost highest.
var nibbles = func() (t [256]uint32) {
	for i := range t {
		for bit := range 8 {
			t[i] |= uint32(i) >> bit & 1 << (4 * bit)
		}
	}
	return t
}()

// drawCells draws a line of the VGA's graphics modes.
func (v *VGA) drawCells(to []byte, l line) {
	p := &v.pic
	px := v.scratch[:0]
	every := int(p.crt.everyCell)
	for i := range p.cells + 1 { // panned, a part of one more is seen
		at := 4 * p.crt.address(l.counter+i/every, l.row)
		cell := v.bytes[at : at+4 : at+4]
		switch p.kind {
		case packed:
			px = append(px, v.colours[cell[0]], v.colours[cell[1]], v.colours[cell[2]], v.colours[cell[3]])
		case planar:
			px = v.appendNibbles(px, planarNibbles(cell))
		default:
			px = v.appendNibbles(px, cgaNibbles(cell))
		}
	}
	v.scratch = px
	output(to, px[l.pan:])
}

// planarNibbles are the eight pixels of a cell, the leftmost in the highest bits.
func planarNibbles(cell []byte) uint32 {
	return nibbles[cell[0]] | nibbles[cell[1]]<<1 | nibbles[cell[2]]<<2 | nibbles[cell[3]]<<3
}

// cgaNibbles are the same where a plane has two bits of a pixel: the left four
// are in planes 0 and 2, the others in planes 1 and 3.
func cgaNibbles(cell []byte) uint32 { return pairs(cell[0], cell[2])<<16 | pairs(cell[1], cell[3]) }

// pairs are four pixels with the pairs of bits of low and high.
func pairs(low, high uint8) (n uint32) {
	for shift := 6; shift >= 0; shift -= 2 {
		n = n<<4 | uint32(low>>shift&3) | uint32(high>>shift&3)<<2
	}
	return n
}

func (v *VGA) appendNibbles(px []uint32, n uint32) []uint32 {
	c := &v.sixteen
	return append(px, c[n>>28], c[n>>24&15], c[n>>20&15], c[n>>16&15], c[n>>12&15], c[n>>8&15], c[n>>4&15], c[n&15])
}

// drawExtended draws a row of what DISPI asks for. Beyond the end of memory it
// begins anew.
func (v *VGA) drawExtended(to []byte, y int) {
	p := &v.pic
	at := (p.start + y*p.pitch) & (MemorySize - 1)
	n := p.width * bytesPerPixel(p.bpp)
	if p.bpp == 4 {
		n = (p.width + 7 + 8) / 8 * 4
	}
	from := v.bytes[at:min(at+n, MemorySize)]
	if len(from) < n {
		from = append(append([]byte(nil), from...), v.bytes[:n-len(from)]...)
	}
	if p.bigEndian && p.bpp > 8 {
		from = turned(from, bytesPerPixel(p.bpp))
	}
	switch p.bpp {
	case 4:
		px := v.scratch[:0]
		for ; len(from) >= 4; from = from[4:] {
			px = v.appendNibbles(px, planarNibbles(from))
		}
		v.scratch = px
		output(to, px[p.pan:])
	case 8:
		draw8(to, from, &v.colours)
	case 15:
		drawWords(to, from, &words15)
	case 16:
		drawWords(to, from, &words16)
	case 24:
		draw24(to, from)
	case 32:
		draw32(to, from)
	}
}

// turned are from's numbers of n bytes with their bytes in the other order.
func turned(from []byte, n int) []byte {
	to := make([]byte, len(from))
	for i := range from {
		to[i] = from[i-i%n+n-1-i%n]
	}
	return to
}

func draw8(to, from []byte, colours *[256]uint32) {
	for _, b := range from {
		if len(to) < 4 { // never: it spares the check below
			return
		}
		binary.LittleEndian.PutUint32(to, colours[b])
		to = to[4:]
	}
}

// A wordTable makes pixels of words. Each bit of a word goes where it goes
// whatever the others are, so that two bytes may be looked up one by one.
type wordTable struct{ low, high [256]uint32 }

var (
	words15 = makeWords(expand15)
	words16 = makeWords(expand16)
)

func makeWords(expand func(x uint32) uint32) (t wordTable) {
	for i := range uint32(256) {
		t.low[i], t.high[i] = opaque|expand(i), expand(i<<8)
	}
	return t
}

// expand15 and expand16 give components eight bits: those that they lack are
// their highest ones again.
func expand15(x uint32) uint32 {
	red := x>>7&0xf8 | x>>12&0x07
	green := x<<6&0xf800 | x<<1&0x0700
	blue := x<<19&0xf80000 | x<<14&0x070000
	return blue | green | red
}

func expand16(x uint32) uint32 {
	red := x>>8&0xf8 | x>>13&0x07
	green := x<<5&0xfc00 | x>>1&0x0300
	blue := x<<19&0xf80000 | x<<14&0x070000
	return blue | green | red
}

func drawWords(to, from []byte, t *wordTable) {
	for len(from) >= 2 && len(to) >= 4 {
		binary.LittleEndian.PutUint32(to, t.low[from[0]]|t.high[from[1]])
		from, to = from[2:], to[4:]
	}
}

func draw24(to, from []byte) {
	for len(from) >= 3 && len(to) >= 4 {
		binary.LittleEndian.PutUint32(to, opaque|uint32(from[0])<<16|uint32(from[1])<<8|uint32(from[2]))
		from, to = from[3:], to[4:]
	}
}

// draw32 draws two pixels at once, and the last of an odd number.
func draw32(to, from []byte) {
	const red, green, two = 0xff_0000_00ff, 0xff00_0000_ff00, opaque<<32 | opaque
	for len(from) >= 8 && len(to) >= 8 {
		x := binary.LittleEndian.Uint64(from)
		binary.LittleEndian.PutUint64(to, two|x&red<<16|x&green|x>>16&red)
		from, to = from[8:], to[8:]
	}
	if len(from) >= 4 {
		x := binary.LittleEndian.Uint32(from)
		binary.LittleEndian.PutUint32(to, opaque|x<<16&0xff0000|x&0xff00|x>>16&0xff)
	}
}
