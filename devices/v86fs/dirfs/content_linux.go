package dirfs

import (
	"golang.org/x/sys/unix"

	"github.com/gov86/gov86/devices/v86fs"
)

// iovLimit is how many buffers one call of the host takes.
const iovLimit = 1024

// Read implements v86fs.Backend.
func (f *FS) Read(number v86fs.Node, p [][]byte, off uint64) (int, error) {
	done := 0
	if off > 1<<63-1 {
		return 0, nil
	}
	err := f.with(number, false, func(fd int) error {
		for p = trim(p, 0); len(p) > 0; {
			k, err := unix.Preadv(fd, p[:min(len(p), iovLimit)], int64(off)+int64(done))
			if err == unix.EINTR {
				continue
			}
			if err != nil || k == 0 {
				return err
			}
			done += k
			p = trim(p, k)
		}
		return nil
	})
	return done, err
}

// trim leaves out the first n bytes, and what is empty then.
func trim(p [][]byte, n int) [][]byte {
	for len(p) > 0 && n >= len(p[0]) {
		n -= len(p[0])
		p = p[1:]
	}
	if n > 0 {
		p = append([][]byte{p[0][n:]}, p[1:]...)
	}
	return p
}

// Write implements v86fs.Backend.
func (f *FS) Write(number v86fs.Node, p [][]byte, off uint64, flags uint32) (uint64, int, error) {
	size := uint64(0)
	for _, b := range p {
		size += uint64(len(b))
	}
	if flags&v86fs.WriteAppend == 0 && off > 1<<63-1-size {
		return 0, 0, v86fs.EFBIG
	}
	how := 0
	if flags&v86fs.WriteSync != 0 {
		how |= unix.RWF_SYNC
	} else if flags&v86fs.WriteDsync != 0 {
		how |= unix.RWF_DSYNC
	}
	done := 0
	err := f.altered(number, func(fd int) error {
		if flags&v86fs.WriteKillPriv != 0 {
			if err := f.unprivileged(fd); err != nil {
				return err
			}
		}
		if flags&v86fs.WriteAppend != 0 {
			f.appending.Lock()
			defer f.appending.Unlock()
		}
		for p = trim(p, 0); len(p) > 0; {
			at, k, err := writeSome(fd, p[:min(len(p), iovLimit)], int64(off)+int64(done), how, flags&v86fs.WriteAppend != 0)
			if err == unix.EINTR {
				continue
			}
			if err != nil {
				return err
			}
			if done == 0 {
				off = uint64(at)
			}
			done += k
			p = trim(p, k)
		}
		return nil
	})
	if done > 0 {
		err = nil // what was written counts; the next write tells of the error
	}
	return off, done, err
}

// writeSome writes at an offset, or at the end of the file, which the
// descriptor's own position tells afterwards.
func writeSome(fd int, p [][]byte, off int64, how int, atEnd bool) (at int64, n int, err error) {
	if !atEnd {
		n, err = unix.Pwritev2(fd, p, off, how)
		return off, n, err
	}
	n, err = unix.Pwritev2(fd, p, -1, how|unix.RWF_APPEND)
	if err != nil {
		return 0, 0, err
	}
	end, err := unix.Seek(fd, 0, unix.SEEK_CUR)
	return end - int64(n), n, err
}

// unprivileged takes from a file what a write by somebody else takes away.
func (f *FS) unprivileged(fd int) error {
	unix.Fremovexattr(fd, f.hostName("security.capability"))
	c := v86fs.Change{Valid: v86fs.KillSUID | v86fs.KillSGID}
	if f.owners == OwnersMapped {
		return f.setMapped(fd, &c)
	}
	return chmod(fd, &c)
}

// Fsync implements v86fs.Backend.
func (f *FS) Fsync(number v86fs.Node, dataOnly bool) error {
	f.mu.Lock()
	n, err := f.node(number)
	dir := -1
	if err == nil && n.mode&unix.S_IFMT == unix.S_IFDIR {
		if dir, err = f.directory(n); err == nil {
			dir, err = unix.Openat(dir, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		}
	}
	f.mu.Unlock()
	switch {
	case err != nil:
		return fault(err)
	case dir >= 0:
		defer unix.Close(dir)
		return fault(unix.Fsync(dir))
	}
	return f.with(number, false, func(fd int) error {
		if dataOnly {
			return unix.Fdatasync(fd)
		}
		return unix.Fsync(fd)
	})
}

// Fallocate implements v86fs.Backend.
func (f *FS) Fallocate(number v86fs.Node, mode, flags uint32, off, length uint64) error {
	if off > 1<<63-1 || length > 1<<63-1-off {
		return v86fs.EFBIG
	}
	return f.altered(number, func(fd int) error {
		if flags&v86fs.WriteKillPriv != 0 {
			if err := f.unprivileged(fd); err != nil {
				return err
			}
		}
		return unix.Fallocate(fd, mode, int64(off), int64(length))
	})
}

// Seek implements v86fs.Backend.
func (f *FS) Seek(number v86fs.Node, off uint64, whence uint32) (uint64, error) {
	if off > 1<<63-1 {
		return 0, v86fs.ENXIO
	}
	var at int64
	err := f.with(number, false, func(fd int) error {
		// The position is where appending looks.
		f.appending.Lock()
		defer f.appending.Unlock()
		var err error
		at, err = unix.Seek(fd, int64(off), int(whence))
		return err
	})
	return uint64(at), err
}

// CopyRange implements v86fs.Backend.
func (f *FS) CopyRange(from v86fs.Node, off uint64, to v86fs.Node, toOff, length uint64, flags uint32) (uint64, error) {
	if toOff > 1<<63-1 || length > 1<<63-1-toOff || off > 1<<63-1 {
		return 0, v86fs.EFBIG
	}
	copied := uint64(0)
	err := f.with(from, false, func(in int) error {
		return f.altered(to, func(out int) error {
			if flags&v86fs.WriteKillPriv != 0 {
				if err := f.unprivileged(out); err != nil {
					return err
				}
			}
			if flags&v86fs.CopyClone != 0 {
				copied = length
				return unix.IoctlFileCloneRange(out, &unix.FileCloneRange{
					Src_fd: int64(in), Src_offset: off, Src_length: length, Dest_offset: toOff})
			}
			a, b := int64(off), int64(toOff)
			k, err := unix.CopyFileRange(in, &a, out, &b, int(min(length, 1<<30)), 0)
			copied = uint64(max(k, 0))
			return err
		})
	})
	return copied, err
}
