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

// A date is written field by field, and halfway it may be one that does not exist.
func TestADateCanBeSetInAnyOrder(t *testing.T) {
	r, _, _ := newTest(time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC).Unix())
	write(r, regB, setBit|hours24)
	write(r, month, 0x02)
	write(r, day, 0x10)
	write(r, regB, hours24)
	if m, d := read(r, month), read(r, day); m != 0x02 || d != 0x10 {
		t.Errorf("month %#x day %#x, want 0x02 and 0x10", m, d)
	}
}

func TestYearsFarAway(t *testing.T) {
	for _, y := range []uint8{0x00, 0x19, 0x20, 0x99} {
		r, clock, _ := newTest(0)
		write(r, regB, setBit|hours24)
		write(r, Century, y)
		write(r, year, 0x99)
		write(r, month, 0x12)
		write(r, day, 0x31)
		write(r, hours, 0x23)
		write(r, minutes, 0x59)
		write(r, seconds, 0x58)
		write(r, regB, hours24)
		clock.Advance(hw.Second / 2)
		if c, got := read(r, Century), read(r, year); c != y || got != 0x99 {
			t.Errorf("year %02x%02x, want %02x99", c, got, y)
		}
	}
}

func TestTheFirstUpdateComesHalfASecondAfterTheDividerIsLetGo(t *testing.T) {
	for _, at := range []hw.Time{0, 300, 700} {
		r, clock, _ := newTest(0)
		clock.Advance(at * hw.Millisecond)
		write(r, regA, 0x76)
		write(r, seconds, 0x10)
		clock.Advance(3 * hw.Second)
		write(r, regA, 0x26)
		clock.Advance(hw.Second/2 - 1)
		if got := read(r, seconds); got != 0x10 {
			t.Errorf("after %d ms: seconds %#x before the update, want 0x10", at, got)
		}
		clock.Advance(1)
		if got := read(r, seconds); got != 0x11 {
			t.Errorf("after %d ms: seconds %#x after half a second, want 0x11", at, got)
		}
	}
}

func TestSetKeepsThePhaseOfTheSecond(t *testing.T) {
	r, clock, _ := newTest(0)
	clock.Advance(300 * hw.Millisecond)
	write(r, regB, setBit|hours24)
	write(r, seconds, 0x30)
	clock.Advance(hw.Second)
	write(r, regB, hours24)
	clock.Advance(700*hw.Millisecond - 1)
	if got := read(r, seconds); got != 0x30 {
		t.Errorf("seconds %#x, want 0x30", got)
	}
	clock.Advance(1)
	if got := read(r, seconds); got != 0x31 {
		t.Errorf("seconds %#x when the divider's second ends, want 0x31", got)
	}
}

func TestFlagsAreSetWhateverIsEnabled(t *testing.T) {
	r, clock, line := newTest(0)
	write(r, secondsAlarm, 0x03)
	write(r, minutesAlarm, 0xff)
	write(r, hoursAlarm, 0xff)
	clock.Advance(hw.Millisecond)
	if got := read(r, regC); got != pf {
		t.Errorf("C %#x after a millisecond of 1024 Hz, want PF", got)
	}
	clock.Advance(hw.Second)
	if got := read(r, regC); got != pf|uf {
		t.Errorf("C %#x after a second, want PF and UF", got)
	}
	clock.Advance(100 * hw.Second)
	if got := read(r, regC); got != pf|uf|af {
		t.Errorf("C %#x after an alarm long ago, want PF, UF and AF", got)
	}
	if got := read(r, regC); got != 0 || line.Rises != 0 {
		t.Errorf("C %#x read again, %d interrupts", got, line.Rises)
	}
}

func TestSetStopsUpdatesAndTheirInterrupt(t *testing.T) {
	r, clock, line := newTest(0)
	write(r, regB, setBit|uie|hours24)
	clock.Advance(3 * hw.Second)
	if read(r, regB)&uie != 0 || line.Rises != 0 || read(r, regC)&uf != 0 {
		t.Error("updates, or UIE, while SET is set")
	}
}

func TestUpdateEndedInterrupt(t *testing.T) {
	r, clock, line := newTest(0)
	write(r, regB, hours24|uie)
	for i := range 3 {
		clock.Advance(hw.Second)
		if !line.Asserted() {
			t.Fatalf("no interrupt after update %d", i)
		}
		read(r, regC)
	}
}

func TestALateTimerLosesNoAlarm(t *testing.T) {
	r, clock, line := newTest(0)
	clock.Late = 3500 * hw.Millisecond
	write(r, secondsAlarm, 0x02)
	write(r, minutesAlarm, 0x00)
	write(r, hoursAlarm, 0x00)
	write(r, regB, hours24|aie)
	clock.Advance(10 * hw.Second)
	if !line.Asserted() {
		t.Error("no alarm")
	}
}

func TestResetKeepsTimeAndMemory(t *testing.T) {
	r, clock, _ := newTest(7)
	write(r, 0x40, 0x5a)
	write(r, regB, hours24|pie)
	r.Reset()
	clock.Advance(hw.Second)
	if read(r, seconds) != 8 || read(r, 0x40) != 0x5a || read(r, regB) != hours24 {
		t.Errorf("seconds %#x, memory %#x, B %#x", read(r, seconds), read(r, 0x40), read(r, regB))
	}
}

func TestTheDayOfTheWeekFollowsFromTheDate(t *testing.T) {
	for _, s := range []int64{-86401, -1, 0, 1, 86399, 86400, 3 * 86400, 951_782_400, 1_795_478_400} {
		r, _, _ := newTest(s)
		if got, want := read(r, weekday), uint8(time.Unix(s, 0).UTC().Weekday())+1; got != want {
			t.Errorf("second %d: day %d of the week, want %d", s, got, want)
		}
	}
}

func TestTwelveHourModeIsWrittenAsItIsRead(t *testing.T) {
	for h, want := range map[uint8]uint8{0x12: 0x00, 0x01: 0x01, 0x11: 0x11, 0x92: 0x12, 0x81: 0x13, 0x91: 0x23} {
		r, _, _ := newTest(0)
		write(r, regB, setBit)
		write(r, hours, h)
		write(r, regB, 0)
		if got := read(r, hours); got != h {
			t.Errorf("hour %#x reads as %#x", h, got)
		}
		write(r, regB, hours24)
		if got := read(r, hours); got != want {
			t.Errorf("hour %#x is %#x of 24, want %#x", h, got, want)
		}
	}
}

func TestPort70MasksTheNMI(t *testing.T) {
	r, _, _ := newTest(0)
	r.Out(0, portio.Byte, 0x80|0x40)
	r.Out(1, portio.Byte, 0x12)
	if !r.NMIMasked() || read(r, 0x40) != 0x12 || r.NMIMasked() {
		t.Error("bit 7 of the index is not the NMI mask alone")
	}
}

func TestRegisterAccessesDoNotAllocate(t *testing.T) {
	r, clock, _ := newTest(0)
	write(r, regB, hours24|pie)
	clock.Late = hw.Second // firing a timer allocates in the test's clock
	if n := testing.AllocsPerRun(100, func() {
		clock.Advance(hw.Millisecond)
		read(r, regC)
		read(r, hours)
		read(r, regA)
	}); n != 0 {
		t.Errorf("%v allocations", n)
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
			read(r, regC)
			write(r, regB, setBit)
			write(r, regB, 0)
		}
	})
}
