package v86fs_test

import (
	"bytes"
	"encoding/binary"
	"log/slog"
	"strings"
	"testing"

	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/devices/v86fs/memfs"
	"github.com/gov86/gov86/devices/v86fs/wire"
	"github.com/gov86/gov86/devices/virtio"
	"github.com/gov86/gov86/devices/virtio/virtiotest"
	"github.com/gov86/gov86/mem"
)

// A client speaks the protocol to a device.
type client struct {
	*virtiotest.Driver
	t   testing.TB
	dev *v86fs.Device
}

func newClient(t testing.TB, exports ...v86fs.Export) *client {
	b := virtiotest.NewBoard(t)
	dev := v86fs.New(exports, slog.New(slog.DiscardHandler))
	virtio.NewPCI(dev, b.Bus, 14, [4]uint16{0xf800, 0xf900, 0xf700, 0xf600}, b.Memory)
	c := &client{virtiotest.Find(t, b, 14), t, dev}
	if !c.Start(virtio.FeatureVersion1, 3, 128) {
		t.Fatal("the device refuses VERSION_1")
	}
	return c
}

func memory() v86fs.Export {
	return v86fs.Export{Name: "m", Backend: memfs.New(memfs.DefaultLimit, nil)}
}

// call sends a request and returns the status and what follows it.
func (c *client) call(kind wire.Type, body func(*wire.Writer)) (uint32, []byte) {
	c.t.Helper()
	var w wire.Writer
	w.Begin(kind, 77)
	body(&w)
	p := c.Request(1, w.End(), 8192)
	if len(p) < 11 || p[4] != uint8(kind|wire.Response) || p[5] != 77 || int(binary.LittleEndian.Uint32(p)) != len(p) {
		c.t.Fatalf("%v is answered by % x", kind, p)
	}
	return binary.LittleEndian.Uint32(p[7:]), p[11:]
}

func inode(n uint64) func(*wire.Writer) { return func(w *wire.Writer) { w.U64(n) } }

func entry(dir uint64, name string, more ...uint32) func(*wire.Writer) {
	return func(w *wire.Writer) {
		w.U64(dir)
		w.Text(name)
		for _, v := range more {
			w.U32(v)
		}
	}
}

func (c *client) mount(name string) (root uint64) {
	c.t.Helper()
	status, p := c.call(wire.Mount, func(w *wire.Writer) { w.Text(name) })
	if status != 0 {
		c.t.Fatalf("MOUNT is answered with %d: drivers free twice then", status)
	}
	return binary.LittleEndian.Uint64(p)
}

func TestFileIsCreatedWrittenReadAndListed(t *testing.T) {
	c := newClient(t, memory())
	root := c.mount("")
	if root != 1 {
		t.Errorf("the first root is %d, want 1", root)
	}
	_, p := c.call(wire.Create, entry(root, "f", 0o100644))
	file := binary.LittleEndian.Uint64(p)
	_, p = c.call(wire.Open, func(w *wire.Writer) { w.U64(file); w.U32(2) })
	handle := binary.LittleEndian.Uint64(p)
	if file >= 1<<32 || handle < 1<<32 {
		t.Errorf("inode %#x and handle %#x may be mistaken for each other", file, handle)
	}
	const at = 1<<32 + 5
	status, p := c.call(wire.Write, func(w *wire.Writer) { w.U64(file); w.U64(at); w.U32(5); w.B = append(w.B, "hello"...) })
	if status != 0 || binary.LittleEndian.Uint32(p) != 5 {
		t.Errorf("WRITE: %d, % x", status, p)
	}
	for _, by := range []uint64{handle, file} {
		_, p = c.call(wire.Read, func(w *wire.Writer) { w.U64(by); w.U64(at - 2); w.U32(100) })
		if string(p[4:]) != "\x00\x00hello" {
			t.Errorf("READ by %#x: %q", by, p)
		}
	}
	_, p = c.call(wire.Getattr, inode(file))
	if size := binary.LittleEndian.Uint64(p[4:]); size != at+5 {
		t.Errorf("GETATTR: size %d, want %d", size, uint64(at+5))
	}
	_, p = c.call(wire.Readdir, inode(root))
	if binary.LittleEndian.Uint32(p) != 1 || string(p[len(p)-1:]) != "f" {
		t.Errorf("READDIR: % x", p)
	}
	if status, _ = c.call(wire.Close, inode(handle)); status != 0 {
		t.Errorf("CLOSE: %d", status)
	}
	if status, _ = c.call(wire.Close, inode(handle)); status != uint32(v86fs.EBADF) {
		t.Errorf("CLOSE again: %d, want EBADF", status)
	}
}

