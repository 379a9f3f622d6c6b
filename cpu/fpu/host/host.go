// Package host executes floating-point and vector instructions on the host's
// own units, where the host is an x86: one function an instruction.
//
// x87 functions take the guest's control word and return the status word the
// instruction left. Where that has an unmasked exception, the result is what
// the instruction leaves then: that of an invalid operation, a denormal operand
// or a division by zero is none, that of overflow or underflow has its exponent
// adjusted, a store stores nothing. The host itself is never interrupted.
//
// SSE functions take MXCSR and return it; its masks must all be set, and the
// caller looks at the flags. Vector functions whose instruction does not read
// MXCSR return it unchanged.
package host

// An F80 is an 80-bit floating-point value.
type F80 struct {
	Significand  uint64
	SignExponent uint16
}

//go:generate go run ./gen
