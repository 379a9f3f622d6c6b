package v86fs_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/devices/v86fs/wire"
	"github.com/gov86/gov86/devices/virtio"
	"github.com/gov86/gov86/devices/virtio/virtiotest"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/mem"
)

const allFeatures = virtio.FeatureVersion1 | virtio.FeatureIndirectDesc | wire.FeatureExtended | wire.FeatureAsync | wire.FeatureEvents

// A driver speaks the extended protocol to a device, each request in buffers of
// its own.
type driver struct {
	*virtiotest.Driver
	t     testing.TB
	dev   *v86fs.Device
	mount uint32
	root  uint64
	slots map[uint16]mem.Addr // where the answers of requests under way will be
	slot  uint16
}

const (
	slotsAt  mem.Addr = 0x80000
	slotSize mem.Addr = 0x4000
	slots    uint16   = 16
)

func newDriver(t testing.TB, features uint64, host v86fs.Host, exports ...v86fs.Export) *driver {
	t.Helper()
	b := virtiotest.NewBoard(t)
	dev := v86fs.New(exports, slog.New(slog.DiscardHandler))
	if host != nil {
		dev.SetHost(host)
	}
	virtio.NewPCI(dev, b.Bus, 14, [4]uint16{0xf800, 0xf900, 0xf700, 0xf600}, b.Memory)
	d := &driver{Driver: virtiotest.Find(t, b, 14), t: t, dev: dev, slots: map[uint16]mem.Addr{}}
	if !d.Start(features, 3, 128) {
		t.Fatal("the device refuses the features")
	}
	return d
}

// extended returns a driver that has mounted an export in memory.
func extended(t testing.TB) *driver {
	t.Helper()
	d := newDriver(t, allFeatures, nil, memory())
	d.mountExport("", 0)
	return d
}

func (d *driver) mountExport(name string, flags uint32) wire.Mount2Response {
	d.t.Helper()
	var m wire.Mount2Response
	d.mount = 0
	d.must(wire.Mount2, 0, &wire.Mount2Request{Flags: flags, Name: name}, &m)
	d.mount, d.root = m.Mount, m.Root.Node
	return m
}

// submit offers a request on a queue, with data and room for data, and kicks.
// The tag of the request is its descriptor's number.
func (d *driver) submit(q int, r wire.Request, body wire.Message, data []byte, room int) uint16 {
	d.t.Helper()
	d.slot++
	head := d.slot % slots * 4
	at := slotsAt + mem.Addr(d.slot%slots)*slotSize
	r.Tag = head
	message := r.Append(nil, body)
	out := append(message, data...)
	if err := d.Memory.WriteAt(out, at); err != nil {
		d.t.Fatal(err)
	}
	answer := at + mem.Addr(len(out)+63)&^63
	d.Descriptor(q, head, at, uint32(len(message)), 1, head+1)
	d.Descriptor(q, head+1, at+mem.Addr(len(message)), uint32(len(data)), 1, head+2)
	// The message's size is not the driver's to know here: it is cut at 10 bytes.
	d.Descriptor(q, head+2, answer, 10, 3, head+3)
	d.Descriptor(q, head+3, answer+10, uint32(room), 2, 0)
	d.slots[head] = answer
	d.Offer(q, head)
	d.Kick(q)
	return head
}

// An answered is a response.
type answered struct {
	wire.Reply
	body, data []byte
}

// collect takes what the device has answered, by tag.
func (d *driver) collect(q int) map[uint16]answered {
	d.t.Helper()
	all := map[uint16]answered{}
	for {
		head, n, ok := d.Used(q)
		if !ok {
			return all
		}
		p := make([]byte, n)
		if err := d.Memory.ReadAt(p, d.slots[head]); err != nil {
			d.t.Fatal(err)
		}
		var a answered
		if n > 0 {
			var err error
			if a.body, err = a.Decode(p); err != nil {
				d.t.Fatalf("a response of % x: %v", p, err)
			}
			a.data = p[wire.ReplySize+len(a.body):]
			if len(a.data) != int(a.Data) || a.Tag != head {
				d.t.Fatalf("%v has tag %d, %d bytes of data and says %d", a.Type, a.Tag, len(a.data), a.Data)
			}
		}
		all[head] = a
	}
}

// call sends a request and waits for its answer.
func (d *driver) call(t wire.Type, node uint64, body wire.Message, data []byte) answered {
	d.t.Helper()
	tag := d.submit(1, wire.Request{Type: t, Mount: d.mount, UID: 7, GID: 8, PID: 99, Node: node}, body, data, 0x2800)
	a, ok := d.collect(1)[tag]
	if !ok {
		d.t.Fatalf("%v is not answered", t)
	}
	return a
}

