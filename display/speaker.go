package display

import "sync"

// A Sound is told of what a speaker does: from guest time at on, in nanoseconds,
// its cone swings with hz, or rests in or, high, out. What was told of times after
// at no longer holds.
type Sound interface {
	Tone(at uint64, hz float64, high bool)
}

// A Speaker is a Sound that makes samples for another goroutine.
type Speaker struct {
	mu      sync.Mutex
	changes []tone // that no sample has shown yet
	now     tone
	cursor  uint64 // guest time of the next sample
	phase   float64
	// The last sample before and after the filter that takes out what is constant.
	in, out float64
	started chan struct{}
}

type tone struct {
	at   uint64
	hz   float64
	high bool
}

const (
	maxChanges = 8192
	amplitude  = 6000
	// latency is how far samples follow the guest, and maxLag how far at most, in
	// nanoseconds.
	latency = 40_000_000
	maxLag  = 1_000_000_000
)

// Tone implements Sound.
func (s *Speaker) Tone(at uint64, hz float64, high bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n := len(s.changes); n > 0 && s.changes[n-1].at >= at; n-- {
		s.changes = s.changes[:n-1]
	}
	if len(s.changes) == maxChanges {
		return // nobody listens
	}
	s.changes = append(s.changes, tone{at, hz, high})
	select {
	case s.start() <- struct{}{}:
	default:
	}
}

func (s *Speaker) start() chan struct{} {
	if s.started == nil {
		s.started = make(chan struct{}, 1)
	}
	return s.started
}

// Started has a value when there may be something to hear.
func (s *Speaker) Started() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.start()
}

// follow skips silence, and what nobody was there to hear.
func (s *Speaker) follow() {
	n := len(s.changes)
	if n == 0 {
		return
	}
	first, last := s.changes[0].at, s.changes[n-1].at
	silent := s.now.hz == 0 && first > s.cursor+latency
	switch {
	case silent || s.cursor > first+maxLag:
		s.cursor = first - min(first, latency)
	case last > s.cursor+maxLag:
		s.cursor = last - latency
	}
}

// Samples fills p with the next samples at a rate. It reports whether there is
// anything to hear.
func (s *Speaker) Samples(p []int16, rate int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.follow()
	heard := false
	for i := range p {
		for len(s.changes) > 0 && s.changes[0].at <= s.cursor {
			s.now = s.changes[0]
			s.changes = s.changes[1:]
		}
		x := 0.0
		switch {
		case s.now.hz > 0:
			s.phase += s.now.hz / float64(rate)
			s.phase -= float64(int(s.phase))
			if s.phase < 0.5 {
				x = amplitude
			}
		case s.now.high:
			x = amplitude
		}
		s.out = x - s.in + 0.995*s.out
		s.in = x
		p[i] = int16(s.out)
		heard = heard || p[i] != 0
		s.cursor += 1_000_000_000 / uint64(rate)
	}
	return heard || len(s.changes) > 0
}
