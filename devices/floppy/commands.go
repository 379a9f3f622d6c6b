package floppy

// Bits of ST0, ST1 and ST2 (82077AA data sheet, "Status Register Encoding").
const (
	st0Abnormal = 1 << 6
	st0Invalid  = 2 << 6
	st0Polling  = 3 << 6
	st0SeekEnd  = 1 << 5
	st0Check    = 1 << 4 // a recalibration did not find track 0

	st1MissingAddress = 1 << 0
	st1NotWritable    = 1 << 1
	st1NoData         = 1 << 2
	st1DataError      = 1 << 5
	st1EndOfCylinder  = 1 << 7

	st2WrongCylinder = 1 << 4
	st2DataError     = 1 << 5

	st3Ones         = 1<<3 | 1<<5
	st3Track0       = 1 << 4
	st3WriteProtect = 1 << 6

	headBit    = 1 << 2
	maxBytes   = 16
	versionIs  = 0x90 // enhanced: an 82077AA or its like
	sizeCode   = 2    // N of sectors of 512 bytes
	impliedBit = 1 << 6
	multiTrack = 1 << 7
)

// A command is a row of the table: what takes how many bytes behind its code.
type command struct {
	mask, code uint8
	parameters uint8
	run        func(*Controller, []byte)
}

// commands are those of the 82077AA data sheet, "Command Set/Descriptions". MT,
// MFM and SK are outside the masks.
var commands []command

func init() {
	commands = []command{
		{0x1f, 0x06, 8, (*Controller).read}, // READ DATA
		{0x1f, 0x0c, 8, (*Controller).read}, // READ DELETED DATA
		{0x9f, 0x02, 8, (*Controller).readTrack},
		{0x1f, 0x16, 8, (*Controller).verify},
		{0x3f, 0x05, 8, (*Controller).write}, // WRITE DATA
		{0x3f, 0x09, 8, (*Controller).write}, // WRITE DELETED DATA
		{0xbf, 0x0d, 5, (*Controller).formatTrack},
		{0xbf, 0x0a, 1, (*Controller).readID},
		{0xff, 0x07, 1, (*Controller).recalibrate},
		{0xff, 0x0f, 2, (*Controller).seek},
		{0xbf, 0x8f, 2, (*Controller).relativeSeek},
		{0xff, 0x08, 0, (*Controller).senseInterrupt},
		{0xff, 0x03, 2, (*Controller).specifyTimes},
		{0xff, 0x04, 1, (*Controller).senseDrive},
		{0xff, 0x13, 3, (*Controller).configure},
		{0xff, 0x0e, 0, (*Controller).dumpRegisters},
		{0xff, 0x10, 0, func(c *Controller, _ []byte) { c.result(versionIs) }},
		{0xff, 0x12, 1, (*Controller).perpendicular},
		{0x7f, 0x14, 0, (*Controller).lock},
	}
}

var invalid = command{run: func(c *Controller, _ []byte) { c.result(st0Invalid) }}

func commandOf(code uint8) *command {
	for i := range commands {
		if k := &commands[i]; code&k.mask == k.code {
			return k
		}
	}
	return &invalid
}

// step moves the head of a drive. A step pulse tells the drive that the change
// of its disk was noticed, if there is a disk.
func (c *Controller) step(d uint8, to int) {
	r := &c.drives[d]
	r.track = uint8(max(0, min(to, maxTrack)))
	if c.media[d] != nil {
		r.changed = false
	}
}

// sense makes an interrupt that SENSE INTERRUPT STATUS explains.
func (c *Controller) sense(d, st0 uint8) {
	c.sensed[d], c.st0[d] = true, st0|d
	c.interrupt(true)
}

func (c *Controller) recalibrate(p []byte) {
	d := p[1] & 3
	if c.types[d] == NoDrive {
		c.sense(d, st0Abnormal|st0SeekEnd|st0Check)
		return
	}
	c.step(d, 0)
	c.sense(d, st0SeekEnd)
}

func (c *Controller) seek(p []byte) {
	d := p[1] & 3
	c.step(d, int(p[2]))
	c.sense(d, st0SeekEnd|p[1]&headBit)
}

func (c *Controller) relativeSeek(p []byte) {
	const inward = 1 << 6
	d, n := p[1]&3, int(p[2])
	if p[0]&inward == 0 {
		n = -n
	}
	c.step(d, int(c.drives[d].track)+n)
	c.sense(d, st0SeekEnd|p[1]&headBit)
}

func (c *Controller) senseInterrupt([]byte) {
	for d := range c.sensed {
		if c.sensed[d] {
			c.sensed[d] = false
			c.interrupt(false)
			c.result(c.st0[d], c.drives[d].track)
			return
		}
	}
	c.result(st0Invalid)
}

func (c *Controller) specifyTimes(p []byte) { c.specify = [2]uint8(p[1:]) }

func (c *Controller) senseDrive(p []byte) {
	d := p[1] & 3
	v := p[1]&(headBit|3) | st3Ones
	if c.drives[d].track == 0 {
		v |= st3Track0
	}
	if m := c.media[d]; m != nil && m.ReadOnly() {
		v |= st3WriteProtect
	}
	c.result(v)
}

func (c *Controller) configure(p []byte) { c.config = [2]uint8(p[2:]) }

func (c *Controller) dumpRegisters([]byte) {
	locked := uint8(0)
	if c.locked {
		locked = 1 << 7
	}
	c.result(c.drives[0].track, c.drives[1].track, c.drives[2].track, c.drives[3].track,
		c.specify[0], c.specify[1], c.lastEOT, locked|c.perpend, c.config[0], c.config[1])
}

// perpendicular is PERPENDICULAR MODE. The bits of the drives change only when
// OW says so.
func (c *Controller) perpendicular(p []byte) {
	const overwrite = 1 << 7
	if p[1]&overwrite == 0 {
		c.perpend = c.perpend&^3 | p[1]&3
		return
	}
	c.perpend = p[1] & 0x3f
}

func (c *Controller) lock(p []byte) {
	c.locked = p[0]>>7 != 0
	c.result(p[0] >> 7 << 4)
}

// readID finds the next sector that passes the head.
func (c *Controller) readID(p []byte) {
	c.begin(p, transfer{})
	f, ok := c.format(c.unit)
	if !ok || !c.onDisk(&f) {
		c.fail(st0Abnormal, st1MissingAddress, 0)
		return
	}
	next := &c.drives[c.unit].next
	*next %= f.sectors
	*next++
	c.cylinder, c.headID, c.sector, c.size = c.trackOf(&f), c.head, *next, sizeCode
	c.succeed()
}
