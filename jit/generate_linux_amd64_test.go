package jit

import (
	"encoding/binary"
	"math/rand/v2"

	"github.com/gov86/gov86/mem"
)

// A randomCode is random code that ends: functions that call later ones, with loops,
// forward jumps, accesses of all kinds around page boundaries, and stores to its
// own operands. What it leaves undefined it does not look at.
type randomCode struct {
	*rand.Rand
	code []byte // from codeAt on
	// operands are where doublewords lie that may be written while it runs.
	operands []uint32
	entries  []uint32
	// quiet programs do not write them.
	quiet bool
}

const (
	functions = 24
	// rounds is how often the main loop calls all functions.
	rounds = 40
	// basesAt is where the first base register points to, a page before the next.
	basesAt = dataAt + 0x1000
)

func newRandom(seed uint64) *randomCode {
	p := &randomCode{Rand: rand.New(rand.NewPCG(seed, 1)), quiet: seed%3 != 0}
	for i := functions - 1; i >= 0; i-- {
		// Some functions begin so that an instruction runs into the next page.
		if p.IntN(3) == 0 {
			for (codeAt+len(p.code))&0xfff < 0x1000-20 && p.IntN(400) != 0 {
				p.put(0x90)
			}
		}
		p.entries = append(p.entries, codeAt+uint32(len(p.code)))
		p.function(len(p.entries) - 1)
	}
	return p
}

func (p *randomCode) put(b ...byte) { p.code = append(p.code, b...) }
func (p *randomCode) put32(v uint32) {
	p.code = binary.LittleEndian.AppendUint32(p.code, v)
}

// start is where the program begins.
func (p *randomCode) start() uint32 {
	at := codeAt + uint32(len(p.code))
	p.put(0xbb)
	p.put32(basesAt) // MOV EBX
	p.put(0xbe)
	p.put32(basesAt + 0x1000) // MOV ESI
	p.put(0xbf)
	p.put32(basesAt + 0x2000) // MOV EDI
	p.put(0xbd)
	p.put32(basesAt + 0x3000) // MOV EBP
	p.put(0xc7, 0x05)
	p.put32(dataAt)
	p.put32(rounds) // MOV [dataAt], rounds
	loop := codeAt + uint32(len(p.code))
	for i, entry := range p.entries {
		if i%3 == 0 {
			p.put(0xb8)
			p.put32(entry)
			p.put(0xff, 0xd0) // MOV EAX, entry; CALL EAX
			continue
		}
		p.near(0xe8, entry)
	}
	p.put(0xff, 0x0d)
	p.put32(dataAt)   // DEC [dataAt]
	p.put(0x0f, 0x85) // JNE
	p.put32(loop - (codeAt + uint32(len(p.code)) + 4))
	p.put(0x01, 0xd0, 0xf4) // ADD EAX, EDX; HLT
	return at
}

// near writes a jump or call.
func (p *randomCode) near(opcode byte, to uint32) {
	p.put(opcode)
	p.put32(to - (codeAt + uint32(len(p.code)) + 4))
}

func (p *randomCode) function(i int) {
	looped := p.IntN(2) == 0
	counter := dataAt + 16 + 4*uint32(i)
	if looped {
		p.put(0xc7, 0x05)
		p.put32(counter)
		p.put32(2 + p.Uint32N(4))
	}
	loop := codeAt + uint32(len(p.code))
	for range 4 + p.IntN(24) {
		p.step()
	}
	if looped {
		p.put(0xff, 0x0d)
		p.put32(counter)
		p.put(0x0f, 0x85)
		p.put32(loop - (codeAt + uint32(len(p.code)) + 4))
	}
	if i > 0 && p.IntN(2) == 0 {
		p.near(0xe8, p.entries[p.IntN(i)])
	}
	for range p.IntN(6) {
		p.step()
	}
	p.put(0xc3)
}

// reg is EAX, ECX or EDX.
func (p *randomCode) reg() byte { return byte(p.IntN(3)) }

// memory writes a ModR/M byte and an address near a base register, sometimes
// around a page boundary.
func (p *randomCode) memory(reg byte) {
	base := []byte{3, 5, 6, 7}[p.IntN(4)]
	disp := p.Uint32N(0x300) &^ 3
	switch p.IntN(8) {
	case 0:
		disp += p.Uint32N(4)
	case 1:
		disp = 0xff0 + p.Uint32N(32)
	}
	p.put(0x80|reg<<3|base, byte(disp), byte(disp>>8), 0, 0)
}

