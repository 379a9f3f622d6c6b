package fpu

import "math/bits"

// FromInt64 is FILD, which is exact.
func FromInt64(v int64) F80 {
	if v == 0 {
		return F80{}
	}
	m := uint64(v)
	if v < 0 {
		m = -m
	}
	n := bits.LeadingZeros64(m)
	return F80{m << n, uint16(bias + 63 - n)}.signed(v < 0)
}

// FromFloat32 is FLD of 32 bits.
func FromFloat32(e *Env, v uint32) F80 { return e.widen(uint64(v), &singleLayout) }

// FromFloat64 is FLD of 64 bits.
func FromFloat64(e *Env, v uint64) F80 { return e.widen(v, &doubleLayout) }

func (e *Env) widen(v uint64, l *layout) F80 {
	n, k := l.unpack(v)
	switch k {
	case zeroKind:
		return zero(n.neg)
	case infinite:
		return infinity(n.neg)
	case quietNaN, signalingNaN:
		if k == signalingNaN {
			e.Status |= IE
		}
		return F80{n.hi | integer | quiet, topExp}.signed(n.neg)
	case denormal:
		e.Status |= DE
	}
	return F80{n.hi, uint16(n.exp + bias)}.signed(n.neg)
}

// ToFloat32 is FST of 32 bits. With overflow or underflow unmasked and found,
// nothing is to be stored.
func ToFloat32(e *Env, a F80) uint32 { return uint32(e.narrow(a, &singleLayout)) }

// ToFloat64 is FST of 64 bits, likewise.
func ToFloat64(e *Env, a F80) uint64 { return e.narrow(a, &doubleLayout) }

func (e *Env) narrow(a F80, l *layout) uint64 {
	switch k := a.kind(); {
	case k >= quietNaN:
		r := e.nan(a, a)
		return l.pack(r.neg(), r.Sig, l.infinity())
	case k == infinite:
		return l.pack(a.neg(), integer, l.infinity())
	case k == zeroKind:
		return l.pack(a.neg(), 0, 0)
	}
	sig, exp, flags := fit(a.number(), l.format, e.rounding(), e.Control)
	if stop := flags &^ e.Control & (OE | UE); stop != 0 {
		flags = stop
	}
	e.Status |= flags
	return l.pack(a.neg(), sig, exp)
}

// ToInt16 is FIST of 16 bits, with the environment's rounding.
func ToInt16(e *Env, a F80) int16 { return int16(e.toInt(a, 16, e.rounding())) }

// ToInt32 is FIST of 32 bits.
func ToInt32(e *Env, a F80) int32 { return int32(e.toInt(a, 32, e.rounding())) }

// ToInt64 is FIST of 64 bits.
func ToInt64(e *Env, a F80) int64 { return e.toInt(a, 64, e.rounding()) }

// TruncateToInt16 is FISTTP of 16 bits.
func TruncateToInt16(e *Env, a F80) int16 { return int16(e.toInt(a, 16, truncate)) }

// TruncateToInt32 is FISTTP of 32 bits.
func TruncateToInt32(e *Env, a F80) int32 { return int32(e.toInt(a, 32, truncate)) }

// TruncateToInt64 is FISTTP of 64 bits.
func TruncateToInt64(e *Env, a F80) int64 { return e.toInt(a, 64, truncate) }

// toInt converts to n bits. What does not fit is invalid and makes the integer
// indefinite, the most negative one.
func (e *Env) toInt(a F80, n, mode uint) int64 {
	k := a.kind()
	if k == zeroKind {
		return 0
	}
	if k < infinite && int(a.SE&^sign) <= bias+63 {
		t := *e
		v := t.integer(a.number(), mode)
		limit := uint64(1) << (n - 1) // one less if positive
		if v < limit || v == limit && a.neg() {
			e.Status = t.Status
			if a.neg() {
				return -int64(v)
			}
			return int64(v)
		}
	}
	e.Status |= IE
	return -1 << (n - 1)
}

// A BCD is eighteen packed decimal digits, low byte first, and a byte with the
// sign (Intel SDM Vol. 1, "BCD and Packed BCD Integers").
type BCD = [10]byte

// FromBCD is FBLD, which is exact. What a digit above nine stands for is
// undefined.
func FromBCD(v *BCD) F80 {
	var m int64
	for i := 8; i >= 0; i-- {
		m = m*100 + int64(v[i]>>4)*10 + int64(v[i]&15)
	}
	return FromInt64(m).signed(v[9]&0x80 != 0)
}

// ToBCD is FBSTP.
func ToBCD(e *Env, a F80) (r BCD) {
	if a.kind() < infinite {
		t := *e
		v := t.toInt(a, 64, e.rounding())
		if t.Status&IE == 0 && v > -1e18 && v < 1e18 {
			e.Status = t.Status
			if a.neg() {
				v, r[9] = -v, 0x80
			}
			for i := range 9 {
				r[i] = byte(v%10 | v/10%10<<4)
				v /= 100
			}
			return r
		}
	}
	e.Status |= IE
	return BCD{7: 0xc0, 8: 0xff, 9: 0xff}
}
