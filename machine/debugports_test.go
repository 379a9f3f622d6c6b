package machine

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestAWriteToTheExitPortIsAnEnding(t *testing.T) {
	code := slices.Concat(text("x"), out8(0xf4, 0x23), text("beyond"), powerOff, halt)
	m, out := newGuest(t, Config{Kernel: image(code, nil), DebugExit: 0xf4})
	if ending := run(t, m); ending != Exited || m.ExitValue() != 0x23 || out.String() != "x" {
		t.Errorf("ending %d with %#x, console %q", ending, m.ExitValue(), out)
	}
}

func TestWithoutAnExitPortNothingIsThere(t *testing.T) {
	m, _ := newGuest(t, Config{Kernel: image(slices.Concat(out8(0xf4, 0x23), powerOff, halt), nil)})
	if ending := run(t, m); ending != PoweredOff {
		t.Errorf("ending %d", ending)
	}
}

func TestAnExitPortThatIsTakenIsAnError(t *testing.T) {
	for _, at := range []uint16{0x3f8, 0x1f, 0xfffe} {
		m, err := New(Config{Kernel: image(halt, nil), DebugExit: at}, Host{})
		if err == nil {
			m.Close()
			t.Errorf("ports from %#x on were taken", at)
		}
	}
}

// say writes s to port.
func say(port uint16, s string) (code []byte) {
	for _, b := range []byte(s) {
		code = slices.Concat(code, out8(port, b))
	}
	return code
}

func TestTextThroughTheDebugPorts(t *testing.T) {
	// What both ports read as goes out through the first.
	code := slices.Concat(say(0xe9, "bochs\n"), say(0x402, "seabios\n"),
		inAL(0xe9), outAL(0xe9), inAL(0x402), outAL(0xe9), powerOff, halt)
	var got []byte
	m, err := New(Config{Kernel: image(code, nil), Memory: 8 << 20},
		Host{Debug: func(b byte) { got = append(got, b) }})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if ending := run(t, m); ending != PoweredOff || string(got) != "bochs\nseabios\n\xe9\xe9" {
		t.Errorf("ending %d, text %q", ending, got)
	}
}

func TestAHaltWithInterruptsDisabledIsAnEndingIfAskedFor(t *testing.T) {
	cli := []byte{0xfa}
	m, _ := newGuest(t, Config{Kernel: image(slices.Concat(cli, halt), nil), HaltEnds: true})
	if ending := run(t, m); ending != Stuck || !strings.HasPrefix(m.Place(), "0010:00100021") {
		t.Errorf("ending %d at %s", ending, m.Place())
	}
}

func TestAHaltThatWaitsForAnInterruptIsNone(t *testing.T) {
	code := slices.Concat(
		out8(0x20, 0x11), out8(0x21, timerGate), out8(0x21, 0x04), out8(0x21, 0x01), out8(0x21, 0xfe), ticks())
	handler := slices.Concat([]byte{0x43}, out8(0x20, 0x20), []byte{0xcf}) // INC EBX; EOI; IRET
	m, _ := newGuest(t, Config{Kernel: image(code, handler), HaltEnds: true})
	if ending := run(t, m); ending != PoweredOff {
		t.Errorf("ending %d", ending)
	}
}

func TestTheRunEndsBeforeABreak(t *testing.T) {
	code := slices.Concat([]byte{0x31, 0xc0}, []byte{0x40, 0x40}, text("beyond"), powerOff, halt) // XOR EAX, EAX; INC EAX twice
	m, out := newGuest(t, Config{Kernel: image(code, nil), Breaks: []uint32{0x4000, codeAt + 3}})
	ending := run(t, m)
	if s := m.State(nil); ending != Broke || s.Processor.EIP != "0x00100023" || s.Processor.EAX != "0x00000001" || out.Len() > 0 {
		t.Errorf("ending %d at %s, EAX %s, console %q", ending, s.Processor.EIP, s.Processor.EAX, out)
	}
}

// namesOf names addresses of the image: its code and its handler.
func namesOf(l uint32) string {
	switch {
	case l >= handlerAt && l < idtPtrAt:
		return fmt.Sprintf("handler+%#x", l-handlerAt)
	case l >= codeAt && l < handlerAt:
		return fmt.Sprintf("start+%#x", l-codeAt)
	}
	return ""
}

// newNamed is newGuest with names for the addresses of the image.
func newNamed(t *testing.T, cfg Config) *Machine {
	t.Helper()
	cfg.Memory = 8 << 20
	m, err := New(cfg, Host{Time: time.Unix(1e9, 0), Names: namesOf})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func TestThePostMortemNamesWhatHappened(t *testing.T) {
	code := slices.Concat(
		[]byte{0xbc, 0x00, 0x00, 0x20, 0x00, 0x31, 0xed}, // MOV ESP, stackAt; XOR EBP, EBP
		[]byte{0x0f, 0x01, 0x1d, 0xf8, 0x07, 0x10, 0x00}, // LIDT [idtPtrAt]
		[]byte{0xe8, 0x01, 0x00, 0x00, 0x00, 0xf4},       // CALL the next but one; HLT
		[]byte{0x55, 0x89, 0xe5},                         // PUSH EBP; MOV EBP, ESP
		out8(0x80, 0x42),
		[]byte{0xcd, timerGate}) // INT
	handler := []byte{0x0f, 0x0b} // UD2, which has no gate
	m := newNamed(t, Config{Kernel: image(code, handler)})
	if ending := run(t, m); ending != TripleFault {
		t.Fatalf("ending %d", ending)
	}
	var dump bytes.Buffer
	m.Dump(&dump)
	for _, want := range []string{
		"shutdown=true handler+0x0",
		"entered 00100020 start+0x0",
		"out port 0080 value 42 at 0010:0010003d start+0x1d",
		"far 0010:00100040 start+0x20 -> 0010:00100700 handler+0x0",
		"exception  6 #UD code 0000 at 0010:00100700 handler+0x0 cr2 00000000",
		"exception 13 #GP code 0033",
		"exception  8 #DF",
		"stack at ESP 00100040 00000010",
		"called from 00100033 start+0x13",
		"ud2",
	} {
		if !strings.Contains(dump.String(), want) {
			t.Errorf("the dump does not have %q:\n%s", want, &dump)
		}
	}
}
