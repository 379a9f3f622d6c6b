package interp

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// cpl0 guards an operation that needs privilege level 0.
func cpl0(op func(*Engine, *isa.Inst) cpu.Trap) func(*Engine, *isa.Inst) cpu.Trap {
	return func(e *Engine, in *isa.Inst) cpu.Trap {
		if e.CPL != 0 {
			return cpu.GP(0)
		}
		return op(e, in)
	}
}

// protected guards an operation that real and virtual-8086 mode do not have.
func protected(op func(*Engine, *isa.Inst) cpu.Trap) func(*Engine, *isa.Inst) cpu.Trap {
	return func(e *Engine, in *isa.Inst) cpu.Trap {
		if !e.Protected() {
			return cpu.UD()
		}
		return op(e, in)
	}
}

func hlt(e *Engine, _ *isa.Inst) cpu.Trap {
	e.Halted = true
	return cpu.NoTrap
}

// cli and sti obey IOPL, CR4.VME and CR4.PVI (Intel SDM Vol. 2, "CLI", "STI").
func cli(e *Engine, _ *isa.Inst) cpu.Trap {
	return e.interruptFlag(false)
}

func sti(e *Engine, _ *isa.Inst) cpu.Trap {
	was := e.EFLAGS&cpu.FlagIF != 0
	t := e.interruptFlag(true)
	// The instruction after STI is executed before an interrupt is taken.
	e.Shadow = t == cpu.NoTrap && !was && e.EFLAGS&cpu.FlagIF != 0
	return t
}

func (e *Engine) interruptFlag(on bool) cpu.Trap {
	flag := uint32(cpu.FlagIF)
	if e.CR0&cpu.CR0PE != 0 && e.CPL > e.IOPL() {
		virtual := e.V86() && e.CR4&cpu.CR4VME != 0 || !e.V86() && e.CPL == 3 && e.CR4&cpu.CR4PVI != 0
		if !virtual || on && e.EFLAGS&cpu.FlagVIP != 0 {
			return cpu.GP(0)
		}
		flag = cpu.FlagVIF
	}
	if on {
		e.EFLAGS |= flag
	} else {
		e.EFLAGS &^= flag
	}
	return cpu.NoTrap
}

func movSegment(e *Engine, in *isa.Inst) cpu.Trap {
	a, b := in.Args[0], in.Args[1]
	if b.Kind() == isa.SReg {
		sel := uint32(e.Seg[b.Num()].Selector)
		if a.Kind() == isa.Mem {
			l, t := e.memory(in, 2, true)
			if t != cpu.NoTrap {
				return t
			}
			return e.store16(l, sel)
		}
		e.setRegister(a, sel)
		return cpu.NoTrap
	}
	sel, t := e.selector(in, b)
	if t != cpu.NoTrap {
		return t
	}
	s := isa.Seg(a.Num())
	if t := e.LoadSegment(s, sel); t != cpu.NoTrap {
		return t
	}
	e.Shadow = s == isa.SS
	return cpu.NoTrap
}

// selector reads a 16-bit operand.
func (e *Engine) selector(in *isa.Inst, a isa.Arg) (uint16, cpu.Trap) {
	if a.Kind() != isa.Mem {
		return uint16(e.register(a)), cpu.NoTrap
	}
	l, t := e.memory(in, 2, false)
	if t != cpu.NoTrap {
		return 0, t
	}
	v, t := e.load16(l)
	return uint16(v), t
}

// storeSelector writes a 16-bit result: to a register zero-extended.
func (e *Engine) storeSelector(in *isa.Inst, v uint32) cpu.Trap {
	if in.Args[0].Kind() == isa.Mem {
		l, t := e.memory(in, 2, true)
		if t != cpu.NoTrap {
			return t
		}
		return e.store16(l, v)
	}
	e.setRegister(in.Args[0], v)
	return cpu.NoTrap
}

func movControl(e *Engine, in *isa.Inst) cpu.Trap {
	a, b := in.Args[0], in.Args[1]
	if b.Kind() == isa.CReg {
		v, ok := e.controlRegister(b.Num())
		if !ok {
			return cpu.UD()
		}
		e.SetReg32(a.Num(), v)
		return cpu.NoTrap
	}
	v := e.Reg32(b.Num())
	switch a.Num() {
	case 0:
		return e.SetCR0(v)
	case 2:
		e.CR2 = v
		return cpu.NoTrap
	case 3:
		return e.SetCR3(v)
	case 4:
		return e.SetCR4(v)
	}
	return cpu.UD()
}

func (e *Engine) controlRegister(n uint8) (uint32, bool) {
	switch n {
	case 0:
		return e.CR0, true
	case 2:
		return e.CR2, true
	case 3:
		return e.CR3, true
	case 4:
		return e.CR4, true
	}
	return 0, false
}

func movDebug(e *Engine, in *isa.Inst) cpu.Trap {
	a, b := in.Args[0], in.Args[1]
	if b.Kind() == isa.DReg {
		v, t := e.ReadDebug(b.Num())
		if t == cpu.NoTrap {
			e.SetReg32(a.Num(), v)
		}
		return t
	}
	return e.WriteDebug(a.Num(), e.Reg32(b.Num()))
}

