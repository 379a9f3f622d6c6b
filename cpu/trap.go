package cpu

import "fmt"

// A Trap is what stopped an instruction: nothing, or an exception to be
// delivered. It is a value, returned upward; nothing has changed that the
// manual says must not (Intel SDM Vol. 3A, "Exception and Interrupt Reference").
type Trap uint64

// NoTrap is no exception.
const NoTrap Trap = 0

const (
	trapSet   Trap = 1 << 63
	trapCode  Trap = 1 << 62 // has an error code, in bits 32 to 47
	trapAfter Trap = 1 << 61 // trap, not fault: EIP is past the instruction
)

// Exception vectors.
const (
	VecDE  = 0
	VecDB  = 1
	VecNMI = 2
	VecBP  = 3
	VecOF  = 4
	VecBR  = 5
	VecUD  = 6
	VecNM  = 7
	VecDF  = 8
	VecTS  = 10
	VecNP  = 11
	VecSS  = 12
	VecGP  = 13
	VecPF  = 14
	VecMF  = 16
	VecAC  = 17
	VecMC  = 18
	VecXM  = 19
)

// Exception is a fault without an error code.
func Exception(vector uint8) Trap { return trapSet | Trap(vector) }

// Fault is a fault with an error code.
func Fault(vector uint8, code uint16) Trap {
	return trapSet | trapCode | Trap(vector) | Trap(code)<<32
}

// GP is a general-protection exception with error code code.
func GP(code uint16) Trap { return Fault(VecGP, code) }

// UD is the invalid-opcode exception.
func UD() Trap { return Exception(VecUD) }

// AfterInstruction is a trap: it is reported once the instruction is complete.
func AfterInstruction(vector uint8) Trap { return trapSet | trapAfter | Trap(vector) }

// Vector is the exception's vector.
func (t Trap) Vector() uint8 { return uint8(t) }

// Code is the error code and whether there is one.
func (t Trap) Code() (code uint16, ok bool) { return uint16(t >> 32), t&trapCode != 0 }

// After reports whether the saved EIP is that of the next instruction.
func (t Trap) After() bool { return t&trapAfter != 0 }

func (t Trap) String() string {
	if t == NoTrap {
		return "no trap"
	}
	if code, ok := t.Code(); ok {
		return fmt.Sprintf("exception %d code %#x", t.Vector(), code)
	}
	return fmt.Sprintf("exception %d", t.Vector())
}
