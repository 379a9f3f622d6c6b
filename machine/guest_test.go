package machine

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// Where a test guest has what.
const (
	imageAt   = 0x100000
	codeAt    = imageAt + 32 // behind the header
	handlerAt = imageAt + 0x700
	idtPtrAt  = imageAt + 0x7f8
	idtAt     = imageAt + 0x800
	imageSize = 0x1000
	stackAt   = 0x200000
	timerGate = 0x20 // the vector that leads to the handler
)

// image is a Multiboot image of code, and of the handler of interrupt timerGate.
func image(code, handler []byte) []byte {
	le := binary.LittleEndian
	const magic, flags = 0x1badb002, 1 << 16
	var p []byte
	for _, v := range []uint32{magic, flags, 1<<32 - magic - flags, imageAt, imageAt, 0, 0, codeAt} {
		p = le.AppendUint32(p, v)
	}
	p = append(p, code...)
	p = append(p, make([]byte, imageSize-len(p))...)
	copy(p[handlerAt-imageAt:], handler)
	le.PutUint16(p[idtPtrAt-imageAt:], 8*(timerGate+1)-1)
	le.PutUint32(p[idtPtrAt-imageAt+2:], idtAt)
	gate := p[idtAt-imageAt+8*timerGate:]
	le.PutUint16(gate, handlerAt&0xffff)
	le.PutUint16(gate[2:], 0x10) // the loader's code segment
	le.PutUint16(gate[4:], 0x8e00)
	le.PutUint16(gate[6:], handlerAt>>16)
	return p
}

// out8 is MOV DX, port; MOV AL, v; OUT DX, AL.
func out8(port uint16, v uint8) []byte {
	return []byte{0x66, 0xba, uint8(port), uint8(port >> 8), 0xb0, v, 0xee}
}

// outAL is MOV DX, port; OUT DX, AL.
func outAL(port uint16) []byte { return []byte{0x66, 0xba, uint8(port), uint8(port >> 8), 0xee} }

// inAL is MOV DX, port; IN AL, DX.
func inAL(port uint16) []byte { return []byte{0x66, 0xba, uint8(port), uint8(port >> 8), 0xec} }

// store is MOV dword [at], v.
func store(at, v uint32) []byte {
	p := binary.LittleEndian.AppendUint32([]byte{0xc7, 0x05}, at)
	return binary.LittleEndian.AppendUint32(p, v)
}

var (
	// powerOff writes SLP_EN and SLP_TYP 0, which is S5 here, to PM1_CNT.
	powerOff = []byte{0x66, 0xba, 0x04, 0x06, 0x66, 0xb8, 0x00, 0x20, 0x66, 0xef}
	spin     = []byte{0xeb, 0xfe}       // JMP $
	halt     = []byte{0xf4, 0xeb, 0xfd} // HLT; JMP to it
)

// text waits for the transmitter and sends, byte by byte.
func text(s string) (code []byte) {
	for _, b := range []byte(s) {
		code = slices.Concat(code, inAL(0x3fd), []byte{0xa8, 0x20, 0x74, 0xf7}, out8(0x3f8, b))
	}
	return code
}

// A console collects what the first serial port sends.
type console struct {
	bytes.Buffer
	// until is what to wait for; then is called, once, when it has been sent.
	until string
	then  func()
}

func (c *console) Put(b byte) bool {
	c.WriteByte(b)
	if c.then != nil && bytes.HasSuffix(c.Bytes(), []byte(c.until)) {
		c.then()
		c.then = nil
	}
	return true
}

