package jit

import (
	"cmp"
	"slices"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/mem"
)

const (
	maxSteps = 64
	status   = isa.Flags(cpu.FlagsStatus)
	// depth is how far ahead of a jump its target is read to see which flags it
	// wants.
	depth = 6
)

// A step is one guest instruction of a unit.
type step struct {
	isa.Inst
	eip  uint32
	code []byte
	how  how
	// short says that it is 16-bit code.
	short bool
	// live are the status flags that something reads before it writes them, when
	// the step begins and when it has ended.
	before, after isa.Flags
	// end is the number of steps up to the end of those that the budget is
	// charged for together.
	end int
	// framed says that a frame covers what the step pushes or pops, local that it
	// covers its operand.
	framed, local bool
	// slow says that it makes its accesses through the TLB though there is a window.
	slow bool
}

// next is the address behind the instruction.
func (s *step) next() uint32 { return s.eip + uint32(s.Len) }

// enables reports whether s is STI or loads SS, behind which one more instruction
// is executed before an interrupt is accepted: nothing may leave generated code
// there.
func (s *step) enables() bool {
	return s.how == howSetIF && s.Op == isa.STI || s.how == howRealLoad && s.Args[0] == isa.SReg|isa.Arg(isa.SS)
}

// target is where a relative jump leads.
func (s *step) target() uint32 { return jumped(&s.Inst, s.eip) }

// jumped is where the relative jump in at eip leads: with operands of 16 bits to
// an IP.
func jumped(in *isa.Inst, eip uint32) uint32 {
	eip += uint32(in.Len) + in.Imm
	if in.OpSize == 2 {
		eip &= 0xffff
	}
	return eip
}

// A late piece of code is written behind the unit: what runs rarely.
type late struct {
	from   int // the displacement that leads to it
	what   lateKind
	site   site
	back   int // of an access: where to go on
	reg    uint8
	size   uint8
	flags  flagPlace
	recipe recipe
	// open says that the offset is one of 16 bits, and that the end of the operand
	// may still lie beyond that of seg.
	open   bool
	seg    isa.Seg
	refund int32
	moved  int32     // how far the stack pointer is behind
	live   isa.Flags // of a link that is reached with the flags saved
}

type lateKind uint8

const (
	lateExit      lateKind = iota // tell the site and leave
	lateAccess                    // the same, with the address in R8
	lateWrite                     // the same, unless the page holds code and this is none
	lateUnaligned                 // see whether the access stays within its page
	lateLink                      // charge back, and jump
)

// A translator makes one unit at a time. Its slices are kept for the next one.
type translator struct {
	e         *Engine
	u         *unit
	steps     []step
	frameList []frame
	lates     []late
	// islands are displacements of 8 bits that lead to what is out of line: each
	// to a jump on an island, behind the next jump that is always taken.
	islands []island
	page    []byte // the code page
	// looked are the other pages that were looked into, atEntry the flags that
	// matter at the entry if these may not be what they were.
	looked  []lookedAt
	atEntry isa.Flags
	// patches are those of the page, if there are any.
	patches *page
	// extents are the bytes looked at.
	extents []extent
	sites   []site
	spill   []byte // an instruction that runs into the next page
	// flags is where the guest's flags are, recipe how to compute them if they are
	// there.
	flags  flagPlace
	recipe recipe
	// named says that the next access is that of an operand, with its segment.
	named bool
	// moved is how far the stack pointer is behind, in bytes.
	moved int32
	// began is where the code of the step at hand begins.
	began int
	// through is what an access of a segmented unit goes through.
	through addressing
	// open says how the unit ends when its last step does not say it.
	open bool
}

// translate makes the unit at linear address l, whose first byte lies at at.
func (e *Engine) translate(l, frame uint32, k key, addend uintptr, at mem.Addr) *unit {
	t := &e.t
	page := e.Mem.Page(at, false)
	if page == nil {
		return nil
	}
	e.notePointers()
	t.e, t.page, t.extents, t.patches = e, page, t.extents[:0], nil
	t.looked = t.looked[:0]
	if p := e.pages[frame]; p != nil && len(p.patches) != 0 {
		t.patches = p
	}
	base := e.Seg[isa.CS].Base
	u := &unit{linear: l, frame: frame, base: base, key: k, addend: addend, born: e.executed}
	t.u = u
	t.collect(l - base)
	if len(t.steps) == 0 && !t.collectSpill(l) {
		return nil
	}
	e.makeRoom()
	e.number(u)
	t.liveness()
	for i := range t.steps {
		t.isCode(t.steps[i].eip, t.decoded(&t.steps[i]))
	}
	if u.spill {
		t.note(extent{u.next, 0, uint16(uint32(t.steps[0].Len) - (mem.PageSize - l&0xfff) - 1)})
	}
	u.start = e.asm.Pos
	t.frames()
	t.emit()
	e.Stats.Units++
	e.Stats.Instructions += uint64(len(t.steps))
	e.Stats.HostBytes += uint64(e.asm.Pos - u.start)
	for i := range t.steps {
		e.Stats.GuestBytes += uint64(t.steps[i].Len)
	}
	u.extents, u.sites = slices.Clone(t.sorted()), slices.Clone(t.sites)
	e.keep(u)
	return u
}

