package v86fs

import (
	"math/bits"
	"time"

	"github.com/gov86/gov86/devices/v86fs/wire"
)

const (
	// slow is how long the host may take for a request before the user is told,
	// which happens once in slowPause at most.
	slow      = 2 * time.Second
	slowPause = 30 * time.Second

	// finest is how many intervals of equal length an octave of a histogram has.
	finest = 4
)

// A Latency is how long requests of one type took, from when the device took them
// to their answers.
type Latency struct {
	Count      uint64
	Total, Max time.Duration
	times      [64 * finest]uint64
}

// add counts a request.
func (l *Latency) add(took time.Duration) {
	l.Count++
	l.Total += took
	l.Max = max(l.Max, took)
	l.times[interval(took)]++
}

// interval is the number of the interval that a duration is in: its highest bit,
// and the two below.
func interval(d time.Duration) int {
	ns := uint64(max(d, finest))
	octave := bits.Len64(ns) - 1
	return octave*finest + int(ns>>(octave-2)&(finest-1))
}

// Within is a time that the given part of the requests, 0 to 1, did not exceed. It
// is at most a quarter too long.
func (l *Latency) Within(part float64) time.Duration {
	want := uint64(part*float64(l.Count) + 0.999999)
	for i, n := range l.times {
		if n >= want {
			octave, step := i/finest, i%finest
			return min(time.Duration(finest+step+1)<<(octave-2), l.Max)
		}
		want -= n
	}
	return l.Max
}

// Latencies are those of the requests answered so far, by the name of their type.
// They are for reading only.
func (d *Device) Latencies() map[string]*Latency {
	m := map[string]*Latency{}
	for t, l := range d.latencies {
		if l != nil {
			m[wire.Type(t).String()] = l
		}
	}
	return m
}

// measure counts a request that is answered, and warns of a host that is slow.
func (d *Device) measure(t wire.Type, x *Export, began time.Time) time.Duration {
	took := time.Since(began)
	if d.latencies[t] == nil {
		d.latencies[t] = &Latency{}
	}
	d.latencies[t].add(took)
	// A lock waits for other processes, not for the host.
	if took < slow || t == wire.Setlk || x == nil || time.Since(d.warned) < slowPause {
		return took
	}
	d.warned = time.Now()
	d.log.Warn("the host is slow with a shared directory", "export", x.Name, "request", t, "took", took.Round(time.Millisecond))
	return took
}
