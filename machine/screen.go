package machine

import (
	"github.com/gov86/gov86/display"
	"github.com/gov86/gov86/hw"
)

// SetScreen has s shown what is on the screen from now on, beginning with all of
// it; nil for nobody. Any goroutine may call it.
func (m *Machine) SetScreen(s display.Sink) {
	m.Post(func() {
		m.board.vga.SetSink(s)
		if s != nil && m.paused { // no frame would come until the guest goes on
			s.Present(m.Picture())
		}
		if m.lockstep == nil {
			return
		}
		if s != nil {
			s = unseen{}
		}
		m.lockstep.second.board.vga.SetSink(s)
	})
}

// unseen is the screen of the second machine of lockstep, which draws when the
// first does.
type unseen struct{}

// Present implements display.Sink.
func (unseen) Present(f *display.Frame) *display.Frame { return f }

// Picture is what is on the screen. Only the machine goroutine, and who knows
// that Run is not running, may call it.
func (m *Machine) Picture() *display.Frame { return m.board.vga.Frame() }

// ScreenText is what text is on the screen, a string a row in code page 437, or
// nil if there are pixels. It is called as Picture is.
func (m *Machine) ScreenText() []string { return m.board.vga.Text() }

// SetSound has s told what the speaker does from now on; nil for nobody. Any
// goroutine may call it.
func (m *Machine) SetSound(s display.Sound) {
	m.Post(func() {
		if s == nil {
			m.board.pit.SetSound(nil)
			return
		}
		m.board.pit.SetSound(func(at hw.Time, hz float64, high bool) { s.Tone(uint64(at), hz, high) })
	})
}
