package machine

import (
	"fmt"
	"log/slog"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/interp"
	"github.com/gov86/gov86/jit"
)

// Engines are the names of the engines: the interpreter runs everywhere, the
// translator where the host can have it.
var Engines = []string{"interp", "jit"}

// newEngine returns the named engine for c. Without a name it is the translator
// or, where the host cannot have that, the interpreter; the log is told why.
func newEngine(cfg *Config, c *cpu.CPU, log *slog.Logger) (cpu.Engine, error) {
	if cfg.Engine == "interp" {
		return interp.New(c), nil
	}
	e, err := jit.New(c)
	switch {
	case err == nil:
		if cfg.Eager {
			e.Eager()
		}
		return e, nil
	case cfg.Engine == "":
		log.Info("no translation", "because", err)
		return interp.New(c), nil
	}
	return nil, fmt.Errorf("engine jit: %w; use the engine interp", err)
}
