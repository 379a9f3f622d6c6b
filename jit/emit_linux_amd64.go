package jit

import (
	"github.com/gov86/gov86/cpu/isa"
	. "github.com/gov86/gov86/jit/amd64"
)

// emit writes the unit.
func (t *translator) emit() {
	a := &t.e.asm
	t.lates, t.islands, t.sites = t.lates[:0], t.islands[:0], t.sites[:0]
	live := t.atEntry != 0

	ready := 0
	t.arrival()
	t.u.guarded = a.Pos
	if live {
		saveFlags(a, t.atEntry)
	}
	t.flags = place(live, inSaved)
	t.guard(t.u.linear>>12, t.u.addend)
	if live {
		ready = a.Jmp(0)
	}
	t.u.entry = a.Pos
	if live {
		saveFlags(a, t.atEntry)
		a.Patch(ready, a.Pos)
	}
	if t.u.spill {
		t.guard(t.u.linear>>12+1, t.u.nextAddend)
	}
	t.guardLooked()
	t.charge(0)
	t.ensure(0)
	for i := range t.steps {
		t.openFrame(i)
		t.keepRecipe(&t.steps[i])
		t.settle(i)
		t.settleStack(i)
		t.began = a.Pos
		if !t.stack(i) {
			t.step(i)
		}
		t.resumesWindowed(i)
		t.moveRecipe(&t.steps[i])
	}
	if t.moveStack(); t.open {
		t.supply(t.wantedAtEnd())
		t.link(a.Jmp(0), t.resumeAt())
	}
	t.u.rare = a.Pos
	t.writeLates()
}

// guard leaves unless a page is still where it was. With EFLAGS.AC set there is
// no view for fetching, and the engine looks.
func (t *translator) guard(page uint32, addend uintptr) {
	t.comparePage(page, addend, func(at int) {
		t.late(at, lateExit, site{kind: wantPage, eip: t.u.linear - t.u.base})
	})
}

// comparePage writes a comparison of what the view for fetching has for a page;
// other is given the jumps taken if that is not the addend.
func (t *translator) comparePage(page uint32, addend uintptr, other func(at int)) {
	a := &t.e.asm
	compare := func(off int32, half uintptr) {
		a.RM(0, OneByte, 0x81, 7, At(views, fetchViews+int32(page)*8+off)) // CMP m32, imm32
		a.U32(uint32(half))
		other(a.Jcc(CondNE, 0))
	}
	// Memory is smaller than 4 GiB: half an addend tells one frame from another.
	// If it is zero, the other half tells it from none.
	compare(0, addend)
	if uint32(addend) == 0 {
		compare(4, addend>>32)
	}
}

func (t *translator) wantedAtEnd() isa.Flags {
	if t.e.exact {
		return status
	}
	flags, _ := t.wanted(t.resumeAt())
	return flags
}

// charge takes the steps from i on, up to the end of their run, off the budget.
// The flags are saved or dead.
func (t *translator) charge(i int) {
	a := &t.e.asm
	n := t.steps[i].end - i
	if t.e.exact {
		// No unit begins once the budget proper is used up.
		a.Bytes(0x49, 0x83, 0xfc, maxSteps) // CMP R12, imm8
		at := a.Jcc(CondL, 0)
		t.late(at, lateExit, site{kind: wantBudget, eip: t.steps[i].eip})
	}
	a.Bytes(0x49, 0x83, 0xec, byte(n)) // SUB R12, imm8
	at := a.Jcc(CondS, 0)
	t.late(at, lateExit, site{kind: wantBudget, eip: t.steps[i].eip, undone: uint8(n)})
}

// addSite keeps a site and returns the number that code tells.
func (t *translator) addSite(s site) uint32 {
	t.sites = append(t.sites, s)
	return t.u.number<<siteBits | uint32(len(t.sites)-1)
}

// late has code written later for what the displacement at at leads to.
func (t *translator) late(at int, what lateKind, s site) {
	s.unit, s.moved = t.u.number, t.moved
	t.lates = append(t.lates, late{from: at, what: what, site: s, flags: t.flags, recipe: t.recipe, moved: t.moved})
}

