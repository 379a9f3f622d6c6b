package jit

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/interp"
	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/mem"
)

// A Stepper is the interpreter one instruction at a time: it accepts interrupts
// where a translating engine that is Eager and Exact does, and so can be held to
// it, run by run.
type Stepper struct {
	*cpu.CPU
	interp *interp.Engine
	// recent are the addresses of the latest instructions, steps how many there
	// were.
	recent [recentSteps]cpu.Linear
	steps  uint64
	// Open are the flags that the manual leaves undefined.
	Open uint32
}

const recentSteps = 64

var _ cpu.Engine = (*Stepper)(nil)

// NewStepper returns a Stepper for c.
func NewStepper(c *cpu.CPU) *Stepper { return &Stepper{CPU: c, interp: interp.New(c)} }

// Forget implements cpu.Engine.
func (s *Stepper) Forget(at, n uint32) { s.interp.Forget(at, n) }

// Run implements cpu.Engine.
func (s *Stepper) Run(budget uint64) (retired uint64, why cpu.Exit) {
	for {
		switch {
		case retired >= budget:
			// Even if something is urgent: an engine that was kicked left it, and
			// another counts what it did then.
			return retired, cpu.Spent
		case s.urgent() || s.Mode()&cpu.ModeStep != 0:
			n, why := s.interp.Run(1)
			if retired += n; why != cpu.Spent {
				return retired, why
			}
		default:
			s.recent[s.steps%recentSteps] = cpu.Linear(s.Seg[isa.CS].Base + s.EIP)
			s.steps++
			before := s.Open
			if in, ok := s.next(); ok {
				_, written, undefined := in.Flags()
				if in.Op.Attr()&isa.MaybeFlags == 0 {
					s.Open &^= uint32(written)
				}
				s.Open |= uint32(undefined)
				if in.Op == isa.IRET || in.Op == isa.POPF || in.Op == isa.SAHF {
					s.Open |= cpu.FlagsStatus
				}
			}
			n, fault := s.interp.Step()
			if fault {
				s.Open |= before
			}
			retired += n
		}
	}
}

// Recent are the addresses of the latest instructions, the last one last.
func (s *Stepper) Recent() []cpu.Linear {
	n := min(s.steps, recentSteps)
	all := make([]cpu.Linear, 0, n)
	for i := s.steps - n; i < s.steps; i++ {
		all = append(all, s.recent[i%recentSteps])
	}
	return all
}

// next is the instruction at CS:EIP.
func (s *Stepper) next() (isa.Inst, bool) {
	var code [isa.MaxLen]byte
	l := cpu.Linear(s.Seg[isa.CS].Base + s.EIP)
	n := copy(code[:], s.page(l))
	if n < len(code) {
		n += copy(code[n:], s.page(l+cpu.Linear(n)))
	}
	in, err := isa.Decode(code[:n], s.Code())
	return in, err == nil
}

// page is what follows l in its page, nothing if that is not memory.
func (s *Stepper) page(l cpu.Linear) []byte {
	m := s.Look(l)
	if !m.Present {
		return nil
	}
	p := s.Mem.Page(m.At(l), false)
	if p == nil {
		return nil
	}
	return p[l%mem.PageSize:]
}

func (s *Stepper) urgent() bool {
	a := s.Attention()
	if a == cpu.AttendINTR && s.EFLAGS&cpu.FlagIF == 0 {
		a = 0
	}
	return a != 0 || s.Halted || s.Shutdown || s.Shadow
}
