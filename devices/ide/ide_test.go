package ide

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/gov86/gov86/hw"
	"github.com/gov86/gov86/hw/hwtest"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/mem"
	"github.com/gov86/gov86/pci"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/snapshot/snapshottest"
)

const (
	cmdBase = 0x1f0
	control = 0x3f6
	bus     = 0xc000
	second  = 0x170
	table   = 0x1000 // of Physical Region Descriptors
	data    = 0x10000

	diskSize = 16 << 20
)

// A board has a disk as device 0 and a CD-ROM drive as device 1 of the primary
// channel, and a disk as device 1 of the secondary.
type board struct {
	t      testing.TB
	ports  portio.Space
	memory *mem.Space
	lines  [2]hwtest.Line
	disk   *hwtest.Medium
	disc   *hwtest.Medium
	ide    *Controller
}

func newBoard(t testing.TB) *board {
	t.Helper()
	return newBoardWith(t, hwtest.NewMedium(diskSize))
}

func newBoardWith(t testing.TB, disk *hwtest.Medium) *board {
	t.Helper()
	m, err := mem.New(mem.MinRAM)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	b := &board{t: t, memory: m, disk: disk, disc: hwtest.NewMedium(400 * frameSize)}
	b.ide = New([2]hw.Line{&b.lines[0], &b.lines[1]}, [4]Device{
		{Disk, b.disk, "S0"}, {CDROM, b.disc, "S1"}, {}, {Disk, hwtest.NewMedium(64 << 10), "S3"}}, bus, m)
	p := pci.NewBus(&b.ports, m, [4]hw.Line{})
	p.Attach(1, 1, b.ide.Function())
	p.Configure([4]uint8{})
	for i, at := range []uint16{cmdBase, second} {
		b.ports.Claim(at, 8, b.ide.Command(i))
		b.ports.Claim(at+0x206, 1, b.ide.Control(i))
	}
	return b
}

func (b *board) in(port uint16) uint8 { return uint8(b.ports.In(port, portio.Byte)) }

func (b *board) out(port uint16, v ...uint8) {
	for _, v := range v {
		b.ports.Out(port, portio.Byte, uint32(v))
	}
}

// status is Alternate Status.
func (b *board) status() uint8 { return b.in(control) }

func (b *board) wantStatus(want uint8) {
	b.t.Helper()
	if got := b.status(); got != want {
		b.t.Fatalf("status %#02x, want %#02x; error %#02x", got, want, b.in(cmdBase+regError))
	}
}

// wantIRQ checks that the primary channel interrupts, or does not, and
// acknowledges it.
func (b *board) wantIRQ(want bool) {
	b.t.Helper()
	if got := b.lines[0].Asserted(); got != want {
		b.t.Fatalf("INTRQ asserted is %t, want %t", got, want)
	}
	b.in(cmdBase + regStatus)
	if b.lines[0].Asserted() {
		b.t.Fatal("INTRQ asserted after reading Status")
	}
}

// issue writes the registers and the command. The address is LBA of 28 bits.
func (b *board) issue(code uint8, lba uint32, count uint8) {
	b.out(cmdBase+regDevice, deviceLBA|uint8(lba>>24))
	b.out(cmdBase+regCount, count)
	b.out(cmdBase+regLow, uint8(lba))
	b.out(cmdBase+regMid, uint8(lba>>8))
	b.out(cmdBase+regHigh, uint8(lba>>16))
	b.out(cmdBase+regStatus, code)
}

// issueExt is issue with 48 bits.
func (b *board) issueExt(code uint8, lba uint64, count uint16) {
	b.out(cmdBase+regDevice, deviceLBA)
	b.out(cmdBase+regCount, uint8(count>>8), uint8(count))
	b.out(cmdBase+regLow, uint8(lba>>24), uint8(lba))
	b.out(cmdBase+regMid, uint8(lba>>32), uint8(lba>>8))
	b.out(cmdBase+regHigh, uint8(lba>>40), uint8(lba>>16))
	b.out(cmdBase+regStatus, code)
}

// readPIO reads n bytes.
func (b *board) readPIO(n int) []byte {
	p := make([]byte, 0, n)
	for range n / 2 {
		p = binary.LittleEndian.AppendUint16(p, uint16(b.ports.In(cmdBase, portio.Word)))
	}
	return p
}

