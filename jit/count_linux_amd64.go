package jit

import "github.com/gov86/gov86/cpu/isa"

// OnExit has fn told of every exit, or nobody if it is nil.
func (e *Engine) OnExit(fn Sampler) { e.sample = fn }

// left notes an exit at eip.
func (e *Engine) left(r Reason, eip uint32) {
	e.Stats.Exits[r]++
	e.reason, e.where = r, e.Seg[isa.CS].Base+eip
}

// aside counts what the interpreter did from the linear address at on: n
// instructions.
func (e *Engine) aside(at uint32, n uint64) {
	e.Stats.Exits[Interpreted]++
	e.Stats.Aside += n
	if e.sample != nil {
		e.sample(Interpreted, at, n)
	}
}
