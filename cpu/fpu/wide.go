package fpu

import "math/bits"

// Arithmetic on numbers of 128 bits, truncated, and on fractions of 128 bits,
// for the transcendental functions: a few units of 2^-127 go wrong.

// A fraction is hi.lo / 2^128; its greatest value stands for one.
type fraction struct{ hi, lo uint64 }

var unity = fraction{^uint64(0), ^uint64(0)}

func (a fraction) times(b fraction) fraction {
	h, l := bits.Mul64(a.hi, b.hi)
	m1, _ := bits.Mul64(a.hi, b.lo)
	m2, _ := bits.Mul64(a.lo, b.hi)
	l, c1 := bits.Add64(l, m1, 0)
	l, c2 := bits.Add64(l, m2, 0)
	return fraction{h + c1 + c2, l}
}

func (a fraction) plus(b fraction) fraction {
	l, c := bits.Add64(a.lo, b.lo, 0)
	h, _ := bits.Add64(a.hi, b.hi, c)
	return fraction{h, l}
}

func (a fraction) minus(b fraction) fraction {
	l, c := bits.Sub64(a.lo, b.lo, 0)
	h, _ := bits.Sub64(a.hi, b.hi, c)
	return fraction{h, l}
}

// over divides by a small integer.
func (a fraction) over(n uint64) fraction {
	h, r := a.hi/n, a.hi%n
	l, _ := bits.Div64(r, a.lo, n)
	return fraction{h, l}
}

// number is a, which is not zero, as a number.
func (a fraction) number() number { return number{hi: a.hi, lo: a.lo, exp: -1}.normalize() }

// fraction is the magnitude of n, which is below one.
func (n number) fraction() fraction {
	if n.exp >= 0 {
		return unity
	}
	h, l := shiftRight(n.hi, n.lo, uint(-1-n.exp))
	return fraction{h, l}
}

// times is the product of numbers of 128 bits.
func (n number) times(b number) number {
	p := fraction{n.hi, n.lo}.times(fraction{b.hi, b.lo})
	return number{hi: p.hi, lo: p.lo, exp: n.exp + b.exp + 1, neg: n.neg != b.neg}.normalize()
}

// plus is the sum of numbers of 128 bits.
func (n number) plus(b number) number {
	if n.hi == 0 || b.hi != 0 && n.exp < b.exp {
		n, b = b, n
	}
	if b.hi == 0 {
		return n
	}
	h, l := shiftRight(b.hi, b.lo, uint(n.exp-b.exp))
	var c uint64
	if n.neg == b.neg {
		n.lo, c = bits.Add64(n.lo, l, 0)
		if n.hi, c = bits.Add64(n.hi, h, c); c != 0 {
			n.hi, n.lo = shiftRight(n.hi, n.lo, 1)
			n.hi |= integer
			n.exp++
		}
		return n
	}
	n.lo, c = bits.Sub64(n.lo, l, 0)
	if n.hi, c = bits.Sub64(n.hi, h, c); c != 0 {
		n.lo, c = bits.Sub64(0, n.lo, 0)
		n.hi, _ = bits.Sub64(0, n.hi, c)
		n.neg = !n.neg
	}
	if n.hi|n.lo == 0 {
		return number{}
	}
	return n.normalize()
}

// over is the quotient of numbers of 128 bits, of which b is not zero: two
// digits of long division to the base 2^64.
func (n number) over(b number) number {
	if n.hi == 0 {
		return number{neg: n.neg != b.neg}
	}
	r := number{exp: n.exp - b.exp, neg: n.neg != b.neg}
	var low uint64 // the third digit of the dividend
	if n.hi > b.hi || n.hi == b.hi && n.lo >= b.lo {
		low = n.lo << 63
		n.lo = n.hi<<63 | n.lo>>1
		n.hi >>= 1
	} else {
		r.exp--
	}
	rest := [2]uint64{n.hi, n.lo}
	r.hi, rest = digit(rest, low, b)
	r.lo, rest = digit(rest, 0, b)
	if rest[0]|rest[1] != 0 {
		r.lo |= 1
	}
	return r
}

// digit divides rest.low, three digits of which rest is less than b, by b.
func digit(rest [2]uint64, low uint64, b number) (q uint64, r [2]uint64) {
	var mid, over, c uint64 // over.mid is what q·b.hi leaves of rest
	if rest[0] < b.hi {
		q, mid = bits.Div64(rest[0], rest[1], b.hi)
	} else {
		q = ^uint64(0)
		mid, over = bits.Add64(rest[1], b.hi, 0)
	}
	ph, pl := bits.Mul64(q, b.lo)
	r[1], c = bits.Sub64(low, pl, 0)
	r[0], c = bits.Sub64(mid, ph, c)
	for c > over { // the estimate was too high
		q--
		var k uint64
		r[1], k = bits.Add64(r[1], b.lo, 0)
		r[0], k = bits.Add64(r[0], b.hi, k)
		c -= k
	}
	return q, r
}

// series is the alternating sum c[0] - z·c[1] + z²·c[2] - …, for coefficients
// that fall fast enough to keep every partial sum positive.
func series(c []fraction, z fraction) fraction {
	s := c[len(c)-1]
	for i := len(c) - 2; i >= 0; i-- {
		s = c[i].minus(z.times(s))
	}
	return s
}

// seriesUp is the sum with all signs positive.
func seriesUp(c []fraction, z fraction) fraction {
	s := c[len(c)-1]
	for i := len(c) - 2; i >= 0; i-- {
		s = c[i].plus(z.times(s))
	}
	return s
}

// inexact makes sure that n, an irrational number computed, is not taken for
// an exact one.
func (n number) inexact() number {
	n.lo |= 1
	return n
}
