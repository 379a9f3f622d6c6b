package cpu

import (
	"fmt"

	"github.com/gov86/gov86/hw"
	"github.com/gov86/gov86/snapshot"
)

var _ hw.Device = (*CPU)(nil)

// registers is the state a snapshot has of a processor.
type registers struct {
	State
	// The pin's level and the latched NMI.
	intr, nmi bool
}

// Save implements hw.Device.
func (c *CPU) Save(s *snapshot.Codec) {
	a := c.attention.Load()
	r := registers{State: *c.State, intr: a&AttendINTR != 0, nmi: a&AttendNMI != 0}
	r.sync(s)
}

// Load implements hw.Device. Whoever keeps decoded code or the place of the
// local APIC must ask anew.
func (c *CPU) Load(s *snapshot.Codec) error {
	var next registers
	next.sync(s)
	if _, err := s.Close(); err != nil {
		return err
	}
	if err := next.validate(c.Model); err != nil {
		return err
	}
	*c.State = next.State
	var a uint32
	if next.intr {
		a |= AttendINTR
	}
	if next.nmi {
		a |= AttendNMI
	}
	c.attention.And(AttendKick)
	c.attention.Or(a)
	c.dataHits, c.unstepped = 0, false
	c.Last = History{}
	c.TLB.Flush()
	return nil
}

func (r *registers) sync(s *snapshot.Codec) {
	s.Version(1)
	r.syncGeneral(s)
	for i, name := range segmentNames {
		r.Seg[i].sync(s, name)
	}
	r.LDTR.sync(s, "LDTR")
	r.TR.sync(s, "TR")
	r.GDTR.sync(s, "GDTR")
	r.IDTR.sync(s, "IDTR")
	s.Uint8("CPL", &r.CPL)
	for _, f := range []struct {
		name string
		v    *bool
	}{{"halted", &r.Halted}, {"shutdown", &r.Shutdown}, {"shadow", &r.Shadow}, {"NMI blocked", &r.NMIBlocked},
		{"INTR", &r.intr}, {"NMI", &r.nmi}} {
		s.Bool(f.name, f.v)
	}
	s.Uint32("CR0", &r.CR0)
	s.Uint32("CR2", &r.CR2)
	s.Uint32("CR3", &r.CR3)
	s.Uint32("CR4", &r.CR4)
	s.Uint32s("DR", r.DR[:])
	s.Uint64s("PDPTE", r.PDPTE[:])
	r.FPU.sync(s)
	for i := range r.XMM {
		s.Uint64s(fmt.Sprint("XMM", i), r.XMM[i][:])
	}
	s.Uint32("MXCSR", &r.MXCSR)
	r.MSR.sync(s)
	s.Uint64("TSC offset", &r.TSCOffset)
}

func (r *registers) syncGeneral(s *snapshot.Codec) {
	for i, name := range registerNames {
		v := r.Reg32(uint8(i))
		s.Uint32(name, &v)
		r.SetReg32(uint8(i), v)
	}
	s.Uint32("EIP", &r.EIP)
	s.Uint32("EFLAGS", &r.EFLAGS)
}

func (g *Segment) sync(s *snapshot.Codec, name string) {
	s.Uint16(name+" selector", &g.Selector)
	s.Uint16(name+" access", &g.Access)
	s.Uint32(name+" limit", &g.Limit)
	s.Uint32(name+" base", &g.Base)
	s.Bool(name+" usable", &g.Usable)
}

func (f *FPU) sync(s *snapshot.Codec) {
	for i := range f.ST {
		s.Uint64(fmt.Sprintf("R%d significand", i), &f.ST[i].Significand)
		s.Uint16(fmt.Sprintf("R%d exponent", i), &f.ST[i].SignExponent)
	}
	s.Uint16("FCW", &f.Control)
	s.Uint16("FSW", &f.Status)
	s.Uint16("FTW", &f.Tag)
	s.Uint16("FOP", &f.Opcode)
	s.Uint32("FIP", &f.IP)
	s.Uint32("FDP", &f.DP)
	s.Uint16("FCS", &f.CS)
	s.Uint16("FDS", &f.DS)
}

func (m *MSRs) sync(s *snapshot.Codec) {
	s.Uint32("SYSENTER_CS", &m.SysenterCS)
	s.Uint32("SYSENTER_ESP", &m.SysenterESP)
	s.Uint32("SYSENTER_EIP", &m.SysenterEIP)
	s.Uint64("APIC_BASE", &m.APICBase)
	s.Uint64("PAT", &m.PAT)
	s.Uint64("EFER", &m.EFER)
	s.Uint64("MISC_ENABLE", &m.MiscEnable)
	s.Uint64("MTRR_DEF_TYPE", &m.MTRRDefType)
	s.Uint64s("MTRR_FIX", m.MTRRFix[:])
	s.Uint64s("MTRR_PHYSBASE", m.MTRRBase[:])
	s.Uint64s("MTRR_PHYSMASK", m.MTRRMask[:])
}

// validate refuses what no instruction of model m could have made and what an
// engine relies on: a mode that is one, and no reserved bit in a register that
// is loaded as it stands.
func (r *registers) validate(m *Model) error {
	v86 := r.EFLAGS&FlagVM != 0
	protected := r.CR0&CR0PE != 0
	for _, check := range []struct {
		what string
		ok   bool
	}{
		{"EFLAGS", r.EFLAGS&^(loadable|FlagOne) == 0 && r.EFLAGS&FlagOne != 0 && (!v86 || protected)},
		{"CPL", r.CPL <= 3 && (protected || r.CPL == 0) && (!v86 || r.CPL == 3)},
		{"CR0", r.CR0&^cr0Valid == 0 && r.CR0&CR0ET != 0 && (r.CR0&CR0PG == 0 || protected) &&
			(r.CR0&CR0NW == 0 || r.CR0&CR0CD != 0)},
		{"CR4", r.CR4&^m.cr4() == 0},
		{"DR4, DR5", r.DR[4] == 0 && r.DR[5] == 0},
		{"DR6", r.DR[6]&^dr6Valid == dr6One},
		{"DR7", r.DR[7]&^dr7Valid == dr7One},
		{"PDPTE", validPDPTE(r.PDPTE[0]) && validPDPTE(r.PDPTE[1]) && validPDPTE(r.PDPTE[2]) && validPDPTE(r.PDPTE[3])},
		{"FOP", r.FPU.Opcode < 1<<11},
		{"MXCSR", r.MXCSR>>16 == 0},
		{"APIC_BASE", r.MSR.APICBase&^uint64(apicBaseValid) == 0},
		{"EFER", r.MSR.EFER == 0 || r.MSR.EFER == EFERNXE && m.has(featureNX)},
	} {
		if !check.ok {
			return fmt.Errorf("%s: %w", check.what, snapshot.ErrCorrupt)
		}
	}
	return nil
}
