package interp

import (
	"testing"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/mem"
)

// Where a test's machine has its things.
const (
	codeAt = 0x1000
	dataAt = 0x8000
	idtAt  = 0x2000
	gdtAt  = 0x3000
	trapAt = 0x4000 // eight bytes a vector
)

type pins struct{}

func (pins) In(uint16, portio.Width) uint32   { return 0xffffffff }
func (pins) Out(uint16, portio.Width, uint32) {}
func (pins) Acknowledge() uint8               { return 0 }
func (pins) Cycles() uint64                   { return 0 }
func (pins) RelocateAPIC(uint64)              {}

// A machine is a processor in flat protected mode, with a gate for every
// exception that leads to a HLT of its own.
type machine struct {
	*Engine
	t testing.TB
	m *mem.Space
}

// pureMachines makes newMachine give engines without the host's units.
var pureMachines bool

func newMachine(t testing.TB) *machine {
	t.Helper()
	m, err := mem.New(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	model, err := cpu.ModelByName(cpu.DefaultModel)
	if err != nil {
		t.Fatal(err)
	}
	c, err := cpu.New(m, pins{}, model)
	if err != nil {
		t.Fatal(err)
	}
	e := New(c)
	if pureMachines {
		e = NewPure(c)
	}
	m.OnCodeWrite(func(a mem.Addr, n int) { e.Forget(uint32(a), uint32(n)) })
	const flat = cpu.AccessP | cpu.AccessS | cpu.AccessRW | cpu.AccessA | cpu.AccessDB | cpu.AccessG
	for i := range c.Seg {
		c.Seg[i] = cpu.Segment{Selector: 16, Access: flat, Limit: 0xffffffff, Usable: true}
	}
	c.Seg[isa.CS].Selector = 8
	c.Seg[isa.CS].Access |= cpu.AccessCode
	m.Write64(gdtAt+8, 0x00cf9b000000ffff)
	m.Write64(gdtAt+16, 0x00cf93000000ffff)
	c.GDTR.Base, c.GDTR.Limit = gdtAt, 23
	c.IDTR.Base, c.IDTR.Limit = idtAt, 8*32-1
	for v := range mem.Addr(32) {
		at := uint64(trapAt + 8*v)
		m.Write64(idtAt+8*v, at&0xffff|8<<16|0x8e00<<32|at>>16<<48)
		m.Write(trapAt+8*v, 1, 0xf4)
	}
	c.CR0 = cpu.CR0PE | cpu.CR0ET | cpu.CR0NE
	c.CR4 = cpu.CR4OSFXSR | cpu.CR4OSXMMEXCPT
	c.FPU.Control, c.FPU.Status, c.FPU.Tag = controlNew, 0, 0xffff
	return &machine{e, t, m}
}

const noVector = -1

// run executes code until a HLT and returns the exception that led there.
func (p *machine) run(code ...byte) int {
	p.t.Helper()
	if err := p.m.WriteAt(append(code, 0xf4), codeAt); err != nil {
		p.t.Fatal(err)
	}
	p.EIP, p.EFLAGS = codeAt, p.EFLAGS&cpu.FlagsStatus|cpu.FlagOne
	p.SetReg32(cpu.ESP, 0x7000)
	p.Halted = false
	if _, why := p.Run(1000); why != cpu.Halted {
		p.t.Fatalf("% x: %v at %#x, want a halt", code, why, p.EIP)
	}
	if p.EIP >= trapAt && p.EIP < trapAt+8*32 {
		return int(p.EIP-trapAt) / 8
	}
	if want := uint32(codeAt + len(code) + 1); p.EIP != want {
		p.t.Fatalf("% x: halted at %#x, want %#x", code, p.EIP, want)
	}
	return noVector
}

// must runs code that causes no exception.
func (p *machine) must(code ...byte) {
	p.t.Helper()
	if v := p.run(code...); v != noVector {
		p.t.Fatalf("% x: exception %d", code, v)
	}
}

// faults runs code that causes exception vector.
func (p *machine) faults(vector int, code ...byte) {
	p.t.Helper()
	if v := p.run(code...); v != vector {
		p.t.Errorf("% x: exception %d, want %d", code, v, vector)
	}
}

// flagsAre compares the status flags within mask.
func (p *machine) flagsAre(mask, want uint32) {
	p.t.Helper()
	if got := p.EFLAGS & mask; got != want {
		p.t.Errorf("flags %#x, want %#x", got, want)
	}
}

func TestEveryOpExecutes(t *testing.T) {
	for op, fn := range exec {
		if fn == nil || pureExec[op] == nil {
			t.Errorf("%v has no handler and is not in absent", isa.Op(op))
		}
	}
}

func TestIntegerCodeRuns(t *testing.T) {
	p := newMachine(t)
	p.must(0xb8, 2, 0, 0, 0, 0x83, 0xc0, 3) // MOV EAX, 2; ADD EAX, 3
	if p.Reg32(cpu.EAX) != 5 {
		t.Errorf("2 + 3 = %d", p.Reg32(cpu.EAX))
	}
	p.faults(cpu.VecUD, 0x0f, 0x0b)
	p.SetReg32(cpu.EBX, dataAt)
	p.SetReg32(cpu.ECX, 0x12345678)
	p.must(0x0f, 0xc3, 0x0b) // MOVNTI [EBX], ECX
	if got := p.m.Read(dataAt, 4); got != 0x12345678 {
		t.Errorf("MOVNTI stored %#x", got)
	}
}
