package floppy

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/gov86/gov86/hw"
	"github.com/gov86/gov86/hw/hwtest"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/snapshot/snapshottest"
)

// A channel is a DMA channel onto a slice, with its terminal count at the end.
type channel struct {
	memory []byte
	masked bool
	ready  func()
}

func (h *channel) Move(p []byte, toMemory bool) (int, bool) {
	if h.masked || len(h.memory) == 0 {
		return 0, false
	}
	n := 0
	if toMemory {
		n = copy(h.memory, p)
	} else {
		n = copy(p, h.memory)
	}
	h.memory = h.memory[n:]
	return n, len(h.memory) == 0
}

// A bench is a controller that was reset, with a disk of 1.44 MB in drive 0.
type bench struct {
	t     testing.TB
	fdc   *Controller
	line  hwtest.Line
	dma   channel
	media [2]*hwtest.Medium
	geo   format
}

func newBench(t testing.TB, size int, types ...DriveType) *bench {
	t.Helper()
	b := &bench{t: t, media: [2]*hwtest.Medium{hwtest.NewMedium(size), hwtest.NewMedium(720 << 10)}}
	b.geo, _ = formatOf(uint64(size))
	kind := DriveFor(uint64(size))
	if len(types) > 0 {
		kind = types[0]
	}
	b.fdc = New(&b.line, func(ready func()) hw.DMAChannel { b.dma.ready = ready; return &b.dma },
		[Drives]Drive{{kind, b.media[0]}, {Drive1440K, b.media[1]}})
	b.out(regDOR, 0)
	b.out(regDOR, dorReset|dorDMAGate|1<<dorMotors)
	if !b.line.Asserted() {
		t.Fatal("no interrupt after reset")
	}
	for d := range uint8(drives) {
		if got := b.command(0x08); !slices.Equal(got, []byte{st0Polling | d, 0}) {
			t.Fatalf("after reset SENSE INTERRUPT STATUS says %x", got)
		}
	}
	if got := b.command(0x08); !slices.Equal(got, []byte{st0Invalid}) {
		t.Fatalf("with nothing to tell SENSE INTERRUPT STATUS says %x", got)
	}
	b.command(0x03, 0xdf, 0x02)
	f, _ := formatOf(uint64(size))
	rate, _ := kind.takes(&f)
	b.fdc.ChangeLine().Out(0, portio.Byte, uint32(rate))
	return b
}

const size1440 = 1440 << 10

func (b *bench) in(reg uint16) uint8     { return uint8(b.fdc.In(reg, portio.Byte)) }
func (b *bench) out(reg uint16, v uint8) { b.fdc.Out(reg, portio.Byte, uint32(v)) }
func (b *bench) changed() bool           { return b.fdc.ChangeLine().In(0, portio.Byte)&dirChange != 0 }

// send writes a command as a driver does, when RQM asks for each byte.
func (b *bench) send(p ...byte) {
	b.t.Helper()
	for i, v := range p {
		if got := b.in(regMSR) & (msrRQM | msrDIO); got != msrRQM {
			b.t.Fatalf("main status %#x before byte %d of % x", b.in(regMSR), i, p)
		}
		b.out(regFIFO, v)
	}
}

// results reads the result, for as long as there is one.
func (b *bench) results() (p []byte) {
	for b.in(regMSR)&(msrRQM|msrDIO|msrBusy|msrNonDMA) == msrRQM|msrDIO|msrBusy {
		p = append(p, b.in(regFIFO))
	}
	return p
}

func (b *bench) command(p ...byte) []byte {
	b.t.Helper()
	b.send(p...)
	return b.results()
}

// transfer is a command that moves memory by DMA. Its interrupt must be gone
// once the result is read.
func (b *bench) transfer(memory []byte, p ...byte) []byte {
	b.t.Helper()
	b.dma.memory = memory
	b.send(p...)
	if !b.line.Asserted() {
		b.t.Fatalf("no interrupt after % x; main status %#x", p, b.in(regMSR))
	}
	r := b.results()
	if b.line.Asserted() {
		b.t.Error("an interrupt after the result was read")
	}
	return r
}

