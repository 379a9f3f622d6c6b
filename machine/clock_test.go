package machine

import (
	"slices"
	"testing"
	"time"

	"github.com/gov86/gov86/hw"
)

func TestTimersFireInTheOrderOfTheirDeadlines(t *testing.T) {
	c := newClock(true)
	var fired []hw.Time
	for _, at := range []hw.Time{500, 100, 300, 200, 400, 100} {
		c.NewTimer("", func(hw.Time) { fired = append(fired, at) }).Set(at)
	}
	if at, ok := c.next(); !ok || at != 100 {
		t.Errorf("the next deadline is %d %t, want 100", at, ok)
	}
	c.skip(300)
	c.fire()
	if want := []hw.Time{100, 100, 200, 300}; !slices.Equal(fired, want) {
		t.Errorf("fired %v at 300, want %v", fired, want)
	}
	c.skip(1000)
	c.fire()
	if want := []hw.Time{100, 100, 200, 300, 400, 500}; !slices.Equal(fired, want) {
		t.Errorf("fired %v in the end, want %v", fired, want)
	}
	if _, ok := c.next(); ok {
		t.Error("a timer is armed after all have fired")
	}
}

func TestTimerIsToldTheTimeAndIsNoLongerArmed(t *testing.T) {
	c := newClock(true)
	var timer hw.Timer
	calls := 0
	timer = c.NewTimer("", func(now hw.Time) {
		calls++
		if _, armed := timer.When(); armed || now != 700 {
			t.Errorf("called at %d, armed %t", now, armed)
		}
	})
	timer.Set(600)
	if at, armed := timer.When(); !armed || at != 600 {
		t.Errorf("due at %d %t, want 600", at, armed)
	}
	c.skip(700)
	c.fire()
	c.fire()
	if calls != 1 {
		t.Errorf("%d calls, want 1", calls)
	}
}

func TestTimerSetAgainMoves(t *testing.T) {
	c := newClock(true)
	calls := 0
	timer := c.NewTimer("", func(hw.Time) { calls++ })
	other := c.NewTimer("", func(hw.Time) {})
	other.Set(150)
	timer.Set(100)
	timer.Set(200)
	c.skip(150)
	c.fire()
	if calls != 0 {
		t.Error("a timer fired when it was first due, though it was set anew")
	}
	timer.Set(160)
	c.skip(160)
	c.fire()
	if calls != 1 {
		t.Errorf("%d calls, want 1", calls)
	}
}

func TestStoppedTimerDoesNotFire(t *testing.T) {
	c := newClock(true)
	var timers [8]hw.Timer
	var fired []int
	for i := range timers {
		timers[i] = c.NewTimer("", func(hw.Time) { fired = append(fired, i) })
		timers[i].Set(hw.Time(100 * (i + 1)))
	}
	for _, i := range []int{0, 3, 7} {
		timers[i].Stop()
		timers[i].Stop() // of one that is not armed does nothing
	}
	c.skip(1000)
	c.fire()
	if want := []int{1, 2, 4, 5, 6}; !slices.Equal(fired, want) {
		t.Errorf("fired %v, want %v", fired, want)
	}
}

func TestTimersMaySetAndStopOthersWhileFiring(t *testing.T) {
	c := newClock(true)
	var fired []string
	victim := c.NewTimer("", func(hw.Time) { fired = append(fired, "victim") })
	child := c.NewTimer("", func(hw.Time) { fired = append(fired, "child") })
	c.NewTimer("", func(now hw.Time) {
		fired = append(fired, "parent")
		victim.Stop()
		child.Set(now)
	}).Set(100)
	victim.Set(110)
	c.skip(200)
	c.fire()
	if want := []string{"parent", "child"}; !slices.Equal(fired, want) {
		t.Errorf("fired %v, want %v", fired, want)
	}
}

// TestFireReturnsThoughATimerIsDueAtOnceAgain is a guest's shortest period: on
// the host's clock it is over before the timer has been set.
func TestFireReturnsThoughATimerIsDueAtOnceAgain(t *testing.T) {
	for _, counted := range []bool{false, true} {
		c := newClock(counted)
		calls := 0
		var timer hw.Timer
		timer = c.NewTimer("", func(now hw.Time) {
			if calls++; calls < 1000 {
				timer.Set(now + 1)
			}
		})
		timer.Set(c.Now())
		if c.fire(); calls != 1 {
			t.Errorf("counted %t: %d calls at one moment, want 1", counted, calls)
		}
	}
}

