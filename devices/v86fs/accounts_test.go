package v86fs_test

import (
	"sync"
	"testing"

	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/devices/v86fs/memfs"
	"github.com/gov86/gov86/devices/v86fs/wire"
)

// An accountant is a backend that counts what it has given out: lookups and
// opens that were not taken back.
type accountant struct {
	*memfs.FS
	mu             sync.Mutex
	lookups, opens map[v86fs.Node]int
}

func newAccountant() *accountant {
	return &accountant{FS: memfs.New(memfs.DefaultLimit, nil), lookups: map[v86fs.Node]int{}, opens: map[v86fs.Node]int{}}
}

func (b *accountant) count(in map[v86fs.Node]int, n v86fs.Node, by int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if in[n] += by; in[n] == 0 {
		delete(in, n)
	}
}

func (b *accountant) found(a v86fs.Attr, err error, opened bool) (v86fs.Attr, error) {
	if err == nil {
		b.count(b.lookups, a.Node, 1)
		if opened {
			b.count(b.opens, a.Node, 1)
		}
	}
	return a, err
}

func (b *accountant) Root() (v86fs.Attr, error) {
	a, err := b.FS.Root()
	return b.found(a, err, false)
}

func (b *accountant) Lookup(dir v86fs.Node, name string) (v86fs.Attr, error) {
	a, err := b.FS.Lookup(dir, name)
	return b.found(a, err, false)
}

func (b *accountant) Create(dir v86fs.Node, name string, w v86fs.NewFile) (v86fs.Attr, error) {
	a, err := b.FS.Create(dir, name, w)
	return b.found(a, err, w.Open)
}

func (b *accountant) Tmpfile(dir v86fs.Node, w v86fs.NewFile) (v86fs.Attr, error) {
	a, err := b.FS.Tmpfile(dir, w)
	return b.found(a, err, true)
}

func (b *accountant) Link(n, dir v86fs.Node, name string) (v86fs.Attr, error) {
	a, err := b.FS.Link(n, dir, name)
	return b.found(a, err, false)
}

func (b *accountant) Forget(n v86fs.Node, lookups uint64) { b.count(b.lookups, n, -int(lookups)) }

func (b *accountant) Open(n v86fs.Node, writable bool) error {
	err := b.FS.Open(n, writable)
	if err == nil {
		b.count(b.opens, n, 1)
	}
	return err
}

func (b *accountant) Close(n v86fs.Node) {
	b.count(b.opens, n, -1)
	b.FS.Close(n)
}

// settled checks that nothing is left.
func (b *accountant) settled(t *testing.T, when string) {
	t.Helper()
	if len(b.lookups)+len(b.opens) != 0 {
		t.Errorf("after %s the backend still has lookups %v and opens %v", when, b.lookups, b.opens)
	}
}

// everything has a mount do all that counts something, failures as well.
func everything(d *driver) {
	o := d.create("f", 2)
	for _, s := range sound(d, o) {
		d.must(s.kind, s.node, s.body, nil)
	}
	d.lookup(d.root, "f")
	d.create("f", 1)
	d.fails(v86fs.EEXIST, wire.Create2, d.root, &wire.Create2Request{Flags: wire.OpenExcl, Name: "f"})
	d.must(wire.Mkdir2, d.root, &wire.Mkdir2Request{Name: "sub"}, nil)
	d.fails(v86fs.EEXIST, wire.Create2, d.root, &wire.Create2Request{Name: "sub"})
	d.fails(v86fs.EEXIST, wire.Link, d.root, &wire.LinkRequest{File: o.Attr.Node, Name: "sub"})
	var dir wire.OpenResponse
	d.must(wire.Open2, d.root, &wire.Open2Request{}, &dir)
	for cookie := range uint64(3) {
		d.must(wire.Readdir2, d.root, &wire.Readdir2Request{Handle: dir.Handle, Cookie: cookie, Size: 1000, Flags: wire.ReaddirPlus}, nil)
	}
	d.must(wire.Release, d.root, &wire.HandleRequest{Handle: dir.Handle}, nil)
	d.call(wire.Forget, 0, &wire.ForgetRequest{Nodes: []wire.Forgotten{{Node: o.Attr.Node, Lookups: 1}}}, nil)
}

func TestWhatABackendGivesOutIsGivenBack(t *testing.T) {
	b := newAccountant()
	g := &gate{open: true}
	d := newDriver(t, allFeatures, g, v86fs.Export{Backend: b})
	d.mountExport("", 0)
	everything(d)
	d.must(wire.Umount, 0, nil, nil)
	b.settled(t, "UMOUNT")

	d.mountExport("", 0)
	g.open = false
	d.send(1, wire.Create2, d.root, &wire.Create2Request{Name: "late"})
	d.send(1, wire.Lookup2, d.root, &wire.Name2Request{Name: "f"})
	d.send(0, wire.Umount, 0, nil)
	g.Drain()
	d.collect(1)
	d.collect(0)
	b.settled(t, "UMOUNT with requests under way")

	g.open = true
	d.mountExport("", 0)
	n := d.lookup(d.root, "f").Node
	g.open = false
	d.send(1, wire.Open2, n, &wire.Open2Request{})
	d.send(1, wire.Tmpfile, d.root, &wire.TmpfileRequest{})
	d.call(wire.Forget, 0, &wire.ForgetRequest{Nodes: []wire.Forgotten{{Node: n, Lookups: 1}}}, nil)
	d.Set(0x14, 1, 0) // device status
	b.settled(t, "a reset with requests under way")
}

