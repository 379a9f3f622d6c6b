package dirfs

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/gov86/gov86/devices/v86fs"
)

// hostLocks are the descriptor by which the host holds a file's locks: one for
// the whole guest, whose processes the device keeps apart.
type hostLocks struct{ fd int }

// Lock implements v86fs.Backend, by locks of open file descriptions and flock.
func (f *FS) Lock(number v86fs.Node, l v86fs.Lock, cancel <-chan struct{}) error {
	const shortest, longest = time.Millisecond, 50 * time.Millisecond
	h, err := f.locks(number)
	if err != nil {
		return err
	}
	for pause := shortest; ; pause = min(2*pause, longest) {
		err := h.try(l)
		if err != unix.EAGAIN && err != unix.EACCES {
			return fault(err)
		}
		if cancel == nil {
			return v86fs.EAGAIN
		}
		// The host's own waiting cannot be ended from outside.
		select {
		case <-cancel:
			return v86fs.EINTR
		case <-time.After(pause):
		}
	}
}

// locks returns the descriptor for a file's locks, opened for the first one.
func (f *FS) locks(number v86fs.Node) (*hostLocks, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.node(number)
	if err != nil {
		return nil, err
	}
	if n.lock != nil {
		return n.lock, nil
	}
	if err := mayKeep(); err != nil {
		return nil, err
	}
	fd := -1
	err = f.hold(n, func(held int) error {
		path := descriptorPath(held)
		if n.mode&unix.S_IFMT == unix.S_IFDIR {
			fd, err = unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
			return err
		}
		err = unix.EROFS
		if !f.readOnly {
			fd, err = unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		}
		if err != nil {
			fd, err = unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	n.lock = &hostLocks{fd: fd}
	kept.Add(1)
	return n.lock, nil
}

// unlock closes the descriptor for a file's locks, which frees them; mu is held.
func (f *FS) unlock(n *node) {
	if n.lock != nil {
		unix.Close(n.lock.fd)
		kept.Add(-1)
		n.lock = nil
	}
}

// try sets a lock, or says that one is in the way.
func (h *hostLocks) try(l v86fs.Lock) error {
	if l.Flock {
		how := map[uint32]int{v86fs.LockRead: unix.LOCK_SH, v86fs.LockWrite: unix.LOCK_EX, v86fs.LockNone: unix.LOCK_UN}
		return unix.Flock(h.fd, how[l.Type]|unix.LOCK_NB)
	}
	return unix.FcntlFlock(uintptr(h.fd), unix.F_OFD_SETLK, flockOf(l))
}

func flockOf(l v86fs.Lock) *unix.Flock_t {
	const last = 1<<63 - 1
	k := &unix.Flock_t{Type: int16(l.Type), Whence: unix.SEEK_SET, Start: int64(l.Start)}
	if l.End < last {
		k.Len = int64(l.End-l.Start) + 1
	}
	return k
}

// TestLock implements v86fs.Backend.
func (f *FS) TestLock(number v86fs.Node, l v86fs.Lock) (v86fs.Lock, error) {
	none := v86fs.Lock{Type: v86fs.LockNone}
	h, err := f.locks(number)
	if err != nil || l.Flock {
		return none, err
	}
	k := flockOf(l)
	if err := unix.FcntlFlock(uintptr(h.fd), unix.F_OFD_GETLK, k); err != nil {
		return none, fault(err)
	}
	if k.Type == unix.F_UNLCK {
		return none, nil
	}
	found := v86fs.Lock{Type: uint32(k.Type), Start: uint64(k.Start), End: 1<<63 - 1}
	if k.Len > 0 {
		found.End = uint64(k.Start + k.Len - 1)
	}
	return found, nil
}
