package jit

import (
	"encoding/binary"
	"math"
	"runtime"
	"sync"
	"testing"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/interp"
	"github.com/gov86/gov86/internal/silicon"
)

// A chopped engine runs in many short runs.
type chopped struct{ *Engine }

func (c chopped) Run(budget uint64) (retired uint64, why cpu.Exit) {
	for retired < budget && why == cpu.Spent {
		n, w := c.Engine.Run(1 + retired%11)
		retired, why = retired+n, w
	}
	return retired, why
}

// machines returns the translator, eager, and the interpreter, each with the
// address space of package silicon.
func machines(t *testing.T, exact bool, wrap func(*Engine) cpu.Engine) (translated, interpreted *silicon.Emulated, e *Engine) {
	t.Helper()
	translated, err := silicon.NewEmulated(func(c *cpu.CPU) cpu.Engine {
		var err error
		if e, err = engineFor(c, codeSize, false); err != nil {
			t.Skipf("skipped: %v", err)
		}
		e.Eager()
		if e.exact = exact; wrap != nil {
			return wrap(e)
		}
		return e
	})
	if err != nil {
		t.Fatal(err)
	}
	interpreted, err = silicon.NewEmulated(func(c *cpu.CPU) cpu.Engine { return interp.New(c) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		translated.Close()
		interpreted.Close()
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return translated, interpreted, e
}

// program is a batch of one case: code, ended by HLT, with the x87 initialized
// and all of its exceptions masked, EBX at the data, whose first page is memory.
func program(memory []byte, code ...byte) *silicon.Batch {
	b := silicon.Options{Seed: 1}.Batch(silicon.Integer, 0, 1)
	c := &b.Cases[0]
	c.At, c.EIP, c.EFLAGS = silicon.CodeAt+0x100, silicon.CodeAt+0x100, 0x202
	c.Code = append(code, 0xf4)
	c.GPR = [8]uint32{3: silicon.DataAt, 4: silicon.StackAt + 0x800}
	clear(c.FX[:])
	binary.LittleEndian.PutUint16(c.FX[0:], 0x37f)
	binary.LittleEndian.PutUint32(c.FX[24:], 0x1f80)
	copy(b.Code[0x100:], c.Code)
	clear(b.Memory)
	copy(b.Memory, memory)
	return b
}

func execute(t *testing.T, e *silicon.Emulated, b *silicon.Batch) (*silicon.Result, []byte) {
	t.Helper()
	a, err := e.Execute(b)
	if err != nil {
		t.Fatal(err)
	}
	return &a.Results[0], a.Memory
}

// plain is f with tags that say only what is empty, and without C1, which AMD's
// processors leave alone in FCOMI.
func plain(f cpu.FPU) cpu.FPU {
	f.Status &^= 1 << 9
	f.Tag = 3 * (f.Tag & (f.Tag >> 1) & 0x5555)
	return f
}

func TestX87StateIsThatOfTheInterpreterPointersIncluded(t *testing.T) {
	for _, class := range []silicon.Class{silicon.X87, silicon.SIMD} {
		translated, interpreted, _ := machines(t, true, nil)
		differing := 0
		for n := range uint64(8) {
			all := silicon.Options{Seed: *seed}.Batch(class, n, 256)
			for i := range all.Cases {
				b := *all
				b.Cases = all.Cases[i : i+1]
				got, _ := execute(t, translated, &b)
				want, _ := execute(t, interpreted, &b)
				if got.Lost || want.Lost {
					continue
				}
				if a, b := plain(translated.FPU), plain(interpreted.FPU); a != b && differing < 5 {
					differing++
					t.Errorf("%v batch %d, % x:\ntranslated  %x\ninterpreted %x", class, n, all.Cases[i].Code, a, b)
				}
			}
		}
	}
}

// loop adds the number at EBX to that at EBX+8, 1000 times, with exits to Go, a
// call, and an instruction that only the interpreter executes, in between.
var loop = []byte{
	0xbd, 0xe8, 0x03, 0, 0, // MOV EBP, 1000
	0xdd, 0x03, // FLD m64 [EBX]
	0xdd, 0x43, 8, // FLD m64 [EBX+8]
	0xe8, 15, 0, 0, 0, // again: CALL the function
	0xd8, 0xc1, // FADD ST0, ST1
	0x53,       // PUSH EBX
	0x0f, 0xa2, // CPUID
	0x5b,                         // POP EBX
	0x4d,                         // DEC EBP
	0x75, 0xf2, 0xdd, 0x5b, 0x10, // JNZ again; FSTP m64 [EBX+16]
	0xdd, 0xd8, // FSTP ST0
	0xf4,
	0xd9, 0x73, 0x40, // the function: FNSTENV [EBX+64]
	0xd9, 0x63, 0x40, // FLDENV
	0xc3,
}

func doubles(v ...float64) (b []byte) {
	for _, x := range v {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
	}
	return b
}

func TestX87StateSurvivesGoAndOtherThreads(t *testing.T) {
	done := make(chan struct{})
	var workers, others sync.WaitGroup
	others.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				runtime.GC()
			}
		}
	})
	for k := range 4 {
		e, _, _ := machines(t, false, func(e *Engine) cpu.Engine { return chopped{e} })
		workers.Go(func() {
			step := 1 + float64(k)/8
			for n := range 20 {
				runtime.Gosched()
				b := program(doubles(step, float64(n)), loop...)
				a, err := e.Execute(b)
				if err != nil {
					t.Error(err)
					return
				}
				got := math.Float64frombits(binary.LittleEndian.Uint64(a.Memory[16:]))
				if want := float64(n) + 1000*step; got != want || a.Results[0].Vector != cpu.VecGP {
					t.Errorf("sum %v, want %v; exception %d", got, want, a.Results[0].Vector)
				}
			}
		})
	}
	workers.Wait()
	close(done)
	others.Wait()
}

