//go:build !sdl || !cgo

package sdl

import "github.com/gov86/gov86/display"

// Main runs fn, the program.
func Main(fn func() int) int { return fn() }

// Available says why there can be no window.
func Available() error { return errAbsent }

// New returns a window for a guest's screen.
func New(string) (display.Face, error) { return nil, errAbsent }
