package cpu

import "github.com/gov86/gov86/cpu/isa"

// Hardware tasks (Intel SDM Vol. 3A, "Task Management").

// How a task switch came about.
type switchBy uint8

const (
	byJump switchBy = iota
	byCall          // or by an interrupt through a task gate: the new task is nested
	byReturn
)

const tssBusy = 1 << 9 // in the second doubleword of a TSS descriptor

// Offsets in a 32-bit TSS; those of a 16-bit TSS follow.
const (
	tssLink     = 0
	tss32CR3    = 0x1c
	tss32EIP    = 0x20
	tss32EFLAGS = 0x24
	tss32GPR    = 0x28
	tss32Seg    = 0x48
	tss32LDT    = 0x60
	tss32Trap   = 0x64
	tss16IP     = 0x0e
	tss16FLAGS  = 0x10
	tss16GPR    = 0x12
	tss16Seg    = 0x22
	tss16LDT    = 0x2a
)

// A tss is the part of a task-state segment that a switch loads.
type tss struct {
	cr3, eip, eflags uint32
	gpr              [8]uint32
	seg              [6]uint16
	ldt              uint16
	trap             bool
}

// A taskSwitch is a task switch on its way.
type taskSwitch struct {
	selector uint16
	d        descriptor // of the new TSS
	by       switchBy
	ext      uint16 // the EXT bit of error codes
	resume   bool   // RF is set in the saved image of EFLAGS
	wide     bool   // the new TSS is a 32-bit one
	next     tss
	pdptes   [4]uint64 // of the new CR3
}

// taskTarget switches to the task that a far jump or call names by its TSS or
// by a task gate, whose rights were checked.
func (c *CPU) taskTarget(selector uint16, d *descriptor, by switchBy) Trap {
	s := taskSwitch{selector: selector, d: *d, by: by}
	if d.kind() == typeTaskGate {
		s.selector = uint16(d.low >> 16)
		var t Trap
		if s.d, t = c.taskSegment(s.selector, VecGP, 0); t != NoTrap {
			return t
		}
	}
	return c.switchTask(&s)
}

// taskSegment finds the available TSS a task gate names.
func (c *CPU) taskSegment(selector uint16, vec uint8, ext uint16) (descriptor, Trap) {
	if selector&4 != 0 || null(selector) {
		return descriptor{}, Fault(vec, index(selector)|ext)
	}
	d, t := c.need(selector, vec, ext)
	switch {
	case t != NoTrap:
	case !d.system() || d.kind() != typeTSS16 && d.kind() != typeTSS32:
		t = Fault(vec, index(selector)|ext)
	case !d.present():
		t = Fault(VecNP, index(selector)|ext)
	}
	return d, t
}

// interruptTask switches to the handler task of a task gate in the IDT.
func (c *CPU) interruptTask(g *descriptor, v *event) Trap {
	s := taskSwitch{selector: uint16(g.low >> 16), by: byCall, ext: v.source.ext(), resume: v.resume}
	var t Trap
	if s.d, t = c.taskSegment(s.selector, VecGP, s.ext); t != NoTrap {
		return t
	}
	// The debug trap of the new task's T bit is reported once the error code is
	// on its stack.
	after := c.switchTask(&s)
	if after != NoTrap && after != AfterInstruction(VecDB) || !v.hasCode {
		return after
	}
	size := 2
	if s.wide {
		size = 4
	}
	f := c.currentFrame()
	f.code = s.ext
	if t := f.push(uint32(v.code), size); t != NoTrap {
		return inNewTask(t)
	}
	f.commit()
	return after
}

// taskReturn is IRET from a nested task, to the task of its link.
func (c *CPU) taskReturn() Trap {
	v, t := c.ReadLinear(Linear(c.TR.Base)+tssLink, 2, Implicit)
	if t != NoTrap {
		return t
	}
	selector := uint16(v)
	if selector&4 != 0 || null(selector) {
		return Fault(VecTS, index(selector))
	}
	d, t := c.need(selector, VecTS, 0)
	switch {
	case t != NoTrap:
		return t
	case !d.system() || d.kind() != typeTSS16Busy && d.kind() != typeTSS32Busy:
		return Fault(VecTS, index(selector))
	case !d.present():
		return Fault(VecNP, index(selector))
	}
	return c.switchTask(&taskSwitch{selector: selector, d: d, by: byReturn})
}

