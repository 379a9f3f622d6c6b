package cpu

import "github.com/gov86/gov86/cpu/isa"

// What raised an interrupt.
type source uint8

const (
	fromException source = iota
	fromHardware         // INTR or NMI
	fromSoftware         // INT n, INT3, INTO
)

// ext is the EXT bit of error codes: the event was not the program's wish.
func (s source) ext() uint16 {
	if s == fromSoftware {
		return 0
	}
	return 1
}

// An event is an exception or interrupt being delivered.
type event struct {
	vector  uint8
	source  source
	code    uint16
	hasCode bool
	resume  bool // RF is set in the image of EFLAGS
}

// eventOf is the event of an exception. Faults set RF in the image of EFLAGS,
// but for instruction breakpoints, which must not pass twice; aborts do not
// (Intel SDM Vol. 3B, "Instruction-Breakpoint Exception Condition"). A fault
// that belongs to a new task carries an error code and is marked After.
func eventOf(t Trap) event {
	v := event{vector: t.Vector()}
	v.code, v.hasCode = t.Code()
	v.resume = (v.hasCode || !t.After()) && v.vector != VecDB && v.vector != VecDF
	return v
}

// contributory reports whether a second exception while delivering the first
// makes a double fault (Intel SDM Vol. 3A, "Conditions for Generating a Double Fault").
func contributory(vector uint8) bool {
	switch vector {
	case VecDE, VecTS, VecNP, VecSS, VecGP:
		return true
	}
	return false
}

// Deliver delivers an exception. EIP is that of the instruction to return to.
// A fault while doing so is delivered in its place, or both become a double
// fault; a fault of that shuts the processor down.
func (c *CPU) Deliver(t Trap) {
	if t == Exception(VecMF) && c.CR0&CR0NE == 0 {
		c.freeze()
		return
	}
	c.Halted = false // HLT itself may be single-stepped
	for {
		v := eventOf(t)
		if t.After() && (v.vector == VecBP || v.vector == VecOF) {
			v.source = fromSoftware
		}
		switch v.vector {
		case VecPF:
			c.CR2 = uint32(c.faultAddress)
		case VecDB:
			c.DR[7] &^= dr7GD
		}
		c.record(&v)
		second := c.interrupt(&v)
		if second == NoTrap {
			return
		}
		if second.Vector() == VecPF {
			c.CR2 = uint32(c.faultAddress)
		}
		if v.source == fromSoftware && !second.After() {
			// INT3 and INTO that cannot enter their handler are faults.
			c.EIP = c.Start
		}
		first, next := v.vector, second.Vector()
		switch {
		case second == AfterInstruction(VecDB):
			// The handler is a task whose T bit is set: nothing went wrong.
		case first == VecDF:
			c.Shutdown = true
			return
		case contributory(first) && contributory(next),
			first == VecPF && (contributory(next) || next == VecPF):
			second = Fault(VecDF, 0)
		}
		t = second
	}
}

// AcceptInterrupt takes the vector of a pending interrupt and delivers it.
func (c *CPU) AcceptInterrupt() { c.deliverHardware(c.Pins.Acknowledge()) }

// AcceptNMI delivers the latched non-maskable interrupt.
func (c *CPU) AcceptNMI() {
	c.attention.And(^AttendNMI)
	c.NMIBlocked = true
	c.deliverHardware(VecNMI)
}

func (c *CPU) deliverHardware(vector uint8) {
	c.accepted(vector)
	v := event{vector: vector, source: fromHardware}
	if t := c.interrupt(&v); t != NoTrap {
		c.Deliver(t)
	}
}

// SoftwareInterrupt is INT n.
func (c *CPU) SoftwareInterrupt(vector uint8) Trap {
	if c.V86() {
		if c.CR4&CR4VME != 0 {
			redirect, t := c.redirected(vector)
			if t != NoTrap {
				return t
			}
			if redirect {
				c.unstepped = true
				return c.interruptVME(vector)
			}
		}
		if c.IOPL() < 3 {
			return GP(0)
		}
	}
	c.traceInterrupt("software", vector, c.Place())
	v := event{vector: vector, source: fromSoftware}
	return c.interrupt(&v)
}

