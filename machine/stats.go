package machine

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/jit"
)

// How many lines of a long list statistics show.
const (
	shownSteps = 20
	shownHot   = 15
)

// A Requirement is something that translation needs of the host, and why it is
// not there if it is not.
type Requirement = jit.Requirement

// Requirements are what translation needs of this host.
func Requirements() []Requirement { return jit.Requirements() }

// engineName is the engine as statistics name it: if it is not the one that a
// host usually has, with the reason.
func (m *Machine) engineName() string {
	if m.cfg.Engine != "" {
		return m.cfg.Engine
	}
	if _, translates := m.board.engine.(*jit.Engine); translates {
		return jitEngine
	}
	_, because := DefaultEngine()
	return fmt.Sprintf("%s, for there is no translation: %v", interpEngine, because)
}

// WriteStats writes what the run cost, as a table for people.
func (m *Machine) WriteStats(w io.Writer) error {
	b := bufio.NewWriter(w)
	busy := m.meter.ran - m.meter.idle
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "engine\t%s\n", m.engineName())
	fmt.Fprintf(t, "instructions\t%s\n", digits(m.retired))
	fmt.Fprintf(t, "time\t%.3f s, of them %.3f s halted\n", m.meter.ran.Seconds(), m.meter.idle.Seconds())
	fmt.Fprintf(t, "speed\t%.1f million instructions a second, while not halted\n", mips(m.retired, busy))
	if e, ok := m.board.engine.(*jit.Engine); ok {
		writeTranslator(t, &e.Stats, m.retired)
	}
	t.Flush()
	if e, ok := m.board.engine.(*jit.Engine); ok {
		writeExits(b, &e.Stats, m.retired)
		writeSteps(b, &e.Stats)
	}
	m.writeHot(b)
	writeLatencies(b, m.board.fs.Latencies())
	return b.Flush()
}

func mips(n uint64, in time.Duration) float64 {
	if in <= 0 {
		return 0
	}
	return float64(n) / 1e6 / in.Seconds()
}

func writeTranslator(t io.Writer, s *jit.Stats, retired uint64) {
	fmt.Fprintf(t, "translated\t%s units, %s instructions of %s bytes\n", digits(s.Units), digits(s.Instructions), digits(s.GuestBytes))
	fmt.Fprintf(t, "generated\t%s bytes, %.1f for an instruction\n", digits(s.HostBytes), float64(s.HostBytes)/float64(max(s.Instructions, 1)))
	fmt.Fprintf(t, "forgotten\t%s units whose code was written, %s to make room\n", digits(s.Killed), digits(s.Evicted))
	fmt.Fprintf(t, "links\t%s made, %s broken\n", digits(s.LinksMade), digits(s.LinksBroken))
	fmt.Fprintf(t, "interpreted\t%s instructions, %.2f %%\n", digits(s.Aside), percent(s.Aside, retired))
	fmt.Fprintf(t, "windows\t%s opened, %s shut, %.1f %% of the instructions\n", digits(s.WindowsOpened), digits(s.WindowsShut), percent(s.Windowed, retired))
	fmt.Fprintf(t, "pages\t%s shown after %s faults, %s hidden, compared %s times; %s slow instructions\n",
		digits(s.PagesShown), digits(s.Exits[jit.Unshown]), digits(s.PagesHidden), digits(s.WindowChecks), digits(s.SlowSites))
	fmt.Fprintf(t, "entered\t%s times, once for %.0f instructions\n", digits(s.Enters), float64(retired)/float64(max(s.Enters, 1)))
}

func writeExits(b io.Writer, s *jit.Stats, retired uint64) {
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "\nexits\tin 1,000 instructions\t\treason\n")
	for _, r := range order(s.Exits[:]) {
		n := s.Exits[r]
		fmt.Fprintf(t, "%s\t%.3f\t\t%v\n", digits(n), 10*percent(n, retired), jit.Reason(r))
	}
	t.Flush()
}

func writeSteps(b io.Writer, s *jit.Stats) {
	list := order(s.StepsByOp[:])
	if len(list) == 0 {
		return
	}
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "\nsteps\tof %s by the engine\t\toperation\n", digits(s.Obeyed))
	all := s.Exits[jit.Steps] + s.Exits[jit.Slow]
	for _, op := range list[:min(len(list), shownSteps)] {
		fmt.Fprintf(t, "%s\t%.1f %%\t\t%v\n", digits(s.StepsByOp[op]), percent(s.StepsByOp[op], all), isa.Op(op))
	}
	t.Flush()
}

// writeHot writes the addresses that the profile met most.
func (m *Machine) writeHot(b io.Writer) {
	if m.profile == nil {
		return
	}
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "\ninstructions\tsamples\t\thot address\n")
	all := m.profile.total()
	rows := sum(m.profile, func(s spot) uint32 { return s.at })
	for _, r := range rows[:min(len(rows), shownHot)] {
		name := ""
		if m.names != nil {
			name = m.names(r.key)
		}
		fmt.Fprintf(t, "%.1f %%\t%s\t\t%08x %s\n", percent(r.instructions, all.instructions), digits(r.samples), r.key, name)
	}
	t.Flush()
}

func writeLatencies(b io.Writer, all map[string]*v86fs.Latency) {
	if len(all) == 0 {
		return
	}
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "\ncount\tmean\thalf within\t99 %% within\tmost\t\tv86fs request\n")
	for _, name := range slices.Sorted(maps.Keys(all)) {
		l := all[name]
		us := func(d time.Duration) string { return fmt.Sprintf("%.1f us", float64(d.Nanoseconds())/1e3) }
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t\t%s\n", digits(l.Count), us(l.Total/time.Duration(l.Count)),
			us(l.Within(0.5)), us(l.Within(0.99)), us(l.Max), name)
	}
	t.Flush()
}

// order is where counts has numbers but zero, the largest first.
func order(counts []uint64) (list []int) {
	for i, n := range counts {
		if n > 0 {
			list = append(list, i)
		}
	}
	slices.SortStableFunc(list, func(a, b int) int { return cmp.Compare(counts[b], counts[a]) })
	return list
}

// digits is n in groups of three.
func digits(n uint64) string {
	text := strconv.FormatUint(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
