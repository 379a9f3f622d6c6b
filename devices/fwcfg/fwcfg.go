// Package fwcfg is the device by which QEMU's machines tell firmware what they
// are: numbered items of bytes, some of them files with names (QEMU, "QEMU
// Firmware Configuration (fw_cfg) Device"). No hardware has it.
//
// It is what firmware made for such machines looks for, and the only way to hand
// it a memory map and tables. Not modelled: items that the guest may write.
package fwcfg

import (
	"encoding/binary"
	"fmt"

	"github.com/gov86/gov86/hw"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/mem"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/trace"
)

// The ports: the selector, whose second byte is also the data, and the address
// of a request for DMA, whose lower half starts it.
const (
	Port    = 0x510
	Ports   = 2
	DMAPort = 0x514
	// DMAPorts is their number.
	DMAPorts = 8
)

// Keys of items that are no files.
const (
	Signature    = 0x00
	ID           = 0x01
	RAMSize      = 0x03
	CPUs         = 0x05
	NUMA         = 0x0d
	BootMenu     = 0x0e
	MaxCPUs      = 0x0f
	directory    = 0x19
	firstFile    = 0x20
	IRQ0Override = 0x8002

	keyMask = 0xbfff // without the bit that asks to write

	idTraditional = 1 << 0
	idDMA         = 1 << 1
)

// Control of a request for DMA; the upper half is the key to select.
const (
	dmaError  = 1 << 0
	dmaRead   = 1 << 1
	dmaSkip   = 1 << 2
	dmaSelect = 1 << 3
	dmaWrite  = 1 << 4

	requestSize = 16
	// chunk is how much is copied at once.
	chunk = 64 << 10
	// dmaSignature is what the address reads as.
	dmaSignature = "QEMU CFG"
)

// nameSize is the room for a file's name and the zero behind it.
const nameSize = 56

// regs is all the guest can observe; the items are the board's.
type regs struct {
	key    uint16
	offset uint32 // of the next byte
	high   uint32 // upper half of a request's address
}

func (r *regs) sync(c *snapshot.Codec) {
	c.Version(1)
	c.Uint16("key", &r.key)
	c.Uint32("offset", &r.offset)
	c.Uint32("high", &r.high)
}

// A Device is fw_cfg.
type Device struct {
	memory mem.DMA
	items  map[uint16][]byte
	files  int
	regs
}

var _ hw.Device = (*Device)(nil)

// New returns a device that has no files yet, and that reads and writes memory
// for who prefers that to reading bytes.
func New(memory mem.DMA) *Device {
	d := &Device{memory: memory, items: map[uint16][]byte{
		Signature: []byte("QEMU"),
		directory: make([]byte, 4),
	}}
	d.Set(ID, 4, idTraditional|idDMA)
	return d
}

// Set makes item key a number of n bytes.
func (d *Device) Set(key uint16, n int, v uint64) {
	d.items[key] = binary.LittleEndian.AppendUint64(nil, v)[:n]
}

// SetBytes makes item key what data holds.
func (d *Device) SetBytes(key uint16, data []byte) { d.items[key] = data }

// Add adds a file.
func (d *Device) Add(name string, data []byte) {
	key := uint16(firstFile + d.files)
	if len(name) >= nameSize || key >= 0x4000 {
		panic(fmt.Sprintf("BUG: file %q", name))
	}
	d.files++
	d.items[key] = data
	list := d.items[directory]
	binary.BigEndian.PutUint32(list, uint32(d.files))
	list = binary.BigEndian.AppendUint32(list, uint32(len(data)))
	list = binary.BigEndian.AppendUint16(list, key)
	list = append(list, 0, 0)
	d.items[directory] = append(list, append([]byte(name), make([]byte, nameSize-len(name))...)...)
}

// AddNumber adds a file that holds a number, as firmware wants it.
func (d *Device) AddNumber(name string, v uint64) {
	d.Add(name, binary.LittleEndian.AppendUint64(nil, v))
}

// Reset implements hw.Device.
func (d *Device) Reset() { d.regs = regs{} }