// link makes the displacement at at one that will lead to the unit at eip.
func (t *translator) link(at int, eip uint32) {
	t.late(at, lateExit, site{kind: wantLink, eip: eip, resume: int32(at)})
}

// step writes the code of step i.
func (t *translator) step(i int) {
	s := &t.steps[i]
	if t.segmented() && t.stepSegmented(i) {
		return
	}
	switch s.how {
	case howStep, howStepEnds:
		t.stepOut(i)
	case howGeneric:
		t.generic(i)
	case howLea:
		t.lea(s)
	case howDivide:
		t.divide(i)
	case howDivideNarrow:
		t.divideNarrow(i)
	case howPush:
		t.push(i)
	case howPop:
		t.pop(i)
	case howLeave:
		t.leave(i)
	case howString:
		t.string(i)
	case howRepeat:
		t.repeat(i)
	case howSetIF:
		t.setIF(i)
	case howLoadSegment:
		t.loadSegment(i)
	case howStoreSegment:
		t.storeSegment(i)
	case howSetAC:
		t.setAC(i)
	case howPushFlags:
		t.pushFlags(i)
	case howPopFlags:
		t.popFlags(i)
	case howBitInMemory:
		t.bitInMemory(i)
	case howPopMemory:
		t.popMemory(i)
	case howJcc:
		t.jcc(i)
	case howLoop:
		t.loop(i)
	case howCall:
		t.call(i)
	case howCallIndirect:
		t.callIndirect(i)
	case howReturn:
		t.ret(i)
	case howJumpIndirect:
		t.jumpIndirect(i)
	case howX87:
		t.x87(i)
	case howPatched:
		t.patched(i)
	}
}

// siteOf is an exit at step i.
func (t *translator) siteOf(i int, k kind) site {
	s := &t.steps[i]
	return site{kind: k, op: s.Op, eip: s.eip, len: s.Len, undone: uint8(s.end - i), x87: touchesX87(&s.Inst)}
}

// stepOut leaves step i to the interpreter.
func (t *translator) stepOut(i int) {
	a := &t.e.asm
	s := t.siteOf(i, wantStep)
	s.unit = t.u.number
	s.order = orderOf(&t.steps[i])
	n := len(t.sites)
	a.StoreImm(At(ctx, offSite), t.addSite(s))
	t.exit(t.flags, &t.recipe)
	if t.steps[i].how != howStepEnds {
		t.sites[n].resume = int32(a.Pos)
	}
	t.flags = inHost
}

// address returns the register that holds the linear address of s's operand:
// R8, or one of the guest's that has it already.
func (t *translator) address(in *isa.Inst) Reg {
	if t.segmented() {
		return t.effective(in)
	}
	a := &t.e.asm
	m := t.operandNow(in)
	switch {
	case in.AddrSize == 2:
		a.Lea(R8, m)
		a.RR(0, TwoByte, 0xb7, R8, R8) // MOVZX R8D, R8W
	case in.Seg < isa.FS && m.Base != None && m.Index == None && m.Disp == 0:
		return m.Base
	case m.Base == None && m.Index == None:
		a.MovImm(R8, in.Disp)
	default:
		a.Lea(R8, m)
	}
	if in.Seg >= isa.FS {
		a.Load(R9, At(ctx, offSegments+4*int32(in.Seg)))
		a.Lea(R8, Sum(R8, R9))
	}
	return R8
}

// operand returns what computes the address of s's own operand, for access.
func (t *translator) operand(s *step) func() Reg {
	t.named = true
	return func() Reg { return t.address(&s.Inst) }
}

// operand is the effective address of in's memory operand.
func operand(in *isa.Inst) Mem {
	m := Mem{Base: None, Index: None, Scale: in.Scale, Disp: int32(in.Disp)}
	if in.Base < isa.NoReg {
		m.Base = guest[in.Base]
	}
	if in.Index < isa.NoReg {
		m.Index = guest[in.Index]
	}
	return m
}

