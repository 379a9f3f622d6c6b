package machine

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/jit"
)

// A profile says where the guest's instructions went. Whenever the engine looks
// around, what was executed since it last did is booked on the address where it
// is. An exit after a few instructions so books few, and a loop that needs no
// exit is met by the end of its budget.
type profile struct {
	// slots is a hash table, at most half full: exits are frequent, and a map
	// would be noticed.
	slots []slot
	used  int
}

// A slot has a spot, if there is one, and what was booked on it.
type slot struct {
	spot
	weight
}

// A spot is an address, and why the engine was there.
type spot struct {
	at     uint32
	reason jit.Reason
}

// A weight is instructions, and how many samples they came in.
type weight struct{ instructions, samples uint64 }

func (w *weight) add(o weight) {
	w.instructions += o.instructions
	w.samples += o.samples
}

func (p *profile) add(r jit.Reason, l uint32, n uint64) {
	if 2*p.used >= len(p.slots) {
		p.grow()
	}
	s := p.find(spot{l, r})
	if s.samples == 0 {
		s.spot = spot{l, r}
		p.used++
	}
	s.add(weight{n, 1})
}

// find is the slot of k, or an empty one for it.
func (p *profile) find(k spot) *slot {
	const golden = 0x9e3779b1 // Knuth, "The Art of Computer Programming", Vol. 3, 6.4
	last := uint32(len(p.slots) - 1)
	for i := (k.at ^ uint32(k.reason)<<28) * golden >> 8; ; i++ {
		if s := &p.slots[i&last]; s.samples == 0 || s.spot == k {
			return s
		}
	}
}

// grow doubles the table.
func (p *profile) grow() {
	old := p.slots
	p.slots = make([]slot, max(2*len(old), 1<<12))
	for _, s := range old {
		if s.samples > 0 {
			*p.find(s.spot) = s
		}
	}
}

// startProfile has the engine tell the profile where it is, if one is wanted.
func (m *Machine) startProfile() {
	if !m.cfg.Profile {
		return
	}
	m.profile = new(profile)
	if e, ok := m.board.engine.(*jit.Engine); ok {
		e.OnExit(m.profile.add)
	}
}

// sampleRun books a run of an engine that tells nothing by itself.
func (m *Machine) sampleRun(n uint64) {
	if _, tells := m.board.engine.(*jit.Engine); m.profile != nil && !tells {
		c := m.board.cpu
		m.profile.add(jit.Interpreted, c.Seg[isa.CS].Base+c.EIP, n)
	}
}

// function is what the profile calls the function at l: its symbol or, if it has
// none, its page.
func (m *Machine) function(l uint32) string {
	if m.names != nil {
		if name, _, _ := strings.Cut(m.names(l), "+0x"); name != "" {
			return name
		}
	}
	return fmt.Sprintf("page %08x", l&^0xfff)
}

// A row is a line of the profile.
type row[K comparable] struct {
	key K
	weight
}

// sum adds up the profile by what key says of a spot, the most instructions first.
func sum[K cmp.Ordered](p *profile, key func(spot) K) []row[K] {
	by := map[K]*weight{}
	for _, s := range p.slots {
		if s.samples == 0 {
			continue
		}
		k := key(s.spot)
		if by[k] == nil {
			by[k] = new(weight)
		}
		by[k].add(s.weight)
	}
	var rows []row[K]
	for _, k := range slices.Sorted(maps.Keys(by)) {
		rows = append(rows, row[K]{k, *by[k]})
	}
	slices.SortStableFunc(rows, func(a, b row[K]) int { return cmp.Compare(b.instructions, a.instructions) })
	return rows
}

func (p *profile) total() (all weight) {
	for _, s := range p.slots {
		all.add(s.weight)
	}
	return all
}

// named is a key of sum.
func (m *Machine) named(s spot) string { return m.function(s.at) }

// WriteProfile writes the profile that Config.Profile asked for, sorted, as tables
// by function, by reason and by both.
func (m *Machine) WriteProfile(w io.Writer) error {
	all := m.profile.total()
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "profile of %d instructions in %d samples, with the engine %s\n", all.instructions, all.samples, m.engineName())
	table := func(heading string, rows []row[string]) {
		fmt.Fprintf(b, "\n")
		t := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintf(t, "share\tinstructions\tsamples\t\t%s\n", heading)
		for _, r := range rows {
			fmt.Fprintf(t, "%.2f %%\t%d\t%d\t\t%s\n", percent(r.instructions, all.instructions), r.instructions, r.samples, r.key)
		}
		t.Flush()
	}
	table("function", sum(m.profile, m.named))
	table("why the engine looked", sum(m.profile, func(s spot) string { return s.reason.String() }))
	table("function and reason", sum(m.profile, func(s spot) string { return m.named(s) + ": " + s.reason.String() }))
	return b.Flush()
}

// WriteFolded writes the profile as programs that draw flame graphs read it: a
// line for each function and reason, and their instructions.
func (m *Machine) WriteFolded(w io.Writer) error {
	b := bufio.NewWriter(w)
	for _, r := range sum(m.profile, func(s spot) string { return m.named(s) + ";" + s.reason.String() }) {
		fmt.Fprintf(b, "%s %d\n", r.key, r.instructions)
	}
	return b.Flush()
}

// percent is how much of all part is.
func percent(part, all uint64) float64 {
	if all == 0 {
		return 0
	}
	return 100 * float64(part) / float64(all)
}
