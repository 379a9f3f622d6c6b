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
