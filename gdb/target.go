// Package gdb is a stub of the GDB remote serial protocol (Debugging with GDB,
// "GDB Remote Serial Protocol"): GDB connects to it and examines, stops and
// steps the guest's processor.
//
// Addresses in packets are linear. There is one thread, the processor. Not
// modelled: non-stop mode, reverse execution, tracepoints, the host's files,
// and the start of programs.
package gdb

import "github.com/gov86/gov86/cpu"

// A Reason is why the guest does not run.
type Reason uint8

// The reasons.
const (
	Interrupted Reason = iota // as Interrupt asked
	Stepped                   // a step has ended
	Breakpoint                // the instruction at Stop.At is next
	Watchpoint                // Stop.At was accessed
	Crashed                   // the processor has shut down
	PoweredOff                // the machine has ended: the guest switched it off,
	Exited                    // or ended it with Stop.Status,
	TripleFault               // the processor shut down,
	Cancelled                 // or whoever ran it wants no more
)

// over reports whether the machine has ended.
func (r Reason) over() bool { return r >= PoweredOff }

// A Stop is the news that the guest no longer runs.
type Stop struct {
	Reason Reason
	At     cpu.Linear
	// Watch is the watchpoint that was met.
	Watch cpu.Watchpoint
	// Status is the guest's own.
	Status uint8
}

// A Span is a range of instruction pointers, from First up to but not
// including End.
type Span struct{ First, End uint32 }

// A Target is the machine to be debugged. The stub calls its methods from one
// goroutine at a time; each waits until the machine has done it. Once the
// machine has ended they do nothing, and what they return is empty.
type Target interface {
	// Attach stops the guest, without a call of stopped, and has stopped called
	// once for each time that it stops after Continue or Step, and at the
	// machine's end. stopped does not block. Attach reports whether there is
	// still a machine.
	Attach(stopped func(Stop)) bool
	// Detach forgets stopped, breakpoints and watchpoints. The guest goes on;
	// one that waits for a debugger to let it run does so only with resume.
	Detach(resume bool)
	// Interrupt stops the guest, if it runs.
	Interrupt()
	// Continue lets the guest run. A breakpoint at its very next instruction
	// stops it at once.
	Continue()
	// Step lets the guest execute one instruction, and more as long as the next
	// one lies in span.
	Step(span Span)
	// Do calls fn with the processor, between two instructions.
	Do(fn func(*cpu.CPU))
	// ReadMemory and WriteMemory return how many bytes were there.
	ReadMemory(p []byte, at cpu.Linear) int
	WriteMemory(p []byte, at cpu.Linear) int
	// SetBreakpoints and SetWatchpoints replace all of them.
	SetBreakpoints(at []cpu.Linear)
	SetWatchpoints(w []cpu.Watchpoint)
	// Command executes a line of GDB's monitor command and returns what it says.
	Command(line string) string
	// Quit ends the machine.
	Quit()
}
