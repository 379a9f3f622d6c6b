package cpu

import (
	"testing"

	"github.com/gov86/gov86/cpu/isa"
)

func TestFarTransfersInRealModeTakeAnySelector(t *testing.T) {
	r := newReal(t)
	r.must(r.FarCall(0x1234, 0x10, 2))
	r.at(0x1234, 0x10, 0)
	r.stack(2, 0x8000, 0)
	if r.Seg[isa.CS].Base != 0x12340 {
		t.Errorf("base %#x", r.Seg[isa.CS].Base)
	}
	r.must(r.FarReturn(2, 4))
	r.at(0, 0x8000, 0)
	if r.Reg16(ESP) != stack0At+4 {
		t.Errorf("SP %#x", r.Reg16(ESP))
	}
	r.must(r.FarJump(0xffff, 0x12340010, 2)) // the offset is a word
	r.at(0xffff, 0x10, 0)
	r.fails(GP(0), func() Trap { return r.FarJump(0, 0x10000, 4) })
	r.SetReg16(ESP, 1)
	r.fails(Fault(VecSS, 0), func() Trap { return r.FarCall(0, 0, 2) })
	r.SetReg32(ESP, 0x1234fffc)
	r.must(r.FarReturn(2, 2))
	if r.Reg32(ESP) != 0x12340002 {
		t.Errorf("ESP %#x: SP wraps and the upper half stays", r.Reg32(ESP))
	}
}

func TestJumpsAndCallsToACodeSegment(t *testing.T) {
	for _, c := range []struct {
		name     string
		cpl      uint8
		selector uint16
		off      uint32
		want     Trap
		cs       uint16
	}{
		{"same level", 0, selCode0, 0x9000, NoTrap, selCode0},
		{"RPL below CPL becomes CPL", 3, selCode3 &^ 3, 0x9000, NoTrap, selCode3},
		{"RPL above CPL", 0, selCode0 | 3, 0, GP(selCode0), 0},
		{"nonconforming, more privilege", 3, selCode0, 0, GP(selCode0), 0},
		{"nonconforming, less privilege", 0, selCode3 &^ 3, 0, GP(selCode3 &^ 3), 0},
		{"conforming, more privilege, keeps CPL", 3, selConform, 0x9000, NoTrap, selConform | 3},
		{"data", 0, selData0, 0, GP(selData0), 0},
		{"LDT", 0, selLDT, 0, GP(selLDT), 0},
		{"null", 0, 3, 0, GP(0), 0},
		{"beyond the GDT", 0, selBeyond, 0, GP(selBeyond), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, call := range []bool{false, true} {
				r := newProtected(t)
				r.level(c.cpl)
				from := uint32(r.Seg[isa.CS].Selector)
				op := r.FarJump
				if call {
					op = r.FarCall
				}
				r.fails(c.want, func() Trap { return op(c.selector, c.off, 4) })
				if c.want != NoTrap {
					continue
				}
				r.at(c.cs, c.off, c.cpl)
				if call {
					r.stack(4, 0x8000, from)
				}
			}
		})
	}
	t.Run("not present and past the limit", func(t *testing.T) {
		r := newProtected(t)
		r.put(selSpare, 0, 0xfff, accCode&^(AccessP|AccessG))
		r.fails(Fault(VecNP, selSpare), func() Trap { return r.FarJump(selSpare, 0, 4) })
		r.put(selSpare, 0, 0xfff, accCode&^AccessG)
		r.fails(GP(0), func() Trap { return r.FarCall(selSpare, 0x1000, 4) })
		r.must(r.FarCall(selSpare, 0xfff, 4))
	})
}

