package v86fs_test

import (
	"testing"

	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/devices/v86fs/wire"
)

// A locker is an owner of locks on one file.
type locker struct {
	d     *driver
	file  wire.OpenResponse
	owner uint64
}

func (l *locker) body(kind uint32, start, end uint64, flags uint32) *wire.LockRequest {
	return &wire.LockRequest{Handle: l.file.Handle, Owner: l.owner, Start: start, End: end, Type: kind, Flags: flags}
}

// set asks for a lock and returns the status.
func (l *locker) set(kind uint32, start, end uint64, flags uint32) v86fs.Errno {
	l.d.t.Helper()
	return v86fs.Errno(l.d.call(wire.Setlk, l.file.Attr.Node, l.body(kind, start, end, flags), nil).Status)
}

// wait asks for a lock that is not to be had yet.
func (l *locker) wait(kind uint32, start, end uint64, flags uint32) uint16 {
	l.d.t.Helper()
	tag := l.d.send(1, wire.Setlk, l.file.Attr.Node, l.body(kind, start, end, flags|wire.LockWait))
	if got := l.d.collect(1); len(got) != 0 {
		l.d.t.Fatalf("a lock in use is answered at once: %+v", got)
	}
	return tag
}

// granted checks that exactly the request of tag was answered.
func (d *driver) granted(tag uint16, want v86fs.Errno) {
	d.t.Helper()
	got := d.collect(1)
	if a, ok := got[tag]; !ok || len(got) != 1 || v86fs.Errno(a.Status) != want {
		d.t.Errorf("answered: %+v, want one with status %d", got, want)
	}
}

func lockers(t *testing.T) (d *driver, a, b *locker) {
	d = extended(t)
	first := d.create("f", 2)
	var second wire.OpenResponse
	d.must(wire.Open2, first.Attr.Node, &wire.Open2Request{Flags: 2}, &second)
	return d, &locker{d, first, 1}, &locker{d, second, 2}
}

func TestLocksOfOthersAreInTheWay(t *testing.T) {
	d, a, b := lockers(t)
	steps := []struct {
		who        *locker
		kind       uint32
		start, end uint64
		want       v86fs.Errno
	}{
		{a, wire.LockRead, 0, 99, 0},
		{b, wire.LockRead, 50, 149, 0},
		{b, wire.LockWrite, 60, 60, v86fs.EAGAIN},
		{a, wire.LockWrite, 0, 49, 0},
		{b, wire.LockRead, 49, 49, v86fs.EAGAIN},
		{a, wire.LockNone, 20, 29, 0},
		{b, wire.LockWrite, 20, 29, 0},
		{a, wire.LockRead, 10, 20, v86fs.EAGAIN},
		{a, wire.LockNone, 0, 1<<63 - 1, 0},
		{b, wire.LockWrite, 0, 1<<63 - 1, 0},
		{a, 3, 0, 1, v86fs.EINVAL},
		{a, 0, 2, 1, v86fs.EINVAL},
	}
	for i, s := range steps {
		if got := s.who.set(s.kind, s.start, s.end, 0); got != s.want {
			t.Errorf("step %d: %d, want %d", i, got, s.want)
		}
	}
	var in wire.LockResponse
	d.must(wire.Getlk, a.file.Attr.Node, a.body(wire.LockRead, 5, 5, 0), &in)
	if in != (wire.LockResponse{End: 1<<63 - 1, Type: wire.LockWrite, PID: 99}) {
		t.Errorf("GETLK: %+v", in)
	}
	d.must(wire.Getlk, b.file.Attr.Node, b.body(wire.LockWrite, 5, 5, 0), &in)
	if in.Type != wire.LockNone {
		t.Errorf("GETLK by the holder: %+v", in)
	}
	if got := a.set(wire.LockWrite, 0, 0, wire.LockFlock); got != 0 {
		t.Errorf("a lock of flock beside one of fcntl: %d", got)
	}
	if got := b.set(wire.LockRead, 7, 7, wire.LockFlock); got != v86fs.EAGAIN {
		t.Errorf("flock against flock: %d, want EAGAIN", got)
	}
}

func TestALockIsGrantedWhenTheOtherGoes(t *testing.T) {
	d, a, b := lockers(t)
	a.set(wire.LockWrite, 0, 9, 0)
	tag := b.wait(wire.LockWrite, 5, 5, 0)
	a.d.send(1, wire.Setlk, a.file.Attr.Node, a.body(wire.LockNone, 0, 4, 0))
	if got := d.collect(1); got[tag].Type != 0 {
		t.Error("granted while it is held")
	}
	un := d.send(1, wire.Setlk, a.file.Attr.Node, a.body(wire.LockNone, 5, 9, 0))
	if got := d.collect(1); got[tag].Type == 0 || got[tag].Status != 0 || got[un].Status != 0 || len(got) != 2 {
		t.Errorf("after the unlock: %+v", got)
	}
	if got := a.set(wire.LockRead, 5, 5, 0); got != v86fs.EAGAIN {
		t.Errorf("the lock granted is not there: %d", got)
	}
	// RELEASE frees them, too.
	tag = a.wait(wire.LockWrite, 0, 100, 0)
	d.send(0, wire.Release, b.file.Attr.Node, &wire.HandleRequest{Handle: b.file.Handle})
	d.granted(tag, 0)
}

func TestAWaitIsGivenUp(t *testing.T) {
	d, a, b := lockers(t)
	a.set(wire.LockWrite, 0, 9, wire.LockFlock)
	tag := b.wait(wire.LockWrite, 0, 9, wire.LockFlock)
	in := d.send(0, wire.Interrupt, 0, &wire.InterruptRequest{Tag: tag})
	d.granted(tag, v86fs.EINTR)
	if got := d.collect(0)[in]; got.Type == 0 || got.Status != 0 {
		t.Errorf("INTERRUPT: %+v", got)
	}
	d.fails(v86fs.ENOENT, wire.Interrupt, 0, &wire.InterruptRequest{Tag: tag})
	if got := a.set(wire.LockNone, 0, 9, wire.LockFlock); got != 0 {
		t.Errorf("unlock: %d", got)
	}
	if got := a.set(wire.LockWrite, 0, 9, wire.LockFlock); got != 0 {
		t.Errorf("the wait given up was granted: %d", got)
	}
}

func TestACircleOfWaitsIsRefused(t *testing.T) {
	_, a, b := lockers(t)
	a.set(wire.LockWrite, 0, 0, 0)
	b.set(wire.LockWrite, 1, 1, 0)
	a.wait(wire.LockWrite, 1, 1, 0)
	if got := b.set(wire.LockWrite, 0, 0, wire.LockWait); got != v86fs.EDEADLK {
		t.Errorf("the second half of a circle: %d, want EDEADLK", got)
	}
}

func TestWithoutAsyncNothingWaitsForALock(t *testing.T) {
	d := newDriver(t, allFeatures&^wire.FeatureAsync, nil, memory())
	d.mountExport("", 0)
	a, b := &locker{d, d.create("f", 2), 1}, &locker{d, d.create("f", 2), 2}
	a.set(wire.LockWrite, 0, 0, 0)
	if got := b.set(wire.LockWrite, 0, 0, wire.LockWait); got != v86fs.EAGAIN {
		t.Errorf("%d, want EAGAIN", got)
	}
}
