package system

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// What the two sides may differ in, each with its reason. KVM executes most of
// a guest on the processor, but some of it is its own program; the models claim
// Intel, and the processor may be AMD's.

// ignored are the bits of the doubleword of memory at at that are not compared.
func ignored(c *Case, at int) uint32 {
	if c.CR4&cpu.CR4PAE != 0 && at >= rootAt && at < rootAt+32 {
		// With nested paging AMD's processors walk page-directory-pointer entries
		// as any other level, and set what there is a reserved bit.
		return 1 << 5
	}
	return 0
}

// tolerated is the reason why the two sides may end c differently, or "".
func tolerated(c *Case, e, n *Result) string {
	switch {
	case c.Class == Tasks, switched(c, e), switched(c, n):
		return "task switches are KVM's program"
	case n.EFLAGS&cpu.FlagTF != 0 && !n.Shutdown:
		return "KVM reports HLT before the trap of stepping it"
	}
	in, err := isa.Decode(c.Code, c.State.Code())
	if err != nil {
		return ""
	}
	if in.Op == isa.MOVCR && in.Args[0].Kind() == isa.CReg && pdptes(c, e) {
		return "with nested paging AMD's processors load no page-directory-pointer entries"
	}
	return ""
}

// switched reports whether a case ended after a task switch, which sets CR0.TS.
func switched(c *Case, r *Result) bool { return c.Class != Control && r.CR0&^c.CR0&cpu.CR0TS != 0 }

// pdptes reports whether a write to a control register met PAE paging.
func pdptes(c *Case, e *Result) bool {
	const paged = cpu.CR0PE | cpu.CR0PG
	return (c.CR4|e.CR4)&cpu.CR4PAE != 0 && (c.CR0|e.CR0)&paged == paged
}
