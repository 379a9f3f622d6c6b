package rfb

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/klauspost/compress/zlib"

	"github.com/gov86/gov86/display"
)

// Encodings (RFC 6143, "Encodings"; rfbproto, "Zlib Encoding").
const (
	encodingRaw  = 0
	encodingZlib = 6
	encodingZRLE = 16
)

// tileSize is that of a tile of ZRLE, in pixels.
const tileSize = 64

// Subencodings of a tile: raw, one colour, or 2 to 16 colours of a palette.
const (
	tileRaw    = 0
	tileSolid  = 1
	maxPalette = 16
)

// compressors are what a client's streams remember, one stream an encoding.
type compressors struct {
	zlib, zrle stream
	plain      []byte
}

// A stream is data compressed in pieces.
type stream struct {
	out bytes.Buffer
	z   *zlib.Writer
}

// squeeze returns the compressed form of b, valid until the next.
func (s *stream) squeeze(b []byte) []byte {
	if s.z == nil {
		s.z, _ = zlib.NewWriterLevel(&s.out, zlib.BestSpeed) // only a bad level fails
	}
	s.out.Reset()
	s.z.Write(b) // a bytes.Buffer takes everything
	s.z.Flush()
	return s.out.Bytes()
}

// encode appends a part of f to out.
func (c *client) encode(f *display.Frame, r rect) {
	c.head(r, c.encoding)
	switch c.encoding {
	case encodingRaw:
		c.out = c.appendPixels(c.out, f, r)
	case encodingZlib:
		c.plain = c.appendPixels(c.plain[:0], f, r)
		c.appendSized(c.zlib.squeeze(c.plain))
	case encodingZRLE:
		c.plain = c.plain[:0]
		for y := r.y; y < r.y+r.height; y += tileSize {
			for x := r.x; x < r.x+r.width; x += tileSize {
				c.tile(f, rect{x, y, min(tileSize, r.x+r.width-x), min(tileSize, r.y+r.height-y)})
			}
		}
		c.appendSized(c.zrle.squeeze(c.plain))
	}
}

func (c *client) appendSized(b []byte) {
	c.out = binary.BigEndian.AppendUint32(c.out, uint32(len(b)))
	c.out = append(c.out, b...)
}

// appendPixels appends the pixels of r as the client wants them.
func (c *client) appendPixels(to []byte, f *display.Frame, r rect) []byte {
	p := &c.format
	for y := r.y; y < r.y+r.height; y++ {
		row := f.Row(y)[4*r.x : 4*(r.x+r.width)]
		switch {
		case *p == native:
			to = append(to, row...)
		case *p == usual:
			n := len(to)
			to = slices.Grow(to, len(row))[:n+len(row)]
			swap(to[n:], row)
		case p.whole():
			for i := 0; i < len(row); i += 4 {
				v := uint32(row[i])<<p.shift[0] | uint32(row[i+1])<<p.shift[1] | uint32(row[i+2])<<p.shift[2]
				to = binary.LittleEndian.AppendUint32(to, v)
			}
		default:
			for i := 0; i < len(row); i += 4 {
				to = p.put(to, p.convert(binary.LittleEndian.Uint32(row[i:])))
			}
		}
	}
	return to
}

// swap puts the pixels of a row with red and blue exchanged, two at a time.
func swap(to, row []byte) {
	for ; len(row) >= 8 && len(to) >= 8; to, row = to[8:], row[8:] {
		x := binary.LittleEndian.Uint64(row)
		const green, red = 0xff00_0000_ff00, 0xff_0000_00ff
		binary.LittleEndian.PutUint64(to, x&green|x&red<<16|x>>16&red)
	}
	if len(row) >= 4 {
		to[0], to[1], to[2], to[3] = row[2], row[1], row[0], 0
	}
}

// A palette is the colours of a tile, as frames have them.
type palette struct {
	n       int
	colours [maxPalette]uint32
}

// index is that of a colour, which is added if it is new; false if there is no room.
func (p *palette) index(x uint32) (int, bool) {
	for i, c := range p.colours[:p.n] {
		if c == x {
			return i, true
		}
	}
	if p.n == maxPalette {
		return 0, false
	}
	p.colours[p.n] = x
	p.n++
	return p.n - 1, true
}

// tile appends a tile in the smallest of the forms we know (RFC 6143, "ZRLE
// Encoding").
func (c *client) tile(f *display.Frame, r rect) {
	var p palette
	var indices [tileSize * tileSize]uint8
	n := 0
	last, at := uint32(0), 0 // 0 is no colour of a frame
	for y := r.y; y < r.y+r.height; y++ {
		row := f.Row(y)[4*r.x : 4*(r.x+r.width)]
		for ; len(row) >= 4; row = row[4:] {
			x := binary.LittleEndian.Uint32(row)
			if x != last {
				i, ok := p.index(x)
				if !ok {
					c.rawTile(f, r)
					return
				}
				last, at = x, i
			}
			indices[n] = uint8(at)
			n++
		}
	}
	c.plain = append(c.plain, uint8(p.n)) // tileSolid for one
	for _, x := range p.colours[:p.n] {
		c.plain = c.format.putCompact(c.plain, c.format.convert(x))
	}
	if p.n > tileSolid {
		c.plain = pack(c.plain, indices[:n], r.width, p.n)
	}
}

// pack appends indices of a palette of n colours, in as many bits as that needs.
// Rows begin at bytes.
func pack(to []byte, indices []uint8, width, n int) []byte {
	size := 4
	switch {
	case n == 2:
		size = 1
	case n <= 4:
		size = 2
	}
	for ; size == 1 && width%8 == 0 && len(indices) >= 8; indices = indices[8:] {
		// Each factor moves one of eight bytes to its bit of the highest.
		to = append(to, uint8(binary.LittleEndian.Uint64(indices)*0x8040201008040201>>56))
	}
	for ; len(indices) > 0; indices = indices[width:] {
		v, used := uint8(0), 0
		for _, i := range indices[:width] {
			v = v<<size | i
			if used += size; used == 8 {
				to = append(to, v)
				v, used = 0, 0
			}
		}
		if used > 0 {
			to = append(to, v<<(8-used))
		}
	}
	return to
}

// rawTile appends a tile of many colours.
func (c *client) rawTile(f *display.Frame, r rect) {
	c.plain = append(c.plain, tileRaw)
	three, low := c.format.compact()
	fast := three && low && c.format.whole()
	s := c.format.shift
	for y := r.y; y < r.y+r.height; y++ {
		row := f.Row(y)[4*r.x : 4*(r.x+r.width)]
		for ; len(row) >= 4; row = row[4:] {
			if fast {
				v := uint32(row[0])<<s[0] | uint32(row[1])<<s[1] | uint32(row[2])<<s[2]
				c.plain = append(c.plain, uint8(v), uint8(v>>8), uint8(v>>16))
				continue
			}
			c.plain = c.format.putCompact(c.plain, c.format.convert(binary.LittleEndian.Uint32(row)))
		}
	}
}
