package fpu

import (
	"math/rand/v2"
	"testing"
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

// known is for how many of ten thousand operands an x86 may differ from the
// correctly rounded result: by one unit in the last place, or in C1, PE or UE
// alone. An AMD EPYC of family 25 was measured; its figures stand beside. More
// than one unit, or any other difference, no processor may have.
var known = map[string]struct{ result, flags int }{
	"F2XM1":   {500, 200},   // 149, 40
	"FYL2X":   {500, 200},   // 99, 57
	"FYL2XP1": {500, 200},   // 168, 46
	"FPATAN":  {500, 200},   // 126, 35
	"FSIN":    {500, 200},   // 29, 9
	"FCOS":    {500, 200},   // 25, 8
	"FSINCOS": {500, 200},   // 54, 9
	"FPTAN":   {2500, 1000}, // 1566, 501
}

// inDomain reports whether the SDM defines what the operation does with a.
func inDomain(name string, a F80) bool {
	switch {
	case a.kind() >= zeroKind:
		return true
	case name == "F2XM1":
		return a.SE&^sign < bias || a.SE&^sign == bias && a.Sig == integer
	case name == "FYL2XP1":
		return a.SE&^sign < bias-2
	}
	return true
}

func TestTranscendentalsAreWithinOneUnitOfTheHost(t *testing.T) {
	for i := range transcendentalOps {
		o := &transcendentalOps[i]
		t.Run(o.name, func(t *testing.T) {
			r, d := rand.New(rand.NewPCG(11, 12)), differ{t: t}
			results, flags, total := 0, 0, 0
			for range size() / 4 {
				a, b, m := operands(r)
				cw := control(r)
				if !inDomain(o.name, a) {
					continue
				}
				got := o.own(a, b, &m, cw)
				want := hostOps[o.name](a, b, &m, cw).defined(o, a, b, cw)
				total++
				const last = PE | UE | C1
				switch diff := max(apart(got.r, want.r), apart(got.s, want.s)); {
				case diff > 1 || (got.status^want.status)&^last != 0:
					d.errorf("%s %04x:%016x, %04x:%016x control %#x\n = %v\nnot %v", o.name, a.SE, a.Sig, b.SE, b.Sig, cw, got, want)
				case diff == 1:
					results++
				case got.status != want.status:
					flags++
				}
			}
			t.Logf("of %d operands %d differ in the last place, %d in C1, PE or UE alone", total, results, flags)
			if k := known[o.name]; results*10_000 > k.result*total || flags*10_000 > k.flags*total {
				t.Errorf("more than the %d and %d of 10000 known", k.result, k.flags)
			}
		})
	}
}
