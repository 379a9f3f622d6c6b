package vga

import (
	"encoding/binary"

	"github.com/gov86/gov86/mem"
)

// Where the windows on memory lie, in two halves, of which the processor may
// reach the lower one without us.
const (
	lowerHalf = 0xa0000
	upperHalf = 0xb0000
	halfSize  = 0x10000
)

// A window is what the registers make of an access to memory: derived from them
// by remap, and never saved.
type window struct {
	first, size uint32 // what answers, from lowerHalf on; size 0 for nothing
	how         addressing
	oddEvenRead bool
	base        int    // where the window begins in memory, in bytes
	limit       int    // bytes of memory that planes can reach
	planes      uint32 // that may be written, each of 8 bits
	plain       bool   // a write stores what is written, in the planes enabled
}

// How a host address becomes a plane and an address in it.
type addressing uint8

const (
	sequential addressing = iota // every plane at that address
	oddEven                      // bit 0 selects planes
	chained                      // bits 0 and 1 do
	linear                       // there are no planes: a bank of VBE
)

// mapSelects are the windows of the graphics controller's memory map select.
var mapSelects = [4][2]uint32{{0, 0x20000}, {0, 0x10000}, {0x10000, 0x8000}, {0x18000, 0x8000}}

// remap works out the window anew. What it depends on ends here when it changes.
func (v *VGA) remap() {
	m := mapSelects[v.gc.r[gcMiscellaneous]&memoryMapSelect>>2]
	w := window{
		first: m[0], size: m[1], limit: 4 * planeSize,
		planes:      expand(v.seq.r[seqMapMask]),
		oddEvenRead: v.gc.r[gcMode]&gcOddEven != 0,
		plain: v.gc.r[gcMode]&gcWriteMode == 0 && v.gc.r[gcDataRotate] == 0 &&
			v.gc.r[gcEnableSetReset] == 0 && v.gc.r[gcBitMask] == 0xff,
	}
	switch sr := v.seq.r[seqMemoryMode]; {
	case v.dispi.enabled():
		w.first, w.size = 0, 0x10000
		w.base, w.limit = int(v.dispi.bank)<<16, MemorySize
		if w.how = linear; v.dispi.bpp == 4 {
			w.how, w.base = sequential, w.base*4
		}
	case sr&memChain4 != 0:
		w.how = chained
	case sr&memSequential == 0:
		w.how = oddEven
	}
	if v.misc&miscRAM == 0 || v.enabled&1 == 0 {
		w.size = 0
	}
	v.window = w
	if v.space != nil {
		v.place(w.direct() && v.gc.r[gcMode]&gcReadCompare == 0)
	}
}

// direct reports whether the lower half is a run of memory that a write changes
// and does nothing else to. Reads of it need not fill the latches: who wants
// them has set another write mode.
func (w *window) direct() bool {
	if w.first != 0 || w.size != halfSize {
		return false
	}
	return w.how == linear || w.how == chained && w.plain && w.planes == 0xffffffff
}

// Attach puts the windows into s.
func (v *VGA) Attach(s *mem.Space) error {
	v.space = s
	if err := s.MapMMIO(lowerHalf, halfSize, &v.lower); err != nil {
		return err
	}
	if err := s.MapMMIO(upperHalf, halfSize, &v.upper); err != nil {
		return err
	}
	v.remap()
	return nil
}

// place gives the lower half to memory, from the window's base on, or to us.
func (v *VGA) place(direct bool) {
	switch {
	case direct && v.direct:
		v.space.SlideBank(lowerHalf, v.bank, v.window.base)
		return
	case direct == v.direct:
		return
	}
	var err error
	if v.direct = direct; direct {
		v.space.UnmapMMIO(lowerHalf, &v.lower)
		err = v.space.MapBank(lowerHalf, halfSize, v.bank, v.window.base)
	} else {
		v.space.UnmapBank(lowerHalf, v.bank)
		err = v.space.MapMMIO(lowerHalf, halfSize, &v.lower)
	}
	if err != nil {
		panic("BUG: the window's place is taken: " + err.Error())
	}
}

// A half answers one of the two.
type half struct {
	v     *VGA
	first uint32 // from lowerHalf
}

