package jit

import (
	"errors"

	processor "github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/interp"
	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/jit/amd64"
)

const (
	codeSize = 64 << 20
	// room is more than a unit ever needs.
	room = 64 << 10
	// slice bounds a run of generated code, in instructions.
	slice = 20_000
	// mostTables is how many modes have tables of jumps at a time: a guest can make
	// as many modes as there are limits of segments.
	mostTables = 64
)

// An Engine executes one CPU. It implements cpu.Engine.
type Engine struct {
	*processor.CPU
	interp *interp.Engine
	region *region
	stubs  stubs
	asm    amd64.Asm
	units
	heat  [heatSize]heat
	key   key
	table *jumpTable
	// epoch is the TLB's when the addresses on the stack were put there.
	epoch uint32
	// besideEpoch is the TLB's that the pages in context.beside are of.
	besideEpoch uint32
	t           translator
	// windows are what address spaces have of memory.
	windows windows
	// Stats are for reading only.
	Stats Stats
	// sample is told of every exit, if it is not nil: of the last one that left
	// noted.
	sample Sampler
	reason Reason
	where  uint32
	// exact keeps every flag as the interpreter has it, also those that nothing
	// reads.
	exact bool
	// eager translates what is met for the first time.
	eager bool
	// executed counts instructions of generated code, as of the latest exit from
	// it for good.
	executed uint64
}

var _ processor.Engine = (*Engine)(nil)

// New returns a translating engine for c, or why this host cannot have one.
func New(c *processor.CPU) (*Engine, error) { return newEngine(c, codeSize) }

// newEngine is New with room for so many bytes of code.
func newEngine(c *processor.CPU, codeSize int) (*Engine, error) {
	if err := Available(); err != nil {
		return nil, err
	}
	r, err := newRegion(c.State, codeSize)
	if err != nil {
		return nil, err
	}
	e := &Engine{CPU: c, interp: interp.New(c), region: r}
	e.asm.Code = r.code
	e.space = map[key]*jumpTable{}
	e.flush()
	e.interp.OnForget(e.written)
	return e, nil
}

// Exact makes the engine keep flags that nothing reads.
func (e *Engine) Exact() { e.exact = true }

// Eager makes the engine translate code before it is warm.
func (e *Engine) Eager() { e.eager = true }

// Close returns the engine's memory. The engine, and its CPU, must not be used
// any more.
func (e *Engine) Close() error {
	e.windows.close()
	return errors.Join(e.closeTables(), e.region.close())
}

// closeTables forgets where indirect jumps lead.
func (e *Engine) closeTables() error {
	var errs []error
	for _, t := range e.space {
		errs = append(errs, t.close())
	}
	clear(e.space)
	e.table = nil
	return errors.Join(errs...)
}

// Forget implements cpu.Engine.
func (e *Engine) Forget(at, n uint32) { e.interp.Forget(at, n) }

// Run implements cpu.Engine.
func (e *Engine) Run(budget uint64) (retired uint64, why processor.Exit) {
	if e.Monitor.Watching() {
		return e.interp.Run(budget) // units know no breakpoints
	}
	defer e.storeX87()
	left := int64(budget)
	for {
		if e.urgent() {
			e.storeX87()
			at := e.Seg[isa.CS].Base + e.EIP
			n, why := e.interp.Run(1)
			left -= int64(n)
			e.aside(at, n)
			if why != processor.Spent {
				return uint64(int64(budget) - left), why
			}
			continue
		}
		if left <= 0 {
			return uint64(int64(budget) - left), processor.Spent
		}
		u := e.find()
		if u == nil {
			e.storeX87()
			var n uint64
			at := e.Seg[isa.CS].Base + e.EIP
			if e.exact && e.Mode()&processor.ModeStep == 0 {
				n, _ = e.interp.Step()
			} else {
				n, _ = e.interp.Run(1)
			}
			left -= int64(n)
			e.aside(at, n)
			continue
		}
		e.execute(u, &left)
	}
}

// urgent reports whether the interpreter is to look at what asks for attention,
// or at a state that generated code does not know.
func (e *Engine) urgent() bool {
	a := e.Attention()
	if a == processor.AttendINTR && e.EFLAGS&processor.FlagIF == 0 {
		a = 0
	}
	return a != 0 || e.Halted || e.Shutdown || e.Shadow
}

