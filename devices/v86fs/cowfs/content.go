package cowfs

import (
	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/devices/v86fs/acl"
)

// Open implements v86fs.Backend.
func (f *FS) Open(number v86fs.Node, writable bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.node(number)
	switch {
	case err != nil:
		return err
	case n.isDir() && writable:
		return v86fs.EISDIR
	case !n.isDir() && n.kind != v86fs.ModeRegular:
		return v86fs.EACCES
	}
	if n.opens == 0 {
		switch {
		case n.data != 0:
			err = f.data.Open(n.data, true)
		case n.base != 0:
			err = f.base.Open(n.base, false)
		}
		if err != nil {
			return err
		}
	}
	n.opens++
	return nil
}

// Close implements v86fs.Backend.
func (f *FS) Close(number v86fs.Node) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, ok := f.nodes[number]
	if !ok || n.opens == 0 {
		return
	}
	if n.opens--; n.opens > 0 {
		return
	}
	switch {
	case n.data != 0:
		f.data.Close(n.data)
	case n.base != 0:
		f.base.Close(n.base)
	}
	if n.nameless {
		s := f.step()
		s.bury(n) // it is in no journal: what is to be written down is nothing
		return
	}
	f.settle(n)
}

// where is where the content of a node is.
func (f *FS) where(number v86fs.Node) (v86fs.Backend, v86fs.Node, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.node(number)
	switch {
	case err != nil:
		return nil, 0, err
	case n.isDir():
		return nil, 0, v86fs.EISDIR
	case n.kind != v86fs.ModeRegular:
		return nil, 0, v86fs.EINVAL
	case n.data != 0:
		return f.data, n.data, nil
	case n.saved != nil && n.saved.content:
		return nil, 0, v86fs.EIO
	}
	return f.base, n.base, nil
}

// Read implements v86fs.Backend.
func (f *FS) Read(number v86fs.Node, buffers [][]byte, off uint64) (int, error) {
	b, n, err := f.where(number)
	if err != nil {
		return 0, err
	}
	return b.Read(n, buffers, off)
}

// Seek implements v86fs.Backend.
func (f *FS) Seek(number v86fs.Node, off uint64, whence uint32) (uint64, error) {
	b, n, err := f.where(number)
	if err != nil {
		return 0, err
	}
	return b.Seek(n, off, whence)
}

