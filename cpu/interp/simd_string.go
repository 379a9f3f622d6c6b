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

// read takes v apart. The text ends at a null element.
func (s *text) read(v *vector, imm uint8) {
	if imm&stringWords == 0 {
		s.n = 16
		for i := range s.element {
			w := uint8(v[i>>3] >> (i & 7 * 8))
			s.element[i] = int32(w)
			if imm&stringSigned != 0 {
				s.element[i] = int32(int8(w))
			}
		}
	} else {
		s.n = 8
		for i := range s.element[:8] {
			w := uint16(v[i>>2] >> (i & 3 * 16))
			s.element[i] = int32(w)
			if imm&stringSigned != 0 {
				s.element[i] = int32(int16(w))
			}
		}
	}
	s.valid = 0
	for s.valid < s.n && s.element[s.valid&15] != 0 {
		s.valid++
	}
}

// length is the number of valid elements that a general register gives.
func length(v uint32, n uint8) uint8 {
	d := int64(int32(v))
	return uint8(min(max(d, -d), int64(n)))
}

// aggregate compares the texts as bits 2 and 3 of imm say: a bit for each
// element of b.
func aggregate(a, b *text, imm uint8) uint32 {
	switch imm >> 2 & 3 {
	case 0:
		return equalAny(a, b)
	case 1:
		return inRanges(a, b)
	case 2:
		return equalEach(a, b)
	}
	return equalOrdered(a, b)
}

func equalAny(a, b *text) (r uint32) {
	for j, w := range b.element[:b.valid] {
		for _, x := range a.element[:a.valid] {
			if x == w {
				r |= 1 << j
				break
			}
		}
	}
	return r
}

func inRanges(a, b *text) (r uint32) {
	for j, w := range b.element[:b.valid] {
		for i := uint8(0); i+1 < a.valid; i += 2 {
			if a.element[i] <= w && w <= a.element[i+1] {
				r |= 1 << j
				break
			}
		}
	}
	return r
}

func equalEach(a, b *text) (r uint32) {
	for j := range b.n {
		ended := j >= a.valid
		if ended == (j >= b.valid) && (ended || a.element[j] == b.element[j]) {
			r |= 1 << j
		}
	}
	return r
}

func equalOrdered(a, b *text) (r uint32) {
	for j := range b.n {
		if b.holds(j, a) {
			r |= 1 << j
		}
	}
	return r
}

// holds reports whether a, as far as the register goes, stands at element j.
func (s *text) holds(j uint8, a *text) bool {
	for i := uint8(0); i < a.valid && i+j < s.n; i++ {
		if i+j >= s.valid || a.element[i] != s.element[i+j] {
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
		var a, b text
		a.read(&e.XMM[in.Args[0].Num()&7], imm)
		b.read(&v, imm)
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
