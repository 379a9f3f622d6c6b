package interp

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/block"
	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/mem"
)

// An Engine executes one CPU. It implements cpu.Engine.
type Engine struct {
	*cpu.CPU
	cache *block.Cache
	flags flags

	// What is derived from the mode while a run lasts.
	mode       cpu.Mode
	read       *cpu.Table // the view of the current privilege
	write      *cpu.Table
	base       [8]uint32 // segment bases
	codeBase   uint32
	stackMask  uint32 // 0xffff with a 16-bit stack, else all ones
	stackSize  uint8  // 2 or 4: the width of the stack pointer
	wholeStack bool   // SS is flat and the stack pointer is ESP

	// jump leads from linear addresses to blocks: the index of the block last
	// found at an address of that hash.
	jump [jumpSlots]int32
	// from and fromTaken are where the next block found is to be linked.
	from      *block.Block
	fromTaken int
	left      int64
	// exec has the semantics of every operation.
	exec *[isa.NumOps]func(*Engine, *isa.Inst) cpu.Trap

	// start is the EIP of the block being executed. When it has ended, eip is
	// where control goes and taken, 0 or 1, which way; or fault why it stopped.
	start, eip uint32
	taken      uint8
	fault      cpu.Trap
	unit       unitArea
}

const jumpSlots = 1 << 13

var _ cpu.Engine = (*Engine)(nil)

// New returns an engine for c.
func New(c *cpu.CPU) *Engine {
	e := &Engine{CPU: c, exec: &exec}
	e.cache = block.New(c, e.prepare)
	return e
}

// NewPure is New without the host's arithmetic units, whose transcendental
// results and estimates differ from host to host: every result is then the same
// on all of them.
func NewPure(c *cpu.CPU) *Engine {
	e := New(c)
	e.exec = &pureExec
	return e
}

// Forget implements cpu.Engine.
func (e *Engine) Forget(at, n uint32) { e.cache.Forget(at, n) }

// OnForget makes e tell which code it forgets, as block.Cache.OnForget says.
func (e *Engine) OnForget(fn func(at mem.Addr, n int) uint64) { e.cache.OnForget(fn) }

// Step executes the instruction at CS:EIP and no more: no interrupt is accepted
// and no trap flag looked at. It returns what it took of a budget, and whether
// it ended in an exception.
func (e *Engine) Step() (retired uint64, fault bool) {
	e.left = 0
	e.resume()
	e.from = nil
	e.fault = cpu.NoTrap
	switch i, t := e.cache.Find(cpu.Linear(e.codeBase+e.EIP), e.mode); {
	case e.mode&cpu.ModeFlatCS == 0 && e.EIP > e.Seg[isa.CS].Limit:
		e.fault = cpu.GP(0)
		e.raise(e.fault, e.EIP)
	case t != cpu.NoTrap:
		e.fault = t
		e.raise(e.withinCode(t), e.EIP)
	default:
		e.Shadow = false
		e.single(e.cache.At(i))
	}
	e.pause()
	return uint64(-e.left), e.fault != cpu.NoTrap
}

// Run implements cpu.Engine.
func (e *Engine) Run(budget uint64) (retired uint64, why cpu.Exit) {
	e.left = int64(budget)
	e.resume()
	for {
		if e.Shutdown {
			why = cpu.Shutdown
			break
		}
		if a := e.Attention(); a != 0 {
			if a&cpu.AttendKick != 0 {
				why = cpu.Kicked
				break
			}
			if a&cpu.AttendStop != 0 {
				why = cpu.Stopped
				break
			}
			e.attend(a)
		}
		if e.Halted {
			why = cpu.Halted
			break
		}
		if e.left <= 0 {
			why = cpu.Spent
			break
		}
		e.step()
	}
	e.pause()
	return uint64(int64(budget) - e.left), why
}

// resume derives what the engine keeps from the architectural state.
func (e *Engine) resume() {
	e.flags.set(e.EFLAGS)
	e.enter()
}