// Widths implements mem.MMIO.
func (h *half) Widths() (smallest, largest int) { return 1, 4 }

// Read implements mem.MMIO.
func (h *half) Read(off uint32, w int) uint32 {
	var value uint32
	for i := range w {
		value |= uint32(h.v.load(h.first+off+uint32(i))) << (8 * i)
	}
	return value
}

// Write implements mem.MMIO.
func (h *half) Write(off uint32, w int, value uint32) {
	for i := range w {
		h.v.store(h.first+off+uint32(i), uint8(value>>(8*i)))
	}
}

// cell is where the cell of a host address begins in memory, and the planes
// that the address itself selects.
func (w *window) cell(a uint32) (at int, planes uint32) {
	planes = 0xffffffff
	switch w.how {
	case chained:
		planes = 0xff << (8 * (a & 3))
		a >>= 2
	case oddEven:
		planes = 0x00ff00ff << (8 * (a & 1))
		a &^= 1
	}
	return (w.base + 4*int(a)) & (w.limit - 1), planes
}

// load is a read of the window (IBM VGA/XGA Technical Reference, "Read Mode").
func (v *VGA) load(off uint32) uint8 {
	w := &v.window
	a := off - w.first
	if a >= w.size {
		return 0xff
	}
	if w.how == linear {
		return v.bytes[(w.base+int(a))&(MemorySize-1)]
	}
	at, _ := w.cell(a)
	v.latch = binary.LittleEndian.Uint32(v.bytes[at:])
	if v.gc.r[gcMode]&gcReadCompare != 0 {
		differ := (v.latch ^ expand(v.gc.r[gcColorCompare])) & expand(v.gc.r[gcColorDontCare])
		return ^uint8(differ | differ>>8 | differ>>16 | differ>>24)
	}
	plane := uint32(v.gc.r[gcReadMapSelect])
	switch {
	case w.how == chained:
		plane = a & 3
	case w.oddEvenRead:
		plane = plane&2 | a&1
	}
	return uint8(v.latch >> (8 * plane))
}

// store is a write of the window.
func (v *VGA) store(off uint32, b uint8) {
	w := &v.window
	a := off - w.first
	if a >= w.size {
		return
	}
	if w.how == linear {
		at := (w.base + int(a)) & (MemorySize - 1)
		v.bytes[at] = b
		v.bank.Touch(at, 1)
		return
	}
	at, planes := w.cell(a)
	planes &= w.planes
	data := spread(b)
	if !w.plain {
		data = v.combine(b)
	}
	was := binary.LittleEndian.Uint32(v.bytes[at:])
	is := was&^planes | data&planes
	if is == was {
		return
	}
	binary.LittleEndian.PutUint32(v.bytes[at:], is)
	v.bank.Touch(at, 4)
	v.refont = v.refont || (is^was)>>16 != 0
}

// combine is what a byte written becomes, for each plane, on its way through
// the graphics controller (IBM VGA/XGA Technical Reference, "Write Mode").
func (v *VGA) combine(b uint8) uint32 {
	r := &v.gc.r
	n := r[gcDataRotate] & rotateCount
	rotated := b>>n | b<<(8-n)
	mask := spread(r[gcBitMask])
	var data uint32
	switch r[gcMode] & gcWriteMode {
	case 0:
		enable := expand(r[gcEnableSetReset])
		data = spread(rotated)&^enable | expand(r[gcSetReset])&enable
	case 1:
		return v.latch
	case 2:
		data = expand(b)
	case 3:
		mask &= spread(rotated)
		data = expand(r[gcSetReset])
	}
	switch r[gcDataRotate] & functionSelect >> 3 {
	case 1:
		data &= v.latch
	case 2:
		data |= v.latch
	case 3:
		data ^= v.latch
	}
	return data&mask | v.latch&^mask
}

// spread is b in each of the four planes.
func spread(b uint8) uint32 { return uint32(b) * 0x01010101 }

// expand makes a bit a plane into eight.
func expand(b uint8) uint32 {
	x := uint32(b & 15)
	return (x&1 | x&2<<7 | x&4<<14 | x&8<<21) * 0xff
}
