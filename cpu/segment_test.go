package cpu

import (
	"testing"

	"github.com/gov86/gov86/cpu/isa"
)

func TestLoadingASegmentRegisterChecksItsDescriptor(t *testing.T) {
	for _, c := range []struct {
		name     string
		cpl      uint8
		seg      isa.Seg
		selector uint16
		want     Trap
	}{
		{"data segment, RPL and CPL not above DPL", 3, isa.DS, selData3, NoTrap},
		{"data segment of more privilege", 3, isa.DS, selData0, GP(selData0)},
		{"RPL above DPL at CPL 0", 0, isa.DS, selData0 | 3, GP(selData0)},
		{"outer data at CPL 0", 0, isa.ES, selData3, NoTrap},
		{"readable conforming code of DPL 0 at CPL 3", 3, isa.FS, selConform | 3, NoTrap},
		{"readable code", 0, isa.GS, selCode0, NoTrap},
		{"execute-only code", 0, isa.DS, selExecute, GP(selExecute)},
		{"system segment", 0, isa.DS, selTSS2, GP(selTSS2)},
		{"not present", 0, isa.DS, selAbsent, Fault(VecNP, selAbsent&^3)},
		{"beyond the limit of the GDT", 0, isa.DS, selBeyond, GP(selBeyond)},
		{"LDT while LDTR is null", 0, isa.DS, 4, GP(4)},
		{"null", 0, isa.DS, 0, NoTrap},
		{"null with RPL 3", 0, isa.DS, 3, NoTrap},
		{"SS null", 0, isa.SS, 0, GP(0)},
		{"SS, RPL not CPL", 0, isa.SS, selData0 | 1, GP(selData0)},
		{"SS, DPL not CPL", 0, isa.SS, selData3 &^ 3, GP(selData3 &^ 3)},
		{"SS, not writable", 3, isa.SS, selReadOnly, GP(selReadOnly &^ 3)},
		{"SS, code", 0, isa.SS, selCode0, GP(selCode0)},
		{"SS not present is a stack fault", 3, isa.SS, selAbsent, Fault(VecSS, selAbsent&^3)},
		{"SS", 3, isa.SS, selData3, NoTrap},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newProtected(t)
			r.LDTR = Segment{}
			r.level(c.cpl)
			r.fails(c.want, func() Trap { return r.LoadSegment(c.seg, c.selector) })
			if c.want == NoTrap && r.Seg[c.seg].Selector != c.selector {
				t.Errorf("selector %#x, want %#x", r.Seg[c.seg].Selector, c.selector)
			}
			if null(c.selector) && c.want == NoTrap && r.Seg[c.seg].Usable {
				t.Error("a null segment is usable")
			}
		})
	}
}

func TestADescriptorLoadsBaseLimitAndAccessedBit(t *testing.T) {
	r := newProtected(t)
	r.put(selSpare, 0x89abcdef, 0x12345, accData)
	r.must(r.LoadSegment(isa.DS, selSpare))
	want := Segment{Selector: selSpare, Access: accData | AccessA, Limit: 0x12345fff, Base: 0x89abcdef, Usable: true}
	if got := r.Seg[isa.DS]; got != want {
		t.Errorf("DS = %+v, want %+v", got, want)
	}
	if r.Mem.Read(gdtAt+selSpare+5, 1)&1 == 0 {
		t.Error("the accessed bit is clear in the table")
	}
}

func TestTheLDTIsUsedWhenTIIsSet(t *testing.T) {
	r := newProtected(t)
	r.must(r.LoadLDT(selLDT))
	r.Mem.Write(ldtAt+8, 4, 0x1234)
	r.Mem.Write(ldtAt+12, 4, uint32(AccessP|AccessS|AccessRW)<<8)
	r.must(r.LoadSegment(isa.DS, 8|4))
	if got := r.Seg[isa.DS].Limit; got != 0x1234 {
		t.Errorf("limit %#x, want 0x1234", got)
	}
	r.fails(GP(0x20|4), func() Trap { return r.LoadSegment(isa.DS, 0x20|4) })
}

func TestRealModeKeepsTheLimitAndV86ModeSetsIt(t *testing.T) {
	r := newReal(t)
	r.Seg[isa.DS].Limit = 0xffffffff
	r.must(r.LoadSegment(isa.DS, 0x1234))
	if g := r.Seg[isa.DS]; g.Base != 0x12340 || g.Limit != 0xffffffff {
		t.Errorf("real mode: %+v", g)
	}
	r.Seg[isa.ES] = Segment{} // null in protected mode
	r.must(r.LoadSegment(isa.ES, 0x10))
	if g := r.Seg[isa.ES]; !g.Usable || g.Limit != 0xffff {
		t.Errorf("a null segment loaded in real mode: %+v", g)
	}
	p := newProtected(t)
	p.v86(0)
	p.must(p.LoadSegment(isa.DS, 0xffff))
	if g := p.Seg[isa.DS]; g.Base != 0xffff0 || g.Limit != 0xffff || g.DPL() != 3 || g.Access&AccessDB != 0 {
		t.Errorf("virtual-8086 mode: %+v", g)
	}
}

