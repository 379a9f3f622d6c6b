package cpu

import (
	"encoding/binary"
	"testing"
)

// A cpuidCase is what CPUID returns: EAX, EBX, ECX, EDX.
type cpuidCase struct {
	leaf, subleaf uint32
	words         [4]uint32
}

const hypervisor = 1 << 31

// genuineIntel is leaf 0.
func genuineIntel(leaves uint32) [4]uint32 {
	word := func(s string) uint32 { return binary.LittleEndian.Uint32([]byte(s)) }
	return [4]uint32{leaves, word("Genu"), word("ntel"), word("ineI")}
}

// What real ones of the models report, without what is not there: for example
// 0183FBFFH of a Pentium II, BFEBFBFFH less DS, ACPI, SS, HT, TM and PBE of a
// Pentium 4.
func TestCPUIDOfEachModel(t *testing.T) {
	caches := [4]uint32{0x02b3b001, 0xf0, 0, 0x2c04307d}
	for _, c := range []struct {
		model string
		cases []cpuidCase
	}{
		{"486", []cpuidCase{
			{0, 0, genuineIntel(1)},
			{1, 0, [4]uint32{0x480, 0, hypervisor, 0x3}},
			{2, 0, [4]uint32{0x480, 0, hypervisor, 0x3}}, // above the highest: the highest
			{0x80000000, 0, [4]uint32{0x480, 0, hypervisor, 0x3}},
		}},
		{"pentium", []cpuidCase{
			{0, 0, genuineIntel(1)},
			{1, 0, [4]uint32{0x52c, 0, hypervisor, 0x1bf}},
			{0x80000000, 0, [4]uint32{0x52c, 0, hypervisor, 0x1bf}},
		}},
		{"pentium2", []cpuidCase{
			{0, 0, genuineIntel(2)},
			{1, 0, [4]uint32{0x652, 0, hypervisor, 0x0183fbff}},
			{2, 0, caches},
			{7, 0, caches},
			{0x80000001, 0, caches},
		}},
		{"pentium4", []cpuidCase{
			{0, 0, genuineIntel(2)},
			{1, 0, [4]uint32{0xf29, 0x800, hypervisor, 0x078bfbff}},
			{2, 0, caches},
			{7, 0, caches},
			{0x80000000, 0, [4]uint32{0x80000008, 0, 0, 0}},
			{0x80000001, 0, [4]uint32{}},
		}},
		{"max", []cpuidCase{
			{0, 0, genuineIntel(7)},
			// SSE3, SSSE3, SSE4.1, SSE4.2, MOVBE and POPCNT.
			{1, 0, [4]uint32{0x106ca, 0x800, hypervisor | 1<<0 | 1<<9 | 1<<19 | 1<<20 | 1<<22 | 1<<23, 0x078bfbff}},
			{2, 0, caches},
			{3, 0, [4]uint32{}},
			{4, 0, [4]uint32{0x121, 0x01c0003f, 63, 0}},
			{4, 1, [4]uint32{0x122, 0x01c0003f, 63, 0}},
			{4, 2, [4]uint32{0x143, 0x01c0003f, 4095, 0}},
			{4, 3, [4]uint32{}},
			{5, 0, [4]uint32{}}, // no MONITOR
			{6, 0, [4]uint32{}},
			{7, 0, [4]uint32{0, 1<<7 | 1<<20, 0, 0}}, // SMEP and SMAP
			{7, 1, [4]uint32{}},
			{8, 0, [4]uint32{0, 1<<7 | 1<<20, 0, 0}},
			{0x40000000, 0, [4]uint32{}},
			{0x80000000, 0, [4]uint32{0x80000008, 0, 0, 0}},
			{0x80000001, 0, [4]uint32{0, 0, 0, 1 << 20}}, // NX
			{0x80000005, 0, [4]uint32{}},
			{0x80000006, 0, [4]uint32{0, 0, 0x08006040, 0}},
			{0x80000007, 0, [4]uint32{0, 0, 0, 1 << 8}},
			{0x80000008, 0, [4]uint32{0x2024, 0, 0, 0}},
			{0x80000009, 0, [4]uint32{0, 1<<7 | 1<<20, 0, 0}},
		}},
	} {
		t.Run(c.model, func(t *testing.T) {
			r := newReal(t)
			r.model(c.model)
			for _, k := range c.cases {
				a, b, x, d := r.CPUID(k.leaf, k.subleaf)
				if got := [4]uint32{a, b, x, d}; got != k.words {
					t.Errorf("leaf %#x.%d: %#x, want %#x", k.leaf, k.subleaf, got, k.words)
				}
			}
			if a, _, _, _ := r.CPUID(1, 0); r.Reg32(EDX) != a {
				t.Errorf("after RESET EDX is %#x, not the signature %#x", r.Reg32(EDX), a)
			}
		})
	}
	if _, err := ModelByName("8086"); err == nil {
		t.Error("an unknown model is accepted")
	}
}

// Intel SDM Vol. 4, IA32_MISC_ENABLE: Limit CPUID Maxval.
func TestIA32_MISC_ENABLELimitsTheLeaves(t *testing.T) {
	r := newReal(t)
	before, _ := r.ReadMSR(msrMiscEnable)
	r.must(r.WriteMSR(msrMiscEnable, before|limitCPUID))
	if a, _, _, _ := r.CPUID(0, 0); a != 2 {
		t.Errorf("%d leaves", a)
	}
	if _, b, _, d := r.CPUID(7, 0); b != 0xf0 || d == 0 {
		t.Error("leaf 7 is not that of the highest leaf")
	}
	r.must(r.WriteMSR(msrMiscEnable, before))
	if a, _, _, _ := r.CPUID(0, 0); a != 7 {
		t.Errorf("%d leaves without the limit", a)
	}
}
