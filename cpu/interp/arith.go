package interp

import (
	"math/bits"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// binary is an operation that replaces its first operand.
func binary(op func(f *flags, a, b uint32, size uint8) uint32) func(*Engine, *isa.Inst) cpu.Trap {
	return func(e *Engine, in *isa.Inst) cpu.Trap {
		b, t := e.value(in, in.Args[1])
		if t != cpu.NoTrap {
			return t
		}
		p, a, t := e.modify(in, in.Args[0])
		if t != cpu.NoTrap {
			return t
		}
		return e.finish(p, op(&e.flags, a, b, p.size))
	}
}

// comparison is an operation that leaves only flags.
func comparison(op func(f *flags, a, b uint32, size uint8) uint32) func(*Engine, *isa.Inst) cpu.Trap {
	return func(e *Engine, in *isa.Inst) cpu.Trap {
		a, t := e.value(in, in.Args[0])
		if t != cpu.NoTrap {
			return t
		}
		b, t := e.value(in, in.Args[1])
		if t != cpu.NoTrap {
			return t
		}
		op(&e.flags, a, b, size(in, in.Args[0]))
		return cpu.NoTrap
	}
}

// unary is an operation on one operand.
func unary(op func(f *flags, a uint32, size uint8) uint32) func(*Engine, *isa.Inst) cpu.Trap {
	return func(e *Engine, in *isa.Inst) cpu.Trap {
		p, a, t := e.modify(in, in.Args[0])
		if t != cpu.NoTrap {
			return t
		}
		return e.finish(p, op(&e.flags, a, p.size))
	}
}

func opAdd(f *flags, a, b uint32, n uint8) uint32 { return f.add(a, b, 0, n) }
func opAdc(f *flags, a, b uint32, n uint8) uint32 { return f.add(a, b, f.cf(), n) }
func opSub(f *flags, a, b uint32, n uint8) uint32 { return f.sub(a, b, 0, n) }
func opSbb(f *flags, a, b uint32, n uint8) uint32 { return f.sub(a, b, f.cf(), n) }
func opAnd(f *flags, a, b uint32, n uint8) uint32 { return f.logic(a&b, n) }
func opOr(f *flags, a, b uint32, n uint8) uint32  { return f.logic(a|b, n) }
func opXor(f *flags, a, b uint32, n uint8) uint32 { return f.logic(a^b, n) }

// opInc and opDec keep CF.
func opInc(f *flags, a uint32, n uint8) uint32 {
	cf := f.cf() != 0
	r := f.add(a, 1, 0, n)
	f.setCF(cf)
	return r
}

func opDec(f *flags, a uint32, n uint8) uint32 {
	cf := f.cf() != 0
	r := f.sub(a, 1, 0, n)
	f.setCF(cf)
	return r
}

func opNeg(f *flags, a uint32, n uint8) uint32 { return f.sub(0, a, 0, n) }
func opNot(_ *flags, a uint32, _ uint8) uint32 { return ^a }

// accumulator is AL, AX or EAX, and its extension AH, DX or EDX.
func accumulator(n uint8) (low, high isa.Arg) {
	switch n {
	case 1:
		return isa.Reg8 | cpu.EAX, isa.Reg8 | 4
	case 2:
		return isa.Reg16 | cpu.EAX, isa.Reg16 | cpu.EDX
	}
	return isa.Reg32 | cpu.EAX, isa.Reg32 | cpu.EDX
}

func mul(e *Engine, in *isa.Inst) cpu.Trap {
	b, t := e.value(in, in.Args[0])
	if t != cpu.NoTrap {
		return t
	}
	n := size(in, in.Args[0])
	low, high := accumulator(n)
	v := uint64(e.register(low)) * uint64(b)
	e.setRegister(low, uint32(v))
	e.setRegister(high, uint32(v>>(8*n)))
	over := v>>(8*n) != 0
	e.flags.logic(uint32(v), n)
	e.flags.setCFOF(over, over)
	return cpu.NoTrap
}

// imul is IMUL in its three forms.
func imul(e *Engine, in *isa.Inst) cpu.Trap {
	a, b := in.Args[0], in.Args[1]
	n := size(in, a)
	if in.Args[1] == isa.None {
		v, t := e.value(in, a)
		if t != cpu.NoTrap {
			return t
		}
		low, high := accumulator(n)
		p := int64(int32(extend(e.register(low), n))) * int64(int32(extend(v, n)))
		e.setRegister(low, uint32(p))
		e.setRegister(high, uint32(p>>(8*n)))
		e.signedProduct(p, n)
		return cpu.NoTrap
	}
	if in.Args[2] == isa.Imm {
		a, b = b, in.Args[2]
	}
	x, t := e.value(in, a)
	if t != cpu.NoTrap {
		return t
	}
	y, t := e.value(in, b)
	if t != cpu.NoTrap {
		return t
	}
	p := int64(int32(extend(x, n))) * int64(int32(extend(y, n)))
	e.setRegister(in.Args[0], uint32(p))
	e.signedProduct(p, n)
	return cpu.NoTrap
}

// signedProduct sets the flags of IMUL: CF and OF tell that n bytes did not
// hold the product.
func (e *Engine) signedProduct(p int64, n uint8) {
	over := int64(int32(extend(uint32(p), n))) != p
	e.flags.logic(uint32(p), n)
	e.flags.setCFOF(over, over)
}

func div(e *Engine, in *isa.Inst) cpu.Trap {
	by, t := e.value(in, in.Args[0])
	if t != cpu.NoTrap {
		return t
	}
	n := size(in, in.Args[0])
	low, high := accumulator(n)
	hi, lo := e.register(high), e.register(low)
	if hi >= by { // by is zero, or the quotient needs more than n bytes
		return cpu.Exception(cpu.VecDE)
	}
	dividend := uint64(hi)<<(8*n) | uint64(lo)
	e.setRegister(low, uint32(dividend/uint64(by)))
	e.setRegister(high, uint32(dividend%uint64(by)))
	return cpu.NoTrap
}

func idiv(e *Engine, in *isa.Inst) cpu.Trap {
	v, t := e.value(in, in.Args[0])
	if t != cpu.NoTrap {
		return t
	}
	n := size(in, in.Args[0])
	low, high := accumulator(n)
	shift := 64 - 16*uint(n)
	dividend := int64((uint64(e.register(high))<<(8*n)|uint64(e.register(low)))<<shift) >> shift
	by := int64(int32(extend(v, n)))
	if by == 0 || by == -1 && dividend == -1<<63 {
		return cpu.Exception(cpu.VecDE)
	}
	q := dividend / by
	if int64(int32(extend(uint32(q), n))) != q {
		return cpu.Exception(cpu.VecDE)
	}
	e.setRegister(low, uint32(q))
	e.setRegister(high, uint32(dividend%by))
	return cpu.NoTrap
}

func xadd(e *Engine, in *isa.Inst) cpu.Trap {
	p, a, t := e.modify(in, in.Args[0])
	if t != cpu.NoTrap {
		return t
	}
	b := e.register(in.Args[1])
	sum := e.flags.add(a, b, 0, p.size)
	e.setRegister(in.Args[1], a)
	return e.finish(p, sum)
}

func cmpxchg(e *Engine, in *isa.Inst) cpu.Trap {
	p, a, t := e.modify(in, in.Args[0])
	if t != cpu.NoTrap {
		return t
	}
	acc, _ := accumulator(p.size)
	e.flags.sub(e.register(acc), a, 0, p.size)
	if e.flags.zf() {
		return e.finish(p, e.register(in.Args[1]))
	}
	// The destination is written even when the comparison fails.
	t = e.finish(p, a)
	e.setRegister(acc, a)
	return t
}

func cmpxchg8b(e *Engine, in *isa.Inst) cpu.Trap {
	l, t := e.memory(in, 8, true)
	if t != cpu.NoTrap {
		return t
	}
	if t := e.Probe(cpu.Linear(l), 8, e.Data()|cpu.Write); t != cpu.NoTrap {
		return t
	}
	v, t := e.load64(l)
	if t != cpu.NoTrap {
		return t
	}
	equal := v == e.GPR[cpu.EDX]<<32|e.GPR[cpu.EAX]
	w := e.flags.word() &^ cpu.FlagZF
	if equal {
		w |= cpu.FlagZF
	}
	e.flags.set(w)
	if equal {
		return e.store64(l, e.GPR[cpu.ECX]<<32|e.GPR[cpu.EBX])
	}
	e.SetReg32(cpu.EAX, uint32(v))
	e.SetReg32(cpu.EDX, uint32(v>>32))
	return e.store64(l, v)
}

// The decimal adjustments (Intel SDM Vol. 2, "DAA", "DAS", "AAA", "AAS").
func daa(e *Engine, _ *isa.Inst) cpu.Trap {
	return e.decimal(func(a, by uint8) uint8 { return a + by })
}
func das(e *Engine, _ *isa.Inst) cpu.Trap {
	return e.decimal(func(a, by uint8) uint8 { return a - by })
}

func (e *Engine) decimal(adjust func(a, by uint8) uint8) cpu.Trap {
	al, cf, af := e.Reg8(0), e.flags.cf() != 0, e.flags.af()
	r := al
	if al&15 > 9 || af {
		r = adjust(r, 6)
		af = true
	}
	if al > 0x99 || cf {
		r = adjust(r, 0x60)
		cf = true
	} else if af && adjust(0, 1) == 0xff && al < 6 {
		cf = true // DAS: the borrow of AL - 6
	}
	e.SetReg8(0, r)
	e.flags.logic(uint32(r), 1)
	e.flags.setCFOF(cf, false)
	if af {
		e.flags.carries |= carryAF
	}
	return cpu.NoTrap
}

func aaa(e *Engine, _ *isa.Inst) cpu.Trap { return e.ascii(0x106) }
func aas(e *Engine, _ *isa.Inst) cpu.Trap { return e.ascii(^uint32(0x106) + 1) }

func (e *Engine) ascii(by uint32) cpu.Trap {
	adjust := e.Reg8(0)&15 > 9 || e.flags.af()
	if adjust {
		e.SetReg16(cpu.EAX, e.Reg16(cpu.EAX)+uint16(by))
	}
	e.SetReg8(0, e.Reg8(0)&15)
	e.flags.logic(uint32(e.Reg8(0)), 1)
	e.flags.setCFOF(adjust, false)
	if adjust {
		e.flags.carries |= carryAF
	}
	return cpu.NoTrap
}

func aam(e *Engine, in *isa.Inst) cpu.Trap {
	by := uint8(in.Imm)
	if by == 0 {
		return cpu.Exception(cpu.VecDE)
	}
	al := e.Reg8(0)
	e.SetReg8(4, al/by)
	e.SetReg8(0, al%by)
	e.flags.logic(uint32(al%by), 1)
	return cpu.NoTrap
}

func aad(e *Engine, in *isa.Inst) cpu.Trap {
	r := e.Reg8(0) + e.Reg8(4)*uint8(in.Imm)
	e.SetReg16(cpu.EAX, uint16(r))
	e.flags.logic(uint32(r), 1)
	return cpu.NoTrap
}

// crc32 is CRC32 (polynomial 11EDC6F41H, bit-reflected).
func crc32(e *Engine, in *isa.Inst) cpu.Trap {
	v, t := e.value(in, in.Args[1])
	if t != cpu.NoTrap {
		return t
	}
	crc := e.Reg32(in.Args[0].Num())
	for i := range size(in, in.Args[1]) {
		crc ^= v >> (8 * i) & 0xff
		for range 8 {
			crc = crc>>1 ^ 0x82f63b78&-(crc&1)
		}
	}
	e.SetReg32(in.Args[0].Num(), crc)
	return cpu.NoTrap
}

func popcnt(e *Engine, in *isa.Inst) cpu.Trap {
	v, t := e.value(in, in.Args[1])
	if t != cpu.NoTrap {
		return t
	}
	e.setRegister(in.Args[0], uint32(bits.OnesCount32(v)))
	e.flags.set(0)
	e.setZF(v == 0)
	return cpu.NoTrap
}
