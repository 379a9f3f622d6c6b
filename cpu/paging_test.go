package cpu

import (
	"testing"

	"github.com/gov86/gov86/mem"
)

// The page tables of a paged rig: identity for the first 2 MiB, supervisor,
// writable; nothing above.
const (
	pdAt   = 0x100000
	ptAt   = 0x101000
	freeAt = 0x180000 // frames for tests
)

func newPaged(t testing.TB) *rig {
	t.Helper()
	r := newProtected(t)
	r.Mem.Write(pdAt, 4, ptAt|ptP|ptRW|ptUS)
	for i := range mem.Addr(512) {
		r.Mem.Write(ptAt+4*i, 4, uint32(i)<<12|ptP|ptRW)
	}
	r.must(r.SetCR3(pdAt))
	r.must(r.SetCR0(r.CR0 | CR0PG | CR0WP))
	return r
}

// newPAE is newPaged with PAE paging.
func newPAE(t testing.TB) *rig {
	t.Helper()
	const pdptAt, paeAt = 0x103000, 0x104000
	r := newProtected(t)
	r.Mem.Write64(pdptAt, paeAt|ptP)
	r.Mem.Write64(paeAt, ptAt|ptP|ptRW|ptUS)
	for i := range mem.Addr(512) {
		r.Mem.Write64(ptAt+8*i, uint64(i)<<12|ptP|ptRW)
	}
	r.must(r.SetCR4(CR4PAE))
	r.must(r.SetCR3(pdptAt))
	r.must(r.WriteMSR(msrEFER, EFERNXE))
	r.must(r.SetCR0(r.CR0 | CR0PG | CR0WP))
	return r
}

func TestPageFaultErrorCodes(t *testing.T) {
	const l = 0x150000
	pte := func(r *rig) mem.Addr { return ptAt + 4*(l>>12) }
	for _, c := range []struct {
		name  string
		entry uint32
		cr0   uint32
		a     Access
		want  Trap
	}{
		{"supervisor read", ptP, CR0WP, 0, NoTrap},
		{"not present", ptRW | ptUS, CR0WP, 0, Fault(VecPF, 0)},
		{"not present, user write", 0, CR0WP, User | Write, Fault(VecPF, 6)},
		{"user read of a supervisor page", ptP | ptRW, CR0WP, User, Fault(VecPF, 5)},
		{"user read", ptP | ptUS, CR0WP, User, NoTrap},
		{"user write of a read-only page", ptP | ptUS, CR0WP, User | Write, Fault(VecPF, 7)},
		{"user write", ptP | ptUS | ptRW, CR0WP, User | Write, NoTrap},
		{"supervisor write of a read-only page with WP", ptP, CR0WP, Write, Fault(VecPF, 3)},
		{"supervisor write of a read-only page without WP", ptP, 0, Write, NoTrap},
		{"supervisor write of a user read-only page without WP", ptP | ptUS, 0, Write, NoTrap},
		{"user write without WP", ptP | ptUS, 0, User | Write, Fault(VecPF, 7)},
		{"system structure at CPL 3", ptP | ptRW, CR0WP, Implicit | Write, NoTrap},
		{"fetch without NX has no I/D bit", 0, CR0WP, User | Fetch, Fault(VecPF, 4)},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newPaged(t)
			r.must(r.SetCR0(r.CR0&^CR0WP | c.cr0))
			r.Mem.Write(pte(r), 4, freeAt|c.entry)
			for range 2 { // the second time with what the TLB remembers
				at, f := r.Translate(l|0x123, c.a)
				if f != c.want || f == NoTrap && at != freeAt|0x123 {
					t.Errorf("%#x %v, want %v", at, f, c.want)
				}
				if f != NoTrap && r.faultAddress != l|0x123 {
					t.Errorf("fault address %#x", r.faultAddress)
				}
			}
		})
	}
}

func TestRightsAreTheAndOfBothLevels(t *testing.T) {
	r := newPaged(t)
	const l = 0x150000
	r.Mem.Write(ptAt+4*(l>>12), 4, freeAt|ptP|ptRW|ptUS)
	r.Mem.Write(pdAt, 4, ptAt|ptP|ptUS)
	r.TLB.Flush()
	if _, f := r.Translate(l, User|Write); f != Fault(VecPF, 7) {
		t.Errorf("read-only directory entry: %v", f)
	}
	r.Mem.Write(pdAt, 4, ptAt|ptP|ptRW)
	r.TLB.Flush()
	if _, f := r.Translate(l, User); f != Fault(VecPF, 5) {
		t.Errorf("supervisor directory entry: %v", f)
	}
}