// define makes all flags defined.
func (p *randomCode) define() { p.put(0x01, 0xd0) } // ADD EAX, EDX

// step writes one or a few instructions.
func (p *randomCode) step() {
	arithmetic := []byte{0x00, 0x10, 0x18, 0x28, 0x38} // ADD, ADC, SBB, SUB, CMP
	logic := []byte{0x08, 0x20, 0x30}
	op := arithmetic[p.IntN(len(arithmetic))]
	cc := byte(p.IntN(16))
	switch p.IntN(32) {
	case 0:
		p.put(op|byte(p.IntN(2)), 0xc0|p.reg()<<3|p.reg())
	case 1, 2:
		p.put(op | byte(p.IntN(4)))
		p.memory(p.reg())
	case 3:
		p.put(0x66, op|1|byte(p.IntN(2))<<1)
		p.memory(p.reg())
	case 4: // a byte register, maybe a high one
		p.put(op | byte(p.IntN(2))<<1)
		p.memory([]byte{0, 1, 2, 4, 5, 6}[p.IntN(6)])
	case 5:
		p.put(logic[p.IntN(3)] | byte(p.IntN(4)))
		p.memory(p.reg())
		p.define()
	case 6:
		p.put(0x83)
		p.memory(op >> 3)
		p.put(byte(p.IntN(256)))
	case 7: // a rotation or shift by one, or by CL
		p.put([]byte{0xd1, 0xd3}[p.IntN(2)])
		p.memory([]byte{0, 1, 2, 3, 4, 5, 7}[p.IntN(7)])
		p.define()
	case 8: // INC, DEC
		p.put(0xff)
		p.memory(byte(p.IntN(2)))
	case 9: // SETcc
		p.put(0x0f, 0x90|cc)
		p.memory(0)
	case 10: // CMOVcc
		p.put(0x0f, 0x40|cc)
		p.memory(p.reg())
	case 11: // MOVZX, MOVSX
		p.put(0x0f, []byte{0xb6, 0xb7, 0xbe, 0xbf}[p.IntN(4)])
		p.memory(p.reg())
	case 12: // XCHG, MOV
		p.put([]byte{0x87, 0x89, 0x8b, 0x86}[p.IntN(4)])
		p.memory(p.reg())
	case 13: // XADD, CMPXCHG
		p.put(0x0f, []byte{0xc1, 0xb1}[p.IntN(2)])
		p.memory(p.reg())
	case 14: // PUSH, PUSH, POP, POP
		p.put(0x50|p.reg(), 0xff)
		p.memory(6)
		p.put(0x8f)
		p.memory(0)
		p.put(0x58 | p.reg())
	case 15: // PUSHF, a step, POPF
		p.put(0x9c)
		p.define()
		p.put(0x9d)
	case 16: // PUSHF, POP
		p.put(0x9c, 0x58|p.reg())
	case 17: // an operand that may be written
		p.put(0xb8 | p.reg())
		p.operands = append(p.operands, codeAt+uint32(len(p.code)))
		p.put32(p.Uint32())
	case 18: // write one
		if len(p.operands) > 0 && !p.quiet {
			p.put(0x89, 0x05|p.reg()<<3)
			p.put32(p.operands[p.IntN(len(p.operands))])
		}
	case 19: // read code
		p.put(0x33, 0x05|p.reg()<<3)
		p.put32(codeAt + p.Uint32N(uint32(len(p.code)+1))&^3)
		p.define()
	case 20: // REP STOS, REP MOVS
		n := byte(p.IntN(12))
		p.put(0xb9, n, 0, 0, 0)
		if p.IntN(2) == 0 {
			p.put(0xf3, 0xab, 0x8d, 0x7f, -(4 * n)) // LEA EDI, [EDI-4n]
		} else {
			p.put(0xf3, 0xa4, 0x8d, 0x7f, -n, 0x8d, 0x76, -n)
		}
	case 21: // LEA
		p.put(0x8d, 0x84|p.reg()<<3, 0x88|p.reg())
		p.put32(p.Uint32())
	case 22: // IMUL, MUL
		p.put(0x0f, 0xaf)
		p.memory(p.reg())
		p.put(0xf7)
		p.memory(4)
		p.define()
	case 23:
		p.put(0x0f, 0xc8|p.reg(), 0x99, 0xf5) // BSWAP, CDQ, CMC
	case 24, 25: // a jump over some steps
		p.put(0x0f, 0x80|cc)
		at := len(p.code)
		p.put32(0)
		for range 1 + p.IntN(3) {
			p.step()
		}
		binary.LittleEndian.PutUint32(p.code[at:], uint32(len(p.code)-at-4))
	case 26: // MOVUPS and PADDD
		p.put(0x0f, 0x10)
		p.memory(1)
		p.put(0x66, 0x0f, 0xfe, 0xc1, 0x0f, 0x11)
		p.memory(0)
	case 27: // a call to what comes next, and POP
		p.put(0xe8, 0, 0, 0, 0, 0x58|p.reg())
	case 28: // a frame on the stack
		p.put(0x83, 0xec, 0x10, 0x89, 0x44, 0x24, 0x04, 0x89, 0x54, 0x24, 0x08, 0x03, 0x4c, 0x24, 0x04, 0x50, 0x13, 0x44, 0x24, 0x0c, 0x59, 0x83, 0xc4, 0x10)
	case 30, 31:
		p.stack()
	case 29: // DIV
		p.put(0x31, 0xd2, 0x83, 0xc9, 0x01, 0xf7, 0xf1)
		p.define()
	}
}

