package jit

import (
	"fmt"
	"sort"

	processor "github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/jit/window"
)

// patience is how many faults of the guest, or unusual accesses, an instruction has
// in a window before it is one whose accesses are made through the TLB.
const patience = 16

// maxSlow bounds how many of those are known.
const maxSlow = 1 << 15

// accessAt is the access of the instruction at pos in the code, and its unit.
func (u *units) accessAt(pos int) (*unit, *access) {
	of := u.at(pos)
	if of == nil {
		return nil, nil
	}
	i := sort.Search(len(of.accesses), func(i int) bool { return int(of.accesses[i].pos) > pos })
	if i == 0 {
		return nil, nil
	}
	return of, &of.accesses[i-1]
}

// fault serves a fault of generated code, and returns where to enter again, or 0.
func (e *Engine) fault() int {
	r := e.region
	u, a := e.accessAt(int(r.fault.RIP - r.address(0)))
	if a == nil {
		panic(fmt.Sprintf("BUG: generated code at %#x faults at %#x", r.fault.RIP-r.address(0), r.fault.Address))
	}
	e.restore(a)
	e.EIP = a.eip
	p := e.windows.running
	l := r.fault.Address - p.Base()
	if l >= window.Size {
		// Beyond the last page, through a segment that is not flat, not aligned.
		return e.unusual(u, a, false)
	}
	access := e.Data()
	if a.write {
		access |= processor.Write
	}
	if _, t := e.Translate(processor.Linear(l), access); t != processor.NoTrap {
		e.windows.charge(p, 1)
		p.awaited = uint32(l) >> 12
		return e.unusual(u, a, false)
	}
	switch e.windows.show(p, uint32(l), a.write) {
	case shows:
		e.left(Unshown, a.eip)
		if e.epoch == e.TLB.Epoch {
			return int(a.restart)
		}
		e.moveStack(a.moved)
		e.region.budget += int64(a.undone)
		return 0
	case never:
		return e.unusual(u, a, true)
	}
	e.windows.charge(p, 1)
	return e.unusual(u, a, false)
}

// restore makes the state what it was before the instruction of a.
func (e *Engine) restore(a *access) {
	if a.flags&(inHost|inSaved) == inSaved {
		saved := e.region.saved
		flags := saved >> 8 & (processor.FlagsStatus &^ processor.FlagOF)
		if saved&0xff != 0 {
			flags |= processor.FlagOF
		}
		e.EFLAGS = e.EFLAGS&^processor.FlagsStatus | flags
	}
	if a.turned < 8 {
		v := e.Reg32(uint8(a.turned))
		e.SetReg32(uint8(a.turned), v<<8|v>>24)
	}
}

// moveStack moves ESP by d.
func (e *Engine) moveStack(d int32) {
	if d != 0 {
		e.SetReg32(processor.ESP, e.Reg32(processor.ESP)+uint32(d))
	}
}

// unusual lets the interpreter make the access a. If it will always be unusual, or
// has been often, its unit is made anew without it in the window.
func (e *Engine) unusual(u *unit, a *access, always bool) int {
	e.left(Slow, a.eip)
	s := a.site
	e.moveStack(a.moved)
	if a.times++; always || a.times > patience {
		e.Stats.SlowSites++
		if len(e.windows.slow) == maxSlow {
			clear(e.windows.slow) // it is found out again
		}
		e.windows.slow[slowOf(u, a.eip)] = true
		if !u.dead {
			e.drop(u)
		}
	}
	return e.stepOver(&s)
}

// slowOf names the instruction at eip.
func slowOf(u *unit, eip uint32) slowID {
	id := slowID{u.frame, uint16(eip & 0xfff), u.key & (key(processor.ModeUser) | keyKernel)}
	return id
}

// isSlow reports whether the accesses of an instruction are not for a window.
func (t *translator) isSlow(eip uint32) bool {
	return t.u.key&keyWindow != 0 && t.e.windows.slow[slowOf(t.u, eip)]
}
