package silicon

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/interp"
)

var (
	seed    = flag.Uint64("silicon.seed", 1, "seed of the generated cases")
	span    = flag.Duration("silicon.for", 0, "time to spend on all classes; zero for a fixed, small number of cases")
	strict  = flag.Bool("silicon.strict", false, "compare flags that the manual leaves undefined")
	rewrite = flag.Bool("silicon.record", false, "record what this processor answers under testdata")
)

const (
	// everyday is how many batches of a class the everyday suite runs.
	everyday = 24
)

// TestTheInterpreterEndsEveryCaseAsTheProcessorDoes runs generated code on
// both, class by class.
func TestTheInterpreterEndsEveryCaseAsTheProcessorDoes(t *testing.T) {
	real, err := NewNative()
	if err != nil {
		t.Skipf("skipped: %v", err)
	}
	defer func() { real.Close() }()
	anew := func() (r Reference, err error) {
		real.Close()
		real, err = NewNative()
		return real, err
	}
	e, err := NewEmulated(func(c *cpu.CPU) cpu.Engine { return interp.New(c) })
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	options := Options{Seed: *seed, Strict: *strict}
	for class := range NumClasses {
		t.Run(class.String(), func(t *testing.T) {
			var total Tally
			found := map[string][]string{}
			start := time.Now()
			for n := uint64(0); n < everyday || time.Since(start) < *span/time.Duration(NumClasses); n++ {
				b := options.Batch(class, n, batchSize)
				tally, differing, err := Compare(e, real, class, b)
				if errors.Is(err, ErrStuck) {
					tally = Tally{Cases: batchSize, Lost: batchSize}
					differing, err = Endless(e, anew, class, b)
				}
				if err != nil {
					t.Fatalf("batch %d: %v", n, err)
				}
				total.Add(tally)
				collect(found, n, differing)
			}
			t.Logf("%v: %d cases, %d without a result, %d differ", class, total.Cases, total.Lost, total.Mismatched)
			report(t, found)
		})
	}
}

// TestRecord writes the recordings, if it is asked to.
func TestRecord(t *testing.T) {
	if !*rewrite {
		t.Skip("skipped: records only with -silicon.record (make silicon-record)")
	}
	real, err := NewNative()
	if err != nil {
		t.Fatal(err)
	}
	defer real.Close()
	for class := range NumClasses {
		var file bytes.Buffer
		if err := Record(&file, real, Recorded(class)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(recordingOf(class), file.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}
