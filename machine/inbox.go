package machine

import (
	"sync"
	"sync/atomic"
)

// An inbox is how the rest of the world speaks to the machine goroutine: a
// list of functions it runs between blocks, and a way to wake it.
type inbox struct {
	mu    sync.Mutex
	work  []func()
	spare []func()
	full  atomic.Bool
	wake  chan struct{}
}

func newInbox() *inbox { return &inbox{wake: make(chan struct{}, 1)} }

// post adds fn and wakes the machine.
func (b *inbox) post(fn func()) {
	b.mu.Lock()
	b.work = append(b.work, fn)
	b.mu.Unlock()
	b.full.Store(true)
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// run runs what was posted. The flag is cleared before the work is taken: what
// is posted in between is seen next time.
func (b *inbox) run() {
	for b.full.Swap(false) {
		b.mu.Lock()
		work := b.work
		b.work = b.spare[:0]
		b.mu.Unlock()
		for i, fn := range work {
			fn()
			work[i] = nil
		}
		b.spare = work
	}
}
