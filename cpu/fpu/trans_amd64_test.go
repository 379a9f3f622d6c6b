package fpu

import (
	"math/rand/v2"
	"testing"

	"github.com/gov86/gov86/cpu/fpu/host"
)

// apart is how many units in the last place lie between two values.
func apart(a, b F80) uint64 {
	if a == b {
		return 0
	}
	if a.kind() >= infinite || b.kind() >= infinite || a.neg() != b.neg() {
		return 1 << 62
	}
	if a.SE < b.SE {
		a, b = b, a
	}
	switch a.SE - b.SE {
	case 0:
		return max(a.Sig, b.Sig) - min(a.Sig, b.Sig)
	case 1:
		if d := a.Sig - b.Sig>>1; d < 1<<60 {
			return 2*d - b.Sig&1
		}
	}
	return 1 << 62
}

// A comparison counts by how much results differ.
type comparison struct {
	differ
	ulps  [4]int
	flags int
}

func (c *comparison) check(name string, e *Env, got F80, want host.F80, sw uint16, a, b F80) {
	c.t.Helper()
	const flags = IE | ZE | DE | C2
	if bad := (e.Status ^ sw) & flags; bad != 0 {
		c.errorf("%s %04x:%016x, %04x:%016x control %#x: status %#x, want %#x", name, a.SE, a.Sig, b.SE, b.Sig, e.Control, e.Status, sw)
		return
	}
	if sw&^e.Control&(IE|DE|ZE) != 0 {
		return
	}
	d := apart(got, ownF80(want))
	i := min(d, 3)
	c.ulps[i]++
	if d <= 1 && (e.Status^sw)&(OE|UE|PE) != 0 {
		c.flags++
	}
	if d > 1 {
		c.errorf("%s %04x:%016x, %04x:%016x control %#x = %04x:%016x status %#x, want %04x:%016x %#x", name, a.SE, a.Sig, b.SE, b.Sig,
			e.Control, got.SE, got.Sig, e.Status, want.SignExponent, want.Significand, sw)
	}
}

func TestTranscendentalsAreWithinOneUnitOfTheHost(t *testing.T) {
	for _, c := range []struct {
		name string
		own  func(*Env, F80, F80) F80
		host func(r, a, b *host.F80, control uint16) uint16
		in   func(a, b F80) bool
	}{
		{"FYL2X", Log2, host.Fyl2x, nil}, {"FPATAN", Atan, host.Fpatan, nil},
		{"FYL2XP1", Log2P1, host.Fyl2xp1, func(a, _ F80) bool { return a.kind() >= zeroKind || a.SE&^sign < bias-2 }},
		{"F2XM1", unary(Exp2M1), unaryHost(host.F2xm1), func(a, _ F80) bool {
			return a.kind() >= zeroKind || a.SE&^sign < bias || a.SE&^sign == bias && a.Sig == integer
		}},
		{"FSIN", unary(Sin), unaryHost(host.Fsin), nil}, {"FCOS", unary(Cos), unaryHost(host.Fcos), nil},
		{"FPTAN", unary(tangent), doubleHost(host.Fptan), nil},
		{"FSINCOS", unary(func(e *Env, a F80) F80 { s, _ := SinCos(e, a); return s }), doubleHost(host.Fsincos), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, d := rand.New(rand.NewPCG(11, 12)), comparison{differ: differ{t: t}}
			for range size(t) / 4 {
				a, b, e := operand(r), operand(r), Env{Control: control(r)}
				if c.in != nil && !c.in(a, b) {
					continue
				}
				var want host.F80
				ha, hb := hostF80(a), hostF80(b)
				sw := c.host(&want, &ha, &hb, e.Control)
				got := c.own(&e, a, b)
				d.check(c.name, &e, got, want, sw, a, b)
			}
			t.Log("units apart: none, one, two, more:", d.ulps, "flags differ:", d.flags)
		})
	}
}

func unaryHost(f func(r, a *host.F80, control uint16) uint16) func(r, a, b *host.F80, control uint16) uint16 {
	return func(r, a, _ *host.F80, control uint16) uint16 { return f(r, a, control) }
}

// doubleHost is an instruction that pushes, and replaces what was on top; of
// an operand out of range it leaves that alone.
func doubleHost(f func(r, s, a *host.F80, control uint16) uint16) func(r, a, b *host.F80, control uint16) uint16 {
	return func(r, a, _ *host.F80, control uint16) uint16 {
		var top host.F80
		sw := f(&top, r, a, control)
		if sw&C2 != 0 {
			*r = top
		}
		return sw
	}
}

func TestConstantsAreThoseOfTheHost(t *testing.T) {
	for _, c := range []struct {
		name string
		own  func(*Env) F80
		host func(r *host.F80, control uint16) uint16
	}{
		{"FLDL2T", Log2Ten, host.Fldl2t}, {"FLDL2E", Log2E, host.Fldl2e}, {"FLDPI", Pi, host.Fldpi},
		{"FLDLG2", Log10Two, host.Fldlg2}, {"FLDLN2", LnTwo, host.Fldln2},
	} {
		for control := uint16(0x7f); control < 0x1000; control += 0x100 {
			var want host.F80
			sw := c.host(&want, control)
			e := Env{Control: control}
			if got := c.own(&e); got != ownF80(want) || (e.Status^sw)&exceptions != 0 {
				t.Errorf("%s with control %#x = %x, want %x", c.name, control, got, want)
			}
		}
	}
}
