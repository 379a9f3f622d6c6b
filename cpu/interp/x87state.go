package interp

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// The x87 environment and the images that save it (Intel SDM Vol. 1,
// "Saving the x87 FPU's State", "FXSAVE and FXRSTOR").

// Bits of the status word and values of the control word.
const (
	statusES   = 1 << 7
	statusBusy = 1 << 15
	topShift   = 11
	controlNew = 0x37f // FNINIT

	// controlValid are the bits of the control word with storage, controlOne is
	// the one that always reads as set.
	controlValid = 0x1f7f
	controlOne   = 0x40

	tagZero    = 1
	tagSpecial = 2
	tagEmpty   = 3

	mxcsrMask = 0xffff
)

// unavailable is the trap of an x87 or MMX instruction while the operating
// system withholds the registers.
func (e *Engine) unavailable() cpu.Trap {
	if e.mode&cpu.ModeNoFPU != 0 {
		return cpu.Exception(cpu.VecNM)
	}
	return cpu.NoTrap
}

// x87Ready is unavailable, and the error that an earlier instruction left.
func (e *Engine) x87Ready() cpu.Trap {
	if t := e.unavailable(); t != cpu.NoTrap {
		return t
	}
	return e.pendingError()
}

// pendingError is the trap of a waiting instruction after an unmasked error.
func (e *Engine) pendingError() cpu.Trap {
	if e.FPU.Status&statusES != 0 {
		return e.X87Error()
	}
	return cpu.NoTrap
}

// silent guards an x87 control instruction that does not wait for errors.
func silent(op func(*Engine, *isa.Inst) cpu.Trap) func(*Engine, *isa.Inst) cpu.Trap {
	return func(e *Engine, in *isa.Inst) cpu.Trap {
		if t := e.unavailable(); t != cpu.NoTrap {
			return t
		}
		return op(e, in)
	}
}

// waiting guards an x87 control instruction that reports earlier errors first.
func waiting(op func(*Engine, *isa.Inst) cpu.Trap) func(*Engine, *isa.Inst) cpu.Trap {
	return func(e *Engine, in *isa.Inst) cpu.Trap {
		if t := e.x87Ready(); t != cpu.NoTrap {
			return t
		}
		return op(e, in)
	}
}

// fwait traps for TS only together with MP.
func fwait(e *Engine, _ *isa.Inst) cpu.Trap {
	if e.CR0&(cpu.CR0MP|cpu.CR0TS) == cpu.CR0MP|cpu.CR0TS {
		return cpu.Exception(cpu.VecNM)
	}
	return e.pendingError()
}

func fninit(e *Engine, in *isa.Inst) cpu.Trap {
	fnclex(e, in)
	f := &e.FPU
	f.Control, f.Status, f.Tag = controlNew, 0, 0xffff
	f.IP, f.DP, f.CS, f.DS, f.Opcode = 0, 0, 0, 0, 0
	return cpu.NoTrap
}

func fnclex(e *Engine, _ *isa.Inst) cpu.Trap {
	e.FPU.Status &^= statusExceptions | statusSF
	e.summarize()
	return cpu.NoTrap
}

// summarize sets ES and B of the status word when an exception is unmasked.
func (e *Engine) summarize() {
	f := &e.FPU
	if f.Status&^f.Control&statusExceptions != 0 {
		f.Status |= statusES | statusBusy
		return
	}
	if f.Status&statusES != 0 {
		e.X87ErrorGone()
	}
	f.Status &^= statusES | statusBusy
}

// setStatus loads the status word. Its ES and B are not taken from v.
func (e *Engine) setStatus(v uint16) {
	const summary = statusES | statusBusy
	e.FPU.Status = e.FPU.Status&summary | v&^summary
	e.summarize()
}

func fldcw(e *Engine, in *isa.Inst) cpu.Trap {
	v, t := e.value(in, in.Args[0])
	if t != cpu.NoTrap {
		return t
	}
	e.FPU.Control = uint16(v)&controlValid | controlOne
	e.summarize()
	return cpu.NoTrap
}

func fnstcw(e *Engine, in *isa.Inst) cpu.Trap {
	return e.setValue(in, in.Args[0], uint32(e.FPU.Control))
}

