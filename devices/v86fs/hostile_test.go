package v86fs_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/devices/v86fs/memfs"
	"github.com/gov86/gov86/devices/v86fs/wire"
)

// requests are one of each type, in order, with bodies that are sound.
func sound(d *driver, o wire.OpenResponse) []struct {
	kind wire.Type
	node uint64
	body wire.Message
} {
	n, h := o.Attr.Node, o.Handle
	return []struct {
		kind wire.Type
		node uint64
		body wire.Message
	}{
		{wire.Exports, 0, &wire.ExportsRequest{Size: 100}},
		{wire.Lookup2, d.root, &wire.Name2Request{Name: "f"}},
		{wire.Getattr2, n, &wire.HandleRequest{Handle: h}},
		{wire.Setattr2, n, &wire.Setattr2Request{Handle: h, Valid: wire.SetMode, Mode: 0o600}},
		{wire.Create2, d.root, &wire.Create2Request{Name: "g"}},
		{wire.Open2, n, &wire.Open2Request{Flags: 1}},
		{wire.Read2, n, &wire.Read2Request{Handle: h, Size: 10}},
		{wire.Write2, n, &wire.Write2Request{Handle: h}},
		{wire.Fsync2, n, &wire.Fsync2Request{Handle: h}},
		{wire.Fallocate, n, &wire.FallocateRequest{Handle: h, Length: 1}},
		{wire.Seek, n, &wire.SeekRequest{Handle: h, Whence: wire.SeekHole}},
		{wire.CopyRange, n, &wire.CopyRangeRequest{Handle: h, ToNode: n, ToHandle: h, ToOffset: 100, Length: 1}},
		{wire.Mknod, d.root, &wire.MknodRequest{Mode: 0o10600, Name: "p"}},
		{wire.Mkdir2, d.root, &wire.Mkdir2Request{Name: "d"}},
		{wire.Symlink2, d.root, &wire.Symlink2Request{Name: "l", Target: "t"}},
		{wire.Link, d.root, &wire.LinkRequest{File: n, Name: "h"}},
		{wire.Rename2, d.root, &wire.Rename2Request{NewDir: d.root, OldName: "h", NewName: "i"}},
		{wire.Unlink2, d.root, &wire.Name2Request{Name: "i"}},
		{wire.Rmdir, d.root, &wire.Name2Request{Name: "d"}},
		{wire.Tmpfile, d.root, &wire.TmpfileRequest{}},
		{wire.Setxattr, n, &wire.SetxattrRequest{Name: "user.a"}},
		{wire.Getxattr, n, &wire.GetxattrRequest{Name: "user.a"}},
		{wire.Listxattr, n, &wire.ListxattrRequest{}},
		{wire.Removexattr, n, &wire.Name2Request{Name: "user.a"}},
		{wire.Getlk, n, &wire.LockRequest{Handle: h, End: 1}},
		{wire.Setlk, n, &wire.LockRequest{Handle: h, End: 1}},
		{wire.Statfs2, d.root, nil},
		{wire.Syncfs, 0, nil},
	}
}

// TestCutRequestsAreRefused cuts each request short, wherever, and lets its
// length say more than there is.
func TestCutRequestsAreRefused(t *testing.T) {
	d := extended(t)
	o := d.create("f", 2)
	for _, s := range sound(d, o) {
		r := wire.Request{Type: s.kind, Mount: d.mount, Node: s.node}
		whole := r.Append(nil, s.body)
		for n := range len(whole) {
			p := append([]byte{}, whole[:n]...)
			if n >= 4 {
				binary.LittleEndian.PutUint32(p, uint32(n))
			}
			got := d.Request(1, p, 512)
			if n < wire.RequestSize {
				if len(got) != 0 {
					t.Errorf("%d bytes of %v are answered by % x", n, s.kind, got)
				}
				continue
			}
			if len(got) < wire.ReplySize || v86fs.Errno(binary.LittleEndian.Uint32(got[8:])) != v86fs.EINVAL {
				t.Errorf("%d bytes of %v are answered by % x, want EINVAL", n, s.kind, got)
			}
			binary.LittleEndian.PutUint32(p, uint32(len(whole)))
			if got = d.Request(1, p, 512); len(got) < wire.ReplySize || v86fs.Errno(binary.LittleEndian.Uint32(got[8:])) != v86fs.EINVAL {
				t.Errorf("%d bytes of %v that claim to be %d: % x", n, s.kind, len(whole), got)
			}
		}
		for room := range 168 {
			got := d.Request(1, whole, room)
			if len(got) > room || room < wire.ReplySize && len(got) != 0 {
				t.Errorf("%v with room for %d bytes is answered by %d", s.kind, room, len(got))
			}
		}
	}
}

func TestWhatIsSoundSucceeds(t *testing.T) {
	d := extended(t)
	for _, s := range sound(d, d.create("f", 2)) {
		d.must(s.kind, s.node, s.body, nil)
	}
}

