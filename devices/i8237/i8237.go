// Package i8237 is the DMA controllers of the PC AT: two 8237A, of which the
// second hands on what the first requests, and the page registers (8237A data
// sheet; Intel 290550 "82371SB", "DMA Controller").
//
// Channels 0 to 3 move bytes, within 64 KiB, channels 5 to 7 words, within 128
// KiB. Not modelled: memory-to-memory transfers and requests by software, which
// the PC's wiring has no use for.
package i8237

import (
	"fmt"

	"github.com/gov86/gov86/hw"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/mem"
	"github.com/gov86/gov86/snapshot"
)

// Registers of a controller beside those of its channels (8237A data sheet,
// "Software Commands"), when written.
const (
	regCommand     = 0x8 // when read, status
	regRequest     = 0x9
	regSingleMask  = 0xa
	regMode        = 0xb
	regFlipFlop    = 0xc
	regMasterClear = 0xd // when read, temporary
	regClearMask   = 0xe
	regAllMask     = 0xf

	commandDisable = 1 << 2
	maskBit        = 1 << 2
)

// Bits of a channel's mode.
const (
	modeKind      = 3 << 2
	modeVerify    = 0 << 2
	modeWrite     = 1 << 2 // to memory
	modeRead      = 2 << 2
	modeAutoinit  = 1 << 4
	modeDecrement = 1 << 5
)

// channelRegs is one channel.
type channelRegs struct {
	baseAddress, baseCount uint16
	address, count         uint16
	mode, page             uint8
}

// regs is one controller.
type regs struct {
	channels [4]channelRegs
	command  uint8
	// mask and terminal have a bit for each channel.
	mask, terminal uint8
	// high says that the flip-flop points to the upper byte.
	high bool
}

// state is both controllers, and the page registers that belong to no channel.
type state struct {
	controllers [2]regs
	spare       [16]uint8
}

func (r *channelRegs) sync(c *snapshot.Codec) {
	c.Uint16("baseAddress", &r.baseAddress)
	c.Uint16("baseCount", &r.baseCount)
	c.Uint16("address", &r.address)
	c.Uint16("count", &r.count)
	c.Uint8("mode", &r.mode)
	c.Uint8("page", &r.page)
}

func (s *state) sync(c *snapshot.Codec) {
	c.Version(1)
	for i := range s.controllers {
		r := &s.controllers[i]
		for k := range r.channels {
			r.channels[k].sync(c)
		}
		c.Uint8("command", &r.command)
		c.Uint8("mask", &r.mask)
		c.Uint8("terminal", &r.terminal)
		c.Bool("high", &r.high)
	}
	c.Uint8s("spare", s.spare[:])
}

// A Pair is both controllers.
type Pair struct {
	dma   mem.DMA
	ready [8]func()
	state
}

// New returns the controllers, which move to and from dma.
func New(dma mem.DMA) *Pair {
	p := &Pair{dma: dma}
	p.Reset()
	return p
}

// Reset implements hw.Device.
func (p *Pair) Reset() {
	p.state = state{}
	for i := range p.controllers {
		p.controllers[i].mask = 15
	}
}

// Save implements hw.Device.
func (p *Pair) Save(c *snapshot.Codec) { p.state.sync(c) }

// Load implements hw.Device.
func (p *Pair) Load(c *snapshot.Codec) error {
	var next state
	next.sync(c)
	if _, err := c.Close(); err != nil {
		return err
	}
	p.state = next
	return nil
}

// Channel is channel n, from 0 to 7. ready is told when it may move again.
func (p *Pair) Channel(n int, ready func()) hw.DMAChannel {
	if n < 0 || n > 7 || n == 4 || p.ready[n] != nil {
		panic(fmt.Sprintf("BUG: DMA channel %d", n))
	}
	p.ready[n] = ready
	return &channel{p, n}
}

// wake tells the devices of a controller's channels that they may move.
func (p *Pair) wake(i int) {
	for k := range 4 {
		if fn := p.ready[4*i+k]; fn != nil && p.open(4*i+k) {
			fn()
		}
	}
}

// open reports whether channel n moves what is requested. The first controller
// requests from channel 4.
func (p *Pair) open(n int) bool {
	c := &p.controllers[n/4]
	return c.command&commandDisable == 0 && c.mask>>(n&3)&1 == 0 && (n >= 4 || p.open(4))
}

type channel struct {
	p *Pair
	n int
}

// Move implements hw.DMAChannel.
func (h *channel) Move(p []byte, toMemory bool) (n int, terminal bool) {
	unit := 1 + h.n/4
	c, r := &h.p.controllers[h.n/4], &h.p.controllers[h.n/4].channels[h.n&3]
	for n+unit <= len(p) && h.p.open(h.n) {
		units := h.run(r, (len(p)-n)/unit)
		h.copy(r, p[n:n+units*unit], toMemory)
		n += units * unit
		if r.mode&modeDecrement != 0 {
			r.address -= uint16(units)
		} else {
			r.address += uint16(units)
		}
		if r.count -= uint16(units); r.count == 0xffff {
			h.end(c, r)
			return n, true
		}
	}
	return n, false
}

