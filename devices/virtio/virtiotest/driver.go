// Package virtiotest is the driver's side of virtio, for tests: it finds a
// device on PCI as Linux does, sets up split queues in guest memory and sends
// it chains, sound ones or not.
package virtiotest

import (
	"encoding/binary"
	"testing"

	"github.com/gov86/gov86/hw"
	"github.com/gov86/gov86/hw/hwtest"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/mem"
	"github.com/gov86/gov86/pci"
)

// Offsets in the common configuration.
const (
	DeviceFeatureSelect = 0x00
	DeviceFeature       = 0x04
	DriverFeatureSelect = 0x08
	DriverFeature       = 0x0c
	Status              = 0x14
	QueueSelect         = 0x16
	QueueSize           = 0x18
	QueueEnable         = 0x1c
	QueueDesc           = 0x20
	QueueDriver         = 0x28
	QueueDevice         = 0x30
)

// A Board is what a device on PCI needs.
type Board struct {
	Ports  portio.Space
	Memory *mem.Space
	Bus    *pci.Bus
	Wires  [4]hwtest.Line
}

// NewBoard returns a board with 1 MiB of memory.
func NewBoard(t testing.TB) *Board {
	t.Helper()
	m, err := mem.New(mem.MinRAM)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	b := &Board{Memory: m}
	b.Bus = pci.NewBus(&b.Ports, m, [4]hw.Line{&b.Wires[0], &b.Wires[1], &b.Wires[2], &b.Wires[3]})
	b.Ports.Claim(0xcf8, 4, b.Bus.Address(nil))
	b.Ports.Claim(0xcfc, 4, b.Bus.Data())
	return b
}

// A Driver drives one device.
type Driver struct {
	*Board
	t      testing.TB
	device uint32
	common uint16
	notify uint16
	isr    uint16
	queues []ring
	free   mem.Addr // where the next buffer goes
}

// A ring is one queue in guest memory, and what the driver knows of it.
type ring struct {
	size               uint16
	desc, driver, used mem.Addr
	avail, taken       uint16
}

const (
	ringsAt   mem.Addr = 0x10000
	buffersAt mem.Addr = 0x40000
)

// Find looks device up by its capabilities.
func Find(t testing.TB, b *Board, device uint8) *Driver {
	t.Helper()
	b.Bus.Configure([4]uint8{}) // there is no firmware
	d := &Driver{Board: b, t: t, device: uint32(device), free: buffersAt}
	for at := d.config(0x34, 1); at != 0; at = d.config(at+1, 1) {
		if d.config(at, 1) != 9 {
			continue
		}
		port := uint16(d.config(0x10+4*d.config(at+4, 1), 4)&^3 + d.config(at+8, 4))
		switch d.config(at+3, 1) {
		case 1:
			d.common = port
		case 2:
			d.notify = port
		case 3:
			d.isr = port
		}
	}
	if d.common == 0 || d.notify == 0 || d.isr == 0 {
		t.Fatal("the device lacks a capability")
	}
	return d
}

func (d *Driver) config(off uint32, n portio.Width) uint32 {
	d.Ports.Out(0xcf8, portio.DWord, 1<<31|d.device<<11|off&^3)
	return d.Ports.In(0xcfc+uint16(off&3), n)
}

// Get and Set access the common configuration.
func (d *Driver) Get(off uint16, w portio.Width) uint32 { return d.Ports.In(d.common+off, w) }

// Set writes a field of the common configuration.
func (d *Driver) Set(off uint16, w portio.Width, v uint32) { d.Ports.Out(d.common+off, w, v) }

// ISR reads the interrupt status, which clears it.
func (d *Driver) ISR() uint32 { return d.Ports.In(d.isr, portio.Byte) }

