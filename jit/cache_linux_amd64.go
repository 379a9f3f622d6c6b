package jit

import "sort"

// The memory for code is a ring: units lie in it in the order they were made,
// and the oldest go, one by one, as room for another is needed. What still runs
// is translated again.

// flush forgets all units.
func (e *Engine) flush() {
	e.notePointers()
	e.units.reset()
	clear(e.heat[:])
	e.asm.Pos = 0
	e.stubs = writeStubs(&e.asm)
	e.region.fault.Goto = e.region.address(e.stubs.fault)
	e.first = e.asm.Pos
	e.region.setSentinel(e.region.address(e.stubs.underflow))
	e.emptyStack()
	for _, t := range e.space {
		t.clear()
	}
}

// emptyStack forgets the return addresses on the stack.
func (e *Engine) emptyStack() { e.region.hostSP = e.region.bottom }

// makeRoom makes room for a unit, at asm.Pos.
func (e *Engine) makeRoom() {
	if e.asm.Pos+room > len(e.asm.Code) {
		e.evict(len(e.asm.Code))
		e.asm.Pos = e.first
	}
	e.evict(e.asm.Pos + room)
}

// evict drops the units from asm.Pos on whose code begins before end.
func (e *Engine) evict(end int) {
	for ; e.oldest < len(e.ring); e.oldest++ {
		u := e.ring[e.oldest]
		if u.start < e.asm.Pos || u.start >= end {
			break
		}
		if !u.dead {
			e.drop(u)
			e.Stats.Evicted++
		}
		e.ring[e.oldest] = nil
	}
	if e.oldest > len(e.ring)/2 {
		n := copy(e.ring, e.ring[e.oldest:])
		clear(e.ring[n:])
		e.ring, e.oldest = e.ring[:n], 0
	}
}

// at is the unit whose code has the byte at pos, which is that of some unit.
func (u *units) at(pos int) *unit {
	ring := u.ring[u.oldest:]
	// Where the ring comes round, the positions begin anew.
	round := func(n int) bool { return ring[n].start < ring[0].start }
	second := sort.Search(len(ring), round)
	if second < len(ring) && pos >= ring[second].start && pos < ring[0].start {
		ring = ring[second:]
	} else {
		ring = ring[:second]
	}
	n := sort.Search(len(ring), func(i int) bool { return ring[i].start > pos })
	if n == 0 {
		return nil
	}
	return ring[n-1]
}

// keep enters a new unit.
func (e *Engine) keep(u *unit) {
	e.ring = append(e.ring, u)
	e.byID[u.id()] = u
	e.made(u)
	for _, s := range u.extents {
		p := e.pages[s.frame]
		if p == nil {
			p = &page{}
			e.pages[s.frame] = p
		}
		p.refs = append(p.refs, ref{u, s.first, s.last})
		if e.Mem.MarkCode(s.at(), s.len()) {
			e.TLB.Protect(s.frame)
		}
	}
}

// drop forgets a unit: nothing leads to it any more. Its number is used again,
// but not before the next unit is made.
func (e *Engine) drop(u *unit) {
	e.retire(u)
	last := ^uint32(0)
	for _, s := range u.extents {
		if s.frame != last {
			last = s.frame
			e.pages[s.frame].prune()
		}
	}
}

// retire is drop but for the lists of pages, which still have the unit.
func (e *Engine) retire(u *unit) {
	u.dead = true
	if e.byID[u.id()] == u {
		delete(e.byID, u.id())
	}
	e.gone(u)
	for u.incoming != 0 {
		l := &e.link[u.incoming]
		e.asm.Patch(int(l.at), int(l.exit))
		e.links.remove(u.incoming)
		e.Stats.LinksBroken++
	}
	for u.outgoing != 0 {
		e.links.remove(u.outgoing)
	}
	if t := e.space[u.key&^keyPlain]; t != nil {
		t.forget(u.linear, u.indirect)
	}
	if slot := &e.cache[cacheSlot(u.linear)]; *slot == u {
		*slot = nil
	}
	e.unused = append(e.unused, u.number)
	e.emptyStack()
}
