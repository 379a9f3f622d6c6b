package jit

import "github.com/gov86/gov86/cpu/isa"

// A Reason is why generated code was left, or not entered.
type Reason uint8

// The reasons. Fills and Steps leave the instruction where it is, the one for a
// translation of its page, the other for the interpreter.
const (
	Links       Reason = iota // a jump that led nowhere yet
	Indirects                 // a jump to an address that the table does not have
	Fills                     // an access whose page the TLB had to fill
	Slow                      // an access that is the interpreter's: a fault, a device, two pages
	Steps                     // an instruction without a translation
	Budgets                   // the budget is used up
	Pages                     // the page of code is not where it was
	Vectors                   // the XMM registers are wanted
	Floats                    // the x87 registers are wanted
	Unshown                   // an access whose page the window did not show
	Interpreted               // what is not translated at all: cold code, code that is stepped, an interrupt
	NumReasons
)

func (r Reason) String() string {
	return [...]string{"link", "indirect", "refill", "slow access", "step", "budget", "page", "SIMD", "x87", "window", "interpreted"}[r]
}

// Stats count what an engine has done.
type Stats struct {
	// Units are the pieces of code translated, of Instructions in GuestBytes,
	// which became HostBytes.
	Units, Instructions, GuestBytes, HostBytes uint64
	// Enters are the times that generated code was entered.
	Enters uint64
	Exits  [NumReasons]uint64
	// StepsByOp are the exits for Steps and Slow by operation. Of Obeyed the engine
	// itself took care, of the others the interpreter.
	StepsByOp [isa.NumOps]uint64
	Obeyed    uint64
	// Aside is how many instructions the interpreter retired.
	Aside uint64
	// LinksMade are jumps that lead from unit to unit, LinksBroken those that did
	// until one of the units was gone: Killed since its code was written, or
	// Evicted to make room.
	LinksMade, LinksBroken, Killed, Evicted uint64
	// WindowsOpened and WindowsShut are windows, in which Windowed instructions
	// were executed. PagesShown and PagesHidden are pages of them, WindowChecks how
	// often all that a window shows was compared with the page tables, SlowSites
	// instructions whose accesses were made the TLB's.
	WindowsOpened, WindowsShut, Windowed             uint64
	PagesShown, PagesHidden, WindowChecks, SlowSites uint64
}

// A Sampler is told of an exit: why, the linear address, and how many
// instructions were executed since code was entered.
type Sampler func(r Reason, l uint32, n uint64)
