// Package host executes floating-point and vector instructions on the host's
// own units, where the host is an x86: one function an instruction.
//
// x87 functions take the guest's control word and return the status word the
// instruction left; SSE functions take MXCSR and return it. All exceptions are
// masked whatever the guest's masks say: the caller looks at the flags. Vector
// functions whose instruction does not read MXCSR return it unchanged.
package host

// An F80 is an 80-bit floating-point value.
type F80 struct {
	Significand  uint64
	SignExponent uint16
	_            [6]uint8
}

//go:generate go run ./gen
