package jit

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/mem"
)

var segmentedCases = flag.Int("jit.segmented", 150, "how many cases to run in every mode of segments, each way")

// Where the tests of segmented code have what newRig does not.
const (
	realTrapAt = 0x5000 // a HLT a vector, eight bytes apart, for real mode
	segTSS     = 0x5800
	segCode    = 0x18000 // 64 KiB of code
	segData    = 0x40000 // 64 KiB of data, and more behind
	segStack   = 0x60000 // 64 KiB of stack
	placed     = 0x400   // what is written of the code for each case
)

// Selectors of the descriptors that segmented adds, beside those of newRig.
const (
	selCode16 = 8 * (3 + iota)
	selData16
	selShort // of 4 KiB
	selRead  // not writable
	selDown  // expands down
	selDown32
	selCode32  // as selCode16, of 32-bit code
	selStack32 // as the stack, of 32 bits
	selAbsent
)

// descriptor makes one of a code or data segment.
func descriptor(base, limit uint32, access uint16) uint64 {
	return uint64(limit&0xffff) | uint64(base&0xffffff)<<16 | uint64(access&0xff)<<40 |
		uint64(limit>>16&15)<<48 | uint64(access>>12)<<52 | uint64(base>>24)<<56
}

// tables writes what the processor looks at.
func (r *rig) tables() {
	r.flatTables()
	const data = cpu.AccessP | cpu.AccessS | cpu.AccessRW | cpu.AccessA
	for selector, d := range map[mem.Addr]uint64{
		selCode16:  descriptor(segCode, 0xffff, data|cpu.AccessCode),
		selData16:  descriptor(segData, 0xffff, data),
		selShort:   descriptor(segData+4, 0xfff, data),
		selRead:    descriptor(segData, 0xffff, data&^cpu.AccessRW),
		selDown:    descriptor(segStack, 0x1fff, data|cpu.AccessDC),
		selDown32:  descriptor(segData, 0x1fff, data|cpu.AccessDC|cpu.AccessDB),
		selCode32:  descriptor(segCode, 0xffff, data|cpu.AccessCode|cpu.AccessDB),
		selStack32: descriptor(segStack, 0xffff, data|cpu.AccessDB),
		selAbsent:  descriptor(segData, 0xffff, data&^cpu.AccessP),
	} {
		r.m.Write64(gdtAt+selector, d)
	}
	for v := range mem.Addr(256) {
		r.m.Write(4*v, 4, realTrapAt>>4<<16|uint32(8*(v&63)))
		r.m.Write(realTrapAt+8*(v&63), 1, 0xf4)
	}
	r.m.Write(segTSS+4, 4, stackAt)
	r.m.Write(segTSS+8, 4, 16)
	r.m.Write(segTSS+0x66, 2, 0x68)
	r.TR = cpu.Segment{Selector: 0x78, Access: cpu.AccessP | 0xb, Base: segTSS, Limit: 0x67, Usable: true}
}

// fill fills data and stack.
func (r *rig) fill() {
	x := rand.New(rand.NewPCG(4, 2))
	p := make([]byte, 0x30000)
	for i := range p {
		p[i] = byte(x.Uint32())
	}
	r.write(segData, p...)
}

// begin has the processor go on in real mode, at IP 0 of the code.
func (r *rig) begin() {
	r.tables()
	r.EFLAGS, r.CPL = cpu.FlagOne, 0
	r.Halted, r.Shutdown, r.Shadow = false, false, false
	r.CR0 = cpu.CR0ET | cpu.CR0NE
	r.GDTR.Base, r.GDTR.Limit = gdtAt, 8*loadSlots-1
	r.IDTR.Base, r.IDTR.Limit = 0, 0x3ff
	for i := range r.Seg {
		r.Seg[i] = cpu.Segment{Access: cpu.AccessP | cpu.AccessS | cpu.AccessRW | cpu.AccessA, Limit: 0xffff, Usable: true}
	}
	for s, at := range map[isa.Seg]uint16{isa.CS: segCode >> 4, isa.SS: segStack >> 4, isa.DS: segData >> 4, isa.ES: segData>>4 + 0x800, isa.FS: segData>>4 + 1, isa.GS: 0xffff} {
		r.SetRealSegment(s, at)
	}
	r.EIP = 0
	r.FPU = cpu.FPU{Control: 0x37f, Tag: 0xffff}
	clear(r.XMM[:])
	r.MXCSR = 0x1f80
}

