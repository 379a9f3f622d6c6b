package mem

// A codeMap remembers which bytes of physical memory were decoded, in granules
// of 64 bytes: one word of 64 bits is one page frame.
type codeMap struct {
	granules [frames]uint64
}

const granuleShift = 6

func (m *codeMap) holds(frame uint32) bool { return m.granules[frame] != 0 }

// span has the bits of the granules that [off, off+n) touches; n is at least 1
// and the range lies in one page.
func span(off, n int) uint64 {
	first, last := uint(off)>>granuleShift, uint(off+n-1)>>granuleShift
	return ^uint64(0) >> (63 - (last - first)) << first
}

// MarkCode records that the n bytes at a, within one page frame, were decoded.
// It reports whether the frame held no code before: pointers for writing it
// must then be dropped.
func (s *Space) MarkCode(a Addr, n int) (fresh bool) {
	a = s.gate(a)
	if a >= 1<<32 {
		return false
	}
	g := &s.code.granules[a>>pageShift]
	fresh = *g == 0
	*g |= span(int(a&pageMask), n)
	return fresh
}

// ForgetCode records that nothing decoded from the frame is kept any more.
func (s *Space) ForgetCode(frame uint32) { s.code.granules[frame] = 0 }

// written notices a write of n bytes within a frame.
func (s *Space) written(frame uint32, off, n int) {
	if s.code.granules[frame]&span(off, n) == 0 || s.watch == nil {
		return
	}
	s.watch(frame)
}
