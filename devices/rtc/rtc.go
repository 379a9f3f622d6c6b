// Package rtc is the MC146818A real-time clock with 128 bytes of CMOS memory
// at ports 70h and 71h (Motorola MC146818A data sheet).
//
// Nothing ticks: the time of day and the flags follow from guest time, and a
// timer runs only while an interrupt is awaited. Not modelled: a time base other
// than 32.768 kHz, daylight saving, and a day of the week that disagrees with
// the date.
package rtc

import (
	"fmt"
	"math/bits"

	"github.com/gov86/gov86/hw"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/trace"
)

// Registers.
const (
	seconds      = 0x00
	secondsAlarm = 0x01
	minutes      = 0x02
	minutesAlarm = 0x03
	hours        = 0x04
	hoursAlarm   = 0x05
	weekday      = 0x06
	day          = 0x07
	month        = 0x08
	year         = 0x09
	regA         = 0x0a
	regB         = 0x0b
	regC         = 0x0c
	regD         = 0x0d
	// Century is where PC firmware keeps the century, in BCD.
	Century = 0x32

	uip      = 1 << 7 // A: update in progress
	divider  = 0x70   // A: 2 is a 32.768 kHz base, 6 and 7 hold the divider
	setBit   = 1 << 7 // B
	pie      = 1 << 6
	aie      = 1 << 5
	uie      = 1 << 4
	binary   = 1 << 2
	hours24  = 1 << 1
	irqf     = 1 << 7 // C
	pf       = 1 << 6
	af       = 1 << 5
	uf       = 1 << 4
	valid    = 1 << 7 // D: VRT
	anyAlarm = 0xc0
	pm       = 1 << 7

	size = 128

	// baseHz is the frequency of the crystal, which the divider halves.
	baseHz = 32_768
	second = uint64(hw.Second)
	// farthest is more seconds than four digits of years hold.
	farthest = 1 << 40
)

// The update takes 1984 microseconds at 32.768 kHz, and UIP warns 244 before.
const updateTime = uint64((244 + 1984) * hw.Microsecond)

// regs is all the guest can observe.
type regs struct {
	index uint8 // with the NMI mask in bit 7
	// cmos holds the time, too, while that stands still.
	cmos  [size]uint8
	flags uint8 // register C without IRQF
	// epoch is the second shown at guest time 0, counted from 1970, and phase
	// what had passed of it, in nanoseconds.
	epoch, phase uint64
	held         bool   // SET or the divider hold the time
	seen         uint64 // guest time up to which flags tell what happened
}

func (r *regs) sync(s *snapshot.Codec) {
	s.Version(1)
	s.Uint8("index", &r.index)
	s.Uint8s("cmos", r.cmos[:])
	s.Uint8("flags", &r.flags)
	s.Uint64("epoch", &r.epoch)
	s.Uint64("phase", &r.phase)
	s.Bool("held", &r.held)
	s.Uint64("seen", &r.seen)
}

// holds reports whether registers A and B hold the time.
func (r *regs) holds() bool { return r.cmos[regB]&setBit != 0 || r.stopped() }

// stopped reports whether the divider is held in reset.
func (r *regs) stopped() bool { return r.cmos[regA]&divider >= 0x60 }

func (r *regs) validate(now hw.Time) error {
	switch {
	case r.flags&^(pf|af|uf) != 0, r.cmos[regA]&uip != 0, r.held != r.holds():
		return fmt.Errorf("flags %#x, A %#x, B %#x: %w", r.flags, r.cmos[regA], r.cmos[regB], snapshot.ErrCorrupt)
	case r.phase >= second, r.seen > uint64(now), int64(r.epoch) > farthest, int64(r.epoch) < -farthest:
		return fmt.Errorf("epoch %d, phase %d, seen %d: %w", r.epoch, r.phase, r.seen, snapshot.ErrCorrupt)
	}
	return nil
}

// An RTC is the chip. Its interrupt output drives line.
type RTC struct {
	clock hw.Clock
	line  hw.Line
	timer hw.Timer
	regs
}

// New returns an RTC that shows base, in seconds since 1970 UTC, at power-on.
func New(clock hw.Clock, line hw.Line, base int64) *RTC {
	r := &RTC{clock: clock, line: line}
	r.timer = clock.NewTimer("rtc", func(hw.Time) { r.update() })
	r.cmos[regA] = 0x26
	r.cmos[regB] = hours24
	r.cmos[regD] = valid
	r.epoch = uint64(base)
	return r
}

// Reset implements hw.Device: the RESET pin clears interrupt enables and
// flags. Time and memory live on the battery.
func (r *RTC) Reset() {
	r.cmos[regB] &^= pie | aie | uie
	r.catchUp()
	r.flags = 0
	r.arm()
}

// Save implements hw.Device.
func (r *RTC) Save(s *snapshot.Codec) { r.regs.sync(s) }

// Load implements hw.Device.
func (r *RTC) Load(s *snapshot.Codec) error {
	var next regs
	next.sync(s)
	if _, err := s.Close(); err != nil {
		return err
	}
	if err := next.validate(r.clock.Now()); err != nil {
		return err
	}
	r.regs = next
	r.arm()
	return nil
}

// SetCMOS stores a byte of the memory beyond the registers, as firmware does.
func (r *RTC) SetCMOS(index, v uint8) { r.cmos[index&(size-1)] = v }

// NMIMasked reports whether port 70h masks the NMI.
func (r *RTC) NMIMasked() bool { return r.index&0x80 != 0 }

