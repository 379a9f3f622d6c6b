package v86fs_test

import (
	"fmt"
	"testing"

	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/devices/v86fs/memfs"
	"github.com/gov86/gov86/devices/v86fs/wire"
	"github.com/gov86/gov86/mem"
)

// A watched is a backend whose changes on the host are the test's.
type watched struct {
	*memfs.FS
	host v86fs.Notifier
}

func (w *watched) Watch(n v86fs.Notifier, _ func(func())) error {
	w.host = n
	return nil
}

func watching(t *testing.T) (*driver, *watched) {
	w := &watched{FS: memfs.New(memfs.DefaultLimit, nil)}
	d := newDriver(t, allFeatures, nil, v86fs.Export{Backend: w})
	d.dev.Watch(nil)
	d.mountExport("", 0)
	return d, w
}

// told posts buffers for notifications and returns what they were filled with.
func (d *driver) told(buffers int) (all [][]byte) {
	d.t.Helper()
	at := map[uint16]mem.Addr{}
	for i := range uint16(buffers) {
		at[i] = d.Post(2, i, 512)
	}
	d.Kick(2)
	for {
		head, n, ok := d.Used(2)
		if !ok {
			return all
		}
		p := make([]byte, n)
		if err := d.Memory.ReadAt(p, at[head]); err != nil {
			d.t.Fatal(err)
		}
		all = append(all, p)
	}
}

func notice(t *testing.T, p []byte, m wire.Message) (n wire.Notice) {
	t.Helper()
	body, err := n.Decode(p)
	if err == nil && m != nil {
		err = wire.DecodeBody(body, m)
	}
	if err != nil {
		t.Fatalf("a notification of % x: %v", p, err)
	}
	return n
}

func TestChangesOnTheHostAreTold(t *testing.T) {
	d, w := watching(t)
	o := d.create("f", 0)
	root, _ := w.Root()
	file, _ := w.Lookup(root.Node, "f")
	before := d.must(wire.Getattr2, o.Attr.Node, &wire.HandleRequest{}, nil).Version
	w.host.Changed(file.Node, v86fs.InvalData, v86fs.EventModify, 100, 10)
	w.host.Changed(file.Node, v86fs.InvalAttr, v86fs.EventAttrib, 0, 0)
	w.host.Changed(file.Node, v86fs.InvalData, v86fs.EventModify, 50, 10)
	w.host.Changed(12345, v86fs.InvalData, v86fs.EventModify, 0, 0)
	w.host.Entry(root.Node, "new", 0, v86fs.EventCreate, 0)
	w.host.Entry(root.Node, "f", file.Node, v86fs.EventMovedFrom, 9)
	w.host.InvalidateDir(root.Node)
	after := d.must(wire.Getattr2, o.Attr.Node, &wire.HandleRequest{}, nil).Version
	all := d.told(16)
	if len(all) != 4 {
		t.Fatalf("%d notifications, want 4", len(all))
	}
	var node wire.InvalNodeNotice
	n := notice(t, all[0], &node)
	if n.Type != wire.InvalNode || n.Mount != d.mount || node != (wire.InvalNodeNotice{Node: o.Attr.Node, What: wire.InvalAttr | wire.InvalData,
		Events: wire.EventModify | wire.EventAttrib, Offset: 50, Size: 60}) {
		t.Errorf("%v of mount %d: %+v", n.Type, n.Mount, node)
	}
	var entry wire.InvalEntryNotice
	if n = notice(t, all[1], &entry); n.Type != wire.InvalEntry || entry != (wire.InvalEntryNotice{Dir: d.root, Events: wire.EventCreate, Name: "new"}) {
		t.Errorf("%v: %+v", n.Type, entry)
	}
	if notice(t, all[2], &entry); entry != (wire.InvalEntryNotice{Dir: d.root, Node: o.Attr.Node, Events: wire.EventMovedFrom, Cookie: 9, Name: "f"}) {
		t.Errorf("%+v", entry)
	}
	var dir wire.InvalDirNotice
	n = notice(t, all[3], &dir)
	if n.Type != wire.InvalDir || dir.Dir != d.root {
		t.Errorf("%v: %+v", n.Type, dir)
	}
	if before >= n.Version || after < n.Version {
		t.Errorf("versions %d before, %d of the last notification, %d after", before, n.Version, after)
	}
}

