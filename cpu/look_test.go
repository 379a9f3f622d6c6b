package cpu

import (
	"math/rand/v2"
	"testing"

	"github.com/gov86/gov86/mem"
)

func TestLookAgreesWithTranslateAndChangesNothing(t *testing.T) {
	const first, n = 0x100, 0x40 // pages with random entries
	for name, build := range map[string]func(testing.TB) *rig{"32-bit": newPaged, "PAE": newPAE} {
		t.Run(name, func(t *testing.T) {
			r := build(t)
			size := mem.Addr(4)
			if name == "PAE" {
				size = 8
			}
			random := rand.New(rand.NewPCG(1, 2))
			for i := range mem.Addr(n) {
				e := uint32(random.Uint32N(0x100))<<12 | random.Uint32()&(ptP|ptRW|ptUS)
				r.Mem.Write(freeAt+i*size, 4, e)
			}
			// The entries live in a table of their own: no test writes its own tables.
			copyTable(r, freeAt, ptAt+size*first, n*size)
			r.TLB.Flush()
			for page := range Linear(n) {
				l := (first+page)<<12 | Linear(random.Uint32N(0x1000))
				entry := mem.Addr(ptAt) + size*mem.Addr(first+page)
				before := r.Mem.Read(entry, 4)
				m := r.Look(l)
				if after := r.Mem.Read(entry, 4); after != before {
					t.Fatalf("%#x: the entry changed from %#x to %#x", l, before, after)
				}
				at, f := r.Translate(l, 0)
				if m.Present != (f == NoTrap) || m.Present && m.At(l) != at {
					t.Errorf("%#x: %+v, but Translate says %#x %v", l, m, at, f)
				}
				if _, f := r.Translate(l, User|Write); m.Present && (m.User && m.Writable) != (f == NoTrap) {
					t.Errorf("%#x: %+v, but a user's write says %v", l, m, f)
				}
			}
		})
	}
}

func copyTable(r *rig, from, to, n mem.Addr) {
	for i := mem.Addr(0); i < n; i += 4 {
		r.Mem.Write(to+i, 4, r.Mem.Read(from+i, 4))
	}
}

func TestLookFindsLargePagesAndHoles(t *testing.T) {
	r := newPaged(t)
	r.must(r.SetCR4(CR4PSE))
	r.Mem.Write(pdAt+4, 4, 0x00800000|ptP|ptPS|ptG)
	if m := r.Look(0x412345); m.Linear != 0x400000 || m.Size != 4<<20 || m.At(0x412345) != 0x812345 || !m.Global {
		t.Errorf("large page: %+v", m)
	}
	if m := r.Look(0x812345); m.Present || m.Linear != 0x800000 || m.Size != 4<<20 {
		t.Errorf("hole: %+v", m)
	}
	r.must(r.SetCR3(0xfffff000)) // where there is no memory
	if m := r.Look(0); m.Present {
		t.Errorf("without tables: %+v", m)
	}
}
