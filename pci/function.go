// Package pci is the configuration space of PCI bus 0: functions with their
// type 0 headers, configuration mechanism #1, base address registers that the
// guest may move, and the interrupt pins (PCI Local Bus Specification 3.0).
package pci

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/gov86/gov86/hw"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/mem"
	"github.com/gov86/gov86/snapshot"
)

// Offsets in a type 0 header.
const (
	cfgVendor    = 0x00
	cfgDevice    = 0x02
	cfgCommand   = 0x04
	cfgStatus    = 0x06
	cfgRevision  = 0x08
	cfgClass     = 0x09
	cfgCacheLine = 0x0c
	cfgLatency   = 0x0d
	cfgHeader    = 0x0e
	cfgBAR       = 0x10
	cfgSubVendor = 0x2c
	cfgSubDevice = 0x2e
	cfgROM       = 0x30
	cfgCapPtr    = 0x34
	cfgIntLine   = 0x3c
	cfgIntPin    = 0x3d
	firstCap     = 0x40

	commandIO     = 1 << 0
	commandMemory = 1 << 1
	commandMaster = 1 << 2
	commandSERR   = 1 << 8
	commandNoINTx = 1 << 10
	commandValid  = commandIO | commandMemory | commandMaster | commandSERR | commandNoINTx
	statusINTx    = 1 << 3
	statusCapList = 1 << 4
	multiFunction = 1 << 7
	configSize    = 256
	ioMask        = ^uint32(3)
	memoryMask    = ^uint32(15)
	romMask       = ^uint32(0x7ff)
	romEnable     = 1 << 0
	// romBAR is the expansion ROM's among the base address registers.
	romBAR = 6

	memoryPrefetchable = 1 << 3
)

// A Header is what identifies a function.
type Header struct {
	Vendor, Device       uint16
	SubVendor, SubDevice uint16
	Class                uint32 // base class, subclass and interface in 24 bits
	Revision             uint8
	// Pin is the interrupt pin, 1 for INTA#, 0 for none.
	Pin uint8
	// Multi says that the device has further functions; function 0 says it.
	Multi bool
}

// A bar is one base address register: ports, a device's registers in memory or its
// memory, of a power of two bytes.
type bar struct {
	size   uint32
	first  uint32 // where Configure places it
	port   portio.Handler
	memory mem.MMIO
	bank   *mem.Bank
	// mapped says that the range is claimed, at the address at.
	mapped bool
	at     uint32
}

// regs is all the guest can observe.
type regs struct {
	config [configSize]uint8
	intx   bool
}

func (r *regs) sync(c *snapshot.Codec) {
	c.Version(1)
	c.Uint8s("config", r.config[:])
	c.Bool("intx", &r.intx)
}

// A Function is one PCI function.
type Function struct {
	bus  *Bus
	slot uint8
	regs
	reset    [configSize]uint8 // as after RST#
	writable [configSize]uint8
	bars     [romBAR + 1]bar
	nextCap  uint8
	lastCap  uint8
	// Written, if set, is told when the guest has written n bytes at off.
	Written func(off uint8, n int)
	// Reading, if set, is told before the guest reads n bytes at off.
	Reading func(off uint8, n int)
}

// NewFunction returns a function that is on no bus yet. The methods that
// describe it (IO, Memory, ROM, Capability, Allow, Preset) come before Attach.
func NewFunction(h Header) *Function {
	f := &Function{nextCap: firstCap}
	c := f.reset[:]
	binary.LittleEndian.PutUint16(c[cfgVendor:], h.Vendor)
	binary.LittleEndian.PutUint16(c[cfgDevice:], h.Device)
	binary.LittleEndian.PutUint32(c[cfgRevision:], h.Class<<8|uint32(h.Revision))
	binary.LittleEndian.PutUint16(c[cfgSubVendor:], h.SubVendor)
	binary.LittleEndian.PutUint16(c[cfgSubDevice:], h.SubDevice)
	c[cfgIntPin] = h.Pin
	if h.Multi {
		c[cfgHeader] = multiFunction
	}
	f.Allow(cfgCommand, 0xff&commandValid, commandValid>>8)
	f.Allow(cfgCacheLine, 0xff, 0xff)
	if h.Pin != 0 {
		f.Allow(cfgIntLine, 0xff)
	}
	f.config = f.reset
	return f
}

// Allow makes bits of the configuration space writable, byte by byte from off on.
func (f *Function) Allow(off uint8, masks ...uint8) { copy(f.writable[off:], masks) }

// Preset sets the value that configuration bytes have after reset.
func (f *Function) Preset(off uint8, values ...uint8) {
	copy(f.reset[off:], values)
	copy(f.config[off:], values)
}

// IO makes base address register i a range of size ports, which Configure
// places at at.
func (f *Function) IO(i int, at uint16, size uint32, h portio.Handler) {
	f.describe(i, bar{first: uint32(at), size: size, port: h}, ioMask)
	f.Preset(barOffset(i), 1)
}

// Memory makes base address register i a range of size bytes, which Configure
// places at at; both are whole pages.
func (f *Function) Memory(i int, at, size uint32, h mem.MMIO) {
	f.describe(i, bar{first: at, size: size, memory: h}, memoryMask)
}

