//go:build sdl && cgo

package sdl

import (
	"fmt"
	"os"
	"time"

	"github.com/veandco/go-sdl2/sdl"

	"github.com/gov86/gov86/display"
)

// handle does what an event asks for. It reports whether the user closed the window.
func (w *window) handle(e sdl.Event) (closed bool) {
	switch e := e.(type) {
	case *sdl.QuitEvent:
		return true
	case *sdl.WindowEvent:
		w.changed(e.Event)
	case *sdl.KeyboardEvent:
		w.key(e)
	case *sdl.MouseMotionEvent:
		w.moved(e)
	case *sdl.MouseButtonEvent:
		w.button(e)
	case *sdl.MouseWheelEvent:
		up, right := e.Y, e.X
		if e.Direction == sdl.MOUSEWHEEL_FLIPPED {
			up, right = -up, -right
		}
		w.guest.Input(display.Wheel{Up: int(up), Right: int(right)})
	}
	return false
}

func (w *window) changed(what uint8) {
	switch what {
	case sdl.WINDOWEVENT_SIZE_CHANGED, sdl.WINDOWEVENT_EXPOSED:
		w.arrange()
		w.draw()
	case sdl.WINDOWEVENT_FOCUS_LOST: // where the keys will be let go is not told here
		w.release()
		w.grab(false)
	}
}

// release lets go what is held.
func (w *window) release() {
	var events []display.Event
	for u := range w.held {
		events = append(events, display.Key{Usage: u})
	}
	clear(w.held)
	if w.buttons != 0 {
		w.buttons = 0
		events = append(events, w.buttons)
	}
	w.guest.Input(events...)
}

// key is a key: one of gov86's with Ctrl and Alt, or the guest's. SDL numbers keys
// as the USB HID Usage Tables do.
func (w *window) key(e *sdl.KeyboardEvent) {
	u, down := uint16(e.Keysym.Scancode), e.State == sdl.PRESSED
	if e.Repeat != 0 || down == w.held[u] {
		return
	}
	if down && w.held[display.LeftControl] && w.held[display.LeftAlt] {
		if do, ok := w.own()[e.Keysym.Scancode]; ok {
			w.release()
			do()
			return
		}
	}
	if down {
		w.held[u] = true
	} else {
		delete(w.held, u)
	}
	w.guest.Input(display.Key{Usage: u, Down: down})
}

// own are the keys that do something with Ctrl and Alt.
func (w *window) own() map[sdl.Scancode]func() {
	return map[sdl.Scancode]func(){
		sdl.SCANCODE_G: func() { w.grab(!w.grabbed) },
		sdl.SCANCODE_F: w.fullScreen,
		sdl.SCANCODE_A: func() {
			w.aspect = !w.aspect
			w.arrange()
			w.draw()
		},
		sdl.SCANCODE_V: func() {
			if text, err := sdl.GetClipboardText(); err == nil {
				go w.guest.Type(w.ctx, text)
			}
		},
		sdl.SCANCODE_S: w.save,
	}
}

func (w *window) fullScreen() {
	w.full = !w.full
	flags := uint32(0)
	if w.full {
		flags = sdl.WINDOW_FULLSCREEN_DESKTOP
	}
	w.win.SetFullscreen(flags)
	w.arrange()
	w.draw()
}

// save writes the picture to a file named for the time.
func (w *window) save() {
	if w.frame == nil {
		return
	}
	name := time.Now().Format("gov86-20060102-150405.png")
	f, err := os.Create(name)
	if err == nil {
		err = w.frame.WritePNG(f)
		f.Close()
	}
	w.titled = w.title + " - saved " + name
	if err != nil {
		w.titled = fmt.Sprintf("%s - %v", w.title, err)
	}
	w.win.SetTitle(w.titled)
	w.counted = time.Now()
}

// grab has the mouse be the guest's alone, or not.
func (w *window) grab(on bool) {
	if on == w.grabbed {
		return
	}
	w.grabbed = on
	sdl.SetRelativeMouseMode(on)
	w.win.SetKeyboardGrab(on)
	w.counted = time.Time{}
}

func (w *window) moved(e *sdl.MouseMotionEvent) {
	if w.grabbed {
		w.guest.Input(display.Motion{DX: int(e.XRel), DY: int(e.YRel)})
		return
	}
	at := func(v, from, of int32) uint16 {
		v = min(max(v-from, 0), of-1)
		return uint16((2*int(v) + 1) * (display.PositionMax + 1) / (2 * int(of)))
	}
	if w.guest.Absolute() {
		sdl.ShowCursor(sdl.DISABLE)
	} else {
		sdl.ShowCursor(sdl.ENABLE)
	}
	if w.place.W > 0 {
		w.guest.Input(display.Position{X: at(e.X, w.place.X, w.place.W), Y: at(e.Y, w.place.Y, w.place.H)})
	}
}

var buttons = map[uint8]display.Buttons{
	sdl.BUTTON_LEFT: display.LeftButton, sdl.BUTTON_RIGHT: display.RightButton, sdl.BUTTON_MIDDLE: display.MiddleButton,
	sdl.BUTTON_X1: display.FourthButton, sdl.BUTTON_X2: display.FifthButton,
}

// button is a button of the mouse. A guest that is not told where the pointer is
// gets the mouse at the first click.
func (w *window) button(e *sdl.MouseButtonEvent) {
	b := buttons[e.Button]
	if e.State == sdl.PRESSED && !w.grabbed && !w.guest.Absolute() {
		w.grab(true)
		return
	}
	if e.State == sdl.PRESSED {
		w.buttons |= b
	} else {
		w.buttons &^= b
	}
	w.guest.Input(w.buttons)
}
