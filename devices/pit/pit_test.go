package pit

import (
	"testing"

	"github.com/gov86/gov86/hw"
	"github.com/gov86/gov86/hw/hwtest"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/snapshot/snapshottest"
)

func newTest() (*PIT, *hwtest.Clock, *hwtest.Line) {
	clock, line := &hwtest.Clock{}, &hwtest.Line{}
	return New(clock, line), clock, line
}

func program(p *PIT, control uint8, counter uint16, count uint16) {
	p.Out(3, portio.Byte, uint32(control))
	p.Out(counter, portio.Byte, uint32(count&0xff))
	p.Out(counter, portio.Byte, uint32(count>>8))
}

func TestMode2InterruptsAtItsRate(t *testing.T) {
	p, clock, line := newTest()
	program(p, 0x34, 0, 11932)
	line.Rises = 0
	clock.Advance(hw.Second)
	if line.Rises < 99 || line.Rises > 100 {
		t.Errorf("%d rising edges in a second, want 100 of 100 Hz", line.Rises)
	}
}

func TestAPulseShorterThanATimerIsLateStillInterrupts(t *testing.T) {
	for _, c := range []struct {
		name    string
		control uint8
		rises   int
	}{
		{"mode 2, a rate", 0x34, 99},
		{"mode 4, a strobe", 0x38, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, clock, line := newTest()
			clock.Late = 50 * hw.Microsecond
			program(p, c.control, 0, 11932)
			line.Rises = 0
			clock.Advance(hw.Second)
			if line.Rises != c.rises {
				t.Errorf("%d rising edges in a second of 10 ms counts, want %d", line.Rises, c.rises)
			}
		})
	}
}

func TestMode3HasAnEvenDuty(t *testing.T) {
	p, clock, line := newTest()
	program(p, 0x36, 0, 1193)
	high := 0
	for range 1000 {
		clock.Advance(10 * hw.Microsecond)
		if line.Asserted() {
			high++
		}
	}
	if high < 480 || high > 520 {
		t.Errorf("OUT high in %d of 1000 samples, want half", high)
	}
}

func TestMode0RisesOnceAtTerminalCount(t *testing.T) {
	p, clock, line := newTest()
	program(p, 0x30, 0, 1193)
	if line.Asserted() {
		t.Fatal("OUT high after the count was written")
	}
	clock.Advance(999 * hw.Microsecond)
	if line.Asserted() {
		t.Error("OUT high before terminal count")
	}
	clock.Advance(2 * hw.Microsecond)
	if !line.Asserted() {
		t.Error("OUT low after terminal count")
	}
}

func TestGuestThatComesBeforeALateTimerLosesNoEdge(t *testing.T) {
	p, clock, line := newTest()
	program(p, 0x38, 0, 100)
	line.Rises = 0
	clock.Late = hw.Second
	clock.Advance(hw.Millisecond)
	p.Out(3, portio.Byte, 0) // a latch command
	if line.Rises != 1 {
		t.Errorf("%d rising edges of the strobe, want 1", line.Rises)
	}
}

func TestLatchHoldsTheCount(t *testing.T) {
	p, clock, _ := newTest()
	program(p, 0x34, 0, 0)
	clock.Advance(hw.Millisecond)
	p.Out(3, portio.Byte, 0x00)
	clock.Advance(hw.Millisecond)
	v := p.In(0, portio.Byte) | p.In(0, portio.Byte)<<8
	if want := uint32(0x10000 - 1193); v != want {
		t.Errorf("latched count %d, want %d", v, want)
	}
}

func TestReadBackGivesStatus(t *testing.T) {
	p, _, _ := newTest()
	p.Out(3, portio.Byte, 0xb0)
	p.Out(3, portio.Byte, 0xe8) // status of counter 2
	if v := p.In(2, portio.Byte); v != 0x70 {
		t.Errorf("status %#x before a count was written, want 0x70 (null count, both bytes, mode 0)", v)
	}
}

func TestGate2StopsAndGoesOn(t *testing.T) {
	p, clock, _ := newTest()
	port := p.Port61()
	port.Out(0, portio.Byte, 1)
	program(p, 0xb0, 2, 1193)
	clock.Advance(500 * hw.Microsecond)
	port.Out(0, portio.Byte, 0)
	clock.Advance(hw.Second)
	if p.Out2() {
		t.Error("counter 2 counted with its gate low")
	}
	port.Out(0, portio.Byte, 1)
	clock.Advance(600 * hw.Microsecond)
	if port.In(0, portio.Byte)&0x20 == 0 {
		t.Error("OUT 2 low in port 61h after its count")
	}
}

