package system

import (
	"encoding/binary"
	"math/rand/v2"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// Options is what decides which cases there are.
type Options struct {
	Seed uint64
	// Unpaged leaves paging out, for a KVM that cannot.
	Unpaged bool
}

const hlt = 0xf4

// A mode is what the code of a case runs in.
type mode uint8

const (
	real mode = iota
	v86
	protected16
	protected32
)

// A generator makes a case.
type generator struct {
	source
	*Case
	mode mode
	// at is the linear address of the code.
	at uint32
}

// Case makes case number n of a class: always the same.
func (o Options) Case(class Class, n uint64) *Case {
	g := &generator{
		source: source{rand.New(rand.NewPCG(o.Seed, uint64(class)<<56|n))},
		Case:   &Case{Class: class, Memory: make([]byte, Size)},
	}
	g.mode = one(g.source, modes[class]...)
	g.tables()
	g.registers()
	g.segments()
	if !o.Unpaged && g.mode != real && (class == Paging || g.percent(40)) {
		g.paging()
	}
	g.instruction()
	at := int(g.at)
	copy(g.Memory[at:], g.Code)
	for i := range 16 {
		g.Memory[at+len(g.Code)+i] = hlt
	}
	return g.Case
}

// modes are those that a class is about, some oftener than others.
var modes = [NumClasses][]mode{
	Loads:      {real, v86, protected16, protected32, protected32, protected32, protected32},
	Looks:      {real, v86, protected16, protected32, protected32},
	Transfers:  {real, v86, protected16, protected32, protected32, protected32, protected32},
	Returns:    {real, v86, protected16, protected32, protected32, protected32, protected32},
	Interrupts: {real, v86, v86, protected16, protected32, protected32, protected32},
	Paging:     {v86, protected16, protected32, protected32},
	Control:    {real, v86, protected16, protected32},
	Flags:      {real, v86, v86, protected16, protected32},
	Tasks:      {v86, protected16, protected32, protected32},
	Debug:      {real, v86, protected16, protected32, protected32},
	Any:        {real, v86, protected16, protected32},
}

// tables fills memory: descriptor tables, tasks, handlers, data.
func (g *generator) tables() {
	for i := range g.Memory[dataAt:] {
		g.Memory[dataAt+i] = byte(g.Uint32())
	}
	for i := range pageSize {
		g.Memory[stubsAt+i], g.Memory[landingAt+i] = hlt, hlt
	}
	for v := range 256 {
		g.put32(4*v, stubsAt+uint32(v))
	}
	for v := range idtEntries {
		g.put64(idtAt+8*v, gate(code0, stubsAt+uint32(v), 0xee, 0))
	}
	for sel, d := range fixed() {
		g.put64(gdtAt+int(sel&^7), d)
	}
	for i := firstRandom; i < gdtEntries; i++ {
		g.put64(gdtAt+8*i, g.descriptor())
	}
	for i := range ldtEntries {
		g.put64(ldtAt+8*i, g.descriptor())
	}
	for level := range 3 {
		g.put32(tssAt+4+8*level, innerAt+uint32(level)*pageSize+0x800)
		g.put16(tssAt+8+8*level, flatData(uint8(level)))
	}
	g.put16(tssAt+0x66, ioBitmap)
	for i := range mainLimit - redirectAt {
		g.Memory[tssAt+redirectAt+i] = byte(g.Uint32() & g.Uint32())
	}
	g.Memory[tssAt+mainLimit] = 0xff
	g.task(tss2At)
	g.task16(tss3At)
}

// task fills a 32-bit TSS, with mistakes.
func (g *generator) task(at int) {
	copy(g.Memory[at:], g.Memory[tssAt:tssAt+0x1c])
	g.put16(at, one[uint16](g.source, mainTSS, tss3, g.selector()))
	cpl := uint8(one(g.source, 0, 0, g.IntN(4)))
	g.put32(at+0x1c, rootAt)
	g.put32(at+0x20, g.landing())
	g.put32(at+0x24, g.eflags()&^cpu.FlagAC)
	for i := range 8 {
		g.put32(at+0x28+4*i, g.word())
	}
	g.put32(at+0x38, innerAt+0x400)
	for i := range 6 {
		sel := flatData(cpl)
		if i == int(isa.CS) {
			sel = flatCode(cpl)
		}
		if g.percent(8) {
			sel = g.selector()
		}
		g.put16(at+0x48+4*i, sel)
	}
	g.put16(at+0x60, one[uint16](g.source, mainLDT, 0, 0, g.selector()))
	g.put16(at+0x66, 0x68)
}

// task16 fills a 16-bit TSS, with mistakes.
func (g *generator) task16(at int) {
	g.put16(at, one[uint16](g.source, mainTSS, tss2, g.selector()))
	for level := range 3 {
		g.put16(at+2+4*level, innerAt+uint16(level)*pageSize+0x800)
		g.put16(at+4+4*level, flatData(uint8(level)))
	}
	cpl := uint8(one(g.source, 0, 0, g.IntN(4)))
	g.put16(at+0x0e, uint16(g.landing()))
	g.put16(at+0x10, uint16(g.eflags()))
	for i := range 8 {
		g.put16(at+0x12+2*i, uint16(g.word()))
	}
	g.put16(at+0x1a, innerAt+0x400)
	for i := range 4 {
		sel := flatData(cpl)
		if i == int(isa.CS) {
			sel = flatCode(cpl)
		}
		if g.percent(8) {
			sel = g.selector()
		}
		g.put16(at+0x22+2*i, sel)
	}
	g.put16(at+0x2a, one[uint16](g.source, mainLDT, 0, 0, g.selector()))
}

// registers gives the registers values that the mode allows.
func (g *generator) registers() {
	s := &g.State
	for i := range 8 {
		s.GPR[i] = uint64(g.word())
		if g.mode != protected32 && g.percent(60) {
			s.GPR[i] &= 0xffff
		}
	}
	s.EFLAGS = g.eflags()
	s.CR0 = cpu.CR0ET | cpu.CR0NE | g.some(cpu.CR0WP, 50) | g.some(cpu.CR0AM, 20) | g.some(cpu.CR0TS, 10) | g.some(cpu.CR0MP, 10)
	s.CR4 = cpu.CR4OSFXSR | g.some(cpu.CR4VME, 50) | g.some(cpu.CR4PVI, 30) | g.some(cpu.CR4DE, 30) | g.some(cpu.CR4TSD, 30) |
		g.some(cpu.CR4PGE, 30) | g.some(cpu.CR4PSE, 50)
	s.CR3 = rootAt
	s.DR[6], s.DR[7] = 0xffff0ff0, 0x400
	s.GDTR = cpu.Segment{Base: gdtAt, Limit: 8*gdtEntries - 1}
	s.IDTR = cpu.Segment{Base: idtAt, Limit: 8*idtEntries - 1}
	s.TR = segment(mainTSS, fixed()[mainTSS])
	s.LDTR = segment(mainLDT, fixed()[mainLDT])
	if g.percent(10) {
		s.LDTR = cpu.Segment{}
	}
	if g.mode == real {
		s.IDTR = cpu.Segment{Limit: 0x3ff}
	} else {
		s.CR0 |= cpu.CR0PE
		s.EFLAGS |= g.some(cpu.FlagNT, 10)
	}
	if g.mode == v86 || s.CR4&cpu.CR4PVI != 0 {
		s.EFLAGS |= g.some(cpu.FlagVIF, 40) | g.some(cpu.FlagVIP, 20)
	}
	if g.mode == v86 {
		s.EFLAGS |= cpu.FlagVM
		if g.percent(40) {
			s.EFLAGS |= cpu.FlagIOPL
		}
	}
}

// segments loads the segment registers and puts code and stack somewhere.
func (g *generator) segments() {
	s := &g.State
	g.at = codeAt + uint32(g.IntN(64))
	stack := stackAt + 0x800 + uint32(g.IntN(0x200))
	if g.percent(80) {
		stack &^= 3
	}
	if g.mode == real || g.mode == v86 {
		access := uint16(cpu.AccessP | cpu.AccessS | cpu.AccessRW | cpu.AccessA)
		if g.mode == v86 {
			access |= cpu.AccessDPL
			s.CPL = 3
		}
		for i := range s.Seg {
			sel := uint16(one(g.source, 0, 0x100, g.IntN(dataAt/16)))
			switch isa.Seg(i) {
			case isa.CS:
				sel = uint16(g.IntN(codeAt / 16))
			case isa.SS:
				sel = uint16(g.IntN(stackAt / 16))
			}
			s.Seg[i] = cpu.Segment{Selector: sel, Base: uint32(sel) << 4, Limit: 0xffff, Access: access, Usable: true}
			if g.mode == real && isa.Seg(i) != isa.CS && g.percent(10) {
				// What "unreal" mode is.
				s.Seg[i].Limit, s.Seg[i].Access = 0xffffffff, access|cpu.AccessG
			}
		}
		s.EIP = g.at - s.Seg[isa.CS].Base
		g.setESP(stack - s.Seg[isa.SS].Base)
		return
	}
	code, data := uint16(code16), uint16(data16)
	if g.mode == protected32 {
		s.CPL = uint8(one(g.source, 0, 0, 3, 3, 1, 2))
		code, data = flatCode(s.CPL), flatData(s.CPL)
	} else if g.percent(50) {
		s.CPL = 3
		code, data = code16u, data16u
	}
	load := func(sel uint16) cpu.Segment {
		return segment(sel, binary.LittleEndian.Uint64(g.Memory[gdtAt+int(sel&^7):]))
	}
	for i := range s.Seg {
		switch {
		case isa.Seg(i) == isa.CS:
			s.Seg[i] = load(code)
		case isa.Seg(i) == isa.SS || isa.Seg(i) == isa.DS || g.percent(70):
			s.Seg[i] = load(data)
		case g.percent(50):
			s.Seg[i] = load(flatData(3))
		default:
			s.Seg[i] = cpu.Segment{Selector: uint16(g.IntN(4))}
		}
	}
	s.EIP = g.at
	g.setESP(stack)
}

func (g *generator) setESP(v uint32) { g.State.GPR[cpu.ESP] = uint64(v) }

// set gives a register a value.
func (g *generator) set(r int, v uint32) { g.State.GPR[r] = uint64(v) }

// wide reports whether operands have 32 bits by default.
func (g *generator) wide() bool { return g.mode == protected32 }

// paging turns paging on: the identity, for everyone, with accessed and dirty
// bits here and there.
func (g *generator) paging() {
	s := &g.State
	s.CR0 |= cpu.CR0PG
	bits := func() uint32 {
		const present, writable, user, accessed, dirty = 1, 2, 4, 1 << 5, 1 << 6
		return present | writable | user | g.some(accessed, 60) | g.some(dirty, 50)
	}
	if g.percent(50) {
		const upper = 0x27 // accessed, user, writable, present
		g.put32(rootAt, middleAt|upper)
		for i := range Size / pageSize {
			g.put32(middleAt+4*i, uint32(i)*pageSize|bits())
		}
		g.put32(rootAt+4, bits()|1<<7) // 4 MBytes from 0, with CR4.PSE
		return
	}
	s.CR4 |= cpu.CR4PAE
	if g.percent(70) {
		s.MSR.EFER = cpu.EFERNXE
	}
	g.put64(rootAt, middleAt|1)
	s.PDPTE[0] = middleAt | 1
	g.put64(middleAt, tableAt|0x27)
	for i := range Size / pageSize {
		g.put64(tableAt+8*i, uint64(i)*pageSize|uint64(bits()))
	}
	g.put64(middleAt+16, uint64(bits())|1<<7) // 2 MBytes from 0, at 4 MBytes
}
