package virtio

import (
	"fmt"

	"github.com/gov86/gov86/hw"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/mem"
	"github.com/gov86/gov86/pci"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/trace"
)

// A Device is one kind of virtio device, behind any transport.
type Device interface {
	hw.Device
	// ID is the device type (Virtio 1.2, "Device Types").
	ID() uint16
	// Features are the bits offered; the transport negotiates.
	Features() uint64
	// QueueSizes are the largest sizes of the queues, powers of two.
	QueueSizes() []uint16
	// Config is the device-specific configuration, nil for none.
	Config() []byte
	// Start runs at DRIVER_OK, with the features the driver accepted.
	Start(accepted uint64, q []*Queue)
	// Notify says that queue q may hold new chains.
	Notify(q int)
}

// Device status (Virtio 1.2, "Device Status Field").
const (
	statusDriverOK   = 1 << 2
	statusFeaturesOK = 1 << 3
	statusNeedsReset = 1 << 6

	isrQueue  = 1
	isrConfig = 2

	vendorID     = 0x1af4
	firstDevice  = 0x1040
	noVector     = 0xffff
	notifyFactor = 2
)

// Capability types (Virtio 1.2, "Virtio Structure PCI Capabilities").
const (
	capVendor = 9
	capCommon = 1
	capNotify = 2
	capISR    = 3
	capDevice = 4
	capConfig = 5
)

// The base address registers and their sizes in ports.
const (
	barCommon = 0
	barNotify = 1
	barISR    = 2
	barDevice = 3
)

var barSize = [4]uint32{64, 16, 16, 64}

// regs is what the transport keeps: all the guest can observe of it.
type regs struct {
	featureSelect, driverSelect uint32
	accepted                    uint64
	status, isr                 uint8
	queueSelect                 uint16
	queues                      []queueRegs
}

func (r *regs) sync(c *snapshot.Codec) {
	c.Version(1)
	c.Uint32("featureSelect", &r.featureSelect)
	c.Uint32("driverSelect", &r.driverSelect)
	c.Uint64("accepted", &r.accepted)
	c.Uint8("status", &r.status)
	c.Uint8("isr", &r.isr)
	c.Uint16("queueSelect", &r.queueSelect)
	n := len(r.queues)
	c.Len("queues", &n, 64)
	if c.Loading() {
		r.queues = make([]queueRegs, n)
	}
	for i := range r.queues {
		r.queues[i].sync(c)
	}
}

// A PCI is the modern PCI transport of one device, in I/O space.
type PCI struct {
	dev Device
	fn  *pci.Function
	q   []*Queue
	regs
}

// NewPCI puts dev on bus as a device number with INTA#, its registers first
// placed at the four given ports.
func NewPCI(dev Device, bus *pci.Bus, device uint8, at [4]uint16, dma mem.DMA) *PCI {
	t := &PCI{dev: dev}
	t.fn = pci.NewFunction(pci.Header{
		Vendor: vendorID, Device: firstDevice + dev.ID(), Revision: 1, Class: class(dev.ID()),
		SubVendor: vendorID, SubDevice: dev.ID(), Pin: 1,
	})
	t.fn.IO(barCommon, at[barCommon], barSize[barCommon], &common{t})
	t.fn.IO(barNotify, at[barNotify], barSize[barNotify], &notify{t})
	t.fn.IO(barISR, at[barISR], barSize[barISR], &isr{t})
	t.capability(capCommon, barCommon)
	t.capability(capNotify, barNotify, notifyFactor, 0, 0, 0)
	t.capability(capISR, barISR)
	if dev.Config() != nil {
		t.fn.IO(barDevice, at[barDevice], barSize[barDevice], &deviceConfig{t})
		t.capability(capDevice, barDevice)
	}
	t.addConfigAccess()
	for i, size := range dev.QueueSizes() {
		t.q = append(t.q, &Queue{max: size, dma: dma, interrupt: t.interrupt, broken: func(err error) { t.needsReset(i, err) }})
	}
	t.resetQueues()
	bus.Attach(device, 0, t.fn)
	return t
}

// class is the class code of a device type. Where PCI has none, drivers go by
// the device number alone.
func class(id uint16) uint32 {
	const block, blockClass, unclassified = 2, 0x010000, 0x000200
	if id == block {
		return blockClass
	}
	return unclassified
}

// capability appends a structure that fills a base address register.
func (t *PCI) capability(kind, bar uint8, more ...uint8) uint8 {
	size := uint8(barSize[bar])
	body := append([]uint8{uint8(16 + len(more)), kind, bar, 0, 0, 0, 0, 0, 0, 0, size, 0, 0, 0}, more...)
	return t.fn.Capability(capVendor, body)
}

