package machine

import (
	"bytes"
	"fmt"
	"time"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/devices/uart"
	"github.com/gov86/gov86/hw"
	"github.com/gov86/gov86/jit"
	"github.com/gov86/gov86/mem"
)

// A lockstep is a second machine beside the first, which is translated: it has
// the same parts, the same input and the same time, its processor is
// interpreted, and after every run of the first it does as many instructions.
// Then the processors are to be the same. The machines' time is counted; what
// comes from outside comes to both between two runs.
type lockstep struct {
	second  *Machine
	stepper *jit.Stepper
	// run is about how many instructions there are between two comparisons.
	run uint64
	// before is the first processor as the run at hand began, at that count.
	before cpu.State
	at     uint64
	// sent is what the first machine has sent and the second is to send yet;
	// strange says what the second sent instead.
	sent    []sent
	strange string
	// compared is when memory and devices were.
	compared uint64
}

// A sent is a byte at one of the machine's ends, and whether it was taken there.
type sent struct {
	end   int
	b     byte
	taken bool
}

// debugEnd is that of the debug ports, above those of the serial ports.
const debugEnd = 4

// thorough is how often memory and devices are compared, in instructions.
const thorough = 1 << 26

// newLockstep puts the two machines together.
func newLockstep(cfg Config, host Host, begin func(*Machine) error) (*Machine, error) {
	l := &lockstep{run: max(cfg.LockstepRun, 1)}
	cfg.Counted = true
	if host.Time.IsZero() {
		host.Time = time.Now()
	}
	other, outside := cfg, Host{Time: host.Time, Log: host.Log}
	other.Engine, other.Exports, other.Storage = stepperEngine, cfg.SecondExports, cfg.SecondStorage
	for i, out := range host.Serial {
		if out != nil {
			host.Serial[i], outside.Serial[i] = heard{l, i, out}, repeated{l, i}
		}
	}
	if debug := host.Debug; debug != nil {
		host.Debug = func(b byte) {
			debug(b)
			l.sent = append(l.sent, sent{debugEnd, b, true})
		}
		outside.Debug = func(b byte) { repeated{l, debugEnd}.Put(b) }
	}
	if host.Screen != nil {
		outside.Screen = unseen{}
	}
	m, err := assemble(cfg, host, begin)
	if err != nil {
		return nil, err
	}
	if l.second, err = assemble(other, outside, begin); err != nil {
		m.Close()
		return nil, err
	}
	l.stepper = l.second.board.engine.(*jit.Stepper)
	m.lockstep = l
	return m, nil
}

// heard is an output of the first machine: what it sends is remembered.
type heard struct {
	l   *lockstep
	end int
	uart.Output
}

// Put implements uart.Output.
func (h heard) Put(b byte) bool {
	taken := h.Output.Put(b)
	h.l.sent = append(h.l.sent, sent{h.end, b, taken})
	return taken
}

// repeated is an output of the second machine, which does what that of the first
// did.
type repeated struct {
	l   *lockstep
	end int
}

// Put implements uart.Output.
func (r repeated) Put(b byte) bool {
	l := r.l
	if len(l.sent) == 0 || l.sent[0].end != r.end || l.sent[0].b != b {
		l.strange = fmt.Sprintf("%q to output %d", b, r.end)
		return true
	}
	taken := l.sent[0].taken
	l.sent = l.sent[1:]
	return taken
}

// both calls fn with the board, and in lockstep with that of the second machine.
func (m *Machine) both(fn func(b *board)) {
	fn(m.board)
	if m.lockstep != nil {
		fn(m.lockstep.second.board)
	}
}

// receive is Receive on the machine goroutine.
func (m *Machine) receive(port int, p []byte) int {
	n := m.board.serial[port].Receive(p)
	if l := m.lockstep; l != nil && l.second.board.serial[port].Receive(p) != n {
		l.strange = fmt.Sprintf("an answer to input of serial port %d", port)
	}
	return n
}