func (b *board) writePIO(p []byte) {
	for i := 0; i < len(p); i += 2 {
		b.ports.Out(cmdBase, portio.Word, uint32(binary.LittleEndian.Uint16(p[i:])))
	}
}

// A region is a Physical Region Descriptor.
type region struct{ at, n uint32 }

// prepare writes a table and gives it to the bus master.
func (b *board) prepare(regions ...region) {
	for i, r := range regions {
		if i == len(regions)-1 {
			r.n |= 1 << 31
		}
		b.memory.Write(mem.Addr(table+8*i), 4, r.at)
		b.memory.Write(mem.Addr(table+8*i+4), 4, r.n)
	}
	b.ports.Out(bus+bmTable, portio.DWord, table)
	b.out(bus+bmStatus, bmError|bmInterrupt)
}

func (b *board) memoryAt(at mem.Addr, n int) []byte {
	p := make([]byte, n)
	if err := b.memory.ReadAt(p, at); err != nil {
		b.t.Fatal(err)
	}
	return p
}

func words(p []byte) (w [256]uint16) {
	for i := range w {
		w[i] = binary.LittleEndian.Uint16(p[2*i:])
	}
	return w
}

const (
	ready = statusDRDY | statusDSC
	wants = ready | statusDRQ
)

func TestTheSignatureAfterResetTellsWhatIsThere(t *testing.T) {
	b := newBoard(t)
	check := func(after string) {
		t.Helper()
		for _, c := range []struct {
			port      uint16
			device    uint8
			status    uint8
			signature [4]uint8
		}{
			{cmdBase, 0, ready, [4]uint8{1, 1, 0, 0}},
			{cmdBase, deviceDEV, 0, [4]uint8{1, 1, 0x14, 0xeb}},
			{second, deviceDEV, ready, [4]uint8{1, 1, 0, 0}},
			{second, 0, 0, [4]uint8{}},
		} {
			b.out(c.port+regDevice, c.device)
			var got [4]uint8
			for i := range got {
				got[i] = b.in(c.port + regCount + uint16(i))
			}
			if status := b.in(c.port + regStatus); got != c.signature || status != c.status {
				t.Errorf("after %s, %#x device %#x: %x and status %#x, want %x and %#x",
					after, c.port, c.device, got, status, c.signature, c.status)
			}
		}
	}
	check("power-on")
	for _, port := range []uint16{cmdBase, second} {
		b.out(port+0x206, controlSRST)
		if got := b.in(port + 0x206); got != statusBSY && got != 0 {
			t.Errorf("status %#x during SRST, want BSY", got)
		}
		b.out(port+0x206, 0)
	}
	check("SRST")
	b.out(cmdBase+regStatus, cmdDiagnostic)
	b.wantIRQ(true)
	if got := b.in(cmdBase + regError); got != diagnosticPassed {
		t.Errorf("diagnostic code %#x", got)
	}
	check("EXECUTE DEVICE DIAGNOSTIC")
}

func TestACableWithoutDevicesFloats(t *testing.T) {
	c := New([2]hw.Line{&hwtest.Line{}, &hwtest.Line{}}, [4]Device{}, bus, nil)
	c.Command(0).Out(regCount, portio.Byte, 0x55)
	for off := uint16(1); off < commandLen; off++ {
		if got := c.Command(0).In(off, portio.Byte); got != floating {
			t.Errorf("register %d reads %#x", off, got)
		}
	}
}

