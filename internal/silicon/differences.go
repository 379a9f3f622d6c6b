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

const anExtension = "an instruction that this processor has and the models have not"

// tolerated is the reason why the two sides may end c differently, or "". Both
// ended at in, unless it is nil.
func tolerated(c *Case, e, n *Result, in *isa.Inst) string {
	if off := e.EIP - c.EIP; e.Vector == cpu.VecUD && off < uint32(len(c.Code)) && extension(c.Code[off:]) {
		return anExtension
	}
	if in != nil && (in.Op == isa.LDMXCSR || in.Op == isa.FXRSTOR) && e.Vector == cpu.VecGP && binary.LittleEndian.Uint32(n.FX[24:])>>17 != 0 {
		return "a bit of MXCSR that AMD's processors have (misaligned exception mask)"
	}
	if e.EIP != n.EIP {
		return ""
	}
	if in == nil {
		return atEnd(e, n)
	}
	memory := func(vector uint8) bool {
		return vector == cpu.VecPF || vector == cpu.VecAC || vector == cpu.VecGP || vector == cpu.VecSS
	}
	if e.Vector == cpu.VecSS && n.Vector == cpu.VecGP && in.Op.Attr()&isa.SIMD != 0 {
		return "whether the limit of the stack or the alignment is looked at first"
	}
	switch in.Op {
	case isa.FNSTENV, isa.FLDENV, isa.FNSAVE, isa.FRSTOR, isa.FXSAVE, isa.FXRSTOR:
		if memory(e.Vector) && memory(n.Vector) {
			return "which of several faults of an image is reported: pages, alignment, a limit or 4 GiB crossed"
		}
	case isa.CMPS:
		if memory(e.Vector) && memory(n.Vector) {
			return "which operand of CMPS is reported when both fault"
		}
	case isa.CALLF:
		if e.Vector == n.Vector && e.Code == n.Code && e.GPR == n.GPR {
			return "what a far call that faults leaves below the stack pointer"
		}
		if stack(n.Vector) {
			return "AMD's processors push the return address before they look at where a call goes; the manual looks first"
		}
	case isa.CALL:
		if e.Vector == cpu.VecGP && stack(n.Vector) {
			return "AMD's processors push the return address before they look at where a call goes; the manual looks first"
		}
	case isa.RETF, isa.IRET:
		if e.EFLAGS&cpu.FlagNT != 0 {
			return "a nested return is refused by a processor in long mode"
		}
		// Several accesses to the stack and the selector fault.
		if stack(n.Vector) {
			return "which of several faults of a far return is reported"
		}
	}
	return ""
}

// atEnd is tolerated for code that cannot be decoded.
func atEnd(e, n *Result) string {
	const fetch = 1 << 4 // of a page fault's error code
	if e.Vector == cpu.VecUD && (n.Vector == cpu.VecPF && n.Code&fetch != 0 || n.Vector == cpu.VecGP) {
		return "whether an undefined instruction at the end of the code is fetched whole first"
	}
	return ""
}

// stack reports whether vector is a fault of an access to the stack.
func stack(vector uint8) bool {
	return vector == cpu.VecPF || vector == cpu.VecAC || vector == cpu.VecSS
}

func comparesToFlags(op isa.Op) bool {
	return op == isa.FCOMI || op == isa.FCOMIP || op == isa.FUCOMI || op == isa.FUCOMIP
}

// storesStatus reports whether op writes the x87 status word somewhere.
func storesStatus(op isa.Op) bool {
	return op == isa.FNSTSW || op == isa.FNSTENV || op == isa.FNSAVE || op == isa.FXSAVE
}

// extension reports whether code looks like one of the extensions
// that no model has: VEX and EVEX, 3DNow!, SYSCALL, XSAVE, SHA, AES and so on.
func extension(code []byte) bool {
	scalar := false
	for len(code) > 0 && prefix(code[0]) {
		scalar = scalar || code[0]&^1 == 0xf2
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
	case 0x2b:
		return scalar // MOVNTSS and MOVNTSD of SSE4A
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