// A rival is a backend with a process of the host that holds locks.
type rival struct {
	*memfs.FS
	mu   sync.Mutex
	held bool
	gone chan struct{}
	// owned is what the host was asked to hold, in order.
	owned []v86fs.Lock
}

func (b *rival) Lock(_ v86fs.Node, l v86fs.Lock, cancel <-chan struct{}) error {
	b.mu.Lock()
	held := b.held && l.Type != v86fs.LockNone
	b.mu.Unlock()
	if held && cancel == nil {
		return v86fs.EAGAIN
	}
	if held {
		select {
		case <-b.gone:
		case <-cancel:
			return v86fs.EINTR
		}
	}
	b.mu.Lock()
	b.owned = append(b.owned, l)
	b.mu.Unlock()
	return nil
}

func (b *rival) TestLock(v86fs.Node, v86fs.Lock) (v86fs.Lock, error) {
	return v86fs.Lock{Type: v86fs.LockWrite, Start: 3, End: 4}, nil
}

func rivals(t *testing.T) (d *driver, c *crowd, b *rival, a *locker) {
	b = &rival{FS: memfs.New(memfs.DefaultLimit, nil), held: true, gone: make(chan struct{})}
	c = &crowd{}
	d = newDriver(t, allFeatures, nil, v86fs.Export{Backend: b})
	d.mountExport("", 0)
	a = &locker{d, d.create("f", 2), 1}
	d.dev.SetHost(c)
	return d, c, b, a
}

func TestAProcessOfTheHostIsInTheWay(t *testing.T) {
	d, c, b, a := rivals(t)
	tag := d.send(1, wire.Setlk, a.file.Attr.Node, a.body(wire.LockWrite, 0, 9, 0))
	c.Drain()
	d.granted(tag, v86fs.EAGAIN)
	tag = d.send(1, wire.Getlk, a.file.Attr.Node, a.body(wire.LockWrite, 0, 9, 0))
	c.Drain()
	var in wire.LockResponse
	if wire.DecodeBody(d.collect(1)[tag].body, &in); in != (wire.LockResponse{Start: 3, End: 4, Type: wire.LockWrite}) {
		t.Errorf("GETLK: %+v", in)
	}
	// What was not granted must not be in the way of others.
	b.mu.Lock()
	b.held = false
	b.mu.Unlock()
	other := &locker{d, a.file, 2}
	tag = d.send(1, wire.Setlk, a.file.Attr.Node, other.body(wire.LockWrite, 0, 9, 0))
	c.Drain()
	d.granted(tag, 0)
}

func TestAWaitForAProcessOfTheHost(t *testing.T) {
	d, c, b, a := rivals(t)
	wait := func() uint16 {
		tag := a.wait(wire.LockWrite, 0, 9, 0)
		c.Drain() // until the wait itself is under way
		return tag
	}
	tag := wait()
	in := d.send(0, wire.Interrupt, 0, &wire.InterruptRequest{Tag: tag})
	c.settle()
	d.granted(tag, v86fs.EINTR)
	if got := d.collect(0)[in]; got.Type == 0 || got.Status != 0 {
		t.Errorf("INTERRUPT: %+v", got)
	}
	tag = wait()
	close(b.gone)
	c.settle()
	d.granted(tag, 0)
	b.mu.Lock()
	b.held = false
	b.mu.Unlock()
	release := d.send(1, wire.Release, a.file.Attr.Node, &wire.HandleRequest{Handle: a.file.Handle})
	c.Drain()
	d.granted(release, 0)
	if n := len(b.owned); n != 2 || b.owned[1] != (v86fs.Lock{Type: v86fs.LockNone, End: 9}) {
		t.Errorf("the host was asked to hold %+v", b.owned)
	}
}

func TestAResetEndsAWaitForTheHost(t *testing.T) {
	d, c, b, a := rivals(t)
	a.wait(wire.LockWrite, 0, 9, 0)
	c.Drain()
	a.wait(wire.LockWrite, 20, 29, 0) // this one is just asked for
	d.Set(0x14, 1, 0)                 // device status
	c.settle()
	for _, l := range b.owned {
		if l.Type != v86fs.LockNone {
			t.Errorf("the host holds %+v", l)
		}
	}
}

func TestReleaseEndsAWaitForTheHost(t *testing.T) {
	d, c, _, a := rivals(t)
	tag := a.wait(wire.LockWrite, 0, 9, 0)
	c.Drain()
	release := d.send(0, wire.Release, a.file.Attr.Node, &wire.HandleRequest{Handle: a.file.Handle})
	c.settle()
	d.granted(tag, v86fs.EINTR)
	if got := d.collect(0)[release]; got.Type == 0 || got.Status != 0 {
		t.Errorf("RELEASE: %+v", got)
	}
}
