package silicon

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/mem"
)

// Where the emulated side has its things in physical memory.
const (
	ramSize   = 1 << 20
	pdptAt    = 0x1000
	firstPD   = 0x2000
	lastPD    = 0x3000
	tablesAt  = 0x4000 // a page table an area
	systemRAM = 0x10000
	codeRAM   = 0x20000
	dataRAM   = 0x40000
	stackRAM  = 0x50000
)

// Within the system pages.
const (
	gdtAt   = systemAt
	tssAt   = systemAt + 0x200
	ldtAt   = systemAt + pageSize
	idtAt   = systemAt + 2*pageSize
	trapsAt = systemAt + 3*pageSize // a HLT a vector
	stack0  = systemAt + 5*pageSize // where the stack of level 0 ends
)

// Page-table bits.
const (
	present  = 1 << 0
	writable = 1 << 1
	user     = 1 << 2
	touched  = 1<<5 | 1<<6
	noExec   = 1 << 63
)

// patience is how many instructions a case may take.
const patience = 20_000

// An Emulated executes cases in an engine.
type Emulated struct {
	*cpu.CPU
	// Ignored are flags that are not compared in any case.
	Ignored uint32

	m      *mem.Space
	engine cpu.Engine
	// Inexact says that the two sides may round transcendental results each in
	// its own way: the pure unit does, and so do processors of different makers.
	Inexact bool
	segs    map[uint16]cpu.Segment
}

// pins are the processor's connections to a board there is none of.
type pins struct{}

func (pins) In(uint16, portio.Width) uint32   { return 0xffffffff }
func (pins) Out(uint16, portio.Width, uint32) {}
func (pins) Acknowledge() uint8               { return 0 }
func (pins) Cycles() uint64                   { return 0 }
func (pins) RelocateAPIC(uint64)              {}

// NewEmulated returns a processor with the address space of layout.go whose
// engine is what engine makes.
func NewEmulated(engine func(*cpu.CPU) cpu.Engine) (*Emulated, error) {
	m, err := mem.New(ramSize)
	if err != nil {
		return nil, err
	}
	model, err := cpu.ModelByName(cpu.DefaultModel)
	if err != nil {
		return nil, err
	}
	c, err := cpu.New(m, pins{}, model)
	if err != nil {
		return nil, err
	}
	e := &Emulated{CPU: c, m: m, engine: engine(c), segs: map[uint16]cpu.Segment{}}
	m.OnCodeWrite(func(a mem.Addr, n int) { e.engine.Forget(uint32(a), uint32(n)) })
	e.mapAreas()
	e.writeTables()
	e.CR4 = cpu.CR4PAE | cpu.CR4OSFXSR | cpu.CR4OSXMMEXCPT
	e.MSR.EFER = cpu.EFERNXE
	e.CR3 = pdptAt
	e.PDPTE = [4]uint64{firstPD | present, 0, 0, lastPD | present}
	e.GDTR.Base, e.GDTR.Limit = gdtAt, 8*uint32(len(gdt))-1
	e.IDTR.Base, e.IDTR.Limit = idtAt, 8*256-1
	e.TR = cpu.Segment{Selector: 0x40, Access: cpu.AccessP | 0xb, Base: tssAt, Limit: 0x67, Usable: true}
	e.LDTR = cpu.Segment{Selector: 0x50, Access: cpu.AccessP | 2, Base: ldtAt, Limit: 8*uint32(len(LDT)) - 1, Usable: true}
	for _, s := range []uint16{FlatCode, FlatData} {
		e.addSegment(s, gdt[s>>3])
	}
	for i := range LDT {
		e.addSegment(Selector(i), LDT[i].encode())
	}
	for s := range uint16(4) {
		e.segs[s] = cpu.Segment{Selector: s}
	}
	return e, nil
}

// Close returns the memory.
func (e *Emulated) Close() error { return errors.Join(e.CPU.Close(), e.m.Close()) }

