//go:build amd64

package host

import "testing"

func TestX87AddsInExtendedPrecision(t *testing.T) {
	one := F80{Significand: 1 << 63, SignExponent: 0x3fff}
	tiny := F80{Significand: 1 << 63, SignExponent: 0x3fff - 63}
	var r F80
	sw := Fadd(&r, &one, &tiny, 0x37f)
	if want := (F80{Significand: 1<<63 | 1, SignExponent: 0x3fff}); r != want || sw&0x3f != 0 {
		t.Errorf("1 + 2^-63 = %x %x status %#x, want %x", r.SignExponent, r.Significand, sw, want.Significand)
	}
	if sw := Fadd(&r, &one, &tiny, 0x27f); r != one || sw&0x20 == 0 {
		t.Errorf("with 53 bits 1 + 2^-63 = %x status %#x, want 1, inexact", r.Significand, sw)
	}
	pi := F80{Significand: 0xc90fdaa22168c235, SignExponent: 0x4000}
	for range 100 { // the host's stack stays balanced
		Fldpi(&r, 0x37f)
	}
	if r != pi {
		t.Errorf("FLDPI = %x", r.Significand)
	}
	var s F80
	Fsincos(&r, &s, &one, 0x37f)
	Fatan := func() { Fpatan(&r, &r, &s, 0x37f) }
	Fatan()
	if d := int64(r.Significand - one.Significand); r.SignExponent != one.SignExponent || d < -2 || d > 2 {
		if r.SignExponent != one.SignExponent-1 {
			t.Errorf("atan2(sin 1, cos 1) = %x %x", r.SignExponent, r.Significand)
		}
	}
}

func TestSSEReportsFlags(t *testing.T) {
	a, b := [2]uint64{0x3ff0000000000000, 7}, [2]uint64{0x4008000000000000, 9}
	var r [2]uint64
	flags := Divsd(&r, &a, &b, 0x1f80)
	if r != [2]uint64{0x3fd5555555555555, 7} || flags&0x20 == 0 {
		t.Errorf("1/3 = %x flags %#x", r, flags)
	}
	if got := MMPaddb(0x01ff, 0x0101); got != 0x0200 {
		t.Errorf("PADDB = %#x, want 0x200", got)
	}
	if eflags, _ := Comisd(&a, &b, 0x1f80); eflags&0x45 != 1 {
		t.Errorf("COMISD 1, 3 leaves flags %#x, want CF alone", eflags&0x45)
	}
}

func TestUnmaskedX87ExceptionsDoNotInterruptTheHost(t *testing.T) {
	const unmasked = 0x340
	one := F80{Significand: 1 << 63, SignExponent: 0x3fff}
	huge := F80{Significand: 1 << 63, SignExponent: 0x7ffe}
	signaling := F80{Significand: 1<<63 | 1, SignExponent: 0x7fff}
	var zero, r, s F80
	for range 20 { // the host's stack stays balanced
		if sw := Fdiv(&r, &one, &zero, unmasked); sw&0x84 != 0x84 {
			t.Fatalf("1/0 leaves status %#x, want ZE and ES", sw)
		}
		if sw := Fmul(&r, &huge, &huge, unmasked); sw&0x88 != 0x88 || r.SignExponent != (2*0x7ffe-0x3fff)-24576 {
			t.Fatalf("overflow leaves status %#x exponent %#x, want OE and the exponent less 24576", sw, r.SignExponent)
		}
		for name, sw := range map[string]uint16{
			"FYL2X":   Fyl2x(&r, &signaling, &one, unmasked),
			"FSQRT":   Fsqrt(&r, &signaling, unmasked),
			"FSINCOS": Fsincos(&r, &s, &signaling, unmasked),
			"FXTRACT": Fxtract(&r, &s, &signaling, unmasked),
		} {
			if sw&0x81 != 0x81 {
				t.Fatalf("%s of a signaling NaN leaves status %#x, want IE and ES", name, sw)
			}
		}
		m := [10]byte{0: 0x55}
		if sw := Fstp64(&m, &huge, unmasked); sw&0x88 != 0x88 || m != [10]byte{0: 0x55} {
			t.Fatalf("store of 2^16383 leaves status %#x memory %x, want OE and nothing stored", sw, m)
		}
		m = [10]byte{0: 1, 2: 0x80, 3: 0x7f} // a signaling NaN of 32 bits
		if sw := Fld32(&r, &m, unmasked); sw&0x81 != 0x81 {
			t.Fatalf("load of a signaling NaN leaves status %#x, want IE and ES", sw)
		}
		if sw := Fxtract(&r, &s, &one, unmasked); sw&0xff != 0 || r != one || s != zero {
			t.Fatalf("FXTRACT of 1 = %x, %x status %#x", r, s, sw)
		}
	}
}
