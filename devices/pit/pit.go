// Package pit is the 8254 programmable interval timer as a PC wires it, with
// the parts of port 61h that belong to it (Intel 8254 data sheet).
//
// Nothing ticks: a counter's value and output follow from guest time and the
// moment it was loaded. Only counter 0's output, which interrupts, has a timer.
// Not modelled: the one-clock delay between a write and the load of the
// counting element.
package pit

import (
	"fmt"
	"math/bits"

	"github.com/gov86/gov86/hw"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/trace"
)

// Hz is the frequency of the counters' clock.
const Hz = 1_193_182

// Access modes, the RW field of a control word.
const (
	latchCommand = 0
	lowByte      = 1
	highByte     = 2
	bothBytes    = 3
)

// counter is one of the three.
type counter struct {
	mode    uint8 // 0 to 5
	access  uint8
	bcd     bool
	gate    bool
	loaded  bool  // a count was written since the control word
	running bool  // counting has begun
	second  bool  // the next byte written is the high one
	high    bool  // the next byte read is the high one
	low     uint8 // the low byte written
	reload  uint16
	start   uint64 // guest time of the load, ns
	paused  uint64 // clocks that had passed when the gate went low
	latched bool
	latch   uint16
	status  uint8 // latched status
	hasStat bool
}

func (c *counter) sync(s *snapshot.Codec) {
	s.Uint8("mode", &c.mode)
	s.Uint8("access", &c.access)
	s.Bool("bcd", &c.bcd)
	s.Bool("gate", &c.gate)
	s.Bool("loaded", &c.loaded)
	s.Bool("running", &c.running)
	s.Bool("second", &c.second)
	s.Bool("high", &c.high)
	s.Uint8("low", &c.low)
	s.Uint16("reload", &c.reload)
	s.Uint64("start", &c.start)
	s.Uint64("paused", &c.paused)
	s.Bool("latched", &c.latched)
	s.Uint16("latch", &c.latch)
	s.Uint8("status", &c.status)
	s.Bool("hasStat", &c.hasStat)
}

// regs is all the guest can observe.
type regs struct {
	counters [3]counter
	speaker  bool // port 61h bit 1
}

func (r *regs) sync(s *snapshot.Codec) {
	s.Version(1)
	for i := range r.counters {
		r.counters[i].sync(s)
	}
	s.Bool("speaker", &r.speaker)
}

// A PIT is the chip. Counter 0 drives out0.
type PIT struct {
	clock hw.Clock
	out0  hw.Line
	timer hw.Timer
	due   hw.Time // what the timer is set to
	sound func(at hw.Time, hz float64, high bool)
	regs
}

// New returns a PIT whose counter 0 drives out0.
func New(clock hw.Clock, out0 hw.Line) *PIT {
	p := &PIT{clock: clock, out0: out0}
	p.timer = clock.NewTimer("pit", func(hw.Time) {
		p.settle()
		p.update()
	})
	p.Reset()
	return p
}

// Reset implements hw.Device. The chip itself has no reset: its state is
// undefined until programmed, and this is a quiet one.
func (p *PIT) Reset() {
	p.regs = regs{}
	for i := range p.counters {
		p.counters[i] = counter{access: bothBytes, mode: 3, gate: i < 2}
	}
	p.due = 0
	p.timer.Stop()
}

// Save implements hw.Device.
func (p *PIT) Save(s *snapshot.Codec) { p.regs.sync(s) }

// Load implements hw.Device.
func (p *PIT) Load(s *snapshot.Codec) error {
	var next regs
	next.sync(s)
	if _, err := s.Close(); err != nil {
		return err
	}
	for i := range next.counters {
		c := &next.counters[i]
		if c.mode > 5 || c.access == latchCommand || c.access > bothBytes || c.start > uint64(p.clock.Now()) {
			return fmt.Errorf("counter %d: %w", i, snapshot.ErrCorrupt)
		}
	}
	p.regs = next
	p.arm(p.clock.Now())
	return nil
}

