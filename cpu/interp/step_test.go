package interp

import (
	"testing"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/mem"
)

// stepped runs code with TF set and returns where the first debug exception
// came.
func stepped(t *testing.T, p *machine, code ...byte) (at uint32) {
	t.Helper()
	p.write(code...)
	p.EFLAGS |= cpu.FlagTF
	if _, why := p.Run(100); why != cpu.Halted || p.EIP != trapAt+8*cpu.VecDB+1 {
		t.Fatalf("the code ends %v at %#x", why, p.EIP)
	}
	return p.m.Read(mem.Addr(p.Reg32(cpu.ESP)), 4) - codeAt
}

func TestStepPassesOverTheLoadOfAStack(t *testing.T) {
	for _, c := range []struct {
		name string
		code []byte
		want uint32
	}{
		{"MOV SS, AX; NOP", []byte{0x8e, 0xd0, 0x90, 0x90}, 3},
		{"MOV SS, AX twice; NOP", []byte{0x8e, 0xd0, 0x8e, 0xd0, 0x90, 0x90}, 5},
		{"POP SS; NOP", []byte{0x17, 0x90, 0x90}, 2},
		{"MOV DS, AX; NOP", []byte{0x8e, 0xd8, 0x90, 0x90}, 2},
		{"STI; NOP", []byte{0xfb, 0x90, 0x90}, 1},
	} {
		p := newMachine(t)
		p.SetReg32(cpu.EAX, 16)
		p.SetReg32(cpu.ESP, 0x7000)
		p.m.Write(0x7000, 4, 16)
		if got := stepped(t, p, c.code...); got != c.want {
			t.Errorf("%s: the step ends at +%d, want +%d", c.name, got, c.want)
		}
	}
}

func TestBreakpointMetByTheLoadOfAStackWaits(t *testing.T) {
	p := newMachine(t)
	p.m.Write(dataAt, 4, 16)
	p.DR[0], p.DR[7] = dataAt, 0x400|1|0xf<<16                // four bytes, reads and writes
	p.write(0x8e, 0x15, 0, dataAt>>8, 0, 0, 0x90, 0x90, 0xf4) // MOV SS, [dataAt]; NOP
	p.SetReg32(cpu.ESP, 0x7000)
	p.Run(100)
	if at := p.m.Read(0x7000-12, 4) - codeAt; p.EIP != trapAt+8*cpu.VecDB+1 || at != 7 || p.DR[6]&0xf != 1 {
		t.Errorf("EIP %#x, the breakpoint is reported at +%d, DR6 %#x", p.EIP, at, p.DR[6])
	}
}

func TestSteppedHLTGoesOn(t *testing.T) {
	p := newMachine(t)
	p.SetReg32(cpu.ESP, 0x7000)
	if got := stepped(t, p, 0xf4); got != 1 {
		t.Errorf("the step of HLT ends at +%d", got)
	}
}
