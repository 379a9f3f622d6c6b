package jit

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/mem"
)

// Code that changes: every write is seen by the very next instruction.

// TestWritesToCodeAreSeenAtOnce: by the instruction behind the write, whatever
// makes it, wherever the code lies, also if it was executed before and if it is
// translated alone.
func TestWritesToCodeAreSeenAtOnce(t *testing.T) {
	const (
		page  = codeAt + 0x1000
		alias = 0x300000 // what lies at page, too
		table = 0x8000
	)
	store := func(at uint32, v ...byte) []byte { // MOV [at], v
		switch len(v) {
		case 1:
			return append(doubleword([]byte{0xc6, 0x05}, at), v...)
		case 2:
			return append(doubleword([]byte{0x66, 0xc7, 0x05}, at), v...)
		}
		return append(doubleword([]byte{0xc7, 0x05}, at), v...)
	}
	for _, c := range []struct {
		name  string
		at    uint32 // of INC EBX four times, and HLT
		write []byte
	}{
		{"a byte", page, store(page, 0x4b)}, // DEC EBX
		{"the last byte", page, store(page+3, 0x4b)},
		{"a word", page + 1, store(page+1, 0x4b, 0x43)},
		{"a doubleword", page + 2, store(page+2, 0x43, 0x43, 0x4b, 0x43)},
		{"two granules", page + 0x3e, store(page+0x3e, 0x43, 0x43, 0x4b, 0x43)},
		{"from the granule before", page + 0x40, store(page+0x3e, 0x90, 0x90, 0x4b, 0x43)},
		{"two pages", page + 0xffe, store(page+0xffe, 0x43, 0x4b, 0x43, 0x43)},
		{"two pages, the second is code", page + 0x1000, store(page+0xffe, 0x90, 0x90, 0x4b, 0x43)},
		{"another address", page, store(alias, 0x4b)},
		{"a push", page, append(append([]byte{0xbc}, doubleword(nil, page+4)...), 0x68, 0x43, 0x4b, 0x43, 0x43)}, // MOV ESP, page+4; PUSH
		{"a string", page, []byte{0xb8, 0x43, 0x4b, 0x43, 0x43, 0xbf, 0, 0x10, 1, 0, 0xab}},                      // MOV EAX; MOV EDI, page; STOSD
		{"a repeated one", page, []byte{0xb0, 0x4b, 0xbf, 3, 0x10, 1, 0, 0xb9, 1, 0, 0, 0, 0xf3, 0xaa}},          // MOV AL; MOV EDI, page+3; MOV ECX, 1; REP STOSB
		{"an ADD", page, append(doubleword([]byte{0x80, 0x05}, page+1), 8)},                                      // ADD BYTE [page+1], 8
	} {
		t.Run(c.name, func(t *testing.T) {
			r, _ := newTranslated(t)
			r.page()
			r.mapPage(alias, page, table)
			increments := []byte{0x43, 0x43, 0x43, 0x43, 0xf4}
			// A jump leads there from behind the write.
			code := append([]byte{}, c.write...)
			code = append(code, 0xe9)
			code = doubleword(code, c.at-(codeAt+uint32(len(code))+4))
			r.write(codeAt, code...)
			for range 4 {
				r.write(mem.Addr(c.at), increments...)
				r.SetReg32(cpu.EBX, 0)
				r.run(c.at, c.at+4)
				r.is("as it was", cpu.EBX, 4)
				r.SetReg32(cpu.EBX, 0)
				r.run(codeAt, c.at+4)
				r.is("as written", cpu.EBX, 2)
			}
			// Right behind the write, in the same unit.
			here := c.at - uint32(len(c.write))
			if here>>12 != c.at>>12 {
				return
			}
			for range 4 {
				r.write(mem.Addr(here), c.write...)
				r.write(mem.Addr(c.at), increments...)
				r.SetReg32(cpu.EBX, 0)
				r.run(here, c.at+4)
				r.is("as written just before", cpu.EBX, 2)
			}
		})
	}
}

// TestCodeThatIsBorrowedIsTranslatedAnew: a device was given the memory to write.
func TestCodeThatIsBorrowedIsTranslatedAnew(t *testing.T) {
	r, _ := newTranslated(t)
	r.write(codeAt+60, 0x43, 0x43, 0x43, 0x43, 0x43, 0xf4) // INC EBX; HLT
	for n := range uint32(4) {
		r.SetReg32(cpu.EBX, 0)
		r.run(codeAt+60, codeAt+65)
		r.is("increments", cpu.EBX, 5-2*n)
		p, err := r.m.Borrow(codeAt+61+mem.Addr(n), 2, true)
		if err != nil {
			t.Fatal(err)
		}
		p[0] = 0x4b
	}
}

