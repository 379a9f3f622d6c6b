package cpu

import (
	"encoding/binary"

	"github.com/gov86/gov86/mem"
)

// A Region is the part of the linear addresses that one page-directory entry
// stands for, 4 MiB or with PAE paging 2 MiB, as the paging structures have it
// now, whatever the TLB says. It is for those who cache many pages at once: it
// raises no fault and sets no bit.
type Region struct {
	// First is the first page, Pages how many there are.
	First, Pages uint32
	// Directory is the page-directory entry, 0 if it is not present. Without
	// paging it is one that maps a large page to where it is.
	Directory uint64
	// Large says that it maps a large page.
	Large bool

	table []byte // the page table, nil if it is not in memory
	width uint32 // of an entry, in bytes
}

// Region returns the region that holds l.
func (c *CPU) Region(l Linear) Region {
	r := Region{Pages: 1 << 10, width: 4}
	var address uint64 = 0xfffff000
	switch {
	case c.CR0&CR0PG == 0:
		r.First = uint32(l>>12) &^ (r.Pages - 1)
		r.Directory = uint64(l&^(4<<20-1)) | ptP | ptRW | ptUS | ptA | ptD | ptPS
		r.Large = true
		return r
	case c.CR4&CR4PAE != 0:
		r.Pages, r.width, address = 1<<9, 8, (1<<physBits-1)&^0xfff
		if p := c.PDPTE[l>>30]; p&ptP != 0 {
			r.Directory = c.table(mem.Addr(p&address)|mem.Addr(l>>21&0x1ff)<<3, 8)
		}
		r.Large = r.Directory&ptPS != 0
	default:
		r.Directory = c.table(mem.Addr(c.CR3&^0xfff)|mem.Addr(l>>22)<<2, 4)
		r.Large = r.Directory&ptPS != 0 && c.CR4&CR4PSE != 0
	}
	r.First = uint32(l>>12) &^ (r.Pages - 1)
	if r.Directory&ptP == 0 {
		r.Directory = 0
	} else if !r.Large {
		r.table = c.Mem.Page(mem.Addr(r.Directory&address), false)
	}
	return r
}

// Entry is the entry that maps page i of the region: that of the page table, or
// of the directory for a large page.
func (r *Region) Entry(i uint32) uint64 {
	switch {
	case r.Large:
		return r.Directory
	case r.table == nil:
		return 0
	case r.width == 8:
		return binary.LittleEndian.Uint64(r.table[8*i:])
	}
	return uint64(binary.LittleEndian.Uint32(r.table[4*i:]))
}

// A Leaf is where a page lies, and what may be done with it without more ado: its
// accessed bit is set.
type Leaf struct {
	Frame uint32
	// Writable says what the page tables say, Dirty that the dirty bit is set.
	User, Writable, Dirty, Global, NoExec bool
}

// Leaf returns what an entry makes of page i of the region, unless accesses that
// way would set an accessed bit, fault, or lead beyond 4 GiB.
func (c *CPU) Leaf(r *Region, i uint32, entry uint64) (l Leaf, ok bool) {
	all, either := r.Directory&entry, r.Directory|entry
	switch {
	case all&(ptP|ptA) != ptP|ptA,
		r.Directory&^(ptNX|(1<<physBits-1)) != 0,
		entry&^(ptNX|(1<<32-1)) != 0,
		either&ptNX != 0 && c.MSR.EFER&EFERNXE == 0,
		r.Large && r.width == 4 && uint32(r.Directory)&c.largeReserved() != 0:
		return l, false
	}
	at := uint32(entry) &^ 0xfff
	if r.Large {
		within := r.Pages<<12 - 1
		const address36 = 0x1ff << 13 // or reserved
		if at&within&address36 != 0 {
			return l, false
		}
		at = at&^within + i<<12
	}
	l = Leaf{
		Frame: c.Mem.Frame(mem.Addr(at)),
		User:  all&ptUS != 0, Writable: all&ptRW != 0, Dirty: entry&ptD != 0,
		Global: entry&ptG != 0 && c.CR4&CR4PGE != 0, NoExec: either&ptNX != 0,
	}
	return l, true
}

// Significant are the bits of an entry that make a page what Leaf says it is.
// While it is only read, the dirty bit does not matter.
func Significant(entry uint64, written bool) uint64 {
	const available = 7 << 9
	entry &^= available
	if !written {
		entry &^= ptD
	}
	return entry
}
