package interp

import (
	"math/bits"

	"github.com/gov86/gov86/cpu"
)

// flags are the six status flags as the last operation left them: ZF, SF and
// PF are read off the result, sign-extended to 32 bits, and CF, OF and AF off
// the carries. Two fields of carries let SF and PF differ from the result, so
// that every combination can be held.
type flags struct {
	result uint32
	// carries has CF in bit 31, the carry into the sign bit in bit 30, AF in
	// bit 3; bit 16 inverts SF; bits 8 to 15 are xored to the byte PF is made of.
	carries uint32
}

const (
	carryCF   = 1 << 31
	carryIn   = 1 << 30
	carryAF   = 1 << 3
	carryMask = carryCF | carryIn | carryAF
	invertSF  = 1 << 16
)

func (f *flags) cf() uint32 { return f.carries >> 31 }
func (f *flags) zf() bool   { return f.result == 0 }
func (f *flags) sf() bool   { return int32(f.result^f.carries<<15) < 0 }
func (f *flags) of() bool   { return int32(f.carries^f.carries<<1) < 0 }
func (f *flags) pf() bool   { return bits.OnesCount8(uint8(f.result^f.carries>>8))&1 == 0 }
func (f *flags) af() bool   { return f.carries&carryAF != 0 }

// word is the flags in their places in EFLAGS.
func (f *flags) word() uint32 {
	w := f.cf()
	if f.pf() {
		w |= cpu.FlagPF
	}
	if f.af() {
		w |= cpu.FlagAF
	}
	if f.zf() {
		w |= cpu.FlagZF
	}
	if f.sf() {
		w |= cpu.FlagSF
	}
	if f.of() {
		w |= cpu.FlagOF
	}
	return w
}

// set takes the flags from their places in EFLAGS.
func (f *flags) set(w uint32) {
	*f = flags{}
	parity := true // of a zero result
	if w&cpu.FlagZF == 0 {
		f.result = 1
		parity = false
	}
	if w&cpu.FlagSF != 0 {
		f.carries |= invertSF
	}
	if w&cpu.FlagPF != 0 != parity {
		f.carries |= 1 << 8
	}
	if w&cpu.FlagAF != 0 {
		f.carries |= carryAF
	}
	f.setCFOF(w&cpu.FlagCF != 0, w&cpu.FlagOF != 0)
}

// setCFOF replaces CF and OF and nothing else.
func (f *flags) setCFOF(cf, of bool) {
	f.carries &^= carryCF | carryIn
	if cf {
		f.carries |= carryCF
	}
	if cf != of {
		f.carries |= carryIn
	}
}

// setCF replaces CF and nothing else.
func (f *flags) setCF(cf bool) { f.setCFOF(cf, f.of()) }

// condition evaluates one of the sixteen conditions in the order of Jcc
// (Intel SDM Vol. 2, "EFLAGS Condition Codes").
func (f *flags) condition(cc uint8) bool {
	var v bool
	switch cc >> 1 {
	case 0:
		v = f.of()
	case 1:
		v = f.cf() != 0
	case 2:
		v = f.zf()
	case 3:
		v = f.cf() != 0 || f.zf()
	case 4:
		v = f.sf()
	case 5:
		v = f.pf()
	case 6:
		v = f.sf() != f.of()
	default:
		v = f.zf() || f.sf() != f.of()
	}
	return v != (cc&1 != 0)
}

// extend sign-extends the low size bytes of v.
func extend(v uint32, size uint8) uint32 {
	switch size {
	case 1:
		return uint32(int32(int8(v)))
	case 2:
		return uint32(int32(int16(v)))
	}
	return v
}

// carriesOf moves the carry vector of an operation of size bytes into place.
func carriesOf(vector uint32, size uint8) uint32 {
	shift := 32 - 8*uint32(size)
	return vector&carryAF | vector<<shift&(carryCF|carryIn)
}

// add is ADD, and ADC with the carry c, on operands of size bytes.
func (f *flags) add(a, b, c uint32, size uint8) uint32 {
	r := a + b + c
	*f = flags{extend(r, size), carriesOf(a&b|(a|b)&^r, size)}
	return r
}

// sub is SUB and CMP, and SBB with the borrow c, on operands of size bytes.
func (f *flags) sub(a, b, c uint32, size uint8) uint32 {
	r := a - b - c
	*f = flags{extend(r, size), carriesOf(^a&b|(^a|b)&r, size)}
	return r
}

// logic is the flags of AND, OR, XOR and TEST.
func (f *flags) logic(r uint32, size uint8) uint32 {
	*f = flags{extend(r, size), 0}
	return r
}

// product is the flags of IMUL in its forms with one result register: CF and
// OF tell that the doubleword did not hold it.
func (f *flags) product(v int64) {
	*f = flags{result: uint32(v)}
	if int64(int32(v)) != v {
		f.setCFOF(true, true)
	}
}
