package v86fs

import (
	"slices"

	"github.com/gov86/gov86/devices/v86fs/wire"
)

// lockOf decodes GETLK or SETLK.
func (s *session) lockOf(c *call) (key lockKey, l heldLock, wait bool, err error) {
	var m wire.LockRequest
	if err = c.decode(&m); err != nil {
		return key, l, false, err
	}
	h, err := c.handle(m.Handle, c.node)
	switch {
	case err != nil:
	case h == nil:
		err = EBADF
	case c.mount.traits.Flags&HasLocks == 0:
		err = EOPNOTSUPP
	case m.Type > LockNone || m.Start > m.End || m.End > maxOffset:
		err = EINVAL
	}
	if err != nil {
		return key, l, false, err
	}
	flock := m.Flags&wire.LockFlock != 0
	key = lockKey{c.mount.export, c.node.node, flock}
	l = heldLock{lockOwner{c.mount.id, m.Owner}, h.id, c.req.PID, Lock{Flock: flock, Type: m.Type, Start: m.Start, End: m.End}}
	if flock {
		l.Start, l.End = 0, maxOffset
	}
	return key, l, m.Flags&wire.LockWait != 0, nil
}

// planGetlk is GETLK.
func (s *session) planGetlk(c *call) (plan, error) {
	key, l, _, err := s.lockOf(c)
	if err != nil {
		return plan{}, err
	}
	if h := s.locks.conflict(key, &l); h != nil {
		out := &wire.LockResponse{Start: h.Start, End: h.End, Type: h.Type, PID: h.pid}
		return plan{finish: func() (wire.Message, error) { return out, nil }}, nil
	}
	var host Lock
	return plan{
		work: func() (err error) { host, err = c.x.Backend.TestLock(key.node, l.Lock); return err },
		finish: func() (wire.Message, error) {
			return &wire.LockResponse{Start: host.Start, End: host.End, Type: host.Type}, nil
		},
	}, nil
}

// planSetlk is SETLK.
func (s *session) planSetlk(c *call) (plan, error) {
	key, l, wait, err := s.lockOf(c)
	if err != nil {
		return plan{}, err
	}
	if s.locks.conflict(key, &l) == nil {
		return s.grant(c, key, l, wait)
	}
	switch {
	case !wait || s.d.features&wire.FeatureAsync == 0:
		return plan{}, EAGAIN
	case !key.flock && s.locks.deadlock(key, &l):
		return plan{}, EDEADLK
	case s.blocked[c.req.Tag] != nil:
		return plan{}, EINVAL
	}
	p := &pendingLock{c, key, l}
	s.locks.waiting = append(s.locks.waiting, p)
	s.suspend(c, l.handle, func() {
		s.locks.waiting = slices.DeleteFunc(s.locks.waiting, func(q *pendingLock) bool { return q == p })
		s.unblock(c)
		c.fail(EINTR)
	})
	return plan{}, errLater
}

// suspend notes that a request waits for a lock of a handle, and how to give it up.
func (s *session) suspend(c *call, handle uint64, cancel func()) {
	c.waits, c.cancel = handle, cancel
	s.blocked[c.req.Tag] = c
}

func (s *session) unblock(c *call) {
	if s.blocked[c.req.Tag] == c {
		delete(s.blocked, c.req.Tag)
	}
}

// grant gives a lock that no other owner of the guest is in the way of, if the
// host agrees.
func (s *session) grant(c *call, key lockKey, l heldLock, wait bool) (plan, error) {
	was, err := s.locks.set(key, l)
	if err != nil {
		return plan{}, err
	}
	ask := []Lock{l.Lock}
	if l.Type == LockNone {
		ask = s.locks.free(key, l.Lock)
	}
	b := c.x.Backend
	return plan{
		work: func() error { return hostLocks(b, key.node, ask, nil) },
		failed: func(err error) error {
			mayWait := wait && s.d.host != nil && s.d.q != nil && s.blocked[c.req.Tag] == nil &&
				s.d.features&wire.FeatureAsync != 0
			if mayWait && errnoOf(err) == EAGAIN {
				s.waitForHost(c, key, l, was)
				return errLater
			}
			s.refuse(key, l, was)
			return err
		},
		finish: func() (wire.Message, error) {
			s.wake(key)
			return nil, nil
		},
	}, nil
}

// refuse takes back a lock that the host did not grant.
func (s *session) refuse(key lockKey, l heldLock, was []heldLock) {
	if s.handles[l.handle] == nil {
		return // its locks went with it
	}
	s.locks.restore(key, l, was)
	s.wake(key)
}

// hostLocks has the host hold some ranges.
func hostLocks(b Backend, n Node, locks []Lock, cancel <-chan struct{}) error {
	for _, l := range locks {
		if err := b.Lock(n, l, cancel); err != nil {
			return err
		}
	}
	return nil
}

// waitForHost waits for a process of the host to give a lock up.
func (s *session) waitForHost(c *call, key lockKey, l heldLock, was []heldLock) {
	stop := make(chan struct{})
	var err error
	s.suspend(c, l.handle, func() {
		s.unblock(c)
		close(stop)
	})
	b := c.x.Backend
	s.d.host.Wait(func() { err = b.Lock(key.node, l.Lock, stop) }, func() {
		s.unblock(c)
		if err != nil {
			s.refuse(key, l, was)
			c.fail(err)
			return
		}
		if s.d.session != s || s.handles[l.handle] == nil {
			s.unlockHost(b, key, l.Lock) // whoever wanted it has gone
			err = EBADF
		}
		c.finish(plan{}, err)
	})
}

// unlockHost gives up on the host what nobody in the guest holds any more.
func (s *session) unlockHost(b Backend, key lockKey, l Lock) {
	if err := hostLocks(b, key.node, s.locks.free(key, l), nil); err != nil {
		s.d.log.Warn("a lock on the host stays", "export", s.d.exports[key.export].Name, "err", err)
	}
}

// wake goes on with the requests that a file's locks do not keep any more.
func (s *session) wake(key lockKey) {
	for p := s.locks.wake(key); p != nil; p = s.locks.wake(key) {
		s.unblock(p.c)
		next, err := s.grant(p.c, p.key, p.lock, true)
		if err != nil {
			p.c.fail(err)
			continue
		}
		p.c.run(next)
	}
}

// releaseLocks frees the locks taken through a handle, and gives up the waits
// for them.
func (s *session) releaseLocks(h *opened) {
	for _, c := range s.blocked {
		if c.waits == h.id {
			c.cancel()
		}
	}
	for _, flock := range []bool{false, true} {
		key := lockKey{h.mount.export, h.node.node, flock}
		var stay, gone []heldLock
		for _, l := range s.locks.held[key] {
			if l.handle == h.id {
				gone = append(gone, l)
			} else {
				stay = append(stay, l)
			}
		}
		if len(gone) == 0 {
			continue
		}
		s.locks.replace(key, stay)
		for _, l := range gone {
			s.unlockHost(h.mount.x.Backend, key, l.Lock)
		}
		s.wake(key)
	}
}
