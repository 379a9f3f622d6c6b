package simd

// estimateBits is how many bits of the fraction of its operand an estimate is
// made of, and how many its own fraction has. That makes it wrong by 2^-13
// twice at most.
const estimateBits = 12

// rcp is RCPPS: about 1/b, for denormals that of zero.
func rcp(b uint64, _ uint32) (uint64, uint32) {
	x := single.unpack(b, DAZ)
	switch {
	case x.nan():
		return b | single.quiet(), 0
	case x.class == zero:
		return single.infinity(x.sign), 0
	case x.class == infinite:
		return single.zero(x.sign), 0
	}
	q := (1<<(2*estimateBits+3)/middle(&x) + 1) >> 1
	return estimate(x.sign, q, x.exp), 0
}

// rsqrt is RSQRTPS: about 1/sqrt(b).
func rsqrt(b uint64, _ uint32) (uint64, uint32) {
	x := single.unpack(b, DAZ)
	switch {
	case x.nan():
		return b | single.quiet(), 0
	case x.class == zero:
		return single.infinity(x.sign), 0
	case x.sign != 0:
		return single.indefinite(), 0
	case x.class == infinite:
		return single.zero(0), 0
	}
	// The root of 2^39/middle is 2^13 over that of the operand. It is taken
	// with 44 more bits.
	square := uint64(1) << 63 / middle(&x)
	if x.exp&1 != 0 {
		square >>= 1
	}
	q := (root(square, 0)>>43 + 1) >> 1
	return estimate(0, q, x.exp>>1), 0
}

// middle is the middle of the numbers from 1 to 2 that have the first bits of x,
// in units of 2^-13.
func middle(x *number) uint64 { return x.sig>>(63-estimateBits)<<1 | 1 }

// estimate is q * 2^-13 / 2^exp. A denormal result is zero.
func estimate(sign, q uint64, exp int) uint64 {
	r := number{class: finite, sign: sign}
	r.sig, r.exp = normalize(q, 63-(estimateBits+1)-exp)
	w, _ := single.round(&r, FTZ|UE<<Masks)
	return w
}
