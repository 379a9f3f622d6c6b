package cpu

import (
	"testing"

	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/mem"
)

const (
	accInt  = AccessP | typeInt32
	accTrap = AccessP | typeTrap32
)

func TestAFaultToTheSameLevelPushesFlagsCSEIPAndCode(t *testing.T) {
	r := newProtected(t)
	r.vector(VecGP, accInt, selCode0, 0x9000)
	r.EFLAGS = FlagOne | FlagIF | FlagTF | FlagNT | FlagCF
	r.EIP = 0x7ffe
	esp := r.Reg32(ESP)
	r.Deliver(GP(0x1234))
	r.at(selCode0, 0x9000, 0)
	r.stack(4, 0x1234, 0x7ffe, selCode0, FlagOne|FlagIF|FlagTF|FlagNT|FlagCF|FlagRF)
	if r.Reg32(ESP) != esp-16 {
		t.Errorf("ESP moved by %d", esp-r.Reg32(ESP))
	}
	if r.EFLAGS != FlagOne|FlagCF {
		t.Errorf("EFLAGS = %#x: TF, IF, NT and RF are to be clear", r.EFLAGS)
	}
}

func TestATrapGateLeavesIF(t *testing.T) {
	r := newProtected(t)
	r.vector(0x80, accTrap, selCode0, 0x9000)
	r.EFLAGS = FlagOne | FlagIF
	r.must(r.SoftwareInterrupt(0x80))
	if r.EFLAGS&FlagIF == 0 {
		t.Error("IF is clear")
	}
}

func TestAnInterruptToAnInnerLevelSwitchesStacks(t *testing.T) {
	r := newProtected(t)
	r.vector(0x80, accInt|dpl3, selCode0, 0x9000)
	r.level(3)
	r.EFLAGS = FlagOne | FlagIF
	r.must(r.SoftwareInterrupt(0x80))
	r.at(selCode0, 0x9000, 0)
	r.stack(4, 0x8000, selCode3, FlagOne|FlagIF, stack3At, selData3)
	if r.Seg[isa.SS].Selector != selData0 || r.Reg32(ESP) != stack0At-20 {
		t.Errorf("stack %#x:%#x", r.Seg[isa.SS].Selector, r.Reg32(ESP))
	}
	if r.Seg[isa.DS].Selector != selData3 {
		t.Error("data segments are not the interrupt's business")
	}
}

func TestAnInterruptToLevel1UsesItsStack(t *testing.T) {
	r := newProtected(t)
	r.vector(0x80, accInt|dpl3, selCode1, 0x9000)
	r.level(3)
	r.must(r.SoftwareInterrupt(0x80))
	r.at(selCode1, 0x9000, 1)
	if r.Seg[isa.SS].Selector != selData1 || r.Reg32(ESP) != stack1At-20 {
		t.Errorf("stack %#x:%#x", r.Seg[isa.SS].Selector, r.Reg32(ESP))
	}
}

func TestA16BitGatePushesWords(t *testing.T) {
	r := newProtected(t)
	r.vector(0x80, AccessP|typeInt16|dpl3, selCode0, 0xabcd9000)
	r.level(3)
	r.must(r.SoftwareInterrupt(0x80))
	r.at(selCode0, 0x9000, 0)
	r.stack(2, 0x8000, selCode3, FlagOne, stack3At, selData3)
}

func TestAConformingHandlerKeepsTheLevel(t *testing.T) {
	r := newProtected(t)
	r.vector(0x80, accInt|dpl3, selConform, 0x9000)
	r.level(3)
	r.must(r.SoftwareInterrupt(0x80))
	r.at(selConform|3, 0x9000, 3)
	r.stack(4, 0x8000, selCode3, FlagOne)
}

