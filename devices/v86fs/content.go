package v86fs

import "github.com/gov86/gov86/devices/v86fs/wire"

// maxOffset is the largest offset of a file.
const maxOffset = 1<<63 - 1

// attributes is the response with a node's attributes.
func (c *call) attributes(a *Attr) func() (wire.Message, error) {
	n := c.node
	return func() (wire.Message, error) {
		w := c.s.block(n, a, nil)
		return &w, nil
	}
}

// planGetattr is GETATTR2.
func (s *session) planGetattr(c *call) (plan, error) {
	var m wire.HandleRequest
	if err := c.decode(&m); err != nil {
		return plan{}, err
	}
	if _, err := c.handle(m.Handle, c.node); err != nil {
		return plan{}, err
	}
	n := c.node.node
	var a Attr
	return plan{
		work:   func() (err error) { a, err = c.x.Backend.Getattr(n); return err },
		finish: c.attributes(&a),
	}, nil
}

// planSetattr is SETATTR2.
func (s *session) planSetattr(c *call) (plan, error) {
	var m wire.Setattr2Request
	if err := c.decode(&m); err != nil {
		return plan{}, err
	}
	check := c.handle
	if m.Valid&SetSize != 0 {
		check = func(id uint64, n *node) (*opened, error) { return nil, c.writer(id, n) }
	}
	if _, err := check(m.Handle, c.node); err != nil {
		return plan{}, err
	}
	if m.Valid&SetSize != 0 && m.Size > maxOffset {
		return plan{}, EFBIG
	}
	if m.Atime.Nsec >= 1e9 || m.Mtime.Nsec >= 1e9 || m.Ctime.Nsec >= 1e9 {
		return plan{}, EINVAL
	}
	n := c.node.node
	change := Change{Valid: m.Valid & setAll, Mode: m.Mode & 0o7777, UID: m.UID, GID: m.GID, Size: m.Size,
		Atime: m.Atime, Mtime: m.Mtime, Ctime: m.Ctime}
	var a Attr
	return plan{
		work: func() (err error) { a, err = c.x.Backend.Setattr(n, change); return err },
		finish: func() (wire.Message, error) {
			what, events := uint32(InvalAttr), uint32(EventAttrib)
			if m.Valid&SetSize != 0 {
				what, events = what|InvalData|InvalSure, events|EventModify
			}
			s.others(c.mount).Changed(n, what, events, 0, 0)
			return c.attributes(&a)()
		},
	}, nil
}

// planRelease is RELEASE.
func (s *session) planRelease(c *call) (plan, error) {
	var m wire.HandleRequest
	if err := c.decode(&m); err != nil {
		return plan{}, err
	}
	h, err := c.handle(m.Handle, c.node)
	if err == nil && h == nil {
		err = EBADF
	}
	if err != nil {
		return plan{}, err
	}
	n := c.node.node
	s.release(h)
	return plan{work: func() error { c.x.Backend.Close(n); return nil }, finish: nothing}, nil
}

// planRead is READ2: the host reads into the guest's memory.
func (s *session) planRead(c *call) (plan, error) {
	var m wire.Read2Request
	if err := c.decode(&m); err != nil {
		return plan{}, err
	}
	if _, err := c.handle(m.Handle, c.node); err != nil {
		return plan{}, err
	}
	if m.Size > wire.MaxData || int(m.Size) > c.room() {
		return plan{}, EINVAL
	}
	to, err := c.chain.Writables(wire.ReplySize, int(m.Size))
	if err != nil {
		return plan{}, EFAULT
	}
	n := c.node.node
	return plan{
		work: func() (err error) {
			if m.Offset <= maxOffset {
				c.direct, err = c.x.Backend.Read(n, to, m.Offset)
			}
			return err
		},
		finish: func() (wire.Message, error) {
			// The guest may have executed what was there in the meantime.
			if _, err := c.chain.Writables(wire.ReplySize, c.direct); err != nil {
				return nil, EFAULT
			}
			return nil, nil
		},
	}, nil
}

// planWrite is WRITE2: the host writes out of the guest's memory.
func (s *session) planWrite(c *call) (plan, error) {
	var m wire.Write2Request
	if err := c.decode(&m); err != nil {
		return plan{}, err
	}
	if err := c.writer(m.Handle, c.node); err != nil {
		return plan{}, err
	}
	if m.Size > wire.MaxData || c.chain.Readable()-len(c.buf) < int(m.Size) {
		return plan{}, EINVAL
	}
	if m.Flags&WriteAppend == 0 && (m.Offset > maxOffset || m.Offset+uint64(m.Size) > maxOffset) {
		return plan{}, EFBIG
	}
	from, err := c.chain.Readables(len(c.buf), int(m.Size))
	if err != nil {
		return plan{}, EFAULT
	}
	n := c.node.node
	var a Attr
	out := &wire.Write2Response{}
	return plan{
		work: func() error {
			at, done, err := c.x.Backend.Write(n, from, m.Offset, m.Flags)
			out.Offset, out.Written = at, uint32(done)
			if err == nil {
				a, err = c.x.Backend.Getattr(n)
			}
			return err
		},
		finish: func() (wire.Message, error) {
			if out.Written > 0 {
				s.others(c.mount).Changed(n, InvalAttr|InvalData|InvalSure, EventModify, out.Offset, uint64(out.Written))
			}
			out.Attr = s.block(c.node, &a, nil)
			return out, nil
		},
	}, nil
}

