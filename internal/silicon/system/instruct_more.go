package system

import (
	"encoding/binary"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// access makes an access to a page whose entries are arbitrary.
func (g *generator) access() {
	page := dataAt/pageSize + g.IntN(2)
	pae := g.CR4&cpu.CR4PAE != 0
	present, rest := g.some(1, 85), g.some(2, 70)|g.some(4, 70)|g.some(1<<5, 50)|g.some(1<<6, 50)|g.some(1<<8, 20)
	low := present | rest | g.some(7<<9, 10) | g.some(0x18, 10)
	high := g.some(1<<31, 30) | g.some(one[uint32](g.source, 1<<20, 1<<25, 1<<30), 5)
	large := g.wide() && g.percent(30)
	at := uint32(page)*pageSize + uint32(g.IntN(pageSize-16))
	if g.percent(20) {
		at = (dataAt + pageSize) - uint32(1+g.IntN(4))
	}
	switch {
	case large && pae:
		at += 4 << 20
		g.put64(middleAt+16, uint64(high)<<32|uint64(low|1<<7|g.some(1<<13, 5)|g.some(1<<12, 10)))
	case large:
		at += 4 << 20
		g.CR4 |= g.some(cpu.CR4PSE, 90)
		g.put32(rootAt+4, low|1<<7|g.some(1<<21, 5)|g.some(1<<12, 10))
	case pae:
		g.put64(tableAt+8*page, uint64(high)<<32|uint64(low|uint32(page)*pageSize|g.some(1<<7, 10)))
		g.put32(middleAt, tableAt|1|g.some(2, 80)|g.some(4, 90)|g.some(1<<5, 60)|g.some(1<<6, 50)|g.some(1<<8, 20))
		g.put32(middleAt+4, g.some(1<<31, 4))
	default:
		g.put32(middleAt+4*page, low|uint32(page)*pageSize|g.some(1<<7, 10))
		g.put32(rootAt, middleAt|1|g.some(2, 80)|g.some(4, 90)|g.some(1<<5, 60)|g.some(1<<6, 50))
	}
	g.touch(at)
}

// touch makes an instruction that accesses linear address at.
func (g *generator) touch(at uint32) {
	switch g.IntN(11) {
	case 0:
		g.emit(0x8b) // MOV r, m
		g.memory(cpu.EDX, at)
	case 1, 2:
		g.emit(0x89) // MOV m, r
		g.memory(cpu.EDX, at)
	case 3:
		g.emit(0x01) // ADD m, r
		g.memory(cpu.ECX, at)
		g.EFLAGS &^= cpu.FlagsStatus
	case 4:
		g.emit(0x39) // CMP m, r
		g.memory(cpu.ECX, at)
	case 5:
		g.emit(0x0f, 0xb1) // CMPXCHG m, r
		g.memory(cpu.ECX, at)
	case 6:
		g.emit(0xff)
		g.memory(6, at) // PUSH m
	case 7:
		g.emit(0x8f)
		g.memory(0, at) // POP m
	case 8:
		g.emit(0xff)
		g.memory(4, at) // JMP m
		g.put32(int(at)%Size, landingAt)
	case 9:
		g.emit(0xa5) // MOVS
		g.set(cpu.ESI, at-g.Seg[isa.DS].Base)
		g.set(cpu.EDI, dataAt-g.Seg[isa.ES].Base)
	case 10:
		// A jump into the page, where there are HLTs.
		if !g.wide() {
			at = dataAt + uint32(g.IntN(pageSize))
		}
		g.Code = append(g.Code, 0xe9)
		n := uint32(3)
		if g.wide() {
			n = 5
		}
		g.address(at - g.Seg[isa.CS].Base - g.EIP - n)
		for i := range 16 {
			g.Memory[int(at)%(4<<20)+i] = hlt
		}
	}
}

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

// any makes an arbitrary instruction that no other comparison makes better.
func (g *generator) any() {
	wide := isa.Code16
	if g.wide() {
		wide = isa.Code32
	}
	for {
		code := make([]byte, 24)
		for i := range code {
			code[i] = byte(g.Uint32())
		}
		if g.percent(30) {
			code[0] = 0x0f
		}
		in, err := isa.Decode(code, wide)
		if err != nil || g.unwanted(&in) {
			continue
		}
		g.Code = code[:in.Len]
		_, _, undefined := in.Flags()
		g.Open = uint32(undefined)
		break
	}
	for i := range 8 {
		if i != cpu.ESP && g.percent(70) {
			g.set(i, uint32(g.IntN(Size)))
		}
	}
	g.set(cpu.ECX, uint32(g.IntN(300)))
}

// unwanted reports whether processors differ on an instruction, or it is about
// state that is not compared here.
func (g *generator) unwanted(in *isa.Inst) bool {
	if in.Op.Attr()&(isa.X87|isa.SIMD|isa.Jumps) != 0 || in.Prefix&isa.Lock != 0 {
		return true
	}
	switch in.Op {
	case isa.CPUID, isa.RDTSC, isa.RDMSR, isa.WRMSR, isa.SYSENTER, isa.SYSEXIT, isa.RDPMC, isa.INT1, isa.BSF, isa.BSR,
		isa.FWAIT, isa.NOP, isa.CLFLUSH, isa.LOOPE, isa.LOOPNE:
		return true
	}
	return false
}