func TestInterruptFaultsNameTheGateOrTheSegment(t *testing.T) {
	const vec = 0x80
	const idt = vec*8 + 2
	for _, c := range []struct {
		name  string
		setup func(r *rig)
		want  Trap // of INT n, which has EXT clear
	}{
		{"gate beyond the limit of the IDT", func(r *rig) { r.IDTR.Limit = vec*8 + 6 }, GP(idt)},
		{"gate of the wrong type", func(r *rig) { r.vector(vec, AccessP|typeCall32|dpl3, selCode0, 0) }, GP(idt)},
		{"code segment in the IDT", func(r *rig) { r.vector(vec, accCode&0xff|dpl3, selCode0, 0) }, GP(idt)},
		{"INT n through a gate of more privilege", func(r *rig) { r.vector(vec, accInt, selCode0, 0) }, GP(idt)},
		{"gate not present", func(r *rig) { r.vector(vec, typeInt32|dpl3, selCode0, 0) }, Fault(VecNP, idt)},
		{"null code selector", func(r *rig) { r.vector(vec, accInt|dpl3, 0, 0) }, GP(0)},
		{"code selector beyond the GDT", func(r *rig) { r.vector(vec, accInt|dpl3, selBeyond, 0) }, GP(selBeyond)},
		{"data as code", func(r *rig) { r.vector(vec, accInt|dpl3, selData0, 0) }, GP(selData0)},
		{"code segment not present", func(r *rig) {
			r.put(selSpare, 0, 0xfffff, accCode&^AccessP)
			r.vector(vec, accInt|dpl3, selSpare, 0)
		}, Fault(VecNP, selSpare)},
		{"entry point past the limit", func(r *rig) {
			r.put(selSpare, 0, 0xfff, accCode&^AccessG)
			r.vector(vec, accInt|dpl3, selSpare, 0x1000)
		}, GP(0)},
		{"TSS too small for the stack", func(r *rig) { r.TR.Limit = 8 }, Fault(VecTS, selTSS)},
		{"null SS in the TSS", func(r *rig) { r.Mem.Write(tssAt+8, 2, 0) }, Fault(VecTS, 0)},
		{"SS in the TSS beyond the GDT", func(r *rig) { r.Mem.Write(tssAt+8, 2, selBeyond) }, Fault(VecTS, selBeyond)},
		{"RPL of the inner SS", func(r *rig) { r.Mem.Write(tssAt+8, 2, selData0|1) }, Fault(VecTS, selData0)},
		{"DPL of the inner SS", func(r *rig) { r.Mem.Write(tssAt+8, 2, selData1&^3) }, Fault(VecTS, selData1&^3)},
		{"inner SS is code", func(r *rig) { r.Mem.Write(tssAt+8, 2, selCode0) }, Fault(VecTS, selCode0)},
		{"inner SS not present", func(r *rig) {
			r.put(selSpare, 0, 0xfffff, accData&^AccessP)
			r.Mem.Write(tssAt+8, 2, selSpare)
		}, Fault(VecSS, selSpare)},
		{"inner stack too small", func(r *rig) {
			r.put(selSpare, 0, 0xfff, accBytes)
			r.Mem.Write(tssAt+4, 4, 16)
			r.Mem.Write(tssAt+8, 2, selSpare)
		}, Fault(VecSS, selSpare)},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newProtected(t)
			r.level(3)
			r.vector(vec, accInt|dpl3, selCode0, 0x9000)
			c.setup(r)
			r.fails(c.want, func() Trap { return r.SoftwareInterrupt(vec) })
		})
	}
	t.Run("EXT is set for an interrupt", func(t *testing.T) {
		r := newProtected(t)
		r.vector(VecGP, accInt, selCode0, 0x9000)
		r.pins.vector = vec
		r.AcceptInterrupt()
		r.stack(4, idt+1)
	})
	t.Run("and for the stack it finds full", func(t *testing.T) {
		r := newProtected(t)
		r.vector(vec, accInt, selCode0, 0x9000)
		r.vector(VecSS, AccessP|typeTaskGate, selTSS2, 0)
		r.newTask(selCode0, selData0)
		r.Seg[isa.SS].Limit = 0
		r.pins.vector = vec
		r.AcceptInterrupt()
		r.stack(4, 1)
	})
	t.Run("an external interrupt ignores the DPL of the gate", func(t *testing.T) {
		r := newProtected(t)
		r.level(3)
		r.vector(vec, accInt, selCode0, 0x9000)
		r.pins.vector = vec
		r.AcceptInterrupt()
		r.at(selCode0, 0x9000, 0)
	})
}

