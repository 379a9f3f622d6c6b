package hwtest

import "encoding/binary"

// A Medium is a medium in memory that a test can hold back and make fail.
type Medium struct {
	Data      []byte
	Protected bool
	// Slow keeps requests until Finish.
	Slow bool
	// Err, if not nil, is what requests end with, and nothing is transferred.
	Err error
	// Flushes and Requests count; Unflushed is whether something was written
	// after the latest flush.
	Flushes, Requests int
	Unflushed         bool
	waiting           []func()
}

// NewMedium returns a medium of n bytes in which no two doublewords are the same.
func NewMedium(n int) *Medium {
	m := &Medium{Data: make([]byte, n)}
	for i := 0; i+4 <= n; i += 4 {
		binary.LittleEndian.PutUint32(m.Data[i:], uint32(i)*2654435761)
	}
	return m
}

// Size implements hw.Medium.
func (m *Medium) Size() uint64 { return uint64(len(m.Data)) }

// ReadOnly implements hw.Medium.
func (m *Medium) ReadOnly() bool { return m.Protected }

// Read implements hw.Medium.
func (m *Medium) Read(p []byte, off uint64, done func(error)) {
	m.request(done, func() { copy(p, m.Data[off:off+uint64(len(p))]) })
}

// Write implements hw.Medium.
func (m *Medium) Write(p []byte, off uint64, done func(error)) {
	if m.Protected {
		panic("BUG: a write to a medium that is read-only")
	}
	m.request(done, func() {
		copy(m.Data[off:off+uint64(len(p))], p)
		m.Unflushed = true
	})
}

// Zero implements hw.Medium.
func (m *Medium) Zero(off, n uint64, done func(error)) {
	m.request(done, func() {
		clear(m.Data[off : off+n])
		m.Unflushed = true
	})
}

// Flush implements hw.Medium.
func (m *Medium) Flush(done func(error)) {
	m.request(done, func() {
		m.Flushes++
		m.Unflushed = false
	})
}

func (m *Medium) request(done func(error), work func()) {
	m.Requests++
	finish := func() {
		if m.Err == nil {
			work()
		}
		done(m.Err)
	}
	if m.Slow {
		m.waiting = append(m.waiting, finish)
		return
	}
	finish()
}

// Finish ends the requests that wait, and reports how many there were. What
// they lead to waits in turn.
func (m *Medium) Finish() int {
	work := m.waiting
	m.waiting = nil
	for _, fn := range work {
		fn()
	}
	return len(work)
}
