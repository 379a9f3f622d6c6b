package jit

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/mem"
)

// makers leave flags that can be computed again, or some of them, or none. They
// use EAX, ECX and ESP.
var makers = []struct {
	name string
	code []byte
}{
	{"CMP EAX, ECX", []byte{0x39, 0xc8}},
	{"CMP AH, CL", []byte{0x38, 0xcc}},
	{"CMP AX, 1234H", []byte{0x66, 0x3d, 0x34, 0x12}},
	{"CMP ESP, EAX", []byte{0x39, 0xc4}},
	{"TEST AL, 80H", []byte{0xa8, 0x80}},
	{"TEST EAX, ECX", []byte{0x85, 0xc8}},
	{"BT EAX, ECX", []byte{0x0f, 0xa3, 0xc8}},
	{"AND EAX, ECX", []byte{0x21, 0xc8}},
	{"OR AX, CX", []byte{0x66, 0x09, 0xc8}},
	{"XOR AH, CL", []byte{0x30, 0xcc}},
	{"AND EAX, [EBX]", []byte{0x23, 0x03}},
	{"ADD EAX, ECX", []byte{0x01, 0xc8}},
	{"ADD EAX, EAX", []byte{0x01, 0xc0}},
	{"ADD EAX, 80000000H", []byte{0x05, 0, 0, 0, 0x80}},
	{"ADD ECX, -1", []byte{0x83, 0xc1, 0xff}},
	{"ADD EAX, ESP", []byte{0x01, 0xe0}},
	{"ADD AL, CL", []byte{0x00, 0xc8}},
	{"ADD EAX, [EBX]", []byte{0x03, 0x03}},
	{"SUB EAX, ECX", []byte{0x29, 0xc8}},
	{"SUB ECX, 80000000H", []byte{0x81, 0xe9, 0, 0, 0, 0x80}},
	{"SUB ESP, 16", []byte{0x83, 0xec, 0x10}},
	{"ADD ESP, 16", []byte{0x83, 0xc4, 0x10}},
	{"ADD ESP, ECX, and back", []byte{0x01, 0xcc, 0x29, 0xcc}},
	{"AND ESP, -16", []byte{0x83, 0xe4, 0xf0}},
	{"STC, INC EAX", []byte{0xf9, 0x40}},
	{"DEC ECX", []byte{0x49}},
	{"INC AX", []byte{0x66, 0x40}},
	{"DEC ESP", []byte{0x4c}},
	{"ADC EAX, ECX", []byte{0x11, 0xc8}},
	{"SBB EAX, EAX", []byte{0x19, 0xc0}},
	{"NEG EAX", []byte{0xf7, 0xd8}},
}

// between are what may come before the flags are read: accesses, which destroy
// the host's, and writes to the registers that they came from.
var between = []struct {
	name string
	code []byte
}{
	{"MOV [EBX], EDX", []byte{0x89, 0x13}},
	{"an access that is not aligned", []byte{0x8b, 0x73, 0x01}},
	{"an access across pages", []byte{0x8b, 0xb3, 0xfe, 0x0f, 0, 0}},
	{"PUSH EDX, POP ESI", []byte{0x52, 0x5e}},
	{"PUSH EDX, twice", []byte{0x52, 0x52}},
	{"POP ESI", []byte{0x5e}},
	{"POP EAX", []byte{0x58}},
	{"PUSH, PUSH, POP, POP within a frame", []byte{0x52, 0x52, 0x5e, 0x5e}},
	{"LEAVE", []byte{0x89, 0xe5, 0xc9}},
	{"MOV EAX, [EBX]", []byte{0x8b, 0x03}},
	{"MOV AH, [EBX]", []byte{0x8a, 0x23}},
	{"MOV ECX, EDX", []byte{0x89, 0xd1, 0x8b, 0x33}},
	{"XCHG EDX, EAX", []byte{0x92, 0x8b, 0x33}},
	{"LEA ESP, [ESP+4]", []byte{0x8d, 0x64, 0x24, 0x04, 0x8b, 0x33}},
	{"CBW", []byte{0x66, 0x98, 0x8b, 0x33}},
	{"LODSD", []byte{0x89, 0xde, 0xad}},
	{"SETB AL", []byte{0x0f, 0x92, 0xc0, 0x8b, 0x33}},
	{"CMOVE EAX, [EBX]", []byte{0x0f, 0x44, 0x03}},
	{"CPUID", []byte{0x0f, 0xa2, 0xbb, 0, 0, 8, 0}},
	{"BSWAP EAX, MOVD ECX, XMM0", []byte{0x0f, 0xc8, 0x66, 0x0f, 0x7e, 0xc1, 0x8b, 0x33}},
	{"FNSTSW AX", []byte{0xdf, 0xe0, 0x8b, 0x33}},
	{"CALL and POP", []byte{0xe8, 0, 0, 0, 0, 0x5e}},
	{"a jump taken", []byte{0x8b, 0x33, 0xeb, 0}},
	{"a jump not taken", []byte{0x8b, 0x33, 0x90, 0x7e, 0, 0x8b, 0x33}},
}

