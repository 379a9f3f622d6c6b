package jit

import (
	"slices"

	processor "github.com/gov86/gov86/cpu"
)

// What a window shows, and how it is kept true. Windows are a cache such as a TLB
// may be: what they show was what the page tables said, and stays until the guest
// says that it has changed them. Each page remembers the entries that it was made
// of. When the guest comes back to an address space, or flushes it, they are
// compared, and what has changed is hidden.

// What a window has at a page.
const (
	hidden uint8 = iota
	readable
	writable
)

// regionPages is the most pages that a region has.
const regionPages = 1 << 10

// A shown is a region of which something is shown.
type shown struct {
	first     uint32
	directory uint64
	large     bool
	pages     uint32
	// mapped are the pages that are shown, by their place in the region.
	mapped []uint16
	state  [regionPages]uint8
	entry  [regionPages]uint64
	frame  [regionPages]uint32
}

// region is what p shows of the region of l, nil if that is nothing.
func (p *scope) region(l uint32) *shown {
	for _, g := range p.regions {
		if page := l >> 12; page-g.first < g.pages {
			return g
		}
	}
	return nil
}

// seen counts the flushes that concern p.
func (w *windows) seen(p *scope) uint64 {
	if p.class == userScope {
		return w.locals
	}
	return w.flushes
}

// paging are the bits that decide what entries mean to p.
func (w *windows) paging(p *scope) uint64 {
	b := uint64(w.CR4&(processor.CR4PAE|processor.CR4PSE))<<32 | uint64(w.MSR.EFER&processor.EFERNXE)
	if p.class == kernelScope {
		b |= uint64(w.CR0 & processor.CR0WP)
	}
	return b
}

// Flushed implements cpu.Shadow.
func (w *windows) Flushed(global bool) {
	w.locals++
	w.current = nil
	if global {
		w.flushes++
	}
}

// FlushedPage implements cpu.Shadow. Scopes that are not at hand are looked at when
// they are.
func (w *windows) FlushedPage(l processor.Linear) {
	for _, p := range [...]*scope{w.current, &w.kernel} {
		if p == nil || !p.open || p.flushes != w.seen(p) {
			continue
		}
		if g := p.region(uint32(l)); g != nil {
			w.checkRegion(p, g)
		}
	}
}

// Protected implements cpu.Shadow.
func (w *windows) Protected(frame uint32) {
	for _, p := range [...]*scope{w.current, &w.kernel, &w.unpaged} {
		if p == nil || !p.open {
			continue
		}
		for _, g := range p.regions {
			if g.large {
				if i := frame - g.frame[g.mapped[0]] + uint32(g.mapped[0]); i < g.pages {
					w.protect(p, g, i, frame)
				}
				continue
			}
			for _, i := range g.mapped {
				w.protect(p, g, uint32(i), frame)
			}
		}
	}
}

// protect makes page i of g read-only if it shows the frame.
func (w *windows) protect(p *scope, g *shown, i, frame uint32) {
	if g.state[i] != writable || g.frame[i] != frame {
		return
	}
	g.state[i] = readable
	p.pieces += 2
	w.pieces += 2
	w.charge(p, 1)
	if err := p.Protect(g.first+i, 1); err != nil {
		w.empty(p)
	}
}

// Remapped implements cpu.Shadow: frames have become devices, or memory.
func (w *windows) Remapped() {
	w.Flushed(true)
	for _, p := range append(w.users, &w.kernel, &w.unpaged) {
		w.empty(p)
	}
}

// empty hides everything at once.
func (w *windows) empty(p *scope) {
	if !p.open || len(p.regions) == 0 {
		return
	}
	w.pieces -= p.pieces
	p.regions, p.pieces = nil, 0
	if err := p.Clear(); err != nil {
		panic("BUG: " + err.Error())
	}
}

// check hides what is not true any more.
func (w *windows) check(p *scope) {
	w.stats.WindowChecks++
	p.flushes = w.seen(p)
	if b := w.paging(p); b != p.paging {
		p.paging = b
		w.charge(p, len(p.regions))
		w.empty(p)
		return
	}
	for _, g := range slices.Clone(p.regions) {
		if !w.checkRegion(p, g) && len(p.regions) == 0 {
			return // all is hidden, maybe for want of mappings
		}
	}
}

// checkRegion compares the entries of a region, and reports whether any of it is
// still shown. If not, it is none of p's any more.
func (w *windows) checkRegion(p *scope, g *shown) bool {
	r := w.Region(processor.Linear(g.first << 12))
	same := processor.Significant(r.Directory, g.large) == processor.Significant(g.directory, g.large)
	w.gone = w.gone[:0]
	for _, i := range g.mapped {
		write := g.state[i] == writable
		ok := same
		if ok && !g.large {
			ok = processor.Significant(r.Entry(uint32(i)), write) == processor.Significant(g.entry[i], write)
		}
		if ok && write {
			_, ok = w.Mem.Plain(g.frame[i])
		}
		if !ok {
			g.state[i] = hidden
			w.gone = append(w.gone, i)
		}
	}
	if len(w.gone) == 0 {
		return true
	}
	if !w.hide(p, g) {
		return false
	}
	if g.directory = r.Directory; g.large == r.Large {
		// What is elsewhere now, or read-only, will be accessed there.
		for _, i := range w.gone {
			if g.state[i] == hidden && !w.showRun(p, g, &r, uint32(i)) {
				return false
			}
		}
	}
	if len(g.mapped) == 0 {
		p.regions = slices.DeleteFunc(p.regions, func(o *shown) bool { return o == g })
	}
	return len(g.mapped) > 0
}

