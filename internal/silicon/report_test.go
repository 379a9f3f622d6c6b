package silicon

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

var groups = flag.Int("silicon.groups", 20, "kinds of difference to print a class")

const batchSize = 256

// collect adds differences of batch n to those found, by kind.
func collect(found map[string][]string, n uint64, differing []Mismatch) {
	for i := range differing {
		m := &differing[i]
		found[m.kind()] = append(found[m.kind()], fmt.Sprintf("batch %d, %v", n, m))
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
