package silicon

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/interp"
)

var (
	seed   = flag.Uint64("silicon.seed", 1, "seed of the generated cases")
	span   = flag.Duration("silicon.for", 0, "time to spend on all classes; zero for a fixed, small number of cases")
	strict = flag.Bool("silicon.strict", false, "compare flags that the manual leaves undefined")
	groups = flag.Int("silicon.groups", 20, "kinds of difference to print a class")
)

const (
	batchSize = 256
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
	defer real.Close()
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
				tally, differing, err := Compare(e, real, class, options.Batch(class, n, batchSize))
				if err != nil {
					t.Fatalf("batch %d: %v", n, err)
				}
				total.Add(tally)
				for i := range differing {
					m := &differing[i]
					found[m.kind()] = append(found[m.kind()], fmt.Sprintf("batch %d, %v", n, m))
				}
			}
			t.Logf("%v: %d cases, %d without a result, %d differ", class, total.Cases, total.Lost, total.Mismatched)
			report(t, found)
		})
	}
}

// kind groups differences that have one cause, presumably.
func (m *Mismatch) kind() string {
	name := "code"
	if in := m.Case.at(m.Real.EIP); in != nil {
		name = in.Op.String()
	}
	if in := m.Case.at(m.Case.EIP); in != nil && int(in.Len)+1 >= len(m.Case.Code) {
		name = in.Op.String() + " alone"
	}
	parts := map[string]bool{}
	for _, d := range m.Differing {
		part, _, _ := strings.Cut(d, ":")
		part, _, _ = strings.Cut(part, " at")
		parts[part] = true
	}
	return fmt.Sprintf("%s %d/%d %s", name, m.Emulated.Vector, m.Real.Vector, strings.Join(slices.Sorted(maps.Keys(parts)), " "))
}

// report fails with the commonest kinds of difference, an example each.
func report(t *testing.T, found map[string][]string) {
	kinds := slices.SortedFunc(maps.Keys(found), func(a, b string) int {
		if d := len(found[b]) - len(found[a]); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	for _, k := range kinds[:min(len(kinds), *groups)] {
		t.Errorf("%d times %s\n%s", len(found[k]), k, found[k][0])
	}
}
