package cpu

import (
	"math/rand/v2"
	"testing"

	"github.com/gov86/gov86/mem"
)

// TestLeafAgreesWithTranslate has random tables, and compares what a region says
// of its pages with what accesses find, and do to the entries.
func TestLeafAgreesWithTranslate(t *testing.T) {
	const first, n = 0x100, 0x100 // pages with random entries
	for name, build := range map[string]func(testing.TB) *rig{"32-bit": newPaged, "PAE": newPAE} {
		t.Run(name, func(t *testing.T) {
			r := build(t)
			size := mem.Addr(4)
			if name == "PAE" {
				size = 8
			}
			random := rand.New(rand.NewPCG(3, 4))
			for i := range mem.Addr(n) {
				e := uint32(random.Uint32N(0x100))<<12 | random.Uint32()&(ptP|ptRW|ptUS|ptA|ptD|ptG) | ptP
				r.Mem.Write(freeAt+i*size, 4, e)
			}
			copyTable(r, freeAt, ptAt+size*first, n*size)
			r.TLB.Flush()
			leaves := 0
			for page := uint32(first); page < first+n; page++ {
				l := Linear(page << 12)
				entry := mem.Addr(ptAt) + size*mem.Addr(page)
				if _, f := r.Translate(l, 0); f != NoTrap { // the directory's accessed bit
					t.Fatalf("%#x: %v", l, f)
				}
				r.TLB.Flush()
				r.Mem.Write(entry, 4, r.Mem.Read(freeAt+size*mem.Addr(page-first), 4))
				before := r.Mem.Read(entry, 4)
				g := r.Region(l)
				i := page - g.First
				if i >= g.Pages || uint32(g.Entry(i)) != before {
					t.Fatalf("%#x: page %d of %d, entry %#x, want %#x", l, i, g.Pages, g.Entry(i), before)
				}
				leaf, ok := r.Leaf(&g, i, g.Entry(i))
				if ok != (before&ptA != 0) {
					t.Fatalf("%#x: an entry %#x makes a leaf: %v", l, before, ok)
				}
				if !ok {
					continue
				}
				leaves++
				if at, _ := r.Translate(l, 0); uint32(at>>12) != leaf.Frame {
					t.Errorf("%#x: frame %#x, but Translate says %#x", l, leaf.Frame, at)
				}
				_, f := r.Translate(l, User|Write)
				if (f == NoTrap) != (leaf.User && leaf.Writable) {
					t.Errorf("%#x: %+v, but a user's write says %v", l, leaf, f)
				}
				if after := r.Mem.Read(entry, 4); f == NoTrap && (after == before) != leaf.Dirty {
					t.Errorf("%#x: %+v, and a write makes %#x of %#x", l, leaf, after, before)
				}
			}
			if leaves < n/4 {
				t.Errorf("%d leaves", leaves)
			}
		})
	}
}

func TestRegionsOfLargePagesAndWithoutPaging(t *testing.T) {
	r := newPaged(t)
	r.must(r.SetCR4(CR4PSE | CR4PGE))
	r.Mem.Write(pdAt+4, 4, 0x00800000|ptP|ptPS|ptG|ptA|ptD)
	g := r.Region(0x412345)
	if l, ok := r.Leaf(&g, 5, g.Entry(5)); !ok || !g.Large || g.First != 0x400 || l != (Leaf{Frame: 0x805, Dirty: true, Global: true}) {
		t.Errorf("large page: %+v, %+v", g, l)
	}
	if _, ok := r.Leaf(&g, 5, g.Entry(5)|1<<13); ok {
		t.Error("a reserved bit is passed over")
	}
	g = r.Region(0x812345)
	if _, ok := r.Leaf(&g, 5, g.Entry(5)); ok || g.Directory != 0 {
		t.Errorf("hole: %+v", g)
	}
	r.must(r.SetCR3(0xfffff000)) // where there is no memory
	if g = r.Region(0); g.Entry(3) != 0 {
		t.Errorf("without tables: %+v", g)
	}
	r.must(r.SetCR0(r.CR0 &^ CR0PG))
	g = r.Region(0x412345)
	if l, ok := r.Leaf(&g, 5, g.Entry(5)); !ok || l.Frame != 0x405 || !l.User || !l.Writable || !l.Dirty {
		t.Errorf("without paging: %+v, %+v", g, l)
	}
}

// TestTheShadowIsTold checks what reaches a Shadow, and that a full TLB, which
// changes no translation, does not.
func TestTheShadowIsTold(t *testing.T) {
	r := newPaged(t)
	s := &told{}
	r.TLB.Shadow = s
	r.must(r.SetCR3(r.CR3))
	r.must(r.SetCR4(r.CR4 ^ CR4PSE))
	r.TLB.FlushPage(0x123456)
	r.TLB.Protect(7)
	r.Mem.SetA20(false)
	want := told{local: 1, global: 1, page: 0x123456, frame: 7, remapped: 1}
	if *s != want {
		t.Errorf("told %+v, want %+v", *s, want)
	}
	r.must(r.SetCR0(r.CR0 &^ CR0PG))
	before := *s
	for p := range Linear(capacity + 1) {
		if _, f := r.Translate(p<<12, 0); f != NoTrap {
			t.Fatal(f)
		}
	}
	if *s != before {
		t.Errorf("told %+v, want %+v", *s, before)
	}
}

// told is a Shadow that counts.
type told struct {
	local, global, remapped int
	page                    Linear
	frame                   uint32
}

func (s *told) Flushed(global bool) {
	if global {
		s.global++
	} else {
		s.local++
	}
}
func (s *told) FlushedPage(l Linear)   { s.page = l }
func (s *told) Protected(frame uint32) { s.frame = frame }
func (s *told) Remapped()              { s.remapped++ }
