package fpu

import (
	"encoding/binary"
	"flag"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gov86/gov86/cpu/fpu/host"
)

var long = flag.Int("long", 1, "multiply the number of random operands by `n`")

// edges are significands and exponents at which something changes.
var (
	edgeSigs = []uint64{
		0, 1, 2, 3, 1 << 62, 1<<62 | 1, 1<<63 - 1, 1 << 63, 1<<63 | 1, 1<<63 | 1<<10, 1<<63 | 1<<11, 1<<63 | 3<<10, 3 << 62,
		3<<62 | 1, 3<<62 - 1, 1<<63 | 1<<39, 1<<63 | 1<<40, ^uint64(0), ^uint64(0) - 1, 1<<64 - 1<<10, 1<<64 - 1<<11,
		1<<64 - 1<<39, 1<<64 - 1<<40, 0xc90fdaa22168c235,
	}
	edgeExps = []uint16{
		0, 1, 2, 3, 62, 63, 64, 65, 0x3c00, 0x3c01, 0x3bcd, 0x3bcc, 0x3bcb, bias - 127, bias - 126, bias - 149,
		bias - 150, bias - 65, bias - 64, bias - 63, bias - 2, bias - 1, bias, bias + 1, bias + 2, bias + 14, bias + 15, bias + 16,
		bias + 30, bias + 31, bias + 32, bias + 59, bias + 60, bias + 61, bias + 62, bias + 63, bias + 64, bias + 127, bias + 128, bias + 1023,
		bias + 1024, 0x7ffc, 0x7ffd, 0x7ffe, 0x7fff,
	}
)

// operand draws from everything, with much weight on the edges.
func operand(r *rand.Rand) F80 {
	x := F80{r.Uint64(), uint16(r.Uint32())}
	switch r.IntN(8) {
	case 0:
		x.Sig = edgeSigs[r.IntN(len(edgeSigs))]
	case 1:
		x.Sig >>= r.IntN(64)
	case 2:
		x.Sig = ^uint64(0)<<r.IntN(64) ^ 1<<r.IntN(64)
	case 3:
		x.Sig <<= r.IntN(64)
	}
	switch r.IntN(8) {
	case 0, 1:
		x.SE = x.SE&sign | edgeExps[r.IntN(len(edgeExps))]
	case 2, 3, 4:
		x.SE = x.SE&sign | uint16(bias-70+r.IntN(140))
	}
	if x.SE&^sign != 0 && r.IntN(16) != 0 {
		x.Sig |= integer
	}
	return x
}

// control draws rounding, precision and, one time in four, masks.
func control(r *rand.Rand) uint16 {
	c := uint16(r.IntN(16))<<8 | 0x7f
	if r.IntN(4) == 0 {
		c &^= uint16(r.IntN(64))
	}
	return c
}

func hostF80(x F80) host.F80 { return host.F80{Significand: x.Sig, SignExponent: x.SE} }
func ownF80(x host.F80) F80  { return F80{x.Significand, x.SignExponent} }
func size(t *testing.T) int {
	if testing.Short() {
		return 20_000
	}
	return 200_000 * *long
}

// A differ counts differences and shows the first.
type differ struct {
	t     *testing.T
	count int
}

func (d *differ) errorf(format string, args ...any) {
	if d.count++; d.count <= 8 {
		d.t.Errorf(format, args...)
	}
}

