package cpu

import (
	"errors"
	"sync/atomic"

	"github.com/gov86/gov86/cpu/isa"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/mem"
)

// Pins is the processor's outside.
type Pins interface {
	In(port uint16, w portio.Width) uint32
	Out(port uint16, w portio.Width, v uint32)
	// Acknowledge is the INTA cycle.
	Acknowledge() (vector uint8)
	// Cycles is the count behind the time-stamp counter. It never decreases.
	Cycles() uint64
	// RelocateAPIC follows a write to IA32_APIC_BASE.
	RelocateAPIC(base uint64)
}

// An Engine retires instructions on one CPU.
type Engine interface {
	// Run retires about budget instructions, at most a block more. It returns
	// at a block boundary soon after Kick, and at once when the CPU halts or
	// shuts down. It never allocates once warm.
	Run(budget uint64) (retired uint64, why Exit)
	// Forget drops what was derived from the physical pages holding [at, at+n).
	Forget(at, n uint32)
}

// An Exit is why Run returned.
type Exit uint8

// The reasons for leaving Run.
const (
	Spent    Exit = iota // the budget is used up
	Kicked               // the machine wants to speak
	Halted               // HLT, and no interrupt is pending
	Shutdown             // triple fault
	Stopped              // a breakpoint or watchpoint of Monitor
)

// A CPU is one processor: its state, its TLB, and its place in a machine.
// Except for Kick, all methods run on the machine goroutine.
type CPU struct {
	*State
	Mem   *mem.Space
	Pins  Pins
	Model *Model
	// ErrorPins may be nil: then nobody hears of x87 errors while CR0.NE is
	// clear, and the processor waits.
	ErrorPins ErrorPins
	TLB       TLB
	Monitor   Monitor

	// Start is the EIP of the instruction being executed, EIP that of the next.
	Start uint32

	// dataHits are the breakpoints the current instruction has met, as in DR6.
	dataHits uint32
	// unstepped is set when the current instruction entered an interrupt handler.
	unstepped bool
	// faultAddress is what CR2 becomes when the page fault just returned is
	// delivered.
	faultAddress Linear
	attention    atomic.Uint32
	// reserved is the memory outside the Go heap.
	reserved [][]byte

	// Last remembers the latest events for a post-mortem. It is large, and
	// comes after what an engine looks at all the time.
	Last History
}

// What asks for attention at the next block boundary.
const (
	AttendINTR uint32 = 1 << iota // the INTR pin is high
	AttendNMI                     // an NMI was latched
	AttendKick                    // the machine wants to speak
	AttendStop                    // Monitor has a hit
)

// New returns a processor after RESET.
func New(m *mem.Space, pins Pins, model *Model) (*CPU, error) {
	c := &CPU{Mem: m, Pins: pins, Model: model}
	if err := c.allocateState(); err != nil {
		return nil, err
	}
	tables, err := c.TLB.allocate()
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	c.reserved = append(c.reserved, tables)
	m.OnRemap(c.TLB.Remap)
	m.OnMove(c.TLB.Drop)
	m.OnProtect(c.TLB.ProtectFrames)
	c.Reset()
	return c, nil
}

// Close returns the memory of the state and of the TLB, which are gone then.
func (c *CPU) Close() error {
	var errs []error
	for _, b := range c.reserved {
		errs = append(errs, release(b))
	}
	c.State, c.TLB, c.reserved = nil, TLB{}, nil
	return errors.Join(errs...)
}

// Attention is the set of Attend bits that are up.
func (c *CPU) Attention() uint32 { return c.attention.Load() }

// SetINTR drives the INTR pin.
func (c *CPU) SetINTR(asserted bool) {
	if asserted {
		c.attention.Or(AttendINTR)
	} else {
		c.attention.And(^AttendINTR)
	}
}

// RaiseNMI latches a non-maskable interrupt.
func (c *CPU) RaiseNMI() { c.attention.Or(AttendNMI) }

// Kick makes the engine return soon. Any goroutine may call it.
func (c *CPU) Kick() { c.attention.Or(AttendKick) }

// TakeKick clears the kick and reports whether there was one.
func (c *CPU) TakeKick() bool { return c.attention.And(^AttendKick)&AttendKick != 0 }

// Interruptible reports whether INTR would be accepted now
// (Intel SDM Vol. 3A, "Masking Maskable Hardware Interrupts").
func (c *CPU) Interruptible() bool { return c.EFLAGS&FlagIF != 0 && !c.Shadow }

// Wakes reports whether a halted processor has a reason to go on.
func (c *CPU) Wakes() bool {
	a := c.Attention()
	return a&AttendNMI != 0 && !c.NMIBlocked || a&AttendINTR != 0 && c.EFLAGS&FlagIF != 0
}

// A Mode is what, beside its bytes, decides what a decoded block means. Blocks
// are kept by physical address and Mode.
type Mode uint16

// The bits of Mode. A segment is flat when it is usable, readable, writable
// unless it is CS, expands up and ends at 4 GiB: then an access needs only the
// base. Bit ModeFlatES<<s belongs to segment register s.
const (
	ModeCode32 Mode = 1 << iota
	ModeStack32
	ModeProtected // CR0.PE and not EFLAGS.VM
	ModeV86
	ModeUser    // CPL 3
	ModeStep    // EFLAGS.TF, an enabled breakpoint or Monitor: one instruction at a time
	ModeNoFPU   // CR0.EM or CR0.TS: x87 traps
	ModeAligned // alignment is checked
	ModeFlatES
	ModeFlatCS
	ModeFlatSS
	ModeFlatDS
	ModeFlatFS
	ModeFlatGS
)

// Mode computes the current mode.
func (c *CPU) Mode() Mode {
	var m Mode
	s := c.State
	if s.Seg[isa.CS].Access&AccessDB != 0 {
		m |= ModeCode32
	}
	if s.Seg[isa.SS].Access&AccessDB != 0 {
		m |= ModeStack32
	}
	if s.EFLAGS&FlagVM != 0 {
		m |= ModeV86
	} else if s.CR0&CR0PE != 0 {
		m |= ModeProtected
	}
	if s.CPL == 3 {
		m |= ModeUser
	}
	if c.checksAlignment() {
		m |= ModeAligned
	}
	if s.EFLAGS&FlagTF != 0 || s.DR[7]&dr7Enable != 0 || c.Monitor.slow() {
		m |= ModeStep
	}
	if s.CR0&(CR0EM|CR0TS) != 0 {
		m |= ModeNoFPU
	}
	for i := range s.Seg {
		if s.Seg[i].flat(isa.Seg(i)) {
			m |= ModeFlatES << i
		}
	}
	return m
}

// checksAlignment reports whether data accesses are to be aligned (Intel SDM
// Vol. 3A, "Alignment Check Exception").
func (c *CPU) checksAlignment() bool {
	return c.CPL == 3 && c.CR0&CR0AM != 0 && c.EFLAGS&FlagAC != 0
}

// flat reports whether an access through g needs no check; see Mode.
func (g *Segment) flat(s isa.Seg) bool {
	if !g.Usable || g.Limit != 0xffffffff || g.Access&(AccessP|AccessS) != AccessP|AccessS {
		return false
	}
	if s == isa.CS {
		return g.Access&(AccessCode|AccessRW) == AccessCode|AccessRW
	}
	return g.Access&(AccessCode|AccessDC|AccessRW) == AccessRW
}
