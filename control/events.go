package control

import (
	"encoding/json"
	"fmt"

	"github.com/gov86/gov86/display"
)

// An inputEvent is one of QEMU's InputEvent.
type inputEvent struct {
	Type string
	Data json.RawMessage
}

// buttons are QEMU's InputButton. A wheel is turned by a press.
var buttons = map[string]display.Buttons{
	"left": display.LeftButton, "right": display.RightButton, "middle": display.MiddleButton,
	"side": display.FourthButton, "extra": display.FifthButton,
}

var wheels = map[string]display.Wheel{
	"wheel-up": {Up: 1}, "wheel-down": {Up: -1}, "wheel-left": {Right: -1}, "wheel-right": {Right: 1},
}

// A translator turns the events of one command into ours: QEMU tells of one axis
// or button at a time, we of all.
type translator struct {
	events []display.Event
	held   display.Buttons
	place  display.Position
	motion display.Motion
	placed bool // place is news
}

// sendEvents is input-send-event. Which buttons are held is remembered from one
// command to the next.
func sendEvents(x *session, arguments json.RawMessage) (any, error) {
	var a struct {
		Device string
		Head   int
		Events []inputEvent
	}
	if err := read(arguments, &a); err != nil {
		return nil, err
	}
	x.server.mu.Lock()
	defer x.server.mu.Unlock()
	t := translator{held: x.server.held, place: x.server.place}
	for _, e := range a.Events {
		if err := t.add(e); err != nil {
			return nil, err
		}
	}
	t.flush()
	x.server.held, x.server.place = t.held, t.place
	x.server.machine.Input(t.events...)
	return nil, nil
}

func (t *translator) add(e inputEvent) error {
	switch e.Type {
	case "key":
		var a struct {
			Key  keyValue
			Down bool
		}
		if err := read(e.Data, &a); err != nil {
			return err
		}
		u, err := a.Key.usage()
		t.flush()
		t.events = append(t.events, display.Key{Usage: u, Down: a.Down})
		return err
	case "btn":
		return t.button(e)
	case "rel", "abs":
		return t.axis(e)
	}
	return fmt.Errorf("there is no event of type %q; write key, btn, rel or abs", e.Type)
}

func (t *translator) button(e inputEvent) error {
	var a struct {
		Button string
		Down   bool
	}
	if err := read(e.Data, &a); err != nil {
		return err
	}
	t.flush()
	b, isButton := buttons[a.Button]
	w, isWheel := wheels[a.Button]
	switch {
	case isButton && a.Down:
		t.held |= b
	case isButton:
		t.held &^= b
	case isWheel && a.Down:
		t.events = append(t.events, w)
		return nil
	case isWheel:
		return nil
	default:
		return fmt.Errorf("there is no button %q", a.Button)
	}
	t.events = append(t.events, t.held)
	return nil
}

func (t *translator) axis(e inputEvent) error {
	var a struct {
		Axis  string
		Value int
	}
	if err := read(e.Data, &a); err != nil {
		return err
	}
	n, ok := map[string]int{"x": 0, "y": 1}[a.Axis]
	switch {
	case !ok:
		return fmt.Errorf("there is no axis %q; write x or y", a.Axis)
	case e.Type == "abs" && (a.Value < 0 || a.Value > display.PositionMax):
		return fmt.Errorf("position %d: write 0 to %d", a.Value, display.PositionMax)
	case e.Type == "abs" && n == 0:
		t.place.X, t.placed = uint16(a.Value), true
	case e.Type == "abs":
		t.place.Y, t.placed = uint16(a.Value), true
	case n == 0:
		t.motion.DX += a.Value
	default:
		t.motion.DY += a.Value
	}
	return nil
}

// flush adds the movement so far.
func (t *translator) flush() {
	if t.motion != (display.Motion{}) {
		t.events = append(t.events, t.motion)
		t.motion = display.Motion{}
	}
	if t.placed {
		t.events = append(t.events, t.place)
		t.placed = false
	}
}
