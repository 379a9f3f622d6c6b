//go:build linux && amd64

package jit

import (
	"unsafe"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/jit/window"
)

// A context is what generated code shares with the engine. R14 points to it.
type context struct {
	state  uintptr // the cpu.State
	goSP   uintptr // RSP of enter
	hostSP uintptr // RSP of generated code while outside
	bottom uintptr // RSP with no return address but the sentinel's
	view   uintptr // R13
	budget int64   // R12
	resume uintptr // where to enter
	table  uintptr // entries of the jumpTable
	addend uintptr // R11
	// site tells which exit was taken, argument what it wants.
	site     uint32
	argument uint32
	// saved are the flags: OF in the low byte, the others as LAHF has them above.
	saved    uint32
	segments [6]uint32 // bases by isa.Seg, those of FS and GS alone outside segmented units
	flat     [6]uint32 // whether these two are flat, 0 or 1
	// gdt is where the first bytes of the GDT are, 0 if they cannot be read.
	gdt uintptr
	cpl uint32
	// simd is set while the guest's XMM registers and MXCSR are in the host's.
	simd uint32
	// normal and override are R13 with EFLAGS.AC clear and set.
	normal, override uintptr
	// pending is set when something asked for attention as the code was entered.
	pending   uint32
	hostMXCSR uint32
	bounds
	x87 x87Context
	// window is the base of the window that GS is to point to, 0 for none; reach
	// is 0 for FS and GS if they are flat, and else what makes an address fault.
	window uintptr
	reach  [6]uint64
	fault  window.Record
	// granted is the linear address of the write to code that may be made, or
	// none; beside are pages with code that are written.
	granted int64
	beside  [besideSlots]writtenPage
	// loads are what the selectors of the GDT last stood for.
	loads [loadSlots]loaded
}

// loadSlots is how many entries of the GDT are remembered.
const loadSlots = 32

// A writtenPage is a page with code in a view for writing.
type writtenPage struct {
	page     uint32
	view     uintptr // R13
	addend   uintptr
	granules uintptr // where mem has which granules hold code
}

// A loaded is what loading a selector made of a segment register. It holds while
// the descriptor does.
type loaded struct {
	descriptor uint64
	selector   uint32
	cpl        uint32
	segment    cpu.Segment
	base       uint32
	// flat is 1 for a flat segment, and flatZero for one that begins at zero.
	flat, flatZero uint32
	known          uint32
	reach          uint64 // of context.reach
}

const (
	offState    = int32(unsafe.Offsetof(context{}.state))
	offGoSP     = int32(unsafe.Offsetof(context{}.goSP))
	offHostSP   = int32(unsafe.Offsetof(context{}.hostSP))
	offBottom   = int32(unsafe.Offsetof(context{}.bottom))
	offView     = int32(unsafe.Offsetof(context{}.view))
	offBudget   = int32(unsafe.Offsetof(context{}.budget))
	offResume   = int32(unsafe.Offsetof(context{}.resume))
	offAddend   = int32(unsafe.Offsetof(context{}.addend))
	offTable    = int32(unsafe.Offsetof(context{}.table))
	offSite     = int32(unsafe.Offsetof(context{}.site))
	offArgument = int32(unsafe.Offsetof(context{}.argument))
	offSaved    = int32(unsafe.Offsetof(context{}.saved))
	offSegments = int32(unsafe.Offsetof(context{}.segments))
	offFlat     = int32(unsafe.Offsetof(context{}.flat))
	offGDT      = int32(unsafe.Offsetof(context{}.gdt))
	offCPL      = int32(unsafe.Offsetof(context{}.cpl))
	offLoads    = int32(unsafe.Offsetof(context{}.loads))
	offSIMD     = int32(unsafe.Offsetof(context{}.simd))
	offNormal   = int32(unsafe.Offsetof(context{}.normal))
	offOverride = int32(unsafe.Offsetof(context{}.override))
	offPending  = int32(unsafe.Offsetof(context{}.pending))
	offWindow   = int32(unsafe.Offsetof(context{}.window))
	offReach    = int32(unsafe.Offsetof(context{}.reach))
	offMXCSR    = int32(unsafe.Offsetof(context{}.hostMXCSR))
	offBounds   = int32(unsafe.Offsetof(context{}.bounds))
	offReadTop  = offBounds + int32(unsafe.Offsetof(bounds{}.readTop))
	offWriteTop = offBounds + int32(unsafe.Offsetof(bounds{}.writeTop))
	offLow      = offBounds + int32(unsafe.Offsetof(bounds{}.low))

	offGranted = int32(unsafe.Offsetof(context{}.granted))
	offBeside  = int32(unsafe.Offsetof(context{}.beside))

	// Of a writtenPage, whose size is a power of two.
	besideShift    = 5
	besidePage     = int32(unsafe.Offsetof(writtenPage{}.page))
	besideView     = int32(unsafe.Offsetof(writtenPage{}.view))
	besideAddend   = int32(unsafe.Offsetof(writtenPage{}.addend))
	besideGranules = int32(unsafe.Offsetof(writtenPage{}.granules))

	// Of a loaded.
	loadedSize       = int32(unsafe.Sizeof(loaded{}))
	loadedDescriptor = int32(unsafe.Offsetof(loaded{}.descriptor))
	loadedSelector   = int32(unsafe.Offsetof(loaded{}.selector))
	loadedCPL        = int32(unsafe.Offsetof(loaded{}.cpl))
	loadedSegment    = int32(unsafe.Offsetof(loaded{}.segment))
	loadedBase       = int32(unsafe.Offsetof(loaded{}.base))
	loadedFlat       = int32(unsafe.Offsetof(loaded{}.flat))
	loadedFlatZero   = int32(unsafe.Offsetof(loaded{}.flatZero))
	loadedReach      = int32(unsafe.Offsetof(loaded{}.reach))
	loadedKnown      = int32(unsafe.Offsetof(loaded{}.known))

	// Of cpu.State.
	stateGPR    = int32(unsafe.Offsetof(cpu.State{}.GPR))
	stateEFLAGS = int32(unsafe.Offsetof(cpu.State{}.EFLAGS))
	stateSeg    = int32(unsafe.Offsetof(cpu.State{}.Seg))
	segmentSize = int32(unsafe.Sizeof(cpu.Segment{}))
	segSelector = int32(unsafe.Offsetof(cpu.Segment{}.Selector))
	segBase     = int32(unsafe.Offsetof(cpu.Segment{}.Base))
	stateXMM    = int32(unsafe.Offsetof(cpu.State{}.XMM))
	stateMXCSR  = int32(unsafe.Offsetof(cpu.State{}.MXCSR))

	// Of the views of one privilege, from the first.
	viewSize   = int32(cpu.Apart * unsafe.Sizeof(cpu.Table{}))
	readViews  = int32(cpu.ReadView) * viewSize
	writeViews = int32(cpu.WriteView) * viewSize
	fetchViews = int32(cpu.FetchView) * viewSize
)

