package pic

import (
	"testing"

	"github.com/gov86/gov86/hw/hwtest"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/snapshot/snapshottest"
)

// newTest returns a pair initialized as PC firmware does, nothing masked.
func newTest(t *testing.T) (*PIC, *hwtest.Line) {
	t.Helper()
	line := &hwtest.Line{}
	p := New(line)
	for i, h := range []portio.Handler{p.Master(), p.Slave()} {
		h.Out(0, portio.Byte, 0x11)
		h.Out(1, portio.Byte, uint32(0x20+8*i))
		h.Out(1, portio.Byte, uint32(4-2*i))
		h.Out(1, portio.Byte, 1)
		h.Out(1, portio.Byte, 0)
	}
	return p, line
}

func TestLowerInputHasPriority(t *testing.T) {
	p, line := newTest(t)
	p.Line(4).Set(true)
	p.Line(1).Set(true)
	if !line.Asserted() {
		t.Fatal("INT low with two requests")
	}
	if v := p.Acknowledge(); v != 0x21 {
		t.Errorf("first vector %#x, want 0x21", v)
	}
	if line.Asserted() {
		t.Error("INT high for IRQ 4 while IRQ 1 is in service")
	}
	p.Master().Out(0, portio.Byte, 0x20)
	if v := p.Acknowledge(); v != 0x24 {
		t.Errorf("after EOI vector %#x, want 0x24", v)
	}
}

func TestSlaveRequestGoesThroughTheCascade(t *testing.T) {
	p, line := newTest(t)
	p.Line(12).Set(true)
	if !line.Asserted() {
		t.Fatal("INT low with a request at the slave")
	}
	if v := p.Acknowledge(); v != 0x2c {
		t.Errorf("vector %#x, want 0x2c", v)
	}
	p.Slave().Out(0, portio.Byte, 0x20)
	p.Master().Out(0, portio.Byte, 0x20)
	if line.Asserted() {
		t.Error("INT high after both EOIs: an edge requests once")
	}
}

func TestLevelTriggeredInputRequestsAsLongAsItIsHigh(t *testing.T) {
	p, line := newTest(t)
	p.ELCR().Out(1, portio.Byte, 1<<3)
	p.Line(11).Set(true)
	p.Acknowledge()
	p.Slave().Out(0, portio.Byte, 0x20)
	p.Master().Out(0, portio.Byte, 0x20)
	if !line.Asserted() {
		t.Error("INT low after EOI with the line still high")
	}
	p.Line(11).Set(false)
	if line.Asserted() {
		t.Error("INT high with the line low")
	}
}

func TestVanishedRequestIsSpurious(t *testing.T) {
	p, _ := newTest(t)
	p.Line(3).Set(true)
	p.Line(3).Set(false)
	if v := p.Acknowledge(); v != 0x27 {
		t.Errorf("vector %#x, want 0x27", v)
	}
	p.Master().Out(0, portio.Byte, 0x0b)
	if isr := p.Master().In(0, portio.Byte); isr != 0 {
		t.Errorf("ISR = %#x after a spurious interrupt, want 0", isr)
	}
}

func TestRotationOnEOIGivesTheServedInputLowestPriority(t *testing.T) {
	p, _ := newTest(t)
	p.Line(0).Set(true)
	p.Acknowledge()
	p.Master().Out(0, portio.Byte, 0xa0)
	p.Line(0).Set(false)
	p.Line(0).Set(true)
	p.Line(1).Set(true)
	if v := p.Acknowledge(); v != 0x21 {
		t.Errorf("vector %#x, want 0x21: IRQ 0 was rotated to the end", v)
	}
}

func TestPollAcknowledges(t *testing.T) {
	p, line := newTest(t)
	p.Line(5).Set(true)
	p.Master().Out(0, portio.Byte, 0x0c)
	if v := p.Master().In(0, portio.Byte); v != 0x85 {
		t.Errorf("poll word %#x, want 0x85", v)
	}
	if line.Asserted() {
		t.Error("INT high after the poll")
	}
}

func TestFullyNestedAndSpecialFullyNestedMode(t *testing.T) {
	for _, c := range []struct {
		name   string
		icw4   uint32
		second int
		want   bool
	}{
		{"a higher input of the slave waits for the master's EOI", 1, 8, false},
		{"with SFNM it does not", 1 | icw4SFNM, 8, true},
		{"with SFNM a lower input of the slave still does", 1 | icw4SFNM, 12, false},
		{"with SFNM a lower input of the master still does", 1 | icw4SFNM, 3, false},
		{"a higher input of the master does not", 1 | icw4SFNM, 1, true},
	} {
		p, line := newTest(t)
		for _, v := range [][2]uint32{{0, 0x11}, {1, 0x20}, {1, 4}, {1, c.icw4}, {1, 0}} {
			p.Master().Out(uint16(v[0]), portio.Byte, v[1])
		}
		p.Line(10).Set(true)
		if v := p.Acknowledge(); v != 0x2a {
			t.Fatalf("vector %#x, want 0x2a", v)
		}
		p.Line(c.second).Set(true)
		if got := line.Asserted(); got != c.want {
			t.Errorf("%s: INT %t", c.name, got)
		}
	}
}

