package v86fs_test

import (
	"bytes"
	"sync"
	"testing"

	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/devices/v86fs/wire"
	"github.com/gov86/gov86/mem"
)

// A gate is a host whose work is done when the test says so, in any order.
type gate struct {
	open bool // work is done at once
	jobs []func()
}

func (g *gate) Go(_ uint8, work, done func()) {
	if g.open {
		work()
		done()
		return
	}
	g.jobs = append(g.jobs, func() { work(); done() })
}

func (g *gate) Wait(work, done func()) { panic("BUG: no lock is held on the host here") }

func (g *gate) Drain() {
	for len(g.jobs) > 0 {
		g.run(0)
	}
}

// run does job i of those that wait.
func (g *gate) run(i int) {
	job := g.jobs[i]
	g.jobs = append(g.jobs[:i:i], g.jobs[i+1:]...)
	job()
}

// gated returns a driver whose export is mounted, and the gate, closed.
func gated(t testing.TB) (*driver, *gate) {
	t.Helper()
	g := &gate{open: true}
	d := newDriver(t, allFeatures, g, memory())
	d.mountExport("", 0)
	return d, g
}

// send submits a request without waiting for it.
func (d *driver) send(q int, t wire.Type, node uint64, body wire.Message) uint16 {
	d.t.Helper()
	return d.submit(q, wire.Request{Type: t, Mount: d.mount, Node: node}, body, nil, 0x1000)
}

func TestRequestsAreAnsweredInTheOrderTheyAreDone(t *testing.T) {
	d, g := gated(t)
	var nodes []uint64
	for _, name := range []string{"a", "b", "c"} {
		nodes = append(nodes, d.create(name, 0).Attr.Node)
	}
	g.open = false
	var tags []uint16
	for _, n := range nodes {
		tags = append(tags, d.send(1, wire.Getattr2, n, &wire.HandleRequest{}))
	}
	if got := d.collect(1); len(got) != 0 {
		t.Fatalf("answered before the work is done: %v", got)
	}
	for _, i := range []int{2, 0, 1} {
		for k, job := range []int{2, 0, 0} {
			if []int{2, 0, 1}[k] == i {
				g.run(job)
			}
		}
		a, ok := d.collect(1)[tags[i]]
		var attr wire.Attr
		if wire.DecodeBody(a.body, &attr); !ok || attr.Node != nodes[i] {
			t.Errorf("request %d: %v, node %d, want %d", i, ok, attr.Node, nodes[i])
		}
	}
}

func TestWithoutAsyncTheAnswerComesAtOnce(t *testing.T) {
	g := &gate{}
	d := newDriver(t, allFeatures&^wire.FeatureAsync, g, memory())
	d.mountExport("", 0)
	d.create("f", 0)
	if len(g.jobs) != 0 {
		t.Error("work was given away")
	}
}

func TestTheWorkUnderWayIsBounded(t *testing.T) {
	d, g := gated(t)
	g.open = false
	// More than the limit, from both queues, the buffers used again and again: the
	// answers are not looked at.
	for range 10 {
		for q := range 2 {
			for range slots / 2 {
				d.send(q, wire.Getattr2, d.root, &wire.HandleRequest{})
			}
		}
	}
	if len(g.jobs) != 64 {
		t.Errorf("%d requests are worked on, want 64", len(g.jobs))
	}
	n := 0
	for len(g.jobs) > 0 {
		g.run(len(g.jobs) - 1)
		n++
	}
	for q := range 2 {
		for {
			_, _, ok := d.Used(q)
			if !ok {
				break
			}
			n--
		}
	}
	if n != 0 {
		t.Errorf("%d requests more were done than answered", n)
	}
}

func TestAResetEndsTheWorkUnderWay(t *testing.T) {
	d, g := gated(t)
	o := d.create("f", 2)
	g.open = false
	d.send(1, wire.Open2, o.Attr.Node, &wire.Open2Request{})
	d.send(1, wire.Create2, d.root, &wire.Create2Request{Name: "late"})
	d.Set(0x14, 1, 0) // device status
	if len(g.jobs) != 0 {
		t.Errorf("%d requests are still worked on", len(g.jobs))
	}
	if _, _, ok := d.Used(1); ok {
		t.Error("a chain was given back after the reset")
	}
	g.open = true
	if !d.Start(allFeatures, 3, 128) {
		t.Fatal("no start after the reset")
	}
	d.fails(v86fs.ESTALE, wire.Getattr2, o.Attr.Node, &wire.HandleRequest{})
	d.mountExport("", 0)
	d.lookup(d.root, "late")
}

