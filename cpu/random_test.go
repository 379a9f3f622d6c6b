package cpu

import (
	"math/rand/v2"
	"testing"

	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/mem"
)

// A shuffler fills a rig's tables with descriptors that are often valid.
type shuffler struct {
	*rig
	*rand.Rand
	cr3 uint32 // the one that works
}

// selector is one of the GDT or, now and then, of the LDT or beyond.
func (s *shuffler) selector() uint16 {
	sel := uint16(s.IntN(24))*8 | uint16(s.IntN(4))
	if s.IntN(16) == 0 {
		sel |= 4
	}
	return sel
}

func (s *shuffler) access() uint16 {
	a := uint16(s.IntN(256)) | uint16(s.IntN(16))<<12
	if s.IntN(4) != 0 {
		a |= AccessP
	}
	return a
}

func (s *shuffler) tables() {
	for sel := uint16(8); sel < gdtLimit; sel += 8 {
		switch a := s.access(); {
		case s.IntN(3) == 0:
			s.gate(gdtAt+mem.Addr(sel), a&^AccessS, s.selector(), s.Uint32N(0x10000), s.Uint32N(32))
		case s.IntN(4) == 0:
			s.put(sel, uint32(tssAt+s.IntN(2)*0x800), 0x67+s.Uint32N(0x100), a&0xe0|[]uint16{1, 2, 3, 9, 11}[s.IntN(5)])
		default:
			s.put(sel, s.Uint32N(4)*0x1000, 0xfff+s.Uint32N(2)*0xff000, a|AccessS)
		}
	}
	for v := range uint8(32) {
		s.vector(v, AccessP|[]uint16{5, 6, 7, 14, 15, 12}[s.IntN(6)]|uint16(s.IntN(4))<<5, s.selector(), s.Uint32N(0x2000))
	}
	for _, tss := range []mem.Addr{tssAt, tss2At} {
		for off := mem.Addr(0); off < 0x68; off += 4 {
			v := s.Uint32()
			if s.IntN(4) != 0 {
				v = uint32(s.selector()) // selectors, flags and small pointers alike
			}
			s.Mem.Write(tss+off, 4, v)
		}
		s.Mem.Write(tss+tss32CR3, 4, s.cr3)
	}
}

// state puts the processor in some mode that a program could have reached.
func (s *shuffler) state() {
	s.Halted, s.Shutdown, s.Shadow, s.NMIBlocked = false, false, false, s.IntN(2) == 0
	s.CR3 = s.cr3
	s.CR0, s.EFLAGS = s.CR0&^(CR0TS|CR0PE)|CR0PE, FlagOne|s.Uint32()&loadable&^FlagVM
	s.CR4 = s.CR4&^CR4VME | s.Uint32()&CR4VME
	s.CPL = uint8(s.IntN(4))
	s.LDTR = Segment{Base: ldtAt, Limit: 0x1f, Usable: s.IntN(2) == 0}
	s.TR = Segment{Selector: selTSS, Base: tssAt, Limit: 0x67 + s.Uint32N(0x100), Usable: true,
		Access: AccessP | []uint16{typeTSS32Busy, typeTSS16Busy}[s.IntN(2)]}
	for i := range s.Seg {
		s.Seg[i] = Segment{Selector: s.selector(), Usable: s.IntN(8) != 0, Limit: 0xffff + s.Uint32N(2)*0xffff0000,
			Access: s.access()&AccessDB | AccessP | AccessS | AccessRW | uint16(s.CPL)<<5}
	}
	s.Seg[isa.CS].Access |= AccessCode
	switch s.IntN(4) {
	case 0:
		s.v86(s.Uint32N(4))
	case 1:
		if s.CR0&CR0PG == 0 {
			s.CR0 &^= CR0PE
			s.CPL = 0
		}
	}
	s.EIP = s.Uint32N(0x1000)
	for i := range uint8(8) {
		s.SetReg32(i, s.Uint32())
	}
	s.SetReg32(ESP, 0x5000+s.Uint32N(0x1000))
	for range 10 {
		f := s.currentFrame()
		v := s.Uint32()
		if s.IntN(3) != 0 {
			v = uint32(s.selector())
		}
		_ = f.push(v, 2<<s.IntN(2)) // a limit may be in the way
		f.commit()
	}
	s.TLB.Flush()
}

func (s *shuffler) operation() (name string, op func() Trap) {
	sel, off, size := s.selector(), s.Uint32N(0x1000), 2<<s.IntN(2)
	switch s.IntN(10) {
	case 0:
		return "far jump", func() Trap { return s.FarJump(sel, off, size) }
	case 1, 2:
		return "far call", func() Trap { return s.FarCall(sel, off, size) }
	case 3:
		return "far return", func() Trap { return s.FarReturn(size, 8) }
	case 4, 5:
		return "IRET", func() Trap { return s.InterruptReturn(size) }
	case 6:
		return "INT n", func() Trap { return s.SoftwareInterrupt(uint8(sel >> 3)) }
	case 7:
		return "load segment", func() Trap { return s.LoadSegment([]isa.Seg{isa.SS, isa.DS, isa.FS}[off%3], sel) }
	case 8:
		return "LLDT", func() Trap { return s.LoadLDT(sel) }
	}
	return "LTR", func() Trap { return s.LoadTR(sel) }
}

func TestAFaultChangesNothingWhateverTheTablesSay(t *testing.T) {
	rounds := 60000
	if testing.Short() {
		rounds = 5000
	}
	for _, paged := range []bool{false, true} {
		r := newProtected(t)
		if paged {
			r = newPaged(t)
		}
		s := &shuffler{rig: r, Rand: rand.New(rand.NewPCG(1, 2)), cr3: r.CR3}
		done := map[string]int{}
		for n := range rounds {
			if paged {
				// Pages of every right. A task switch may have overwritten them.
				r.Mem.Write(pdAt, 4, ptAt|ptP|ptRW|ptUS)
				for i := range mem.Addr(8) {
					r.Mem.Write(ptAt+4*i, 4, uint32(i)<<12|ptP|ptUS|uint32(i&1)<<1)
				}
			}
			s.tables()
			s.state()
			before := *s.State
			name, op := s.operation()
			f := op()
			if f == NoTrap {
				done[name]++
			} else if !f.After() {
				before.NMIBlocked, before.EFLAGS = s.NMIBlocked, before.EFLAGS&^FlagRF|s.EFLAGS&FlagRF
				if *s.State != before {
					t.Fatalf("round %d: %s faulted with %v and changed registers", n, name, f)
				}
			}
			if f != NoTrap {
				s.Deliver(f)
			}
			if err := (&registers{State: *s.State}).validate(s.Model); err != nil {
				t.Fatalf("round %d: %s (%v) led to a state that is none: %v", n, name, f, err)
			}
		}
		for _, name := range []string{"far jump", "far call", "far return", "IRET", "INT n", "load segment", "LTR"} {
			if done[name] < rounds/4000 {
				t.Errorf("paging %t: %s succeeded only %d times", paged, name, done[name])
			}
		}
	}
}

func TestInterruptsDoNotAllocate(t *testing.T) {
	r := newProtected(t)
	r.vector(0x80, accInt|dpl3, selCode0, 0x9000)
	r.vector(VecPF, accInt, selCode0, 0x9000)
	r.level(3)
	if n := testing.AllocsPerRun(100, func() {
		r.must(r.SoftwareInterrupt(0x80))
		r.must(r.InterruptReturn(4))
		r.Deliver(Fault(VecPF, 4))
		r.SetReg32(ESP, r.Reg32(ESP)+4)
		r.must(r.InterruptReturn(4))
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
