package simd

import "math/bits"

// add is ADDPS and the like.
func (f format) add(a, b uint64, mxcsr uint32) (uint64, uint32) {
	x, y := f.unpack(a, mxcsr), f.unpack(b, mxcsr)
	return f.sum(a, b, &x, &y, mxcsr)
}

// sub is SUBPS and the like. A NaN keeps its sign.
func (f format) sub(a, b uint64, mxcsr uint32) (uint64, uint32) {
	x, y := f.unpack(a, mxcsr), f.unpack(b, mxcsr)
	y.sign ^= 1
	return f.sum(a, b, &x, &y, mxcsr)
}

// sum adds x and y, which are a and b.
func (f format) sum(a, b uint64, x, y *number, mxcsr uint32) (uint64, uint32) {
	if x.nan() || y.nan() {
		return f.propagate(a, b, x, y)
	}
	flags := denormals(x, y)
	switch {
	case x.class == infinite && y.class == infinite && x.sign != y.sign:
		return f.indefinite(), IE
	case x.class == infinite:
		return f.infinity(x.sign), flags
	case y.class == infinite:
		return f.infinity(y.sign), flags
	}
	r := addNumbers(x, y)
	if r.class == zero {
		if x.class != zero || x.sign != y.sign { // zeros of like sign keep it
			r.sign = 0
			if mxcsr>>Rounding&3 == down {
				r.sign = 1
			}
		}
		return f.zero(r.sign), flags
	}
	w, more := f.round(&r, mxcsr)
	return w, flags | more
}

// addNumbers adds finite numbers or zeros. The low bits of their significands
// are free for what is shifted there.
func addNumbers(x, y *number) (r number) {
	switch {
	case y.class == zero:
		return *x
	case x.class == zero:
		return *y
	case x.exp < y.exp || x.exp == y.exp && x.sig < y.sig:
		x, y = y, x
	}
	r = number{class: finite, sign: x.sign, exp: x.exp + 1, sig: x.sig >> 1}
	small := shiftRight(y.sig>>1, x.exp-y.exp)
	if x.sign == y.sign {
		r.sig += small
	} else if r.sig -= small; r.sig == 0 {
		return number{}
	}
	r.sig, r.exp = normalize(r.sig, r.exp)
	return r
}

// mul is MULPS and the like.
func (f format) mul(a, b uint64, mxcsr uint32) (uint64, uint32) {
	x, y := f.unpack(a, mxcsr), f.unpack(b, mxcsr)
	if x.nan() || y.nan() {
		return f.propagate(a, b, &x, &y)
	}
	flags, sign := denormals(&x, &y), x.sign^y.sign
	switch {
	case x.class == infinite && y.class == zero, x.class == zero && y.class == infinite:
		return f.indefinite(), IE
	case x.class == infinite || y.class == infinite:
		return f.infinity(sign), flags
	case x.class == zero || y.class == zero:
		return f.zero(sign), flags
	}
	high, low := bits.Mul64(x.sig, y.sig)
	r := number{class: finite, sign: sign}
	r.sig, r.exp = normalize(high, x.exp+y.exp+1)
	r.sig |= sticky(low) // bit 0 is far below those that rounding looks at one by one
	w, more := f.round(&r, mxcsr)
	return w, flags | more
}

// div is DIVPS and the like.
func (f format) div(a, b uint64, mxcsr uint32) (uint64, uint32) {
	x, y := f.unpack(a, mxcsr), f.unpack(b, mxcsr)
	if x.nan() || y.nan() {
		return f.propagate(a, b, &x, &y)
	}
	flags, sign := denormals(&x, &y), x.sign^y.sign
	switch {
	case x.class == y.class && x.class != finite:
		return f.indefinite(), IE
	case x.class == infinite:
		return f.infinity(sign), flags
	case y.class == zero:
		return f.infinity(sign), ZE
	case x.class == zero || y.class == infinite:
		return f.zero(sign), flags
	}
	r := number{class: finite, sign: sign, exp: x.exp - y.exp}
	high, low := x.sig>>1, x.sig<<63
	if x.sig < y.sig {
		high, low = x.sig, 0
		r.exp--
	}
	q, rest := bits.Div64(high, low, y.sig)
	r.sig = q | sticky(rest)
	w, more := f.round(&r, mxcsr)
	return w, flags | more
}

