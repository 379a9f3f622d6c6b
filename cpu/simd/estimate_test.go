package simd_test

import (
	"math"
	"testing"

	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/cpu/simd"
)

func TestEstimatesAreWithinThreeEighthsOf2ToTheMinus10(t *testing.T) {
	for _, c := range []struct {
		op   isa.Op
		want func(x float64) float64
	}{
		{isa.RCPSS, func(x float64) float64 { return 1 / x }},
		{isa.RSQRTSS, func(x float64) float64 { return 1 / math.Sqrt(x) }},
	} {
		for w := uint64(1 << 23); w < 0x7e800000; w += 4093 {
			var r simd.Vector
			flags := simd.Pure.Vector[c.op](&r, &simd.Vector{7 << 32, 9}, &simd.Vector{w}, simd.Flags<<simd.Masks)
			want := c.want(float64(math.Float32frombits(uint32(w))))
			got := float64(math.Float32frombits(uint32(r[0])))
			if math.Abs(got/want-1) > 1.5/(1<<12) || r[0]>>32 != 7 || r[1] != 9 || flags != simd.Flags<<simd.Masks {
				t.Fatalf("%v of %x = %x flags %#x, want %v", c.op, w, r, flags, want)
			}
		}
	}
}

func TestEstimatesOfSpecialValues(t *testing.T) {
	const rcp, rsqrt = isa.RCPSS, isa.RSQRTSS
	for _, c := range []struct {
		op   isa.Op
		of   uint64
		want uint64
	}{
		{rcp, 0, 0x7f800000}, {rcp, 1 << 31, 0xff800000}, {rcp, 0x80000001, 0xff800000}, {rcp, 0x7fffff, 0x7f800000},
		{rcp, 0x7f800000, 0}, {rcp, 0xff800000, 1 << 31}, {rcp, 0x7f800001, 0x7fc00001}, {rcp, 0x7f7fffff, 0},
		{rcp, 0xff7fffff, 1 << 31}, {rcp, 0xffc12345, 0xffc12345},
		{rsqrt, 0, 0x7f800000}, {rsqrt, 1 << 31, 0xff800000}, {rsqrt, 0x80000001, 0xff800000}, {rsqrt, 1, 0x7f800000},
		{rsqrt, 0x7f800000, 0}, {rsqrt, 0xff800000, 0xffc00000}, {rsqrt, 0xbf800000, 0xffc00000}, {rsqrt, 0xff800001, 0xffc00001},
	} {
		var r simd.Vector
		simd.Pure.Vector[c.op](&r, &simd.Vector{}, &simd.Vector{c.of}, simd.Flags<<simd.Masks)
		if r[0] != c.want {
			t.Errorf("%v of %x = %x, want %x", c.op, c.of, r[0], c.want)
		}
	}
}