func fnstsw(e *Engine, in *isa.Inst) cpu.Trap {
	return e.setValue(in, in.Args[0], uint32(e.FPU.Status))
}

// tags is the full tag word: of a register that is not empty, its tag says
// what its content is.
func (e *Engine) tags() uint16 {
	var w uint16
	for i := range uint(8) {
		tag := e.FPU.Tag >> (2 * i) & 3
		if tag != tagEmpty {
			tag = tagOf(&e.FPU.ST[i])
		}
		w |= tag << (2 * i)
	}
	return w
}

func tagOf(r *cpu.Float80) uint16 {
	exponent := r.SignExponent & 0x7fff
	switch {
	case exponent == 0 && r.Significand == 0:
		return tagZero
	case exponent == 0, exponent == 0x7fff, r.Significand>>63 == 0:
		return tagSpecial
	}
	return 0
}

// environment is the seven fields of FNSTENV in the operand size at hand: in
// real and virtual-8086 mode the pointers are linear addresses. Reserved upper
// halves are stored as ones.
func (e *Engine) environment(n uint8) (w [7]uint32) {
	f := &e.FPU
	w[0], w[1], w[2] = uint32(f.Control), uint32(f.Status), uint32(e.tags())
	if e.Protected() {
		w[3], w[4], w[5], w[6] = f.IP, uint32(f.CS)|uint32(f.Opcode)<<16, f.DP, uint32(f.DS)
	} else {
		ip, dp := f.IP+uint32(f.CS)<<4, f.DP+uint32(f.DS)<<4
		w[3], w[4] = ip&0xffff, ip>>16<<12|uint32(f.Opcode)
		w[5], w[6] = dp&0xffff, dp>>16<<12
	}
	if n == 4 {
		halves := []int{0, 1, 2, 3, 5}
		if e.Protected() {
			halves = []int{0, 1, 2, 6}
		}
		for _, i := range halves {
			w[i] |= 0xffff0000
		}
	}
	return w
}

// area checks an image of n bytes, so that it is stored whole or not at all.
// It is to be aligned as its fields are.
func (e *Engine) area(in *isa.Inst, n int, write bool) (uint32, cpu.Trap) {
	l, t := e.addressOf(in.Seg, e.offset(in), n, int(in.OpSize), write)
	if t != cpu.NoTrap {
		return 0, t
	}
	a := e.Data()
	if write {
		a |= cpu.Write
	}
	return l, e.Probe(cpu.Linear(l), n, a)
}

func (e *Engine) storeEnvironment(l uint32, n uint8) cpu.Trap {
	for i, v := range e.environment(n) {
		if t := e.store(l+uint32(i)*uint32(n), n, v); t != cpu.NoTrap {
			return t
		}
	}
	return cpu.NoTrap
}

func (e *Engine) loadEnvironment(l uint32, n uint8) cpu.Trap {
	var w [7]uint32
	for i := range w {
		var t cpu.Trap
		if w[i], t = e.load(l+uint32(i)*uint32(n), n); t != cpu.NoTrap {
			return t
		}
	}
	f := &e.FPU
	f.Control, f.Tag = uint16(w[0])&controlValid|controlOne, uint16(w[2])
	e.setStatus(uint16(w[1]))
	if e.Protected() {
		f.IP, f.CS, f.Opcode = w[3], uint16(w[4]), uint16(w[4]>>16)&0x7ff
		f.DP, f.DS = w[5], uint16(w[6])
	} else {
		f.IP, f.CS, f.Opcode = w[3]&0xffff|w[4]>>12<<16, 0, uint16(w[4])&0x7ff
		f.DP, f.DS = w[5]&0xffff|w[6]>>12<<16, 0
	}
	return cpu.NoTrap
}

func fnstenv(e *Engine, in *isa.Inst) cpu.Trap {
	l, t := e.area(in, 7*int(in.OpSize), true)
	if t != cpu.NoTrap {
		return t
	}
	if t := e.storeEnvironment(l, in.OpSize); t != cpu.NoTrap {
		return t
	}
	e.FPU.Control |= 0x3f
	e.summarize()
	return cpu.NoTrap
}

