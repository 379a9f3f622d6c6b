package cpu

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gov86/gov86/cpu/isa"
)

// A feature is a flag of CPUID: the number of its word times 32, plus its bit
// (Intel SDM Vol. 2, "CPUID—CPU Identification").
type feature uint8

// The words that have flags.
const (
	leaf1EDX feature = 32 * iota
	leaf1ECX
	leaf7EBX
	leaf80000001EDX
	wordsEnd
)

const (
	featureFPU   = leaf1EDX + 0
	featureVME   = leaf1EDX + 1
	featureDE    = leaf1EDX + 2
	featurePSE   = leaf1EDX + 3
	featureTSC   = leaf1EDX + 4
	featureMSR   = leaf1EDX + 5
	featurePAE   = leaf1EDX + 6
	featureMCE   = leaf1EDX + 7
	featureCX8   = leaf1EDX + 8
	featureAPIC  = leaf1EDX + 9
	featureSEP   = leaf1EDX + 11
	featureMTRR  = leaf1EDX + 12
	featurePGE   = leaf1EDX + 13
	featureMCA   = leaf1EDX + 14
	featureCMOV  = leaf1EDX + 15
	featurePAT   = leaf1EDX + 16
	featurePSE36 = leaf1EDX + 17
	featureCLFSH = leaf1EDX + 19
	featureMMX   = leaf1EDX + 23
	featureFXSR  = leaf1EDX + 24
	featureSSE   = leaf1EDX + 25
	featureSSE2  = leaf1EDX + 26

	featureSSE3       = leaf1ECX + 0
	featureMONITOR    = leaf1ECX + 3
	featureSSSE3      = leaf1ECX + 9
	featureSSE41      = leaf1ECX + 19
	featureSSE42      = leaf1ECX + 20
	featureMOVBE      = leaf1ECX + 22
	featurePOPCNT     = leaf1ECX + 23
	featureHypervisor = leaf1ECX + 31 // not silicon; Linux then trusts the TSC it is given

	featureSMEP = leaf7EBX + 7
	featureSMAP = leaf7EBX + 20

	featureNX = leaf80000001EDX + 20
)

// features are flags by word.
type features [wordsEnd / 32]uint32

func (s features) with(flags ...feature) features {
	for _, f := range flags {
		s[f/32] |= 1 << (f % 32)
	}
	return s
}

var (
	features486 = features{}.with(featureFPU, featureVME, featureHypervisor)
	featuresP5  = features486.with(featureDE, featurePSE, featureTSC, featureMSR, featureMCE, featureCX8)
	featuresP2  = featuresP5.with(featurePAE, featureAPIC, featureSEP, featureMTRR, featurePGE, featureMCA, featureCMOV,
		featurePAT, featurePSE36, featureMMX, featureFXSR)
	featuresP4  = featuresP2.with(featureCLFSH, featureSSE, featureSSE2)
	featuresMax = featuresP4.with(featureSSE3, featureSSSE3, featureSSE41, featureSSE42, featureMOVBE, featurePOPCNT,
		featureSMEP, featureSMAP, featureNX)
)

// A Model is what CPUID says, and so what the processor has.
type Model struct {
	Name                     string
	family, number, stepping uint32
	leaves                   uint32 // the highest basic leaf
	brand                    string // without one there are no extended leaves
	features                 features
}

// The 486 is a DX4, the first to have CPUID. The newest numbers itself an Atom
// of 2010, the last core that came 32 bits wide only. It executes in order as
// well, and Linux leaves out what it does against speculation.
var models = []Model{
	{"486", 4, 8, 0, 1, "", features486},
	{"pentium", 5, 2, 12, 1, "", featuresP5},
	{"pentium2", 6, 5, 2, 2, "", featuresP2},
	{"pentium4", 15, 2, 9, 2, "gov86 virtual Pentium 4", featuresP4},
	{"max", 6, 28, 10, 7, "gov86 virtual i686", featuresMax},
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
func (m *Model) HideAPIC() { m.features[featureAPIC/32] &^= 1 << (featureAPIC % 32) }

// APIC reports whether the model has a local APIC.
func (m *Model) APIC() bool { return m.has(featureAPIC) }

func (m *Model) has(f feature) bool { return m.features[f/32]>>(f%32)&1 != 0 }

// p6 reports whether the model is of the P6 family or a later one. What these
// began with, some instructions and MSRs, no flag reports.
func (m *Model) p6() bool { return m.family >= 6 }

// instructionFlags are the flags that report features of instructions.
var instructionFlags = [isa.NumFeatures]feature{
	isa.FeatureFPU: featureFPU, isa.FeatureTSC: featureTSC, isa.FeatureMSR: featureMSR, isa.FeatureCX8: featureCX8,
	isa.FeatureSEP: featureSEP, isa.FeatureCMOV: featureCMOV, isa.FeatureMMX: featureMMX, isa.FeatureCLFSH: featureCLFSH,
	isa.FeatureFXSR: featureFXSR, isa.FeatureSSE: featureSSE, isa.FeatureSSE2: featureSSE2, isa.FeatureSSE3: featureSSE3,
	isa.FeatureMONITOR: featureMONITOR, isa.FeatureSSSE3: featureSSSE3, isa.FeatureSSE41: featureSSE41,
	isa.FeatureSSE42: featureSSE42, isa.FeaturePOPCNT: featurePOPCNT, isa.FeatureMOVBE: featureMOVBE,
	isa.FeatureSMAP: featureSMAP,
}

// Knows reports whether in is an instruction of the model; others are invalid
// opcodes.
func (m *Model) Knows(in *isa.Inst) bool {
	switch f := in.Feature(); f {
	case isa.FeatureBase:
		return true
	case isa.FeatureP6:
		return m.p6()
	default:
		return m.has(instructionFlags[f])
	}
}

// cr4 are the bits of CR4 the model's features have.
func (m *Model) cr4() uint32 {
	var bits uint32
	for _, f := range []struct {
		feature feature
		bits    uint32
	}{
		{featureVME, CR4VME | CR4PVI}, {featureTSC, CR4TSD}, {featureDE, CR4DE}, {featurePSE, CR4PSE},
		{featurePAE, CR4PAE}, {featureMCE, CR4MCE}, {featurePGE, CR4PGE}, {featureFXSR, CR4OSFXSR},
		{featureSSE, CR4OSXMMEXCPT}, {featureSMEP, CR4SMEP}, {featureSMAP, CR4SMAP},
	} {
		if m.has(f.feature) {
			bits |= f.bits
		}
	}
	if m.p6() {
		bits |= CR4PCE
	}
	return bits
}
