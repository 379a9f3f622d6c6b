package system

import (
	"errors"
	"time"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/internal/silicon/kvm"
)

// A Virtual runs cases in a guest of KVM.
type Virtual struct{ *kvm.VM }

// NewVirtual makes a guest whose processor has what c has. The error says why
// this host cannot serve.
func NewVirtual(c *cpu.CPU) (*Virtual, error) {
	m, err := kvm.New(Size)
	if err != nil {
		return nil, err
	}
	var id []kvm.Leaf
	const extended = 0x80000000
	for _, first := range []uint32{0, extended} {
		last, _, _, _ := c.CPUID(first, 0)
		for leaf := first; leaf <= last; leaf++ {
			l := kvm.Leaf{Function: leaf}
			l.EAX, l.EBX, l.ECX, l.EDX = c.CPUID(leaf, 0)
			if leaf == extended+8 {
				l.EAX &^= 0xff00 // KVM knows no width of linear addresses below 48 but none
			}
			id = append(id, l)
		}
	}
	if err := m.SetID(id); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return &Virtual{m}, nil
}

// limit is the time that a case may take.
const limit = 200 * time.Millisecond

// Run runs a case.
func (v *Virtual) Run(c *Case) (*Result, error) {
	copy(v.Memory, c.Memory)
	if why, err := v.load(&c.State); why != "" || err != nil {
		return &Result{Lost: why}, err
	}
	for {
		x, err := v.VM.Run(limit)
		if err != nil {
			return nil, err
		}
		switch x.Reason {
		case kvm.IO:
			if !x.Out {
				clear(x.Data)
			}
		case kvm.MMIO:
			return &Result{Lost: "it touches what is no memory"}, v.Settle()
		case kvm.Halted, kvm.Shutdown:
			r := &Result{Memory: append([]byte(nil), v.Memory...)}
			r.Shutdown = x.Reason == kvm.Shutdown
			return r, v.store(&r.State)
		default:
			return &Result{Lost: x.Reason.String()}, nil
		}
	}
}

// load gives the guest the registers of s; why says why it refuses them.
func (v *Virtual) load(s *cpu.State) (why string, err error) {
	k, err := v.Sregs()
	if err != nil {
		return "", err
	}
	segs := v.segments(&k)
	for i, g := range s.Seg {
		*segs[i] = toKVM(g)
	}
	k.TR, k.LDT = toKVM(s.TR), toKVM(s.LDTR)
	k.GDT = kvm.Table{Base: uint64(s.GDTR.Base), Limit: uint16(s.GDTR.Limit)}
	k.IDT = kvm.Table{Base: uint64(s.IDTR.Base), Limit: uint16(s.IDTR.Limit)}
	k.CR0, k.CR2, k.CR3, k.CR4 = uint64(s.CR0), uint64(s.CR2), uint64(s.CR3), uint64(s.CR4)
	k.EFER = s.MSR.EFER
	k.Flags = 0
	// Without paging first: that forgets what the page tables were before.
	blank := k
	blank.CR0 &^= cpu.CR0PG
	if s.CR0&cpu.CR0PG != 0 && s.CR4&cpu.CR4PAE != 0 {
		k.Flags, k.PDPTRs = kvm.PDPTRsValid, s.PDPTE
	}
	if err := v.SetSregs(blank); err != nil {
		return "a state that KVM refuses", nil
	}
	if err := v.SetSregs(k); err != nil {
		return "a state that KVM refuses", nil
	}
	g := func(r int) uint64 { return s.GPR[r] }
	if err := v.SetRegs(kvm.Regs{
		RAX: g(cpu.EAX), RCX: g(cpu.ECX), RDX: g(cpu.EDX), RBX: g(cpu.EBX),
		RSP: g(cpu.ESP), RBP: g(cpu.EBP), RSI: g(cpu.ESI), RDI: g(cpu.EDI),
		RIP: uint64(s.EIP), RFLAGS: uint64(s.EFLAGS),
	}); err != nil {
		return "", err
	}
	var d kvm.DebugRegs
	for i := range d.DB {
		d.DB[i] = uint64(s.DR[i])
	}
	d.DR6, d.DR7 = uint64(s.DR[6]), uint64(s.DR[7])
	if err := v.SetDebugRegs(d); err != nil {
		return "", err
	}
	return "", v.SetEvents(kvm.Events{Flags: kvm.NMIPendingValid | kvm.ShadowValid})
}

// store reads the registers of the guest to s.
func (v *Virtual) store(s *cpu.State) error {
	k, err := v.Sregs()
	if err != nil {
		return err
	}
	r, err := v.Regs()
	if err != nil {
		return err
	}
	d, err := v.DebugRegs()
	if err != nil {
		return err
	}
	for i, g := range v.segments(&k) {
		s.Seg[i] = fromKVM(g)
	}
	s.TR, s.LDTR = fromKVM(&k.TR), fromKVM(&k.LDT)
	s.GDTR = cpu.Segment{Base: uint32(k.GDT.Base), Limit: uint32(k.GDT.Limit)}
	s.IDTR = cpu.Segment{Base: uint32(k.IDT.Base), Limit: uint32(k.IDT.Limit)}
	s.CR0, s.CR2, s.CR3, s.CR4 = uint32(k.CR0), uint32(k.CR2), uint32(k.CR3), uint32(k.CR4)
	s.MSR.EFER = k.EFER
	copy(s.GPR[:], []uint64{r.RAX, r.RCX, r.RDX, r.RBX, r.RSP, r.RBP, r.RSI, r.RDI})
	s.EIP, s.EFLAGS = uint32(r.RIP), uint32(r.RFLAGS)
	s.CPL = s.Seg[isa.SS].DPL()
	for i := range d.DB {
		s.DR[i] = uint32(d.DB[i])
	}
	s.DR[6], s.DR[7] = uint32(d.DR6), uint32(d.DR7)
	return nil
}

// segments are the segment registers of k, indexed by isa.Seg.
func (v *Virtual) segments(k *kvm.Sregs) [6]*kvm.Segment {
	return [6]*kvm.Segment{isa.ES: &k.ES, isa.CS: &k.CS, isa.SS: &k.SS, isa.DS: &k.DS, isa.FS: &k.FS, isa.GS: &k.GS}
}

func toKVM(g cpu.Segment) kvm.Segment {
	k := kvm.Segment{Selector: g.Selector, Base: uint64(g.Base), Limit: g.Limit}
	if !g.Usable {
		k.Unusable = 1
		return k
	}
	bit := func(i int) uint8 { return uint8(g.Access >> i & 1) }
	k.Type, k.S, k.DPL, k.Present = uint8(g.Access&15), bit(4), g.DPL(), bit(7)
	k.AVL, k.DB, k.G = bit(12), bit(14), bit(15)
	return k
}

func fromKVM(k *kvm.Segment) cpu.Segment {
	if k.Unusable != 0 {
		return cpu.Segment{Selector: k.Selector}
	}
	return cpu.Segment{
		Selector: k.Selector, Base: uint32(k.Base), Limit: k.Limit, Usable: true,
		Access: uint16(k.Type&15) | uint16(k.S&1)<<4 | uint16(k.DPL&3)<<5 | uint16(k.Present&1)<<7 |
			uint16(k.AVL&1)<<12 | uint16(k.DB&1)<<14 | uint16(k.G&1)<<15,
	}
}
