package jit

import "slices"

// Which flags the code behind a jump into another page wants is known only while
// that page is where it was. A unit that looked there compares the pages when it
// is entered; if one is another, or not in the TLB, control goes to a plain unit
// for the same code, which takes every flag to be wanted there.

// A lookedAt is a page that a unit was made in view of, with its addend.
type lookedAt struct {
	page   uint32
	addend uintptr
}

// maxLooked bounds how many pages a unit compares.
const maxLooked = 2

// mayLook reports whether the unit may depend on what is in a page. One of an
// instruction that runs into the next page has no plain unit beside it, nor has one
// with a window, where accesses leave the flags alone and little is gained.
func (t *translator) mayLook(page uint32) bool {
	if t.u.key&(keyPlain|keyWindow) != 0 || t.u.spill || t.e.fetchView()[page] == 0 {
		return false
	}
	return len(t.looked) < maxLooked || slices.ContainsFunc(t.looked, func(l lookedAt) bool { return l.page == page })
}

// look notes that the unit depends on a page.
func (t *translator) look(page uint32) {
	l := lookedAt{page, t.e.fetchView()[page]}
	if !slices.Contains(t.looked, l) {
		t.looked = append(t.looked, l)
	}
}

// guardLooked compares the pages that were looked into.
func (t *translator) guardLooked() {
	if t.e.exact {
		return // it keeps all flags
	}
	for _, l := range t.looked {
		t.comparePage(l.page, l.addend, func(at int) {
			t.late(at, lateLink, site{kind: wantPlain, eip: t.u.linear - t.u.base})
			t.lates[len(t.lates)-1].live = t.atEntry
		})
	}
}
