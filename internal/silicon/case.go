package silicon

import "github.com/gov86/gov86/cpu"

// A State is what user-mode code has in its registers.
type State struct {
	// GPR has EAX, ECX, EDX, EBX, ESP, EBP, ESI and EDI.
	GPR         [8]uint32
	EIP, EFLAGS uint32
	// Seg has the selectors, indexed by isa.Seg.
	Seg [6]uint16
	// FX is the part of the FXSAVE image up to XMM7 (Intel SDM Vol. 1, "FXSAVE
	// Area").
	FX [imageUsed]byte
}

// A Case is code and the state it starts in. The code lies at State.EIP in the
// code area and ends in HLT, which is refused at privilege level 3: a case
// always ends in an exception.
type Case struct {
	Code []byte
	// At is the linear address of Code. With a flat CS it is also State.EIP.
	At uint32
	// Open are the flags that are not compared.
	Open uint32
	State
}

// A Result is the state a case ended in.
type Result struct {
	State
	// Vector is the exception; Code its error code, zero without one; CR2 the
	// address of a page fault, else zero.
	Vector uint8
	Code   uint32
	CR2    uint32
	// Lost says that the case has no result: it did not end, or it touched what
	// only one of the sides has.
	Lost bool
}

// compared clears what is not compared of an image: the pointers to the last
// x87 instruction, which the kernel does not keep in a 32-bit form for signals
// (FNSTENV and FXSAVE in generated code tell of them), and MXCSR_MASK.
func compared(image *[imageUsed]byte) {
	clear(image[6:24])
	clear(image[28:32])
}

// hasCode reports whether exception vector pushes an error code.
func hasCode(vector uint8) bool {
	switch vector {
	case cpu.VecDF, cpu.VecTS, cpu.VecNP, cpu.VecSS, cpu.VecGP, cpu.VecPF, cpu.VecAC:
		return true
	}
	return false
}

// A Batch is cases that run one after the other in one memory.
type Batch struct {
	Cases []Case
	// Code is the contents of the code area: the code of all cases, also of those
	// that are left out, since jumps may lead there.
	Code []byte
	// Memory is the initial contents of the data and stack areas.
	Memory []byte
}

// An Answer is what became of a batch.
type Answer struct {
	Results []Result
	// Memory is the contents of the data and stack areas afterwards.
	Memory []byte
}
