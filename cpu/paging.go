package cpu

import (
	"github.com/gov86/gov86/mem"
)

// A Linear address is what segmentation makes and paging consumes.
type Linear uint32

// An Access says what is done at a linear address. Its low bits are those of a
// page fault's error code (Intel SDM Vol. 3A, "Page-Fault Exceptions").
type Access uint8

// The bits of an Access.
const (
	// Write is a store, or a read that a store will follow.
	Write Access = 1 << 1
	// User is an access at CPL 3 that is not to a system structure.
	User Access = 1 << 2
	// Fetch is an instruction fetch.
	Fetch Access = 1 << 4
	// Implicit is a supervisor access to a system structure (GDT, IDT, TSS,
	// the stack of a privilege change), whatever CPL is.
	Implicit Access = 1 << 5
)

// Error-code bits of a page fault beside those of Access.
const (
	pfPresent  = 1 << 0
	pfReserved = 1 << 3
)

// Data is the Access of an instruction that loads at the current privilege.
func (c *CPU) Data() Access {
	if c.CPL == 3 {
		return User
	}
	return 0
}

// Bits of page-table entries (Intel SDM Vol. 3A, "Paging").
const (
	ptP  = 1 << 0
	ptRW = 1 << 1
	ptUS = 1 << 2
	ptA  = 1 << 5
	ptD  = 1 << 6
	ptPS = 1 << 7
	ptG  = 1 << 8
	ptNX = 1 << 63
)

// physBits is MAXPHYADDR: bits at and above it are reserved.
const physBits = 36

// Translate returns the physical address of l for the access a, setting the
// accessed and dirty bits, or the page fault it causes; CR2 is then set when
// the fault is delivered.
func (c *CPU) Translate(l Linear, a Access) (mem.Addr, Trap) {
	e := c.TLB.entry[l>>12]
	if e&entryValid != 0 && c.allows(e, a) && (a&Write == 0 || e&entryDirty != 0) {
		return mem.Addr(e&^0xfff) | mem.Addr(l&0xfff), NoTrap
	}
	if c.CR0&CR0PG == 0 {
		c.fill(l, mem.Addr(l&^0xfff), entryUser|entryWritable|entryDirty)
		return mem.Addr(l), NoTrap
	}
	if c.CR4&CR4PAE != 0 {
		return c.walkPAE(l, a)
	}
	return c.walk32(l, a)
}

// allows reports whether an entry's rights cover a
// (Intel SDM Vol. 3A, "Determination of Access Rights").
func (c *CPU) allows(e uint32, a Access) bool {
	user, writable := e&entryUser != 0, e&entryWritable != 0
	if a&Fetch != 0 && e&entryNoExec != 0 {
		return false
	}
	if a&User != 0 {
		return user && (a&Write == 0 || writable)
	}
	if user {
		if a&Fetch != 0 && c.guards(CR4SMEP) {
			return false
		}
		if a&Fetch == 0 && c.guards(CR4SMAP) && (a&Implicit != 0 || c.EFLAGS&FlagAC == 0) {
			return false
		}
	}
	return a&Write == 0 || writable || c.CR0&CR0WP == 0
}

// guards reports whether user pages are guarded from supervisors as bit, which
// is CR4SMEP or CR4SMAP, says.
func (c *CPU) guards(bit uint32) bool { return c.CR4&bit != 0 && c.CR0&CR0PG != 0 }

// DataView is the view of what an instruction loads and stores now.
func (c *CPU) DataView() View {
	switch {
	case c.CPL == 3:
		return UserView
	case c.EFLAGS&FlagAC != 0 && c.guards(CR4SMAP):
		return OverrideView
	}
	return 0
}

// pageFault is the fault of an access a at l; why has the pfPresent and
// pfReserved bits.
func (c *CPU) pageFault(l Linear, a Access, why uint16) Trap {
	code := uint16(a&(Write|User)) | why
	if a&Fetch != 0 && (c.CR4&CR4PAE != 0 && c.MSR.EFER&EFERNXE != 0 || c.CR4&CR4SMEP != 0) {
		code |= uint16(Fetch)
	}
	c.faultAddress = l
	return Fault(VecPF, code)
}

// An entry is a paging-structure entry on the way to a page: where it lies and
// its low doubleword.
type entry struct {
	at    mem.Addr
	value uint32
}

