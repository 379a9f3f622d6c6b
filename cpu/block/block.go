// Package block keeps decoded basic blocks. A block is decoded once, kept by
// physical address and mode, and forgotten when its bytes are written. Both
// engines execute from it; nothing in it is state.
package block

import (
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/mem"
)

// A Block is a run of instructions with one entry. Instructions start in one
// page; the last may end in the next, and is then alone in its block.
type Block struct {
	// Linear is the address the block was last found at, and Epoch the TLB's
	// epoch then: while both match, and Mode, the block may be entered without
	// asking again where Linear leads.
	Linear uint32
	Epoch  uint32
	Mode   cpu.Mode
	// Bytes is the length of its code, N the number of its instructions.
	Bytes uint16
	N     uint16
	// Dead is set once the bytes it was decoded from were written.
	Dead bool
	// Ends is set when the last instruction is one after which the engine must
	// look anew (see Ends), clear when the block goes on at its end.
	Ends bool
	// Link are the blocks last seen to follow: not taken and taken, an index or 0.
	Link [2]int32

	first int32
	chain int32  // next in the hash bucket
	at    uint32 // physical address of the first byte
	spill uint32 // frame of the second page, or none
}

const (
	// maxInsts bounds a block so that a run between two checks stays short.
	maxInsts = 64
	buckets  = 1 << 15
	// The capacities of the arenas; when one is full everything is forgotten.
	instCap  = 1 << 19
	blockCap = 1 << 17

	noFrame = ^uint32(0)
)

// A Cache holds the blocks of one processor.
type Cache struct {
	cpu     *cpu.CPU
	prepare func(b *Block, in []isa.Inst)

	insts     []isa.Inst
	blocks    []Block
	bucket    [buckets]int32
	byFrame   map[uint32][]int32
	forgotten func(at mem.Addr, n int) uint64
	window    [maxInsts*isa.MaxLen + isa.MaxLen]byte
}

// New returns an empty cache for c. prepare is shown each new block, to choose
// handlers.
func New(c *cpu.CPU, prepare func(b *Block, in []isa.Inst)) *Cache {
	k := &Cache{cpu: c, prepare: prepare, byFrame: map[uint32][]int32{}}
	k.insts = make([]isa.Inst, 0, instCap)
	k.blocks = make([]Block, 1, blockCap)
	k.blocks[0].Dead = true
	k.blocks[0].Epoch = ^uint32(0)
	c.Mem.OnCodeWrite(k.written)
	return k
}

// At is the block with index i, which stays valid until the next Find. An index
// from before everything was dropped leads to a block whose epoch has passed.
func (k *Cache) At(i int32) *Block { return &k.blocks[:blockCap][i] }

// Insts are the instructions of b.
func (k *Cache) Insts(b *Block) []isa.Inst { return k.insts[b.first : int(b.first)+int(b.N)] }

// Find returns the index of the block at linear address l in mode m, decoding
// it if need be, or the fault of fetching its first instruction. Blocks found
// earlier may have been dropped when it returns.
func (k *Cache) Find(l cpu.Linear, m cpu.Mode) (int32, cpu.Trap) {
	at, t := k.cpu.Translate(l, k.fetch())
	if t != cpu.NoTrap {
		return 0, t
	}
	// The same bytes have one name, whatever the A20 gate did to the address.
	at = mem.Addr(k.cpu.Mem.Frame(at))<<12 | at&(mem.PageSize-1)
	h := hash(uint32(at), m)
	for i := k.bucket[h]; i != 0; i = k.blocks[i].chain {
		b := &k.blocks[i]
		if b.at != uint32(at) || b.Mode != m || b.Dead {
			continue
		}
		if b.spill != noFrame {
			next, t := k.cpu.Translate((l|(mem.PageSize-1))+1, k.fetch())
			if t != cpu.NoTrap {
				return 0, t
			}
			if k.cpu.Mem.Frame(next) != b.spill {
				continue
			}
		}
		b.Linear, b.Epoch = uint32(l), k.cpu.TLB.Epoch
		return i, cpu.NoTrap
	}
	return k.decode(l, at, m)
}

