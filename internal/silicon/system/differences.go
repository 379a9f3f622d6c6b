package system

import "github.com/gov86/gov86/cpu"

// What the two sides may differ in, each with its reason.

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
func tolerated(_ *Case, _, _ *Result) string {
	return ""
}
