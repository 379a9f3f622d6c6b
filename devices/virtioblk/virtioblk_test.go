package virtioblk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/gov86/gov86/devices/virtio"
	"github.com/gov86/gov86/devices/virtio/virtiotest"
	"github.com/gov86/gov86/hw/hwtest"
	"github.com/gov86/gov86/mem"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/snapshot/snapshottest"
)

const (
	slot    = 16
	size    = 1 << 20
	headAt  = mem.Addr(0x50000)
	dataAt  = mem.Addr(0x60000)
	tailAt  = mem.Addr(0x51000)
	unwrite = 0xee // of a status that was not written
)

// A bench is a disk with its driver.
type bench struct {
	*virtiotest.Driver
	t         testing.TB
	medium    *hwtest.Medium
	device    *Device
	transport *virtio.PCI
}

func newBench(t testing.TB, m *hwtest.Medium) *bench {
	t.Helper()
	b := &bench{t: t, medium: m, device: New(m, "a disk with a name of its own")}
	board := virtiotest.NewBoard(t)
	b.transport = virtio.NewPCI(b.device, board.Bus, slot, [4]uint16{0xd000, 0xd040, 0xd050, 0xd080}, board.Memory)
	b.Driver = virtiotest.Find(t, board, slot)
	if !b.Driver.Start(b.device.Features(), 1, queueSize) {
		t.Fatal("the device refuses its features")
	}
	return b
}

// offer makes a request available: a header, n bytes of data and a status.
func (b *bench) offer(kind uint32, sector uint64, n int, write bool) {
	b.t.Helper()
	var h [headerLen]byte
	binary.LittleEndian.PutUint32(h[:], kind)
	binary.LittleEndian.PutUint64(h[8:], sector)
	if err := b.Memory.WriteAt(h[:], headAt); err != nil {
		b.t.Fatal(err)
	}
	b.Memory.Write(tailAt, 1, unwrite)
	flags := uint16(1)
	if !write {
		flags |= 2
	}
	b.Descriptor(0, 0, headAt, headerLen, 1, 1)
	b.Descriptor(0, 1, dataAt, uint32(n), flags, 2)
	b.Descriptor(0, 2, tailAt, 1, 2, 0)
	b.Offer(0, 0)
	b.Kick(0)
}

// request is a request that ends at once: its status.
func (b *bench) request(kind uint32, sector uint64, n int, write bool) uint8 {
	b.t.Helper()
	b.offer(kind, sector, n, write)
	_, written, ok := b.Used(0)
	if !ok {
		b.t.Fatal("the request has not ended")
	}
	status := uint8(b.Memory.Read(tailAt, 1))
	if want := uint32(1 + n); status == statusOK && !write && kind == typeIn && written != want {
		b.t.Errorf("%d bytes written, want %d", written, want)
	}
	return status
}

// load loads a state of the device, and the transport's own again.
func (b *bench) load(saved []byte) error {
	b.t.Helper()
	s := snapshot.NewSaver()
	b.transport.Save(s)
	transport, _ := s.Close()
	if err := b.device.Load(snapshot.NewLoader(saved)); err != nil {
		return err
	}
	if err := b.transport.Load(snapshot.NewLoader(transport)); err != nil {
		b.t.Fatal(err)
	}
	return nil
}

func (b *bench) data(n int) []byte {
	p := make([]byte, n)
	if err := b.Memory.ReadAt(p, dataAt); err != nil {
		b.t.Fatal(err)
	}
	return p
}

func (b *bench) set(p []byte) {
	if err := b.Memory.WriteAt(p, dataAt); err != nil {
		b.t.Fatal(err)
	}
}

func segment(sector uint64, n, flags uint32) []byte {
	p := binary.LittleEndian.AppendUint64(nil, sector)
	p = binary.LittleEndian.AppendUint32(p, n)
	return binary.LittleEndian.AppendUint32(p, flags)
}

