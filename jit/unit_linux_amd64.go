package jit

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
)

// A key is what beside the bytes decides what code means to the translator.
type key uint64

// keyOf is the key of a mode whose units can be translated. Mostly that is 32-bit
// code and stack, and flat segments that begin at zero, but for FS and GS, which
// are looked at when used; else it is segmented.
func keyOf(c *cpu.CPU, m cpu.Mode) (key, bool) {
	const (
		want  = cpu.ModeProtected | cpu.ModeCode32 | cpu.ModeStack32 | cpu.ModeFlatCS | cpu.ModeFlatSS | cpu.ModeFlatDS | cpu.ModeFlatES
		never = cpu.ModeStep | cpu.ModeAligned
		keep  = cpu.ModeNoFPU | cpu.ModeUser
	)
	if m&never != 0 {
		return 0, false
	}
	k := key(m & keep)
	if m&want != want || c.Seg[0].Base|c.Seg[1].Base|c.Seg[2].Base|c.Seg[3].Base != 0 {
		k |= segmentedKey(c, m)
	}
	const masks = 0x1f80
	if c.MXCSR&masks != masks || c.CR4&(cpu.CR4OSFXSR) == 0 || c.CR0&cpu.CR0EM != 0 {
		k |= keyNoSIMD
	}
	if c.CPL == 0 {
		k |= keyKernel
	}
	if !maskedX87(&c.FPU) {
		k |= keyNoX87
	}
	if c.EFLAGS&cpu.FlagDF != 0 {
		k |= keyDown
	}
	return k, true
}

// Bits of a key above those of cpu.Mode.
const (
	keyNoSIMD    key = 1 << (16 + iota) // SSE is the interpreter's: it may fault
	keyPlain                            // the unit has no frames and looks at no other page
	keyKernel                           // CPL is 0
	keyDown                             // string instructions go down
	keyNoX87                            // x87 and MMX are the interpreter's: they may fault
	keyWindow                           // accesses are made in a window
	keySegmented                        // the rest, and the upper half, say how; see segmentedKey
	keyWhole
	keyLow
	keyVM3
)

// A unit is a piece of translated code: one entry, instructions of one page.
type unit struct {
	linear, frame uint32
	base          uint32 // of CS
	key           key
	number        uint32 // its place in units.all
	// addend is what the fetch view has for the page while it is this one.
	addend uintptr
	// spill is set when the only instruction runs into the next page, which lies
	// in frame next, with the addend nextAddend.
	spill      bool
	next       uint32
	nextAddend uintptr
	// entry is where direct jumps from the same page lead, guarded where those
	// from other pages do, indirect where indirect ones do.
	entry, guarded, indirect int
	// incoming and outgoing are the first of the links to and from it.
	incoming, outgoing int32
	dead               bool
	// x87 says that it uses the host's x87 registers.
	x87 bool
	// start is where its code begins, rare where what runs rarely does; born is when
	// it was made, in instructions executed before.
	start, rare int
	born        uint64
	// extents are the bytes it was made of, each once, those of a frame in a row.
	extents []extent
	sites   []site
	// x87s are its translated x87 instructions.
	x87s []x87Inst
	// accesses are those in a window, in the order of the code.
	accesses []access
}

type unitID struct {
	linear, frame, base uint32
	key                 key
}

func (u *unit) id() unitID { return unitID{u.linear, u.frame, u.base, u.key} }

// A kind is what an exit wants of the engine.
type kind uint8

const (
	wantIndirect kind = iota // a jump to context.argument, which the table does not have
	wantLink                 // a jump to eip that leads nowhere yet
	wantPlain                // the same, to a unit without frames
	wantAccess               // an access to context.argument that the views do not have
	wantStep                 // the interpreter is to execute the instruction at eip
	wantBudget               // the budget is used up at eip
	wantPage                 // the page is not where it was
	wantSIMD                 // the unit needs the XMM registers
	wantX87                  // the unit needs the x87 registers
	wantWindow               // an access to a page that the window does not show
)

// A site is an exit of a unit.
type site struct {
	kind  kind
	write bool
	// size is that of the access.
	size uint8
	// x87 says that the instruction uses State.FPU when the interpreter executes
	// it.
	x87 bool
	// len is the length of the instruction at eip.
	len uint8
	// undone are the instructions charged to the budget and not executed, that
	// at eip included.
	undone uint8
	op     isa.Op
	unit   uint32 // its number
	eip    uint32
	// restart and resume are where to enter again: at the access, and behind the
	// instruction; of a link they are its exit, and the displacement.
	restart, resume int32
	// moved is how far the stack pointer is behind at restart, left how far it is
	// at resume.
	moved, left int32
	// order is what a step wants, if the engine knows it itself.
	order order
}

// next is the address behind the instruction.
func (s *site) next() uint32 { return s.eip + uint32(s.len) }

// Generated code tells a site by the number of its unit and its own in that.
const siteBits = 12

// indirectSite is the site of every jump through the table.
const indirectSite = 0

// faultSite is the site of every fault.
const faultSite = 1

const cacheSlots = 1 << 14

// units are those there are.
type units struct {
	// all are units by their numbers, unused the numbers of those that are no
	// more. The unit 0 stands for the stubs.
	all    []*unit
	unused []uint32
	byID   map[unitID]*unit
	pages  map[uint32]*page
	cache  [cacheSlots]*unit
	links
	// ring has the units as they lie in the ring of code, which begins at first:
	// from oldest on, also those that are dead.
	ring   []*unit
	oldest int
	first  int
	// space are the tables of indirect jumps, by key.
	space map[key]*jumpTable
}

func (u *units) reset() {
	stubs := &unit{dead: true, sites: []site{{kind: wantIndirect}, {kind: wantWindow}}}
	u.all = append(u.all[:0], stubs)
	u.unused = u.unused[:0]
	u.byID = map[unitID]*unit{}
	u.pages = map[uint32]*page{}
	u.ring, u.oldest = u.ring[:0], 0
	clear(u.cache[:])
	u.links.reset()
}

func cacheSlot(linear uint32) uint32 { return (linear ^ linear>>14) % cacheSlots }

// number gives a new unit its number.
func (u *units) number(n *unit) {
	if last := len(u.unused) - 1; last >= 0 {
		n.number = u.unused[last]
		u.unused = u.unused[:last]
		u.all[n.number] = n
		return
	}
	n.number = uint32(len(u.all))
	u.all = append(u.all, n)
}

// site is the site that generated code tells by number.
func (u *units) site(number uint32) *site {
	return &u.all[number>>siteBits].sites[number%(1<<siteBits)]
}