// must is call for a request that succeeds.
func (d *driver) must(t wire.Type, node uint64, body, out wire.Message) answered {
	d.t.Helper()
	a := d.call(t, node, body, nil)
	if a.Status != 0 || a.Type != t|wire.Response {
		d.t.Fatalf("%v: %v status %d", t, a.Type, a.Status)
	}
	if out != nil {
		if err := wire.DecodeBody(a.body, out); err != nil {
			d.t.Fatalf("%v: a body of %d bytes: %v", t, len(a.body), err)
		}
	}
	return a
}

// fails checks that a request is refused.
func (d *driver) fails(want v86fs.Errno, t wire.Type, node uint64, body wire.Message) {
	d.t.Helper()
	if a := d.call(t, node, body, nil); v86fs.Errno(a.Status) != want {
		d.t.Errorf("%v: status %d, want %d", t, a.Status, want)
	}
}

func (d *driver) create(name string, flags uint32) (o wire.OpenResponse) {
	d.t.Helper()
	d.must(wire.Create2, d.root, &wire.Create2Request{Flags: flags, Mode: 0o100644, Name: name}, &o)
	return o
}

func (d *driver) lookup(dir uint64, name string) (a wire.Attr) {
	d.t.Helper()
	d.must(wire.Lookup2, dir, &wire.Name2Request{Name: name}, &a)
	return a
}

