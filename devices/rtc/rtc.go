// Package rtc is the MC146818A real-time clock with 128 bytes of CMOS memory
// at ports 70h and 71h (Motorola MC146818A data sheet).
//
// The time of day is derived from guest time; what is stored is how far it
// differs. Not modelled: the time base other than 32.768 kHz, and daylight
// saving.
package rtc

import (
	"fmt"

	"github.com/gov86/gov86/hw"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/snapshot"
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
)

// The update takes 1984 microseconds at 32.768 kHz, and UIP warns 244 before.
const updateTime = (244 + 1984) * hw.Microsecond

// regs is all the guest can observe.
type regs struct {
	index uint8 // with the NMI mask in bit 7
	cmos  [size]uint8
	flags uint8 // register C without IRQF
	// offset is added to guest time for the seconds since 1970 shown, in
	// nanoseconds; frozen is what is shown while SET or the divider hold it.
	offset uint64
	held   bool
	frozen uint64
	// next are the guest times of the next periodic and update interrupts.
	nextPeriodic, nextUpdate uint64
}

func (r *regs) sync(s *snapshot.Codec) {
	s.Version(1)
	s.Uint8("index", &r.index)
	s.Uint8s("cmos", r.cmos[:])
	s.Uint8("flags", &r.flags)
	s.Uint64("offset", &r.offset)
	s.Bool("held", &r.held)
	s.Uint64("frozen", &r.frozen)
	s.Uint64("nextPeriodic", &r.nextPeriodic)
	s.Uint64("nextUpdate", &r.nextUpdate)
}

// An RTC is the chip. Its interrupt output drives line.
type RTC struct {
	clock    hw.Clock
	line     hw.Line
	periodic hw.Timer
	update   hw.Timer
	base     int64
	regs
}

// New returns an RTC that shows base, in seconds since 1970 UTC, at power-on.
func New(clock hw.Clock, line hw.Line, base int64) *RTC {
	r := &RTC{clock: clock, line: line, base: base}
	r.periodic = clock.NewTimer("rtc periodic", r.tick)
	r.update = clock.NewTimer("rtc update", r.updated)
	r.cmos[regA] = 0x26
	r.cmos[regB] = hours24
	r.cmos[regD] = valid
	r.offset = uint64(base) * uint64(hw.Second)
	return r
}

// Reset implements hw.Device: the RESET pin clears interrupt enables and
// flags. Time and memory live on the battery.
func (r *RTC) Reset() {
	r.cmos[regB] &^= pie | aie | uie
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
	if next.flags&^(pf|af|uf) != 0 {
		return fmt.Errorf("flags %#x: %w", next.flags, snapshot.ErrCorrupt)
	}
	r.regs = next
	if next.cmos[regB]&pie != 0 && next.nextPeriodic != 0 {
		r.periodic.Set(hw.Time(next.nextPeriodic))
	}
	if next.nextUpdate != 0 {
		r.update.Set(hw.Time(next.nextUpdate))
	}
	return nil
}

// SetCMOS stores a byte of the memory beyond the registers, as firmware does.
func (r *RTC) SetCMOS(index, v uint8) { r.cmos[index&(size-1)] = v }

// NMIMasked reports whether port 70h masks the NMI.
func (r *RTC) NMIMasked() bool { return r.index&0x80 != 0 }

// shown is the time shown, in nanoseconds since 1970.
func (r *RTC) shown() uint64 {
	if r.held {
		return r.frozen
	}
	return uint64(r.clock.Now()) + r.offset
}

// hold stops or starts the clock.
func (r *RTC) hold(held bool) {
	switch {
	case held && !r.held:
		r.frozen = r.shown()
	case !held && r.held:
		r.offset = r.frozen - uint64(r.clock.Now())
	}
	r.held = held
}

// In implements portio.Handler for ports 70h and 71h.
func (r *RTC) In(off uint16, _ portio.Width) uint32 {
	if off == 0 {
		return 0xff // the index cannot be read back
	}
	i := r.index & (size - 1)
	switch {
	case i == regA:
		return uint32(r.cmos[regA] | r.updating())
	case i == regC:
		v := r.status()
		r.flags = 0
		r.interrupt()
		return uint32(v)
	case i <= year && i != secondsAlarm && i != minutesAlarm && i != hoursAlarm:
		return uint32(r.field(i))
	case i == Century:
		return uint32(toBCD(uint8(civil(int64(r.shown()/uint64(hw.Second))).year / 100)))
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
	i := r.index & (size - 1)
	switch {
	case i == regA:
		r.cmos[regA] = b &^ uip
		r.arm()
	case i == regB:
		r.cmos[regB] = b
		if b&setBit != 0 {
			r.cmos[regB] &^= uie
		}
		r.arm()
		r.interrupt()
	case i == regC, i == regD:
	case i <= year && i != secondsAlarm && i != minutesAlarm && i != hoursAlarm, i == Century:
		r.setField(i, b)
	default:
		r.cmos[i] = b
	}
}

// updating is UIP: set shortly before the time changes.
func (r *RTC) updating() uint8 {
	if !r.held && uint64(hw.Second)-r.shown()%uint64(hw.Second) <= uint64(updateTime) {
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

// interrupt drives the output. Whatever changes registers B or C ends here.
func (r *RTC) interrupt() { r.line.Set(r.status()&irqf != 0) }

// arm follows registers A and B with the timers.
func (r *RTC) arm() {
	r.hold(r.cmos[regB]&setBit != 0 || r.cmos[regA]&divider >= 0x60)
	now := uint64(r.clock.Now())
	r.nextPeriodic = 0
	if p := r.period(); p != 0 && r.cmos[regB]&pie != 0 {
		r.nextPeriodic = now + p
		r.periodic.Set(hw.Time(r.nextPeriodic))
	} else {
		r.periodic.Stop()
	}
	r.nextUpdate = 0
	if !r.held && r.cmos[regB]&(uie|aie) != 0 {
		r.nextUpdate = now + uint64(hw.Second) - r.shown()%uint64(hw.Second)
		r.update.Set(hw.Time(r.nextUpdate))
	} else {
		r.update.Stop()
	}
}

// period is that of the periodic interrupt in nanoseconds, 0 for none.
func (r *RTC) period() uint64 {
	rate := r.cmos[regA] & 15
	if rate == 0 || r.cmos[regA]&divider >= 0x60 {
		return 0
	}
	if rate <= 2 {
		rate += 7 // 256 and 128 Hz
	}
	return uint64(hw.Second) << (rate - 1) / 32768
}

func (r *RTC) tick(now hw.Time) {
	r.flags |= pf
	r.interrupt()
	if p := r.period(); p != 0 {
		r.nextPeriodic += p
		if r.nextPeriodic <= uint64(now) {
			r.nextPeriodic = uint64(now) + p
		}
		r.periodic.Set(hw.Time(r.nextPeriodic))
	}
}

func (r *RTC) updated(now hw.Time) {
	r.flags |= uf
	if r.alarmMatches() {
		r.flags |= af
	}
	r.interrupt()
	r.nextUpdate = uint64(now) + uint64(hw.Second) - r.shown()%uint64(hw.Second)
	r.update.Set(hw.Time(r.nextUpdate))
}

// alarmMatches compares the alarm, whose bytes may say "any".
func (r *RTC) alarmMatches() bool {
	for _, i := range []uint8{seconds, minutes, hours} {
		if a := r.cmos[i+1]; a&anyAlarm != anyAlarm && a != r.field(i) {
			return false
		}
	}
	return true
}
