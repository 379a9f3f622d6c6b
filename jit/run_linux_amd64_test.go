package jit

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/mem"
)

// endless are loops of every kind that a unit, or several, can be.
var endless = []struct {
	name  string
	place func(r *rig)
	// run is how many elements of a string instruction are executed at a time.
	run uint64
}{
	{"a jump to itself", func(r *rig) { r.write(codeAt, 0xeb, 0xfe) }, 0},
	{"a loop of two units", func(r *rig) { r.write(codeAt, 0x40, 0x78, 2, 0x48, 0x90, 0xeb, 0xf9) }, 0},
	{"units linked across pages", func(r *rig) {
		r.write(codeAt, 0x40, 0xe9, 0xfa, 0x0f, 0, 0)              // INC EAX; JMP to the next page
		r.write(codeAt+0x1000, 0x41, 0xe9, 0xfa, 0xef, 0xff, 0xff) // INC ECX; JMP back
	}, 0},
	{"an indirect jump to itself", func(r *rig) {
		r.write(codeAt, 0xff, 0xe0) // JMP EAX
		r.SetReg32(cpu.EAX, codeAt)
	}, 0},
	{"returns to themselves", func(r *rig) {
		r.write(codeAt, 0xc3)
		r.write(codeAt+0x10, 0xbc, 0, 0, dataAt>>16, 0, 0xc3) // MOV ESP, dataAt; RET
		stack := bytes.Repeat([]byte{codeAt & 0xff, codeAt >> 8 & 0xff, codeAt >> 16, 0}, 10_000)
		stack[len(stack)-4] = 0x10
		r.write(dataAt, stack...)
		r.SetReg32(cpu.ESP, dataAt)
	}, 0},
	{"a call that is never returned from", func(r *rig) {
		r.write(codeAt, 0xbc, 0, 0, 0x10, 0, 0xe8, 0xf6, 0xff, 0xff, 0xff) // MOV ESP, 100000H; CALL to it
	}, 0},
	{"calls and returns", func(r *rig) {
		r.write(codeAt, 0xe8, 2, 0, 0, 0, 0xeb, 0xf9, 0xc3) // CALL; JMP to it; RET
	}, 0},
	{"LOOP", func(r *rig) { r.write(codeAt, 0xe2, 0xfe, 0xeb, 0xfc) }, 0},
	{"a huge REP STOSB", func(r *rig) {
		r.write(codeAt, 0xbf, 0, 0, 0x10, 0, 0xb9, 0, 0, 0x20, 0, 0xf3, 0xaa, 0xeb, 0xf2) // MOV EDI, 100000H; MOV ECX, 200000H
	}, mem.PageSize},
	{"a huge REP LODSB downward", func(r *rig) {
		r.write(codeAt, 0xfd, 0xbe, 0xff, 0xff, 0x2f, 0, 0xb9, 0, 0, 0x20, 0, 0xf3, 0xac, 0xeb, 0xf2)
	}, mem.PageSize},
	{"a conditional jump back", func(r *rig) { r.write(codeAt, 0x31, 0xc0, 0x74, 0xfc) }, 0},
	{"an instruction across pages", func(r *rig) {
		r.write(codeAt, 0xe9, 0xf8, 0x0f, 0, 0)                               // JMP
		r.write(codeAt+0xffd, 0xb8, 1, 0, 0, 0, 0xe9, 0xf6, 0xff, 0xff, 0xff) // MOV EAX, 1; JMP back
	}, 0},
	{"steps", func(r *rig) { r.write(codeAt, 0x0f, 0x31, 0x0f, 0xa2, 0xeb, 0xfa) }, 0}, // RDTSC; CPUID; JMP
	{"faults", func(r *rig) {
		r.write(codeAt, 0x0f, 0x0b)               // UD2
		r.write(trapAt+8*6, 0x83, 0xc4, 12, 0xe9) // ADD ESP, 12; JMP to it
		from := trapAt + 8*6 + 8
		r.m.Write(mem.Addr(from-4), 4, codeAt-uint32(from))
	}, 0},
}

// TestEveryLoopEndsWithItsBudget: at most one unit more is executed, or a page of
// a string instruction, and what is told is what was done.
func TestEveryLoopEndsWithItsBudget(t *testing.T) {
	for _, c := range endless {
		t.Run(c.name, func(t *testing.T) {
			r, _ := newTranslated(t)
			c.place(r)
			for _, budget := range []uint64{1, 10, 1000, slice - 1, slice, slice + 1, 100_000, 1, 500_000} {
				if n, why := r.engine.Run(budget); why != cpu.Spent || n < budget || n > budget+maxSteps+c.run {
					t.Errorf("of %d it executes %d: %v", budget, n, why)
				}
			}
			s := newRig(t, stepping)
			c.place(s)
			r, e := newTranslated(t)
			e.Exact()
			c.place(r)
			for range 20 {
				n, _ := r.engine.Run(777)
				k, _ := s.engine.Run(n)
				if n != k || settled(r.State) != settled(s.State) {
					t.Fatalf("%d instructions end at %#x with %x, %d interpreted at %#x with %x", n, r.EIP, r.GPR, k, s.EIP, s.GPR)
				}
			}
		})
	}
}

