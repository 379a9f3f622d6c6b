package apic

import "github.com/gov86/gov86/hw"

const (
	// BusHz is the frequency that the divider of the timer divides. Guests
	// measure it.
	BusHz = 100_000_000

	busPeriod     = uint64(hw.Second) / BusHz
	timerPeriodic = 1 << 17
	divideBits    = 0xb
	// shortest bounds how often the timer can interrupt, so that a guest that
	// asks for a count of one does not keep the host from running it.
	shortest = uint64(hw.Microsecond)
)

// count is how long one count takes, in nanoseconds. The divider is bits 3, 1
// and 0: 2, 4, and so on to 128, then 1.
func (r *localRegs) count() uint64 {
	return busPeriod << (((r.divide>>1&4 | r.divide&3) + 1) & 7)
}

// period is how long the initial count lasts.
func (r *localRegs) period() uint64 { return uint64(r.initial) * r.count() }

// current is the current-count register. It is derived: nothing ticks.
func (l *Local) current() uint32 {
	if l.initial == 0 {
		return 0
	}
	passed := uint64(l.clock.Now()) - l.start
	if l.lvt[lvtTimer]&timerPeriodic != 0 {
		passed %= l.period()
	} else if passed >= l.period() {
		return 0
	}
	return l.initial - uint32(passed/l.count())
}

// setDivide is the divide configuration register. A count at hand goes on from
// where it is.
func (l *Local) setDivide(v uint8) {
	at := l.current()
	l.divide = v
	l.resume(at)
	l.arm()
}

// resume makes the timer hold the count at now.
func (l *Local) resume(at uint32) {
	now := uint64(l.clock.Now())
	// Just after power-on the count could seem to have begun before time did.
	l.start = now - min(uint64(l.initial-at)*l.count(), now)
}

// arm sets the timer for the next time the count reaches zero.
func (l *Local) arm() {
	now := uint64(l.clock.Now())
	due := l.start + l.period()
	switch {
	case l.initial == 0, l.lvt[lvtTimer]&entryMask != 0:
		l.timer.Stop()
		return
	case l.lvt[lvtTimer]&timerPeriodic != 0:
		passed := (now - l.start) / l.period()
		due = max(l.start+(passed+1)*l.period(), now+shortest)
	case due <= now: // it has reached zero, masked or interrupting
		l.timer.Stop()
		return
	}
	l.timer.Set(hw.Time(due))
}

func (l *Local) expired(hw.Time) {
	l.local(l.lvt[lvtTimer])
	l.arm()
	l.update()
}
