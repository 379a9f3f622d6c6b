package cpu

import (
	"fmt"
	"slices"
	"strings"
)

// Features are bits of CPUID leaf 1 EDX, and from bit 32 on of other words
// (Intel SDM Vol. 2, "CPUID—CPU Identification").
type feature uint64

const (
	featureFPU   feature = 1 << 0
	featureVME   feature = 1 << 1
	featureDE    feature = 1 << 2
	featurePSE   feature = 1 << 3
	featureTSC   feature = 1 << 4
	featureMSR   feature = 1 << 5
	featurePAE   feature = 1 << 6
	featureCX8   feature = 1 << 8
	featureAPIC  feature = 1 << 9
	featureSEP   feature = 1 << 11
	featureMTRR  feature = 1 << 12
	featurePGE   feature = 1 << 13
	featureCMOV  feature = 1 << 15
	featurePAT   feature = 1 << 16
	featurePSE36 feature = 1 << 17
	featureCLFSH feature = 1 << 19
	featureMMX   feature = 1 << 23
	featureFXSR  feature = 1 << 24
	featureSSE   feature = 1 << 25
	featureSSE2  feature = 1 << 26
	featureNX    feature = 1 << 32 // leaf 80000001H EDX bit 20

	features486 = featureFPU | featureVME
	featuresP5  = features486 | featureDE | featurePSE | featureTSC | featureMSR | featureCX8
	featuresP2  = featuresP5 | featurePAE | featureSEP | featureMTRR | featurePGE | featureCMOV | featurePAT |
		featurePSE36 | featureMMX | featureFXSR | featureAPIC
	featuresP4 = featuresP2 | featureCLFSH | featureSSE | featureSSE2
)

// A Model is what CPUID says, and so what the processor has.
type Model struct {
	Name                     string
	family, number, stepping uint32
	leaves                   uint32 // the highest basic leaf
	brand                    string // without one there are no extended leaves
	features                 feature
}

// The 486 is a DX4, the first to have CPUID. The newest numbers itself a
// Pentium M of 2004, the last i686 that is 32 bits wide and has one core.
var models = []Model{
	{"486", 4, 8, 0, 1, "", features486},
	{"pentium", 5, 2, 12, 1, "", featuresP5},
	{"pentium2", 6, 5, 2, 2, "", featuresP2},
	{"pentium4", 15, 2, 9, 2, "gov86 virtual Pentium 4", featuresP4},
	{"max", 6, 13, 8, 2, "gov86 virtual i686", featuresP4 | featureNX},
}

// DefaultModel is an i686 with everything that is implemented.
const DefaultModel = "max"

// ModelByName returns a copy of a named model.
func ModelByName(name string) (*Model, error) {
	i := slices.IndexFunc(models, func(m Model) bool { return m.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("no processor model %q; there are %s", name, strings.Join(ModelNames(), ", "))
	}
	m := models[i]
	return &m, nil
}

// ModelNames are the models, oldest first.
func ModelNames() []string {
	var names []string
	for _, m := range models {
		names = append(names, m.Name)
	}
	return names
}

// HideAPIC makes CPUID deny the local APIC.
func (m *Model) HideAPIC() { m.features &^= featureAPIC }

// APIC reports whether the model has a local APIC.
func (m *Model) APIC() bool { return m.has(featureAPIC) }

func (m *Model) has(f feature) bool { return m.features&f == f }

// cr4 are the bits of CR4 the model's features have.
func (m *Model) cr4() uint32 {
	var bits uint32
	for _, f := range []struct {
		feature feature
		bits    uint32
	}{
		{featureVME, CR4VME | CR4PVI}, {featureTSC, CR4TSD}, {featureDE, CR4DE}, {featurePSE, CR4PSE},
		{featurePAE, CR4PAE}, {featureMSR, CR4MCE}, {featurePGE, CR4PGE}, {featureMMX, CR4PCE},
		{featureFXSR, CR4OSFXSR}, {featureSSE, CR4OSXMMEXCPT},
	} {
		if m.has(f.feature) {
			bits |= f.bits
		}
	}
	return bits
}

// TSCHz is the frequency of the time-stamp counter.
const TSCHz = 1_000_000_000

// CPUID is the instruction, for a leaf and a subleaf.
func (c *CPU) CPUID(leaf, _ uint32) (a, b, cx, d uint32) {
	m := c.Model
	switch {
	case leaf < 1<<31 && leaf > m.leaves, leaf >= 1<<31 && m.brand == "":
		return 0, 0, 0, 0
	}
	switch leaf {
	case 0:
		// "GenuineIntel"
		return m.leaves, 0x756e6547, 0x6c65746e, 0x49656e69
	case 1:
		f := m.features
		if c.MSR.APICBase&APICEnable == 0 {
			f &^= featureAPIC
		}
		if m.has(featureCLFSH) {
			b = 64 / 8 << 8 // the line size in quadwords
		}
		return m.signature(), b, hypervisorBit, uint32(f)
	case 2:
		// One iteration; 4-KByte and 4-MByte TLBs, 32-KByte caches, 2-MByte L2.
		return 0x02b3b001, 0xf0, 0, 0x2c04307d
	case 0x80000000:
		return 0x80000008, 0, 0, 0
	case 0x80000001:
		if m.has(featureNX) {
			d = 1 << 20
		}
		return 0, 0, 0, d
	case 0x80000002, 0x80000003, 0x80000004:
		return m.brandWords(leaf - 0x80000002)
	case 0x80000007:
		return 0, 0, 0, 1 << 8 // invariant TSC
	case 0x80000008:
		return physBits | 32<<8, 0, 0, 0
	}
	return 0, 0, 0, 0
}

// signature is family, model and stepping. No family is above 15, no model
// above 15: there are no extended fields.
func (m *Model) signature() uint32 { return m.family<<8 | m.number<<4 | m.stepping }

// hypervisorBit of leaf 1 ECX: the processor is not silicon. Linux then trusts
// the TSC it is given.
const hypervisorBit = 1 << 31

func (m *Model) brandWords(part uint32) (a, b, c, d uint32) {
	var text [48]byte
	copy(text[:], m.brand)
	word := func(i uint32) uint32 {
		p := text[16*part+4*i:]
		return uint32(p[0]) | uint32(p[1])<<8 | uint32(p[2])<<16 | uint32(p[3])<<24
	}
	return word(0), word(1), word(2), word(3)
}
