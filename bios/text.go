package bios

import (
	_ "embed"
	"encoding/binary"

	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/mem"
)

// font is 256 characters of code page 437, of 16 bytes each.
//
//go:embed font/font8x16.bin
var font []byte

// The ports of a VGA in colour, and where its memory is seen.
const (
	vgaAttribute = 0x3c0
	vgaMisc      = 0x3c2
	vgaSequencer = 0x3c4
	vgaDACWrite  = 0x3c8
	vgaDACData   = 0x3c9
	vgaGraphics  = 0x3ce
	vgaCRTC      = 0x3d4
	vgaStatus    = 0x3da

	vgaGraphicsMemory mem.Addr = 0xa0000
	vgaTextMemory     mem.Addr = 0xb8000
)

// The registers of mode 3: 80 x 25 characters of 9 x 16 dots (IBM VGA/XGA
// Technical Reference, "Video Subsystem", the values of mode 3+).
var (
	mode3Misc      uint8 = 0x67
	mode3Sequencer       = []uint8{0x03, 0x00, 0x03, 0x00, 0x02}
	mode3CRTC            = []uint8{
		0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0x00, 0x00, 0x00, 0x00,
		0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff,
	}
	mode3Graphics  = []uint8{0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x00, 0xff}
	mode3Attribute = []uint8{
		0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f,
		0x0c, 0x00, 0x0f, 0x08, 0x00,
	}
)

// SetTextMode programs a VGA at its usual ports with text mode 3, as the BIOS
// would have left it: with a font, the usual colours and an empty screen.
func SetTextMode(ports *portio.Space, m *mem.Space) {
	out := func(port uint16, v uint8) { ports.Out(port, portio.Byte, uint32(v)) }
	indexed := func(port uint16, values []uint8) {
		for i, v := range values {
			out(port, uint8(i))
			out(port+1, v)
		}
	}
	out(vgaMisc, mode3Misc)
	out(vgaCRTC, 0x11) // Vertical Retrace End protects the first registers
	out(vgaCRTC+1, 0)
	indexed(vgaCRTC, mode3CRTC)
	// The font is in plane 2, seen from A0000h on with sequential addresses.
	indexed(vgaSequencer, []uint8{0x03, 0x00, 0x04, 0x00, 0x06})
	indexed(vgaGraphics, []uint8{0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x04, 0x00, 0xff})
	const height, room = 16, 32
	for i := 0; i < len(font); i += 4 {
		at := vgaGraphicsMemory + mem.Addr(i/height*room+i%height)
		m.Write(at, 4, binary.LittleEndian.Uint32(font[i:]))
	}
	indexed(vgaSequencer, mode3Sequencer)
	indexed(vgaGraphics, mode3Graphics)
	for at := vgaTextMemory; at < vgaTextMemory+80*25*2; at += 4 {
		m.Write(at, 4, 0x07200720)
	}
	// The 64 colours of an EGA: two bits of each primary, the high ones last.
	out(vgaDACWrite, 0)
	for c := range uint8(64) {
		for bit := 2; bit >= 0; bit-- {
			out(vgaDACData, 0x2a*(c>>bit&1)+0x15*(c>>(bit+3)&1))
		}
	}
	ports.In(vgaStatus, portio.Byte) // the next write of the attribute port is an index
	for i, v := range mode3Attribute {
		out(vgaAttribute, uint8(i))
		out(vgaAttribute, v)
	}
	out(vgaAttribute, 0x20) // show it
}
