package mem

import (
	"fmt"
	"math/bits"

	"github.com/gov86/gov86/hw"
	"github.com/gov86/gov86/snapshot"
)

// A Bank is memory that belongs to a device, such as a frame buffer. It knows
// which of its pages were written since the device last asked.
//
// Mapped into a space, it is as fast as RAM: the first write to a page after
// Harvest goes through the space, which notes it, the next ones do not. Code in a
// bank that is mapped twice must not be written where it is not executed.
type Bank struct {
	bytes []byte
	file  int // as Space.file
	dirty PageSet
	any   bool
	wake  func()
	space *Space // where it is mapped
}

// NewBank returns a bank of size bytes, all zero; size is a multiple of
// PageSize and not 0.
func NewBank(size int) (*Bank, error) {
	if size <= 0 || size%PageSize != 0 {
		panic(fmt.Sprintf("BUG: bank of %d bytes", size))
	}
	b, file, err := allocate(size)
	if err != nil {
		return nil, fmt.Errorf("reserve %d KiB of device memory: %w", size>>10, err)
	}
	return &Bank{bytes: b, file: file, dirty: make(PageSet, (size>>pageShift+63)/64)}, nil
}

// Close returns the memory to the host. Nothing may use the bank afterwards.
func (b *Bank) Close() error {
	bytes, file := b.bytes, b.file
	b.bytes, b.file = nil, -1
	return release(bytes, file)
}

// Bytes is the memory. Who writes to it says so with Touch.
func (b *Bank) Bytes() []byte { return b.bytes }

// OnDirty sets what is called when the first page is written after Harvest.
func (b *Bank) OnDirty(fn func()) { b.wake = fn }

// Touch notes that the n bytes at off were written; n is at least 1.
func (b *Bank) Touch(off, n int) {
	for p := off >> pageShift; p <= (off+n-1)>>pageShift; p++ {
		b.dirty[p>>6] |= 1 << (p & 63)
	}
	if !b.any {
		b.any = true
		if b.wake != nil {
			b.wake()
		}
	}
}

// A PageSet is a set of pages of a bank.
type PageSet []uint64

// Overlaps reports whether a page that holds one of the n bytes at off is in s.
func (s PageSet) Overlaps(off, n int) bool {
	for p, last := off>>pageShift, (off+n-1)>>pageShift; p <= last; {
		if rest := s[p>>6] >> (p & 63); rest == 0 {
			p = (p | 63) + 1
		} else {
			return p+bits.TrailingZeros64(rest) <= last
		}
	}
	return false
}

// Harvest returns the pages that were written since it last did, in into. Who
// writes to them directly is stopped, so that the next write is noticed.
func (b *Bank) Harvest(into PageSet) PageSet {
	into = append(into[:0], b.dirty...)
	if b.any && b.space != nil {
		b.space.protectBank(b)
	}
	clear(b.dirty)
	b.any = false
	return into
}

// Reset implements hw.Device. Memory keeps what it holds.
func (b *Bank) Reset() {}

// Save implements hw.Device.
func (b *Bank) Save(c *snapshot.Codec) { syncBank(c, b.bytes) }

// Load implements hw.Device. All pages count as written then.
func (b *Bank) Load(c *snapshot.Codec) error {
	next := make([]byte, len(b.bytes))
	syncBank(c, next)
	if _, err := c.Close(); err != nil {
		return err
	}
	copy(b.bytes, next)
	b.Touch(0, len(b.bytes))
	return nil
}

func syncBank(c *snapshot.Codec, bytes []byte) {
	c.Version(1)
	c.Memory("memory", bytes)
}

var _ hw.Device = (*Bank)(nil)