// note keeps that the bytes of s were looked at.
func (t *translator) note(s extent) {
	for i := len(t.extents) - 1; i >= 0; i-- {
		o := &t.extents[i]
		if o.frame == s.frame && s.first >= o.first && s.first <= o.last+1 {
			o.last = max(o.last, s.last)
			return
		}
	}
	t.extents = append(t.extents, s)
}

// sorted are the extents, those of a frame in a row.
func (t *translator) sorted() []extent {
	slices.SortFunc(t.extents, func(a, b extent) int {
		return cmp.Or(cmp.Compare(a.frame, b.frame), cmp.Compare(a.first, b.first))
	})
	return t.extents
}

// isCode notes that n bytes at eip were decoded, as far as they lie in the page.
func (t *translator) isCode(eip uint32, n uint8) {
	off := (t.u.base + eip) & (mem.PageSize - 1)
	t.note(extent{t.u.frame, uint16(off), uint16(min(off+uint32(n), mem.PageSize) - 1)})
}

// decode decodes the instruction at eip, if it lies wholly in the page.
func (t *translator) decode(eip uint32) (in isa.Inst, code []byte, ok bool) {
	l := t.u.base + eip
	if l>>12 != t.u.linear>>12 {
		return in, nil, false
	}
	code = t.page[l&0xfff:]
	in, err := isa.Decode(code[:min(len(code), isa.MaxLen)], t.u.key.code())
	if err != nil || !t.e.Model.Knows(&in) || !t.u.key.reaches(eip, in.Len) {
		return in, nil, false
	}
	return in, code[:in.Len], true
}

// peek decodes the instruction at eip, which may lie in another page. What was
// seen there counts as code of the unit: when it is written, the unit goes. Where
// another page takes its place, a plain unit, which does not look there, takes
// that of the unit.
func (t *translator) peek(eip uint32) (in isa.Inst, ok bool) {
	l := t.u.base + eip
	if l>>12 == t.u.linear>>12 {
		var code []byte
		if in, code, ok = t.decode(eip); ok {
			s := step{Inst: in, eip: eip, code: code, how: howGeneric}
			if t.isPatched(&s) {
				s.how = howPatched
			}
			t.isCode(eip, t.decoded(&s))
		}
		return in, ok
	}
	e := t.e
	if !t.mayLook(l >> 12) {
		return in, false
	}
	at, trap := e.Translate(cpu.Linear(l), e.Data()|cpu.Fetch)
	if trap != cpu.NoTrap {
		return in, false
	}
	page := e.Mem.Page(at, false)
	if page == nil {
		return in, false
	}
	code := page[l&0xfff:]
	in, err := isa.Decode(code[:min(len(code), isa.MaxLen)], t.u.key.code())
	if err != nil || !e.Model.Knows(&in) || !t.u.key.reaches(eip, in.Len) {
		return in, false
	}
	t.look(l >> 12)
	off := uint16(l & (mem.PageSize - 1))
	t.note(extent{e.Mem.Frame(at), off, off + uint16(in.Len) - 1})
	return in, true
}

// collect follows the code from first on: over jumps not taken, through those that
// are always taken.
func (t *translator) collect(first uint32) {
	t.steps = t.steps[:0]
	t.open = true
	var open isa.Flags
	for eip := first; len(t.steps) < maxSteps; {
		in, code, ok := t.decode(eip)
		if !ok || t.seen(eip) || t.patches != nil && t.patches.young == restless && t.joins(eip) {
			break
		}
		if t.e.exact && open != 0 && (in.MayFault() || in.Op == isa.LAHF) {
			break // whoever compares engines may set the undefined flags first
		}
		_, written, undefined := in.Flags()
		if in.Op.Attr()&isa.MaybeFlags == 0 {
			open &^= written
		}
		open |= undefined
		s := step{Inst: in, eip: eip, code: code, slow: t.isSlow(eip), short: t.u.key.code() == isa.Code16}
		if s.how = t.plan(&s); t.isPatched(&s) {
			s.how = howPatched
		}
		t.steps = append(t.steps, s)
		eip = s.next()
		switch {
		case s.how == howJump:
			eip = s.target()
		case s.how == howJcc && s.target() <= s.eip && s.target()>>12 == s.eip>>12, s.how.ends():
			t.open = s.how == howJcc
			t.bounds()
			return
		}
	}
	t.bounds()
}

