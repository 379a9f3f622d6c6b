package interp

import (
	le "encoding/binary"
	"math/bits"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/fpu/host"
	"github.com/gov86/gov86/cpu/isa"
)

// Loads, stores and moves of the x87 stack. Loads are exact, and so are made
// here; stores round.

// widen converts an IEEE number of which fraction bits are explicit, with
// exponent bits above them. A signaling NaN stays one; sw has the exceptions
// that loading it raises.
func widen(v uint64, fraction, exponent uint) (r cpu.Float80, sw uint16) {
	m := v & (1<<fraction - 1)
	x := v >> fraction & (1<<exponent - 1)
	bias := uint64(0x3fff) - (1<<(exponent-1) - 1)
	m <<= 63 - fraction
	switch x {
	case 0:
		if m != 0 {
			n := uint64(bits.LeadingZeros64(m))
			m <<= n
			x = bias + 1 - n
			sw = statusDE
		}
	case 1<<exponent - 1:
		x = 0x7fff
		if m != 0 && m>>62 == 0 {
			sw = statusIE
		}
		m |= 1 << 63
	default:
		x += bias
		m |= 1 << 63
	}
	return cpu.Float80{Significand: m, SignExponent: uint16(x) | uint16(v>>(fraction+exponent))<<15}, sw
}

// integer80 converts an integer.
func integer80(v int64) cpu.Float80 {
	if v == 0 {
		return x87Zero
	}
	var r cpu.Float80
	m := uint64(v)
	if v < 0 {
		m, r.SignExponent = -m, signBit
	}
	n := bits.LeadingZeros64(m)
	r.Significand = m << n
	r.SignExponent |= uint16(0x3fff + 63 - n)
	return r
}

// operand87 is the linear address of in's memory operand. One of ten bytes is
// to be aligned to eight.
func (e *Engine) operand87(in *isa.Inst, write bool) (uint32, cpu.Trap) {
	if in.Width == 10 {
		return e.inParts(in.Seg, e.offset(in), 8, 2, 8, write)
	}
	return e.memory(in, int(in.Width), write)
}

// real80 reads the floating-point memory operand of in. What it raises is for
// the caller to report.
func (e *Engine) real80(in *isa.Inst) (r cpu.Float80, sw uint16, t cpu.Trap) {
	l, t := e.operand87(in, false)
	if t != cpu.NoTrap {
		return r, 0, t
	}
	switch in.Width {
	case 4:
		v, t := e.load32(l)
		r, sw = widen(uint64(v), 23, 8)
		return r, sw, t
	case 8:
		v, t := e.load64(l)
		r, sw = widen(v, 52, 11)
		return r, sw, t
	}
	r, t = e.loadFloat80(l)
	return r, 0, t
}

// signed reads the integer memory operand of in.
func (e *Engine) signed(in *isa.Inst) (int64, cpu.Trap) {
	l, t := e.memory(in, int(in.Width), false)
	if t != cpu.NoTrap {
		return 0, t
	}
	switch in.Width {
	case 2:
		v, t := e.load16(l)
		return int64(int16(v)), t
	case 4:
		v, t := e.load32(l)
		return int64(int32(v)), t
	}
	v, t := e.load64(l)
	return int64(v), t
}

func fld(e *Engine, in *isa.Inst) cpu.Trap {
	if a := in.Args[0]; a.Kind() == isa.ST {
		return e.fldRegister(a.Num())
	}
	v, sw, t := e.real80(in)
	if t != cpu.NoTrap || e.full() {
		return t
	}
	if sw&statusIE != 0 {
		v.Significand |= 1 << 62
	}
	// A denormal is loaded even when its exception is not masked.
	if e.report(sw, statusC1, statusIE) {
		e.pushST(v)
	}
	return cpu.NoTrap
}

func (e *Engine) fldRegister(i uint8) cpu.Trap {
	if e.empty(i) {
		if e.stackFault(false) {
			e.pushST(indefinite)
		}
		return cpu.NoTrap
	}
	if e.full() {
		return cpu.NoTrap
	}
	e.clearC1()
	e.pushST(e.FPU.ST[e.st(i)])
	return cpu.NoTrap
}

func fild(e *Engine, in *isa.Inst) cpu.Trap {
	v, t := e.signed(in)
	if t != cpu.NoTrap || e.full() {
		return t
	}
	e.clearC1()
	e.pushST(integer80(v))
	return cpu.NoTrap
}

