package virtioblk

import (
	"encoding/binary"

	"github.com/gov86/gov86/devices/virtio"
)

// Types of requests (Virtio 1.2, "Block Device", "Device Operation").
const (
	typeIn          = 0
	typeOut         = 1
	typeFlush       = 4
	typeGetID       = 8
	typeDiscard     = 11
	typeWriteZeroes = 13

	statusOK          = 0
	statusIOError     = 1
	statusUnsupported = 2

	headerLen  = 16
	segmentLen = 16
	flagUnmap  = 1
)

// A request is the data of a read or a write, and how far it is.
type request struct {
	in      virtio.Reader
	out     virtio.Writer
	off     uint64 // on the medium, in bytes
	left    uint64 // bytes still to be moved
	write   bool
	written uint64 // into the chain
}

// begin serves the request in d.chain, whose header is the first of what is
// read and whose status the last of what is written.
func (d *Device) begin() {
	d.busy, d.head = true, d.chain.Head()
	d.work = request{in: d.chain.Reader(), out: d.chain.Writer()}
	var h [headerLen]byte
	if n, err := d.work.in.Read(h[:]); n < headerLen || err != nil || d.chain.Writable() == 0 {
		d.end(statusIOError)
		return
	}
	sector := binary.LittleEndian.Uint64(h[8:])
	switch binary.LittleEndian.Uint32(h[:]) {
	case typeIn:
		d.transfer(sector, uint64(d.chain.Writable()-1), false)
	case typeOut:
		d.transfer(sector, uint64(d.chain.Readable()-headerLen), true)
	case typeFlush:
		d.medium.Flush(d.then(func() { d.end(statusOK) }))
	case typeGetID:
		n, _ := d.work.out.Write(d.id[:min(idLen, d.chain.Writable()-1)])
		d.work.written = uint64(n)
		d.end(statusOK)
	case typeDiscard:
		d.clear(maxDiscard, 0)
	case typeWriteZeroes:
		d.clear(maxZeroes, flagUnmap)
	default:
		d.end(statusUnsupported)
	}
}

// then goes on with next when the medium has done what it was asked, unless the
// device was reset meanwhile.
func (d *Device) then(next func()) func(error) {
	epoch := d.epoch
	return func(err error) {
		switch {
		case d.epoch != epoch:
		case err != nil:
			d.end(statusIOError)
		default:
			next()
		}
	}
}

// within reports whether n sectors from sector on exist.
func (d *Device) within(sector, n uint64) bool {
	return sector <= d.capacity() && n <= d.capacity()-sector
}

// transfer begins a read or a write of n bytes.
func (d *Device) transfer(sector, n uint64, write bool) {
	if n%sectorSize != 0 || n > requestLimit || !d.within(sector, n/sectorSize) || write && d.medium.ReadOnly() {
		d.end(statusIOError)
		return
	}
	d.work.off, d.work.left, d.work.write = sector*sectorSize, n, write
	d.move()
}

// move moves the next chunk.
func (d *Device) move() {
	w := &d.work
	p := d.buffer[:min(w.left, chunkSize)]
	switch {
	case len(p) == 0:
		d.end(statusOK)
	case w.write:
		if n, err := w.in.Read(p); n < len(p) || err != nil {
			d.end(statusIOError)
			return
		}
		d.medium.Write(p, w.off, d.then(func() { d.moved(len(p)) }))
	default:
		d.medium.Read(p, w.off, d.then(func() {
			if _, err := w.out.Write(p); err != nil {
				d.end(statusIOError)
				return
			}
			w.written += uint64(len(p))
			d.moved(len(p))
		}))
	}
}

func (d *Device) moved(n int) {
	d.work.off, d.work.left = d.work.off+uint64(n), d.work.left-uint64(n)
	d.move()
}

// clear is DISCARD and WRITE ZEROES, of one segment of at most limit sectors:
// both leave zeroes.
func (d *Device) clear(limit, flags uint32) {
	var s [segmentLen]byte
	if n, err := d.work.in.Read(s[:]); n < len(s) || err != nil || d.chain.Readable() != headerLen+segmentLen {
		d.end(statusIOError)
		return
	}
	sector, n := binary.LittleEndian.Uint64(s[:]), binary.LittleEndian.Uint32(s[8:])
	switch got := binary.LittleEndian.Uint32(s[12:]); {
	case got&^flags != 0:
		d.end(statusUnsupported)
	case n > limit || !d.within(sector, uint64(n)) || d.medium.ReadOnly():
		d.end(statusIOError)
	default:
		d.medium.Zero(sector*sectorSize, uint64(n)*sectorSize, d.then(func() { d.end(statusOK) }))
	}
}
