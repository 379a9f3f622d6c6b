package pit

import (
	"github.com/gov86/gov86/hw"
	portio "github.com/gov86/gov86/io"
)

// SetGate2 drives the gate of counter 2.
func (p *PIT) SetGate2(on bool) {
	c := &p.counters[2]
	if c.gate == on {
		return
	}
	now := p.clock.Now()
	if !on {
		c.paused = c.elapsed(now)
		c.gate = false
		return
	}
	c.gate = true
	switch {
	case !c.loaded:
	case c.mode == 0 || c.mode == 4: // counting goes on
		c.start = uint64(now) - nanoseconds(c.paused)
	default: // a rising edge starts anew
		c.start, c.running = uint64(now), true
	}
}

// Out2 is the output of counter 2.
func (p *PIT) Out2() bool { return p.counters[2].output(p.clock.Now()) }

// Speaker reports whether port 61h lets counter 2 through to the speaker.
func (p *PIT) Speaker() bool { return p.speaker }

// Port61 answers port 61h: gate of counter 2, speaker, its output, and a bit
// that follows the refresh of memory, every 15 microseconds or so.
func (p *PIT) Port61() portio.Handler { return &port61{p} }

type port61 struct{ p *PIT }

const refreshNs = 15_085

func (h *port61) In(uint16, portio.Width) uint32 {
	p := h.p
	var v uint32
	if p.counters[2].gate {
		v |= 1
	}
	if p.speaker {
		v |= 2
	}
	if uint64(p.clock.Now())/refreshNs&1 != 0 {
		v |= 1 << 4
	}
	if p.Out2() {
		v |= 1 << 5
	}
	return v
}

func (h *port61) Out(_ uint16, _ portio.Width, v uint32) {
	h.p.speaker = v&2 != 0
	h.p.SetGate2(v&1 != 0)
	h.p.tell()
}

// SetSound has fn told what the speaker does, by which guest time: it swings with
// hz, or rests, high or low.
func (p *PIT) SetSound(fn func(at hw.Time, hz float64, high bool)) {
	p.sound = fn
	p.tell()
}

// audible is the highest frequency that is told as one. Above it a program uses
// the counter for something else.
const audible = 20_000

// tell tells what the speaker does from now on.
func (p *PIT) tell() {
	if p.sound == nil {
		return
	}
	now := p.clock.Now()
	c := &p.counters[2]
	hz := 0.0
	if c.running && c.gate && c.mode == 3 {
		hz = Hz / float64(c.modulus())
	}
	switch {
	case !p.speaker:
		p.sound(now, 0, false)
	case hz > 0 && hz <= audible:
		p.sound(now, hz, true)
	case c.mode == 0 && c.running && c.gate && !c.output(now): // a pulse, as speech is made of
		p.sound(now, 0, false)
		p.sound(hw.Time(c.start+nanoseconds(c.modulus())), 0, true)
	default:
		p.sound(now, 0, c.output(now))
	}
}
