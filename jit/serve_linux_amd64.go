package jit

import (
	processor "github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// What the engine does between two runs of generated code.

// serve does what the exit s wants and returns where to enter again, or 0.
func (e *Engine) serve(s *site) int {
	r := e.region
	switch s.kind {
	case wantIndirect:
		e.EIP = r.argument - e.Seg[isa.CS].Base
		e.left(Indirects, e.EIP)
		u := e.again()
		if u == nil {
			return 0
		}
		e.table.lead(u.linear, u.indirect)
		return u.entry
	case wantLink, wantPlain:
		e.left(Links, s.eip)
		e.EIP = s.eip
		from, at, exit := e.all[s.unit], s.resume, s.restart
		u := e.again()
		if u != nil && s.kind == wantPlain {
			u = e.plain()
		}
		if u == nil {
			return 0
		}
		if !from.dead {
			to := u.guarded
			if u.linear>>12 == from.linear>>12 && u.frame == from.frame {
				to = u.entry
			}
			e.asm.Patch(int(at), to)
			e.links.add(link{at: at, exit: exit, from: from, to: u})
			e.Stats.LinksMade++
		}
		return u.entry
	case wantAccess:
		e.EIP = s.eip
		if e.filled(s) {
			e.left(Fills, s.eip)
			e.moveStack(-s.moved)
			return int(s.restart)
		}
		e.left(Slow, s.eip)
		return e.stepOver(s)
	case wantStep:
		e.left(Steps, s.eip)
		e.EIP = s.eip
		return e.stepOver(s)
	case wantWindow:
		return e.fault()
	case wantSIMD:
		e.left(Vectors, s.eip)
		e.EIP = s.eip
		r.simd = 1
		return int(s.restart)
	case wantX87:
		e.left(Floats, s.eip)
		e.EIP = s.eip
		e.loadX87()
		return int(s.restart)
	case wantPage:
		// The interpreter finds the page, or faults; with EFLAGS.AC set there are
		// no views that a guard could look at, and it is slow but gets on.
		e.left(Pages, s.eip)
		e.EIP = s.eip
		e.storeX87()
		n, _ := e.interp.Step()
		r.budget -= int64(n)
		e.Stats.Aside += n
		return 0
	case wantBudget:
		e.left(Budgets, s.eip)
		r.budget += int64(s.undone)
	}
	e.EIP = s.eip
	return 0
}

// filled makes the access of s possible, if that is a matter of the TLB or of
// code in its page, and reports whether it did.
func (e *Engine) filled(s *site) bool {
	l := e.region.argument
	v, a := e.DataView()+processor.ReadView, e.Data()
	if s.write {
		v, a = e.DataView()+processor.WriteView, a|processor.Write
	}
	if e.TLB.View[v][l>>12] != 0 {
		return false // the access crosses into another page
	}
	at, t := e.Translate(processor.Linear(l), a)
	if t != processor.NoTrap || e.epoch != e.TLB.Epoch {
		return false
	}
	return e.TLB.View[v][l>>12] != 0 || s.write && s.size <= widestWrite && e.admit(s, at)
}

// stepOver lets the interpreter execute the instruction of s.
func (e *Engine) stepOver(s *site) int {
	e.Stats.StepsByOp[s.op]++
	if s.x87 {
		e.storeX87()
	} else {
		e.notePointers()
	}
	if s.order.op != isa.NoOp && e.obey(s) {
		e.Stats.Obeyed++
		e.region.budget += int64(s.undone) - 1
		return e.goOn(s)
	}
	u, next, resume, left, undone := e.all[s.unit], s.next(), int(s.resume), s.left, int64(s.undone)
	r := e.region
	r.budget += undone
	mode := e.Mode()
	eip := e.EIP
	for {
		n, fault := e.interp.Step()
		r.budget -= int64(n)
		e.Stats.Aside += n
		if fault || e.EIP != eip || e.urgent() || r.budget <= 0 {
			break
		}
	}
	if e.EIP != next || u.dead || e.Mode() != mode || e.epoch != e.TLB.Epoch || e.urgent() {
		return 0
	}
	if !e.within(u, mode) {
		return 0
	}
	r.budget -= undone - 1
	if u.x87 {
		e.loadX87()
	}
	if resume != 0 {
		e.moveStack(-left)
	}
	return resume
}

// within reports whether units of u's kind can be executed in mode m.
func (e *Engine) within(u *unit, m processor.Mode) bool {
	k, ok := e.windows.keyOf(e.CPU, m)
	return ok && k == u.key&^keyPlain && e.Seg[isa.CS].Base == u.base
}

// goOn returns where to enter behind an instruction that obey executed: in the
// unit, or where control went.
func (e *Engine) goOn(s *site) int {
	if e.urgent() {
		return 0
	}
	if u := e.all[s.unit]; e.EIP == s.next() && s.resume != 0 && !u.dead && e.epoch == e.TLB.Epoch {
		if e.within(u, e.Mode()) {
			e.region.budget -= int64(s.undone) - 1
			return int(s.resume)
		}
	}
	if u := e.again(); u != nil {
		return u.entry
	}
	return 0
}
