package jit

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	. "github.com/gov86/gov86/jit/amd64"
)

// x87 and MMX instructions become themselves: their registers are the host's.

// planX87 decides for x87 and MMX instructions.
func (t *translator) planX87(in *isa.Inst) how {
	if t.u.key&(keyNoX87|key(cpu.ModeNoFPU)) != 0 {
		return howStep
	}
	switch in.Op {
	case isa.FNINIT, isa.FLDENV, isa.FNSTENV, isa.FRSTOR, isa.FNSAVE, isa.FXSAVE, isa.FXRSTOR, isa.MASKMOVQ:
		return howStep
	case isa.FWAIT, isa.FNENI, isa.FNDISI, isa.FNSETPM:
		return howNothing
	case isa.EMMS:
		return howX87
	}
	if in.Op.Attr()&isa.X87 != 0 {
		if in.AddrSize == 2 && in.Seg >= isa.FS {
			return howStep // the offset of the operand is in no register
		}
		if t.segmented() && in.Width == 10 {
			return howStep // its end is not looked at in time
		}
		return howX87
	}
	if needsSIMD(in) && t.u.key&keyNoSIMD != 0 || in.Args[0] == isa.Reg32|cpu.ESP || in.Args[1] == isa.Reg32|cpu.ESP {
		return howStep
	}
	return howGeneric
}

// needsSIMD reports whether a translated instruction uses the XMM registers or
// MXCSR.
func needsSIMD(in *isa.Inst) bool {
	switch {
	case in.Op.Attr()&isa.SIMD == 0:
		return false
	case !in.MMX(), in.Args[0].Kind() == isa.XMM, in.Args[1].Kind() == isa.XMM:
		return true
	}
	switch in.Op {
	case isa.CVTPS2PI, isa.CVTTPS2PI, isa.CVTPD2PI, isa.CVTTPD2PI:
		return true
	}
	return false
}

// ensure has the registers loaded that the steps from i on need, up to the end
// of their run: behind a call they may be elsewhere. The flags are saved or dead.
func (t *translator) ensure(i int) {
	x87, simd := false, false
	for j := i; j < t.steps[i].end; j++ {
		s := &t.steps[j]
		x87 = x87 || s.how == howX87 || s.how == howGeneric && s.MMX()
		simd = simd || s.how == howGeneric && needsSIMD(&s.Inst)
	}
	t.u.x87 = t.u.x87 || x87
	if x87 {
		t.want(wantX87, offX87Live, i)
	}
	if simd {
		t.want(wantSIMD, offSIMD, i)
	}
}

// want leaves for k before step i if the flag at off in the context is clear.
func (t *translator) want(k kind, off int32, i int) {
	a := &t.e.asm
	compareZero(a, At(ctx, off))
	at := a.Jcc(CondE, 0)
	t.late(at, lateExit, site{kind: k, eip: t.steps[i].eip, restart: int32(a.Pos)})
}

// x87 writes an x87 instruction, and EMMS.
func (t *translator) x87(i int) {
	a := &t.e.asm
	s := &t.steps[i]
	if s.Op == isa.EMMS {
		a.Bytes(0x0f, 0x77)
		return
	}
	f := parse(s.code, s.AddrSize)
	if f.modrm >= 0xc0 {
		t.needs(s)
		a.Bytes(f.opcode, f.modrm)
		t.wrote(s)
		t.point(i, None)
		return
	}
	first := len(t.lates)
	m := t.operand87(i)
	if s.Op == isa.FLDCW {
		t.loadControl(i, m)
	} else {
		a.RM(0, OneByte, f.opcode, Reg(f.modrm>>3), m)
	}
	if m.Window {
		t.point(i, t.offset(i))
	} else {
		t.point(i, m.Index)
	}
	t.resumes(first)
}

