package jit

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// Instructions of the system that are too frequent for the interpreter: they do
// what it does, by the processor's own methods, without the way there.

// An order is a system instruction that a site wants executed.
type order struct {
	op isa.Op
	// segment is that of a load of a segment register, whose selector is in
	// context.argument.
	segment isa.Seg
	imm     uint8
	// size is that of the operand.
	size uint8
	// indirect says that a port is the one in DX, not imm.
	indirect bool
}

// orderOf is the order for a step, with no operation if it is not among them.
func orderOf(s *step) order {
	in := &s.Inst
	switch in.Op {
	case isa.RDTSC, isa.SYSENTER, isa.SYSEXIT:
		return order{op: in.Op}
	case isa.IRET:
		return order{op: in.Op, size: in.OpSize}
	case isa.INT:
		return order{op: in.Op, imm: uint8(in.Imm)}
	case isa.IN:
		return order{op: in.Op, imm: uint8(in.Imm), size: in.OpSize, indirect: in.Args[1] != isa.Imm}
	case isa.OUT:
		return order{op: in.Op, imm: uint8(in.Imm), size: in.OpSize, indirect: in.Args[0] != isa.Imm}
	case isa.MOVSREG, isa.POP:
		if s.how == howLoadSegment {
			return order{op: in.Op, segment: isa.Seg(in.Args[0].Num()), size: in.OpSize}
		}
	}
	return order{}
}

// obey executes the order of s and reports whether it could. If not, nothing has
// changed, and the interpreter is to do it.
func (e *Engine) obey(s *site) bool {
	t := cpu.NoTrap
	eip := e.EIP
	e.Start, e.EIP = eip, s.next()
	switch o := &s.order; o.op {
	case isa.RDTSC:
		if e.CR4&cpu.CR4TSD != 0 && e.CPL != 0 {
			t = cpu.GP(0)
			break
		}
		v := e.TSC()
		e.SetReg32(cpu.EAX, uint32(v))
		e.SetReg32(cpu.EDX, uint32(v>>32))
	case isa.SYSENTER:
		t = e.SysEnter()
	case isa.SYSEXIT:
		t = e.SysExit()
	case isa.IRET:
		t = e.InterruptReturn(int(o.size))
	case isa.INT:
		t = e.SoftwareInterrupt(o.imm)
	case isa.IN, isa.OUT:
		if e.CR0&cpu.CR0PE != 0 && (e.V86() || e.CPL > e.IOPL()) {
			t = cpu.GP(0) // or not: the TSS says it
			break
		}
		e.port(o)
	case isa.MOVSREG:
		t = e.load(o.segment, uint16(e.region.argument))
	case isa.POP:
		if t = e.load(o.segment, uint16(e.region.argument)); t == cpu.NoTrap {
			e.popped(o.size)
		}
	}
	if t != cpu.NoTrap {
		e.EIP = eip
		return false
	}
	return true
}

// port reads or writes the port of o, which the guest may access.
func (e *Engine) port(o *order) {
	port := uint16(o.imm)
	if o.indirect {
		port = e.Reg16(cpu.EDX)
	}
	if o.op == isa.OUT {
		e.WritePort(port, o.size, e.Reg32(cpu.EAX)&(1<<(8*uint32(o.size))-1))
		return
	}
	switch v := e.ReadPort(port, o.size); o.size {
	case 1:
		e.SetReg8(cpu.EAX, uint8(v))
	case 2:
		e.SetReg16(cpu.EAX, uint16(v))
	default:
		e.SetReg32(cpu.EAX, v)
	}
}

// popped moves the stack pointer up by size bytes.
func (e *Engine) popped(size uint8) {
	if e.Stack32() {
		e.SetReg32(cpu.ESP, e.Reg32(cpu.ESP)+uint32(size))
	} else {
		e.SetReg16(cpu.ESP, e.Reg16(cpu.ESP)+uint16(size))
	}
}

// load loads a segment register and remembers what of.
func (e *Engine) load(s isa.Seg, selector uint16) cpu.Trap {
	t := e.LoadSegment(s, selector)
	const indirect = 4 // the table is the LDT
	slot := int(selector >> 3)
	if t != cpu.NoTrap || selector&indirect != 0 || slot >= loadSlots || e.region.gdt == 0 {
		return t
	}
	g := &e.Seg[s]
	l := loaded{selector: uint32(selector), cpl: uint32(e.CPL), segment: *g, base: g.Base, known: 1}
	l.descriptor = peek64(e.region.gdt, uint32(selector&^7))
	l.reach = unreachable
	if e.Mode()>>s&cpu.ModeFlatES != 0 {
		l.flat, l.reach = 1, 0
		if g.Base == 0 {
			l.flatZero = 1
		}
	}
	e.region.loads[slot] = l
	return cpu.NoTrap
}
