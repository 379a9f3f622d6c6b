package cpu

import (
	"slices"

	"github.com/gov86/gov86/cpu/isa"
)

// A Monitor is what a debugger outside the guest asks of the processor. The
// guest cannot see it: memory, EFLAGS.TF and the debug registers stay its own.
// A page with a breakpoint is executed one instruction at a time, and
// everything is while there is a watchpoint or See; without any nothing is
// slower.
type Monitor struct {
	// Masked keeps interrupts and NMIs waiting.
	Masked bool
	// Pass lets the next instruction pass its breakpoint, once.
	Pass bool
	// See, if not nil, is shown every instruction before it is executed and
	// where it lies; of a repeated string instruction every element.
	See func(l Linear, in *isa.Inst)

	stepping    bool
	breakpoints map[Linear]struct{}
	pages       map[Linear]struct{} // pages that hold a breakpoint
	watchpoints []Watchpoint
	hit         *Hit
	watched     *Hit // by the instruction being executed
}

// A Watchpoint is a range of linear addresses, and the accesses that stop.
type Watchpoint struct {
	At          Linear
	Len         uint32
	Read, Write bool
}

// last is the last address of w, whose range may end at 4 GiB.
func (w *Watchpoint) last() Linear { return w.At + Linear(w.Len-1) }

// A Hit is why the engine returned Stopped: it is about to execute a
// breakpoint, or has executed an access to a watchpoint.
type Hit struct {
	// At is where the breakpoint is, or the first byte accessed of the
	// watchpoint's.
	At Linear
	// Watch is the watchpoint, nil for a breakpoint.
	Watch *Watchpoint
}

// Step makes every instruction end the engine's block, and every element of a
// repeated string instruction, as EFLAGS.TF would.
func (m *Monitor) Step(on bool) { m.stepping = on }

// slow reports whether the engine is to execute one instruction at a time.
func (m *Monitor) slow() bool { return m.stepping || m.See != nil || len(m.watchpoints) != 0 }

// Watching reports whether there are breakpoints, watchpoints or steps to look
// for.
func (m *Monitor) Watching() bool { return m.slow() || len(m.breakpoints) != 0 }

// SetBreakpoints replaces the breakpoints.
func (c *CPU) SetBreakpoints(at []Linear) {
	m := &c.Monitor
	m.breakpoints, m.pages = map[Linear]struct{}{}, map[Linear]struct{}{}
	for _, l := range at {
		m.breakpoints[l] = struct{}{}
		m.pages[l>>12] = struct{}{}
	}
	// Blocks known by their address are found anew, and meet BreaksNear.
	c.TLB.Epoch++
}

// SetWatchpoints replaces the watchpoints. Those of no length never hit.
func (c *CPU) SetWatchpoints(w []Watchpoint) {
	c.Monitor.watchpoints = slices.DeleteFunc(slices.Clone(w), func(w Watchpoint) bool { return w.Len == 0 })
	c.Monitor.watched = nil
}

// BreaksNear reports whether the page of l holds a breakpoint.
func (c *CPU) BreaksNear(l Linear) bool {
	_, ok := c.Monitor.pages[l>>12]
	return ok
}

// TakeHit returns why the engine has stopped, or nil when it has not, and lets
// it go on.
func (c *CPU) TakeHit() *Hit {
	c.attention.And(^AttendStop)
	h := c.Monitor.hit
	c.Monitor.hit = nil
	return h
}

// Breaks reports whether the engine is to stop before the instruction at l,
// which it is about to execute in ModeStep or because of BreaksNear. An
// instruction that cannot be fetched has its fault first.
func (c *CPU) Breaks(l Linear) bool {
	m := &c.Monitor
	m.watched = nil
	pass := m.Pass
	m.Pass = false
	if _, ok := m.breakpoints[l]; !ok || pass {
		return false
	}
	if _, t := c.Translate(l, c.Data()|Fetch); t != NoTrap {
		return false
	}
	c.stop(&Hit{At: l})
	return true
}

// EndWatch ends an instruction without a fault: if it met a watchpoint, the
// engine stops.
func (c *CPU) EndWatch() {
	if h := c.Monitor.watched; h != nil {
		c.Monitor.watched = nil
		c.stop(h)
	}
}

func (c *CPU) stop(h *Hit) {
	c.Monitor.hit = h
	c.attention.Or(AttendStop)
}

// watch notes the first watchpoint that an access of n bytes at l meets.
func (m *Monitor) watch(l Linear, n int, write bool) {
	end := l + Linear(n-1)
	for i := range m.watchpoints {
		w := &m.watchpoints[i]
		wanted := w.Read && !write || w.Write && write
		if wanted && m.watched == nil && l <= w.last() && w.At <= end {
			m.watched = &Hit{At: max(l, w.At), Watch: w}
		}
	}
}
