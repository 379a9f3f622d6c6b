package system

import (
	"math/rand/v2"

	"github.com/gov86/gov86/cpu"
)

// A source makes the values of cases.
type source struct{ *rand.Rand }

// one returns one of v.
func one[T any](s source, v ...T) T { return v[s.IntN(len(v))] }

// percent is true p times in a hundred.
func (s source) percent(p int) bool { return s.IntN(100) < p }

// target is the address of something in memory, mostly of data.
func (s source) target() uint32 {
	switch n := s.IntN(100); {
	case n < 70:
		return dataAt + uint32(s.IntN(dataSize-16))
	case n < 80:
		return dataAt + pageSize - uint32(s.IntN(9))
	case n < 90:
		return stackAt + uint32(s.IntN(pageSize))
	}
	return uint32(s.IntN(Size))
}

// word is a 32-bit integer.
func (s source) word() uint32 {
	switch s.IntN(4) {
	case 0:
		return one[uint32](s, 0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff)
	case 1:
		return s.target()
	case 2:
		return uint32(int32(int8(s.Uint32())))
	}
	return s.Uint32()
}

// selector is a value for a segment register.
func (s source) selector() uint16 {
	rpl := uint16(s.IntN(4))
	switch n := s.IntN(100); {
	case n < 35: // one of the fixed
		sel := uint16(1+s.IntN(firstRandom-1)) << 3
		if s.percent(70) && sel <= flatData(3) {
			return sel | (sel>>3-1)/2
		}
		return sel | rpl
	case n < 75:
		return uint16(firstRandom+s.IntN(gdtEntries-firstRandom))<<3 | rpl
	case n < 90:
		return uint16(s.IntN(ldtEntries))<<3 | 4 | rpl
	case n < 95:
		return rpl
	}
	return one(s, gdtEntries<<3|rpl, ldtEntries<<3|4|rpl, 0xfff8|rpl, uint16(s.Uint32()))
}

// landing is an offset in a flat code segment where there is a HLT.
func (s source) landing() uint32 {
	switch n := s.IntN(100); {
	case n < 85:
		return landingAt + uint32(s.IntN(pageSize))
	case n < 95:
		return stubsAt + 0x100 + uint32(s.IntN(64))
	}
	// Beyond most limits; only a word of it may count.
	return landingAt + uint32(s.IntN(pageSize)) | 0x10000<<s.IntN(16)
}

// descriptor is one of any kind.
func (s source) descriptor() uint64 {
	dpl := uint8(s.IntN(4)) << 5
	present := uint8(0x80)
	if s.percent(8) {
		present = 0
	}
	switch n := s.IntN(100); {
	case n < 30: // data
		return s.sized(0x10|uint8(s.IntN(8))|dpl|present, false)
	case n < 60: // code
		return s.sized(0x18|uint8(s.IntN(8))|dpl|present, true)
	case n < 80:
		kind := one[uint8](s, 4, 12, 12, 12, 5)
		count := uint8(0)
		if s.percent(40) {
			count = uint8(s.IntN(4))
		}
		if s.percent(5) {
			count = uint8(s.Uint32())
		}
		return gate(s.selector(), s.landing(), kind|dpl|present, count)
	case n < 86:
		base, least := uint32(tss2At), uint32(0x67)
		kind := one[uint8](s, 9, 9, 11, 1, 3)
		if kind < 8 {
			base, least = tss3At, 0x2b
		}
		return descriptor(base, least-one[uint32](s, 0, 0, 0, 0, 1), kind|dpl|present, 0)
	case n < 90:
		return descriptor(ldtAt, uint32(s.IntN(8*ldtEntries)), 2|dpl|present, 0)
	}
	return s.Uint64()
}

// sized is a code or data descriptor of some base and limit.
func (s source) sized(access uint8, code bool) uint64 {
	flags := one[uint8](s, 0xc, 0xc, 0xc, 4, 0)
	base, limit := uint32(0), uint32(0xfffff)
	if flags&8 == 0 {
		limit = one[uint32](s, 0xffff, 0xffff, 0xfffff, landingAt+0x800, dataAt+0x800, stackAt+0x800, 0x10, 0)
	}
	if s.percent(15) {
		base = one[uint32](s, 0x10, 0x100, dataAt, landingAt, 0xffff0000, s.Uint32())
	}
	if !code && access&4 != 0 && s.percent(70) { // expand-down
		limit = one[uint32](s, 0, 0x10, 0x7fff)
	}
	return descriptor(base, limit, access, flags)
}

// eflags are flags that any level may have.
func (s source) eflags() uint32 {
	f := s.Uint32()&cpu.FlagsStatus | cpu.FlagOne
	return f | s.some(cpu.FlagDF, 20) | s.some(cpu.FlagIF, 50) | uint32(s.IntN(4))<<12 | s.some(cpu.FlagAC, 10) |
		s.some(cpu.FlagID, 20)
}

// some is bits, p times in a hundred.
func (s source) some(bits uint32, p int) uint32 {
	if s.percent(p) {
		return bits
	}
	return 0
}