func TestReadsAndWrites(t *testing.T) {
	b := newBench(t, hwtest.NewMedium(size))
	if got := b.request(typeIn, 5, 3*sectorSize, false); got != statusOK || !bytes.Equal(b.data(3*sectorSize), b.medium.Data[5*sectorSize:][:3*sectorSize]) {
		t.Errorf("a read: status %d", got)
	}
	p := bytes.Repeat([]byte("written "), 128)
	b.set(p)
	if got := b.request(typeOut, 2046, len(p), true); got != statusOK || !bytes.Equal(b.medium.Data[size-len(p):], p) {
		t.Errorf("a write: status %d", got)
	}
	if !b.medium.Unflushed {
		t.Error("flushed without being asked")
	}
	if got := b.request(typeFlush, 0, 0, true); got != statusOK || b.medium.Unflushed {
		t.Errorf("a flush: status %d", got)
	}
	if !b.Wires[(slot-1)&3].Asserted() {
		t.Error("no interrupt")
	}
}

func TestARequestLargerThanWhatIsMovedAtOnce(t *testing.T) {
	b := newBench(t, hwtest.NewMedium(size))
	if got := b.request(typeIn, 0, chunkSize+sectorSize, false); got != statusOK || !bytes.Equal(b.data(chunkSize+sectorSize), b.medium.Data[:chunkSize+sectorSize]) {
		t.Errorf("status %d", got)
	}
}

func TestTheConfiguration(t *testing.T) {
	b := newBench(t, hwtest.NewMedium(size))
	c := b.device.Config()
	le := binary.LittleEndian
	if le.Uint64(c) != 2048 || le.Uint32(c[12:]) != 254 || le.Uint16(c[16:]) != 2 || c[18] != 16 || c[19] != 63 || le.Uint32(c[20:]) != 512 {
		t.Errorf("% x", c)
	}
	if got := b.request(typeGetID, 0, 20, false); got != statusOK || string(b.data(20)) != "a disk with a name o" {
		t.Errorf("name %q, status %d", b.data(20), got)
	}
}

func TestDiscardAndWriteZeroes(t *testing.T) {
	for _, kind := range []uint32{typeDiscard, typeWriteZeroes} {
		b := newBench(t, hwtest.NewMedium(size))
		b.set(segment(8, 16, 0))
		if got := b.request(kind, 0, segmentLen, true); got != statusOK {
			t.Errorf("type %d: status %d", kind, got)
		}
		if d := b.medium.Data; bytes.ContainsFunc(d[8*512:24*512], func(r rune) bool { return r != 0 }) || d[8*512-1] == 0 || d[24*512+4] == 0 {
			t.Errorf("type %d cleared something else", kind)
		}
	}
}

func TestWhatARequestCannotBe(t *testing.T) {
	for _, c := range []struct {
		name   string
		kind   uint32
		sector uint64
		n      int
		write  bool
		data   []byte
		want   uint8
	}{
		{"a read beyond the disk", typeIn, 2047, 1024, false, nil, statusIOError},
		{"a read far beyond the disk", typeIn, 1 << 63, 512, false, nil, statusIOError},
		{"a read of half a sector", typeIn, 0, 256, false, nil, statusIOError},
		{"a write beyond the disk", typeOut, 2048, 512, true, nil, statusIOError},
		{"an unknown type", 99, 0, 512, false, nil, statusUnsupported},
		{"a discard beyond the disk", typeDiscard, 0, 16, true, segment(2040, 9, 0), statusIOError},
		{"a discard of two segments", typeDiscard, 0, 32, true, segment(0, 1, 0), statusIOError},
		{"a discard that asks to unmap", typeDiscard, 0, 16, true, segment(0, 1, flagUnmap), statusUnsupported},
		{"zeroes with a reserved flag", typeWriteZeroes, 0, 16, true, segment(0, 1, 2), statusUnsupported},
		{"too many zeroes", typeWriteZeroes, 0, 16, true, segment(0, maxZeroes+1, 0), statusIOError},
	} {
		b := newBench(t, hwtest.NewMedium(size))
		b.set(c.data)
		if got := b.request(c.kind, c.sector, c.n, c.write); got != c.want {
			t.Errorf("%s: status %d, want %d", c.name, got, c.want)
		}
	}
}

