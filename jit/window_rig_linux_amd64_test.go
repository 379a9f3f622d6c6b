package jit

import (
	"testing"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/mem"
)

// Where tests of windows have what others have not.
const (
	taskAt     = 0x5000
	otherPD    = 0x8000 // the directory of a second address space
	tablesAt   = 0x9000 // page tables: of 4 MiB on, and of the same in the second
	otherTable = 0xa000
	dataFrame  = 0x200000 // frames for pages above 4 MiB, a page each
	pageAt     = 0x400000 // linear
	kernelEnd  = 0x180000 // where the kernel's stack ends

	// Bits of entries.
	userPage   = 0x067 // present, writable, user, accessed, dirty
	kernelPage = 0x163 // present, writable, global, accessed, dirty
)

// windowed makes an Engine that translates at once, with windows.
func windowed(c *cpu.CPU) (cpu.Engine, error) {
	e, err := New(c)
	if err != nil {
		return nil, err
	}
	e.Eager()
	return e, e.Windows(WindowsAlways)
}

// newWindowed returns a rig with windows and paging: the first 4 MiB as they are,
// for all, and two address spaces that have a page table each for the next 4 MiB.
func newWindowed(t testing.TB, engine func(*cpu.CPU) (cpu.Engine, error)) *rig {
	r := newRig(t, engine)
	r.page()
	r.SetCR4(r.CR4 | cpu.CR4PGE | cpu.CR4PSE)
	r.m.Write(pdAt+4, 4, tablesAt|7)
	r.m.Write(otherPD, 4, ptAt|7)
	r.m.Write(otherPD+4, 4, otherTable|7)
	r.m.Write64(gdtAt+24, 0x00cffb000000ffff) // code and data of level 3
	r.m.Write64(gdtAt+32, 0x00cff3000000ffff)
	r.m.Write(taskAt+4, 4, kernelEnd)
	r.m.Write(taskAt+8, 4, 16)
	r.TR = cpu.Segment{Selector: 40, Access: cpu.AccessP | 0xb, Limit: 0x67, Base: taskAt, Usable: true}
	return r
}

// entry sets the entry of a page above 4 MiB, in one of the address spaces.
func (r *rig) entry(table mem.Addr, l, value uint32) {
	r.m.Write(table+mem.Addr(l-pageAt)>>12*4, 4, value)
}

// asUser has the processor go on at eip at level 3.
func (r *rig) asUser(eip uint32) {
	r.start(eip)
	const flat = cpu.AccessP | cpu.AccessS | cpu.AccessRW | cpu.AccessA | cpu.AccessDB | cpu.AccessG | 3<<5
	for i := range r.Seg {
		r.Seg[i] = cpu.Segment{Selector: 35, Access: flat, Limit: 0xffffffff, Usable: true}
	}
	r.Seg[isa.CS].Selector = 27
	r.Seg[isa.CS].Access |= cpu.AccessCode
	r.CPL = 3
}

// asKernel undoes asUser.
func (r *rig) asKernel(eip uint32) {
	r.asUser(eip)
	for i := range r.Seg {
		r.Seg[i].Selector, r.Seg[i].Access = 16, r.Seg[i].Access&^(3<<5)
	}
	r.Seg[isa.CS].Selector = 8
	r.CPL = 0
}

// user runs code at level 3 until the exception that its HLT, or what is before,
// causes, and checks that it is of the vector v.
func (r *rig) user(eip uint32, v uint32) {
	r.t.Helper()
	r.asUser(eip)
	r.toHalt(trapAt + 8*v)
}

// stats are the engine's.
func (r *rig) stats() *Stats { return &r.engine.(*Engine).Stats }

// ends are the exceptions that end tests at level 3.
const (
	halted = 13 // #GP, as HLT causes
	missed = 14 // #PF
)

// bothWays runs body with windows and interpreted: what it expects is no matter of
// windows.
func bothWays(t *testing.T, body func(t *testing.T, r *rig)) {
	if err := LacksWindows(); err != nil {
		t.Skipf("skipped: %v", err)
	}
	t.Run("windows", func(t *testing.T) { body(t, newWindowed(t, windowed)) })
	t.Run("interpreted", func(t *testing.T) { body(t, newWindowed(t, interpreted)) })
}
