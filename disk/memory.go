package disk

// memory is an image in memory.
type memory struct {
	p        []byte
	readOnly bool
}

// Memory returns an image that is p.
func Memory(p []byte, readOnly bool) Image { return &memory{p, readOnly} }

// Size implements Image.
func (m *memory) Size() int64 { return int64(len(m.p)) }

// ReadOnly implements Image.
func (m *memory) ReadOnly() bool { return m.readOnly }

// ReadAt implements Image.
func (m *memory) ReadAt(p []byte, off int64) (int, error) { return copy(p, m.p[off:]), nil }

// WriteAt implements Image.
func (m *memory) WriteAt(p []byte, off int64) (int, error) {
	if m.readOnly {
		return 0, errReadOnly
	}
	return copy(m.p[off:], p), nil
}

// Zero implements Image.
func (m *memory) Zero(off, n int64) error {
	if m.readOnly {
		return errReadOnly
	}
	clear(m.p[off : off+n])
	return nil
}

// Flush implements Image.
func (m *memory) Flush() error { return nil }

// Close implements Image.
func (m *memory) Close() error { return nil }
