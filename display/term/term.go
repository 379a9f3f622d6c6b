// Package term shows a screen in a terminal: text modes as text, in their colours
// and with their cursor, and graphics in half blocks, two pixels a character
// (ECMA-48; XTerm Control Sequences).
package term

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/gov86/gov86/display"
)

// Enter and Leave are written before and after a screen is shown: the alternate
// screen, no wrapping at the margin, pastes in brackets; and all that undone.
// Leave is for who restores the terminal, as it has to be written however the
// program ends.
const (
	Enter = "\x1b[?1049h\x1b[?7l\x1b[?2004h\x1b[2J"
	Leave = "\x1b[?2004l\x1b[?7h\x1b[0m\x1b[?25h\x1b[?1049l"
)

// frameTime is the shortest time between two pictures. Terminals are not seen
// faster.
const frameTime = time.Second / 60

// A Face shows the screen in a terminal that is in raw mode.
type Face struct {
	in  io.Reader
	out io.Writer
	// size is that of the terminal.
	size func() (rows, columns int)
	// resized has a value when it may have changed.
	resized <-chan struct{}
}

// New returns a front end for a terminal.
func New(in io.Reader, out io.Writer, size func() (rows, columns int), resized <-chan struct{}) *Face {
	return &Face{in: in, out: out, size: size, resized: resized}
}

// Show implements display.Face. What is typed when it has ended is lost.
func (f *Face) Show(ctx context.Context, g display.Guest) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	var box display.Mailbox
	g.SetScreen(&box)
	defer g.SetScreen(nil)
	keys := make(chan []byte)
	go f.read(ctx, keys)
	go typeKeys(ctx, g, keys, end)
	if _, err := io.WriteString(f.out, Enter); err != nil {
		return err
	}
	var p painter
	var frame *display.Frame
	for {
		select {
		case <-ctx.Done():
			if err := context.Cause(ctx); errors.Is(err, display.ErrClosed) {
				return err
			}
			return nil
		case <-f.resized:
			p = painter{}
		case <-box.Ready():
		}
		if next := box.Take(frame); next != nil {
			frame = next
		} else if frame == nil {
			continue
		}
		rows, columns := f.size()
		if b := p.paint(frame, rows, columns); len(b) > 0 {
			if _, err := f.out.Write(b); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(frameTime):
		}
	}
}

// read reads what is typed. Its end is no end of the guest's.
func (f *Face) read(ctx context.Context, keys chan<- []byte) {
	buf := make([]byte, 4096)
	for {
		n, err := f.in.Read(buf)
		if n > 0 {
			select {
			case keys <- append([]byte(nil), buf[:n]...):
			case <-ctx.Done():
				return
			}
		}
		if err != nil {
			return
		}
	}
}