// fbld loads eighteen decimal digits; what a digit above nine stands for is
// undefined.
func fbld(e *Engine, in *isa.Inst) cpu.Trap {
	l, t := e.operand87(in, false)
	if t != cpu.NoTrap {
		return t
	}
	m, t := e.loadFloat80(l)
	if t != cpu.NoTrap || e.full() {
		return t
	}
	v := int64(m.SignExponent>>4&15)*10 + int64(m.SignExponent&15)
	for i := 60; i >= 0; i -= 4 {
		v = v*10 + int64(m.Significand>>i&15)
	}
	r := integer80(v)
	r.SignExponent |= m.SignExponent & signBit
	e.clearC1()
	e.pushST(r)
	return cpu.NoTrap
}

func fldConstant(v cpu.Float80) func(*Engine, *isa.Inst) cpu.Trap {
	return func(e *Engine, _ *isa.Inst) cpu.Trap {
		if !e.full() {
			e.clearC1()
			e.pushST(v)
		}
		return cpu.NoTrap
	}
}

// fldRounded loads a constant that depends on the rounding mode.
func fldRounded(fn x87Constant) func(*Engine, *isa.Inst) cpu.Trap {
	return func(e *Engine, _ *isa.Inst) cpu.Trap {
		if !e.full() {
			fn(f80(&e.unit.r), e.FPU.Control)
			e.clearC1()
			e.pushST(e.unit.r)
		}
		return cpu.NoTrap
	}
}

// narrowings are those of one operation by the width of the result.
type narrowings struct {
	by4, by8, by2, by10 x87Store
	// none is what an empty register stores, by its low bytes.
	none func(n uint8) (v uint64)
	pops uint8
}

// popped is s for the operations that pop.
func (s narrowings) popped() narrowings {
	s.pops = 1
	return s
}

func (s *narrowings) of(n uint8) x87Store {
	switch n {
	case 2:
		return s.by2
	case 4:
		return s.by4
	case 8:
		return s.by8
	}
	return s.by10
}

// realIndefinite, integerIndefinite and decimalIndefinite are the low eight
// bytes of what an invalid operation stores in n bytes.
func realIndefinite(n uint8) uint64 {
	switch n {
	case 4:
		return 0xffc00000
	case 8:
		return 0xfff8 << 48
	}
	return indefinite.Significand
}

func integerIndefinite(n uint8) uint64 { return 1 << (8*n - 1) }
func decimalIndefinite(uint8) uint64   { return 0xc0 << 56 }

// store stores ST(0) in the format of s and pops.
func (s *narrowings) store(e *Engine, in *isa.Inst) cpu.Trap {
	l, t := e.operand87(in, true)
	if t == cpu.NoTrap {
		// A fault of the store precedes what the operation would raise.
		t = e.Probe(cpu.Linear(l), int(in.Width), e.Data()|cpu.Write)
	}
	if t != cpu.NoTrap {
		return t
	}
	if e.empty(0) {
		if e.FPU.Control&statusIE != 0 {
			if t := e.storeBytes(l, in.Width, s.none(in.Width), 0xffff); t != cpu.NoTrap {
				return t
			}
			e.popTimes(s.pops)
		}
		e.stackFault(false)
		return cpu.NoTrap
	}
	m := &e.unit.bytes
	sw := s.of(in.Width)(m, f80(e.stackTop()), e.FPU.Control)
	if sw&^e.FPU.Control&(before|after) == 0 {
		if t := e.storeBytes(l, in.Width, le.LittleEndian.Uint64(m[:]), le.LittleEndian.Uint16(m[8:])); t != cpu.NoTrap {
			return t
		}
	}
	if e.report(sw, statusC1, before|after) {
		e.popTimes(s.pops)
	}
	return cpu.NoTrap
}

// storeBytes writes n bytes, 2, 4, 8 or 10: the low ones of v, then those of high.
func (e *Engine) storeBytes(l uint32, n uint8, v uint64, high uint16) cpu.Trap {
	switch n {
	case 2:
		return e.store16(l, uint32(v)&0xffff)
	case 4:
		return e.store32(l, uint32(v))
	case 8:
		return e.store64(l, v)
	}
	return e.storeFloat80(l, &cpu.Float80{Significand: v, SignExponent: high})
}