// protected makes the mode a protected one with these selectors.
func (r *rig) protected(cs, ss, ds, es uint16) {
	r.CR0 |= cpu.CR0PE
	r.IDTR.Base, r.IDTR.Limit = idtAt, 8*64-1
	for s, selector := range map[isa.Seg]uint16{isa.SS: ss, isa.DS: ds, isa.ES: es, isa.FS: selRead, isa.GS: 0} {
		if t := r.LoadSegment(s, selector); t != cpu.NoTrap {
			r.t.Fatal(t)
		}
	}
	if t := r.FarJump(cs, 0, 4); t != cpu.NoTrap {
		r.t.Fatal(t)
	}
}

// v86 makes the mode virtual-8086 mode.
func (r *rig) v86(iopl uint32) {
	r.CR0 |= cpu.CR0PE
	r.IDTR.Base, r.IDTR.Limit = idtAt, 8*64-1
	r.CPL = 3
	r.EFLAGS |= cpu.FlagVM | iopl<<12
	for s := range isa.Seg(6) {
		r.SetRealSegment(s, r.Seg[s].Selector)
	}
}

// segmentModes are ways to have segments. In each the code begins at offset zero of
// segCode.
var segmentModes = []struct {
	name string
	set  func(r *rig)
}{
	{"real", func(*rig) {}},
	{"unreal", func(r *rig) {
		for _, s := range []isa.Seg{isa.DS, isa.ES, isa.FS} {
			r.Seg[s].Limit = 0xffffffff
		}
	}},
	{"real with a 32-bit stack", func(r *rig) { r.Seg[isa.SS].Access |= cpu.AccessDB }},
	{"real with odd segments", func(r *rig) {
		r.Seg[isa.DS].Base += 3
		r.Seg[isa.SS].Limit = 0x7fff
		r.Seg[isa.ES].Access |= cpu.AccessDC
		r.Seg[isa.FS].Usable = false
	}},
	{"real with a short code segment", func(r *rig) { r.Seg[isa.CS].Limit = 0x20 }},
	{"virtual-8086", func(r *rig) { r.v86(3) }},
	{"virtual-8086 below IOPL 3", func(r *rig) { r.v86(0) }},
	{"16-bit protected", func(r *rig) { r.protected(selCode16, selData16, selData16, selShort) }},
	{"16-bit with a 32-bit stack", func(r *rig) { r.protected(selCode16, selStack32, selData16, selDown32) }},
	{"16-bit with a stack that expands down", func(r *rig) { r.protected(selCode16, selDown, selShort, selDown) }},
	{"16-bit with flat data", func(r *rig) { r.protected(selCode16, 16, 16, 16) }},
	{"32-bit with a base", func(r *rig) { r.protected(selCode32, selStack32, selData16, selShort) }},
	{"32-bit with a 16-bit stack", func(r *rig) { r.protected(selCode32, selData16, 16, selDown32) }},
}

// A segmentedCode makes code of the instructions that segments matter to, and
// registers that are near the ends of segments.
type segmentedCode struct {
	*rand.Rand
	mode isa.Mode
}

// edges are offsets around which things happen.
var edges = []uint32{0, 1, 2, 4, 0x0ffe, 0x1000, 0x2000, 0x7ffe, 0x8000, 0xfff0, 0xfffc, 0xfffe, 0xffff, 0x10000}