func (b *bench) seek(track uint8) {
	b.t.Helper()
	b.send(0x0f, 0, track)
	if got := b.command(0x08); !slices.Equal(got, []byte{st0SeekEnd, track}) {
		b.t.Fatalf("after a seek %x", got)
	}
}

// sector is what the disk holds.
func (b *bench) sector(track, head, sector, n int) []byte {
	at := ((track*int(b.geo.heads)+head)*int(b.geo.sectors) + sector - 1) * sectorSize
	return b.media[0].Data[at:][:n*sectorSize]
}

func TestReadData(t *testing.T) {
	for _, size := range []int{360 << 10, 720 << 10, 1200 << 10, size1440, 2880 << 10} {
		b := newBench(t, size)
		b.seek(7)
		p := make([]byte, 3*sectorSize)
		got := b.transfer(p, 0x46, 4, 7, 1, 2, 2, b.geo.sectors, 0x1b, 0xff)
		if want := []byte{4, 0, 0, 7, 1, 5, 2}; !slices.Equal(got, want) {
			t.Errorf("%d KB: result % x, want % x", size>>10, got, want)
		}
		if !bytes.Equal(p, b.sector(7, 1, 2, 3)) {
			t.Errorf("%d KB: something else was read", size>>10)
		}
	}
}

// TestWhereTransfersEnd is the 82077AA data sheet, "Result Phase Table".
func TestWhereTransfersEnd(t *testing.T) {
	const n = 18
	for _, c := range []struct {
		name    string
		code    uint8
		head    uint8
		sector  uint8
		sectors int
		want    []byte
	}{
		{"at the terminal count, before EOT", 0x46, 0, 1, 2, []byte{0, 0, 0, 0, 0, 3, 2}},
		{"at the terminal count, at EOT", 0x46, 0, 17, 2, []byte{0, 0, 0, 1, 0, 1, 2}},
		{"at EOT, without a terminal count", 0x46, 0, 17, 3, []byte{st0Abnormal, st1EndOfCylinder, 0, 1, 0, 1, 2}},
		{"on head 1 with MT", 0xc6, 0, 17, 4, []byte{4, 0, 0, 0, 1, 3, 2}},
		{"at EOT of head 0 with MT", 0xc6, 0, 17, 2, []byte{4, 0, 0, 0, 1, 1, 2}},
		{"at EOT of head 1 with MT", 0xc6, 1, 17, 2, []byte{0, 0, 0, 1, 0, 1, 2}},
		{"with MT beyond the cylinder", 0xc6, 1, 17, 3, []byte{st0Abnormal, st1EndOfCylinder, 0, 1, 0, 1, 2}},
		{"in the middle of a sector", 0x46, 0, 1, 0, []byte{0, 0, 0, 0, 0, 2, 2}},
	} {
		b := newBench(t, size1440)
		p := make([]byte, max(c.sectors*sectorSize, 100))
		got := b.transfer(p, c.code, c.head<<2, 0, c.head, c.sector, 2, n, 0x1b, 0xff)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: result % x, want % x", c.name, got, c.want)
		}
	}
}

func TestWriteDataAndVerifyAndReadTrack(t *testing.T) {
	b := newBench(t, size1440)
	b.seek(3)
	p := bytes.Repeat([]byte("floppy!!"), 2*sectorSize/8)
	if got := b.transfer(p, 0x45, 0, 3, 0, 4, 2, 18, 0x1b, 0xff); got[0] != 0 || got[5] != 6 {
		t.Errorf("write: % x", got)
	}
	if !bytes.Equal(b.sector(3, 0, 4, 2), p) {
		t.Error("something else was written")
	}
	b.out(regDOR, dorReset|dorDMAGate)
	if b.media[0].Unflushed {
		t.Error("the motor stopped, and what was written is not flushed")
	}
	if got := b.transfer(nil, 0x56, 1<<7, 3, 0, 1, 2, 18, 0x1b, 5); got[0] != 0 || got[5] != 6 {
		t.Errorf("verify: % x", got)
	}
	track := make([]byte, 18*sectorSize)
	if got := b.transfer(track, 0x42, 0, 3, 0, 9, 2, 18, 0x1b, 0xff); got[0] != 0 || !bytes.Equal(track, b.sector(3, 0, 1, 18)) {
		t.Errorf("read track: % x", got)
	}
}

