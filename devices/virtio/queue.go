// Package virtio is the device side of virtio: split virtqueues and the PCI
// transport (Virtual I/O Device Version 1.2).
//
// The rings are in guest memory and the guest wrote them: every index, address
// and length is checked where it is used, and every loop has the bound the
// specification gives it.
package virtio

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/gov86/gov86/mem"
	"github.com/gov86/gov86/snapshot"
)

// Feature bits of the transport (Virtio 1.2, "Reserved Feature Bits").
const (
	FeatureIndirectDesc = 1 << 28
	FeatureEventIdx     = 1 << 29
	FeatureVersion1     = 1 << 32
)

// Flags of a descriptor (Virtio 1.2, "The Virtqueue Descriptor Table").
const (
	descNext     = 1 // VIRTQ_DESC_F_NEXT
	descWrite    = 2 // VIRTQ_DESC_F_WRITE
	descIndirect = 4 // VIRTQ_DESC_F_INDIRECT

	descSize    = 16
	noInterrupt = 1 // VIRTQ_AVAIL_F_NO_INTERRUPT

	// chainLimit bounds the bytes of one chain, well above what a queue of the
	// largest size and useful buffers makes.
	chainLimit = 64 << 20
)

// ErrRing is wrapped by what the guest did wrong in a ring.
var ErrRing = errors.New("broken virtqueue")

// queueRegs is all the guest can observe of a queue, and how far it was served.
type queueRegs struct {
	size                 uint16
	enabled              bool
	desc, driver, device uint64
	nextAvail, nextUsed  uint16
	// signalled is nextUsed when the last interrupt was considered.
	signalled uint16
}

func (r *queueRegs) sync(c *snapshot.Codec) {
	c.Uint16("size", &r.size)
	c.Bool("enabled", &r.enabled)
	c.Uint64("desc", &r.desc)
	c.Uint64("driver", &r.driver)
	c.Uint64("device", &r.device)
	c.Uint16("nextAvail", &r.nextAvail)
	c.Uint16("nextUsed", &r.nextUsed)
	c.Uint16("signalled", &r.signalled)
}

// A Queue is one split virtqueue.
type Queue struct {
	queueRegs
	max       uint16
	dma       mem.DMA
	indirect  bool
	eventIdx  bool
	interrupt func()
	broken    func(error)
}

// A span is one buffer of a chain.
type span struct {
	at mem.Addr
	n  uint32
}

// A Chain is a request: buffers the device reads, then buffers it writes. It
// may be used again for the next Pop.
type Chain struct {
	head     uint16
	dma      mem.DMA
	readable []span
	writable []span
	// room is the number of bytes in writable.
	room int
}

// Readable is the number of bytes the device may read.
func (c *Chain) Readable() int { return total(c.readable) }

// Head names the chain to Again.
func (c *Chain) Head() uint16 { return c.head }

// Writable is the number of bytes the device may write.
func (c *Chain) Writable() int { return c.room }

func total(s []span) int {
	n := 0
	for _, b := range s {
		n += int(b.n)
	}
	return n
}

func (q *Queue) read16(at uint64) (uint16, error) {
	var b [2]byte
	err := q.dma.ReadAt(b[:], mem.Addr(at))
	return binary.LittleEndian.Uint16(b[:]), err
}

func (q *Queue) write16(at uint64, v uint16) error {
	var b [2]byte
	binary.LittleEndian.PutUint16(b[:], v)
	return q.dma.WriteAt(b[:], mem.Addr(at))
}

// Pop takes the next request into c. It reports false when there is none, or
// when the ring is broken and the device needs a reset.
func (q *Queue) Pop(c *Chain) bool {
	if !q.enabled {
		return false
	}
	ok, err := q.pop(c)
	if err != nil {
		q.broken(err)
		return false
	}
	return ok
}

func (q *Queue) pop(c *Chain) (bool, error) {
	index, err := q.read16(q.driver + 2)
	if err != nil {
		return false, err
	}
	if index == q.nextAvail {
		if !q.eventIdx {
			return false, nil
		}
		// Ask for a notification of the next one, then look again: it may have
		// come in between.
		if err := q.write16(q.device+4+8*uint64(q.size), q.nextAvail); err != nil {
			return false, err
		}
		if index, err = q.read16(q.driver + 2); err != nil || index == q.nextAvail {
			return false, err
		}
	}
	if index-q.nextAvail > q.size {
		return false, ErrRing
	}
	head, err := q.read16(q.driver + 4 + 2*uint64(q.nextAvail%q.size))
	if err != nil {
		return false, err
	}
	q.nextAvail++
	*c = Chain{head: head, dma: q.dma, readable: c.readable[:0], writable: c.writable[:0]}
	return true, q.gather(c, mem.Addr(q.desc), q.size, head, q.indirect)
}

// Again takes a chain once more that was popped and not pushed, after the state
// was loaded. It reports false when the ring is broken.
func (q *Queue) Again(c *Chain, head uint16) bool {
	*c = Chain{head: head, dma: q.dma, readable: c.readable[:0], writable: c.writable[:0]}
	if err := q.gather(c, mem.Addr(q.desc), q.size, head, q.indirect); err != nil {
		q.broken(err)
		return false
	}
	return true
}

