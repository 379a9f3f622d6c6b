package interp

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// simdOps are the MMX and SSE operations.
var simdOps = [isa.NumOps]func(*Engine, *isa.Inst) cpu.Trap{}
