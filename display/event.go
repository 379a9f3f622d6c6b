package display

// An Event is what a user did at the keyboard or with a pointer: a Key, Motion,
// Position, Buttons or Wheel.
type Event interface{ event() }

// A Key was pressed or let go. A front end reports each change once: the guest's
// keyboard repeats keys by itself.
type Key struct {
	// Usage is the key on the keyboard page of the USB HID Usage Tables, which
	// number keys by their place and not by what is printed on them.
	Usage uint16
	Down  bool
}

// Motion is a relative movement of the pointer in dots, right and down.
type Motion struct{ DX, DY int }

// A Position is where the pointer is on the frame: 0 is its left or top edge,
// PositionMax its right or bottom edge.
type Position struct{ X, Y uint16 }

// PositionMax is the largest coordinate of a Position.
const PositionMax = 0x7fff

// Buttons are those of the pointer that are held down.
type Buttons uint8

// The buttons.
const (
	LeftButton Buttons = 1 << iota
	RightButton
	MiddleButton
	FourthButton
	FifthButton
)

// Wheel is turned by so many notches, away from the user and to the right.
type Wheel struct{ Up, Right int }

func (Key) event()      {}
func (Motion) event()   {}
func (Position) event() {}
func (Buttons) event()  {}
func (Wheel) event()    {}
