// Package sdl shows a screen in a window, with keyboard, mouse and sound, by the
// SDL library. It is there with the build tag sdl and cgo; without them it says so.
package sdl

import "errors"

// errAbsent says how to get what is missing.
var errAbsent = errors.New("this gov86 was built without SDL; install libsdl2-dev and build it with make, " +
	"or with CGO_ENABLED=1 go build -tags sdl ./cmd/gov86")
