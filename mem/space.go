// Package mem is the guest-physical address space: RAM, ROM, memory-mapped
// devices, the A20 gate, and the knowledge of which pages hold decoded code.
//
// There is one write path. Whoever writes (the processor past its TLB, a
// device by DMA, a loader, a debugger), a page that holds decoded code is
// noticed and forgotten.
package mem

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/gov86/gov86/trace"
)

// An Addr is a guest-physical address.
type Addr uint64

// PageSize is the size of a page frame in bytes.
const PageSize = 1 << pageShift

const (
	pageShift = 12
	pageMask  = PageSize - 1
	// frames below 4 GiB. Nothing lives above: accesses there read as ones.
	frames = 1 << (32 - pageShift)
)

// The range of RAM sizes New accepts, in bytes. Above MaxRAM lies the window
// for PCI, APICs and firmware, which ends at 4 GiB.
const (
	MinRAM = 1 << 20
	MaxRAM = 3 << 30
)

// ErrUnmapped reports a DMA access to an address that is neither RAM nor ROM.
var ErrUnmapped = errors.New("no memory at this address")

// An MMIO answers a range of physical addresses; off counts from its first.
// The space splits and joins accesses to the widths that Widths reports.
type MMIO interface {
	Widths() (smallest, largest int)
	Read(off uint32, w int) uint32
	Write(off uint32, w int, v uint32)
}

// A DMA is a device's view of guest memory. Writes drop decoded code, which is
// why a device is given bytes of RAM only through Borrow.
type DMA interface {
	ReadAt(p []byte, at Addr) error
	WriteAt(p []byte, at Addr) error
	// Borrow returns the n bytes of RAM from at on, for the length of one host
	// call. They must be one run of RAM. With write, the pages' decoded code
	// is dropped first.
	Borrow(at Addr, n int, write bool) ([]byte, error)
}

// A Space is the physical address space of one machine. All methods run on the
// machine goroutine.
type Space struct {
	ram  []byte
	file int // that holds RAM, -1 if none does
	// reads and writes are who answers them, by page frame.
	reads, writes [frames]kind
	route         [routed]Route
	host          map[uint32][]byte // ROM, by page frame
	mmio          []window
	code          codeMap
	a20           bool
	watch         func(a Addr, n int)
	remap         func()
	// protect and move are what OnProtect and OnMove set; opened is as Opened says.
	protect, move func(first, last uint32)
	opened        bool
}

// A window is a range that belongs to a device: to its handler, or to its memory
// from an offset on.
type window struct {
	first, last Addr
	h           MMIO
	bank        *Bank
	off         int
}

// New returns a space with size bytes of RAM from address 0 on; size is a
// multiple of PageSize from MinRAM to MaxRAM. A20 is open.
func New(size uint64) (*Space, error) {
	if size < MinRAM || size > MaxRAM || size%PageSize != 0 {
		return nil, fmt.Errorf("memory of %d bytes: want a multiple of 4096 from %d to %d", size, MinRAM, uint64(MaxRAM))
	}
	ram, file, err := allocate(int(size))
	if err != nil {
		return nil, fmt.Errorf("reserve %d MiB of guest memory: %w", size>>20, err)
	}
	s := &Space{ram: ram, file: file, host: map[uint32][]byte{}, a20: true}
	for f := range uint32(size >> pageShift) {
		s.reads[f], s.writes[f] = kindRAM, kindRAM
	}
	return s, nil
}

// Close returns the RAM to the host. Nothing may use the space afterwards.
func (s *Space) Close() error {
	ram, file := s.ram, s.file
	s.ram, s.file = nil, -1
	return release(ram, file)
}

// RAMSize is the size of RAM in bytes.
func (s *Space) RAMSize() uint64 { return uint64(len(s.ram)) }

// OnCodeWrite sets what is called when n bytes at a, within one page frame, have
// been written, or are about to be, and some were in a granule of decoded code.
func (s *Space) OnCodeWrite(fn func(a Addr, n int)) { s.watch = fn }

// OnRemap sets what is called when pages change their kind or A20 moves:
// whoever keeps host pointers must drop them.
func (s *Space) OnRemap(fn func()) { s.remap = fn }

func (s *Space) remapped() {
	if s.remap != nil {
		s.remap()
	}
}

// A20 reports whether address line 20 is driven.
func (s *Space) A20() bool { return s.a20 }

// SetA20 opens or closes the A20 gate. Closed, bit 20 of every address is 0.
func (s *Space) SetA20(open bool) {
	if s.a20 != open {
		s.a20 = open
		s.remapped()
	}
}

func (s *Space) gate(a Addr) Addr {
	if !s.a20 {
		a &^= 1 << 20
	}
	return a
}