func TestConfigurationSpaceTellsTheLimits(t *testing.T) {
	d := newDriver(t, allFeatures, nil, memory(), memory())
	var p []byte
	for i := range uint16(32) {
		p = append(p, byte(d.Ports.In(0xf600+i, portio.Byte)))
	}
	var c wire.Config
	if _, err := wire.CutMessage(p, &c); err != nil || c.Version != 1 || c.MaxData != 1<<20 || c.Exports != 2 || c.NotifySize != 512 {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestDriverWithoutTheFeatureGetsNoExtension(t *testing.T) {
	d := newDriver(t, virtio.FeatureVersion1|wire.FeatureAsync, nil, memory())
	r := wire.Request{Type: wire.Mount2}
	if p := d.Request(0, r.Append(nil, &wire.Mount2Request{}), 256); len(p) != 0 {
		t.Errorf("MOUNT2 is answered by % x", p)
	}
}

func TestAFileThroughItsLife(t *testing.T) {
	d := extended(t)
	o := d.create("f", 2)
	if o.Flags != wire.OpenedCreated || o.Handle < 1<<32 || o.Attr.UID != 7 || o.Attr.GID != 8 || o.Attr.Mode != 0o100644 {
		t.Errorf("CREATE2: %+v", o)
	}
	n := o.Attr.Node
	const at = 5 << 32
	var w wire.Write2Response
	a := d.call(wire.Write2, n, &wire.Write2Request{Handle: o.Handle, Offset: at, Size: 5}, []byte("hello"))
	if err := wire.DecodeBody(a.body, &w); err != nil || a.Status != 0 || w.Offset != at || w.Written != 5 || w.Attr.Size != at+5 {
		t.Fatalf("WRITE2: status %d, %+v, %v", a.Status, w, err)
	}
	a = d.call(wire.Write2, n, &wire.Write2Request{Handle: o.Handle, Size: 1, Flags: wire.WriteAppend}, []byte("!"))
	if wire.DecodeBody(a.body, &w); w.Offset != at+5 || w.Attr.Size != at+6 {
		t.Errorf("append: status %d, %+v", a.Status, w)
	}
	for _, handle := range []uint64{o.Handle, 0} {
		a = d.must(wire.Read2, n, &wire.Read2Request{Handle: handle, Offset: at - 2, Size: 100}, nil)
		if string(a.data) != "\x00\x00hello!" {
			t.Errorf("READ2 by %#x: %q", handle, a.data)
		}
	}
	d.must(wire.Link, d.root, &wire.LinkRequest{File: n, Name: "g"}, nil)
	d.must(wire.Unlink2, d.root, &wire.Name2Request{Name: "f"}, nil)
	var attr wire.Attr
	d.must(wire.Getattr2, n, &wire.HandleRequest{}, &attr)
	if attr.Nlink != 1 || attr.AttrValid != wire.Forever || attr.EntryValid != 0 {
		t.Errorf("GETATTR2: %+v", attr)
	}
	d.must(wire.Rename2, d.root, &wire.Rename2Request{NewDir: d.root, OldName: "g", NewName: "h"}, nil)
	if attr = d.lookup(d.root, "h"); attr.Node != n || attr.EntryValid != wire.Forever {
		t.Errorf("LOOKUP2: %+v", attr)
	}
	d.must(wire.Fsync2, n, &wire.Fsync2Request{Handle: o.Handle}, nil)
	d.fails(v86fs.EBADF, wire.Release, n, &wire.HandleRequest{})
	d.must(wire.Release, n, &wire.HandleRequest{Handle: o.Handle}, nil)
	d.fails(v86fs.EBADF, wire.Read2, n, &wire.Read2Request{Handle: o.Handle, Size: 1})
}

func TestANodeLivesAsLongAsItsLookups(t *testing.T) {
	d := extended(t)
	o := d.create("f", 0)
	n := o.Attr.Node
	d.lookup(d.root, "f")
	forget := func(count uint64) {
		a := d.call(wire.Forget, 0, &wire.ForgetRequest{Nodes: []wire.Forgotten{{Node: 12345, Lookups: 1}, {Node: n, Lookups: count}}}, nil)
		if a.Type != 0 {
			t.Errorf("FORGET is answered: %+v", a)
		}
	}
	forget(1)
	d.must(wire.Getattr2, n, &wire.HandleRequest{}, nil)
	forget(1)
	d.must(wire.Getattr2, n, &wire.HandleRequest{}, nil) // the handle keeps it
	d.must(wire.Release, n, &wire.HandleRequest{Handle: o.Handle}, nil)
	d.fails(v86fs.ESTALE, wire.Getattr2, n, &wire.HandleRequest{})
	if a := d.lookup(d.root, "f"); a.Node == n || a.Ino != o.Attr.Ino {
		t.Errorf("looked up again: node %d and ino %d, were %d and %d", a.Node, a.Ino, n, o.Attr.Ino)
	}
	n = d.root
	forget(100)
	d.must(wire.Getattr2, d.root, &wire.HandleRequest{}, nil)
}

func TestAListingComesInPages(t *testing.T) {
	d := extended(t)
	want := map[string]uint64{}
	for i := range 300 {
		name := strings.Repeat("n", i%100+1) + string(rune('a'+i/100))
		o := d.create(name, 0)
		want[name] = o.Attr.Ino
		d.must(wire.Release, o.Attr.Node, &wire.HandleRequest{Handle: o.Handle}, nil)
	}
	var dir wire.OpenResponse
	d.must(wire.Open2, d.root, &wire.Open2Request{}, &dir)
	for _, flags := range []uint32{0, wire.ReaddirPlus} {
		got := map[string]uint64{}
		for cookie, pages, end := uint64(0), 0, false; !end; pages++ {
			a := d.must(wire.Readdir2, d.root, &wire.Readdir2Request{Handle: dir.Handle, Cookie: cookie, Size: 4000, Flags: flags}, nil)
			end = a.Flags&wire.ReplyEnd != 0
			for b := a.data; len(b) > 0; {
				var e wire.DirEntry
				if flags != 0 {
					e.Attr = &wire.Attr{}
				}
				var err error
				if b, err = wire.CutMessage(b, &e); err != nil {
					t.Fatal(err)
				}
				if _, twice := got[e.Name]; twice || e.Type != 8 || flags != 0 && (e.Attr.Node == 0 || e.Attr.Ino != e.Ino) {
					t.Errorf("entry %+v", e)
				}
				got[e.Name], cookie = e.Ino, e.Cookie
			}
			if pages == 0 && flags == 0 { // what is listed stays, whatever happens
				d.must(wire.Unlink2, d.root, &wire.Name2Request{Name: strings.Repeat("n", 100) + "c"}, nil)
				d.create(strings.Repeat("n", 100)+"c", 0)
			}
			if pages > 100 {
				t.Fatal("the listing does not end")
			}
		}
		if len(got) != len(want) {
			t.Errorf("flags %d: %d names, want %d", flags, len(got), len(want))
		}
	}
	d.fails(v86fs.EINVAL, wire.Readdir2, d.root, &wire.Readdir2Request{Handle: dir.Handle, Size: 10})
	d.fails(v86fs.EBADF, wire.Readdir2, d.root, &wire.Readdir2Request{Size: 4000})
}

func TestOtherRequestsReachTheBackend(t *testing.T) {
	d := extended(t)
	var a wire.Attr
	d.must(wire.Mkdir2, d.root, &wire.Mkdir2Request{Mode: 0o40777, Umask: 0o22, Name: "d"}, &a)
	if a.Mode != 0o40755 {
		t.Errorf("MKDIR2: mode %o", a.Mode)
	}
	dir := a.Node
	d.must(wire.Mknod, dir, &wire.MknodRequest{Mode: 0o20644, Major: 4, Minor: 64, Name: "tty"}, &a)
	if a.RdevMajor != 4 || a.RdevMinor != 64 {
		t.Errorf("MKNOD: %+v", a)
	}
	d.fails(v86fs.EACCES, wire.Open2, a.Node, &wire.Open2Request{})
	d.must(wire.Symlink2, dir, &wire.Symlink2Request{Name: "l", Target: "../t\xff"}, &a)
	if got := d.must(wire.Readlink2, a.Node, nil, nil); string(got.data) != "../t\xff" {
		t.Errorf("READLINK2: %q", got.data)
	}
	d.fails(v86fs.ELOOP, wire.Open2, a.Node, &wire.Open2Request{})
	r := wire.Request{Type: wire.Readlink2, Mount: d.mount, Node: a.Node}
	if p := d.Request(0, r.Append(nil, nil), wire.ReplySize+4); len(p) != wire.ReplySize || v86fs.Errno(p[8]) != v86fs.ERANGE {
		t.Errorf("READLINK2 without room is answered by % x", p)
	}
	d.fails(v86fs.ENOTEMPTY, wire.Rmdir, d.root, &wire.Name2Request{Name: "d"})
	var tmp wire.OpenResponse
	d.must(wire.Tmpfile, dir, &wire.TmpfileRequest{Flags: 2, Mode: 0o600}, &tmp)
	d.must(wire.Fallocate, tmp.Attr.Node, &wire.FallocateRequest{Handle: tmp.Handle, Length: 8192}, &a)
	if a.Size != 8192 || a.Blocks != 16 {
		t.Errorf("FALLOCATE: %+v", a)
	}
	var at wire.SeekResponse
	d.must(wire.Seek, tmp.Attr.Node, &wire.SeekRequest{Handle: tmp.Handle, Offset: 1, Whence: wire.SeekHole}, &at)
	if at.Offset != 8192 {
		t.Errorf("SEEK: %d", at.Offset)
	}
	o := d.create("to", 2)
	var c wire.CopyRangeResponse
	d.must(wire.CopyRange, tmp.Attr.Node, &wire.CopyRangeRequest{Handle: tmp.Handle, Offset: 8000, ToNode: o.Attr.Node,
		ToHandle: o.Handle, ToOffset: 10, Length: 1000}, &c)
	if c.Copied != 192 || c.Attr.Size != 202 || c.Attr.Node != o.Attr.Node {
		t.Errorf("COPY_RANGE: %+v", c)
	}
	d.must(wire.Setattr2, o.Attr.Node, &wire.Setattr2Request{Valid: wire.SetSize | wire.SetUID, Size: 3, UID: 1234}, &a)
	if a.Size != 3 || a.UID != 1234 {
		t.Errorf("SETATTR2: %+v", a)
	}
	d.must(wire.Open2, o.Attr.Node, &wire.Open2Request{Flags: 1 | wire.OpenTrunc}, &tmp)
	if tmp.Attr.Size != 0 {
		t.Errorf("OPEN2 with TRUNC: %+v", tmp)
	}
	var st wire.Statfs2Response
	d.must(wire.Statfs2, d.root, nil, &st)
	if st.Namelen != 255 || st.Kind == 0 || st.Frsize == 0 {
		t.Errorf("STATFS2: %+v", st)
	}
	d.must(wire.Syncfs, 0, nil, nil)
}

func TestExtendedAttributesTravel(t *testing.T) {
	d := extended(t)
	n := d.create("f", 0).Attr.Node
	value := bytes.Repeat([]byte{0xa5}, 3000)
	a := d.call(wire.Setxattr, n, &wire.SetxattrRequest{Size: 3000, Name: "user.x"}, value)
	if a.Status != 0 {
		t.Fatalf("SETXATTR: %d", a.Status)
	}
	var x wire.XattrResponse
	a = d.must(wire.Getxattr, n, &wire.GetxattrRequest{Name: "user.x"}, &x)
	if x.Size != 3000 || len(a.data) != 0 {
		t.Errorf("its size: %d, %d bytes", x.Size, len(a.data))
	}
	d.fails(v86fs.ERANGE, wire.Getxattr, n, &wire.GetxattrRequest{Size: 2999, Name: "user.x"})
	if a = d.must(wire.Getxattr, n, &wire.GetxattrRequest{Size: 3000, Name: "user.x"}, &x); !bytes.Equal(a.data, value) {
		t.Errorf("the value has %d bytes", len(a.data))
	}
	if a = d.must(wire.Listxattr, n, &wire.ListxattrRequest{Size: 100}, &x); string(a.data) != "user.x\x00" {
		t.Errorf("LISTXATTR: %q", a.data)
	}
	d.must(wire.Removexattr, n, &wire.Name2Request{Name: "user.x"}, nil)
	d.fails(v86fs.ENODATA, wire.Removexattr, n, &wire.Name2Request{Name: "user.x"})
}

func TestExportsAreListedAndMounted(t *testing.T) {
	second := memory()
	second.Name, second.ReadOnly = "second", true
	d := newDriver(t, allFeatures, nil, memory(), second)
	a := d.must(wire.Exports, 0, &wire.ExportsRequest{First: 1, Size: 100}, nil)
	var e wire.ExportEntry
	if rest, err := wire.CutMessage(a.data, &e); err != nil || len(rest) != 0 || e != (wire.ExportEntry{Flags: 1, Name: "second"}) || a.Flags != wire.ReplyEnd {
		t.Errorf("EXPORTS: %+v, %v, flags %d", e, err, a.Flags)
	}
	d.fails(v86fs.EINVAL, wire.Exports, 0, &wire.ExportsRequest{Size: 3})
	d.fails(v86fs.ENOENT, wire.Mount2, 0, &wire.Mount2Request{Name: "third"})
	if m := d.mountExport("second", 0); m.Flags&wire.MountReadOnly == 0 {
		t.Errorf("MOUNT2: flags %#x", m.Flags)
	}
	first := d.mountExport("m", 0)
	d.mount = 0
	d.fails(v86fs.ESTALE, wire.Getattr2, first.Root.Node, &wire.HandleRequest{})
	d.mount = first.Mount
	o := d.create("f", 0)
	d.must(wire.Umount, 0, nil, nil)
	d.fails(v86fs.ESTALE, wire.Getattr2, o.Attr.Node, &wire.HandleRequest{})
	if m := d.mountExport("m", 0); m.Root.Node == first.Root.Node || m.Mount == first.Mount {
		t.Errorf("mounted again the numbers are the same: %+v", m)
	}
	var file wire.OpenResponse
	d.must(wire.Open2, d.lookup(d.root, "f").Node, &wire.Open2Request{}, &file)
	if file.Handle == o.Handle {
		t.Error("a handle comes again")
	}
}

func TestANameThatIsNotThereIsCached(t *testing.T) {
	d := extended(t)
	a := d.call(wire.Lookup2, d.root, &wire.Name2Request{Name: "none"}, nil)
	var attr wire.Attr
	if err := wire.DecodeBody(a.body, &attr); err != nil || a.Status != 2 || attr != (wire.Attr{EntryValid: wire.Forever}) {
		t.Errorf("status %d, %+v, %v", a.Status, attr, err)
	}
}

func TestCreateOpensWhatIsThere(t *testing.T) {
	d := extended(t)
	first := d.create("f", 2)
	d.call(wire.Write2, first.Attr.Node, &wire.Write2Request{Handle: first.Handle, Size: 3}, []byte("abc"))
	if o := d.create("f", 1); o.Flags != 0 || o.Attr.Node != first.Attr.Node || o.Attr.Size != 3 || o.Handle == first.Handle {
		t.Errorf("CREATE2 of a file that is there: %+v", o)
	}
	if o := d.create("f", 1|wire.OpenTrunc); o.Attr.Size != 0 {
		t.Errorf("with TRUNC: %+v", o)
	}
	d.fails(v86fs.EEXIST, wire.Create2, d.root, &wire.Create2Request{Flags: wire.OpenExcl, Name: "f"})
	d.must(wire.Mkdir2, d.root, &wire.Mkdir2Request{Name: "d"}, nil)
	d.fails(v86fs.EEXIST, wire.Create2, d.root, &wire.Create2Request{Name: "d"})
	var o wire.OpenResponse
	d.must(wire.Open2, first.Attr.Node, &wire.Open2Request{}, &o)
	d.fails(v86fs.EBADF, wire.Fallocate, first.Attr.Node, &wire.FallocateRequest{Handle: o.Handle, Length: 1})
}
