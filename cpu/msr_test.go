package cpu

import "testing"

// Which model has which model-specific registers (Intel SDM Vol. 4).
func TestEachModelHasItsMSRs(t *testing.T) {
	all := []string{"pentium", "pentium2", "pentium4", "max"} // the 486 has no RDMSR
	p6 := all[1:]
	for _, c := range []struct {
		index  uint32
		models []string
	}{
		{msrP5MCAddr, all}, {msrP5MCType, all}, {msrTSC, all},
		{msrPlatformID, p6}, {msrAPICBase, p6}, {msrEBLPowerOn, p6}, {msrMicrocode, p6}, {msrMTRRCap, p6},
		{msrSysenterCS, p6}, {msrSysenterESP, p6}, {msrSysenterEIP, p6}, {msrMCGCap, p6}, {msrMCGStatus, p6},
		{msrDebugCtl, p6}, {msrPAT, p6}, {msrMTRRDefType, p6}, {msrMTRRVariable, p6}, {msrMTRRVariable + 15, p6},
		{msrMTRRFix64K, p6}, {msrMTRRFix16K, p6}, {msrMTRRFix16K + 1, p6}, {msrMTRRFix4K, p6}, {msrMTRRFix4K + 7, p6},
		{msrBBLCtl3, []string{"pentium2", "max"}},
		{msrMiscEnable, []string{"pentium4", "max"}},
		{msrEFER, []string{"max"}},
		{0xffffffff, nil}, {msrMTRRVariable + 16, nil}, {msrMTRRFix16K + 2, nil}, {msrMTRRFix4K + 8, nil},
		{0x3b, nil}, // IA32_TSC_ADJUST
		{0x3a, nil}, {0xce, nil}, {0x10a, nil}, {0x198, nil}, {0x400, nil}, {0xc0000081, nil},
	} {
		for _, model := range all {
			r := newReal(t)
			r.model(model)
			want := GP(0)
			for _, m := range c.models {
				if m == model {
					want = NoTrap
				}
			}
			v, got := r.ReadMSR(c.index)
			if got != want {
				t.Errorf("%s: reading MSR %#x: %v, want %v", model, c.index, got, want)
			}
			// What is there may be read-only.
			if got := r.WriteMSR(c.index, v); got != want && want != NoTrap {
				t.Errorf("%s: writing MSR %#x: %v, want %v", model, c.index, got, want)
			}
		}
	}
}

