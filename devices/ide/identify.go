package ide

import "encoding/binary"

// Features of SET FEATURES (ATA/ATAPI-7, "SET FEATURES").
const (
	enableWriteCache  = 0x02
	setTransferMode   = 0x03
	disableLookAhead  = 0x55
	disableReverting  = 0x66
	disableWriteCache = 0x82
	enableLookAhead   = 0xaa
	enableReverting   = 0xcc
)

// Transfer modes, as SET FEATURES encodes them: a class and a number.
const (
	modePIO      = 0x08
	modeMultword = 0x20
	modeUltra    = 0x40
	maxPIO       = 4
	maxMultword  = 2
	maxUltra     = 5
)

func setFeatures(d *drive) {
	switch d.feature[0] {
	case enableWriteCache:
		d.noWriteCache = false
	case disableWriteCache:
		d.noWriteCache = true
		if d.kind == Disk {
			d.start(jobFlush)
			return
		}
	case enableLookAhead:
		d.noLookAhead = false
	case disableLookAhead:
		d.noLookAhead = true
	case enableReverting, disableReverting:
	case setTransferMode:
		v := d.file[fileCount][0]
		if !transferMode(v) {
			d.fail(errABRT)
			return
		}
		d.mode = v
	default:
		d.fail(errABRT)
		return
	}
	d.complete()
}

func transferMode(v uint8) bool {
	switch n := v & 7; v &^ 7 {
	case 0:
		return n <= 1
	case modePIO:
		return n <= maxPIO
	case modeMultword:
		return n <= maxMultword
	case modeUltra:
		return n <= maxUltra
	}
	return false
}

// An identity is the data of IDENTIFY DEVICE and IDENTIFY PACKET DEVICE, by word.
type identity [256]uint16

// text puts s into n words: two characters in each, the first one above.
func (w *identity) text(at, n int, s string) {
	for i := range n {
		c := [2]byte{' ', ' '}
		if 2*i < len(s) {
			copy(c[:], s[2*i:])
		}
		w[at+i] = binary.BigEndian.Uint16(c[:])
	}
}

func (w *identity) long(at int, v uint32) { w[at], w[at+1] = uint16(v), uint16(v>>16) }

// bytes is the identity as it is transferred, with its checksum.
func (w *identity) bytes() []byte {
	const integrity = 0xa5
	p := make([]byte, 0, sectorSize)
	for _, v := range w {
		p = binary.LittleEndian.AppendUint16(p, v)
	}
	p[510] = integrity
	p[511] = checksum(p[:511])
	return p
}

// checksum makes the sum of all bytes zero.
func checksum(p []byte) uint8 {
	var sum uint8
	for _, b := range p {
		sum += b
	}
	return -sum
}

// common are the words that both kinds have.
func (d *drive) common(model string) *identity {
	w := new(identity)
	w.text(10, 10, d.serial)
	w.text(23, 4, "1.0")
	w.text(27, 20, model)
	w[49] = 1<<11 | 1<<9 | 1<<8 // IORDY, LBA, DMA
	w[53] = 1<<1 | 1<<2         // words 64 to 70 and 88 are valid
	w[63] = 1<<(maxMultword+1) - 1
	w[88] = 1<<(maxUltra+1) - 1
	switch chosen := uint16(1) << (8 + d.mode&7); d.mode &^ 7 {
	case modeMultword:
		w[63] |= chosen
	case modeUltra:
		w[88] |= chosen
	}
	w[64] = 3                                       // PIO modes 3 and 4
	w[65], w[66], w[67], w[68] = 120, 120, 120, 120 // ns of a cycle
	w[80] = 1<<4 | 1<<5 | 1<<6 | 1<<7               // ATA/ATAPI-4 to 7
	w[93] = 0x6001                                  // reset by hardware, an 80-conductor cable
	return w
}

// identify is IDENTIFY DEVICE. A packet device aborts it and leaves its
// signature.
func identify(d *drive) {
	if d.kind == CDROM {
		d.signature()
		d.fail(errABRT)
		return
	}
	d.reply(d.diskIdentity().bytes())
}