// whole is the narrowing that does not narrow.
func whole(m *[10]byte, a *host.F80, _ uint16) uint16 {
	le.LittleEndian.PutUint64(m[:], a.Significand)
	le.LittleEndian.PutUint16(m[8:], a.SignExponent)
	return 0
}

// isFSTPNCE reports whether in is D9 D8+i, an FSTP that is not documented: of
// an empty register it only pops, without an exception.
func isFSTPNCE(in *isa.Inst) bool { return in.X87&^7 == 0x1d8 }

// fst is FST and FSTP: to a register ST(0) goes as it is.
func fst(real *narrowings) func(*Engine, *isa.Inst) cpu.Trap {
	return func(e *Engine, in *isa.Inst) cpu.Trap {
		if a := in.Args[0]; a.Kind() == isa.ST {
			if isFSTPNCE(in) && e.empty(0) {
				e.clearC1()
				e.popTimes(real.pops)
				return cpu.NoTrap
			}
			if e.underflow(0, a.Num(), real.pops) {
				return cpu.NoTrap
			}
			e.setST(a.Num(), *e.stackTop())
			e.clearC1()
			e.popTimes(real.pops)
			return cpu.NoTrap
		}
		return real.store(e, in)
	}
}

func fxch(e *Engine, in *isa.Inst) cpu.Trap {
	i := in.Args[1].Num()
	if e.empty(0) || e.empty(i) {
		if !e.stackFault(false) {
			return cpu.NoTrap
		}
		for _, r := range []uint8{0, i} {
			if e.empty(r) {
				e.setST(r, indefinite)
			}
		}
	} else {
		e.clearC1()
	}
	a, b := e.st(0), e.st(i)
	e.FPU.ST[a], e.FPU.ST[b] = e.FPU.ST[b], e.FPU.ST[a]
	return cpu.NoTrap
}

// changeSign is FCHS and FABS, which touch nothing but the sign.
func changeSign(op func(uint16) uint16) func(*Engine, *isa.Inst) cpu.Trap {
	return func(e *Engine, _ *isa.Inst) cpu.Trap {
		if e.underflow(0, 0, 0) {
			return cpu.NoTrap
		}
		e.clearC1()
		r := e.stackTop()
		r.SignExponent = op(r.SignExponent)
		return cpu.NoTrap
	}
}

// turnST is FINCSTP and FDECSTP.
func turnST(n uint16) func(*Engine, *isa.Inst) cpu.Trap {
	return func(e *Engine, _ *isa.Inst) cpu.Trap {
		e.clearC1()
		e.turn(n)
		return cpu.NoTrap
	}
}

func ffree(e *Engine, in *isa.Inst) cpu.Trap {
	e.clearC1()
	e.free(in.Args[0].Num())
	return cpu.NoTrap
}

// ffreep is FFREEP, which is not documented: FFREE, and then it pops.
func ffreep(e *Engine, in *isa.Inst) cpu.Trap {
	ffree(e, in)
	e.popST()
	return cpu.NoTrap
}

// fcmov moves ST(i) to ST(0) when condition cc holds. C1 stays.
func fcmov(cc uint8) func(*Engine, *isa.Inst) cpu.Trap {
	return func(e *Engine, in *isa.Inst) cpu.Trap {
		i := in.Args[1].Num()
		if e.underflow(i, 0, 0) {
			return cpu.NoTrap
		}
		if e.flags.condition(cc) {
			e.setST(0, e.FPU.ST[e.st(i)])
		}
		return cpu.NoTrap
	}
}

// fxam says in C3, C2 and C0 what ST(0) is and in C1 its sign
// (Intel SDM Vol. 2, "FXAM—Examine Floating-Point").
func fxam(e *Engine, _ *isa.Inst) cpu.Trap {
	r := e.stackTop()
	x, m := r.SignExponent&0x7fff, r.Significand
	var class uint16
	switch {
	case e.empty(0):
		class = statusC3 | statusC0
	case x == 0 && m == 0:
		class = statusC3
	case x == 0:
		class = statusC3 | statusC2
	case m>>63 == 0: // unsupported
	case x != 0x7fff:
		class = statusC2
	case m<<1 == 0:
		class = statusC2 | statusC0
	default:
		class = statusC0
	}
	if r.SignExponent&signBit != 0 {
		class |= statusC1
	}
	e.FPU.Status = e.FPU.Status&^statusCodes | class
	return cpu.NoTrap
}
