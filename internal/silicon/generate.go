package silicon

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// A Class is a kind of cases.
type Class uint8

// The classes.
const (
	Integer  Class = iota // one instruction on general registers and memory
	Sequence              // several, that hand flags and registers on
	X87
	SIMD
	Control  // jumps, calls and returns
	String   // string instructions with repeat prefixes
	Segments // selectors, limits, 16-bit code and stacks
	Trapping // single step and alignment check
	Bytes    // arbitrary bytes: what is no instruction included
	NumClasses
)

var classNames = [NumClasses]string{
	"integer", "sequence", "x87", "simd", "control", "string", "segments", "trapping", "bytes",
}

func (c Class) String() string { return classNames[c] }

// A generator makes the cases of a batch.
type generator struct {
	source
	class  Class
	strict bool
	next   uint32 // where the next case's code goes
	batch  *Batch
}

// Options is what decides which cases there are.
type Options struct {
	Seed uint64
	// Strict compares the flags that the manual leaves undefined as well.
	Strict bool
}

// Batch makes batch number n of a class: always the same.
func (o Options) Batch(class Class, n uint64, cases int) *Batch {
	s := source{rand.New(rand.NewPCG(o.Seed, uint64(class)<<56|n))}
	g := generator{source: s, class: class, strict: o.Strict, next: CodeAt + landings}
	g.batch = &Batch{Memory: g.memory(), Code: make([]byte, CodeSize)}
	copy(g.batch.Code, landingField())
	for range cases {
		c := g.make()
		copy(g.batch.Code[c.At-CodeAt:], c.Code)
		g.batch.Cases = append(g.batch.Cases, c)
	}
	return g.batch
}

const hlt = 0xf4

// A draft is a case being made.
type draft struct {
	Case
	fixed    [8]bool // registers whose value something relies on
	floating bool
	wide     isa.Mode
	before   uint32 // flags that are open somewhere
	loose    bool   // C1 is open
}

// make makes one case.
func (g *generator) make() Case {
	d := &draft{wide: isa.Code32}
	for i := range d.GPR {
		d.GPR[i] = g.word()
	}
	d.GPR[cpu.ESP] = g.stack()
	d.fixed[cpu.ESP] = true
	d.EFLAGS = g.eflags()
	d.Seg = [6]uint16{FlatData, FlatCode, FlatData, FlatData, FlatData, FlatData}
	if g.class == Segments {
		g.segments(d)
	}
	n := 1
	if g.class == Sequence || g.class == Trapping || g.percent(10) {
		n = 2 + g.IntN(5)
	}
	if g.class == Trapping {
		g.trap(d)
	}
	if g.class == Bytes {
		g.arbitrary(d)
		n = 0
	}
	for range n {
		d.Code = append(d.Code, g.instruction(d)...)
	}
	// An instruction in the middle may fault: what was open there counts.
	d.Open |= d.before
	d.Code = append(d.Code, hlt)
	d.FX = quietImage()
	if d.floating {
		d.FX = g.image()
	}
	g.place(d)
	return d.Case
}

// place gives the code its address: behind the last one's, or so that it
// crosses into the next page, or into the absent one behind the area.
func (g *generator) place(d *draft) {
	n := uint32(len(d.Code))
	d.At = g.next
	switch {
	case g.percent(2) && d.At&(pageSize-1)+2*n < pageSize:
		d.At = (d.At | (pageSize - 1)) + 1 - uint32(g.IntN(int(n)))
	}
	if d.At+n > CodeAt+CodeSize-pageSize {
		// The last page is for code that runs out of the area.
		d.At = CodeAt + CodeSize - uint32(g.IntN(int(n))) - 1
		if room := CodeAt + CodeSize - d.At; room < n {
			d.Code = d.Code[:room]
		}
	} else {
		g.next = d.At + n
	}
	d.EIP = d.At
	if d.wide == isa.Code16 {
		d.EIP -= CodeAt
	}
}

