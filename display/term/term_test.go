package term

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gov86/gov86/display"
)

// A guest remembers what it is told.
type guest struct {
	mu   sync.Mutex
	sink chan display.Sink
	told []display.Event
	text string
}

func (g *guest) Input(events ...display.Event) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.told = append(g.told, events...)
}

func (g *guest) Type(_ context.Context, text string) { g.text += text }
func (g *guest) SetSound(display.Sound)              {}
func (g *guest) Absolute() bool                      { return false }
func (g *guest) Status() display.Status              { return display.Status{} }
func (g *guest) SetScreen(s display.Sink) {
	if g.sink != nil && s != nil {
		g.sink <- s
	}
}

// typed is what the guest is told of bytes that come one by one or, whole, at once.
func typed(s string, whole bool) *guest {
	g := &guest{}
	t := typist{ctx: context.Background(), guest: g, end: func(error) {}}
	var rest []byte
	if whole {
		rest = t.take([]byte(s), false)
	} else {
		for i := range len(s) {
			rest = t.take(append(rest, s[i]), false)
		}
	}
	t.take(rest, true)
	return g
}

func chord(usages ...uint16) []display.Event { return display.Chord(usages...) }

func TestKeysOfATerminal(t *testing.T) {
	const a, q1, tab, esc, enter = 0x04, 0x1e, 0x2b, 0x29, 0x28
	for _, c := range []struct {
		bytes string
		want  []display.Event
	}{
		{"a", chord(a)}, {"A", chord(display.LeftShift, a)}, {"!", chord(display.LeftShift, q1)},
		{"\r", chord(enter)}, {"\t", chord(tab)}, {"\x7f", chord(0x2a)}, {"\x03", chord(display.LeftControl, 0x06)},
		{"\x1b", chord(esc)}, {"\x1b\x1b", append(chord(esc), chord(esc)...)}, {"\x1ba", chord(display.LeftAlt, a)},
		{"\x1b[A", chord(display.Up)}, {"\x1bOB", chord(display.Down)}, {"\x1bOP", chord(display.F1)},
		{"\x1b[15~", chord(display.F1 + 4)}, {"\x1b[24~", chord(display.F1 + 11)}, {"\x1b[[B", chord(display.F1 + 1)},
		{"\x1b[3~", chord(display.Delete)}, {"\x1b[Z", chord(display.LeftShift, tab)},
		{"\x1b[1;5C", chord(display.LeftControl, display.Right)}, {"\x1b[5;3~", chord(display.LeftAlt, display.PageUp)},
		{"\x01a", chord(display.LeftControl, a)}, {"\x01\x01", chord(display.LeftControl, a)},
		{"\x01d", chord(display.LeftControl, display.LeftAlt, display.Delete)},
		{"é", nil}, {"\x1b[99~", nil}, {"\x1b[I", nil},
		{"a\x1b[Aa", append(append(chord(a), chord(display.Up)...), chord(a)...)},
	} {
		for _, whole := range []bool{false, true} {
			if got := typed(c.bytes, whole).told; !reflect.DeepEqual(got, c.want) {
				t.Errorf("%q, whole %t: %v, want %v", c.bytes, whole, got, c.want)
			}
		}
	}
}

func TestAPasteIsTyped(t *testing.T) {
	for _, whole := range []bool{false, true} {
		g := typed("a\x1b[200~dir\x1b[20\x01x\r\x1b[201~b", whole)
		if g.text != "dir\x1b[20\x01x\r" || len(g.told) != 4 {
			t.Errorf("whole %t: typed %q, and %v", whole, g.text, g.told)
		}
	}
}

// screen is a frame of text.
func screen(rows ...string) *display.Frame {
	f := &display.Frame{Width: 8, Height: 16}
	f.Text = display.Text{Columns: len(rows[0]), Rows: len(rows), Cursor: -1}
	for i, c := range vga {
		f.Text.Palette[i] = [3]uint8{uint8(c >> 16), uint8(c >> 8), uint8(c)}
	}
	for _, r := range rows {
		for i := range len(r) {
			f.Text.Cells = append(f.Text.Cells, display.Cell{Code: r[i], Ink: 7})
		}
	}
	return f
}