// Save implements hw.Device.
func (d *Device) Save(c *snapshot.Codec) { d.sync(c) }

// Load implements hw.Device.
func (d *Device) Load(c *snapshot.Codec) error {
	var next regs
	next.sync(c)
	if _, err := c.Close(); err != nil {
		return err
	}
	d.regs = next
	return nil
}

func (d *Device) choose(key uint16) {
	if trace.On(trace.FwCfg) {
		trace.Emit(trace.FwCfg, "select", uint64(key))
	}
	d.key, d.offset = key&keyMask, 0
}

// take fills p with the next bytes of the item. Behind its end there are zeros.
func (d *Device) take(p []byte) {
	n := 0
	if item := d.items[d.key]; uint64(d.offset) < uint64(len(item)) {
		n = copy(p, item[d.offset:])
	}
	clear(p[n:])
	d.skip(uint32(len(p)))
}

// skip moves on by n bytes, no further than an offset can tell.
func (d *Device) skip(n uint32) {
	d.offset = uint32(min(uint64(d.offset)+uint64(n), 1<<32-1))
}

// In implements portio.Handler for the selector and the data.
func (d *Device) In(off uint16, w portio.Width) uint32 {
	if off != 1 || w != portio.Byte {
		return ^uint32(0)
	}
	var b [1]byte
	d.take(b[:])
	return uint32(b[0])
}

// Out implements portio.Handler. What is written to the data is lost.
func (d *Device) Out(off uint16, w portio.Width, v uint32) {
	if off == 0 && w == portio.Word {
		d.choose(uint16(v))
	}
}

// DMA answers the ports of the address: big-endian, by doublewords.
func (d *Device) DMA() portio.Handler { return &dma{d} }

type dma struct{ d *Device }

func (h *dma) In(off uint16, w portio.Width) uint32 {
	var v uint32
	for i := range uint16(w) {
		v |= uint32(dmaSignature[(off+i)%DMAPorts]) << (8 * i)
	}
	return v
}

func (h *dma) Out(off uint16, w portio.Width, v uint32) {
	if w != portio.DWord || off&3 != 0 {
		return
	}
	v = swap(v)
	if off == 0 {
		h.d.high = v
		return
	}
	at := mem.Addr(h.d.high)<<32 | mem.Addr(v)
	h.d.high = 0
	h.d.serve(at)
}

func swap(v uint32) uint32 {
	var b [4]byte
	binary.LittleEndian.PutUint32(b[:], v)
	return binary.BigEndian.Uint32(b[:])
}

// serve does the request at at and says there how it went.
func (d *Device) serve(at mem.Addr) {
	var request [requestSize]byte
	if d.memory.ReadAt(request[:], at) != nil {
		return // there is nowhere to say so
	}
	control := binary.BigEndian.Uint32(request[0:])
	n := binary.BigEndian.Uint32(request[4:])
	to := mem.Addr(binary.BigEndian.Uint64(request[8:]))
	if trace.On(trace.FwCfg) {
		trace.Emit(trace.FwCfg, "dma", uint64(control), uint64(n), uint64(to))
	}
	if control&dmaSelect != 0 {
		d.choose(uint16(control >> 16))
	}
	var result [4]byte
	switch {
	case control&dmaRead != 0:
		if d.copy(to, n) != nil {
			result[3] = dmaError
		}
	case control&dmaWrite != 0:
		result[3] = dmaError
	case control&dmaSkip != 0:
		d.skip(n)
	}
	// If the guest overwrote the request's page with something else, so be it.
	_ = d.memory.WriteAt(result[:], at)
}

// copy writes the next n bytes of the item to memory.
func (d *Device) copy(to mem.Addr, n uint32) error {
	buffer := make([]byte, min(n, chunk))
	for n > 0 {
		p := buffer[:min(n, chunk)]
		d.take(p)
		if err := d.memory.WriteAt(p, to); err != nil {
			return err
		}
		to += mem.Addr(len(p))
		n -= uint32(len(p))
	}
	return nil
}
