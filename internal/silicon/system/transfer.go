package system

import (
	"encoding/binary"

	"github.com/gov86/gov86/cpu"
)

// offset is where a far transfer leads.
func (g *generator) offset(sel uint16) uint32 {
	if g.mode == real || g.mode == v86 {
		return landingAt + uint32(g.IntN(pageSize)) - uint32(sel)<<4
	}
	return g.landing()
}

// transfer makes a far jump, call or return to a selector.
func (g *generator) transfer(sel uint16) {
	if g.mode == real || g.mode == v86 {
		sel = uint16(g.IntN(landingAt / 16))
	}
	off := g.offset(sel)
	g.emit()
	size := g.operandSize()
	switch n := g.IntN(10); {
	case n < 3:
		g.Code = append(g.Code, one[byte](g.source, 0x9a, 0xea))
		if size == 4 {
			g.Code = binary.LittleEndian.AppendUint32(g.Code, off)
		} else {
			g.Code = binary.LittleEndian.AppendUint16(g.Code, uint16(off))
		}
		g.Code = binary.LittleEndian.AppendUint16(g.Code, sel)
	case n < 6:
		at := dataAt + uint32(g.IntN(dataSize-16))
		g.put32(int(at), off)
		g.put16(int(at)+size, sel)
		g.Code = append(g.Code, 0xff)
		g.memory(one[uint8](g.source, 3, 5), at)
	default:
		pop := uint16(0)
		if g.percent(40) {
			pop = uint16(g.IntN(32))
			g.Code = binary.LittleEndian.AppendUint16(append(g.Code, 0xca), pop)
		} else {
			g.Code = append(g.Code, 0xcb)
		}
		g.pushed(size, off, uint32(sel))
		g.State.GPR[cpu.ESP] += uint64(2*size) + uint64(pop)
		g.pushed(size, g.outerStack(sel)...)
		g.State.GPR[cpu.ESP] -= uint64(2*size) + uint64(pop)
	}
}

// outerStack is a stack pointer and a stack for a return to sel.
func (g *generator) outerStack(sel uint16) []uint32 {
	ss := flatData(uint8(sel & 3))
	if g.percent(25) {
		ss = g.selector()
	}
	return []uint32{innerAt + uint32(g.IntN(pageSize)), uint32(ss)}
}

// interruptReturn makes IRET and its frame.
func (g *generator) interruptReturn() {
	g.emit()
	size := g.operandSize()
	g.Code = append(g.Code, 0xcf)
	sel := g.selector()
	if g.percent(40) {
		sel = flatCode(uint8(g.IntN(4)))
	}
	if g.mode == real || g.mode == v86 {
		sel = uint16(g.IntN(landingAt / 16))
	}
	flags := g.eflags() | g.some(cpu.FlagNT, 10) | g.some(cpu.FlagRF, 10) | g.some(cpu.FlagVIF|cpu.FlagVIP, 10) |
		g.some(cpu.FlagTF, 4) | g.some(0xffc08028, 10)
	frame := []uint32{g.offset(sel), uint32(sel), flags}
	if g.mode == protected32 && g.percent(15) {
		frame = []uint32{landingAt, uint32(g.IntN(pageSize/16)) | g.Uint32()<<16, flags | cpu.FlagVM, g.word(), g.Uint32(), g.Uint32(), g.Uint32(), g.Uint32(), g.Uint32()}
	}
	if g.percent(5) {
		g.put16(tssAt, one(g.source, mainTSS, tss2, tss3, g.selector()))
		busy := int(gdtAt + one(g.source, tss2, tss3)&^7 + 5)
		g.Memory[busy] |= g.byteIf(2, 80)
	} else {
		g.EFLAGS &^= cpu.FlagNT
	}
	if len(frame) == 3 {
		frame = append(frame, g.outerStack(sel)...)
	}
	g.pushed(size, frame...)
}

// byteIf is b, p times in a hundred.
func (s source) byteIf(b byte, p int) byte { return byte(s.some(uint32(b), p)) }

