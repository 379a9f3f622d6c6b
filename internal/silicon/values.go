package silicon

import (
	"encoding/binary"
	"math/rand/v2"
)

// A source makes the values of cases: those at the edges of what a type can
// hold oftener than chance would.
type source struct{ *rand.Rand }

// one returns one of v.
func one[T any](s source, v ...T) T { return v[s.IntN(len(v))] }

// percent is true p times in a hundred.
func (s source) percent(p int) bool { return s.IntN(100) < p }

// word is a 32-bit integer.
func (s source) word() uint32 {
	switch s.IntN(6) {
	case 0:
		return one[uint32](s, 0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000,
			0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff)
	case 1:
		return 1 << s.IntN(32)
	case 2:
		return uint32(int32(int8(s.Uint32())))
	case 3:
		return s.Uint32() & s.Uint32()
	}
	return s.Uint32()
}

// target is the linear address of a memory operand.
func (s source) target() uint32 {
	near := func(a uint32) uint32 { return a - uint32(s.IntN(20)) }
	switch n := s.IntN(100); {
	case n < 30:
		return DataAt + uint32(s.IntN(2*pageSize/16-2))*16
	case n < 55:
		return DataAt + uint32(s.IntN(2*pageSize-512))
	case n < 75:
		return near(DataAt + pageSize)
	case n < 82:
		return near(DataAt + 2*pageSize)
	case n < 90:
		return DataAt + 2*pageSize + uint32(s.IntN(pageSize))
	case n < 96:
		return near(DataAt + 3*pageSize)
	case n < 98:
		return near(DataAt)
	}
	return s.Uint32()
}

// stack is a value for ESP.
func (s source) stack() uint32 {
	switch n := s.IntN(100); {
	case n < 70:
		return StackAt + pageSize + uint32(s.IntN(1024)-512)*4
	case n < 80:
		return StackAt + pageSize + uint32(s.IntN(64)-32)
	case n < 88:
		return StackAt + uint32(s.IntN(48))
	case n < 96:
		return StackAt + StackSize - uint32(s.IntN(48))
	}
	return s.word()
}

// eflags are the status flags and DF, and rarely AC.
func (s source) eflags() uint32 {
	const status, df, ac, always = 0x8d5, 1 << 10, 1 << 18, 1<<1 | 1<<9
	f := s.Uint32()&status | always
	if s.percent(20) {
		f |= df
	}
	if s.percent(2) {
		f |= ac
	}
	return f
}

// float32bits is a single-precision number.
func (s source) float32bits() uint32 {
	sign := s.Uint32() & (1 << 31)
	switch s.IntN(10) {
	case 0:
		return sign | one[uint32](s, 0, 1, 0x7fffff, 0x800000, 0x7f7fffff, 0x7f800000, 0x7fc00000, 0x7f800001,
			0x7fa00000, 0x3f800000, 0x3f000000, 0x3f7fffff, 0x3f800001, 0x4b000000, 0x4f000000, 0x4effffff, 0x4f800000)
	case 1:
		return sign | s.Uint32()&0x7fffff // denormal
	case 2:
		return sign | 0x7f800000 | s.Uint32()&0x7fffff
	case 3:
		return s.Uint32()
	case 4:
		return sign | uint32(127+s.IntN(32))<<23 | s.Uint32()&0x7fffff&^(1<<s.IntN(23)-1)
	}
	return sign | uint32(100+s.IntN(54))<<23 | s.Uint32()&0x7fffff
}

// float64bits is a double-precision number.
func (s source) float64bits() uint64 {
	sign := s.Uint64() & (1 << 63)
	const fraction = 1<<52 - 1
	switch s.IntN(10) {
	case 0:
		return sign | one[uint64](s, 0, 1, fraction, 1<<52, 0x7fefffffffffffff, 0x7ff0000000000000, 0x7ff8000000000000,
			0x7ff0000000000001, 0x3ff0000000000000, 0x3fe0000000000000, 0x41e0000000000000, 0x41dfffffffc00000,
			0x43e0000000000000, 0x36a0000000000000, 0x3810000000000000, 0x47efffffe0000000, 0x47f0000000000000)
	case 1:
		return sign | s.Uint64()&fraction
	case 2:
		return sign | 0x7ff<<52 | s.Uint64()&fraction
	case 3:
		return s.Uint64()
	case 4:
		return sign | uint64(1023+s.IntN(64))<<52 | s.Uint64()&fraction&^(1<<s.IntN(52)-1)
	case 5: // about the limits of single precision
		return sign | uint64(one(s, 1023-150, 1023-127, 1023-126, 1023+127, 1023+128))<<52 | s.Uint64()&fraction
	}
	return sign | uint64(1000+s.IntN(46))<<52 | s.Uint64()&fraction
}

