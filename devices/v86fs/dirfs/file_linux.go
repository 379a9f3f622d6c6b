package dirfs

import (
	"golang.org/x/sys/unix"

	"github.com/gov86/gov86/devices/v86fs"
)

// An openFile is the host's descriptor of a file, shared by all opens. It is
// closed when nobody has it open and nobody uses it.
type openFile struct {
	fd       int
	writable bool
	opens    int
	users    int
	dropped  bool
	node     *node
}

// drop closes the descriptor as soon as it is not used; mu is held.
func (o *openFile) drop() {
	o.dropped = true
	o.close()
}

// close closes a descriptor that is dropped and not used.
func (o *openFile) close() {
	if !o.dropped || o.users > 0 {
		return
	}
	if n := o.node; n != nil && o.writable && n.parent != nil && n.name != "" {
		n.fs.expect(n.parent, n.name, unix.IN_CLOSE_WRITE)
	}
	unix.Close(o.fd)
	kept.Add(-1)
}

// openNode opens a regular file by its name, and checks that it is still the
// same file. O_NONBLOCK keeps a FIFO put in its place from blocking us.
func (f *FS) openNode(n *node, writable bool) (*openFile, error) {
	if n.mode&unix.S_IFMT == unix.S_IFDIR {
		return nil, v86fs.EISDIR
	}
	if n.mode&unix.S_IFMT != unix.S_IFREG || n.stands != 0 {
		return nil, v86fs.EACCES
	}
	if err := mayKeep(); err != nil {
		return nil, err
	}
	dir, err := f.directory(n.parent)
	if err != nil {
		return nil, err
	}
	const flags = unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_NOCTTY | unix.O_CLOEXEC
	o := &openFile{writable: !f.readOnly}
	if f.readOnly {
		err = unix.EROFS
	} else {
		o.fd, err = unix.Openat(dir, n.name, unix.O_RDWR|flags, 0)
	}
	if !writable && (err == unix.EACCES || err == unix.EROFS || err == unix.ETXTBSY || err == unix.EPERM) {
		// The guest checked its rights to write already: reading may still do.
		o.writable = false
		o.fd, err = f.openToRead(dir, n.name, flags)
	}
	if err != nil {
		if err == unix.ENOENT || err == unix.ELOOP || err == unix.ENXIO {
			return nil, v86fs.ESTALE
		}
		return nil, fault(err)
	}
	var st unix.Statx_t
	if err := unix.Statx(o.fd, "", unix.AT_EMPTY_PATH, statMask, &st); err != nil {
		unix.Close(o.fd)
		return nil, fault(err)
	}
	if identityOf(&st) != n.id {
		unix.Close(o.fd)
		return nil, v86fs.ESTALE
	}
	kept.Add(1)
	return o, nil
}

// openToRead opens a name to read. Only the owner of a file, and root, can have
// the time of access left alone.
func (f *FS) openToRead(dir int, name string, flags int) (fd int, err error) {
	if f.readOnly {
		if fd, err = unix.Openat(dir, name, unix.O_RDONLY|unix.O_NOATIME|flags, 0); err != unix.EPERM {
			return fd, err
		}
	}
	return unix.Openat(dir, name, unix.O_RDONLY|flags, 0)
}

// opened makes o the descriptor of n, for one open more.
func (f *FS) opened(n *node, o *openFile) {
	if n.file != nil && n.file != o {
		o.opens = n.file.opens
		n.file.drop()
	}
	n.file, o.node = o, n
	o.opens++
}

// Open implements v86fs.Backend.
func (f *FS) Open(number v86fs.Node, writable bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.node(number)
	if err != nil {
		return err
	}
	if n.mode&unix.S_IFMT == unix.S_IFDIR {
		if writable {
			return v86fs.EISDIR
		}
		if _, err := f.directory(n); err != nil {
			return err
		}
		n.opens++
		return nil
	}
	o := n.file
	if o == nil || writable && !o.writable {
		if o, err = f.openNode(n, writable); err != nil {
			return err
		}
	}
	f.opened(n, o)
	return nil
}

// Close implements v86fs.Backend.
func (f *FS) Close(number v86fs.Node) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, ok := f.nodes[number]
	if !ok {
		return
	}
	if n.file != nil {
		if n.file.opens--; n.file.opens > 0 {
			return
		}
		n.file.drop()
		n.file = nil
		f.unlock(n)
	} else if n.opens > 0 {
		n.opens--
	}
	if n.file == nil && n.opens == 0 && f.known[n.id] != n {
		f.forget(n) // it was unlinked
		return
	}
	f.settle(n)
}

// acquire returns a descriptor of the file, opened for the purpose if the guest
// has it not open. release gives it back.
func (f *FS) acquire(number v86fs.Node, writable bool) (*openFile, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.node(number)
	if err != nil {
		return nil, err
	}
	o := n.file
	if o == nil || writable && !o.writable {
		if o, err = f.openNode(n, writable); err != nil {
			return nil, err
		}
		o.node, o.dropped = n, true
	}
	o.users++
	return o, nil
}

func (f *FS) release(o *openFile) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o.users--
	o.close()
}

// with runs op on a descriptor of the file, without mu.
func (f *FS) with(number v86fs.Node, writable bool, op func(fd int) error) error {
	o, err := f.acquire(number, writable)
	if err != nil {
		return err
	}
	defer f.release(o)
	return fault(op(o.fd))
}

