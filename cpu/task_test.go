package cpu

import (
	"testing"

	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/mem"
)

const (
	taskEIP = 0xb000
	taskESP = 0x6800
)

// newTask fills the rig's second TSS.
func (r *rig) newTask(cs, data uint16) {
	w := func(off mem.Addr, v uint32) { r.Mem.Write(tss2At+off, 4, v) }
	w(tss32CR3, r.CR3)
	w(tss32EIP, taskEIP)
	w(tss32EFLAGS, FlagOne|FlagCF)
	for i := range mem.Addr(8) {
		w(tss32GPR+4*i, 0x11111111*uint32(i+1))
	}
	w(tss32GPR+4*ESP, taskESP)
	for i := range mem.Addr(6) {
		w(tss32Seg+4*i, uint32(data))
	}
	w(tss32Seg+4*mem.Addr(isa.CS), uint32(cs))
	w(tss32LDT, 0)
	w(tss32Trap, 0)
}

func TestAJumpToATSSSwitchesTasks(t *testing.T) {
	r := newProtected(t)
	r.newTask(selCode3, selData3)
	r.EFLAGS = FlagOne | FlagZF
	r.DR[7] = dr7One | 0x3ff
	before := *r.State
	r.must(r.FarJump(selTSS2, 0xdead, 4))
	r.at(selCode3, taskEIP, 3)
	if r.Reg32(ESP) != taskESP || r.Reg32(EDI) != 0x88888888 || r.EFLAGS != FlagOne|FlagCF {
		t.Errorf("ESP %#x EDI %#x EFLAGS %#x", r.Reg32(ESP), r.Reg32(EDI), r.EFLAGS)
	}
	if r.TR.Selector != selTSS2 || r.CR0&CR0TS == 0 || r.DR[7] != dr7One|0x2aa {
		t.Errorf("TR %#x CR0 %#x DR7 %#x", r.TR.Selector, r.CR0, r.DR[7])
	}
	if r.descriptor(selTSS).kind() != typeTSS32 || r.descriptor(selTSS2).kind() != typeTSS32Busy {
		t.Error("the busy bits did not move")
	}
	for off, want := range map[mem.Addr]uint32{
		tss32EIP: 0x8000, tss32EFLAGS: FlagOne | FlagZF, tss32GPR + 4*ESP: before.Reg32(ESP),
		tss32Seg + 4: selCode0, tss32Seg + 8: selData0, tssLink: 0,
	} {
		if got := r.Mem.Read(tssAt+off, 4); got != want {
			t.Errorf("old TSS at %#x: %#x, want %#x", off, got, want)
		}
	}
}

func TestACalledTaskIsNestedAndIRETReturns(t *testing.T) {
	r := newProtected(t)
	r.newTask(selCode0, selData0)
	r.must(r.FarCall(selTSS2, 0, 4))
	r.at(selCode0, taskEIP, 0)
	if r.EFLAGS&FlagNT == 0 || r.Mem.Read(tss2At+tssLink, 2) != selTSS {
		t.Error("NT or the link is missing")
	}
	if r.descriptor(selTSS).kind() != typeTSS32Busy {
		t.Error("the caller is no longer busy")
	}
	r.EIP = 0xb010
	r.must(r.InterruptReturn(4))
	r.at(selCode0, 0x8000, 0)
	if r.descriptor(selTSS).kind() != typeTSS32Busy || r.descriptor(selTSS2).kind() != typeTSS32 {
		t.Error("busy bits after IRET")
	}
	if v := r.Mem.Read(tss2At+tss32EFLAGS, 4); v&FlagNT != 0 {
		t.Error("NT is saved in the task that returned")
	}
	if v := r.Mem.Read(tss2At+tss32EIP, 4); v != 0xb010 {
		t.Errorf("saved EIP %#x", v)
	}
}