// find returns the unit at CS:EIP, translating it when it is warm, or nil.
func (e *Engine) find() *unit {
	mode := e.Mode()
	k, ok := e.windows.keyOf(e.CPU, mode)
	if !ok {
		return nil
	}
	if (k != e.key || e.table == nil) && !e.enterMode(k) {
		return nil
	}
	base := e.Seg[isa.CS].Base
	l := base + e.EIP
	addend := e.fetchView()[l>>12]
	slot := &e.cache[cacheSlot(l)]
	if u := *slot; u != nil && u.linear == l && u.base == base && u.key == k && u.addend == addend && (!u.spill || e.spills(u)) {
		return u
	}
	if addend == 0 {
		if _, t := e.Translate(processor.Linear(l), e.Data()|processor.Fetch); t != processor.NoTrap {
			return nil
		}
		if addend = e.fetchView()[l>>12]; addend == 0 {
			return nil
		}
	}
	at, t := e.Translate(processor.Linear(l), e.Data()|processor.Fetch)
	if t != processor.NoTrap {
		return nil
	}
	frame := e.Mem.Frame(at)
	if u := e.known(unitID{l, frame, base, k}); u != nil {
		if u.spill && !e.spills(u) {
			return nil
		}
		*slot = u
		return u
	}
	if !e.isWarm(l) {
		return nil
	}
	u := e.translate(l, frame, k, addend, at)
	*slot = u
	return u
}

// known returns the unit that there is, or nil. Code that is interpreted is looked for
// all the time.
func (e *Engine) known(id unitID) *unit {
	if e.heatOf(id.linear).units == 0 {
		return nil
	}
	return e.byID[id]
}

// plain is find for the unit without frames.
func (e *Engine) plain() *unit {
	u := e.find()
	if u == nil || u.spill {
		return u
	}
	if p := e.byID[unitID{u.linear, u.frame, u.base, u.key | keyPlain}]; p != nil {
		return p
	}
	at, t := e.Translate(processor.Linear(u.linear), e.Data()|processor.Fetch)
	if t != processor.NoTrap {
		return nil
	}
	return e.translate(u.linear, u.frame, u.key|keyPlain, u.addend, at)
}

// spills reports whether the second page of u is where it was; if it is not, the
// unit is of no use any more.
func (e *Engine) spills(u *unit) bool {
	page := u.linear>>12 + 1
	addend := e.fetchView()[page]
	if addend == 0 {
		if _, t := e.Translate(processor.Linear(page<<12), e.Data()|processor.Fetch); t != processor.NoTrap {
			return false
		}
		addend = e.fetchView()[page]
	}
	if addend != 0 && addend != u.nextAddend {
		e.drop(u)
	}
	return addend == u.nextAddend
}

func (e *Engine) fetchView() *processor.Table {
	v := processor.FetchView
	if e.CPL == 3 {
		v += processor.UserView
	}
	return e.TLB.View[v]
}

// enterMode follows a change of mode.
func (e *Engine) enterMode(k key) bool {
	t := e.space[k]
	if t == nil {
		var err error
		if len(e.space) >= mostTables {
			e.closeTables()
		}
		if t, err = newJumpTable(); err != nil {
			return false
		}
		e.space[k] = t
	}
	e.key, e.table = k, t
	e.region.setTable(t)
	e.emptyStack()
	return true
}

// execute runs generated code from u on until the engine must look around.
func (e *Engine) execute(u *unit, left *int64) {
	r := e.region
	if e.epoch != e.TLB.Epoch {
		e.epoch = e.TLB.Epoch
		e.emptyStack()
	}
	if r.bottom-r.hostSP > stackSize/2 {
		e.emptyStack() // a run calls too seldom to fill the other half
	}
	at := u.entry
	// A unit runs if the whole of it is within the budget; the excess lets one
	// begin as long as anything is left.
	const excess = maxSteps - 1
	given := min(*left, slice) + excess
	r.budget = given
	for {
		e.Stats.Enters++
		before := r.budget
		e.prepare()
		r.resume = r.address(at)
		r.enter(r.address(e.stubs.prologue))
		e.windows.count(before - r.budget)
		r.granted = none
		s := e.site(r.site)
		at = e.serve(s)
		if e.sample != nil {
			// What is charged for and not executed yet counts too, and not again.
			e.sample(e.reason, e.where, uint64(max(before-r.budget, 0)))
		}
		if at == 0 {
			break
		}
	}
	*left -= given - r.budget
	e.executed += uint64(max(given-r.budget, 0))
	r.simd = 0
	e.notePointers()
}

// again finds the unit at EIP, if the budget allows to go on.
func (e *Engine) again() *unit {
	if e.region.budget <= 0 || e.epoch != e.TLB.Epoch {
		return nil
	}
	return e.find()
}