// MapMMIO gives [at, at+size) to h. at and size are multiples of PageSize, the
// range lies below 4 GiB and no other window overlaps it; it hides what RAM is
// there. It reports an error, and changes nothing, otherwise.
func (s *Space) MapMMIO(at Addr, size uint64, h MMIO) error {
	return s.mapWindow(window{first: at, last: at + Addr(size) - 1, h: h})
}

func (s *Space) mapWindow(w window) error {
	size := uint64(w.last) + 1 - uint64(w.first)
	if size == 0 || (uint64(w.first)|size)&pageMask != 0 || w.last >= 1<<32 || w.last < w.first {
		return fmt.Errorf("map %#x+%#x: not whole pages below 4 GiB", w.first, size)
	}
	for _, other := range s.mmio {
		if w.first <= other.last && other.first <= w.last {
			return fmt.Errorf("map %#x+%#x: overlaps %#x", w.first, size, other.first)
		}
	}
	s.mmio = append(s.mmio, w)
	s.refresh(w.first, w.last)
	return nil
}

// UnmapMMIO takes the window at address at away, if h holds it.
func (s *Space) UnmapMMIO(at Addr, h MMIO) { s.unmapWindow(at, h, nil) }

func (s *Space) unmapWindow(at Addr, h MMIO, b *Bank) {
	for i, w := range s.mmio {
		if w.first == at && w.h == h && w.bank == b {
			s.mmio = append(s.mmio[:i], s.mmio[i+1:]...)
			s.refresh(w.first, w.last)
			return
		}
	}
}

// page returns the bytes of the frame of a, already gated, for a read or a
// write: nil if that meets no memory.
func (s *Space) page(a Addr, write bool) ([]byte, kind) {
	if a >= 1<<32 {
		return nil, kindNone
	}
	f := uint32(a >> pageShift)
	k := s.reads[f]
	if write {
		k = s.writes[f]
	}
	switch k {
	case kindRAM:
		p := int(f) << pageShift
		return s.ram[p : p+PageSize : p+PageSize], k
	case kindROM:
		return s.host[f], k
	case kindBank:
		return s.device(a).page(a), k
	}
	return nil, k
}

// Page returns the host bytes of the page frame that holds a, for a TLB:
// nil when accesses must go through the space (a device, nothing at all; for
// write also ROM, frames that hold decoded code, and pages of a bank that were
// not written since it was harvested).
func (s *Space) Page(a Addr, write bool) []byte {
	a = s.gate(a)
	p, k := s.page(a, write)
	if p == nil || write && (k == kindROM || s.code.holds(uint32(a>>pageShift)) || k == kindBank && s.clean(a)) {
		return nil
	}
	return p
}

// File is the descriptor of the memory file that holds RAM, byte for byte by
// physical address. There is one on Linux only.
func (s *Space) File() (fd int, ok bool) { return s.file, s.file >= 0 }

// Plain reports whether a frame is RAM and no more: what is read and, if
// writable, what is written needs nobody's attention.
func (s *Space) Plain(frame uint32) (plain, writable bool) {
	plain = frame < frames && s.reads[frame] == kindRAM
	return plain, plain && s.writes[frame] == kindRAM && !s.code.holds(frame)
}

// Frame is the number of the page frame a names once the A20 gate is applied.
func (s *Space) Frame(a Addr) uint32 { return uint32(s.gate(a) >> pageShift) }

func (s *Space) device(a Addr) *window {
	for i := range s.mmio {
		if w := &s.mmio[i]; a >= w.first && a <= w.last {
			return w
		}
	}
	return nil
}

// Read returns the w bytes (1, 2 or 4) at a, little-endian. Unclaimed memory
// reads as ones.
func (s *Space) Read(a Addr, w int) uint32 {
	a = s.gate(a)
	off := int(a & pageMask)
	if off+w > PageSize {
		return s.split(a, w)
	}
	p, k := s.page(a, false)
	switch {
	case p != nil:
		switch w {
		case 1:
			return uint32(p[off])
		case 2:
			return uint32(binary.LittleEndian.Uint16(p[off:]))
		}
		return binary.LittleEndian.Uint32(p[off:])
	case k == kindMMIO:
		v := s.readMMIO(a, w)
		if trace.On(trace.MMIO) {
			trace.Access(trace.MMIO, "read", uint64(a), w, uint64(v))
		}
		return v
	}
	return uint32(1<<(8*w) - 1)
}

func (s *Space) split(a Addr, w int) uint32 {
	var v uint32
	for i := range w {
		v |= s.Read(a+Addr(i), 1) << (8 * i)
	}
	return v
}