func TestTaskSwitchFaultsBeforeTheSwitch(t *testing.T) {
	for _, c := range []struct {
		name  string
		setup func(r *rig)
		want  Trap
	}{
		{"TSS busy", func(r *rig) { r.put(selTSS2, tss2At, 0x67, AccessP|typeTSS32Busy) }, GP(selTSS2)},
		{"TSS not present", func(r *rig) { r.put(selTSS2, tss2At, 0x67, typeTSS32) }, Fault(VecNP, selTSS2)},
		{"TSS too small", func(r *rig) { r.put(selTSS2, tss2At, 0x66, AccessP|typeTSS32) }, Fault(VecTS, selTSS2)},
		{"DPL below CPL", func(r *rig) { r.level(3) }, GP(selTSS2)},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newProtected(t)
			r.newTask(selCode0, selData0)
			c.setup(r)
			r.fails(c.want, func() Trap { return r.FarJump(selTSS2, 0, 4) })
		})
	}
	t.Run("IRET to a TSS that is not busy", func(t *testing.T) {
		r := newProtected(t)
		r.EFLAGS |= FlagNT
		r.Mem.Write(tssAt, 2, selTSS2)
		r.fails(Fault(VecTS, selTSS2), func() Trap { return r.InterruptReturn(4) })
		r.Mem.Write(tssAt, 2, 4|8)
		r.fails(Fault(VecTS, 4|8), func() Trap { return r.InterruptReturn(4) })
	})
	t.Run("a page fault on the new TSS leaves the old task whole", func(t *testing.T) {
		r := newPaged(t)
		r.newTask(selCode0, selData0)
		r.put(selTSS2, 0x300000, 0x67, AccessP|typeTSS32)
		r.fails(Fault(VecPF, 0), func() Trap { return r.FarCall(selTSS2, 0, 4) })
	})
	t.Run("a new TSS that cannot be written, before the old one is", func(t *testing.T) {
		r := newPaged(t)
		r.newTask(selCode0, selData0)
		r.Mem.Write(ptAt+4*0x150, 4, tss2At&^0xfff|ptP)
		r.put(selTSS2, 0x150000|tss2At&0xfff, 0x67, AccessP|typeTSS32)
		r.fails(Fault(VecPF, 3), func() Trap { return r.FarCall(selTSS2, 0, 4) })
		if r.Mem.Read(tssAt+tss32EIP, 4) != 0 {
			t.Error("the old task was saved")
		}
	})
	t.Run("a page fault on the old TSS too", func(t *testing.T) {
		r := newPaged(t)
		r.newTask(selCode0, selData0)
		r.TR.Base = 0x1ff000 + 0xfc0
		r.fails(Fault(VecPF, 2), func() Trap { return r.FarJump(selTSS2, 0, 4) })
		if r.descriptor(selTSS2).kind() != typeTSS32 {
			t.Error("the new task is busy")
		}
	})
}

func TestTaskSwitchFaultsInTheNewTask(t *testing.T) {
	seg := func(s isa.Seg, v uint32) func(r *rig) {
		return func(r *rig) { r.Mem.Write(tss2At+tss32Seg+4*mem.Addr(s), 4, v) }
	}
	for _, c := range []struct {
		name  string
		setup func(r *rig)
		want  Trap
	}{
		{"CS is data", seg(isa.CS, selData0), Fault(VecTS, selData0)},
		{"CS null", seg(isa.CS, 0), Fault(VecTS, 0)},
		{"CS of another level", seg(isa.CS, selCode0|3), Fault(VecTS, selCode0)},
		{"SS of another level", seg(isa.SS, selData3), Fault(VecTS, selData3&^3)},
		{"SS null", seg(isa.SS, 0), Fault(VecTS, 0)},
		{"DS not readable", seg(isa.DS, selExecute), Fault(VecTS, selExecute)},
		{"ES not present", seg(isa.ES, selAbsent), Fault(VecNP, selAbsent&^3)},
		{"LDT is none", func(r *rig) { r.Mem.Write(tss2At+tss32LDT, 4, selData0) }, Fault(VecTS, selData0)},
		{"EIP past the limit", func(r *rig) {
			r.put(selSpare, 0, 0xfff, accCode&^AccessG)
			r.Mem.Write(tss2At+tss32Seg+4, 4, selSpare)
		}, GP(0)},
		{"T bit", func(r *rig) { r.Mem.Write(tss2At+tss32Trap, 4, 1) }, AfterInstruction(VecDB)},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newProtected(t)
			r.newTask(selCode0, selData0)
			c.setup(r)
			got := r.FarJump(selTSS2, 0, 4)
			if got != c.want|trapAfter {
				t.Errorf("%v, want %v", got, c.want)
			}
			if r.TR.Selector != selTSS2 || r.EIP != taskEIP {
				t.Errorf("TR %#x EIP %#x: the fault is the new task's", r.TR.Selector, r.EIP)
			}
			if c.want == AfterInstruction(VecDB) && r.DR[6]&dr6BT == 0 {
				t.Error("DR6.BT is clear")
			}
		})
	}
}