// gather appends the descriptors of a table of n entries from head on. A chain
// has at most the queue's size of them, so a loop ends.
func (q *Queue) gather(c *Chain, table mem.Addr, n, head uint16, indirect bool) error {
	var b [descSize]byte
	for i, count := head, uint16(0); ; count++ {
		if i >= n || count == q.size {
			return ErrRing
		}
		if err := q.dma.ReadAt(b[:], table+mem.Addr(i)*descSize); err != nil {
			return err
		}
		at, size := mem.Addr(binary.LittleEndian.Uint64(b[:])), binary.LittleEndian.Uint32(b[8:])
		flags := binary.LittleEndian.Uint16(b[12:])
		switch {
		case flags&descIndirect != 0:
			entries := size / descSize
			if !indirect || flags&descNext != 0 || size%descSize != 0 || entries == 0 || entries > 1<<15 || len(c.readable)+len(c.writable) > 0 {
				return ErrRing
			}
			return q.gather(c, at, uint16(entries), 0, false)
		case flags&descWrite != 0:
			c.writable = append(c.writable, span{at, size})
			c.room += int(size)
		case len(c.writable) > 0:
			return ErrRing // what is read comes before what is written
		default:
			c.readable = append(c.readable, span{at, size})
		}
		if c.room > chainLimit {
			return ErrRing
		}
		if flags&descNext == 0 {
			return nil
		}
		i = binary.LittleEndian.Uint16(b[14:])
	}
}

// Push gives a chain back with the number of bytes written, and interrupts the
// guest unless it asked not to be.
func (q *Queue) Push(c *Chain, written int) {
	if err := q.push(c.head, uint32(written)); err != nil {
		q.broken(err)
	}
}

func (q *Queue) push(head uint16, written uint32) error {
	var b [8]byte
	binary.LittleEndian.PutUint32(b[:], uint32(head))
	binary.LittleEndian.PutUint32(b[4:], written)
	if err := q.dma.WriteAt(b[:], mem.Addr(q.device+4+8*uint64(q.nextUsed%q.size))); err != nil {
		return err
	}
	q.nextUsed++
	if err := q.write16(q.device+2, q.nextUsed); err != nil {
		return err
	}
	return q.signal()
}

// signal interrupts if the guest wants it (Virtio 1.2, "Used Buffer
// Notification Suppression").
func (q *Queue) signal() error {
	old := q.signalled
	q.signalled = q.nextUsed
	if q.eventIdx {
		event, err := q.read16(q.driver + 4 + 2*uint64(q.size))
		if err == nil && q.nextUsed-event-1 < q.nextUsed-old {
			q.interrupt()
		}
		return err
	}
	flags, err := q.read16(q.driver)
	if err == nil && flags&noInterrupt == 0 {
		q.interrupt()
	}
	return err
}

// A cursor walks the spans of a chain.
type cursor struct {
	dma  mem.DMA
	left []span
	off  uint32 // into the first of left
}

// A Reader reads the readable part of a chain.
type Reader struct{ cursor }

// Reader returns a reader of the readable part.
func (c *Chain) Reader() Reader { return Reader{cursor{dma: c.dma, left: c.readable}} }

// Read implements io.Reader. Memory that is not there is an error.
func (r *Reader) Read(p []byte) (int, error) {
	return r.transfer(p, false)
}

// A Writer writes the writable part of a chain.
type Writer struct{ cursor }

// Writer returns a writer of the writable part.
func (c *Chain) Writer() Writer { return Writer{cursor{dma: c.dma, left: c.writable}} }

// Skip goes n bytes on, leaving them as they are.
func (w *Writer) Skip(n int) {
	for n > 0 && len(w.left) > 0 {
		step := min(n, int(w.left[0].n-w.off))
		n -= step
		if w.off += uint32(step); w.off == w.left[0].n {
			w.left, w.off = w.left[1:], 0
		}
	}
}

// Write implements io.Writer; it is short when the chain is full.
func (w *Writer) Write(p []byte) (int, error) {
	n, err := w.transfer(p, true)
	if err == io.EOF || err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return n, err
}

// transfer moves p between the host and the spans, from where it stopped.
func (c *cursor) transfer(p []byte, write bool) (int, error) {
	done := 0
	for done < len(p) && len(c.left) > 0 {
		s := c.left[0]
		n := min(len(p)-done, int(s.n-c.off))
		if n > 0 {
			var err error
			if at := s.at + mem.Addr(c.off); write {
				err = c.dma.WriteAt(p[done:done+n], at)
			} else {
				err = c.dma.ReadAt(p[done:done+n], at)
			}
			if err != nil {
				return done, err
			}
		}
		done += n
		if c.off += uint32(n); c.off == s.n {
			c.left, c.off = c.left[1:], 0
		}
	}
	if done == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return done, nil
}
