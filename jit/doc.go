// Package jit is the translating engine: it turns blocks of x86 code that
// run often into x86-64 code, and lets the interpreter do the rest from
// the same state.
//
// The general registers of the guest are held in those of the host with the
// same numbers, ESP in R15, its status flags in the host's. Each guest
// instruction becomes itself, with a memory operand found through the TLB's
// flat tables. What a unit of translation cannot do, an access that is not in
// the tables, an instruction without a translation, it leaves to Go: it writes
// down where it is and returns from enter; the engine serves it and enters
// again behind. Nothing is called from generated code, and nothing in it is
// state.
//
// Registers within generated code:
//
//	RAX..RDI but RSP  the guest's, upper halves zero
//	R15               ESP, or what it was a few instructions ago
//	R14               the context
//	R13               the views of the TLB for the current privilege
//	R12               instructions left before the engine must look around
//	R11               the addend of the stack's page, within a frame
//	R8, R9, R10       scratch; R8 has the target of an indirect jump
//	RSP               a stack of our own, for return addresses
//	XMM0..XMM7, x87   the guest's, once a unit has needed them
package jit