// arbitrary makes code of arbitrary bytes, among HLTs enough that no
// instruction reaches beyond.
func (g *generator) arbitrary(d *draft) {
	const longest = 15
again:
	for {
		code := make([]byte, 1+g.IntN(longest))
		for i := range code {
			code[i] = byte(g.Uint32())
		}
		if g.percent(30) {
			code[0] = 0x0f
		}
		code = append(code, bytes.Repeat([]byte{hlt}, longest)...)
		d.Open = 0
		for at := 0; at < len(code)-longest; {
			in, err := isa.Decode(code[at:], d.wide)
			if err != nil {
				break // it ends here
			}
			if excluded(code[at:at+int(in.Len)], &in) || in.Op.Attr()&isa.Jumps != 0 {
				continue again
			}
			read, _, _ := in.Flags()
			if uint32(read)&d.Open != 0 {
				continue again
			}
			d.Open |= open(&in)
			d.floating = d.floating || in.Op.Attr()&(isa.X87|isa.SIMD) != 0
			at += int(in.Len)
		}
		d.Code = code
		return
	}
}

// trap makes the case single-step or check alignment: POPF with TF or AC.
func (g *generator) trap(d *draft) {
	const tf, ac = 1 << 8, 1 << 18
	flags := d.EFLAGS | one[uint32](g.source, tf, tf, ac, tf|ac)
	d.GPR[cpu.ESP] = StackAt + pageSize + uint32(g.IntN(256))*4
	d.Code = append(d.Code, 0x68)
	d.Code = binary.LittleEndian.AppendUint32(d.Code, flags)
	d.Code = append(d.Code, 0x9d)
}

// instruction makes one instruction and prepares its operands.
func (g *generator) instruction(d *draft) []byte {
	for {
		b := g.random()
		in, err := isa.Decode(b, d.wide)
		if err != nil {
			continue
		}
		b = b[:in.Len]
		if excluded(b, &in) || !g.wanted(&in) {
			continue
		}
		if d.loose && storesStatus(in.Op) {
			continue
		}
		d.loose = d.loose || comparesToFlags(in.Op)
		read, written, _ := in.Flags()
		if uint32(read)&d.Open != 0 {
			continue // it would make a difference of what makes none
		}
		if d.before = d.before | d.Open; in.Op.Attr()&isa.MaybeFlags == 0 {
			d.Open &^= uint32(written)
		}
		if !g.strict {
			d.Open |= open(&in)
		}
		d.floating = d.floating || in.Op.Attr()&(isa.X87|isa.SIMD) != 0
		g.operands(d, &in, b)
		return b
	}
}

// wanted reports whether the class is about in.
func (g *generator) wanted(in *isa.Inst) bool {
	a := in.Op.Attr()
	floating := a&(isa.X87|isa.SIMD) != 0
	switch g.class {
	case Integer, Sequence:
		return !floating && a&(isa.Jumps|isa.String) == 0
	case X87:
		return a&isa.X87 != 0
	case SIMD:
		return a&isa.SIMD != 0
	case Control:
		return a&isa.Jumps != 0 || g.percent(10) && !floating
	case String:
		return a&isa.String != 0 || g.percent(5) && !floating
	case Trapping:
		return !floating || g.percent(10)
	}
	return true
}

// random is the bytes of an instruction and more than it needs.
func (g *generator) random() []byte {
	b := make([]byte, 0, 40)
	if g.percent(25) {
		b = append(b, 0x66)
	}
	if g.percent(5) {
		b = append(b, 0x67)
	}
	if p := 5; g.percent(p) || g.class == Segments && g.percent(40) {
		b = append(b, one[byte](g.source, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65))
	}
	if g.percent(3) {
		b = append(b, 0xf0)
	}
	repeat := 5
	if g.class == String {
		repeat = 60
	}
	if g.class == SIMD {
		repeat = 30
	}
	if g.percent(repeat) {
		b = append(b, one[byte](g.source, 0xf2, 0xf3))
	}
	b = g.opcode(b)
	return g.tail(b)
}

