// Package hwtest is a board for one chip: a clock that moves when told and
// lines that remember, so that a test holds a wire in each hand.
package hwtest

import (
	"sort"

	"github.com/gov86/gov86/hw"
)

// A Line records the level it was last set to and counts rising edges.
type Line struct {
	level bool
	// Rises counts the changes from low to high.
	Rises int
}

// Set implements hw.Line.
func (l *Line) Set(asserted bool) {
	if asserted && !l.level {
		l.Rises++
	}
	l.level = asserted
}

// Asserted reports the level.
func (l *Line) Asserted() bool { return l.level }

// A Clock stands still until Advance.
type Clock struct {
	// Late is how long after its time a timer fires.
	Late   hw.Time
	now    hw.Time
	timers []*timer
}

// Now implements hw.Clock.
func (c *Clock) Now() hw.Time { return c.now }

// NewTimer implements hw.Clock.
func (c *Clock) NewTimer(_ string, fn func(hw.Time)) hw.Timer {
	t := &timer{fn: fn}
	c.timers = append(c.timers, t)
	return t
}

// Advance moves time on by d, firing each timer at its own moment, or late.
func (c *Clock) Advance(d hw.Time) {
	end := c.now + d
	for {
		var due []*timer
		for _, t := range c.timers {
			if t.armed && t.at+c.Late <= end {
				due = append(due, t)
			}
		}
		if len(due) == 0 {
			break
		}
		sort.SliceStable(due, func(i, j int) bool { return due[i].at < due[j].at })
		t := due[0]
		c.now = max(c.now, t.at+c.Late)
		t.armed = false
		t.fn(c.now)
	}
	c.now = end
}

type timer struct {
	at    hw.Time
	armed bool
	fn    func(hw.Time)
}

func (t *timer) Set(at hw.Time)        { t.at, t.armed = at, true }
func (t *timer) Stop()                 { t.armed = false }
func (t *timer) When() (hw.Time, bool) { return t.at, t.armed }
