package machine

import (
	"sync"
	"testing"
)

func TestInboxLosesNothingAndKeepsTheOrderOfEachSender(t *testing.T) {
	const senders, each = 8, 2000
	b := newInbox()
	var next [senders]int
	var wait sync.WaitGroup
	for s := range senders {
		wait.Go(func() {
			for i := range each {
				b.post(func() {
					if next[s] != i {
						t.Errorf("number %d of sender %d came when %d was next", i, s, next[s])
					}
					next[s]++
				})
			}
		})
	}
	done := make(chan struct{})
	go func() { wait.Wait(); close(done) }()
	for finished := false; !finished; {
		select {
		case <-b.wake:
		case <-done:
			finished = true
		}
		b.run()
	}
	for s, n := range next {
		if n != each {
			t.Errorf("%d of %d from sender %d", n, each, s)
		}
	}
}

func TestInboxRunsWhatItsWorkPosts(t *testing.T) {
	b := newInbox()
	depth := 0
	var again func()
	again = func() {
		if depth++; depth < 5 {
			b.post(again)
		}
	}
	b.post(again)
	b.run()
	if depth != 5 {
		t.Errorf("%d of 5 were run", depth)
	}
}

func TestInboxWakesWhoSleepsAfterThePost(t *testing.T) {
	b := newInbox()
	b.post(func() {})
	select {
	case <-b.wake:
	default:
		t.Error("no wake-up was kept")
	}
}
