package block

import "github.com/gov86/gov86/cpu/isa"

// Ends reports whether a block ends after in: control may go elsewhere, the
// mode or a segment may have changed, or an interrupt may have become possible.
func Ends(in *isa.Inst) bool {
	switch in.Op {
	case isa.MOVSREG, isa.POP:
		return in.Args[0].Kind() == isa.SReg
	case isa.LDS, isa.LES, isa.LFS, isa.LGS, isa.LSS:
		return true
	}
	return in.Op.Attr()&isa.EndsBlock != 0
}
