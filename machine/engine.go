package machine

import (
	"fmt"
	"slices"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/interp"
	"github.com/gov86/gov86/jit"
)

// Names of engines.
const (
	interpEngine = "interp"
	jitEngine    = "jit"
	// Lockstep is two machines: the one translated, the other interpreted.
	Lockstep = "lockstep"
	// stepperEngine is that of the second machine of lockstep, and no choice.
	stepperEngine = "stepper"
)

// Engines are the names of the engines: the interpreter runs everywhere, the
// translator where the host can have it. Lockstep is the translator, held to the
// interpreter at every step.
var Engines = []string{interpEngine, jitEngine, Lockstep}

// Windows are what Config.Windows can be: none, one for an address space that lives,
// and, for tests, one for each at once.
var Windows = []string{"off", "auto", "always"}

// windowMode is what a name among Windows stands for.
func windowMode(name string) jit.WindowMode {
	if name == "" {
		return jit.WindowsAuto
	}
	return jit.WindowMode(slices.Index(Windows, name))
}

// LacksWindows says why this host cannot have windows, or nothing.
func LacksWindows() error { return jit.LacksWindows() }

// DefaultEngine is the engine that a Config without one gets on this host, and
// why it is not the translator if it is not.
func DefaultEngine() (name string, because error) {
	if err := jit.Available(); err != nil {
		return interpEngine, err
	}
	return jitEngine, nil
}

// newEngine returns the engine for c that cfg names. Without a name it is the
// translator or, where the host cannot have that, the interpreter: nobody who
// did not ask for an engine is to be told that there is a faster one.
func newEngine(cfg *Config, c *cpu.CPU) (cpu.Engine, error) {
	switch cfg.Engine {
	case interpEngine:
		return interp.New(c), nil
	case stepperEngine:
		return jit.NewStepper(c), nil
	}
	e, err := jit.New(c)
	switch {
	case err == nil:
	case cfg.Engine == "":
		return interp.New(c), nil
	default:
		return nil, fmt.Errorf("engine %s: %w; use the engine %s", cfg.Engine, err, interpEngine)
	}
	// Where there can be none it is slower, and else the same.
	if err := e.Windows(windowMode(cfg.Windows)); err != nil && cfg.Windows == Windows[jit.WindowsAlways] {
		return nil, fmt.Errorf("windows: %w", err)
	}
	if cfg.Eager || cfg.Engine == Lockstep {
		e.Eager()
	}
	if cfg.Engine == Lockstep {
		e.Exact()
	}
	return e, nil
}
