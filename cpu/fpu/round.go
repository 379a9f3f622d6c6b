package fpu

import "math/bits"

// A number is ± hi.lo · 2^(exp-63), of which the top bit of hi is set unless it
// is zero. The lowest bit of lo also stands for anything that was cut off below.
type number struct {
	hi, lo uint64
	exp    int32
	neg    bool
}

const (
	minExp = 1 - bias          // of the smallest normal F80
	maxExp = topExp - 1 - bias // of the largest
)

// A format is what a result is rounded to.
type format struct {
	bits     uint
	min, max int32 // exponents of normal numbers
}

// adjust is what the exponent is moved by when overflow or underflow is not
// masked (Intel SDM Vol. 1, "Numeric Overflow Exception").
const adjust = 24576

// round cuts hi.lo, which need not be normalized, to its n high bits. Up tells
// that the magnitude grew; when a carry is lost as well, sig is zero.
func round(hi, lo uint64, n, mode uint, neg bool) (sig uint64, inexact, grew bool) {
	unit := uint64(1) << (64 - n)
	rest := lo
	if n < 64 {
		rest = hi << n
		if lo != 0 {
			rest |= 1
		}
		hi &^= unit - 1
	}
	if rest == 0 {
		return hi, false, false
	}
	switch mode {
	case nearest:
		grew = rest > 1<<63 || rest == 1<<63 && hi&unit != 0
	case down:
		grew = neg
	case up:
		grew = !neg
	}
	if grew {
		hi += unit
	}
	return hi, true, grew
}

// shiftRight shifts hi.lo right and keeps in the lowest bit that something was
// shifted out.
func shiftRight(hi, lo uint64, n uint) (uint64, uint64) {
	switch {
	case n == 0:
		return hi, lo
	case n < 64:
		out := lo << (64 - n)
		lo = hi<<(64-n) | lo>>n
		if out != 0 {
			lo |= 1
		}
		return hi >> n, lo
	case n < 128:
		out := lo | hi<<(128-n)
		if n == 64 {
			out = lo
		}
		lo = hi >> (n - 64)
		if out != 0 {
			lo |= 1
		}
		return 0, lo
	}
	if hi|lo != 0 {
		return 0, 1
	}
	return 0, 0
}

// fit rounds n, which is not zero, to f. It returns the significand with its
// integer bit on top, the biased exponent (0 when it is a denormal or zero, one
// above that of max when infinite), the exceptions, and C1.
func fit(n number, f format, mode uint, masks uint16) (sig uint64, exp int32, flags uint16) {
	sig, inexact, grew := round(n.hi, n.lo, f.bits, mode, n.neg)
	at := n.exp
	if sig == 0 {
		sig = integer
		at++
	}
	switch {
	case at > f.max && masks&OE != 0:
		return overflow(n.neg, f, mode)
	case at > f.max:
		flags = OE
		at -= adjust
	case at < f.min && masks&UE != 0:
		hi, lo := shiftRight(n.hi, n.lo, uint(f.min-n.exp))
		sig, inexact, grew = round(hi, lo, f.bits, mode, n.neg)
		if inexact {
			flags = UE
		}
		at = f.min - 1
		if sig&integer != 0 {
			at = f.min
		}
	case at < f.min:
		flags = UE
		at += adjust
	}
	if inexact {
		flags |= PE
	}
	if grew {
		flags |= C1
	}
	return sig, at - f.min + 1, flags
}

// overflow is the masked response (Intel SDM Vol. 1, Table "Masked Responses to
// Numeric Overflow").
func overflow(neg bool, f format, mode uint) (sig uint64, exp int32, flags uint16) {
	if mode == nearest || mode == down && neg || mode == up && !neg {
		return integer, f.max - f.min + 2, OE | PE | C1
	}
	return ^uint64(0) << (64 - f.bits), f.max - f.min + 1, OE | PE
}

// deliver rounds n to a register with bits of significand.
func (e *Env) deliver(n number, bits uint) F80 {
	if n.hi == 0 {
		return zero(n.neg)
	}
	if e.Control&0xc00 == 0 && bits == 64 && n.exp >= minExp && n.exp < maxExp {
		return e.deliverNearest(n)
	}
	sig, exp, flags := fit(n, format{bits, minExp, maxExp}, e.rounding(), e.Control)
	e.Status |= flags
	return F80{sig, uint16(exp)}.signed(n.neg)
}