func TestX87BinaryOperationsAreThoseOfTheHost(t *testing.T) {
	for _, c := range []struct {
		name  string
		own   func(*Env, F80, F80) F80
		host  func(r, a, b *host.F80, control uint16) uint16
		codes uint16
	}{
		{"FADD", Add, host.Fadd, C1}, {"FSUB", Sub, host.Fsub, C1}, {"FMUL", Mul, host.Fmul, C1}, {"FDIV", Div, host.Fdiv, C1},
		{"FSCALE", Scale, host.Fscale, C1}, {"FPREM", Rem, host.Fprem, C0 | C1 | C2 | C3}, {"FPREM1", Rem1, host.Fprem1, C0 | C1 | C2 | C3},
		{"FCOM", comparing(Compare), host.Fcom, C0 | C2 | C3}, {"FUCOM", comparing(CompareQuiet), host.Fucom, C0 | C2 | C3},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, d := rand.New(rand.NewPCG(1, 2)), differ{t: t}
			for range size(t) {
				a, b, e := operand(r), operand(r), Env{Control: control(r)}
				if r.IntN(8) == 0 { // close together
					b = a
					b.Sig ^= uint64(r.IntN(4))
					b.SE ^= uint16(r.IntN(2)) << 15
				}
				var want host.F80
				ha, hb := hostF80(a), hostF80(b)
				sw := c.host(&want, &ha, &hb, e.Control)
				got := c.own(&e, a, b)
				checkX87(&d, c.name, &e, got, want, sw, c.codes, a, b)
			}
			t.Log(d.count, "differences")
		})
	}
}

func comparing(f func(*Env, F80, F80)) func(*Env, F80, F80) F80 {
	return func(e *Env, a, b F80) F80 {
		f(e, a, b)
		return a
	}
}

func checkX87(d *differ, name string, e *Env, got F80, want host.F80, sw, codes uint16, a, b F80) {
	d.t.Helper()
	codes |= exceptions
	stopped := sw&^e.Control&(IE|DE|ZE) != 0
	if stopped || strings.HasPrefix(name, "FPREM") && (sw&IE != 0 || a.kind() >= infinite || b.kind() >= infinite) {
		codes &= exceptions // the condition codes are undefined
	}
	if e.Status&codes != sw&codes || !stopped && got != ownF80(want) {
		d.errorf("%s %04x:%016x, %04x:%016x control %#x = %04x:%016x status %#x, want %04x:%016x %#x", name, a.SE, a.Sig, b.SE, b.Sig,
			e.Control, got.SE, got.Sig, e.Status&codes, want.SignExponent, want.Significand, sw&codes)
	}
}

func TestX87UnaryOperationsAreThoseOfTheHost(t *testing.T) {
	for _, c := range []struct {
		name  string
		own   func(*Env, F80) F80
		host  func(r, a *host.F80, control uint16) uint16
		codes uint16
	}{
		{"FSQRT", Sqrt, host.Fsqrt, C1}, {"FRNDINT", Round, host.Frndint, C1},
		{"FXAM", func(e *Env, a F80) F80 { e.Status |= Examine(a); return a }, host.Fxam, C0 | C1 | C2 | C3},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, d := rand.New(rand.NewPCG(3, 4)), differ{t: t}
			for range size(t) {
				a, e := operand(r), Env{Control: control(r)}
				var want host.F80
				ha := hostF80(a)
				sw := c.host(&want, &ha, e.Control)
				got := c.own(&e, a)
				checkX87(&d, c.name, &e, got, want, sw, c.codes, a, F80{})
			}
			t.Log(d.count, "differences")
		})
	}
}

func TestFXTRACTIsThatOfTheHost(t *testing.T) {
	r, d := rand.New(rand.NewPCG(5, 6)), differ{t: t}
	for range size(t) {
		a, e := operand(r), Env{Control: control(r)}
		var sig, exp host.F80
		ha := hostF80(a)
		sw := host.Fxtract(&sig, &exp, &ha, e.Control)
		s, x := Extract(&e, a)
		checkX87(&d, "FXTRACT", &e, s, sig, sw, 0, a, F80{})
		checkX87(&d, "FXTRACT", &e, x, exp, sw, 0, a, F80{})
	}
}

