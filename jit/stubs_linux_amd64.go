package jit

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	. "github.com/gov86/gov86/jit/amd64"
)

// Where generated code keeps what it needs.
const (
	ctx    = R14
	views  = R13
	budget = R12
	esp    = R15
)

// guest are the host's registers for the guest's.
var guest = [8]Reg{RAX, RCX, RDX, RBX, esp, RBP, RSI, RDI}

// Stubs are pieces of code that all units share, by their offsets.
type stubs struct {
	prologue   int     // called by enter
	leave      int     // returns from enter; the flags are in the host's
	leaveSaved int     // the same with the flags in context.saved
	underflow  int     // a return to R8 that the stack does not know
	mismatch   int     // a return to R8 that is not where the stack says, with ECX in R10
	astray     int     // an indirect jump to R8 in another code segment, with ECX in R10
	fault      int     // where the handler of faults leads; as leave
	beside     [17]int // by width: finds the page of a write that the views do not have
	// load loads a segment register with the selector in R8D, or sets CF.
	load [6]int
}

// jump64 writes JMP through memory, jumpTo and callTo JMP and CALL to where a
// register says, push64 and pop64 PUSH and POP of a register.
func jump64(a *Asm, m Mem) { a.RM(0, OneByte, 0xff, 4, m) }
func jumpTo(a *Asm, r Reg) { a.RR(0, OneByte, 0xff, 4, r) }
func callTo(a *Asm, r Reg) { a.RR(0, OneByte, 0xff, 2, r) }
func push64(a *Asm, r Reg) { a.Bytes(0x40|byte(r>>3), 0x50|byte(r&7)) }
func pop64(a *Asm, r Reg)  { a.Bytes(0x40|byte(r>>3), 0x58|byte(r&7)) }

// saveFlags stores the host's status flags, of which live matter, in
// context.saved. It uses R10.
func saveFlags(a *Asm, live isa.Flags) {
	if live == isa.CF {
		a.RM(Byte, TwoByte, 0x92, 0, At(ctx, offSaved+1)) // SETB
		return
	}
	a.Mov(R10, RAX)
	a.Bytes(0x9f) // LAHF
	if live&isa.OF != 0 {
		a.Bytes(0x0f, 0x90, 0xc0) // SETO AL
	}
	a.Store(At(ctx, offSaved), RAX)
	a.Mov(RAX, R10)
}

// restoreFlags is the reverse.
func restoreFlags(a *Asm, live isa.Flags) {
	if live == isa.CF {
		a.RM(0, TwoByte, 0xba, 4, At(ctx, offSaved)) // BT m32, 8
		a.Bytes(8)
		return
	}
	a.Mov(R10, RAX)
	a.Load(RAX, At(ctx, offSaved))
	if live&isa.OF != 0 {
		a.Bytes(0x04, 0x7f) // ADD AL, 7FH: overflows if OF was set
	}
	a.Bytes(0x9e) // SAHF
	a.Mov(RAX, R10)
}

// compareZero writes CMP of a doubleword in memory with zero.
func compareZero(a *Asm, m Mem) {
	a.RM(0, OneByte, 0x83, 7, m)
	a.Bytes(0)
}

// dispatch leaves the code that the table of jumps has for the address in R8D in
// R9. It leaves the flags alone.
func dispatch(a *Asm) {
	a.Load64(R9, At(ctx, offTable))
	a.Load(R9, Mem{Base: R9, Index: R8, Scale: 2})
	a.Lea64(R9, Mem{Base: ctx, Index: R9, Disp: codeFromContext})
}