// stack writes pushes, pops and what moves the stack pointer otherwise or uses it,
// and leaves it where it was.
func (p *randomCode) stack() {
	depth := uint32(0)
	local := func() byte { return byte(p.Uint32N(min(depth-3, 120))) &^ 3 }
	for range 3 + p.IntN(12) {
		n := 4 * p.Uint32N(6)
		if p.IntN(8) == 0 {
			n += 2
		}
		what := p.IntN(14)
		if depth < 4 && what < 5 {
			what += 5
		}
		switch what {
		case 0:
			p.put(0x58 | p.reg()) // POP
			depth -= 4
		case 1:
			p.put(0xff, 0x74, 0x24, local()) // PUSH [ESP+n]
			depth += 4
		case 2:
			p.put(0x89, 0x44|p.reg()<<3, 0x24, local()) // MOV [ESP+n], r
		case 3:
			p.put(0x13, 0x44|p.reg()<<3, 0x24, local()) // ADC r, [ESP+n]
		case 4:
			n = min(n, depth)
			p.put(0x83, 0xc4, byte(n)) // ADD ESP, n
			depth -= n
		case 5:
			p.put(0x50 | p.reg()) // PUSH
			depth += 4
		case 6:
			p.put(0x6a, byte(p.IntN(256)))
			depth += 4
		case 7:
			p.put(0x83, 0xec, byte(n)) // SUB ESP, n
			depth += n
		case 8:
			p.put(0x8d, 0x64, 0x24, -byte(n)) // LEA ESP, [ESP-n]
			depth += n
		case 9: // over PUSH, POP
			p.put(0x70|byte(p.IntN(16)), 2, 0x50|p.reg(), 0x58|p.reg())
		case 10:
			p.put(0x8d, 0x44|p.reg()<<3, 0x24, byte(n)) // LEA r, [ESP+n]
		case 11:
			p.put(0x89, 0xe0|p.reg(), 0x8b) // MOV r, ESP; MOV r, memory
			p.memory(p.reg())
		case 12: // CALL to what comes next, and POP
			p.put(0xe8, 0, 0, 0, 0, 0x58|p.reg())
		case 13: // PUSH EBP; MOV EBP, ESP; PUSH; PUSH; a step; LEAVE
			p.put(0x55, 0x89, 0xe5, 0x50, 0x52, 0x11, 0x45|p.reg()<<3, 0xf8, 0xc9) // ADC [EBP-8], r
		}
	}
	p.put(0x81, 0xc4)
	p.put32(depth) // ADD ESP, depth
}

// load puts the program and its data into a rig.
func (p *randomCode) load(r *rig, start uint32) {
	r.write(codeAt, p.code...)
	x := rand.New(rand.NewPCG(uint64(len(p.code)), 2))
	data := make([]byte, 0x6000)
	for i := range data {
		data[i] = byte(x.Uint32())
	}
	r.write(dataAt, data...)
	r.write(mem.Addr(stackAt-0x1000), make([]byte, 0x1000)...)
	clear(r.GPR[:])
	clear(r.XMM[:])
	r.start(start)
}