// mapAreas writes PAE page tables.
func (e *Emulated) mapAreas() {
	for i, area := range []struct {
		linear, physical, pages uint32
		bits                    uint64
	}{
		{CodeAt, codeRAM, codePages, user},
		{DataAt, dataRAM, dataPages - 1, user | writable | noExec},
		{DataAt + (dataPages-1)*pageSize, dataRAM + (dataPages-1)*pageSize, 1, user | noExec},
		{StackAt, stackRAM, stackPages, user | writable | noExec},
		{systemAt, systemRAM, sysPages, writable},
	} {
		directory := mem.Addr(firstPD)
		if area.linear == systemAt {
			directory = lastPD
		}
		table := mem.Addr(tablesAt + i*pageSize)
		entry := directory + mem.Addr(area.linear>>21&511)*8
		if old := e.m.Read64(entry); old != 0 {
			table = mem.Addr(old &^ 0xfff) // two areas in one table
		}
		e.m.Write64(entry, uint64(table)|present|writable|user|touched)
		for p := range area.pages {
			e.m.Write64(table+mem.Addr((area.linear>>12+p)&511)*8,
				uint64(area.physical+p*pageSize)|area.bits|present|touched)
		}
	}
}

// system is the physical address of linear address a of the system pages.
func system(a uint32) mem.Addr { return mem.Addr(a - systemAt + systemRAM) }

func (e *Emulated) writeTables() {
	for i, d := range gdt {
		e.m.Write64(system(gdtAt)+mem.Addr(8*i), d)
	}
	for i := range LDT {
		e.m.Write64(system(ldtAt)+mem.Addr(8*i), LDT[i].encode())
	}
	for v := range uint32(256) {
		access := uint64(0x8e00)
		if v == cpu.VecBP || v == cpu.VecOF {
			access |= 3 << 13
		}
		at := uint64(trapsAt + v)
		e.m.Write64(system(idtAt)+mem.Addr(8*v), at&0xffff|8<<16|access<<32|at>>16<<48)
		e.m.Write(system(trapsAt+v), 1, 0xf4)
	}
	e.m.Write(system(tssAt+4), 4, stack0)
	e.m.Write(system(tssAt+8), 4, 0x18)
	e.m.Write(system(tssAt+0x66), 2, 0x68) // no I/O permission bitmap
}

// addSegment keeps what loading selector would put into the hidden part.
func (e *Emulated) addSegment(selector uint16, d uint64) {
	high := uint32(d >> 32)
	limit := uint32(d&0xffff) | high&0xf0000
	if high&(1<<23) != 0 {
		limit = limit<<12 | 0xfff
	}
	e.segs[selector] = cpu.Segment{
		Selector: selector, Access: uint16(high>>8) & 0xf0ff, Limit: limit,
		Base: uint32(d>>16)&0xffffff | high&0xff000000, Usable: true,
	}
}

// place puts the code of b and its memory where they belong.
func (e *Emulated) place(b *Batch) error {
	if err := e.m.WriteAt(b.Code, codeRAM); err != nil {
		return err
	}
	if err := e.m.WriteAt(b.Memory[:DataSize], dataRAM); err != nil {
		return err
	}
	return e.m.WriteAt(b.Memory[DataSize:], stackRAM)
}

// Execute runs the cases of b one after the other.
func (e *Emulated) Execute(b *Batch) (*Answer, error) {
	if err := e.place(b); err != nil {
		return nil, err
	}
	a := &Answer{Results: make([]Result, len(b.Cases)), Memory: make([]byte, DataSize+StackSize)}
	for i := range b.Cases {
		if err := e.run(&b.Cases[i], &a.Results[i]); err != nil {
			return nil, err
		}
	}
	if err := e.m.ReadAt(a.Memory[:DataSize], dataRAM); err != nil {
		return nil, err
	}
	return a, e.m.ReadAt(a.Memory[DataSize:], stackRAM)
}

// start gives the processor the state that c starts in.
func (e *Emulated) start(c *Case) error {
	for i, v := range c.GPR {
		e.SetReg32(uint8(i), v)
	}
	for i, selector := range c.Seg {
		s, ok := e.segs[selector]
		if !ok {
			return fmt.Errorf("a case starts with selector %#x, which is not in the tables", selector)
		}
		e.Seg[i] = s
	}
	e.EIP, e.EFLAGS, e.CPL, e.CR2 = c.EIP, c.EFLAGS, 3, 0
	e.CR0 = cpu.CR0PE | cpu.CR0MP | cpu.CR0ET | cpu.CR0NE | cpu.CR0WP | cpu.CR0AM | cpu.CR0PG
	e.Halted = false
	e.Shadow = false
	e.loadFX(&c.FX)
	return nil
}

