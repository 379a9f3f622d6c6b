package jit

import (
	"encoding/binary"
	"testing"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/mem"
)

// TestCodeThatWasOnlyReadAheadIsCode: what a jump leads to was looked at for the
// flags it wants, and is then written for the first time.
func TestCodeThatWasOnlyReadAheadIsCode(t *testing.T) {
	for _, c := range []struct {
		name   string
		at, to uint32
	}{{"ahead", codeAt + 0x800, codeAt + 0xc00}, {"behind", codeAt + 0xc00, codeAt + 0x800}} {
		t.Run(c.name, func(t *testing.T) {
			r, _ := newTranslated(t)
			r.SetReg32(cpu.ESI, dataAt)
			code := []byte{0x39, 0xc8, 0x89, 0x16, 0x0f, 0x89, 0, 0, 0, 0, 0x31, 0xc0, 0xf4} // CMP EAX, ECX; MOV [ESI], EDX; JNS; XOR EAX, EAX; HLT
			binary.LittleEndian.PutUint32(code[6:], c.to-c.at-10)
			r.write(mem.Addr(c.at), code...)
			r.write(mem.Addr(c.to), 0x31, 0xd2, 0xf4) // XOR EDX, EDX; HLT
			r.SetReg32(cpu.EAX, 0)
			r.SetReg32(cpu.ECX, 1)
			r.run(c.at, c.at+12)
			r.write(mem.Addr(c.to), 0x0f, 0x90, 0xc2, 0xf4) // SETO DL; HLT
			r.SetReg32(cpu.EAX, 0x80000000)
			r.SetReg32(cpu.EDX, 0)
			r.run(c.at, c.to+3)
			r.is("OF", cpu.EDX, 1)
		})
	}
}

// TestDeepRecursionFits: more calls without a return than our stack has room for.
func TestDeepRecursionFits(t *testing.T) {
	r, _ := newTranslated(t)
	const depth = 300_000
	r.write(codeAt,
		0xb9, depth&0xff, depth>>8&0xff, depth>>16, 0, // MOV ECX, depth
		0xe8, 1, 0, 0, 0, 0xf4, // CALL f; HLT
		0x49, 0x74, 5, // f: DEC ECX; JZ
		0xe8, 0xf8, 0xff, 0xff, 0xff, // CALL f
		0x40, 0xc3) // INC EAX; RET
	r.start(codeAt)
	r.SetReg32(cpu.ESP, 4<<20)
	r.toHalt(codeAt + 10)
	r.is("calls that returned", cpu.EAX, depth)
	r.is("the stack", cpu.ESP, 4<<20)
}

