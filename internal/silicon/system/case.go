package system

import "github.com/gov86/gov86/cpu"

// A Class is a kind of cases.
type Class uint8

// The classes.
const (
	Loads      Class = iota // segment registers, LDTR and TR
	Looks                   // instructions that look at descriptors and tables
	Transfers               // far jumps, calls and returns
	Returns                 // IRET
	Interrupts              // INT n and exceptions
	Paging                  // accesses through page tables
	Control                 // control and debug registers
	Flags                   // what IOPL and the I/O permission bitmap guard
	Tasks                   // task switches
	Debug                   // single step and breakpoints
	Any                     // any instruction on general registers and memory
	NumClasses
)

var classNames = [NumClasses]string{
	"loads", "looks", "transfers", "returns", "interrupts", "paging", "control", "flags", "tasks", "debug", "any",
}

func (c Class) String() string { return classNames[c] }

// A Case is a machine about to execute an instruction.
type Case struct {
	Class
	cpu.State
	// Memory is all of physical memory.
	Memory []byte
	// Code is what lies at CS:EIP.
	Code []byte
	// Open are the flags that are not compared.
	Open uint32
}

// A Result is the machine that a case ended as.
type Result struct {
	cpu.State
	Memory []byte
	// Lost is why there is no result, or empty.
	Lost string
}