func (c *segmentedCode) register() uint32 {
	v := edges[c.IntN(len(edges))] + c.Uint32N(5) - 2
	switch c.IntN(8) {
	case 0:
		v = c.Uint32()
	case 1, 2:
		v = c.Uint32N(0x1000)
	case 3:
		v |= c.Uint32() << 16
	case 4, 5, 6:
		v &= 0xffff
	}
	return v
}

// opcodes are what an instruction begins with, behind its prefixes.
var opcodes = []string{
	"\x00", "\x01", "\x02", "\x03", "\x13", "\x29", "\x31", "\x39", "\x3b", "\x80", "\x81", "\x83", "\x84", "\x87", "\x86",
	"\x88", "\x89", "\x8a", "\x8b", "\xa0", "\xa1", "\xa2", "\xa3", "\x8d", "\xd7", "\x05", "\x40", "\x4b", "\x93", "\xb8", "\xc7",
	"\xd1", "\xd3", "\xf6", "\xf7", "\xff", "\xff", "\xff", "\x0f\xb6", "\x0f\xbf", "\x0f\xa4", "\x0f\xa3", "\x0f\xba", "\x0f\xaf", "\x0f\xb1", "\x0f\xc1", "\x0f\x94", "\x0f\x45",
	"\x50", "\x54", "\x58", "\x5c", "\x5d", "\x06", "\x0e", "\x16", "\x1e", "\x07", "\x17", "\x1f", "\x0f\xa0", "\x0f\xa1", "\x68", "\x6a", "\x8f",
	"\x60", "\x61", "\x9c", "\x9d", "\xc8", "\xc9", "\xfa", "\xfb", "\xfc", "\xfd", "\x98", "\x99", "\x9e", "\x9f",
	"\x8c", "\x8e", "\x8e", "\xc4", "\xc5", "\x0f\xb2", "\x0f\xb4", "\x0f\xb5",
	"\xe8", "\xe9", "\xeb", "\x74", "\x75", "\x0f\x84", "\xe2", "\xe3", "\xe1", "\xc2", "\xc3", "\x9a", "\xea", "\xcb", "\xca", "\xcd", "\xcf",
	"\xa4", "\xa5", "\xaa", "\xab", "\xac", "\xad", "\xae", "\xaf", "\xa6", "\xa7",
	"\xd9", "\xdd", "\xdb", "\xdf", "\x0f\x10", "\x0f\x6f", "\x0f\xc7", "\x66\x0f\x6e", "\xf3\x0f\xb8", "\x0f\xc3", "\xe4", "\xee", "\x27", "\xd4",
}

// instruction makes one that is an instruction.
func (c *segmentedCode) instruction() []byte {
	for {
		var code []byte
		for _, prefix := range []byte{0x66, 0x67} {
			if c.IntN(5) == 0 {
				code = append(code, prefix)
			}
		}
		if c.IntN(4) == 0 {
			code = append(code, []byte{0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65}[c.IntN(6)])
		}
		o := opcodes[c.IntN(len(opcodes))]
		if o[0]&^15 == 0xa0 && c.IntN(2) == 0 {
			code = append(code, []byte{0xf2, 0xf3}[c.IntN(2)])
		}
		code = append(code, o...)
		for range 10 {
			code = append(code, byte(c.Uint32()))
		}
		if at := len(code) - 9; c.IntN(2) == 0 { // a short displacement, or pointer
			code[at], code[at+1], code[at+2] = byte(c.IntN(8)), 0, 0
		}
		if o == "\x9a" || o == "\xea" {
			segment := uint16(segCode>>4 + c.IntN(2))
			if c.IntN(2) == 0 {
				segment = selCode16
			}
			at := len(code) - 10
			copy(code[at:], []byte{byte(c.IntN(20)), 0, byte(segment), byte(segment >> 8), 0, 0})
		}
		in, err := isa.Decode(code, c.mode)
		if err == nil && in.Op != isa.INT1 && in.Op != isa.HLT {
			return code[:in.Len]
		}
	}
}

