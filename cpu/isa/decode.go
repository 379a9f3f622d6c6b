package isa

import "errors"

// MaxLen is the length of the longest instruction.
const MaxLen = 15

// The reasons not to decode.
var (
	// ErrTruncated: the instruction is longer than the bytes given.
	ErrTruncated = errors.New("isa: instruction is cut off")
	// ErrTooLong: the instruction is longer than 15 bytes, which is #GP(0).
	ErrTooLong = errors.New("isa: instruction is longer than 15 bytes")
	// ErrInvalid: no such instruction, or LOCK where it is not allowed, which
	// is #UD.
	ErrInvalid = errors.New("isa: invalid opcode")
)

// A row is one entry of an opcode map.
type row struct {
	op  Op
	ops ops
}

// ops are the operands of a row, in the order of Inst.Args.
type ops [4]operand

// A row whose op is one of these continues in a table of eight: the base plus
// the number of the table. The operands of a row there, if it has none, are
// those of the row that leads to it.
const (
	prefixByte Op = 0x7fff // not an opcode

	byReg    Op = 0x8000 // by the reg field of ModR/M
	byRM     Op = 0x9000 // by the r/m field
	byMod    Op = 0xa000 // 0 for memory, 1 for a register
	bySizeOp Op = 0xb000 // 0 for an operand size of 2, 1 for 4
	byPrefix Op = 0xc000 // by prefix: np, p66, pF3, pF2
	selector Op = 0xf000
)

// The prefixes that select among opcodes.
const (
	np = iota
	p66
	pF3
	pF2
)

// A decoder is the state of decoding one instruction.
type decoder struct {
	code    []byte
	pos     int
	short   bool // code was read past its end
	opcode  uint8
	modrm   uint8
	fetched bool // modrm holds
	// mandatory is np, p66, pF3 or pF2: the prefix that selects where one does.
	mandatory uint8
	in        Inst
}

// Decode decodes the instruction that begins code. Code needs no more than
// MaxLen bytes; with fewer the error may be ErrTruncated.
func Decode(code []byte, m Mode) (Inst, error) {
	d := decoder{code: code}
	if len(code) > MaxLen {
		d.code = code[:MaxLen]
	}
	ok := d.decode(m)
	switch {
	case d.short && len(d.code) == MaxLen:
		return Inst{}, ErrTooLong
	case d.short:
		return Inst{}, ErrTruncated
	case !ok:
		return Inst{}, ErrInvalid
	}
	d.in.Len = uint8(d.pos)
	return d.in, nil
}

func (d *decoder) decode(m Mode) bool {
	in := &d.in
	in.Base, in.Index, in.Seg = NoReg, NoReg, DS
	in.OpSize, in.AddrSize = uint8(m)/8, uint8(m)/8
	d.prefixes(&in.OpSize, &in.AddrSize)
	r := d.row()
	operands := r.ops
	for r.op >= byReg {
		r = d.choose(r.op)
		if r.ops != (ops{}) {
			operands = r.ops
		}
	}
	if d.short || r.op == NoOp {
		return false
	}
	in.Op = r.op
	for i, o := range operands {
		if o == none {
			break
		}
		if !d.operand(i, &forms[o]) {
			return false
		}
	}
	if d.opcode&^7 == 0xd8 && operations[in.Op].attr&X87 != 0 {
		in.X87 = uint16(d.opcode&7)<<8 | uint16(d.modrm)
	}
	if in.Args[0].Kind() == Reg8 || in.Args[0] == Mem && in.Width == 1 || in.Op == OUT && in.Args[1] == Reg8 {
		in.OpSize = 1
	}
	if in.Prefix&Lock != 0 && (in.Args[0] != Mem || operations[in.Op].attr&Lockable == 0) {
		return false
	}
	return in.Args[0] != SReg|Arg(CS) || in.Op != MOVSREG
}

// prefixes reads the prefixes and the opcode byte after them.
func (d *decoder) prefixes(opSize, addrSize *uint8) {
	in := &d.in
	otherOp, otherAddr := 6-*opSize, 6-*addrSize
	for {
		d.opcode = d.u8()
		if oneByte[d.opcode].op != prefixByte {
			return
		}
		switch d.opcode {
		case 0x26, 0x2e, 0x36, 0x3e:
			in.Seg = Seg(d.opcode >> 3 & 3)
			in.Prefix |= SegOverride
		case 0x64, 0x65:
			in.Seg = FS + Seg(d.opcode&1)
			in.Prefix |= SegOverride
		case 0x66:
			*opSize = otherOp
			if d.mandatory == np {
				d.mandatory = p66
			}
		case 0x67:
			*addrSize = otherAddr
		case 0xf0:
			in.Prefix |= Lock
		case 0xf2:
			in.Prefix = in.Prefix&^Rep | RepNE
			d.mandatory = pF2
		case 0xf3:
			in.Prefix = in.Prefix&^RepNE | Rep
			d.mandatory = pF3
		}
	}
}