func TestFormatTrack(t *testing.T) {
	b := newBench(t, size1440)
	var ids []byte
	for s := range uint8(18) {
		ids = append(ids, 0, 1, s+1, 2)
	}
	if got := b.transfer(ids, 0x4d, 4, 2, 18, 0x54, 0xf6); got[0] != 4 {
		t.Errorf("format: % x", got)
	}
	if !bytes.Equal(b.sector(0, 1, 1, 18), bytes.Repeat([]byte{0xf6}, 18*sectorSize)) {
		t.Error("the track does not hold the fill byte")
	}
	if bytes.HasPrefix(b.sector(1, 0, 1, 1), []byte{0xf6, 0xf6}) {
		t.Error("the next track was formatted too")
	}
}

func TestWithoutDMAEachByteInterrupts(t *testing.T) {
	b := newBench(t, size1440)
	b.command(0x03, 0xdf, 0x03) // ND
	b.send(0x46, 0, 0, 0, 18, 2, 18, 0x1b, 0xff)
	p := make([]byte, sectorSize)
	for i := range p {
		if !b.line.Asserted() || b.in(regMSR) != msrRQM|msrDIO|msrNonDMA|msrBusy {
			t.Fatalf("byte %d: main status %#x", i, b.in(regMSR))
		}
		p[i] = b.in(regFIFO)
	}
	if got := b.results(); got[0] != st0Abnormal || got[1] != st1EndOfCylinder || !bytes.Equal(p, b.sector(0, 0, 18, 1)) {
		t.Errorf("read: % x", got)
	}
	b.send(0x45, 0, 0, 0, 18, 2, 18, 0x1b, 0xff)
	for range sectorSize {
		b.out(regFIFO, 0x77)
	}
	if got := b.results(); got[1] != st1EndOfCylinder || !bytes.Equal(b.sector(0, 0, 18, 1), bytes.Repeat([]byte{0x77}, sectorSize)) {
		t.Errorf("write: % x", got)
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(*bench)
		send    []byte
		want    []byte
	}{
		{"a sector that is not there", nil, []byte{0x46, 0, 0, 0, 19, 2, 19, 0, 0xff}, []byte{st0Abnormal, st1NoData, 0}},
		{"another cylinder", nil, []byte{0x46, 0, 5, 0, 1, 2, 18, 0, 0xff}, []byte{st0Abnormal, st1NoData, st2WrongCylinder}},
		{"sectors of another size", nil, []byte{0x46, 0, 0, 0, 1, 3, 18, 0, 0xff}, []byte{st0Abnormal, st1NoData, 0}},
		{"another data rate", func(b *bench) { b.out(regMSR, rate250) }, []byte{0x4a, 0}, []byte{st0Abnormal, st1MissingAddress, 0}},
		{"no disk", func(b *bench) { b.fdc.Insert(0, nil) }, []byte{0x4a, 0}, []byte{st0Abnormal, st1MissingAddress, 0}},
		{"no drive", nil, []byte{0x4a, 2}, []byte{st0Abnormal | 2, st1MissingAddress, 0}},
		{"a protected disk", func(b *bench) { b.media[0].Protected = true }, []byte{0x45, 0, 0, 0, 1, 2, 18, 0, 0xff}, []byte{st0Abnormal, st1NotWritable, 0}},
		{"a format of a protected disk", func(b *bench) { b.media[0].Protected = true }, []byte{0x4d, 0, 2, 18, 0, 0}, []byte{st0Abnormal, st1NotWritable, 0}},
		{"a host that fails", func(b *bench) { b.media[0].Err = errors.New("x") }, []byte{0x46, 0, 0, 0, 1, 2, 18, 0, 0xff}, []byte{st0Abnormal, st1DataError, st2DataError}},
	} {
		b := newBench(t, size1440)
		if c.prepare != nil {
			c.prepare(b)
		}
		if got := b.transfer(make([]byte, sectorSize), c.send...); len(got) != 7 || !slices.Equal(got[:3], c.want) {
			t.Errorf("%s: % x, want % x", c.name, got, c.want)
		}
	}
}

