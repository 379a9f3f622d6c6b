package interp

import (
	"testing"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// FuzzExecute runs arbitrary bytes as code, in several modes: nothing they do
// may end the process, and a run ends within about its budget.
func FuzzExecute(f *testing.F) {
	f.Add([]byte{0x90}, uint8(0))
	f.Add([]byte{0xf3, 0xa5, 0x0f, 0x22, 0xc0}, uint8(1))
	f.Add([]byte{0xea, 0, 0x10, 0, 0, 8, 0, 0xcf}, uint8(2))
	f.Add([]byte{0x0f, 0x01, 0x16, 0, 0, 0x0f, 0x00, 0xd8}, uint8(3))
	f.Add([]byte{0xd9, 0xc0, 0xde, 0xf9, 0x66, 0x0f, 0x38, 0, 0xc1}, uint8(7))
	f.Fuzz(func(t *testing.T, code []byte, mode uint8) {
		p := newMachine(t)
		if mode&1 != 0 { // 16-bit code and stack
			p.Seg[isa.CS].Access &^= cpu.AccessDB
			p.Seg[isa.SS].Access &^= cpu.AccessDB
		}
		if mode&2 != 0 { // real mode
			p.CR0 &^= cpu.CR0PE
		}
		if mode&4 != 0 { // privilege level 3
			p.CPL = 3
			p.Seg[isa.SS].Access |= cpu.AccessDPL
			p.Seg[isa.CS].Access |= cpu.AccessDPL
		}
		if mode&8 != 0 {
			p.EFLAGS |= cpu.FlagTF
		}
		if p.m.WriteAt(code, codeAt) != nil {
			t.Skip() // more code than memory
		}
		p.EIP = codeAt
		for r := range uint8(8) {
			p.SetReg32(r, uint32(r)*0x1357+0x7000)
		}
		p.EFLAGS |= cpu.FlagOne
		const budget = 20_000
		for range 4 {
			p.TakeKick()
			retired, why := p.Run(budget)
			if retired > budget+100_000 {
				t.Fatalf("%d instructions retired of a budget of %d", retired, budget)
			}
			if why == cpu.Halted || why == cpu.Shutdown {
				break
			}
		}
	})
}
