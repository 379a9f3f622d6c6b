package interp

import (
	"slices"
	"testing"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/mem"
)

// write places code and makes it what runs next.
func (p *machine) write(code ...byte) {
	p.t.Helper()
	if err := p.m.WriteAt(code, codeAt); err != nil {
		p.t.Fatal(err)
	}
	p.EIP, p.Halted = codeAt, false
	p.SetReg32(cpu.ESP, 0x7000)
}

// stops runs until the engine stops and returns why.
func (p *machine) stops() *cpu.Hit {
	p.t.Helper()
	if _, why := p.Run(1000); why != cpu.Stopped {
		p.t.Fatalf("Run ended with %d at %#x, want Stopped", why, p.EIP)
	}
	return p.TakeHit()
}

// stepTo executes one instruction, which must lead to eip, and takes no
// interrupt after it.
func (p *machine) stepTo(eip uint32) {
	p.t.Helper()
	p.Monitor.Step(true)
	p.Monitor.Masked = true
	n, _ := p.Run(1)
	p.Monitor.Step(false)
	p.Monitor.Masked = false
	if n == 0 || p.EIP != eip {
		p.t.Fatalf("a step of %d led to %#x, want %#x", n, p.EIP, eip)
	}
}

func TestBreakpointStopsBeforeItsInstructionInCodeThatRanBefore(t *testing.T) {
	p := newMachine(t)
	// MOV ECX, 5; INC EAX; DEC ECX; JNZ to INC; HLT
	p.write(0xb9, 5, 0, 0, 0, 0x40, 0x49, 0x75, 0xfc, 0xf4)
	if _, why := p.Run(1000); why != cpu.Halted || p.Reg32(cpu.EAX) != 5 {
		t.Fatalf("%d, EAX %d", why, p.Reg32(cpu.EAX))
	}
	p.EIP, p.Halted = codeAt, false
	p.SetReg32(cpu.EAX, 0)
	p.SetBreakpoints([]cpu.Linear{codeAt + 6}) // DEC ECX
	for i := uint32(1); i <= 3; i++ {
		h := p.stops()
		if h == nil || h.At != codeAt+6 || h.Watch != nil || p.EIP != codeAt+6 || p.Reg32(cpu.EAX) != i {
			t.Fatalf("hit %+v at %#x, EAX %d, want %d", h, p.EIP, p.Reg32(cpu.EAX), i)
		}
		p.Monitor.Pass = true
	}
	if b := p.m.Read(codeAt+6, 1); b != 0x49 {
		t.Errorf("the instruction in memory is %#x", b)
	}
	p.Monitor.Pass = false
	if h := p.stops(); h == nil || p.Reg32(cpu.EAX) != 3 {
		t.Errorf("a breakpoint that was not passed let EAX become %d", p.Reg32(cpu.EAX))
	}
	p.SetBreakpoints(nil)
	if _, why := p.Run(1000); why != cpu.Halted || p.Reg32(cpu.EAX) != 5 {
		t.Errorf("without the breakpoint: %d, EAX %d", why, p.Reg32(cpu.EAX))
	}
}

func TestBreakpointOnTheGuestsOwnINT3(t *testing.T) {
	p := newMachine(t)
	p.write(0xcc, 0xf4)
	p.SetBreakpoints([]cpu.Linear{codeAt})
	if h := p.stops(); h == nil || p.EIP != codeAt {
		t.Fatalf("hit %+v at %#x", h, p.EIP)
	}
	p.Monitor.Pass = true
	if _, why := p.Run(100); why != cpu.Halted || p.EIP != trapAt+8*cpu.VecBP+1 {
		t.Errorf("%d at %#x, want the guest's handler of #BP", why, p.EIP)
	}
}

func TestBreakpointWaitsForTheFaultOfFetchingIt(t *testing.T) {
	p := newMachine(t)
	const directory, table = 0x10000, 0x11000
	p.m.Write(directory, 4, table|7)
	for i := range mem.Addr(256) {
		p.m.Write(table+4*i, 4, uint32(i)<<12|7)
	}
	p.write(0x90, 0xf4)
	p.m.Write(table+4*(codeAt>>12), 4, 0)
	if p.SetCR3(directory) != cpu.NoTrap || p.SetCR0(p.CR0|cpu.CR0PG) != cpu.NoTrap {
		t.Fatal("no paging")
	}
	p.SetBreakpoints([]cpu.Linear{codeAt})
	if _, why := p.Run(100); why != cpu.Halted || p.EIP != trapAt+8*cpu.VecPF+1 {
		t.Fatalf("%d at %#x, want the page fault", why, p.EIP)
	}
	p.m.Write(table+4*(codeAt>>12), 4, codeAt|7)
	p.EIP, p.Halted = codeAt, false
	if h := p.stops(); h == nil || p.EIP != codeAt {
		t.Errorf("hit %+v at %#x", h, p.EIP)
	}
}

