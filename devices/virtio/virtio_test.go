package virtio_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/gov86/gov86/devices/virtio"
	"github.com/gov86/gov86/devices/virtio/virtiotest"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/mem"
	"github.com/gov86/gov86/snapshot"
)

// echo answers each chain with what it read.
type echo struct {
	q      []*virtio.Queue
	chain  virtio.Chain
	resets int
}

func (e *echo) Reset()                            { e.q = nil; e.resets++ }
func (e *echo) Save(*snapshot.Codec)              {}
func (e *echo) Load(*snapshot.Codec) error        { return nil }
func (e *echo) ID() uint16                        { return 63 }
func (e *echo) QueueSizes() []uint16              { return []uint16{16} }
func (e *echo) Config() []byte                    { return []byte{1, 2, 3, 4} }
func (e *echo) Start(_ uint64, q []*virtio.Queue) { e.q = q }
func (e *echo) Features() uint64 {
	return virtio.FeatureVersion1 | virtio.FeatureIndirectDesc | virtio.FeatureEventIdx
}

func (e *echo) Notify(n int) {
	for e.q[n].Pop(&e.chain) {
		p := make([]byte, min(e.chain.Readable(), 1<<16))
		r := e.chain.Reader()
		k, _ := r.Read(p)
		w := e.chain.Writer()
		written, _ := w.Write(p[:k])
		e.q[n].Push(&e.chain, written)
	}
}

func newTest(t testing.TB) (*virtiotest.Driver, *echo) {
	b := virtiotest.NewBoard(t)
	e := &echo{}
	virtio.NewPCI(e, b.Bus, 14, [4]uint16{0xf800, 0xf900, 0xf700, 0xf600}, b.Memory)
	return virtiotest.Find(t, b, 14), e
}

func TestFeaturesNotOfferedAreRefused(t *testing.T) {
	d, _ := newTest(t)
	if d.Start(virtio.FeatureVersion1|1<<5, 1, 16) {
		t.Error("a bit that was not offered was taken")
	}
	if d.Start(0, 1, 16) {
		t.Error("a driver without VERSION_1 was taken")
	}
	if !d.Start(virtio.FeatureVersion1, 1, 16) {
		t.Error("VERSION_1 was refused")
	}
}

func TestChainsComeBackAndInterrupt(t *testing.T) {
	for _, features := range []uint64{0, virtio.FeatureEventIdx} {
		d, _ := newTest(t)
		d.Start(virtio.FeatureVersion1|features, 1, 16)
		// More than 65,536: the indices wrap.
		for i := range 70_000 {
			want := []byte{byte(i), byte(i >> 8), 7}
			if got := d.Request(0, want, 64); !bytes.Equal(got, want) {
				t.Fatalf("request %d: % x came back", i, got)
			}
			if i == 0 && (!d.Wires[1].Asserted() || d.ISR() != 1 || d.Wires[1].Asserted()) {
				t.Error("no interrupt, or reading ISR did not end it")
			}
		}
	}
}

func TestSuppressedInterruptsAreNotRaised(t *testing.T) {
	d, _ := newTest(t)
	d.Start(virtio.FeatureVersion1, 1, 16)
	d.Memory.Write(0x12000, 2, 1) // VIRTQ_AVAIL_F_NO_INTERRUPT
	d.Request(0, []byte("x"), 8)
	if d.Wires[1].Asserted() {
		t.Error("interrupt although suppressed")
	}
}

func TestIndirectTablesAreFollowed(t *testing.T) {
	d, _ := newTest(t)
	d.Start(virtio.FeatureVersion1|virtio.FeatureIndirectDesc, 1, 16)
	if err := d.Memory.WriteAt([]byte("indirect"), 0x50000); err != nil {
		t.Fatal(err)
	}
	d.Memory.Write64(0x51000, 0x50000)
	d.Memory.Write64(0x51008, 8|1<<32|1<<48)
	d.Memory.Write64(0x51010, 0x52000)
	d.Memory.Write64(0x51018, 100|2<<32)
	d.Descriptor(0, 3, 0x51000, 32, 4, 0)
	d.Offer(0, 3)
	d.Kick(0)
	head, n, ok := d.Used(0)
	got := make([]byte, 8)
	if err := d.Memory.ReadAt(got, 0x52000); err != nil || !ok || head != 3 || n != 8 || string(got) != "indirect" {
		t.Errorf("head %d, %d bytes, %t: %q", head, n, ok, got)
	}
}

