package machine

import "time"

// A meter tells how long a machine ran, and how much of it its processor was
// halted.
type meter struct{ ran, idle time.Duration }

// start begins a run. What it returns ends it.
func (m *meter) start() (end func()) {
	begun := time.Now()
	return func() { m.ran += time.Since(begun) }
}

// pause begins a halt. What it returns ends it.
func (m *meter) pause() (end func()) {
	begun := time.Now()
	return func() { m.idle += time.Since(begun) }
}