// opcode appends an opcode of a map.
func (g *generator) opcode(b []byte) []byte {
	op := byte(g.Uint32())
	switch g.class {
	case X87:
		return append(b, 0xd8|op&7)
	case SIMD:
		switch g.IntN(4) {
		case 0:
			return append(b, 0x0f, 0x38, op)
		case 1:
			return append(b, 0x0f, 0x3a, op)
		}
		return append(b, 0x0f, op)
	case String:
		return append(b, one[byte](g.source, 0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf, 0x6c, 0x6e))
	}
	switch n := g.IntN(10); {
	case n == 0:
		return append(b, 0x0f, 0x38, op)
	case n < 4:
		return append(b, 0x0f, op)
	}
	return append(b, op)
}

// tail appends what may follow an opcode: ModR/M, SIB, displacement, immediate.
func (g *generator) tail(b []byte) []byte {
	modrm := byte(g.Uint32())
	registers := 40
	if g.class == Sequence {
		registers = 75
	}
	if g.percent(registers) {
		modrm |= 0xc0
	}
	b = append(b, modrm)
	le := binary.LittleEndian
	switch {
	case modrm&0xc7 == 5:
		b = le.AppendUint32(b, g.target())
	case modrm < 0xc0 && modrm&7 == 4:
		b = append(b, byte(g.Uint32()))
	}
	for len(b) < cap(b)-4 {
		b = le.AppendUint32(b, g.word())
	}
	return b
}

// set gives a register a value that something relies on.
func (d *draft) set(r uint8, v uint32) {
	if r < 8 && !d.fixed[r] {
		d.GPR[r] = v
		d.fixed[r] = true
	}
}

// operands makes the registers that in uses mean something, most of the time.
func (g *generator) operands(d *draft, in *isa.Inst, b []byte) {
	a := in.Op.Attr()
	switch {
	case a&isa.String != 0:
		d.set(cpu.ESI, g.target())
		d.set(cpu.EDI, g.target())
		d.set(cpu.ECX, uint32(g.IntN(40)))
	case in.Op == isa.XLAT:
		d.set(cpu.EBX, g.target())
	case in.Op == isa.ENTER || in.Op == isa.LEAVE:
		d.set(cpu.EBP, StackAt+pageSize+uint32(g.IntN(1024)))
	case in.Op == isa.MASKMOVQ || in.Op == isa.MASKMOVDQU:
		d.set(cpu.EDI, g.target())
	case in.Op == isa.DIV || in.Op == isa.IDIV:
		if g.percent(70) {
			d.set(cpu.EDX, one(g.source, 0, 0xffffffff, uint32(g.IntN(64))))
		}
	}
	g.relative(in, b)
	hasMemory := false
	for _, arg := range in.Args {
		hasMemory = hasMemory || arg.Kind() == isa.Mem
	}
	if !hasMemory {
		if a&isa.Jumps != 0 && in.Args[0].Kind() == isa.Reg32 {
			d.set(in.Args[0].Num(), g.landing())
		}
		return
	}
	if arg := in.Args[1]; in.Op >= isa.BT && arg.Kind() == isa.Reg32 && bitTest(in.Op) && g.percent(80) {
		d.set(arg.Num(), uint32(g.IntN(256)-128))
	}
	if in.AddrSize != 4 || g.percent(5) {
		g.near(d, in)
		return
	}
	target := g.target()
	if a&isa.Jumps != 0 || in.Op == isa.LDS || in.Op == isa.LES || in.Op == isa.LFS || in.Op == isa.LGS || in.Op == isa.LSS {
		g.pointer(target)
	}
	if in.Index < 8 {
		if d.fixed[in.Index] {
			return
		}
		d.set(in.Index, g.word())
	}
	var index uint32
	if in.Index < 8 {
		index = d.GPR[in.Index] << in.Scale
	}
	switch {
	case in.Base < 8 && in.Base != in.Index:
		d.set(in.Base, target-index-in.Disp)
	case in.Base < 8:
		d.fixed[in.Base] = false
		d.set(in.Base, (target-in.Disp)/(1+1<<in.Scale))
	}
}

