package v86fs_test

import (
	"fmt"
	"testing"

	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/devices/v86fs/memfs"
	"github.com/gov86/gov86/devices/v86fs/wire"
	"github.com/gov86/gov86/snapshot"
)

// A keeper is a tree in memory whose files are found again by their numbers.
type keeper struct{ *memfs.FS }

func (k keeper) Keep(n v86fs.Node) (v86fs.Place, error) {
	_, err := k.Getattr(n)
	return v86fs.Place{Path: "x", Identity: fmt.Sprint(n)}, err
}

func (k keeper) Find(p v86fs.Place, _ uint64) (v86fs.Attr, error) {
	var n v86fs.Node
	fmt.Sscan(p.Identity, &n)
	return k.Getattr(n)
}

// saveAndLoad has the device of d saved and loaded again. between is done while
// nobody looks.
func (d *driver) saveAndLoad(between func()) {
	d.t.Helper()
	c := snapshot.NewSaver()
	d.dev.Save(c)
	b, err := c.Close()
	if err != nil {
		d.t.Fatal(err)
	}
	between()
	if err := d.dev.Load(snapshot.NewLoader(b)); err != nil {
		d.t.Fatal(err)
	}
	c = snapshot.NewSaver()
	d.dev.Save(c)
	if again, err := c.Close(); err != nil || string(again) != string(b) {
		d.t.Errorf("loaded and saved at once the state is another, %v", err)
	}
	d.dev.Resume()
}

func TestMountsAndOpenFilesGoOnAfterALoad(t *testing.T) {
	files := keeper{memfs.New(1<<20, nil)}
	d := newDriver(t, allFeatures, nil, v86fs.Export{Backend: files})
	d.mountExport("", 0)
	stays, goes := d.create("stays", 2), d.create("goes", 2)
	if a := d.call(wire.Write2, stays.Attr.Node, &wire.Write2Request{Handle: stays.Handle, Size: 7}, []byte("content")); a.Status != 0 {
		t.Fatal(a.Status)
	}
	d.must(wire.Setlk, stays.Attr.Node, &wire.LockRequest{Handle: stays.Handle, Owner: 1, End: 9, Type: v86fs.LockWrite}, nil)
	var list wire.OpenResponse
	d.must(wire.Open2, d.root, &wire.Open2Request{}, &list)
	root, err := files.Root()
	if err != nil {
		t.Fatal(err)
	}
	d.saveAndLoad(func() {
		if err := files.Unlink(root.Node, "goes"); err != nil {
			t.Fatal(err)
		}
	})

	if a := d.must(wire.Read2, stays.Attr.Node, &wire.Read2Request{Handle: stays.Handle, Size: 100}, nil); string(a.data) != "content" {
		t.Errorf("the open file has %q", a.data)
	}
	if again := d.lookup(d.root, "stays"); again.Node != stays.Attr.Node {
		t.Errorf("the file was node %d and is %d", stays.Attr.Node, again.Node)
	}
	d.fails(v86fs.EAGAIN, wire.Setlk, stays.Attr.Node,
		&wire.LockRequest{Handle: stays.Handle, Owner: 2, Start: 5, End: 5, Type: v86fs.LockWrite})
	d.fails(v86fs.ESTALE, wire.Getattr2, goes.Attr.Node, &wire.HandleRequest{})
	d.must(wire.Release, goes.Attr.Node, &wire.HandleRequest{Handle: goes.Handle}, nil)
	all := d.told(4)
	if len(all) != 1 {
		t.Fatalf("%d notifications", len(all))
	}
	if n := notice(t, all[0], nil); n.Type != wire.InvalMount || n.Mount != d.mount {
		t.Errorf("the guest is told %+v, not that all is stale", n)
	}
	if o := d.create("new", 0); o.Handle <= list.Handle || o.Attr.Node <= goes.Attr.Node {
		t.Errorf("a new file has the handle %#x and the node %d, which were given before", o.Handle, o.Attr.Node)
	}
}

func TestAMountThatCannotBeKeptIsRefused(t *testing.T) {
	d := extended(t)
	c := snapshot.NewSaver()
	d.dev.Save(c)
	if _, err := c.Close(); err == nil {
		t.Error("nothing is said")
	}
	d.must(wire.Umount, 0, nil, nil)
	c = snapshot.NewSaver()
	d.dev.Save(c)
	if _, err := c.Close(); err != nil {
		t.Errorf("without mounts: %v", err)
	}
}
