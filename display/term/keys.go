package term

import (
	"bytes"
	"context"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/gov86/gov86/display"
)

// escapeTime is how long after an Escape the rest of what a key sends may come.
const escapeTime = 30 * time.Millisecond

// keyTime is how long a key is held: a terminal tells of presses alone.
const keyTime = 5 * time.Millisecond

// command begins what is for gov86, as on a serial console: Ctrl-A.
const command = 0x01

// typeKeys turns what is typed into keys, until ctx ends. It ends the face when the
// user quits.
func typeKeys(ctx context.Context, g display.Guest, keys <-chan []byte, end context.CancelCauseFunc) {
	t := typist{ctx: ctx, guest: g, end: end}
	var rest []byte
	for {
		var late <-chan time.Time
		if len(rest) > 0 {
			late = time.After(escapeTime)
		}
		select {
		case <-ctx.Done():
			return
		case b := <-keys:
			rest = t.take(append(rest, b...), false)
		case <-late:
			rest = t.take(rest, true)
		}
	}
}

// A typist presses keys.
type typist struct {
	ctx       context.Context
	guest     display.Guest
	end       context.CancelCauseFunc
	commanded bool // Ctrl-A was typed
	pasting   bool
	pasted    []byte
}

// What is sent around a paste.
var pasteBegins, pasteEnds = []byte("\x1b[200~"), []byte("\x1b[201~")

// take types what b begins with, and returns what is no whole key yet. Nothing is,
// if it is final.
func (t *typist) take(b []byte, final bool) (rest []byte) {
	for len(b) > 0 {
		n := t.one(b, final)
		if n == 0 {
			return b
		}
		b = b[n:]
	}
	return nil
}

// one types the first key of b and returns its length, 0 if more has to come.
func (t *typist) one(b []byte, final bool) int {
	if t.pasting {
		if i := bytes.Index(b, pasteEnds); i >= 0 {
			t.paste(b[:i])
			return i + len(pasteEnds)
		}
		keep := 0 // of a mark that has begun
		for i := range min(len(b), len(pasteEnds)-1) {
			if bytes.HasPrefix(pasteEnds, b[len(b)-i-1:]) {
				keep = i + 1
			}
		}
		t.pasted = append(t.pasted, b[:len(b)-keep]...)
		return len(b) - keep
	}
	if b[0] == 0x1b {
		return t.escape(b, final)
	}
	if !utf8.FullRune(b) && !final {
		return 0
	}
	r, n := utf8.DecodeRune(b)
	switch {
	case t.commanded:
		t.commanded = false
		t.obey(r)
	case r == command:
		t.commanded = true
	default:
		t.press(display.Typed(r))
	}
	return n
}

func (t *typist) paste(last []byte) {
	t.pasting = false
	text := string(t.pasted) + string(last)
	t.pasted = nil
	t.guest.Type(t.ctx, text)
}

// obey does what the key after a Ctrl-A asks for.
func (t *typist) obey(r rune) {
	switch r {
	case 'x', 'X':
		t.end(display.ErrClosed)
	case 'a', 'A', command:
		t.press(display.Typed(command))
	case 'd', 'D':
		t.press(display.Chord(display.LeftControl, display.LeftAlt, display.Delete))
	}
}

// press presses keys and lets them go a moment later.
func (t *typist) press(events []display.Event) {
	if len(events) == 0 {
		return
	}
	t.guest.Input(events[:len(events)/2]...)
	select {
	case <-time.After(keyTime):
	case <-t.ctx.Done():
	}
	t.guest.Input(events[len(events)/2:]...)
}

// Keys by the last byte of a control sequence, or by its number before a tilde.
var (
	byFinal = map[byte]uint16{
		'A': display.Up, 'B': display.Down, 'C': display.Right, 'D': display.Left, 'H': display.Home, 'F': display.End,
		'P': display.F1, 'Q': display.F1 + 1, 'R': display.F1 + 2, 'S': display.F1 + 3,
	}
	byNumber = map[int]uint16{
		1: display.Home, 2: display.Insert, 3: display.Delete, 4: display.End, 5: display.PageUp, 6: display.PageDown,
		7: display.Home, 8: display.End,
		11: display.F1, 12: display.F1 + 1, 13: display.F1 + 2, 14: display.F1 + 3, 15: display.F1 + 4,
		17: display.F1 + 5, 18: display.F1 + 6, 19: display.F1 + 7, 20: display.F1 + 8, 21: display.F1 + 9,
		23: display.F1 + 10, 24: display.F1 + 11,
	}
)

// escape types a key that begins with an Escape, Escape itself, or one with Alt.
func (t *typist) escape(b []byte, final bool) int {
	if len(b) == 1 {
		if !final {
			return 0
		}
		t.press(display.Typed(0x1b))
		return 1
	}
	switch b[1] {
	case '[', 'O':
		n, whole := sequence(b)
		if !whole && !final {
			return 0
		}
		if whole {
			t.sequence(b[:n])
			return n
		}
	case 0x1b:
		t.press(display.Typed(0x1b))
		return 1
	}
	if !utf8.FullRune(b[1:]) && !final {
		return 0
	}
	r, n := utf8.DecodeRune(b[1:])
	t.press(with(1<<1, display.Typed(r)))
	return 1 + n
}

// sequence is the length of the control sequence at the front of b, if it is whole.
func sequence(b []byte) (n int, whole bool) {
	first := 2
	if len(b) > 2 && b[2] == '[' { // Linux's own function keys
		first = 3
	}
	for i := first; i < len(b); i++ {
		if b[i] >= 0x40 && b[i] <= 0x7e {
			return i + 1, true
		}
	}
	return 0, false
}

// sequence types the key of a control sequence: its parameters are a number, and 1
// plus the modifiers Shift, Alt and Ctrl as bits.
func (t *typist) sequence(s []byte) {
	if bytes.Equal(s, pasteBegins) {
		t.pasting = true
		return
	}
	last := s[len(s)-1]
	first, second, _ := bytes.Cut(s[2:len(s)-1], []byte(";"))
	number, _ := strconv.Atoi(string(first))
	modifiers, _ := strconv.Atoi(string(second))
	u, ok := byFinal[last]
	switch {
	case s[2] == '[' && len(s) == 4:
		u, ok = display.F1+uint16(last-'A'), last <= 'E'
	case last == '~':
		u, ok = byNumber[number]
	case last == 'Z': // Tab with Shift
		t.press(with(1, display.Typed('\t')))
		return
	}
	if ok {
		t.press(with(max(modifiers-1, 0), display.Chord(u)))
	}
}

// with are events with modifiers held: Shift, Alt and Ctrl from bit 0 on.
func with(modifiers int, events []display.Event) []display.Event {
	for i, u := range []uint16{display.LeftShift, display.LeftAlt, display.LeftControl} {
		if modifiers>>i&1 != 0 && len(events) > 0 {
			events = append(append([]display.Event{display.Key{Usage: u, Down: true}}, events...), display.Key{Usage: u})
		}
	}
	return events
}