func TestNamesThatLeadElsewhereAreRefused(t *testing.T) {
	c := newClient(t, memory())
	root := c.mount("")
	for _, name := range []string{"", ".", "..", "a/b", "/etc", "nul\x00", strings.Repeat("n", 256)} {
		for _, kind := range []wire.Type{wire.Lookup, wire.Unlink} {
			if status, _ := c.call(kind, entry(root, name)); status == 0 || status == uint32(v86fs.ENOENT) {
				t.Errorf("%v of %q: %d, want a refusal", kind, name, status)
			}
		}
		if status, _ := c.call(wire.Create, entry(root, name, 0o100644)); status == 0 {
			t.Errorf("%q was created", name)
		}
	}
}

func TestUnknownExportIsAnEmptyDirectory(t *testing.T) {
	c := newClient(t, memory())
	root := c.mount("other")
	if _, p := c.call(wire.Readdir, inode(root)); binary.LittleEndian.Uint32(p) != 0 {
		t.Error("it has entries")
	}
	if status, _ := c.call(wire.Create, entry(root, "f", 0o100644)); status != uint32(v86fs.EROFS) {
		t.Errorf("CREATE: %d, want EROFS", status)
	}
}

func TestReadOnlyExportRefusesEveryChange(t *testing.T) {
	x := memory()
	a, err := x.Backend.Create(1, "f", v86fs.NewFile{Mode: v86fs.ModeRegular | 0o644})
	if err != nil {
		t.Fatal(err)
	}
	x.ReadOnly = true
	c := newClient(t, x)
	root := c.mount("")
	_, p := c.call(wire.Lookup, entry(root, "f"))
	file := binary.LittleEndian.Uint64(p)
	for kind, body := range map[wire.Type]func(*wire.Writer){
		wire.Create: entry(root, "x", 0o100644), wire.Mkdir: entry(root, "x", 0o40755), wire.Unlink: entry(root, "f"),
		wire.Symlink: func(w *wire.Writer) { w.U64(root); w.Text("x"); w.Text("y") },
		wire.Rename:  func(w *wire.Writer) { w.U64(root); w.Text("f"); w.U64(root); w.Text("g") },
		wire.Setattr: func(w *wire.Writer) { w.U64(file); w.U32(8); w.U32(0); w.U64(0) },
		wire.Write:   func(w *wire.Writer) { w.U64(file); w.U64(0); w.U32(1); w.U8('x') },
		wire.Open:    func(w *wire.Writer) { w.U64(file); w.U32(1) },
	} {
		if status, _ := c.call(kind, body); status != uint32(v86fs.EROFS) {
			t.Errorf("%v: %d, want EROFS", kind, status)
		}
	}
	if a, err := x.Backend.Getattr(a.Node); err != nil || a.Size != 0 {
		t.Errorf("the file changed: %+v, %v", a, err)
	}
}

func TestReaddirSendsWholeEntriesAndTheirNumber(t *testing.T) {
	x := memory()
	for i := range 2000 {
		if _, err := x.Backend.Create(1, strings.Repeat("n", i%200+1)+string(rune('a'+i/200)), v86fs.NewFile{Mode: v86fs.ModeRegular | 0o644}); err != nil {
			t.Fatal(err)
		}
	}
	c := newClient(t, x)
	_, p := c.call(wire.Readdir, inode(c.mount("")))
	count, n := binary.LittleEndian.Uint32(p), uint32(0)
	for p = p[4:]; len(p) > 0; n++ {
		p = p[11+int(binary.LittleEndian.Uint16(p[9:])):]
	}
	if n != count || n < 50 {
		t.Errorf("%d entries were sent, the count says %d", n, count)
	}
}

