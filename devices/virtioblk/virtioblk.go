// Package virtioblk is the block device of virtio: a disk behind one virtqueue
// (Virtio 1.2, "Block Device").
//
// Requests are served in their order, one at a time, inside the notification as
// far as the medium lets them. One that waits for the medium is part of the
// saved state and is begun anew by Resume: no request minds being done twice.
package virtioblk

import (
	"encoding/binary"

	"github.com/gov86/gov86/devices/virtio"
	"github.com/gov86/gov86/hw"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/trace"
)

const (
	deviceID   = 2
	queueSize  = 256
	sectorSize = 512
	idLen      = 20

	// segMax is how many buffers of data a request has room for in the queue,
	// beside its header and its status.
	segMax = queueSize - 2
	// maxDiscard and maxZeroes are the most sectors of a request; zeroes may have
	// to be written.
	maxDiscard = 1 << 21
	maxZeroes  = 1 << 16
	// requestLimit bounds the data of one request, which the guest waits for, in
	// bytes; chunkSize is how much of it is moved at once.
	requestLimit = 64 << 20
	chunkSize    = 256 << 10
)

// Feature bits (Virtio 1.2, "Block Device", "Feature bits").
const (
	featureSegMax      = 1 << 2
	featureGeometry    = 1 << 4
	featureRO          = 1 << 5
	featureBlkSize     = 1 << 6
	featureFlush       = 1 << 9
	featureDiscard     = 1 << 13
	featureWriteZeroes = 1 << 14
)

// Offsets in the configuration (Virtio 1.2, "Block Device", "Device
// configuration layout").
const (
	cfgCapacity        = 0
	cfgSegMax          = 12
	cfgGeometry        = 16
	cfgBlkSize         = 20
	cfgMaxDiscard      = 36
	cfgMaxDiscardSeg   = 40
	cfgDiscardAlign    = 44
	cfgMaxWriteZeroes  = 48
	cfgMaxZeroesSeg    = 52
	cfgZeroesMayUnmap  = 56
	cfgLen             = 60
	heads, sectors     = 16, 63
	maxCylinders       = 16383
	discardGranularity = 8 // sectors
)

// regs is all the guest can observe: the request that waits for the medium.
type regs struct {
	busy bool
	head uint16
}

func (r *regs) sync(c *snapshot.Codec) {
	c.Version(1)
	c.Bool("busy", &r.busy)
	c.Uint16("head", &r.head)
}

// A Device is a disk.
type Device struct {
	medium hw.Medium
	id     [idLen]byte
	config [cfgLen]byte
	q      *virtio.Queue
	chain  virtio.Chain
	work   request
	buffer []byte
	// epoch tells the requests to the medium before a reset from those after it.
	epoch uint32
	// serving says that Notify's loop is running.
	serving bool
	regs
}

// New returns a disk with a name of up to 20 characters.
func New(medium hw.Medium, id string) *Device {
	d := &Device{medium: medium, buffer: make([]byte, chunkSize)}
	copy(d.id[:], id)
	c := d.config[:]
	le := binary.LittleEndian
	le.PutUint64(c[cfgCapacity:], d.capacity())
	le.PutUint32(c[cfgSegMax:], segMax)
	le.PutUint16(c[cfgGeometry:], uint16(max(1, min(d.capacity()/(heads*sectors), maxCylinders))))
	c[cfgGeometry+2], c[cfgGeometry+3] = heads, sectors
	le.PutUint32(c[cfgBlkSize:], sectorSize)
	le.PutUint32(c[cfgMaxDiscard:], maxDiscard)
	le.PutUint32(c[cfgMaxDiscardSeg:], 1)
	le.PutUint32(c[cfgDiscardAlign:], discardGranularity)
	le.PutUint32(c[cfgMaxWriteZeroes:], maxZeroes)
	le.PutUint32(c[cfgMaxZeroesSeg:], 1)
	c[cfgZeroesMayUnmap] = 1
	return d
}

// capacity is the size of the disk in sectors.
func (d *Device) capacity() uint64 { return d.medium.Size() / sectorSize }

// ID implements virtio.Device.
func (d *Device) ID() uint16 { return deviceID }

// Features implements virtio.Device.
func (d *Device) Features() uint64 {
	f := uint64(virtio.FeatureVersion1 | virtio.FeatureIndirectDesc | virtio.FeatureEventIdx |
		featureSegMax | featureGeometry | featureBlkSize | featureFlush)
	if d.medium.ReadOnly() {
		return f | featureRO
	}
	return f | featureDiscard | featureWriteZeroes
}

// QueueSizes implements virtio.Device.
func (d *Device) QueueSizes() []uint16 { return []uint16{queueSize} }

// Config implements virtio.Device.
func (d *Device) Config() []byte { return d.config[:] }

// Start implements virtio.Device.
func (d *Device) Start(_ uint64, q []*virtio.Queue) { d.q = q[0] }

// Reset implements hw.Device. A request that waits is forgotten; the medium
// keeps the buffer it has.
func (d *Device) Reset() {
	if d.busy {
		d.buffer = make([]byte, chunkSize)
	}
	d.epoch++
	d.q, d.regs = nil, regs{}
}

// Save implements hw.Device.
func (d *Device) Save(c *snapshot.Codec) { d.regs.sync(c) }

// Load implements hw.Device.
func (d *Device) Load(c *snapshot.Codec) error {
	var next regs
	next.sync(c)
	if _, err := c.Close(); err != nil {
		return err
	}
	d.Reset()
	d.regs = next
	return nil
}

// Resume goes on with the request that waited when the state was saved. The
// board calls it when everything is loaded.
func (d *Device) Resume() {
	if !d.busy || d.q == nil {
		return
	}
	d.busy = false
	if d.q.Again(&d.chain, d.head) {
		d.begin()
	}
	d.Notify(0)
}

// Notify implements virtio.Device.
func (d *Device) Notify(int) {
	if d.serving {
		return // the loop below goes on
	}
	d.serving = true
	defer func() { d.serving = false }()
	for !d.busy && d.q != nil && d.q.Pop(&d.chain) {
		d.begin()
	}
}

// end gives the chain back, with the status as its last byte.
func (d *Device) end(status uint8) {
	if trace.On(trace.Disk) && status != statusOK {
		trace.Emit(trace.Disk, "virtio status", uint64(status))
	}
	d.busy = false
	written := 0
	if room := d.chain.Writable(); room > 0 {
		out := d.chain.Writer()
		out.Skip(room - 1)
		if _, err := out.Write([]byte{status}); err == nil {
			written = int(d.work.written) + 1
		}
	}
	d.q.Push(&d.chain, written)
	d.Notify(0)
}

var _ virtio.Device = (*Device)(nil)
