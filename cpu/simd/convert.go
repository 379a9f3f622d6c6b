package simd

// integral is the lowest exponent of a number all of which may be an integer:
// 52 bits are before the point and, above it, 11 behind.
const integral = 52

// integer rounds x, whose exponent is at most integral.
func (x *number) integer(mode uint32) (q uint64, inexact bool) {
	if x.class == zero {
		return 0, false
	}
	return roundBits(shiftRight(x.sig, integral-x.exp), 63-integral, x.sign, mode)
}

// integerIndefinite is what an invalid conversion to an integer makes.
const integerIndefinite = 1 << 31

// toInteger converts to 32 bits, Rounding as MXCSR says.
func (f format) toInteger(b uint64, mxcsr uint32) (uint64, uint32) {
	x := f.unpack(b, mxcsr)
	if x.class >= infinite || x.exp > 31 {
		return integerIndefinite, IE
	}
	q, inexact := x.integer(mxcsr >> Rounding & 3)
	if q > 1<<31-1+x.sign {
		return integerIndefinite, IE
	}
	if x.sign != 0 {
		q = -q
	}
	if inexact {
		return q, PE
	}
	return q, 0
}

// truncate is toInteger towards zero.
func (f format) truncate(b uint64, mxcsr uint32) (uint64, uint32) {
	return f.toInteger(b, mxcsr|truncate<<Rounding)
}

// fromInteger converts the 32 bits of v.
func (f format) fromInteger(v uint64, mxcsr uint32) (uint64, uint32) {
	i := int64(int32(v))
	if i == 0 {
		return 0, 0
	}
	x := number{class: finite}
	if i < 0 {
		x.sign, i = 1, -i
	}
	x.sig, x.exp = normalize(uint64(i), 63)
	return f.round(&x, mxcsr)
}

// to converts to another precision. Of a NaN the highest bits stay.
func (f format) to(g format) unary {
	return func(b uint64, mxcsr uint32) (uint64, uint32) {
		x := f.unpack(b, mxcsr)
		switch x.class {
		case zero:
			return g.zero(x.sign), 0
		case infinite:
			return g.infinity(x.sign), 0
		case quietNaN, signalingNaN:
			w, flags := f.propagate(b, b, &x, &x)
			return g.pack(x.sign, g.top(), w<<(64-f.frac)>>(64-g.frac)), flags
		}
		w, flags := g.round(&x, mxcsr)
		return w, flags | denormals(&x, &x)
	}
}

// Bits of the immediate of ROUNDPS and the like, below which is a Rounding mode.
const (
	roundByMXCSR   = 1 << 2
	roundUnnoticed = 1 << 3
)

// toIntegral is ROUNDPS and the like with immediate imm.
func (f format) toIntegral(imm uint8) unary {
	return func(b uint64, mxcsr uint32) (uint64, uint32) {
		x := f.unpack(b, mxcsr)
		switch {
		case x.nan():
			return f.propagate(b, b, &x, &x)
		case x.class == zero:
			return f.zero(x.sign), 0
		case x.class == infinite || x.exp >= int(f.frac):
			return b, 0
		}
		mode, flags := uint32(imm&3), uint32(0)
		if imm&roundByMXCSR != 0 {
			mode = mxcsr >> Rounding & 3
		}
		q, inexact := x.integer(mode)
		if inexact && imm&roundUnnoticed == 0 {
			flags = PE
		}
		if q == 0 {
			return f.zero(x.sign), flags
		}
		x.sig, x.exp = normalize(q, 63)
		w, _ := f.round(&x, mxcsr)
		return w, flags
	}
}
