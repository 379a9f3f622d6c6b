//go:build !(linux && amd64)

package jit

import (
	"fmt"
	"runtime"

	"github.com/gov86/gov86/cpu"
)

// An Engine does not exist here.
type Engine struct {
	cpu.Engine
	Stats Stats
}

// Eager does nothing.
func (*Engine) Eager() {}

// Exact does nothing.
func (*Engine) Exact() {}

// Windows says that there are none.
func (*Engine) Windows(WindowMode) error { return LacksWindows() }

// LacksWindows says why this host cannot have windows.
func LacksWindows() error { return fmt.Errorf("there is no translation") }

// OnExit does nothing.
func (*Engine) OnExit(Sampler) {}

// Close does nothing.
func (*Engine) Close() error { return nil }

// New says why this host cannot have a translating engine.
func New(*cpu.CPU) (*Engine, error) { return nil, Available() }

// Requirements are what translation needs, none of which is here.
func Requirements() []Requirement {
	return []Requirement{{"Linux on amd64", fmt.Errorf("there is no translation to %s on %s", runtime.GOARCH, runtime.GOOS)}}
}