// walk32 is 32-bit paging with 4-KByte and, with CR4.PSE, 4-MByte pages.
func (c *CPU) walk32(l Linear, a Access) (mem.Addr, Trap) {
	pdeAt := mem.Addr(c.CR3&^0xfff) | mem.Addr(l>>22)<<2
	pde := c.Mem.Read(pdeAt, 4)
	if pde&ptP == 0 {
		return 0, c.pageFault(l, a, 0)
	}
	if pde&ptPS != 0 && c.CR4&CR4PSE != 0 {
		if pde&c.largeReserved() != 0 {
			return 0, c.pageFault(l, a, pfPresent|pfReserved)
		}
		at := mem.Addr(pde&0xffc00000) | mem.Addr(pde>>13&0xff)<<32 | mem.Addr(l&0x3fffff)
		return c.finish(l, a, at, rights(pde, pde, 0)|entryLarge, entry{}, entry{pdeAt, pde})
	}
	pteAt := mem.Addr(pde&^0xfff) | mem.Addr(l>>12&0x3ff)<<2
	pte := c.Mem.Read(pteAt, 4)
	if pte&ptP == 0 {
		return 0, c.pageFault(l, a, 0)
	}
	at := mem.Addr(pte&^0xfff) | mem.Addr(l&0xfff)
	return c.finish(l, a, at, rights(pde&pte, pte, 0), entry{pdeAt, pde}, entry{pteAt, pte})
}

// largeReserved are the reserved bits of an entry that maps a 4-MByte page. With
// PSE-36, bits 13 to 20 are address bits 32 to 39, of which those at and above
// MAXPHYADDR are reserved; without it all are. Bit 12 is the PAT's.
func (c *CPU) largeReserved() uint32 {
	var reserved uint32 = 0x1ff << 13
	if c.Model.has(featurePSE36) {
		reserved &^= (1<<(physBits-32) - 1) << 13
	}
	if !c.Model.has(featurePAT) {
		reserved |= 1 << 12
	}
	return reserved
}

// walkPAE is PAE paging with 4-KByte and 2-MByte pages and the NX bit.
func (c *CPU) walkPAE(l Linear, a Access) (mem.Addr, Trap) {
	const address = (1<<physBits - 1) &^ 0xfff
	reserved := uint64(ptNX-1) &^ (1<<physBits - 1)
	if c.MSR.EFER&EFERNXE == 0 {
		reserved |= ptNX
	}
	pdpte := c.PDPTE[l>>30]
	if pdpte&ptP == 0 {
		return 0, c.pageFault(l, a, 0)
	}
	pdeAt := mem.Addr(pdpte&address) | mem.Addr(l>>21&0x1ff)<<3
	pde := c.Mem.Read64(pdeAt)
	if pde&ptP == 0 {
		return 0, c.pageFault(l, a, 0)
	}
	large := pde&ptPS != 0
	if pde&reserved != 0 || large && pde&0x1fe000 != 0 {
		return 0, c.pageFault(l, a, pfPresent|pfReserved)
	}
	if large {
		at := mem.Addr(pde&address&^0x1fffff) | mem.Addr(l&0x1fffff)
		e := rights(uint32(pde), uint32(pde), pde&ptNX) | entryLarge
		return c.finish(l, a, at, e, entry{}, entry{pdeAt, uint32(pde)})
	}
	pteAt := mem.Addr(pde&address) | mem.Addr(l>>12&0x1ff)<<3
	pte := c.Mem.Read64(pteAt)
	if pte&ptP == 0 {
		return 0, c.pageFault(l, a, 0)
	}
	if pte&reserved != 0 {
		return 0, c.pageFault(l, a, pfPresent|pfReserved)
	}
	at := mem.Addr(pte&address) | mem.Addr(l&0xfff)
	e := rights(uint32(pde&pte), uint32(pte), (pde|pte)&ptNX)
	return c.finish(l, a, at, e, entry{pdeAt, uint32(pde)}, entry{pteAt, uint32(pte)})
}

// rights makes TLB bits of U/S and R/W over all levels, the last entry and NX.
func rights(all, last uint32, nx uint64) uint32 {
	var e uint32
	if all&ptUS != 0 {
		e |= entryUser
	}
	if all&ptRW != 0 {
		e |= entryWritable
	}
	if last&ptG != 0 {
		e |= entryGlobal
	}
	if nx != 0 {
		e |= entryNoExec
	}
	return e
}

