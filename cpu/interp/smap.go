package interp

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// userAccess is STAC or CLAC: whether a supervisor may access user pages that
// CR4.SMAP guards.
func userAccess(allowed bool) func(*Engine, *isa.Inst) cpu.Trap {
	return func(e *Engine, _ *isa.Inst) cpu.Trap {
		if e.CPL != 0 {
			return cpu.UD()
		}
		e.EFLAGS &^= cpu.FlagAC
		if allowed {
			e.EFLAGS |= cpu.FlagAC
		}
		return cpu.NoTrap
	}
}
