// Package interp is the reference engine: it executes decoded blocks one
// instruction at a time.
//
// The commonest forms of the commonest instructions (32-bit operands, flat
// segments) have handlers in fast_unsafe.go, which package gen writes from a
// table. Everything else goes through exec, one function an operation, which
// is complete: a form that is not fast is slow, never wrong.
//
// The numeric part of the x87, MMX and SSE operations is a host's unit, called
// through the tables of x87unit_amd64.go and simdunit_amd64.go; everything about
// stacks, tags, masks and memory is here. Other hosts have no unit yet: there
// those operations raise #UD, whatever CPUID says. Not modelled: the x87 opcode
// register (it reads as what was last loaded), FERR# (errors are #MF even when
// CR0.NE is clear), and unmasked SIMD underflow of an exact denormal result.
//
// Within a run the six status flags live in Engine.flags in a lazy form; they
// are whole in EFLAGS whenever the CPU's own methods are called and whenever
// Run has returned.
package interp