func TestAResetDropsWhatHasNotBegun(t *testing.T) {
	g := &gate{open: true}
	x := memory()
	d := newDriver(t, allFeatures, g, x)
	d.mountExport("", 0)
	g.open = false
	for range 64 {
		d.send(1, wire.Getattr2, d.root, &wire.HandleRequest{})
	}
	d.send(1, wire.Mkdir2, d.root, &wire.Mkdir2Request{Name: "never"})
	d.Set(0x14, 1, 0) // device status
	root, _ := x.Backend.Root()
	if _, err := x.Backend.Lookup(root.Node, "never"); err != v86fs.ENOENT {
		t.Errorf("it was done all the same: %v", err)
	}
}

func TestAMountThatWentTakesWhatIsUnderWayWithIt(t *testing.T) {
	d, g := gated(t)
	g.open = false
	create := d.send(1, wire.Create2, d.root, &wire.Create2Request{Name: "f"})
	umount := d.send(0, wire.Umount, 0, nil)
	if a := d.collect(0)[umount]; a.Type == 0 || a.Status != 0 {
		t.Fatalf("UMOUNT: %+v", a)
	}
	g.Drain()
	if a := d.collect(1)[create]; v86fs.Errno(a.Status) != v86fs.ESTALE {
		t.Errorf("CREATE2: status %d, want ESTALE", a.Status)
	}
}

// TestDataGoesStraightToItsDescriptors reads and writes through descriptors cut
// anywhere, one of them empty.
func TestDataGoesStraightToItsDescriptors(t *testing.T) {
	d := extended(t)
	o := d.create("f", 2)
	data := bytes.Repeat([]byte("0123456789abcdef"), 1000)
	const at mem.Addr = 0xc0000
	place := func(p []byte) {
		if err := d.Memory.WriteAt(p, at); err != nil {
			t.Fatal(err)
		}
	}
	r := wire.Request{Type: wire.Write2, Mount: d.mount, Node: o.Attr.Node}
	m := r.Append(nil, &wire.Write2Request{Handle: o.Handle, Size: uint32(len(data))})
	place(append(m, data...))
	chain := func(cuts []uint32, flags uint16, first uint16) uint16 {
		a := at
		if flags == 2 {
			a += 0x8000
		}
		for _, n := range cuts {
			d.Descriptor(1, first, a, n, flags|1, first+1)
			a += mem.Addr(n)
			first++
		}
		return first
	}
	finish := func(last uint16) uint32 {
		d.Descriptor(1, last, at+0x7000, 0, 2, 0)
		d.Offer(1, 0)
		d.Kick(1)
		_, n, _ := d.Used(1)
		return n
	}
	next := chain([]uint32{5, 30, 0, 100, uint32(len(m)+len(data)) - 135}, 0, 0)
	if n := finish(chain([]uint32{7, 200}, 2, next)); n != 176 {
		t.Fatalf("WRITE2 is answered by %d bytes", n)
	}
	r.Type = wire.Read2
	m = r.Append(nil, &wire.Read2Request{Offset: 16, Size: 15000})
	place(m)
	next = chain([]uint32{uint32(len(m))}, 0, 0)
	if n := finish(chain([]uint32{24, 1, 4095, 0, 12000}, 2, next)); n != 24+15000 {
		t.Fatalf("READ2 is answered by %d bytes", n)
	}
	got := make([]byte, 15000)
	if err := d.Memory.ReadAt(got, at+0x8000+24); err != nil || !bytes.Equal(got, data[16:16+15000]) {
		t.Errorf("READ2 reads other data: %v", err)
	}
	// Data that is no memory.
	next = chain([]uint32{uint32(len(m))}, 0, 0)
	d.Descriptor(1, next, at+0x8000, 24, 3, next+1)
	d.Descriptor(1, next+1, 0x4000_0000, 15000, 2, 0)
	d.Offer(1, 0)
	d.Kick(1)
	d.Used(1)
	p := make([]byte, 24)
	d.Memory.ReadAt(p, at+0x8000)
	var reply wire.Reply
	if reply.Decode(p); v86fs.Errno(reply.Status) != v86fs.EFAULT {
		t.Errorf("READ2 to where no memory is: status %d, want EFAULT", reply.Status)
	}
}