func fldenv(e *Engine, in *isa.Inst) cpu.Trap {
	l, t := e.area(in, 7*int(in.OpSize), false)
	if t != cpu.NoTrap {
		return t
	}
	return e.loadEnvironment(l, in.OpSize)
}

// st is the number of the physical register that is ST(i).
func (e *Engine) st(i uint8) uint8 { return (uint8(e.FPU.Status>>topShift) + i) & 7 }

func (e *Engine) storeFloat80(l uint32, r *cpu.Float80) cpu.Trap {
	if t := e.Probe(cpu.Linear(l), 10, e.Data()|cpu.Write); t != cpu.NoTrap {
		return t
	}
	if t := e.store64(l, r.Significand); t != cpu.NoTrap {
		return t
	}
	return e.store16(l+8, uint32(r.SignExponent))
}

func (e *Engine) loadFloat80(l uint32) (r cpu.Float80, t cpu.Trap) {
	if r.Significand, t = e.load64(l); t != cpu.NoTrap {
		return r, t
	}
	v, t := e.load16(l + 8)
	r.SignExponent = uint16(v)
	return r, t
}

func fnsave(e *Engine, in *isa.Inst) cpu.Trap {
	env := 7 * uint32(in.OpSize)
	l, t := e.area(in, int(env)+80, true)
	if t != cpu.NoTrap {
		return t
	}
	if t := e.storeEnvironment(l, in.OpSize); t != cpu.NoTrap {
		return t
	}
	for i := range uint8(8) {
		if t := e.storeFloat80(l+env+10*uint32(i), &e.FPU.ST[e.st(i)]); t != cpu.NoTrap {
			return t
		}
	}
	return fninit(e, in)
}

func frstor(e *Engine, in *isa.Inst) cpu.Trap {
	env := 7 * uint32(in.OpSize)
	l, t := e.area(in, int(env)+80, false)
	if t != cpu.NoTrap {
		return t
	}
	if t := e.loadEnvironment(l, in.OpSize); t != cpu.NoTrap {
		return t
	}
	for i := range uint8(8) {
		r, t := e.loadFloat80(l + env + 10*uint32(i))
		if t != cpu.NoTrap {
			return t
		}
		e.FPU.ST[e.st(i)] = r
	}
	return cpu.NoTrap
}

// fxImage opens the 512 bytes of FXSAVE, which are aligned to 16.
func (e *Engine) fxImage(in *isa.Inst, write bool) (uint32, cpu.Trap) {
	if (e.base[in.Seg&7]+e.offset(in))&15 != 0 {
		return 0, cpu.GP(0)
	}
	return e.area(in, 512, write)
}

// fxsave is FXSAVE. With CR0.EM it is #NM, as all of x87 (Intel SDM Vol. 2,
// "FXSAVE"), and FXRSTOR too; manuals of about 2007 say #UD, but KVM, QEMU and
// Bochs do the same.
func fxsave(e *Engine, in *isa.Inst) cpu.Trap {
	l, t := e.fxImage(in, true)
	if t != cpu.NoTrap {
		return t
	}
	f := &e.FPU
	var abridged uint32 // a bit a register, set when it is not empty
	for i := range uint(8) {
		if f.Tag>>(2*i)&3 != tagEmpty {
			abridged |= 1 << i
		}
	}
	words := [...]uint32{
		uint32(f.Control) | uint32(f.Status)<<16, abridged | uint32(f.Opcode)<<16,
		f.IP, uint32(f.CS), f.DP, uint32(f.DS), e.MXCSR, mxcsrMask,
	}
	for i, v := range words {
		if t := e.store32(l+4*uint32(i), v); t != cpu.NoTrap {
			return t
		}
	}
	for i := range uint8(8) {
		r := &f.ST[e.st(i)]
		at := l + 32 + 16*uint32(i)
		if t := e.store64(at, r.Significand); t != cpu.NoTrap {
			return t
		}
		if t := e.store64(at+8, uint64(r.SignExponent)); t != cpu.NoTrap {
			return t
		}
	}
	if e.CR4&cpu.CR4OSFXSR == 0 {
		return cpu.NoTrap
	}
	for i := range e.XMM {
		at := l + 160 + 16*uint32(i)
		if t := e.store64(at, e.XMM[i][0]); t != cpu.NoTrap {
			return t
		}
		if t := e.store64(at+8, e.XMM[i][1]); t != cpu.NoTrap {
			return t
		}
	}
	return cpu.NoTrap
}

