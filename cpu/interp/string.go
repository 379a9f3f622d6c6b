package interp

import (
	"bytes"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// String instructions (Intel SDM Vol. 1, "String Operations"). With a repeat
// prefix each element, or run of elements within a page, is complete by
// itself: ESI, EDI and ECX are updated, and a fault or an interrupt finds the
// instruction restartable.

// A str is one string instruction being executed.
type str struct {
	mask uint32 // of the address size
	step uint32 // what an element adds to the index registers
	size uint8
}

func (e *Engine) string(in *isa.Inst) str {
	s := str{mask: 0xffffffff, size: in.OpSize}
	if in.AddrSize == 2 {
		s.mask = 0xffff
	}
	s.step = uint32(s.size)
	if e.EFLAGS&cpu.FlagDF != 0 {
		s.step = -s.step
	}
	return s
}

// index is an index or count register of the address size.
func (e *Engine) index(s str, r uint8) uint32 { return uint32(e.GPR[r]) & s.mask }

// advance adds n to an index or count register of the address size.
func (e *Engine) advance(s str, r uint8, n uint32) {
	v := uint32(e.GPR[r])
	e.GPR[r] = uint64(v&^s.mask | (v+n)&s.mask)
}

// repeat calls element, which does n elements of at most limit and reports
// whether to stop, until the count is used up. When something asks for
// attention it leaves EIP at the instruction, to go on later.
func (e *Engine) repeat(in *isa.Inst, s str, element func(limit uint32) (n uint32, stop bool, t cpu.Trap)) cpu.Trap {
	if in.Prefix&(isa.Rep|isa.RepNE) == 0 {
		_, _, t := element(1)
		return t
	}
	for charged := int64(1); ; charged = 0 { // who called has charged for one
		left := e.index(s, cpu.ECX)
		if left == 0 {
			return cpu.NoTrap
		}
		if e.mode&cpu.ModeStep != 0 {
			left = 1
		}
		n, stop, t := element(left)
		e.advance(s, cpu.ECX, -n)
		e.left -= int64(n) - charged
		if t != cpu.NoTrap || stop {
			return t
		}
		if e.index(s, cpu.ECX) != 0 && (e.left <= 0 || e.Attention() != 0 || e.mode&cpu.ModeStep != 0) {
			e.EIP = e.Start
			return cpu.NoTrap
		}
	}
}

// span returns the memory that up to limit ascending elements from index
// register r on may take on the fast path: whole elements, within a page.
func (e *Engine) span(s str, seg isa.Seg, r uint8, limit uint32, write bool) []byte {
	const want = cpu.ModeFlatES
	if limit < 2 || s.mask != 0xffffffff || s.step != uint32(s.size) ||
		e.mode>>seg&want == 0 || e.mode&cpu.ModeAligned != 0 {
		return nil
	}
	b := e.run(e.base[seg&7]+uint32(e.GPR[r]), write)
	if n := uint64(limit) * uint64(s.size); uint64(len(b)) > n {
		b = b[:n]
	}
	return b[:len(b)&^int(s.size-1)]
}

func movs(e *Engine, in *isa.Inst) cpu.Trap {
	s := e.string(in)
	return e.repeat(in, s, func(limit uint32) (uint32, bool, cpu.Trap) {
		if dst := e.span(s, isa.ES, cpu.EDI, limit, true); len(dst) > 0 {
			src := e.span(s, in.Seg, cpu.ESI, limit, false)
			n := min(len(dst), len(src))
			// Elements are moved one after the other: a destination a little
			// above its source repeats a pattern, so no run may read what it wrote.
			if d := distance(dst, src); d > 0 && d < n {
				n = d &^ int(s.size-1)
			}
			if n > 0 {
				copy(dst[:n], src[:n])
				e.advance(s, cpu.ESI, uint32(n))
				e.advance(s, cpu.EDI, uint32(n))
				return uint32(n) / uint32(s.size), false, cpu.NoTrap
			}
		}
		from, t := e.address(in.Seg, e.index(s, cpu.ESI), int(s.size), false)
		if t != cpu.NoTrap {
			return 0, false, t
		}
		v, t := e.load(from, s.size)
		if t != cpu.NoTrap {
			return 0, false, t
		}
		if t := e.storeString(s, v); t != cpu.NoTrap {
			return 0, false, t
		}
		e.advance(s, cpu.ESI, s.step)
		return 1, false, cpu.NoTrap
	})
}

// storeString writes an element at ES:EDI and advances EDI.
func (e *Engine) storeString(s str, v uint32) cpu.Trap {
	to, t := e.address(isa.ES, e.index(s, cpu.EDI), int(s.size), true)
	if t != cpu.NoTrap {
		return t
	}
	if t := e.store(to, s.size, v); t != cpu.NoTrap {
		return t
	}
	e.advance(s, cpu.EDI, s.step)
	return cpu.NoTrap
}

// loadString reads an element at seg:r.
func (e *Engine) loadString(s str, seg isa.Seg, r uint8) (uint32, cpu.Trap) {
	l, t := e.address(seg, e.index(s, r), int(s.size), false)
	if t != cpu.NoTrap {
		return 0, t
	}
	return e.load(l, s.size)
}

func stos(e *Engine, in *isa.Inst) cpu.Trap {
	s := e.string(in)
	low, _ := accumulator(s.size)
	v := e.register(low)
	return e.repeat(in, s, func(limit uint32) (uint32, bool, cpu.Trap) {
		if dst := e.span(s, isa.ES, cpu.EDI, limit, true); len(dst) > 0 {
			for i := range int(s.size) {
				dst[i] = uint8(v >> (8 * i))
			}
			for done := int(s.size); done < len(dst); done *= 2 {
				copy(dst[done:], dst[:done])
			}
			e.advance(s, cpu.EDI, uint32(len(dst)))
			return uint32(len(dst)) / uint32(s.size), false, cpu.NoTrap
		}
		if t := e.storeString(s, v); t != cpu.NoTrap {
			return 0, false, t
		}
		return 1, false, cpu.NoTrap
	})
}

func lods(e *Engine, in *isa.Inst) cpu.Trap {
	s := e.string(in)
	low, _ := accumulator(s.size)
	return e.repeat(in, s, func(uint32) (uint32, bool, cpu.Trap) {
		v, t := e.loadString(s, in.Seg, cpu.ESI)
		if t != cpu.NoTrap {
			return 0, false, t
		}
		e.setRegister(low, v)
		e.advance(s, cpu.ESI, s.step)
		return 1, false, cpu.NoTrap
	})
}

// done reports whether a comparison ends a REPE or REPNE.
func (e *Engine) done(in *isa.Inst) bool {
	return in.Prefix&isa.Rep != 0 && !e.flags.zf() || in.Prefix&isa.RepNE != 0 && e.flags.zf()
}

func scas(e *Engine, in *isa.Inst) cpu.Trap {
	s := e.string(in)
	low, _ := accumulator(s.size)
	v := e.register(low)
	return e.repeat(in, s, func(limit uint32) (uint32, bool, cpu.Trap) {
		if s.size == 1 && in.Prefix&isa.RepNE != 0 {
			if b := e.span(s, isa.ES, cpu.EDI, limit, false); len(b) > 0 {
				n := bytes.IndexByte(b, uint8(v)) + 1
				if n == 0 {
					n = len(b)
				}
				e.flags.sub(v, uint32(b[n-1]), 0, 1)
				e.advance(s, cpu.EDI, uint32(n))
				return uint32(n), e.done(in), cpu.NoTrap
			}
		}
		b, t := e.loadString(s, isa.ES, cpu.EDI)
		if t != cpu.NoTrap {
			return 0, false, t
		}
		e.flags.sub(v, b, 0, s.size)
		e.advance(s, cpu.EDI, s.step)
		return 1, e.done(in), cpu.NoTrap
	})
}

func cmps(e *Engine, in *isa.Inst) cpu.Trap {
	s := e.string(in)
	return e.repeat(in, s, func(uint32) (uint32, bool, cpu.Trap) {
		b, t := e.loadString(s, isa.ES, cpu.EDI)
		if t != cpu.NoTrap {
			return 0, false, t
		}
		a, t := e.loadString(s, in.Seg, cpu.ESI)
		if t != cpu.NoTrap {
			return 0, false, t
		}
		e.flags.sub(a, b, 0, s.size)
		e.advance(s, cpu.ESI, s.step)
		e.advance(s, cpu.EDI, s.step)
		return 1, e.done(in), cpu.NoTrap
	})
}

func ins(e *Engine, in *isa.Inst) cpu.Trap {
	s := e.string(in)
	port := e.Reg16(cpu.EDX)
	if t := e.checkIO(port, s.size); t != cpu.NoTrap {
		return t
	}
	return e.repeat(in, s, func(uint32) (uint32, bool, cpu.Trap) {
		// The port is read only once the store is sure to succeed: a read may
		// take a byte from a queue.
		to, t := e.address(isa.ES, e.index(s, cpu.EDI), int(s.size), true)
		if t != cpu.NoTrap {
			return 0, false, t
		}
		if t := e.Probe(cpu.Linear(to), int(s.size), e.Data()|cpu.Write); t != cpu.NoTrap {
			return 0, false, t
		}
		if t := e.storeString(s, e.portIn(port, s.size)); t != cpu.NoTrap {
			return 0, false, t
		}
		return 1, false, cpu.NoTrap
	})
}

func outs(e *Engine, in *isa.Inst) cpu.Trap {
	s := e.string(in)
	port := e.Reg16(cpu.EDX)
	if t := e.checkIO(port, s.size); t != cpu.NoTrap {
		return t
	}
	return e.repeat(in, s, func(uint32) (uint32, bool, cpu.Trap) {
		v, t := e.loadString(s, in.Seg, cpu.ESI)
		if t != cpu.NoTrap {
			return 0, false, t
		}
		e.portOut(port, s.size, v)
		e.advance(s, cpu.ESI, s.step)
		return 1, false, cpu.NoTrap
	})
}