func TestMTRRsAndPATKeepWhatIsWritten(t *testing.T) {
	r := newReal(t)
	if v, _ := r.ReadMSR(msrMTRRCap); v != 0x508 {
		t.Errorf("IA32_MTRRCAP %#x", v)
	}
	if v, _ := r.ReadMSR(msrPAT); v != 0x0007040600070406 {
		t.Errorf("IA32_PAT after RESET %#x", v)
	}
	values := map[uint32]uint64{msrMTRRDefType: 0xc06, msrPAT: 0x0706050401000704}
	for i := range uint32(8) {
		values[msrMTRRVariable+2*i] = uint64(i+1)<<20 | 6
		values[msrMTRRVariable+2*i+1] = 0xffff00000 | uint64(i)<<12 | 1<<11
		values[msrMTRRFix4K+i] = 0x0606060606060600 | uint64([...]int{0, 1, 4, 5, 6}[i%5])
	}
	values[msrMTRRFix64K] = 0x0505050505050505
	values[msrMTRRFix16K] = 0x0101010101010101
	values[msrMTRRFix16K+1] = 0x0404040404040404
	for index, v := range values {
		r.must(r.WriteMSR(index, v))
	}
	for index, v := range values {
		if got, f := r.ReadMSR(index); got != v || f != NoTrap {
			t.Errorf("MSR %#x reads %#x, %v, want %#x", index, got, f, v)
		}
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
		{msrPAT, 3 << 56, GP(0)},
		{msrPAT, 8 << 32, GP(0)},
		{msrMTRRDefType, 0xc06, NoTrap},
		{msrMTRRDefType, 0xc07, GP(0)}, // UC- is for the PAT
		{msrMTRRDefType, 1 << 8, GP(0)},
		{msrMTRRFix64K, 0x0606060606060606, NoTrap},
		{msrMTRRFix64K, 0x0606060306060606, GP(0)},
		{msrMTRRVariable, 1<<36 | 6, GP(0)}, // at MAXPHYADDR
		{msrMTRRVariable, 0xe0000001, NoTrap},
		{msrMTRRVariable, 0xe0000002, GP(0)}, // no such type
		{msrMTRRVariable, 0xe0000100, GP(0)},
		{msrMTRRVariable + 14, 0xfffff000 | 5, NoTrap},
		{msrMTRRVariable + 1, 0xff0000800, NoTrap},
		{msrMTRRVariable + 1, 1, GP(0)},
		{msrMTRRVariable + 15, 1 << 36, GP(0)},
		{msrEFER, 1 << 8, GP(0)}, // no long mode
		{msrEFER, EFERNXE, NoTrap},
		{msrEFER, 1, GP(0)}, // no SYSCALL
		{msrMiscEnable, miscEnableReset | limitCPUID | speedStep, NoTrap},
		{msrMiscEnable, miscEnableReset | 1<<18, GP(0)}, // no MONITOR
		{msrMiscEnable, miscEnableReset | 1<<34, GP(0)}, // NX cannot be taken away
		{msrMiscEnable, miscEnableReset | fopcodeCompatible, GP(0)},
		{msrAPICBase, 0xfee00000 | APICEnable | apicBSP, NoTrap},
		{msrAPICBase, 0xfee00000 | 1<<10, GP(0)}, // no x2APIC
		{msrAPICBase, 1 << 36, GP(0)},
		{msrSysenterCS, 0x60, NoTrap},
		{msrSysenterESP, 0xfffffff0, NoTrap},
		{msrSysenterEIP, 0xc1000000, NoTrap},
		{msrMTRRCap, 0, GP(0)}, // read-only
		{msrPlatformID, 0, GP(0)},
		{msrMCGCap, 0, GP(0)},
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

// Intel SDM Vol. 3B, "Time-Stamp Counter": older processors clear the high half.
func TestOldModelsWriteTheLowHalfOfTheTSC(t *testing.T) {
	for model, want := range map[string]uint64{
		"pentium": 5<<32 | 7, "pentium2": 7, "pentium4": 7, "max": 5<<32 | 7,
	} {
		r := newReal(t)
		r.model(model)
		r.pins.cycles = 1000
		r.must(r.WriteMSR(msrTSC, 5<<32|7))
		if got, _ := r.ReadMSR(msrTSC); got != want {
			t.Errorf("%s: %#x, want %#x", model, got, want)
		}
	}
}

func TestReadOnlyBitsOfIA32_MISC_ENABLEStay(t *testing.T) {
	r := newReal(t)
	r.must(r.WriteMSR(msrMiscEnable, 0))
	if got, _ := r.ReadMSR(msrMiscEnable); got != miscEnableReadOnly {
		t.Errorf("IA32_MISC_ENABLE %#x", got)
	}
	r.model("pentium4")
	r.must(r.WriteMSR(msrMiscEnable, fopcodeCompatible))
	if !r.RecordsFOP() {
		t.Error("a Pentium 4 does not record FOP when told to")
	}
}

// Linux reads the revision that CPUID leaves here.
func TestIA32_BIOS_SIGN_IDHasARevision(t *testing.T) {
	r := newReal(t)
	r.must(r.WriteMSR(msrMicrocode, 0))
	r.CPUID(1, 0)
	if v, _ := r.ReadMSR(msrMicrocode); v != 1<<32 {
		t.Errorf("IA32_BIOS_SIGN_ID %#x", v)
	}
}
