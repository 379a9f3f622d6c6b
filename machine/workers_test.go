package machine

import (
	"testing"
	"time"
)

// TestSlowWorkIsDoneBesideTheMachine has work of one class take long: what
// comes after it does not keep the machine, and the other class is not touched.
func TestSlowWorkIsDoneBesideTheMachine(t *testing.T) {
	in := newInbox()
	w := newWorkers(in.post)
	const slow, other = 1, 2
	w.pace[slow] = time.Second
	gate := make(chan struct{})
	order := ""
	w.Go(slow, func() { <-gate }, func() { order += "slow " })
	w.Go(other, func() {}, func() { order += "other " })
	if order != "other " {
		t.Fatalf("done so far: %q", order)
	}
	close(gate)
	w.Drain()
	if order != "other slow " {
		t.Errorf("done after the drain: %q", order)
	}
	in.run()
	if order != "other slow " {
		t.Errorf("done twice: %q", order)
	}
}

func TestFinishedWorkIsPosted(t *testing.T) {
	in := newInbox()
	w := newWorkers(in.post)
	const class, count = 3, 100
	w.pace[class] = time.Second
	done := 0
	for range count {
		w.Go(class, func() {}, func() { done++ })
	}
	w.Wait(func() {}, func() { done++ })
	for done <= count {
		<-in.wake
		in.run()
	}
}

func TestTheWorkersLearnHowLongWorkTakes(t *testing.T) {
	w := newWorkers(nil)
	w.learn(4, 20*time.Millisecond)
	if w.pace[4] <= quick {
		t.Error("one slow call is not noticed")
	}
	for range 100 {
		w.learn(4, time.Microsecond)
	}
	if w.pace[4] > quick {
		t.Error("quick calls are not noticed")
	}
}

// TestDrainDoesWhatFollows has what follows work give more work away.
func TestDrainDoesWhatFollows(t *testing.T) {
	in := newInbox()
	w := newWorkers(in.post)
	const class = 5
	left := 10
	var next func()
	next = func() {
		if left--; left > 0 {
			w.pace[class] = time.Second
			w.Go(class, func() {}, next)
		}
	}
	w.pace[class] = time.Second
	w.Go(class, func() {}, next)
	w.Drain()
	if left != 0 {
		t.Errorf("%d steps are left", left)
	}
}