func TestIdentifyDevice(t *testing.T) {
	b := newBoard(t)
	b.issue(0xec, 0, 0)
	b.wantStatus(wants)
	b.wantIRQ(true)
	p := b.readPIO(512)
	b.wantStatus(ready)
	b.wantIRQ(false)
	w := words(p)
	capacity := uint16(len(b.disk.Data) / 512 & 0xffff)
	for _, c := range []struct {
		word int
		want uint16
		what string
	}{
		{0, 0x40, "fixed"}, {1, 32, "cylinders"}, {3, 16, "heads"}, {6, 63, "sectors"},
		{4, 63 * 512, "bytes of a track"}, {5, 512, "bytes of a sector"},
		{10, 'S'<<8 | '0', "serial number"}, {27, 'g'<<8 | 'o', "model"}, {47, 0x8010, "READ MULTIPLE"},
		{49, 0xb00, "capabilities"}, {59, 0x110, "multiple setting"},
		{60, capacity, "sectors"}, {61, 0, "sectors"}, {100, capacity, "sectors"}, {101, 0, "sectors"},
		{83, 0x7400, "FLUSH CACHE (EXT), 48 bits"}, {85, 0x69, "enabled"},
	} {
		if w[c.word] != c.want {
			t.Errorf("word %d, %s, is %#04x, want %#04x", c.word, c.what, w[c.word], c.want)
		}
	}
	if checksum(p) != 0 || p[510] != 0xa5 {
		t.Error("the integrity word is wrong")
	}
}

func TestReadsOfEveryKindReturnWhatIsStored(t *testing.T) {
	for _, c := range []struct {
		name     string
		code     uint8
		extended bool
		block    int
	}{
		{"READ SECTOR(S)", 0x20, false, 1}, {"READ SECTOR(S) without retry", 0x21, false, 1},
		{"READ SECTOR(S) EXT", 0x24, true, 1}, {"READ MULTIPLE", 0xc4, false, 4}, {"READ MULTIPLE EXT", 0x29, true, 4},
	} {
		b := newBoard(t)
		b.issue(0xc6, 0, 4) // SET MULTIPLE MODE
		b.wantIRQ(true)
		const lba, count = 1000, 9
		if c.extended {
			b.issueExt(c.code, lba, count)
		} else {
			b.issue(c.code, lba, count)
		}
		var got []byte
		for left := count; left > 0; left -= c.block {
			b.wantStatus(wants)
			b.wantIRQ(true)
			got = append(got, b.readPIO(512*min(left, c.block))...)
		}
		b.wantStatus(ready)
		b.wantIRQ(false)
		if !bytes.Equal(got, b.disk.Data[lba*512:][:count*512]) {
			t.Errorf("%s read something else", c.name)
		}
	}
}

func TestWritesOfEveryKindStoreAndInterruptAfterEachBlock(t *testing.T) {
	for _, c := range []struct {
		name              string
		code              uint8
		extended, lasting bool
		block             int
	}{
		{"WRITE SECTOR(S)", 0x30, false, false, 1}, {"WRITE SECTOR(S) EXT", 0x34, true, false, 1},
		{"WRITE MULTIPLE", 0xc5, false, false, 4}, {"WRITE MULTIPLE EXT", 0x39, true, false, 4},
		{"WRITE MULTIPLE FUA EXT", 0xce, true, true, 4},
	} {
		b := newBoard(t)
		b.issue(0xc6, 0, 4)
		b.wantIRQ(true)
		const lba, count = 77, 6
		p := bytes.Repeat([]byte{0xa5, 0x5a, 1}, count*512/3)
		if c.extended {
			b.issueExt(c.code, lba, count)
		} else {
			b.issue(c.code, lba, count)
		}
		b.wantIRQ(false)
		for left, rest := count, p; left > 0; left -= c.block {
			b.wantStatus(wants)
			n := 512 * min(left, c.block)
			b.writePIO(rest[:n])
			rest = rest[n:]
			b.wantIRQ(true)
		}
		b.wantStatus(ready)
		if !bytes.Equal(b.disk.Data[lba*512:][:len(p)], p) {
			t.Errorf("%s stored something else", c.name)
		}
		if b.disk.Unflushed == c.lasting {
			t.Errorf("%s: unflushed is %t", c.name, b.disk.Unflushed)
		}
	}
}