func bitTest(op isa.Op) bool { return op == isa.BT || op == isa.BTS || op == isa.BTR || op == isa.BTC }

// near makes an operand with 16-bit addressing small, for segments that have
// something there.
func (g *generator) near(d *draft, in *isa.Inst) {
	if in.Base < 8 {
		d.set(in.Base, g.Uint32()&0xffff0fff-in.Disp&0xffff)
	}
}

// pointer puts a near or far pointer that leads somewhere into memory.
func (g *generator) pointer(at uint32) {
	off := at - DataAt
	if off > DataSize-8 {
		return
	}
	le := binary.LittleEndian
	le.PutUint32(g.batch.Memory[off:], g.landing())
	selector := g.selector()
	if g.percent(50) {
		selector = FlatCode
	}
	le.PutUint16(g.batch.Memory[off+4:], selector)
}

// relative leads a relative jump to the HLT behind it, back to itself for
// LOOP, or far away.
func (g *generator) relative(in *isa.Inst, b []byte) {
	for _, arg := range in.Args {
		switch arg.Kind() {
		case isa.Rel:
			for i := relativeAt(in, b); i < len(b); i++ {
				b[i] = 0
			}
		case isa.Far:
			n := len(b)
			binary.LittleEndian.PutUint16(b[n-2:], g.selector())
			if g.percent(60) {
				binary.LittleEndian.PutUint16(b[n-2:], FlatCode)
			}
			if in.OpSize == 4 {
				binary.LittleEndian.PutUint32(b[n-6:], g.landing())
			}
		}
	}
}

// relativeAt is where in b the displacement of a relative jump begins.
func relativeAt(in *isa.Inst, b []byte) int {
	for i, v := range b {
		switch {
		case v == 0xe8 || v == 0xe9 || v == 0xeb || v&0xfc == 0xe0 || v&0xf0 == 0x70:
			return i + 1
		case v == 0x0f:
			return i + 2
		}
	}
	return len(b)
}

// segments chooses selectors, and perhaps 16-bit code and stack.
func (g *generator) segments(d *draft) {
	load := func(fallback uint16, entries ...int) uint16 {
		if g.percent(40) {
			return fallback
		}
		return Selector(one(g.source, entries...))
	}
	for _, s := range []isa.Seg{isa.DS, isa.ES, isa.FS, isa.GS} {
		d.Seg[s] = load(FlatData, LDTData, LDTShort, LDTReadOnly, LDTDown, LDTDown16, LDTCode, LDTPages, LDTWrapping, LDTDownReadOnly)
		if g.percent(4) {
			d.Seg[s] = uint16(g.IntN(4))
		}
	}
	if g.percent(40) {
		d.wide = isa.Code16
		d.Seg[isa.CS] = Selector(one(g.source, LDTCode16, LDTExecute16))
	} else {
		d.Seg[isa.CS] = load(FlatCode, LDTCode, LDTExecuteOnly)
	}
	if g.percent(50) {
		d.Seg[isa.SS] = Selector(one(g.source, LDTStack16, LDTStackDown16, LDTStackBig, LDTData))
		d.GPR[cpu.ESP] = pageSize + uint32(g.IntN(1024)-512)*2
		if g.percent(20) {
			d.GPR[cpu.ESP] = one[uint32](g.source, 0, 1, 2, 4, 0xffff, 0xfffe, 0x1fff, 0x2000, 0x1fffe, 0x12340002)
		}
	}
}
