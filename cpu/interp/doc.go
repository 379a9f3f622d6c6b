// Package interp is the reference engine: it executes decoded blocks one
// instruction at a time.
//
// The commonest forms of the commonest instructions (32-bit operands, flat
// segments) have handlers in fast_unsafe.go, which package gen writes from a
// table. Everything else goes through exec, one function an operation, which
// is complete: a form that is not fast is slow, never wrong.
//
// Within a run the six status flags live in Engine.flags in a lazy form; they
// are whole in EFLAGS whenever the CPU's own methods are called and whenever
// Run has returned.
package interp