// hide hides the pages of g that are gone, and reports whether the system did its
// part; if not, nothing is shown any more.
func (w *windows) hide(p *scope, g *shown) bool {
	w.stats.PagesHidden += uint64(len(w.gone))
	g.mapped = slices.DeleteFunc(g.mapped, func(i uint16) bool { return g.state[i] == hidden })
	slices.Sort(w.gone)
	for k := 0; k < len(w.gone); {
		first, n := w.gone[k], 1
		for k+n < len(w.gone) && w.gone[k+n] == first+uint16(n) {
			n++
		}
		k += n
		w.charge(p, 1)
		if err := p.Hide(g.first+uint32(first), uint32(n)); err != nil {
			w.empty(p)
			return false
		}
	}
	return true
}

// A verdict says what became of a page that was to be shown.
type verdict uint8

const (
	shows  verdict = iota // the access may be made
	notNow                // it may not, this time
	never                 // the page is none that a window shows
)

// show shows p the page of l, which the guest may read or, with write, also write,
// and what else lies near.
func (w *windows) show(p *scope, l uint32, write bool) verdict {
	r := w.Region(processor.Linear(l))
	i := l>>12 - r.First
	leaf, ok := w.Leaf(&r, i, r.Entry(i))
	if !ok || write && !leaf.Dirty {
		return notNow
	}
	state, g := w.could(p, &leaf), p.region(l)
	switch {
	case state == hidden, write && state == readable:
		return never
	case g != nil && g.state[i] == state && g.frame[i] == leaf.Frame:
		return notNow // it is shown: the host cannot give it memory
	case p.pieces > maxPieces || w.pieces > maxPieces:
		p.doomed = true
		return notNow
	}
	if g != nil && (g.large != r.Large || processor.Significant(g.directory, g.large) != processor.Significant(r.Directory, g.large)) && !w.checkRegion(p, g) {
		g = nil
	}
	if g == nil {
		g = &shown{first: r.First, pages: r.Pages, large: r.Large}
		p.regions = append(p.regions, g)
	}
	g.directory = r.Directory
	if !w.showRun(p, g, &r, i) {
		return notNow
	}
	const around = 16
	for j := i &^ (around - 1); j < i|(around-1) && !r.Large; j++ {
		if g.state[j] == hidden && !w.showRun(p, g, &r, j) {
			break
		}
	}
	return shows
}

// showAwaited shows the page that is awaited if it is there by now, which saves the
// next fault.
func (w *windows) showAwaited(p *scope) {
	l := p.awaited << 12
	p.awaited = noPage
	w.show(p, l, false)
}

// could is what p may have of a page.
func (w *windows) could(p *scope, l *processor.Leaf) uint8 {
	plain, free := w.Mem.Plain(l.Frame)
	switch {
	case !plain, p.class == userScope && !l.User, p.class == kernelScope && (l.User || !l.Global):
		return hidden
	case free && l.Dirty && (l.Writable || p.class == kernelScope && w.CR0&processor.CR0WP == 0):
		return writable
	}
	return readable
}

// showRun shows page i of g, as r has it now, and those beside it that the same
// mapping of the host can have. If it may not be shown it stays hidden. It reports
// whether the system did its part.
func (w *windows) showRun(p *scope, g *shown, r *processor.Region, i uint32) bool {
	leaf, ok := w.Leaf(r, i, r.Entry(i))
	if !ok {
		return true
	}
	state := w.could(p, &leaf)
	if state == hidden {
		return true
	}
	fits := func(j uint32) bool {
		if j >= g.pages || g.state[j] != hidden {
			return false
		}
		l, ok := w.Leaf(r, j, r.Entry(j))
		return ok && l.Frame == leaf.Frame+j-i && w.could(p, &l) == state
	}
	low, high := i, i+1
	for fits(low - 1) {
		low--
	}
	for fits(high) {
		high++
	}
	if g.state[i] == hidden {
		g.mapped = append(g.mapped, uint16(i))
	}
	for j := low; j < high; j++ {
		if j != i {
			g.mapped = append(g.mapped, uint16(j))
		}
		g.state[j], g.entry[j], g.frame[j] = state, r.Entry(j), leaf.Frame+j-i
	}
	n := high - low
	file, _ := w.Mem.File()
	p.pieces++
	w.pieces++
	w.charge(p, 1)
	w.stats.PagesShown += uint64(n)
	// Pages that the guest has used have memory already; of a large page that is
	// not known.
	touch := n >= 4 && !g.large
	if err := p.Show(g.first+low, n, file, leaf.Frame-(i-low), state == writable, touch); err != nil {
		p.doomed = true
		w.empty(p)
		return false
	}
	return true
}