// diskIdentity is what IDENTIFY DEVICE tells (ATA/ATAPI-7, "IDENTIFY DEVICE").
func (d *drive) diskIdentity() *identity {
	w := d.common("gov86 disk")
	standard, now := GeometryOf(d.capacity()*sectorSize), translate(d.capacity(), d.heads, d.sectors)
	w[0] = 1 << 6 // not removable
	w[1], w[3], w[6] = standard.Cylinders, uint16(standard.Heads), uint16(standard.Sectors)
	// ATA-1 had the bytes of a track and of a sector, which Bochs' firmware asks for.
	w[4], w[5] = uint16(standard.Sectors)*sectorSize, sectorSize
	w[47] = 0x8000 | maxMultiple
	w[50] = 1 << 14
	w[51], w[52] = 2<<8, 2<<8 // what ATA-3 called timing modes
	w[53] |= 1 << 0           // words 54 to 58 are valid
	w[54], w[55], w[56] = now.Cylinders, uint16(now.Heads), uint16(now.Sectors)
	w.long(57, uint32(now.Cylinders)*uint32(now.Heads)*uint32(now.Sectors))
	if d.multiple != 0 {
		w[59] = 1<<8 | uint16(d.multiple)
	}
	w.long(60, uint32(min(d.capacity(), maxLBA28-1)))
	const smart, power, writeCache, lookAhead, nop = 1 << 0, 1 << 3, 1 << 5, 1 << 6, 1 << 14
	const lba48, flushes, valid = 1 << 10, 1<<12 | 1<<13, 1 << 14
	const fua = 1 << 6
	w[82] = smart | power | writeCache | lookAhead
	w[83] = lba48 | flushes | valid
	w[84] = fua | valid
	w[85], w[86], w[87] = w[82], lba48|flushes, w[84]
	if d.noSMART {
		w[85] &^= smart
	}
	if d.noWriteCache {
		w[85] &^= writeCache
	}
	if d.noLookAhead {
		w[85] &^= lookAhead
	}
	w.long(100, uint32(d.capacity()))
	w.long(102, uint32(d.capacity()>>32))
	return w
}

// identifyPacket is IDENTIFY PACKET DEVICE: a CD-ROM drive with packets of 12
// bytes, which asks for them within 50 µs.
func identifyPacket(d *drive) {
	w := d.common("gov86 CD-ROM")
	const packetDevice, cdrom, removable, accelerated = 2 << 14, 5 << 8, 1 << 7, 2 << 5
	w[0] = packetDevice | cdrom | removable | accelerated
	const packet, reset, power = 1 << 4, 1 << 9, 1 << 3
	w[82] = packet | reset | power
	w[83], w[84] = 1<<14, 1<<14
	w[85], w[87] = w[82], 1<<14
	d.reply(w.bytes())
}

// SMART subcommands, and the key that Mid and High must hold.
const (
	smartReadData       = 0xd0
	smartReadThresholds = 0xd1
	smartAutosave       = 0xd2
	smartEnable         = 0xd8
	smartDisable        = 0xd9
	smartReturnStatus   = 0xda
	smartMid, smartHigh = 0x4f, 0xc2
)

// smart is SMART without attributes: nothing is measured that could fail.
func smart(d *drive) {
	sub := d.feature[0]
	if d.file[fileMid][0] != smartMid || d.file[fileHigh][0] != smartHigh || d.noSMART && sub != smartEnable {
		d.fail(errABRT)
		return
	}
	switch sub {
	case smartReadData, smartReadThresholds:
		p := make([]byte, sectorSize)
		p[0] = 1 // the structure's revision
		p[511] = checksum(p[:511])
		d.reply(p)
		return
	case smartEnable, smartDisable:
		d.noSMART = sub == smartDisable
	case smartAutosave, smartReturnStatus: // no threshold is exceeded: the key stays
	default:
		d.fail(errABRT)
		return
	}
	d.complete()
}
