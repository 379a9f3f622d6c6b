package simd

import "math/bits"

// A format is single or double precision: a sign, exp bits of exponent and frac
// bits of fraction.
type format struct{ frac, exp uint }

var single, double = format{23, 8}, format{52, 11}

func (f format) size() uint8          { return uint8((1 + f.exp + f.frac) / 8) }
func (f format) bias() int            { return 1<<(f.exp-1) - 1 }
func (f format) top() int             { return 1<<f.exp - 1 } // the exponent of infinities and NaNs
func (f format) quiet() uint64        { return 1 << (f.frac - 1) }
func (f format) magnitude() uint64    { return 1<<(f.exp+f.frac) - 1 }
func (f format) sign(w uint64) uint64 { return w >> (f.exp + f.frac) & 1 }

func (f format) pack(sign uint64, exp int, fraction uint64) uint64 {
	return sign<<(f.exp+f.frac) | uint64(exp)<<f.frac | fraction
}

func (f format) zero(sign uint64) uint64     { return f.pack(sign, 0, 0) }
func (f format) infinity(sign uint64) uint64 { return f.pack(sign, f.top(), 0) }

// indefinite is the default NaN.
func (f format) indefinite() uint64 { return f.pack(1, f.top(), f.quiet()) }

type class uint8

const (
	zero class = iota
	finite
	infinite
	quietNaN
	signalingNaN
)

// A number is a value taken apart. Where it is finite it is
// sig * 2^(exp-63), and the highest bit of sig is set.
type number struct {
	class    class
	denormal bool
	sign     uint64
	exp      int
	sig      uint64
}

func (x *number) nan() bool { return x.class >= quietNaN }

// unpack takes w apart, a denormal as a zero if MXCSR says so.
func (f format) unpack(w uint64, mxcsr uint32) (x number) {
	exp, fraction := int(w>>f.frac)&f.top(), w&(1<<f.frac-1)
	x.sign = f.sign(w)
	switch {
	case exp == f.top() && fraction == 0:
		x.class = infinite
	case exp == f.top() && fraction&f.quiet() != 0:
		x.class = quietNaN
	case exp == f.top():
		x.class = signalingNaN
	case exp == 0 && (fraction == 0 || mxcsr&DAZ != 0):
		x.class = zero
	case exp == 0:
		x.class, x.denormal = finite, true
		x.sig, x.exp = normalize(fraction<<(63-f.frac), 1-f.bias())
	default:
		x.class = finite
		x.sig, x.exp = 1<<63|fraction<<(63-f.frac), exp-f.bias()
	}
	return x
}

// normalize shifts the highest bit of sig, which is not zero, to bit 63.
func normalize(sig uint64, exp int) (uint64, int) {
	n := bits.LeadingZeros64(sig)
	return sig << n, exp - n
}

// shiftRight shifts by n and keeps in bit 0 that something was lost.
func shiftRight(sig uint64, n int) uint64 {
	if n == 0 {
		return sig
	}
	if n > 63 {
		return sticky(sig)
	}
	return sig>>n | sticky(sig<<(64-n))
}

// sticky is whether anything is set.
func sticky(v uint64) uint64 {
	if v != 0 {
		return 1
	}
	return 0
}

// roundBits drops the n lowest bits of sig.
func roundBits(sig uint64, n uint, sign uint64, mode uint32) (q uint64, inexact bool) {
	q, rest, half := sig>>n, sig&(1<<n-1), uint64(1)<<(n-1)
	switch mode {
	case nearest:
		if rest > half || rest == half && q&1 != 0 {
			q++
		}
	case down:
		q += sticky(rest) & sign
	case up:
		q += sticky(rest) & (sign ^ 1)
	}
	return q, rest != 0
}

// round is x, which is finite, in format f. It is tiny if it would be below the
// least normal number with an exponent of any size: after rounding.
func (f format) round(x *number, mxcsr uint32) (w uint64, flags uint32) {
	mode, drop := mxcsr>>Rounding&3, 63-f.frac
	exp := x.exp + f.bias()
	q, inexact := roundBits(x.sig, drop, x.sign, mode)
	if carried := q>>(f.frac+1) != 0; exp < 0 || exp == 0 && !carried {
		return f.tiny(x, inexact, mxcsr)
	}
	w = q + uint64(exp-1)<<f.frac // to which q adds its integer bit, or a carry to twice that
	if exp > f.top() || w>>f.frac >= uint64(f.top()) {
		return f.overflow(x.sign, mode), raised(OE, inexact, mxcsr)
	}
	if inexact {
		flags = PE
	}
	return x.sign<<(f.exp+f.frac) | w, flags
}

// tiny is round of what is tiny.
func (f format) tiny(x *number, inexact bool, mxcsr uint32) (w uint64, flags uint32) {
	if mxcsr&(UE<<Masks) == 0 || mxcsr&FTZ != 0 {
		return f.zero(x.sign), raised(UE, inexact, mxcsr)
	}
	// Rounding may make it the least normal number, by a carry.
	q, inexact := roundBits(shiftRight(x.sig, 1-x.exp-f.bias()), 63-f.frac, x.sign, mxcsr>>Rounding&3)
	if inexact {
		flags = UE | PE
	}
	return x.sign<<(f.exp+f.frac) | q, flags
}

// raised are the flags of an overflow or underflow. The result is inexact, but
// for that of one which is not masked: it has an exponent of any size.
func raised(exception uint32, inexact bool, mxcsr uint32) uint32 {
	if mxcsr&(exception<<Masks) == 0 && !inexact {
		return exception
	}
	return exception | PE
}

// overflow is the result of what is too large: infinity or, if that is the
// wrong direction, the largest number.
func (f format) overflow(sign uint64, mode uint32) uint64 {
	w := f.infinity(sign)
	if mode == truncate || mode == down && sign == 0 || mode == up && sign != 0 {
		w--
	}
	return w
}

// propagate is the result of an operation on a and b, one of which is a NaN:
// the first NaN, made quiet.
func (f format) propagate(a, b uint64, x, y *number) (w uint64, flags uint32) {
	if x.class == signalingNaN || y.class == signalingNaN {
		flags = IE
	}
	if x.nan() {
		return a | f.quiet(), flags
	}
	return b | f.quiet(), flags
}

// denormals is the flag of denormal operands.
func denormals(x, y *number) uint32 {
	if x.denormal || y.denormal {
		return DE
	}
	return 0
}

// flush is w as an operand: zero for a denormal if MXCSR says so.
func (f format) flush(w uint64, mxcsr uint32) uint64 {
	if mxcsr&DAZ != 0 && int(w>>f.frac)&f.top() == 0 {
		return f.zero(f.sign(w))
	}
	return w
}
