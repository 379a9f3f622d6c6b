package mem

// A Contents is RAM as a whole, for who saves or fills a machine that stands still.
type Contents struct {
	// RAM is all of it, by physical address. Ask Held before: to read a page that was
	// never written costs the host one. It may be filled before anything is executed.
	RAM []byte
	// Held are the pages that may hold something but zeros.
	Held PageSet
}

// Contents is what RAM holds now. It is good until the guest runs.
func (s *Space) Contents() Contents {
	held := make(PageSet, (len(s.ram)>>pageShift+63)/64)
	if !s.findHeld(held) {
		held.add(0, len(s.ram)>>pageShift)
	}
	return Contents{s.ram, held}
}

// Has reports whether page p is in s.
func (s PageSet) Has(p int) bool { return s[p>>6]>>(p&63)&1 != 0 }

// add adds the pages from first on, before end.
func (s PageSet) add(first, end int) {
	for p := first; p < end; p++ {
		s[p>>6] |= 1 << (p & 63)
	}
}