// clocks is how many clocks pass in ns nanoseconds.
func clocks(ns uint64) uint64 {
	hi, lo := bits.Mul64(ns, Hz)
	q, _ := bits.Div64(hi%1e9, lo, 1e9)
	return q
}

// nanoseconds is when, after a load, n clocks have passed.
func nanoseconds(n uint64) uint64 {
	hi, lo := bits.Mul64(n, 1e9)
	lo, carry := bits.Add64(lo, Hz-1, 0)
	q, _ := bits.Div64((hi+carry)%Hz, lo, Hz)
	return q
}

// modulus is the number of counts, where a count of 0 is the largest.
func (c *counter) modulus() uint64 {
	switch {
	case c.reload != 0 && c.bcd:
		return uint64(fromBCD(c.reload))
	case c.reload != 0:
		return uint64(c.reload)
	case c.bcd:
		return 10000
	}
	return 0x10000
}

func fromBCD(v uint16) uint16 { return v>>12*1000 + v>>8&15*100 + v>>4&15*10 + v&15 }
func toBCD(v uint16) uint16 {
	return v/1000%10<<12 | v/100%10<<8 | v/10%10<<4 | v%10
}

// elapsed is how many clocks have counted since the load.
func (c *counter) elapsed(now hw.Time) uint64 {
	if !c.running {
		return 0
	}
	if !c.gate && c.mode != 1 && c.mode != 5 {
		return c.paused
	}
	return clocks(uint64(now) - c.start)
}

// value is the counting element now.
func (c *counter) value(now hw.Time) uint16 {
	n, t := c.modulus(), c.elapsed(now)
	var v uint64
	switch c.mode {
	case 2:
		v = n - t%n
	case 3:
		// Square wave: it counts by two, through the count twice a period.
		half := (n + 1) / 2
		if t %= n; t >= half {
			t -= half
		}
		v = n&^1 - 2*t
	default:
		// The one-shot modes count on through zero.
		wrap := uint64(0x10000)
		if c.bcd {
			wrap = 10000
		}
		v = (n + wrap - t%wrap) % wrap
	}
	if c.bcd {
		return toBCD(uint16(v % 10000))
	}
	return uint16(v)
}

// output is the OUT pin now.
func (c *counter) output(now hw.Time) bool {
	n, t := c.modulus(), c.elapsed(now)
	switch c.mode {
	case 0:
		return c.running && t >= n
	case 1:
		return !c.running || t >= n
	case 2:
		return !c.running || !c.gate || t%n != n-1
	case 3:
		return !c.running || !c.gate || t%n < (n+1)/2
	}
	return !c.running || t != n // strobes: low for one clock at the end
}

// next is after how many clocks from the load the output changes next, if ever.
func (c *counter) next(now hw.Time) (uint64, bool) {
	if !c.running || !c.gate && c.mode != 1 && c.mode != 5 {
		return 0, false
	}
	n, t := c.modulus(), c.elapsed(now)
	period := t - t%n
	switch c.mode {
	case 0, 1:
		return n, t < n
	case 2:
		if t%n == n-1 {
			return period + n, true
		}
		return period + n - 1, true
	case 3:
		if half := (n + 1) / 2; t%n < half {
			return period + half, true
		}
		return period + n, true
	}
	if t < n {
		return n, true
	}
	return n + 1, t == n
}

// settle makes up for a change of output that was due and was not made: a timer
// may fire late, or the guest come first. The output is once what it was then,
// or the edge of a pulse of one clock would be lost.
func (p *PIT) settle() {
	if p.due != 0 && p.due <= p.clock.Now() {
		if trace.On(trace.PIT) {
			trace.Emit(trace.PIT, "output changes", uint64(p.due), uint64(p.clock.Now()))
		}
		p.out0.Set(p.counters[0].output(p.due))
		p.out0.Set(p.counters[0].output(p.clock.Now()))
		p.due = 0
	}
}

