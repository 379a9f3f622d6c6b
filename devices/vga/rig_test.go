package vga

import (
	"bytes"
	"flag"
	"image"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/gov86/gov86/bios"
	"github.com/gov86/gov86/display"
	"github.com/gov86/gov86/hw/hwtest"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/mem"
)

var update = flag.Bool("update", false, "write the pictures in testdata anew")

// A rig is a card in a machine without a processor.
type rig struct {
	*VGA
	testing.TB
	clock *hwtest.Clock
	ports portio.Space
	space *mem.Space
}

func newRig(t testing.TB) *rig {
	t.Helper()
	space, err := mem.New(mem.MinRAM)
	if err != nil {
		t.Fatal(err)
	}
	bank, err := mem.NewBank(MemorySize)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		space.Close()
		bank.Close()
	})
	r := &rig{TB: t, clock: &hwtest.Clock{}, space: space}
	r.VGA = New(r.clock, bank)
	for _, p := range Ports {
		r.ports.Claim(p.First, p.N, r.Registers(p.First))
	}
	r.ports.Claim(DispiAt, DispiPorts, r.Dispi())
	if err := r.Attach(space); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) outb(port uint16, v uint8) { r.ports.Out(port, portio.Byte, uint32(v)) }
func (r *rig) inb(port uint16) uint8     { return uint8(r.ports.In(port, portio.Byte)) }

// set writes an indexed register as programs do, with one word.
func (r *rig) set(port uint16, i, v uint8) {
	r.ports.Out(port, portio.Word, uint32(i)|uint32(v)<<8)
}

func (r *rig) get(port uint16, i uint8) uint8 {
	r.outb(port, i)
	return r.inb(port + 1)
}

func (r *rig) setAttr(i, v uint8) {
	r.inb(0x3da)
	r.outb(0x3c0, i)
	r.outb(0x3c0, v)
	r.outb(0x3c0, 0x20)
}

func (r *rig) colour(i, red, green, blue uint8) {
	r.outb(0x3c8, i)
	for _, c := range []uint8{red, green, blue} {
		r.outb(0x3c9, c)
	}
}

func (r *rig) poke(at mem.Addr, b ...uint8) {
	for i, v := range b {
		r.space.Write(at+mem.Addr(i), 1, uint32(v))
	}
}

func (r *rig) peek(at mem.Addr) uint8 { return uint8(r.space.Read(at, 1)) }

func (r *rig) dispiSet(i, v uint16) {
	r.ports.Out(DispiAt, portio.Word, uint32(i))
	r.ports.Out(DispiAt+1, portio.Word, uint32(v))
}

func (r *rig) dispiGet(i uint16) uint16 {
	r.ports.Out(DispiAt, portio.Word, uint32(i))
	return uint16(r.ports.In(DispiAt+1, portio.Word))
}

// extend shows a screen of Bochs'.
func (r *rig) extend(width, height, bpp uint16) {
	r.dispiSet(dispiEnable, 0)
	r.dispiSet(dispiXRes, width)
	r.dispiSet(dispiYRes, height)
	r.dispiSet(dispiBPP, bpp)
	r.dispiSet(dispiEnable, dispiEnabled|dispiLFB)
	r.setAttr(0x10, r.attr.r[attrMode])
}

// A modeTable is what a BIOS writes to show a mode (IBM VGA/XGA Technical
// Reference, the register values of the modes).
type modeTable struct {
	misc             uint8
	seq              [5]uint8
	crtc             [25]uint8
	gc               [9]uint8
	attrMode, planes uint8
}