// sqrt is SQRTPS and the like.
func (f format) sqrt(b uint64, mxcsr uint32) (uint64, uint32) {
	x := f.unpack(b, mxcsr)
	switch {
	case x.nan():
		return f.propagate(b, b, &x, &x)
	case x.class == zero:
		return f.zero(x.sign), 0
	case x.sign != 0:
		return f.indefinite(), IE
	case x.class == infinite:
		return b, 0
	}
	r := number{class: finite, exp: x.exp >> 1}
	high, low := x.sig>>1, x.sig<<63
	if x.exp&1 != 0 {
		high, low = x.sig, 0
	}
	r.sig = root(high, low)
	w, flags := f.round(&r, mxcsr)
	return w, flags | denormals(&x, &x)
}

// root is the square root of high:low, with bit 0 set
// if it is not exact. Bit after bit is kept if its square fits.
func root(high, low uint64) (r uint64) {
	for bit := uint64(1) << 63; bit != 0; bit >>= 1 {
		h, l := bits.Mul64(r|bit, r|bit)
		if h < high || h == high && l <= low {
			r |= bit
		}
	}
	h, l := bits.Mul64(r, r)
	return r | sticky(h^high|l^low)
}

// A relation is how two operands compare.
type relation uint8

const (
	equal relation = iota
	less
	greater
	unordered
)

// compare compares a and b. Any NaN is invalid if it is signaling, else only a
// signaling NaN.
func (f format) compare(a, b uint64, mxcsr uint32, signaling bool) (relation, uint32) {
	x, y := f.unpack(a, mxcsr), f.unpack(b, mxcsr)
	if x.nan() || y.nan() {
		if signaling || x.class == signalingNaN || y.class == signalingNaN {
			return unordered, IE
		}
		return unordered, 0
	}
	flags := denormals(&x, &y)
	switch i, k := f.ordinal(a, mxcsr), f.ordinal(b, mxcsr); {
	case i < k:
		return less, flags
	case i > k:
		return greater, flags
	}
	return equal, flags
}

// ordinal is an integer that compares as w does.
func (f format) ordinal(w uint64, mxcsr uint32) int64 {
	w = f.flush(w, mxcsr)
	if f.sign(w) != 0 {
		return -int64(w & f.magnitude())
	}
	return int64(w)
}

// min is MINPS and the like: the second operand, unless the first is less.
func (f format) min(a, b uint64, mxcsr uint32) (uint64, uint32) {
	r, flags := f.compare(a, b, mxcsr, true)
	if r == less {
		return f.flush(a, mxcsr), flags
	}
	return f.flush(b, mxcsr), flags
}

// max is MAXPS and the like.
func (f format) max(a, b uint64, mxcsr uint32) (uint64, uint32) {
	r, flags := f.compare(a, b, mxcsr, true)
	if r == greater {
		return f.flush(a, mxcsr), flags
	}
	return f.flush(b, mxcsr), flags
}

// predicate is CMPPS and the like with immediate p: a mask.
func (f format) predicate(p uint8) binary {
	return func(a, b uint64, mxcsr uint32) (uint64, uint32) {
		r, flags := f.compare(a, b, mxcsr, p&3 == 1 || p&3 == 2)
		hit := [4]bool{r == equal, r == less, r == less || r == equal, r == unordered}[p&3]
		if hit != (p&4 != 0) {
			return ^uint64(0), flags
		}
		return 0, flags
	}
}