// TestKickEndsARunSoon kicks from another goroutine.
func TestKickEndsARunSoon(t *testing.T) {
	for _, c := range endless {
		t.Run(c.name, func(t *testing.T) {
			r, _ := newTranslated(t)
			c.place(r)
			r.engine.Run(100_000)
			kicked := make(chan time.Time)
			go func() {
				time.Sleep(2 * time.Millisecond)
				at := time.Now()
				r.Kick()
				kicked <- at
			}()
			_, why := r.engine.Run(1 << 62)
			ended := time.Now()
			if why != cpu.Kicked {
				t.Errorf("the run ends: %v", why)
			}
			if d := ended.Sub(<-kicked); d > 5*time.Second {
				t.Errorf("it took %v", d)
			}
		})
	}
}

// TestRunsAllocateNothingOnceWarm covers the exits: to the interpreter, for pages,
// for indirect jumps and returns that do not match, and for the budget.
func TestRunsAllocateNothingOnceWarm(t *testing.T) {
	for _, c := range endless {
		t.Run(c.name, func(t *testing.T) {
			r, _ := newTranslated(t)
			c.place(r)
			r.engine.Run(1_000_000)
			if n := testing.AllocsPerRun(50, func() { r.engine.Run(5000) }); n != 0 {
				t.Errorf("%v allocations a run", n)
			}
		})
	}
	t.Run("exits", func(t *testing.T) {
		r, _ := newTranslated(t)
		r.page()
		r.write(codeAt,
			0x0f, 0x20, 0xd8, 0x0f, 0x22, 0xd8, // MOV EAX, CR3; MOV CR3, EAX
			0xb9, 8, 0, 0, 0, // MOV ECX, 8
			0xb8, 0x40, 0, 1, 0, 0xff, 0xd0, // MOV EAX, codeAt+40H; CALL EAX
			0xb8, 0x40, 0, 2, 0, 0xff, 0xd0, // MOV EAX, codeAt+10040H; CALL EAX
			0xa1, 0xfe, 0x0f, 8, 0, // MOV EAX, [dataAt+0FFEH]
			0x0f, 0xa2, // CPUID
			0x68, 0x50, 0, 1, 0, 0xc3) // PUSH codeAt+50H; RET
		r.write(codeAt+0x40, 0xc3)
		r.write(codeAt+0x10040, 0xc3)
		r.write(codeAt+0x50, 0x8c, 0xd8, 0x8e, 0xd8, 0xeb, 0xaa) // MOV EAX, DS; MOV DS, EAX; JMP back
		r.engine.Run(1_000_000)
		if r.EIP>>20 != 0 || r.Halted {
			t.Fatalf("the loop was left for %#x", r.EIP)
		}
		if n := testing.AllocsPerRun(50, func() { r.engine.Run(5000) }); n != 0 {
			t.Errorf("%v allocations a run", n)
		}
	})
}

// TestCodeThatADeviceWritesIsTranslatedAnew: between runs, as DMA does.
func TestCodeThatADeviceWritesIsTranslatedAnew(t *testing.T) {
	a, e := newTranslated(t)
	e.Exact()
	b := newRig(t, stepping)
	for _, r := range []*rig{a, b} {
		r.write(codeAt, 0xe8, 0xfb, 0x0f, 0, 0, 0x01, 0xc3, 0xeb, 0xf7) // CALL; ADD EBX, EAX; JMP back
		r.write(codeAt+0x1000, 0xb8, 1, 0, 0, 0, 0xc3)                  // MOV EAX, 1; RET
	}
	x := rand.New(rand.NewPCG(1, 1))
	for n := range uint32(500) {
		k, _ := a.engine.Run(1 + x.Uint64N(200))
		b.engine.Run(k)
		at, code := mem.Addr(codeAt+0x1000), []byte{0xb8, byte(n), byte(n >> 8), 0, 0, 0xc3}
		if n%3 == 0 { // what may be the next instruction, and the return address of a call
			at, code = codeAt+5, []byte{[]byte{0x01, 0x29}[n&1], 0xc3} // ADD, SUB
		}
		a.write(at, code...)
		b.write(at, code...)
		if !same(t, fmt.Sprintf("after %d writes", n), a, b) {
			return
		}
	}
	if e.Stats.Killed < 500 {
		t.Errorf("%d units were killed", e.Stats.Killed)
	}
}

// TestReturnsToWhatIsGone: units die while the return addresses that lead to them
// are kept.
func TestReturnsToWhatIsGone(t *testing.T) {
	for _, c := range []struct {
		name string
		gone func(r *rig, e *Engine)
	}{
		{"written", func(r *rig, e *Engine) { r.write(codeAt+5, 0x43) }}, // INC EBX
		{"forgotten", func(r *rig, e *Engine) { r.write(codeAt+5, 0x43); e.Forget(0, ramSize) }},
		{"flushed", func(r *rig, e *Engine) { r.write(codeAt+5, 0x43); e.flush() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, e := newTranslated(t)
			r.write(codeAt, 0xe8, 2, 0, 0, 0, 0x40, 0xf4) // CALL f; INC EAX; HLT
			r.write(codeAt+7, 0xeb, 0xfe)                 // f: JMP to itself, then RET
			for range 3 {
				r.write(codeAt+5, 0x40)
				r.start(codeAt)
				r.engine.Run(100)
				if r.EIP != codeAt+7 {
					t.Fatalf("it is at %#x", r.EIP)
				}
				c.gone(r, e)
				r.write(codeAt+0x100, 0xc3)
				r.EIP = codeAt + 0x100
				r.SetReg32(cpu.EAX, 0)
				r.SetReg32(cpu.EBX, 0)
				r.toHalt(codeAt + 6)
				r.is("the old instruction", cpu.EAX, 0)
				r.is("the new one", cpu.EBX, 1)
			}
		})
	}
}