// altered is copyUp for a change of content, which takes privileges away if flags
// say so.
func (f *FS) altered(number v86fs.Node, flags uint32) (v86fs.Node, error) {
	n, err := f.copyUp(number, 1<<63-1)
	if err != nil {
		return 0, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n.version++
	if flags&v86fs.WriteKillPriv != 0 {
		err = f.change(n, v86fs.Change{Valid: v86fs.KillSUID | v86fs.KillSGID | v86fs.KillPriv})
	}
	return n.data, err
}

// Write implements v86fs.Backend.
func (f *FS) Write(number v86fs.Node, buffers [][]byte, off uint64, flags uint32) (uint64, int, error) {
	n, err := f.altered(number, flags)
	if err != nil {
		return 0, 0, err
	}
	return f.data.Write(n, buffers, off, flags&^v86fs.WriteKillPriv)
}

// Fallocate implements v86fs.Backend.
func (f *FS) Fallocate(number v86fs.Node, mode, flags uint32, off, length uint64) error {
	n, err := f.altered(number, flags)
	if err != nil {
		return err
	}
	return f.data.Fallocate(n, mode, flags&^v86fs.WriteKillPriv, off, length)
}

// CopyRange implements v86fs.Backend. From the base it copies by itself, a piece.
func (f *FS) CopyRange(from v86fs.Node, off uint64, to v86fs.Node, toOff, length uint64, flags uint32) (uint64, error) {
	b, source, err := f.where(from)
	if err != nil {
		return 0, err
	}
	n, err := f.altered(to, flags)
	if err != nil {
		return 0, err
	}
	if from == to {
		b, source = f.data, n
	}
	if b == f.data {
		return f.data.CopyRange(source, off, n, toOff, length, flags&^v86fs.WriteKillPriv)
	}
	if flags&v86fs.CopyClone != 0 {
		return 0, v86fs.EOPNOTSUPP
	}
	buf := make([]byte, min(length, copyStep))
	k, err := b.Read(source, [][]byte{buf}, off)
	if err != nil || k == 0 {
		return 0, err
	}
	_, done, err := f.data.Write(n, [][]byte{buf[:k]}, toOff, 0)
	return uint64(done), err
}

// Fsync implements v86fs.Backend: content first, then what leads to it.
func (f *FS) Fsync(number v86fs.Node, dataOnly bool) error {
	f.mu.Lock()
	n, err := f.node(number)
	var data v86fs.Node
	if err == nil {
		data = n.data
	}
	f.mu.Unlock()
	if err == nil && data != 0 {
		err = f.data.Fsync(data, dataOnly)
	}
	if err == nil {
		err = f.journal.sync()
	}
	return err
}

// Sync implements v86fs.Backend.
func (f *FS) Sync() error {
	if err := f.data.Sync(); err != nil {
		return err
	}
	return f.journal.sync()
}

// Setattr implements v86fs.Backend.
func (f *FS) Setattr(number v86fs.Node, c v86fs.Change) (v86fs.Attr, error) {
	if c.Valid&v86fs.SetSize != 0 {
		if c.Size > 1<<63-1 {
			return v86fs.Attr{}, v86fs.EFBIG
		}
		n, err := f.copyUp(number, c.Size)
		if err == nil {
			_, err = f.data.Setattr(n.data, v86fs.Change{Valid: v86fs.SetSize, Size: c.Size})
		}
		if err != nil {
			return v86fs.Attr{}, err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.node(number)
	if err != nil {
		return v86fs.Attr{}, err
	}
	n.version++
	if c.Valid&^(v86fs.SetSize|v86fs.SetCtime) != 0 {
		if err := f.change(n, c); err != nil {
			return v86fs.Attr{}, err
		}
	}
	return f.attr(n)
}

// change changes owner, permissions and times.
func (f *FS) change(n *node, c v86fs.Change) error {
	s := f.step()
	if err := s.own(n); err != nil {
		return err
	}
	r := n.saved
	if c.Valid&v86fs.SetUID != 0 {
		r.uid = c.UID
		r.touched |= touchedOwner
	}
	if c.Valid&v86fs.SetGID != 0 {
		r.gid = c.GID
		r.touched |= touchedOwner
	}
	if err := f.permit(n, c); err != nil {
		return err
	}
	if c.Valid&v86fs.KillPriv != 0 {
		if _, err := f.xattr(n, "security.capability"); err == nil {
			if err := f.takeXattrs(n); err != nil {
				return err
			}
			delete(r.xattrs, "security.capability")
		}
	}
	r.ctime = f.time()
	if err := f.setTimes(n, c); err != nil {
		return err
	}
	return s.end()
}

// permit changes the permissions, and the list that says the same.
func (f *FS) permit(n *node, c v86fs.Change) error {
	r := n.saved
	old := r.mode
	if c.Valid&v86fs.SetMode != 0 {
		if n.kind == v86fs.ModeSymlink {
			return v86fs.EOPNOTSUPP
		}
		r.mode = n.kind | c.Mode&0o7777
	}
	if c.Valid&v86fs.KillSUID != 0 {
		r.mode &^= 0o4000
	}
	if c.Valid&v86fs.KillSGID != 0 && r.mode&0o010 != 0 {
		r.mode &^= 0o2000
	}
	if r.mode == old {
		return nil
	}
	r.touched |= touchedMode
	list, err := f.xattr(n, acl.Access)
	if err != nil {
		return nil // it has none
	}
	if err := f.takeXattrs(n); err != nil {
		return err
	}
	r.xattrs[acl.Access] = acl.Chmod(list, r.mode)
	return nil
}

func (f *FS) setTimes(n *node, c v86fs.Change) error {
	const when = v86fs.SetAtime | v86fs.SetMtime
	if c.Valid&when == 0 {
		return nil
	}
	r := n.saved
	r.touched |= touchedTimes
	if n.data != 0 {
		_, err := f.data.Setattr(n.data, v86fs.Change{Valid: c.Valid & (when | v86fs.SetAtimeTo | v86fs.SetMtimeTo), Atime: c.Atime, Mtime: c.Mtime})
		return err
	}
	set := func(t *v86fs.Time, on, to uint32, given v86fs.Time) {
		switch {
		case c.Valid&on == 0:
		case c.Valid&to != 0:
			*t = given
		default:
			*t = f.time()
		}
	}
	set(&r.atime, v86fs.SetAtime, v86fs.SetAtimeTo, c.Atime)
	set(&r.mtime, v86fs.SetMtime, v86fs.SetMtimeTo, c.Mtime)
	return nil
}