// finish checks the rights, sets accessed and dirty bits, and fills the TLB.
// upper is zero for a large page.
func (c *CPU) finish(l Linear, a Access, at mem.Addr, bits uint32, upper, last entry) (mem.Addr, Trap) {
	if !c.allows(bits, a) {
		return 0, c.pageFault(l, a, pfPresent)
	}
	if upper.value != 0 && upper.value&ptA == 0 {
		c.Mem.Write(upper.at, 4, upper.value|ptA)
	}
	set := last.value | ptA
	if a&Write != 0 {
		set |= ptD
	}
	if set != last.value {
		c.Mem.Write(last.at, 4, set)
	}
	if set&ptD != 0 {
		bits |= entryDirty
	}
	if c.CR4&CR4PGE == 0 {
		bits &^= entryGlobal
	}
	c.fill(l, at&^0xfff, bits)
	return at, NoTrap
}

// loadPDPTEs loads the four page-directory-pointer entries from CR3, as PAE
// paging does at MOV to CR (Intel SDM Vol. 3A, "PDPTE Registers").
func (c *CPU) loadPDPTEs(cr3 uint32) Trap {
	p, t := c.readPDPTEs(cr3)
	if t == NoTrap {
		c.PDPTE = p
	}
	return t
}

// readPDPTEs reads and checks the entries that cr3 leads to.
func (c *CPU) readPDPTEs(cr3 uint32) (p [4]uint64, t Trap) {
	for i := range p {
		p[i] = c.Mem.Read64(mem.Addr(cr3&^0x1f) + mem.Addr(8*i))
		if !validPDPTE(p[i]) {
			return p, GP(0)
		}
	}
	return p, NoTrap
}

// validPDPTE reports whether a present entry has no reserved bit set.
func validPDPTE(e uint64) bool {
	const reserved = 0x1e6 | ^uint64(1<<physBits-1)
	return e&ptP == 0 || e&reserved == 0
}

// ReadLinear reads w bytes (1, 2 or 4) at l.
func (c *CPU) ReadLinear(l Linear, w int, a Access) (uint32, Trap) {
	if c.matching() && a&(Implicit|Fetch) == 0 {
		c.MatchData(l, w, false)
	}
	at, t := c.Translate(l, a)
	if t != NoTrap {
		return 0, t
	}
	if over := int(l&0xfff) + w - mem.PageSize; over > 0 {
		next, t := c.Translate((l|0xfff)+1, a)
		if t != NoTrap {
			return 0, t
		}
		var v uint32
		for i := range w {
			if i == w-over {
				at = next - mem.Addr(i)
			}
			v |= c.Mem.Read(at+mem.Addr(i), 1) << (8 * i)
		}
		return v, NoTrap
	}
	return c.Mem.Read(at, w), NoTrap
}

// WriteLinear stores the low w bytes (1, 2 or 4) of v at l. If any byte may
// not be written, none is.
func (c *CPU) WriteLinear(l Linear, w int, v uint32, a Access) Trap {
	if c.matching() && a&Implicit == 0 {
		c.MatchData(l, w, true)
	}
	a |= Write
	at, t := c.Translate(l, a)
	if t != NoTrap {
		return t
	}
	if over := int(l&0xfff) + w - mem.PageSize; over > 0 {
		next, t := c.Translate((l|0xfff)+1, a)
		if t != NoTrap {
			return t
		}
		for i := range w {
			if i == w-over {
				at = next - mem.Addr(i)
			}
			c.Mem.Write(at+mem.Addr(i), 1, v>>(8*i)&0xff)
		}
		return NoTrap
	}
	c.Mem.Write(at, w, v)
	if c.Mem.Opened() {
		c.reopen(l)
	}
	return NoTrap
}

// ReadLinear64 reads a quadword at l.
func (c *CPU) ReadLinear64(l Linear, a Access) (uint64, Trap) {
	low, t := c.ReadLinear(l, 4, a)
	if t != NoTrap {
		return 0, t
	}
	high, t := c.ReadLinear(l+4, 4, a)
	return uint64(high)<<32 | uint64(low), t
}

// Probe checks that n bytes at l, at most a page, could be accessed as a says,
// with all the effects of the access but the data's.
func (c *CPU) Probe(l Linear, n int, a Access) Trap {
	if _, t := c.Translate(l, a); t != NoTrap {
		return t
	}
	if int(l&0xfff)+n > mem.PageSize {
		_, t := c.Translate((l|0xfff)+1, a)
		return t
	}
	return NoTrap
}

// FaultAddress is the linear address of the page fault returned last.
func (c *CPU) FaultAddress() Linear { return c.faultAddress }