func TestAccessedAndDirtyBits(t *testing.T) {
	r := newPaged(t)
	const l = 0x150000
	at := mem.Addr(ptAt + 4*(l>>12))
	r.Mem.Write(pdAt, 4, ptAt|ptP|ptRW|ptUS)
	r.Mem.Write(at, 4, freeAt|ptP|ptUS)
	r.TLB.Flush()
	if _, f := r.Translate(l, User|Write); f == NoTrap {
		t.Fatal("the write succeeded")
	}
	if r.Mem.Read(at, 4)&(ptA|ptD) != 0 {
		t.Error("a faulting write marks the page")
	}
	if _, f := r.Translate(l, User); f != NoTrap {
		t.Fatal(f)
	}
	if v := r.Mem.Read(at, 4) & (ptA | ptD); v != ptA || r.Mem.Read(pdAt, 4)&ptA == 0 {
		t.Errorf("after a read: %#x", v)
	}
	r.Mem.Write(at, 4, r.Mem.Read(at, 4)|ptRW)
	r.TLB.FlushPage(l)
	if _, f := r.Translate(l, User); f != NoTrap {
		t.Fatal(f)
	}
	r.must(r.WriteLinear(l, 4, 1, User))
	if r.Mem.Read(at, 4)&ptD == 0 {
		t.Error("a write leaves the page clean")
	}
	if v := r.TLB.View[WriteView+UserView][l>>12]; v == 0 {
		t.Error("a dirty user page is not on the fast path")
	}
}

func TestARightAddedInMemoryNeedsNoFlush(t *testing.T) {
	r := newPaged(t)
	const l = 0x150000
	at := mem.Addr(ptAt + 4*(l>>12))
	r.Mem.Write(at, 4, freeAt|ptP|ptUS)
	if _, f := r.Translate(l, User); f != NoTrap {
		t.Fatal(f)
	}
	r.Mem.Write(at, 4, freeAt|ptP|ptUS|ptRW)
	if _, f := r.Translate(l, User|Write); f != NoTrap {
		t.Errorf("a spurious fault reached the program: %v", f)
	}
}

func Test4MBytePages(t *testing.T) {
	r := newPaged(t)
	const l = 0x40000000
	r.Mem.Write(pdAt+4*(l>>22), 4, 0|ptP|ptRW|ptUS|ptPS)
	r.must(r.SetCR4(CR4PSE))
	at, f := r.Translate(l|0x123456, User|Write)
	if f != NoTrap || at != 0x123456 {
		t.Errorf("%#x %v", at, f)
	}
	if v := r.Mem.Read(pdAt+4*(l>>22), 4); v&(ptA|ptD) != ptA|ptD {
		t.Errorf("entry %#x after a write", v)
	}
	t.Run("bit 21 is reserved", func(t *testing.T) {
		r.Mem.Write(pdAt+4*(l>>22), 4, 1<<21|ptP|ptRW|ptUS|ptPS)
		r.TLB.Flush()
		if _, f := r.Translate(l, User); f != Fault(VecPF, 0xd) {
			t.Errorf("%v", f)
		}
	})
	t.Run("INVLPG drops the whole page", func(t *testing.T) {
		r.Mem.Write(pdAt+4*(l>>22), 4, ptP|ptRW|ptUS|ptPS)
		r.Translate(l|0x1000, User)
		r.Translate(l|0x2000, User)
		r.Mem.Write(pdAt+4*(l>>22), 4, 0)
		r.TLB.FlushPage(l | 0x1000)
		if _, f := r.Translate(l|0x2000, User); f != Fault(VecPF, 4) {
			t.Errorf("%v", f)
		}
	})
	t.Run("without CR4.PSE bit 7 is ignored", func(t *testing.T) {
		r.Mem.Write(pdAt+4*(l>>22), 4, ptAt|ptP|ptRW|ptUS|ptPS)
		r.must(r.SetCR4(0))
		if at, f := r.Translate(l|0x3000, 0); f != NoTrap || at != 0x3000 {
			t.Errorf("%#x %v", at, f)
		}
	})
}

