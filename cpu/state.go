// Package cpu is the processor: its architectural state and the rules of the
// Intel SDM Vol. 3 that engines share: segmentation, paging, privilege,
// exceptions, interrupts and tasks. It executes nothing itself.
package cpu

import "github.com/gov86/gov86/cpu/isa"

// Numbers of the general registers (Intel SDM Vol. 2, Table "Register Codes").
const (
	EAX = iota
	ECX
	EDX
	EBX
	ESP
	EBP
	ESI
	EDI
	// gprSlots leaves room above the eight so that isa.NoReg names a slot that
	// is always zero, and so that a 4-bit number needs no bounds check.
	gprSlots = 16
)

// State is everything the guest can observe of its processor, in one block
// outside the Go heap without Go pointers: generated code addresses its fields
// by offset. EFLAGS is whole whenever no engine is running.
type State struct {
	// GPR has the general registers in 64-bit slots whose upper halves are
	// zero. Slots from 8 on are always zero.
	GPR [gprSlots]uint64
	EIP uint32
	// EFLAGS as PUSHFD would store it, with RF and VM.
	EFLAGS uint32
	// Seg is indexed by isa.Seg. CPL is the DPL of SS, kept in CPL.
	Seg [6]Segment
	// LDTR and TR are system segments; GDTR and IDTR have only Base and Limit.
	LDTR, TR, GDTR, IDTR Segment
	CPL                  uint8
	// Halted is set by HLT until an interrupt, NMI or reset.
	Halted bool
	// Shutdown is set by a triple fault until reset.
	Shutdown bool
	// Shadow inhibits interrupts for one instruction after STI, MOV SS, POP SS.
	Shadow bool
	// NMIBlocked is set from the delivery of an NMI to the next IRET.
	NMIBlocked bool
	_          [3]uint8

	CR0, CR2, CR3, CR4 uint32
	DR                 [8]uint32
	// PDPTE are the four page-directory-pointer entries PAE paging loads with CR3.
	PDPTE [4]uint64

	FPU FPU
	// XMM are the SSE registers, low quadword first.
	XMM   [8][2]uint64
	MXCSR uint32
	_     uint32

	MSR MSRs
	// TSCOffset is added to the clock's count of cycles to make the TSC.
	TSCOffset uint64
}

// A Segment is a segment register with its hidden part
// (Intel SDM Vol. 3A, "Segment Registers").
type Segment struct {
	Selector uint16
	// Access has the bits of the descriptor's second doubleword from 8 to 23:
	// type, S, DPL, P in the low byte; AVL, L, D/B, G in bits 12 to 15.
	Access uint16
	// Limit is in bytes, G applied: the last valid offset (for expand-down
	// segments, the last invalid one).
	Limit uint32
	Base  uint32
	// Usable is clear after a null selector was loaded.
	Usable bool
	_      [3]uint8
}

// FPU is the x87 state, MMX included (Intel SDM Vol. 1, "x87 FPU").
type FPU struct {
	// ST are the physical registers R0 to R7: significand, then sign and
	// exponent. ST(i) is R[(TOP+i) mod 8]. MMX register i is the significand of Ri.
	ST [8]Float80
	// Control is FCW; Status is FSW with TOP in bits 11 to 13; Tag is the full
	// tag word, two bits a physical register.
	Control, Status, Tag uint16
	// Opcode has the 11 bits of FOP.
	Opcode uint16
	IP, DP uint32 // FIP and FDP
	CS, DS uint16 // their selectors
	_      uint32
}

// Float80 is one 80-bit register.
type Float80 struct {
	Significand  uint64
	SignExponent uint16
}

// MSRs are the model-specific registers with storage.
type MSRs struct {
	SysenterCS, SysenterESP, SysenterEIP uint32
	_                                    uint32
	APICBase                             uint64
	PAT                                  uint64
	EFER                                 uint64
	MiscEnable                           uint64
	MTRRDefType                          uint64
	MTRRFix                              [11]uint64
	MTRRBase, MTRRMask                   [8]uint64
}