func TestDMAMovesByRegions(t *testing.T) {
	for _, c := range []struct {
		name          string
		code          uint8
		out, extended bool
	}{
		{"READ DMA", 0xc8, false, false}, {"READ DMA EXT", 0x25, false, true},
		{"WRITE DMA", 0xca, true, false}, {"WRITE DMA EXT", 0x35, true, true}, {"WRITE DMA FUA EXT", 0x3d, true, true},
	} {
		b := newBoard(t)
		const lba, count = 300, 255 // more than the 64 KiB of one region, of which 0 is the count
		n := count * 512
		if c.out {
			if err := b.memory.WriteAt(bytes.Repeat([]byte{3, 1, 4, 1, 5, 9, 2, 6}, n/8), data); err != nil {
				t.Fatal(err)
			}
		}
		b.prepare(region{data, 0}, region{data + 64<<10, 510}, region{data + 64<<10 + 510, uint32(n - 64<<10 - 510)})
		if c.extended {
			b.issueExt(c.code, lba, count)
		} else {
			b.issue(c.code, lba, count)
		}
		b.wantStatus(wants)
		if b.lines[0].Asserted() {
			t.Errorf("%s interrupts before it is done", c.name)
		}
		b.out(bus+bmCommand, bmStart|bmToMemory)
		if got := b.in(bus + bmStatus); got != bmInterrupt {
			t.Errorf("%s: bus master status %#x, want an interrupt and nothing active", c.name, got)
		}
		b.wantStatus(ready)
		b.wantIRQ(true)
		if !bytes.Equal(b.memoryAt(data, n), b.disk.Data[lba*512:][:n]) {
			t.Errorf("%s moved something else", c.name)
		}
		if b.disk.Unflushed != (c.out && c.code != 0x3d) {
			t.Errorf("%s: unflushed is %t", c.name, b.disk.Unflushed)
		}
	}
}

// TestBusMasterStatus is the PIIX3 data sheet, "Bus Master IDE Status Register":
// what the interrupt and active bits say of the sizes.
func TestBusMasterStatus(t *testing.T) {
	for _, c := range []struct {
		name string
		r    region
		want uint8
	}{
		{"the regions are as large as the transfer", region{data, 1024}, bmInterrupt},
		{"the regions are larger", region{data, 2048}, bmInterrupt | bmActive},
		{"the regions are smaller", region{data, 512}, 0},
		{"there is no memory", region{0xd0000000, 1024}, bmError},
	} {
		b := newBoard(t)
		b.prepare(c.r)
		b.issue(0xc8, 0, 2)
		b.out(bus+bmCommand, bmStart|bmToMemory)
		if got := b.in(bus + bmStatus); got != c.want {
			t.Errorf("%s: status %#x, want %#x", c.name, got, c.want)
		}
		b.out(bus+bmCommand, 0)
		if b.in(bus+bmStatus)&bmActive != 0 {
			t.Errorf("%s: active after a stop", c.name)
		}
		b.out(control, controlSRST)
		b.out(control, 0)
		b.wantStatus(ready)
	}
}

func TestCHSAddressesFollowTheTranslation(t *testing.T) {
	b := newBoard(t)
	read := func(cylinder uint16, head, sector uint8) []byte {
		b.out(cmdBase+regDevice, head)
		b.out(cmdBase+regCount, 1)
		b.out(cmdBase+regLow, sector)
		b.out(cmdBase+regMid, uint8(cylinder))
		b.out(cmdBase+regHigh, uint8(cylinder>>8))
		b.out(cmdBase+regStatus, 0x20)
		if b.status() != wants {
			return nil
		}
		return b.readPIO(512)
	}
	want := func(p []byte, lba int) {
		t.Helper()
		if !bytes.Equal(p, b.disk.Data[lba*512:][:512]) {
			t.Errorf("not sector %d", lba)
		}
	}
	want(read(0, 0, 1), 0)
	want(read(5, 3, 7), (5*16+3)*63+6)
	if read(0, 0, 0) != nil || b.in(cmdBase+regError) != errIDNF {
		t.Error("there is a sector 0")
	}
	b.out(cmdBase+regDevice, 4-1) // INITIALIZE DEVICE PARAMETERS: 4 heads of 32
	b.out(cmdBase+regCount, 32)
	b.out(cmdBase+regStatus, 0x91)
	want(read(5, 3, 7), (5*4+3)*32+6)
	if read(0, 4, 1) != nil {
		t.Error("there is a fifth head")
	}
	b.issue(0xec, 0, 0)
	if w := words(b.readPIO(512)); w[54] != 256 || w[55] != 4 || w[56] != 32 || w[3] != 16 {
		t.Errorf("the current translation is %d", w[54:57])
	}
}

