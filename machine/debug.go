package machine

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/gdb"
)

// A debug is what a debugger has asked of the run loop. It belongs to the
// machine goroutine. While the guest is held its time stands still.
type debug struct {
	*Debugger
	held bool
	// fresh is set until the guest runs for the first time.
	fresh bool
	step  *gdb.Span // a step under way, or nil
	// begun is set once the step has executed an instruction.
	begun bool
	told  bool // the debugger knows that the processor has shut down
	// stopped is the debugger's, nil when none is attached.
	stopped func(gdb.Stop)
}

// hold does what takes the place of running the guest: it waits while the
// guest is held, or advances a step. It reports whether it did.
func (m *Machine) hold() bool {
	d := &m.debug
	switch {
	case d.held:
		<-m.inbox.wake
	case m.board.cpu.Shutdown && d.stopped != nil && !d.told:
		d.told = true
		m.stop(gdb.Stop{Reason: gdb.Crashed})
	case m.board.cpu.Shutdown:
		return false
	case d.step != nil:
		m.clock.fire()
		m.advance()
	default:
		return false
	}
	return true
}

// advance goes on with a step. Interrupts wait meanwhile, or a step in a busy
// guest would always end in a handler; but a halted processor waits for one,
// and its step ends before the handler's first instruction.
func (m *Machine) advance() {
	c, d := m.board.cpu, &m.debug
	if c.Halted {
		if !c.Wakes() {
			m.sleep()
		} else if m.board.engine.Run(0); !c.Halted {
			m.stop(gdb.Stop{Reason: gdb.Stepped})
		}
		return
	}
	c.Monitor.Step(true)
	c.Monitor.Masked, c.Monitor.Pass = true, !d.begun
	n, why := m.board.engine.Run(1)
	c.Monitor.Step(false)
	c.Monitor.Masked, c.Monitor.Pass = false, false
	m.retire(n)
	d.begun = d.begun || n > 0
	if why == cpu.Stopped {
		m.hit()
	}
	if d.held || n == 0 || m.off || m.over { // the end is told by itself
		return
	}
	if eip := c.EIP; eip < d.step.First || eip >= d.step.End || c.Halted {
		m.stop(gdb.Stop{Reason: gdb.Stepped})
	}
}

// hit stops the guest at what made the engine stop: for the debugger, if there
// can be one, otherwise for good.
func (m *Machine) hit() {
	h := m.board.cpu.TakeHit()
	switch {
	case h == nil:
	case m.debug.Debugger == nil:
		m.broke()
	case h.Watch != nil:
		m.stop(gdb.Stop{Reason: gdb.Watchpoint, At: h.At, Watch: *h.Watch})
	default:
		m.stop(gdb.Stop{Reason: gdb.Breakpoint, At: h.At})
	}
}

// stop holds the guest, and tells the debugger.
func (m *Machine) stop(why gdb.Stop) {
	d := &m.debug
	d.held, d.step = true, nil
	m.board.cpu.TakeHit()
	m.clock.hold()
	if d.stopped != nil {
		d.stopped(why)
	}
}

// release lets the guest run, or step within span if there is one.
func (m *Machine) release(span *gdb.Span) {
	d := &m.debug
	if !d.held {
		return
	}
	d.held, d.fresh, d.step, d.begun = false, false, span, false
	if !m.paused {
		m.clock.release()
	}
}

// ended tells the debugger how the run has ended.
func (m *Machine) ended() {
	d := &m.debug
	if d.Debugger == nil {
		return
	}
	why := gdb.Stop{Reason: gdb.Cancelled}
	switch {
	case m.stopped.Load():
	case m.over: // a halt for good has status 0
		why = gdb.Stop{Reason: gdb.Exited, Status: uint8(m.exitValue)}
	case m.off:
		why.Reason = gdb.PoweredOff
	case m.board.cpu.Shutdown:
		why.Reason = gdb.TripleFault
	}
	if d.stopped != nil {
		d.stopped(why)
	}
	close(d.gone)
}

// A Debugger is a machine as a debugger on another goroutine handles it. It
// implements gdb.Target.
type Debugger struct {
	m    *Machine
	quit func()
	gone chan struct{} // closed when Run returns
}

var _ gdb.Target = (*Debugger)(nil)

// Debug lets the machine be debugged. With freeze its guest waits for a
// debugger to let it run. quit is called when the debugger wants the machine
// to end. Debug comes before Run, once.
func (m *Machine) Debug(freeze bool, quit func()) *Debugger {
	d := &Debugger{m: m, quit: quit, gone: make(chan struct{})}
	m.debug = debug{Debugger: d, held: freeze, fresh: true}
	if freeze {
		m.clock.hold()
	}
	return d
}

// post runs fn on the machine goroutine and waits for it. Once the machine has
// ended it returns false and does nothing.
func (d *Debugger) post(fn func(*Machine)) bool {
	done := make(chan struct{})
	d.m.Post(func() {
		defer close(done)
		fn(d.m)
	})
	select {
	case <-done:
		return true
	case <-d.gone:
		return false
	}
}

// Attach implements gdb.Target.
func (d *Debugger) Attach(stopped func(gdb.Stop)) bool {
	return d.post(func(m *Machine) {
		if !m.debug.held {
			m.stop(gdb.Stop{})
			m.debug.fresh = false
		}
		m.debug.stopped = stopped
	})
}

// Detach implements gdb.Target.
func (d *Debugger) Detach(resume bool) {
	d.post(func(m *Machine) {
		m.debug.stopped = nil
		m.board.cpu.SetBreakpoints(nil)
		m.board.cpu.SetWatchpoints(nil)
		m.board.cpu.TakeHit() // nobody would let the guest go on
		if m.debug.step = nil; resume || !m.debug.fresh {
			m.release(nil)
		}
	})
}

// Interrupt implements gdb.Target.
func (d *Debugger) Interrupt() {
	d.post(func(m *Machine) {
		if !m.debug.held {
			m.stop(gdb.Stop{Reason: gdb.Interrupted})
		}
	})
}

// Continue implements gdb.Target.
func (d *Debugger) Continue() { d.post(func(m *Machine) { m.release(nil) }) }

// Step implements gdb.Target.
func (d *Debugger) Step(span gdb.Span) { d.post(func(m *Machine) { m.release(&span) }) }

// Do implements gdb.Target.
func (d *Debugger) Do(fn func(*cpu.CPU)) { d.post(func(m *Machine) { fn(m.board.cpu) }) }

// ReadMemory implements gdb.Target.
func (d *Debugger) ReadMemory(p []byte, at cpu.Linear) (n int) {
	d.post(func(m *Machine) { n = m.ReadLinear(p, at) })
	return n
}

// WriteMemory implements gdb.Target.
func (d *Debugger) WriteMemory(p []byte, at cpu.Linear) (n int) {
	d.post(func(m *Machine) { n = m.WriteLinear(p, at) })
	return n
}

// SetBreakpoints implements gdb.Target.
func (d *Debugger) SetBreakpoints(at []cpu.Linear) {
	d.post(func(m *Machine) { m.board.cpu.SetBreakpoints(at) })
}

// SetWatchpoints implements gdb.Target.
func (d *Debugger) SetWatchpoints(w []cpu.Watchpoint) {
	d.post(func(m *Machine) { m.board.cpu.SetWatchpoints(w) })
}

// Quit implements gdb.Target.
func (d *Debugger) Quit() { d.quit() }
