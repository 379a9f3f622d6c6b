package machine

import "github.com/gov86/gov86/display"

// SetScreen has s shown what is on the screen from now on, beginning with all of
// it; nil for nobody. Any goroutine may call it.
func (m *Machine) SetScreen(s display.Sink) {
	m.Post(func() {
		m.board.vga.SetSink(s)
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

// Input is what a user did. Any goroutine may call it. The mouse moves
// relatively: a display.Position is for nobody, and ignored.
func (m *Machine) Input(e display.Event) {
	m.Post(func() { m.both(func(b *board) { m.input(b, e) }) })
}

// input gives an event to the keyboard or the mouse of b.
func (m *Machine) input(b *board, e display.Event) {
	switch e := e.(type) {
	case display.Key:
		b.ps2.Key(e.Usage, e.Down)
	case display.Motion:
		b.ps2.Mouse(e.DX, e.DY, 0, uint8(m.buttons))
	case display.Buttons:
		m.buttons = e
		b.ps2.Mouse(0, 0, 0, uint8(e))
	case display.Wheel:
		b.ps2.Mouse(0, 0, e.Up, uint8(m.buttons))
	}
}
