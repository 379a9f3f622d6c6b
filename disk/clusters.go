package disk

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"os"
)

// second is the table of the second level for an entry of the first, nil when
// there is none and a fresh one is not wanted.
func (q *qcow2) second(i int, fresh bool) (*table, error) {
	if t := q.l2[i]; t != nil {
		return t, nil
	}
	n := int(q.cluster() / 8)
	at := int64(q.l1[i] & offsetMask)
	switch {
	case at != 0:
		entries, err := q.words(at, n)
		if err != nil {
			return nil, fmt.Errorf("table at %#x: %w", at, err)
		}
		q.l2[i] = &table{entries: entries, at: at}
	case fresh:
		at, err := q.allocate()
		if err != nil {
			return nil, err
		}
		q.l2[i] = &table{entries: make([]uint64, n), at: at, dirty: true}
		q.l1[i], q.l1Dirty = uint64(at)|flagCopied, true
	}
	return q.l2[i], nil
}

// split is where the entry of the cluster with byte off is.
func (q *qcow2) split(off int64) (i, k int) {
	n := off >> q.bits
	return int(n >> (q.bits - 3)), int(n & (1<<(q.bits-3) - 1))
}

// entry is what maps the cluster with byte off, 0 for nothing.
func (q *qcow2) entry(off int64) (uint64, error) {
	i, k := q.split(off)
	t, err := q.second(i, false)
	if t == nil || err != nil {
		return 0, err
	}
	return t.entries[k], nil
}

// parts calls fn for the part of each cluster in p, which lies from off on.
func (q *qcow2) parts(p []byte, off int64, fn func(p []byte, off int64) error) (int, error) {
	done := 0
	for done < len(p) {
		at := off + int64(done)
		n := min(len(p)-done, int(q.cluster()-at&(q.cluster()-1)))
		if err := fn(p[done:done+n], at); err != nil {
			return done, err
		}
		done += n
	}
	return done, nil
}

// ReadAt implements Image.
func (q *qcow2) ReadAt(p []byte, off int64) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.parts(p, off, q.read)
}

// read reads within a cluster.
func (q *qcow2) read(p []byte, off int64) error {
	e, err := q.entry(off)
	if err != nil {
		return err
	}
	within := off & (q.cluster() - 1)
	switch {
	case e&flagCompressed != 0:
		return q.readCompressed(p, e, within)
	case e&flagZero != 0 && q.version >= 3:
		clear(p)
	case e&offsetMask != 0:
		_, err = q.f.ReadAt(p, int64(e&offsetMask)+within)
	case q.backing != nil:
		return readBacking(q.backing, p, off)
	default:
		clear(p)
	}
	return err
}

// readBacking reads from an image that may be smaller.
func readBacking(b Image, p []byte, off int64) error {
	n := max(0, min(int64(len(p)), b.Size()-off))
	clear(p[n:])
	if n == 0 {
		return nil
	}
	_, err := b.ReadAt(p[:n], off)
	return err
}

