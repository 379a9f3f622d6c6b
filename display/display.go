// Package display is what lies between a screen and who shows it: frames go
// out, events come in.
//
// A chip draws on the machine goroutine and hands frames to a Sink; whoever
// shows them (a window, a terminal, a file) does so elsewhere, and hands Events
// to the machine by posting them.
package display

import (
	"image"
	"image/png"
	"io"
	"slices"
	"sync"
)

// A Frame is one picture of a screen.
type Frame struct {
	// Width and Height are in pixels, at least 1 each.
	Width, Height int
	// Pix has four bytes a pixel: red, green, blue and 255; rows follow one
	// another without gaps.
	Pix []byte
	// ScaleX and ScaleY are how many of the monitor's dots and lines a pixel
	// covers: 2 and 2 in mode 13h, whose 320 x 200 pixels fill 640 x 400.
	ScaleX, ScaleY int
	// Seq numbers the frames of a screen from 1 on, without gaps.
	Seq uint64
	// Changed holds, by row, the Seq of the frame in which the row last changed.
	// Who has shown frame n needs the rows whose value is above n, and all of
	// them when the size is not what it was.
	Changed []uint64
	// Text is what characters the picture is made of, in a text mode.
	Text Text
}

// Reshape gives f a size. Where it changes, what f showed is gone: Seq is 0 then.
func (f *Frame) Reshape(width, height int) {
	if f.Width == width && f.Height == height {
		return
	}
	f.Width, f.Height, f.Seq = width, height, 0
	f.Pix = slices.Grow(f.Pix[:0], 4*width*height)[:4*width*height]
	f.Changed = slices.Grow(f.Changed[:0], height)[:height]
}

// Row is the bytes of row y.
func (f *Frame) Row(y int) []byte { return f.Pix[4*f.Width*y:][: 4*f.Width : 4*f.Width] }

// Image is f as an image, which shares its pixels.
func (f *Frame) Image() *image.RGBA {
	return &image.RGBA{Pix: f.Pix, Stride: 4 * f.Width, Rect: image.Rect(0, 0, f.Width, f.Height)}
}

// WritePNG writes f as a PNG file.
func (f *Frame) WritePNG(w io.Writer) error {
	e := png.Encoder{CompressionLevel: png.BestCompression}
	return e.Encode(w, f.Image())
}

// A Sink shows frames. Present is called on the machine goroutine and does not
// block: it keeps the newest frame and returns one that is free to draw into, or
// nil if it has none. A frame that comes back unchanged in size and Seq is only
// brought up to date, which is why a sink does not draw into frames.
type Sink interface{ Present(f *Frame) (spare *Frame) }

// A Mailbox is a Sink that keeps the newest frame for a reader on another
// goroutine. Its zero value is empty.
type Mailbox struct {
	mu     sync.Mutex
	newest *Frame
	spare  *Frame
	signal chan struct{}
}

// Present implements Sink. A frame that nobody took is given back.
func (b *Mailbox) Present(f *Frame) *Frame {
	b.mu.Lock()
	defer b.mu.Unlock()
	spare := b.spare
	b.spare = nil
	if b.newest != nil {
		spare = b.newest
	}
	b.newest = f
	select {
	case b.notify() <- struct{}{}:
	default:
	}
	return spare
}

// notify is the channel of Ready; the lock is held.
func (b *Mailbox) notify() chan struct{} {
	if b.signal == nil {
		b.signal = make(chan struct{}, 1)
	}
	return b.signal
}

// Ready has a value when there is a frame to take.
func (b *Mailbox) Ready() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.notify()
}

// Return gives back a frame taken before that is not needed any more.
func (b *Mailbox) Return(done *Frame) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.spare = done
}

// Take returns the newest frame, if there is one that was not taken yet. done,
// which may be nil, is a frame taken before that is not needed any more.
func (b *Mailbox) Take(done *Frame) *Frame {
	b.mu.Lock()
	defer b.mu.Unlock()
	if done != nil {
		b.spare = done
	}
	f := b.newest
	b.newest = nil
	return f
}
