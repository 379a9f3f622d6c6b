package jit

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/interp"
)

var programs = flag.Uint64("jit.programs", 12, "how many random programs to run each way")

func interpreted(c *cpu.CPU) (cpu.Engine, error) { return interp.New(c), nil }

// settled is the state without what an engine that is not exact may leave open.
func settled(s *cpu.State) cpu.State {
	c := *s
	c.EFLAGS &^= cpu.FlagsStatus
	return c
}

// contents is all of memory.
func (r *rig) contents() []byte {
	p := make([]byte, ramSize)
	if err := r.m.ReadAt(p, 0); err != nil {
		r.t.Fatal(err)
	}
	return p
}

// same compares two rigs.
func same(t *testing.T, what string, a, b *rig) bool {
	t.Helper()
	if x, y := settled(a.State), settled(b.State); x != y {
		t.Errorf("%s: EIP %#x registers %x, want EIP %#x registers %x", what, x.EIP, x.GPR, y.EIP, y.GPR)
		return false
	}
	x, y := a.contents(), b.contents()
	if !bytes.Equal(x, y) {
		for i := range x {
			if x[i] != y[i] {
				t.Errorf("%s: memory at %#x holds %#x, want %#x", what, i, x[i], y[i])
				return false
			}
		}
	}
	return true
}

// toEnd runs a rig to its HLT in runs of budgets up to most, and returns how many
// instructions that took.
func (r *rig) toEnd(most uint64, x *rand.Rand) (total uint64) {
	r.t.Helper()
	for {
		n, why := r.engine.Run(1 + x.Uint64N(most))
		total += n
		switch {
		case why == cpu.Halted:
			return total
		case why != cpu.Spent || total > 100e6:
			r.t.Fatalf("%v after %d instructions", why, total)
		}
	}
}

// TestRandomProgramsEndAsInterpreted runs each in large and in small budgets, in
// a cache that all of it fits in and in one that is flushed all the time.
func TestRandomProgramsEndAsInterpreted(t *testing.T) {
	for _, way := range []struct {
		name    string
		size    int
		most    uint64
		warm    bool
		windows bool
	}{
		{"at once", codeSize, 1e9, false, false},
		{"warm", codeSize, 5000, true, false},
		{"in pieces", codeSize, 300, false, false},
		{"in a small cache", room + 48<<10, 5000, false, false},
		{"in windows", codeSize, 1e9, false, true},
		{"warm, in windows", codeSize, 5000, true, true},
		{"in a small cache, in windows", room + 48<<10, 5000, false, true},
	} {
		t.Run(way.name, func(t *testing.T) {
			var all Stats
			for seed := range *programs {
				p := newRandom(seed)
				start := p.start()
				a := newRig(t, func(c *cpu.CPU) (cpu.Engine, error) {
					e, err := engineFor(c, way.size, way.windows)
					if err == nil && !way.warm {
						e.Eager()
					}
					return e, err
				})
				b := newRig(t, interpreted)
				p.load(a, start)
				p.load(b, start)
				x := rand.New(rand.NewPCG(seed, 3))
				n, k := a.toEnd(way.most, x), b.toEnd(1e9, x)
				if n != k {
					t.Errorf("program %d: %d instructions, want %d", seed, n, k)
				}
				if !same(t, fmt.Sprintf("program %d", seed), a, b) {
					break
				}
				s := &a.engine.(*Engine).Stats
				all.Units, all.Evicted, all.Killed = all.Units+s.Units, all.Evicted+s.Evicted, all.Killed+s.Killed
			}
			t.Logf("%d units, %d evicted, %d killed", all.Units, all.Evicted, all.Killed)
			if way.size != codeSize && all.Evicted < 100**programs {
				t.Errorf("%d units were evicted in %d programs", all.Evicted, *programs)
			}
		})
	}
}

// TestRandomProgramsKeepStep holds the state to the interpreter's after every
// run, all flags included that are defined.
func TestRandomProgramsKeepStep(t *testing.T) {
	for seed := range *programs {
		p := newRandom(seed)
		start := p.start()
		a := newRig(t, translated)
		if seed%2 != 0 && LacksWindows() == nil {
			a = newRig(t, windowed)
		}
		a.engine.(*Engine).Exact()
		b := newRig(t, stepping)
		p.load(a, start)
		p.load(b, start)
		x := rand.New(rand.NewPCG(seed, 3))
		for total := uint64(0); !a.Halted && total < 300_000; {
			before := *a.State
			n, _ := a.engine.Run(1 + x.Uint64N(100))
			k, _ := b.engine.Run(n)
			total += n
			// The runs of a string instruction are as long as each side likes.
			for n != k {
				if n < k {
					more, _ := a.engine.Run(k - n)
					n += more
				} else {
					more, _ := b.engine.Run(n - k)
					k += more
				}
			}
			got, want := *a.State, *b.State
			got.EFLAGS |= b.engine.(*Stepper).Open
			want.EFLAGS |= b.engine.(*Stepper).Open
			if got != want {
				t.Fatalf("program %d, after %d instructions, from %#x: EIP %#x flags %#x registers %x, want EIP %#x flags %#x registers %x", seed, total,
					before.EIP, a.EIP, a.EFLAGS, a.GPR, b.EIP, b.EFLAGS, b.GPR)
			}
		}
		if !same(t, fmt.Sprintf("program %d", seed), a, b) {
			return
		}
	}
}
