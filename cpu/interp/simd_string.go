package interp

import (
	"math/bits"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/cpu/simd"
)

// PCMPESTRI, PCMPESTRM, PCMPISTRI and PCMPISTRM (Intel SDM Vol. 2, "Imm8
// Control Byte Operation for PCMPESTRI / PCMPESTRM / PCMPISTRI / PCMPISTRM").

// Bits of the control byte.
const (
	stringWords  = 1 << 0
	stringSigned = 1 << 1
	stringMasked = 1 << 5 // invert only where the source is valid
	stringInvert = 1 << 4
	stringHigh   = 1 << 6 // the last index, or a mask of whole elements
)

// A text is an operand as elements and how many of them are valid.
type text struct {
	element [16]int32
	n       uint8 // elements in the register
	valid   uint8
}

// newText takes v apart. The text ends at a null element.
func newText(v vector, imm uint8) text {
	size := imm&stringWords + 1
	s := text{n: 16 / size}
	s.valid = s.n
	for i := range s.n {
		w := uint32(simd.Lane(&v, i, size))
		if w == 0 {
			s.valid = min(s.valid, i)
		}
		if imm&stringSigned != 0 {
			w = extend(w, size)
		}
		s.element[i] = int32(w)
	}
	return s
}

// length is the number of valid elements that a general register gives.
func length(v uint32, n uint8) uint8 {
	d := int64(int32(v))
	return uint8(min(max(d, -d), int64(n)))
}

// aggregate compares the texts as bits 2 and 3 of imm say: a bit for each
// element of b.
func aggregate(a, b *text, imm uint8) (r uint32) {
	for j := range b.n {
		var hit bool
		switch imm >> 2 & 3 {
		case 0:
			hit = equalAny(a, b, j)
		case 1:
			hit = inRanges(a, b, j)
		case 2:
			hit = equalEach(a, b, j)
		default:
			hit = equalOrdered(a, b, j)
		}
		if hit {
			r |= 1 << j
		}
	}
	return r
}

func equalAny(a, b *text, j uint8) bool {
	for i := range a.valid {
		if j < b.valid && a.element[i] == b.element[j] {
			return true
		}
	}
	return false
}

func inRanges(a, b *text, j uint8) bool {
	for i := uint8(0); i+1 < a.valid; i += 2 {
		if j < b.valid && a.element[i] <= b.element[j] && b.element[j] <= a.element[i+1] {
			return true
		}
	}
	return false
}

func equalEach(a, b *text, j uint8) bool {
	if j >= a.valid || j >= b.valid {
		return j >= a.valid && j >= b.valid
	}
	return a.element[j] == b.element[j]
}

func equalOrdered(a, b *text, j uint8) bool {
	for i := uint8(0); i < a.valid && i+j < b.n; i++ {
		if i+j >= b.valid || a.element[i] != b.element[i+j] {
			return false
		}
	}
	return true
}

// pcmpstr is one of the four: the lengths are explicit or not, the result is
// an index or a mask.
func pcmpstr(explicit, index bool) func(*Engine, *isa.Inst) cpu.Trap {
	return guarded(func(e *Engine, in *isa.Inst) cpu.Trap {
		v, t := e.vector(in, in.Args[1])
		if t != cpu.NoTrap {
			return t
		}
		imm := uint8(in.Imm)
		a, b := newText(e.XMM[in.Args[0].Num()&7], imm), newText(v, imm)
		if explicit {
			a.valid, b.valid = length(e.Reg32(cpu.EAX), a.n), length(e.Reg32(cpu.EDX), b.n)
		}
		r := aggregate(&a, &b, imm)
		if imm&stringInvert != 0 {
			n := b.n
			if imm&stringMasked != 0 {
				n = b.valid
			}
			r ^= 1<<n - 1
		}
		if index {
			e.SetReg32(cpu.ECX, position(r, &b, imm))
		} else {
			e.XMM[0] = stringMask(r, &b, imm)
		}
		e.flags.set(stringFlags(r, &a, &b))
		return cpu.NoTrap
	})
}

// position is the first or the last set bit of r, or the number of elements.
func position(r uint32, b *text, imm uint8) uint32 {
	switch {
	case r == 0:
		return uint32(b.n)
	case imm&stringHigh != 0:
		return uint32(bits.Len32(r)) - 1
	}
	return uint32(bits.TrailingZeros32(r))
}

// stringMask is r itself, or a mask with an element for each bit of it.
func stringMask(r uint32, b *text, imm uint8) (m vector) {
	if imm&stringHigh == 0 {
		return vector{uint64(r)}
	}
	for i := range b.n {
		if r>>i&1 != 0 {
			simd.SetLane(&m, i, 16/b.n, ^uint64(0))
		}
	}
	return m
}

func stringFlags(r uint32, a, b *text) (w uint32) {
	for _, f := range [...]struct {
		set bool
		bit uint32
	}{{r != 0, cpu.FlagCF}, {b.valid < b.n, cpu.FlagZF}, {a.valid < a.n, cpu.FlagSF}, {r&1 != 0, cpu.FlagOF}} {
		if f.set {
			w |= f.bit
		}
	}
	return w
}
