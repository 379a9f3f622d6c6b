package simd

// How functions on elements become functions on vectors.

type (
	unary  = func(b uint64, mxcsr uint32) (r uint64, flags uint32)
	binary = func(a, b uint64, mxcsr uint32) (r uint64, flags uint32)
)

// packed does fn to all elements of n bytes.
func packed(n uint8, fn binary) VectorFunc { return alternating(n, fn, fn) }

// alternating does even to elements 0, 2 and so on, odd to the others.
func alternating(n uint8, even, odd binary) VectorFunc {
	return func(r, a, b *Vector, mxcsr uint32) uint32 {
		var v Vector
		flags := mxcsr
		for i := range 16 / n {
			fn := even
			if i&1 != 0 {
				fn = odd
			}
			w, raised := fn(Lane(a, i, n), Lane(b, i, n), mxcsr)
			SetLane(&v, i, n, w)
			flags |= raised
		}
		*r = v
		return flags
	}
}

// adjacent does fn to the pairs of elements next to each other, those of a
// first.
func adjacent(n uint8, fn binary) VectorFunc {
	return func(r, a, b *Vector, mxcsr uint32) uint32 {
		var v Vector
		flags := mxcsr
		for i := range 16 / n {
			from, k := a, 2*i
			if k >= 16/n {
				from, k = b, k-16/n
			}
			w, raised := fn(Lane(from, k, n), Lane(from, k+1, n), mxcsr)
			SetLane(&v, i, n, w)
			flags |= raised
		}
		*r = v
		return flags
	}
}

// scalar does fn to the first element and leaves the others of a.
func scalar(n uint8, fn binary) VectorFunc {
	return func(r, a, b *Vector, mxcsr uint32) uint32 {
		v := *a
		w, raised := fn(Lane(a, 0, n), Lane(b, 0, n), mxcsr)
		SetLane(&v, 0, n, w)
		*r = v
		return mxcsr | raised
	}
}

// converted makes elements of to bytes of those of from bytes, as many as there
// are of both. What is left is zero.
func converted(to, from uint8, fn unary) VectorFunc {
	return func(r, _, b *Vector, mxcsr uint32) uint32 {
		var v Vector
		flags := mxcsr
		for i := range 16 / max(to, from) {
			w, raised := fn(Lane(b, i, from), mxcsr)
			SetLane(&v, i, to, w)
			flags |= raised
		}
		*r = v
		return flags
	}
}

// replaced makes the first element, of to bytes, of one of from bytes, and
// leaves the rest of a.
func replaced(to, from uint8, fn unary) VectorFunc {
	return func(r, a, b *Vector, mxcsr uint32) uint32 {
		v := *a
		w, raised := fn(Lane(b, 0, from), mxcsr)
		SetLane(&v, 0, to, w)
		*r = v
		return mxcsr | raised
	}
}

// compared sets EFLAGS as COMISS or, where only signaling NaNs are invalid,
// UCOMISS does.
func (f format) compared(signaling bool) CompareFunc {
	return func(a, b *Vector, mxcsr uint32) (uint32, uint32) {
		const carry, parity, zero = 1 << 0, 1 << 2, 1 << 6
		r, flags := f.compare(Lane(a, 0, f.size()), Lane(b, 0, f.size()), mxcsr, signaling)
		return [...]uint32{equal: zero, less: carry, greater: 0, unordered: zero | parity | carry}[r], mxcsr | flags
	}
}

// general converts to a general register.
func (f format) general(fn unary) ToIntegerFunc {
	return func(b *Vector, mxcsr uint32) (uint32, uint32) {
		w, flags := fn(Lane(b, 0, f.size()), mxcsr)
		return uint32(w), mxcsr | flags
	}
}

// fromGeneral converts from a general register.
func (f format) fromGeneral(r, a *Vector, v, mxcsr uint32) uint32 {
	w, flags := f.fromInteger(uint64(v), mxcsr)
	*r = *a
	SetLane(r, 0, f.size(), w)
	return mxcsr | flags
}

// whole does fn to both halves.
func whole(fn MMXFunc) VectorFunc {
	return func(r, a, b *Vector, mxcsr uint32) uint32 {
		*r = Vector{fn(a[0], b[0]), fn(a[1], b[1])}
		return mxcsr
	}
}

// shifted does fn to both halves of a and the low half of b.
func shifted(fn MMXFunc) VectorFunc {
	return func(r, a, b *Vector, mxcsr uint32) uint32 {
		*r = Vector{fn(a[0], b[0]), fn(a[1], b[0])}
		return mxcsr
	}
}

// gathered makes a half of a and one of b.
func gathered(fn MMXFunc) VectorFunc {
	return func(r, a, b *Vector, mxcsr uint32) uint32 {
		*r = Vector{fn(a[0], a[1]), fn(b[0], b[1])}
		return mxcsr
	}
}

// permuted is an operation without numeric exceptions.
func permuted(fn func(a, b *Vector) Vector) VectorFunc {
	return func(r, a, b *Vector, mxcsr uint32) uint32 {
		*r = fn(a, b)
		return mxcsr
	}
}