// Start negotiates features and sets up n queues of a size. It reports whether
// the device took the features.
func (d *Driver) Start(features uint64, n int, size uint16) bool {
	d.Set(Status, portio.Byte, 0)
	d.Set(Status, portio.Byte, 3)
	for i := range uint32(2) {
		d.Set(DriverFeatureSelect, portio.DWord, i)
		d.Set(DriverFeature, portio.DWord, uint32(features>>(32*i)))
	}
	d.Set(Status, portio.Byte, 11)
	if d.Get(Status, portio.Byte)&8 == 0 {
		return false
	}
	d.queues = nil
	for i := range n {
		at := ringsAt + mem.Addr(i)*0x4000
		q := ring{size: size, desc: at, driver: at + 0x2000, used: at + 0x3000}
		for a := at; a < at+0x4000; a += 4 {
			d.Memory.Write(a, 4, 0)
		}
		d.Set(QueueSelect, portio.Word, uint32(i))
		d.Set(QueueSize, portio.Word, uint32(size))
		d.Set(QueueDesc, portio.DWord, uint32(q.desc))
		d.Set(QueueDriver, portio.DWord, uint32(q.driver))
		d.Set(QueueDevice, portio.DWord, uint32(q.used))
		d.Set(QueueEnable, portio.Word, 1)
		d.queues = append(d.queues, q)
	}
	d.Set(Status, portio.Byte, 15)
	return true
}

// Descriptor writes entry i of queue q's table.
func (d *Driver) Descriptor(q int, i uint16, at mem.Addr, n uint32, flags, next uint16) {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:], uint64(at))
	binary.LittleEndian.PutUint32(b[8:], n)
	binary.LittleEndian.PutUint16(b[12:], flags)
	binary.LittleEndian.PutUint16(b[14:], next)
	if err := d.Memory.WriteAt(b[:], d.queues[q].desc+mem.Addr(i)*16); err != nil {
		d.t.Fatal(err)
	}
}

// Offer makes the chain that begins at head available.
func (d *Driver) Offer(q int, head uint16) {
	r := &d.queues[q]
	d.Memory.Write(r.driver+4+mem.Addr(r.avail%r.size)*2, 2, uint32(head))
	r.avail++
	d.Memory.Write(r.driver+2, 2, uint32(r.avail))
}

// Kick notifies the device of queue q.
func (d *Driver) Kick(q int) { d.Ports.Out(d.notify+2*uint16(q), portio.Word, uint32(q)) }

// Used takes the next chain the device gave back.
func (d *Driver) Used(q int) (head uint16, n uint32, ok bool) {
	r := &d.queues[q]
	if uint16(d.Memory.Read(r.used+2, 2)) == r.taken {
		return 0, 0, false
	}
	at := r.used + 4 + mem.Addr(r.taken%r.size)*8
	r.taken++
	return uint16(d.Memory.Read(at, 4)), d.Memory.Read(at+4, 4), true
}

// Request sends out as a chain with room for room bytes of answer, and returns
// the answer, nil if the chain did not come back.
func (d *Driver) Request(q int, out []byte, room int) []byte {
	d.t.Helper()
	at := d.free
	if err := d.Memory.WriteAt(out, at); err != nil {
		d.t.Fatal(err)
	}
	answer := at + mem.Addr(len(out)+15)&^15
	d.Descriptor(q, 0, at, uint32(len(out)), 1, 1)
	d.Descriptor(q, 1, answer, uint32(room), 2, 0)
	d.Offer(q, 0)
	d.Kick(q)
	_, n, ok := d.Used(q)
	if !ok {
		return nil
	}
	p := make([]byte, n)
	if err := d.Memory.ReadAt(p, answer); err != nil {
		d.t.Fatal(err)
	}
	return p
}

// Post gives the device a buffer of n bytes on queue q, as descriptor i, and
// returns where it lies.
func (d *Driver) Post(q int, i uint16, n uint32) mem.Addr {
	at := buffersAt + 0x40000 + mem.Addr(i)*mem.Addr(n)
	d.Descriptor(q, i, at, n, 2, 0)
	d.Offer(q, i)
	return at
}