func fxrstor(e *Engine, in *isa.Inst) cpu.Trap {
	l, t := e.fxImage(in, false)
	if t != cpu.NoTrap {
		return t
	}
	var w [8]uint32
	for i := range w {
		if w[i], t = e.load32(l + 4*uint32(i)); t != cpu.NoTrap {
			return t
		}
	}
	sse := e.CR4&cpu.CR4OSFXSR != 0
	if sse && w[6]&^mxcsrMask != 0 {
		return cpu.GP(0)
	}
	f := &e.FPU
	f.Control = uint16(w[0])&controlValid | controlOne
	e.setStatus(uint16(w[0] >> 16))
	f.Opcode = uint16(w[1]>>16) & 0x7ff
	f.IP, f.CS, f.DP, f.DS = w[2], uint16(w[3]), w[4], uint16(w[5])
	for i := range uint8(8) {
		r, t := e.loadFloat80(l + 32 + 16*uint32(i))
		if t != cpu.NoTrap {
			return t
		}
		f.ST[e.st(i)] = r
	}
	f.Tag = 0
	for i := range uint(8) {
		tag := uint16(tagEmpty)
		if w[1]>>i&1 != 0 {
			tag = tagOf(&f.ST[i])
		}
		f.Tag |= tag << (2 * i)
	}
	if !sse {
		return cpu.NoTrap
	}
	e.MXCSR = w[6]
	for i := range e.XMM {
		at := l + 160 + 16*uint32(i)
		if e.XMM[i][0], t = e.load64(at); t != cpu.NoTrap {
			return t
		}
		if e.XMM[i][1], t = e.load64(at + 8); t != cpu.NoTrap {
			return t
		}
	}
	return cpu.NoTrap
}

// sse guards an instruction on XMM registers.
func sse(op func(*Engine, *isa.Inst) cpu.Trap) func(*Engine, *isa.Inst) cpu.Trap {
	return func(e *Engine, in *isa.Inst) cpu.Trap {
		if e.CR0&cpu.CR0EM != 0 || e.CR4&cpu.CR4OSFXSR == 0 {
			return cpu.UD()
		}
		if e.CR0&cpu.CR0TS != 0 {
			return cpu.Exception(cpu.VecNM)
		}
		return op(e, in)
	}
}

func ldmxcsr(e *Engine, in *isa.Inst) cpu.Trap {
	v, t := e.value(in, in.Args[0])
	if t != cpu.NoTrap {
		return t
	}
	if v&^mxcsrMask != 0 {
		return cpu.GP(0)
	}
	e.MXCSR = v
	return cpu.NoTrap
}

func stmxcsr(e *Engine, in *isa.Inst) cpu.Trap { return e.setValue(in, in.Args[0], e.MXCSR) }

// environmentOps are the operations of this file.
var environmentOps = [isa.NumOps]func(*Engine, *isa.Inst) cpu.Trap{
	isa.FWAIT: fwait, isa.FNINIT: silent(fninit), isa.FNCLEX: silent(fnclex),
	isa.FNENI: silent(nop), isa.FNDISI: silent(nop), isa.FNSETPM: silent(nop),
	isa.FLDCW: waiting(fldcw), isa.FNSTCW: silent(fnstcw), isa.FNSTSW: silent(fnstsw),
	isa.FNSTENV: silent(fnstenv), isa.FLDENV: waiting(fldenv),
	isa.FNSAVE: silent(fnsave), isa.FRSTOR: waiting(frstor),
	isa.FXSAVE: silent(fxsave), isa.FXRSTOR: silent(fxrstor),
	isa.LDMXCSR: sse(ldmxcsr), isa.STMXCSR: sse(stmxcsr),
	isa.CLFLUSH: clflush, isa.LFENCE: nop, isa.MFENCE: nop, isa.SFENCE: nop,
	isa.PREFETCHNTA: nop, isa.PREFETCHT0: nop, isa.PREFETCHT1: nop, isa.PREFETCHT2: nop,
}
