// Package silicon holds the processor of gov86 against a real one.
//
// A Native executes 32-bit code on the processor of an x86-64 Linux host, in a
// process of its own at privilege level 3; an Emulated executes the same code
// in an engine, in an address space and descriptor tables laid out the same.
// Generators make cases class by class from a seed, and every part of the
// state in which a case ends is compared: general and segment registers, EIP,
// EFLAGS, the exception with its error code and CR2, x87, MMX and SSE state,
// and memory. What may differ is in one table with reasons (differences.go).
//
// What a real processor answered is recorded under testdata, so that the
// comparison means something on hosts that have none.
package silicon

//go:generate sh -c "as --32 -o runner.o runner.S && ld -m elf_i386 -n -s -o runner.elf runner.o && rm runner.o"
