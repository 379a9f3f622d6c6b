package jit

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/interp"
	"github.com/gov86/gov86/cpu/isa"
)

// A Stepper is the interpreter one instruction at a time: it accepts interrupts
// where a translating engine that is Eager and Exact does, and so can be held to
// it, run by run.
type Stepper struct {
	*cpu.CPU
	interp *interp.Engine
	Ring   [64]uint32
	At     int
	// Open are the flags that the manual leaves undefined.
	Open uint32
}

var _ cpu.Engine = (*Stepper)(nil)

// NewStepper returns a Stepper for c.
func NewStepper(c *cpu.CPU) *Stepper { return &Stepper{CPU: c, interp: interp.New(c)} }

// Forget implements cpu.Engine.
func (s *Stepper) Forget(at, n uint32) { s.interp.Forget(at, n) }

// Run implements cpu.Engine.
func (s *Stepper) Run(budget uint64) (retired uint64, why cpu.Exit) {
	for {
		switch {
		case s.urgent() || s.Mode()&cpu.ModeStep != 0:
			n, why := s.interp.Run(1)
			if retired += n; why != cpu.Spent {
				return retired, why
			}
		case retired >= budget:
			return retired, cpu.Spent
		default:
			s.Ring[s.At%64] = s.EIP
			s.At++
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

// next is the instruction at CS:EIP.
func (s *Stepper) next() (isa.Inst, bool) {
	var code [isa.MaxLen]byte
	n := 0
	for l := cpu.Linear(s.Seg[isa.CS].Base + s.EIP); n < len(code); n++ {
		m := s.Look(l + cpu.Linear(n))
		if !m.Present {
			break
		}
		code[n] = uint8(s.Mem.Read(m.At(l+cpu.Linear(n)), 1))
	}
	in, err := isa.Decode(code[:n], s.Code())
	return in, err == nil
}

func (s *Stepper) urgent() bool {
	a := s.Attention()
	if a == cpu.AttendINTR && s.EFLAGS&cpu.FlagIF == 0 {
		a = 0
	}
	return a != 0 || s.Halted || s.Shutdown || s.Shadow
}
