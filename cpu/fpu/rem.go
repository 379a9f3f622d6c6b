package fpu

import "math/bits"

// Rem is FPREM: the remainder of a by b, with the quotient truncated. Where
// the exponents are far apart it takes only part of the quotient off, and sets
// C2.
func Rem(e *Env, a, b F80) F80 { return e.rem(a, b, false) }

// Rem1 is FPREM1: the same with the quotient rounded to the nearest.
func Rem1(e *Env, a, b F80) F80 { return e.rem(a, b, true) }

func (e *Env) rem(a, b F80, toNearest bool) F80 {
	ka, kb := a.kind(), b.kind()
	switch {
	case ka >= quietNaN || kb >= quietNaN:
		return e.nan(a, b)
	case ka == infinite || kb == zeroKind:
		return e.invalid()
	}
	if e.denormals(ka, kb) {
		return a
	}
	if ka == zeroKind {
		return a
	}
	x := a.number()
	if kb != infinite {
		var q uint64
		if x, q = e.reduce(x, b.number(), toNearest); e.Status&C2 == 0 {
			e.quotientBits(q)
		}
	}
	return e.deliver(x, 64)
}

// reduce takes multiples of y off x.
func (e *Env) reduce(x, y number, toNearest bool) (r number, q uint64) {
	d := uint(x.exp - y.exp)
	switch {
	case x.exp < y.exp-1 || x.exp < y.exp && !toNearest || y.hi == 0:
		return x, 0
	case x.exp < y.exp: // y/4 < x < y
		if x.hi > y.hi {
			x.hi = 2*y.hi - x.hi
			x.neg = !x.neg
			q = 1
		}
		return x.normalize(), q
	case d >= 64:
		// The SDM leaves open how much is taken off: from 32 to 63 bits.
		n := 32 + d&31
		_, x.hi = bits.Div64(x.hi>>(64-n), x.hi<<n, y.hi)
		x.exp -= int32(n)
		e.Status |= C2
	default:
		q, x.hi = bits.Div64(x.hi>>(64-d), x.hi<<d, y.hi)
		x.exp = y.exp
		if rest := y.hi - x.hi; toNearest && (x.hi > rest || x.hi == rest && q&1 != 0) {
			x.hi = rest
			x.neg = !x.neg
			q++
		}
	}
	if x.hi == 0 {
		return x, q
	}
	return x.normalize(), q
}

// quotientBits tells the low three bits of q in the condition codes.
func (e *Env) quotientBits(q uint64) {
	if q&1 != 0 {
		e.Status |= C1
	}
	if q&2 != 0 {
		e.Status |= C3
	}
	if q&4 != 0 {
		e.Status |= C0
	}
}

// Round is FRNDINT: a rounded to an integer.
func Round(e *Env, a F80) F80 {
	k := a.kind()
	switch {
	case k >= quietNaN:
		return e.nan(a, a)
	case k == infinite || k == zeroKind:
		return a
	}
	if e.denormals(k, k) {
		return a
	}
	x := a.number()
	if x.exp >= 63 {
		return a
	}
	v := e.integer(x, e.rounding())
	if v == 0 {
		return zero(x.neg)
	}
	return e.deliver(number{hi: v, exp: 63, neg: x.neg}.normalize(), 64)
}

// integer rounds x, of which exp is at most 63, to an integer.
func (e *Env) integer(x number, mode uint) uint64 {
	hi, lo := shiftRight(x.hi, x.lo, uint(63-x.exp))
	v, inexact, grew := round(hi, lo, 64, mode, x.neg)
	if inexact {
		e.Status |= PE
	}
	if grew {
		e.Status |= C1
	}
	return v
}

// Scale is FSCALE: a · 2^b, with b truncated.
func Scale(e *Env, a, b F80) F80 {
	ka, kb := a.kind(), b.kind()
	switch {
	case ka >= quietNaN || kb >= quietNaN:
		return e.nan(a, b)
	case kb == infinite && (ka == infinite && b.neg() || ka == zeroKind && !b.neg()):
		return e.invalid()
	}
	if e.denormals(ka, kb) {
		return a
	}
	switch {
	case ka == infinite || ka == zeroKind:
		return a
	case kb == infinite && b.neg():
		return zero(a.neg())
	case kb == infinite:
		return infinity(a.neg())
	}
	x := a.number()
	x.exp += scale(b)
	switch { // beyond what an adjusted exponent can express
	case x.exp > maxExp+adjust && e.Control&OE == 0:
		e.Status |= OE | PE | C1
		return infinity(x.neg)
	case x.exp < minExp-adjust && e.Control&UE == 0:
		e.Status |= UE | PE
		return zero(x.neg)
	}
	return e.deliver(x, 64)
}

// scale is finite b truncated, or a value beyond any exponent.
func scale(b F80) int32 {
	y := b.number()
	if y.hi == 0 || y.exp < 0 {
		return 0
	}
	n := int32(1 << 16)
	if y.exp < 16 {
		n = int32(y.hi >> (63 - y.exp))
	}
	if y.neg {
		return -n
	}
	return n
}

// Extract is FXTRACT: the significand of a, as a value from 1 to 2, and its
// exponent.
func Extract(e *Env, a F80) (significand, exponent F80) {
	k := a.kind()
	switch {
	case k >= quietNaN:
		r := e.nan(a, a)
		return r, r
	case k == zeroKind:
		e.Status |= ZE
		return a, infinity(true)
	case k == infinite:
		return a, infinity(false)
	}
	if e.denormals(k, k) {
		return a, a
	}
	x := a.number()
	return F80{x.hi, bias}.signed(x.neg), FromInt64(int64(x.exp))
}

// Compare is FCOM: it sets C3, C2 and C0, and any NaN is invalid.
func Compare(e *Env, a, b F80) { e.compare(a, b, quietNaN) }

// CompareQuiet is FUCOM: it sets C3, C2 and C0, and quiet NaNs are valid.
func CompareQuiet(e *Env, a, b F80) { e.compare(a, b, signalingNaN) }

func (e *Env) compare(a, b F80, bad kind) {
	ka, kb := a.kind(), b.kind()
	if ka >= quietNaN || kb >= quietNaN {
		if ka >= bad || kb >= bad {
			e.Status |= IE
		}
		e.Status |= C3 | C2 | C0
		return
	}
	e.denormals(ka, kb) // the order is told even if that is not masked
	switch compare(a, b, ka, kb) {
	case 0:
		e.Status |= C3
	case -1:
		e.Status |= C0
	}
}

// compare orders values that are not NaNs: -1, 0 or 1.
func compare(a, b F80, ka, kb kind) int {
	if ka == zeroKind && kb == zeroKind {
		return 0
	}
	if a.neg() != b.neg() {
		if a.neg() {
			return -1
		}
		return 1
	}
	r := 0
	x, y := max(a.SE&^sign, 1), max(b.SE&^sign, 1) // denormals have the exponent of 1
	switch {
	case x != y && x < y || x == y && a.Sig < b.Sig:
		r = -1
	case x != y || a.Sig != b.Sig:
		r = 1
	}
	if a.neg() {
		return -r
	}
	return r
}

// Examine is FXAM of a register that is not empty: C3, C2 and C0 say what a is,
// C1 is its sign.
func Examine(a F80) uint16 {
	class := [...]uint16{
		normal: C2, denormal: C3 | C2, zeroKind: C3, infinite: C2 | C0,
		quietNaN: C0, signalingNaN: C0, unsupported: 0,
	}[a.kind()]
	if a.neg() {
		class |= C1
	}
	return class
}
