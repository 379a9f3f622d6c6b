package cpu

import (
	"testing"

	"github.com/gov86/gov86/cpu/isa"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/mem"
)

// Where the rig keeps its tables. Paging is off until a test turns it on.
const (
	gdtAt    = 0x1000
	ldtAt    = 0x1800
	idtAt    = 0x2000
	tssAt    = 0x3000
	tss2At   = 0x3800
	stack0At = 0x5000 // tops of stacks
	stack1At = 0x6000
	stack3At = 0x7000
)

// Selectors of the rig's GDT.
const (
	selCode0    = 0x08
	selData0    = 0x10
	selCode3    = 0x18 | 3
	selData3    = 0x20 | 3
	selTSS      = 0x28
	selConform  = 0x30 // conforming code, DPL 0
	selExecute  = 0x38 // execute-only code, DPL 0
	selReadOnly = 0x40 | 3
	selAbsent   = 0x48 | 3
	selLDT      = 0x50
	selGate     = 0x58 // free for a test's gate
	selTSS2     = 0x60
	selCode1    = 0x68 | 1
	selData1    = 0x70 | 1
	selSmall    = 0x78 | 3 // data, DPL 3, limit 0xfff
	selDown     = 0x80 | 3 // expand-down data, DPL 3, limit 0xfff
	selCode16   = 0x88     // 16-bit code, DPL 0
	selData16   = 0x90     // 16-bit data, DPL 0
	selTSS16    = 0x98
	selSpare    = 0xa0
	selBeyond   = 0xb0 // past the limit
	gdtLimit    = 0xaf
)

const (
	accCode  = AccessP | AccessS | AccessCode | AccessRW | AccessDB | AccessG
	accData  = AccessP | AccessS | AccessRW | AccessDB | AccessG
	dpl1     = 1 << 5
	dpl3     = 3 << 5
	accBytes = AccessP | AccessS | AccessRW | AccessDB // limit in bytes
)

type testPins struct {
	cycles uint64
	vector uint8
	apic   uint64
}

func (p *testPins) In(uint16, portio.Width) uint32   { return 0xffffffff }
func (p *testPins) Out(uint16, portio.Width, uint32) {}
func (p *testPins) Acknowledge() uint8               { return p.vector }
func (p *testPins) Cycles() uint64                   { return p.cycles }
func (p *testPins) RelocateAPIC(base uint64)         { p.apic = base }

// A rig is a processor with tables in memory.
type rig struct {
	*CPU
	t    testing.TB
	pins *testPins
}

// newReal returns a rig in real mode after reset, with CS 0 and a stack.
func newReal(t testing.TB) *rig {
	t.Helper()
	space, err := mem.New(4 << 20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := space.Close(); err != nil {
			t.Error(err)
		}
	})
	model, err := ModelByName(DefaultModel)
	if err != nil {
		t.Fatal(err)
	}
	pins := &testPins{}
	c, err := New(space, pins, model)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{CPU: c, t: t, pins: pins}
	r.SetRealSegment(isa.CS, 0)
	r.EIP, r.Start = 0x8000, 0x7ffe
	r.SetReg32(ESP, stack0At)
	return r
}

// newProtected returns a rig in protected mode at privilege level 0.
func newProtected(t testing.TB) *rig {
	t.Helper()
	r := newReal(t)
	r.CR0 |= CR0PE
	r.GDTR = Segment{Base: gdtAt, Limit: gdtLimit}
	r.IDTR = Segment{Base: idtAt, Limit: 0x7ff}
	r.put(selCode0, 0, 0xfffff, accCode)
	r.put(selData0, 0, 0xfffff, accData)
	r.put(selCode3, 0, 0xfffff, accCode|dpl3)
	r.put(selData3, 0, 0xfffff, accData|dpl3)
	r.put(selTSS, tssAt, 0x7ff, AccessP|typeTSS32)
	r.put(selConform, 0, 0xfffff, accCode|AccessDC)
	r.put(selExecute, 0, 0xfffff, accCode&^AccessRW)
	r.put(selReadOnly, 0, 0xfffff, accData&^AccessRW|dpl3)
	r.put(selAbsent, 0, 0xfffff, accData&^AccessP|dpl3)
	r.put(selLDT, ldtAt, 0x1f, AccessP|typeLDT)
	r.put(selTSS2, tss2At, 0x67, AccessP|typeTSS32)
	r.put(selCode1, 0, 0xfffff, accCode|dpl1)
	r.put(selData1, 0, 0xfffff, accData|dpl1)
	r.put(selSmall, 0, 0xfff, accBytes|dpl3)
	r.put(selDown, 0, 0xfff, accBytes|AccessDC|dpl3)
	r.put(selCode16, 0, 0xffff, AccessP|AccessS|AccessCode|AccessRW)
	r.put(selData16, 0, 0xffff, AccessP|AccessS|AccessRW)
	r.put(selTSS16, tss2At, 0x2b, AccessP|typeTSS16)
	r.must(r.LoadTR(selTSS))
	r.Mem.Write(tssAt+4, 4, stack0At)
	r.Mem.Write(tssAt+8, 4, selData0)
	r.Mem.Write(tssAt+12, 4, stack1At)
	r.Mem.Write(tssAt+16, 4, selData1)
	r.Mem.Write(tssAt+0x66, 2, 0x68)
	r.level(0)
	return r
}