// Bank makes base address register i the prefetchable memory of b, whose size is
// a power of two, and which Configure places at at.
func (f *Function) Bank(i int, at uint32, b *mem.Bank) {
	f.describe(i, bar{first: at, size: uint32(len(b.Bytes())), bank: b}, memoryMask)
	f.Preset(barOffset(i), memoryPrefetchable)
}

// ROM gives the function an expansion ROM. Only firmware places it.
func (f *Function) ROM(image []byte) {
	size := max(uint32(mem.PageSize), 1<<bits.Len32(uint32(len(image)-1)))
	f.describe(romBAR, bar{size: size, memory: &rom{image}}, romMask)
	off := barOffset(romBAR)
	f.Allow(off, f.writable[off]|romEnable)
}

// barOffset is where a base address register is.
func barOffset(i int) uint8 {
	if i == romBAR {
		return cfgROM
	}
	return uint8(cfgBAR + 4*i)
}

func (f *Function) describe(i int, b bar, address uint32) {
	if bits.OnesCount32(b.size) != 1 || b.first&(b.size-1) != 0 {
		panic(fmt.Sprintf("BUG: BAR %d of %d bytes at %#x", i, b.size, b.first))
	}
	var masks [4]uint8
	binary.LittleEndian.PutUint32(masks[:], -b.size&address)
	f.Allow(barOffset(i), masks[:]...)
	f.bars[i] = b
}

// configure places the ranges where the board wants them and lets the function
// decode them, as firmware would.
func (f *Function) configure() {
	command := f.Config(cfgCommand, 2)
	for i, b := range f.bars[:romBAR] {
		if b.size == 0 {
			continue
		}
		off := barOffset(i)
		f.SetConfig(off, 4, b.first|uint32(f.reset[off])) // with the bits that say what it is
		if b.port != nil {
			command |= commandIO | commandMaster
		} else {
			command |= commandMemory | commandMaster
		}
	}
	f.SetConfig(cfgCommand, 2, command)
}

// Capability appends a capability and returns its offset. body follows the two
// bytes of id and link.
func (f *Function) Capability(id uint8, body []byte) (off uint8) {
	off = f.nextCap
	if int(off)+2+len(body) > configSize {
		panic("BUG: capabilities do not fit")
	}
	link := uint8(cfgCapPtr)
	if f.lastCap != 0 {
		link = f.lastCap + 1
	}
	f.Preset(link, off)
	f.Preset(cfgStatus, f.reset[cfgStatus]|statusCapList)
	f.Preset(off, append([]uint8{id, 0}, body...)...)
	f.lastCap = off
	f.nextCap = (off + 2 + uint8(len(body)) + 3) &^ 3
	return off
}

// Config reads n bytes (1, 2 or 4) of the configuration space.
func (f *Function) Config(off uint8, n int) uint32 {
	var v uint32
	for i := range n {
		if int(off)+i < configSize {
			v |= uint32(f.config[int(off)+i]) << (8 * i)
		}
	}
	return v
}

// SetConfig stores n bytes that the function itself decides, whatever is writable.
func (f *Function) SetConfig(off uint8, n int, v uint32) {
	for i := range n {
		f.config[int(off)+i] = uint8(v >> (8 * i))
	}
}

// write is a write of the guest.
func (f *Function) write(off uint8, n int, v uint32) {
	for i := range n {
		at := int(off) + i
		if at >= configSize {
			break
		}
		m := f.writable[at]
		f.config[at] = f.config[at]&^m | uint8(v>>(8*i))&m
	}
	if off < cfgROM+4 && int(off)+n > cfgCommand {
		f.bus.remap()
		f.drive()
	}
	if f.Written != nil {
		f.Written(off, n)
	}
}

// SetINTx drives the function's interrupt pin.
func (f *Function) SetINTx(asserted bool) {
	if f.intx != asserted {
		f.intx = asserted
		f.drive()
	}
}

// drive puts the pin's state on the bus: in the status register, and on the
// wire unless the command register disables it.
func (f *Function) drive() {
	f.config[cfgStatus] &^= statusINTx
	if f.intx {
		f.config[cfgStatus] |= statusINTx
	}
	f.bus.drive()
}

func (f *Function) asserted() bool {
	return f.intx && f.Config(cfgCommand, 2)&commandNoINTx == 0
}

// Reset implements hw.Device.
func (f *Function) Reset() {
	f.regs = regs{config: f.reset}
}

// Save implements hw.Device.
func (f *Function) Save(c *snapshot.Codec) { f.regs.sync(c) }

// Load implements hw.Device. The bus maps the ranges when all are loaded.
func (f *Function) Load(c *snapshot.Codec) error {
	var next regs
	next.sync(c)
	if _, err := c.Close(); err != nil {
		return err
	}
	for i, v := range next.config {
		if (v^f.reset[i])&^f.writable[i] != 0 && i < firstCap && i != cfgStatus {
			return fmt.Errorf("configuration byte %#x: %w", i, snapshot.ErrCorrupt)
		}
	}
	f.regs = next
	return nil
}

var _ hw.Device = (*Function)(nil)
