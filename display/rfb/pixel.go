package rfb

import (
	"encoding/binary"
	"errors"
)

// A pixelFormat is how a client wants its pixels (RFC 6143, "Pixel Format Data
// Structure").
type pixelFormat struct {
	bits, depth, bigEndian, trueColour uint8
	max                                [3]uint16 // of red, green and blue
	shift                              [3]uint8
}

// native is what frames have.
var native = pixelFormat{32, 24, 0, 1, [3]uint16{255, 255, 255}, [3]uint8{0, 8, 16}}

// usual is what is offered to clients, since some hold every server to it.
var usual = pixelFormat{32, 24, 0, 1, [3]uint16{255, 255, 255}, [3]uint8{16, 8, 0}}

func (p pixelFormat) append(b []byte) []byte {
	b = append(b, p.bits, p.depth, p.bigEndian, p.trueColour)
	for _, m := range p.max {
		b = binary.BigEndian.AppendUint16(b, m)
	}
	return append(b, p.shift[0], p.shift[1], p.shift[2], 0, 0, 0)
}

func parseFormat(b []byte) (p pixelFormat, err error) {
	p = pixelFormat{bits: b[0], depth: b[1], trueColour: b[3], shift: [3]uint8{b[10], b[11], b[12]}}
	if b[2] != 0 {
		p.bigEndian = 1
	}
	for i := range p.max {
		p.max[i] = binary.BigEndian.Uint16(b[4+2*i:])
	}
	if p.bits != 8 && p.bits != 16 && p.bits != 32 || p.trueColour == 0 {
		return p, errors.New("the viewer wants pixels that are no true colours of 8, 16 or 32 bits")
	}
	for i, s := range p.shift {
		if s >= p.bits || p.max[i] == 0 {
			return p, errors.New("the viewer wants a colour outside its pixels")
		}
	}
	return p, nil
}

// convert is the value of a pixel of a frame.
func (p *pixelFormat) convert(x uint32) uint32 {
	var v uint32
	for i, s := range p.shift {
		v |= (x>>(8*i)&0xff*uint32(p.max[i]) + 127) / 255 << s
	}
	return v
}

// whole reports whether the colours are bytes of a doubleword, so that conversion
// only moves them.
func (p *pixelFormat) whole() bool { return p.bits == 32 && p.max == native.max && p.bigEndian == 0 }

// put appends a converted pixel.
func (p *pixelFormat) put(b []byte, v uint32) []byte {
	switch {
	case p.bits == 8:
		return append(b, uint8(v))
	case p.bits == 16 && p.bigEndian != 0:
		return binary.BigEndian.AppendUint16(b, uint16(v))
	case p.bits == 16:
		return binary.LittleEndian.AppendUint16(b, uint16(v))
	case p.bigEndian != 0:
		return binary.BigEndian.AppendUint32(b, v)
	}
	return binary.LittleEndian.AppendUint32(b, v)
}

// compact is a CPIXEL (RFC 6143, "ZRLE Encoding"): three bytes of a doubleword
// that has no more. low says which three.
func (p *pixelFormat) compact() (three, low bool) {
	if p.bits != 32 || p.depth > 24 {
		return false, false
	}
	var all uint32
	for i, s := range p.shift {
		all |= uint32(p.max[i]) << s
	}
	return all < 1<<24 || all&0xff == 0, all < 1<<24
}

// putCompact appends a converted pixel as a CPIXEL.
func (p *pixelFormat) putCompact(b []byte, v uint32) []byte {
	three, low := p.compact()
	if !three {
		return p.put(b, v)
	}
	if !low {
		v >>= 8
	}
	if p.bigEndian != 0 {
		return append(b, uint8(v>>16), uint8(v>>8), uint8(v))
	}
	return append(b, uint8(v), uint8(v>>8), uint8(v>>16))
}
