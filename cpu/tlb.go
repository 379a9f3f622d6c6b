package cpu

import "github.com/gov86/gov86/mem"

// pages is the number of linear pages.
const pages = 1 << 20

// A View is one right to access memory: what is done, and by whom. The TLB has
// a flat table of each.
type View uint8

// The views. A supervisor view plus UserView is the user's. Plus OverrideView it
// is that of a supervisor whom CR4.SMAP would keep from user pages and EFLAGS.AC
// does not; it is filled while CR4.SMAP is set, and there is none to fetch.
const (
	ReadView View = iota
	WriteView
	FetchView
	UserView
	OverrideView = 2 * UserView
	views        = OverrideView + FetchView
)

// Table maps a linear page to what must be added to a linear address to get
// the host address; 0 says that the access must take the slow path.
type Table [pages]uintptr

// A TLB is the translation look-aside buffer: one word a linear page that says
// what the page tables said, and per view a flat table of host addends derived
// from it. An addend is there only if the access needs nothing but itself: the
// page is memory, the right was checked, the accessed bit (to write, the dirty
// bit) is set, and a page to be written holds no decoded code.
//
// Entries that are filled are listed, so that a flush costs what was used: those of
// global pages apart, which most flushes keep.
type TLB struct {
	// View is indexed by View.
	View [views]*Table
	// Blank is a view that stays empty: every access takes the slow path.
	Blank *Table
	// Epoch changes whenever a translation may have: whoever remembers where a
	// linear address leads must ask again.
	Epoch uint32
	// Shadow, if it is not nil, is told of what is forgotten.
	Shadow Shadow

	entry         *[pages]uint32
	global, local []uint32 // pages with an entry
	// overrides tells that the override views are not empty.
	overrides bool
	// large tells of each 4 MiB whether a page of it came from a large page.
	large [pages >> 10]bool
	// spaces are address spaces that were left, next is where the next one goes.
	spaces [keptSpaces]space
	next   int
}

// A Shadow keeps translations of its own, made of the page tables and of what mem
// says of frames. It must not use them any longer than the TLB may.
type Shadow interface {
	// Flushed tells that all translations are forgotten, or those that are not
	// global.
	Flushed(global bool)
	// FlushedPage tells that the page of l is forgotten, and the large page that
	// it may be part of.
	FlushedPage(l Linear)
	// Protected tells that code was decoded from a frame.
	Protected(frame uint32)
	// Remapped tells that frames are not what they were.
	Remapped()
}

// Bits of TLB.entry beside the frame number in bits 12 to 31.
const (
	entryValid = 1 << iota
	entryUser
	entryWritable // by the page tables
	entryDirty
	entryNoExec
	entryGlobal
	entryLarge // of a 2- or 4-MByte page
)

// capacity bounds each list of filled pages: beyond it everything is flushed.
const capacity = 16384

// clear empties a page's entry and its views.
func (t *TLB) clear(page uint32) {
	t.entry[page] = 0
	for v := range t.used() {
		t.View[v][page] = 0
	}
}

// used is the number of views that may hold something. The others are not
// touched, so that they take no memory.
func (t *TLB) used() View {
	if t.overrides {
		return views
	}
	return OverrideView
}

// Flush forgets every translation.
func (t *TLB) Flush() {
	t.empty()
	if t.Shadow != nil {
		t.Shadow.Flushed(true)
	}
}

// Remap forgets every translation because frames are not what they were.
func (t *TLB) Remap() {
	t.empty()
	if t.Shadow != nil {
		t.Shadow.Remapped()
	}
}

// empty forgets every translation here.
func (t *TLB) empty() {
	t.drop(func(uint32) bool { return true })
	t.overrides = false
	t.Epoch++
}

// FlushLocal forgets every translation that is not global
// (Intel SDM Vol. 3A, "Global Pages").
func (t *TLB) FlushLocal() {
	for _, p := range t.local {
		t.clear(p)
	}
	t.local = t.local[:0]
	t.Epoch++
	if t.Shadow != nil {
		t.Shadow.Flushed(false)
	}
}