// update drives counter 0's output and sets the timer for its next change.
func (p *PIT) update() {
	// One reading of the clock decides both: between two the output may change.
	now := p.clock.Now()
	p.out0.Set(p.counters[0].output(now))
	p.arm(now)
}

func (p *PIT) arm(now hw.Time) {
	c := &p.counters[0]
	if n, ok := c.next(now); ok {
		p.due = hw.Time(c.start + nanoseconds(n))
		p.timer.Set(p.due)
	} else {
		p.due = 0
		p.timer.Stop()
	}
}

// In implements portio.Handler for ports 40h to 43h.
func (p *PIT) In(off uint16, _ portio.Width) uint32 {
	if off > 2 {
		return 0xff
	}
	c := &p.counters[off]
	if c.hasStat {
		c.hasStat = false
		return uint32(c.status)
	}
	v := c.latch
	if !c.latched {
		v = c.value(p.clock.Now())
	}
	high := c.access == highByte || c.access == bothBytes && c.high
	if c.access == bothBytes {
		c.high = !c.high
	}
	if c.access != bothBytes || !c.high {
		c.latched = false
	}
	if high {
		v >>= 8
	}
	return uint32(v & 0xff)
}

// Out implements portio.Handler.
func (p *PIT) Out(off uint16, _ portio.Width, v uint32) {
	p.settle()
	b := uint8(v)
	if off > 2 {
		p.control(b)
	} else {
		p.write(&p.counters[off], b)
	}
	p.update()
	if off >= 2 {
		p.tell()
	}
}

// write is a byte of a count.
func (p *PIT) write(c *counter, b uint8) {
	switch {
	case c.access == lowByte:
		p.load(c, uint16(b))
	case c.access == highByte:
		p.load(c, uint16(b)<<8)
	case !c.second:
		c.low, c.second = b, true
		if c.mode == 0 {
			c.running = false // the first byte stops the counting
		}
	default:
		c.second = false
		p.load(c, uint16(b)<<8|uint16(c.low))
	}
}

// load starts counting from v, but in the modes that a trigger starts. In modes
// 2 and 3 the real chip ends the period at hand first; here it is cut short.
func (p *PIT) load(c *counter, v uint16) {
	if trace.On(trace.PIT) {
		trace.Emit(trace.PIT, "load", uint64(c.mode), uint64(v), uint64(p.clock.Now()))
	}
	c.reload, c.loaded = v, true
	if c.mode != 1 && c.mode != 5 {
		c.start, c.paused, c.running = uint64(p.clock.Now()), 0, true
	}
}

// control is the control word: a counter's mode, a latch, or a read-back.
func (p *PIT) control(v uint8) {
	now := p.clock.Now()
	if v>>6 == 3 {
		for i := range p.counters {
			if v>>(i+1)&1 != 0 {
				p.counters[i].readBack(v, now)
			}
		}
		return
	}
	c := &p.counters[v>>6]
	if v>>4&3 == latchCommand {
		c.hold(now)
		return
	}
	mode := v >> 1 & 7
	if mode > 5 {
		mode -= 4
	}
	*c = counter{mode: mode, access: v >> 4 & 3, bcd: v&1 != 0, gate: c.gate, reload: c.reload}
}

// hold latches the count, once until it is read.
func (c *counter) hold(now hw.Time) {
	if !c.latched {
		c.latch, c.latched = c.value(now), true
	}
}

// readBack latches count and status as a read-back command with word v asks.
func (c *counter) readBack(v uint8, now hw.Time) {
	if v&(1<<5) == 0 {
		c.hold(now)
	}
	if v&(1<<4) != 0 || c.hasStat {
		return
	}
	c.status = c.access<<4 | c.mode<<1
	if c.bcd {
		c.status |= 1
	}
	if !c.loaded {
		c.status |= 1 << 6
	}
	if c.output(now) {
		c.status |= 1 << 7
	}
	c.hasStat = true
}
