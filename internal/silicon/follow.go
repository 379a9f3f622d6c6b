package silicon

import (
	"encoding/binary"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/mem"
)

// A path is what can be said of the instructions that a case executed, also of
// those that a jump led to outside the case.
type path struct {
	// open are the flags that the last instructions to set them left undefined.
	open uint32
	// openC1 says that a comparison to EFLAGS left C1 of the x87 status open.
	openC1 bool
	// long says that control came to the segment of 64-bit code, which a 64-bit
	// Linux has in its descriptor table and a 32-bit processor takes for another.
	long bool
	// carry says that a far return was executed on a 16-bit stack: AMD's
	// processors carry the sum with its operand into the upper half of ESP.
	carry bool
	// int1 says that an INT1 was executed, which a hypervisor below may report
	// as a fault.
	int1 bool
	// inexact is the number of instructions since one whose result processors
	// round differently, itself included.
	inexact int
	// spread says that what was open has got elsewhere: into memory, into a
	// register, or into the decision of a branch.
	spread bool
}

// follow executes the only case of b one instruction at a time.
func (e *Emulated) follow(b *Batch) (path, error) {
	c := &b.Cases[0]
	p := path{open: c.Open}
	if err := e.place(b); err != nil {
		return p, err
	}
	if err := e.start(c); err != nil {
		return p, err
	}
	e.Monitor.Step(true)
	defer e.Monitor.Step(false)
	for range patience {
		in := e.decode(e.Seg[isa.CS].Base+e.EIP, e.Code())
		if in == nil {
			break
		}
		before := p.open
		p.pass(in)
		p.carry = p.carry || in.Op == isa.RETF && e.Seg[isa.SS].Access&cpu.AccessDB == 0
		e.engine.Run(1)
		if e.Seg[isa.CS].Selector&^7 == longCode {
			p.long = true
			break
		}
		if e.CPL != 3 {
			p.open |= before // it may have ended before it set flags
			break
		}
	}
	return p, nil
}

// at decodes the instruction that r ended at, if it lies in the code area.
func (e *Emulated) at(r *Result) *isa.Inst {
	s, ok := e.segs[r.Seg[isa.CS]]
	if !ok {
		return nil
	}
	mode := isa.Code16
	if s.Access&cpu.AccessDB != 0 {
		mode = isa.Code32
	}
	return e.decode(s.Base+r.EIP, mode)
}

// extends reports whether r ended at what looks like an extension, wherever in
// the code area.
func (e *Emulated) extends(r *Result) bool {
	s, ok := e.segs[r.Seg[isa.CS]]
	if !ok || r.Vector != cpu.VecUD {
		return false
	}
	return extension(e.bytes(s.Base + r.EIP))
}

// bytes are those of an instruction at a linear address of the code area, and
// more; none elsewhere.
func (e *Emulated) bytes(linear uint32) []byte {
	at := linear - CodeAt
	if at >= CodeSize {
		return nil
	}
	code := make([]byte, min(15, CodeSize-at))
	if err := e.m.ReadAt(code, codeRAM+mem.Addr(at)); err != nil {
		return nil
	}
	return code
}

// decode decodes the instruction at a linear address of the code area.
func (e *Emulated) decode(linear uint32, mode isa.Mode) *isa.Inst {
	in, err := isa.Decode(e.bytes(linear), mode)
	if err != nil {
		return nil
	}
	return &in
}

// pass adds an instruction to the path.
func (p *path) pass(in *isa.Inst) {
	read, written, undefined := in.Flags()
	p.spread = p.spread || uint32(read)&p.open != 0 || p.openC1 && storesStatus(in.Op)
	if in.Op.Attr()&isa.MaybeFlags == 0 {
		p.open &^= uint32(written)
	}
	p.open |= uint32(undefined)
	if p.inexact > 0 || transcendental(in.Op) {
		p.inexact++
	}
	p.int1 = p.int1 || in.Op == isa.INT1
	p.openC1 = p.openC1 || comparesToFlags(in.Op)
}

// transcendental reports whether the result of op is not that of IEEE 754: it
// may differ between processors in the last bit, and so may C1, which says
// whether it was rounded up.
func transcendental(op isa.Op) bool {
	switch op {
	case isa.FSIN, isa.FCOS, isa.FSINCOS, isa.FPTAN, isa.FPATAN, isa.F2XM1, isa.FYL2X, isa.FYL2XP1:
		return true
	}
	return false
}

// nearly makes what may differ of b, right behind a transcendental instruction,
// as it is in a.
func nearly(a, b *Result) {
	b.FX[3] = b.FX[3]&^2 | a.FX[3]&2
	for i := 32; i < 160; i += 16 {
		x, y := binary.LittleEndian.Uint64(a.FX[i:]), binary.LittleEndian.Uint64(b.FX[i:])
		if x-y+1 <= 2 {
			copy(b.FX[i:i+8], a.FX[i:i+8])
		}
	}
}

// excuses is the reason why two results of the case that took p may differ, or "".
func (p *path) excuses(e, n *Result) string {
	if p.long {
		return "64-bit code, which only the host executes"
	}
	if p.spread {
		return "the manual leaves open what the case goes on with"
	}
	a, b := *e, *n
	for _, r := range []*Result{&a, &b} {
		r.EFLAGS &^= p.open
		if p.openC1 {
			const c1 = 2
			r.FX[3] &^= c1
		}
		if p.carry {
			r.GPR[cpu.ESP] &= 0xffff
		}
		if p.int1 && r.Vector == cpu.VecDB {
			r.EIP = 0
		}
	}
	const itselfAndHLT = 2
	switch {
	case p.inexact > itselfAndHLT:
		return "a result that processors round differently is used further"
	case p.inexact > 0:
		nearly(&a, &b)
	}
	if a == b {
		return "what the manual leaves undefined, or a habit of AMD's processors or of a hypervisor"
	}
	return ""
}
