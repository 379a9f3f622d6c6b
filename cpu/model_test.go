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

func TestCPUIDOfEachModel(t *testing.T) {
	for _, c := range []struct {
		model               string
		leaves, signature   uint32
		has, lacks          feature
		extended, executeNo bool
	}{
		{"486", 1, 0x480, featureFPU | featureVME, featureTSC | featureMSR | featurePSE, false, false},
		{"pentium", 1, 0x52c, featureTSC | featureCX8 | featurePSE, featureCMOV | featurePAE | featureMMX, false, false},
		{"pentium2", 2, 0x652, featureCMOV | featurePAE | featureSEP | featureFXSR, featureSSE, false, false},
		{"pentium4", 2, 0xf29, featureSSE2 | featureCLFSH, 0, true, false},
		{"max", 2, 0x6d8, featureSSE2 | featureAPIC | featurePGE | featurePAT, 1 << 7, true, true},
	} {
		t.Run(c.model, func(t *testing.T) {
			r := newReal(t)
			r.model(c.model)
			a, b, x, d := r.CPUID(0, 0)
			var vendor [12]byte
			binary.LittleEndian.PutUint32(vendor[0:], b)
			binary.LittleEndian.PutUint32(vendor[4:], d)
			binary.LittleEndian.PutUint32(vendor[8:], x)
			if a != c.leaves || string(vendor[:]) != "GenuineIntel" {
				t.Errorf("leaf 0: %d %q", a, vendor)
			}
			a, _, _, d = r.CPUID(1, 0)
			if a != c.signature || a != r.Reg32(EDX) && r.Reg32(EDX) != 0 {
				t.Errorf("signature %#x, want %#x", a, c.signature)
			}
			if feature(d)&c.has != c.has || feature(d)&c.lacks != 0 {
				t.Errorf("features %#x", d)
			}
			a, _, _, _ = r.CPUID(0x80000000, 0)
			if (a >= 0x80000004) != c.extended {
				t.Errorf("highest extended leaf %#x", a)
			}
			_, _, _, d = r.CPUID(0x80000001, 0)
			if d>>20&1 == 1 != c.executeNo {
				t.Errorf("leaf 80000001H: %#x", d)
			}
			if a, b, x, d := r.CPUID(c.leaves+1, 0); a|b|x|d != 0 {
				t.Error("a leaf above the highest is not zero")
			}
		})
	}
	if _, err := ModelByName("8086"); err == nil {
		t.Error("an unknown model is accepted")
	}
}

func TestAfterRESETEDXHasTheSignature(t *testing.T) {
	r := newReal(t)
	r.Reset()
	if a, _, _, _ := r.CPUID(1, 0); r.Reg32(EDX) != a {
		t.Errorf("EDX %#x, want %#x", r.Reg32(EDX), a)
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
	apic := func() bool { _, _, _, d := r.CPUID(1, 0); return feature(d)&featureAPIC != 0 }
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

func TestRDMSROfAnIndexThatIsNotThereFaults(t *testing.T) {
	r := newReal(t)
	for _, i := range []uint32{msrTSC, msrPlatformID, msrAPICBase, msrEBLPowerOn, msrMicrocode, msrMTRRCap,
		msrSysenterCS, msrSysenterESP, msrSysenterEIP, msrMCGCap, msrMiscEnable, msrPAT, msrMTRRDefType, msrEFER,
		msrMTRRVariable, msrMTRRVariable + 15, msrMTRRFix64K, msrMTRRFix16K + 1, msrMTRRFix4K + 7} {
		if _, f := r.ReadMSR(i); f != NoTrap {
			t.Errorf("MSR %#x: %v", i, f)
		}
	}
	for _, i := range []uint32{0xffffffff, msrMTRRVariable + 16, msrMTRRFix4K + 8, 0xc0000081} {
		if _, f := r.ReadMSR(i); f != GP(0) {
			t.Errorf("MSR %#x: %v", i, f)
		}
		r.fails(GP(0), func() Trap { return r.WriteMSR(i, 0) })
	}
	r.model("pentium")
	for _, i := range []uint32{msrMTRRCap, msrMTRRDefType, msrPAT, msrSysenterCS, msrEFER, msrMTRRFix64K} {
		if _, f := r.ReadMSR(i); f != GP(0) {
			t.Errorf("a Pentium has MSR %#x", i)
		}
	}
	r.model("486")
	if _, f := r.ReadMSR(msrTSC); f != UD() {
		t.Errorf("a 486 has RDMSR: %v", f)
	}
}

func TestWRMSRRefusesReservedBitsAndTypes(t *testing.T) {
	r := newReal(t)
	for _, c := range []struct {
		index uint32
		v     uint64
		want  Trap
	}{
		{msrPAT, powerOnPAT, NoTrap},
		{msrPAT, 2, GP(0)}, // no such type
		{msrPAT, 7, NoTrap},
		{msrMTRRDefType, 0xc06, NoTrap},
		{msrMTRRDefType, 0xc07, GP(0)}, // UC- is for the PAT
		{msrMTRRDefType, 1 << 8, GP(0)},
		{msrMTRRFix64K, 0x0606060606060606, NoTrap},
		{msrMTRRFix64K, 0x0606060306060606, GP(0)},
		{msrMTRRVariable, 1<<36 | 6, GP(0)}, // at MAXPHYADDR
		{msrMTRRVariable, 0xe0000001, NoTrap},
		{msrMTRRVariable + 1, 0xff0000800, NoTrap},
		{msrMTRRVariable + 1, 1, GP(0)},
		{msrEFER, 1 << 8, GP(0)}, // no long mode
		{msrEFER, EFERNXE, NoTrap},
		{msrMTRRCap, 0, GP(0)}, // read-only
	} {
		r.fails(c.want, func() Trap { return r.WriteMSR(c.index, c.v) })
		if got, _ := r.ReadMSR(c.index); c.want == NoTrap && got != c.v {
			t.Errorf("MSR %#x reads %#x, want %#x", c.index, got, c.v)
		}
	}
}

func TestTheTSCCountsOnFromWhatIsWritten(t *testing.T) {
	r := newReal(t)
	r.pins.cycles = 1000
	r.must(r.WriteMSR(msrTSC, 5))
	r.pins.cycles = 1100
	if got, _ := r.ReadMSR(msrTSC); got != 105 || r.TSC() != 105 {
		t.Errorf("TSC %d, want 105", got)
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