// deliverNearest is deliver to the nearest of 64 bits, where exponents do not
// matter.
func (e *Env) deliverNearest(n number) F80 {
	se := uint16(n.exp + bias)
	if n.neg {
		se |= sign
	}
	sig := n.hi
	if n.lo == 0 {
		return F80{sig, se}
	}
	e.Status |= PE
	if n.lo > 1<<63 || n.lo == 1<<63 && sig&1 != 0 {
		e.Status |= C1
		if sig++; sig == 0 {
			return F80{integer, se + 1}
		}
	}
	return F80{sig, se}
}

// normalize makes the top bit of hi.lo, which is not zero, set.
func (n number) normalize() number {
	if n.hi == 0 {
		n.hi, n.lo = n.lo, 0
		n.exp -= 64
	}
	if s := bits.LeadingZeros64(n.hi); s != 0 {
		n.hi = n.hi<<s | n.lo>>(64-s)
		n.lo <<= s
		n.exp -= int32(s)
	}
	return n
}

// sum adds two numbers of 64 bits.
func sum(a, b number, mode uint) number {
	if a.hi == 0 && b.hi == 0 && a.neg == b.neg {
		return a
	}
	if a.exp < b.exp && b.hi != 0 || a.hi == 0 {
		a, b = b, a
	}
	if b.hi == 0 {
		if a.hi == 0 {
			a.neg = mode == down
		}
		return a
	}
	bh, bl := shiftRight(b.hi, 0, uint(a.exp-b.exp))
	var c uint64
	if a.neg == b.neg {
		a.lo = bl
		if a.hi, c = bits.Add64(a.hi, bh, 0); c != 0 {
			a.hi, a.lo = shiftRight(a.hi, a.lo, 1)
			a.hi |= integer
			a.exp++
		}
		return a
	}
	a.lo, c = bits.Sub64(0, bl, 0)
	a.hi, c = bits.Sub64(a.hi, bh, c)
	if c != 0 {
		a.hi = -a.hi // the exponents are equal, so that lo is zero
		a.neg = b.neg
	}
	if a.hi|a.lo == 0 {
		return number{neg: mode == down}
	}
	return a.normalize()
}

// product multiplies two numbers of 64 bits.
func product(a, b number) number {
	r := number{exp: a.exp + b.exp + 1, neg: a.neg != b.neg}
	r.hi, r.lo = bits.Mul64(a.hi, b.hi)
	if r.hi&integer == 0 {
		r.hi = r.hi<<1 | r.lo>>63
		r.lo <<= 1
		r.exp--
	}
	return r
}

// quotient divides two numbers of 64 bits, of which b is not zero. Below the
// 64 bits of hi it tells just enough to round.
func quotient(a, b number) number {
	r := number{exp: a.exp - b.exp, neg: a.neg != b.neg}
	if a.hi == 0 {
		return number{neg: r.neg}
	}
	var rest uint64
	if a.hi >= b.hi {
		r.hi, rest = bits.Div64(a.hi>>1, a.hi<<63, b.hi)
	} else {
		r.exp--
		r.hi, rest = bits.Div64(a.hi, 0, b.hi)
	}
	r.lo = remains(rest, b.hi)
	return r
}

// remains is the fraction rest/of, as far as rounding needs it.
func remains(rest, of uint64) uint64 {
	switch {
	case rest == 0:
		return 0
	case rest > of-rest:
		return 1<<63 | 1
	case rest == of-rest:
		return 1 << 63
	}
	return 1
}

// root is the square root of a positive number of 64 bits, told below hi as
// far as rounding needs it.
func root(a number) number {
	// The radicand is hi.lo / 2^128, in [1/4, 1), and the exponent is even.
	hi, lo := a.hi, uint64(0)
	exp := a.exp + 1
	if exp&1 != 0 {
		hi, lo = hi>>1, hi<<63
		exp++
	}
	s, rest, more := sqrt128(hi, lo)
	r := number{hi: s, exp: exp/2 - 1}
	switch {
	case more || rest > s: // the radicand is above (s + 1/2)²
		r.lo = 1<<63 | 1
	case rest != 0:
		r.lo = 1
	}
	return r
}