func TestCallGates(t *testing.T) {
	const rights = AccessP | typeCall32 | dpl3
	for _, c := range []struct {
		name     string
		cpl      uint8
		selector uint16
		access   uint16
		target   uint16
		jump     Trap
		call     Trap
	}{
		{"to the same level", 0, selGate, rights, selCode0, NoTrap, NoTrap},
		{"to more privilege", 3, selGate | 3, rights, selCode0, GP(selCode0), NoTrap},
		{"to less privilege", 0, selGate, rights, selCode3, GP(selCode3 &^ 3), GP(selCode3 &^ 3)},
		{"to conforming code", 3, selGate | 3, rights, selConform, NoTrap, NoTrap},
		{"CPL above the gate's DPL", 3, selGate, rights &^ dpl3, selCode0, GP(selGate), GP(selGate)},
		{"RPL above the gate's DPL", 0, selGate | 3, rights &^ dpl3, selCode0, GP(selGate), GP(selGate)},
		{"gate not present", 0, selGate, rights &^ AccessP, selCode0, Fault(VecNP, selGate), Fault(VecNP, selGate)},
		{"target null", 0, selGate, rights, 0, GP(0), GP(0)},
		{"target is data", 0, selGate, rights, selData0, GP(selData0), GP(selData0)},
		{"an interrupt gate is no call gate", 0, selGate, AccessP | typeInt32, selCode0, GP(selGate), GP(selGate)},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newProtected(t)
			r.gate(gdtAt+selGate, c.access, c.target, 0x12349000, 0)
			r.level(c.cpl)
			r.fails(c.jump, func() Trap { return r.FarJump(c.selector, 0xdead, 4) })
			if c.jump == NoTrap {
				r.at(c.target&^3|uint16(c.cpl), 0x12349000, c.cpl)
			}
			r.level(c.cpl)
			r.fails(c.call, func() Trap { return r.FarCall(c.selector, 0xdead, 4) })
		})
	}
}

func TestACallToMorePrivilegeCopiesTheParameters(t *testing.T) {
	for _, c := range []struct {
		kind  uint16
		size  int
		entry uint32
	}{{typeCall32, 4, 0x12349000}, {typeCall16, 2, 0x9000}} {
		r := newProtected(t)
		r.gate(gdtAt+selGate, AccessP|c.kind|dpl3, selCode0, 0x12349000, 3)
		r.level(3)
		r.push(c.size, 0x333, 0x222, 0x111)
		sp := r.Reg32(ESP)
		r.must(r.FarCall(selGate|3, 0, 4))
		r.at(selCode0, c.entry, 0)
		r.stack(c.size, 0x8000, selCode3, 0x111, 0x222, 0x333, sp, selData3)
		if r.Reg32(ESP) != stack0At-uint32(7*c.size) {
			t.Errorf("ESP %#x", r.Reg32(ESP))
		}
		r.must(r.FarReturn(c.size, uint16(3*c.size)))
		r.at(selCode3, 0x8000, 3)
		if r.Reg32(ESP) != sp+uint32(3*c.size) || r.Seg[isa.SS].Selector != selData3 {
			t.Errorf("after the return: %#x:%#x", r.Seg[isa.SS].Selector, r.Reg32(ESP))
		}
	}
}

func TestACallGateFaultsOfTheInnerStack(t *testing.T) {
	r := newProtected(t)
	r.gate(gdtAt+selGate, AccessP|typeCall32|dpl3, selCode0, 0x9000, 31)
	r.level(3)
	r.Mem.Write(tssAt+8, 2, selData1)
	r.fails(Fault(VecTS, selData1&^3), func() Trap { return r.FarCall(selGate|3, 0, 4) })
	r.put(selSpare, 0, 0xfff, accBytes)
	r.Mem.Write(tssAt+8, 2, selSpare)
	r.Mem.Write(tssAt+4, 4, 35*4-1)
	r.fails(Fault(VecSS, selSpare), func() Trap { return r.FarCall(selGate|3, 0, 4) })
	r.Mem.Write(tssAt+4, 4, 35*4)
	r.must(r.FarCall(selGate|3, 0, 4))
}

func TestAReturnToAnOuterLevelNullsPrivilegedSegments(t *testing.T) {
	r := newProtected(t)
	r.must(r.LoadSegment(isa.ES, selConform))
	r.must(r.LoadSegment(isa.FS, selData3))
	r.must(r.LoadSegment(isa.GS, selData1))
	r.push(4, selData3, stack3At, selCode3, 0x9000)
	r.must(r.FarReturn(4, 0))
	r.at(selCode3, 0x9000, 3)
	for s, usable := range map[isa.Seg]bool{isa.ES: true, isa.FS: true, isa.GS: false, isa.DS: false} {
		if r.Seg[s].Usable != usable {
			t.Errorf("segment %d: %+v", s, r.Seg[s])
		}
	}
}

