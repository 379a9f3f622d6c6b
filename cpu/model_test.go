package cpu

import (
	"encoding/binary"
	"testing"

	"github.com/gov86/gov86/cpu/isa"
)

func (r *rig) model(name string) {
	r.t.Helper()
	m, err := ModelByName(name)
	if err != nil {
		r.t.Fatal(err)
	}
	r.Model = m
	r.Reset()
}

func TestEachModelHasTheBitsOfCR4ItsFeaturesHave(t *testing.T) {
	for model, want := range map[string]uint32{
		"486":      CR4VME | CR4PVI,
		"pentium":  CR4VME | CR4PVI | CR4TSD | CR4DE | CR4PSE | CR4MCE,
		"pentium2": 0x3ff,
		"pentium4": 0x7ff,
		"max":      0x7ff | CR4SMEP | CR4SMAP,
	} {
		t.Run(model, func(t *testing.T) {
			r := newReal(t)
			r.model(model)
			for i := range 32 {
				bit := uint32(1) << i
				refused := GP(0)
				if want&bit != 0 {
					refused = NoTrap
				}
				r.fails(refused, func() Trap { return r.SetCR4(bit) })
			}
		})
	}
}

func TestTheBrandStringIsInThreeLeaves(t *testing.T) {
	r := newReal(t)
	var text []byte
	for leaf := uint32(0x80000002); leaf <= 0x80000004; leaf++ {
		a, b, c, d := r.CPUID(leaf, 0)
		for _, v := range []uint32{a, b, c, d} {
			text = binary.LittleEndian.AppendUint32(text, v)
		}
	}
	if got := string(text[:len(r.Model.brand)]); got != r.Model.brand || text[47] != 0 {
		t.Errorf("%q", text)
	}
}

func TestTheAPICFlagMirrorsIA32_APIC_BASE(t *testing.T) {
	r := newReal(t)
	apic := func() bool { _, _, _, d := r.CPUID(1, 0); return d>>featureAPIC&1 != 0 }
	if !apic() {
		t.Error("no APIC after reset")
	}
	r.must(r.WriteMSR(msrAPICBase, 0xfee00000|apicBSP))
	if apic() || r.pins.apic != 0xfee00000|apicBSP {
		t.Errorf("disabled: CPUID says %t, the board was told %#x", apic(), r.pins.apic)
	}
	r.fails(GP(0), func() Trap { return r.WriteMSR(msrAPICBase, 1) })
	r.Model.HideAPIC()
	r.Reset()
	if _, f := r.ReadMSR(msrAPICBase); apic() || r.MSR.APICBase != 0 || f != GP(0) {
		t.Error("a hidden APIC shows")
	}
}

func TestTheStateAfterRESET(t *testing.T) {
	r := newReal(t)
	r.SetINTR(true)
	r.RaiseNMI()
	r.XMM[3][1] = 1
	r.Reset()
	cs := r.Seg[isa.CS]
	if cs.Base+r.EIP != 0xfffffff0 || cs.Selector != 0xf000 || cs.Limit != 0xffff {
		t.Errorf("the first fetch is at %#x: %+v", cs.Base+r.EIP, cs)
	}
	if r.CR0 != 0x60000010 || r.EFLAGS != 2 || r.DR[6] != 0xffff0ff0 || r.DR[7] != 0x400 ||
		r.IDTR.Limit != 0xffff || r.MXCSR != 0x1f80 || r.FPU.Control != 0x40 || r.FPU.Tag != 0x5555 || r.XMM[3][1] != 0 {
		t.Errorf("%+v", *r.State)
	}
	if r.Attention() != 0 {
		t.Errorf("attention %#x", r.Attention())
	}
}

func TestINITLeavesFPUTSCAndMSRs(t *testing.T) {
	r := newPaged(t)
	r.FPU.Control, r.XMM[0][0], r.MXCSR, r.TSCOffset = 0x37f, 7, 0x9f80, 99
	r.must(r.WriteMSR(msrPAT, 6))
	r.CR0 &^= CR0CD | CR0NW
	r.Init()
	if r.FPU.Control != 0x37f || r.XMM[0][0] != 7 || r.MXCSR != 0x9f80 || r.TSCOffset != 99 || r.MSR.PAT != 6 {
		t.Error("INIT touched what it leaves")
	}
	if r.CR0 != CR0ET || r.CR3 != 0 || r.CPL != 0 || r.EIP != 0xfff0 {
		t.Errorf("CR0 %#x CR3 %#x EIP %#x", r.CR0, r.CR3, r.EIP)
	}
}
