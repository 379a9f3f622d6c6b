package snapfile

import (
	"errors"
	"fmt"
	"io"
	"math/bits"
	"runtime"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// ReadMemory fills ram, which is of MemorySize bytes and all zero, with what was
// saved. Pages that were zero are not touched.
func (f *File) ReadMemory(ram []byte) error {
	if uint64(len(ram)) != f.MemorySize {
		panic("BUG: memory of another size")
	}
	return f.each(func(u *unpacker, x *frame) error { return u.fill(x, ram[uint64(x.chunk)*chunkSize:]) })
}

// Verify reads all of memory and reports what is wrong with it.
func (f *File) Verify() error {
	return f.each(func(u *unpacker, x *frame) error {
		_, err := u.pages(x)
		return err
	})
}

// Pages is how many pages are not zero.
func (f *File) Pages() (n int) {
	for i := range f.index {
		n += f.index[i].count()
	}
	return n
}

func (f *frame) count() (n int) {
	for _, p := range f.pages {
		n += bits.OnesCount64(p)
	}
	return n
}

// each calls fn with all frames, on all processors there are.
func (f *File) each(fn func(u *unpacker, x *frame) error) error {
	todo := make(chan *frame, len(f.index))
	for i := range f.index {
		todo <- &f.index[i]
	}
	close(todo)
	workers := min(runtime.GOMAXPROCS(0), len(f.index))
	wrong := make([]error, workers)
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() {
			u := newUnpacker(f)
			defer u.close()
			for x := range todo {
				if err := fn(u, x); err != nil && wrong[i] == nil {
					wrong[i] = fmt.Errorf("memory at %#x: %w", uint64(x.chunk)*chunkSize, err)
				}
			}
		})
	}
	all.Wait()
	return errors.Join(wrong...)
}

// An unpacker reads chunks, one after the other.
type unpacker struct {
	f            *File
	zstd         *zstd.Decoder
	stored, flat []byte
}

func newUnpacker(f *File) *unpacker {
	u := &unpacker{f: f, flat: make([]byte, 0, chunkSize)}
	if f.Encoding == Packed {
		var err error
		u.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(chunkSize),
			zstd.WithDecoderMaxWindow(chunkSize))
		if err != nil {
			panic(fmt.Sprintf("BUG: zstd: %v", err))
		}
	}
	return u
}

func (u *unpacker) close() {
	if u.zstd != nil {
		u.zstd.Close()
	}
}

// read returns the n bytes at offset.
func (u *unpacker) read(offset uint64, n int) ([]byte, error) {
	if cap(u.stored) < n {
		u.stored = make([]byte, max(n, chunkSize))
	}
	b := u.stored[:n]
	if _, err := u.f.r.ReadAt(b, int64(offset)); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return b, nil
}

// pages returns the pages of a chunk that are not zero, one behind the other.
func (u *unpacker) pages(x *frame) ([]byte, error) {
	b, err := u.read(x.offset, int(x.length))
	if err != nil {
		return nil, err
	}
	if u.f.Encoding == Raw {
		u.flat = u.flat[:0]
		for p := range int(x.length) / pageSize {
			if x.has(p) {
				u.flat = append(u.flat, b[p*pageSize:(p+1)*pageSize]...)
			}
		}
		b = u.flat
	}
	if checksum(b) != x.sum {
		return nil, corrupt("its checksum differs")
	}
	if u.f.Encoding == Raw {
		return b, nil
	}
	var head zstd.Header
	want := x.count() * pageSize
	if err := head.Decode(b); err != nil || !head.HasFCS || head.FrameContentSize != uint64(want) {
		return nil, corrupt("it does not have %d pages", x.count())
	}
	if u.flat, err = u.zstd.DecodeAll(b, u.flat[:0]); err != nil || len(u.flat) != want {
		return nil, corrupt("unpack: %v", err)
	}
	return u.flat, nil
}

// fill puts the pages of a chunk where they belong in ram, which begins there.
func (u *unpacker) fill(x *frame, ram []byte) error {
	pages, err := u.pages(x)
	if err != nil {
		return err
	}
	for p := 0; len(pages) > 0; p++ {
		if x.has(p) {
			pages = pages[copy(ram[p*pageSize:(p+1)*pageSize], pages):]
		}
	}
	return nil
}
