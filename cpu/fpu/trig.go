package fpu

import "math/bits"

// FSIN, FCOS, FSINCOS, FPTAN and FPATAN.

// piDigits is π as processors know it to reduce operands: to 66 bits, of which
// these are the first 64 and the others are ones (Intel SDM Vol. 1, "Pi").
const piDigits = 0xc90fdaa22168c234

// Coefficients: 1/(2n+1)!, 1/(2n)!, 1/(2n+1).
var sinSeries, cosSeries, atanSeries = trigSeries()

func trigSeries() (sin, cos [16]fraction, atan [11]fraction) {
	c := unity
	for i := range sin {
		n := uint64(i)
		if i > 0 {
			c = c.over(2 * n)
		}
		cos[i] = c
		c = c.over(2*n + 1)
		sin[i] = c
	}
	for i := range atan {
		atan[i] = unity.over(uint64(2*i + 1))
	}
	return sin, cos, atan
}

// reduce splits |x|, below 2^63, into a multiple of π/2, of which the low bits
// are told, and a rest of at most π/4, which has a sign.
func reduce(x number) (rest number, quadrant uint64) {
	x.neg = false
	if x.exp < -1 || x.exp == -1 && x.hi <= piDigits {
		return x, 0
	}
	// In units of 2^-65, π/2 is piDigits·4 + 3, and x is an integer.
	h, l := x.hi>>(62-x.exp), x.hi<<(x.exp+2)
	q, _ := bits.Div64(h>>2, h<<62|l>>2, piDigits)
	const ph, pl = piDigits >> 62, piDigits<<2&(1<<64-1) | 3
	mh, ml := bits.Mul64(q, pl)
	mh += q * ph
	var c uint64
	l, c = bits.Sub64(l, ml, 0)
	h, _ = bits.Sub64(h, mh, c)
	for int64(h) < 0 { // the estimate was too high
		q--
		l, c = bits.Add64(l, pl, 0)
		h, _ = bits.Add64(h, ph, c)
	}
	if h > ph>>1 || h == ph>>1 && l > (ph&1)<<63|pl>>1 {
		q++
		l, c = bits.Sub64(pl, l, 0)
		h, _ = bits.Sub64(ph, h, c)
		return number{hi: h, lo: l, exp: 62, neg: true}.normalize(), q
	}
	return number{hi: h, lo: l, exp: 62}.normalize(), q
}

// sincos is the sine and the cosine of a rest of reduce.
func sincos(r number) (sin, cos number) {
	z := r.times(r).fraction()
	return r.times(series(sinSeries[:], z).number()), series(cosSeries[:], z).number()
}

// turned gives the sine and the cosine of an angle from those of its rest.
func turned(sin, cos number, quadrant uint64) (number, number) {
	if quadrant&1 != 0 {
		sin, cos = cos, sin
		cos.neg = !cos.neg
	}
	if quadrant&2 != 0 {
		sin.neg = !sin.neg
		cos.neg = !cos.neg
	}
	return sin, cos
}

// angle deals with operands that have no sine to compute. It says what is left
// to do: nothing, or, in C2, that the operand is out of range.
func (e *Env) angle(a F80) (r F80, done bool) {
	k := a.kind()
	switch {
	case k >= quietNaN:
		return e.nan(a, a), true
	case k == infinite:
		return e.invalid(), true
	case e.denormals(k, k):
		return a, true
	case a.SE&^sign >= bias+63:
		e.Status |= C2
		return a, true
	}
	return a, false
}

// SinCos is FSINCOS. If it sets C2, a is out of range and stays as it is.
func SinCos(e *Env, a F80) (sin, cos F80) {
	if r, done := e.angle(a); done {
		return r, r
	}
	if a.kind() == zeroKind {
		return a, one
	}
	x := a.number()
	r, q := reduce(x)
	s, c := sincos(r)
	s, c = turned(s, c, q)
	s.neg = s.neg != x.neg
	cos = e.deliver(c.inexact(), 64)
	e.Status &^= C1
	return e.deliver(s.inexact(), 64), cos
}

