package interp

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// x87Ops are the x87 operations that compute or move registers.
var x87Ops = [isa.NumOps]func(*Engine, *isa.Inst) cpu.Trap{}
