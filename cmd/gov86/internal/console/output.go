// Package console carries the guest's serial console to a file and watches
// what passes: a text that was waited for, a kernel's panic.
package console

import (
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// outputSize is how far the guest may be ahead of whoever reads its console.
const outputSize = 4096

// An Output carries bytes to a writer on a goroutine of its own, so that a
// slow reader never holds up the machine: a full Output is a transmitter that
// is still busy.
type Output struct {
	queue   chan byte
	stop    chan struct{}
	stopped chan struct{}
	once    sync.Once
	refused atomic.Bool
	room    func()
	failed  func(error)
}

// NewOutput returns an Output to w. After Put has refused a byte, room is
// called once there is room again; when a write fails, failed is called once
// and everything after that is dropped. Both are called on the Output's
// goroutine.
func NewOutput(w io.Writer, room func(), failed func(error)) *Output {
	o := &Output{
		queue:   make(chan byte, outputSize),
		stop:    make(chan struct{}),
		stopped: make(chan struct{}),
		room:    room,
		failed:  failed,
	}
	go o.run(w)
	return o
}

// Put takes one byte, or refuses it because the Output is full. It does not block.
func (o *Output) Put(b byte) bool {
	select {
	case o.queue <- b:
		return true
	default:
		o.refused.Store(true)
		return false
	}
}

// Close waits until what was put is written, but no longer than grace: nobody
// may be reading.
func (o *Output) Close(grace time.Duration) {
	o.once.Do(func() { close(o.stop) })
	select {
	case <-o.stopped:
	case <-time.After(grace):
	}
}

func (o *Output) run(w io.Writer) {
	defer close(o.stopped)
	buf := make([]byte, 0, outputSize)
	for more := true; more; {
		buf, more = o.collect(buf[:0])
		if len(buf) == 0 {
			continue
		}
		if _, err := w.Write(buf); err != nil {
			o.failed(err)
			w = io.Discard
		}
		if o.refused.Swap(false) {
			o.room()
		}
	}
}

// collect waits for a byte and appends it and all that follow at once. It
// reports whether there may be more.
func (o *Output) collect(buf []byte) ([]byte, bool) {
	select {
	case b := <-o.queue:
		buf = append(buf, b)
	case <-o.stop:
		return o.drain(buf), false
	}
	return o.drain(buf), true
}

func (o *Output) drain(buf []byte) []byte {
	for len(buf) < cap(buf) {
		select {
		case b := <-o.queue:
			buf = append(buf, b)
		default:
			return buf
		}
	}
	return buf
}
