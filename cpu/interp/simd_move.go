package interp

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/cpu/simd"
)

// Moves, shuffles, insertions and masks of MMX and XMM registers.

// moveVector copies, zero-extended to a whole register.
func moveVector(e *Engine, in *isa.Inst) cpu.Trap {
	v, t := e.vector(in, in.Args[1])
	if t != cpu.NoTrap {
		return t
	}
	return e.setVector(in, in.Args[0], v)
}

// movq copies the low quadword.
func movq(e *Engine, in *isa.Inst) cpu.Trap {
	v, t := e.vector(in, in.Args[1])
	if t != cpu.NoTrap {
		return t
	}
	v[1] = 0
	return e.setVector(in, in.Args[0], v)
}

// movScalar is MOVSS and MOVSD: between registers the rest of the destination
// stays, from memory it becomes zero.
func movScalar(n uint8) func(*Engine, *isa.Inst) cpu.Trap {
	return func(e *Engine, in *isa.Inst) cpu.Trap {
		d, s := in.Args[0], in.Args[1]
		if d.Kind() == isa.XMM && s.Kind() == isa.XMM {
			simd.SetLane(&e.XMM[d.Num()&7], 0, n, e.XMM[s.Num()&7][0])
			return cpu.NoTrap
		}
		return moveVector(e, in)
	}
}

// movHalf moves quadword from of the source to quadword to of the destination,
// each of them in memory quadword 0.
func movHalf(to, from uint8) func(*Engine, *isa.Inst) cpu.Trap {
	return func(e *Engine, in *isa.Inst) cpu.Trap {
		v, t := e.vector(in, in.Args[1])
		if t != cpu.NoTrap {
			return t
		}
		q := v[0]
		if in.Args[1].Kind() == isa.XMM {
			q = v[from]
		}
		d := in.Args[0]
		if d.Kind() != isa.XMM {
			return e.setVector(in, d, vector{q})
		}
		e.XMM[d.Num()&7][to] = q
		return cpu.NoTrap
	}
}

// A mixer makes a result of destination, source and immediate.
type mixer = func(a, b vector, imm uint8) vector

// mix is an operation that a mixer does.
func mix(fn mixer) func(*Engine, *isa.Inst) cpu.Trap {
	return guarded(func(e *Engine, in *isa.Inst) cpu.Trap {
		b, t := e.vector(in, in.Args[1])
		if t != cpu.NoTrap {
			return t
		}
		a, _ := e.vector(in, in.Args[0])
		return e.setVector(in, in.Args[0], fn(a, b, uint8(in.Imm)))
	})
}

func and(a, b vector, _ uint8) vector  { return vector{a[0] & b[0], a[1] & b[1]} }
func andn(a, b vector, _ uint8) vector { return vector{b[0] &^ a[0], b[1] &^ a[1]} }
func or(a, b vector, _ uint8) vector   { return vector{a[0] | b[0], a[1] | b[1]} }
func xor(a, b vector, _ uint8) vector  { return vector{a[0] ^ b[0], a[1] ^ b[1]} }

// words picks four words of q by the pairs of bits of imm.
func words(q uint64, imm uint8) uint64 {
	v, r := vector{q}, vector{}
	for i := range uint8(4) {
		simd.SetLane(&r, i, 2, simd.Lane(&v, imm>>(2*i)&3, 2))
	}
	return r[0]
}

func pshufw(_, b vector, imm uint8) vector  { return vector{words(b[0], imm), b[1]} }
func pshufhw(_, b vector, imm uint8) vector { return vector{b[0], words(b[1], imm)} }

func pshufd(_, b vector, imm uint8) vector { return shufps(b, b, imm) }

func shufps(a, b vector, imm uint8) (r vector) {
	for i, from := range [4]*vector{&a, &a, &b, &b} {
		simd.SetLane(&r, uint8(i), 4, simd.Lane(from, imm>>(2*i)&3, 4))
	}
	return r
}

func shufpd(a, b vector, imm uint8) vector { return vector{a[imm&1], b[imm>>1&1]} }

// shiftRight moves the 32 bytes high:low right by n bytes and keeps the low
// sixteen.
func shiftRight(high, low vector, n uint8) (r vector) {
	q := [4]uint64{low[0], low[1], high[0], high[1]}
	for i := range uint8(2) {
		at, bits := i+n/8, n%8*8
		if at < 4 {
			r[i] = q[at] >> bits
		}
		if at+1 < 4 {
			r[i] |= q[at+1] << (64 - bits)
		}
	}
	return r
}

func psrldq(a, b vector, _ uint8) vector { return shiftRight(vector{}, a, uint8(min(b[0], 32))) }
func pslldq(a, b vector, _ uint8) vector { return shiftRight(a, vector{}, 16-uint8(min(b[0], 16))) }

