package mem

// A codeMap remembers which bytes of physical memory were decoded, in granules
// of 64 bytes: one word of 64 bits is one page frame.
type codeMap struct {
	granules [frames]uint64
}

const granuleShift = 6

func (m *codeMap) holds(frame uint32) bool { return m.granules[frame] != 0 }

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
	*g |= Granules(int(a&pageMask), n)
	return fresh
}

// Code is what MarkCode recorded of a frame: bit n stands for the bytes from
// 64*n on.
func (s *Space) Code(frame uint32) uint64 { return s.code.granules[frame] }

// KeepCode records that of the frame's granules only these still hold something
// that was decoded.
func (s *Space) KeepCode(frame uint32, granules uint64) { s.code.granules[frame] &= granules }

// CodePage returns the bytes of the page frame that holds a, if writes meet RAM, and
// where Code has its granules: nil for both otherwise.
func (s *Space) CodePage(a Addr) (page []byte, granules *uint64) {
	a = s.gate(a)
	p, k := s.page(a, true)
	if k != kindRAM {
		return nil, nil
	}
	return p, &s.code.granules[a>>pageShift]
}

// Granules has the bits that Code has for the n bytes from offset off of a frame
// on; n is at least 1 and they lie in the frame.
func Granules(off, n int) uint64 {
	first, last := uint(off)>>granuleShift, uint(off+n-1)>>granuleShift
	return ^uint64(0) >> (63 - (last - first)) << first
}

// written notices a write of n bytes within a frame.
func (s *Space) written(frame uint32, off, n int) {
	if s.code.granules[frame]&Granules(off, n) == 0 || s.watch == nil {
		return
	}
	s.watch(Addr(frame)<<pageShift|Addr(off), n)
}