func TestTextIsPaintedInItsColoursAndThenOnlyWhatChanges(t *testing.T) {
	var p painter
	f := screen("abc", "d\xc9f")
	f.Text.Cells[1] = display.Cell{Code: 'b', Ink: 12, Paper: 1}
	f.Text.Cursor = 5
	const want = "\x1b[0m\x1b[2J\x1b[?25l\x1b[1;1H\x1b[37m\x1b[40ma\x1b[94m\x1b[41mb\x1b[37m\x1b[40mc\x1b[2;1Hd╔f\x1b[2;3H\x1b[?25h"
	if got := string(p.paint(f, 10, 20)); got != want {
		t.Errorf("painted %q, want %q", got, want)
	}
	if got := string(p.paint(f, 10, 20)); got != "" {
		t.Errorf("painted %q where nothing changed", got)
	}
	f.Text.Cells[3].Code = 'X'
	if got, want := string(p.paint(f, 10, 20)), "\x1b[2;1HX\x1b[2;3H\x1b[?25h"; got != want {
		t.Errorf("painted %q, want %q", got, want)
	}
	f.Text.Palette[7] = [3]uint8{1, 2, 3}
	if got := string(p.paint(f, 10, 20)); !strings.Contains(got, "\x1b[38;2;1;2;3m") {
		t.Errorf("a colour of the guest's own is painted %q", got)
	}
}

func TestASmallTerminalShowsTheCursorsRows(t *testing.T) {
	for _, c := range []struct {
		cursor int
		want   string
	}{{-1, "cd"}, {3, "cd"}, {0, "ab"}, {1, "bc"}} {
		f := screen("a", "b", "c", "d")
		f.Text.Cursor = c.cursor
		var p painter
		p.paint(f, 2, 1)
		if got := string([]rune{p.shown[0].r, p.shown[1].r}); got != c.want {
			t.Errorf("cursor in row %d: rows %q, want %q", c.cursor, got, c.want)
		}
	}
}

func TestGraphicsAreHalfBlocks(t *testing.T) {
	f := &display.Frame{ScaleX: 1, ScaleY: 1}
	f.Reshape(4, 4)
	for y := range 4 {
		for x := range 4 {
			copy(f.Row(y)[4*x:], []byte{uint8(100 * (y / 2)), uint8(50 * (x / 2)), 7, 255})
		}
	}
	var p painter
	got := string(p.paint(f, 1, 2))
	const want = "\x1b[1;1H\x1b[38;2;0;0;7m\x1b[48;2;100;0;7m▀\x1b[38;2;0;50;7m\x1b[48;2;100;50;7m▀"
	if !strings.HasSuffix(got, want) {
		t.Errorf("painted %q, want it to end %q", got, want)
	}
}

type written struct {
	mu   sync.Mutex
	b    bytes.Buffer
	news chan struct{}
}

func (w *written) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer func() { w.news <- struct{}{} }()
	return w.b.Write(p)
}

func TestShowPaintsFramesAndEndsWhenTheUserQuits(t *testing.T) {
	in, keys := io.Pipe()
	out := &written{news: make(chan struct{}, 100)}
	g := &guest{sink: make(chan display.Sink, 1)}
	f := New(in, out, func() (int, int) { return 25, 80 }, nil)
	done := make(chan error)
	go func() { done <- f.Show(context.Background(), g) }()
	sink := <-g.sink
	<-out.news
	sink.Present(screen("hello"))
	<-out.news
	out.mu.Lock()
	if s := out.b.String(); !strings.HasPrefix(s, Enter) || !strings.Contains(s, "hello") {
		t.Errorf("written %q", s)
	}
	out.mu.Unlock()
	fmt.Fprint(keys, "\x01x")
	select {
	case err := <-done:
		if err != display.ErrClosed {
			t.Errorf("ended by %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("Ctrl-A x does not end it")
	}
}