func TestATaskGateHandlesAFault(t *testing.T) {
	r := newProtected(t)
	r.newTask(selCode0, selData0)
	r.vector(VecGP, AccessP|typeTaskGate, selTSS2, 0)
	r.EIP = 0x7ffe
	r.Deliver(GP(0x1234))
	r.at(selCode0, taskEIP, 0)
	r.stack(4, 0x1234)
	if r.Reg32(ESP) != taskESP-4 || r.EFLAGS&FlagNT == 0 {
		t.Errorf("ESP %#x EFLAGS %#x", r.Reg32(ESP), r.EFLAGS)
	}
	if v := r.Mem.Read(tssAt+tss32EFLAGS, 4); v&FlagRF == 0 {
		t.Error("RF is clear in the saved image")
	}
	if v := r.Mem.Read(tssAt+tss32EIP, 4); v != 0x7ffe {
		t.Errorf("saved EIP %#x", v)
	}
	t.Run("with the T bit the debug trap comes after the error code", func(t *testing.T) {
		r := newProtected(t)
		r.newTask(selCode0, selData0)
		r.Mem.Write(tss2At+tss32Trap, 4, 1)
		r.vector(VecGP, AccessP|typeTaskGate, selTSS2, 0)
		r.vector(VecDB, accInt, selCode0, 0x9000)
		r.Deliver(GP(0x1234))
		r.at(selCode0, 0x9000, 0)
		r.stack(4, taskEIP, selCode0, FlagOne|FlagCF|FlagNT, 0x1234)
	})
	t.Run("the T bit of the double-fault task is no third fault", func(t *testing.T) {
		r := newProtected(t)
		r.newTask(selCode0, selData0)
		r.Mem.Write(tss2At+tss32Trap, 4, 1)
		r.vector(VecDF, AccessP|typeTaskGate, selTSS2, 0)
		r.vector(VecDB, accInt, selCode0, 0x9000)
		r.Deliver(Fault(VecDF, 0))
		r.at(selCode0, 0x9000, 0)
	})
	t.Run("a task gate to an LDT or busy TSS", func(t *testing.T) {
		r := newProtected(t)
		r.vector(0x80, AccessP|typeTaskGate, selLDT, 0)
		r.fails(GP(selLDT), func() Trap { return r.SoftwareInterrupt(0x80) })
		r.vector(0x80, AccessP|typeTaskGate, selTSS, 0)
		r.fails(GP(selTSS), func() Trap { return r.SoftwareInterrupt(0x80) })
	})
}

func TestATaskGateInTheGDT(t *testing.T) {
	r := newProtected(t)
	r.newTask(selCode0, selData0)
	r.gate(gdtAt+selGate, AccessP|typeTaskGate|dpl3, selTSS2, 0, 0)
	r.level(3)
	r.must(r.FarCall(selGate|3, 0, 4))
	r.at(selCode0, taskEIP, 0)
}

func Test16BitTasks(t *testing.T) {
	r := newProtected(t)
	w := func(off mem.Addr, v uint32) { r.Mem.Write(tss2At+off, 2, v) }
	w(tss16IP, 0x4321)
	w(tss16FLAGS, FlagOne|FlagCF)
	for i := range mem.Addr(8) {
		w(tss16GPR+2*i, 0x1111*uint32(i+1))
	}
	for i := range mem.Addr(4) {
		w(tss16Seg+2*i, selData0)
	}
	w(tss16Seg+2, selCode16)
	w(tss16LDT, 0)
	r.must(r.FarCall(selTSS16, 0, 4))
	r.at(selCode16, 0x4321, 0)
	if r.Reg16(ECX) != 0x2222 || r.Seg[isa.FS].Usable || r.EFLAGS != FlagOne|FlagCF|FlagNT {
		t.Errorf("CX %#x FS %+v EFLAGS %#x", r.Reg16(ECX), r.Seg[isa.FS], r.EFLAGS)
	}
	r.EIP = 0x4330
	r.SetReg16(EDX, 0x9999)
	r.must(r.InterruptReturn(2))
	r.at(selCode0, 0x8000, 0)
	if r.Mem.Read(tss2At+tss16IP, 2) != 0x4330 || r.Mem.Read(tss2At+tss16GPR+2*EDX, 2) != 0x9999 {
		t.Error("the 16-bit task was not saved")
	}
}

func TestATaskSwitchLoadsCR3AndThePDPTEs(t *testing.T) {
	r := newPAE(t)
	const other = 0x106000
	r.Mem.Write64(other, 0x104000|ptP)
	r.Mem.Write64(other+8, 0x105000|ptP)
	r.newTask(selCode0, selData0)
	r.Mem.Write(tss2At+tss32CR3, 4, other)
	r.must(r.FarJump(selTSS2, 0, 4))
	if r.CR3 != other || r.PDPTE[1] != 0x105000|ptP {
		t.Errorf("CR3 %#x PDPTE1 %#x", r.CR3, r.PDPTE[1])
	}
	t.Run("a PDPTE with reserved bits leaves the old task whole", func(t *testing.T) {
		r := newPAE(t)
		r.Mem.Write64(other, 0x104000|ptP|ptRW)
		r.newTask(selCode0, selData0)
		r.Mem.Write(tss2At+tss32CR3, 4, other)
		r.fails(GP(0), func() Trap { return r.FarJump(selTSS2, 0, 4) })
	})
}

func TestAV86Task(t *testing.T) {
	r := newProtected(t)
	r.newTask(0x1234, 0x2000)
	r.Mem.Write(tss2At+tss32EFLAGS, 4, FlagOne|FlagVM|FlagIOPL)
	r.must(r.FarJump(selTSS2, 0, 4))
	r.at(0x1234, taskEIP, 3)
	if g := r.Seg[isa.DS]; !r.V86() || g.Base != 0x20000 || g.Limit != 0xffff {
		t.Errorf("VM %t DS %+v", r.V86(), g)
	}
}
