package machine

import (
	"sync/atomic"

	"github.com/gov86/gov86/display"
)

// shown is what the machine goroutine lets others see.
type shown struct {
	absolute, paused atomic.Bool
	retired          atomic.Uint64
}

// Absolute reports whether the guest has a driver that takes the pointer's place
// as it is. Any goroutine may call it.
func (m *Machine) Absolute() bool { return m.shown.absolute.Load() }

// Status is what a title tells of the machine. Any goroutine may call it.
func (m *Machine) Status() display.Status {
	return display.Status{Paused: m.shown.paused.Load(), Retired: m.shown.retired.Load()}
}

var _ display.Guest = (*Machine)(nil)

// ask has fn run on the machine goroutine, and waits for it. Once the run has ended
// it returns false and does nothing.
func (m *Machine) ask(fn func()) bool {
	done := make(chan struct{})
	m.Post(func() {
		defer close(done)
		fn()
	})
	select {
	case <-done:
		return true
	case <-m.gone:
		return false
	}
}

// Pause has the guest stand still, and its time too. When it returns they do. It
// is for any goroutine but the machine's, while Run runs.
func (m *Machine) Pause() {
	m.ask(func() {
		m.paused = true
		m.clock.hold()
		m.shown.paused.Store(true)
	})
}

// Resume lets the guest go on after Pause. It is called as Pause is.
func (m *Machine) Resume() {
	m.ask(func() {
		m.paused = false
		if !m.debug.held {
			m.clock.release()
		}
		m.shown.paused.Store(false)
	})
}

// wait waits, paused, for the inbox.
func (m *Machine) wait() {
	defer m.meter.pause()()
	<-m.inbox.wake
}

// Restart is the reset button. Any goroutine may call it.
func (m *Machine) Restart() {
	m.Post(func() {
		m.requestReset()
		if m.lockstep != nil {
			m.lockstep.second.requestReset()
		}
	})
}

// Screenshot is what is on the screen, nil after the run. It is called as Pause is.
func (m *Machine) Screenshot() (f *display.Frame) {
	m.ask(func() { f = m.Picture() })
	return f
}
