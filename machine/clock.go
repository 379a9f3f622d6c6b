package machine

import (
	"container/heap"
	"math/bits"
	"time"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/hw"
)

// A clock is guest time and the events that are due in it. Guest time follows
// the host's monotonic clock or, counted, the number of instructions retired:
// then a run is the same every time.
//
// A busy host takes the processor away for longer than a guest would believe:
// time-outs would pass between two instructions, and ticks be lost. So guest
// time catches up in steps, one each turn of the run loop, with timers and
// interrupts in between.
type clock struct {
	counted bool
	count   uint64    // retired instructions, counted
	origin  time.Time // host time when guest time was zero
	limit   hw.Time   // guest time is not beyond, this turn
	held    bool      // guest time stands still,
	heldAt  hw.Time   // since then
	timers  timerHeap
	made    int // timers so far
}

// countedNs is the guest time of one instruction when instructions are counted:
// that of a processor of 100 million instructions a second.
const countedNs = 10

func newClock(counted bool) *clock { return &clock{counted: counted, origin: time.Now()} }

// Now implements hw.Clock.
func (c *clock) Now() hw.Time {
	switch {
	case c.held:
		return c.heldAt
	case c.counted:
		return hw.Time(c.count * countedNs)
	}
	return min(c.host(), c.limit)
}

// host is what guest time would be if it could follow at once.
func (c *clock) host() hw.Time { return hw.Time(time.Since(c.origin)) }

// Guest time moves by at most step a turn, and by a share of what it is behind,
// so that it arrives though every turn may take longer than a step.
const (
	step  = 2 * hw.Millisecond
	share = 32
)

// turn lets guest time move on.
func (c *clock) turn() {
	if c.counted || c.held {
		return
	}
	host := c.host()
	now := min(host, c.limit)
	c.limit = now + step + (host-now)/share
}

// idle is how long it is until at on the host, before which the guest does
// nothing. What guest time is behind it makes good meanwhile.
func (c *clock) idle(at hw.Time) time.Duration {
	c.limit = max(c.limit, at)
	return time.Duration(at - c.Now())
}

// slept has guest time be the host's after a halt that nothing was to end.
func (c *clock) slept() { c.limit = max(c.limit, c.host()) }

// hold makes guest time stand still until release.
func (c *clock) hold() { c.heldAt, c.held = c.Now(), true }

// release lets guest time go on from where it was held.
func (c *clock) release() {
	if c.held {
		c.held, c.limit, c.origin = false, c.heldAt, time.Now().Add(-time.Duration(c.heldAt))
	}
}

// set has guest time go on from now.
func (c *clock) set(now hw.Time) {
	c.count = (uint64(now) + countedNs - 1) / countedNs
	c.origin = time.Now().Add(-time.Duration(now))
	c.limit, c.heldAt = now, now
}

// skip moves counted time on to at, while the processor is halted.
func (c *clock) skip(at hw.Time) { c.count = max(c.count, (uint64(at)+countedNs-1)/countedNs) }

// cycles is the count behind the time-stamp counter.
func (c *clock) cycles() uint64 {
	hi, lo := bits.Mul64(uint64(c.Now()), cpu.TSCHz)
	q, _ := bits.Div64(hi%uint64(hw.Second), lo, uint64(hw.Second))
	return q
}

// NewTimer implements hw.Clock.
func (c *clock) NewTimer(_ string, fn func(hw.Time)) hw.Timer {
	c.made++
	return &timer{clock: c, fn: fn, at: -1, order: c.made}
}

// fire runs the timers that are due. What becomes due meanwhile waits: a period
// may be shorter than it takes to fire, and the guest is to go on all the same.
func (c *clock) fire() {
	now := c.Now()
	for len(c.timers) > 0 && c.timers[0].when <= now {
		t := c.timers[0]
		heap.Pop(&c.timers)
		t.fn(now)
	}
}

// next is when the first timer is due, if there is one.
func (c *clock) next() (hw.Time, bool) {
	if len(c.timers) == 0 {
		return 0, false
	}
	return c.timers[0].when, true
}

// A timer is armed while it is in the heap, at index at.
type timer struct {
	clock *clock
	fn    func(hw.Time)
	when  hw.Time
	at    int
	// order is who is first of those that are due at the same time: a machine does
	// the same whenever its timers were set.
	order int
}

func (t *timer) Set(at hw.Time) {
	t.when = at
	if t.at < 0 {
		heap.Push(&t.clock.timers, t)
	} else {
		heap.Fix(&t.clock.timers, t.at)
	}
}

func (t *timer) Stop() {
	if t.at >= 0 {
		heap.Remove(&t.clock.timers, t.at)
	}
}

func (t *timer) When() (hw.Time, bool) { return t.when, t.at >= 0 }

// timerHeap implements heap.Interface, earliest first.
type timerHeap []*timer

func (h timerHeap) Len() int { return len(h) }
func (h timerHeap) Less(i, j int) bool {
	if h[i].when != h[j].when {
		return h[i].when < h[j].when
	}
	return h[i].order < h[j].order
}
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].at, h[j].at = i, j
}

func (h *timerHeap) Push(x any) {
	t := x.(*timer)
	t.at = len(*h)
	*h = append(*h, t)
}

func (h *timerHeap) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	t.at = -1
	*h = (*h)[:last]
	return t
}
