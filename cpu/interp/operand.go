package interp

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// offset is the effective address of in's memory operand.
func (e *Engine) offset(in *isa.Inst) uint32 {
	off := uint32(e.GPR[in.Base&15]) + uint32(e.GPR[in.Index&15])<<(in.Scale&3) + in.Disp
	if in.AddrSize == 2 {
		off &= 0xffff
	}
	return off
}

// address checks an access of n bytes at offset off of segment s and returns
// its linear address. n bytes are to be aligned to n if it is a power of two.
func (e *Engine) address(s isa.Seg, off uint32, n int, write bool) (uint32, cpu.Trap) {
	align := n
	if n&(n-1) != 0 {
		align = 1
	}
	return e.addressOf(s, off, n, align, write)
}

// addressOf is address for n bytes that are to be aligned to align, a power of
// two, when alignment is checked (Intel SDM Vol. 3A, "Alignment Check Exception").
func (e *Engine) addressOf(s isa.Seg, off uint32, n, align int, write bool) (uint32, cpu.Trap) {
	l := e.base[s&7] + off
	if e.mode>>s&cpu.ModeFlatES == 0 || write && s == isa.CS || off > -uint32(n) && n > 1 {
		if t := e.Check(s, off, n, write); t != cpu.NoTrap {
			return 0, t
		}
	}
	if e.mode&cpu.ModeAligned != 0 && l&uint32(align-1) != 0 {
		return 0, cpu.Fault(cpu.VecAC, 0)
	}
	return l, cpu.NoTrap
}

// inParts is addressOf for an operand of which n bytes are accessed before m
// more: a page fault of the first part precedes the limit of the second.
func (e *Engine) inParts(s isa.Seg, off uint32, n, m, align int, write bool) (uint32, cpu.Trap) {
	l, t := e.addressOf(s, off, n+m, align, write)
	if t == cpu.NoTrap {
		return l, t
	}
	first, early := e.addressOf(s, off, n, align, write)
	if early == cpu.NoTrap {
		a := e.Data()
		if write {
			a |= cpu.Write
		}
		early = e.Probe(cpu.Linear(first), n, a)
	}
	if early != cpu.NoTrap {
		t = early
	}
	return 0, t
}

// memory is the linear address of in's memory operand of n bytes.
func (e *Engine) memory(in *isa.Inst, n int, write bool) (uint32, cpu.Trap) {
	return e.address(in.Seg, e.offset(in), n, write)
}

// load reads size bytes (1, 2 or 4) at a linear address.
func (e *Engine) load(l uint32, size uint8) (uint32, cpu.Trap) {
	switch size {
	case 1:
		return e.load8(l)
	case 2:
		return e.load16(l)
	}
	return e.load32(l)
}

// store writes size bytes (1, 2 or 4) at a linear address.
func (e *Engine) store(l uint32, size uint8, v uint32) cpu.Trap {
	switch size {
	case 1:
		return e.store8(l, v)
	case 2:
		return e.store16(l, v)
	}
	return e.store32(l, v)
}

// register reads a general register operand, zero-extended.
func (e *Engine) register(a isa.Arg) uint32 {
	switch a.Kind() {
	case isa.Reg8:
		return uint32(e.Reg8(a.Num()))
	case isa.Reg16:
		return uint32(e.Reg16(a.Num()))
	}
	return e.Reg32(a.Num())
}

// setRegister replaces a general register operand.
func (e *Engine) setRegister(a isa.Arg, v uint32) {
	switch a.Kind() {
	case isa.Reg8:
		e.SetReg8(a.Num(), uint8(v))
	case isa.Reg16:
		e.SetReg16(a.Num(), uint16(v))
	default:
		e.SetReg32(a.Num(), v)
	}
}

// size is the width in bytes of operand a of in.
func size(in *isa.Inst, a isa.Arg) uint8 {
	switch a.Kind() {
	case isa.Reg8:
		return 1
	case isa.Reg16:
		return 2
	case isa.Reg32:
		return 4
	case isa.Mem:
		return in.Width
	}
	return in.OpSize
}