// planFsync is FSYNC2.
func (s *session) planFsync(c *call) (plan, error) {
	var m wire.Fsync2Request
	if err := c.decode(&m); err != nil {
		return plan{}, err
	}
	if _, err := c.handle(m.Handle, c.node); err != nil {
		return plan{}, err
	}
	n := c.node.node
	return plan{
		work:   func() error { return c.x.Backend.Fsync(n, m.Flags&wire.FsyncData != 0) },
		finish: nothing,
	}, nil
}

// planFallocate is FALLOCATE.
func (s *session) planFallocate(c *call) (plan, error) {
	var m wire.FallocateRequest
	if err := c.decode(&m); err != nil {
		return plan{}, err
	}
	if err := c.writer(m.Handle, c.node); err != nil {
		return plan{}, err
	}
	switch {
	case m.Length == 0, m.Mode&FallocPunch != 0 && m.Mode&FallocKeepSize == 0:
		return plan{}, EINVAL
	case m.Offset > maxOffset, m.Length > maxOffset, m.Offset+m.Length > maxOffset:
		return plan{}, EFBIG
	}
	n := c.node.node
	var a Attr
	return plan{
		work: func() error {
			err := c.x.Backend.Fallocate(n, m.Mode, m.Flags, m.Offset, m.Length)
			if err == nil {
				a, err = c.x.Backend.Getattr(n)
			}
			return err
		},
		finish: func() (wire.Message, error) {
			s.others(c.mount).Changed(n, InvalAttr|InvalData|InvalSure, EventModify, m.Offset, 0)
			return c.attributes(&a)()
		},
	}, nil
}

// planSeek is SEEK.
func (s *session) planSeek(c *call) (plan, error) {
	var m wire.SeekRequest
	if err := c.decode(&m); err != nil {
		return plan{}, err
	}
	if _, err := c.handle(m.Handle, c.node); err != nil {
		return plan{}, err
	}
	if m.Whence != SeekData && m.Whence != SeekHole {
		return plan{}, EINVAL
	}
	n := c.node.node
	out := &wire.SeekResponse{}
	return plan{
		work: func() (err error) {
			if out.Offset, err = c.x.Backend.Seek(n, m.Offset, m.Whence); errnoOf(err) == EOPNOTSUPP {
				out.Offset, err = solid(c.x.Backend, n, m.Offset, m.Whence)
			}
			return err
		},
		finish: func() (wire.Message, error) { return out, nil },
	}, nil
}

// solid is SEEK in a file without holes.
func solid(b Backend, n Node, off uint64, whence uint32) (uint64, error) {
	a, err := b.Getattr(n)
	switch {
	case err != nil:
		return 0, err
	case off >= a.Size:
		return 0, ENXIO
	case whence == SeekHole:
		return a.Size, nil
	}
	return off, nil
}

// planCopyRange is COPY_RANGE.
func (s *session) planCopyRange(c *call) (plan, error) {
	var m wire.CopyRangeRequest
	if err := c.decode(&m); err != nil {
		return plan{}, err
	}
	to := c.mount.nodes[m.ToNode]
	if to == nil {
		return plan{}, ESTALE
	}
	if _, err := c.handle(m.Handle, c.node); err != nil {
		return plan{}, err
	}
	if err := c.writer(m.ToHandle, to); err != nil {
		return plan{}, err
	}
	const most = 1 << 62
	switch {
	case m.Offset > most, m.ToOffset > most, m.Length > most:
		return plan{}, EFBIG
	case to == c.node && m.Offset < m.ToOffset+m.Length && m.ToOffset < m.Offset+m.Length:
		return plan{}, EINVAL
	}
	from, into := c.node.node, to.node
	out := &wire.CopyRangeResponse{}
	var a Attr
	return plan{
		work: func() (err error) {
			out.Copied, err = c.x.Backend.CopyRange(from, m.Offset, into, m.ToOffset, m.Length, m.Flags)
			if err == nil {
				a, err = c.x.Backend.Getattr(into)
			}
			return err
		},
		finish: func() (wire.Message, error) {
			if out.Copied > 0 {
				s.others(c.mount).Changed(into, InvalAttr|InvalData|InvalSure, EventModify, m.ToOffset, out.Copied)
			}
			out.Attr = s.block(to, &a, nil)
			return out, nil
		},
	}, nil
}
