package display

import (
	"context"
	"errors"
)

// ErrClosed is the end of a Face that the user closed.
var ErrClosed = errors.New("the display was closed")

// A Guest is a machine as front ends see it. Its methods may be called from any
// goroutine; none waits for the guest but Type.
type Guest interface {
	// SetScreen has s shown what is on the screen from now on, beginning with all
	// of it; nil for nobody.
	SetScreen(s Sink)
	// SetSound has s told what the speaker does; nil for nobody.
	SetSound(s Sound)
	// Input hands over what the user did.
	Input(events ...Event)
	// Type types text on a US keyboard, as fast as the guest reads, until ctx
	// ends. Characters without a key are left out.
	Type(ctx context.Context, text string)
	// Absolute reports whether the guest takes Positions as they are. Without
	// that a Position moves its pointer by the difference to the last.
	Absolute() bool
	// Status is what there is to tell about the guest, for a title.
	Status() Status
}

// Status is what a title tells of a guest.
type Status struct {
	Paused bool
	// Retired counts the instructions executed, for a speed.
	Retired uint64
}

// A Face is a front end: it shows frames and reports what the user does.
type Face interface {
	// Show shows the guest until ctx ends, which is no error, or until the user
	// closes it, which is ErrClosed.
	Show(ctx context.Context, g Guest) error
}