func TestPAEPaging(t *testing.T) {
	const l = 0x150000
	pte := mem.Addr(ptAt + 8*(l>>12))
	const pde = 0x104000
	for _, c := range []struct {
		name  string
		pde   uint64
		entry uint64
		a     Access
		want  Trap
	}{
		{"user write", ptAt | ptP | ptRW | ptUS, freeAt | ptP | ptRW | ptUS, User | Write, NoTrap},
		{"fetch of an NX page", ptAt | ptP | ptRW | ptUS, freeAt | ptP | ptUS | ptNX, User | Fetch, Fault(VecPF, 0x15)},
		{"NX in the directory", ptAt | ptP | ptRW | ptUS | ptNX, freeAt | ptP | ptUS, User | Fetch, Fault(VecPF, 0x15)},
		{"read of an NX page", ptAt | ptP | ptRW | ptUS, freeAt | ptP | ptUS | ptNX, User, NoTrap},
		{"fetch, not present", ptAt | ptP | ptRW | ptUS, 0, Fetch, Fault(VecPF, 0x10)},
		{"address bit 36 is reserved", ptAt | ptP | ptRW | ptUS, freeAt | 1<<36 | ptP | ptUS, User, Fault(VecPF, 0xd)},
		{"reserved in the directory", ptAt | 1<<40 | ptP | ptRW, freeAt | ptP, Write, Fault(VecPF, 0xb)},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newPAE(t)
			r.Mem.Write64(pde, c.pde)
			r.Mem.Write64(pte, c.entry)
			r.TLB.Flush()
			at, f := r.Translate(l|4, c.a)
			if f != c.want || f == NoTrap && at != freeAt|4 {
				t.Errorf("%#x %v, want %v", at, f, c.want)
			}
		})
	}
	t.Run("2-MByte page", func(t *testing.T) {
		r := newPAE(t)
		r.Mem.Write64(pde+8, 0|ptP|ptRW|ptUS|ptPS|ptNX)
		if at, f := r.Translate(0x312345, User|Write); f != NoTrap || at != 0x112345 {
			t.Errorf("%#x %v", at, f)
		}
		if _, f := r.Translate(0x312345, User|Fetch); f != Fault(VecPF, 0x15) {
			t.Errorf("fetch: %v", f)
		}
		r.Mem.Write64(pde+8, 1<<13|ptP|ptPS)
		r.TLB.Flush()
		if _, f := r.Translate(0x312345, 0); f != Fault(VecPF, 9) {
			t.Errorf("reserved bit 13: %v", f)
		}
	})
	t.Run("NX is reserved without EFER.NXE", func(t *testing.T) {
		r := newPAE(t)
		r.Mem.Write64(pte, freeAt|ptP|ptUS|ptNX)
		r.must(r.WriteMSR(msrEFER, 0))
		if _, f := r.Translate(l, User|Fetch); f != Fault(VecPF, 0xd) {
			t.Errorf("%v", f)
		}
	})
	t.Run("reserved bits in a PDPTE are a general-protection fault", func(t *testing.T) {
		r := newPAE(t)
		r.Mem.Write64(0x105000, ptP|ptRW)
		r.fails(GP(0), func() Trap { return r.SetCR3(0x105000) })
	})
	t.Run("the PDPTEs are loaded with CR3, not from memory", func(t *testing.T) {
		r := newPAE(t)
		r.Mem.Write64(0x103000, 0)
		r.TLB.Flush()
		if _, f := r.Translate(0x1000, 0); f != NoTrap {
			t.Errorf("%v", f)
		}
		r.must(r.SetCR3(0x103000))
		if _, f := r.Translate(0x1000, 0); f != Fault(VecPF, 0) {
			t.Errorf("after MOV to CR3: %v", f)
		}
	})
	t.Run("the PDPTEs are loaded when CR0.CD and CR0.NW change", func(t *testing.T) {
		r := newPAE(t)
		r.Mem.Write64(0x103000, 0)
		r.must(r.SetCR0(r.CR0 ^ (CR0CD | CR0NW)))
		if _, f := r.Translate(0x1000, 0); f != Fault(VecPF, 0) {
			t.Errorf("%v", f)
		}
	})
}

