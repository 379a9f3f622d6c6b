package system

import (
	"errors"
	"fmt"

	"github.com/gov86/gov86/cpu"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/mem"
)

// patience is how many instructions a case may take.
const patience = 2000

// An Emulated runs cases in an engine.
type Emulated struct {
	*cpu.CPU
	m      *mem.Space
	engine cpu.Engine
	// outside is what lies behind the memory.
	outside *void
}

// pins are the processor's connections to a board there is none of.
type pins struct{}

func (pins) In(uint16, portio.Width) uint32   { return 0 }
func (pins) Out(uint16, portio.Width, uint32) {}
func (pins) Acknowledge() uint8               { return 0 }
func (pins) Cycles() uint64                   { return 0 }
func (pins) RelocateAPIC(uint64)              {}

// void is where there is no memory.
type void struct{ touched bool }

func (*void) Widths() (smallest, largest int) { return 1, 4 }

func (v *void) Read(uint32, int) uint32 {
	v.touched = true
	return 0
}

func (v *void) Write(uint32, int, uint32) { v.touched = true }

// NewEmulated returns a processor whose engine is what engine makes.
func NewEmulated(engine func(*cpu.CPU) cpu.Engine) (*Emulated, error) {
	const least, all = 1 << 20, 1 << 32 // what a Space has at least, and may have
	m, err := mem.New(least)
	if err != nil {
		return nil, err
	}
	outside := &void{}
	if err := m.MapMMIO(Size, all-Size, outside); err != nil {
		return nil, err
	}
	model, err := cpu.ModelByName(cpu.DefaultModel)
	if err != nil {
		return nil, err
	}
	c, err := cpu.New(m, pins{}, model)
	if err != nil {
		return nil, err
	}
	e := &Emulated{CPU: c, m: m, engine: engine(c), outside: outside}
	m.OnCodeWrite(func(a mem.Addr, n int) { e.engine.Forget(uint32(a), uint32(n)) })
	return e, nil
}

// Close returns the memory.
func (e *Emulated) Close() error { return errors.Join(e.CPU.Close(), e.m.Close()) }

// Run runs a case.
func (e *Emulated) Run(c *Case) (*Result, error) {
	*e.State = c.State
	e.TLB.Flush()
	e.outside.touched = false
	if err := e.m.WriteAt(c.Memory, 0); err != nil {
		return nil, err
	}
	r := &Result{Memory: make([]byte, Size)}
	switch _, why := e.engine.Run(patience); why {
	case cpu.Halted, cpu.Shutdown:
	case cpu.Spent:
		r.Lost = "it does not end"
	default:
		return nil, fmt.Errorf("the engine ends with %v at %#x", why, e.EIP)
	}
	if e.outside.touched {
		r.Lost = "it touches what is no memory"
	}
	r.State = *e.State
	for i := range r.GPR {
		if r.GPR[i]>>32 != 0 || i >= 8 && r.GPR[i] != 0 {
			return nil, fmt.Errorf("% x left %#x in general register %d", c.Code, r.GPR[i], i)
		}
	}
	return r, e.m.ReadAt(r.Memory, 0)
}