func TestErrors(t *testing.T) {
	const sectors = diskSize / 512
	for _, c := range []struct {
		name  string
		do    func(b *board)
		error uint8
	}{
		{"an unknown command", func(b *board) { b.issue(0x00, 0, 0) }, errABRT},
		{"PACKET to a disk", func(b *board) { b.issue(cmdPacket, 0, 0) }, errABRT},
		{"a read that ends beyond the disk", func(b *board) { b.issue(0x20, sectors-1, 2) }, errIDNF},
		{"a read far beyond the disk", func(b *board) { b.issueExt(0x25, 1<<48-1, 0) }, errIDNF},
		{"a verify beyond the disk", func(b *board) { b.issue(0x40, sectors, 1) }, errIDNF},
		{"a seek beyond the disk", func(b *board) { b.issue(0x70, sectors, 1) }, errIDNF},
		{"a multiple of 3", func(b *board) { b.issue(0xc6, 0, 3) }, errABRT},
		{"READ MULTIPLE without a multiple", func(b *board) { b.issue(0xc6, 0, 3); b.issue(0xc4, 0, 1) }, errABRT},
		{"an unknown feature", func(b *board) { b.out(cmdBase+regError, 0x77); b.issue(0xef, 0, 0) }, errABRT},
		{"an impossible mode", func(b *board) { b.out(cmdBase+regError, setTransferMode); b.issue(0xef, 0, 0x23) }, errABRT},
		{"a medium that cannot be read", func(b *board) { b.disk.Err = errRange; b.issue(0x20, 9, 1) }, errIDNF},
		{"a medium that fails", func(b *board) { b.disk.Err = bytes.ErrTooLarge; b.issue(0x20, 9, 1) }, errUNC},
		{"a flush that fails", func(b *board) { b.disk.Err = bytes.ErrTooLarge; b.issue(0xe7, 0, 0) }, errABRT},
		{"a write to a protected disk", func(b *board) { b.disk.Protected = true; b.issue(0x30, 9, 1) }, errABRT},
	} {
		b := newBoard(t)
		c.do(b)
		if got := b.status(); got != ready|statusERR {
			t.Errorf("%s: status %#x", c.name, got)
		}
		if got := b.in(cmdBase + regError); got != c.error {
			t.Errorf("%s: error %#x, want %#x", c.name, got, c.error)
		}
		if !b.lines[0].Asserted() {
			t.Errorf("%s: no interrupt", c.name)
		}
	}
}

func TestCommandsWithoutDataEndWithAnInterrupt(t *testing.T) {
	for _, code := range []uint8{0x10, 0x1f, 0x70, 0x40, 0x94, 0x95, 0x96, 0x97, 0x99, 0xe0, 0xe1, 0xe2, 0xe3,
		0xe6, 0xe7, 0xea} {
		b := newBoard(t)
		b.issue(code, 5, 1)
		b.wantStatus(ready)
		b.wantIRQ(true)
	}
	b := newBoard(t)
	b.issueExt(0x42, 5, 1)
	b.wantStatus(ready)
}

func TestSettings(t *testing.T) {
	b := newBoard(t)
	feature := func(f, count uint8) {
		b.out(cmdBase+regError, f)
		b.issue(0xef, 0, count)
		b.wantStatus(ready)
	}
	identity := func() [256]uint16 {
		b.issue(0xec, 0, 0)
		return words(b.readPIO(512))
	}
	feature(setTransferMode, modeMultword|1)
	if w := identity(); w[63] != 0x207 || w[88] != 0x3f {
		t.Errorf("modes %#x and %#x", w[63], w[88])
	}
	feature(setTransferMode, modeUltra|5)
	if w := identity(); w[63] != 0x7 || w[88] != 0x203f {
		t.Errorf("modes %#x and %#x", w[63], w[88])
	}
	feature(disableWriteCache, 0)
	if w := identity(); w[85]&0x20 != 0 {
		t.Error("the write cache is enabled")
	}
	b.issue(0x30, 0, 1)
	b.writePIO(make([]byte, 512))
	if b.disk.Unflushed {
		t.Error("without a write cache, a write is not lasting")
	}
	b.issue(0xe0, 0, 0)
	if b.issue(0xe5, 0, 9); b.in(cmdBase+regCount) != 0 {
		t.Error("not in standby")
	}
	b.issue(0x20, 0, 1)
	if b.issue(0xe5, 0, 9); b.in(cmdBase+regCount) != 0xff {
		t.Error("in standby after a read")
	}
	if b.issue(0xf8, 0, 0); b.in(cmdBase+regHigh) != 0 || b.in(cmdBase+regMid) != 0x7f {
		t.Error("READ NATIVE MAX ADDRESS is wrong")
	}
	b.out(cmdBase+regError, smartReturnStatus)
	b.issue(0xb0, smartHigh<<16|smartMid<<8, 0)
	b.wantStatus(ready)
	b.out(cmdBase+regError, smartReturnStatus)
	b.issue(0xb0, 0, 0)
	b.wantStatus(ready | statusERR)
}

