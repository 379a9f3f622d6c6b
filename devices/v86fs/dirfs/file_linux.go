package dirfs

import (
	"golang.org/x/sys/unix"

	"github.com/gov86/gov86/devices/v86fs"
)

// An openFile is the host's descriptor of a file, shared by all opens.
type openFile struct {
	fd       int
	writable bool
	opens    int
}

func (o *openFile) close() { unix.Close(o.fd) }

// openNode opens a regular file by its name, and checks that it is still the
// same file. O_NONBLOCK keeps a FIFO put in its place from blocking us.
func (f *FS) openNode(n *node, writable bool) (*openFile, error) {
	if n.mode&unix.S_IFMT == unix.S_IFDIR {
		return nil, v86fs.EISDIR
	}
	if n.mode&unix.S_IFMT != unix.S_IFREG {
		return nil, v86fs.EACCES
	}
	dir, err := f.directory(n.parent)
	if err != nil {
		return nil, err
	}
	const flags = unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_NOCTTY | unix.O_CLOEXEC
	o := &openFile{writable: true}
	o.fd, err = unix.Openat(dir, n.name, unix.O_RDWR|flags, 0)
	if !writable && (err == unix.EACCES || err == unix.EROFS || err == unix.ETXTBSY || err == unix.EPERM) {
		// The guest checked its rights to write already: reading may still do.
		o.writable = false
		o.fd, err = unix.Openat(dir, n.name, unix.O_RDONLY|flags, 0)
	}
	if err != nil {
		if err == unix.ENOENT || err == unix.ELOOP || err == unix.ENXIO {
			return nil, v86fs.ESTALE
		}
		return nil, fault(err)
	}
	var st unix.Statx_t
	if err := unix.Statx(o.fd, "", unix.AT_EMPTY_PATH, statMask, &st); err != nil {
		o.close()
		return nil, fault(err)
	}
	if identityOf(&st) != n.id {
		o.close()
		return nil, v86fs.ESTALE
	}
	return o, nil
}

// Open implements v86fs.Backend.
func (f *FS) Open(number v86fs.Node, writable bool) error {
	n, err := f.node(number)
	if err != nil {
		return err
	}
	if n.mode&unix.S_IFMT == unix.S_IFDIR && !writable {
		return nil // a directory is reached by its descriptor, open or not
	}
	if n.file == nil || writable && !n.file.writable {
		o, err := f.openNode(n, writable)
		if err != nil {
			return err
		}
		if n.file != nil {
			o.opens = n.file.opens
			n.file.close()
		}
		n.file = o
	}
	n.file.opens++
	return nil
}

// Close implements v86fs.Backend.
func (f *FS) Close(number v86fs.Node) {
	n, ok := f.nodes[number]
	if !ok || n.file == nil {
		return
	}
	if n.file.opens--; n.file.opens > 0 {
		return
	}
	n.file.close()
	n.file = nil
	if f.known[n.id] != n {
		f.forget(n) // it was unlinked
	}
}

// with runs op on a descriptor of the file, opened for the purpose if the guest
// has it not open.
func (f *FS) with(number v86fs.Node, writable bool, op func(fd int) error) error {
	n, err := f.node(number)
	if err != nil {
		return err
	}
	if o := n.file; o != nil && (o.writable || !writable) {
		return op(o.fd)
	}
	o, err := f.openNode(n, writable)
	if err != nil {
		return err
	}
	defer o.close()
	return op(o.fd)
}

// Read implements v86fs.Backend.
func (f *FS) Read(number v86fs.Node, p [][]byte, off uint64) (int, error) {
	done := 0
	if off > 1<<63-1 {
		return 0, nil
	}
	err := f.with(number, false, func(fd int) error {
		for _, b := range p {
			for len(b) > 0 {
				k, err := unix.Pread(fd, b, int64(off)+int64(done))
				if err == unix.EINTR {
					continue
				}
				if err != nil || k == 0 {
					return fault(err)
				}
				done += k
				b = b[k:]
			}
		}
		return nil
	})
	return done, err
}

// Write implements v86fs.Backend.
func (f *FS) Write(number v86fs.Node, p [][]byte, off uint64, flags uint32) (uint64, int, error) {
	done, size := 0, uint64(0)
	for _, b := range p {
		size += uint64(len(b))
	}
	if flags != 0 {
		return 0, 0, v86fs.EOPNOTSUPP
	}
	if off > 1<<63-1-size {
		return 0, 0, v86fs.EFBIG
	}
	err := f.with(number, true, func(fd int) error {
		for _, b := range p {
			for len(b) > 0 {
				k, err := unix.Pwrite(fd, b, int64(off)+int64(done))
				if err == unix.EINTR {
					continue
				}
				if err != nil {
					return fault(err)
				}
				done += k
				b = b[k:]
			}
		}
		return f.wrote(number, fd)
	})
	if done > 0 && err != nil {
		err = nil // what was written counts; the next write tells of the error
	}
	return off, done, err
}