func (k *Cache) fetch() cpu.Access { return k.cpu.Data() | cpu.Fetch }

func hash(at uint32, m cpu.Mode) uint32 {
	return (at ^ at>>15 ^ uint32(m)*0x9e5) & (buckets - 1)
}

// decode makes the block at l, whose first byte lies at the physical address at.
func (k *Cache) decode(l cpu.Linear, at mem.Addr, m cpu.Mode) (int32, cpu.Trap) {
	if len(k.insts)+maxInsts > cap(k.insts) || len(k.blocks) == cap(k.blocks) {
		k.Flush()
	}
	mode := isa.Code16
	if m&cpu.ModeCode32 != 0 {
		mode = isa.Code32
	}
	inPage := mem.PageSize - int(l&(mem.PageSize-1))
	code := k.window[:min(inPage, maxInsts*isa.MaxLen)]
	k.read(code, at)
	b := Block{Linear: uint32(l), Mode: m, at: uint32(at), spill: noFrame, first: int32(len(k.insts))}
	var done int
	for int(b.N) < maxInsts && done < len(code) {
		in, err := k.instruction(code[done:], mode)
		if err == isa.ErrTruncated && b.N == 0 {
			return k.decodeSpill(b, l, at, code, mode)
		}
		if err != nil {
			if b.N == 0 {
				return 0, undecodable(err)
			}
			break
		}
		in.Off = uint16(done)
		done += int(in.Len)
		k.insts = append(k.insts, in)
		b.N++
		if Ends(&in) {
			b.Ends = true
			break
		}
	}
	b.Bytes = uint16(done)
	return k.keep(b), cpu.NoTrap
}

// decodeSpill makes the block of one instruction that runs into the next page.
func (k *Cache) decodeSpill(b Block, l cpu.Linear, at mem.Addr, code []byte, mode isa.Mode) (int32, cpu.Trap) {
	next, t := k.cpu.Translate((l|(mem.PageSize-1))+1, k.fetch())
	if t != cpu.NoTrap {
		return 0, t
	}
	n := len(code)
	code = k.window[:n+isa.MaxLen]
	k.read(code[n:], next)
	in, err := k.instruction(code, mode)
	if err != nil {
		return 0, undecodable(err)
	}
	k.insts = append(k.insts, in)
	b.N, b.Bytes, b.Ends = 1, uint16(in.Len), Ends(&in)
	b.spill = k.cpu.Mem.Frame(next)
	return k.keep(b), cpu.NoTrap
}

// instruction decodes the instruction that begins code, if the model has it.
func (k *Cache) instruction(code []byte, mode isa.Mode) (isa.Inst, error) {
	in, err := isa.Decode(code, mode)
	if err == nil && !k.cpu.Model.Knows(&in) {
		err = isa.ErrInvalid
	}
	return in, err
}

func undecodable(err error) cpu.Trap {
	if err == isa.ErrTooLong {
		return cpu.GP(0)
	}
	return cpu.UD()
}

// read copies code from one page frame. What is not memory reads as ones.
func (k *Cache) read(p []byte, at mem.Addr) {
	if page := k.cpu.Mem.Page(at, false); page != nil {
		copy(p, page[at&(mem.PageSize-1):])
		return
	}
	for i := range p {
		p[i] = uint8(k.cpu.Mem.Read(at+mem.Addr(i), 1))
	}
}

