package snapfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"runtime"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/gov86/gov86/snapshot"
)

// A Writer writes a file from beginning to end. Its first error sticks, and Close
// returns it.
type Writer struct {
	w        io.Writer
	at       uint64
	sum      uint32 // of all there is so far
	err      error
	sections uint32
}

// NewWriter begins a file with a header, lines of text of which none is empty.
func NewWriter(w io.Writer, header []byte) *Writer {
	if bytes.Contains(header, []byte("\n\n")) || len(header) > headerLimit-64 {
		panic("BUG: header with an empty line, or too long")
	}
	out := &Writer{w: w}
	out.write(fmt.Appendf(nil, "%s%d\n%s\n\n", magic, Version, bytes.TrimRight(header, "\n")))
	return out
}

func (w *Writer) write(p []byte) {
	if w.err != nil {
		return
	}
	if _, w.err = w.w.Write(p); w.err == nil {
		w.at += uint64(len(p))
		w.sum = crc32.Update(w.sum, castagnoli, p)
	}
}

// Section writes a section.
func (w *Writer) Section(name string, payload []byte) {
	if name == "" || len(name) > nameLimit || len(payload) > payloadLimit {
		panic(fmt.Sprintf("BUG: section %q of %d bytes", name, len(payload)))
	}
	le := binary.LittleEndian
	b := append(le.AppendUint16(nil, uint16(len(name))), name...)
	b = le.AppendUint32(b, uint32(len(payload)))
	sum := crc32.Update(checksum([]byte(name)), castagnoli, payload)
	w.write(le.AppendUint32(b, sum))
	w.write(payload)
	w.sections++
}

// Close writes memory, which is ram of whole pages, and ends the file. Pages for
// which held says no are zeros, and are not looked at.
func (w *Writer) Close(ram []byte, held func(page int) bool, as Encoding) error {
	info := memoryInfo{uint64(len(ram)), uint8(as)}
	c := snapshot.NewSaver()
	info.sync(c)
	payload, err := c.Close()
	if err != nil {
		return err
	}
	w.Section(memorySection, payload)
	le := binary.LittleEndian
	w.write(le.AppendUint32([]byte{0, 0}, w.sections))
	w.write(le.AppendUint32(nil, w.sum))
	var index []frame
	if as == Raw {
		index = w.raw(ram, held)
	} else {
		index = w.packed(ram, held)
	}
	w.finish(index)
	return w.err
}

// finish writes the index and the footer.
func (w *Writer) finish(index []frame) {
	le := binary.LittleEndian
	b := make([]byte, 0, len(index)*frameLen+footerLen)
	for i := range index {
		f := &index[i]
		b = le.AppendUint32(b, f.chunk)
		b = le.AppendUint32(b, f.length)
		b = le.AppendUint64(b, f.offset)
		b = le.AppendUint32(b, f.sum)
		for _, p := range f.pages {
			b = le.AppendUint64(b, p)
		}
	}
	sum := checksum(b)
	b = append(b, footerMagic...)
	b = le.AppendUint64(b, w.at)
	b = le.AppendUint32(b, uint32(len(index)))
	b = le.AppendUint32(b, sum)
	b = le.AppendUint32(b, checksum(b[len(b)-footerLen+4:]))
	w.write(b)
}

// gather finds the pages of a chunk that are not zero, and appends them to into.
func gather(chunk int, ram []byte, held func(page int) bool, into []byte) (frame, []byte) {
	f := frame{chunk: uint32(chunk)}
	first := chunk * chunkPages
	for p := range min(chunkPages, len(ram)/pageSize-first) {
		if !held(first + p) {
			continue
		}
		page := ram[(first+p)*pageSize:][:pageSize]
		if !bytes.Equal(page, zeros[:pageSize]) {
			f.pages[p>>6] |= 1 << (p & 63)
			into = append(into, page...)
		}
	}
	return f, into
}

var zeros [chunkSize]byte

// A parcel is a chunk that a worker packs: when done is closed it is.
type parcel struct {
	frame
	data []byte
	done chan struct{}
}

// packed writes memory as frames, which are packed on all processors there are.
func (w *Writer) packed(ram []byte, held func(page int) bool) (index []frame) {
	chunks := (len(ram) + chunkSize - 1) / chunkSize
	workers := runtime.GOMAXPROCS(0)
	todo, ready := make(chan *parcel, chunks), make(chan *parcel, 4*workers)
	var all sync.WaitGroup
	for range workers {
		all.Go(func() { pack(todo, ram, held) })
	}
	go func() {
		for i := range chunks {
			p := &parcel{frame: frame{chunk: uint32(i)}, done: make(chan struct{})}
			ready <- p // no more than the writer has room for
			todo <- p
		}
		close(todo)
		close(ready)
	}()
	for p := range ready {
		<-p.done
		if len(p.data) == 0 {
			continue
		}
		p.offset, p.length, p.sum = w.at, uint32(len(p.data)), checksum(p.data)
		w.write(p.data)
		index = append(index, p.frame)
	}
	all.Wait()
	return index
}

// pack packs what there is to do.
func pack(todo <-chan *parcel, ram []byte, held func(page int) bool) {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderCRC(false), zstd.WithSingleSegment(true))
	if err != nil {
		panic(fmt.Sprintf("BUG: zstd: %v", err))
	}
	defer z.Close()
	var pages []byte
	for p := range todo {
		p.frame, pages = gather(int(p.chunk), ram, held, pages[:0])
		if len(pages) > 0 {
			p.data = z.EncodeAll(pages, nil)
		}
		close(p.done)
	}
}

// raw writes memory as it is, from a page of the file on. Chunks of zeros are
// skipped if the file can have holes.
func (w *Writer) raw(ram []byte, held func(page int) bool) (index []frame) {
	w.write(zeros[:-w.at&(pageSize-1)])
	file, sparse := w.w.(io.Seeker)
	var pages []byte
	for chunk := 0; chunk*chunkSize < len(ram); chunk++ {
		whole := ram[chunk*chunkSize:]
		whole = whole[:min(chunkSize, len(whole))]
		var f frame
		f, pages = gather(chunk, ram, held, pages[:0])
		f.offset, f.length, f.sum = w.at, uint32(len(whole)), checksum(pages)
		switch {
		case len(pages) > 0:
			index = append(index, f)
			w.write(spread(&f, pages, len(whole)))
		case sparse && w.err == nil:
			_, w.err = file.Seek(int64(len(whole)), io.SeekCurrent)
			w.at += uint64(len(whole))
		default:
			w.write(zeros[:len(whole)])
		}
	}
	return index
}

// spread puts pages back where they are in their chunk of n bytes.
func spread(f *frame, pages []byte, n int) []byte {
	if len(pages) == n {
		return pages
	}
	whole := make([]byte, n)
	for p := range n / pageSize {
		if f.has(p) {
			pages = pages[copy(whole[p*pageSize:(p+1)*pageSize], pages):]
		}
	}
	return whole
}