// writeStubs writes the shared pieces. The first is where the table of jumps
// leads for addresses that it does not know.
func writeStubs(a *Asm) (s stubs) {
	start := a.Pos
	a.StoreImm(At(ctx, offSite), indirectSite)
	missed := a.Jmp(0)
	s.astray = a.Pos
	a.Mov(RCX, R10)
	a.Jmp(start)

	s.prologue = a.Pos
	a.Store64(At(ctx, offGoSP), RSP)
	a.Load64(RSP, At(ctx, offHostSP))
	a.Load64(R8, At(ctx, offState))
	for i, r := range guest {
		if r != RAX {
			a.Load(r, At(R8, stateGPR+int32(8*i)))
		}
	}
	a.Load64(views, At(ctx, offView))
	a.Load64(budget, At(ctx, offBudget))
	a.Load64(R11, At(ctx, offAddend))
	writeWindow(a)
	compareZero(a, At(ctx, offSIMD))
	without := a.Jcc(CondE, a.Pos)
	for i := range Reg(8) {
		a.RM(0, TwoByte, 0x10, i, At(R8, stateXMM+16*int32(i))) // MOVUPS
	}
	a.RM(0, TwoByte, 0xae, 3, At(ctx, offMXCSR))  // STMXCSR
	a.RM(0, TwoByte, 0xae, 2, At(R8, stateMXCSR)) // LDMXCSR
	a.Patch(without, a.Pos)
	a.Load(R9, At(R8, stateEFLAGS))
	a.Mov(RAX, R9)
	a.Bytes(0x88, 0xc4)                         // MOV AH, AL
	a.Bytes(0x41, 0x0f, 0xba, 0xe1, 11)         // BT R9D, 11
	a.Bytes(0x0f, 0x92, 0xc0, 0x04, 0x7f, 0x9e) // SETC AL; ADD AL, 7FH; SAHF
	a.Load(RAX, At(R8, stateGPR))
	jump64(a, At(ctx, offResume))

	s.leaveSaved = a.Pos
	restoreFlags(a, status)
	s.leave = a.Pos
	a.Patch(missed, a.Pos)
	a.Bytes(0x9c) // PUSHFQ
	a.Load64(R9, At(ctx, offState))
	for i, r := range guest {
		a.Store64(At(R9, stateGPR+int32(8*i)), r)
	}
	pop64(a, R10)
	a.Bytes(0x41, 0x81, 0xe2) // AND R10D, imm
	a.U32(cpu.FlagsStatus)
	a.Load(RAX, At(R9, stateEFLAGS))
	a.Bytes(0x25) // AND EAX, imm
	a.U32(^uint32(cpu.FlagsStatus))
	a.RR(0, OneByte, 0x09, R10, RAX)
	a.Store(At(R9, stateEFLAGS), RAX)
	a.Store(At(ctx, offArgument), R8)
	a.Store64(At(ctx, offBudget), budget)
	a.Store64(At(ctx, offHostSP), RSP)
	a.Store64(At(ctx, offAddend), R11)
	compareZero(a, At(ctx, offSIMD))
	without = a.Jcc(CondE, a.Pos)
	for i := range Reg(8) {
		a.RM(0, TwoByte, 0x11, i, At(R9, stateXMM+16*int32(i)))
	}
	a.RM(0, TwoByte, 0xae, 3, At(R9, stateMXCSR))
	a.RM(0, TwoByte, 0xae, 2, At(ctx, offMXCSR))
	a.Patch(without, a.Pos)
	a.Load64(RSP, At(ctx, offGoSP))
	a.Bytes(0xc3)

	s.mismatch = a.Pos
	a.Mov(RCX, R10)
	s.underflow = a.Pos
	a.Load64(RSP, At(ctx, offBottom))
	dispatch(a)
	jumpTo(a, R9)

	s.beside = writeBeside(a)
	for _, g := range []isa.Seg{isa.ES, isa.DS, isa.FS, isa.GS} {
		s.load[g] = a.Pos
		writeLoad(a, g)
	}

	s.fault = a.Pos
	a.StoreImm(At(ctx, offSite), faultSite)
	a.Jmp(s.leave)
	return s
}

// writeLoad writes what loads segment register g if the selector in R8D, its
// descriptor and CPL are those of a load that is remembered. DS and ES stay flat
// and at zero, or it fails.
func writeLoad(a *Asm, g isa.Seg) {
	var failed []int
	fail := func(cond byte) { failed = append(failed, a.Jcc(cond, 0)) }
	a.RR(0, OneByte, 0xf7, 0, R8) // TEST R8D, imm: the LDT's
	a.U32(4)
	fail(CondNE)
	a.RR(0, OneByte, 0x81, 7, R8)
	a.U32(8 * loadSlots)
	fail(CondAE)
	a.Load64(R10, At(ctx, offGDT))
	a.RR(W, OneByte, 0x85, R10, R10)
	fail(CondE)
	a.Mov(R9, R8)
	a.RR(0, OneByte, 0x83, 4, R9) // AND R9D, ~7
	a.Bytes(0xf8)
	a.Load64(R10, Sum(R10, R9))
	a.RR(0, OneByte, 0x69, R9, R9) // IMUL: a slot is larger than a descriptor
	a.U32(uint32(loadedSize / 8))
	a.Lea64(R9, Mem{Base: ctx, Index: R9, Disp: offLoads})
	a.RM(W, OneByte, 0x3b, R10, At(R9, loadedDescriptor))
	fail(CondNE)
	a.RM(0, OneByte, 0x3b, R8, At(R9, loadedSelector))
	fail(CondNE)
	a.Load(R10, At(ctx, offCPL))
	a.RM(0, OneByte, 0x3b, R10, At(R9, loadedCPL))
	fail(CondNE)
	required := loadedKnown
	if g == isa.DS || g == isa.ES {
		required = loadedFlatZero
	}
	compareZero(a, At(R9, required))
	fail(CondE)
	push64(a, RAX)
	a.Load64(RAX, At(ctx, offState))
	for off := int32(0); off < segmentSize; off += 4 {
		a.Load(R10, At(R9, loadedSegment+off))
		a.Store(At(RAX, stateSeg+int32(g)*segmentSize+off), R10)
	}
	pop64(a, RAX)
	a.Load(R10, At(R9, loadedBase))
	a.Store(At(ctx, offSegments+4*int32(g)), R10)
	a.Load(R10, At(R9, loadedFlat))
	a.Store(At(ctx, offFlat+4*int32(g)), R10)
	a.Load64(R10, At(R9, loadedReach))
	a.Store64(At(ctx, offReach+8*int32(g)), R10)
	a.Bytes(0xf8, 0xc3) // CLC; RET
	for _, at := range failed {
		a.Patch(at, a.Pos)
	}
	a.Bytes(0xf9, 0xc3) // STC; RET
}