// interrupt enters the handler of an event, or returns the fault of trying.
func (c *CPU) interrupt(v *event) Trap {
	from := c.place()
	t := c.enterHandler(v)
	if t == NoTrap || t.After() {
		c.unstepped = true
		c.branched(from)
	}
	return t
}

func (c *CPU) enterHandler(v *event) Trap {
	if c.CR0&CR0PE == 0 {
		return c.interruptReal(v.vector)
	}
	// The error code of a fault names the gate: bit 1 says it is in the IDT.
	code := uint16(v.vector)*8 + 2 + v.source.ext()
	if uint32(v.vector)*8+7 > c.IDTR.Limit {
		return GP(code)
	}
	g := descriptor{at: Linear(c.IDTR.Base + uint32(v.vector)*8)}
	var t Trap
	if g.low, t = c.ReadLinear(g.at, 4, Implicit); t != NoTrap {
		return t
	}
	if g.high, t = c.ReadLinear(g.at+4, 4, Implicit); t != NoTrap {
		return t
	}
	switch k := g.kind(); {
	case !g.system(), k != typeTaskGate && k&7 != typeInt16 && k&7 != typeTrap16:
		return GP(code)
	case v.source == fromSoftware && g.dpl() < c.CPL:
		return GP(code)
	case !g.present():
		return Fault(VecNP, code)
	case k == typeTaskGate:
		return c.interruptTask(&g, v)
	}
	return c.interruptGate(&g, v)
}

// interruptReal is the interrupt of real mode: four bytes a vector at the base
// of the IDT.
func (c *CPU) interruptReal(vector uint8) Trap {
	if uint32(vector)*4+3 > c.IDTR.Limit {
		return GP(0)
	}
	at := Linear(c.IDTR.Base + uint32(vector)*4)
	v, t := c.ReadLinear(at, 4, Implicit)
	if t != NoTrap {
		return t
	}
	f := c.currentFrame()
	if t := f.room(3, 2); t != NoTrap {
		return t
	}
	for _, w := range []uint32{c.EFLAGS | FlagOne, uint32(c.Seg[isa.CS].Selector), c.EIP} {
		if t := f.push(w, 2); t != NoTrap {
			return t
		}
	}
	f.commit()
	c.SetRealSegment(isa.CS, uint16(v>>16))
	c.EIP = v & 0xffff
	c.EFLAGS &^= FlagIF | FlagTF | FlagAC | FlagRF
	return NoTrap
}

// handler finds the code segment that an interrupt or trap gate names, for an
// event whose EXT bit is ext.
func (c *CPU) handler(selector, ext uint16) (descriptor, Trap) {
	if null(selector) {
		return descriptor{}, GP(ext)
	}
	d, t := c.need(selector, VecGP, ext)
	switch {
	case t != NoTrap:
	case !d.code() || d.dpl() > c.CPL:
		t = GP(index(selector) | ext)
	case !d.present():
		t = Fault(VecNP, index(selector)|ext)
	}
	return d, t
}