func clts(e *Engine, _ *isa.Inst) cpu.Trap {
	e.CR0 &^= cpu.CR0TS
	return cpu.NoTrap
}

func smsw(e *Engine, in *isa.Inst) cpu.Trap { return e.storeSelector(in, e.CR0) }

func lmsw(e *Engine, in *isa.Inst) cpu.Trap {
	v, t := e.selector(in, in.Args[0])
	if t != cpu.NoTrap {
		return t
	}
	const bits = cpu.CR0PE | cpu.CR0MP | cpu.CR0EM | cpu.CR0TS
	// LMSW can set PE but not clear it.
	return e.SetCR0(e.CR0&^(bits&^cpu.CR0PE) | uint32(v)&bits)
}

// loadTable is LGDT or LIDT.
func loadTable(of func(*Engine) *cpu.Segment) func(*Engine, *isa.Inst) cpu.Trap {
	return func(e *Engine, in *isa.Inst) cpu.Trap {
		l, t := e.memory(in, 6, false)
		if t != cpu.NoTrap {
			return t
		}
		limit, t := e.load16(l)
		if t != cpu.NoTrap {
			return t
		}
		base, t := e.load32(l + 2)
		if t != cpu.NoTrap {
			return t
		}
		if in.OpSize == 2 {
			base &= 0xffffff
		}
		r := of(e)
		r.Limit, r.Base = limit, base
		return cpu.NoTrap
	}
}

// storeTable is SGDT or SIDT. All 32 bits of the base are stored whatever the
// operand size, as processors since the 386 do.
func storeTable(of func(*Engine) *cpu.Segment) func(*Engine, *isa.Inst) cpu.Trap {
	return func(e *Engine, in *isa.Inst) cpu.Trap {
		l, t := e.memory(in, 6, true)
		if t == cpu.NoTrap {
			t = e.Probe(cpu.Linear(l), 6, e.Data()|cpu.Write)
		}
		if t != cpu.NoTrap {
			return t
		}
		r := of(e)
		if t := e.store16(l, r.Limit); t != cpu.NoTrap {
			return t
		}
		return e.store32(l+2, r.Base)
	}
}

func gdtr(e *Engine) *cpu.Segment { return &e.GDTR }
func idtr(e *Engine) *cpu.Segment { return &e.IDTR }

func sldt(e *Engine, in *isa.Inst) cpu.Trap { return e.storeSelector(in, uint32(e.LDTR.Selector)) }
func str_(e *Engine, in *isa.Inst) cpu.Trap { return e.storeSelector(in, uint32(e.TR.Selector)) }

func lldt(e *Engine, in *isa.Inst) cpu.Trap {
	sel, t := e.selector(in, in.Args[0])
	if t != cpu.NoTrap {
		return t
	}
	return e.LoadLDT(sel)
}

func ltr(e *Engine, in *isa.Inst) cpu.Trap {
	sel, t := e.selector(in, in.Args[0])
	if t != cpu.NoTrap {
		return t
	}
	return e.LoadTR(sel)
}

// setZF replaces ZF and nothing else.
func (e *Engine) setZF(on bool) {
	w := e.flags.word() &^ cpu.FlagZF
	if on {
		w |= cpu.FlagZF
	}
	e.flags.set(w)
}

// inspect is LAR or LSL: what it finds is loaded only if it may be seen.
func inspect(of func(e *Engine, sel uint16) (uint32, bool, cpu.Trap)) func(*Engine, *isa.Inst) cpu.Trap {
	return func(e *Engine, in *isa.Inst) cpu.Trap {
		sel, t := e.selector(in, in.Args[1])
		if t != cpu.NoTrap {
			return t
		}
		v, ok, t := of(e, sel)
		if t != cpu.NoTrap {
			return t
		}
		if ok {
			e.setRegister(in.Args[0], v)
		}
		e.setZF(ok)
		return cpu.NoTrap
	}
}

func lar(e *Engine, sel uint16) (uint32, bool, cpu.Trap) { return e.LoadAccessRights(sel) }
func lsl(e *Engine, sel uint16) (uint32, bool, cpu.Trap) { return e.SegmentLimit(sel) }

// verify is VERR or VERW.
func verify(write bool) func(*Engine, *isa.Inst) cpu.Trap {
	return func(e *Engine, in *isa.Inst) cpu.Trap {
		sel, t := e.selector(in, in.Args[0])
		if t != cpu.NoTrap {
			return t
		}
		ok, t := e.Verify(sel, write)
		if t == cpu.NoTrap {
			e.setZF(ok)
		}
		return t
	}
}

func arpl(e *Engine, in *isa.Inst) cpu.Trap {
	a, t := e.value(in, in.Args[0])
	if t != cpu.NoTrap {
		return t
	}
	rpl := e.register(in.Args[1]) & 3
	lower := a&3 < rpl
	if lower { // else the destination need not be writable
		if t := e.setValue(in, in.Args[0], a&^3|rpl); t != cpu.NoTrap {
			return t
		}
	}
	e.setZF(lower)
	return cpu.NoTrap
}

