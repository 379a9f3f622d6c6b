package machine

import (
	"sync"
	"time"
)

// quick is how long the machine goroutine does work itself: to hand it over and
// to interrupt the guest for its end takes as long as that.
const quick = 200 * time.Microsecond

// workers are the host beside the machine: what a device would have to wait
// for is done on goroutines of theirs, and what is to be done afterwards by the
// machine's. Work that has been quick lately is done at once, by the machine's.
//
// All methods but finish are the machine goroutine's to call.
type workers struct {
	post func(func())

	mu       sync.Mutex
	idle     *sync.Cond // signalled when something is finished
	running  int
	finished []func()
	// pace is about how long work of each class took lately.
	pace [256]time.Duration
}

func newWorkers(post func(func())) *workers {
	w := &workers{post: post}
	w.idle = sync.NewCond(&w.mu)
	return w
}

// Go implements v86fs.Host.
func (w *workers) Go(class uint8, work, done func()) {
	w.mu.Lock()
	itself := w.pace[class] <= quick
	if !itself {
		w.running++
	}
	w.mu.Unlock()
	if itself {
		start := time.Now()
		work()
		w.learn(class, time.Since(start))
		done()
		return
	}
	go func() {
		start := time.Now()
		work()
		w.learn(class, time.Since(start))
		w.finish(done)
	}()
}

// learn notes how long work of a class took. One slow call is enough to have
// the next ones done elsewhere, and some quick ones to bring them back.
func (w *workers) learn(class uint8, took time.Duration) {
	const weight = 8
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pace[class] += (min(took, time.Second) - w.pace[class]) / weight
}

// finish notes, on a worker, that work is done.
func (w *workers) finish(done func()) {
	w.mu.Lock()
	w.running--
	w.finished = append(w.finished, done)
	first := len(w.finished) == 1
	w.idle.Signal()
	w.mu.Unlock()
	if first {
		w.post(w.collect)
	}
}

// collect does what is to be done after work that is done.
func (w *workers) collect() {
	w.mu.Lock()
	all := w.finished
	w.finished = nil
	w.mu.Unlock()
	for _, done := range all {
		done()
	}
}

// Wait implements v86fs.Host.
func (w *workers) Wait(work, done func()) {
	go func() {
		work()
		w.post(done)
	}()
}

// Drain implements v86fs.Host.
func (w *workers) Drain() {
	for {
		w.mu.Lock()
		for w.running > 0 && len(w.finished) == 0 {
			w.idle.Wait()
		}
		ended := len(w.finished) == 0
		w.mu.Unlock()
		if ended {
			return
		}
		w.collect()
	}
}
