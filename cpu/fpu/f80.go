// Package fpu is floating-point arithmetic as the Intel SDM defines it, in
// plain Go: that of the x87 FPU on 80-bit values, and that of SSE on lanes of
// 32 and 64 bits. All are functions of values; who holds registers, delivers
// exceptions and addresses memory is the caller's business.
//
// An x87 operation takes an Env with the control word and ORs into its status
// word the exceptions it met and the condition codes it sets; the caller clears
// Status beforehand. If that leaves Env.Stopped true, an exception that precedes
// the operation is unmasked and the result is none. With overflow or underflow
// unmasked a result for a register has its exponent adjusted, as the SDM says.
//
// An SSE operation takes MXCSR and ORs the exceptions it met into it. Whether
// one is unmasked is for the caller to see, with MXCSR.Unmasked; the result of
// such an operation is none.
//
// The transcendental instructions are accurate to a little more than half a
// unit in the last place; processors differ in the last bit. RCPSS and RSQRTSS
// are within the documented error, and differ from any one processor's table.
package fpu

import "math/bits"

// An F80 is a value in double extended-precision format: the significand with
// its explicit integer bit, and the sign above the biased exponent.
type F80 struct {
	Sig uint64
	SE  uint16
}

const (
	bias    = 0x3fff
	topExp  = 0x7fff // of infinities and NaNs
	sign    = 0x8000
	integer = 1 << 63 // the integer bit of a significand
	quiet   = 1 << 62 // tells quiet NaNs from signaling ones
)

// Bits of the x87 status word, and, for the exceptions, of the control word,
// where they mask (Intel SDM Vol. 1, "x87 FPU Status Word", "x87 FPU Control
// Word"). MXCSR has its flags in the same order.
const (
	IE = 1 << 0 // invalid operation
	DE = 1 << 1 // denormal operand
	ZE = 1 << 2 // division by zero
	OE = 1 << 3 // overflow
	UE = 1 << 4 // underflow
	PE = 1 << 5 // inexact result

	C0 = 1 << 8
	C1 = 1 << 9 // the last rounding was away from zero
	C2 = 1 << 10
	C3 = 1 << 14

	exceptions = IE | DE | ZE | OE | UE | PE
)

// Rounding control (Intel SDM Vol. 1, "Rounding").
const (
	nearest = iota
	down
	up
	truncate
)

// An Env is the environment of an x87 operation: FCW, and the bits of FSW that
// operations set.
type Env struct {
	Control uint16
	Status  uint16
}

// Stopped reports whether an unmasked exception stopped the operation before
// it had a result.
func (e *Env) Stopped() bool { return e.Status&^e.Control&(IE|DE|ZE) != 0 }

// rounding is the rounding control.
func (e *Env) rounding() uint { return uint(e.Control >> 10 & 3) }

// precision is how many bits of significand add, subtract, multiply, divide
// and square root keep. The reserved encoding keeps all.
func (e *Env) precision() uint { return [4]uint{24, 64, 53, 64}[e.Control>>8&3] }

// Values that operations make by themselves.
var (
	indefinite = F80{3 << 62, sign | topExp}
	one        = F80{integer, bias}
)

func infinity(neg bool) F80 { return F80{integer, topExp}.signed(neg) }
func zero(neg bool) F80     { return F80{}.signed(neg) }

func (x F80) signed(neg bool) F80 {
	x.SE &^= sign
	if neg {
		x.SE |= sign
	}
	return x
}

func (x F80) neg() bool { return x.SE&sign != 0 }

// A kind is what an encoding stands for (Intel SDM Vol. 1, "Unsupported
// Double Extended-Precision Floating-Point Encodings and Pseudo-Denormals").
type kind uint8

const (
	normal kind = iota
	denormal
	zeroKind
	infinite
	quietNaN
	signalingNaN
	unsupported
)

func (x F80) kind() kind {
	exp := x.SE &^ sign
	switch {
	case exp == 0 && x.Sig == 0:
		return zeroKind
	case exp == 0: // with the integer bit set, a pseudo-denormal
		return denormal
	case x.Sig&integer == 0:
		return unsupported
	case exp != topExp:
		return normal
	case x.Sig == integer:
		return infinite
	case x.Sig&quiet != 0:
		return quietNaN
	}
	return signalingNaN
}

// isNormal is kind() == normal, at less cost.
func (x F80) isNormal() bool {
	return int64(x.Sig) < 0 && uint16(x.SE&^sign-1) < topExp-1
}

// number unpacks a finite value.
func (x F80) number() number {
	exp := int32(x.SE &^ sign)
	if exp == 0 {
		if x.Sig == 0 {
			return number{neg: x.neg()}
		}
		n := bits.LeadingZeros64(x.Sig)
		return number{hi: x.Sig << n, exp: minExp - int32(n), neg: x.neg()}
	}
	return number{hi: x.Sig, exp: exp - bias, neg: x.neg()}
}

// invalid is the masked response to an invalid operation.
func (e *Env) invalid() F80 {
	e.Status |= IE
	return indefinite
}

// nan is the result for operands of which one is a NaN or unsupported
// (Intel SDM Vol. 1, Table "Rules for Handling NaNs").
func (e *Env) nan(a, b F80) F80 {
	ka, kb := a.kind(), b.kind()
	if ka == unsupported || kb == unsupported {
		return e.invalid()
	}
	if ka == signalingNaN || kb == signalingNaN {
		e.Status |= IE
	}
	r := a
	switch {
	case ka < quietNaN:
		r = b
	case kb < quietNaN:
	case ka == signalingNaN && kb == quietNaN:
		r = b
	case ka == quietNaN && kb == signalingNaN:
	case a.Sig < b.Sig || a.Sig == b.Sig && a.neg():
		r = b
	}
	r.Sig |= quiet
	return r
}

// denormals raises the exception for denormal operands, and reports whether it
// stops the operation.
func (e *Env) denormals(a, b kind) (stop bool) {
	if a != denormal && b != denormal {
		return false
	}
	e.Status |= DE
	return e.Control&DE == 0
}