func palignr(e *Engine, in *isa.Inst) cpu.Trap {
	b, t := e.vector(in, in.Args[1])
	if t != cpu.NoTrap {
		return t
	}
	a, _ := e.vector(in, in.Args[0])
	n := uint8(min(in.Imm, 32))
	if in.Args[0].Kind() == isa.MMX {
		return e.setVector(in, in.Args[0], shiftRight(vector{}, vector{b[0], a[0]}, n))
	}
	return e.setVector(in, in.Args[0], shiftRight(a, b, n))
}

// blend takes the elements of n bytes of b where the bits of imm are set.
func blend(n uint8) mixer {
	return func(a, b vector, imm uint8) vector {
		for i := range 16 / n {
			if imm>>i&1 != 0 {
				simd.SetLane(&a, i, n, simd.Lane(&b, i, n))
			}
		}
		return a
	}
}

// blendv takes the elements of n bytes of the source where those of XMM0 are
// negative.
func blendv(n uint8) func(*Engine, *isa.Inst) cpu.Trap {
	return guarded(func(e *Engine, in *isa.Inst) cpu.Trap {
		b, t := e.vector(in, in.Args[1])
		if t != cpu.NoTrap {
			return t
		}
		d, mask := &e.XMM[in.Args[0].Num()&7], e.XMM[0]
		for i := range 16 / n {
			if simd.Lane(&mask, i, n)>>(8*n-1) != 0 {
				simd.SetLane(d, i, n, simd.Lane(&b, i, n))
			}
		}
		return cpu.NoTrap
	})
}

// signs collects the sign bits of the elements of n bytes.
func signs(n uint8) func(*Engine, *isa.Inst) cpu.Trap {
	return guarded(func(e *Engine, in *isa.Inst) cpu.Trap {
		v, _ := e.vector(in, in.Args[1])
		var r uint32
		for i := range 16 / n {
			r |= uint32(simd.Lane(&v, i, n)>>(8*n-1)) << i
		}
		e.SetReg32(in.Args[0].Num(), r)
		return cpu.NoTrap
	})
}

// elements is how many elements of n bytes register a has.
func elements(a isa.Arg, n uint8) uint8 {
	if a.Kind() == isa.MMX {
		return 8 / n
	}
	return 16 / n
}

// extract moves one element of n bytes to a general register or memory.
func extract(n uint8) func(*Engine, *isa.Inst) cpu.Trap {
	return guarded(func(e *Engine, in *isa.Inst) cpu.Trap {
		s := in.Args[1]
		v, _ := e.vector(in, s)
		return e.setValue(in, in.Args[0], uint32(simd.Lane(&v, uint8(in.Imm)&(elements(s, n)-1), n)))
	})
}

// insert replaces one element of n bytes.
func insert(n uint8) func(*Engine, *isa.Inst) cpu.Trap {
	return guarded(func(e *Engine, in *isa.Inst) cpu.Trap {
		w, t := e.value(in, in.Args[1])
		if t != cpu.NoTrap {
			return t
		}
		d := in.Args[0]
		v, _ := e.vector(in, d)
		simd.SetLane(&v, uint8(in.Imm)&(elements(d, n)-1), n, uint64(w))
		return e.setVector(in, d, v)
	})
}

// insertps takes an element of a register as bits 6 and 7 of the immediate
// say, or the doubleword in memory, and clears the elements of bits 0 to 3.
func insertps(e *Engine, in *isa.Inst) cpu.Trap {
	v, t := e.vector(in, in.Args[1])
	if t != cpu.NoTrap {
		return t
	}
	imm, from := uint8(in.Imm), uint8(0)
	if in.Args[1].Kind() == isa.XMM {
		from = imm >> 6
	}
	d := &e.XMM[in.Args[0].Num()&7]
	simd.SetLane(d, imm>>4&3, 4, simd.Lane(&v, from, 4))
	for i := range uint8(4) {
		if imm>>i&1 != 0 {
			simd.SetLane(d, i, 4, 0)
		}
	}
	return cpu.NoTrap
}

// maskmov stores at EDI the bytes whose mask is negative. All of the bytes must
// be writable, whatever the mask. Where alignment is checked, eight bytes are to
// be aligned.
func maskmov(e *Engine, in *isa.Inst) cpu.Trap {
	v, _ := e.vector(in, in.Args[0])
	mask, _ := e.vector(in, in.Args[1])
	seg, off := isa.DS, e.Reg32(cpu.EDI)
	if in.Prefix&isa.SegOverride != 0 {
		seg = in.Seg
	}
	if in.AddrSize == 2 {
		off &= 0xffff
	}
	n := int(elements(in.Args[0], 1))
	to, t := e.addressOf(seg, off, n, 8, true)
	if t == cpu.NoTrap {
		t = e.Probe(cpu.Linear(to), n, e.Data()|cpu.Write)
	}
	for i := range uint8(n) {
		if t == cpu.NoTrap && simd.Lane(&mask, i, 1) >= 0x80 {
			t = e.store8(to+uint32(i), uint32(simd.Lane(&v, i, 1)))
		}
	}
	return t
}