// run is how many of the units at hand lie one behind the other: the address
// wraps within its page.
func (h *channel) run(r *channelRegs, units int) int {
	if r.mode&modeDecrement != 0 {
		return 1
	}
	return min(units, int(r.count)+1, 1<<16-int(r.address))
}

// copy moves p in the direction of the mode. A device that moves the other way
// gets nothing and leaves nothing, as in a verify. So does one that reaches
// beyond memory.
func (h *channel) copy(r *channelRegs, p []byte, toMemory bool) {
	at := mem.Addr(r.page)<<16 | mem.Addr(r.address)
	if h.n >= 4 {
		at = mem.Addr(r.page&^1)<<16 | mem.Addr(r.address)<<1
	}
	var err error
	switch kind := r.mode & modeKind; {
	case kind == modeWrite && toMemory:
		err = h.p.dma.WriteAt(p, at)
	case kind == modeRead && !toMemory:
		err = h.p.dma.ReadAt(p, at)
	}
	if err != nil && !toMemory {
		for i := range p {
			p[i] = 0xff
		}
	}
}

// end is the terminal count.
func (h *channel) end(c *regs, r *channelRegs) {
	bit := uint8(1) << (h.n & 3)
	c.terminal |= bit
	if r.mode&modeAutoinit != 0 {
		r.address, r.count = r.baseAddress, r.baseCount
	} else {
		c.mask |= bit
	}
}

// Ports answers the sixteen registers of controller i. Those of the second lie
// two ports apart.
func (p *Pair) Ports(i int) portio.Handler { return &ports{p, i} }

type ports struct {
	p *Pair
	i int
}

// In implements portio.Handler.
func (h *ports) In(off uint16, _ portio.Width) uint32 {
	c := &h.p.controllers[h.i]
	switch reg := off >> h.i; {
	case reg < 8:
		r := &c.channels[reg/2]
		v := r.address
		if reg&1 != 0 {
			v = r.count
		}
		if c.high {
			v >>= 8
		}
		c.high = !c.high
		return uint32(v & 0xff)
	case reg == regCommand:
		v := c.terminal
		c.terminal = 0
		return uint32(v)
	case reg == regAllMask:
		return uint32(c.mask | 0xf0)
	}
	return 0
}

// Out implements portio.Handler.
func (h *ports) Out(off uint16, _ portio.Width, v32 uint32) {
	c, v := &h.p.controllers[h.i], uint8(v32)
	switch reg := off >> h.i; reg {
	case regCommand:
		c.command = v
	case regRequest:
	case regSingleMask:
		bit := uint8(1) << (v & 3)
		c.mask &^= bit
		if v&maskBit != 0 {
			c.mask |= bit
		}
	case regMode:
		c.channels[v&3].mode = v &^ 3
	case regFlipFlop:
		c.high = false
	case regMasterClear:
		c.command, c.terminal, c.high, c.mask = 0, 0, false, 15
	case regClearMask:
		c.mask = 0
	case regAllMask:
		c.mask = v & 15
	default:
		c.program(reg, v)
		return
	}
	h.p.wake(0)
	h.p.wake(1)
}

// program writes half of a channel's address or count: the base and the current.
func (c *regs) program(reg uint16, v uint8) {
	r := &c.channels[reg/2]
	base, current := &r.baseAddress, &r.address
	if reg&1 != 0 {
		base, current = &r.baseCount, &r.count
	}
	if c.high {
		*base = *base&0xff | uint16(v)<<8
	} else {
		*base = *base&0xff00 | uint16(v)
	}
	*current = *base
	c.high = !c.high
}

// pages are the channels whose page registers are at 80h and above, -1 for none.
var pages = [16]int{-1, 2, 3, 1, -1, -1, -1, 0, -1, 6, 7, 5, -1, -1, -1, -1}

// Pages answers the page registers, ports 80h to 8Fh.
func (p *Pair) Pages() portio.Handler { return (*pageRegisters)(p) }

type pageRegisters Pair

func (h *pageRegisters) register(off uint16) *uint8 {
	if n := pages[off&15]; n >= 0 {
		return &h.controllers[n/4].channels[n&3].page
	}
	return &h.spare[off&15]
}

// In implements portio.Handler.
func (h *pageRegisters) In(off uint16, w portio.Width) uint32 {
	var v uint32
	for i := range uint16(w) {
		v |= uint32(*h.register(off + i)) << (8 * i)
	}
	return v
}

// Out implements portio.Handler.
func (h *pageRegisters) Out(off uint16, w portio.Width, v uint32) {
	for i := range uint16(w) {
		*h.register(off + i) = uint8(v >> (8 * i))
	}
}

var _ hw.Device = (*Pair)(nil)