// patchable are instructions but for their immediate operands, of four bytes;
// those of patchableBytes have one.
var (
	patchable = [][]byte{
		{0xb8}, {0x05}, {0x35}, {0x1d}, {0x68}, {0xa9}, // MOV, ADD, XOR, SBB EAX; PUSH; TEST
		{0x81, 0xc3}, {0x81, 0xd3}, {0xc7, 0xc2}, {0xf7, 0xc3}, // ADD EBX, ADC EBX, MOV EDX, TEST EBX
		doubleword([]byte{0xc7, 0x05}, dataAt-32), doubleword([]byte{0x81, 0x35}, dataAt-32), // MOV and XOR with memory
		doubleword([]byte{0x81, 0x3d}, dataAt-32), {0x69, 0xc0}, {0x8d, 0x98}, // CMP with memory; IMUL EAX, EAX; LEA EBX, [EAX+]
	}
	patchableBytes = [][]byte{{0x83, 0xc3}, {0x83, 0xf3}, {0x6a}, doubleword([]byte{0x83, 0x15}, dataAt-32)} // ADD, XOR EBX; PUSH; ADC with memory
)

// patching is a program that writes to code and data, and calls what it wrote to.
type patching struct {
	// bytes says that it writes bytes, and not doublewords.
	bytes bool
	code  []byte // a page and some of the next one
	table []byte // what is written where, and what is then called
}

const (
	patchedAt  = codeAt + 0x2000
	patcherEnd = codeAt + 16
)

// newPatching makes a program of so many writes.
func newPatching(seed uint64, writes int) patching {
	x := rand.New(rand.NewPCG(seed, 9))
	p := patching{code: make([]byte, 0x1100), bytes: seed%3 == 2}
	var functions, fields []uint32
	for at := 0; at < len(p.code)-80; at += 56 + x.IntN(90) {
		functions = append(functions, patchedAt+uint32(at))
		f := p.code[at:at]
		for range 1 + x.IntN(3) {
			op := patchable[x.IntN(len(patchable))]
			if p.bytes && x.IntN(2) == 0 {
				op = patchableBytes[x.IntN(len(patchableBytes))]
			}
			f = append(f, op...)
			fields = append(fields, patchedAt+uint32(at+len(f)))
			f = append(f, byte(x.Uint32()))
			if op[0] != 0x83 && op[0] != 0x6a {
				f = append(f, byte(x.Uint32()), byte(x.Uint32()), byte(x.Uint32()))
			}
			if op[0]&^2 == 0x68 { // PUSH
				f = append(f, 0x58) // POP EAX
			}
		}
		f = append(f, 0x01, 0xc3, 0xc3) // ADD EBX, EAX; RET
		// What lies behind is data.
		fields = append(fields, patchedAt+uint32(at+len(f)), patchedAt+uint32(at+len(f)+7))
	}
	few := x.Perm(len(fields))[:6]
	for range writes {
		field := fields[x.IntN(len(fields))]
		if x.IntN(8) != 0 {
			field = fields[few[x.IntN(len(few))]]
		}
		call := functions[x.IntN(len(functions))]
		if x.IntN(2) == 0 { // that before the field
			for _, f := range functions {
				if f < field {
					call = f
				}
			}
		}
		for _, v := range []uint32{field, x.Uint32(), call} {
			p.table = binary.LittleEndian.AppendUint32(p.table, v)
		}
	}
	for _, v := range []uint32{dataAt - 16, 0, patcherEnd} {
		p.table = binary.LittleEndian.AppendUint32(p.table, v)
	}
	return p
}

// load puts p into r, at codeAt.
func (p *patching) load(r *rig) {
	r.write(codeAt,
		0xad, 0x89, 0xc7, 0xad, 0x89, 0x07, // LODSD; MOV EDI, EAX; LODSD; MOV [EDI], EAX
		0xad, 0xff, 0xd0, 0xeb, 0xf5) // LODSD; CALL EAX; JMP back
	if p.bytes {
		r.write(codeAt+4, 0x88) // MOV [EDI], AL
	}
	r.write(patcherEnd, 0xf4)
	r.write(patchedAt, p.code...)
	r.write(dataAt, p.table...)
	r.SetReg32(cpu.ESI, dataAt)
}

