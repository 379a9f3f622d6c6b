package jit

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/mem"
)

// TestRandomProgramsWhosePagesMove runs random programs at level 3, and at level 0
// in global pages, while the tables change as they do in a guest: pages move to
// other frames, lose their accessed and dirty bits, are read-only for a while,
// and address spaces come and go. None of that a program can tell.
func TestRandomProgramsWhosePagesMove(t *testing.T) {
	if err := LacksWindows(); err != nil {
		t.Skipf("skipped: %v", err)
	}
	for name, bits := range map[string]uint32{"user": userPage, "kernel": kernelPage} {
		t.Run(name, func(t *testing.T) {
			var faults, hidden uint64
			for seed := range *programs {
				p := newRandom(1000 + seed)
				start := p.start()
				a := newWindowed(t, windowed)
				b := newRig(t, interpreted)
				p.load(a, start)
				p.load(b, start)
				b.toHalt(codeAt + uint32(len(p.code)) - 1)
				m := mover{rig: a, Rand: rand.New(rand.NewPCG(seed, 5)), bits: bits, free: dataFrame >> 12}
				m.begin()
				a.asKernel(start)
				end := b.EIP
				if bits&4 != 0 {
					a.asUser(start)
					end = trapAt + 8*halted + 1
				}
				for !a.Halted {
					a.engine.Run(1 + m.Uint64N(4000))
					m.change()
				}
				if a.EIP != end {
					t.Fatalf("program %d ends at %#x, want %#x", seed, a.EIP, end)
				}
				if !m.same(fmt.Sprintf("program %d", seed), b, bits&4 != 0) {
					return
				}
				faults, hidden = faults+a.stats().Exits[Unshown], hidden+a.stats().PagesHidden
			}
			t.Logf("%d faults, %d pages hidden", faults, hidden)
			if faults == 0 || hidden == 0 {
				t.Error("nothing happened in windows")
			}
		})
	}
}

// A mover changes the tables of a rig.
type mover struct {
	*rig
	*rand.Rand
	bits uint32 // of a page
	free uint32 // a frame that no page has
}

// The pages that a random program has.
const firstPage, lastPage = codeAt >> 12, stackAt>>12 - 1

// begin maps the program's pages as the test has them, and the rest for level 0.
func (m *mover) begin() {
	for p := range uint32(1024) {
		bits := m.bits
		if p < firstPage || p > lastPage {
			bits = kernelPage
		}
		m.m.Write(ptAt+4*mem.Addr(p), 4, p<<12|bits)
	}
	m.TLB.Flush()
}

// change changes an entry, and says so.
func (m *mover) change() {
	l := (firstPage + m.Uint32N(lastPage-firstPage+1)) << 12
	if m.IntN(2) == 0 {
		l = (dataAt + m.Uint32N(0x6000)) &^ 0xfff // where more happens
	}
	at := ptAt + 4*mem.Addr(l>>12)
	e := m.m.Read(at, 4)
	switch m.IntN(4) {
	case 0, 1: // to the free frame
		var page [mem.PageSize]byte
		if err := m.m.ReadAt(page[:], mem.Addr(e&^0xfff)); err != nil {
			m.t.Fatal(err)
		}
		m.write(mem.Addr(m.free)<<12, page[:]...)
		e, m.free = m.free<<12|e&0xfff, e>>12
	case 2:
		e &^= 0x60
	}
	m.m.Write(at, 4, e)
	switch m.IntN(3) {
	case 0:
		m.TLB.FlushPage(cpu.Linear(l))
		return
	case 1:
		m.SetCR4(m.CR4 ^ cpu.CR4PSE)
		return
	}
	// Global pages survive this.
	m.TLB.FlushPage(cpu.Linear(l))
	m.SetCR3(m.CR3)
}

// same compares what a program that ran elsewhere has left. An exception ended
// one of level 3, on the kernel's stack.
func (m *mover) same(what string, b *rig, user bool) bool {
	m.t.Helper()
	x, y := settled(m.State), settled(b.State)
	if user {
		x.GPR[cpu.ESP], x.EIP = y.GPR[cpu.ESP], y.EIP
	}
	if x.GPR != y.GPR || x.XMM != y.XMM || x.EIP != y.EIP {
		m.t.Errorf("%s: EIP %#x registers %x, want EIP %#x registers %x", what, x.EIP, x.GPR, y.EIP, y.GPR)
		return false
	}
	for l := uint32(firstPage << 12); l <= lastPage<<12; l += mem.PageSize {
		at := mem.Addr(m.m.Read(ptAt+4*mem.Addr(l>>12), 4) &^ 0xfff)
		for off := mem.Addr(0); off < mem.PageSize; off += 4 {
			if got, want := m.m.Read(at+off, 4), b.m.Read(mem.Addr(l)+off, 4); got != want {
				m.t.Errorf("%s: memory at %#x holds %#x, want %#x", what, l+uint32(off), got, want)
				return false
			}
		}
	}
	return true
}
