//go:build !amd64

package interp

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// There is no unit for this host: what needs one is undefined.
var simdUnit = without(&simdOps, isa.SIMD)

// without has undefined for the operations with an attribute that have does
// not have.
func without(have *[isa.NumOps]func(*Engine, *isa.Inst) cpu.Trap, a isa.Attr) (t [isa.NumOps]func(*Engine, *isa.Inst) cpu.Trap) {
	for op := range t {
		if isa.Op(op).Attr()&a != 0 && have[op] == nil && environmentOps[op] == nil {
			t[op] = undefined
		}
	}
	return t
}