// TestPatchedProgramsKeepStep: as interpreted, after every run.
func TestPatchedProgramsKeepStep(t *testing.T) {
	for seed := range *programs {
		p := newPatching(seed, 400)
		a, e := newTranslated(t)
		e.Exact()
		b := newRig(t, stepping)
		p.load(a)
		p.load(b)
		x := rand.New(rand.NewPCG(seed, 5))
		for n := 0; !a.Halted; n++ {
			k, _ := a.engine.Run(1 + x.Uint64N(60))
			b.engine.Run(k)
			if x, y := settled(a.State), settled(b.State); x != y {
				t.Fatalf("program %d, run %d: EIP %#x registers %x, want EIP %#x registers %x", seed, n, x.EIP, x.GPR, y.EIP, y.GPR)
			}
		}
		same(t, fmt.Sprintf("program %d", seed), a, b)
	}
}

// TestPatchedProgramsEndAsInterpreted: also while nothing has room for long, and
// with what is warm only.
func TestPatchedProgramsEndAsInterpreted(t *testing.T) {
	for seed := range *programs {
		for _, way := range []struct {
			size  int
			eager bool
		}{{codeSize, true}, {codeSize, false}, {room + 8<<10, true}} {
			p := newPatching(seed, 1500)
			a := newRig(t, func(c *cpu.CPU) (cpu.Engine, error) {
				e, err := newEngine(c, way.size)
				if err == nil && way.eager {
					e.Eager()
				}
				return e, err
			})
			b := newRig(t, interpreted)
			p.load(a)
			p.load(b)
			x := rand.New(rand.NewPCG(seed, 3))
			if n, k := a.toEnd(5000, x), b.toEnd(1e9, x); n != k {
				t.Errorf("program %d: %d instructions, want %d", seed, n, k)
			}
			if !same(t, fmt.Sprintf("program %d", seed), a, b) {
				return
			}
			if s := &a.engine.(*Engine).Stats; way.size != codeSize && s.Evicted < 100 {
				t.Errorf("program %d: %d units were evicted", seed, s.Evicted)
			}
		}
	}
}

// TestWritesBesideCodeAreCheap: data in a page with code, written by code of
// another page.
func TestWritesBesideCodeAreCheap(t *testing.T) {
	r, e := newTranslated(t)
	r.write(codeAt, 0x40, 0xc3) // INC EAX; RET
	const loop = codeAt + 0x1000
	code := append(doubleword([]byte{0xff, 0x05}, codeAt+0x7fe), 0xe8) // INC DWORD; CALL
	code = doubleword(code, codeAt-(loop+uint32(len(code))+4))
	code = append(code, 0x39, 0xc8, 0x72, 0xef, 0xf4) // CMP EAX, ECX; JB; HLT
	r.write(loop, code...)
	r.SetReg32(cpu.ECX, 1000)
	r.run(loop, loop+15)
	r.is("calls", cpu.EAX, 1000)
	if got := r.m.Read(codeAt+0x7fe, 4); got != 1000 {
		t.Errorf("%d were counted", got)
	}
	if e.Stats.Enters > 20 || e.Stats.Killed != 0 {
		t.Errorf("generated code was entered %d times, and %d units killed", e.Stats.Enters, e.Stats.Killed)
	}
}

// TestPatchedOperandsBecomeData: after a few times a patch kills nothing, and the
// operand is still the one last written.
func TestPatchedOperandsBecomeData(t *testing.T) {
	r, e := newTranslated(t)
	const f = codeAt + 0x1000
	r.write(f, 0xb8, 0, 0, 0, 0, 0x01, 0xc3, 0xc3)            // MOV EAX, 0; ADD EBX, EAX; RET
	code := append(doubleword([]byte{0x89, 0x0d}, f+1), 0xe8) // MOV [f+1], ECX; CALL f
	code = doubleword(code, f-(codeAt+uint32(len(code))+4))
	code = append(code, 0x49, 0x75, 0xf2, 0xf4) // DEC ECX; JNZ; HLT
	r.write(codeAt, code...)
	r.SetReg32(cpu.ECX, 1000)
	r.run(codeAt, codeAt+14)
	r.is("the sum", cpu.EBX, 1000*1001/2)
	if e.Stats.Killed > 5 {
		t.Errorf("%d units were killed", e.Stats.Killed)
	}
}