func TestStrangersAreNotServed(t *testing.T) {
	d := extended(t)
	o := d.create("f", 2)
	mount := d.mount
	for _, s := range sound(d, o) {
		if s.kind == wire.Exports {
			continue
		}
		d.mount = mount + 1
		d.fails(v86fs.ESTALE, s.kind, s.node, s.body)
		d.mount = mount
		if s.node != 0 && s.kind != wire.Statfs2 {
			d.fails(v86fs.ESTALE, s.kind, 1<<40, s.body)
		}
	}
	for kind := wire.LastExtended + 1; kind <= wire.LastReserved; kind++ {
		d.fails(v86fs.ENOSYS, kind, d.root, nil)
	}
	other := d.create("other", 2)
	d.fails(v86fs.EBADF, wire.Read2, o.Attr.Node, &wire.Read2Request{Handle: other.Handle, Size: 1})
	second := d.mountExport("", 0)
	d.fails(v86fs.EBADF, wire.Read2, d.lookup(second.Root.Node, "f").Node, &wire.Read2Request{Handle: o.Handle, Size: 1})
}

func TestReadOnlyMountsRefuseEveryChange(t *testing.T) {
	d := extended(t)
	d.create("f", 2)
	if m := d.mountExport("", wire.MountReadOnly); m.Flags&wire.MountReadOnly == 0 {
		t.Errorf("MOUNT2: flags %#x", m.Flags)
	}
	var o wire.OpenResponse
	d.must(wire.Open2, d.lookup(d.root, "f").Node, &wire.Open2Request{}, &o)
	reads := map[wire.Type]bool{wire.Exports: true, wire.Lookup2: true, wire.Getattr2: true, wire.Read2: true, wire.Fsync2: true,
		wire.Seek: true, wire.Getxattr: true, wire.Listxattr: true, wire.Getlk: true, wire.Setlk: true, wire.Statfs2: true, wire.Syncfs: true}
	for _, s := range sound(d, o) {
		if !reads[s.kind] {
			d.fails(v86fs.EROFS, s.kind, s.node, s.body)
		}
	}
}

func TestNamesThatLeadElsewhereAreRefusedByTheExtension(t *testing.T) {
	d := extended(t)
	n := d.create("f", 0).Attr.Node
	for _, name := range []string{"", ".", "..", "a/b", "/etc", "nul\x00", strings.Repeat("n", 256)} {
		want := v86fs.EINVAL
		if len(name) > 255 {
			want = v86fs.ENAMETOOLONG
		}
		for kind, body := range map[wire.Type]wire.Message{
			wire.Lookup2: &wire.Name2Request{Name: name}, wire.Unlink2: &wire.Name2Request{Name: name},
			wire.Rmdir: &wire.Name2Request{Name: name}, wire.Create2: &wire.Create2Request{Name: name},
			wire.Mknod: &wire.MknodRequest{Name: name}, wire.Mkdir2: &wire.Mkdir2Request{Name: name},
			wire.Symlink2: &wire.Symlink2Request{Name: name, Target: "t"}, wire.Link: &wire.LinkRequest{File: n, Name: name},
			wire.Rename2: &wire.Rename2Request{NewDir: d.root, OldName: "f", NewName: name},
		} {
			d.fails(want, kind, d.root, body)
		}
	}
}

func TestHandlesAndMountsAreBounded(t *testing.T) {
	d := extended(t)
	for i := range 300 {
		a := d.call(wire.Mount2, 0, &wire.Mount2Request{}, nil)
		if want := i >= 255; (a.Status == uint32(v86fs.ENFILE)) != want {
			t.Fatalf("mount %d: status %d", i+2, a.Status)
		}
	}
}

// FuzzExtended sends requests made of arbitrary bytes to a device with a file
// and a directory, some of whose work is under way for a while.
func FuzzExtended(f *testing.F) {
	f.Add([]byte{0x3b, 1, 24, 0, 0, 0, 0, 0, 0, 0, 0})
	for kind := wire.FirstExtended; kind <= wire.LastExtended; kind++ {
		f.Add(append([]byte{uint8(kind), 0x41, 30}, make([]byte, 30)...))
		f.Add(append([]byte{uint8(kind), 0x02, 40}, []byte(strings.Repeat("\x01\x00", 20))...))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		if len(p) > 4096 {
			t.Skip()
		}
		g := &gate{open: true}
		d := newDriver(t, allFeatures, g, v86fs.Export{Backend: memfs.New(1<<20, nil)})
		d.mountExport("", 0)
		o := d.create("f", 2)
		nodes := []uint64{d.root, o.Attr.Node, 0, 1 << 50}
		g.open = false
		for steps := 0; len(p) > 3 && steps < 64; steps++ {
			r := wire.Request{Type: wire.Type(p[0]), Mount: d.mount, Node: nodes[p[1]&3], Tag: uint16(p[1])}
			n := min(int(p[2]), len(p)-3)
			body := p[3 : 3+n]
			if p[1]&0x40 != 0 && n >= 8 { // with the handle there is
				binary.LittleEndian.PutUint64(body, o.Handle)
			}
			message := append(r.Append(nil, nil), body...)
			binary.LittleEndian.PutUint32(message, uint32(len(message)))
			d.Request(int(p[1]>>7), append(message, body...), 1000)
			if p[1]&0x20 != 0 && len(g.jobs) > 0 {
				g.run(int(p[2]) % len(g.jobs))
			}
			if p[1]&0x3c == 0x1c {
				d.told(4)
			}
			p = p[3+n:]
		}
		g.Drain()
		g.open = true
		d.Set(0x14, 1, 0)
	})
}
