// Package interp is the reference engine: it executes decoded blocks one
// instruction at a time.
//
// The commonest forms of the commonest instructions (32-bit operands, flat
// segments) have handlers in fast_unsafe.go, which package gen writes from a
// table. Everything else goes through exec, one function an operation, which
// is complete: a form that is not fast is slow, never wrong.
//
// The numeric part of the x87, MMX and SSE operations is that of a unit;
// everything about stacks, tags, masks and memory is here. There are two of
// each: the host's own (x87unit_amd64.go, simdunit_amd64.go), and packages fpu
// and simd (x87unit_pure.go, simdunit.go), which hosts that are not an x86 have
// and NewPure asks for. They agree but for the last bit of the transcendental
// x87 operations and the estimates of RCPPS and RSQRTPS.
//
// The x87 is that of Intel's P6 family. FOP, FIP and FDP with their selectors
// are of the last instruction that is not a control instruction, the
// Pentium 4's FOP only by request or of one with an unmasked exception. FXSAVE stores
// and FXRSTOR loads them always, where AMD's processors do so only while an
// error is pending. FCOM, FTST and FCOMI leave their flags alone when an invalid
// operand is not masked, as the SDM says and AMD's do not. FFREE clears C1,
// which is undefined.
//
// Within a run the six status flags live in Engine.flags in a lazy form; they
// are whole in EFLAGS whenever the CPU's own methods are called and whenever
// Run has returned.
package interp