// operand87 checks the access to the memory operand of step i. Ten bytes are
// rarely aligned to sixteen, so that it is worth while to see at once whether
// they end in the page they begin in.
func (t *translator) operand87(i int) Mem {
	a := &t.e.asm
	s := &t.steps[i]
	_, writes := s.Memory()
	if s.Width != 10 || t.windowed(i) {
		return t.access(i, t.operand(s), s.Width, writes, s.before)
	}
	m := t.access(i, t.operand(s), 1, writes, s.before)
	t.lates[len(t.lates)-1].site.size = s.Width
	l := t.lates[len(t.lates)-1]
	l.what = lateAccess
	a.Lea(R10, At(m.Index, 9))
	a.RR(0, OneByte, 0x31, m.Index, R10) // XOR R10D, r32
	a.RR(0, OneByte, 0xf7, 0, R10)       // TEST R10D, imm32
	a.U32(0x1000)
	l.from = a.Jcc(CondNE, 0)
	t.lates = append(t.lates, l)
	return m
}

// loadControl is FLDCW. A word that unmasks an exception is the interpreter's;
// the one looked at is the one loaded.
func (t *translator) loadControl(i int, m Mem) {
	a := &t.e.asm
	a.RM(0, TwoByte, 0xb7, R10, m) // MOVZX R10D, m16
	a.Store(At(ctx, offX87Control), R10)
	a.RR(0, OneByte, 0xf7, 2, R10) // NOT R10D
	a.TestImm8(R10, x87Masks)
	t.late(a.Jcc(CondNE, 0), lateExit, t.siteOf(i, wantStep))
	a.RM(0, OneByte, 0xd9, 5, At(ctx, offX87Control))
}

// pointed reports whether the x87 instruction pointer points to s afterwards:
// to control instructions it does not.
func pointed(s *step) bool {
	switch s.Op {
	case isa.FLDCW, isa.FNSTCW, isa.FNSTSW, isa.FNCLEX:
		return false
	}
	return s.how == howX87 && s.Op != isa.EMMS
}

// offset is a register with the address of the operand of step i, for point; with
// FS and GS point has its own.
func (t *translator) offset(i int) Reg {
	s := &t.steps[i]
	if s.Seg < isa.FS && s.AddrSize == 4 && pointed(s) && !t.overtaken(i, true) {
		t.e.asm.Lea(R10, t.operandNow(&s.Inst))
		return R10
	}
	return R8
}

// point notes that the last x87 instruction is step i, and that its operand is
// at the linear address in r unless that is None.
func (t *translator) point(i int, r Reg) {
	a := &t.e.asm
	s := &t.steps[i]
	if !pointed(s) {
		return
	}
	if r != None && !t.overtaken(i, true) {
		if s.Seg >= isa.FS || t.segmented() {
			a.Lea(R10, operand(&s.Inst))
			if s.AddrSize == 2 {
				a.RR(0, TwoByte, 0xb7, R10, R10) // MOVZX R10D, R10W
			}
			r = R10
		}
		a.Store(At(ctx, offX87Data), r)
		a.Load64(R10, At(ctx, offState))
		a.RM(0, TwoByte, 0xb7, R10, At(R10, stateSeg+int32(s.Seg)*segmentSize)) // MOVZX
		a.Store(At(ctx, offX87Selector), R10)
	}
	if t.overtaken(i, false) {
		return
	}
	a.StoreImm(At(ctx, offX87Last), t.u.number<<siteBits|uint32(len(t.u.x87s)))
	t.u.x87s = append(t.u.x87s, x87Inst{eip: s.eip, opcode: s.X87})
}

// overtaken reports whether a later step notes what step i would, the address of
// an operand or itself, before anyone may see it. To note all is a quarter of the
// time of plain arithmetic. So a fault between the two does not count, unless the
// engine is exact: its handler finds the pointers of an earlier instruction.
func (t *translator) overtaken(i int, operand bool) bool {
	for j := i + 1; j < len(t.steps); j++ {
		s := &t.steps[j]
		faults := s.Width != 0
		switch {
		case s.how != howX87 && s.how != howGeneric && s.how != howLea && s.how != howNothing, faults && t.e.exact:
			return false
		case pointed(s) && (faults || !operand):
			return true
		}
	}
	return false
}
