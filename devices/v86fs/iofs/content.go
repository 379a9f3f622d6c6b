package iofs

import (
	"errors"
	"io"
	"io/fs"

	"github.com/gov86/gov86/devices/v86fs"
)

// A stream is an open file of an FS, of which it is only known that it can be
// read from beginning to end.
type stream struct {
	file fs.File
	at   int64 // where the next byte comes from
}

func (s *stream) close() error {
	if s == nil {
		return nil
	}
	return s.file.Close()
}

// Open implements v86fs.Backend.
func (f *FS) Open(number v86fs.Node, writable bool) error {
	n, err := f.node(number)
	switch {
	case err != nil:
		return err
	case writable && n.kind == v86fs.ModeDir:
		return v86fs.EISDIR
	case writable:
		return v86fs.EROFS
	case n.kind != v86fs.ModeDir && n.kind != v86fs.ModeRegular:
		return v86fs.EACCES
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.kind == v86fs.ModeRegular && n.stream == nil {
		if n.stream, err = f.open(n); err != nil {
			return err
		}
	}
	n.opens++
	return nil
}

// open opens a regular file, and checks that it still is one.
func (f *FS) open(n *node) (*stream, error) {
	file, err := f.fsys.Open(n.path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = v86fs.ESTALE
		}
		return nil, fault(err)
	}
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		file.Close()
		return nil, v86fs.ESTALE
	}
	return &stream{file: file}, nil
}

// Close implements v86fs.Backend.
func (f *FS) Close(number v86fs.Node) {
	n, err := f.node(number)
	if err != nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.opens--; n.opens == 0 {
		n.stream.close()
		n.stream = nil
	}
}

// Read implements v86fs.Backend.
func (f *FS) Read(number v86fs.Node, buffers [][]byte, off uint64) (int, error) {
	n, err := f.node(number)
	switch {
	case err != nil:
		return 0, err
	case n.kind == v86fs.ModeDir:
		return 0, v86fs.EISDIR
	case n.kind != v86fs.ModeRegular:
		return 0, v86fs.EACCES
	case off > 1<<63-1:
		return 0, nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.stream == nil {
		if n.stream, err = f.open(n); err != nil {
			return 0, err
		}
		defer func() {
			n.stream.close()
			n.stream = nil
		}()
	}
	done := 0
	for _, b := range buffers {
		k, err := f.readAt(n, b, int64(off)+int64(done))
		done += k
		if err != nil || k < len(b) {
			return done, err
		}
	}
	return done, nil
}

// readAt fills b from off on, and returns how much there was.
func (f *FS) readAt(n *node, b []byte, off int64) (int, error) {
	if r, ok := n.stream.file.(io.ReaderAt); ok {
		k, err := r.ReadAt(b, off)
		return k, n.stream.unlessBeyond(off, err)
	}
	if err := f.seek(n, off); err != nil {
		return 0, n.stream.unlessBeyond(off, err)
	}
	k, err := io.ReadFull(n.stream.file, b)
	n.stream.at += int64(k)
	return k, unlessEnd(err)
}

// seek has the stream stand at off: it goes on to there, from the beginning if it
// has passed it.
func (f *FS) seek(n *node, off int64) error {
	if off == n.stream.at {
		return nil
	}
	if s, ok := n.stream.file.(io.Seeker); ok {
		at, err := s.Seek(off, io.SeekStart)
		n.stream.at = at
		return err
	}
	if off < n.stream.at {
		anew, err := f.open(n)
		if err != nil {
			return err
		}
		n.stream.close()
		n.stream = anew
	}
	k, err := io.CopyN(io.Discard, n.stream.file, off-n.stream.at)
	n.stream.at += k
	return err
}

// unlessEnd is an error, but for the end of a file.
func unlessEnd(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return nil
	}
	return fault(err)
}

// unlessBeyond is an error, but for what some file systems say of an offset beyond
// the end of a file.
func (s *stream) unlessBeyond(off int64, err error) error {
	if errors.Is(err, fs.ErrInvalid) {
		if info, failed := s.file.Stat(); failed == nil && off >= info.Size() {
			return nil
		}
	}
	return unlessEnd(err)
}
