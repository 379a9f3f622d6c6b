package jit

import (
	"os"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/mem"
)

var stepStats = os.Getenv("JSTATS") == "2"

func (k kind) String() string {
	return []string{"ind", "link", "access", "step", "budget", "page", "simd", "x87"}[k]
}

func opAt(e *Engine, s *site) string {
	m := e.Look(cpu.Linear(e.EIP))
	if !m.Present {
		return "?"
	}
	var code [15]byte
	for i := range code {
		code[i] = uint8(e.Mem.Read(m.At(cpu.Linear(e.EIP))+mem.Addr(i), 1))
	}
	return isa.Disasm(code[:], isa.Code32, 0)
}
