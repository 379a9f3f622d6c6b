package fpu

import (
	"math"
	"math/bits"
)

// sqrt128 is the integer square root of hi·2^64 + lo, of which hi is at least
// 2^62, and the rest, which may need a 65th bit.
func sqrt128(hi, lo uint64) (s, rest uint64, more bool) {
	// Close to 2^64, √x is close to (x+1)/2. Else an estimate of 52 good bits,
	// and one step of Newton's method.
	s = hi>>1 | 1<<63
	if hi < math.MaxUint64-1<<16 {
		s = uint64(math.Sqrt(float64(hi)) * 0x1p32)
		q, _ := bits.Div64(hi, lo, s)
		m, c := bits.Add64(s, q, 0)
		s = m>>1 | c<<63
	}
	for {
		ph, pl := bits.Mul64(s, s)
		l, c := bits.Sub64(lo, pl, 0)
		h, c := bits.Sub64(hi, ph, c)
		switch {
		case c != 0: // s² is above
			s--
		case h > 1 || h == 1 && l > s<<1: // (s+1)² is not
			s++
		default:
			return s, l, h != 0
		}
	}
}
