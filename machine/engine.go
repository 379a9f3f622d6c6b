package machine

import (
	"fmt"

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
	if cfg.Eager || cfg.Engine == Lockstep {
		e.Eager()
	}
	if cfg.Engine == Lockstep {
		e.Exact()
	}
	return e, nil
}