// The EFLAGS register (Intel SDM Vol. 3A, "System Flags and Fields in the
// EFLAGS Register").
const (
	FlagCF   = 1 << 0
	FlagOne  = 1 << 1 // reads as one
	FlagPF   = 1 << 2
	FlagAF   = 1 << 4
	FlagZF   = 1 << 6
	FlagSF   = 1 << 7
	FlagTF   = 1 << 8
	FlagIF   = 1 << 9
	FlagDF   = 1 << 10
	FlagOF   = 1 << 11
	FlagIOPL = 3 << 12
	FlagNT   = 1 << 14
	FlagRF   = 1 << 16
	FlagVM   = 1 << 17
	FlagAC   = 1 << 18
	FlagVIF  = 1 << 19
	FlagVIP  = 1 << 20
	FlagID   = 1 << 21

	// loadable are the bits that exist and are not fixed.
	loadable = FlagsStatus | FlagTF | FlagIF | FlagDF | FlagIOPL | FlagNT | FlagRF | FlagVM | FlagAC |
		FlagVIF | FlagVIP | FlagID

	// FlagsStatus are the six that arithmetic sets.
	FlagsStatus = FlagCF | FlagPF | FlagAF | FlagZF | FlagSF | FlagOF
)

// Control registers (Intel SDM Vol. 3A, "Control Registers").
const (
	CR0PE = 1 << 0
	CR0MP = 1 << 1
	CR0EM = 1 << 2
	CR0TS = 1 << 3
	CR0ET = 1 << 4
	CR0NE = 1 << 5
	CR0WP = 1 << 16
	CR0AM = 1 << 18
	CR0NW = 1 << 29
	CR0CD = 1 << 30
	CR0PG = 1 << 31

	CR4VME        = 1 << 0
	CR4PVI        = 1 << 1
	CR4TSD        = 1 << 2
	CR4DE         = 1 << 3
	CR4PSE        = 1 << 4
	CR4PAE        = 1 << 5
	CR4MCE        = 1 << 6
	CR4PGE        = 1 << 7
	CR4PCE        = 1 << 8
	CR4OSFXSR     = 1 << 9
	CR4OSXMMEXCPT = 1 << 10
	CR4SMEP       = 1 << 20
	CR4SMAP       = 1 << 21

	EFERNXE = 1 << 11
)

// Bits of Segment.Access.
const (
	AccessA    = 1 << 0 // accessed
	AccessRW   = 1 << 1 // data: writable; code: readable
	AccessDC   = 1 << 2 // data: expand-down; code: conforming
	AccessCode = 1 << 3
	AccessS    = 1 << 4 // code or data, not a system segment
	AccessDPL  = 3 << 5
	AccessP    = 1 << 7
	AccessDB   = 1 << 14
	AccessG    = 1 << 15
)

// Reg32 is general register r.
func (s *State) Reg32(r uint8) uint32 { return uint32(s.GPR[r&15]) }

// SetReg32 replaces general register r.
func (s *State) SetReg32(r uint8, v uint32) { s.GPR[r&7] = uint64(v) }

// Reg16 is the low word of general register r.
func (s *State) Reg16(r uint8) uint16 { return uint16(s.GPR[r&15]) }

// SetReg16 replaces the low word of general register r.
func (s *State) SetReg16(r uint8, v uint16) {
	p := &s.GPR[r&7]
	*p = *p&^0xffff | uint64(v)
}

// Reg8 is byte register r in the order AL CL DL BL AH CH DH BH.
func (s *State) Reg8(r uint8) uint8 { return uint8(s.GPR[r&3] >> (r & 4 << 1)) }

// SetReg8 replaces byte register r.
func (s *State) SetReg8(r uint8, v uint8) {
	p := &s.GPR[r&3]
	shift := r & 4 << 1
	*p = *p&^(0xff<<shift) | uint64(v)<<shift
}

// Protected reports whether CR0.PE is set and EFLAGS.VM is not.
func (s *State) Protected() bool { return s.CR0&CR0PE != 0 && s.EFLAGS&FlagVM == 0 }

// V86 reports whether the processor is in virtual-8086 mode.
func (s *State) V86() bool { return s.EFLAGS&FlagVM != 0 }

// IOPL is the I/O privilege level.
func (s *State) IOPL() uint8 { return uint8(s.EFLAGS >> 12 & 3) }

// Code is the size of the current code segment.
func (s *State) Code() isa.Mode {
	if s.Seg[isa.CS].Access&AccessDB != 0 {
		return isa.Code32
	}
	return isa.Code16
}

// Stack32 reports whether the stack pointer is ESP, not SP.
func (s *State) Stack32() bool { return s.Seg[isa.SS].Access&AccessDB != 0 }

// DPL is the descriptor privilege level.
func (g *Segment) DPL() uint8 { return uint8(g.Access >> 5 & 3) }