func TestBCDCountsInTens(t *testing.T) {
	p, clock, _ := newTest()
	program(p, 0x35, 0, 0x1000)
	clock.Advance(hw.Time(nanoseconds(1)))
	p.Out(3, portio.Byte, 0)
	if v := p.In(0, portio.Byte) | p.In(0, portio.Byte)<<8; v != 0x0999 {
		t.Errorf("count %#x, want 0x999", v)
	}
}

// tick is a little more than a clock of the counters.
const tick = hw.Second/Hz + 1

func (p *PIT) count(counter uint16) uint32 {
	p.Out(3, portio.Byte, uint32(counter)<<6)
	return p.In(counter, portio.Byte) | p.In(counter, portio.Byte)<<8
}

func TestMode1IsAOneShotThatTheGateTriggers(t *testing.T) {
	p, clock, _ := newTest()
	program(p, 0xb2, 2, 100)
	clock.Advance(hw.Millisecond)
	if !p.Out2() {
		t.Fatal("OUT low before a trigger")
	}
	p.SetGate2(true)
	if p.Out2() {
		t.Error("OUT high after the trigger")
	}
	clock.Advance(60 * tick)
	p.SetGate2(false)
	p.SetGate2(true) // again: it starts over
	clock.Advance(60 * tick)
	if p.Out2() {
		t.Error("OUT high too early after a second trigger")
	}
	clock.Advance(41 * tick)
	if !p.Out2() {
		t.Error("OUT low after the pulse")
	}
}

func TestStrobesAreLowForOneClock(t *testing.T) {
	for name, control := range map[string]uint8{"mode 4": 0xb8, "mode 5": 0xba} {
		p, clock, _ := newTest()
		if control == 0xb8 {
			p.SetGate2(true)
		}
		program(p, control, 2, 3)
		p.SetGate2(true)
		var low []int
		for i := range 8 {
			if !p.Out2() {
				low = append(low, i)
			}
			clock.Advance(tick)
		}
		if len(low) != 1 || low[0] != 3 {
			t.Errorf("%s: OUT low at clocks %v, want 3 alone", name, low)
		}
	}
}

func TestMode3WithAnOddCountIsHighForTheLongerHalf(t *testing.T) {
	p, clock, _ := newTest()
	p.SetGate2(true)
	program(p, 0xb6, 2, 5)
	got := ""
	for range 10 {
		if p.Out2() {
			got += "1"
		} else {
			got += "0"
		}
		clock.Advance(tick)
	}
	if got != "1110011100" {
		t.Errorf("OUT %s, want 1110011100", got)
	}
}

func TestAGateThatIsLowHoldsOUTHighInModes2And3(t *testing.T) {
	for _, control := range []uint8{0xb4, 0xb6} {
		p, clock, _ := newTest()
		p.SetGate2(true)
		program(p, control, 2, 2)
		clock.Advance(tick)
		if p.Out2() {
			t.Errorf("control %#x: OUT high in the low clock", control)
		}
		p.SetGate2(false)
		if !p.Out2() {
			t.Errorf("control %#x: OUT low with the gate low", control)
		}
	}
}

func TestAccessModesReadAndWriteTheBytesTheyName(t *testing.T) {
	for _, c := range []struct {
		name          string
		control, byte uint32
		want          uint32
	}{
		{"low byte", 0x90, 0x80, 0x80},
		{"high byte", 0xa0, 0x80, 0x80},
	} {
		p, _, _ := newTest()
		p.Out(3, portio.Byte, c.control)
		p.Out(2, portio.Byte, c.byte)
		for range 2 {
			if got := p.In(2, portio.Byte); got != c.want {
				t.Errorf("%s: %#x, want %#x", c.name, got, c.want)
			}
		}
	}
	p, _, _ := newTest()
	p.Out(3, portio.Byte, 0xa0)
	p.Out(2, portio.Byte, 0x80)
	if got := p.counters[2].reload; got != 0x8000 {
		t.Errorf("count %#x, want 0x8000", got)
	}
}

