package system

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
	"github.com/gov86/gov86/internal/silicon/kvm"
)

var (
	seed    = flag.Uint64("system.seed", 1, "seed of the generated cases")
	span    = flag.Duration("system.for", 0, "time to spend on all classes; zero for a fixed, small number of cases")
	groups  = flag.Int("system.groups", 12, "kinds of difference to print a class")
	anyKVM  = flag.Bool("system.anykvm", false, "ask KVM even where no processor executes its guests")
	unpaged = flag.Bool("system.unpaged", false, "make no cases with paging")
	only    = flag.Int("system.case", -1, "the only case to run, by number")
)

// everyday is how many cases of a class the everyday suite runs.
const everyday = 400

// TestTheInterpreterEndsEveryCaseAsKVMDoes runs generated machines on both,
// class by class.
func TestTheInterpreterEndsEveryCaseAsKVMDoes(t *testing.T) {
	verdicts, err := kvm.Probe()
	if err != nil {
		t.Skipf("skipped: %v", err)
	}
	if !verdicts.Executes() && !*anyKVM {
		t.Skipf("skipped, KVM is no reference here:\n%v", verdicts)
	}
	e, err := NewEmulated(func(c *cpu.CPU) cpu.Engine { return interp.New(c) })
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	v, err := NewVirtual(e.CPU)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	o := Options{Seed: *seed, Unpaged: *unpaged}
	for class := range NumClasses {
		t.Run(class.String(), func(t *testing.T) {
			tally, found := compare(t, e, v, o, class)
			t.Log(tally)
			report(t, found)
		})
	}
}

// compare runs cases of a class.
func compare(t *testing.T, e *Emulated, v *Virtual, o Options, class Class) (tally string, found map[string][]string) {
	found = map[string][]string{}
	lost := map[string]int{}
	excused := map[string]int{}
	start := time.Now()
	n := uint64(0)
	for ; n < everyday || time.Since(start) < *span/time.Duration(NumClasses); n++ {
		if *only >= 0 {
			n = uint64(*only)
		}
		c := o.Case(class, n)
		er, err := e.Run(c)
		if err != nil {
			t.Fatalf("case %d: %v", n, err)
		}
		if er.Lost != "" {
			lost[er.Lost]++
			continue
		}
		vr, err := v.Run(c)
		if err != nil {
			t.Fatalf("case %d: %v", n, err)
		}
		if vr.Lost != "" {
			lost[vr.Lost]++
			continue
		}
		d := differences(c, er, vr)
		if len(d) == 0 {
			if *only >= 0 {
				break
			}
			continue
		}
		if why := tolerated(c, er, vr); why != "" {
			excused[why]++
			continue
		}
		m := &Mismatch{c, er, vr, d}
		found[m.kind()] = append(found[m.kind()], fmt.Sprintf("case %d, %v", n, m))
		if *only >= 0 {
			break
		}
	}
	differ := 0
	for _, k := range found {
		differ += len(k)
	}
	return fmt.Sprintf("%d cases, %d differ; lost %v; tolerated %v", n, differ, lost, excused), found
}

// kind groups differences that have one cause, presumably.
func (m *Mismatch) kind() string {
	parts := map[string]bool{}
	for _, d := range m.Differing {
		part, _, _ := strings.Cut(d, ":")
		part, _, _ = strings.Cut(part, " at")
		parts[part] = true
	}
	code := m.Case.Code
	for len(code) > 1 && code[0] == 0x66 {
		code = code[1:]
	}
	name := fmt.Sprintf("%02x", code[0])
	if len(code) > 1 && (code[0] == 0x0f || code[0] == 0xff) {
		name = fmt.Sprintf("%02x %02x", code[0], code[1])
	}
	ending := func(r *Result) string {
		if _, ok := r.vector(); ok || r.Shutdown {
			return r.ending()
		}
		return "elsewhere"
	}
	return fmt.Sprintf("%s ending %s/%s: %s", name, ending(m.Emulated), ending(m.Real), strings.Join(slices.Sorted(maps.Keys(parts)), ", "))
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