// interruptGate enters a handler through an interrupt or trap gate
// (Intel SDM Vol. 3A, "Exception- or Interrupt-Handler Procedures").
func (c *CPU) interruptGate(g *descriptor, v *event) Trap {
	ext := v.source.ext()
	selector := uint16(g.low >> 16)
	size := 2
	offset := g.low & 0xffff
	if g.kind()&8 != 0 {
		size = 4
		offset |= g.high & 0xffff0000
	}
	d, t := c.handler(selector, ext)
	if t != NoTrap {
		return t
	}
	inner := !d.conforming() && d.dpl() < c.CPL
	if c.V86() && (!inner || d.dpl() != 0) {
		return GP(index(selector) | ext)
	}
	cpl := c.CPL
	f := c.currentFrame()
	f.code = ext
	if inner {
		cpl = d.dpl()
		if f, t = c.innerFrame(cpl, ext); t != NoTrap {
			return t
		}
	}
	words, n := c.interruptFrame(v, inner)
	if t := f.room(n, size); t != NoTrap {
		return t
	}
	if offset > d.limit() {
		return GP(ext)
	}
	for _, w := range words[:n] {
		if t := f.push(w, size); t != NoTrap {
			return t
		}
	}
	from := c.V86()
	if t := c.setCS(selector, &d, cpl); t != NoTrap {
		return t
	}
	c.EIP = offset
	if inner {
		c.Seg[isa.SS] = f.seg
	}
	f.commit()
	if from {
		for _, s := range []isa.Seg{isa.ES, isa.DS, isa.FS, isa.GS} {
			c.Seg[s] = Segment{}
		}
	}
	c.EFLAGS &^= FlagTF | FlagNT | FlagRF | FlagVM
	if g.kind()&1 == 0 {
		c.EFLAGS &^= FlagIF
	}
	return NoTrap
}

// interruptFrame is what a handler finds on its stack, first pushed first.
func (c *CPU) interruptFrame(v *event, inner bool) (words [10]uint32, n int) {
	add := func(w uint32) { words[n] = w; n++ }
	if inner {
		if c.V86() {
			for _, s := range [...]isa.Seg{isa.GS, isa.FS, isa.DS, isa.ES} {
				add(uint32(c.Seg[s].Selector))
			}
		}
		add(uint32(c.Seg[isa.SS].Selector))
		add(c.Reg32(ESP))
	}
	flags := c.EFLAGS | FlagOne
	if v.resume {
		flags |= FlagRF
	}
	add(flags)
	add(uint32(c.Seg[isa.CS].Selector))
	add(c.EIP)
	if v.hasCode {
		add(uint32(v.code))
	}
	return words, n
}

// redirected reports whether the redirection bitmap of the TSS sends INT n in
// virtual-8086 mode to the 8086 program's own handler
// (Intel SDM Vol. 3B, "Software Interrupt Handling Methods").
func (c *CPU) redirected(vector uint8) (bool, Trap) {
	if c.TR.Access&8 == 0 || c.TR.Limit < 0x67 {
		return false, GP(0)
	}
	base, t := c.ReadLinear(Linear(c.TR.Base+0x66), 2, Implicit)
	if t != NoTrap {
		return false, t
	}
	at := base - 32 + uint32(vector/8)
	if base < 32 || at > c.TR.Limit {
		return false, GP(0)
	}
	bits, t := c.ReadLinear(Linear(c.TR.Base+at), 1, Implicit)
	return bits>>(vector&7)&1 == 0, t
}

// interruptVME enters an 8086 handler of the virtual-8086 program itself.
// Below IOPL 3, IF in the pushed image stands for VIF.
func (c *CPU) interruptVME(vector uint8) Trap {
	v, t := c.ReadLinear(Linear(vector)*4, 4, User)
	if t != NoTrap {
		return t
	}
	flags := c.EFLAGS | FlagOne
	flag := uint32(FlagIF)
	if c.IOPL() < 3 {
		flags = flags&^FlagIF | FlagIOPL
		if c.EFLAGS&FlagVIF != 0 {
			flags |= FlagIF
		}
		flag = FlagVIF
	}
	f := c.currentFrame()
	if t := f.room(3, 2); t != NoTrap {
		return t
	}
	for _, w := range []uint32{flags, uint32(c.Seg[isa.CS].Selector), c.EIP} {
		if t := f.push(w, 2); t != NoTrap {
			return t
		}
	}
	f.commit()
	c.SetRealSegment(isa.CS, uint16(v>>16))
	c.EIP = v & 0xffff
	c.EFLAGS &^= FlagTF | FlagNT | FlagRF | flag
	return NoTrap
}