// interrupt makes an interrupt or exception and a gate for it.
func (g *generator) interrupt() {
	vector := uint8(0)
	switch g.IntN(9) {
	case 0, 1, 2, 3:
		vector = uint8(g.IntN(idtEntries + 2))
		g.Code = append(g.Code, 0xcd, vector)
	case 4:
		vector = cpu.VecBP
		g.Code = append(g.Code, 0xcc)
	case 5:
		vector = cpu.VecOF
		g.EFLAGS |= g.some(cpu.FlagOF, 80)
		g.Code = append(g.Code, 0xce)
	case 6:
		vector = cpu.VecUD
		g.Code = append(g.Code, 0x0f, 0x0b)
	case 7:
		g.Code = append(g.Code, 0xd4, 0) // AAM 0
	case 8:
		vector = cpu.VecGP
		g.Code = append(g.Code, 0x8e, 0xd8) // MOV DS, AX
		g.set(cpu.EAX, 0xfff8)
	}
	if g.mode != real {
		g.handler(vector)
		if g.percent(20) {
			g.handler(one[uint8](g.source, cpu.VecGP, cpu.VecNP, cpu.VecSS, cpu.VecTS, cpu.VecDF))
		}
	}
	if g.percent(20) {
		g.put16(tssAt+8+8*g.IntN(3), g.selector())
	}
	if g.percent(10) {
		g.put32(tssAt+4+8*g.IntN(3), g.word())
	}
	if g.percent(5) {
		g.IDTR.Limit = uint32(g.IntN(8 * idtEntries))
	}
}

// handler makes a gate of the IDT, with mistakes.
func (g *generator) handler(vector uint8) {
	if vector >= idtEntries || g.percent(20) {
		return
	}
	kind := one[uint8](g.source, 0xe, 0xe, 0xe, 0xf, 0xf, 0xf, 6, 7, uint8(g.IntN(16)))
	sel := g.selector()
	switch {
	case kind == 5:
		sel = one(g.source, tss2, tss3, g.selector())
	case g.percent(60):
		sel = flatCode(uint8(one(g.source, 0, 0, g.IntN(4))))
	}
	access := kind | 0x80 | uint8(one(g.source, 3, g.IntN(4)))<<5
	if g.percent(6) {
		access &^= 0x80
	}
	if g.percent(4) {
		access |= 0x10
	}
	g.put64(idtAt+8*int(vector), gate(sel, g.landing(), access, uint8(g.IntN(4))))
}

// switchTask makes a transfer or interrupt to a task.
func (g *generator) switchTask() {
	if g.percent(20) {
		g.put32(tss2At+0x24, g.Uint32()&^cpu.FlagTF|g.some(cpu.FlagVM, 30))
	}
	sel := one[uint16](g.source, tss2, tss3) | uint16(g.IntN(4))
	kind := uint8(0x89)
	if sel&^3 == tss3 {
		kind = 0x81
	}
	at := int(gdtAt + sel&^7)
	g.Memory[at+5] = kind | 3<<5 | g.byteIf(2, 5)
	if g.percent(5) {
		g.Memory[at+5] &^= 0x80
	}
	if g.percent(5) {
		g.Memory[at]--
	}
	if g.percent(10) {
		g.Memory[tss2At+0x64] = 1 // the T bit
	}
	if g.percent(35) {
		vector := one[uint8](g.source, 0x20, cpu.VecGP, cpu.VecDF)
		g.put64(idtAt+8*int(vector), gate(sel, 0, 0xe5, 0))
		g.Code = append(g.Code, 0xcd, 0x20)
		if vector != 0x20 {
			g.Code = []byte{0x8e, 0xd8}
			g.set(cpu.EAX, 0xfff8)
		}
		return
	}
	if g.percent(30) { // through a task gate
		gateAt := uint16(firstRandom + g.IntN(8))
		g.put64(gdtAt+8*int(gateAt), gate(sel, 0, 0xe5, 0))
		sel = gateAt << 3
	}
	if g.mode == v86 {
		g.Code = append(g.Code, hlt)
		g.put64(idtAt+8*cpu.VecGP, gate(sel, 0, 0xe5, 0))
		return
	}
	off := g.word()
	g.Code = append(g.Code, one[byte](g.source, 0x9a, 0xea))
	g.address(off)
	g.Code = binary.LittleEndian.AppendUint16(g.Code, sel)
}
