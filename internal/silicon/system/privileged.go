package system

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// control makes an access to a control or debug register.
func (g *generator) control() {
	gpr := uint8(one(g.source, cpu.EAX, cpu.ECX, cpu.EDX, cpu.EBX))
	switch g.IntN(8) {
	case 0, 1, 2:
		n := one[uint8](g.source, 0, 0, 2, 3, 4, 4, uint8(g.IntN(8)))
		v := map[uint8]uint32{0: g.CR0, 3: g.CR3, 4: g.CR4}[n]
		g.set(int(gpr), g.flipped(n, v))
		g.emit(0x0f, 0x22, 0xc0|n<<3|gpr)
	case 3:
		g.emit(0x0f, 0x20, 0xc0|one[uint8](g.source, 0, 2, 3, 4, uint8(g.IntN(8)))<<3|gpr)
	case 4:
		g.State.DR[7] |= g.some(1<<13, 20)
		g.emit(0x0f, 0x21, 0xc0|uint8(g.IntN(8))<<3|gpr)
	case 5:
		g.State.DR[7] |= g.some(1<<13, 20)
		v := g.word()
		if g.percent(50) {
			v &^= 0xff // nothing is enabled
		}
		g.set(int(gpr), v)
		g.emit(0x0f, 0x23, 0xc0|uint8(g.IntN(8))<<3|gpr)
	case 6:
		g.emit(0x0f, 0x01)
		g.wordOperand(6, uint16(g.CR0)^1<<g.IntN(5)&^1|uint16(g.IntN(2))) // LMSW
	case 7:
		g.emit(0x0f, 0x06) // CLTS
	}
}

// flipped is a value for control register n, now v.
func (g *generator) flipped(n uint8, v uint32) uint32 {
	switch n {
	case 0:
		for range 1 + g.IntN(2) {
			v ^= one[uint32](g.source, cpu.CR0PE, cpu.CR0MP, cpu.CR0TS, cpu.CR0NE, cpu.CR0WP, cpu.CR0AM, cpu.CR0PG, cpu.CR0ET,
				cpu.CR0NW, cpu.CR0CD, cpu.CR0NW|cpu.CR0CD, 1<<g.IntN(32))
		}
		return v
	case 3:
		return one(g.source, v, v|0x18, v^1<<g.IntN(12), g.word())
	case 4:
		return v ^ one[uint32](g.source, 1<<g.IntN(11), 1<<g.IntN(11), 1<<g.IntN(32))
	}
	return g.word()
}

// flags makes an instruction that IOPL or the I/O permission bitmap guards.
func (g *generator) flags() {
	port := uint16(g.IntN(0x110))
	switch g.IntN(9) {
	case 0, 1:
		g.emit(0x9d) // POPF
		g.pushed(4, g.Uint32()&^cpu.FlagTF|g.some(cpu.FlagTF, 10))
	case 2:
		g.emit(0x9c) // PUSHF
	case 3, 4:
		g.Code = append(g.Code, one[byte](g.source, 0xfa, 0xfb)) // CLI, STI
	case 5:
		g.emit(one[byte](g.source, 0xe4, 0xe5, 0xe6, 0xe7), byte(port))
	case 6:
		g.emit(one[byte](g.source, 0xec, 0xed, 0xee, 0xef))
		g.set(cpu.EDX, uint32(port))
	case 7:
		g.emit(one[byte](g.source, 0x6c, 0x6d, 0x6e, 0x6f)) // INS, OUTS
		g.set(cpu.EDX, uint32(port))
		g.set(cpu.ESI, dataAt-g.Seg[isa.DS].Base+uint32(g.IntN(dataSize-16)))
		g.set(cpu.EDI, dataAt-g.Seg[isa.ES].Base+uint32(g.IntN(dataSize-16)))
	case 8:
		g.Code = append(g.Code, one(g.source, []byte{0x0f, 0x08}, []byte{0x0f, 0x09}, []byte{hlt})...) // INVD, WBINVD
	}
	if g.percent(10) {
		g.put16(tssAt+0x66, one[uint16](g.source, mainLimit, mainLimit-1, 0x68, 0xffff, 0))
	}
}

// debug makes instructions under single step or breakpoints.
func (g *generator) debug() {
	if g.percent(60) {
		g.EFLAGS |= cpu.FlagTF
	}
	if g.percent(60) {
		i := g.IntN(4)
		kind := uint32(g.IntN(16))
		g.State.DR[i] = one(g.source, dataAt, dataAt+4, dataAt+2, g.at, g.at+1, g.at+2, stackAt+0x800, 0x20)
		g.State.DR[7] |= 1<<(2*i) | kind<<(16+4*i)
	}
	at := dataAt + uint32(g.IntN(8))
	switch g.IntN(10) {
	case 0:
		g.Code = append(g.Code, 0x90)
	case 1:
		g.emit(0x89)
		g.memory(cpu.EDX, at)
	case 2:
		g.emit(0x8b)
		g.memory(cpu.EDX, at)
	case 3:
		g.Code = append(g.Code, 0x8e, 0xd0, 0x90) // MOV SS, AX; NOP
		g.set(cpu.EAX, uint32(g.Seg[isa.SS].Selector))
	case 4:
		g.emit(one[byte](g.source, 0xcc, 0x9c, 0xfb, 0x50, 0x58))
	case 5:
		g.Code = append(g.Code, 0xcd, 0x20)
	case 6:
		g.Code = append(g.Code, 0xf3, 0xa4) // REP MOVSB
		g.set(cpu.ECX, uint32(g.IntN(4)))
		g.set(cpu.ESI, at-g.Seg[isa.DS].Base)
		g.set(cpu.EDI, dataAt+8-g.Seg[isa.ES].Base)
	case 7:
		g.Code = append(g.Code, one[byte](g.source, 0xe4, 0xe6), byte(0x20+g.IntN(4)))
	case 8:
		g.emit(0x9d)
		g.pushed(4, g.eflags()|g.some(cpu.FlagTF, 50)|g.some(cpu.FlagRF, 20))
	case 9:
		g.Code = append(g.Code, 0xeb, 0) // JMP to the next instruction
	}
}
