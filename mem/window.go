package mem

// MapBank gives [at, at+size) to the memory of b from off on; off and size are
// multiples of PageSize, and the range lies within b. Otherwise it is as MapMMIO.
func (s *Space) MapBank(at Addr, size uint64, b *Bank, off int) error {
	b.space = s
	return s.mapWindow(window{first: at, last: at + Addr(size) - 1, bank: b, off: off})
}

// UnmapBank takes the window at address at away, if b has it.
func (s *Space) UnmapBank(at Addr, b *Bank) { s.unmapWindow(at, nil, b) }

// SlideBank has the window at address at show b from off on.
func (s *Space) SlideBank(at Addr, b *Bank, off int) {
	for i := range s.mmio {
		w := &s.mmio[i]
		if w.first != at || w.bank != b || w.off == off {
			continue
		}
		w.off = off
		first, last := uint32(w.first>>pageShift), uint32(w.last>>pageShift)
		for f := first; f <= last; f++ {
			if s.code.holds(f) && s.watch != nil {
				s.watch(Addr(f)<<pageShift, PageSize)
			}
		}
		if s.move != nil {
			s.move(first, last)
		}
	}
}

// OnMove sets what is called when the page frames from first to last are other
// memory than before, of the same kind: host pointers to them must be dropped.
func (s *Space) OnMove(fn func(first, last uint32)) { s.move = fn }

// OnProtect sets what is called when writes to the page frames from first to
// last must go through the space again: host pointers to write must be dropped.
func (s *Space) OnProtect(fn func(first, last uint32)) { s.protect = fn }

// Opened reports whether a page of a bank has become one that may be written
// directly since it was last asked.
func (s *Space) Opened() bool {
	was := s.opened
	s.opened = false
	return was
}

// page is the page of w's memory that holds a.
func (w *window) page(a Addr) []byte {
	p := w.inBank(a) &^ pageMask
	return w.bank.bytes[p : p+PageSize : p+PageSize]
}

// inBank is where in its bank w has a.
func (w *window) inBank(a Addr) int { return w.off + int(a-w.first) }

// clean reports whether the page at a, of a bank, is not noted as written.
func (s *Space) clean(a Addr) bool {
	w := s.device(a)
	return !w.bank.dirty.Overlaps(w.inBank(a), 1)
}

// touch notes a write of n bytes at a, of a bank, and reports whether the page
// was clean.
func (s *Space) touch(a Addr, n int) (opened bool) {
	opened = s.clean(a)
	w := s.device(a)
	w.bank.Touch(w.inBank(a), n)
	return opened
}

// protectBank has writes to b go through the space again.
func (s *Space) protectBank(b *Bank) {
	if s.protect == nil {
		return
	}
	for i := range s.mmio {
		if w := &s.mmio[i]; w.bank == b {
			s.protect(uint32(w.first>>pageShift), uint32(w.last>>pageShift))
		}
	}
}