// newGuest is a machine that boots kernel.
func newGuest(t testing.TB, cfg Config) (*Machine, *console) {
	t.Helper()
	out := new(console)
	host := Host{Time: time.Unix(1e9, 0)}
	host.Serial[0] = out
	if cfg.Memory == 0 {
		cfg.Memory = 8 << 20
	}
	m, err := New(cfg, host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m, out
}

// run runs m to its end, for a minute at most.
func run(t *testing.T, m *Machine) Ending {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ending, err := m.Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return ending
}

func TestGuestWritesAndPowersOff(t *testing.T) {
	m, out := newGuest(t, Config{Kernel: image(slices.Concat(text("hello\n"), powerOff, halt), nil)})
	if ending := run(t, m); ending != PoweredOff || out.String() != "hello\n" {
		t.Errorf("ending %d, console %q", ending, out)
	}
	if m.Retired() < 45 { // seven for each byte, three to power off
		t.Errorf("%d instructions retired", m.Retired())
	}
}

func TestTripleFaultIsAnEndingWithADump(t *testing.T) {
	code := []byte{
		0x0f, 0x01, 0x1d, 0x00, 0x50, 0x00, 0x00, // LIDT [5000h]: zeros, a limit of 0
		0xb8, 0x78, 0x56, 0x34, 0x12, // MOV EAX, 12345678h
		0x0f, 0x0b, // UD2
	}
	m, _ := newGuest(t, Config{Kernel: image(code, nil)})
	if ending := run(t, m); ending != TripleFault {
		t.Fatalf("ending %d, want a triple fault", ending)
	}
	var dump, devices bytes.Buffer
	m.Dump(&dump)
	for _, want := range []string{"EIP=0010002c", "EAX=12345678", "0f 0b", "ud2"} {
		if !strings.Contains(strings.ToLower(dump.String()), strings.ToLower(want)) {
			t.Errorf("the dump does not have %s:\n%s", want, &dump)
		}
	}
	m.DumpDevices(&devices)
	if !strings.Contains(devices.String(), "uart0:") {
		t.Errorf("no serial port among the devices:\n%s", &devices)
	}
}

// TestEveryWayToReset boots once for each; a byte of CMOS memory counts.
func TestEveryWayToReset(t *testing.T) {
	const counter = 0x50
	resets := [][]byte{
		slices.Concat(out8(0xcf9, 0x02), out8(0xcf9, 0x06)), // reset control register
		out8(0x64, 0xfe), // keyboard controller, pulse output line 0
		slices.Concat(out8(0x92, 0x02), out8(0x92, 0x03)), // fast reset
	}
	code := slices.Concat(out8(0x70, counter), inAL(0x71), []byte{0xfe, 0xc0}, outAL(0x71)) // INC AL
	for i, how := range resets {
		how = slices.Concat(text(string(rune('a'+i))), how, spin)
		// CMP BL, i+1; JNE over it. AL is lost in it, so BL has the count.
		code = append(code, 0x88, 0xc3, 0x80, 0xfb, uint8(i+1), 0x75, uint8(len(how)))
		code = append(code, how...)
	}
	code = slices.Concat(code, text("off"), powerOff, halt)
	m, out := newGuest(t, Config{Kernel: image(code, nil)})
	if ending := run(t, m); ending != PoweredOff || out.String() != "abcoff" {
		t.Errorf("ending %d, console %q, want abcoff", ending, out)
	}
}

func TestGuestThatDoesNothingIsCancelledWithTheCause(t *testing.T) {
	cause := errors.New("enough")
	for _, c := range []struct {
		name string
		code []byte
	}{
		{"halted with interrupts disabled", slices.Concat(text("x"), []byte{0xfa}, halt)},
		{"halted with interrupts enabled", slices.Concat(text("x"), []byte{0xfb}, halt)},
		{"spinning", slices.Concat(text("x"), spin)},
	} {
		for _, counted := range []bool{false, true} {
			t.Run(c.name, func(t *testing.T) {
				m, out := newGuest(t, Config{Kernel: image(c.code, nil), Counted: counted})
				ctx, cancel := context.WithCancelCause(context.Background())
				out.until, out.then = "x", func() { cancel(cause) }
				done := make(chan error)
				go func() {
					_, err := m.Run(ctx)
					done <- err
				}()
				select {
				case err := <-done:
					if !errors.Is(err, cause) {
						t.Errorf("error %v, want the cause", err)
					}
				case <-time.After(30 * time.Second):
					t.Fatal("still running")
				}
			})
		}
	}
}

// ticks programs timer 0 for a kilohertz and powers off when the handler has
// counted three in EBX.
func ticks() []byte {
	return slices.Concat(
		[]byte{0xbc, 0x00, 0x00, 0x20, 0x00, 0x31, 0xdb}, // MOV ESP, stackAt; XOR EBX, EBX
		[]byte{0x0f, 0x01, 0x1d, 0xf8, 0x07, 0x10, 0x00}, // LIDT [idtPtrAt]
		out8(0x43, 0x34), out8(0x40, 0xa9), out8(0x40, 0x04),
		[]byte{0xfb, 0xf4, 0x83, 0xfb, 0x03, 0x72, 0xfa}, // STI; HLT; CMP EBX, 3; JB to HLT
		text("ticked"), powerOff, halt)
}

func TestTimerInterruptThroughThe8259(t *testing.T) {
	code := slices.Concat(
		out8(0x20, 0x11), out8(0x21, timerGate), out8(0x21, 0x04), out8(0x21, 0x01), out8(0x21, 0xfe),
		ticks())
	handler := slices.Concat([]byte{0x43}, out8(0x20, 0x20), []byte{0xcf}) // INC EBX; EOI; IRET
	wantTicks(t, code, handler)
}

func TestTimerInterruptThroughTheAPICs(t *testing.T) {
	const local, io = 0xfee00000, 0xfec00000
	code := slices.Concat(
		out8(0x21, 0xff), out8(0xa1, 0xff),
		store(local+0xf0, 0x1ff),           // enabled, spurious vector FFh
		store(io, 0x15), store(io+0x10, 0), // input 2 to APIC ID 0,
		store(io, 0x14), store(io+0x10, timerGate), // edge, fixed
		ticks())
	handler := slices.Concat([]byte{0x43}, store(local+0xb0, 0), []byte{0xcf})
	wantTicks(t, code, handler)
}

func wantTicks(t *testing.T, code, handler []byte) {
	t.Helper()
	for _, counted := range []bool{false, true} {
		m, out := newGuest(t, Config{Kernel: image(code, handler), Counted: counted})
		if ending := run(t, m); ending != PoweredOff || out.String() != "ticked" {
			t.Errorf("counted %t: ending %d, console %q", counted, ending, out)
		}
		if counted && m.Now() < 2_000_000 {
			t.Errorf("three ticks of a millisecond took %d ns", m.Now())
		}
	}
}