// enter derives what depends on the mode.
func (e *Engine) enter() {
	e.mode = e.Mode()
	view := e.DataView()
	e.read, e.write = e.TLB.View[view+cpu.ReadView], e.TLB.View[view+cpu.WriteView]
	if e.mode&cpu.ModeStep != 0 {
		e.read, e.write = e.TLB.Blank, e.TLB.Blank // breakpoints are matched on the slow path
	}
	for i := range e.Seg {
		e.base[i] = e.Seg[i].Base
	}
	e.codeBase = e.base[isa.CS]
	e.stackMask, e.stackSize = 0xffff, 2
	if e.mode&cpu.ModeStack32 != 0 {
		e.stackMask, e.stackSize = 0xffffffff, 4
	}
	e.wholeStack = e.mode&(cpu.ModeStack32|cpu.ModeFlatSS) == cpu.ModeStack32|cpu.ModeFlatSS
}

// pause makes EFLAGS whole.
func (e *Engine) pause() { e.EFLAGS = e.EFLAGS&^cpu.FlagsStatus | e.flags.word() }

// attend accepts an NMI or an interrupt, if the processor would now.
func (e *Engine) attend(a uint32) {
	if e.Monitor.Masked {
		return
	}
	nmi := a&cpu.AttendNMI != 0 && !e.NMIBlocked && !e.Shadow
	if !nmi && !(a&cpu.AttendINTR != 0 && e.Interruptible()) {
		return
	}
	e.pause()
	e.Halted = false
	e.Start = e.EIP
	if nmi {
		e.AcceptNMI()
	} else {
		e.AcceptInterrupt()
	}
	e.resume()
}

// step runs blocks from EIP on until something must be looked at anew.
func (e *Engine) step() {
	if e.mode&cpu.ModeFlatCS == 0 && e.EIP > e.Seg[isa.CS].Limit {
		e.raise(cpu.GP(0), e.EIP)
		return
	}
	e.Last.Enter(cpu.Linear(e.codeBase + e.EIP))
	shadow := e.Shadow
	if e.mode&cpu.ModeStep != 0 {
		e.stepOne()
		return
	}
	l := cpu.Linear(e.codeBase + e.EIP)
	i := e.lookup(uint32(l))
	if i == 0 {
		if e.BreaksNear(l) {
			e.stepOne()
			return
		}
		var t cpu.Trap
		if i, t = e.cache.Find(l, e.mode); t != cpu.NoTrap {
			e.from = nil
			e.raise(e.withinCode(t), e.EIP)
			return
		}
		e.jump[slot(uint32(l))] = i
	}
	if e.from != nil {
		e.from.Link[e.fromTaken] = i
		e.from = nil
	}
	b := e.cache.At(i)
	e.Shadow = false
	if shadow || !e.withinLimit(b) {
		e.single(b)
		return
	}
	e.execute(b)
}

// withinLimit reports whether the whole block lies within the code segment. If
// not, its instructions are taken one at a time; the one that crosses faults.
func (e *Engine) withinLimit(b *block.Block) bool {
	return e.mode&cpu.ModeFlatCS != 0 || uint64(e.EIP)+uint64(b.Bytes)-1 <= uint64(e.Seg[isa.CS].Limit)
}

// fetched reports a fault if in, at EIP, crosses the limit of the code segment.
func (e *Engine) fetched(in *isa.Inst) cpu.Trap {
	if e.mode&cpu.ModeFlatCS == 0 && uint64(e.EIP)+uint64(in.Len)-1 > uint64(e.Seg[isa.CS].Limit) {
		return cpu.GP(0)
	}
	return cpu.NoTrap
}

// withinCode is t, a fault of fetching, unless what it fetched lies beyond the
// limit of the code segment.
func (e *Engine) withinCode(t cpu.Trap) cpu.Trap {
	if e.mode&cpu.ModeFlatCS == 0 && t.Vector() == cpu.VecPF &&
		uint32(e.FaultAddress())-e.codeBase > e.Seg[isa.CS].Limit {
		return cpu.GP(0)
	}
	return t
}

// stepOne executes one instruction between its debug checks
// (Intel SDM Vol. 3B, "Debug Exceptions").
func (e *Engine) stepOne() {
	e.from = nil
	l := cpu.Linear(e.codeBase + e.EIP)
	if e.Breaks(l) {
		return
	}
	e.pause()
	stepped := e.EFLAGS&cpu.FlagTF != 0
	e.Start = e.EIP
	if t := e.BeforeStep(); t != cpu.NoTrap {
		e.raise(t, e.EIP)
		return
	}
	// In a page with a breakpoint the mode may be another: blocks found here
	// are kept apart, or other blocks would lead to them.
	i, t := e.cache.Find(l, e.mode|cpu.ModeStep)
	if t != cpu.NoTrap {
		e.raise(e.withinCode(t), e.EIP)
		return
	}
	e.Shadow = false
	if see := e.Monitor.See; see != nil {
		see(l, &e.cache.Insts(e.cache.At(i))[0])
	}
	if e.single(e.cache.At(i)); e.fault != cpu.NoTrap {
		return
	}
	e.pause()
	if e.Shadow && e.cache.Insts(e.cache.At(i))[0].Op != isa.STI {
		// A load of SS: what loads ESP comes first.
		e.EndWatch()
		return
	}
	if t := e.AfterStep(stepped); t != cpu.NoTrap {
		e.raise(t, e.EIP)
	}
	e.EndWatch()
}

