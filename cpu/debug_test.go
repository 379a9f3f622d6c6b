package cpu

import (
	"fmt"
	"strings"
	"testing"

	portio "github.com/gov86/gov86/io"
)

func TestDR4AndDR5AreAliasesWithoutDE(t *testing.T) {
	r := newProtected(t)
	r.must(r.WriteDebug(4, 0))
	if v, f := r.ReadDebug(6); f != NoTrap || v != dr6One {
		t.Errorf("DR6 %#x %v", v, f)
	}
	r.must(r.WriteDebug(5, 0xffffffff&^dr7GD))
	if v, _ := r.ReadDebug(7); v != 0xffff07ff {
		t.Errorf("DR7 %#x: bit 10 is one, bits 11, 12, 14 and 15 are zero", v)
	}
	r.must(r.SetCR4(CR4DE))
	r.fails(UD(), func() Trap { return r.WriteDebug(4, 0) })
}

func TestGeneralDetect(t *testing.T) {
	r := newProtected(t)
	r.vector(VecDB, accInt, selCode0, 0x9000)
	r.must(r.WriteDebug(7, dr7GD))
	if _, f := r.ReadDebug(0); f != Exception(VecDB) || r.DR[6]&dr6BD == 0 {
		t.Errorf("%v DR6 %#x", f, r.DR[6])
	}
	r.Deliver(Exception(VecDB))
	if r.DR[7]&dr7GD != 0 {
		t.Error("GD is set in the handler")
	}
	if _, f := r.ReadDebug(0); f != NoTrap {
		t.Errorf("the handler cannot read DR0: %v", f)
	}
}

func TestAnInstructionBreakpointIsAFaultThatRFPasses(t *testing.T) {
	r := newProtected(t)
	r.vector(VecDB, accInt, selCode0, 0x9000)
	r.must(r.WriteDebug(0, 0x8000))
	r.must(r.WriteDebug(7, 2))
	if r.Mode()&ModeStep == 0 {
		t.Fatal("an enabled breakpoint does not make the engine step")
	}
	f := r.BeforeStep()
	if f != Exception(VecDB) || r.DR[6] != dr6One|1 {
		t.Fatalf("%v DR6 %#x", f, r.DR[6])
	}
	r.Deliver(f)
	r.stack(4, 0x8000, selCode0, FlagOne) // RF is clear for this one fault

	// The handler sets RF in the image and returns.
	r.must(r.BeforeStep())
	r.must(r.WriteLinear(Linear(r.Reg32(ESP)+8), 4, FlagOne|FlagRF, Implicit))
	r.must(r.InterruptReturn(4))
	r.must(r.AfterStep(false))
	if r.EFLAGS&FlagRF == 0 {
		t.Fatal("RF does not outlive the IRET that loads it")
	}
	r.must(r.BeforeStep())
	if r.EFLAGS&FlagRF != 0 {
		t.Error("RF outlives the instruction it is for")
	}
	r.must(r.AfterStep(false))
	if f := r.BeforeStep(); f != Exception(VecDB) {
		t.Errorf("the second time: %v", f)
	}
}

func TestIRETDropsRFWhenNobodyCouldSeeIt(t *testing.T) {
	r := newProtected(t)
	r.push(4, FlagOne|FlagRF, selCode0, 0x9000)
	r.must(r.InterruptReturn(4))
	if r.EFLAGS != FlagOne {
		t.Errorf("EFLAGS %#x", r.EFLAGS)
	}
}

