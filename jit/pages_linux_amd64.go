package jit

import (
	"slices"

	"github.com/gov86/gov86/mem"
)

// Which bytes of memory units were made of, and what happens when those are
// written.

// An extent is bytes of one frame, by their offsets in it.
type extent struct {
	frame       uint32
	first, last uint16
}

func (s extent) at() mem.Addr { return mem.Addr(s.frame)<<12 | mem.Addr(s.first) }
func (s extent) len() int     { return int(s.last-s.first) + 1 }

// A ref is a unit that was made of some bytes of a page.
type ref struct {
	u           *unit
	first, last uint16
}

// A page is what is known of a frame with code.
type page struct {
	refs []ref
	// patches are the writes that killed units, the last one last.
	patches []patch
	// young is how many units in a row were killed soon after they were made.
	young uint8
}

// A patch is a write to code that has killed units count times.
type patch struct {
	first, last uint16
	count       uint8
}

const (
	granule    = 64
	maxPatches = 32
	// restless is from how many units killed young a page counts as one whose code
	// is generated anew all the time.
	restless = 16
	// youth is how long a unit counts as young there, in instructions.
	youth = 1 << 24
	// often is how many patches of an operand make it data.
	often = 2
)

// prune takes dead units out of the list.
func (p *page) prune() {
	p.refs = slices.DeleteFunc(p.refs, func(r ref) bool { return r.u.dead })
}

// patched notes a write that killed a unit.
func (p *page) patched(first, last uint16) {
	for i := range p.patches {
		if q := &p.patches[i]; q.first == first && q.last == last {
			q.count = min(q.count, 254) + 1
			return
		}
	}
	if len(p.patches) == maxPatches {
		p.patches = slices.Delete(p.patches, 0, maxPatches/2)
	}
	p.patches = append(p.patches, patch{first, last, 1})
}

// age notes that a unit of the page is killed, and whether it was young.
func (p *page) age(young bool) {
	if !young {
		p.young = 0
	} else if p.young < restless {
		p.young++
	}
}

// isData reports whether the n bytes from off on are patched so often that they
// are rather read each time than translated.
func (p *page) isData(off uint32, n int) bool {
	for _, q := range p.patches {
		if q.count >= often && uint32(q.first) >= off && int(q.last) < int(off)+n {
			return true
		}
	}
	return false
}

// isPatched reports whether such a write has killed units before.
func (p *page) isPatched(first, last uint16) bool {
	for _, q := range p.patches {
		if q.first == first && q.last == last {
			return true
		}
	}
	return false
}

// written kills the units that were made of any of the n bytes at at, which are
// of one frame, and returns what granules of it are still code. At the first time
// the whole granules go, for the bytes behind are often written too.
func (e *Engine) written(at mem.Addr, n int) (held uint64) {
	frame := uint32(at >> 12)
	p := e.pages[frame]
	if p == nil {
		return 0
	}
	first := uint16(at & (mem.PageSize - 1))
	last := first + uint16(max(n, 1)-1)
	from, to := first, last
	if !p.isPatched(first, last) {
		from, to = from&^(granule-1), to|(granule-1)
	}
	killed := false
	kept := p.refs[:0]
	for _, r := range p.refs {
		if n > 0 && !r.u.dead && r.first <= to && from <= r.last {
			p.age(e.executed-r.u.born <= youth)
			e.kill(r.u, frame)
			killed = true
		}
	}
	for _, r := range p.refs {
		if !r.u.dead {
			kept = append(kept, r)
			held |= mem.Granules(int(r.first), int(r.last-r.first)+1)
		}
	}
	clear(p.refs[len(kept):])
	p.refs = kept
	if killed {
		p.patched(first, last)
	} else if len(p.refs) == 0 && len(p.patches) == 0 {
		delete(e.pages, frame)
	}
	return held
}

// kill drops u, made of bytes of a frame that were written. The list of that
// page is the caller's.
func (e *Engine) kill(u *unit, frame uint32) {
	e.Stats.Killed++
	e.cool(u)
	e.retire(u)
	last := frame
	for _, s := range u.extents {
		if s.frame != last && s.frame != frame {
			last = s.frame
			e.pages[s.frame].prune()
		}
	}
}