// altered is with for a change.
func (f *FS) altered(number v86fs.Node, op func(fd int) error) error {
	o, err := f.acquire(number, true)
	if err != nil {
		return err
	}
	defer f.release(o)
	n := o.node // the guest may have given it back meanwhile
	f.mu.Lock()
	f.begin(n)
	f.mu.Unlock()
	err = op(o.fd)
	f.mu.Lock()
	f.end(n)
	f.mu.Unlock()
	return fault(err)
}

// hold runs op on a descriptor that stands for a file of any type without
// opening it: all that names can do can be done by descriptorPath. mu is held.
func (f *FS) hold(n *node, op func(fd int) error) error {
	if n.file != nil {
		return fault(op(n.file.fd))
	}
	if n.mode&unix.S_IFMT == unix.S_IFDIR {
		dir, err := f.directory(n)
		if err != nil {
			return err
		}
		return fault(op(dir))
	}
	dir, err := f.directory(n.parent)
	if err != nil {
		return err
	}
	fd, err := unix.Openat(dir, n.name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err == unix.ENOENT {
		return v86fs.ESTALE
	}
	if err != nil {
		return fault(err)
	}
	defer unix.Close(fd)
	var st unix.Statx_t
	if err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, statMask, &st); err != nil {
		return fault(err)
	}
	if identityOf(&st) != n.id {
		return v86fs.ESTALE
	}
	return fault(op(fd))
}

// descriptorPath names what a descriptor of our own refers to.
func descriptorPath(fd int) string {
	const prefix = "/proc/self/fd/"
	var digits [20]byte
	i := len(digits)
	for {
		i--
		digits[i] = byte('0' + fd%10)
		if fd /= 10; fd == 0 {
			return prefix + string(digits[i:])
		}
	}
}

// Setattr implements v86fs.Backend.
func (f *FS) Setattr(number v86fs.Node, c v86fs.Change) (v86fs.Attr, error) {
	if c.Valid&v86fs.SetSize != 0 {
		if c.Size > 1<<63-1 {
			return v86fs.Attr{}, v86fs.EFBIG
		}
		err := f.altered(number, func(fd int) error { return unix.Ftruncate(fd, int64(c.Size)) })
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
	if c.Valid&^(v86fs.SetSize|v86fs.SetCtime) != 0 {
		if n == f.root && c.Valid&v86fs.SetMode != 0 && f.owners == OwnersSquash {
			return v86fs.Attr{}, v86fs.EPERM // the shared directory itself belongs to the host
		}
		f.begin(n)
		var err error
		if f.owners == OwnersMapped && n.mode&unix.S_IFMT == unix.S_IFLNK {
			err = f.chownLink(n, &c)
		}
		if err == nil {
			err = f.hold(n, func(fd int) error { return f.set(fd, &c) })
		}
		f.end(n)
		if err != nil {
			return v86fs.Attr{}, err
		}
	}
	return f.getattr(number)
}

// set changes owner, permissions and times, in that order: a change of the owner
// takes set-user-ID away.
func (f *FS) set(fd int, c *v86fs.Change) error {
	if f.owners == OwnersMapped {
		if err := f.setMapped(fd, c); err != nil {
			return err
		}
		return f.setRest(fd, c)
	}
	if c.Valid&(v86fs.SetUID|v86fs.SetGID) != 0 {
		if err := f.chown(fd, c.Valid, c.UID, c.GID); err != nil {
			return err
		}
	}
	if c.Valid&(v86fs.SetMode|v86fs.KillSUID|v86fs.KillSGID) != 0 {
		if err := chmod(fd, c); err != nil {
			return err
		}
	}
	return f.setRest(fd, c)
}

// setRest takes capabilities away, and sets times.
func (f *FS) setRest(fd int, c *v86fs.Change) error {
	if c.Valid&v86fs.KillPriv != 0 {
		unix.Removexattr(descriptorPath(fd), f.hostName("security.capability"))
	}
	if c.Valid&(v86fs.SetAtime|v86fs.SetMtime) == 0 {
		return nil
	}
	times := []unix.Timespec{
		timespec(c.Valid, v86fs.SetAtime, v86fs.SetAtimeTo, c.Atime),
		timespec(c.Valid, v86fs.SetMtime, v86fs.SetMtimeTo, c.Mtime),
	}
	return unix.UtimesNanoAt(unix.AT_FDCWD, descriptorPath(fd), times, 0)
}

func timespec(valid, set, to uint32, t v86fs.Time) unix.Timespec {
	switch {
	case valid&set == 0:
		return unix.Timespec{Nsec: unix.UTIME_OMIT}
	case valid&to == 0:
		return unix.Timespec{Nsec: unix.UTIME_NOW}
	}
	return unix.Timespec{Sec: t.Sec, Nsec: int64(t.Nsec)}
}

func chmod(fd int, c *v86fs.Change) error {
	var st unix.Statx_t
	if err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, statMask, &st); err != nil {
		return err
	}
	if uint32(st.Mode)&unix.S_IFMT == unix.S_IFLNK {
		if c.Valid&v86fs.SetMode != 0 {
			return unix.EOPNOTSUPP
		}
		return nil
	}
	mode := uint32(st.Mode) & 0o7777
	if c.Valid&v86fs.SetMode != 0 {
		mode = c.Mode & 0o7777
	}
	if c.Valid&v86fs.KillSUID != 0 {
		mode &^= 0o4000
	}
	if c.Valid&v86fs.KillSGID != 0 && mode&0o010 != 0 {
		mode &^= 0o2000
	}
	if mode == uint32(st.Mode)&0o7777 && c.Valid&v86fs.SetMode == 0 {
		return nil
	}
	return unix.Fchmodat(unix.AT_FDCWD, descriptorPath(fd), mode, 0)
}
