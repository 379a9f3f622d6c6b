package cpu

import (
	"encoding/binary"

	"github.com/gov86/gov86/mem"
)

// A Mapping is what the page tables say of one page.
type Mapping struct {
	Linear   Linear
	Physical mem.Addr
	// Size is that of the page or, when nothing is present, of the range that
	// the missing entry stands for. A size of zero stands for 4 GiB.
	Size            uint32
	Present         bool
	Writable, User  bool
	NoExec, Global  bool
	Accessed, Dirty bool
}

// At is the physical address of l, which lies in the mapping's range.
func (m *Mapping) At(l Linear) mem.Addr { return m.Physical + mem.Addr(l-m.Linear) }

// Look finds the page of l as the page tables have it now, whatever the TLB
// says. It checks no right, raises no fault and sets no bit: it is for
// debuggers. Tables that lie outside memory hold nothing present.
func (c *CPU) Look(l Linear) Mapping {
	switch {
	case c.CR0&CR0PG == 0:
		return Mapping{Present: true, Writable: true, User: true, Accessed: true, Dirty: true}
	case c.CR4&CR4PAE != 0:
		return c.lookPAE(l)
	}
	return c.look32(l)
}

// table reads n bytes of a paging structure; outside memory it is zero.
func (c *CPU) table(at mem.Addr, n int) uint64 {
	var b [8]byte
	if c.Mem.ReadAt(b[:n], at) != nil {
		return 0
	}
	return binary.LittleEndian.Uint64(b[:])
}

func (c *CPU) look32(l Linear) Mapping {
	pde := c.table(mem.Addr(c.CR3&^0xfff)|mem.Addr(l>>22)<<2, 4)
	switch {
	case pde&ptP == 0:
		return missing(l, 4<<20)
	case pde&ptPS != 0 && c.CR4&CR4PSE != 0:
		at := mem.Addr(pde&0xffc00000) | mem.Addr(pde>>13&0xff)<<32
		return mapping(l, at, 4<<20, pde, pde)
	}
	pte := c.table(mem.Addr(pde&^0xfff)|mem.Addr(l>>12&0x3ff)<<2, 4)
	if pte&ptP == 0 {
		return missing(l, mem.PageSize)
	}
	return mapping(l, mem.Addr(pte&^0xfff), mem.PageSize, pde&pte, pte)
}

func (c *CPU) lookPAE(l Linear) Mapping {
	const address = (1<<physBits - 1) &^ 0xfff
	pdpte := c.PDPTE[l>>30]
	if pdpte&ptP == 0 {
		return missing(l, 1<<30)
	}
	pde := c.table(mem.Addr(pdpte&address)|mem.Addr(l>>21&0x1ff)<<3, 8)
	switch {
	case pde&ptP == 0:
		return missing(l, 2<<20)
	case pde&ptPS != 0:
		return mapping(l, mem.Addr(pde&address&^0x1fffff), 2<<20, pde, pde)
	}
	pte := c.table(mem.Addr(pde&address)|mem.Addr(l>>12&0x1ff)<<3, 8)
	if pte&ptP == 0 {
		return missing(l, mem.PageSize)
	}
	return mapping(l, mem.Addr(pte&address), mem.PageSize, pde&pte|(pde|pte)&ptNX, pte)
}

func missing(l Linear, size uint32) Mapping { return Mapping{Linear: l &^ Linear(size-1), Size: size} }

// mapping is that of a page of size bytes that holds l: rights has U/S, R/W and
// NX over all levels, last is the last entry.
func mapping(l Linear, at mem.Addr, size uint32, rights, last uint64) Mapping {
	return Mapping{
		Linear: l &^ Linear(size-1), Physical: at, Size: size, Present: true,
		Writable: rights&ptRW != 0, User: rights&ptUS != 0, NoExec: rights&ptNX != 0,
		Global: last&ptG != 0, Accessed: last&ptA != 0, Dirty: last&ptD != 0,
	}
}
