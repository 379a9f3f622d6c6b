package cpu

// Model-specific registers (Intel SDM Vol. 4, "Model-Specific Registers").
const (
	msrP5MCAddr     = 0x0
	msrP5MCType     = 0x1
	msrTSC          = 0x10
	msrPlatformID   = 0x17
	msrAPICBase     = 0x1b
	msrEBLPowerOn   = 0x2a
	msrUpdate       = 0x79 // IA32_BIOS_UPDT_TRIG
	msrMicrocode    = 0x8b // IA32_BIOS_SIGN_ID
	msrMTRRCap      = 0xfe
	msrBBLCtl3      = 0x11e
	msrSysenterCS   = 0x174
	msrSysenterESP  = 0x175
	msrSysenterEIP  = 0x176
	msrMCGCap       = 0x179
	msrMCGStatus    = 0x17a
	msrMiscEnable   = 0x1a0
	msrDebugCtl     = 0x1d9
	msrMTRRVariable = 0x200
	msrMTRRFix64K   = 0x250
	msrMTRRFix16K   = 0x258
	msrMTRRFix4K    = 0x268
	msrPAT          = 0x277
	msrMTRRDefType  = 0x2ff
	msrEFER         = 0xc0000080
)

const (
	mtrrCap    = 1<<10 | 1<<8 | 8 // WC, fixed ranges, eight variable ranges
	powerOnPAT = 0x0007040600070406
	physMask   = 1<<physBits - 1
	// microcode is the revision that IA32_BIOS_SIGN_ID tells in its high half.
	microcode = 1 << 32

	// APICEnable is the global enable bit of IA32_APIC_BASE.
	APICEnable = 1 << 11
	apicBSP    = 1 << 8

	apicBaseValid = physMask&^0xfff | APICEnable | apicBSP
)

// Bits of IA32_MISC_ENABLE.
const (
	fastStrings       = 1 << 0 // firmware leaves it set
	fopcodeCompatible = 1 << 2 // of the Pentium 4; see RecordsFOP
	thermalControl    = 1 << 3
	noBranchTrace     = 1 << 11
	noEventSampling   = 1 << 12
	speedStep         = 1 << 16
	limitCPUID        = 1 << 22
	noTaskPriority    = 1 << 23

	miscEnableReset    = fastStrings | miscEnableReadOnly
	miscEnableReadOnly = noBranchTrace | noEventSampling
	// What thermal control, SpeedStep and task-priority messages would do
	// cannot be seen: their bits store.
	miscEnableStored = fastStrings | thermalControl | speedStep | limitCPUID | noTaskPriority
)

// TSC is the time-stamp counter.
func (c *CPU) TSC() uint64 { return c.Pins.Cycles() + c.TSCOffset }

// fixedMTRR is where a fixed-range MTRR is stored.
func fixedMTRR(index uint32) (int, bool) {
	switch {
	case index == msrMTRRFix64K:
		return 0, true
	case index == msrMTRRFix16K, index == msrMTRRFix16K+1:
		return int(index-msrMTRRFix16K) + 1, true
	case index >= msrMTRRFix4K && index < msrMTRRFix4K+8:
		return int(index-msrMTRRFix4K) + 3, true
	}
	return 0, false
}

// An msrField is where an MSR that only stores is kept.
type msrField struct {
	p     *uint64
	valid uint64 // other bits are reserved
	types int    // how many of its low bytes are memory types
}

// msrStorage finds an MSR that only stores; p is nil for others.
func (c *CPU) msrStorage(index uint32) msrField {
	m := &c.MSR
	if !c.Model.has(featureMTRR) {
		return msrField{}
	}
	if i, ok := fixedMTRR(index); ok {
		return msrField{&m.MTRRFix[i], ^uint64(0), 8}
	}
	if i := index - msrMTRRVariable; i < 16 {
		if i&1 == 0 {
			return msrField{&m.MTRRBase[i/2], physMask &^ 0xf00, 1}
		}
		return msrField{&m.MTRRMask[i/2], physMask &^ 0x7ff, 0}
	}
	if index == msrMTRRDefType {
		return msrField{&m.MTRRDefType, 0xcff, 1}
	}
	return msrField{}
}

// hasMSR reports whether the model has an MSR, of those that not all have.
func (m *Model) hasMSR(index uint32) bool {
	switch index {
	case msrP5MCAddr, msrP5MCType:
		return m.has(featureMCE)
	case msrMCGCap, msrMCGStatus:
		return m.has(featureMCA)
	case msrAPICBase:
		return m.has(featureAPIC)
	case msrSysenterCS, msrSysenterESP, msrSysenterEIP:
		return m.has(featureSEP)
	case msrMTRRCap:
		return m.has(featureMTRR)
	case msrPAT:
		return m.has(featurePAT)
	case msrEFER:
		return m.has(featureNX)
	case msrPlatformID, msrEBLPowerOn, msrUpdate, msrMicrocode, msrDebugCtl:
		return m.p6()
	case msrBBLCtl3:
		return m.family == 6
	case msrMiscEnable:
		return m.family == 15 || m.family == 6 && m.number >= 9 // from the Pentium 4 and the Pentium M on
	}
	return true
}