// place makes registers and code, the same for all rigs, and describes them.
func (c *segmentedCode) place(rigs ...*rig) (code []byte, starts []cpu.Linear, what string) {
	var all []string
	for range 1 + c.IntN(6) {
		in := c.instruction()
		starts = append(starts, segCode+cpu.Linear(len(code)))
		all = append(all, fmt.Sprintf("% x", in))
		code = append(code, in...)
		if d, err := isa.Decode(in, c.mode); err == nil && leavesOpen(&d) {
			starts = append(starts, segCode+cpu.Linear(len(code)))
			code = append(code, 0x02, 0xc4) // ADD AL, AH: all flags are defined again
		}
	}
	starts = append(starts, segCode+cpu.Linear(len(code)))
	code = append(code, 0xf4)
	var gpr [8]uint32
	for i := range gpr {
		gpr[i] = c.register()
	}
	if c.IntN(2) == 0 {
		gpr[cpu.ECX] = c.Uint32N(40)
	} else {
		gpr[cpu.ECX] &= 0xffff
	}
	flags := c.Uint32()&(cpu.FlagsStatus|cpu.FlagIF) | cpu.FlagOne
	for _, r := range rigs {
		r.write(segCode, bytes.Repeat([]byte{0xf4}, placed)...)
		r.write(segCode, code...)
		for i, v := range gpr {
			r.SetReg32(uint8(i), v)
		}
		r.EFLAGS = r.EFLAGS&^(cpu.FlagsStatus|cpu.FlagIF) | flags
	}
	return code, starts, fmt.Sprintf("%s with %x", strings.Join(all, "; "), gpr)
}

// leavesOpen reports whether in leaves flags undefined.
func leavesOpen(in *isa.Inst) bool {
	_, _, undefined := in.Flags()
	return undefined != 0
}

// faulted reports whether the processor is where an exception or interrupt leads.
func (r *rig) faulted() bool { return r.Seg[isa.CS].Base+r.EIP < segCode }

// strayed reports whether any of the instructions that a Stepper executed latest is
// neither one of those that were placed nor of a handler, or whether the code has
// changed: then it may have left flags undefined, and made others of them.
func (r *rig) strayed(code []byte, starts []cpu.Linear, steps uint64) bool {
	now := make([]byte, len(code))
	if err := r.m.ReadAt(now, segCode); err != nil {
		r.t.Fatal(err)
	}
	if !bytes.Equal(now, code) {
		return true
	}
	recent := r.engine.(*Stepper).Recent()
	for _, at := range recent[max(0, len(recent)-int(steps)):] {
		if at >= segCode+cpu.Linear(len(code)) && at < segCode+placed || slices.Contains(starts, at) || at < trapAt+8*64 || at >= realTrapAt && at < realTrapAt+8*64 && at%8 == 0 {
			continue
		}
		return true
	}
	return false
}

// used is the memory that real mode reaches, and so what is mostly written.
func (r *rig) used() []byte {
	p := make([]byte, 1<<20+1<<16)
	if err := r.m.ReadAt(p, 0); err != nil {
		r.t.Fatal(err)
	}
	return p
}

// empty are the registers that a tag word calls empty: of the others it may tell
// what anyone can see.
func empty(tag uint16) uint16 { return tag & (tag >> 1) & 0x5555 }

// together executes some instructions in a and as many in b, which steps.
func together(a, b *rig, budget uint64) (n, k uint64) {
	n, _ = a.engine.Run(budget)
	k, _ = b.engine.Run(n)
	for range 1000 {
		// The runs of a string instruction are as long as each side likes.
		switch {
		case n == k:
			return n, k
		case n < k:
			more, _ := a.engine.Run(k - n)
			n += more
		default:
			more, _ := b.engine.Run(n - k)
			k += more
		}
	}
	return n, k
}

