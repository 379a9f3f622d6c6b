package fpu

import "math/bits"

// A layout is an interchange format of IEEE 754: sign, biased exponent, and a
// significand without its integer bit.
type layout struct {
	format
	fraction uint // bits of it
}

var (
	singleLayout = layout{format{24, -126, 127}, 23}
	doubleLayout = layout{format{53, -1022, 1023}, 52}
)

// infinity is the biased exponent of infinities and NaNs.
func (l *layout) infinity() int32 { return l.max - l.min + 2 }

// pack makes an encoding of what fit returns.
func (l *layout) pack(neg bool, sig uint64, exp int32) uint64 {
	v := uint64(exp)<<l.fraction | sig<<1>>(64-l.fraction)
	if neg {
		v |= l.signBit()
	}
	return v
}

func (l *layout) signBit() uint64 {
	if l.fraction == 23 {
		return 1 << 31
	}
	return 1 << 63
}

// unpack takes v apart. A NaN is left in hi, its quiet bit where an F80 has it.
func (l *layout) unpack(v uint64) (n number, k kind) {
	n.neg = v&l.signBit() != 0
	exp := int32(v &^ l.signBit() >> l.fraction)
	n.hi = v << (64 - l.fraction) >> 1
	switch {
	case exp == l.infinity():
		switch {
		case n.hi == 0:
			k = infinite
		case n.hi&quiet != 0:
			k = quietNaN
		default:
			k = signalingNaN
		}
	case exp != 0:
		n.hi |= integer
		n.exp = exp + l.min - 1
	case n.hi == 0:
		k = zeroKind
	default:
		s := bits.LeadingZeros64(n.hi)
		n.hi <<= s
		n.exp = l.min - int32(s)
		k = denormal
	}
	return n, k
}
