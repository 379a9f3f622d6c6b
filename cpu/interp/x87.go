package interp

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/fpu/host"
	"github.com/gov86/gov86/cpu/isa"
)

// The x87 register stack and its exceptions (Intel SDM Vol. 1, "x87 FPU
// Execution Environment", "x87 FPU Floating-Point Exception Handling").

// Bits of the status word beside those of x87state.go.
const (
	statusIE = 1 << 0
	statusDE = 1 << 1
	statusZE = 1 << 2
	statusOE = 1 << 3
	statusUE = 1 << 4
	statusSF = 1 << 6
	statusC0 = 1 << 8
	statusC1 = 1 << 9
	statusC2 = 1 << 10
	statusC3 = 1 << 14

	statusExceptions = 0x3f
	statusTop        = 7 << topShift
	statusCodes      = statusC0 | statusC1 | statusC2 | statusC3

	// before are the exceptions found before an operation, after those found
	// once it has a result.
	before = statusIE | statusDE | statusZE
	after  = statusOE | statusUE
)

const signBit = 1 << 15

// Values that the unit produces by itself.
var (
	indefinite = cpu.Float80{Significand: 3 << 62, SignExponent: 0xffff}
	x87Zero    = cpu.Float80{}
	x87One     = cpu.Float80{Significand: 1 << 63, SignExponent: 0x3fff}
)

// A unitArea is where the functions of an arithmetic unit find operands and
// leave results. They are called through variables, and what such a call is
// given the address of would otherwise be allocated each time.
type unitArea struct {
	r, s, m cpu.Float80
	bytes   [10]byte
	v, w, b vector
}

// f80 is r as package host knows it.
func f80(r *cpu.Float80) *host.F80 { return (*host.F80)(r) }

// x87 guards an instruction that is not a control instruction, and records
// it and its operand, as processors of the P6 family do.
func x87(op func(*Engine, *isa.Inst) cpu.Trap) func(*Engine, *isa.Inst) cpu.Trap {
	return func(e *Engine, in *isa.Inst) cpu.Trap {
		if t := e.x87Ready(); t != cpu.NoTrap {
			return t
		}
		if t := op(e, in); t != cpu.NoTrap {
			return t
		}
		f := &e.FPU
		f.IP, f.CS = e.Start, e.Seg[isa.CS].Selector
		if in.Width != 0 {
			f.DP, f.DS = e.offset(in), e.Seg[in.Seg].Selector
		}
		if f.Status&statusES != 0 || e.RecordsFOP() {
			f.Opcode = in.X87
		}
		return cpu.NoTrap
	}
}

// stackTop is ST(0).
func (e *Engine) stackTop() *cpu.Float80 { return &e.FPU.ST[e.st(0)] }

// empty reports whether ST(i) is empty.
func (e *Engine) empty(i uint8) bool { return e.FPU.Tag>>(2*e.st(i))&3 == tagEmpty }

// setST replaces ST(i).
func (e *Engine) setST(i uint8, v cpu.Float80) {
	n := e.st(i)
	e.FPU.ST[n] = v
	e.FPU.Tag &^= 3 << (2 * n)
}

// free makes ST(i) empty.
func (e *Engine) free(i uint8) { e.FPU.Tag |= tagEmpty << (2 * e.st(i)) }

// turn adds n to TOP.
func (e *Engine) turn(n uint16) {
	f := &e.FPU
	f.Status = f.Status&^statusTop | (f.Status+n<<topShift)&statusTop
}

// pushST makes v the new ST(0).
func (e *Engine) pushST(v cpu.Float80) {
	e.turn(7)
	e.setST(0, v)
}

// popST frees ST(0) and makes ST(1) the top.
func (e *Engine) popST() {
	e.free(0)
	e.turn(1)
}

// popTimes pops n times.
func (e *Engine) popTimes(n uint8) {
	for range n {
		e.popST()
	}
}

// report takes up the exceptions of sw and those condition codes that are in
// codes. It reports whether the operation has a result, which it has not when
// an exception in without is not masked.
func (e *Engine) report(sw, codes, without uint16) bool {
	f := &e.FPU
	f.Status = f.Status&^codes | sw&(codes|statusExceptions|statusSF)
	e.summarize()
	return sw&^f.Control&without == 0
}

// stackFault is a stack underflow or overflow. It reports whether the response
// is the masked one.
func (e *Engine) stackFault(overflow bool) bool {
	sw := uint16(statusIE | statusSF)
	if overflow {
		sw |= statusC1
	}
	return e.report(sw, statusC1, statusIE)
}

// full finds a stack overflow before one more value is pushed; then push
// has nothing more to do, for the masked response is done here.
func (e *Engine) full() bool {
	if e.empty(7) {
		return false
	}
	if e.stackFault(true) {
		e.pushST(indefinite)
	}
	return true
}

// underflow finds an empty register among ST(0) and ST(i), and gives the
// masked response to an operation with a result in ST(dst) that pops n times.
func (e *Engine) underflow(i, dst, n uint8) bool {
	if !e.empty(0) && !e.empty(i) {
		return false
	}
	if e.stackFault(false) {
		e.setST(dst, indefinite)
		e.popTimes(n)
	}
	return true
}

// clearC1 is what an instruction without a numeric exception leaves.
func (e *Engine) clearC1() { e.FPU.Status &^= statusC1 }

// isNaN reports whether r is a NaN, quiet or signaling.
func isNaN(r *cpu.Float80) bool {
	return r.SignExponent&0x7fff == 0x7fff && r.Significand<<1 != 0
}

// x87Ops are the x87 operations that compute or move registers, without those
// that need an arithmetic unit.
var x87Ops = [isa.NumOps]func(*Engine, *isa.Inst) cpu.Trap{
	isa.FLD: x87(fld), isa.FILD: x87(fild), isa.FBLD: x87(fbld),
	isa.FLD1: x87(fldConstant(x87One)), isa.FLDZ: x87(fldConstant(x87Zero)),
	isa.FNOP: x87(nop), isa.FXCH: x87(fxch), isa.FCHS: x87(changeSign(func(s uint16) uint16 { return s ^ signBit })),
	isa.FABS: x87(changeSign(func(s uint16) uint16 { return s &^ signBit })), isa.FXAM: x87(fxam),
	isa.FINCSTP: x87(turnST(1)), isa.FDECSTP: x87(turnST(7)), isa.FFREE: x87(ffree), isa.FFREEP: x87(ffreep),
	isa.FCMOVB: x87(fcmov(2)), isa.FCMOVNB: x87(fcmov(3)), isa.FCMOVE: x87(fcmov(4)), isa.FCMOVNE: x87(fcmov(5)),
	isa.FCMOVBE: x87(fcmov(6)), isa.FCMOVNBE: x87(fcmov(7)), isa.FCMOVU: x87(fcmov(10)), isa.FCMOVNU: x87(fcmov(11)),
}
