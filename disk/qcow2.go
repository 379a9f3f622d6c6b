package disk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// A QCOW2 image maps clusters of the disk to clusters of its file by tables of
// two levels ("QCOW2 Image Format", docs/interop/qcow2.txt of QEMU). Read are
// versions 2 and 3 with backing files and compressed clusters; written are those
// whose clusters are each referred to once.
//
// What is written goes to clusters that no table names, and the tables are
// written when the data is safe: a file that is cut off anywhere holds
// everything flushed, and at most clusters that are counted and not used.
const (
	qcow2Magic  = 0x514649fb // "QFI" and FBh
	headerLen   = 104
	headerLen2  = 72
	minBits     = 9
	maxBits     = 21
	newBits     = 16
	maxTable    = 32 << 20 // bytes of the first table, as QEMU has it
	maxChain    = 16       // images based on each other
	maxNameLen  = 1023
	refcountLen = 2

	offsetMask     = 0x00fffffffffffe00
	flagCopied     = 1 << 63
	flagCompressed = 1 << 62
	flagZero       = 1 << 0

	incompatibleDirty   = 1 << 0
	incompatibleCorrupt = 1 << 1

	extensionEnd           = 0
	extensionBackingFormat = 0xe2792aca

	// commitAfter is how long data may wait for its table to be written without
	// a flush of the guest's, which old systems never ask for.
	commitAfter = time.Second
)

var be = binary.BigEndian

// A table is one of the second level.
type table struct {
	entries []uint64
	at      int64
	dirty   bool
}

type qcow2 struct {
	mu       sync.Mutex // the commit after a while has its own goroutine
	f        *os.File
	name     string
	readOnly bool
	// volatile says that nothing needs to last.
	volatile bool
	version  uint32
	bits     uint
	size     int64
	backing  Image // nil for none

	l1      []uint64
	l1At    int64
	l1Dirty bool
	l2      map[int]*table
	dirty   bool
	timer   *time.Timer
	failed  error // of the commit after a while

	refTable   []uint64
	refTableAt int64
	// end is the first cluster of the file that is free.
	end int64
	// unpacked is the compressed cluster that was read last, by its entry.
	unpacked      []byte
	unpackedEntry uint64
}

// A header is what the file begins with.
type header struct {
	version                             uint32
	backingAt                           uint64
	backingLen, bits                    uint32
	size                                uint64
	crypt, l1Size                       uint32
	l1At, refTableAt                    uint64
	refTableClusters, snapshots         uint32
	incompatible, compatible, autoclear uint64
	refOrder, length                    uint32
}

func (h *header) decode(p []byte) {
	h.version, h.backingAt, h.backingLen = be.Uint32(p[4:]), be.Uint64(p[8:]), be.Uint32(p[16:])
	h.bits, h.size, h.crypt, h.l1Size = be.Uint32(p[20:]), be.Uint64(p[24:]), be.Uint32(p[32:]), be.Uint32(p[36:])
	h.l1At, h.refTableAt, h.refTableClusters = be.Uint64(p[40:]), be.Uint64(p[48:]), be.Uint32(p[56:])
	h.snapshots, h.refOrder, h.length = be.Uint32(p[60:]), 4, headerLen2
	if h.version >= 3 {
		h.incompatible, h.compatible, h.autoclear = be.Uint64(p[72:]), be.Uint64(p[80:]), be.Uint64(p[88:])
		h.refOrder, h.length = be.Uint32(p[96:]), be.Uint32(p[100:])
	}
}

// check says why an image cannot be used.
func (h *header) check(readOnly bool) error {
	cluster := uint64(1) << (h.bits & 63)
	switch {
	case h.version != 2 && h.version != 3:
		return fmt.Errorf("its version is %d, not 2 or 3", h.version)
	case h.bits < minBits || h.bits > maxBits:
		return fmt.Errorf("its clusters have 2^%d bytes", h.bits)
	case h.crypt != 0:
		return errors.New("it is encrypted")
	case h.incompatible&^(incompatibleDirty|incompatibleCorrupt) != 0:
		return fmt.Errorf("it has features (%#x) that are not known here", h.incompatible)
	case h.size == 0 || h.size%SectorSize != 0 || h.size > 1<<56:
		return fmt.Errorf("a disk of %d bytes", h.size)
	case uint64(h.l1Size)*8 > maxTable || uint64(h.l1Size)*(cluster/8)<<h.bits < h.size:
		return fmt.Errorf("its first table has %d entries, for a disk of %d bytes", h.l1Size, h.size)
	case h.l1At%cluster != 0 || h.refTableAt%cluster != 0 || h.l1At > offsetMask || h.refTableAt > offsetMask:
		return errors.New("its tables are in the middle of clusters")
	case h.backingLen > maxNameLen || h.backingAt > cluster:
		return errors.New("the name of the image it is based on is out of place")
	case readOnly:
		return nil
	case h.incompatible != 0:
		return errors.New("it was not closed well, or found corrupt")
	case h.refOrder != 4:
		return fmt.Errorf("its reference counts have 2^%d bits, and only those of 16 are written here", h.refOrder)
	case h.snapshots != 0:
		return errors.New("it holds snapshots of its own")
	case uint64(h.refTableClusters)<<h.bits > maxTable:
		return errors.New("its table of reference counts is too large")
	}
	return nil
}

