package v86fs_test

import (
	"encoding/binary"
	"testing"

	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/devices/v86fs/memfs"
	"github.com/gov86/gov86/devices/v86fs/wire"
)

// A poor backend can do what every backend has to, and nothing else.
type poor struct {
	v86fs.Unsupported
	core
}

// core is the part of a backend that Unsupported leaves out.
type core interface {
	Root() (v86fs.Attr, error)
	Lookup(dir v86fs.Node, name string) (v86fs.Attr, error)
	Getattr(n v86fs.Node) (v86fs.Attr, error)
	Setattr(n v86fs.Node, c v86fs.Change) (v86fs.Attr, error)
	Readdir(dir v86fs.Node) ([]v86fs.Entry, error)
	Open(n v86fs.Node, writable bool) error
	Close(n v86fs.Node)
	Read(n v86fs.Node, p [][]byte, off uint64) (int, error)
	Write(n v86fs.Node, p [][]byte, off uint64, flags uint32) (uint64, int, error)
	Create(dir v86fs.Node, name string, w v86fs.NewFile) (v86fs.Attr, error)
	Readlink(n v86fs.Node) (string, error)
	Unlink(dir v86fs.Node, name string) error
	Rmdir(dir v86fs.Node, name string) error
	Rename(oldDir v86fs.Node, oldName string, newDir v86fs.Node, newName string, flags uint32) error
	Fsync(n v86fs.Node, dataOnly bool) error
	Statfs() (v86fs.Statfs, error)
}

func TestWhatABackendCannotDoIsRefused(t *testing.T) {
	d := newDriver(t, allFeatures, nil, v86fs.Export{Backend: poor{core: memfs.New(memfs.DefaultLimit, nil)}})
	if m := d.mountExport("", 0); m.Flags&^wire.MountWatched != 0 {
		t.Errorf("MOUNT2: flags %#x", m.Flags)
	}
	cannot := map[wire.Type]bool{wire.Fallocate: true, wire.CopyRange: true, wire.Link: true, wire.Tmpfile: true,
		wire.Setxattr: true, wire.Getxattr: true, wire.Listxattr: true, wire.Removexattr: true, wire.Getlk: true,
		wire.Setlk: true, wire.Syncfs: true}
	linked := map[wire.Type]bool{wire.Rename2: true, wire.Unlink2: true} // of what LINK would have made
	for _, s := range sound(d, d.create("f", 2)) {
		switch {
		case linked[s.kind]:
		case cannot[s.kind]:
			d.fails(v86fs.EOPNOTSUPP, s.kind, s.node, s.body)
		case s.kind != wire.Seek:
			d.must(s.kind, s.node, s.body, nil)
		}
	}
}

func TestSeekWithoutHolesToTellOf(t *testing.T) {
	d := newDriver(t, allFeatures, nil, v86fs.Export{Backend: poor{core: memfs.New(memfs.DefaultLimit, nil)}})
	d.mountExport("", 0)
	o := d.create("f", 2)
	d.must(wire.Setattr2, o.Attr.Node, &wire.Setattr2Request{Valid: wire.SetSize, Size: 100}, nil)
	var at wire.SeekResponse
	for _, c := range []struct {
		whence uint32
		want   uint64
	}{{wire.SeekData, 7}, {wire.SeekHole, 100}} {
		if d.must(wire.Seek, o.Attr.Node, &wire.SeekRequest{Offset: 7, Whence: c.whence}, &at); at.Offset != c.want {
			t.Errorf("SEEK %d: %d, want %d", c.whence, at.Offset, c.want)
		}
	}
	d.fails(v86fs.ENXIO, wire.Seek, o.Attr.Node, &wire.SeekRequest{Offset: 100, Whence: wire.SeekData})
	d.fails(v86fs.EINVAL, wire.Seek, o.Attr.Node, &wire.SeekRequest{Whence: 0})
}