// FlushPage forgets the translation of the page that holds l, as INVLPG does.
// A large page is kept as the 4-KByte pages that were used of it: they all go.
func (t *TLB) FlushPage(l Linear) {
	page := uint32(l >> 12)
	region := page >> 10
	t.Epoch++
	if t.Shadow != nil {
		t.Shadow.FlushedPage(l)
	}
	if t.entry[page] == 0 && !t.large[region] {
		return
	}
	t.drop(func(p uint32) bool { return p == page || p>>10 == region && t.entry[p]&entryLarge != 0 })
	t.large[region] = false
}

// Protect takes away the right to write the frame on the fast path, since code
// was decoded from it.
func (t *TLB) Protect(frame uint32) {
	t.ProtectFrames(frame, frame)
	if t.Shadow != nil {
		t.Shadow.Protected(frame)
	}
}

// ProtectFrames is Protect for the frames from first to last.
func (t *TLB) ProtectFrames(first, last uint32) {
	for _, filled := range [...][]uint32{t.global, t.local} {
		for _, p := range filled {
			if f := t.entry[p] >> 12; f >= first && f <= last {
				for v := WriteView; v < t.used(); v += UserView {
					t.View[v][p] = 0
				}
			}
		}
	}
}

// Drop forgets what leads to the frames from first to last. Linear addresses
// still lead there, so that the epoch stays.
func (t *TLB) Drop(first, last uint32) {
	t.drop(func(p uint32) bool { return t.entry[p]>>12 >= first && t.entry[p]>>12 <= last })
}

// drop forgets the pages that gone says.
func (t *TLB) drop(gone func(page uint32) bool) {
	for _, filled := range [...]*[]uint32{&t.global, &t.local} {
		kept := (*filled)[:0]
		for _, p := range *filled {
			if gone(p) {
				t.clear(p)
			} else {
				kept = append(kept, p)
			}
		}
		*filled = kept
	}
}

// list enters page, with the bits of its entry, in the list that it belongs to.
func (t *TLB) list(page, bits uint32) {
	filled := &t.local
	if bits&entryGlobal != 0 {
		filled = &t.global
	}
	if len(*filled) == cap(*filled) {
		t.empty()
	}
	*filled = append(*filled, page)
}

// reopen derives the views of the page of l anew, after a write that opened it.
func (c *CPU) reopen(l Linear) {
	if e := c.TLB.entry[l>>12]; e&entryValid != 0 {
		c.fill(l, mem.Addr(e&^0xfff), e&0xfff&^entryValid)
	}
}

// fill enters a translation of the page of l and derives its views.
func (c *CPU) fill(l Linear, at mem.Addr, bits uint32) {
	if at >= 1<<32 {
		return
	}
	c.traceFill(l, at, bits)
	t := &c.TLB
	page := uint32(l >> 12)
	switch old := t.entry[page]; {
	case old == 0:
		t.list(page, bits)
	case (old^bits)&entryGlobal == 0:
		t.clear(page)
	default:
		t.drop(func(p uint32) bool { return p == page })
		t.list(page, bits)
	}
	t.entry[page] = c.Mem.Frame(at)<<12 | bits | entryValid
	if bits&entryLarge != 0 {
		t.large[page>>10] = true
	}
	user := bits&entryUser != 0
	override := c.guards(CR4SMAP)
	supervisorData := !(user && override)
	t.overrides = t.overrides || override
	if host := c.Mem.Page(at, false); host != nil {
		a := addend(host, page)
		if supervisorData {
			t.View[ReadView][page] = a
		}
		if override {
			t.View[OverrideView+ReadView][page] = a
		}
		if user {
			t.View[ReadView+UserView][page] = a
		}
		if bits&entryNoExec == 0 {
			if !(user && c.guards(CR4SMEP)) {
				t.View[FetchView][page] = a
			}
			if user {
				t.View[FetchView+UserView][page] = a
			}
		}
	}
	if bits&entryDirty == 0 {
		return
	}
	if host := c.Mem.Page(at, true); host != nil {
		a := addend(host, page)
		writable := bits&entryWritable != 0
		supervisorWritable := writable || c.CR0&CR0WP == 0
		if supervisorData && supervisorWritable {
			t.View[WriteView][page] = a
		}
		if override && supervisorWritable {
			t.View[OverrideView+WriteView][page] = a
		}
		if user && writable {
			t.View[WriteView+UserView][page] = a
		}
	}
}