// switchTask saves the current task and loads the one of s. Until the first
// write faults leave everything as it was; later ones belong to the new task.
func (c *CPU) switchTask(s *taskSwitch) Trap {
	s.wide = s.d.kind()&8 != 0
	least := uint32(0x2b)
	if s.wide {
		least = 0x67
	}
	if s.d.limit() < least {
		return Fault(VecTS, index(s.selector)|s.ext)
	}
	if t := c.prepareTask(s); t != NoTrap {
		return t
	}
	if t := c.saveTSS(s); t != NoTrap {
		return t
	}
	if s.by != byCall {
		if t := c.leaveBusy(); t != NoTrap {
			return t
		}
	} else {
		if t := c.WriteLinear(Linear(s.d.base())+tssLink, 2, uint32(c.TR.Selector), Implicit); t != NoTrap {
			return t
		}
		s.next.eflags |= FlagNT
	}
	if s.by != byReturn {
		s.d.high |= tssBusy
		if t := c.WriteLinear(s.d.at+4, 4, s.d.high, Implicit); t != NoTrap {
			return t
		}
	}
	c.TR = s.d.segment(s.selector)
	c.CR0 |= CR0TS
	return inNewTask(c.enterTask(s))
}

// inNewTask marks a fault as that of the task just entered: EIP is its own.
func inNewTask(t Trap) Trap {
	if t != NoTrap {
		t |= trapAfter
	}
	return t
}

// prepareTask reads the new task's state, and checks all that the switch will
// write, so that a page fault finds the old task whole.
func (c *CPU) prepareTask(s *taskSwitch) (t Trap) {
	base := Linear(s.d.base())
	if s.next, t = c.loadTSS(base, s.wide); t != NoTrap {
		return t
	}
	if c.CR0&CR0PG != 0 && c.CR4&CR4PAE != 0 && s.wide && s.next.cr3 != c.CR3 {
		if s.pdptes, t = c.readPDPTEs(s.next.cr3); t != NoTrap {
			return t
		}
	}
	first, last := tssImage(c.TR.Access&8 != 0)
	for _, w := range [...]struct {
		at     Linear
		n      int
		needed bool
	}{
		{Linear(c.TR.Base) + Linear(first), last - first, true},
		{Linear(c.GDTR.Base+uint32(c.TR.Selector&^7)) + 4, 4, s.by != byCall},
		{base + tssLink, 2, s.by == byCall},
		{s.d.at + 4, 4, s.by != byReturn},
	} {
		if !w.needed {
			continue
		}
		if t := c.Probe(w.at, w.n, Implicit|Write); t != NoTrap {
			return t
		}
	}
	return NoTrap
}

// tssImage is the range of a TSS that holds a task's registers.
func tssImage(wide bool) (first, last int) {
	if wide {
		return tss32EIP, tss32Seg + 24
	}
	return tss16IP, tss16Seg + 8
}

// leaveBusy makes the TSS of the current task available.
func (c *CPU) leaveBusy() Trap {
	at := Linear(c.GDTR.Base + uint32(c.TR.Selector&^7) + 4)
	v, t := c.ReadLinear(at, 4, Implicit)
	if t != NoTrap {
		return t
	}
	return c.WriteLinear(at, 4, v&^tssBusy, Implicit)
}

// loadTSS reads a task's state.
func (c *CPU) loadTSS(base Linear, wide bool) (s tss, t Trap) {
	read := func(off, n int) uint32 {
		if t != NoTrap {
			return 0
		}
		var v uint32
		v, t = c.ReadLinear(base+Linear(off), n, Implicit)
		return v
	}
	if !wide {
		s.eip, s.eflags = read(tss16IP, 2), read(tss16FLAGS, 2)
		for i := range s.gpr {
			s.gpr[i] = read(tss16GPR+2*i, 2) | 0xffff0000
		}
		for i := range 4 {
			s.seg[i] = uint16(read(tss16Seg+2*i, 2))
		}
		s.ldt = uint16(read(tss16LDT, 2))
		return s, t
	}
	s.cr3, s.eip, s.eflags = read(tss32CR3, 4), read(tss32EIP, 4), read(tss32EFLAGS, 4)
	for i := range s.gpr {
		s.gpr[i] = read(tss32GPR+4*i, 4)
	}
	for i := range s.seg {
		s.seg[i] = uint16(read(tss32Seg+4*i, 2))
	}
	s.ldt = uint16(read(tss32LDT, 2))
	s.trap = read(tss32Trap, 2)&1 != 0
	return s, t
}