// access checks an access of step i at the address in reg, and returns the
// operand for the host. live are the flags that are to survive.
func (t *translator) access(i int, reg func() Reg, size uint8, write bool, live isa.Flags) Mem {
	a := &t.e.asm
	if t.windowed(i) {
		return t.windowAccess(i, reg, write, live)
	}
	t.clobber(live)
	restart := a.Pos
	if s := &t.steps[i]; s.Seg >= isa.FS && t.named && !t.segmented() {
		compareZero(a, At(ctx, offFlat+4*int32(s.Seg)))
		t.late(a.Jcc(CondE, 0), lateExit, t.siteOf(i, wantStep))
	}
	t.named = false
	r := reg()
	open := t.throughSegment(i, size, write)
	from := readViews
	if write {
		from = writeViews
	}
	a.Mov(R9, r)
	a.RR(0, OneByte, 0xc1, 5, R9) // SHR R9D, 12
	a.Bytes(12)
	a.Load64(R9, Mem{Base: views, Index: R9, Scale: 3, Disp: from})
	a.RR(W, OneByte, 0x85, R9, R9) // TEST R9, R9
	s := t.siteOf(i, wantAccess)
	s.write, s.restart, s.size = write, int32(restart), size
	what := lateAccess
	if write && size <= widestWrite {
		what = lateWrite
	}
	t.late(a.Jcc(CondE, 0), what, s)
	l := &t.lates[len(t.lates)-1]
	l.reg, l.back = uint8(r), a.Pos
	if size > 1 {
		a.TestImm8(r, size-1)
		t.late(a.Jcc(CondNE, 0), lateUnaligned, s)
		l = &t.lates[len(t.lates)-1]
		l.reg, l.size, l.back = uint8(r), size, a.Pos
		l.open, l.seg = open, t.through.seg
	}
	return Sum(R9, r)
}

// resumes makes this the place where every exit of step i, from the late piece
// first on, goes on.
func (t *translator) resumes(first int) {
	for j := first; j < len(t.lates); j++ {
		if s := &t.lates[j].site; s.kind == wantAccess || s.kind == wantStep {
			s.resume, s.left = int32(t.e.asm.Pos), t.moved
		}
	}
}

// writeLates writes the pieces that run rarely.
func (t *translator) writeLates() {
	a := &t.e.asm
	for j := range t.lates {
		l := &t.lates[j]
		a.Patch(l.from, a.Pos)
		switch l.what {
		case lateUnaligned:
			push64(a, R10)
			a.Mov(R10, Reg(l.reg))
			a.Bytes(0x41, 0x81, 0xe2) // AND R10D, imm
			a.U32(0xfff)
			a.Bytes(0x41, 0x81, 0xfa) // CMP R10D, imm
			a.U32(0x1000 - uint32(l.size))
			pop64(a, R10)
			over := a.Jcc(CondA, 0)
			if l.open {
				t.unlessWithin(l)
			} else {
				a.Jmp(l.back)
			}
			a.Patch(over, a.Pos)
			fallthrough
		case lateAccess:
			if Reg(l.reg) != R8 {
				a.Mov(R8, Reg(l.reg))
			}
		case lateWrite:
			if Reg(l.reg) != R8 {
				a.Mov(R8, Reg(l.reg))
			}
			t.lookBeside(l.site.size, l.back)
		case lateLink:
			switch l.flags {
			case inSaved:
				restoreFlags(a, l.live)
			case inRecipe:
				l.recipe.write(a, l.moved)
			}
			moveStack(a, l.moved)
			a.Lea64(budget, At(budget, l.refund))
			at := a.Jmp(0)
			a.Patch(at, a.Pos)
			l.site.resume = int32(at)
		}
		if l.site.kind == wantLink || l.site.kind == wantPlain {
			l.site.restart = int32(a.Pos)
		} else {
			moveStack(a, l.moved)
		}
		a.StoreImm(At(ctx, offSite), t.addSite(l.site))
		if l.what == lateLink {
			t.exit(inHost, nil)
		} else {
			t.exit(l.flags, &l.recipe)
		}
	}
}