// follow has the second machine do what the run loop is about to do with the
// first. It returns what differs.
func (l *lockstep) follow(m *Machine) error {
	s := l.second
	s.board.cpu.TakeKick()
	switch {
	case m.off != s.off, m.again != s.again, m.over != s.over, m.exitValue != s.exitValue:
		return l.differ(m, "how the run ends")
	case m.again != none:
		s.again = none
		if err := s.reset(m.again); err != nil {
			return fmt.Errorf("reset: %w", err)
		}
	case m.off, m.over, m.retired-l.compared >= thorough:
		l.compared = m.retired
		if what := l.compareAll(m); what != "" {
			return l.differ(m, what)
		}
	}
	s.clock.fire()
	s.deliver()
	return nil
}

// slept has the second machine follow the first, which has slept or is halted for
// good.
func (l *lockstep) slept(m *Machine) {
	l.second.clock.count = m.clock.count
	if m.over {
		l.second.end(m.ending)
	}
}

// burst runs both machines and compares their processors.
func (l *lockstep) burst(m *Machine) error {
	a, b := m.board.cpu, l.second.board.cpu
	l.before, l.at = *a.State, m.retired
	budget := l.run
	if at, ok := m.clock.next(); ok {
		left := (at - m.clock.Now() + countedNs - 1) / countedNs
		budget = min(budget, uint64(max(left, 1)))
	}
	n, _ := m.board.engine.Run(budget)
	k, _ := l.stepper.Run(n)
	// Who runs a string instruction does as many elements as its TLB allows.
	const patience = 4096
	for range patience {
		if n == k {
			break
		}
		if n < k {
			more, _ := m.board.engine.Run(k - n)
			n += more
		} else {
			more, _ := l.stepper.Run(n - k)
			k += more
		}
	}
	m.retire(n)
	l.second.retire(k)
	// Flags that the manual leaves undefined may differ, and must not from here on.
	left := a.EFLAGS
	if (a.EFLAGS^b.EFLAGS)&^l.stepper.Open == 0 {
		a.EFLAGS = b.EFLAGS
	}
	same := *a.State == *b.State
	a.EFLAGS = left
	switch {
	case n != k:
		return l.differ(m, fmt.Sprintf("the number of instructions: %d and %d", n, k))
	case !same:
		return l.differ(m, "the processor")
	case l.strange != "":
		return l.differ(m, "the output: the second sent "+l.strange)
	case len(l.sent) > 0:
		return l.differ(m, fmt.Sprintf("the output: only the first sent %q", l.sent[0].b))
	case due(m.clock) != due(l.second.clock):
		return l.differ(m, "when the next timer is due")
	}
	b.EFLAGS = left
	return nil
}

// due is when c's next timer is, plus one, or 0 if there is none.
func due(c *clock) hw.Time {
	at, ok := c.next()
	if !ok {
		return 0
	}
	return at + 1
}

// compareAll compares what a run does not: devices, and memory if the runs are of
// one unit each. Within longer ones a flag that is undefined may be stored.
func (l *lockstep) compareAll(m *Machine) string {
	var first, second bytes.Buffer
	m.DumpDevices(&first)
	l.second.DumpDevices(&second)
	if a, b := first.String(), second.String(); a != b {
		return "a device:\n" + firstLine(a, b)
	}
	if l.run > 1 {
		return ""
	}
	for at := mem.Addr(0); at < mem.Addr(m.board.memory.RAMSize()); at += mem.PageSize {
		a, b := m.board.memory.Page(at, false), l.second.board.memory.Page(at, false)
		for i := 0; !bytes.Equal(a, b) && i < min(len(a), len(b)); i++ {
			if a[i] != b[i] {
				return fmt.Sprintf("memory at physical address %08x: %02x and %02x", uint64(at)+uint64(i), a[i], b[i])
			}
		}
	}
	return ""
}