func TestAReturnToAnOuterLevelClearsNullSelectors(t *testing.T) {
	r := newProtected(t)
	r.must(r.LoadSegment(isa.ES, 2))
	r.must(r.LoadSegment(isa.GS, 3))
	r.push(4, selData3, stack3At, selCode3, 0x9000)
	r.must(r.FarReturn(4, 0))
	for _, s := range []isa.Seg{isa.ES, isa.GS} {
		if r.Seg[s] != (Segment{}) {
			t.Errorf("segment %d: %+v", s, r.Seg[s])
		}
	}
}

func TestReturnsCheckTheirTarget(t *testing.T) {
	for _, c := range []struct {
		name string
		cpl  uint8
		cs   uint32
		eip  uint32
		ss   uint32
		want Trap
	}{
		{"null CS", 0, 3, 0, 0, GP(0)},
		{"CS beyond the GDT", 0, selBeyond, 0, 0, GP(selBeyond)},
		{"CS is data", 0, selData0, 0, 0, GP(selData0)},
		{"RPL below CPL", 3, selCode0, 0, 0, GP(selCode0)},
		{"RPL not DPL", 0, selCode3 &^ 3, 0, 0, GP(selCode3 &^ 3)},
		{"conforming of less privilege than RPL", 0, selConform, 0x9000, 0, NoTrap},
		{"null SS", 0, selCode3, 0, 0, GP(0)},
		{"SS beyond the GDT", 0, selCode3, 0, selBeyond | 3, GP(selBeyond)},
		{"RPL of SS", 0, selCode3, 0, selData3 &^ 3, GP(selData3 &^ 3)},
		{"DPL of SS", 0, selCode3, 0, selData0 | 3, GP(selData0)},
		{"SS not writable", 0, selCode3, 0, selReadOnly, GP(selReadOnly &^ 3)},
		{"SS not present", 0, selCode3, 0, selAbsent, Fault(VecSS, selAbsent&^3)},
		{"outer level", 0, selCode3, 0x9000, selData3, NoTrap},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newProtected(t)
			r.level(c.cpl)
			r.push(4, c.ss, stack3At, c.cs, c.eip)
			r.fails(c.want, func() Trap { return r.FarReturn(4, 0) })
			if c.want == NoTrap {
				return
			}
			// IRET checks the same.
			r.push(4, c.ss, stack3At, FlagOne, c.cs, c.eip)
			r.fails(c.want, func() Trap { return r.InterruptReturn(4) })
		})
	}
	t.Run("EIP past the limit", func(t *testing.T) {
		r := newProtected(t)
		r.put(selSpare, 0, 0xfff, accCode&^AccessG)
		r.push(4, selSpare, 0x1000)
		r.fails(GP(0), func() Trap { return r.FarReturn(4, 0) })
	})
	t.Run("EIP past the limit of an outer level's segment", func(t *testing.T) {
		r := newProtected(t)
		r.put(selSpare, 0, 0xfff, accCode&^AccessG|dpl3)
		r.push(4, selAbsent, stack3At, selSpare|3, 0x1000)
		r.fails(Fault(VecSS, selAbsent&^3), func() Trap { return r.FarReturn(4, 0) })
		r.push(4, selData3, stack3At, selSpare|3, 0x1000)
		r.fails(GP(0), func() Trap { return r.FarReturn(4, 0) })
	})
	t.Run("the frame past the limit of the stack", func(t *testing.T) {
		r := newProtected(t)
		r.Seg[isa.SS].Limit = r.Reg32(ESP) + 6
		r.fails(Fault(VecSS, 0), func() Trap { return r.FarReturn(4, 0) })
	})
}

