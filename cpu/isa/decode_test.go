package isa

import (
	"bufio"
	"encoding/hex"
	"os"
	"reflect"
	"strings"
	"testing"
)

func TestInstIs32Bytes(t *testing.T) {
	if n := reflect.TypeFor[Inst]().Size(); n != 32 {
		t.Errorf("Inst has %d bytes", n)
	}
}

// Lines of decode.txt are "mode bytes | bytes after it = text"; the text is
// that of Inst.String, or the name of the error.
func TestEncodingsOfTheManual(t *testing.T) {
	f, err := os.Open("testdata/decode.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		line := s.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		encoding, want, ok := strings.Cut(line, " = ")
		mode, encoding, ok2 := strings.Cut(encoding, " ")
		own, rest, _ := strings.Cut(encoding, "|")
		code, err := hex.DecodeString(strings.ReplaceAll(own, " ", ""))
		after, err2 := hex.DecodeString(strings.ReplaceAll(rest, " ", ""))
		if !ok || !ok2 || err != nil || err2 != nil || mode != "16" && mode != "32" {
			t.Errorf("%s: malformed", line)
			continue
		}
		m := Code32
		if mode == "16" {
			m = Code16
		}
		in, err := Decode(append(code, after...), m)
		got, length := in.String(), len(code)
		if err != nil {
			got, length = errorNames[err], 0
		}
		if got != want {
			t.Errorf("%s: got %s", line, got)
		}
		if int(in.Len) != length {
			t.Errorf("%s: length %d", line, in.Len)
		}
	}
}

var errorNames = map[error]string{ErrTruncated: "truncated", ErrTooLong: "#GP", ErrInvalid: "#UD"}

// A truncated instruction must ask for more bytes, whatever its end would be,
// so that code that runs into a page not present faults there.
func TestEveryTruncationIsSeen(t *testing.T) {
	for _, s := range structured(200_000, 2) {
		in, err := Decode(s.code, s.mode)
		if err != nil {
			continue
		}
		for n := range int(in.Len) {
			if _, err := Decode(s.code[:n], s.mode); err != ErrTruncated {
				t.Fatalf("% x cut to %d: %v", s.code[:in.Len], n, err)
			}
		}
	}
}

// Padding with prefixes up to 15 bytes changes nothing; past that is #GP.
func TestLongerThan15BytesIsTooLong(t *testing.T) {
	for _, s := range structured(100_000, 3) {
		in, err := Decode(s.code, s.mode)
		if err != nil || in.Prefix&SegOverride != 0 {
			continue
		}
		code := append([]byte(nil), s.code[:in.Len]...)
		for len(code) <= MaxLen {
			padded, err := Decode(code, s.mode)
			if err != nil || int(padded.Len) != len(code) || padded.Op != in.Op {
				t.Fatalf("% x: %v, %v", code, padded.String(), err)
			}
			code = append([]byte{0x3e}, code...)
		}
		if _, err := Decode(append(code, 0, 0, 0, 0), s.mode); err != ErrTooLong {
			t.Fatalf("% x: %v", code, err)
		}
	}
}

func TestLockIsRefusedWhereTheManualDoesNotListIt(t *testing.T) {
	// Intel SDM Vol. 2, "LOCK", Description.
	listed := map[Op]bool{ADD: true, ADC: true, AND: true, BTC: true, BTR: true, BTS: true, CMPXCHG: true,
		CMPXCHG8B: true, DEC: true, INC: true, NEG: true, NOT: true, OR: true, SBB: true, SUB: true, XOR: true,
		XADD: true, XCHG: true}
	for _, s := range structured(300_000, 4) {
		in, err := Decode(s.code, s.mode)
		if err != nil || in.Len == MaxLen || in.Prefix&Lock != 0 {
			continue
		}
		_, err = Decode(append([]byte{0xf0}, s.code[:in.Len]...), s.mode)
		if allowed := listed[in.Op] && in.Args[0] == Mem; allowed != (err == nil) {
			t.Fatalf("LOCK % x: %v", s.code[:in.Len], err)
		}
	}
}

func TestEveryOperationCanBeDecoded(t *testing.T) {
	var seen [NumOps]bool
	for _, s := range structured(2_000_000, 5) {
		if in, err := Decode(s.code, s.mode); err == nil {
			seen[in.Op] = true
		}
	}
	for op := NoOp + 1; int(op) < NumOps; op++ {
		if !seen[op] {
			t.Errorf("no encoding of %v found", op)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{0x66, 0x0f, 0x3a, 0x0f, 0x84, 0x88, 1, 2, 3, 4, 5}, true)
	f.Fuzz(func(t *testing.T, code []byte, wide bool) {
		m := Code16
		if wide {
			m = Code32
		}
		in, err := Decode(code, m)
		if err == nil && (in.Len == 0 || in.Len > MaxLen || int(in.Len) > len(code)) {
			t.Errorf("length %d of %d", in.Len, len(code))
		}
		if err == ErrTruncated && len(code) >= MaxLen {
			t.Errorf("truncated with %d bytes", len(code))
		}
		Disasm(code, m, 0x1000)
	})
}

func BenchmarkDecode(b *testing.B) {
	s := structured(4096, 6)
	for i := 0; b.Loop(); i++ {
		Decode(s[i&4095].code, s[i&4095].mode)
	}
}

func TestDecodeDoesNotAllocate(t *testing.T) {
	s := structured(100, 7)
	if n := testing.AllocsPerRun(10, func() {
		for i := range s {
			Decode(s[i].code, s[i].mode)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