// float80 is an extended-precision number: significand, sign and exponent.
func (s source) float80() (significand uint64, signExponent uint16) {
	sign := uint16(s.Uint32()) & 0x8000
	const integer = 1 << 63
	m := s.Uint64() | integer
	if s.percent(50) {
		m &^= 1<<s.IntN(64) - 1
	}
	switch s.IntN(16) {
	case 0:
		return 0, sign
	case 1:
		return integer, sign | 0x7fff // infinity
	case 2:
		return m, sign | 0x7fff // NaN
	case 3:
		return s.Uint64() &^ integer, sign // denormal
	case 4:
		return m, sign // pseudo-denormal
	case 5:
		return s.Uint64() &^ integer, uint16(s.Uint32()) // unsupported, mostly
	case 6:
		return s.Uint64(), uint16(s.Uint32())
	case 7:
		return m, sign | one[uint16](s, 1, 2, 0x7ffe, 0x3fff-63, 0x3fff-64, 0x3fff+63, 0x3fff+64, 0x3fff+1023, 0x3fff+1024,
			0x3fff-1022, 0x3fff-1074, 0x3fff+127, 0x3fff-126, 0x3fff-149)
	case 8:
		return integer, sign | 0x3fff // one
	case 9:
		return m, sign | uint16(0x3fff+s.IntN(70))
	case 10:
		return m, sign | uint16(0x3fff-s.IntN(70))
	}
	return m, sign | uint16(0x3fff-8+s.IntN(16))
}

// lane fills a quadword with what a vector instruction may meet.
func (s source) lane(b []byte) {
	le := binary.LittleEndian
	switch s.IntN(4) {
	case 0:
		le.PutUint64(b, s.float64bits())
	case 1:
		le.PutUint32(b, s.float32bits())
		le.PutUint32(b[4:], s.float32bits())
	case 2:
		le.PutUint32(b, s.word())
		le.PutUint32(b[4:], s.word())
	case 3:
		for i := 0; i < 8; i += 2 {
			le.PutUint16(b[i:], uint16(s.word()))
		}
	}
}

// quietImage is the FXSAVE image of a program that has not used floating point.
func quietImage() (b [imageUsed]byte) {
	binary.LittleEndian.PutUint16(b[0:], 0x37f)
	binary.LittleEndian.PutUint32(b[24:], 0x1f80)
	return b
}

// image is an FXSAVE image.
func (s source) image() (b [imageUsed]byte) {
	le := binary.LittleEndian
	control := uint16(0x37f)
	if s.percent(60) {
		control = 0x40 | one[uint16](s, 0, 2, 3, 3)<<8 | uint16(s.IntN(4))<<10 | 0x3f
	}
	if s.percent(20) {
		control &^= uint16(s.Uint32()) & 0x3f
	}
	status := uint16(s.IntN(8))<<11 | uint16(s.Uint32())&0x4700
	if s.percent(10) {
		status |= uint16(s.Uint32()) & 0x7f
	}
	if s.percent(95) {
		control |= status & 0x3f // nothing is pending
	}
	if status&^control&0x3f != 0 {
		status |= 0x8080
	}
	le.PutUint16(b[0:], control)
	le.PutUint16(b[2:], status)
	b[4] = 0xff
	if s.percent(50) {
		b[4] = byte(s.Uint32())
	}
	mxcsr := uint32(0x1f80)
	if s.percent(60) {
		mxcsr |= s.Uint32() & 0xe040
	}
	if s.percent(20) {
		mxcsr ^= s.Uint32() & 0x1f80
	}
	if s.percent(10) {
		mxcsr |= s.Uint32() & 0x3f
	}
	le.PutUint32(b[24:], mxcsr)
	for i := range 8 {
		m, e := s.float80()
		if s.percent(12) { // as an MMX register
			s.lane(b[32+16*i:])
			m, e = le.Uint64(b[32+16*i:]), 0xffff
		}
		le.PutUint64(b[32+16*i:], m)
		le.PutUint16(b[40+16*i:], e)
	}
	for at := 160; at < imageUsed; at += 8 {
		s.lane(b[at:])
	}
	return b
}

// memory is the contents of the data and stack areas.
func (s source) memory() []byte {
	b := make([]byte, DataSize+StackSize)
	le := binary.LittleEndian
	for at := 0; at < len(b); at += 8 {
		s.lane(b[at:])
		switch n := s.IntN(100); {
		case at >= DataSize && n < 40:
			le.PutUint32(b[at:], s.landing())
		case n < 4:
			le.PutUint32(b[at:], s.target())
		case n < 8:
			le.PutUint16(b[at+4:], s.selector())
		case n < 12 && at+16 < len(b):
			m, e := s.float80()
			le.PutUint64(b[at:], m)
			le.PutUint16(b[at+8:], e)
			at += 8
		}
	}
	return b
}

func (s source) landing() uint32 { return CodeAt + uint32(s.IntN(landings)) }

// selector is a value for a segment register.
func (s source) selector() uint16 {
	switch n := s.IntN(100); {
	case n < 60:
		return Selector(s.IntN(len(LDT))) &^ uint16(s.IntN(4)*s.IntN(2))
	case n < 80:
		return one[uint16](s, FlatCode, FlatData, FlatData&^3, FlatCode&^3)
	case n < 90:
		return uint16(s.IntN(4))
	}
	return one[uint16](s, 0x08, 0x10, 0x18, 0x1b, 0x83, 0xffff, 0xfffc, Selector(len(LDT)))
}