func slot(l uint32) uint32 { return (l ^ l>>13) & (jumpSlots - 1) }

// lookup returns the block known to lie at linear address l, or 0.
func (e *Engine) lookup(l uint32) int32 {
	i := e.jump[slot(l)]
	if b := e.cache.At(i); b.Linear == l && b.Epoch == e.TLB.Epoch && b.Mode == e.mode && !b.Dead {
		return i
	}
	return 0
}

// raise delivers an exception of the instruction at start.
func (e *Engine) raise(t cpu.Trap, start uint32) {
	// Faults alone use up the budget too: a guest may do nothing else.
	e.left--
	e.pause()
	e.Start = start
	if !t.After() {
		e.EIP = start
	}
	e.Shadow = false
	e.Deliver(t)
	e.resume()
}

//go:generate go run ./gen

// prepare chooses the handlers of a new block's instructions.
func (e *Engine) prepare(b *block.Block, insts []isa.Inst) {
	for i := range insts {
		insts[i].Handler = choose(&insts[i], b.Mode)
	}
	last := len(insts) - 1
	if last < 1 {
		return
	}
	if j := &insts[last]; j.Handler >= hJO && j.Handler <= hJNLE {
		p := &insts[last-1].Handler
		*p = fuse(*p, uint8(j.Op-isa.JO))
	}
}

// flat reports whether in's memory operand needs no check in mode m. CS is
// flat when it may be read; it is never written.
func flat(in *isa.Inst, m cpu.Mode) bool {
	if _, writes := in.Memory(); writes && in.Seg == isa.CS {
		return false
	}
	return in.AddrSize == 4 && m>>in.Seg&cpu.ModeFlatES != 0 && m&cpu.ModeAligned == 0
}

// stack reports whether the stack is flat and addressed by ESP in mode m.
func stack(m cpu.Mode) bool {
	const want = cpu.ModeStack32 | cpu.ModeFlatSS
	return m&want == want && m&cpu.ModeAligned == 0
}

// generic executes any instruction, whose block begins at e.start.
func (e *Engine) generic(in *isa.Inst) cpu.Trap {
	e.Start = e.start + uint32(in.Off)
	e.EIP = e.Start + uint32(in.Len)
	return e.exec[in.Op](e, in)
}

// general is generic within a run of b. It reports whether the run goes on
// after in; if not, e.fault and e.eip tell why and where.
func (e *Engine) general(in *isa.Inst, b *block.Block) bool {
	e.fault = e.generic(in)
	e.eip = e.EIP
	end := in.Off + uint16(in.Len)
	return e.fault == cpu.NoTrap && !b.Dead && e.eip == e.start+uint32(end) && !(b.Ends && end == b.Bytes)
}

// leave ends a run at instruction in of b: it faulted, or control went where
// only the outer loop can follow.
func (e *Engine) leave(b *block.Block, in *isa.Inst) {
	for i := len(e.cache.Insts(b)) - 1; e.cache.Insts(b)[i].Off > in.Off; i-- {
		e.left++ // those after it were not executed
	}
	if e.fault != cpu.NoTrap {
		e.raise(e.fault, e.start+uint32(in.Off))
		return
	}
	e.EIP = e.eip
	e.enter()
}

// single executes the first instruction of b and no more.
func (e *Engine) single(b *block.Block) {
	e.fault = cpu.NoTrap
	e.left--
	e.start = e.EIP
	in := &e.cache.Insts(b)[0]
	t := e.fetched(in)
	if t == cpu.NoTrap {
		t = e.generic(in)
	}
	if t != cpu.NoTrap {
		e.fault = t
		e.raise(t, e.start)
		return
	}
	e.enter()
}
