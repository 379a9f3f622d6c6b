package cpu

import (
	"math/rand/v2"
	"testing"

	"github.com/gov86/gov86/mem"
)

// Two address spaces for tests: what maps their pages from spacesAt on, in two
// regions each, lies from tablesAt on.
const (
	spacesAt = 0x40000000
	tablesAt = 0x110000
	spaceOf  = 0x10000 // what one address space has of that
	used     = 8       // pages of a region that tests use
)

// A twoSpaces is a rig with them.
type twoSpaces struct {
	*rig
	size    mem.Addr // of an entry
	regions Linear   // how far from one to the next
}

// newSpaces returns two rigs that are alike, one for the TLB at hand, and one that
// is to forget everything always.
func newSpaces(t *testing.T, pae bool) (a, b twoSpaces) {
	one := func() twoSpaces {
		s := twoSpaces{newPaged(t), 4, 4 << 20}
		if pae {
			s = twoSpaces{newPAE(t), 8, 2 << 20}
			for i := range mem.Addr(2) {
				s.Mem.Write64(s.root(i)+8*(spacesAt>>30), uint64(tablesAt+spaceOf*i+0x1000)|ptP)
			}
		}
		s.must(s.SetCR4(s.CR4 | CR4PSE | CR4PGE))
		return s
	}
	return one(), one()
}

// root is what CR3 is in address space i.
func (s *twoSpaces) root(i mem.Addr) mem.Addr { return tablesAt + spaceOf*i }

// directory is where the entry of region j lies, table where that of page k in it.
func (s *twoSpaces) directory(i, j mem.Addr) mem.Addr {
	first := s.root(i) + 4*(spacesAt>>22)
	if s.size == 8 {
		first = s.root(i) + 0x1000
	}
	return first + s.size*j
}

func (s *twoSpaces) table(i, j, k mem.Addr) mem.Addr {
	return s.root(i) + 0x2000 + 0x1000*j + s.size*k
}

// put writes an entry.
func (s *twoSpaces) put(at mem.Addr, e uint64) {
	if s.size == 8 {
		s.Mem.Write64(at, e)
	} else {
		s.Mem.Write(at, 4, uint32(e))
	}
}

// TestAddressSpacesComeBackAsTheyAre changes two address spaces at random, says so
// as the manual asks where the processor is in the one that changes, goes to and
// fro, and compares what accesses find and do to the tables with a TLB that forgets
// everything each time.
func TestAddressSpacesComeBackAsTheyAre(t *testing.T) {
	for name, pae := range map[string]bool{"32-bit": false, "PAE": true} {
		t.Run(name, func(t *testing.T) {
			a, b := newSpaces(t, pae)
			x := rand.New(rand.NewPCG(7, 8))
			in := mem.Addr(0)
			both := func(do func(s *twoSpaces)) { do(&a); do(&b) }
			both(func(s *twoSpaces) { s.must(s.SetCR3(uint32(s.root(in)))) })
			for n := range 60_000 {
				i, j, k := mem.Addr(x.IntN(2)), mem.Addr(x.IntN(2)), mem.Addr(x.IntN(used))
				l := spacesAt + Linear(j)*a.regions + Linear(k)<<12
				bits := x.Uint64()&(ptRW|ptUS|ptA|ptD) | ptP
				if x.IntN(8) == 0 {
					bits = bits &^ ptP
				}
				if pae && x.IntN(4) == 0 {
					bits |= ptNX
				}
				large := false // the region that changes was
				switch x.IntN(12) {
				case 0, 1: // a page is another
					e := uint64(0x180+x.IntN(0x40))<<12 | bits
					both(func(s *twoSpaces) { s.put(s.table(i, j, k), e) })
				case 2: // a region is another, or large
					e := uint64(a.table(mem.Addr(x.IntN(2)), mem.Addr(x.IntN(2)), 0)) | bits
					if x.IntN(3) == 0 {
						e = uint64(x.IntN(2))*uint64(a.regions) | bits | ptPS
					}
					large = a.Mem.Read(a.directory(i, j), 4)&(ptP|ptPS) == ptP|ptPS
					both(func(s *twoSpaces) { s.put(s.directory(i, j), e) })
				case 3: // bits go, as the kernel takes them
					mask := ^(x.Uint32() & (ptA | ptD | ptRW))
					both(func(s *twoSpaces) {
						at := s.table(i, j, k)
						s.Mem.Write(at, 4, s.Mem.Read(at, 4)&mask)
					})
				case 4, 5, 6:
					in ^= 1
					both(func(s *twoSpaces) { s.must(s.SetCR3(uint32(s.root(in)))) })
					continue
				default:
					access := []Access{0, Write, User, User | Write, Fetch, Fetch | User}[x.IntN(6)]
					b.TLB.Flush()
					atA, faultA := a.Translate(l, access)
					atB, faultB := b.Translate(l, access)
					if atA != atB || faultA != faultB {
						t.Fatalf("%d: access %#x to %#x in %d finds %#x, %v, want %#x, %v", n, access, l, in, atA, faultA, atB, faultB)
					}
					host := a.Mem.Page(atB&^0xfff, false)
					if faultB != NoTrap || host == nil {
						continue
					}
					if view := a.TLB.View[ReadView][l>>12]; view != addend(host, uint32(l>>12)) {
						t.Fatalf("%d: the view has %#x for %#x, want %#x", n, view, l, addend(host, uint32(l>>12)))
					}
					continue
				}
				if large && i == in {
					both(func(s *twoSpaces) { s.TLB.FlushPage(l) }) // one page of it is all
				} else {
					// Tables may be of both spaces, and of two regions.
					both(func(s *twoSpaces) { s.must(s.SetCR3(uint32(s.root(in)))) })
				}
				for at := mem.Addr(tablesAt); n%50 == 0 && at < tablesAt+2*spaceOf; at += 4 {
					if a.Mem.Read(at, 4) != b.Mem.Read(at, 4) {
						t.Fatalf("%d: the entry at %#x is %#x, want %#x", n, at, a.Mem.Read(at, 4), b.Mem.Read(at, 4))
					}
				}
			}
		})
	}
}

