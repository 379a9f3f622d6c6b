package silicon

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// What the two sides may differ in, each with its reason.

// excluded reports whether an instruction is left out of the comparison.
func excluded(b []byte, in *isa.Inst) bool {
	switch in.Op {
	case isa.CPUID, isa.RDTSC, isa.SYSENTER, isa.SYSEXIT, isa.SGDT, isa.SIDT, isa.SLDT, isa.STR, isa.SMSW,
		isa.LAR, isa.LSL, isa.VERR, isa.VERW:
		return true
	case isa.BSF, isa.BSR:
		return in.Prefix&isa.Rep != 0
	case isa.RSQRTPS, isa.RSQRTSS, isa.RCPPS, isa.RCPSS:
		return true
	case isa.INT:
		return in.Imm == 0x80
	case isa.INT1:
		return true // a hypervisor below may report it as a fault
	case isa.LOOPE, isa.LOOPNE:
		return in.Prefix&(isa.Rep|isa.RepNE) != 0 // reserved; a repeat prefix may choose the condition
	case isa.NOP:
		return b[len(b)-1] >= 0xc0 && in.Len > 2 && prefetchw(b)
	}
	return false
}

// prefetchw reports whether b is 0F 0D, which with a register some processors
// take as a NOP and others as undefined.
func prefetchw(b []byte) bool {
	for i := range b[:len(b)-1] {
		if b[i] == 0x0f {
			return b[i+1] == 0x0d
		}
	}
	return false
}

// tolerated is the reason why the two sides may end c differently, or "".
func tolerated(c *Case, e, n *Result) string {
	in := c.at(e.EIP)
	if in == nil || e.EIP != n.EIP {
		return ""
	}
	memory := func(vector uint8) bool {
		return vector == cpu.VecPF || vector == cpu.VecAC || vector == cpu.VecGP || vector == cpu.VecSS
	}
	if e.Vector == cpu.VecSS && n.Vector == cpu.VecGP && in.Op.Attr()&isa.SIMD != 0 {
		return "whether the limit of the stack or the alignment is looked at first"
	}
	switch in.Op {
	case isa.CMPS:
		if memory(e.Vector) && memory(n.Vector) {
			return "which operand of CMPS is reported when both fault"
		}
	case isa.CALLF:
		if e.Vector == n.Vector && e.Code == n.Code && e.GPR == n.GPR {
			return "what a far call that faults leaves below the stack pointer"
		}
	case isa.RETF, isa.IRET:
		if e.EFLAGS&cpu.FlagNT != 0 {
			return "a nested return is refused by a processor in long mode"
		}
		// Several accesses to the stack and the selector fault.
		if n.Vector == cpu.VecPF || n.Vector == cpu.VecAC || n.Vector == cpu.VecSS {
			return "which of several faults of a far return is reported"
		}
	}
	return ""
}

// at is the instruction of c at eip, if there is one.
func (c *Case) at(eip uint32) *isa.Inst {
	mode := isa.Code32
	if s := c.Seg[isa.CS]; s&4 != 0 && !LDT[s>>3].big {
		mode = isa.Code16
	}
	off := eip - c.EIP
	if off >= uint32(len(c.Code)) {
		return nil
	}
	in, err := isa.Decode(c.Code[off:], mode)
	if err != nil {
		return nil
	}
	return &in
}

// open are the flags that in leaves undefined: processors differ.
func open(in *isa.Inst) uint32 {
	_, _, undefined := in.Flags()
	return uint32(undefined)
}