// collectSpill makes the only step of a unit of an instruction that runs into the
// next page.
func (t *translator) collectSpill(l uint32) bool {
	c := t.e.CPU
	next := cpu.Linear(l|0xfff) + 1
	at, trap := c.Translate(next, c.Data()|cpu.Fetch)
	if trap != cpu.NoTrap || next == 0 {
		return false
	}
	page, addend := c.Mem.Page(at, false), t.e.fetchView()[next>>12]
	if page == nil || addend == 0 {
		return false
	}
	t.spill = append(append(t.spill[:0], t.page[l&0xfff:]...), page[:isa.MaxLen]...)
	in, err := isa.Decode(t.spill[:min(len(t.spill), isa.MaxLen)], t.u.key.code())
	if err != nil || !c.Model.Knows(&in) || uint32(in.Len) <= uint32(next)-l || !t.u.key.reaches(l-t.u.base, in.Len) {
		return false
	}
	eip := l - t.u.base
	s := step{Inst: in, eip: eip, code: t.spill[:in.Len], slow: t.isSlow(eip), short: t.u.key.code() == isa.Code16}
	s.how = t.plan(&s)
	t.steps = append(t.steps, s)
	t.open = !s.how.ends()
	t.u.spill, t.u.next, t.u.nextAddend = true, c.Mem.Frame(at), addend
	t.bounds()
	return true
}

// joins reports whether a conditional jump of the unit leads to eip, where another
// unit will begin. Where units are made anew all the time, one that went on would
// translate for nothing what that does.
func (t *translator) joins(eip uint32) bool {
	for i := range t.steps {
		if s := &t.steps[i]; s.how == howJcc && s.target() == eip {
			return true
		}
	}
	return false
}

func (t *translator) seen(eip uint32) bool {
	for i := range t.steps {
		if t.steps[i].eip == eip {
			return true
		}
	}
	return false
}

// bounds finds which steps are charged for together: those up to a call, behind
// which time may pass.
func (t *translator) bounds() {
	end := len(t.steps)
	if end > 0 && t.steps[end-1].enables() {
		t.steps[end-1].how = howStep // it keeps interrupts from the next unit's first
	}
	for i := end - 1; i >= 0; i-- {
		if t.steps[i].how.calls() {
			end = i + 1
		}
		t.steps[i].end = end
	}
}

// resumeAt is where the guest goes on behind the last step.
func (t *translator) resumeAt() uint32 {
	s := &t.steps[len(t.steps)-1]
	if s.how == howJump {
		return s.target()
	}
	return s.next()
}

// liveness works out backward which flags matter where, and which might if other
// pages were not what they are.
func (t *translator) liveness() {
	live, careful := status, status
	if t.open {
		live, careful = t.wanted(t.resumeAt())
	}
	for i := len(t.steps) - 1; i >= 0; i-- {
		s := &t.steps[i]
		switch s.how {
		case howJcc, howLoop:
			l, c := t.wanted(s.target())
			live, careful = live|l, careful|c
		case howCall:
			live, careful = t.wanted(s.target())
		case howReturn, howJumpIndirect, howCallIndirect, howCallFar, howStepEnds:
			live, careful = status, status
		}
		s.after = live
		live, careful = before(&s.Inst, live), before(&s.Inst, careful)
		if s.how == howStep && s.MayFault() && s.Op.Attr()&isa.EndsBlock != 0 {
			live, careful = status, status
		}
		if t.e.exact {
			s.after, live = status, status
		}
		s.before = live
	}
	t.atEntry = live | careful
}

// before is what is live before in if after is behind it.
func before(in *isa.Inst, after isa.Flags) isa.Flags {
	read, written, undefined := in.Flags()
	if in.Op.Attr()&isa.MaybeFlags == 0 {
		after &^= written | undefined
	} else if in.Args[1] == isa.Imm && in.Imm&31 != 0 && in.Op.Attr()&isa.String == 0 && in.Op != isa.SHLD && in.Op != isa.SHRD {
		after &^= written | undefined
	}
	return (after | read) & status
}

// wanted are the flags that the code at eip reads before it writes them, and
// those that it might as far as it lies in the page.
func (t *translator) wanted(eip uint32) (flags, careful isa.Flags) {
	open := status
	var read isa.Flags
	left := false // the page
	for range depth {
		if !left && (t.u.base+eip)>>12 != t.u.linear>>12 {
			left, careful = true, read|open
		}
		in, ok := t.peek(eip)
		if !ok {
			break
		}
		r, w, u := in.Flags()
		read |= r & open
		if in.Op.Attr()&isa.MaybeFlags == 0 {
			open &^= w | u
		}
		jumps := in.Op == isa.JMP && in.Args[0] == isa.Rel
		if open == 0 || !jumps && in.Op.Attr()&isa.EndsBlock != 0 {
			break
		}
		if jumps {
			eip = jumped(&in, eip)
			continue
		}
		eip += uint32(in.Len)
	}
	flags = read | open
	if !left {
		careful = flags
	}
	return flags, careful
}
