package mem

import "fmt"

// What a page frame is to an access.
type kind uint8

const (
	kindNone kind = iota
	kindRAM
	kindROM // reads are memory, writes go nowhere
	kindMMIO
	kindBank // memory of a device
)

// A Route says who answers a range below 1 MiB that has RAM and may have
// something on the bus: a ROM, a window of a device, or nothing.
type Route uint8

// The routes. Automatic, the first, is the bus where something is on it and RAM
// elsewhere.
const (
	Automatic Route = iota
	Bus
	ReadRAM  // writes go to the bus
	WriteRAM // reads come from the bus
	RAM
)

// routed is the range that has routes, in page frames.
const routed = 1 << (20 - pageShift)

// SetRoute gives [at, at+size), whole pages below 1 MiB, a route.
func (s *Space) SetRoute(at Addr, size uint64, r Route) {
	if (uint64(at)|size)&pageMask != 0 || size == 0 || uint64(at)+size > routed<<pageShift {
		panic(fmt.Sprintf("BUG: route of %#x+%#x", at, size))
	}
	for i := range Addr(size >> pageShift) {
		s.route[at>>pageShift+i] = r
	}
	s.refresh(at, at+Addr(size)-1)
}

// refresh works out anew where the frames in [first, last] lead to. Code that was
// decoded from a frame which now shows something else is forgotten.
func (s *Space) refresh(first, last Addr) {
	for f := uint32(first >> pageShift); ; f++ {
		was := s.reads[f]
		s.reads[f], s.writes[f] = s.resolve(f)
		if s.reads[f] != was && s.code.holds(f) && s.watch != nil {
			s.watch(Addr(f)<<pageShift, PageSize)
		}
		if f == uint32(last>>pageShift) {
			break
		}
	}
	s.remapped()
}

// resolve is who answers reads of a frame, and who its writes.
func (s *Space) resolve(f uint32) (read, write kind) {
	bus := s.onBus(f)
	if int(f)<<pageShift >= len(s.ram) {
		return bus, bus
	}
	r := Automatic
	if f < routed {
		r = s.route[f]
	}
	switch {
	case r == RAM, r == Automatic && bus == kindNone:
		return kindRAM, kindRAM
	case r == ReadRAM:
		return kindRAM, bus
	case r == WriteRAM:
		return bus, kindRAM
	}
	return bus, bus
}

// onBus is what lies at a frame besides RAM.
func (s *Space) onBus(f uint32) kind {
	w := s.device(Addr(f) << pageShift)
	switch {
	case w != nil && w.bank != nil:
		return kindBank
	case w != nil:
		return kindMMIO
	case s.host[f] != nil:
		return kindROM
	}
	return kindNone
}

// MapROM places data, padded with ones to whole pages, at a multiple of
// PageSize below 4 GiB. The RAM that it hides keeps its bytes.
func (s *Space) MapROM(at Addr, data []byte) error {
	n := (len(data) + pageMask) &^ pageMask
	if at&pageMask != 0 || n == 0 || at+Addr(n) > 1<<32 {
		return fmt.Errorf("ROM at %#x: not page-aligned below 4 GiB", at)
	}
	padded := make([]byte, n)
	for i := copy(padded, data); i < n; i++ {
		padded[i] = 0xff
	}
	for i := 0; i < n; i += PageSize {
		s.host[uint32((at+Addr(i))>>pageShift)] = padded[i : i+PageSize : i+PageSize]
	}
	s.refresh(at, at+Addr(n)-1)
	return nil
}