// A region is memory outside the Go heap: the context and the stack, which are
// data, and behind them code. enter runs on it.
type region struct {
	*context
	data, code []byte
}

const (
	stackSize = 1 << 20
	// codeFromContext is where code begins, seen from R14.
	codeFromContext = stackSize
)

// all is the region's memory, as it was reserved.
func (r *region) all() []byte {
	return unsafe.Slice(unsafe.SliceData(r.data), len(r.data)+len(r.code))
}

// newContext lays the context and the stack out in data.
func newContext(data []byte, state *cpu.State) *context {
	// SAFETY: data is page-aligned, larger than both, never released while the
	// engine lives, and holds no Go pointers: State is outside the Go heap.
	c := (*context)(unsafe.Pointer(&data[0]))
	c.state = uintptr(unsafe.Pointer(state))
	c.bottom = uintptr(unsafe.Pointer(&data[0])) + uintptr(len(data)) - 64
	c.hostSP = c.bottom
	return c
}

// address is where code[off] is.
func (r *region) address(off int) uintptr {
	return uintptr(unsafe.Pointer(unsafe.SliceData(r.code))) + uintptr(off)
}

// setSentinel makes addr the return address at the bottom of the stack.
func (r *region) setSentinel(addr uintptr) {
	// SAFETY: bottom lies 64 bytes below the end of data.
	*(*uintptr)(unsafe.Pointer(&r.data[len(r.data)-64])) = addr
}

// view is the address of the first view of those beginning with v.
func view(t *cpu.TLB, v cpu.View) uintptr { return uintptr(unsafe.Pointer(t.View[v])) }

// remember keeps a page of linear addresses that is written and holds code.
func (c *context) remember(page uint32, view uintptr, p []byte, granules *uint64) {
	// SAFETY: p and granules are of the guest's memory, which the engine's CPU
	// refers to as long as generated code runs, and which does not move.
	c.beside[page%besideSlots] = writtenPage{
		page: page, view: view,
		addend:   addressOf(p) - uintptr(page)<<12,
		granules: uintptr(unsafe.Pointer(granules)),
	}
}

// addressOf is where guest memory is.
func addressOf(p []byte) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(p))) }

// peek64 reads a quadword of guest memory at linear address l, whose page has
// the addend a.
func peek64(a uintptr, l uint32) uint64 {
	// SAFETY: a is that of a page of guest memory, and the quadword lies within it.
	return *(*uint64)(unsafe.Add(nil, a+uintptr(l)))
}

// doublewords is a table of them.
func doublewords(b []byte) []uint32 {
	// SAFETY: b is page-aligned and outside the Go heap.
	return unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/4)
}

// enter runs code from resume on until it leaves.
func (r *region) enter(prologue uintptr) { enter(unsafe.Pointer(r.context), prologue) }

// enter calls code with the context in R14.
//
//go:noescape
func enter(c unsafe.Pointer, code uintptr)

// setTable makes t the table of indirect jumps.
func (r *region) setTable(t *jumpTable) {
	r.table = uintptr(unsafe.Pointer(unsafe.SliceData(t.entries)))
}
