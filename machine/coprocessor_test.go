package machine

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
)

// withIRQ13 is an image whose interrupt 1Dh, which setUpIRQ13 makes IRQ13, has
// the handler too.
func withIRQ13(code, handler []byte) []byte {
	p := image(slices.Concat(setUpIRQ13, code, text("off"), powerOff, halt), handler)
	gates := p[idtAt-imageAt:]
	copy(gates[8*0x1d:], gates[8*timerGate:8*timerGate+8])
	return p
}

var setUpIRQ13 = slices.Concat(
	[]byte{0xbc, 0x00, 0x00, 0x20, 0x00},             // MOV ESP, stackAt
	[]byte{0x0f, 0x01, 0x1d, 0xf8, 0x07, 0x10, 0x00}, // LIDT [idtPtrAt]
	out8(0x20, 0x11), out8(0x21, 0x08), out8(0x21, 0x04), out8(0x21, 0x01), out8(0x21, 0xfb),
	out8(0xa0, 0x11), out8(0xa1, 0x18), out8(0xa1, 0x02), out8(0xa1, 0x01), out8(0xa1, 0xdf),
	[]byte{0x0f, 0x20, 0xc0, 0x83, 0xe0, 0xd1, 0x0f, 0x22, 0xc0}, // CR0: neither NE, EM, TS nor MP
	[]byte{0xfb},                         // STI
	[]byte{0xdb, 0xe3},                   // FNINIT
	[]byte{0x66, 0x68, 0x7b, 0x03},       // PUSH 37Bh: division by zero is not masked
	[]byte{0xd9, 0x2c, 0x24, 0x66, 0x58}, // FLDCW [ESP]; POP AX
)

// The parts of the tests' programs.
var (
	zeroDivide = []byte{0xd9, 0xee, 0xd9, 0xe8, 0xd8, 0xf1} // FLDZ; FLD1; FDIV ST, ST(1)
	fld1       = []byte{0xd9, 0xe8}
	fwait      = []byte{0x9b}
	fnclex     = []byte{0xdb, 0xe2}
	fnstsw     = []byte{0xdf, 0xe0} // FNSTSW AX
	// digit sends the low three bits of AX shifted right by 11, which is TOP.
	digit = slices.Concat([]byte{0xc1, 0xe8, 0x0b, 0x83, 0xe0, 0x07, 0x04, 0x30}, outAL(0x3f8))
	eoi   = slices.Concat(out8(0xa0, 0x20), out8(0x20, 0x20), []byte{0xcf})
)

// The program of TestAnX87ErrorIsIRQ13 up to the instruction that waits.
var beforeTheWait = slices.Concat(setUpIRQ13, zeroDivide, text("a"), fnstsw, digit)

func TestAnX87ErrorIsIRQ13WhileNEIsClear(t *testing.T) {
	// The handler keeps the address of the instruction it returns to at 5000h.
	handler := slices.Concat([]byte{0x8b, 0x04, 0x24, 0xa3, 0x00, 0x50, 0x00, 0x00},
		text("!"), out8(0xf0, 0), fnclex, eoi)
	for _, waiting := range [][]byte{fld1, fwait, {0x0f, 0x77}} { // or EMMS
		code := slices.Concat(zeroDivide, text("a"), fnstsw, digit, waiting, text("b"), waiting, text("c"))
		m, out := newGuest(t, Config{Kernel: withIRQ13(code, handler)})
		if ending := run(t, m); ending != PoweredOff || out.String() != "a6!bcoff" {
			t.Errorf("% x: ending %d, console %q, want a6!bcoff", waiting, ending, out)
		}
		var at [4]byte
		if err := m.board.memory.ReadAt(at[:], 0x5000); err != nil {
			t.Fatal(err)
		}
		if got, want := binary.LittleEndian.Uint32(at[:]), uint32(codeAt+len(beforeTheWait)); got != want {
			t.Errorf("% x: the interrupt was at %#x, want %#x", waiting, got, want)
		}
	}
}

func TestPortF0hLetsTheProcessorIgnoreTheError(t *testing.T) {
	handler := slices.Concat(text("!"), out8(0xf0, 0), eoi)
	// Two instructions go on though the error is there; once it has been
	// cleared the next error is one again.
	code := slices.Concat(zeroDivide, fld1, fld1, fnstsw, digit, fnclex, zeroDivide, fld1, fnstsw, digit, fnclex)
	m, out := newGuest(t, Config{Kernel: withIRQ13(code, handler)})
	if ending := run(t, m); ending != PoweredOff || out.String() != "!4!1off" {
		t.Errorf("ending %d, console %q, want !4!1off", ending, out)
	}
}

func TestAFrozenProcessorWaitsForAnInterrupt(t *testing.T) {
	// With IRQ13 masked nothing ends the wait: another interrupt does, and
	// the instruction waits again after it.
	ticker := slices.Concat([]byte{0x43, 0x83, 0xfb, 0x03, 0x72, 0x02}, fnclex, // INC EBX; CMP EBX, 3; JB
		out8(0x20, 0x20), []byte{0xcf})
	code := slices.Concat([]byte{0xfa, 0x31, 0xdb}, // CLI; XOR EBX, EBX
		out8(0x20, 0x11), out8(0x21, timerGate), out8(0x21, 0x04), out8(0x21, 0x01), out8(0x21, 0xfe),
		out8(0x43, 0x34), out8(0x40, 0xa9), out8(0x40, 0x04), []byte{0xfb},
		zeroDivide, fwait, []byte{0x88, 0xd8, 0x04, 0x30}, outAL(0x3f8)) // MOV AL, BL
	for _, counted := range []bool{false, true} {
		m, out := newGuest(t, Config{Kernel: withIRQ13(code, ticker), Counted: counted})
		if ending := run(t, m); ending != PoweredOff || !bytes.HasSuffix(out.Bytes(), []byte("3off")) {
			t.Errorf("counted %t: ending %d, console %q, want 3off", counted, ending, out)
		}
	}
}
