// Package system holds the processor of gov86 against another in system mode.
//
// A generator makes whole machines from a seed, class by class: registers,
// descriptor tables, page tables, gates, tasks and memory, about to execute an
// instruction of interest, in real, virtual-8086 and protected mode at every
// privilege level. Every handler and every landing is a HLT, so that each ends
// soon. An Emulated runs them in an engine, a Virtual in a guest of KVM, and
// all of what is left is compared: general, segment, control and debug
// registers with the hidden parts, and memory with the frames that were pushed
// and the accessed, dirty and busy bits in tables. What may differ is in one
// table with reasons (differences.go).
//
// It means something where the processor executes what KVM is given; the probe
// of package kvm tells.
package system