func TestConditionsForADoubleFault(t *testing.T) {
	// The handler of the first is not present, of class contributory; or it
	// page-faults. Paging is off, so page faults are made by hand.
	for _, c := range []struct {
		name  string
		first Trap
		want  uint8
	}{
		{"benign then contributory is serial", UD(), VecNP},
		{"contributory then contributory", GP(0), VecDF},
		{"divide error is contributory", Exception(VecDE), VecDF},
		{"page fault then contributory", Fault(VecPF, 0), VecDF},
		{"alignment check is benign", Fault(VecAC, 0), VecNP},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newProtected(t)
			for v := range uint8(32) {
				r.vector(v, typeInt32, selCode0, 0) // not present
			}
			r.vector(VecNP, accInt, selCode0, 0x1000*VecNP)
			r.vector(VecDF, accInt, selCode0, 0x1000*VecDF)
			r.EIP = 0x7ffe
			r.Deliver(c.first)
			r.at(selCode0, 0x1000*uint32(c.want), 0)
			code := uint32(c.first.Vector())*8 + 3
			flags := uint32(FlagOne | FlagRF)
			if c.want == VecDF {
				code, flags = 0, FlagOne
			}
			r.stack(4, code, 0x7ffe, selCode0, flags)
		})
	}
	t.Run("a fault while calling the double-fault handler shuts down", func(t *testing.T) {
		r := newProtected(t)
		r.IDTR.Limit = 0
		r.Deliver(UD())
		if !r.Shutdown {
			t.Error("no shutdown")
		}
		got := r.Last.Records()
		if len(got) != 3 || got[0].Vector != VecUD || got[1].Vector != VecGP || got[2].Vector != VecDF {
			t.Errorf("history %+v", got)
		}
	})
}

func TestCR2IsLoadedWhenAPageFaultIsDelivered(t *testing.T) {
	r := newPaged(t)
	r.vector(VecPF, accInt, selCode0, 0x9000)
	_, f := r.ReadLinear(0x300123, 4, r.Data())
	if r.CR2 != 0 {
		t.Error("CR2 is loaded before the fault is delivered")
	}
	r.Deliver(f)
	if r.CR2 != 0x300123 {
		t.Errorf("CR2 = %#x", r.CR2)
	}
}

func TestADoubleFaultOfPageFaultsLeavesTheSecondAddressInCR2(t *testing.T) {
	r := newPaged(t)
	r.vector(VecPF, accInt, selCode0, 0x9000)
	r.vector(VecDF, AccessP|typeTaskGate, selTSS2, 0)
	r.newTask(selCode0, selData0)
	r.SetReg32(ESP, 0x380000) // not mapped
	_, f := r.ReadLinear(0x300123, 4, r.Data())
	r.Deliver(f)
	if r.CR2 != 0x37fffc {
		t.Errorf("CR2 = %#x, want that of the push", r.CR2)
	}
	r.at(selCode0, taskEIP, 0)
	r.stack(4, 0)
}

func TestRealModeUsesTheVectorTable(t *testing.T) {
	r := newReal(t)
	r.Mem.Write(0x80*4, 4, 0x1234<<16|0x5678)
	r.EFLAGS = FlagOne | FlagIF | FlagTF | FlagAC | FlagCF
	r.must(r.SoftwareInterrupt(0x80))
	r.at(0x1234, 0x5678, 0)
	r.stack(2, 0x8000, 0, FlagOne|FlagIF|FlagTF|FlagCF)
	if r.EFLAGS != FlagOne|FlagCF {
		t.Errorf("EFLAGS %#x", r.EFLAGS)
	}
	r.IDTR.Limit = 0x80*4 + 2
	r.fails(GP(0), func() Trap { return r.SoftwareInterrupt(0x80) })
	r.SetReg16(ESP, 5)
	r.fails(Fault(VecSS, 0), func() Trap { return r.SoftwareInterrupt(0x10) })
}

func TestRealModeFaultsPushNoErrorCode(t *testing.T) {
	r := newReal(t)
	r.EIP = 0x7ffe
	r.Deliver(GP(0))
	r.stack(2, 0x7ffe, 0)
	if r.Reg16(ESP) != stack0At-6 {
		t.Errorf("SP moved by %d", stack0At-r.Reg16(ESP))
	}
}

func TestV86InterruptsEnterLevel0AndNullTheDataSegments(t *testing.T) {
	r := newProtected(t)
	r.vector(0x80, accInt, selCode0, 0x9000)
	r.v86(0)
	r.pins.vector = 0x80
	r.AcceptInterrupt()
	r.at(selCode0, 0x9000, 0)
	r.stack(4, 0x8000, 0x200, FlagOne|FlagVM|FlagIF, 0x1000, 0x300, 0x100, 0x400, 0x500, 0x600)
	for _, s := range []isa.Seg{isa.ES, isa.DS, isa.FS, isa.GS} {
		if r.Seg[s].Usable || r.Seg[s].Selector != 0 {
			t.Errorf("segment %d: %+v", s, r.Seg[s])
		}
	}
	if r.V86() {
		t.Error("VM is set in the handler")
	}
	t.Run("a handler not at level 0 faults", func(t *testing.T) {
		for _, sel := range []uint16{selCode1, selCode3, selConform} {
			r := newProtected(t)
			r.vector(0x80, accInt|dpl3, sel, 0x9000)
			r.v86(3)
			r.fails(GP(sel&^3), func() Trap { return r.SoftwareInterrupt(0x80) })
		}
	})
}