// TestAddressSpacesAreLookedUp checks what is at hand after a change of CR3 and back.
func TestAddressSpacesAreLookedUp(t *testing.T) {
	for name, pae := range map[string]bool{"32-bit": false, "PAE": true} {
		t.Run(name, func(t *testing.T) {
			for _, c := range []struct {
				what               string
				entry              uint64
				read, write, fetch bool
			}{
				{"the same", ptP | ptRW | ptUS | ptA | ptD, true, true, true},
				{"one not dirty", ptP | ptRW | ptUS | ptA, true, false, true},
				{"one not writable", ptP | ptUS | ptA | ptD, true, false, true},
				{"one not accessed", ptP | ptRW | ptUS | ptD, false, false, false},
				{"one that is not there", ptRW | ptUS | ptA | ptD, false, false, false},
				{"one not to be executed", ptNX | ptP | ptRW | ptUS | ptA | ptD, true, true, false},
			} {
				if c.entry&ptNX != 0 && !pae {
					continue
				}
				s, _ := newSpaces(t, pae)
				s.put(s.directory(0, 0), uint64(s.table(0, 0, 0))|ptP|ptRW|ptUS|ptA)
				s.put(s.table(0, 0, 3), freeAt|ptP|ptRW|ptUS|ptA|ptD)
				s.must(s.SetCR3(uint32(s.root(0))))
				const l = spacesAt + 0x3000
				if _, f := s.Translate(l, User|Write); f != NoTrap {
					t.Fatal(f)
				}
				s.must(s.SetCR3(uint32(s.root(1))))
				if s.TLB.entry[l>>12] != 0 {
					t.Error("another address space has the page")
				}
				s.put(s.table(0, 0, 3), freeAt+0x1000|c.entry)
				s.must(s.SetCR3(uint32(s.root(0))))
				for v, want := range map[View]bool{ReadView: c.read, WriteView: c.write, FetchView: c.fetch} {
					if got := s.TLB.View[UserView+v][l>>12]; (got != 0) != want {
						t.Errorf("%s: view %d has %#x", c.what, v, got)
					}
				}
				if e := s.TLB.entry[l>>12]; c.read && e>>12 != freeAt>>12+1 {
					t.Errorf("%s: the entry is %#x", c.what, e)
				}
			}
		})
	}
}

// TestGlobalPagesThatAreNotAnyMore: a page is global or not as its entry is when it
// is looked up.
func TestGlobalPagesThatAreNotAnyMore(t *testing.T) {
	s, _ := newSpaces(t, false)
	const l = 0x150000
	for _, global := range []uint32{ptG, 0, ptG} {
		s.Mem.Write(ptAt+4*(l>>12), 4, freeAt|ptP|ptRW|global)
		s.TLB.entry[l>>12] &^= entryDirty // it is looked up at a write, without INVLPG
		if _, f := s.Translate(l, Write); f != NoTrap {
			t.Fatal(f)
		}
		s.must(s.SetCR3(uint32(s.root(1))))
		if kept := s.TLB.entry[l>>12] != 0; kept != (global != 0) {
			t.Errorf("with G at %#x, in another address space it is kept: %v", global, kept)
		}
		s.must(s.SetCR3(pdAt))
	}
}
