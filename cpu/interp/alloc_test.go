package interp

import (
	"testing"

	"github.com/gov86/gov86/cpu"
)

func TestRunDoesNotAllocateOnceWarm(t *testing.T) {
	p := newMachine(t)
	// A loop with memory, string and x87 instructions that never ends.
	code := []byte{
		0xbf, 0, 0x40, 0, 0, // MOV EDI, 4000h
		0xb9, 0x10, 0, 0, 0, // MOV ECX, 16
		0xf3, 0xab, // REP STOSD
		0xd9, 0xe8, 0xdd, 0xd8, // FLD1; FSTP ST0
		0xe8, 0, 0, 0, 0, 0x58, // CALL next; POP EAX
		0xeb, 0xe8, // JMP to the start
	}
	if err := p.m.WriteAt(code, codeAt); err != nil {
		t.Fatal(err)
	}
	p.EIP = codeAt
	p.SetReg32(cpu.ESP, 0x7000)
	p.Run(10_000)
	if n := testing.AllocsPerRun(100, func() { p.Run(10_000) }); n != 0 {
		t.Errorf("%v allocations a run, want none", n)
	}
	if p.Halted || p.EIP < codeAt || p.EIP > codeAt+uint32(len(code)) {
		t.Errorf("the loop was left for %#x", p.EIP)
	}
}
