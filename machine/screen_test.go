package machine

import (
	"context"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gov86/gov86/devices/vga"
	"github.com/gov86/gov86/disk"
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

// TestInputReachesTheGuest has the guest send on what the keyboard controller
// gives it: scan codes of set 1.
func TestInputReachesTheGuest(t *testing.T) {
	code := slices.Concat(inAL(0x64), []byte{0xa8, 0x01, 0x74, 0xf7}, // until the output buffer is full
		inAL(0x60), []byte{0x66, 0xba, 0xf8, 0x03, 0xee, 0xeb, 0xeb}) // OUT to the first UART; JMP to the beginning
	m, out := newGuest(t, Config{Kernel: image(code, nil), Counted: true})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	out.until, out.then = "\x1e\x9e", cancel // A, and A let go
	const usageA = 0x04
	m.Input(display.Key{Usage: usageA, Down: true})
	m.Input(display.Key{Usage: usageA})
	m.Run(ctx)
	if got := out.String(); got != "\x1e\x9e" {
		t.Errorf("the keyboard sent % x", got)
	}
}

func TestAScreenMayBeSetWhileTheMachineRuns(t *testing.T) {
	m, _ := newGuest(t, Config{Kernel: image(spin, nil)})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var box display.Mailbox
	m.SetScreen(&box)
	done := make(chan error)
	go func() {
		_, err := m.Run(ctx)
		done <- err
	}()
	select {
	case <-box.Ready():
	case <-ctx.Done():
		t.Fatal("no frame was presented")
	}
	f := box.Take(nil)
	cancel()
	<-done
	if f == nil || f.Width != 720 || f.Height != 400 || f.Seq == 0 {
		t.Fatalf("the first frame is %+v", f)
	}
	if text := m.ScreenText(); len(text) != 25 || len(text[0]) != 80 {
		t.Errorf("%d rows of text, want 25 of 80 characters", len(text))
	}
}

// TestFirmwareOnTheScreen has SeaBIOS find the card by its PCI function, run the
// ROM it finds there and write with it.
func TestFirmwareOnTheScreen(t *testing.T) {
	m, err := New(Config{Memory: 16 << 20, BootFailEnds: true}, Host{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	run(t, m)
	text := strings.Join(m.ScreenText(), "\n")
	for _, want := range []string{"SeaBIOS (version", "Booting from", "No bootable device"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q on the screen:\n%s", want, text)
		}
	}
}

// TestModesOfTheVGABIOS boots a sector that has the card's ROM set a mode and
// write a line of X: each has as many dots as the first.
func TestModesOfTheVGABIOS(t *testing.T) {
	const vbe, lfb = 0x4f02, 0x4000
	for _, c := range []struct {
		name               string
		ax, bx             uint16
		width, height      int
		charWide, charHigh int
	}{
		{"1", 0x01, 0, 360, 400, 9, 16},
		{"3", 0x03, 0, 720, 400, 9, 16},
		{"4", 0x04, 0, 320, 200, 8, 8},
		{"6", 0x06, 0, 640, 200, 8, 8},
		{"7", 0x07, 0, 720, 400, 9, 16},
		{"0Dh", 0x0d, 0, 320, 200, 8, 8},
		{"10h", 0x10, 0, 640, 350, 8, 14},
		{"12h", 0x12, 0, 640, 480, 8, 16},
		{"13h", 0x13, 0, 320, 200, 8, 8},
		{"640x480x8, banked", vbe, 0x101, 640, 480, 8, 16},
		{"800x600x4", vbe, 0x102, 800, 600, 8, 16},
		{"640x480x15", vbe, lfb | 0x110, 640, 480, 8, 16},
		{"1024x768x16", vbe, lfb | 0x117, 1024, 768, 8, 16},
		{"1280x1024x24", vbe, lfb | 0x11b, 1280, 1024, 8, 16},
		{"1024x768x32", vbe, lfb | 0x144, 1024, 768, 8, 16},
	} {
		t.Run(c.name, func(t *testing.T) {
			sector := slices.Concat(
				[]byte{0xb8, byte(c.ax), byte(c.ax >> 8), 0xbb, byte(c.bx), byte(c.bx >> 8), 0xcd, 0x10}, // set the mode
				[]byte{0xb9, 20, 0, 0xb8, 'X', 0x0e, 0xbb, 0x0f, 0, 0xcd, 0x10, 0xe2, 0xf6},              // write, 20 times
				[]byte{0xb0, '!', 0xba, 0x02, 0x04, 0xee, 0xf4, 0xeb, 0xfd})                              // say so; HLT
			image := make([]byte, 1<<20)
			copy(image, sector)
			image[510], image[511] = 0x55, 0xaa
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			cfg := Config{Memory: 16 << 20, Counted: true}
			cfg.Storage.IDE[0].Image = disk.Memory(image, true)
			m, err := New(cfg, Host{Debug: func(b byte) {
				if b == '!' {
					cancel()
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			m.Run(ctx)
			f := m.Picture()
			if f.Width != c.width || f.Height != c.height {
				t.Fatalf("a frame of %d x %d, want %d x %d", f.Width, f.Height, c.width, c.height)
			}
			first, all := lit(f, c.charWide, c.charHigh), lit(f, 20*c.charWide, c.charHigh)
			if first == 0 || all != 20*first {
				t.Errorf("%d dots are lit in the first character, %d in 20 of them", first, all)
			}
		})
	}
}

// lit is how many pixels of a corner are not black.
func lit(f *display.Frame, width, height int) (n int) {
	for y := range height {
		for p := f.Row(y)[:4*width]; len(p) > 0; p = p[4:] {
			if p[0]|p[1]|p[2] != 0 {
				n++
			}
		}
	}
	return n
}