// readCompressed reads a cluster that is a deflate stream: its entry has the
// offset and above it how many further sectors the stream reaches into.
func (q *qcow2) readCompressed(p []byte, e uint64, within int64) error {
	if q.unpacked == nil || q.unpackedEntry != e {
		shift := 62 - (q.bits - 8)
		at := int64(e & (1<<shift - 1))
		sectors := int64(e>>shift&(1<<(q.bits-8)-1)) + 1
		packed := make([]byte, sectors*SectorSize-at&(SectorSize-1))
		n, err := q.f.ReadAt(packed, at)
		if ignoreEOF(err) != nil {
			return err
		}
		q.unpacked = nil
		plain := make([]byte, q.cluster())
		if _, err := io.ReadFull(flate.NewReader(bytes.NewReader(packed[:n])), plain); err != nil {
			return fmt.Errorf("compressed cluster at %#x: %w", at, err)
		}
		q.unpacked, q.unpackedEntry = plain, e
	}
	copy(p, q.unpacked[within:])
	return nil
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// WriteAt implements Image.
func (q *qcow2) WriteAt(p []byte, off int64) (int, error) {
	if q.readOnly {
		return 0, errReadOnly
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.parts(p, off, q.write)
}

// write writes within a cluster: where it is, or to a new one, which takes what
// is not written from the old.
func (q *qcow2) write(p []byte, off int64) error {
	i, k := q.split(off)
	t, err := q.second(i, true)
	if err != nil {
		return err
	}
	e, within := t.entries[k], off&(q.cluster()-1)
	at := int64(e & offsetMask)
	if e&(flagCompressed|flagZero) == 0 && at != 0 {
		_, err = q.f.WriteAt(p, at+within)
		return err
	}
	whole := p
	if int64(len(p)) < q.cluster() {
		whole = make([]byte, q.cluster())
		if err := q.read(whole, off-within); err != nil {
			return err
		}
		copy(whole[within:], p)
	}
	if e&flagCompressed != 0 || at == 0 {
		if at, err = q.allocate(); err != nil {
			return err
		}
	}
	if _, err := q.f.WriteAt(whole, at); err != nil {
		return err
	}
	t.entries[k], t.dirty = uint64(at)|flagCopied, true
	q.changed()
	return nil
}

// Zero implements Image.
func (q *qcow2) Zero(off, n int64) error {
	if q.readOnly {
		return errReadOnly
	}
	for n > 0 {
		step := min(n, q.cluster()-off&(q.cluster()-1))
		var err error
		if step == q.cluster() && q.version >= 3 {
			err = q.zeroCluster(off)
		} else {
			err = writeZeroes(q, off, step)
		}
		if err != nil {
			return err
		}
		off, n = off+step, n-step
	}
	return nil
}

// zeroCluster marks a cluster as zero. It keeps its place in the file.
func (q *qcow2) zeroCluster(off int64) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	i, k := q.split(off)
	t, err := q.second(i, true)
	if err != nil {
		return err
	}
	e := t.entries[k]
	if e&flagCompressed != 0 {
		e = 0
	}
	t.entries[k], t.dirty = e|flagZero, true
	q.changed()
	return nil
}

// allocate takes a cluster at the end of the file and counts it.
func (q *qcow2) allocate() (int64, error) {
	at := q.end
	q.end += q.cluster()
	return at, q.count(at)
}

// count makes the reference count of a new cluster 1.
func (q *qcow2) count(at int64) error {
	n := at >> q.bits
	perBlock := q.cluster() / refcountLen
	i := n / perBlock
	if i >= int64(len(q.refTable)) {
		return fmt.Errorf("the image is full: its reference counts end at %d bytes", at)
	}
	block := int64(q.refTable[i] & offsetMask)
	if block == 0 {
		block = q.end
		q.end += q.cluster()
		if _, err := q.f.WriteAt(make([]byte, q.cluster()), block); err != nil {
			return err
		}
		q.refTable[i] = uint64(block)
		if err := q.putWords(q.refTableAt+8*i, q.refTable[i:i+1]); err != nil {
			return err
		}
		if err := q.count(block); err != nil {
			return err
		}
	}
	_, err := q.f.WriteAt([]byte{0, 1}, block+n%perBlock*refcountLen)
	return err
}

// create makes an empty image of a size in bytes, based on another or, with no
// name, on nothing.
func create(f *os.File, size int64, backing, format string) error {
	const cluster = 1 << newBits
	const tableAt, blockAt, l1At = 1 * cluster, 2 * cluster, 3 * cluster
	l1 := (size + cluster*cluster/8 - 1) / (cluster * cluster / 8)
	clusters := l1At/cluster + (8*l1+cluster-1)/cluster
	p := make([]byte, clusters*cluster)
	be.PutUint32(p, qcow2Magic)
	be.PutUint32(p[4:], 3)
	be.PutUint32(p[20:], newBits)
	be.PutUint64(p[24:], uint64(size))
	be.PutUint32(p[36:], uint32(l1))
	be.PutUint64(p[40:], l1At)
	be.PutUint64(p[48:], tableAt)
	be.PutUint32(p[56:], 1)
	be.PutUint32(p[96:], 4)
	be.PutUint32(p[100:], headerLen)
	at := headerLen
	if backing != "" {
		be.PutUint32(p[at:], extensionBackingFormat)
		be.PutUint32(p[at+4:], uint32(len(format)))
		copy(p[at+8:], format)
		at += 8 + (len(format)+7)&^7 + 8 // and the extension that ends them
		be.PutUint64(p[8:], uint64(at))
		be.PutUint32(p[16:], uint32(len(backing)))
		copy(p[at:], backing)
	}
	be.PutUint64(p[tableAt:], blockAt)
	for i := range clusters {
		be.PutUint16(p[blockAt+refcountLen*i:], 1)
	}
	_, err := f.WriteAt(p, 0)
	return err
}