// isQCOW2 reports whether a file begins as a QCOW2 image.
func isQCOW2(f *os.File) bool {
	var p [4]byte
	_, err := f.ReadAt(p[:], 0)
	return err == nil && be.Uint32(p[:]) == qcow2Magic
}

const qcow2Remedy = "convert it with qemu-img convert, or repair it with qemu-img check -r all"

// openQCOW2 opens the image in f, and those it is based on.
func openQCOW2(f *os.File, name string, readOnly bool, depth int) (*qcow2, error) {
	fail := func(err error) (*qcow2, error) {
		return nil, &Error{name, reason(err), qcow2Remedy}
	}
	p := make([]byte, headerLen)
	if n, err := f.ReadAt(p, 0); n < headerLen2 || be.Uint32(p) != qcow2Magic {
		return fail(errors.Join(errors.New("it is no QCOW2 image"), ignoreEOF(err)))
	}
	var h header
	h.decode(p)
	if err := h.check(readOnly); err != nil {
		return fail(err)
	}
	info, err := f.Stat()
	if err != nil {
		return fail(err)
	}
	q := &qcow2{f: f, name: name, readOnly: readOnly, version: h.version, bits: uint(h.bits), size: int64(h.size),
		l1At: int64(h.l1At), refTableAt: int64(h.refTableAt), l2: map[int]*table{}}
	q.end = (info.Size() + q.cluster() - 1) &^ (q.cluster() - 1)
	if q.l1, err = q.words(q.l1At, int(h.l1Size)); err != nil {
		return fail(fmt.Errorf("its first table: %w", err))
	}
	if !readOnly {
		if q.refTable, err = q.words(q.refTableAt, int(h.refTableClusters)<<h.bits/8); err != nil {
			return fail(fmt.Errorf("its table of reference counts: %w", err))
		}
	}
	if h.backingLen > 0 {
		if q.backing, err = openBacking(f, name, &h, depth); err != nil {
			return nil, err
		}
	}
	return q, nil
}

// words reads n words of 64 bits.
func (q *qcow2) words(at int64, n int) ([]uint64, error) {
	p := make([]byte, 8*n)
	if _, err := q.f.ReadAt(p, at); err != nil {
		return nil, err
	}
	w := make([]uint64, n)
	for i := range w {
		w[i] = be.Uint64(p[8*i:])
	}
	return w, nil
}

func (q *qcow2) putWords(at int64, w []uint64) error {
	p := make([]byte, 0, 8*len(w))
	for _, v := range w {
		p = be.AppendUint64(p, v)
	}
	_, err := q.f.WriteAt(p, at)
	return err
}

// cluster is the size of clusters in bytes.
func (q *qcow2) cluster() int64 { return 1 << q.bits }

// Size implements Image.
func (q *qcow2) Size() int64 { return q.size }

// ReadOnly implements Image.
func (q *qcow2) ReadOnly() bool { return q.readOnly }

// Flush implements Image.
func (q *qcow2) Flush() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	err := q.failed
	q.failed = nil
	return errors.Join(err, q.commit())
}

// commit writes the tables, in the order in which they refer to each other.
func (q *qcow2) commit() error {
	if q.readOnly || q.volatile {
		return nil
	}
	if err := syncData(q.f); err != nil || !q.dirty {
		return err
	}
	for _, t := range q.l2 {
		if !t.dirty {
			continue
		}
		if err := q.putWords(t.at, t.entries); err != nil {
			return err
		}
		t.dirty = false
	}
	err := syncData(q.f)
	if err == nil && q.l1Dirty {
		if err = q.putWords(q.l1At, q.l1); err == nil {
			err = syncData(q.f)
		}
	}
	if err == nil {
		q.dirty, q.l1Dirty = false, false
	}
	return err
}

// changed has the tables committed, after a while at the latest.
func (q *qcow2) changed() {
	if q.dirty || q.volatile {
		q.dirty = true
		return
	}
	q.dirty = true
	q.timer = time.AfterFunc(commitAfter, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.failed = errors.Join(q.failed, q.commit())
	})
}

// Close implements Image.
func (q *qcow2) Close() error {
	err := q.Flush()
	if q.timer != nil {
		q.timer.Stop()
	}
	if q.backing != nil {
		err = errors.Join(err, q.backing.Close())
	}
	if q.volatile {
		os.Remove(q.name) // where an open file cannot be removed before
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.readOnly = true // a commit that comes late finds nothing to do
	return closeFlushed(q.f, err)
}