// TestAnAnswerOlderThanTheNewsShowsIt begins a request before a change and
// answers it after the notification.
func TestAnAnswerOlderThanTheNewsShowsIt(t *testing.T) {
	g := &gate{open: true}
	w := &watched{FS: memfs.New(memfs.DefaultLimit, nil)}
	d := newDriver(t, allFeatures, g, v86fs.Export{Backend: w})
	d.dev.Watch(nil)
	d.mountExport("", 0)
	root, _ := w.Root()
	g.open = false
	tag := d.send(1, wire.Getattr2, d.root, &wire.HandleRequest{})
	w.host.Changed(root.Node, v86fs.InvalAttr, v86fs.EventAttrib, 0, 0)
	n := notice(t, d.told(1)[0], nil)
	g.Drain()
	if a := d.collect(1)[tag]; a.Version >= n.Version {
		t.Errorf("the answer has version %d, the notification sent before it %d", a.Version, n.Version)
	}
}

func TestOneMountIsToldWhatAnotherDoes(t *testing.T) {
	d := extended(t)
	first := wire.Mount2Response{Mount: d.mount, Root: wire.Attr{Node: d.root}}
	second := d.mountExport("", 0)
	o := d.create("f", 2)
	d.mount, d.root = first.Mount, first.Root.Node
	here := d.lookup(d.root, "f")
	d.told(0)
	d.mount = second.Mount
	d.call(wire.Write2, o.Attr.Node, &wire.Write2Request{Handle: o.Handle, Offset: 5, Size: 2}, []byte("xy"))
	all := d.told(8)
	if len(all) != 2 {
		t.Fatalf("%d notifications, want those of the file made and written", len(all))
	}
	var entry wire.InvalEntryNotice
	if n := notice(t, all[0], &entry); n.Mount != first.Mount || entry.Dir != first.Root.Node || entry.Name != "f" || entry.Events != wire.EventCreate {
		t.Errorf("%+v: %+v", n, entry)
	}
	var node wire.InvalNodeNotice
	if n := notice(t, all[1], &node); n.Mount != first.Mount || node.Node != here.Node || node.Offset != 5 || node.Size != 2 {
		t.Errorf("%+v: %+v", n, node)
	}
}

func TestTooMuchNewsIsOneNotification(t *testing.T) {
	d, w := watching(t)
	root, _ := w.Root()
	for i := range 10_000 {
		w.host.Entry(root.Node, fmt.Sprint(i), 0, v86fs.EventCreate, 0)
	}
	total, everything := 0, false
	for range 1000 {
		all := d.told(16)
		total += len(all)
		for _, p := range all {
			everything = everything || wire.Type(p[4]) == wire.InvalMount
		}
		if len(all) == 0 {
			break
		}
	}
	if total > 5000 || !everything {
		t.Errorf("%d notifications, that all is stale: %v", total, everything)
	}
}

func TestWithoutEventsTrustIsShort(t *testing.T) {
	d := newDriver(t, allFeatures&^wire.FeatureEvents, nil, memory())
	d.mountExport("", 0)
	d.create("f", 0)
	if a := d.lookup(d.root, "f"); a.AttrValid == wire.Forever || a.EntryValid == wire.Forever || a.AttrValid == 0 {
		t.Errorf("%+v", a)
	}
}

func TestTheHostAsksForMounts(t *testing.T) {
	c := newClient(t, memory())
	for _, ok := range []bool{c.dev.MountNotify("ws", "/d"), c.dev.UmountNotify("/d"), c.dev.MountNotify("ws", "/d")} {
		if !ok {
			t.Error("refused")
		}
	}
	if c.dev.MountNotify("ws", string(make([]byte, 246))) || c.dev.UmountNotify(string(make([]byte, 248))) {
		t.Error("what is too long for the drivers' buffers is sent")
	}
	d := &driver{Driver: c.Driver, t: t, dev: c.dev}
	all := d.told(0)
	if c.dev.Deliver(); len(all) != 0 {
		t.Error("delivered without a buffer")
	}
	at := d.Post(2, 0, 256)
	for i := range uint16(3) {
		d.Post(2, i+1, 256)
	}
	c.dev.Deliver()
	var got []string
	for range 3 {
		head, n, _ := d.Used(2)
		p := make([]byte, n)
		d.Memory.ReadAt(p, at+mem.Addr(head)*256)
		got = append(got, fmt.Sprintf("%x", p))
	}
	const mount, umount = "0f0000002200000200777302002f64", "0b00000023000002002f64"
	if fmt.Sprint(got) != fmt.Sprint([]string{mount, umount, mount}) {
		t.Errorf("sent %v", got)
	}
}