func TestINTnInV86ModeNeedsIOPL3(t *testing.T) {
	r := newProtected(t)
	r.vector(0x80, accInt|dpl3, selCode0, 0x9000)
	r.v86(0)
	r.fails(GP(0), func() Trap { return r.SoftwareInterrupt(0x80) })
	r.v86(3)
	r.must(r.SoftwareInterrupt(0x80))
	r.at(selCode0, 0x9000, 0)
	t.Run("INT3 does not", func(t *testing.T) {
		r := newProtected(t)
		r.vector(VecBP, accInt|dpl3, selCode0, 0x9000)
		r.v86(0)
		r.Deliver(AfterInstruction(VecBP))
		r.at(selCode0, 0x9000, 0)
	})
}

func TestVMERedirectsINTnByTheBitmap(t *testing.T) {
	r := newProtected(t)
	r.CR4 = CR4VME
	r.Mem.Write(tssAt+0x66, 2, 0x68+32)
	r.Mem.Write(tssAt+0x68+0x80/8, 1, 0) // redirected
	r.Mem.Write(0x80*4, 4, 0x1234<<16|0x5678)
	r.v86(0)
	r.EFLAGS = r.EFLAGS&^FlagIF | FlagVIF | FlagTF
	r.must(r.SoftwareInterrupt(0x80))
	r.at(0x1234, 0x5678, 3)
	// IF in the image is VIF, IOPL reads as 3.
	r.stack(2, 0x8000, 0x200, FlagOne|FlagIF|FlagIOPL|FlagTF)
	if r.EFLAGS&(FlagVIF|FlagTF) != 0 || r.EFLAGS&FlagVM == 0 {
		t.Errorf("EFLAGS %#x", r.EFLAGS)
	}
	r.fails(GP(0), func() Trap { return r.InterruptReturn(2) }) // TF in the image
	r.Mem.Write(mem.Addr(r.Seg[isa.SS].Base)+mem.Addr(r.Reg16(ESP))+4, 2, FlagOne|FlagIF)
	r.must(r.InterruptReturn(2))
	if r.EFLAGS&FlagVIF == 0 {
		t.Error("IRET does not load VIF from IF")
	}
	r.Mem.Write(tssAt+0x68+0x80/8, 1, 1)
	r.fails(GP(0), func() Trap { return r.SoftwareInterrupt(0x80) })
	r.Mem.Write(tssAt+0x66, 2, 0x7ff)
	r.TR.Limit = 0x7ee
	r.fails(GP(0), func() Trap { return r.SoftwareInterrupt(0x80) })
}

func TestNMIsAreBlockedUntilIRETEvenIfItFaults(t *testing.T) {
	r := newProtected(t)
	r.vector(VecNMI, accInt, selCode0, 0x9000)
	r.RaiseNMI()
	if !r.Wakes() {
		t.Error("an NMI does not wake")
	}
	r.AcceptNMI()
	r.at(selCode0, 0x9000, 0)
	if !r.NMIBlocked || r.Attention()&AttendNMI != 0 {
		t.Error("the NMI is not blocked, or still pending")
	}
	r.Seg[isa.SS].Limit = 0
	if f := r.InterruptReturn(4); f != Fault(VecSS, 0) {
		t.Errorf("IRET: %v", f)
	}
	if r.NMIBlocked {
		t.Error("a faulting IRET leaves NMIs blocked")
	}
}

func TestINT3IsCheckedAgainstTheGateAndFaultsAtItself(t *testing.T) {
	r := newProtected(t)
	r.vector(VecBP, accInt, selCode0, 0x9000) // DPL 0
	r.vector(VecGP, accInt, selCode0, 0xa000)
	r.level(3)
	r.Deliver(AfterInstruction(VecBP))
	r.at(selCode0, 0xa000, 0)
	r.stack(4, VecBP*8+2, 0x7ffe, selCode3)
	t.Run("a debug trap is not", func(t *testing.T) {
		r := newProtected(t)
		r.vector(VecDB, accInt, selCode0, 0x9000)
		r.level(3)
		r.Deliver(AfterInstruction(VecDB))
		r.at(selCode0, 0x9000, 0)
		r.stack(4, 0x8000, selCode3, FlagOne)
	})
}
