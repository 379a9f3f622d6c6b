// Package simd has the arithmetic of MMX, SSE, SSE2, SSE3, SSSE3 and SSE4 in
// pure Go: results and exception flags are those of an x86, bit for bit (Intel
// SDM Vol. 1, "SSE and SSE2 Exceptions" and "Guidelines for Using Streaming
// SIMD Extensions"). Nothing is left to the host's floating-point unit.
//
// The estimates of RCPPS and RSQRTPS, which are within 1.5*2^-12 of the true
// value as on all processors, are the one exception: no two makers' processors
// agree on them, and these are of this package alone.
package simd

import "github.com/gov86/gov86/cpu/isa"

// A Vector is an XMM register.
type Vector = [2]uint64

// The shapes of a unit's functions. They take MXCSR and return it with the flags
// they raise. A function without numeric exceptions returns it as it is. The
// result may be an operand.
//
// All exceptions are to be masked; those of Pure also take overflow and
// underflow unmasked, by which flags depend on the mask. The result of a
// function that raises one of those is then none.
type (
	// A VectorFunc makes r of the destination a and the source b.
	VectorFunc = func(r, a, b *Vector, mxcsr uint32) uint32
	// An MMXFunc does the same for MMX registers.
	MMXFunc = func(a, b uint64) uint64
	// A CompareFunc compares the scalars a and b: ZF, PF and CF.
	CompareFunc = func(a, b *Vector, mxcsr uint32) (eflags, flags uint32)
	// A ToIntegerFunc converts the scalar b.
	ToIntegerFunc = func(b *Vector, mxcsr uint32) (v, flags uint32)
	// A FromIntegerFunc converts v to a scalar. The rest of r is that of a.
	FromIntegerFunc = func(r, a *Vector, v, mxcsr uint32) uint32
)

// A Unit is the functions of each operation, by their shape.
type Unit struct {
	Vector [isa.NumOps]VectorFunc
	// MMX has those operations that Vector has for XMM registers.
	MMX         [isa.NumOps]MMXFunc
	Compare     [isa.NumOps]CompareFunc
	ToInteger   [isa.NumOps]ToIntegerFunc
	FromInteger [isa.NumOps]FromIntegerFunc
	// Selected has a function for each value of the low bits of the immediate.
	Selected [isa.NumOps][]VectorFunc
}

// MXCSR (Intel SDM Vol. 1, "MXCSR Control and Status Register").
const (
	IE  = 1 << 0  // invalid operation
	DE  = 1 << 1  // denormal operand
	ZE  = 1 << 2  // division by zero
	OE  = 1 << 3  // overflow
	UE  = 1 << 4  // underflow
	PE  = 1 << 5  // inexact
	DAZ = 1 << 6  // denormal operands are zeros
	FTZ = 1 << 15 // denormal results are zeros

	// Flags has the flags of all exceptions; their masks are Masks above.
	Flags = 0x3f
	Masks = 7

	Rounding = 13 // where the rounding mode is
)

// Rounding modes.
const (
	nearest = iota
	down
	up
	truncate
)

// Lane is element i of v, of n bytes.
func Lane(v *Vector, i, n uint8) uint64 {
	i *= n
	w := v[i>>3&1] >> (i & 7 * 8)
	if n == 8 {
		return w
	}
	return w & (1<<(8*n) - 1)
}

// SetLane replaces element i of v, of n bytes.
func SetLane(v *Vector, i, n uint8, w uint64) {
	i *= n
	m := ^uint64(0) >> (64 - 8*n)
	p, shift := &v[i>>3&1], i&7*8
	*p = *p&^(m<<shift) | (w&m)<<shift
}