// TestCodeDecodedWhileItIsReadIsDropped has the guest execute, while the host
// reads, what was in the memory before.
func TestCodeDecodedWhileItIsReadIsDropped(t *testing.T) {
	d, g := gated(t)
	o := d.create("f", 2)
	d.call(wire.Write2, o.Attr.Node, &wire.Write2Request{Handle: o.Handle, Size: 1000}, make([]byte, 1000))
	g.open = false
	tag := d.send(1, wire.Read2, o.Attr.Node, &wire.Read2Request{Handle: o.Handle, Size: 1000})
	dropped := false
	d.Memory.OnCodeWrite(func(mem.Addr, int) { dropped = true })
	d.Memory.MarkCode(d.slots[tag]+wire.ReplySize+900, 4)
	g.Drain()
	if a := d.collect(1)[tag]; len(a.data) != 1000 || !dropped {
		t.Errorf("read %d bytes, the code before them dropped: %v", len(a.data), dropped)
	}
}

// A crowd is a host that works on goroutines, as the machine's does.
type crowd struct {
	mu          sync.Mutex
	work, waits sync.WaitGroup
	done        []func()
}

func (c *crowd) start(g *sync.WaitGroup, work, done func()) {
	g.Add(1)
	go func() {
		work()
		c.mu.Lock()
		c.done = append(c.done, done)
		c.mu.Unlock()
		g.Done()
	}()
}

func (c *crowd) Go(_ uint8, work, done func()) { c.start(&c.work, work, done) }

func (c *crowd) Wait(work, done func()) { c.start(&c.waits, work, done) }

func (c *crowd) Drain() {
	for {
		c.work.Wait()
		c.mu.Lock()
		all := c.done
		c.done = nil
		c.mu.Unlock()
		if len(all) == 0 {
			return
		}
		for _, fn := range all {
			fn()
		}
	}
}

// settle is Drain after the end of all waits.
func (c *crowd) settle() {
	c.Drain()
	c.waits.Wait()
	c.Drain()
}

// TestManyRequestsAtATime is for the race detector, above all.
func TestManyRequestsAtATime(t *testing.T) {
	c := &crowd{}
	d := newDriver(t, allFeatures, c, memory())
	tag := d.submit(0, wire.Request{Type: wire.Mount2}, &wire.Mount2Request{}, nil, 0x1000)
	c.Drain()
	var m wire.Mount2Response
	if err := wire.DecodeBody(d.collect(0)[tag].body, &m); err != nil {
		t.Fatal(err)
	}
	d.mount, d.root = m.Mount, m.Root.Node
	for round := range 20 {
		var tags []uint16
		for i := range int(slots) {
			tags = append(tags, d.send(i%2, wire.Create2, d.root, &wire.Create2Request{Flags: 2, Name: string(rune('a'+i)) + string(rune('a'+round))}))
		}
		c.Drain()
		got := d.collect(0)
		for tag, a := range d.collect(1) {
			got[tag] = a
		}
		for _, tag := range tags {
			var o wire.OpenResponse
			a := got[tag]
			if err := wire.DecodeBody(a.body, &o); err != nil || a.Status != 0 || o.Flags != wire.OpenedCreated {
				t.Fatalf("CREATE2: %+v, %v", a, err)
			}
			d.submit(1, wire.Request{Type: wire.Write2, Mount: d.mount, Node: o.Attr.Node},
				&wire.Write2Request{Handle: o.Handle, Size: 100, Flags: wire.WriteAppend}, make([]byte, 100), 0x1000)
		}
		c.Drain()
		for _, a := range d.collect(1) {
			if a.Status != 0 {
				t.Errorf("WRITE2: status %d", a.Status)
			}
		}
	}
}
