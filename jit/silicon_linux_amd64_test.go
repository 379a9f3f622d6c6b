package jit

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/internal/silicon"
)

var (
	seed = flag.Uint64("jit.seed", 1, "seed of the generated cases")
	span = flag.Duration("jit.for", 0, "time to spend on all classes; zero for a fixed, small number of cases")
)

// ways are how a translator is held to a processor. One that is not exact leaves
// flags that nothing reads as they happen to be; one that is not eager translates
// addresses that it has met before.
var ways = []struct {
	name                  string
	exact, eager, windows bool
}{
	{"exact", true, true, false},
	{"eager", false, true, false},
	{"warm", false, false, false},
	{"exact, in windows", true, true, true},
	{"eager, in windows", false, true, true},
}

// compare has body run with a processor translated each way.
func compare(t *testing.T, body func(t *testing.T, e *silicon.Emulated)) {
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			var engine *Engine
			var err error
			e, err := silicon.NewEmulated(func(c *cpu.CPU) cpu.Engine {
				if engine, err = engineFor(c, codeSize, way.windows); err != nil {
					t.Skipf("skipped: %v", err)
				}
				return engine
			})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			defer func() {
				if err := engine.Close(); err != nil {
					t.Error(err)
				}
			}()
			if way.exact {
				engine.Exact()
			} else {
				e.Ignored = cpu.FlagsStatus
			}
			if way.eager {
				engine.Eager()
			}
			body(t, e)
			t.Logf("%+v", engine.Stats)
		})
	}
}

// A reporter shows a few cases that differ.
type reporter struct {
	*testing.T
	shown int
	total silicon.Tally
}

func (r *reporter) report(n uint64, tally silicon.Tally, differing []silicon.Mismatch) {
	r.total.Add(tally)
	for i := range differing {
		if r.shown++; r.shown <= 5 {
			r.Errorf("batch %d, %v", n, &differing[i])
		}
	}
}

func (r *reporter) end() {
	r.Logf("%d cases, %d without a result, %d differ", r.total.Cases, r.total.Lost, r.total.Mismatched)
}

// TestTheTranslatorEndsEveryCaseAsTheProcessorDoes runs the generated code that
// the interpreter is held to.
func TestTheTranslatorEndsEveryCaseAsTheProcessorDoes(t *testing.T) {
	real, err := silicon.NewNative()
	if err != nil {
		t.Skipf("skipped: %v", err)
	}
	defer real.Close()
	options := silicon.Options{Seed: *seed}
	share := *span / time.Duration(len(ways)*int(silicon.NumClasses))
	compare(t, func(t *testing.T, e *silicon.Emulated) {
		for class := range silicon.NumClasses {
			t.Run(class.String(), func(t *testing.T) {
				start, r := time.Now(), reporter{T: t}
				for n := uint64(0); n < 24 || time.Since(start) < share; n++ {
					tally, differing, err := silicon.Compare(e, real, class, options.Batch(class, n, 256))
					if err != nil {
						t.Fatalf("batch %d: %v", n, err)
					}
					r.report(n, tally, differing)
				}
				r.end()
			})
		}
	})
}

// TestTheTranslatorEndsEveryCaseAsRecorded does so where no processor can be
// asked.
func TestTheTranslatorEndsEveryCaseAsRecorded(t *testing.T) {
	compare(t, func(t *testing.T, e *silicon.Emulated) {
		e.Inexact = true
		for class := range silicon.NumClasses {
			t.Run(class.String(), func(t *testing.T) {
				file, err := os.Open(filepath.Join("..", "internal", "silicon", "testdata", class.String()+".zst"))
				if err != nil {
					t.Fatal(err)
				}
				defer file.Close()
				batches := silicon.Recorded(class)
				recording, err := silicon.Load(file, batches)
				if err != nil {
					t.Fatal(err)
				}
				r := reporter{T: t}
				for n, b := range batches {
					tally, differing, err := silicon.Compare(e, recording, class, b)
					if err != nil {
						t.Fatalf("batch %d: %v", n, err)
					}
					r.report(uint64(n), tally, differing)
				}
				r.end()
			})
		}
	})
}