// clflush has no cache to flush, but faults like the load of a byte, which
// execute-only segments allow.
func clflush(e *Engine, in *isa.Inst) cpu.Trap {
	if in.Seg != isa.CS {
		if _, t := e.memory(in, 1, false); t != cpu.NoTrap {
			return t
		}
	} else if e.offset(in) > e.Seg[isa.CS].Limit {
		return cpu.GP(0)
	}
	_, t := e.load8(e.base[in.Seg&7] + e.offset(in))
	return t
}

func invlpg(e *Engine, in *isa.Inst) cpu.Trap {
	l := cpu.Linear(e.base[in.Seg&7] + e.offset(in))
	e.TraceFlush(l)
	e.TLB.FlushPage(l)
	return cpu.NoTrap
}

func cpuid(e *Engine, _ *isa.Inst) cpu.Trap {
	a, b, c, d := e.CPUID(e.Reg32(cpu.EAX), e.Reg32(cpu.ECX))
	e.SetReg32(cpu.EAX, a)
	e.SetReg32(cpu.EBX, b)
	e.SetReg32(cpu.ECX, c)
	e.SetReg32(cpu.EDX, d)
	return cpu.NoTrap
}

func rdtsc(e *Engine, _ *isa.Inst) cpu.Trap {
	if e.CR4&cpu.CR4TSD != 0 && e.CPL != 0 {
		return cpu.GP(0)
	}
	e.setPair(e.TSC())
	return cpu.NoTrap
}

// rdpmc: no performance counters are reported, so none can be read.
func rdpmc(*Engine, *isa.Inst) cpu.Trap { return cpu.GP(0) }

// setPair puts v in EDX:EAX.
func (e *Engine) setPair(v uint64) {
	e.SetReg32(cpu.EAX, uint32(v))
	e.SetReg32(cpu.EDX, uint32(v>>32))
}

func rdmsr(e *Engine, _ *isa.Inst) cpu.Trap {
	v, t := e.ReadMSR(e.Reg32(cpu.ECX))
	if t == cpu.NoTrap {
		e.setPair(v)
	}
	return t
}

func wrmsr(e *Engine, _ *isa.Inst) cpu.Trap {
	return e.WriteMSR(e.Reg32(cpu.ECX), e.GPR[cpu.EDX]<<32|e.GPR[cpu.EAX])
}

func sysenter(e *Engine, _ *isa.Inst) cpu.Trap { return e.system(e.SysEnter) }
func sysexit(e *Engine, _ *isa.Inst) cpu.Trap  { return e.system(e.SysExit) }

func intn(e *Engine, in *isa.Inst) cpu.Trap {
	return e.system(func() cpu.Trap { return e.SoftwareInterrupt(uint8(in.Imm)) })
}

func int3(*Engine, *isa.Inst) cpu.Trap { return cpu.AfterInstruction(cpu.VecBP) }

func into(e *Engine, _ *isa.Inst) cpu.Trap {
	if !e.flags.of() {
		return cpu.NoTrap
	}
	return cpu.AfterInstruction(cpu.VecOF)
}

func int1(*Engine, *isa.Inst) cpu.Trap { return cpu.AfterInstruction(cpu.VecDB) }

// checkIO checks IOPL and the I/O permission bitmap. What the bitmap says may
// be a page fault, so EFLAGS is made whole.
func (e *Engine) checkIO(port uint16, n uint8) cpu.Trap {
	if e.CPL <= e.IOPL() && !e.V86() || !e.Protected() && !e.V86() {
		return cpu.NoTrap
	}
	return e.CheckIO(port, int(n))
}

// portIn reads a port. The access was checked, but may meet a breakpoint.
func (e *Engine) portIn(port uint16, n uint8) uint32 {
	if e.mode&cpu.ModeStep != 0 {
		e.MatchIO(port, int(n))
	}
	return e.ReadPort(port, n)
}

// portOut writes a port, as portIn reads it.
func (e *Engine) portOut(port uint16, n uint8, v uint32) {
	if e.mode&cpu.ModeStep != 0 {
		e.MatchIO(port, int(n))
	}
	e.WritePort(port, n, v)
}

func in_(e *Engine, in *isa.Inst) cpu.Trap {
	n := size(in, in.Args[0])
	port := e.port(in, in.Args[1])
	if t := e.checkIO(port, n); t != cpu.NoTrap {
		return t
	}
	e.setRegister(in.Args[0], e.portIn(port, n))
	return cpu.NoTrap
}

func out(e *Engine, in *isa.Inst) cpu.Trap {
	n := size(in, in.Args[1])
	port := e.port(in, in.Args[0])
	if t := e.checkIO(port, n); t != cpu.NoTrap {
		return t
	}
	e.portOut(port, n, e.register(in.Args[1]))
	return cpu.NoTrap
}

// port is a port number: an immediate byte, or DX.
func (e *Engine) port(in *isa.Inst, a isa.Arg) uint16 {
	if a == isa.Imm {
		return uint16(in.Imm & 0xff)
	}
	return e.Reg16(cpu.EDX)
}