func TestTheChangeLineFallsWithAStep(t *testing.T) {
	b := newBench(t, size1440)
	if !b.changed() {
		t.Error("no change after power-on")
	}
	b.send(0x07, 0)
	if got := b.command(0x08); !slices.Equal(got, []byte{st0SeekEnd, 0}) || b.changed() {
		t.Errorf("after RECALIBRATE %x, changed %t", got, b.changed())
	}
	if b.fdc.Insert(0, hwtest.NewMedium(2880<<10)) {
		t.Error("a drive for 1.44 MB takes 2.88 MB")
	}
	if !b.fdc.Insert(0, hwtest.NewMedium(720<<10)) || !b.changed() {
		t.Error("no change after another disk")
	}
	b.fdc.Insert(0, nil)
	b.seek(1)
	if !b.changed() {
		t.Error("without a disk the change line falls")
	}
	b.out(regDOR, dorReset|dorDMAGate)
	if b.changed() {
		t.Error("a drive whose motor stands still drives the change line")
	}
}

func TestADriveOf80TracksTakesTwoStepsToEachOf40(t *testing.T) {
	b := newBench(t, 360<<10, Drive1200K)
	b.seek(10)
	p := make([]byte, sectorSize)
	if got := b.transfer(p, 0x46, 0, 5, 0, 1, 2, 9, 0, 0xff); got[0] != 0 || !bytes.Equal(p, b.sector(5, 0, 1, 1)) {
		t.Errorf("% x", got)
	}
}

func TestSmallCommands(t *testing.T) {
	b := newBench(t, size1440)
	for _, c := range []struct {
		send, want []byte
	}{
		{[]byte{0x10}, []byte{0x90}},       // VERSION
		{[]byte{0x18}, []byte{st0Invalid}}, // PART ID is the 82078's
		{[]byte{0x04, 0x05}, []byte{0x05 | st3Ones | st3Track0}},
		{[]byte{0x13, 0, 0x57, 0x21}, nil},
		{[]byte{0x12, 0x84}, nil},
		{[]byte{0x94}, []byte{0x10}},
		{[]byte{0x0e}, []byte{0, 0, 0, 0, 0xdf, 2, 0, 0x84, 0x57, 0x21}},
		{[]byte{0x14}, []byte{0}},
	} {
		if got := b.command(c.send...); !slices.Equal(got, c.want) {
			t.Errorf("% x: % x, want % x", c.send, got, c.want)
		}
	}
	b.send(0x8f|0x40, 0, 9)
	if got := b.command(0x08); got[1] != 9 {
		t.Errorf("RELATIVE SEEK inward: % x", got)
	}
	b.send(0x8f, 0, 4)
	if got := b.command(0x08); got[1] != 5 {
		t.Errorf("RELATIVE SEEK outward: % x", got)
	}
	ids := map[uint8]bool{}
	for range 18 {
		got := b.transfer(nil, 0x4a, 0)
		ids[got[5]] = got[0] == 0 && got[3] == 5 && got[6] == 2
	}
	if len(ids) != 18 || !ids[18] {
		t.Errorf("READ ID finds %v", ids)
	}
	b.command(0x13, 0, 0x50, 0) // CONFIGURE: implied seeks, no polling
	p := make([]byte, sectorSize)
	if got := b.transfer(p, 0x46, 0, 20, 0, 1, 2, 18, 0, 0xff); got[0] != 0 || !bytes.Equal(p, b.sector(20, 0, 1, 1)) {
		t.Errorf("an implied seek: % x", got)
	}
	b.command(0x94)
	b.out(regMSR, dsrReset)
	if b.line.Asserted() || !slices.Equal(b.command(0x0e)[8:], []byte{0x50, 0}) {
		t.Error("a software reset undoes a locked CONFIGURE")
	}
}

func TestAMaskedChannelHoldsTheTransferBack(t *testing.T) {
	b := newBench(t, size1440)
	b.dma.masked = true
	p := make([]byte, sectorSize)
	b.dma.memory = p
	b.send(0x46, 0, 0, 0, 1, 2, 18, 0, 0xff)
	if b.line.Asserted() || b.in(regMSR) != msrBusy {
		t.Fatalf("main status %#x", b.in(regMSR))
	}
	b.dma.masked = false
	b.dma.ready()
	if got := b.results(); got[0] != 0 || !bytes.Equal(p, b.sector(0, 0, 1, 1)) {
		t.Errorf("% x", got)
	}
}