// TestFlagsAreComputedAgain holds every maker of flags, with everything in between,
// to the interpreter.
func TestFlagsAreComputedAgain(t *testing.T) {
	// What reads the flags: all of them, or a few.
	const carryReader = 3
	readers := [][]byte{
		{0x9c, 0x5a},             // PUSHFD; POP EDX
		{0x0f, 0x94, 0xc2},       // SETE DL
		{0x0f, 0x9c, 0xc2},       // SETL DL
		carryReader:              {0x83, 0xd2, 0}, // ADC EDX, 0
		{0x74, 1, 0x42, 0x8b, 3}, // JE over INC EDX; MOV EAX, [EBX]
	}
	x := rand.New(rand.NewPCG(1, 2))
	for _, exact := range []bool{false, true} {
		for _, m := range makers {
			t.Run(fmt.Sprintf("%s, exact %v", m.name, exact), func(t *testing.T) {
				a, e := newTranslated(t)
				if exact {
					e.Exact()
				}
				b := newRig(t, stepping)
				at := uint32(codeAt)
				for _, w := range between {
					for i, reader := range readers {
						if m.code[0] == 0x0f && i != carryReader {
							continue // BT defines CF only
						}
						code := append(append(append([]byte{}, m.code...), w.code...), reader...)
						code = append(code, 0xbc, 0, 0, 0x10, 0, 0x31, 0xed, 0xf4) // MOV ESP, stackAt; XOR EBP, EBP; HLT
						for range 3 {
							eax, ecx := operandFor(x), operandFor(x)
							for _, r := range []*rig{a, b} {
								r.write(mem.Addr(at), code...)
								r.prepareMaker(at, eax, ecx)
								r.engine.Run(100)
								if !r.Halted {
									t.Fatalf("%s, reader %d: at %#x", w.name, i, r.EIP)
								}
							}
							if a.GPR != b.GPR {
								t.Fatalf("%s, reader %d: registers %x, want %x, of EAX %#x, ECX %#x", w.name, i, a.GPR, b.GPR, eax, ecx)
							}
						}
						at += 0x40
					}
				}
			})
		}
	}
}

// operandFor is a number around which flags change, or any.
func operandFor(x *rand.Rand) uint32 {
	edges := []uint32{0, 1, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff}
	if x.IntN(2) == 0 {
		return edges[x.IntN(len(edges))]
	}
	return x.Uint32()
}

// prepareMaker starts what TestFlagsAreComputedAgain wrote at eip.
func (r *rig) prepareMaker(eip, eax, ecx uint32) {
	r.start(eip)
	for i := range uint32(16) {
		r.m.Write(mem.Addr(stackAt-64+4*i), 4, 0x01010101*i)
		r.m.Write(mem.Addr(dataAt+4*i), 4, 0x87654321)
	}
	r.SetReg32(cpu.ESP, stackAt-32)
	r.SetReg32(cpu.EAX, eax)
	r.SetReg32(cpu.ECX, ecx)
	r.SetReg32(cpu.EDX, 0x44332211)
	r.SetReg32(cpu.EBX, dataAt)
	r.SetReg32(cpu.ESI, dataAt)
	r.SetReg32(cpu.EBP, stackAt)
	r.XMM[0] = [2]uint64{0x1122334455667788, 0}
}
