//go:build sdl && cgo

package sdl

import (
	"context"
	"fmt"
	"time"

	"github.com/veandco/go-sdl2/sdl"

	"github.com/gov86/gov86/display"
)

// titleTime is how often the title tells the speed.
const titleTime = time.Second

// A window is a display.Face. All but Show runs on the first thread.
type window struct {
	title string
	guest display.Guest
	ctx   context.Context

	box      display.Mailbox
	frame    *display.Frame
	win      *sdl.Window
	renderer *sdl.Renderer
	texture  *sdl.Texture
	shown    uint64 // Seq of what the texture has
	width    int    // of the texture
	height   int
	scaleX   int
	scaleY   int
	aspect   bool // pictures are 4 to 3
	full     bool
	place    sdl.Rect // where the picture is in the window

	held    map[uint16]bool
	buttons display.Buttons
	grabbed bool

	titled  string
	retired uint64
	counted time.Time
	audio
}

// Show implements display.Face.
func (w *window) Show(ctx context.Context, g display.Guest) error {
	w.guest, w.ctx = g, ctx
	if err := onMain(w.open); err != nil {
		return err
	}
	g.SetScreen(&w.box)
	g.SetSound(&w.speaker)
	defer g.SetScreen(nil)
	defer g.SetSound(nil)
	ctx, end := context.WithCancel(ctx)
	defer end()
	go w.wake(ctx)
	return onMain(func() error {
		defer w.close()
		return w.loop(ctx)
	})
}

func (w *window) open() (err error) {
	if err := start(); err != nil {
		return err
	}
	sdl.SetHint(sdl.HINT_VIDEO_ALLOW_SCREENSAVER, "1")
	sdl.SetHint(sdl.HINT_RENDER_SCALE_QUALITY, "0")
	w.win, err = sdl.CreateWindow(w.title, sdl.WINDOWPOS_UNDEFINED, sdl.WINDOWPOS_UNDEFINED, 720, 400, sdl.WINDOW_RESIZABLE)
	if err != nil {
		return fmt.Errorf("SDL: %w", err)
	}
	if w.renderer, err = sdl.CreateRenderer(w.win, -1, 0); err != nil {
		return fmt.Errorf("SDL: %w", err)
	}
	sdl.StartTextInput()
	sdl.StopTextInput() // keys are keys
	w.openAudio()
	return nil
}

func (w *window) close() {
	w.closeAudio()
	if w.texture != nil {
		w.texture.Destroy()
	}
	w.renderer.Destroy()
	w.win.Destroy()
	sdl.Quit()
}

// wake wakes the loop for frames, for sound and for the end. SDL takes events from
// any thread.
func (w *window) wake(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
		case <-w.box.Ready():
		case <-w.speaker.Started():
		}
		sdl.PushEvent(&sdl.UserEvent{Type: sdl.USEREVENT})
		if ctx.Err() != nil {
			return
		}
	}
}

// loop follows the user and the guest until one of them ends.
func (w *window) loop(ctx context.Context) error {
	for ctx.Err() == nil {
		for e := sdl.WaitEventTimeout(w.patience()); e != nil; e = sdl.PollEvent() {
			if w.handle(e) {
				return display.ErrClosed
			}
		}
		w.sound()
		w.tellTitle()
		if f := w.box.Take(w.frame); f != nil {
			w.frame = f
			if err := w.draw(); err != nil {
				return fmt.Errorf("SDL: %w", err)
			}
		}
	}
	return nil
}

// patience is how long nothing may happen, in milliseconds.
func (w *window) patience() int {
	if w.playing {
		return int(chunkTime / time.Millisecond)
	}
	return int(titleTime / time.Millisecond)
}

// tellTitle has the title tell the state and the speed.
func (w *window) tellTitle() {
	since := time.Since(w.counted)
	if since < titleTime {
		return
	}
	s := w.guest.Status()
	mips := float64(s.Retired-w.retired) / 1e6 / since.Seconds()
	w.retired, w.counted = s.Retired, time.Now()
	title := fmt.Sprintf("%s - %.0f MIPS", w.title, mips)
	if s.Paused {
		title = w.title + " - paused"
	}
	if w.grabbed {
		title += " - Ctrl-Alt-G frees the mouse"
	}
	if title != w.titled {
		w.titled = title
		w.win.SetTitle(title)
	}
}

// draw shows the newest frame.
func (w *window) draw() error {
	f := w.frame
	if f == nil {
		return nil
	}
	if err := w.fit(f); err != nil {
		return err
	}
	for y := 0; y < f.Height; y++ {
		first := y
		for y < f.Height && f.Changed[y] > w.shown {
			y++
		}
		if y == first {
			continue
		}
		pix, pitch, err := w.texture.Lock(&sdl.Rect{Y: int32(first), W: int32(f.Width), H: int32(y - first)})
		if err != nil {
			return err
		}
		for row := first; row < y; row++ {
			copy(pix[(row-first)*pitch:], f.Row(row))
		}
		w.texture.Unlock()
	}
	w.shown = f.Seq
	w.renderer.SetDrawColor(0, 0, 0, 255)
	w.renderer.Clear()
	if err := w.renderer.Copy(w.texture, nil, &w.place); err != nil {
		return err
	}
	w.renderer.Present()
	return nil
}

// fit makes the texture and the window fit a frame of another size.
func (w *window) fit(f *display.Frame) (err error) {
	scaleX, scaleY := max(f.ScaleX, 1), max(f.ScaleY, 1)
	if w.texture != nil && f.Width == w.width && f.Height == w.height && scaleX == w.scaleX && scaleY == w.scaleY {
		return nil
	}
	if w.texture != nil {
		w.texture.Destroy()
	}
	w.width, w.height, w.scaleX, w.scaleY, w.shown = f.Width, f.Height, scaleX, scaleY, 0
	w.texture, err = w.renderer.CreateTexture(uint32(sdl.PIXELFORMAT_ABGR8888), sdl.TEXTUREACCESS_STREAMING,
		int32(f.Width), int32(f.Height))
	if err != nil {
		return err
	}
	if !w.full {
		w.win.SetSize(w.natural())
	}
	w.arrange()
	return nil
}

// natural is the size of the picture in dots.
func (w *window) natural() (width, height int32) {
	width, height = int32(w.width*w.scaleX), int32(w.height*w.scaleY)
	if w.aspect {
		height = width * 3 / 4
	}
	return width, height
}

// arrange places the picture in the window: as many times its size as there is
// room for, or smaller.
func (w *window) arrange() {
	if w.texture == nil {
		return
	}
	haveX, haveY, err := w.renderer.GetOutputSize()
	if err != nil {
		return
	}
	x, y := w.natural()
	if n := min(haveX/x, haveY/y); n >= 1 {
		x, y = n*x, n*y
	} else if haveX*y < haveY*x {
		x, y = haveX, haveX*y/x
	} else {
		x, y = haveY*x/y, haveY
	}
	w.place = sdl.Rect{X: (haveX - x) / 2, Y: (haveY - y) / 2, W: max(x, 1), H: max(y, 1)}
}