func TestAnAccessAcrossPagesIsAllOrNothing(t *testing.T) {
	r := newPaged(t)
	const first, second = 0x150000, 0x151000
	r.Mem.Write(ptAt+4*(first>>12), 4, (freeAt+0x2000)|ptP|ptRW)
	r.Mem.Write(ptAt+4*(second>>12), 4, 0)
	r.Mem.Write(freeAt+0x2ffe, 2, 0x1122)
	f := r.WriteLinear(second-2, 4, 0xaabbccdd, 0)
	if f != Fault(VecPF, 2) || r.faultAddress != second {
		t.Errorf("%v at %#x", f, r.faultAddress)
	}
	if v := r.Mem.Read(freeAt+0x2ffe, 2); v != 0x1122 {
		t.Errorf("the first page was written: %#x", v)
	}
	r.Mem.Write(ptAt+4*(second>>12), 4, freeAt|ptP|ptRW)
	r.must(r.WriteLinear(second-1, 4, 0xaabbccdd, 0))
	if v, f := r.ReadLinear(second-1, 4, 0); f != NoTrap || v != 0xaabbccdd {
		t.Errorf("%#x %v", v, f)
	}
	if r.Mem.Read(freeAt+0x2fff, 1) != 0xdd || r.Mem.Read(freeAt, 2) != 0xbbcc {
		t.Error("the halves are not where the pages are")
	}
}

func TestMOVToCR3KeepsGlobalPages(t *testing.T) {
	r := newPaged(t)
	r.must(r.SetCR4(CR4PGE))
	const l, g = 0x150000, 0x151000
	r.Mem.Write(ptAt+4*(l>>12), 4, freeAt|ptP)
	r.Mem.Write(ptAt+4*(g>>12), 4, freeAt|ptP|ptG)
	r.Translate(l, 0)
	r.Translate(g, 0)
	r.Mem.Write(ptAt+4*(l>>12), 4, 0)
	r.Mem.Write(ptAt+4*(g>>12), 4, 0)
	r.must(r.SetCR3(pdAt))
	if _, f := r.Translate(l, 0); f == NoTrap {
		t.Error("an ordinary page survives")
	}
	if _, f := r.Translate(g, 0); f != NoTrap {
		t.Error("a global page does not survive")
	}
	r.must(r.SetCR4(0))
	if _, f := r.Translate(g, 0); f == NoTrap {
		t.Error("a global page survives a change of CR4.PGE")
	}
}

func TestControlRegistersRefuseWhatIsReserved(t *testing.T) {
	r := newReal(t)
	r.fails(GP(0), func() Trap { return r.SetCR0(CR0PG) })
	r.fails(GP(0), func() Trap { return r.SetCR0(CR0NW) })
	r.must(r.SetCR0(0))
	if r.CR0 != CR0ET {
		t.Errorf("CR0 = %#x: ET is fixed", r.CR0)
	}
}

// Without PSE-36 and PAT all bits from 12 to 21 of an entry for a 4-MByte page
// are reserved.
func TestWithoutPSE36TheHighAddressBitsAreReserved(t *testing.T) {
	for _, c := range []struct {
		model string
		bit   int
		want  Trap
	}{
		{"max", 12, NoTrap}, {"max", 13, NoTrap}, {"max", 16, NoTrap},
		{"max", 17, Fault(VecPF, 9)}, {"max", 21, Fault(VecPF, 9)},
		{"pentium", 12, Fault(VecPF, 9)}, {"pentium", 13, Fault(VecPF, 9)}, {"pentium", 21, Fault(VecPF, 9)},
		{"pentium", 22, NoTrap},
	} {
		r := newPaged(t)
		model, err := ModelByName(c.model)
		if err != nil {
			t.Fatal(err)
		}
		r.Model = model
		r.must(r.SetCR4(CR4PSE))
		r.Mem.Write(pdAt+4, 4, 1<<c.bit|ptP|ptPS)
		if _, f := r.Translate(0x400000, 0); f != c.want {
			t.Errorf("%s, bit %d: %v, want %v", c.model, c.bit, f, c.want)
		}
	}
}