func TestIRETLoadsFlagsByPrivilege(t *testing.T) {
	const all = loadable &^ FlagVM &^ FlagNT &^ FlagRF
	const always = FlagsStatus | FlagTF | FlagDF | FlagAC | FlagID
	for _, c := range []struct {
		name  string
		cpl   uint8
		iopl  uint32
		size  int
		loads uint32
	}{
		{"CPL 0", 0, 0, 4, all},
		{"CPL 3, IOPL 0: neither IF nor IOPL", 3, 0, 4, always},
		{"CPL 3, IOPL 3: IF", 3, 3, 4, always | FlagIF},
		{"CPL 0, 16-bit: the low word", 0, 0, 2, all & 0xffff},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newProtected(t)
			r.level(c.cpl)
			iopl := c.iopl << 12
			r.EFLAGS = FlagOne | iopl
			cs := uint32(r.Seg[isa.CS].Selector)
			r.push(c.size, all, cs, 0x9000)
			r.must(r.InterruptReturn(c.size))
			if want := FlagOne | iopl | c.loads; r.EFLAGS != want {
				t.Errorf("EFLAGS %#x, want %#x", r.EFLAGS, want)
			}
			r.push(c.size, 0, cs, 0x9000)
			r.must(r.InterruptReturn(c.size))
			if want := FlagOne | iopl; r.EFLAGS != want {
				t.Errorf("EFLAGS %#x, want %#x", r.EFLAGS, want)
			}
		})
	}
}

func TestIRETToA16BitStackLoadsSPOnly(t *testing.T) {
	r := newProtected(t)
	r.put(selSpare, 0, 0xffff, AccessP|AccessS|AccessRW|dpl3)
	r.SetReg32(ESP, 0x20000)
	r.push(4, selSpare|3, 0x12345678, FlagOne, selCode3, 0x9000)
	r.must(r.InterruptReturn(4))
	if got := r.Reg32(ESP); got != 0x15678 {
		t.Errorf("ESP %#x: the upper half stays that of the inner stack", got)
	}
}

func TestIRETToV86Mode(t *testing.T) {
	r := newProtected(t)
	frame := []uint32{0x600, 0x500, 0x400, 0x100, 0x300, 0x1000, FlagOne | FlagVM | FlagIF | FlagIOPL, 0x200, 0x8000}
	r.push(4, frame...)
	r.must(r.InterruptReturn(4))
	r.at(0x200, 0x8000, 3)
	for s, want := range []uint16{0x100, 0x200, 0x300, 0x400, 0x500, 0x600} {
		if g := r.Seg[s]; g.Selector != want || g.Base != uint32(want)<<4 || g.Limit != 0xffff {
			t.Errorf("segment %d: %+v", s, g)
		}
	}
	if r.Reg32(ESP) != 0x1000 || r.EFLAGS != FlagOne|FlagVM|FlagIF|FlagIOPL {
		t.Errorf("ESP %#x EFLAGS %#x", r.Reg32(ESP), r.EFLAGS)
	}
	t.Run("EIP above FFFFH", func(t *testing.T) {
		r := newProtected(t)
		bad := append([]uint32(nil), frame...)
		bad[8] = 0x10000
		r.push(4, bad...)
		r.fails(GP(0), func() Trap { return r.InterruptReturn(4) })
	})
	t.Run("at CPL 3 the VM bit is ignored", func(t *testing.T) {
		r := newProtected(t)
		r.level(3)
		r.push(4, FlagOne|FlagVM, selCode3, 0x9000)
		r.must(r.InterruptReturn(4))
		if r.V86() {
			t.Error("in virtual-8086 mode")
		}
	})
}

func TestIRETInV86Mode(t *testing.T) {
	r := newProtected(t)
	r.v86(0)
	r.fails(GP(0), func() Trap { return r.InterruptReturn(2) })
	r.v86(3)
	r.push(2, FlagCF, 0x700, 0x1234)
	r.must(r.InterruptReturn(2))
	r.at(0x700, 0x1234, 3)
	if r.EFLAGS != FlagOne|FlagVM|FlagIOPL|FlagCF {
		t.Errorf("EFLAGS %#x: VM and IOPL are not popped", r.EFLAGS)
	}
	r.CR4 = CR4VME
	r.v86(0)
	r.fails(GP(0), func() Trap { return r.InterruptReturn(4) })
	r.EFLAGS |= FlagVIP
	r.push(2, FlagIF, 0x700, 0x1234)
	r.fails(GP(0), func() Trap { return r.InterruptReturn(2) })
}

