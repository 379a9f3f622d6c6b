package machine

import (
	"context"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/gov86/gov86/devices/vga"
	"github.com/gov86/gov86/display"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/jit"
)

// fill stores EBX into n doublewords from at on, for EBX from rounds down to 1:
// with a string instruction, or each by itself.
func fill(at, n, rounds uint32, str bool) []byte {
	imm := func(opcode byte, v uint32) []byte { return binary.LittleEndian.AppendUint32([]byte{opcode}, v) }
	body := slices.Concat(imm(0xbf, at), imm(0xb9, n), []byte{0x89, 0xd8}) // MOV EDI, ECX; MOV EAX, EBX
	if str {
		body = slices.Concat(body, []byte{0xfc, 0xf3, 0xab}) // CLD; REP STOSD
	} else {
		body = slices.Concat(body, []byte{0x89, 0x07, 0x83, 0xc7, 0x04, 0x49, 0x75, 0xf8}) // MOV [EDI], EAX; ADD EDI, 4; DEC ECX; JNZ
	}
	body = append(body, 0x4b, 0x75) // DEC EBX; JNZ to the beginning
	body = append(body, byte(-len(body)-1))
	return slices.Concat(imm(0xbb, rounds), body)
}

// A counter is a sink that counts frames and keeps the last.
type counter struct {
	frames int
	last   *display.Frame
}

func (c *counter) Present(f *display.Frame) (spare *display.Frame) {
	c.frames++
	spare, c.last = c.last, f
	return spare
}

// extend has the card show a screen of Bochs'.
func (b *board) extend(width, height, bpp uint32) {
	for i, v := range []uint32{width, height, bpp, 0x41} {
		b.ports.Out(vga.DispiAt, portio.Word, uint32(i)+1)
		b.ports.Out(vga.DispiAt+1, portio.Word, v)
	}
}

func TestTheFrameBufferIsShownWhileItIsWritten(t *testing.T) {
	for _, engine := range Engines {
		if engine != interpEngine && jit.Available() != nil {
			continue
		}
		t.Run(engine, func(t *testing.T) {
			sink := &counter{}
			code := slices.Concat(fill(frameBufferAt, 320*200, 150, true), fill(frameBufferAt, 320*200, 16, false), powerOff, halt)
			m, err := New(Config{Kernel: image(code, nil), Memory: 8 << 20, Engine: engine, Counted: true}, Host{Screen: sink})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			m.both(func(b *board) { b.extend(320, 200, 32) })
			if ending := run(t, m); ending != PoweredOff {
				t.Fatalf("ending %d", ending)
			}
			// At least 4 million instructions of 10 ns went by.
			if sink.frames < 3 || sink.frames > 12 {
				t.Errorf("%d frames, of sixty a second", sink.frames)
			}
			f := m.Picture()
			for i, b := range f.Pix {
				if want := [4]byte{0, 0, 1, 0xff}[i&3]; b != want {
					t.Fatalf("byte %d of row %d is %d, want %d: it was not seen to be written", i%(4*320), i/(4*320), b, want)
				}
			}
		})
	}
}

// BenchmarkDrawing is what it costs to write a MiB of video memory while a sink
// looks on, beside RAM.
func BenchmarkDrawing(b *testing.B) {
	chained := func(m *Machine) {
		for _, r := range [][3]uint32{{0x3c4, 2, 15}, {0x3c4, 4, 14}, {0x3ce, 5, 0x40}, {0x3ce, 6, 5}} {
			m.board.ports.Out(uint16(r[0]), portio.Word, r[1]|r[2]<<8)
		}
	}
	planar := func(m *Machine) {
		chained(m)
		m.board.ports.Out(0x3c4, portio.Word, 0x0604)
	}
	for _, c := range []struct {
		name string
		set  func(m *Machine)
		at   uint32
		n    uint32 // bytes
	}{
		{"RAM", func(*Machine) {}, 4 << 20, 1 << 20},
		{"frame buffer", func(m *Machine) { m.board.extend(1024, 768, 32) }, frameBufferAt, 1 << 20},
		{"chained", chained, 0xa0000, 64 << 10},
		{"planar", planar, 0xa0000, 64 << 10},
	} {
		for _, str := range []bool{true, false} {
			name := c.name + "/loop"
			if str {
				name = c.name + "/string"
			}
			b.Run(name, func(b *testing.B) {
				rounds := uint32(b.N) * (1 << 20 / c.n)
				code := slices.Concat(fill(c.at, c.n/4, rounds, str), powerOff, halt)
				m, err := New(Config{Kernel: image(code, nil), Memory: 8 << 20}, Host{Screen: &counter{}})
				if err != nil {
					b.Fatal(err)
				}
				defer m.Close()
				c.set(m)
				b.SetBytes(1 << 20)
				b.ResetTimer()
				if _, err := m.Run(context.Background()); err != nil {
					b.Fatal(err)
				}
			})
		}
	}
}
