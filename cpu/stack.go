package cpu

import "github.com/gov86/gov86/cpu/isa"

// A frame is a stack that an operation of the processor writes or reads before
// it commits to it: the current one or that of another privilege level.
type frame struct {
	c      *CPU
	seg    Segment
	sp     uint32
	access Access
	// code is the error code of a limit fault: zero on the current stack.
	code uint16
	// aligned says that accesses are to be aligned.
	aligned bool
}

// currentFrame is the stack at SS:ESP.
func (c *CPU) currentFrame() frame {
	return frame{c: c, seg: c.Seg[isa.SS], sp: c.Reg32(ESP), access: c.Data()}
}

// operandFrame is currentFrame for the operands of an instruction, which are to
// be aligned where that is checked; what an exception pushes is not.
func (c *CPU) operandFrame() frame {
	f := c.currentFrame()
	f.aligned = c.checksAlignment()
	return f
}

func (f *frame) mask() uint32 {
	if f.seg.Access&AccessDB != 0 {
		return 0xffffffff
	}
	return 0xffff
}

// at checks the n bytes at offset off and returns their linear address.
func (f *frame) at(off uint32, n int) (Linear, Trap) {
	last := uint64(off) + uint64(n) - 1
	bad := last > uint64(f.seg.Limit)
	if f.seg.Access&(AccessCode|AccessDC) == AccessDC {
		bad = off <= f.seg.Limit || last > uint64(f.mask())
	}
	if bad {
		return 0, Fault(VecSS, f.code)
	}
	l := Linear(f.seg.Base + off)
	if f.aligned && l&Linear(n-1) != 0 {
		return 0, Fault(VecAC, 0)
	}
	return l, NoTrap
}

// room checks that n slots of size bytes can be pushed.
func (f *frame) room(n, size int) Trap {
	for i := 1; i <= n; i++ {
		l, t := f.at((f.sp-uint32(i*size))&f.mask(), size)
		if t == NoTrap {
			t = f.c.Probe(l, size, f.access|Write)
		}
		if t != NoTrap {
			return t
		}
	}
	return NoTrap
}

func (f *frame) push(v uint32, size int) Trap {
	off := (f.sp - uint32(size)) & f.mask()
	l, t := f.at(off, size)
	if t != NoTrap {
		return t
	}
	if t := f.c.WriteLinear(l, size, v, f.access); t != NoTrap {
		return t
	}
	f.sp = off
	return NoTrap
}

func (f *frame) pop(size int) (uint32, Trap) {
	l, t := f.at(f.sp&f.mask(), size)
	if t != NoTrap {
		return 0, t
	}
	v, t := f.c.ReadLinear(l, size, f.access)
	if t == NoTrap {
		f.drop(uint32(size))
	}
	return v, t
}

// drop moves the pointer up by n bytes. Whoever uses it applies the mask.
func (f *frame) drop(n uint32) { f.sp += n }

// commit makes the frame's pointer the stack pointer; the segment is loaded by
// whoever changed it.
func (f *frame) commit() { f.c.setESP(f.sp, f.mask()) }

func (c *CPU) setESP(v, mask uint32) { c.SetReg32(ESP, c.Reg32(ESP)&^mask|v&mask) }

// innerFrame is the stack of a more privileged level, from the TSS
// (Intel SDM Vol. 3A, "Stack Switching"). It has checked the segment.
func (c *CPU) innerFrame(level uint8, ext uint16) (frame, Trap) {
	f := frame{c: c, access: Implicit}
	wide := c.TR.Access&8 != 0
	at, n := uint32(level)*4+2, 2
	if wide {
		at, n = uint32(level)*8+4, 4
	}
	if at+uint32(n)+1 > c.TR.Limit {
		return f, Fault(VecTS, index(c.TR.Selector)|ext)
	}
	sp, t := c.ReadLinear(Linear(c.TR.Base+at), n, Implicit)
	if t != NoTrap {
		return f, t
	}
	v, t := c.ReadLinear(Linear(c.TR.Base+at+uint32(n)), 2, Implicit)
	if t != NoTrap {
		return f, t
	}
	selector := uint16(v)
	if null(selector) {
		return f, Fault(VecTS, ext)
	}
	d, t := c.need(selector, VecTS, ext)
	if t != NoTrap {
		return f, t
	}
	switch {
	case uint8(selector&3) != level, d.dpl() != level, !d.writableData():
		return f, Fault(VecTS, index(selector)|ext)
	case !d.present():
		return f, Fault(VecSS, index(selector)|ext)
	}
	if t := c.markAccessed(&d); t != NoTrap {
		return f, t
	}
	f.seg, f.sp, f.code = d.segment(selector), sp, index(selector)|ext
	return f, NoTrap
}
