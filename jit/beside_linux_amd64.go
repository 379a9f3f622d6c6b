package jit

import (
	. "github.com/gov86/gov86/jit/amd64"
	"github.com/gov86/gov86/mem"
)

// Writes to pages that hold code. The views have no such page, so that every
// write is noticed; but most do not touch code: data lies beside it, or code is
// generated where there was none. A few pages lately written are kept in the
// context, with where mem keeps which granules of them are code, and a stub looks
// there before generated code is left. A write to code is prepared for by the
// engine, which forgets what was made of the bytes, and is then let through once.

// besideSlots is how many pages are kept; it is a power of two.
const besideSlots = 32

// none is no linear address, as context.granted has them.
const none = -1

// jumpSize is the length of a near jump.
const jumpSize = 5

// widths are those of accesses. Wider ones to a page with code are the interpreter's.
var widths = [...]uint8{1, 2, 4, 8, 10, widestWrite}

const (
	widestWrite = 16
	// unadmitted is the width of accesses whose code does not look beside.
	unadmitted = widestWrite + 1
)

// writeBeside writes the stub, with an entry for each width that an access may
// have. With an address in R8 it returns with the addend of its page in R9; or, if
// the engine is to look, behind the jump that follows the call. It leaves R10
// alone.
func writeBeside(a *Asm) (entries [17]int) {
	var common []int
	for _, w := range widths {
		entries[w] = a.Pos
		a.MovImm(R9, uint32(w-1))
		common = append(common, a.Jmp(0))
	}
	for _, j := range common {
		a.Patch(j, a.Pos)
	}
	push64(a, R10)
	push64(a, RAX)
	a.Mov(RAX, R8)
	a.RR(0, OneByte, 0xc1, 5, RAX) // SHR EAX, 12
	a.Bytes(12)
	a.Mov(R10, RAX)
	a.RR(0, OneByte, 0x83, 4, R10) // AND R10D, besideSlots-1
	a.Bytes(besideSlots - 1)
	a.RR(0, OneByte, 0xc1, 4, R10) // SHL R10D
	a.Bytes(besideShift)
	a.Lea64(R10, Mem{Base: ctx, Index: R10, Disp: offBeside})
	a.RM(0, OneByte, 0x3b, RAX, At(R10, besidePage)) // CMP EAX, m32
	another := a.Jcc(CondNE, 0)
	a.RM(W, OneByte, 0x3b, views, At(R10, besideView))
	anotherView := a.Jcc(CondNE, 0)
	a.Load64(RAX, At(R10, besideGranules))
	a.Load64(RAX, At(RAX, 0))
	isCode := func() (code int) { // whether what R9D leads to is
		a.RR(0, OneByte, 0xc1, 5, R9) // SHR R9D, 6
		a.Bytes(6)
		a.RR(W, TwoByte, 0xa3, R9, RAX) // BT RAX, R9: of R9 modulo 64
		return a.Jcc(CondB, 0)
	}
	a.Lea(R9, Sum(R9, R8))
	last := isCode()
	a.Mov(R9, R8)
	first := isCode()
	admit := a.Pos
	a.Load64(R9, At(R10, besideAddend))
	restore := func() {
		pop64(a, RAX)
		pop64(a, R10)
	}
	restore()
	a.Bytes(0xc3)

	a.Patch(first, a.Pos)
	a.Patch(last, a.Pos)
	a.RM(W, OneByte, 0x3b, R8, At(ctx, offGranted))
	refused := a.Jcc(CondNE, 0)
	a.RM(W, OneByte, 0xc7, 0, At(ctx, offGranted)) // MOV m64, none
	a.U32(1<<32 - 1)
	a.Jmp(admit)

	for _, j := range []int{another, anotherView, refused} {
		a.Patch(j, a.Pos)
	}
	restore()
	a.RM(W, OneByte, 0x83, 0, At(RSP, 0)) // ADD m64, jumpSize
	a.Bytes(jumpSize, 0xc3)
	return entries
}

// lookBeside writes what a check of a write of so many bytes does before it
// leaves: back is where to go on with an addend in R9.
func (t *translator) lookBeside(width uint8, back int) {
	a := &t.e.asm
	a.Call(t.e.stubs.beside[width])
	a.Jmp(back)
}

// admit prepares for the write of s, to memory at at that holds code, and reports
// whether generated code may go on with it.
func (e *Engine) admit(s *site, at mem.Addr) bool {
	r := e.region
	l := r.argument
	if l%mem.PageSize+uint32(s.size) > mem.PageSize {
		return false
	}
	page, granules := e.Mem.CodePage(at)
	if page == nil {
		return false
	}
	u := e.all[s.unit]
	if *granules&mem.Granules(int(l%mem.PageSize), int(s.size)) != 0 {
		// The A20 gate may have changed the address.
		e.interp.Forget(e.Mem.Frame(at)<<12|l%mem.PageSize, uint32(s.size))
	}
	if u.dead || e.epoch != e.TLB.Epoch {
		return false
	}
	r.remember(l>>12, view(&e.TLB, e.DataView()), page, granules)
	r.granted = int64(l)
	return true
}