func TestAutomaticEOILeavesNothingInService(t *testing.T) {
	p, line := newTest(t)
	for _, v := range [][2]uint32{{0, 0x11}, {1, 0x20}, {1, 4}, {1, 1 | icw4AEOI}, {1, 0}} {
		p.Master().Out(uint16(v[0]), portio.Byte, v[1])
	}
	p.Line(1).Set(true)
	p.Acknowledge()
	p.Line(4).Set(true)
	if !line.Asserted() || p.Acknowledge() != 0x24 {
		t.Error("IRQ 4 waits for an EOI that is automatic")
	}
}

func TestSpecialMaskModeLetsLowerInputsThrough(t *testing.T) {
	p, line := newTest(t)
	p.Line(1).Set(true)
	p.Acknowledge()
	p.Master().Out(1, portio.Byte, 1<<1)
	p.Line(4).Set(true)
	if line.Asserted() {
		t.Error("IRQ 4 interrupts IRQ 1 without special mask mode")
	}
	p.Master().Out(0, portio.Byte, ocw3|ocw3ESMM|ocw3SMM)
	if !line.Asserted() {
		t.Fatal("INT low in special mask mode with IRQ 1 masked")
	}
	p.Acknowledge()
	p.Master().Out(0, portio.Byte, 0x20)
	p.Master().Out(0, portio.Byte, 0x0b)
	if isr := p.Master().In(0, portio.Byte); isr != 1<<1 {
		t.Errorf("ISR %#x after a non-specific EOI, want the masked IRQ 1 left in service", isr)
	}
}

func TestVanishedRequestOfTheSlaveIsSpuriousThereAndServedAtTheMaster(t *testing.T) {
	p, _ := newTest(t)
	p.Line(9).Set(true)
	p.slave.irr = 0 // gone between the two INTA pulses
	if v := p.Acknowledge(); v != 0x2f {
		t.Errorf("vector %#x, want 0x2f", v)
	}
	for i, h := range []portio.Handler{p.Master(), p.Slave()} {
		h.Out(0, portio.Byte, 0x0b)
		if isr, want := h.In(0, portio.Byte), uint32(1<<cascadeIRQ*(1-i)); isr != want {
			t.Errorf("ISR of chip %d is %#x, want %#x", i, isr, want)
		}
	}
}

func TestPriorityCommands(t *testing.T) {
	for _, c := range []struct {
		name    string
		command uint32
		want    uint8
	}{
		{"set priority: the next input is highest", 0xc0 | 4, 0x25},
		{"rotate on specific EOI", 0xe0 | 5, 0x26},
		{"specific EOI", 0x60 | 5, 0x21},
	} {
		p, _ := newTest(t)
		p.Master().Out(0, portio.Byte, c.command)
		for _, n := range []int{1, 5, 6} {
			p.Line(n).Set(true)
		}
		if v := p.Acknowledge(); v != c.want {
			t.Errorf("%s: vector %#x, want %#x", c.name, v, c.want)
		}
	}
}

func TestMaskedRequestsWaitInIRR(t *testing.T) {
	p, line := newTest(t)
	p.Master().Out(1, portio.Byte, 0xff)
	p.Line(3).Set(true)
	if irr := p.Master().In(0, portio.Byte); line.Asserted() || irr != 1<<3 {
		t.Errorf("INT %t, IRR %#x; want low and 0x08", line.Asserted(), irr)
	}
	p.Master().Out(1, portio.Byte, 0xf7)
	if !line.Asserted() {
		t.Error("INT low after unmasking")
	}
}

func TestELCRKeepsTheSystemInputsEdgeTriggered(t *testing.T) {
	p, _ := newTest(t)
	p.ELCR().Out(0, portio.Byte, 0xff)
	p.ELCR().Out(1, portio.Byte, 0xff)
	if a, b := p.ELCR().In(0, portio.Byte), p.ELCR().In(1, portio.Byte); a != 0xf8 || b != 0xde {
		t.Errorf("ELCR %#x %#x, want 0xf8 0xde", a, b)
	}
}

func TestAnInputThatIsHighRequestsWhenItBecomesLevelTriggered(t *testing.T) {
	p, line := newTest(t)
	p.Line(5).Set(true)
	p.Acknowledge()
	p.Master().Out(0, portio.Byte, 0x20)
	p.ELCR().Out(0, portio.Byte, 1<<5)
	if !line.Asserted() {
		t.Error("INT low with a level-triggered input high")
	}
}

func TestInterruptsDoNotAllocate(t *testing.T) {
	p, _ := newTest(t)
	irq, eoi := p.Line(12), [2]portio.Handler{p.Slave(), p.Master()}
	if n := testing.AllocsPerRun(100, func() {
		irq.Set(true)
		p.Acknowledge()
		irq.Set(false)
		for _, h := range eoi {
			h.Out(0, portio.Byte, 0x20)
		}
	}); n != 0 {
		t.Errorf("%v allocations an interrupt", n)
	}
}

func TestStateListIsComplete(t *testing.T) {
	snapshottest.Complete(t, (*regs).sync, nil)
}

func FuzzLoad(f *testing.F) {
	p := New(&hwtest.Line{})
	s := snapshot.NewSaver()
	p.Save(s)
	b, _ := s.Close()
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if p.Load(snapshot.NewLoader(b)) == nil {
			p.Line(3).Set(true)
			p.Acknowledge()
		}
	})
}