func TestASlowMediumAndALoadInTheMiddle(t *testing.T) {
	for _, code := range []uint8{0x46, 0x45} {
		a := newBench(t, size1440)
		a.media[0].Slow = true
		a.dma.memory = bytes.Repeat([]byte{0xd1}, 2*sectorSize)
		a.send(code, 0, 0, 0, 1, 2, 18, 0, 0xff)
		if a.in(regMSR) != msrBusy {
			t.Fatalf("main status %#x", a.in(regMSR))
		}
		s := snapshot.NewSaver()
		a.fdc.Save(s)
		saved, _ := s.Close()
		b := newBench(t, size1440)
		b.media[0].Slow = true
		b.dma.memory = bytes.Repeat([]byte{0xd1}, sectorSize)
		p := b.dma.memory
		if code == 0x46 {
			b.dma.memory = make([]byte, 2*sectorSize)
			p = b.dma.memory
		}
		if err := b.fdc.Load(snapshot.NewLoader(saved)); err != nil {
			t.Fatal(err)
		}
		b.fdc.Resume()
		for b.media[0].Finish() > 0 {
		}
		if got := b.results(); got == nil || got[0] != 0 || got[5] != 3 || !bytes.Equal(p, b.sector(0, 0, 1, len(p)/sectorSize)) {
			t.Errorf("command %#x: % x", code, got)
		}
	}
}

func TestFormatsHaveDrives(t *testing.T) {
	for _, size := range Sizes() {
		f, ok := formatOf(size)
		if _, takes := DriveFor(size).takes(&f); !ok || !takes {
			t.Errorf("%d bytes: drive %d", size, DriveFor(size))
		}
	}
	if DriveFor(1000) != NoDrive {
		t.Error("there is a drive for a disk of 1000 bytes")
	}
}

func TestStateListIsComplete(t *testing.T) { snapshottest.Complete(t, (*regs).sync, nil) }

func (b *bench) feed(ops []byte) {
	for ; len(ops) >= 2; ops = ops[2:] {
		reg := uint16(ops[0] & 7)
		for range 1 + int(ops[0]>>6)*200 {
			switch {
			case ops[0]&0x20 != 0:
				b.in(reg)
			case ops[0]&0x10 != 0:
				b.dma.ready()
			default:
				b.out(reg, ops[1])
			}
		}
	}
}

func FuzzCommands(f *testing.F) {
	f.Add([]byte{5, 0x46, 5, 0, 5, 0, 5, 0, 5, 1, 5, 2, 5, 18, 5, 0, 5, 0xff, 0x25, 0})
	f.Add([]byte{5, 3, 5, 0, 5, 1, 5, 0xc5, 5, 0, 5, 0, 5, 0, 5, 17, 5, 2, 5, 18, 5, 0, 5, 0xff, 0xc5, 1})
	f.Add([]byte{5, 0x4d, 5, 0, 5, 2, 5, 9, 5, 0, 5, 0xf6, 2, 0, 2, 4})
	f.Fuzz(func(t *testing.T, ops []byte) {
		b := newBench(t, 160<<10)
		b.dma.memory = bytes.Repeat([]byte{1, 0, 3, 2}, 3000)
		b.feed(ops)
		s := snapshot.NewSaver()
		b.fdc.Save(s)
		saved, _ := s.Close()
		if err := b.fdc.Load(snapshot.NewLoader(saved)); err != nil {
			t.Fatalf("what was saved cannot be loaded: %v", err)
		}
		b.fdc.Resume()
	})
}

func FuzzLoad(f *testing.F) {
	b := newBench(f, 160<<10)
	s := snapshot.NewSaver()
	b.fdc.Save(s)
	saved, _ := s.Close()
	f.Add(saved)
	f.Fuzz(func(t *testing.T, p []byte) {
		b := newBench(t, 160<<10)
		b.dma.memory = make([]byte, 3000)
		if b.fdc.Load(snapshot.NewLoader(p)) == nil {
			b.fdc.Resume()
			b.feed([]byte{0xc5, 0, 0xe5, 0, 0x10, 0, 0xc5, 9})
		}
	})
}
