package jit

// OnExit has fn told of every exit, or nobody if it is nil.
func (e *Engine) OnExit(fn Sampler) { e.sample = fn }

// left notes an exit at l.
func (e *Engine) left(r Reason, l uint32) {
	e.Stats.Exits[r]++
	e.reason, e.where = r, l
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