func TestCountedTimeIsThatOfTheInstructions(t *testing.T) {
	c := newClock(true)
	c.count = 1234
	if c.Now() != 12340 {
		t.Errorf("%d ns after 1234 instructions, want 12340", c.Now())
	}
	c.skip(12345)
	if c.Now() != 12350 {
		t.Errorf("%d ns after a halt to 12345, want the next instruction's 12350", c.Now())
	}
	if c.skip(100); c.Now() != 12350 {
		t.Errorf("a halt to the past leads to %d", c.Now())
	}
}

func TestHeldTimeStandsStillAndGoesOnFromThere(t *testing.T) {
	for _, counted := range []bool{false, true} {
		c := newClock(counted)
		c.count = 1000
		c.hold()
		at := c.Now()
		time.Sleep(5 * time.Millisecond)
		c.hold() // again does nothing
		if now := c.Now(); now != at {
			t.Errorf("counted %t: held at %d, then %d", counted, at, now)
		}
		held := time.Now()
		c.release()
		now := c.Now()
		if gone := hw.Time(time.Since(held)); now < at || now > at+gone {
			t.Errorf("counted %t: held at %d, %d since its release led to %d", counted, at, gone, now)
		}
		c.release()
	}
}

// stall has the host take the processor away.
func (c *clock) stall(d hw.Time) { c.origin = c.origin.Add(-time.Duration(d)) }

func TestAStallOfTheHostTakesManyShortTurnsToCatchUp(t *testing.T) {
	c := newClock(false)
	c.turn()
	var ticks int
	var tick hw.Timer
	tick = c.NewTimer("", func(hw.Time) {
		ticks++
		at, _ := tick.When()
		tick.Set(at + 4*hw.Millisecond)
	})
	tick.Set(c.Now() + 4*hw.Millisecond)
	c.stall(200 * hw.Millisecond)
	last, turns, ticked := c.Now(), 0, 0
	for end := c.host(); last < end; turns++ {
		c.turn()
		before := ticks
		c.fire()
		ticked += min(ticks-before, 1)
		now := c.Now()
		if longest := step + c.host()/share; now < last || now > last+longest {
			t.Fatalf("turn %d goes from %d to %d, by more than %d ns", turns, last, now, longest)
		}
		last = now
	}
	if turns < 30 || turns > 100 {
		t.Errorf("%d turns to catch up", turns)
	}
	if ticked < 30 {
		t.Errorf("%d turns had a tick, of 50 that are due every 4 ms", ticked)
	}
}

func TestGuestTimeFollowsAHostWhoseTurnsAreLong(t *testing.T) {
	c := newClock(false)
	for range 1000 {
		c.stall(5 * hw.Millisecond)
		c.turn()
	}
	// Behind by as much as makes a step of 5 ms: (5 - 2) times share.
	if behind := c.host() - c.Now(); behind > 110*hw.Millisecond {
		t.Errorf("after 5 s guest time is %d ns behind", behind)
	}
}

func TestAnIdleGuestIsNotBehind(t *testing.T) {
	c := newClock(false)
	c.turn()
	c.stall(hw.Second)
	if left := c.idle(500 * hw.Millisecond); left > 0 || c.Now() != 500*hw.Millisecond {
		t.Errorf("half a second late, it is %d and %v are left", c.Now(), left)
	}
	if left := c.idle(10 * hw.Second); left <= 0 || left > 9*time.Second || c.Now() < hw.Second {
		t.Errorf("after 1 s of 10 it is %d and %v are left", c.Now(), left)
	}
	c.stall(20 * hw.Second)
	if c.slept(); c.Now() < 20*hw.Second {
		t.Errorf("after a halt of 20 s it is %d", c.Now())
	}
}

func TestCyclesDoNotOverflow(t *testing.T) {
	c := newClock(true)
	last := uint64(0)
	for count := uint64(1); count < 1<<60; count *= 2 { // up to 365 years
		c.count = count
		if n := c.cycles(); n < last {
			t.Fatalf("%d cycles after %d instructions, %d before", n, count, last)
		} else {
			last = n
		}
	}
}