func TestDataBreakpoints(t *testing.T) {
	for _, c := range []struct {
		name    string
		at      uint32
		control uint32 // LEN and R/W
		l       Linear
		n       int
		write   bool
		hit     bool
	}{
		{"write of the byte", 0x1000, 1, 0x1000, 1, true, true},
		{"read of a write breakpoint", 0x1000, 1, 0x1000, 1, false, false},
		{"read of a read/write breakpoint", 0x1000, 3, 0x1000, 1, false, true},
		{"doubleword that overlaps", 0x1003, 1, 0x1000, 4, true, true},
		{"access that ends before", 0x1004, 1, 0x1000, 4, true, false},
		{"doubleword breakpoint, its last byte", 0x1000, 3<<2 | 1, 0x1003, 1, true, true},
		{"its address is aligned down", 0x1003, 3<<2 | 1, 0x1000, 1, true, true},
		{"instruction breakpoint", 0x1000, 0, 0x1000, 1, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newProtected(t)
			r.must(r.WriteDebug(1, c.at))
			r.must(r.WriteDebug(7, 4|c.control<<20))
			r.must(r.BeforeStep())
			if c.write {
				r.must(r.WriteLinear(c.l, c.n, 0, r.Data()))
			} else if _, f := r.ReadLinear(c.l, c.n, r.Data()); f != NoTrap {
				t.Fatal(f)
			}
			f := r.AfterStep(false)
			if hit := f == AfterInstruction(VecDB) && r.DR[6] == dr6One|2; hit != c.hit {
				t.Errorf("%v DR6 %#x", f, r.DR[6])
			}
		})
	}
	t.Run("a breakpoint of an instruction that faulted is forgotten", func(t *testing.T) {
		r := newProtected(t)
		r.must(r.WriteDebug(0, 0x1000))
		r.must(r.WriteDebug(7, 2|1<<16))
		r.MatchData(0x1000, 4, true)
		r.must(r.BeforeStep())
		r.must(r.AfterStep(false))
	})
	t.Run("I/O breakpoints need CR4.DE", func(t *testing.T) {
		r := newProtected(t)
		r.must(r.WriteDebug(0, 0x3f8))
		r.must(r.WriteDebug(7, 2|2<<16))
		r.MatchIO(0x3f8, 1)
		r.must(r.AfterStep(false))
		r.must(r.SetCR4(CR4DE))
		r.MatchIO(0x3f9, 1)
		r.must(r.AfterStep(false))
		r.MatchIO(0x3f6, 4)
		if f := r.AfterStep(false); f != AfterInstruction(VecDB) {
			t.Errorf("%v", f)
		}
	})
}

func TestSingleStep(t *testing.T) {
	r := newProtected(t)
	r.EFLAGS |= FlagTF
	r.must(r.BeforeStep())
	if f := r.AfterStep(true); f != AfterInstruction(VecDB) || r.DR[6]&dr6BS == 0 {
		t.Errorf("%v DR6 %#x", f, r.DR[6])
	}
	t.Run("INT n is not stepped", func(t *testing.T) {
		r := newProtected(t)
		r.vector(0x80, accInt, selCode0, 0x9000)
		r.EFLAGS |= FlagTF
		r.must(r.BeforeStep())
		r.must(r.SoftwareInterrupt(0x80))
		r.must(r.AfterStep(true))
		if r.EFLAGS&FlagTF != 0 {
			t.Error("TF is set in the handler")
		}
	})
}

func TestTheDumpHasWhatAPostMortemNeeds(t *testing.T) {
	r := newProtected(t)
	r.must(r.FarJump(selCode0, 0x9876, 4))
	r.Last.Enter(0x9876)
	r.Start = 0x9870
	r.RecordOut(0x3f8, portio.Byte, 0x1241)
	r.accepted(0x20)
	r.IDTR.Limit = 0
	r.Deliver(GP(0x1234))
	var b strings.Builder
	r.Dump(&b, func(l Linear) string { return fmt.Sprintf("name+%#x", uint32(l)) })
	for _, want := range []string{"EAX=", "ESP=00004f00", "CS  0008 base 00000000 limit ffffffff", "CR0=",
		"exception 13 #GP code 1234 at 0008:00009876 name+0x9876 cr2 00000000", "exception  8 #DF", "shutdown=true name+0x9876",
		"far 0008:00008000 name+0x8000 -> 0008:00009876 name+0x9876", "interrupt 20 at 0008:00009876",
		"out port 03f8 value 41 at 0008:00009870", "entered 00009876 name+0x9876"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}