func TestMalformedRequestsAreGivenBackUnanswered(t *testing.T) {
	c := newClient(t, memory())
	c.mount("")
	for _, p := range [][]byte{{}, {1, 2, 3}, {7, 0, 0, 0, 0x99, 1, 0}, {7, 0, 0, 0, 1, 1, 0},
		{11, 0, 0, 0, 0, 1, 0, 0xff, 0xff, 'a', 'b'}} {
		if got := c.Request(0, append(p, make([]byte, 0)...), 64); len(got) != 0 {
			t.Errorf("% x is answered by % x", p, got)
		}
	}
}

func TestNoticesWaitForTheDriverAndNoneIsLost(t *testing.T) {
	c := newClient(t, memory())
	root := c.mount("")
	var files []uint64
	for i := range 300 {
		_, p := c.call(wire.Create, entry(root, string(rune('a'+i%26))+strings.Repeat("x", i/26), 0o100644))
		files = append(files, binary.LittleEndian.Uint64(p))
	}
	write := func() {
		for _, f := range files { // in the middle of a page: the rest must be asked again
			c.call(wire.Write, func(w *wire.Writer) { w.U64(f); w.U64(10); w.U32(1); w.U8('x') })
		}
	}
	write()
	if c.dev.Pending() {
		t.Error("there is something to deliver before the driver listens")
	}
	told := map[uint64]int{}
	for range 40 {
		at := c.Post(2, 0, 256)
		c.Kick(2)
		if told[files[0]] == 0 {
			write() // again: joined with what waits
		}
		for i := range uint16(15) {
			c.Post(2, i+1, 256)
		}
		c.dev.Deliver()
		for {
			head, n, ok := c.Used(2)
			if !ok {
				break
			}
			p := make([]byte, n)
			if err := c.Memory.ReadAt(p, at+mem.Addr(head)*256); err != nil {
				t.Fatal(err)
			}
			if n != 31 || p[4] != uint8(wire.Invalidate) || binary.LittleEndian.Uint64(p[15:]) != 0 || binary.LittleEndian.Uint64(p[23:]) != 4096 {
				t.Fatalf("notice % x", p)
			}
			told[binary.LittleEndian.Uint64(p[7:])]++
		}
	}
	for _, f := range files {
		if told[f] == 0 {
			t.Errorf("inode %d was not told of", f)
		}
	}
}

// TestAPageWrittenInPartIsAskedAgain writes 10 bytes at places of a file of 100:
// the first driver has zeros behind them in its cache, unless the file ends there.
func TestAPageWrittenInPartIsAskedAgain(t *testing.T) {
	for _, w := range []struct {
		off   uint64
		asked bool
	}{{0, true}, {50, true}, {90, true}, {4096, false}, {8190, true}} {
		c := newClient(t, memory())
		_, p := c.call(wire.Create, entry(c.mount(""), "f", 0o100644))
		file := binary.LittleEndian.Uint64(p)
		c.Kick(2)
		write := func(off uint64, n int) {
			c.call(wire.Write, func(w *wire.Writer) {
				w.U64(file)
				w.U64(off)
				w.U32(uint32(n))
				w.B = append(w.B, make([]byte, n)...)
			})
		}
		if write(0, 100); c.dev.Pending() {
			t.Error("a new file is asked again")
		}
		if write(w.off, 10); c.dev.Pending() != w.asked {
			t.Errorf("after a write at %d: asked again is %v, want %v", w.off, c.dev.Pending(), w.asked)
		}
	}
}

func FuzzMessages(f *testing.F) {
	f.Add([]byte{0x0b, 0, 0, 0, 0, 1, 0, 2, 0, 'w', 's'})
	f.Add(bytes.Repeat([]byte{8}, 64))
	f.Fuzz(func(t *testing.T, p []byte) {
		if len(p) > 1<<16 {
			t.Skip()
		}
		c := newClient(t, memory())
		root := c.mount("")
		c.call(wire.Create, entry(root, "f", 0o100644))
		for kind := range uint8(0x30) {
			if len(p) > 4 {
				p[4] = kind
			}
			c.Request(0, p, 256)
		}
	})
}