func TestWatchpointStopsAfterTheAccess(t *testing.T) {
	for _, c := range []struct {
		name        string
		read, write bool
		eip         uint32 // where it stops first
	}{
		{"write", false, true, codeAt + 12},
		{"read", true, false, codeAt + 5},
		{"access", true, true, codeAt + 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newMachine(t)
			p.must(0xa1, 0, 0x80, 0, 0) // the page is in the TLB
			// MOV EAX, [8000h]; MOV byte [8002h], 7; HLT
			p.write(0xa1, 0x00, 0x80, 0, 0, 0xc6, 0x05, 0x02, 0x80, 0, 0, 0x07, 0xf4)
			p.SetWatchpoints([]cpu.Watchpoint{{At: 0x8002, Len: 4, Read: c.read, Write: c.write}})
			h := p.stops()
			if h == nil || h.Watch == nil || h.At != 0x8002 || p.EIP != c.eip {
				t.Fatalf("hit %+v at %#x, want %#x", h, p.EIP, c.eip)
			}
			p.SetWatchpoints(nil)
			if _, why := p.Run(100); why != cpu.Halted || p.m.Read(0x8002, 1) != 7 {
				t.Errorf("%d, memory %#x", why, p.m.Read(0x8002, 1))
			}
		})
	}
}

func TestWatchpointAtTheEndOfMemory(t *testing.T) {
	p := newMachine(t)
	p.write(0xa1, 0xfc, 0xff, 0xff, 0xff, 0xf4) // MOV EAX, [FFFFFFFCh]
	p.SetWatchpoints([]cpu.Watchpoint{{At: 0, Len: 0, Read: true}, {At: 0xfffffffe, Len: 2, Read: true}})
	if h := p.stops(); h == nil || h.At != 0xfffffffe {
		t.Errorf("hit %+v", h)
	}
}

func TestStepIsOneElementOfARepeatedInstruction(t *testing.T) {
	p := newMachine(t)
	p.write(0xf3, 0xaa, 0xf4) // REP STOSB; HLT
	p.SetReg32(cpu.ECX, 3)
	p.SetReg32(cpu.EDI, dataAt)
	p.SetReg32(cpu.EAX, 0x55)
	p.stepTo(codeAt)
	p.stepTo(codeAt)
	if got := p.m.Read(dataAt, 4); got != 0x5555 || p.Reg32(cpu.ECX) != 1 {
		t.Errorf("two steps stored %#x and left ECX %d", got, p.Reg32(cpu.ECX))
	}
	p.stepTo(codeAt + 2)
}

func TestStepIsUnseenByTheGuest(t *testing.T) {
	p := newMachine(t)
	p.write(0x9c, 0xcc) // PUSHF; INT3
	p.stepTo(codeAt + 1)
	if f := p.m.Read(0x6ffc, 4); f&cpu.FlagTF != 0 {
		t.Errorf("PUSHF stored %#x: TF is set", f)
	}
	p.Monitor.Step(true)
	p.Run(1)
	if p.EIP != trapAt+8*cpu.VecBP || p.DR[6]&(1<<14) != 0 {
		t.Errorf("a step over INT3 led to %#x, DR6 %#x", p.EIP, p.DR[6])
	}
}

func TestStepEndsWithinTheShadow(t *testing.T) {
	p := newMachine(t)
	p.write(0xfb, 0x90, 0x90, 0xf4) // STI; NOP; NOP; HLT
	p.SetINTR(true)                 // Acknowledge gives vector 0
	p.stepTo(codeAt + 1)
	if p.Run(0); p.EIP != codeAt+1 {
		t.Errorf("an interrupt in the shadow led to %#x", p.EIP)
	}
	p.stepTo(codeAt + 2)
	if p.Run(0); p.EIP != trapAt {
		t.Errorf("the interrupt after the shadow led to %#x", p.EIP)
	}
}

func TestMaskedMonitorKeepsInterruptsWaiting(t *testing.T) {
	p := newMachine(t)
	p.write(0x90, 0x90, 0xf4)
	p.EFLAGS |= cpu.FlagIF
	p.SetINTR(true)
	p.RaiseNMI()
	p.stepTo(codeAt + 1)
	p.Run(0)
	if p.EIP != trapAt+8*cpu.VecNMI {
		t.Errorf("EIP %#x, want the handler of the NMI", p.EIP)
	}
}

func TestGuestsDataBreakpointSeesAPageInTheTLB(t *testing.T) {
	p := newMachine(t)
	p.must(0xa1, 0, 0x80, 0, 0, 0xa3, 0, 0x80, 0, 0)
	p.DR[0], p.DR[7] = dataAt, 0x400|1|0xd<<16 // four bytes, writes
	p.faults(cpu.VecDB, 0xa3, 0, 0x80, 0, 0)
	if p.DR[6]&1 == 0 {
		t.Errorf("DR6 %#x", p.DR[6])
	}
}

func TestWatchpointSlowsNothingOnceItIsGone(t *testing.T) {
	p := newMachine(t)
	p.SetWatchpoints([]cpu.Watchpoint{{At: dataAt, Len: 4, Write: true}})
	p.SetBreakpoints([]cpu.Linear{codeAt, 0x5000})
	p.SetWatchpoints(nil)
	p.SetBreakpoints(nil)
	if p.Mode()&cpu.ModeStep != 0 || slices.Contains([]bool{p.BreaksNear(codeAt), p.BreaksNear(0x5000)}, true) {
		t.Error("the engine still takes one instruction at a time")
	}
}