func TestBrokenRingsNeedAReset(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(d *virtiotest.Driver)
	}{
		{"a loop", func(d *virtiotest.Driver) {
			d.Descriptor(0, 0, 0x50000, 4, 1, 1)
			d.Descriptor(0, 1, 0x50000, 4, 1, 0)
			d.Offer(0, 0)
		}},
		{"a head beyond the table", func(d *virtiotest.Driver) { d.Offer(0, 99) }},
		{"a next beyond the table", func(d *virtiotest.Driver) { d.Descriptor(0, 0, 0x50000, 4, 1, 16); d.Offer(0, 0) }},
		{"readable after writable", func(d *virtiotest.Driver) {
			d.Descriptor(0, 0, 0x50000, 4, 3, 1)
			d.Descriptor(0, 1, 0x50000, 4, 0, 0)
			d.Offer(0, 0)
		}},
		{"an index too far ahead", func(d *virtiotest.Driver) { d.Memory.Write(0x12002, 2, 1000) }},
		{"an indirect table not negotiated", func(d *virtiotest.Driver) { d.Descriptor(0, 0, 0x50000, 16, 4, 0); d.Offer(0, 0) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, e := newTest(t)
			d.Start(virtio.FeatureVersion1, 1, 16)
			c.make(d)
			d.Kick(0)
			if d.Get(virtiotest.Status, portio.Byte)&0x40 == 0 {
				t.Error("DEVICE_NEEDS_RESET is not set")
			}
			if _, _, ok := d.Used(0); ok {
				t.Error("the chain was used")
			}
			if !d.Start(virtio.FeatureVersion1, 1, 16) || e.resets == 0 {
				t.Error("the device does not come back by a reset")
			}
			if got := d.Request(0, []byte("ok"), 8); string(got) != "ok" {
				t.Errorf("after the reset %q comes back", got)
			}
		})
	}
}

func TestUnmappedBuffersAreAnsweredWithNothing(t *testing.T) {
	d, _ := newTest(t)
	d.Start(virtio.FeatureVersion1, 1, 16)
	d.Descriptor(0, 0, 0xfff00000, 64, 1, 1)
	d.Descriptor(0, 1, 0xfff00000, 64, 2, 0)
	d.Offer(0, 0)
	d.Kick(0)
	if _, n, ok := d.Used(0); !ok || n != 0 {
		t.Errorf("used %t with %d bytes, want 0", ok, n)
	}
}

func FuzzRings(f *testing.F) {
	f.Add([]byte{0, 0, 1, 2, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		d, _ := newTest(t)
		d.Start(virtio.FeatureVersion1|virtio.FeatureIndirectDesc|virtio.FeatureEventIdx, 1, 16)
		for ; len(b) >= 4; b = b[4:] {
			switch at := uint32(b[0]) | uint32(b[1])<<8; b[0] & 3 {
			case 0:
				d.Set(uint16(at%64), portio.Width(1<<(b[2]%3)), uint32(b[3])*0x01010101)
			case 1:
				d.Kick(0)
			default:
				off := [4]uint32{0x10000, 0x12000, 0x13000, 0x10000}[b[0]>>2&3] + at>>2%0x200
				d.Memory.Write(mem.Addr(off), 1, uint32(b[3]))
			}
		}
		d.Kick(0)
	})
}

// lender answers each chain by what it reads of its readable part, from byte 3
// on, at byte 2 of its writable part, both in the guest's memory.
type lender struct {
	echo
	n    int
	lent error
}

func (l *lender) Notify(n int) {
	for l.q[n].Pop(&l.chain) {
		from, err := l.chain.Readables(3, l.n)
		to, werr := l.chain.Writables(2, l.n)
		if l.lent = errors.Join(err, werr); l.lent == nil {
			all := bytes.Join(from, nil)
			for _, b := range to {
				all = all[copy(b, all):]
			}
		}
		l.q[n].Push(&l.chain, 2+l.n)
	}
}

func TestBuffersAreLentWhereverTheyAreCut(t *testing.T) {
	b := virtiotest.NewBoard(t)
	dev := &lender{}
	virtio.NewPCI(dev, b.Bus, 5, [4]uint16{0xf800, 0xf900, 0xf700, 0xf600}, b.Memory)
	d := virtiotest.Find(t, b, 5)
	if !d.Start(virtio.FeatureVersion1, 1, 16) {
		t.Fatal("not started")
	}
	const at mem.Addr = 0x50000
	text := []byte("..|written in pieces")
	if err := b.Memory.WriteAt(text, at); err != nil {
		t.Fatal(err)
	}
	send := func(n int, last mem.Addr) {
		dev.n = n
		d.Descriptor(0, 0, at, 5, 1, 1)
		d.Descriptor(0, 1, at+5, 0, 1, 2)
		d.Descriptor(0, 2, at+5, uint32(len(text))-5, 1, 3)
		d.Descriptor(0, 3, at+0x1000, 1, 3, 4)
		d.Descriptor(0, 4, at+0x1001, 8, 3, 5)
		d.Descriptor(0, 5, last, 100, 2, 0)
		d.Offer(0, 0)
		d.Kick(0)
		d.Used(0)
	}
	send(len(text)-3, at+0x1009)
	got := make([]byte, len(text)-3)
	if err := b.Memory.ReadAt(got, at+0x1002); err != nil || dev.lent != nil || string(got) != "written in pieces" {
		t.Errorf("%q, %v, %v", got, err, dev.lent)
	}
	if send(len(text)-2, at+0x1009); dev.lent == nil {
		t.Error("more is lent than there is")
	}
	if send(len(text)-3, 0x4000_0000); dev.lent == nil {
		t.Error("what is no memory is lent")
	}
	if send(3, 0x4000_0000); dev.lent != nil {
		t.Errorf("a buffer that is not asked for is looked at: %v", dev.lent)
	}
}