// TestAddressesEndAt4GiB: the last page is memory, and what reaches its end goes
// on at zero.
func TestAddressesEndAt4GiB(t *testing.T) {
	const last, table = 0xfffff000, 0x8000
	for _, c := range []struct {
		name       string
		esp        uint32
		code       []byte
		at, nextAt uint32 // where the last doubleword written must be
		check      func(r *rig)
	}{
		{"pushes from zero", 0, []byte{0x50, 0x50, 0x50, 0x68, 4, 3, 2, 1, 0xf4}, last + 0xff0, 0, func(r *rig) {
			r.is("ESP", cpu.ESP, 0xfffffff0)
		}},
		{"pushes across zero", 4, []byte{0x50, 0x50, 0x50, 0x68, 4, 3, 2, 1, 0xf4}, last + 0xff4, 0, nil},
		{"locals behind the end", 0xfffffff0, []byte{
			0x8b, 0x44, 0x24, 0x20, 0x8b, 0x44, 0x24, 0x24, 0x8b, 0x44, 0x24, 0x28, // MOV EAX, [ESP+20H] and so on
			0xc7, 0x44, 0x24, 0x2c, 4, 3, 2, 1, 0xf4}, 0x1c, 0, nil},
		{"a stack pointer that comes round", 0x20, []byte{
			0x83, 0xec, 0x40, 0x8b, 0x44, 0x24, 0x44, 0x8b, 0x44, 0x24, 0x48, 0x8b, 0x44, 0x24, 0x4c, // SUB ESP, 40H; MOV EAX, [ESP+44H]
			0xc7, 0x44, 0x24, 0x50, 4, 3, 2, 1, 0xf4}, 0x30, 0, nil},
		{"locals far away", stackAt - 0x100, []byte{
			0x81, 0xec, 0, 0, 0, 0x80, 0x8b, 0x84, 0x24, 4, 0, 0, 0x80, 0x8b, 0x84, 0x24, 8, 0, 0, 0x80, 0x8b, 0x84, 0x24, 12, 0, 0, 0x80, // SUB ESP, 80000000H; MOV EAX, [ESP+80000004H]
			0xc7, 0x84, 0x24, 16, 0, 0, 0x80, 4, 3, 2, 1, 0xf4}, stackAt - 0x100 + 16, 0, nil},
		{"REP STOSD up to the end", stackAt, []byte{
			0xbf, 0xf0, 0xff, 0xff, 0xff, 0xb8, 4, 3, 2, 1, 0xb9, 4, 0, 0, 0, 0xf3, 0xab, // MOV EDI, 0FFFFFFF0H; MOV EAX, 1020304H; MOV ECX, 4
			0xc7, 0x47, 0x40, 8, 7, 6, 5, 0xc7, 0x07, 12, 11, 10, 9, 0xf4}, last + 0xffc, 0x40, func(r *rig) {
			r.is("EDI", cpu.EDI, 0)
			if got := r.m.Read(0, 4); got != 0x090a0b0c {
				r.t.Errorf("what EDI leads to then is %#x", got)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, _ := newTranslated(t)
			r.page()
			r.mapPage(last, dataAt, table)
			r.write(codeAt, c.code...)
			for range 3 {
				for _, l := range []uint32{c.at, c.nextAt} {
					r.m.Write(physical(l), 4, 0)
				}
				r.start(codeAt)
				r.SetReg32(cpu.ESP, c.esp)
				r.toHalt(codeAt + uint32(len(c.code)) - 1)
				if got := r.m.Read(physical(c.at), 4); got != 0x01020304 {
					t.Errorf("%#x holds %#x", c.at, got)
				}
				if c.check != nil {
					c.check(r)
				}
			}
		})
	}
}

// physical is where TestAddressesEndAt4GiB has linear address l.
func physical(l uint32) mem.Addr {
	if l >= 0xfffff000 {
		return dataAt + mem.Addr(l&0xfff)
	}
	return mem.Addr(l)
}

// TestSTIShadowsWhatIsInAnotherUnit: the instruction behind STI is executed
// before an interrupt is accepted, wherever the unit ends.
func TestSTIShadowsWhatIsInAnotherUnit(t *testing.T) {
	r, _ := newTranslated(t)
	code := make([]byte, 0, maxSteps+2)
	for range maxSteps - 1 {
		code = append(code, 0x40) // INC EAX
	}
	code = append(code, 0xfb, 0x41, 0x42, 0xf4) // STI; INC ECX; INC EDX; HLT
	r.write(codeAt, code...)
	for n := range uint64(maxSteps + 3) {
		r.start(codeAt)
		r.SetINTR(false)
		r.SetReg32(cpu.ECX, 0)
		r.engine.Run(n + 1)
		if r.Halted {
			break
		}
		was := r.EIP
		r.SetINTR(true)
		r.engine.Run(1000)
		if r.EIP != trapAt+8*0x20+1 {
			t.Fatalf("after %d instructions at %#x, no interrupt: %#x", n+1, was, r.EIP)
		}
		if r.Reg32(cpu.ECX) == 0 {
			t.Errorf("after %d instructions at %#x the interrupt comes before what follows STI", n+1, was)
		}
	}
}

// TestASpilledInstructionWithACIsExecuted: with EFLAGS.AC a supervisor's views
// are others, and there is none to fetch.
func TestASpilledInstructionWithACIsExecuted(t *testing.T) {
	r, _ := newTranslated(t)
	r.page()
	for p := range mem.Addr(1024) {
		r.m.Write(ptAt+4*p, 4, uint32(p)<<12|3) // the supervisor's
	}
	r.m.Write(ptAt+4*(dataAt>>12), 4, dataAt|7)
	if trap := r.SetCR4(r.CR4 | cpu.CR4SMAP); trap != cpu.NoTrap {
		t.Skipf("skipped: no SMAP: %v", trap)
	}
	const at = codeAt + 0xff8
	r.write(at, 0x0f, 0x01, 0xcb, 0x40, 0x40, 0x8b, 0x0d, 0, 0, dataAt>>16, 0, 0x0f, 0x01, 0xca, 0xf4) // STAC; INC EAX twice; MOV ECX, [dataAt]; CLAC; HLT
	r.m.Write(dataAt, 4, 0x12345678)
	for range 3 {
		r.SetReg32(cpu.ECX, 0)
		r.run(at, at+14)
		r.is("the user's", cpu.ECX, 0x12345678)
	}
}

// TestAPageAnywhereIsGuarded: the addend of a page may be anything, also one that
// looks like none.
func TestAPageAnywhereIsGuarded(t *testing.T) {
	r, _ := newTranslated(t)
	r.page()
	const table = 0x8000
	host := r.TLB.View[cpu.FetchView]
	if _, trap := r.Translate(codeAt, cpu.Fetch); trap != cpu.NoTrap {
		t.Fatal(trap)
	}
	// The frame at codeAt, at the linear address that makes half the addend zero.
	l := uint32(host[codeAt>>12]) + codeAt
	if l < 4<<20 {
		t.Skip("skipped: it lies where the tables are")
	}
	r.mapPage(l, codeAt, table)
	r.write(codeAt, 0x40, 0xc3)             // INC EAX; RET
	r.write(codeAt+0x1000, 0x43, 0xc3)      // INC EBX; RET
	r.write(dataAt, 0xe8, 0, 0, 0, 0, 0xf4) // CALL; HLT
	r.m.Write(dataAt+1, 4, l-dataAt-5)
	for range 3 {
		r.run(dataAt, dataAt+5)
	}
	r.is("calls", cpu.EAX, 3)
	r.mapPage(l, codeAt+0x1000, table)
	r.run(dataAt, dataAt+5)
	r.is("calls of the new page", cpu.EBX, 1)
	r.mapPage(l, codeAt, table)
	r.run(dataAt, dataAt+5)
	r.is("calls", cpu.EAX, 4)
	r.m.Write(table+mem.Addr(l>>12&1023)*4, 4, 0)
	r.TLB.FlushPage(cpu.Linear(l))
	r.run(dataAt, trapAt+8*cpu.VecPF)
}

// TestAnotherPageThatIsReadAheadMayBeExchanged: what a jump into another page leads
// to reads no flags, and another page that is mapped there does.
func TestAnotherPageThatIsReadAheadMayBeExchanged(t *testing.T) {
	const ahead, other, entry = codeAt + 0x5000, codeAt + 0x7000, codeAt + 0x100
	for _, c := range []struct {
		name string
		code []byte
	}{
		// CMP EAX, ECX; MOV [ESI], EDX; and a jump.
		{"JMP", []byte{0x39, 0xc8, 0x89, 0x16, 0xe9}},
		{"CALL", []byte{0x39, 0xc8, 0x89, 0x16, 0xe8}},
		{"JS", []byte{0x39, 0xc8, 0x89, 0x16, 0x0f, 0x88}},
		{"flags from before", []byte{0x89, 0x16, 0xe9}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, e := newTranslated(t)
			r.page()
			at := uint32(codeAt + 0x200)
			code := doubleword(append([]byte{}, c.code...), ahead-(at+uint32(len(c.code))+4))
			r.write(mem.Addr(at), append(code, 0x31, 0xc0, 0xf4)...) // XOR EAX, EAX; HLT
			r.write(entry, 0x39, 0xc8, 0xe9, 0xf9, 0, 0, 0)          // CMP EAX, ECX; JMP
			r.write(ahead, 0x31, 0xd2, 0xf4)                         // XOR EDX, EDX; HLT
			r.write(other, 0x0f, 0x90, 0xc2, 0xf4)                   // SETO DL; HLT
			run := func(want uint32) {
				t.Helper()
				r.SetReg32(cpu.ESI, dataAt)
				r.SetReg32(cpu.EAX, 0x7fffffff) // less -1 overflows, and is negative
				r.SetReg32(cpu.ECX, 0xffffffff)
				r.SetReg32(cpu.EDX, 0)
				r.start(entry)
				r.toHalt(want)
			}
			r.run(ahead, ahead+2) // so that it may be looked at
			for range 3 {
				run(ahead + 2)
			}
			for range 3 {
				r.mapPage(ahead, other, 0)
				run(ahead + 3)
				r.is("OF", cpu.EDX, 1)
				run(ahead + 3)
				r.is("OF again", cpu.EDX, 1)
				r.mapPage(ahead, ahead, 0)
				run(ahead + 2)
			}
			if e.Stats.Killed != 0 {
				t.Errorf("%d units were killed", e.Stats.Killed)
			}
		})
	}
}
