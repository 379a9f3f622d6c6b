package display

import "testing"

// crossings is how often samples change their sign.
func crossings(p []int16) (n int) {
	for i := 1; i < len(p); i++ {
		if (p[i-1] < 0) != (p[i] < 0) {
			n++
		}
	}
	return n
}

func TestASpeakerSwingsAsItIsTold(t *testing.T) {
	const rate = 48000
	var s Speaker
	quiet := make([]int16, 480)
	if s.Samples(quiet, rate) {
		t.Error("something to hear before anything was told")
	}
	const begin = 5_000_000_000
	s.Tone(begin, 1000, false)
	s.Tone(begin+500_000_000, 0, false)
	all := make([]int16, 0, rate)
	for range 100 {
		p := make([]int16, 480) // 10 ms
		s.Samples(p, rate)
		all = append(all, p...)
	}
	if n := crossings(all); n < 980 || n > 1020 {
		t.Errorf("half a second of 1 kHz changes its sign %d times, want about 1000", n)
	}
	if s.Samples(quiet, rate) {
		t.Error("something to hear after the end")
	}
}

func TestASpeakerNobodyHearsKeepsLittle(t *testing.T) {
	var s Speaker
	for i := range uint64(10 * maxChanges) {
		s.Tone(i, 0, i&1 != 0)
	}
	if n := len(s.changes); n > maxChanges {
		t.Errorf("%d changes are kept", n)
	}
}

func TestALaterWordReplacesWhatWasToCome(t *testing.T) {
	var s Speaker
	s.Tone(10, 0, false)
	s.Tone(50, 0, true)
	s.Tone(20, 440, false)
	if len(s.changes) != 2 || s.changes[1].hz != 440 {
		t.Errorf("%+v", s.changes)
	}
}
