package interp

import (
	"math/bits"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// shift is a shift or rotate: the count is masked to five bits, and a count of
// zero changes nothing, flags included.
func shift(op func(f *flags, a, n uint32, size uint8) uint32) func(*Engine, *isa.Inst) cpu.Trap {
	return func(e *Engine, in *isa.Inst) cpu.Trap {
		n, t := e.value(in, in.Args[1])
		if t != cpu.NoTrap {
			return t
		}
		p, a, t := e.modify(in, in.Args[0])
		if t != cpu.NoTrap {
			return t
		}
		if n &= 31; n == 0 {
			return e.finish(p, a)
		}
		return e.finish(p, op(&e.flags, a, n, p.size))
	}
}

// sign is bit 7, 15 or 31 of v.
func sign(v uint32, size uint8) bool { return v>>(8*size-1)&1 != 0 }

func opShl(f *flags, a, n uint32, size uint8) uint32 {
	wide := uint64(a) << n
	r := uint32(wide)
	cf := wide>>(8*size)&1 != 0
	f.logic(r, size)
	f.setCFOF(cf, cf != sign(r, size))
	return r
}

func opShr(f *flags, a, n uint32, size uint8) uint32 {
	r := a >> n
	cf := a>>(n-1)&1 != 0
	f.logic(r, size)
	// OF is the old sign for a count of 1; above, what shifting by one last
	// would give: the sign before it, which is clear.
	f.setCFOF(cf, n == 1 && sign(a, size))
	return r
}

func opSar(f *flags, a, n uint32, size uint8) uint32 {
	v := int32(extend(a, size))
	f.logic(uint32(v>>n), size)
	f.setCFOF(v>>(n-1)&1 != 0, false)
	return uint32(v >> n)
}

// Rotates change only CF and OF. OF is that of the last step by one, which the
// manual defines for a count of 1.
func opRol(f *flags, a, n uint32, size uint8) uint32 {
	w := 8 * uint32(size)
	n %= w
	r := a<<n | a>>(w-n)
	f.setCFOF(r&1 != 0, sign(r, size) != (r&1 != 0))
	return r
}

func opRor(f *flags, a, n uint32, size uint8) uint32 {
	w := 8 * uint32(size)
	n %= w
	r := a>>n | a<<(w-n)
	f.setCFOF(sign(r, size), sign(r, size) != sign(r<<1, size))
	return r
}

func opRcl(f *flags, a, n uint32, size uint8) uint32 {
	w := 8 * uint32(size)
	if n %= w + 1; n == 0 {
		f.setCFOF(f.cf() != 0, sign(a, size) != (f.cf() != 0))
		return a
	}
	wide := uint64(f.cf())<<w | uint64(a)
	wide = wide<<n | wide>>(w+1-n)
	cf := wide>>w&1 != 0
	f.setCFOF(cf, sign(uint32(wide), size) != cf)
	return uint32(wide)
}

func opRcr(f *flags, a, n uint32, size uint8) uint32 {
	w := 8 * uint32(size)
	if n %= w + 1; n == 0 {
		f.setCFOF(f.cf() != 0, sign(a, size) != sign(a<<1, size))
		return a
	}
	wide := uint64(f.cf())<<w | uint64(a)
	wide = wide>>n | wide<<(w+1-n)
	r := uint32(wide)
	f.setCFOF(wide>>w&1 != 0, sign(r, size) != sign(r<<1, size))
	return r
}

// doubleShift is SHLD or SHRD. With 16-bit operands a count above 16 is
// undefined: what comes in is the second operand twice, and CF is clear.
func doubleShift(left bool) func(*Engine, *isa.Inst) cpu.Trap {
	return func(e *Engine, in *isa.Inst) cpu.Trap {
		n, t := e.value(in, in.Args[2])
		if t != cpu.NoTrap {
			return t
		}
		p, a, t := e.modify(in, in.Args[0])
		if t != cpu.NoTrap {
			return t
		}
		if n &= 31; n == 0 {
			return e.finish(p, a)
		}
		b := e.register(in.Args[1])
		w := 8 * uint32(p.size)
		var r uint32
		var cf bool
		switch {
		case left && w == 32:
			r, cf = a<<n|b>>(32-n), a>>(32-n)&1 != 0
		case left:
			v := uint64(a)<<32 | uint64(b)<<16 | uint64(b)
			r, cf = uint32(v<<n>>32)&0xffff, v>>(48-n)&1 != 0
		case w == 32:
			r, cf = a>>n|b<<(32-n), a>>(n-1)&1 != 0
		default:
			v := uint64(b)<<32 | uint64(b)<<16 | uint64(a)
			r, cf = uint32(v>>n)&0xffff, v>>(n-1)&1 != 0
		}
		e.flags.logic(r, p.size)
		e.flags.setCFOF(cf && n <= w, sign(r^a, p.size))
		return e.finish(p, r)
	}
}

// bitTest is BT, BTS, BTR or BTC. With a register index and a memory operand
// the index reaches beyond the operand.
func bitTest(op func(v, bit uint32) uint32) func(*Engine, *isa.Inst) cpu.Trap {
	return func(e *Engine, in *isa.Inst) cpu.Trap {
		n := size(in, in.Args[0])
		index, t := e.value(in, in.Args[1])
		if t != cpu.NoTrap {
			return t
		}
		bit := index & uint32(8*n-1)
		p := place{arg: in.Args[0], size: n}
		var v uint32
		if p.arg.Kind() == isa.Mem {
			off := e.offset(in)
			if in.Args[1] != isa.Imm {
				off += uint32(int32(extend(index, n))>>(3+n/2)) * uint32(n)
				if in.AddrSize == 2 {
					off &= 0xffff
				}
			}
			if p.linear, t = e.address(in.Seg, off, int(n), op != nil); t != cpu.NoTrap {
				return t
			}
			if op != nil {
				if t = e.Probe(cpu.Linear(p.linear), int(n), e.Data()|cpu.Write); t != cpu.NoTrap {
					return t
				}
			}
			if v, t = e.load(p.linear, n); t != cpu.NoTrap {
				return t
			}
		} else {
			v = e.register(p.arg)
		}
		e.flags.setCF(v>>bit&1 != 0)
		if op == nil {
			return cpu.NoTrap
		}
		return e.finish(p, op(v, 1<<bit))
	}
}

// scan is BSF or BSR. A source of zero leaves the destination alone.
func scan(index func(v uint32) int) func(*Engine, *isa.Inst) cpu.Trap {
	return func(e *Engine, in *isa.Inst) cpu.Trap {
		v, t := e.value(in, in.Args[1])
		if t != cpu.NoTrap {
			return t
		}
		e.flags.logic(v, size(in, in.Args[0]))
		if v != 0 {
			e.setRegister(in.Args[0], uint32(index(v)))
		}
		return cpu.NoTrap
	}
}

func lowest(v uint32) int  { return bits.TrailingZeros32(v) }
func highest(v uint32) int { return 31 - bits.LeadingZeros32(v) }
