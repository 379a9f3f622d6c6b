package interp

import (
	xcpu "golang.org/x/sys/cpu"

	"github.com/gov86/gov86/cpu/fpu/host"
	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/cpu/simd"
)

// hostSIMD is the host's own unit, and that in pure Go for what it does not
// have.
var hostSIMD = supported()

func supported() *simd.Unit {
	u := host.SIMD
	has := map[isa.Feature]bool{
		isa.FeatureSSE3: xcpu.X86.HasSSE3, isa.FeatureSSSE3: xcpu.X86.HasSSSE3,
		isa.FeatureSSE41: xcpu.X86.HasSSE41, isa.FeatureSSE42: xcpu.X86.HasSSE42,
	}
	for op := range isa.NumOps {
		in := isa.Inst{Op: isa.Op(op)}
		if yes, asked := has[in.Feature()]; asked && !yes {
			u.Vector[op], u.MMX[op], u.Selected[op] = simd.Pure.Vector[op], simd.Pure.MMX[op], simd.Pure.Selected[op]
		}
	}
	return &u
}
