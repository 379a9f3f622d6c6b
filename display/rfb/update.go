package rfb

import (
	"bytes"
	"context"
	"encoding/binary"
	"time"

	"github.com/gov86/gov86/display"
)

// Pseudo-encodings, which say what a client understands.
const (
	pseudoDesktopSize = -223
	pseudoQEMUKeys    = -258
)

// patience is how long a client may take to read an update.
const patience = 30 * time.Second

// A rect is a part of the screen.
type rect struct{ x, y, width, height int }

// write sends updates as the client asks for them and there is something new
// (RFC 6143, "FramebufferUpdate").
func (c *client) write(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.kick:
		}
		if !c.update() {
			continue
		}
		c.conn.SetWriteDeadline(time.Now().Add(patience))
		if _, err := c.conn.Write(c.out); err != nil {
			return
		}
	}
}

// update encodes what the client waits for into out. It reports whether there is
// something to send.
func (c *client) update() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.wanted {
		return false
	}
	c.server.frames.RLock()
	defer c.server.frames.RUnlock()
	f := c.server.frame
	if f == nil {
		return false
	}
	c.out = append(c.out[:0], 0, 0, 0, 0) // FramebufferUpdate, and how many follow
	n := 0
	if c.encodings[pseudoQEMUKeys] && !c.extended {
		c.extended = true
		c.head(rect{}, pseudoQEMUKeys)
		n++
	}
	if (f.Width != c.width || f.Height != c.height) && c.encodings[pseudoDesktopSize] {
		c.width, c.height = f.Width, f.Height
		c.head(rect{0, 0, f.Width, f.Height}, pseudoDesktopSize)
		n++
	}
	for _, r := range c.changes(f) {
		c.encode(f, r)
		n++
	}
	if n == 0 {
		return false
	}
	c.wanted, c.whole = false, false
	binary.BigEndian.PutUint16(c.out[2:], uint16(n))
	return true
}

// head begins a rectangle.
func (c *client) head(r rect, encoding int32) {
	for _, v := range []int{r.x, r.y, r.width, r.height} {
		c.out = binary.BigEndian.AppendUint16(c.out, uint16(v))
	}
	c.out = binary.BigEndian.AppendUint32(c.out, uint32(encoding))
}

// changes are the parts of f that the client lacks, and remembers that it has
// them. A client that can't follow the size sees what it has room for.
func (c *client) changes(f *display.Frame) (list []rect) {
	width, height := min(f.Width, c.width), min(f.Height, c.height)
	all := c.whole || c.shown == nil || c.shown.Width != f.Width || c.shown.Height != f.Height
	if all {
		c.shown = &display.Frame{}
		c.shown.Reshape(f.Width, f.Height)
		copy(c.shown.Pix, f.Pix)
		c.shown.Seq = f.Seq
		return []rect{{0, 0, width, height}}
	}
	for y := 0; y < height; {
		band := rect{x: width, y: y}
		end := 0
		for ; y < height && f.Changed[y] > c.shown.Seq; y++ {
			from, to := differ(c.shown.Row(y)[:4*width], f.Row(y)[:4*width])
			if from < to {
				copy(c.shown.Row(y)[4*from:4*to], f.Row(y)[4*from:4*to])
				band.x, end = min(band.x, from), max(end, to)
				band.height = y + 1 - band.y
			}
		}
		if band.height > 0 {
			band.width = end - band.x
			list = append(list, band)
		}
		if y == band.y {
			y++
		}
	}
	c.shown.Seq = f.Seq
	return list
}

// differ is which pixels of two rows differ, from is to if none.
func differ(a, b []byte) (from, to int) {
	if bytes.Equal(a, b) {
		return 0, 0
	}
	to = len(a)
	for from+64 <= to && bytes.Equal(a[from:from+64], b[from:from+64]) {
		from += 64
	}
	for to-64 >= from && bytes.Equal(a[to-64:to], b[to-64:to]) {
		to -= 64
	}
	for a[from] == b[from] {
		from++
	}
	for a[to-1] == b[to-1] {
		to--
	}
	return from / 4, (to + 3) / 4
}
