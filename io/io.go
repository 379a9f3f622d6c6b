// Package portio is the I/O address space: 65,536 ports and the handlers that
// answer them (Intel SDM Vol. 1, "Input/Output"). It lives in the folder io
// and is imported as portio, so that the standard io is not shadowed.
package portio

import (
	"fmt"

	"github.com/gov86/gov86/trace"
)

// Width is the width of an access in bytes: 1, 2 or 4.
type Width uint8

// The widths of IN and OUT.
const (
	Byte  Width = 1
	Word  Width = 2
	DWord Width = 4
)

// Mask has the bits of an access of width w set.
func (w Width) Mask() uint32 { return uint32(1<<(8*uint(w)) - 1) }

// A Handler answers a range of ports; off counts from its first. A value is
// right-aligned; bits beyond w are ignored.
type Handler interface {
	In(off uint16, w Width) uint32
	Out(off uint16, w Width, v uint32)
}

// A Space is the port address space. The zero value has no handlers.
type Space struct {
	slot   [1 << 16]uint8 // index into ranges; 0 is unclaimed
	ranges [256]claim
}

type claim struct {
	first, last uint16
	h           Handler
}

// Claim gives the n ports from first on to h. Ports already claimed are a
// mistake of the board and panic; use Move for what the guest can move.
func (s *Space) Claim(first uint16, n int, h Handler) {
	if !s.Map(first, n, h) {
		panic(fmt.Sprintf("BUG: ports %#x+%d claimed twice", first, n))
	}
}

// Map is Claim for ranges the guest places (PCI BARs): it reports false, and
// changes nothing, when a port is taken, n is outside 1 to 65536-first or
// there are more than 255 ranges.
func (s *Space) Map(first uint16, n int, h Handler) bool {
	if n <= 0 || int(first)+n > len(s.slot) {
		return false
	}
	for i := range n {
		if s.slot[int(first)+i] != 0 {
			return false
		}
	}
	free := 0
	for i := 1; i < len(s.ranges); i++ {
		if s.ranges[i].h == nil {
			free = i
			break
		}
	}
	if free == 0 {
		return false
	}
	s.ranges[free] = claim{first, first + uint16(n-1), h}
	for i := range n {
		s.slot[int(first)+i] = uint8(free)
	}
	return true
}

// Unmap releases what h was given at first. It reports whether it was there.
func (s *Space) Unmap(first uint16, h Handler) bool {
	i := s.slot[first]
	if i == 0 || s.ranges[i].h != h || s.ranges[i].first != first {
		return false
	}
	for p := int(first); p <= int(s.ranges[i].last); p++ {
		s.slot[p] = 0
	}
	s.ranges[i] = claim{}
	return true
}

// In reads w bytes from port. Unclaimed ports read as ones. An access that
// runs past the end of its handler's range is split into bytes.
func (s *Space) In(port uint16, w Width) uint32 {
	v := s.in(port, w)
	if trace.On(trace.Port) {
		trace.Access(trace.Port, "in", uint64(port), int(w), uint64(v))
	}
	return v
}

func (s *Space) in(port uint16, w Width) uint32 {
	c := &s.ranges[s.slot[port]]
	switch {
	case int(port)+int(w)-1 <= int(c.last) && c.h != nil:
		return c.h.In(port-c.first, w) & w.Mask()
	case w == Byte:
		return 0xff
	}
	var v uint32
	for i := range uint16(w) {
		v |= s.in(port+i, Byte) << (8 * i)
	}
	return v
}

// Out writes the low w bytes of v to port.
func (s *Space) Out(port uint16, w Width, v uint32) {
	if trace.On(trace.Port) {
		trace.Access(trace.Port, "out", uint64(port), int(w), uint64(v&w.Mask()))
	}
	s.out(port, w, v&w.Mask())
}

func (s *Space) out(port uint16, w Width, v uint32) {
	c := &s.ranges[s.slot[port]]
	switch {
	case int(port)+int(w)-1 <= int(c.last) && c.h != nil:
		c.h.Out(port-c.first, w, v)
		return
	case w == Byte:
		return
	}
	for i := range uint16(w) {
		s.out(port+i, Byte, v>>(8*i)&0xff)
	}
}
