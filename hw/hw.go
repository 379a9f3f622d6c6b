// Package hw is what a chip may know of its board: a wire, a clock, a timer,
// and the life cycle every chip shares. It knows no chip and no board.
package hw

import "github.com/gov86/gov86/snapshot"

// A Device holds guest-visible state that the board resets, saves and loads.
// All methods run on the machine goroutine; none may reach another device.
type Device interface {
	// Reset puts the device in its power-on state. It moves no line.
	Reset()
	// Save appends the device's state.
	Save(*snapshot.Codec)
	// Load replaces the state, or changes nothing and says why. It moves no
	// line: levels are the interrupt controller's state.
	Load(*snapshot.Codec) error
}

// A Line is one interrupt input. It carries a level; the controller makes edges.
type Line interface{ Set(asserted bool) }

// LineFunc makes a Line of a function.
type LineFunc func(asserted bool)

// Set implements Line.
func (f LineFunc) Set(asserted bool) { f(asserted) }

// Time is guest time in nanoseconds since power-on.
type Time uint64

// Units of Time.
const (
	Microsecond Time = 1_000
	Millisecond Time = 1_000_000
	Second      Time = 1_000_000_000
)

// A Clock is all a device may know of time.
type Clock interface {
	Now() Time
	// NewTimer returns a stopped timer. fn runs on the machine goroutine.
	NewTimer(name string, fn func(now Time)) Timer
}

// A Timer fires once, at or after the time set. Its owner saves When.
type Timer interface {
	Set(at Time)
	Stop()
	When() (at Time, armed bool)
}