func TestTheHistoryHasTheLatestTransfers(t *testing.T) {
	r := newProtected(t)
	for i := range uint32(40) {
		r.must(r.FarJump(selCode0, 0x9000+i, 4))
	}
	e := r.Last.Events()
	if len(e) != 32 {
		t.Fatalf("%d events: %+v", len(e), e)
	}
	for i, eip := range map[int]uint32{0: 0x9008, 31: 0x9027} {
		if b, ok := e[i].(Branch); !ok || b.To != (Place{selCode0, eip, Linear(eip)}) {
			t.Errorf("event %d is %+v, want the transfer to %#x", i, e[i], eip)
		}
	}
}

func TestSYSENTERAndSYSEXIT(t *testing.T) {
	r := newProtected(t)
	r.level(3)
	r.fails(GP(0), r.SysEnter)
	r.must(r.WriteMSR(msrSysenterCS, selCode0|3))
	r.must(r.WriteMSR(msrSysenterESP, stack0At))
	r.must(r.WriteMSR(msrSysenterEIP, 0xc0001000))
	r.EFLAGS = FlagOne | FlagIF | FlagRF
	r.must(r.SysEnter())
	r.at(selCode0, 0xc0001000, 0)
	if g := r.Seg[isa.SS]; g.Selector != selCode0+8 || g.DPL() != 0 || !g.flat(isa.SS) || !r.Seg[isa.CS].flat(isa.CS) {
		t.Errorf("SS %+v CS %+v", g, r.Seg[isa.CS])
	}
	if r.Reg32(ESP) != stack0At || r.EFLAGS != FlagOne {
		t.Errorf("ESP %#x EFLAGS %#x", r.Reg32(ESP), r.EFLAGS)
	}
	r.SetReg32(ECX, 0xbfff0000)
	r.SetReg32(EDX, 0x08048000)
	r.must(r.SysExit())
	r.at((selCode0+16)|3, 0x08048000, 3)
	if g := r.Seg[isa.SS]; g.Selector != (selCode0+24)|3 || g.DPL() != 3 || r.Reg32(ESP) != 0xbfff0000 {
		t.Errorf("SS %+v ESP %#x", g, r.Reg32(ESP))
	}
	r.fails(GP(0), r.SysExit)
	real := newReal(t)
	real.MSR.SysenterCS = 8
	real.fails(GP(0), real.SysEnter)
}

func TestTheIOPermissionBitmap(t *testing.T) {
	r := newProtected(t)
	r.must(r.CheckIO(0x3f8, 4))
	r.level(3)
	r.EFLAGS = FlagOne | FlagIOPL
	r.must(r.CheckIO(0x3f8, 4))
	r.EFLAGS = FlagOne
	r.Mem.Write(tssAt+0x68+0x3f8/8, 2, 0xffff)
	r.fails(GP(0), func() Trap { return r.CheckIO(0x3f8, 1) })
	r.Mem.Write(tssAt+0x68+0x3f8/8, 2, 0x0100)
	r.must(r.CheckIO(0x3fc, 4))
	r.fails(GP(0), func() Trap { return r.CheckIO(0x3fd, 4) }) // 400H is denied
	r.must(r.CheckIO(0x3ff, 1))
	r.TR.Limit = 0x68 + 0x3f8/8
	r.fails(GP(0), func() Trap { return r.CheckIO(0x3f8, 1) }) // two bytes are read
	r.TR.Limit = 0x7ff
	r.v86(3)
	r.fails(GP(0), func() Trap { return r.CheckIO(0x400, 1) }) // IOPL does not help
	r.must(r.CheckIO(0x3f8, 1))
	r.TR.Access = AccessP | typeTSS16Busy
	r.fails(GP(0), func() Trap { return r.CheckIO(0x3f8, 1) })
}