func TestX87StoresAreThoseOfTheHost(t *testing.T) {
	le := binary.LittleEndian
	for _, c := range []struct {
		name string
		n    int
		own  func(m []byte, e *Env, a F80)
		host func(m *[10]byte, a *host.F80, control uint16) uint16
	}{
		{"FSTP m32", 4, func(m []byte, e *Env, a F80) { le.PutUint32(m, ToFloat32(e, a)) }, host.Fstp32},
		{"FSTP m64", 8, func(m []byte, e *Env, a F80) { le.PutUint64(m, ToFloat64(e, a)) }, host.Fstp64},
		{"FISTP m16", 2, func(m []byte, e *Env, a F80) { le.PutUint16(m, uint16(ToInt16(e, a))) }, host.Fistp16},
		{"FISTP m32", 4, func(m []byte, e *Env, a F80) { le.PutUint32(m, uint32(ToInt32(e, a))) }, host.Fistp32},
		{"FISTP m64", 8, func(m []byte, e *Env, a F80) { le.PutUint64(m, uint64(ToInt64(e, a))) }, host.Fistp64},
		{"FISTTP m16", 2, func(m []byte, e *Env, a F80) { le.PutUint16(m, uint16(TruncateToInt16(e, a))) }, host.Fisttp16},
		{"FISTTP m32", 4, func(m []byte, e *Env, a F80) { le.PutUint32(m, uint32(TruncateToInt32(e, a))) }, host.Fisttp32},
		{"FISTTP m64", 8, func(m []byte, e *Env, a F80) { le.PutUint64(m, uint64(TruncateToInt64(e, a))) }, host.Fisttp64},
		{"FBSTP", 10, func(m []byte, e *Env, a F80) { v := ToBCD(e, a); copy(m, v[:]) }, host.Fbstp},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, d := rand.New(rand.NewPCG(7, 8)), differ{t: t}
			for range size(t) {
				a, e := operand(r), Env{Control: control(r)}
				var want, got [10]byte
				ha := hostF80(a)
				sw := c.host(&want, &ha, e.Control)
				c.own(got[:c.n], &e, a)
				stores := sw&^e.Control&(IE|OE|UE) == 0
				if mask := uint16(exceptions | C1); e.Status&mask != sw&mask || stores && got != want {
					d.errorf("%s %04x:%016x control %#x = %x status %#x, want %x %#x", c.name, a.SE, a.Sig, e.Control, got, e.Status&mask, want, sw&mask)
				}
			}
			t.Log(d.count, "differences")
		})
	}
}

func TestX87LoadsAreThoseOfTheHost(t *testing.T) {
	le := binary.LittleEndian
	for _, c := range []struct {
		name string
		own  func(e *Env, m *[10]byte) F80
		host func(r *host.F80, m *[10]byte, control uint16) uint16
	}{
		{"FLD m32", func(e *Env, m *[10]byte) F80 { return FromFloat32(e, le.Uint32(m[:])) }, host.Fld32},
		{"FLD m64", func(e *Env, m *[10]byte) F80 { return FromFloat64(e, le.Uint64(m[:])) }, host.Fld64},
		{"FILD m16", func(e *Env, m *[10]byte) F80 { return FromInt64(int64(int16(le.Uint16(m[:])))) }, host.Fild16},
		{"FILD m32", func(e *Env, m *[10]byte) F80 { return FromInt64(int64(int32(le.Uint32(m[:])))) }, host.Fild32},
		{"FILD m64", func(e *Env, m *[10]byte) F80 { return FromInt64(int64(le.Uint64(m[:]))) }, host.Fild64},
		{"FBLD", func(e *Env, m *[10]byte) F80 { return FromBCD(m) }, host.Fbld},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, d := rand.New(rand.NewPCG(9, 10)), differ{t: t}
			for range size(t) {
				var m [10]byte
				if a, w := operand(r), r.IntN(3); c.name == "FBLD" {
					for i := range m {
						m[i] = byte(r.IntN(10)<<4 | r.IntN(10))
					}
				} else if w == 0 {
					le.PutUint64(m[:], a.Sig>>r.IntN(64))
				} else if w == 1 {
					le.PutUint32(m[:], ToFloat32(&Env{Control: 0x37f}, a))
				} else {
					le.PutUint64(m[:], ToFloat64(&Env{Control: 0x37f}, a))
				}
				e := Env{Control: control(r)}
				var want host.F80
				sw := c.host(&want, &m, e.Control)
				got := c.own(&e, &m)
				checkX87(&d, c.name, &e, got, want, sw, C1, F80{le.Uint64(m[:]), 0}, F80{})
			}
			t.Log(d.count, "differences")
		})
	}
}