var (
	mode01 = modeTable{
		0x67, [5]uint8{3, 8, 3, 0, 2},
		[25]uint8{
			0x2d, 0x27, 0x28, 0x90, 0x2b, 0xa0, 0xbf, 0x1f, 0, 0x4f, 0x0d, 0x0e, 0, 0, 0, 0,
			0x9c, 0x8e, 0x8f, 0x14, 0x1f, 0x96, 0xb9, 0xa3, 0xff,
		},
		[9]uint8{0, 0, 0, 0, 0, 0x10, 0x0e, 0, 0xff}, 0x0c, 0x0f,
	}
	mode04 = modeTable{
		0x63, [5]uint8{3, 9, 3, 0, 2},
		[25]uint8{
			0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0, 0xc1, 0, 0, 0, 0, 0, 0,
			0x9c, 0x8e, 0x8f, 0x14, 0, 0x96, 0xb9, 0xa2, 0xff,
		},
		[9]uint8{0, 0, 0, 0, 0, 0x30, 0x0f, 0, 0xff}, 0x01, 0x03,
	}
	mode06 = modeTable{
		0x63, [5]uint8{3, 1, 1, 0, 6},
		[25]uint8{
			0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0, 0xc1, 0, 0, 0, 0, 0, 0,
			0x9c, 0x8e, 0x8f, 0x28, 0, 0x96, 0xb9, 0xc2, 0xff,
		},
		[9]uint8{0, 0, 0, 0, 0, 0, 0x0d, 0, 0xff}, 0x01, 0x01,
	}
	mode12 = modeTable{
		0xe3, [5]uint8{3, 1, 15, 0, 6},
		[25]uint8{
			0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0, 0x40, 0, 0, 0, 0, 0, 0,
			0xea, 0x8c, 0xdf, 0x28, 0, 0xe7, 0x04, 0xe3, 0xff,
		},
		[9]uint8{0, 0, 0, 0, 0, 0, 5, 15, 0xff}, 0x01, 0x0f,
	}
	mode13 = modeTable{
		0x63, [5]uint8{3, 1, 15, 0, 14},
		[25]uint8{
			0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0, 0x41, 0, 0, 0, 0, 0, 0,
			0x9c, 0x8e, 0x8f, 0x28, 0x40, 0x96, 0xb9, 0xa3, 0xff,
		},
		[9]uint8{0, 0, 0, 0, 0, 0x40, 5, 15, 0xff}, 0x41, 0x0f,
	}
)

// show sets a mode. The palette of the attribute controller is straight, and the
// DAC's first 16 colours are those of the CGA.
func (r *rig) show(m *modeTable) {
	bios.SetTextMode(&r.ports, r.space)
	r.outb(0x3c2, m.misc)
	r.set(0x3d4, crtRetraceEnd, 0)
	for i, v := range m.crtc {
		r.set(0x3d4, uint8(i), v)
	}
	for i, v := range m.seq {
		r.set(0x3c4, uint8(i), v)
	}
	for i, v := range m.gc {
		r.set(0x3ce, uint8(i), v)
	}
	for i := range uint8(16) {
		r.setAttr(i, i)
		bright := 0x15 * (i >> 3)
		r.colour(i, 0x2a*(i>>2&1)+bright, 0x2a*(i>>1&1)+bright, 0x2a*(i&1)+bright)
	}
	r.setAttr(attrMode, m.attrMode)
	r.setAttr(attrPlaneEnable, m.planes)
	clear(r.bytes[:4*planeSize])
	r.bank.Touch(0, 4*planeSize)
}

// modeX is mode 13h made 320 x 240 without chain 4.
func (r *rig) modeX() {
	r.show(&mode13)
	r.set(0x3c4, seqMemoryMode, 6)
	r.outb(0x3c2, 0xe3)
	for _, p := range [][2]uint8{
		{0x06, 0x0d}, {0x07, 0x3e}, {0x09, 0x41}, {0x10, 0xea}, {0x11, 0x2c}, {0x12, 0xdf}, {0x14, 0}, {0x15, 0xe7},
		{0x16, 0x06}, {0x17, 0xe3},
	} {
		r.set(0x3d4, p[0], p[1])
	}
}

// rgb332 fills the DAC with three bits of red, three of green and two of blue.
func (r *rig) rgb332() {
	for i := range 256 {
		r.colour(uint8(i), uint8(i>>5*9), uint8(i>>2&7*9), uint8(i&3*21))
	}
}

// golden compares what is on the screen with a picture in testdata.
func (r *rig) golden(name string) {
	r.Helper()
	f := r.Frame()
	path := filepath.Join("testdata", name+".png")
	if *update {
		var b bytes.Buffer
		if err := f.WritePNG(&b); err != nil {
			r.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			r.Fatal(err)
		}
		return
	}
	file, err := os.Open(path)
	if err != nil {
		r.Fatal(err)
	}
	defer file.Close()
	decoded, err := png.Decode(file)
	if err != nil {
		r.Fatal(err)
	}
	want := image.NewRGBA(decoded.Bounds())
	draw.Draw(want, want.Rect, decoded, image.Point{}, draw.Src)
	r.same(f, &display.Frame{Width: want.Rect.Dx(), Height: want.Rect.Dy(), Pix: want.Pix}, name)
}

// same compares two frames.
func (r *rig) same(got, want *display.Frame, name string) {
	r.Helper()
	if got.Width != want.Width || got.Height != want.Height {
		r.Fatalf("%s: a frame of %d x %d, want %d x %d", name, got.Width, got.Height, want.Width, want.Height)
	}
	for i := range got.Pix {
		if got.Pix[i] != want.Pix[i] {
			p := i / 4
			r.Fatalf("%s: pixel %d,%d is %x, want %x", name, p%got.Width, p/got.Width, got.Pix[4*p:4*p+4], want.Pix[4*p:4*p+4])
		}
	}
}
