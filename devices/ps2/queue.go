package ps2

import (
	"fmt"

	"github.com/gov86/gov86/snapshot"
)

// bufferSize is how many bytes a device keeps for the controller.
const bufferSize = 16

// A queue is bytes on their way to the controller, with room for an overrun
// code behind a full buffer.
type queue struct {
	b [bufferSize + 1]uint8
	n uint8
}

func (q *queue) sync(name string, c *snapshot.Codec) {
	c.Uint8s(name, q.b[:])
	c.Uint8(name+" length", &q.n)
}

func (q *queue) validate() error {
	if int(q.n) > len(q.b) {
		return fmt.Errorf("queue of %d: %w", q.n, snapshot.ErrCorrupt)
	}
	return nil
}

// room is how many more bytes the buffer holds.
func (q *queue) room() int { return max(bufferSize-int(q.n), 0) }

// put appends all of p, or nothing and reports false.
func (q *queue) put(p ...uint8) bool {
	if len(p) > q.room() {
		return false
	}
	q.n += uint8(copy(q.b[q.n:], p))
	return true
}

// overrun marks the end of a full buffer, once.
func (q *queue) overrun(code uint8) {
	if int(q.n) < len(q.b) && (q.n == 0 || q.b[q.n-1] != code) {
		q.b[q.n] = code
		q.n++
	}
}

// take removes the first byte of a queue that is not empty.
func (q *queue) take() uint8 {
	b := q.b[0]
	copy(q.b[:], q.b[1:q.n])
	q.n--
	return b
}
