package v86fs_test

import (
	"encoding/binary"
	"testing"

	"github.com/gov86/gov86/devices/v86fs/wire"
	"github.com/gov86/gov86/mem"
)

// benchmark sends one request over and over, its answer not looked at.
func benchmark(b *testing.B, d *driver, message []byte, room uint32) {
	const at mem.Addr = 0xa0000
	if err := d.Memory.WriteAt(message, at); err != nil {
		b.Fatal(err)
	}
	d.Descriptor(0, 0, at, uint32(len(message)), 1, 1)
	d.Descriptor(0, 1, at+0x1000, room, 2, 0)
	b.ReportAllocs()
	for b.Loop() {
		d.Offer(0, 0)
		d.Kick(0)
		if _, n, _ := d.Used(0); n == 0 {
			b.Fatal("not answered")
		}
	}
}

func BenchmarkGetattr(b *testing.B) {
	d := extended(b)
	var w wire.Writer
	w.Begin(wire.Mount, 1)
	w.Text("")
	p := d.Request(0, w.End(), 64)
	w.Begin(wire.Getattr, 1)
	w.U64(binary.LittleEndian.Uint64(p[11:]))
	benchmark(b, d, w.End(), 64)
}

func BenchmarkGetattr2(b *testing.B) {
	d := extended(b)
	r := wire.Request{Type: wire.Getattr2, Mount: d.mount, Node: d.root}
	benchmark(b, d, r.Append(nil, &wire.HandleRequest{}), 256)
}

func BenchmarkRead2(b *testing.B) {
	d := extended(b)
	o := d.create("f", 2)
	const size = 64 << 10
	d.must(wire.Fallocate, o.Attr.Node, &wire.FallocateRequest{Handle: o.Handle, Length: size}, nil)
	r := wire.Request{Type: wire.Read2, Mount: d.mount, Node: o.Attr.Node}
	b.SetBytes(size)
	benchmark(b, d, r.Append(nil, &wire.Read2Request{Handle: o.Handle, Size: size}), wire.ReplySize+size)
}