// keep enters b, whose instructions end the arena.
func (k *Cache) keep(b Block) int32 {
	i := int32(len(k.blocks))
	frame := k.cpu.Mem.Frame(mem.Addr(b.at))
	inPage := min(int(b.Bytes), mem.PageSize-int(b.at&(mem.PageSize-1)))
	k.mark(frame, mem.Addr(b.at), inPage, i)
	if b.spill != noFrame {
		k.mark(b.spill, mem.Addr(b.spill)<<12, int(b.Bytes)-inPage, i)
	}
	h := hash(b.at, b.Mode)
	b.chain = k.bucket[h]
	k.bucket[h] = i
	b.Epoch = k.cpu.TLB.Epoch
	k.blocks = append(k.blocks, b)
	k.prepare(&k.blocks[i], k.insts[b.first:])
	return i
}

func (k *Cache) mark(frame uint32, at mem.Addr, n int, i int32) {
	if k.cpu.Mem.MarkCode(at, n) {
		k.cpu.TLB.Protect(frame)
	}
	k.byFrame[frame] = append(k.byFrame[frame], i)
}

// OnForget makes k tell which n bytes, of one frame, it forgets, so that whoever
// else derived something from them forgets it too. fn returns what granules of
// the frame are still code to it, as mem.Space.Code has them.
func (k *Cache) OnForget(fn func(at mem.Addr, n int) (held uint64)) { k.forgotten = fn }

// written drops the blocks in the granules of the n bytes at at, which are of one
// frame: where a byte is written, those behind it often follow.
func (k *Cache) written(at mem.Addr, n int) {
	frame := k.cpu.Mem.Frame(at)
	granules := mem.Granules(int(at&(mem.PageSize-1)), max(n, 1))
	var held uint64
	if k.forgotten != nil {
		held = k.forgotten(at, n)
	}
	list := k.byFrame[frame]
	kept := list[:0]
	for _, i := range list {
		b := &k.blocks[i]
		first, last := b.within(frame)
		its := mem.Granules(int(first&(mem.PageSize-1)), int(last-first)+1)
		switch {
		case b.Dead: // by a write to its other frame
		case its&granules != 0:
			b.Dead = true
			// An epoch that cannot match keeps links from entering it.
			b.Epoch = k.cpu.TLB.Epoch - 1
			k.unchain(i)
		default:
			kept = append(kept, i)
			held |= its
		}
	}
	if len(kept) == 0 {
		delete(k.byFrame, frame)
	} else {
		k.byFrame[frame] = kept
	}
	k.cpu.Mem.KeepCode(frame, held)
}

// within are the first and the last address that b has in a frame.
func (b *Block) within(frame uint32) (first, last uint32) {
	last = b.at + uint32(b.Bytes) - 1
	inPage := b.at | (mem.PageSize - 1)
	switch {
	case b.spill == noFrame:
		return b.at, last
	case frame == b.at>>12:
		return b.at, inPage
	}
	return b.spill << 12, b.spill<<12 + last - inPage - 1
}

// unchain takes block i out of its bucket.
func (k *Cache) unchain(i int32) {
	b := &k.blocks[i]
	p := &k.bucket[hash(b.at, b.Mode)]
	for *p != 0 {
		if *p == i {
			*p = b.chain
			return
		}
		p = &k.blocks[*p].chain
	}
}

// Forget drops the blocks that have bytes in the physical range [at, at+n).
func (k *Cache) Forget(at, n uint32) {
	for n > 0 {
		part := min(n, mem.PageSize-at&(mem.PageSize-1))
		if len(k.byFrame[at>>12]) > 0 || k.forgotten != nil {
			k.written(mem.Addr(at), int(part))
		}
		at, n = at+part, n-part
	}
}

// Flush drops every block.
func (k *Cache) Flush() {
	for f := range k.byFrame {
		var held uint64
		if k.forgotten != nil {
			held = k.forgotten(mem.Addr(f)<<12, 0)
		}
		k.cpu.Mem.KeepCode(f, held)
	}
	clear(k.byFrame)
	k.insts = k.insts[:0]
	k.blocks = k.blocks[:1]
	k.bucket = [buckets]int32{}
	// Whoever remembers an index must find another epoch there.
	k.cpu.TLB.Epoch++
}
