package isa

// An operation is the row of an Op.
type operation struct {
	name    string
	attr    Attr
	feature Feature
	flags   effect
}

// An effect is what an operation does to EFLAGS.
type effect struct{ read, written, undefined Flags }

// Flags is a set of flags at their places in EFLAGS.
type Flags uint16

// The flags that instructions read and write on their own.
const (
	CF Flags = 1 << 0
	PF Flags = 1 << 2
	AF Flags = 1 << 4
	ZF Flags = 1 << 6
	SF Flags = 1 << 7
	TF Flags = 1 << 8
	IF Flags = 1 << 9
	DF Flags = 1 << 10
	OF Flags = 1 << 11
)

// An Attr is a set of properties of an operation.
type Attr uint32

// The properties.
const (
	// Reads and Writes: the first operand is read, is written (see Destination
	// for the forms that differ). The other operands are read; XCHG and XADD
	// write the second as well.
	Reads Attr = 1 << iota
	Writes
	// Merges: when the first operand is a register, part of it stays.
	Merges
	// Lockable: LOCK is accepted when the first operand is memory.
	Lockable
	// EndsBlock: what follows in memory need not follow in time, because control
	// may go elsewhere, the mode may change, an interrupt may become possible
	// or a device may act. MOVSREG and POP do so for some operands only.
	EndsBlock
	// Jumps: EIP may be set.
	Jumps
	// CPL0: allowed at privilege level 0 only.
	CPL0
	// IOPL: sensitive to the I/O privilege level, perhaps in some modes only.
	IOPL
	// Stack: pushes or pops.
	Stack
	// String: takes REP, and has its memory operands at ESI and EDI.
	String
	// MaybeFlags: leaves the flags alone when its count is zero.
	MaybeFlags
	// Faults: may raise an exception other than for access to operands and
	// stack, and other than x87 and SIMD instructions all may.
	Faults
	// Unaligned: a 16-byte memory operand need not be aligned.
	Unaligned
	// X87: an x87 instruction, WAIT included.
	X87
	// SIMD: an MMX or SSE instruction that CR0.EM and CR0.TS govern.
	SIMD
)

// Attr is the set of properties that hold for all forms of o.
func (o Op) Attr() Attr { return operations[o].attr }

// A Feature is what a processor must have to know an instruction; the flag of
// CPUID of that name reports it.
type Feature uint8

// The features. Zero is the 80486.
const (
	FeatureBase Feature = iota
	FeatureFPU
	FeatureTSC
	FeatureMSR
	FeatureCX8
	FeatureSEP
	FeatureCMOV
	FeatureMMX
	FeatureCLFSH
	FeatureFXSR
	FeatureSSE
	FeatureSSE2
	FeatureSSE3
	FeatureMONITOR
	FeatureSSSE3
	FeatureSSE41
	FeatureSSE42
	FeaturePOPCNT
	FeatureMOVBE
	FeatureSMAP
	// FeatureP6 is what came with the P6 family and no flag reports.
	FeatureP6
	// NumFeatures is the size of a table indexed by Feature.
	NumFeatures
	// mmxOfSSE is FeatureSSE for MMX registers, FeatureSSE2 for XMM registers.
	mmxOfSSE = NumFeatures
)

// Feature is what the processor must have to know in. What worked on MMX
// registers first came to XMM registers with SSE2; the hints, NOPs with an
// operand, are the P6 family's.
func (in *Inst) Feature() Feature {
	f := operations[in.Op].feature
	if in.Op == NOP && in.Args[0] != None {
		return FeatureP6
	}
	if f != FeatureMMX && f != mmxOfSSE {
		return f
	}
	if in.uses(XMM) {
		return FeatureSSE2
	}
	if f == mmxOfSSE {
		return FeatureSSE
	}
	return f
}

// uses reports whether an operand of in is of kind k.
func (in *Inst) uses(k Arg) bool {
	for _, a := range in.Args {
		if a.Kind() == k {
			return true
		}
	}
	return false
}

// MMX reports whether in uses MMX registers, and so the x87's.
func (in *Inst) MMX() bool { return in.Op == EMMS || in.Op == MASKMOVQ || in.uses(MMX) }

// Flags are the flags that in reads, may write, and leaves undefined. With
// MaybeFlags it may also leave all as they were.
func (in *Inst) Flags() (read, written, undefined Flags) {
	e := &operations[in.Op].flags
	count := in.Args[1]
	switch in.Op {
	case SHLD, SHRD:
		count = in.Args[2]
	case ROL, ROR, RCL, RCR, SHL, SHR, SAR:
	default:
		return e.read, e.written, e.undefined
	}
	// Only a shift by one defines OF, and none by zero writes flags.
	if count != Imm {
		return e.read, e.written &^ OF, e.undefined | OF
	}
	switch in.Imm & 31 {
	case 0:
		return 0, 0, 0
	case 1:
		return e.read, e.written, e.undefined
	}
	return e.read, e.written &^ OF, e.undefined | OF
}

// Memory reports whether in reads and writes memory that an operand names:
// its own, or that of string operations, XLAT and MASKMOVQ; not the stack.
func (in *Inst) Memory() (reads, writes bool) {
	switch in.Op {
	case MOVS:
		return true, true
	case LODS, CMPS, SCAS, OUTS, XLAT:
		return true, false
	case STOS, INS, MASKMOVQ, MASKMOVDQU:
		return false, true
	case LEA, INVLPG, NOP, PREFETCHNTA, PREFETCHT0, PREFETCHT1, PREFETCHT2, UD0, UD1:
		return false, false
	case CLFLUSH:
		return true, false
	}
	if in.Args[0] == Mem {
		return in.Destination()
	}
	return in.uses(Mem), false
}

// Destination reports whether in reads and writes its first operand.
func (in *Inst) Destination() (reads, writes bool) {
	a := operations[in.Op].attr
	reads, writes = a&Reads != 0, a&Writes != 0
	switch {
	case in.Op == IMUL && in.Args[1] != None:
		return in.Args[2] == None, true
	case a&X87 != 0 && in.Args[0] == Mem && reads:
		return true, false // the destination is ST(0)
	case a&Merges != 0 && in.Args[0] != Mem:
		return true, true
	}
	return reads, writes
}

// MayFault reports whether in can raise an exception.
func (in *Inst) MayFault() bool {
	if operations[in.Op].attr&(Faults|Stack|CPL0|IOPL|X87|SIMD) != 0 || in.uses(SReg) {
		return true
	}
	reads, writes := in.Memory()
	return reads || writes
}
