package system

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// access makes an access to a page whose entries are arbitrary.
func (g *generator) access() {
	page := dataAt/pageSize + g.IntN(2)
	pae := g.CR4&cpu.CR4PAE != 0
	// Present, writable, user, accessed, dirty, global, what the processor does
	// not look at, PWT and PCD; above them NX and what is reserved.
	low := g.some(1, 85) | g.some(2, 70) | g.some(4, 70) | g.some(1<<5, 50) | g.some(1<<6, 50) | g.some(1<<8, 20) |
		g.some(7<<9, 10) | g.some(0x18, 10)
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
		g.put32(int(at)%Size, landingAt-g.Seg[isa.CS].Base)
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
		if g.Open != 0 && g.CPL != 0 {
			continue // its flags are pushed when HLT is refused
		}
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
	if in.Op == isa.BSWAP && in.OpSize == 2 {
		return true
	}
	switch in.Op {
	case isa.CPUID, isa.RDTSC, isa.RDMSR, isa.WRMSR, isa.SYSENTER, isa.SYSEXIT, isa.RDPMC, isa.INT1, isa.BSF, isa.BSR,
		isa.FWAIT, isa.NOP, isa.CLFLUSH, isa.LOOPE, isa.LOOPNE:
		return true
	}
	return false
}
