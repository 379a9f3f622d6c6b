package cpu

// TSCHz is the frequency of the time-stamp counter.
const TSCHz = 1_000_000_000

const (
	// firstExtended and lastExtended are the leaves of extended functions.
	firstExtended, lastExtended = 0x80000000, 0x80000008
	// limitedLeaves is the highest basic leaf while IA32_MISC_ENABLE limits it.
	limitedLeaves = 2
)

// CPUID is the instruction, for a leaf and a subleaf
// (Intel SDM Vol. 2, "CPUID—CPU Identification").
func (c *CPU) CPUID(leaf, subleaf uint32) (a, b, cx, d uint32) {
	m := c.Model
	basic := m.leaves
	if c.MSR.MiscEnable&limitCPUID != 0 {
		basic = min(basic, limitedLeaves)
	}
	extended := m.brand != "" && leaf >= firstExtended && leaf <= lastExtended
	switch {
	case leaf>>28 == 4: // left to hypervisors, of which there is none that talks
		return 0, 0, 0, 0
	case leaf > basic && !extended:
		leaf = basic
	}
	switch leaf {
	case 0:
		// "GenuineIntel"
		return basic, 0x756e6547, 0x6c65746e, 0x49656e69
	case 1:
		f := m.features
		if c.MSR.APICBase&APICEnable == 0 {
			f[leaf1EDX/32] &^= 1 << (featureAPIC % 32)
		}
		if m.has(featureCLFSH) {
			b = cacheLine / 8 << 8
		}
		return m.signature(), b, f[leaf1ECX/32], f[leaf1EDX/32]
	case 2:
		// One iteration; 4-KByte and 4-MByte TLBs, and the caches of leaf 4.
		return 0x02b3b001, 0xf0, 0, 0x2c04307d
	case 4:
		return cacheParameters(subleaf)
	case 7:
		if subleaf == 0 {
			b = m.features[leaf7EBX/32]
		}
		return 0, b, 0, 0
	case firstExtended:
		return lastExtended, 0, 0, 0
	case 0x80000001:
		return 0, 0, 0, m.features[leaf80000001EDX/32]
	case 0x80000002, 0x80000003, 0x80000004:
		return m.brandWords(leaf - 0x80000002)
	case 0x80000006:
		return 0, 0, 2048<<16 | 6<<12 | cacheLine, 0 // the L2 cache: KBytes, the code of 8 ways, line
	case 0x80000007:
		return 0, 0, 0, 1 << 8 // invariant TSC
	case 0x80000008:
		return physBits | 32<<8, 0, 0, 0
	}
	return 0, 0, 0, 0
}

// cacheLine is the size of a cache line in bytes.
const cacheLine = 64

// cacheParameters is leaf 4: 32-KByte L1 caches for data and code and a 2-MByte
// L2 cache, all of 8 ways.
func cacheParameters(subleaf uint32) (a, b, cx, d uint32) {
	const (
		data, code, unified = 1, 2, 3
		selfInitializing    = 1 << 8
		ways                = 8
	)
	caches := []struct{ kind, level, size uint32 }{{data, 1, 32 << 10}, {code, 1, 32 << 10}, {unified, 2, 2 << 20}}
	if subleaf >= uint32(len(caches)) {
		return 0, 0, 0, 0
	}
	k := caches[subleaf]
	return k.kind | k.level<<5 | selfInitializing, (ways-1)<<22 | (cacheLine - 1), k.size/(ways*cacheLine) - 1, 0
}

// signature is family, model and stepping. Bits 4 to 7 of the model are the
// extended one; no family is above 15.
func (m *Model) signature() uint32 {
	return m.number>>4<<16 | m.family<<8 | m.number&15<<4 | m.stepping
}

func (m *Model) brandWords(part uint32) (a, b, c, d uint32) {
	var text [48]byte
	copy(text[:], m.brand)
	word := func(i uint32) uint32 {
		p := text[16*part+4*i:]
		return uint32(p[0]) | uint32(p[1])<<8 | uint32(p[2])<<16 | uint32(p[3])<<24
	}
	return word(0), word(1), word(2), word(3)
}
