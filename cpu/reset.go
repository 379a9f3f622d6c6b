package cpu

import "github.com/gov86/gov86/cpu/isa"

// Reset puts the processor in its power-on state
// (Intel SDM Vol. 3A, Table "IA-32 Processor States Following Power-up, Reset, or INIT").
func (c *CPU) Reset() {
	*c.State = State{}
	s := c.State
	s.EFLAGS = FlagOne
	s.EIP = 0xfff0
	s.CR0 = CR0CD | CR0NW | CR0ET
	for i := range s.Seg {
		s.Seg[i] = Segment{Access: realAccess, Limit: 0xffff, Usable: true}
	}
	s.Seg[isa.CS].Selector, s.Seg[isa.CS].Base = 0xf000, 0xffff0000
	s.Seg[isa.CS].Access |= AccessCode
	s.GDTR.Limit, s.IDTR.Limit = 0xffff, 0xffff
	s.LDTR = Segment{Access: AccessP | typeLDT, Limit: 0xffff, Usable: true}
	s.TR = Segment{Access: AccessP | typeTSS32Busy, Limit: 0xffff, Usable: true}
	s.DR[6], s.DR[7] = dr6One, dr7One
	s.SetReg32(EDX, c.Model.signature())
	s.FPU.Control, s.FPU.Tag = 0x40, 0x5555
	s.MXCSR = 0x1f80
	s.MSR.PAT = powerOnPAT
	s.MSR.MiscEnable = miscEnableReset
	if c.Model.APIC() {
		s.MSR.APICBase = 0xfee00000 | APICEnable | apicBSP
	}
	c.dataHits, c.unstepped = 0, false
	c.attention.And(AttendKick)
	c.TLB.Flush()
}

// Init is what the INIT pin does: RESET, but the caches' mode, the x87 and SSE
// registers, the time-stamp counter and the model-specific registers stay.
func (c *CPU) Init() {
	old := *c.State
	c.Reset()
	s := c.State
	s.CR0 = old.CR0&(CR0CD|CR0NW) | CR0ET
	s.FPU, s.XMM, s.MXCSR = old.FPU, old.XMM, old.MXCSR
	s.MSR, s.TSCOffset = old.MSR, old.TSCOffset
}
