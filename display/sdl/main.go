//go:build sdl && cgo

package sdl

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"

	"github.com/veandco/go-sdl2/sdl"

	"github.com/gov86/gov86/display"
)

// Windows belong to the process's first thread.
func init() { runtime.LockOSThread() }

var (
	calls   = make(chan func())
	serving atomic.Bool
)

// Main runs fn, the program, and meanwhile what belongs to the first thread, which
// is the caller's.
func Main(fn func() int) int {
	serving.Store(true)
	done := make(chan int, 1)
	go func() { done <- fn() }()
	for {
		select {
		case call := <-calls:
			call()
		case status := <-done:
			return status
		}
	}
}

// onMain runs fn on the first thread and waits for it.
func onMain(fn func() error) error {
	if !serving.Load() {
		return errors.New("the program's first thread does not serve windows")
	}
	done := make(chan error, 1)
	calls <- func() { done <- fn() }
	return <-done
}

// Available says why there can be no window.
func Available() error {
	return onMain(func() error {
		if err := start(); err != nil {
			return err
		}
		sdl.Quit()
		return nil
	})
}

// start starts SDL's video. Its drivers without a window are for who asks for them.
func start() error {
	if err := sdl.InitSubSystem(sdl.INIT_VIDEO); err != nil {
		return fmt.Errorf("SDL: %w", err)
	}
	name, err := sdl.GetCurrentVideoDriver()
	if os.Getenv("SDL_VIDEODRIVER") == "" && (name == "offscreen" || name == "dummy" || name == "evdev") {
		sdl.Quit()
		return errors.New("there is no window system here")
	}
	return err
}

// New returns a window for a guest's screen, which opens when it is shown.
func New(title string) (display.Face, error) {
	if err := Available(); err != nil {
		return nil, err
	}
	return &window{title: title, held: map[uint16]bool{}}, nil
}
