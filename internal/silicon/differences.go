package silicon

import (
	"encoding/binary"
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
	if e.Vector == cpu.VecUD && extension(c, e.EIP) {
		return "an instruction that this processor has and the models have not"
	}
	in := c.at(e.EIP)
	if in != nil && in.Op == isa.LDMXCSR && e.Vector == cpu.VecGP && binary.LittleEndian.Uint32(n.FX[24:])>>17 != 0 {
		return "a bit of MXCSR that AMD's processors have (misaligned exception mask)"
	}
	if in == nil || e.EIP != n.EIP {
		return ""
	}
	if onlyC1(c, e, n) {
		return "C1 after FCOMI"
	}
	memory := func(vector uint8) bool {
		return vector == cpu.VecPF || vector == cpu.VecAC || vector == cpu.VecGP || vector == cpu.VecSS
	}
	if e.Vector == cpu.VecSS && n.Vector == cpu.VecGP && in.Op.Attr()&isa.SIMD != 0 {
		return "whether the limit of the stack or the alignment is looked at first"
	}
	switch in.Op {
	case isa.FNSTENV, isa.FLDENV, isa.FNSAVE, isa.FRSTOR, isa.FXSAVE, isa.FXRSTOR:
		if memory(e.Vector) && n.Vector == cpu.VecPF {
			return "which page of an image that crosses pages is reported, and whether it may wrap at 4 GiB"
		}
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

func comparesToFlags(op isa.Op) bool {
	return op == isa.FCOMI || op == isa.FCOMIP || op == isa.FUCOMI || op == isa.FUCOMIP
}

// storesStatus reports whether op writes the x87 status word somewhere.
func storesStatus(op isa.Op) bool {
	return op == isa.FNSTSW || op == isa.FNSTENV || op == isa.FNSAVE || op == isa.FXSAVE
}

// onlyC1 reports whether e and n differ only in C1 after FCOMI: the SDM has it
// cleared, AMD's processors leave it.
func onlyC1(c *Case, e, n *Result) bool {
	for eip := c.EIP; ; {
		in := c.at(eip)
		if in == nil {
			return false
		}
		if comparesToFlags(in.Op) {
			const c1 = 0x200
			a, b := *e, *n
			a.EFLAGS, b.EFLAGS = a.EFLAGS&^c.Open, b.EFLAGS&^c.Open
			for _, r := range []*Result{&a, &b} {
				status := binary.LittleEndian.Uint16(r.FX[2:])
				binary.LittleEndian.PutUint16(r.FX[2:], status&^c1)
			}
			return a == b
		}
		eip += uint32(in.Len)
	}
}

// extension reports whether the code at eip looks like one of the extensions
// that no model has: VEX and EVEX, 3DNow!, SYSCALL, XSAVE, SHA, AES and so on.
func extension(c *Case, eip uint32) bool {
	off := eip - c.EIP
	if off >= uint32(len(c.Code)) {
		return false
	}
	code := c.Code[off:]
	for len(code) > 0 && prefix(code[0]) {
		code = code[1:]
	}
	if len(code) < 3 {
		return false
	}
	switch code[0] {
	case 0x62, 0xc4, 0xc5, 0x8f:
		return code[1] >= 0xc0
	case 0x0f:
	default:
		return false
	}
	switch code[1] {
	case 0x01, 0x05, 0x07, 0x0d, 0x0e, 0x0f, 0x78, 0x79, 0xae, 0xc7:
		return true
	case 0x38:
		return code[2] >= 0xc8 || code[2] == 0x82
	case 0x3a:
		return code[2] == 0x44 || code[2] >= 0xcc
	}
	return false
}

// prefix reports whether b is an instruction prefix but LOCK.
func prefix(b byte) bool {
	switch b {
	case 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf2, 0xf3:
		return true
	}
	return false
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