// writesLowTSC reports whether WRMSR writes only the low half of the time-stamp
// counter, and clears the other (Intel SDM Vol. 3B, "Time-Stamp Counter").
func (m *Model) writesLowTSC() bool {
	return m.family == 6 && m.number < 14 || m.family == 15 && m.number < 3
}

// Memory types (Intel SDM Vol. 3A, "Memory Types and Their Properties"), as
// sets of their encodings. UC- is for the PAT alone.
const (
	mtrrTypes = 1<<0 | 1<<1 | 1<<4 | 1<<5 | 1<<6
	patTypes  = mtrrTypes | 1<<7
)

// memoryTypes reports whether the n low bytes of v are all types in set.
func memoryTypes(v uint64, n int, set uint64) bool {
	for i := range n {
		if set>>(v>>(8*i)&0xff)&1 == 0 {
			return false
		}
	}
	return true
}

// ReadMSR is RDMSR; an index that is not there is a general-protection fault.
func (c *CPU) ReadMSR(index uint32) (uint64, Trap) {
	if !c.Model.hasMSR(index) {
		return 0, GP(0)
	}
	if m := c.msrStorage(index); m.p != nil {
		return *m.p, NoTrap
	}
	switch index {
	case msrTSC:
		return c.TSC(), NoTrap
	case msrAPICBase:
		return c.MSR.APICBase, NoTrap
	case msrPAT:
		return c.MSR.PAT, NoTrap
	case msrSysenterCS:
		return uint64(c.MSR.SysenterCS), NoTrap
	case msrSysenterESP:
		return uint64(c.MSR.SysenterESP), NoTrap
	case msrSysenterEIP:
		return uint64(c.MSR.SysenterEIP), NoTrap
	case msrMTRRCap:
		return mtrrCap, NoTrap
	case msrEFER:
		return c.MSR.EFER, NoTrap
	case msrMiscEnable:
		return c.MSR.MiscEnable, NoTrap
	case msrMicrocode:
		return microcode, NoTrap
	case msrP5MCAddr, msrP5MCType, msrPlatformID, msrEBLPowerOn, msrBBLCtl3, msrMCGCap, msrMCGStatus, msrDebugCtl:
		return 0, NoTrap
	}
	return 0, GP(0)
}

// WriteMSR is WRMSR; reserved bits and an index that is not there are
// general-protection faults.
func (c *CPU) WriteMSR(index uint32, v uint64) Trap {
	if !c.Model.hasMSR(index) {
		return GP(0)
	}
	if m := c.msrStorage(index); m.p != nil {
		if v&^m.valid != 0 || !memoryTypes(v, m.types, mtrrTypes) {
			return GP(0)
		}
		*m.p = v
		return NoTrap
	}
	switch index {
	case msrTSC:
		if c.Model.writesLowTSC() {
			v = uint64(uint32(v))
		}
		c.TSCOffset = v - c.Pins.Cycles()
	case msrAPICBase:
		if v&^apicBaseValid != 0 {
			return GP(0)
		}
		c.MSR.APICBase = v
		c.Pins.RelocateAPIC(v)
	case msrPAT:
		if !memoryTypes(v, 8, patTypes) {
			return GP(0)
		}
		c.MSR.PAT = v
	case msrSysenterCS:
		c.MSR.SysenterCS = uint32(v)
	case msrSysenterESP:
		c.MSR.SysenterESP = uint32(v)
	case msrSysenterEIP:
		c.MSR.SysenterEIP = uint32(v)
	case msrEFER:
		if v&^EFERNXE != 0 {
			return GP(0)
		}
		c.MSR.EFER = v
		c.TLB.Flush()
	case msrMiscEnable:
		return c.writeMiscEnable(v)
	case msrEBLPowerOn, msrUpdate, msrMicrocode, msrBBLCtl3, msrMCGStatus, msrDebugCtl:
		// These take a write and have no effect here.
	default:
		return GP(0)
	}
	return NoTrap
}

func (c *CPU) writeMiscEnable(v uint64) Trap {
	stored := uint64(miscEnableStored)
	if c.Model.family == 15 {
		stored |= fopcodeCompatible
	}
	if v&^(stored|miscEnableReadOnly) != 0 {
		return GP(0)
	}
	c.MSR.MiscEnable = v&stored | miscEnableReadOnly
	return NoTrap
}