func TestLimitAndTypeChecking(t *testing.T) {
	for _, c := range []struct {
		name     string
		selector uint16
		seg      isa.Seg
		off      uint32
		n        int
		write    bool
		want     Trap
	}{
		{"last byte", selSmall, isa.DS, 0xfff, 1, true, NoTrap},
		{"one past", selSmall, isa.DS, 0x1000, 1, false, GP(0)},
		{"doubleword across the limit", selSmall, isa.DS, 0xffd, 4, false, GP(0)},
		{"across the limit of SS", selSmall, isa.SS, 0xffd, 4, false, Fault(VecSS, 0)},
		{"wrapping past 4 GiB", selSmall, isa.DS, 0xfffffffe, 4, false, GP(0)},
		{"expand-down at the limit", selDown, isa.DS, 0xfff, 1, false, GP(0)},
		{"expand-down above the limit", selDown, isa.DS, 0x1000, 4, true, NoTrap},
		{"expand-down to the top", selDown, isa.DS, 0xfffffffc, 4, true, NoTrap},
		{"expand-down past the top", selDown, isa.DS, 0xfffffffd, 4, true, GP(0)},
		{"write to read-only data", selReadOnly, isa.DS, 0, 1, true, GP(0)},
		{"read of read-only data", selReadOnly, isa.DS, 0, 1, false, NoTrap},
		{"write to code", selCode3, isa.DS, 0, 1, true, GP(0)},
		{"read of readable code", selCode3, isa.DS, 0, 1, false, NoTrap},
		{"null segment", 0, isa.DS, 0, 1, false, GP(0)},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newProtected(t)
			r.level(3)
			r.must(r.LoadSegment(c.seg, c.selector))
			r.fails(c.want, func() Trap { return r.Check(c.seg, c.off, c.n, c.write) })
		})
	}
	t.Run("read of execute-only code through CS", func(t *testing.T) {
		r := newProtected(t)
		r.Seg[isa.CS] = r.descriptor(selExecute).segment(selExecute)
		r.fails(GP(0), func() Trap { return r.Check(isa.CS, 0, 1, false) })
	})
	t.Run("16-bit expand-down ends at FFFFH", func(t *testing.T) {
		r := newProtected(t)
		r.put(selSpare, 0, 0xfff, AccessP|AccessS|AccessRW|AccessDC)
		r.must(r.LoadSegment(isa.DS, selSpare))
		r.fails(GP(0), func() Trap { return r.Check(isa.DS, 0xffff, 2, false) })
		r.must(r.Check(isa.DS, 0xfffe, 2, false))
	})
	t.Run("real mode writes through CS", func(t *testing.T) {
		r := newReal(t)
		r.must(r.Check(isa.CS, 0xfffe, 2, true))
		r.fails(GP(0), func() Trap { return r.Check(isa.CS, 0xffff, 2, true) })
	})
}

func TestLLDTAndLTR(t *testing.T) {
	r := newProtected(t)
	r.put(selSpare, 0, 0, typeLDT)
	r.fails(GP(selTSS2), func() Trap { return r.LoadLDT(selTSS2) })
	r.fails(GP(4|8), func() Trap { return r.LoadLDT(4 | 8) })
	r.fails(Fault(VecNP, selSpare), func() Trap { return r.LoadLDT(selSpare) })
	r.must(r.LoadLDT(selLDT))
	r.must(r.LoadLDT(3))
	if r.LDTR.Usable || r.LDTR.Selector != 3 {
		t.Errorf("LDTR after a null selector: %+v", r.LDTR)
	}
	r.fails(GP(0), func() Trap { return r.LoadTR(0) })
	r.fails(GP(selTSS), func() Trap { return r.LoadTR(selTSS) }) // busy
	r.fails(GP(selLDT), func() Trap { return r.LoadTR(selLDT) })
	r.put(selSpare, 0, 0, typeTSS16)
	r.fails(Fault(VecNP, selSpare), func() Trap { return r.LoadTR(selSpare) })
	r.must(r.LoadTR(selTSS2))
	if k := r.descriptor(selTSS2).kind(); k != typeTSS32Busy || r.TR.Access&15 != typeTSS32Busy {
		t.Errorf("type after LTR: %d in the table, %d in TR", k, r.TR.Access&15)
	}
}

func TestLARLSLVERRAndVERWSeeWhatTheLevelMay(t *testing.T) {
	r := newProtected(t)
	r.gate(gdtAt+selGate, AccessP|typeCall32|dpl3, selCode0, 0x1234, 0)
	r.level(3)
	for _, c := range []struct {
		selector               uint16
		lar, lsl, readable, wr bool
	}{
		{0, false, false, false, false},
		{selBeyond, false, false, false, false},
		{selData3, true, true, true, true},
		{selData0, false, false, false, false},
		{selCode3, true, true, true, false},
		{selReadOnly, true, true, true, false},
		{selConform, true, true, true, false},
		{selAbsent, true, true, true, true},
		{selGate, true, false, false, false},
		{selTSS, false, false, false, false}, // DPL 0
	} {
		rights, lar, _ := r.LoadAccessRights(c.selector)
		_, lsl, _ := r.SegmentLimit(c.selector)
		readable, _ := r.Verify(c.selector, false)
		writable, _ := r.Verify(c.selector, true)
		if lar != c.lar || lsl != c.lsl || readable != c.readable || writable != c.wr {
			t.Errorf("%#x: LAR %t LSL %t VERR %t VERW %t, want %+v", c.selector, lar, lsl, readable, writable, c)
		}
		if d := c.selector; lar && rights != r.descriptor(d).high&0xf0ff00 {
			t.Errorf("%#x: rights %#x", d, rights)
		}
	}
	r.level(0)
	if limit, ok, _ := r.SegmentLimit(selTSS); !ok || limit != 0x7ff {
		t.Errorf("LSL of a busy TSS: %#x %t", limit, ok)
	}
	if limit, ok, _ := r.SegmentLimit(selData0); !ok || limit != 0xffffffff {
		t.Errorf("LSL with G: %#x %t", limit, ok)
	}
	r.put(selSpare, 0, 0, AccessP|typeInt32)
	if _, ok, _ := r.LoadAccessRights(selSpare); ok {
		t.Error("LAR accepts an interrupt gate")
	}
}
