package simd

// An element is what a vector of integers has.
type element interface {
	int8 | uint8 | int16 | uint16 | int32 | uint32 | int64 | uint64
}

// elements does fn to the elements, which are of n bits.
func elements[T element](n uint, fn func(a, b T) T) MMXFunc {
	return func(a, b uint64) (r uint64) {
		for at := uint(0); at < 64; at += n {
			r |= uint64(fn(T(a>>at), T(b>>at))) & (1<<n - 1) << at
		}
		return r
	}
}

func add[T element](a, b T) T    { return a + b }
func sub[T element](a, b T) T    { return a - b }
func mul[T element](a, b T) T    { return a * b }
func lower[T element](a, b T) T  { return min(a, b) }
func higher[T element](a, b T) T { return max(a, b) }

func equals[T element](a, b T) T {
	if a == b {
		return ^T(0)
	}
	return 0
}

func exceeds[T element](a, b T) T {
	if a > b {
		return ^T(0)
	}
	return 0
}

// withSign is PSIGNB and the like.
func withSign[T element](a, b T) T {
	switch {
	case b == 0:
		return 0
	case b < 0:
		return -a
	}
	return a
}

func absolute[T element](_, b T) T { return max(b, -b) }

// Saturation.
func int8Of(v int32) int8     { return int8(min(max(v, -1<<7), 1<<7-1)) }
func uint8Of(v int32) uint8   { return uint8(min(max(v, 0), 1<<8-1)) }
func int16Of(v int32) int16   { return int16(min(max(v, -1<<15), 1<<15-1)) }
func uint16Of(v int32) uint16 { return uint16(min(max(v, 0), 1<<16-1)) }

func paddsb(a, b int8) int8      { return int8Of(int32(a) + int32(b)) }
func psubsb(a, b int8) int8      { return int8Of(int32(a) - int32(b)) }
func paddsw(a, b int16) int16    { return int16Of(int32(a) + int32(b)) }
func psubsw(a, b int16) int16    { return int16Of(int32(a) - int32(b)) }
func paddusb(a, b uint8) uint8   { return uint8Of(int32(a) + int32(b)) }
func psubusb(a, b uint8) uint8   { return uint8Of(int32(a) - int32(b)) }
func paddusw(a, b uint16) uint16 { return uint16Of(int32(a) + int32(b)) }
func psubusw(a, b uint16) uint16 { return uint16Of(int32(a) - int32(b)) }

func pavgb(a, b uint8) uint8   { return uint8((uint32(a) + uint32(b) + 1) >> 1) }
func pavgw(a, b uint16) uint16 { return uint16((uint32(a) + uint32(b) + 1) >> 1) }

func pmulhw(a, b int16) int16    { return int16(int32(a) * int32(b) >> 16) }
func pmulhuw(a, b uint16) uint16 { return uint16(uint32(a) * uint32(b) >> 16) }
func pmulhrsw(a, b int16) int16  { return int16((int32(a)*int32(b)>>14 + 1) >> 1) }
func pmuludq(a, b uint64) uint64 { return uint64(uint32(a)) * uint64(uint32(b)) }
func pmuldq(a, b int64) int64    { return int64(int32(a)) * int64(int32(b)) }

func pmaddwd(a, b uint32) uint32 {
	return uint32(int32(int16(a))*int32(int16(b)) + int32(int16(a>>16))*int32(int16(b>>16)))
}

// pmaddubsw multiplies unsigned bytes of a by signed ones of b.
func pmaddubsw(a, b uint16) uint16 {
	return uint16(int16Of(int32(uint8(a))*int32(int8(b)) + int32(a>>8)*int32(int8(b>>8))))
}

func psadbw(a, b uint64) (r uint64) {
	for at := 0; at < 64; at += 8 {
		x, y := a>>at&0xff, b>>at&0xff
		r += max(x, y) - min(x, y)
	}
	return r
}

// Shifts of elements of n bits by as many bits as all of b says.
func shiftedLeft(n uint) MMXFunc {
	return func(a, b uint64) (r uint64) {
		for at := uint(0); at < 64 && b < uint64(n); at += n {
			r |= a >> at << b & (1<<n - 1) << at
		}
		return r
	}
}

