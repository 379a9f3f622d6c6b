package ide

import "errors"

// Errors of a request that did not reach the medium.
var (
	errNoMedium = errors.New("no medium")
	errRange    = errors.New("beyond the medium")
	errReadOnly = errors.New("the medium is read-only")
)

// mediumFailed ends a command whose request failed. The registers name the
// first sector that was not transferred.
func (d *drive) mediumFailed(err error) {
	if d.kind == CDROM {
		d.packetFailed(err)
		return
	}
	d.setAddress(d.lba)
	switch {
	case errors.Is(err, errRange):
		d.fail(errIDNF)
	case errors.Is(err, errReadOnly) || d.out || d.command == cmdFlush || d.command == cmdFlushExt:
		d.fail(errABRT)
	default:
		d.fail(errUNC)
	}
}

// A Geometry is a translation of sector numbers to cylinders, heads and sectors.
type Geometry struct {
	Cylinders      uint16
	Heads, Sectors uint8
}

// maxCylinders is what 14 bits and the habit of reserving one leave: 8.4 GB.
const maxCylinders = 16383

// GeometryOf is the default translation of a disk of a size in bytes: 16 heads
// and 63 sectors, as all disks have had that software addressed by sector number
// as well.
func GeometryOf(size uint64) Geometry { return translate(size/sectorSize, 16, 63) }

func translate(capacity uint64, heads, sectors uint8) Geometry {
	n := min(capacity/(uint64(heads)*uint64(sectors)), maxCylinders)
	return Geometry{uint16(max(n, 1)), heads, sectors}
}

// extended reports whether the command at hand takes the previous content of
// the registers too: LBA of 48 bits.
func (d *drive) extended() bool { return commands[d.command].extended }

// count is the Sector Count: its zero is the most there is.
func (d *drive) count() uint32 {
	n := uint32(d.file[fileCount][0])
	if d.extended() {
		if n |= uint32(d.file[fileCount][1]) << 8; n == 0 {
			n = 1 << 16
		}
	} else if n == 0 {
		n = 1 << 8
	}
	return n
}

// address is the sector that the registers name, and whether there is one.
func (d *drive) address() (uint64, bool) {
	low, mid, high := uint64(d.file[fileLow][0]), uint64(d.file[fileMid][0]), uint64(d.file[fileHigh][0])
	device := d.channel.device
	switch {
	case d.extended():
		if device&deviceLBA == 0 {
			return 0, false
		}
		return low | mid<<8 | high<<16 | uint64(d.file[fileLow][1])<<24 | uint64(d.file[fileMid][1])<<32 |
			uint64(d.file[fileHigh][1])<<40, true
	case device&deviceLBA != 0:
		return low | mid<<8 | high<<16 | uint64(device&15)<<24, true
	}
	head := uint64(device & 15)
	if low == 0 || low > uint64(d.sectors) || head >= uint64(d.heads) {
		return 0, false
	}
	return ((mid|high<<8)*uint64(d.heads)+head)*uint64(d.sectors) + low - 1, true
}

// setAddress makes the registers name a sector.
func (d *drive) setAddress(lba uint64) {
	device := &d.channel.device
	switch {
	case d.extended():
		for i := range 3 {
			d.file[fileLow+i] = [2]uint8{uint8(lba >> (8 * i)), uint8(lba >> (8*i + 24))}
		}
		return
	case *device&deviceLBA == 0:
		track := lba / uint64(d.sectors)
		cylinder := track / uint64(d.heads)
		head := uint8(track % uint64(d.heads))
		lba = lba%uint64(d.sectors) + 1 | cylinder<<8 | uint64(head)<<24
	}
	for i := range 3 {
		d.file[fileLow+i][0] = uint8(lba >> (8 * i))
	}
	*device = *device&^15 | uint8(lba>>24)&15
}

// transfer begins a command that reads or writes sectors.
func (d *drive) transfer(out, dma bool) {
	lba, ok := d.address()
	n := d.count()
	switch {
	case !ok || lba+uint64(n) > d.capacity():
		d.fail(errIDNF)
	case multipleCommand(d.command) && d.multiple == 0:
		d.fail(errABRT)
	case out && d.medium.ReadOnly():
		d.fail(errABRT)
	default:
		d.begin(lba, n, out, dma)
	}
}

func readPIO(d *drive)  { d.transfer(false, false) }
func writePIO(d *drive) { d.transfer(true, false) }
func readDMA(d *drive)  { d.transfer(false, true) }
func writeDMA(d *drive) { d.transfer(true, true) }

// writeLastingDMA and writeLastingPIO are writes with FUA: they end when the
// data is lasting.
func writeLastingDMA(d *drive) {
	d.lasting = true
	writeDMA(d)
}

func writeLastingPIO(d *drive) {
	d.lasting = true
	writePIO(d)
}

// verify and seek need sectors that exist; there is nothing to move.
func verify(d *drive) {
	if lba, ok := d.address(); !ok || lba+uint64(d.count()) > d.capacity() {
		d.fail(errIDNF)
		return
	}
	d.complete()
}

func seek(d *drive) {
	if lba, ok := d.address(); !ok || lba >= d.capacity() {
		d.fail(errIDNF)
		return
	}
	d.complete()
}

func flush(d *drive) { d.start(jobFlush) }

func readNativeMax(d *drive) {
	last := max(d.capacity(), 1) - 1
	if !d.extended() {
		last = min(last, maxLBA28-1)
	}
	d.channel.device |= deviceLBA
	d.setAddress(last)
	d.complete()
}

// initParameters is INITIALIZE DEVICE PARAMETERS: the translation to use from
// now on.
func initParameters(d *drive) {
	heads, sectors := d.channel.device&15+1, d.file[fileCount][0]
	if sectors == 0 {
		d.fail(errABRT)
		return
	}
	d.heads, d.sectors = heads, sectors
	d.complete()
}

func setMultiple(d *drive) {
	n := d.file[fileCount][0]
	if n > maxMultiple || n&(n-1) != 0 {
		d.multiple = 0
		d.fail(errABRT)
		return
	}
	d.multiple = n
	d.complete()
}

// Power management: a disk spins down at once, and up when it is asked for data.
func spinDown(d *drive) {
	d.standby = true
	if d.medium != nil {
		d.start(jobFlush)
		return
	}
	d.complete()
}

func spinUp(d *drive) {
	d.standby = false
	d.complete()
}

func checkPower(d *drive) {
	const standby, active = 0x00, 0xff
	d.file[fileCount][0] = active
	if d.standby {
		d.file[fileCount][0] = standby
	}
	d.complete()
}

// reply hands data to the host by PIO, as one block.
func (d *drive) reply(p []byte) {
	d.out, d.dma, d.left = false, false, 0
	d.take(uint32(len(p)))
	copy(d.buffer, p)
	d.present()
}