// A trial holds a to b, which steps, in one mode.
type trial struct {
	*testing.T
	a, b  *rig
	exact bool
	shown int
}

// compare compares the two. If an engine that is not exact has delivered an
// exception, there are flags in memory that nobody has wanted, and a gets the memory
// of b.
func (r *trial) compare(what string, strayed bool) bool {
	x, y := *r.a.State, *r.b.State
	open := r.b.engine.(*Stepper).Open
	if !r.exact {
		open = cpu.FlagsStatus
		for _, f := range []*cpu.FPU{&x.FPU, &y.FPU} {
			f.IP, f.DP, f.CS, f.DS, f.Opcode = 0, 0, 0, 0, 0
		}
	}
	x.EFLAGS |= open
	y.EFLAGS |= open
	x.FPU.Tag, y.FPU.Tag = empty(x.FPU.Tag), empty(y.FPU.Tag)
	p, q := r.a.used(), r.b.used()
	if !bytes.Equal(p, q) && (!r.exact && r.b.faulted() || strayed) {
		r.a.write(0, q...)
		q = p
	}
	if x == y && bytes.Equal(p, q) || strayed {
		return !strayed
	}
	r.Errorf("%s: CS:EIP %x:%x flags %x %x SS %+v, want %x:%x flags %x %x SS %+v", what,
		x.Seg[isa.CS].Base, x.EIP, x.EFLAGS, x.GPR[:8], x.Seg[isa.SS], y.Seg[isa.CS].Base, y.EIP, y.EFLAGS, y.GPR[:8], y.Seg[isa.SS])
	for i := range p {
		if p[i] != q[i] {
			r.Errorf("memory at %#x holds %#x, want %#x", i, p[i], q[i])
			break
		}
	}
	if r.shown++; r.shown > 3 {
		r.FailNow()
	}
	r.a.write(0, q...)
	return false
}

// run runs one piece of code a few times.
func (r *trial) run(c *segmentedCode, set func(*rig), n int) {
	r.Helper()
	var code []byte
	var starts []cpu.Linear
	var what string
	for again := range 3 {
		for _, x := range []*rig{r.a, r.b} {
			x.begin()
			set(x)
		}
		if again == 0 {
			code, starts, what = c.place(r.a, r.b)
		}
		stepper := r.b.engine.(*Stepper)
		before := stepper.steps
		if count, want := together(r.a, r.b, 64); count != want {
			r.Fatalf("case %d, round %d, %s: %d instructions, want %d; at %x, want %x", n, again, what, count, want, r.a.EIP, r.b.EIP)
		}
		strayed := r.b.strayed(code, starts, stepper.steps-before)
		if !r.compare(fmt.Sprintf("case %d, round %d, %s", n, again, what), strayed) {
			return
		}
	}
}

// TestSegmentedCodeEndsAsInterpreted runs random pieces of code in every mode.
func TestSegmentedCodeEndsAsInterpreted(t *testing.T) {
	for _, way := range ways {
		for m, mode := range segmentModes {
			t.Run(way.name+", "+mode.name, func(t *testing.T) {
				a := newRig(t, func(c *cpu.CPU) (cpu.Engine, error) { return New(c) })
				e := a.engine.(*Engine)
				if way.exact {
					e.Exact()
				}
				if way.eager {
					e.Eager()
				}
				b := newRig(t, stepping)
				a.fill()
				b.fill()
				c := segmentedCode{rand.New(rand.NewPCG(uint64(m), *seed)), isa.Code16}
				if strings.HasPrefix(mode.name, "32") {
					c.mode = isa.Code32
				}
				r := trial{T: t, a: a, b: b, exact: way.exact}
				for n := range *segmentedCases {
					r.run(&c, mode.set, n)
				}
				t.Logf("%d units of %d instructions, %d aside", e.Stats.Units, e.Stats.Instructions, e.Stats.Aside)
			})
		}
	}
}