func shiftedRight(n uint) MMXFunc {
	return func(a, b uint64) (r uint64) {
		for at := uint(0); at < 64; at += n {
			r |= a >> at & (1<<n - 1) >> b << at
		}
		return r
	}
}

func arithmetic(n uint) MMXFunc {
	return func(a, b uint64) (r uint64) {
		for at := uint(0); at < 64; at += n {
			signed := int64(a>>at<<(64-n)) >> (64 - n)
			r |= uint64(signed>>min(b, 63)) & (1<<n - 1) << at
		}
		return r
	}
}

// horizontal does fn to elements of n bits next to each other.
func horizontal[T element](n uint, fn func(a, b T) T) MMXFunc {
	return func(low, high uint64) (r uint64) {
		for at := uint(0); at < 64; at += 2 * n {
			r |= uint64(fn(T(low>>at), T(low>>(at+n)))) & (1<<n - 1) << (at / 2)
			r |= uint64(fn(T(high>>at), T(high>>(at+n)))) & (1<<n - 1) << (at/2 + 32)
		}
		return r
	}
}

// narrowed makes signed elements of 2n bits elements of n bits.
func narrowed[T element](n uint, fn func(int32) T) MMXFunc {
	return func(low, high uint64) (r uint64) {
		for at := uint(0); at < 64; at += 2 * n {
			x, y := int64(low>>at<<(64-2*n))>>(64-2*n), int64(high>>at<<(64-2*n))>>(64-2*n)
			r |= uint64(fn(int32(x))) & (1<<n - 1) << (at / 2)
			r |= uint64(fn(int32(y))) & (1<<n - 1) << (at/2 + 32)
		}
		return r
	}
}

// interleave takes elements of n bits of the low halves of a and b by turns.
func interleave(n uint, a, b uint64) (r uint64) {
	for at := uint(0); at < 32; at += n {
		r |= (a>>at&(1<<n-1) | b>>at&(1<<n-1)<<n) << (2 * at)
	}
	return r
}

func unpackedLow(n uint) func(a, b *Vector) Vector {
	return func(a, b *Vector) Vector {
		return Vector{interleave(n, a[0], b[0]), interleave(n, a[0]>>32, b[0]>>32)}
	}
}

func unpackedHigh(n uint) func(a, b *Vector) Vector {
	return func(a, b *Vector) Vector {
		return Vector{interleave(n, a[1], b[1]), interleave(n, a[1]>>32, b[1]>>32)}
	}
}

func punpcklqdq(a, b *Vector) Vector { return Vector{a[0], b[0]} }
func punpckhqdq(a, b *Vector) Vector { return Vector{a[1], b[1]} }
func movddup(_, b *Vector) Vector    { return Vector{b[0], b[0]} }

// duplicated is MOVSLDUP or, with odd elements, MOVSHDUP.
func duplicated(odd uint8) func(_, b *Vector) Vector {
	return func(_, b *Vector) (r Vector) {
		for i := range r {
			w := uint64(uint32(b[i] >> (32 * odd)))
			r[i] = w | w<<32
		}
		return r
	}
}

// pshufb takes the bytes of a that the bytes of b name, or zero.
func pshufb(a, b *Vector) (r Vector) {
	for i := range uint8(16) {
		if at := uint8(Lane(b, i, 1)); at < 0x80 {
			SetLane(&r, i, 1, Lane(a, at&15, 1))
		}
	}
	return r
}

func pshufbMMX(a, b uint64) uint64 {
	r := pshufb(&Vector{a, a}, &Vector{b})
	return r[0]
}

// phminposuw is the least word of b and where it is.
func phminposuw(_, b *Vector) (r Vector) {
	least := ^uint64(0)
	for i := range uint8(8) {
		least = min(least, Lane(b, i, 2)<<16|uint64(i))
	}
	return Vector{least>>16 | least&7<<16}
}

// extended widens elements of from bytes.
func extended(to, from uint8, signed bool) VectorFunc {
	return permuted(func(_, b *Vector) (r Vector) {
		for i := range 16 / to {
			w := Lane(b, i, from)
			if shift := 64 - 8*from; signed {
				w = uint64(int64(w<<shift) >> shift)
			}
			SetLane(&r, i, to, w)
		}
		return r
	})
}