func TestNIENKeepsINTRQOffTheCableAndSelectionChoosesWhose(t *testing.T) {
	b := newBoard(t)
	b.out(control, controlNIEN)
	b.issue(0xe7, 0, 0)
	if b.lines[0].Asserted() || b.in(bus+bmStatus)&bmInterrupt != 0 {
		t.Error("an interrupt with nIEN")
	}
	b.out(control, 0)
	if !b.lines[0].Asserted() {
		t.Error("no interrupt when nIEN is cleared")
	}
	b.out(cmdBase+regDevice, deviceDEV)
	if b.lines[0].Asserted() {
		t.Error("a device that is not selected interrupts")
	}
}

func TestHOBShowsThePreviousContent(t *testing.T) {
	b := newBoard(t)
	b.out(cmdBase+regLow, 0x12, 0x34)
	if got := b.in(cmdBase + regLow); got != 0x34 {
		t.Errorf("%#x", got)
	}
	b.out(control, controlHOB)
	if got := b.in(cmdBase + regLow); got != 0x12 {
		t.Errorf("with HOB %#x", got)
	}
	b.out(cmdBase+regCount, 0)
	if got := b.in(cmdBase + regLow); got != 0x34 {
		t.Errorf("after a write, which clears HOB, %#x", got)
	}
}

func TestTheChannelIsNotThereUntilItsPortsAreDecoded(t *testing.T) {
	b := newBoard(t)
	b.ide.Function().SetConfig(timing, 2, 0)
	b.ide.decode()
	if b.in(cmdBase+regStatus) != 0xff || b.status() != 0xff || b.in(second+regCount) == 0xff {
		t.Error("IDETIM is ignored")
	}
}

// TestASlowMediumKeepsTheDriveBusy drives each kind of transfer with a medium
// that answers later, and moves the machine to another board in the middle.
func TestASlowMediumKeepsTheDriveBusy(t *testing.T) {
	start := map[string]func(b *board){
		"PIO read":  func(b *board) { b.issue(0x20, 50, 3) },
		"PIO write": func(b *board) { b.issue(0x30, 50, 3); b.writePIO(make([]byte, 512)) },
		"DMA read": func(b *board) {
			b.prepare(region{data, 3 * 512})
			b.issue(0xc8, 50, 3)
			b.out(bus+bmCommand, bmStart|bmToMemory)
		},
		"DMA write": func(b *board) {
			b.prepare(region{data, 3 * 512})
			b.issue(0xca, 50, 3)
			b.out(bus+bmCommand, bmStart)
		},
		"flush": func(b *board) { b.issue(0xe7, 0, 0) },
	}
	for name, start := range start {
		a := newBoard(t)
		a.disk.Slow = true
		start(a)
		a.wantStatus(statusBSY)
		s := snapshot.NewSaver()
		a.ide.Save(s)
		saved, err := s.Close()
		if err != nil {
			t.Fatal(err)
		}
		b := newBoard(t)
		b.disk.Slow = true
		if err := b.memory.WriteAt(a.memoryAt(0, 0x20000), 0); err != nil {
			t.Fatal(err)
		}
		if err := b.ide.Load(snapshot.NewLoader(saved)); err != nil {
			t.Fatal(err)
		}
		b.ide.Resume()
		b.wantStatus(statusBSY)
		b.out(cmdBase+regStatus, 0x20) // it does not listen
		if b.disk.Finish() != 1 {
			t.Errorf("%s: the medium is not asked again", name)
		}
		switch name {
		case "PIO read":
			b.wantIRQ(true)
			if !bytes.Equal(b.readPIO(512), b.disk.Data[50*512:][:512]) {
				t.Errorf("%s: wrong data", name)
			}
			b.wantStatus(statusBSY) // with the next sector
		case "PIO write":
			b.wantIRQ(true)
			b.wantStatus(wants)
			if !bytes.Equal(b.disk.Data[50*512:][:512], make([]byte, 512)) {
				t.Errorf("%s: wrong data", name)
			}
		default:
			b.wantIRQ(true)
			b.wantStatus(ready)
		}
	}
}

