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