// Sin is FSIN. If it sets C2, a is out of range and stays as it is.
func Sin(e *Env, a F80) F80 {
	t := *e
	s, _ := SinCos(&t, a)
	e.Status = t.Status
	return s
}

// Cos is FCOS, likewise.
func Cos(e *Env, a F80) F80 {
	if r, done := e.angle(a); done {
		return r
	}
	if a.kind() == zeroKind {
		return one
	}
	r, q := reduce(a.number())
	s, c := sincos(r)
	_, c = turned(s, c, q)
	return e.deliver(c.inexact(), 64)
}

// Tan is FPTAN, which replaces a by the tangent and pushes a 1, or a NaN if the
// tangent is one. If it sets C2, a is out of range and stays as it is, and
// nothing is pushed.
func Tan(e *Env, a F80) (tangent, pushed F80) {
	if r, done := e.angle(a); done {
		return r, r
	}
	if a.kind() == zeroKind {
		return a, one
	}
	x := a.number()
	r, q := reduce(x)
	var t number
	if r.exp < -62 {
		t = r.inexact() // the next term is too small to see
	} else {
		sin, cos := sincos(r)
		t = sin.over(cos)
	}
	if q&1 != 0 {
		t = number{hi: integer}.over(t)
		t.neg = !t.neg
	}
	t.neg = t.neg != x.neg
	return e.deliver(t.inexact(), 64), one
}

// atanSteps are the arc tangents of k/32.
var atanSteps = func() (t [33]number) {
	for k := int64(1); k <= 32; k++ {
		// The difference of two neighbours is atan(32 / (1024 + k(k-1))).
		d := FromInt64(32).number().over(FromInt64(1024 + k*(k-1)).number())
		t[k] = t[k-1].plus(atanSmall(d))
	}
	return t
}()

// atanSmall is the arc tangent of a value up to 1/32.
func atanSmall(x number) number {
	if x.hi == 0 {
		return x
	}
	return x.times(series(atanSeries[:], x.times(x).fraction()).number())
}

// atan is the arc tangent of a value from 0 to 1.
func atan(x number) number {
	k := int64(0)
	if x.exp >= 0 {
		k = 32
	} else if x.exp >= -7 {
		k = int64(x.hi>>(57-x.exp)+1) >> 1
	}
	if k == 0 {
		return atanSmall(x)
	}
	// atan x = atan c + atan((x - c) / (1 + x·c)), c = k/32
	c := FromInt64(k).number()
	c.exp -= 5
	minus := c
	minus.neg = true
	return atanSteps[k].plus(atanSmall(x.plus(minus).over(number{hi: integer}.plus(x.times(c)))))
}

// pi is π to 128 bits.
var pi = number{hi: piDigits, lo: 0xc4c6628b80dc1cd1, exp: 1}

// Atan is FPATAN: the angle of the point (x, y).
func Atan(e *Env, x, y F80) F80 {
	kx, ky := x.kind(), y.kind()
	if kx >= quietNaN || ky >= quietNaN {
		return e.nan(x, y)
	}
	if e.denormals(kx, ky) {
		return x
	}
	var r number
	switch {
	case ky == zeroKind || kx == infinite && ky != infinite:
		if !x.neg() {
			return zero(y.neg())
		}
		r = pi
	case kx == zeroKind || ky == infinite && kx != infinite:
		r = pi
		r.exp--
	case ky == infinite:
		r = pi
		r.exp -= 2
		if x.neg() {
			r = number{hi: 3 << 62, exp: 1}.times(r)
		}
	default:
		r = octants(x.number(), y.number())
	}
	r.neg = y.neg()
	return e.deliver(r.inexact(), 64)
}

// octants is the angle of a point with y positive, from one in the first octant.
func octants(x, y number) number {
	neg := x.neg
	x.neg, y.neg = false, false
	if y.exp > x.exp || y.exp == x.exp && y.hi > x.hi {
		r := atan(x.over(y))
		half := pi
		half.exp--
		r.neg = !neg
		return half.plus(r)
	}
	r := atan(y.over(x))
	if neg {
		r.neg = true
		return pi.plus(r)
	}
	return r
}