// Function is the transport's PCI function, for the board to reset and save.
func (t *PCI) Function() *pci.Function { return t.fn }

func (t *PCI) resetQueues() {
	for _, q := range t.q {
		q.queueRegs = queueRegs{size: q.max}
	}
}

// Reset implements hw.Device. The board resets the device and the function.
func (t *PCI) Reset() {
	t.regs = regs{}
	t.resetQueues()
}

// restart is a reset by the driver: status 0.
func (t *PCI) restart() {
	t.Reset()
	t.dev.Reset()
	t.fn.SetINTx(false)
}

// Save implements hw.Device.
func (t *PCI) Save(c *snapshot.Codec) {
	t.queues = t.queues[:0]
	for _, q := range t.q {
		t.queues = append(t.queues, q.queueRegs)
	}
	t.regs.sync(c)
}

// Load implements hw.Device.
func (t *PCI) Load(c *snapshot.Codec) error {
	var next regs
	next.sync(c)
	if _, err := c.Close(); err != nil {
		return err
	}
	if len(next.queues) != len(t.q) || next.accepted&^t.dev.Features() != 0 {
		return fmt.Errorf("queues or features of another device: %w", snapshot.ErrCorrupt)
	}
	for i, q := range next.queues {
		if q.size == 0 || q.size&(q.size-1) != 0 || q.size > t.q[i].max {
			return fmt.Errorf("queue %d of size %d: %w", i, q.size, snapshot.ErrCorrupt)
		}
	}
	t.regs = next
	for i, q := range next.queues {
		t.q[i].queueRegs = q
	}
	if t.status&statusDriverOK != 0 {
		t.start()
	}
	return nil
}

// interrupt sets the queue bit of ISR and the line.
func (t *PCI) interrupt() {
	if trace.On(trace.Virtio) {
		trace.Emit(trace.Virtio, "interrupt", uint64(t.dev.ID()))
	}
	t.isr |= isrQueue
	t.fn.SetINTx(true)
}

// needsReset stops a device whose driver broke a ring.
func (t *PCI) needsReset(queue int, err error) {
	if trace.On(trace.Virtio) {
		trace.Text(trace.Virtio, "needs reset", fmt.Sprintf("queue %d: %v", queue, err))
	}
	t.status |= statusNeedsReset
	if t.status&statusDriverOK != 0 {
		t.isr |= isrConfig
		t.fn.SetINTx(true)
	}
}

func (t *PCI) start() {
	for _, q := range t.q {
		q.indirect = t.accepted&FeatureIndirectDesc != 0
		q.eventIdx = t.accepted&FeatureEventIdx != 0
	}
	t.dev.Start(t.accepted, t.q)
}

// setStatus is a write to device_status.
func (t *PCI) setStatus(v uint8) {
	if trace.On(trace.Virtio) {
		trace.Emit(trace.Virtio, "status", uint64(t.dev.ID()), uint64(v))
	}
	if v == 0 {
		t.restart()
		return
	}
	if v&statusFeaturesOK != 0 && t.status&statusFeaturesOK == 0 &&
		(t.accepted&^t.dev.Features() != 0 || t.accepted&FeatureVersion1 == 0) {
		v &^= statusFeaturesOK
	}
	started := v&^t.status&statusDriverOK != 0
	t.status = v | t.status&statusNeedsReset
	if started {
		t.start()
	}
}

// kick is a notification of queue n.
func (t *PCI) kick(n int) {
	if n >= len(t.q) || t.status&(statusDriverOK|statusNeedsReset) != statusDriverOK || !t.q[n].enabled {
		return
	}
	if trace.On(trace.Virtio) {
		trace.Emit(trace.Virtio, "notify", uint64(t.dev.ID()), uint64(n))
	}
	t.dev.Notify(n)
}

type notify struct{ t *PCI }

func (h *notify) In(_ uint16, w portio.Width) uint32 { return w.Mask() }

func (h *notify) Out(_ uint16, _ portio.Width, v uint32) { h.t.kick(int(v & 0xffff)) }

type isr struct{ t *PCI }

// In reads ISR, which clears it and the line.
func (h *isr) In(off uint16, _ portio.Width) uint32 {
	if off != 0 {
		return 0
	}
	v := h.t.isr
	h.t.isr = 0
	h.t.fn.SetINTx(false)
	return uint32(v)
}

func (h *isr) Out(uint16, portio.Width, uint32) {}

type deviceConfig struct{ t *PCI }

func (h *deviceConfig) In(off uint16, w portio.Width) uint32 {
	var v uint32
	c := h.t.dev.Config()
	for i := range int(w) {
		if at := int(off) + i; at < len(c) {
			v |= uint32(c[at]) << (8 * i)
		}
	}
	return v
}

func (h *deviceConfig) Out(uint16, portio.Width, uint32) {}
