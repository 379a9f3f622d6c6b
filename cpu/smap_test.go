package cpu

import (
	"testing"

	"github.com/gov86/gov86/mem"
)

// SMEP and SMAP (Intel SDM Vol. 3A, "Determination of Access Rights"). Every
// case is tried twice: by the page tables, and by what the TLB remembers.
func TestSupervisorAccessToUserPages(t *testing.T) {
	const (
		l    = 0x150000
		user = ptP | ptUS | ptRW
		read = ptP | ptUS // read-only
	)
	for _, c := range []struct {
		name          string
		entry         uint32
		cr4, cr0, ac  uint32
		a             Access
		want          Trap
		fast, atOther bool // the view is filled, and that of the other AC
	}{
		{"read", user, CR4SMAP, CR0WP, 0, 0, Fault(VecPF, 1), false, true},
		{"write", user, CR4SMAP, CR0WP, 0, Write, Fault(VecPF, 3), false, true},
		{"read without SMAP", user, CR4SMEP, CR0WP, 0, 0, NoTrap, true, true},
		{"read with AC", user, CR4SMAP, CR0WP, FlagAC, 0, NoTrap, true, false},
		{"write with AC", user, CR4SMAP, CR0WP, FlagAC, Write, NoTrap, true, false},
		{"write of a read-only page with AC", read, CR4SMAP, CR0WP, FlagAC, Write, Fault(VecPF, 3), false, false},
		{"write of a read-only page with AC, without WP", read, CR4SMAP, 0, FlagAC, Write, NoTrap, true, false},
		{"write without AC, without WP", user, CR4SMAP, 0, 0, Write, Fault(VecPF, 3), false, true},
		{"implicit read", user, CR4SMAP, CR0WP, 0, Implicit, Fault(VecPF, 1), false, false},
		{"implicit read with AC", user, CR4SMAP, CR0WP, FlagAC, Implicit, Fault(VecPF, 1), false, false},
		{"implicit write with AC", user, CR4SMAP, CR0WP, FlagAC, Implicit | Write, Fault(VecPF, 3), false, false},
		{"read of a page of its own", ptP | ptRW, CR4SMAP, CR0WP, 0, 0, NoTrap, true, true},
		{"write of a page of its own with AC", ptP | ptRW, CR4SMAP, CR0WP, FlagAC, Write, NoTrap, true, true},
		{"the user's read", user, CR4SMAP | CR4SMEP, CR0WP, 0, User, NoTrap, false, false},
		{"the user's write", user, CR4SMAP | CR4SMEP, CR0WP, 0, User | Write, NoTrap, false, false},
		{"the user's fetch", user, CR4SMAP | CR4SMEP, CR0WP, 0, User | Fetch, NoTrap, false, false},
		{"fetch with SMEP", user, CR4SMEP, CR0WP, 0, Fetch, Fault(VecPF, 0x11), false, false},
		{"fetch with SMEP and AC", user, CR4SMEP | CR4SMAP, CR0WP, FlagAC, Fetch, Fault(VecPF, 0x11), false, false},
		{"fetch with SMAP only", user, CR4SMAP, CR0WP, 0, Fetch, NoTrap, true, true},
		{"fetch of a page of its own", ptP, CR4SMEP | CR4SMAP, CR0WP, 0, Fetch, NoTrap, true, true},
		{"fetch of a page that is absent, with SMEP", 0, CR4SMEP, CR0WP, 0, Fetch, Fault(VecPF, 0x10), false, false},
		{"fetch of a page that is absent, without", 0, CR4SMAP, CR0WP, 0, Fetch, Fault(VecPF, 0), false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newPaged(t)
			r.must(r.SetCR4(c.cr4))
			r.must(r.SetCR0(r.CR0&^CR0WP | c.cr0))
			r.EFLAGS |= c.ac
			r.Mem.Write(ptAt+4*mem.Addr(l>>12), 4, freeAt|c.entry)
			for range 2 {
				if _, f := r.Translate(l, c.a); f != c.want {
					t.Errorf("%v, want %v", f, c.want)
				}
				r.Translate(l, c.a&^Implicit|User) // the user's own access fills the TLB
			}
			if c.a&(User|Implicit) != 0 {
				return
			}
			if got := r.view(c.a)[l>>12] != 0; got != c.fast {
				t.Errorf("on the fast path: %t, want %t", got, c.fast)
			}
			r.EFLAGS ^= FlagAC
			if got := r.view(c.a)[l>>12] != 0; got != c.atOther {
				t.Errorf("with the other AC on the fast path: %t, want %t", got, c.atOther)
			}
		})
	}
}

// view is the table that an access of a uses now.
func (r *rig) view(a Access) *Table {
	switch {
	case a&Fetch != 0:
		return r.TLB.View[FetchView]
	case a&Write != 0:
		return r.TLB.View[r.DataView()+WriteView]
	}
	return r.TLB.View[r.DataView()+ReadView]
}

func TestTheViewOfACHoldsOnlyWhileSMAPIsOn(t *testing.T) {
	r := newPaged(t)
	const l = 0x150000
	r.Mem.Write(ptAt+4*(l>>12), 4, freeAt|ptP|ptUS|ptRW)
	r.EFLAGS |= FlagAC
	if v := r.DataView(); v != 0 {
		t.Errorf("without SMAP AC chooses view %d", v)
	}
	r.must(r.SetCR4(CR4SMAP))
	if v := r.DataView(); v != OverrideView {
		t.Errorf("with SMAP AC chooses view %d", v)
	}
	override := r.TLB.View[OverrideView+WriteView]
	for _, forget := range []struct {
		what string
		fn   func()
	}{
		{"INVLPG", func() { r.TLB.FlushPage(l) }},
		{"MOV to CR3", func() { r.must(r.SetCR3(freeAt)) }},
		{"code in the page", func() { r.TLB.Protect(freeAt >> 12) }},
		{"CR4.SMAP", func() { r.must(r.SetCR4(0)) }},
	} {
		r.must(r.SetCR3(pdAt))
		if r.Translate(l, Write); override[l>>12] == 0 {
			t.Errorf("before %s the page is not in the view", forget.what)
		}
		if forget.fn(); override[l>>12] != 0 {
			t.Errorf("%s leaves the page in the view", forget.what)
		}
		r.TLB.Flush()
	}
	if r.Translate(l, Write); override[l>>12] != 0 {
		t.Error("the view is filled without SMAP")
	}
}

func TestWithoutPagingThereIsNoSMAP(t *testing.T) {
	r := newProtected(t)
	r.must(r.SetCR4(CR4SMAP | CR4SMEP))
	for _, a := range []Access{0, Write, Fetch, Implicit} {
		for range 2 {
			_, f := r.Translate(0x5000, a)
			r.must(f)
		}
	}
	if r.view(0)[5] == 0 || r.view(Fetch)[5] == 0 {
		t.Error("a page is not on the fast path")
	}
}

// The access that loads a descriptor is implicit: AC does not help.
func TestSMAPKeepsTablesFromUserPages(t *testing.T) {
	r := newPaged(t)
	r.must(r.SetCR4(CR4SMAP))
	at := ptAt + 4*mem.Addr(gdtAt>>12)
	r.Mem.Write(at, 4, r.Mem.Read(at, 4)|ptUS)
	r.TLB.Flush()
	r.EFLAGS |= FlagAC
	if f := r.LoadSegment(3, selData0); f != Fault(VecPF, 1) {
		t.Errorf("%v, want a page fault", f)
	}
}