func TestADiskThatIsReadOnlySaysSo(t *testing.T) {
	m := hwtest.NewMedium(size)
	m.Protected = true
	b := newBench(t, m)
	if f := b.device.Features(); f&featureRO == 0 || f&(featureDiscard|featureWriteZeroes) != 0 {
		t.Errorf("features %#x", f)
	}
	if got := b.request(typeOut, 0, 512, true); got != statusIOError {
		t.Errorf("a write: status %d", got)
	}
}

func TestAMediumThatFails(t *testing.T) {
	b := newBench(t, hwtest.NewMedium(size))
	b.medium.Err = errors.New("worn out")
	for _, kind := range []uint32{typeIn, typeOut, typeFlush} {
		if got := b.request(kind, 0, 512, kind != typeIn); got != statusIOError {
			t.Errorf("type %d: status %d", kind, got)
		}
	}
}

func TestARequestWaitsForASlowMediumAndIsBegunAnewAfterALoad(t *testing.T) {
	b := newBench(t, hwtest.NewMedium(size))
	b.medium.Slow = true
	b.offer(typeIn, 7, 512, false)
	b.offer(typeIn, 7, 512, false) // waits behind the first
	if _, _, ok := b.Used(0); ok || b.medium.Requests != 1 {
		t.Fatalf("ended, or %d requests at once", b.medium.Requests)
	}
	s := snapshot.NewSaver()
	b.device.Save(s)
	saved, _ := s.Close()
	if err := b.load(saved); err != nil {
		t.Fatal(err)
	}
	b.medium.Finish() // the request from before: nobody waits for it
	if _, _, ok := b.Used(0); ok {
		t.Fatal("a request ended that was asked before the load")
	}
	b.device.Resume()
	for range 2 {
		if b.medium.Finish() != 1 {
			t.Fatal("the medium is not asked again")
		}
		if _, _, ok := b.Used(0); !ok || b.Memory.Read(tailAt, 1) != statusOK {
			t.Fatal("the request has not ended")
		}
	}
	if !bytes.Equal(b.data(512), b.medium.Data[7*512:8*512]) {
		t.Error("something else was read")
	}
}

func TestStateListIsComplete(t *testing.T) { snapshottest.Complete(t, (*regs).sync, nil) }

// FuzzChains hands the device descriptors made of bytes.
func FuzzChains(f *testing.F) {
	f.Add([]byte{0, 0, 1, 1, 9, 0, 3, 2, 0, 0, 2, 0}, uint32(typeIn), uint64(3))
	f.Add([]byte{0, 0, 1, 1, 255, 255, 1, 0}, uint32(typeOut), uint64(1<<62))
	f.Add([]byte{16, 0, 1, 1, 16, 0, 1, 2, 1, 0, 2, 0}, uint32(typeDiscard), uint64(0))
	f.Fuzz(func(t *testing.T, p []byte, kind uint32, sector uint64) {
		b := newBench(t, hwtest.NewMedium(size))
		b.set(segment(sector, kind, 0))
		var h [headerLen]byte
		binary.LittleEndian.PutUint32(h[:], kind)
		binary.LittleEndian.PutUint64(h[8:], sector)
		if err := b.Memory.WriteAt(h[:], headAt); err != nil {
			t.Fatal(err)
		}
		at := headAt
		for i := 0; len(p) >= 4 && i < queueSize; i, p = i+1, p[4:] {
			n := uint32(p[0]) << (p[1] & 31)
			if i == 0 && p[0] == 0 {
				n = headerLen
			}
			b.Descriptor(0, uint16(i), at, n, uint16(p[2]&7), uint16(p[3]))
			at = dataAt + mem.Addr(p[1])<<24
		}
		b.Offer(0, 0)
		b.Kick(0)
		b.Used(0)
	})
}

func FuzzLoad(f *testing.F) {
	b := newBench(f, hwtest.NewMedium(size))
	s := snapshot.NewSaver()
	b.device.Save(s)
	p, _ := s.Close()
	f.Add(p)
	f.Add([]byte{1, 0, 1, 3, 0})
	f.Fuzz(func(t *testing.T, p []byte) {
		b := newBench(t, hwtest.NewMedium(size))
		b.offer(typeIn, 1, 512, false)
		if b.load(p) == nil {
			b.device.Resume()
		}
	})
}
