package jit

import (
	"flag"
	"testing"
	"time"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/internal/silicon"
)

var (
	seed = flag.Uint64("jit.seed", 1, "seed of the generated cases")
	span = flag.Duration("jit.for", 0, "time to spend on all classes; zero for a fixed, small number of cases")
)

// TestTheTranslatorEndsEveryCaseAsTheProcessorDoes runs the generated code that
// the interpreter is held to.
func TestTheTranslatorEndsEveryCaseAsTheProcessorDoes(t *testing.T) {
	real, err := silicon.NewNative()
	if err != nil {
		t.Skipf("skipped: %v", err)
	}
	defer real.Close()
	var engine *Engine
	e, err := silicon.NewEmulated(func(c *cpu.CPU) cpu.Engine {
		if engine, err = New(c); err != nil {
			t.Skipf("skipped: %v", err)
		}
		engine.Eager()
		engine.Exact()
		return engine
	})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	options := silicon.Options{Seed: *seed}
	for class := range silicon.NumClasses {
		t.Run(class.String(), func(t *testing.T) {
			start := time.Now()
			reports := 0
			var total silicon.Tally
			for n := uint64(0); n < 24 || time.Since(start) < *span/time.Duration(silicon.NumClasses); n++ {
				tally, differing, err := silicon.Compare(e, real, class, options.Batch(class, n, 256))
				if err != nil {
					t.Fatalf("batch %d: %v", n, err)
				}
				total.Add(tally)
				for i := range differing {
					if reports++; reports <= 5 {
						t.Errorf("batch %d, %v", n, &differing[i])
					}
				}
			}
			t.Logf("%d cases, %d without a result, %d differ", total.Cases, total.Lost, total.Mismatched)
		})
	}
	t.Logf("%+v", engine.Stats)
}