func TestNothingChangesInTheExportThatIsNone(t *testing.T) {
	c := newClient(t)
	root := c.mount("any")
	for kind, body := range map[wire.Type]func(*wire.Writer){
		wire.Create: entry(root, "x", 0o100644), wire.Mkdir: entry(root, "x", 0o40755), wire.Unlink: entry(root, "f"),
		wire.Symlink: func(w *wire.Writer) { w.U64(root); w.Text("x"); w.Text("y") },
		wire.Rename:  func(w *wire.Writer) { w.U64(root); w.Text("f"); w.U64(root); w.Text("g") },
		wire.Setattr: func(w *wire.Writer) { w.U64(root); w.U32(1); w.U32(0); w.U64(0) },
		wire.Write:   func(w *wire.Writer) { w.U64(root); w.U64(0); w.U32(1); w.U8('x') },
	} {
		if status, _ := c.call(kind, body); status != uint32(v86fs.EROFS) {
			t.Errorf("%v: %d, want EROFS", kind, status)
		}
	}
	for kind, want := range map[wire.Type]v86fs.Errno{wire.Getattr: 0, wire.Readdir: 0, wire.Fsync: 0, wire.Readlink: v86fs.EINVAL} {
		if status, _ := c.call(kind, inode(root)); status != uint32(want) {
			t.Errorf("%v: %d, want %d", kind, status, want)
		}
	}
	if status, p := c.call(wire.Lookup, entry(root, "f")); status != 2 || binary.LittleEndian.Uint64(p) != 0 {
		t.Errorf("LOOKUP: %d, % x", status, p)
	}
	if status, _ := c.call(wire.Statfs, func(*wire.Writer) {}); status != 0 {
		t.Errorf("STATFS: %d", status)
	}
}

// TestALockRefusedLeavesTheOldOne asks for more than the host gives.
func TestALockRefusedLeavesTheOldOne(t *testing.T) {
	d, c, b, a := rivals(t)
	set := func(l *locker, kind uint32, start, end uint64, want v86fs.Errno) {
		t.Helper()
		tag := d.send(1, wire.Setlk, l.file.Attr.Node, l.body(kind, start, end, 0))
		c.Drain()
		d.granted(tag, want)
	}
	rival := func(held bool) {
		b.mu.Lock()
		b.held = held
		b.mu.Unlock()
	}
	other := &locker{d, a.file, 2}
	rival(false)
	set(a, wire.LockRead, 0, 9, 0)
	rival(true)
	set(a, wire.LockWrite, 5, 20, v86fs.EAGAIN)
	rival(false)
	set(other, wire.LockRead, 0, 9, 0)
	set(other, wire.LockWrite, 7, 7, v86fs.EAGAIN)
	set(other, wire.LockWrite, 10, 20, 0)
}

func TestWhenNewsWasLostAllIsStale(t *testing.T) {
	d, w := watching(t)
	w.host.InvalidateAll()
	all := d.told(4)
	if len(all) != 1 {
		t.Fatalf("%d notifications", len(all))
	}
	if n := notice(t, all[0], nil); n.Type != wire.InvalMount || n.Mount != d.mount || n.Version == 0 {
		t.Errorf("%+v", n)
	}
}

func TestHandlesAreBounded(t *testing.T) {
	b := newAccountant()
	d := newDriver(t, allFeatures, nil, v86fs.Export{Backend: b})
	d.mountExport("", 0)
	n := d.create("f", 0).Attr.Node
	const limit = 1 << 16
	for i := range limit {
		a := d.call(wire.Open2, n, &wire.Open2Request{}, nil)
		if full := i == limit-1; (v86fs.Errno(a.Status) == v86fs.ENFILE) != full {
			t.Fatalf("open %d: status %d", i+2, a.Status)
		}
	}
	for _, opens := range b.opens {
		if opens != limit {
			t.Errorf("the backend has the file open %d times, want %d", opens, limit)
		}
	}
	before := len(b.lookups)
	d.fails(v86fs.ENFILE, wire.Create2, d.root, &wire.Create2Request{Name: "g"})
	if len(b.lookups) != before || len(b.opens) != 1 {
		t.Errorf("a file that was made without a handle is still known: %v, %v", b.lookups, b.opens)
	}
	d.must(wire.Umount, 0, nil, nil)
	b.settled(t, "UMOUNT")
}