// level puts the rig at a privilege level: 0, 1 or 3.
func (r *rig) level(cpl uint8) {
	code := map[uint8]uint16{0: selCode0, 1: selCode1, 3: selCode3}[cpl]
	data := map[uint8]uint16{0: selData0, 1: selData1, 3: selData3}[cpl]
	r.CPL = cpl
	r.Seg[isa.CS] = r.descriptor(code).segment(code)
	for _, s := range []isa.Seg{isa.SS, isa.DS, isa.ES, isa.FS, isa.GS} {
		r.must(r.LoadSegment(s, data))
	}
	r.SetReg32(ESP, map[uint8]uint32{0: stack0At - 0x100, 1: stack1At - 0x100, 3: stack3At}[cpl])
}

// v86 puts the rig in virtual-8086 mode.
func (r *rig) v86(iopl uint32) {
	r.EFLAGS = FlagOne | FlagVM | FlagIF | iopl<<12
	r.CPL = 3
	for s := range r.Seg {
		r.SetRealSegment(isa.Seg(s), 0x100*uint16(s+1))
	}
	r.SetReg32(ESP, 0x1000)
}

// put writes a segment descriptor; limit is as in the descriptor.
func (r *rig) put(selector uint16, base, limit uint32, access uint16) {
	r.Mem.Write(gdtAt+mem.Addr(selector&^7), 4, base<<16|limit&0xffff)
	r.Mem.Write(gdtAt+mem.Addr(selector&^7)+4, 4,
		base>>24<<24|base>>16&0xff|uint32(access&0xf000)<<8|uint32(access&0xff)<<8|limit&0xf0000)
}

// gate writes a gate at a physical address.
func (r *rig) gate(at mem.Addr, access uint16, selector uint16, off uint32, count uint32) {
	r.Mem.Write(at, 4, uint32(selector)<<16|off&0xffff)
	r.Mem.Write(at+4, 4, off&0xffff0000|uint32(access)<<8|count)
}

// vector writes a gate of the IDT.
func (r *rig) vector(n uint8, access uint16, selector uint16, off uint32) {
	r.gate(idtAt+mem.Addr(n)*8, access, selector, off, 0)
}

func (r *rig) descriptor(selector uint16) *descriptor {
	r.t.Helper()
	d, ok, t := r.lookup(selector)
	if !ok || t != NoTrap {
		r.t.Fatalf("no descriptor %#x: %v", selector, t)
	}
	return &d
}

func (r *rig) must(t Trap) {
	r.t.Helper()
	if t != NoTrap {
		r.t.Fatalf("unexpected %v", t)
	}
}

// fails runs an operation that must fault, and have changed nothing.
func (r *rig) fails(want Trap, op func() Trap) {
	r.t.Helper()
	before := *r.State
	got := op()
	if got != want {
		r.t.Errorf("%v, want %v", got, want)
	}
	if got != NoTrap && *r.State != before {
		r.t.Errorf("the faulting operation changed registers")
	}
}

// stack checks the n-byte words at SS:ESP on.
func (r *rig) stack(size int, want ...uint32) {
	r.t.Helper()
	at := r.Seg[isa.SS].Base + r.Reg32(ESP)
	if !r.Stack32() {
		at = r.Seg[isa.SS].Base + uint32(r.Reg16(ESP))
	}
	for i, w := range want {
		got, t := r.ReadLinear(Linear(at)+Linear(i*size), size, Implicit)
		if t != NoTrap || got != w {
			r.t.Errorf("stack word %d = %#x %v, want %#x", i, got, t, w)
		}
	}
}

// at checks CS:EIP and CPL.
func (r *rig) at(selector uint16, eip uint32, cpl uint8) {
	r.t.Helper()
	if s := r.Seg[isa.CS].Selector; s != selector || r.EIP != eip || r.CPL != cpl {
		r.t.Errorf("at %#x:%#x CPL %d, want %#x:%#x CPL %d", s, r.EIP, r.CPL, selector, eip, cpl)
	}
}

// push puts words on the current stack, the last one on top.
func (r *rig) push(size int, words ...uint32) {
	r.t.Helper()
	f := r.currentFrame()
	for _, w := range words {
		r.must(f.push(w, size))
	}
	f.commit()
}
