package jit

import (
	"encoding/binary"
	"testing"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/mem"
)

// TestCodeThatWasOnlyReadAheadIsCode: what a jump leads to was looked at for the
// flags it wants, and is then written for the first time.
func TestCodeThatWasOnlyReadAheadIsCode(t *testing.T) {
	for _, c := range []struct {
		name   string
		at, to uint32
	}{{"ahead", codeAt + 0x800, codeAt + 0xc00}, {"behind", codeAt + 0xc00, codeAt + 0x800}} {
		t.Run(c.name, func(t *testing.T) {
			r, _ := newTranslated(t)
			r.SetReg32(cpu.ESI, dataAt)
			code := []byte{0x39, 0xc8, 0x89, 0x16, 0x0f, 0x89, 0, 0, 0, 0, 0x31, 0xc0, 0xf4} // CMP EAX, ECX; MOV [ESI], EDX; JNS; XOR EAX, EAX; HLT
			binary.LittleEndian.PutUint32(code[6:], c.to-c.at-10)
			r.write(mem.Addr(c.at), code...)
			r.write(mem.Addr(c.to), 0x31, 0xd2, 0xf4) // XOR EDX, EDX; HLT
			r.SetReg32(cpu.EAX, 0)
			r.SetReg32(cpu.ECX, 1)
			r.run(c.at, c.at+12)
			r.write(mem.Addr(c.to), 0x0f, 0x90, 0xc2, 0xf4) // SETO DL; HLT
			r.SetReg32(cpu.EAX, 0x80000000)
			r.SetReg32(cpu.EDX, 0)
			r.run(c.at, c.to+3)
			r.is("OF", cpu.EDX, 1)
		})
	}
}

// TestDeepRecursionFits: more calls without a return than our stack has room for.
func TestDeepRecursionFits(t *testing.T) {
	r, _ := newTranslated(t)
	const depth = 300_000
	r.write(codeAt,
		0xb9, depth&0xff, depth>>8&0xff, depth>>16, 0, // MOV ECX, depth
		0xe8, 1, 0, 0, 0, 0xf4, // CALL f; HLT
		0x49, 0x74, 5, // f: DEC ECX; JZ
		0xe8, 0xf8, 0xff, 0xff, 0xff, // CALL f
		0x40, 0xc3) // INC EAX; RET
	r.start(codeAt)
	r.SetReg32(cpu.ESP, 4<<20)
	r.toHalt(codeAt + 10)
	r.is("calls that returned", cpu.EAX, depth)
	r.is("the stack", cpu.ESP, 4<<20)
}
