package rtc

import (
	"testing"
	"time"

	"github.com/gov86/gov86/hw"
	"github.com/gov86/gov86/hw/hwtest"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/snapshot/snapshottest"
)

func newTest(base int64) (*RTC, *hwtest.Clock, *hwtest.Line) {
	clock, line := &hwtest.Clock{}, &hwtest.Line{}
	return New(clock, line, base), clock, line
}

func read(r *RTC, i uint8) uint8 {
	r.Out(0, portio.Byte, uint32(i))
	return uint8(r.In(1, portio.Byte))
}

func write(r *RTC, i, v uint8) {
	r.Out(0, portio.Byte, uint32(i))
	r.Out(1, portio.Byte, uint32(v))
}

func TestCivilAgreesWithTheStandardLibrary(t *testing.T) {
	for s := int64(-70_000_000_000); s < 200_000_000_000; s += 86_399 * 997 {
		want := time.Unix(s, 0).UTC()
		d := civil(s)
		if d.year != int64(want.Year()) || d.month != int64(want.Month()) || d.day != int64(want.Day()) || d.hour != int64(want.Hour()) {
			t.Fatalf("civil(%d) = %+v, want %v", s, d, want)
		}
		if s > 0 && d.unix() != s {
			t.Fatalf("unix(civil(%d)) = %d", s, d.unix())
		}
	}
}

func TestTimeIsShownInBCD(t *testing.T) {
	r, clock, _ := newTest(time.Date(2026, 11, 24, 23, 59, 58, 0, time.UTC).Unix())
	clock.Advance(2 * hw.Second)
	for i, want := range map[uint8]uint8{seconds: 0, minutes: 0, hours: 0, day: 0x25, month: 0x11, year: 0x26, Century: 0x20, weekday: 4} {
		if got := read(r, i); got != want {
			t.Errorf("register %#x = %#x, want %#x", i, got, want)
		}
	}
}

func TestSetHoldsTheTimeWhileItIsWritten(t *testing.T) {
	r, clock, _ := newTest(0)
	write(r, regB, setBit|hours24|binary)
	write(r, year, 99)
	write(r, Century, 0x19)
	write(r, month, 12)
	write(r, day, 31)
	write(r, hours, 23)
	write(r, minutes, 59)
	write(r, seconds, 30)
	clock.Advance(5 * hw.Second)
	if got := read(r, seconds); got != 30 {
		t.Errorf("seconds = %d with SET, want 30", got)
	}
	write(r, regB, hours24|binary)
	clock.Advance(31 * hw.Second)
	if y, c := read(r, year), read(r, Century); y != 0 || c != 0x20 {
		t.Errorf("year %d century %#x after midnight, want 0 and 0x20", y, c)
	}
}

func TestTwelveHourMode(t *testing.T) {
	r, _, _ := newTest(13 * 3600)
	write(r, regB, 0)
	if got := read(r, hours); got != 0x81 {
		t.Errorf("13 h shown as %#x, want 0x81", got)
	}
}

func TestPeriodicInterruptComesAtItsRate(t *testing.T) {
	r, clock, line := newTest(0)
	write(r, regB, hours24|pie)
	n := 0
	for range 4000 {
		clock.Advance(hw.Second / 4000)
		if line.Asserted() {
			n++
			read(r, regC)
		}
	}
	if n < 1022 || n > 1025 {
		t.Errorf("%d interrupts in a second, want 1024", n)
	}
}

func TestAlarmInterruptsOncePerMatch(t *testing.T) {
	r, clock, line := newTest(0)
	write(r, secondsAlarm, 0x05)
	write(r, minutesAlarm, 0xff)
	write(r, hoursAlarm, 0xc0)
	write(r, regB, hours24|aie)
	clock.Advance(4500 * hw.Millisecond)
	if line.Asserted() {
		t.Error("alarm before its second")
	}
	clock.Advance(hw.Second)
	if !line.Asserted() || read(r, regC)&(irqf|af) != irqf|af {
		t.Error("no alarm at its second")
	}
	if line.Asserted() {
		t.Error("line high after register C was read")
	}
}

func TestUIPWarnsBeforeTheUpdate(t *testing.T) {
	r, clock, _ := newTest(0)
	clock.Advance(900 * hw.Millisecond)
	if read(r, regA)&uip != 0 {
		t.Error("UIP set 100 ms before the update")
	}
	clock.Advance(99 * hw.Millisecond)
	if read(r, regA)&uip == 0 {
		t.Error("UIP clear 1 ms before the update")
	}
}

func TestStateListIsComplete(t *testing.T) { snapshottest.Complete(t, (*regs).sync, nil) }

func FuzzLoad(f *testing.F) {
	r, clock, _ := newTest(0)
	s := snapshot.NewSaver()
	r.Save(s)
	b, _ := s.Close()
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if r.Load(snapshot.NewLoader(b)) == nil {
			clock.Advance(hw.Millisecond)
			read(r, hours)
		}
	})
}
