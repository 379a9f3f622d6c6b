package cpu

import "github.com/gov86/gov86/mem"

// Who loads CR3 has left an address space for another, and mostly comes back soon,
// to the pages that he was using. So the TLB keeps a few of their numbers, and looks
// them up as it comes back: in the paging structures, which are what counts. A
// processor may do that at any time (Intel SDM Vol. 3A, "Caching Translation
// Information"), and nothing needs to be known of what the guest has done to them
// meanwhile.

const (
	// keptSpaces is how many address spaces are known.
	keptSpaces = 8
	// keptPages is of how many pages of one, the latest that had to be looked up.
	keptPages = 32
)

// A space is an address space that was left, and pages that it used.
type space struct {
	cr3   uint32
	n     int
	pages [keptPages]uint32
}

// enterSpace makes cr3 that of the address space. Global pages stay.
func (c *CPU) enterSpace(cr3 uint32) {
	c.TLB.leave(c.CR3)
	c.CR3 = cr3
	c.tracePaging("CR3", cr3)
	c.TLB.FlushLocal()
	if s := c.TLB.space(cr3); s != nil && c.CR0&CR0PG != 0 {
		c.lookUp(s)
	}
}

// space is what is known of an address space, or nil.
func (t *TLB) space(cr3 uint32) *space {
	for i := range t.spaces {
		if s := &t.spaces[i]; s.n != 0 && s.cr3 == cr3 {
			return s
		}
	}
	return nil
}

// leave keeps what the address space of cr3 has used.
func (t *TLB) leave(cr3 uint32) {
	s := t.space(cr3)
	if s == nil {
		s = &t.spaces[t.next]
		t.next = (t.next + 1) % keptSpaces
		s.cr3 = cr3
	}
	s.n = copy(s.pages[:], t.local[max(0, len(t.local)-keptPages):])
}

// lookUp enters the translations of the pages of s, as far as that sets no bit in an
// entry.
func (c *CPU) lookUp(s *space) {
	var r Region
	for _, page := range s.pages[:s.n] {
		if c.TLB.entry[page] != 0 {
			continue
		}
		if page-r.First >= r.Pages {
			r = c.Region(Linear(page << 12))
		}
		i := page - r.First
		if leaf, ok := c.Leaf(&r, i, r.Entry(i)); ok {
			c.fillLeaf(page, leaf, r.Large)
		}
	}
}

// fillLeaf enters a page as a leaf has it.
func (c *CPU) fillLeaf(page uint32, l Leaf, large bool) {
	bits := setIf(entryUser, l.User) | setIf(entryWritable, l.Writable) | setIf(entryDirty, l.Dirty) |
		setIf(entryNoExec, l.NoExec) | setIf(entryGlobal, l.Global) | setIf(entryLarge, large)
	c.fill(Linear(page<<12), mem.Addr(l.Frame)<<12, bits)
}

// setIf is bit if it is to be set, or 0.
func setIf(bit uint32, set bool) uint32 {
	if set {
		return bit
	}
	return 0
}