// saveTSS stores the state of the current task in its TSS.
func (c *CPU) saveTSS(s *taskSwitch) Trap {
	base, wide := Linear(c.TR.Base), c.TR.Access&8 != 0
	flags := c.EFLAGS | FlagOne
	if s.by == byReturn {
		flags &^= FlagNT
	}
	if s.resume {
		flags |= FlagRF
	}
	var t Trap
	write := func(off, n int, v uint32) {
		if t == NoTrap {
			t = c.WriteLinear(base+Linear(off), n, v, Implicit)
		}
	}
	if !wide {
		write(tss16IP, 2, c.EIP)
		write(tss16FLAGS, 2, flags)
		for i := range 8 {
			write(tss16GPR+2*i, 2, c.Reg32(uint8(i)))
		}
		for i := range 4 {
			write(tss16Seg+2*i, 2, uint32(c.Seg[i].Selector))
		}
		return t
	}
	write(tss32EIP, 4, c.EIP)
	write(tss32EFLAGS, 4, flags)
	for i := range 8 {
		write(tss32GPR+4*i, 4, c.Reg32(uint8(i)))
	}
	for i := range 6 {
		write(tss32Seg+4*i, 2, uint32(c.Seg[i].Selector))
	}
	return t
}

// enterTask loads the registers of the new task. Its segments are checked as
// for a task switch: what is wrong is an invalid-TSS exception of the new task.
func (c *CPU) enterTask(w *taskSwitch) Trap {
	s := &w.next
	if w.wide && c.CR0&CR0PG != 0 && s.cr3 != c.CR3 {
		if c.CR4&CR4PAE != 0 {
			c.PDPTE = w.pdptes
		}
		c.enterSpace(s.cr3)
	}
	c.EIP = s.eip
	c.EFLAGS = s.eflags&loadable | FlagOne
	for i, v := range s.gpr {
		c.SetReg32(uint8(i), v)
	}
	c.DR[7] &^= dr7Local
	for i, v := range s.seg {
		c.Seg[i] = Segment{Selector: v}
	}
	c.CPL = uint8(s.seg[isa.CS] & 3)
	if c.V86() {
		c.CPL = 3
		for i, v := range s.seg {
			c.SetRealSegment(isa.Seg(i), v)
		}
	}
	if t := c.taskLDT(s.ldt); t != NoTrap {
		return t
	}
	if !c.V86() {
		if t := c.taskSegments(s); t != NoTrap {
			return t
		}
	}
	if c.EIP > c.Seg[isa.CS].Limit {
		return GP(0)
	}
	if s.trap {
		c.DR[6] |= dr6BT
		return AfterInstruction(VecDB)
	}
	return NoTrap
}

// taskLDT loads LDTR for a new task.
func (c *CPU) taskLDT(selector uint16) Trap {
	c.LDTR = Segment{Selector: selector}
	if null(selector) {
		return NoTrap
	}
	d, ok, t := c.lookup(selector)
	if t != NoTrap {
		return t
	}
	if selector&4 != 0 || !ok || !d.system() || d.kind() != typeLDT || !d.present() {
		return Fault(VecTS, index(selector))
	}
	c.LDTR = d.segment(selector)
	return NoTrap
}

// taskSegments loads the segment registers of a new task in protected mode.
func (c *CPU) taskSegments(s *tss) Trap {
	cs := s.seg[isa.CS]
	if null(cs) {
		return Fault(VecTS, index(cs))
	}
	d, t := c.need(cs, VecTS, 0)
	switch {
	case t != NoTrap:
		return t
	case !d.code(), !d.conforming() && d.dpl() != c.CPL, d.conforming() && d.dpl() > c.CPL:
		return Fault(VecTS, index(cs))
	case !d.present():
		return Fault(VecNP, index(cs))
	}
	if t := c.setCS(cs, &d, c.CPL); t != NoTrap {
		return t
	}
	for _, r := range []isa.Seg{isa.SS, isa.ES, isa.DS, isa.FS, isa.GS} {
		var t Trap
		if r == isa.SS {
			t = c.loadSS(s.seg[r], c.CPL)
		} else {
			t = c.loadData(r, s.seg[r])
		}
		if t == NoTrap {
			continue
		}
		if code, _ := t.Code(); t.Vector() == VecGP {
			t = Fault(VecTS, code)
		}
		return t
	}
	return NoTrap
}