// ptest sets ZF when source and destination have no bit in common, CF when the
// destination has all bits of the source.
func ptest(e *Engine, in *isa.Inst) cpu.Trap {
	b, t := e.vector(in, in.Args[1])
	if t != cpu.NoTrap {
		return t
	}
	a := e.XMM[in.Args[0].Num()&7]
	var w uint32
	if a[0]&b[0]|a[1]&b[1] == 0 {
		w |= cpu.FlagZF
	}
	if b[0]&^a[0]|b[1]&^a[1] == 0 {
		w |= cpu.FlagCF
	}
	e.flags.set(w)
	return cpu.NoTrap
}

// mpsadbw sums the distances of four bytes of the source to four at each of
// eight places of the destination.
func mpsadbw(a, b vector, imm uint8) (r vector) {
	to, from := imm&4, imm&3*4
	for i := range uint8(8) {
		var sum uint64
		for k := range uint8(4) {
			x, y := simd.Lane(&a, to+i+k, 1), simd.Lane(&b, from+k, 1)
			sum += max(x, y) - min(x, y)
		}
		simd.SetLane(&r, i, 2, sum)
	}
	return r
}

// simdOps are the MMX and SSE operations that need no arithmetic unit.
var simdOps = [isa.NumOps]func(*Engine, *isa.Inst) cpu.Trap{
	isa.EMMS: emms, isa.MOVD: guarded(moveVector), isa.MOVQ: guarded(movq),
	isa.MOVAPS: guarded(moveVector), isa.MOVAPD: guarded(moveVector), isa.MOVDQA: guarded(moveVector),
	isa.MOVUPS: guarded(moveVector), isa.MOVUPD: guarded(moveVector), isa.MOVDQU: guarded(moveVector), isa.LDDQU: guarded(moveVector),
	isa.MOVNTPS: guarded(moveVector), isa.MOVNTPD: guarded(moveVector), isa.MOVNTDQ: guarded(moveVector), isa.MOVNTQ: guarded(moveVector),
	isa.MOVNTDQA: guarded(moveVector), isa.MOVQ2DQ: guarded(movq), isa.MOVDQ2Q: guarded(movq),
	isa.MOVSS: guarded(movScalar(4)), isa.MOVSD_X: guarded(movScalar(8)),
	isa.MOVLPS: guarded(movHalf(0, 0)), isa.MOVLPD: guarded(movHalf(0, 0)),
	isa.MOVHPS: guarded(movHalf(1, 1)), isa.MOVHPD: guarded(movHalf(1, 1)),
	isa.MOVHLPS: guarded(movHalf(0, 1)), isa.MOVLHPS: guarded(movHalf(1, 0)),
	isa.MOVMSKPS: signs(4), isa.MOVMSKPD: signs(8), isa.PMOVMSKB: signs(1),
	isa.MASKMOVQ: guarded(maskmov), isa.MASKMOVDQU: guarded(maskmov),

	isa.PAND: mix(and), isa.ANDPS: mix(and), isa.ANDPD: mix(and), isa.PANDN: mix(andn), isa.ANDNPS: mix(andn), isa.ANDNPD: mix(andn),
	isa.POR: mix(or), isa.ORPS: mix(or), isa.ORPD: mix(or), isa.PXOR: mix(xor), isa.XORPS: mix(xor), isa.XORPD: mix(xor),
	isa.PSHUFW: mix(pshufw), isa.PSHUFLW: mix(pshufw), isa.PSHUFHW: mix(pshufhw), isa.PSHUFD: mix(pshufd),
	isa.SHUFPS: mix(shufps), isa.SHUFPD: mix(shufpd), isa.PSLLDQ: mix(pslldq), isa.PSRLDQ: mix(psrldq),
	isa.PALIGNR: guarded(palignr), isa.PBLENDW: mix(blend(2)), isa.BLENDPS: mix(blend(4)), isa.BLENDPD: mix(blend(8)),
	isa.PBLENDVB: blendv(1), isa.BLENDVPS: blendv(4), isa.BLENDVPD: blendv(8),
	isa.PEXTRB: extract(1), isa.PEXTRW: extract(2), isa.PEXTRW_M: extract(2), isa.PEXTRD: extract(4), isa.EXTRACTPS: extract(4),
	isa.PINSRB: insert(1), isa.PINSRW: insert(2), isa.PINSRD: insert(4), isa.INSERTPS: guarded(insertps),
	isa.PTEST: guarded(ptest), isa.MPSADBW: mix(mpsadbw),
	isa.PCMPESTRI: pcmpstr(true, true), isa.PCMPESTRM: pcmpstr(true, false),
	isa.PCMPISTRI: pcmpstr(false, true), isa.PCMPISTRM: pcmpstr(false, false),
}
