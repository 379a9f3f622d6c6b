//go:build !(linux && amd64)

package jit

import (
	"fmt"
	"runtime"

	"github.com/gov86/gov86/cpu"
)

// An Engine does not exist here.
type Engine struct{ cpu.Engine }

// Eager does nothing.
func (*Engine) Eager() {}

// New says why this host cannot have a translating engine.
func New(*cpu.CPU) (*Engine, error) {
	return nil, fmt.Errorf("there is no translation to %s on %s", runtime.GOARCH, runtime.GOOS)
}
