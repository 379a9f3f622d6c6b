package v86fs

import "slices"

// lockLimit bounds the locks of all files together.
const lockLimit = 1 << 16

// A lockKey is a file whose locks are kept together, from all mounts.
type lockKey struct {
	export uint32
	node   Node
	flock  bool
}

// A lockOwner is who holds locks: a number of a mount's.
type lockOwner struct {
	mount uint32
	id    uint64
}

// A heldLock is a lock that is held, or asked for.
type heldLock struct {
	lockOwner
	handle uint64
	pid    uint32
	Lock
}

// A pendingLock is one that waits for others to go.
type pendingLock struct {
	c    *call
	key  lockKey
	lock heldLock
}

// A lockTable is all locks of the guest. Those of other processes of the host
// are the backend's.
type lockTable struct {
	held    map[lockKey][]heldLock
	waiting []*pendingLock
	count   int
}

func overlap(a, b *Lock) bool { return a.Start <= b.End && b.Start <= a.End }

// conflict is the first lock in the way of l, nil for none.
func (t *lockTable) conflict(key lockKey, l *heldLock) *heldLock {
	if l.Type == LockNone {
		return nil
	}
	for i := range t.held[key] {
		h := &t.held[key][i]
		if h.lockOwner != l.lockOwner && overlap(&h.Lock, &l.Lock) && (h.Type == LockWrite || l.Type == LockWrite) {
			return h
		}
	}
	return nil
}

// set gives l to its owner, in the place of what the owner has in its range,
// which is returned. Nothing of others is in the way.
func (t *lockTable) set(key lockKey, l heldLock) (was []heldLock, err error) {
	if t.count >= lockLimit && l.Type != LockNone {
		return nil, ENOLCK
	}
	var now []heldLock
	for _, h := range t.held[key] {
		if h.lockOwner != l.lockOwner || !overlap(&h.Lock, &l.Lock) {
			now = append(now, h)
			continue
		}
		was = append(was, h)
		if h.Start < l.Start {
			left := h
			left.End = l.Start - 1
			now = append(now, left)
		}
		if h.End > l.End {
			right := h
			right.Start = l.End + 1
			now = append(now, right)
		}
	}
	if l.Type != LockNone {
		now = append(now, l)
	}
	t.replace(key, now)
	return was, nil
}

func (t *lockTable) replace(key lockKey, now []heldLock) {
	if t.held == nil {
		t.held = map[lockKey][]heldLock{}
	}
	t.count += len(now) - len(t.held[key])
	if len(now) == 0 {
		delete(t.held, key)
		return
	}
	slices.SortStableFunc(now, func(a, b heldLock) int {
		switch {
		case a.Start < b.Start:
			return -1
		case a.Start > b.Start:
			return 1
		}
		return 0
	})
	t.held[key] = now
}

// restore takes a lock back that the host did not grant.
func (t *lockTable) restore(key lockKey, l heldLock, was []heldLock) {
	l.Type = LockNone
	t.set(key, l)
	for _, h := range was {
		h.Start, h.End = max(h.Start, l.Start), min(h.End, l.End)
		t.set(key, h)
	}
}

// free are the parts of a range that nobody holds.
func (t *lockTable) free(key lockKey, l Lock) []Lock {
	var parts []Lock
	l.Type = LockNone
	at := l.Start
	for _, h := range t.held[key] { // by their starts
		if !overlap(&h.Lock, &l) || h.End < at {
			continue
		}
		if h.Start > at {
			parts = append(parts, Lock{Flock: l.Flock, Type: LockNone, Start: at, End: h.Start - 1})
		}
		if h.End >= l.End {
			return parts
		}
		at = h.End + 1
	}
	return append(parts, Lock{Flock: l.Flock, Type: LockNone, Start: at, End: l.End})
}

// deadlock reports whether an owner waits, through others, for itself if it
// waits for l.
func (t *lockTable) deadlock(key lockKey, l *heldLock) bool {
	seen := map[lockOwner]bool{}
	todo := t.inWay(key, l)
	for len(todo) > 0 {
		o := todo[0]
		todo = todo[1:]
		if o == l.lockOwner {
			return true
		}
		if seen[o] {
			continue
		}
		seen[o] = true
		for _, p := range t.waiting {
			if p.lock.lockOwner == o && !p.key.flock {
				todo = append(todo, t.inWay(p.key, &p.lock)...)
			}
		}
	}
	return false
}

// inWay are the owners of all locks in the way of l.
func (t *lockTable) inWay(key lockKey, l *heldLock) []lockOwner {
	var all []lockOwner
	for _, h := range t.held[key] {
		if h.lockOwner != l.lockOwner && overlap(&h.Lock, &l.Lock) && (h.Type == LockWrite || l.Type == LockWrite) {
			all = append(all, h.lockOwner)
		}
	}
	return all
}

// wake takes those off the waiting that nothing is in the way of any more.
func (t *lockTable) wake(key lockKey) *pendingLock {
	for i, p := range t.waiting {
		if p.key == key && t.conflict(key, &p.lock) == nil {
			t.waiting = slices.Delete(t.waiting, i, i+1)
			return p
		}
	}
	return nil
}