func TestAResetForgetsTheRequestUnderWay(t *testing.T) {
	b := newBoard(t)
	b.disk.Slow = true
	b.issue(0x20, 0, 1)
	b.out(control, controlSRST)
	b.out(control, 0)
	b.issue(0xec, 0, 0)
	b.disk.Finish()
	b.wantStatus(wants)
	if w := words(b.readPIO(512)); w[0] != 0x40 {
		t.Errorf("the identity begins %#x", w[0])
	}
}

func TestStateListIsComplete(t *testing.T) { snapshottest.Complete(t, (*state).sync, nil) }

// drive feeds the controller accesses made of bytes.
func (b *board) feed(ops []byte) {
	ports := []uint16{cmdBase, cmdBase + 1, cmdBase + 2, cmdBase + 3, cmdBase + 4, cmdBase + 5, cmdBase + 6, cmdBase + 7,
		control, bus, bus + 2, bus + 4, second + 6, second + 7, bus + 8, bus + 12}
	for ; len(ops) >= 3; ops = ops[3:] {
		port := ports[ops[0]&15]
		w := []portio.Width{portio.Byte, portio.Word, portio.DWord, portio.Word}[ops[0]>>4&3]
		v := uint32(ops[1]) | uint32(ops[2])<<8
		for range 1 + int(ops[0]>>7)*300 {
			if ops[0]&0x40 != 0 {
				b.ports.In(port, w)
			} else {
				b.ports.Out(port, w, v)
			}
		}
	}
}

func FuzzCommands(f *testing.F) {
	f.Add([]byte{6, 0xe0, 0, 2, 0, 0, 11 | 0x20, 0, 0x10, 7, 0x25, 0, 9, 9, 0, 0x40, 0, 0})
	f.Add([]byte{6, 0xf0, 0, 1, 1, 0, 5, 0xff, 0, 7, 0xa0, 0, 0x10, 0x28, 0, 0x80 | 0x10, 0, 1, 0xc0 | 0x10, 0, 0})
	f.Add([]byte{7, 0x30, 0, 0x80, 7, 7, 0x80, 7, 7, 8, 4, 0, 8, 0, 0, 7, 0xec, 0, 0xd0, 0, 0})
	f.Fuzz(func(t *testing.T, ops []byte) {
		b := newBoardWith(t, hwtest.NewMedium(256<<10))
		if len(ops) > 0 {
			b.disk.Slow = ops[0]&1 != 0
		}
		b.feed(ops)
		s := snapshot.NewSaver()
		b.ide.Save(s)
		saved, err := s.Close()
		if err != nil {
			t.Fatal(err)
		}
		if err := b.ide.Load(snapshot.NewLoader(saved)); err != nil {
			t.Fatalf("what was saved cannot be loaded: %v", err)
		}
		b.ide.Resume()
		b.disk.Finish()
	})
}

func FuzzLoad(f *testing.F) {
	b := newBoard(f)
	b.issue(0x20, 1, 2)
	s := snapshot.NewSaver()
	b.ide.Save(s)
	saved, _ := s.Close()
	f.Add(saved)
	f.Fuzz(func(t *testing.T, p []byte) {
		b := newBoardWith(t, hwtest.NewMedium(256<<10))
		if b.ide.Load(snapshot.NewLoader(p)) != nil {
			return
		}
		b.ide.Resume()
		b.feed([]byte{0x50 | 0x80, 0, 0, 7, 0x20, 0, 0x90, 1, 1, 9, 1, 0, 7, 0x30, 0, 0x90, 1, 1})
	})
}