// TestRoomIsMadeUnitByUnit: what is translated when memory for code is full costs
// the units that lay where it goes, and no more.
func TestRoomIsMadeUnitByUnit(t *testing.T) {
	r := newRig(t, func(c *cpu.CPU) (cpu.Engine, error) {
		e, err := newEngine(c, 4*room)
		if err == nil {
			e.Eager()
		}
		return e, err
	})
	e := r.engine.(*Engine)
	const length, functions = 32, 4096
	for i := range mem.Addr(functions) {
		r.write(codeAt+0x10000+length*i, 0x40, 0x01, 0xc3, 0xc3) // INC EAX; ADD EBX, EAX; RET
	}
	r.write(codeAt, 0xff, 0xd6, 0x83, 0xc6, length, 0x49, 0x75, 0xf8, 0xf4) // CALL ESI; ADD ESI, 32; DEC ECX; JNZ; HLT
	most := uint64(0)
	for i := range uint32(3 * functions) {
		was := e.Stats.Evicted
		r.SetReg32(cpu.ESI, codeAt+0x10000+length*(i%functions))
		r.SetReg32(cpu.ECX, 1)
		r.run(codeAt, codeAt+8)
		most = max(most, e.Stats.Evicted-was)
	}
	r.is("calls", cpu.EAX, 3*functions)
	// The units in room for two, where the ring comes round.
	if bound := uint64(2 * room / 64); most > bound {
		t.Errorf("%d units were evicted at a time, more than %d", most, bound)
	}
	if e.Stats.Evicted < functions {
		t.Errorf("%d units were evicted in all", e.Stats.Evicted)
	}
	if live := len(e.byID); len(e.all) > 4*room/64 || len(e.ring) > 2*4*room/64 || live > len(e.all) {
		t.Errorf("%d units live, of %d numbers and %d in the ring", live, len(e.all), len(e.ring))
	}
}

// TestCallsPushBesideCode: the stack lies in a page with code, and in what a unit
// was made of.
func TestCallsPushBesideCode(t *testing.T) {
	r, _ := newTranslated(t)
	r.write(codeAt, 0xb8, 0x40, 0, 1, 0, 0xff, 0xd0, 0x4b, 0x75, 0xfb, 0xf4) // MOV EAX, codeAt+40H; again: CALL EAX; DEC EBX; JNE again; HLT
	r.write(codeAt+0x40, 0x41, 0xc3)                                         // INC ECX; RET
	for _, stack := range []uint32{codeAt + 0x800, codeAt + 0x50} {
		r.start(codeAt)
		r.SetReg32(cpu.ESP, stack)
		r.SetReg32(cpu.EBX, 100)
		r.SetReg32(cpu.ECX, 0)
		r.toHalt(codeAt + 10)
		r.is("calls", cpu.ECX, 100)
	}
}

// TestCodeMadeAnewIsTranslatedLess: in a page whose units keep being killed, those of
// overlapping paths come to be one for each piece.
func TestCodeMadeAnewIsTranslatedLess(t *testing.T) {
	const blocks, generations = 6, 30
	r, e := newTranslated(t)
	var first, last uint64
	for n := range uint32(generations) {
		code := []byte{0xb9, 64, 0, 0, 0, 0x31, 0xc0} // MOV ECX, 64; XOR EAX, EAX
		for range blocks {
			// ADD EAX, imm32; TEST AL, 1; JNZ over INC EAX
			code = append(append(append(code, 0x05), at32(n)...), 0xa8, 1, 0x75, 1, 0x40)
		}
		code = append(code, 0x49, 0x75, -byte(len(code)+3-7), 0xf4) // DEC ECX; JNZ; HLT
		r.write(codeAt, code...)
		before := e.Stats.Instructions
		r.start(codeAt)
		r.toHalt(codeAt + uint32(len(code)) - 1)
		want := uint32(0)
		for range 64 * blocks {
			if want += n; want&1 == 0 {
				want++
			}
		}
		r.is("the sum", cpu.EAX, want)
		if last = e.Stats.Instructions - before; n == 0 {
			first = last
		}
	}
	if last > first*2/3 {
		t.Errorf("%d instructions are translated, and %d the first time", last, first)
	}
}