// wrote notes what the guest's own change left of a file.
func (f *FS) wrote(number v86fs.Node, fd int) error {
	n := f.nodes[number]
	if f.watch == nil || n == nil {
		return nil
	}
	var st unix.Statx_t
	if unix.Statx(fd, "", unix.AT_EMPTY_PATH, statMask, &st) == nil {
		n.seen = stampOf(&st)
	}
	return nil
}

// chmod changes the permissions of a node.
func (f *FS) chmod(n *node, mode uint32) error {
	if n.file != nil {
		return fault(unix.Fchmod(n.file.fd, mode&0o7777))
	}
	if n.parent == nil {
		return v86fs.EPERM // the shared directory itself belongs to the host
	}
	dir, err := f.directory(n.parent)
	if err != nil {
		return err
	}
	// There is no fchmodat that does not follow links on older kernels: hold the
	// file by a descriptor of its own and go through it.
	fd, err := unix.Openat(dir, n.name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
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
	if uint32(st.Mode)&unix.S_IFMT == unix.S_IFLNK {
		return v86fs.EOPNOTSUPP
	}
	return fault(unix.Fchmodat(unix.AT_FDCWD, descriptorPath(fd), mode&0o7777, 0))
}

// setSupported are the changes that setattr carries out.
const setSupported = v86fs.SetMode | v86fs.SetSize | v86fs.SetAtime | v86fs.SetMtime | v86fs.KillSUID | v86fs.KillSGID | v86fs.SetCtime

// Setattr implements v86fs.Backend.
func (f *FS) Setattr(number v86fs.Node, c v86fs.Change) (v86fs.Attr, error) {
	if c.Valid&^setSupported != 0 {
		return v86fs.Attr{}, v86fs.EOPNOTSUPP
	}
	if err := f.setattr(number, c); err != nil {
		return v86fs.Attr{}, err
	}
	return f.Getattr(number)
}

func (f *FS) setattr(number v86fs.Node, c v86fs.Change) error {
	n, err := f.node(number)
	if err != nil {
		return err
	}
	if c.Valid&v86fs.SetSize != 0 {
		err := f.with(number, true, func(fd int) error {
			if err := unix.Ftruncate(fd, int64(c.Size)); err != nil {
				return fault(err)
			}
			return f.wrote(number, fd)
		})
		if err != nil {
			return err
		}
	}
	if c.Valid&(v86fs.SetMode|v86fs.KillSUID|v86fs.KillSGID) != 0 {
		var st unix.Statx_t
		if err := f.stat(n, &st); err != nil {
			return err
		}
		mode := uint32(st.Mode) & 0o7777
		if c.Valid&v86fs.SetMode != 0 {
			mode = c.Mode
		}
		if c.Valid&v86fs.KillSUID != 0 {
			mode &^= 0o4000
		}
		if c.Valid&v86fs.KillSGID != 0 && mode&0o010 != 0 {
			mode &^= 0o2000
		}
		if mode != uint32(st.Mode)&0o7777 {
			if err := f.chmod(n, mode); err != nil {
				return err
			}
		}
	}
	if c.Valid&(v86fs.SetMtime|v86fs.SetAtime) != 0 && c.Valid&v86fs.SetSize == 0 {
		return f.touch(n, c.Valid)
	}
	return nil
}

// touch sets times to now.
func (f *FS) touch(n *node, valid uint32) error {
	times := []unix.Timespec{{Nsec: unix.UTIME_OMIT}, {Nsec: unix.UTIME_OMIT}}
	if valid&v86fs.SetAtime != 0 {
		times[0].Nsec = unix.UTIME_NOW
	}
	if valid&v86fs.SetMtime != 0 {
		times[1].Nsec = unix.UTIME_NOW
	}
	if n.parent == nil {
		return fault(unix.UtimesNanoAt(unix.AT_FDCWD, descriptorPath(n.dirfd), times, 0))
	}
	var st unix.Statx_t
	if err := f.stat(n, &st); err != nil {
		return err
	}
	if n.file != nil {
		return fault(unix.UtimesNanoAt(unix.AT_FDCWD, descriptorPath(n.file.fd), times, 0))
	}
	dir, err := f.directory(n.parent)
	if err != nil {
		return err
	}
	return fault(unix.UtimesNanoAt(dir, n.name, times, unix.AT_SYMLINK_NOFOLLOW))
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

// Fsync implements v86fs.Backend.
func (f *FS) Fsync(number v86fs.Node, _ bool) error {
	n, err := f.node(number)
	if err != nil {
		return err
	}
	if n.mode&unix.S_IFMT == unix.S_IFDIR {
		dir, err := f.directory(n)
		if err != nil {
			return err
		}
		fd, err := unix.Openat(dir, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return fault(err)
		}
		defer unix.Close(fd)
		return fault(unix.Fsync(fd))
	}
	return f.with(number, false, func(fd int) error { return fault(unix.Fsync(fd)) })
}