func TestASecondLatchCommandIsIgnored(t *testing.T) {
	p, clock, _ := newTest()
	program(p, 0x34, 0, 1000)
	clock.Advance(100 * tick)
	p.Out(3, portio.Byte, 0)
	clock.Advance(100 * tick)
	if got := p.count(0); got != 900 {
		t.Errorf("count %d, want 900 of the first latch", got)
	}
	if got := p.count(0); got != 800 {
		t.Errorf("count %d, want 800 now", got)
	}
}

func TestReadBackGivesStatusThenCount(t *testing.T) {
	p, clock, _ := newTest()
	program(p, 0x34, 0, 1000)
	clock.Advance(100 * tick)
	p.Out(3, portio.Byte, 0xc2) // both, of counter 0
	clock.Advance(100 * tick)
	if got := p.In(0, portio.Byte); got != 0xb4 {
		t.Errorf("status %#x, want 0xb4: OUT high, both bytes, mode 2", got)
	}
	if got := p.In(0, portio.Byte) | p.In(0, portio.Byte)<<8; got != 900 {
		t.Errorf("count %d, want 900", got)
	}
}

func TestPort61(t *testing.T) {
	p, clock, _ := newTest()
	port := p.Port61()
	port.Out(0, portio.Byte, 3)
	if got := port.In(0, portio.Byte) & 3; got != 3 || !p.Speaker() {
		t.Errorf("port 61h %#x, speaker %t", got, p.Speaker())
	}
	toggles, last := 0, port.In(0, portio.Byte)&0x10
	for range 1000 {
		clock.Advance(hw.Microsecond)
		if v := port.In(0, portio.Byte) & 0x10; v != last {
			toggles, last = toggles+1, v
		}
	}
	if toggles < 64 || toggles > 68 {
		t.Errorf("the refresh bit changed %d times in a millisecond, want about 66", toggles)
	}
}

func TestPortsDoNotAllocate(t *testing.T) {
	p, _, _ := newTest()
	program(p, 0x34, 0, 1000)
	if n := testing.AllocsPerRun(100, func() {
		p.count(0)
		program(p, 0x38, 0, 500)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestStateListIsComplete(t *testing.T) { snapshottest.Complete(t, (*regs).sync, nil) }

func FuzzLoad(f *testing.F) {
	p, clock, _ := newTest()
	s := snapshot.NewSaver()
	p.Save(s)
	b, _ := s.Close()
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if p.Load(snapshot.NewLoader(b)) == nil {
			clock.Advance(hw.Millisecond)
			p.In(0, portio.Byte)
		}
	})
}

func TestTheSpeakerIsToldOf(t *testing.T) {
	clock := &hwtest.Clock{}
	p := New(clock, &hwtest.Line{})
	type told struct {
		at   hw.Time
		hz   float64
		high bool
	}
	var got []told
	p.SetSound(func(at hw.Time, hz float64, high bool) { got = append(got, told{at, hz, high}) })
	p.Out(3, portio.Byte, 0xb6) // counter 2, both bytes, mode 3
	p.Out(2, portio.Byte, 1193&0xff)
	p.Out(2, portio.Byte, 1193>>8)
	clock.Advance(hw.Second)
	p.Port61().Out(0, portio.Byte, 3)
	if last := got[len(got)-1]; last.at != hw.Second || last.hz < 1000 || last.hz > 1001 {
		t.Errorf("with counter 2 at 1193 the speaker was told %+v, want 1000 Hz", last)
	}
	p.Port61().Out(0, portio.Byte, 0)
	if last := got[len(got)-1]; last.hz != 0 || last.high {
		t.Errorf("off, it was told %+v", last)
	}
	p.Out(3, portio.Byte, 0xb0) // mode 0: a pulse
	p.Port61().Out(0, portio.Byte, 3)
	p.Out(2, portio.Byte, 1193182/1000&0xff)
	p.Out(2, portio.Byte, 1193182/1000>>8)
	low, high := got[len(got)-2], got[len(got)-1]
	if low.high || !high.high || high.at-low.at < 999*hw.Microsecond || high.at-low.at > 1001*hw.Microsecond {
		t.Errorf("a pulse of a millisecond was told as %+v and %+v", low, high)
	}
}