// value reads operand a of in: a general register, memory or an immediate.
func (e *Engine) value(in *isa.Inst, a isa.Arg) (uint32, cpu.Trap) {
	switch a.Kind() {
	case isa.Mem:
		l, t := e.memory(in, int(in.Width), false)
		if t != cpu.NoTrap {
			return 0, t
		}
		return e.load(l, in.Width)
	case isa.Imm:
		return in.Imm, cpu.NoTrap
	case isa.Imm2:
		return uint32(in.Imm2), cpu.NoTrap
	}
	return e.register(a), cpu.NoTrap
}

// setValue writes operand a of in: a general register or memory.
func (e *Engine) setValue(in *isa.Inst, a isa.Arg, v uint32) cpu.Trap {
	if a.Kind() == isa.Mem {
		l, t := e.memory(in, int(in.Width), true)
		if t != cpu.NoTrap {
			return t
		}
		return e.store(l, in.Width, v)
	}
	e.setRegister(a, v)
	return cpu.NoTrap
}

// A place is a destination that is read first: memory is checked for writing
// before the operation, so that a fault leaves everything as it was.
type place struct {
	arg    isa.Arg
	size   uint8
	linear uint32
}

// modify opens operand a of in and reads it.
func (e *Engine) modify(in *isa.Inst, a isa.Arg) (p place, v uint32, t cpu.Trap) {
	p = place{arg: a, size: size(in, a)}
	if a.Kind() != isa.Mem {
		return p, e.register(a), cpu.NoTrap
	}
	if p.linear, t = e.memory(in, int(p.size), true); t != cpu.NoTrap {
		return p, 0, t
	}
	if e.write[p.linear>>12] == 0 || p.linear&0xfff+uint32(p.size) > 0x1000 {
		if t = e.Probe(cpu.Linear(p.linear), int(p.size), e.Data()|cpu.Write); t != cpu.NoTrap {
			return p, 0, t
		}
	}
	v, t = e.load(p.linear, p.size)
	return p, v, t
}

// finish writes the result to a place that modify opened.
func (e *Engine) finish(p place, v uint32) cpu.Trap {
	if p.arg.Kind() == isa.Mem {
		return e.store(p.linear, p.size, v)
	}
	e.setRegister(p.arg, v)
	return cpu.NoTrap
}

// sp is the stack pointer, SP or ESP.
func (e *Engine) sp() uint32 { return uint32(e.GPR[cpu.ESP]) & e.stackMask }

// setSP replaces the stack pointer; with a 16-bit stack ESP keeps its upper half.
func (e *Engine) setSP(v uint32) {
	e.GPR[cpu.ESP] = e.GPR[cpu.ESP]&^uint64(e.stackMask) | uint64(v&e.stackMask)
}

// push stores size bytes below the stack pointer and moves it.
func (e *Engine) push(v uint32, size uint8) cpu.Trap {
	sp := (e.sp() - uint32(size)) & e.stackMask
	l, t := e.address(isa.SS, sp, int(size), true)
	if t != cpu.NoTrap {
		return t
	}
	if t := e.store(l, size, v); t != cpu.NoTrap {
		return t
	}
	e.setSP(sp)
	return cpu.NoTrap
}

// top reads size bytes at depth bytes above the stack pointer.
func (e *Engine) top(depth uint32, size uint8) (uint32, cpu.Trap) {
	l, t := e.address(isa.SS, (e.sp()+depth)&e.stackMask, int(size), false)
	if t != cpu.NoTrap {
		return 0, t
	}
	return e.load(l, size)
}

// pop reads size bytes at the stack pointer and moves it.
func (e *Engine) pop(size uint8) (uint32, cpu.Trap) {
	v, t := e.top(0, size)
	if t == cpu.NoTrap {
		e.setSP(e.sp() + uint32(size))
	}
	return v, t
}

// system runs an operation of the processor's own on whole EFLAGS, and takes
// up what it left.
func (e *Engine) system(op func() cpu.Trap) cpu.Trap {
	e.pause()
	t := op()
	e.flags.set(e.EFLAGS)
	return t
}