// What a call left to the interpreter is in the host's registers again when the
// caller goes on.
func TestX87RegistersAreLoadedAgainBehindACall(t *testing.T) {
	translated, interpreted, e := machines(t, false, nil)
	b := program(doubles(0.25, 3), loop...)
	got, m := execute(t, translated, b)
	want, n := execute(t, interpreted, b)
	if got.FX != want.FX || got.EIP != want.EIP || string(m[:24]) != string(n[:24]) {
		t.Errorf("%v, the interpreter has %v", m[:24], n[:24])
	}
	if n := e.Stats.Exits[Floats]; n < 1000 {
		t.Errorf("loaded %d times in 1000 iterations", n)
	}
}

// The XMM registers are stored at the end of a run, which may be within a call
// whose return address is on the stack.
func TestXMMRegistersAreLoadedAgainBehindACall(t *testing.T) {
	translated, interpreted, _ := machines(t, false, func(e *Engine) cpu.Engine { return chopped{e} })
	b := program(doubles(0.25, 3),
		0xbd, 0xe8, 0x03, 0, 0, // MOV EBP, 1000
		0xf2, 0x0f, 0x10, 0x03, // MOVSD XMM0, [EBX]
		0xe8, 13, 0, 0, 0, // again: CALL the function
		0xf2, 0x0f, 0x58, 0x43, 8, // ADDSD XMM0, [EBX+8]
		0x4d, 0x75, 0xf3, // DEC EBP; JNZ again
		0xf2, 0x0f, 0x11, 0x03, 0xf4, // MOVSD [EBX], XMM0
		0x90,                                           // the function
		0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, 0x41, // INC ECX
		0x53, 0x5b, 0xc3) // PUSH EBX; POP EBX; RET
	_, m := execute(t, translated, b)
	_, n := execute(t, interpreted, b)
	if string(m[:8]) != string(n[:8]) {
		t.Errorf("% x, the interpreter has % x", m[:8], n[:8])
	}
}

func TestUnmaskedX87ExceptionsAreTheInterpreters(t *testing.T) {
	translated, interpreted, _ := machines(t, true, nil)
	b := program([]byte{0x7b, 0x03, 0x7f, 0x03},
		0xd9, 0xe8, 0xd9, 0xee, // FLD1; FLDZ
		0xdc, 0xf9, // FDIV ST1, ST0, masked
		0xd9, 0x2b, // FLDCW [EBX]: unmask division by zero, which is pending
		0x90,
		0xd9, 0xe8, // FLD1 finds it
	)
	got, _ := execute(t, translated, b)
	want, _ := execute(t, interpreted, b)
	if got.Vector != cpu.VecMF || got.EIP != want.EIP || plain(translated.FPU) != plain(interpreted.FPU) {
		t.Errorf("exception %d at %#x with %x, want %d at %#x with %x",
			got.Vector, got.EIP, translated.FPU, want.Vector, want.EIP, interpreted.FPU)
	}
}

func TestTenBytesAreFoundToCrossIntoAnotherPage(t *testing.T) {
	translated, interpreted, _ := machines(t, true, nil)
	for off := uint32(4096 - 12); off < 4096+2; off++ {
		for _, page := range []uint32{0, 1, 2} { // the third cannot be written, and none follows
			code := []byte{0xd9, 0xeb, 0xdb, 0x3b, 0xdb, 0x2b, 0xd9, 0xe8} // FLDPI; FSTP m80 [EBX]; FLD m80 [EBX]; FLD1
			if page == 2 {
				code = []byte{0xdb, 0x2b, 0xd9, 0xe8}
			}
			b := program(nil, code...)
			b.Cases[0].GPR[3] += page<<12 + off
			got, m := execute(t, translated, b)
			want, n := execute(t, interpreted, b)
			if *got != *want || string(m) != string(n) {
				t.Errorf("page %d offset %#x: exception %d at %#x CR2 %#x, want %d at %#x CR2 %#x",
					page, off, got.Vector, got.EIP, got.CR2, want.Vector, want.EIP, want.CR2)
			}
		}
	}
}

// The registers of a thread are nobody else's as long as the state is there.
func TestTheThreadIsLockedWhileItHasTheX87State(t *testing.T) {
	_, _, e := machines(t, false, nil)
	_, _, other := machines(t, false, nil)
	e.FPU = cpu.FPU{Control: 0x37f, Status: 3 << topShift, Tag: 0xff3f}
	e.FPU.ST[3] = cpu.Float80{Significand: 0xc90fdaa22168c235, SignExponent: 0x4000}
	want := e.FPU
	e.loadX87()
	e.FPU = cpu.FPU{}
	for range 1000 {
		done := make(chan struct{})
		go func() {
			other.loadX87()
			other.storeX87()
			close(done)
		}()
		<-done
	}
	e.storeX87()
	if e.FPU != want {
		t.Errorf("%x came back as %x", want, e.FPU)
	}
}