// Write stores the low w bytes (1, 2 or 4) of v at a. Writes to ROM and to
// unclaimed memory go nowhere.
func (s *Space) Write(a Addr, w int, v uint32) {
	a = s.gate(a)
	off := int(a & pageMask)
	if off+w > PageSize {
		for i := range w {
			s.Write(a+Addr(i), 1, v>>(8*i))
		}
		return
	}
	p, k := s.page(a, true)
	switch {
	case k == kindRAM || k == kindBank:
		switch w {
		case 1:
			p[off] = uint8(v)
		case 2:
			binary.LittleEndian.PutUint16(p[off:], uint16(v))
		default:
			binary.LittleEndian.PutUint32(p[off:], v)
		}
		s.written(uint32(a>>pageShift), off, w)
		if k == kindBank {
			s.opened = s.touch(a, w) || s.opened
		}
	case k == kindMMIO:
		v &= uint32(1<<(8*w) - 1)
		if trace.On(trace.MMIO) {
			trace.Access(trace.MMIO, "write", uint64(a), w, uint64(v))
		}
		s.writeMMIO(a, w, v)
	}
}

// Read64 and Write64 are two doubleword accesses, low half first.
func (s *Space) Read64(a Addr) uint64 {
	return uint64(s.Read(a, 4)) | uint64(s.Read(a+4, 4))<<32
}

// Write64 stores v at a.
func (s *Space) Write64(a Addr, v uint64) {
	s.Write(a, 4, uint32(v))
	s.Write(a+4, 4, uint32(v>>32))
}

func (s *Space) readMMIO(a Addr, w int) uint32 {
	d := *s.device(a) // the handler may move its own window
	smallest, largest := d.h.Widths()
	off := uint32(a - d.first)
	switch {
	case w < smallest:
		low := off &^ uint32(smallest-1)
		return d.h.Read(low, smallest) >> (8 * (off - low)) & uint32(1<<(8*w)-1)
	case w > largest:
		var v uint32
		for i := 0; i < w; i += largest {
			v |= d.h.Read(off+uint32(i), largest) << (8 * i)
		}
		return v
	}
	return d.h.Read(off, w)
}

func (s *Space) writeMMIO(a Addr, w int, v uint32) {
	d := *s.device(a) // the handler may move its own window
	smallest, largest := d.h.Widths()
	off := uint32(a - d.first)
	switch {
	case w < smallest:
		low := off &^ uint32(smallest-1)
		shift := 8 * (off - low)
		mask := uint32(1<<(8*w)-1) << shift
		d.h.Write(low, smallest, d.h.Read(low, smallest)&^mask|v<<shift&mask)
	case w > largest:
		for i := 0; i < w; i += largest {
			d.h.Write(off+uint32(i), largest, v>>(8*i)&uint32(1<<(8*largest)-1))
		}
	default:
		d.h.Write(off, w, v&uint32(1<<(8*w)-1))
	}
}

// ReadAt implements DMA.
func (s *Space) ReadAt(p []byte, at Addr) error {
	return s.walk(at, len(p), func(b []byte, done int, _ uint32, _ int) {
		copy(p[done:], b)
	}, false)
}

// WriteAt implements DMA. ROM is refused.
func (s *Space) WriteAt(p []byte, at Addr) error {
	return s.walk(at, len(p), func(b []byte, done int, frame uint32, off int) {
		n := copy(b, p[done:])
		s.written(frame, off, n)
		if s.writes[frame] == kindBank {
			s.touch(Addr(frame)<<pageShift|Addr(off), n)
		}
	}, true)
}

// walk calls fn for the part of each page in [at, at+n), after all of them are
// known to be memory.
func (s *Space) walk(at Addr, n int, fn func(b []byte, done int, frame uint32, off int), write bool) error {
	for pass := range 2 {
		for done := 0; done < n; {
			a := s.gate(at + Addr(done))
			b, k := s.page(a, write)
			if b == nil || write && k == kindROM {
				return fmt.Errorf("DMA of %d bytes at %#x: %w", n, at, ErrUnmapped)
			}
			off := int(a & pageMask)
			b = b[off:]
			if len(b) > n-done {
				b = b[:n-done]
			}
			if pass == 1 {
				fn(b, done, uint32(a>>pageShift), off)
			}
			done += len(b)
		}
	}
	return nil
}

// Borrow implements DMA.
func (s *Space) Borrow(at Addr, n int, write bool) ([]byte, error) {
	at = s.gate(at)
	if n < 0 || at >= Addr(len(s.ram)) || Addr(n) > Addr(len(s.ram))-at {
		return nil, fmt.Errorf("DMA of %d bytes at %#x: %w", n, at, ErrUnmapped)
	}
	for done := 0; done < n; {
		a := at + Addr(done)
		f, off := uint32(a>>pageShift), int(a&pageMask)
		if s.reads[f] != kindRAM || s.writes[f] != kindRAM {
			return nil, fmt.Errorf("DMA of %d bytes at %#x: %w", n, at, ErrUnmapped)
		}
		step := min(PageSize-off, n-done)
		if write {
			s.written(f, off, step)
		}
		done += step
	}
	return s.ram[at : at+Addr(n) : at+Addr(n)], nil
}