// isTime reports whether register i is part of the time.
func isTime(i uint8) bool {
	return i <= year && i != secondsAlarm && i != minutesAlarm && i != hoursAlarm || i == Century
}

// In implements portio.Handler for ports 70h and 71h.
func (r *RTC) In(off uint16, _ portio.Width) uint32 {
	if off == 0 {
		return 0xff // the index cannot be read back
	}
	i := r.index & (size - 1)
	v := r.read(i)
	if trace.On(trace.RTC) {
		trace.Emit(trace.RTC, "read", uint64(i), uint64(v))
	}
	return v
}

// read is register i, as reading it finds it.
func (r *RTC) read(i uint8) uint32 {
	switch {
	case i == regA:
		return uint32(r.cmos[regA] | r.updating())
	case i == regC:
		r.catchUp()
		v := r.status()
		r.flags = 0
		r.update()
		return uint32(v)
	case isTime(i) && !r.held:
		return uint32(r.field(i, r.seconds(r.clock.Now())))
	}
	return uint32(r.cmos[i])
}

// Out implements portio.Handler.
func (r *RTC) Out(off uint16, _ portio.Width, v uint32) {
	b := uint8(v)
	if off == 0 {
		r.index = b
		return
	}
	if trace.On(trace.RTC) {
		trace.Emit(trace.RTC, "write", uint64(r.index&(size-1)), uint64(b))
	}
	r.catchUp()
	switch i := r.index & (size - 1); {
	case i == regA:
		r.setA(b &^ uip)
	case i == regB:
		if b&setBit != 0 {
			b &^= uie
		}
		if b&setBit != 0 {
			r.hold() // in the format that the time had
		}
		r.cmos[regB] = b
		r.release()
	case i == regC, i == regD:
	case isTime(i):
		r.setField(i, b)
	default:
		r.cmos[i] = b
	}
	r.update()
}

// setA is register A. The first update comes half a second after the divider
// is let go.
func (r *RTC) setA(v uint8) {
	stopped := r.stopped()
	r.cmos[regA] = v
	switch {
	case r.stopped():
		r.hold()
	case stopped:
		now := uint64(r.clock.Now())
		r.phase = (second + second/2 - now%second) % second
		r.release()
	}
}

// ticks is how often the crystal has swung at guest time t.
func (r *RTC) ticks(t uint64) uint64 {
	hi, lo := bits.Mul64(t+r.phase, baseHz)
	q, _ := bits.Div64(hi%second, lo, second)
	return q
}

// shift is how often the divider halves the crystal's frequency for the
// periodic interrupt; ok is false for none.
func (r *RTC) shift() (n uint8, ok bool) {
	rate := r.cmos[regA] & 15
	switch {
	case rate == 0 || r.stopped():
		return 0, false
	case rate <= 2:
		return rate + 6, true // 256 and 128 Hz
	}
	return rate - 1, true
}

// updating is UIP: set shortly before the time changes.
func (r *RTC) updating() uint8 {
	if !r.held && (uint64(r.clock.Now())+r.phase)%second >= second-updateTime {
		return uip
	}
	return 0
}

// status is register C.
func (r *RTC) status() uint8 {
	v := r.flags
	if v&r.cmos[regB]&(pf|af|uf) != 0 {
		v |= irqf
	}
	return v
}

// catchUp sets the flags for what has happened since they were looked at.
func (r *RTC) catchUp() {
	now, was := r.clock.Now(), hw.Time(r.seen)
	r.seen = uint64(now)
	if n, ok := r.shift(); ok && r.ticks(uint64(now))>>n != r.ticks(uint64(was))>>n {
		r.flags |= pf
	}
	if r.held {
		return
	}
	from, to := r.seconds(was)+1, r.seconds(now)
	if from > to {
		return
	}
	r.flags |= uf
	// A day holds every time there is.
	for t := max(from, to-86399); t <= to && r.flags&af == 0; t++ {
		if r.alarmAt(t) {
			r.flags |= af
		}
	}
}

// alarmAt compares a second with the alarm, whose bytes may say "any".
func (r *RTC) alarmAt(t int64) bool {
	for i := uint8(seconds); i <= hours; i += 2 {
		if a := r.cmos[i+1]; a&anyAlarm != anyAlarm && a != r.field(i, t) {
			return false
		}
	}
	return true
}

// update drives the output and sets the timer. Whatever changes a register
// ends here.
func (r *RTC) update() {
	r.catchUp()
	r.line.Set(r.status()&irqf != 0)
	r.arm()
}

// arm sets the timer for the next interrupt that is enabled and not yet
// flagged; an alarm is looked for every second.
func (r *RTC) arm() {
	now := uint64(r.clock.Now())
	awaited := r.cmos[regB] &^ r.flags
	var at uint64
	if n, ok := r.shift(); ok && awaited&pie != 0 {
		next := (r.ticks(now)>>n + 1) << n
		hi, lo := bits.Mul64(next, second)
		q, rest := bits.Div64(hi%baseHz, lo, baseHz)
		if rest != 0 {
			q++
		}
		at = q - r.phase
	}
	if !r.held && awaited&(uie|aie) != 0 {
		if next := now + second - (now+r.phase)%second; at == 0 || next < at {
			at = next
		}
	}
	if at == 0 {
		r.timer.Stop()
	} else {
		r.timer.Set(hw.Time(at))
	}
}
