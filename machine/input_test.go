package machine

import (
	"bytes"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/gov86/gov86/display"
)

// scan polls the keyboard's controller and sends what it reads to the first
// serial port, n bytes, and then switches the machine off.
func scan(n byte) []byte {
	return slices.Concat([]byte{
		0xb1, n, // MOV CL, n
		0xe4, 0x64, 0xa8, 0x01, 0x74, 0xfa, // IN AL, 64h; TEST AL, 1; JZ
		0xe4, 0x60, // IN AL, 60h
		0x66, 0xba, 0xf8, 0x03, 0xee, // MOV DX, 3F8h; OUT DX, AL
		0xfe, 0xc9, 0x75, 0xef, // DEC CL; JNZ
	}, powerOff, halt)
}

type kept struct{ bytes.Buffer }

func (k *kept) Put(b byte) bool { k.WriteByte(b); return true }

func TestTypedTextArrivesWholeHoweverSlowlyItIsRead(t *testing.T) {
	const text = "Hello, world: 20 keys"
	var want []byte
	var events []display.Event
	for _, r := range text {
		events = append(events, display.Typed(r)...)
	}
	out := &kept{}
	host := Host{}
	host.Serial[0] = out
	m, err := New(Config{Kernel: image(scan(byte(len(events))), nil), Memory: 8 << 20}, host)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	go m.Type(ctx, text)
	if ending, err := m.Run(ctx); err != nil || ending != PoweredOff {
		t.Fatalf("ending %d, %v; got % x", ending, err, out.Bytes())
	}
	codes := map[uint16]byte{}
	for code := range uint8(0x60) {
		if u, ok := display.KeyOfCode(code); ok {
			codes[u] = code
		}
	}
	for _, e := range events {
		k := e.(display.Key)
		c := codes[k.Usage]
		if !k.Down {
			c |= 0x80
		}
		want = append(want, c)
	}
	if !bytes.Equal(out.Bytes(), want) {
		t.Errorf("the guest read % x, want % x", out.Bytes(), want)
	}
}

// askPointer enables the pointer and spins until it has a packet, whose X it sends
// to the first serial port.
var askPointer = slices.Concat(
	backdoor(0x45414552, 41),       // enable
	backdoor(1, 39),                // its identity
	backdoor(0x53424152, 41),       // absolute
	backdoor(0, 40),                // status
	[]byte{0x85, 0xc0, 0x74, 0xe7}, // TEST EAX, EAX; JZ to the last
	backdoor(4, 39),
	[]byte{
		0x66, 0xba, 0xf8, 0x03, // MOV DX, 3F8h
		0x88, 0xd8, 0xee, 0x88, 0xf8, 0xee, // MOV AL, BL; OUT DX, AL; MOV AL, BH; OUT DX, AL
	}, powerOff, halt)

// backdoor is a read of VMware's port: 21 bytes.
func backdoor(ebx uint32, command byte) []byte {
	return []byte{
		0xb8, 0x68, 0x58, 0x4d, 0x56, // MOV EAX, magic
		0xbb, byte(ebx), byte(ebx >> 8), byte(ebx >> 16), byte(ebx >> 24),
		0xb9, command, 0, 0, 0, // MOV ECX, command
		0x66, 0xba, 0x58, 0x56, // MOV DX, 5658h
		0xed, // IN EAX, DX
		0x90,
	}
}

func TestAGuestWithADriverIsToldWhereThePointerIs(t *testing.T) {
	for _, engine := range Engines {
		if engine == Lockstep {
			continue
		}
		t.Run(engine, func(t *testing.T) {
			out := &kept{}
			host := Host{}
			host.Serial[0] = out
			m, err := New(Config{Kernel: image(askPointer, nil), Memory: 8 << 20, Engine: engine}, host)
			if err != nil {
				t.Skip(err)
			}
			defer m.Close()
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			go func() {
				for pass(ctx, time.Millisecond) { // until the guest has enabled it
					m.Input(display.Position{X: 0x4000, Y: 0x2000})
				}
			}()
			if ending, err := m.Run(ctx); err != nil || ending != PoweredOff {
				t.Fatalf("ending %d, %v", ending, err)
			}
			if !m.Absolute() && m.board.pointer.Absolute() {
				t.Error("the machine does not say that its guest takes places")
			}
			// A dot in the middle of a screen of 720, as the place of its middle.
			if got, want := out.Bytes(), []byte{0x2d, 0x80}; !bytes.Equal(got, want) {
				t.Errorf("X is % x, want % x", got, want)
			}
		})
	}
}

func TestPlacesMoveAMouseThatHasNoDriverForThem(t *testing.T) {
	m, err := New(Config{Kernel: image(halt, nil), Memory: 8 << 20}, Host{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	b := m.board
	in := func() uint32 { return b.ports.In(0x60, 1) }
	out := func(port uint16, v ...uint32) {
		for _, v := range v {
			b.ports.Out(port, 1, v)
		}
	}
	out(0x64, 0xd4)
	out(0x60, 0xf4)
	if ack := in(); ack != 0xfa {
		t.Fatalf("the mouse answers %#x", ack)
	}
	width, _ := b.vga.Size()
	b.input(display.Position{X: 0x4000, Y: 0x4000}) // only where it begins
	b.input(display.Position{X: uint16(0x4000 + 10*0x8000/width + 1), Y: 0x4000})
	b.hand.placed = false // as after a reset: the mouse goes nowhere by itself
	time.Sleep(2 * time.Millisecond)
	b.clock.turn()
	b.clock.fire()
	if got := []uint32{in()}; got[0] != 0x08 {
		t.Errorf("the packet begins with %#x, want no buttons and no signs", got[0])
	}
	time.Sleep(2 * time.Millisecond)
	b.clock.turn()
	b.clock.fire()
	if dx := in(); dx != 10 {
		t.Errorf("it moved by %d, want 10", dx)
	}
}

func TestAPausedGuestStandsStillAndItsTimeToo(t *testing.T) {
	code := []byte{0x40, 0xeb, 0xfd} // INC EAX; JMP
	m, err := New(Config{Kernel: image(code, nil), Memory: 8 << 20}, Host{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		m.Run(ctx)
		close(ended)
	}()
	type moment struct {
		retired uint64
		now     uint64
	}
	look := func() (at moment) {
		done := make(chan struct{})
		m.Post(func() { at = moment{m.retired, uint64(m.Now())}; close(done) })
		<-done
		return at
	}
	m.Pause()
	before := look()
	time.Sleep(20 * time.Millisecond)
	if after := look(); after != before || !m.Status().Paused {
		t.Errorf("paused at %+v, later at %+v, %+v", before, after, m.Status())
	}
	m.Resume()
	for look().retired == before.retired {
		time.Sleep(time.Millisecond)
	}
	if p := m.Screenshot(); p == nil || p.Width != 720 {
		t.Error("no picture")
	}
	m.Restart()
	cancel()
	<-ended
	if p := m.Screenshot(); p != nil {
		t.Error("a picture of a machine that has ended")
	}
	m.Type(context.Background(), "nobody reads this") // and it does not wait
}