// row follows the escape bytes to a row of an opcode map.
func (d *decoder) row() *row {
	if d.opcode != 0x0f {
		return &oneByte[d.opcode]
	}
	d.opcode = d.u8()
	switch d.opcode {
	case 0x38:
		d.opcode = d.u8()
		return d.selected(&threeByte38)
	case 0x3a:
		d.opcode = d.u8()
		return d.selected(&threeByte3A)
	}
	if r := &twoByte[d.opcode]; r.op != NoOp {
		return r
	}
	return d.selected(&simd)
}

// selected is a row of a map where the prefixes are part of the opcode.
func (d *decoder) selected(m *[4][256]row) *row {
	d.in.Prefix &^= Rep | RepNE
	return &m[d.mandatory&3][d.opcode]
}

// choose follows a row into its table of eight.
func (d *decoder) choose(op Op) *row {
	g := &groups[op&^selector]
	switch op & selector {
	case byReg:
		return &g[d.fetch()>>3&7]
	case byRM:
		return &g[d.fetch()&7]
	case byMod:
		if d.fetch() < 0xc0 {
			return &g[0]
		}
		return &g[1]
	case bySizeOp:
		return &g[d.in.OpSize>>2&1]
	default:
		r := &g[d.mandatory&3]
		if r.op == PAUSE {
			d.in.Prefix &^= Rep
		}
		return r
	}
}

// operand decodes operand i.
func (d *decoder) operand(i int, f *form) bool {
	in := &d.in
	a := &in.Args[i]
	switch f.field {
	case fieldRM:
		return d.registerOrMemory(a, f)
	case fieldRMReg:
		*a = f.reg | Arg(d.fetch()&7)
	case fieldReg:
		*a = d.kind(f.reg) | Arg(d.fetch()>>3&7)
	case fieldSeg:
		*a = SReg | Arg(d.fetch()>>3&7)
		return *a <= SReg|Arg(GS)
	case fieldControl:
		// There are CR0, CR2, CR3 and CR4.
		n := d.fetch() >> 3 & 7
		*a = CReg | Arg(n)
		return n != 1 && n < 5
	case fieldOpcode:
		*a = d.kind(f.reg) | Arg(d.opcode&7)
	case fieldFixed:
		*a = d.kind(f.reg)
	case fieldOne:
		*a, in.Imm = Imm, 1
	case fieldImm:
		d.immediate(a, d.width(f.width))
	case fieldSigned:
		*a, in.Imm = Imm, uint32(int32(int8(d.u8())))
	case fieldRel:
		*a, in.Imm = Rel, d.displacement(d.width(f.width))
	case fieldFar:
		*a, in.Imm = Far, d.number(in.OpSize)
		in.Imm2 = uint16(d.number(2))
	case fieldOffset:
		*a, in.Width = Mem, d.width(f.width)
		in.Disp = d.number(in.AddrSize)
	case fieldString:
		in.OpSize = d.width(f.width)
	}
	return true
}

// kind resolves bySize; other kinds are themselves.
func (d *decoder) kind(k Arg) Arg {
	if k != bySize {
		return k
	}
	if d.in.OpSize == 2 {
		return Reg16
	}
	return Reg32
}

// width resolves the widths that depend on the operand size.
func (d *decoder) width(w uint8) uint8 {
	switch w {
	case widthV:
		return d.in.OpSize
	case widthP:
		return d.in.OpSize + 2
	case widthA:
		return d.in.OpSize * 2
	}
	return w
}

func (d *decoder) registerOrMemory(a *Arg, f *form) bool {
	if b := d.fetch(); b >= 0xc0 {
		*a = d.kind(f.reg) | Arg(b&7)
		return f.reg != None
	}
	*a, d.in.Width = Mem, d.width(f.width)
	d.address()
	return f.width != noWidth
}

// immediate reads an immediate operand; a second one goes to Imm2.
func (d *decoder) immediate(a *Arg, size uint8) {
	v := d.number(size)
	for _, b := range d.in.Args {
		if b == Imm {
			*a, d.in.Imm2 = Imm2, uint16(v)
			return
		}
	}
	*a, d.in.Imm = Imm, v
}
