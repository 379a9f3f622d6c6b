package jit

import (
	"flag"
	"testing"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/mem"
)

// Where a rig has its things. Linear addresses are physical ones unless a test
// maps pages.
const (
	ramSize = 4 << 20
	idtAt   = 0x2000
	gdtAt   = 0x3000
	trapAt  = 0x4000 // a HLT a vector, eight bytes apart
	pdAt    = 0x6000 // a page directory, and the table of the first 4 MiB
	ptAt    = 0x7000
	codeAt  = 0x10000
	dataAt  = 0x80000
	stackAt = 0x100000 // where it ends
)

// pins are the connections to a board that counts and interrupts.
type pins struct{ cycles uint64 }

func (*pins) In(uint16, portio.Width) uint32   { return 0xffffffff }
func (*pins) Out(uint16, portio.Width, uint32) {}
func (*pins) Acknowledge() uint8               { return 0x20 }
func (p *pins) Cycles() uint64                 { return p.cycles }
func (*pins) RelocateAPIC(uint64)              {}

// A rig is a processor in flat protected mode at level 0, with a gate for every
// vector that leads to a HLT of its own.
type rig struct {
	*cpu.CPU
	t      testing.TB
	m      *mem.Space
	engine cpu.Engine
}

// newRig returns a rig with the engine that engine makes.
func newRig(t testing.TB, engine func(*cpu.CPU) (cpu.Engine, error)) *rig {
	t.Helper()
	m, err := mem.New(ramSize)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	model, err := cpu.ModelByName(cpu.DefaultModel)
	if err != nil {
		t.Fatal(err)
	}
	c, err := cpu.New(m, &pins{}, model)
	if err != nil {
		t.Fatal(err)
	}
	e, err := engine(c)
	if err != nil {
		t.Skipf("skipped: %v", err)
	}
	if e, ok := e.(*Engine); ok {
		t.Cleanup(func() {
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	r := &rig{c, t, m, e}
	m.OnCodeWrite(func(a mem.Addr, n int) { e.Forget(uint32(a), uint32(n)) })
	const flat = cpu.AccessP | cpu.AccessS | cpu.AccessRW | cpu.AccessA | cpu.AccessDB | cpu.AccessG
	for i := range c.Seg {
		c.Seg[i] = cpu.Segment{Selector: 16, Access: flat, Limit: 0xffffffff, Usable: true}
	}
	c.Seg[isa.CS].Selector = 8
	c.Seg[isa.CS].Access |= cpu.AccessCode
	c.GDTR.Base, c.GDTR.Limit = gdtAt, 8*loadSlots-1
	c.IDTR.Base, c.IDTR.Limit = idtAt, 8*64-1
	r.flatTables()
	c.CR0 = cpu.CR0PE | cpu.CR0ET | cpu.CR0NE
	c.CR4 = cpu.CR4OSFXSR | cpu.CR4OSXMMEXCPT
	c.MXCSR = 0x1f80
	c.FPU.Control, c.FPU.Tag = 0x37f, 0xffff
	r.start(codeAt)
	return r
}

var everywhere = flag.Bool("jit.windows", false, "make accesses in windows wherever there can be one, in all tests")

// engineFor makes an Engine for a test, with windows if they are asked for.
func engineFor(c *cpu.CPU, codeSize int, windows bool) (*Engine, error) {
	e, err := newEngine(c, codeSize)
	if err == nil && (windows || *everywhere) {
		err = e.Windows(WindowsAlways)
	}
	return e, err
}

// flatTables writes the descriptors and gates of flat protected mode.
func (r *rig) flatTables() {
	r.m.Write64(gdtAt+8, 0x00cf9b000000ffff)
	r.m.Write64(gdtAt+16, 0x00cf93000000ffff)
	for v := range mem.Addr(64) {
		at := uint64(trapAt + 8*v)
		r.m.Write64(idtAt+8*v, at&0xffff|8<<16|0x8e00<<32|at>>16<<48)
		r.m.Write(trapAt+8*v, 1, 0xf4)
	}
}

// translated makes an Engine that translates at once.
func translated(c *cpu.CPU) (cpu.Engine, error) {
	e, err := engineFor(c, codeSize, false)
	if err != nil {
		return nil, err
	}
	e.Eager()
	return e, nil
}

func stepping(c *cpu.CPU) (cpu.Engine, error) { return NewStepper(c), nil }

// newTranslated returns a rig that translates at once.
func newTranslated(t testing.TB) (*rig, *Engine) {
	r := newRig(t, translated)
	return r, r.engine.(*Engine)
}

// start has the processor go on at eip with an empty stack.
func (r *rig) start(eip uint32) {
	r.EIP, r.EFLAGS = eip, cpu.FlagOne
	r.Halted = false
	r.SetReg32(cpu.ESP, stackAt)
}

// write puts code somewhere.
func (r *rig) write(at mem.Addr, code ...byte) {
	r.t.Helper()
	if err := r.m.WriteAt(code, at); err != nil {
		r.t.Fatal(err)
	}
}

// run executes from eip until a HLT, and fails if that is not at want.
func (r *rig) run(eip, want uint32) {
	r.t.Helper()
	r.start(eip)
	r.toHalt(want)
}

func (r *rig) toHalt(want uint32) {
	r.t.Helper()
	if _, why := r.engine.Run(50_000_000); why != cpu.Halted {
		r.t.Fatalf("%v at %#x, want a halt", why, r.EIP)
	}
	if r.EIP != want+1 {
		r.t.Fatalf("halted at %#x, want %#x", r.EIP-1, want)
	}
}

// is compares a general register.
func (r *rig) is(what string, reg uint8, want uint32) {
	r.t.Helper()
	if got := r.Reg32(reg); got != want {
		r.t.Errorf("%s: register %d is %#x, want %#x", what, reg, got, want)
	}
}

// page turns paging on: the first 4 MiB as they are.
func (r *rig) page() {
	for p := range mem.Addr(1024) {
		r.m.Write(ptAt+4*p, 4, uint32(p)<<12|7)
	}
	r.m.Write(pdAt, 4, ptAt|7)
	r.CR3 = pdAt
	r.SetCR0(r.CR0 | cpu.CR0PG)
}

// mapPage maps the page of linear address l to the frame at at, with a table at
// table if it is not one of the first 4 MiB.
func (r *rig) mapPage(l, at uint32, table mem.Addr) {
	if l >= 4<<20 {
		r.m.Write(pdAt+mem.Addr(l>>22)*4, 4, uint32(table)|7)
	} else {
		table = ptAt
	}
	r.m.Write(table+mem.Addr(l>>12&1023)*4, 4, at|7)
	r.TLB.FlushPage(cpu.Linear(l))
}
