package system

import (
	"encoding/binary"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// instruction makes the code of a case and prepares what it uses.
func (g *generator) instruction() {
	switch g.Class {
	case Loads:
		g.load()
	case Looks:
		g.look()
	case Transfers:
		g.transfer(g.selector())
	case Returns:
		g.interruptReturn()
	case Interrupts:
		g.interrupt()
	case Paging:
		g.access()
	case Control:
		g.control()
	case Flags:
		g.flags()
	case Tasks:
		g.switchTask()
	case Debug:
		g.debug()
	case Any:
		g.any()
	}
}

// emit appends code, now and then with an operand-size prefix.
func (g *generator) emit(code ...byte) {
	if g.percent(25) {
		g.Code = append(g.Code, 0x66)
	}
	g.Code = append(g.Code, code...)
}

// operandSize is what the code so far makes that of the next instruction.
func (g *generator) operandSize() int {
	prefixed := len(g.Code) > 0 && g.Code[len(g.Code)-1] == 0x66
	if g.wide() != prefixed {
		return 4
	}
	return 2
}

// address appends a word or doubleword, as addresses are by default.
func (g *generator) address(v uint32) {
	if g.wide() {
		g.Code = binary.LittleEndian.AppendUint32(g.Code, v)
	} else {
		g.Code = binary.LittleEndian.AppendUint16(g.Code, uint16(v))
	}
}

// memory appends ModR/M and displacement of an operand at linear address at,
// in DS.
func (g *generator) memory(reg uint8, at uint32) {
	rm := uint8(6)
	if g.wide() {
		rm = 5
	}
	g.Code = append(g.Code, reg<<3|rm)
	g.address(at - g.Seg[isa.DS].Base)
}

// register appends ModR/M of a register other than ESP, and gives it a value.
func (g *generator) register(reg uint8, v uint32) {
	r := one(g.source, cpu.EAX, cpu.ECX, cpu.EDX, cpu.EBX, cpu.EBP, cpu.ESI, cpu.EDI)
	g.Code = append(g.Code, 0xc0|reg<<3|uint8(r))
	if g.percent(30) {
		v |= g.Uint32() << 16 // only a word counts
	}
	g.set(r, v)
}

// pushed puts values of size bytes where the stack pointer points, the first
// lowest.
func (g *generator) pushed(size int, values ...uint32) {
	at := g.Seg[isa.SS].Base + uint32(g.State.GPR[cpu.ESP])
	for i, v := range values {
		if size == 4 {
			g.put32(int(at)+4*i, v)
		} else {
			g.put16(int(at)+2*i, uint16(v))
		}
	}
}

// wordOperand appends an operand with a value: a register or memory.
func (g *generator) wordOperand(reg uint8, v uint16) {
	if g.percent(60) {
		g.register(reg, uint32(v))
		return
	}
	at := dataAt + uint32(g.IntN(dataSize-16))
	g.put16(int(at), v)
	g.memory(reg, at)
}

// load loads a segment register, LDTR or TR.
func (g *generator) load() {
	sel := g.selector()
	switch n := g.IntN(10); {
	case n < 4:
		g.emit(0x8e)
		g.wordOperand(uint8(g.IntN(6)), sel)
	case n < 6:
		g.emit(one(g.source, []byte{0x07}, []byte{0x17}, []byte{0x1f}, []byte{0x0f, 0xa1}, []byte{0x0f, 0xa9})...)
		g.pushed(4, g.Uint32()<<16|uint32(sel))
	case n < 8:
		g.emit()
		size := g.operandSize()
		g.Code = append(g.Code, one(g.source, []byte{0xc4}, []byte{0xc5}, []byte{0x0f, 0xb2}, []byte{0x0f, 0xb4}, []byte{0x0f, 0xb5})...)
		at := dataAt + uint32(g.IntN(dataSize-16))
		g.put16(int(at)+size, sel)
		g.memory(one[uint8](g.source, cpu.EAX, cpu.EDX, cpu.EDI), at)
	default:
		reg := uint8(2 + g.IntN(2)) // LLDT, LTR
		if g.percent(40) {
			sel = one[uint16](g.source, mainLDT, tss2, tss3, mainTSS)
		}
		g.emit(0x0f, 0x00)
		g.wordOperand(reg, sel)
	}
}

// look makes an instruction that looks at descriptors, or reads or writes the
// registers of tables.
func (g *generator) look() {
	sel := g.selector()
	switch n := g.IntN(14); n {
	case 0, 1, 2:
		g.emit(0x0f, 0x02) // LAR
		g.wordOperand(cpu.EDX, sel)
	case 3, 4, 5:
		g.emit(0x0f, 0x03) // LSL
		g.wordOperand(cpu.EDX, sel)
	case 6, 7:
		g.emit(0x0f, 0x00)
		g.wordOperand(4, sel) // VERR
	case 8:
		g.emit(0x0f, 0x00)
		g.wordOperand(5, sel) // VERW
	case 9:
		g.emit(0x63) // ARPL
		g.wordOperand(uint8(cpu.EDX), sel)
	case 10:
		g.emit(0x0f, 0x00)
		g.wordOperand(uint8(g.IntN(2)), sel) // SLDT, STR
	case 11:
		g.emit(0x0f, 0x01)
		g.wordOperand(4, sel) // SMSW
	case 12:
		g.emit(0x0f, 0x01)
		g.memory(uint8(g.IntN(2)), g.target()) // SGDT, SIDT
	case 13:
		at := dataAt + uint32(g.IntN(dataSize-16))
		g.put16(int(at), uint16(g.word()))
		g.put32(int(at)+2, one(g.source, gdtAt, idtAt, g.Uint32()))
		g.emit(0x0f, 0x01)
		g.memory(uint8(2+g.IntN(2)), at) // LGDT, LIDT
	}
}

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
	kind := one[uint8](g.source, 0xe, 0xe, 0xf, 0xf, 6, 7, 5, uint8(g.IntN(16)))
	if g.Class == Interrupts && kind == 5 && g.percent(70) {
		kind = 0xe
	}
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