// run executes one case.
func (e *Emulated) run(c *Case, r *Result) error {
	if err := e.start(c); err != nil {
		return err
	}
	switch _, why := e.engine.Run(patience); why {
	case cpu.Halted:
	case cpu.Spent:
		r.Lost = true
		return nil
	default:
		return fmt.Errorf("% x: %v at %#x", c.Code, why, e.EIP)
	}
	r.Vector = uint8(e.EIP - 1 - trapsAt)
	frame := system(stack0 - 20)
	if hasCode(r.Vector) {
		r.Code = e.m.Read(frame-4, 4)
	}
	if r.Vector == cpu.VecPF {
		r.CR2 = e.CR2
		r.Lost = foreign(r.CR2)
	}
	for i := range r.GPR {
		if e.GPR[i]>>32 != 0 {
			return fmt.Errorf("% x left %#x in general register %d", c.Code, e.GPR[i], i)
		}
		r.GPR[i] = e.Reg32(uint8(i))
	}
	for i := range r.Seg {
		r.Seg[i] = e.Seg[i].Selector
	}
	r.EIP = e.m.Read(frame, 4)
	r.Seg[isa.CS] = uint16(e.m.Read(frame+4, 2))
	r.EFLAGS = e.m.Read(frame+8, 4)
	r.GPR[cpu.ESP] = e.m.Read(frame+12, 4)
	r.Seg[isa.SS] = uint16(e.m.Read(frame+16, 2))
	// Signals arrive on a stack of their own unless ESP is within it already.
	r.Lost = r.Lost || foreign(r.GPR[cpu.ESP])
	e.storeFX(&r.FX)
	compared(&r.FX)
	return nil
}

// loadFX gives the floating-point registers the contents of an FXSAVE image.
func (e *Emulated) loadFX(image *[imageUsed]byte) {
	le, f := binary.LittleEndian, &e.FPU
	f.Control, f.Status = le.Uint16(image[0:]), le.Uint16(image[2:])
	f.Opcode = le.Uint16(image[6:])
	f.IP, f.CS = le.Uint32(image[8:]), le.Uint16(image[12:])
	f.DP, f.DS = le.Uint32(image[16:]), le.Uint16(image[20:])
	e.MXCSR = le.Uint32(image[24:])
	top := f.Status >> 11 & 7
	f.Tag = 0
	for i := range uint16(8) {
		r := &f.ST[(top+i)&7]
		r.Significand, r.SignExponent = le.Uint64(image[32+16*i:]), le.Uint16(image[40+16*i:])
	}
	for i := range f.ST {
		tag := uint16(3)
		if image[4]>>i&1 != 0 {
			tag = fullTag(&f.ST[i])
		}
		f.Tag |= tag << (2 * i)
	}
	for i := range e.XMM {
		e.XMM[i] = [2]uint64{le.Uint64(image[160+16*i:]), le.Uint64(image[168+16*i:])}
	}
}

// fullTag is the tag of a register that is not empty (Intel SDM Vol. 1, "x87
// FPU Tag Word").
func fullTag(r *cpu.Float80) uint16 {
	switch exponent := r.SignExponent & 0x7fff; {
	case exponent == 0 && r.Significand == 0:
		return 1
	case exponent == 0 || exponent == 0x7fff || r.Significand>>63 == 0:
		return 2
	}
	return 0
}

// storeFX is the inverse of loadFX.
func (e *Emulated) storeFX(image *[imageUsed]byte) {
	le, f := binary.LittleEndian, &e.FPU
	le.PutUint16(image[0:], f.Control)
	le.PutUint16(image[2:], f.Status)
	for i := range f.ST {
		if f.Tag>>(2*i)&3 != 3 {
			image[4] |= 1 << i
		}
	}
	le.PutUint16(image[6:], f.Opcode)
	le.PutUint32(image[8:], f.IP)
	le.PutUint16(image[12:], f.CS)
	le.PutUint32(image[16:], f.DP)
	le.PutUint16(image[20:], f.DS)
	le.PutUint32(image[24:], e.MXCSR)
	le.PutUint32(image[28:], 0xffff)
	top := f.Status >> 11 & 7
	for i := range uint16(8) {
		r := &f.ST[(top+i)&7]
		le.PutUint64(image[32+16*i:], r.Significand)
		le.PutUint16(image[40+16*i:], r.SignExponent)
	}
	for i := range e.XMM {
		le.PutUint64(image[160+16*i:], e.XMM[i][0])
		le.PutUint64(image[168+16*i:], e.XMM[i][1])
	}
}
