package floppy

import (
	"bytes"

	"github.com/gov86/gov86/snapshot"
)

// A transfer is the command at hand, if it moves data.
type transfer struct {
	code       uint8
	unit, head uint8
	// cylinder, headID, sector and size are the ID looked for: C, H, R and N.
	cylinder, headID, sector, size uint8
	// last is EOT, the last sector of a track.
	last uint8
	// out is the direction: to the disk. quiet moves nothing: a verify.
	out, quiet bool
	// whole reads a track, whatever the IDs are.
	whole bool
	// formatting takes IDs instead of data; fill is what the sectors then hold.
	formatting bool
	fill       uint8
	// left is how many sectors a command goes on at most.
	left uint16
	// ending says that the terminal count has come.
	ending bool
	// buffer is a sector or an ID, of which filled bytes were moved.
	buffer []byte
	filled uint32
}

func (x *transfer) sync(c *snapshot.Codec) {
	for _, f := range []struct {
		name string
		v    *uint8
	}{
		{"code", &x.code}, {"unit", &x.unit}, {"head", &x.head}, {"cylinder", &x.cylinder}, {"headID", &x.headID},
		{"sector", &x.sector}, {"size", &x.size}, {"last", &x.last}, {"fill", &x.fill},
	} {
		c.Uint8(f.name, f.v)
	}
	c.Bool("out", &x.out)
	c.Bool("quiet", &x.quiet)
	c.Bool("whole", &x.whole)
	c.Bool("formatting", &x.formatting)
	c.Uint16("left", &x.left)
	c.Bool("ending", &x.ending)
	c.Bytes("buffer", &x.buffer, sectorSize)
	c.Uint32("filled", &x.filled)
}

// sound reports whether a transfer is one that can go on.
func (x *transfer) sound() bool {
	n := sectorSize
	if x.formatting {
		n = idLen
	}
	return len(x.buffer) == n && int(x.filled) <= n && x.unit < drives && x.head < 2
}

const (
	idLen        = 4
	unlimited    = 1<<16 - 1
	headOfSelect = 2 // the bit of the head in HDS US1 US0
)

// begin starts a command that a result of seven bytes ends. p is its bytes, of
// which the second selects drive and head.
func (c *Controller) begin(p []byte, x transfer) {
	x.code, x.unit, x.head = p[0], p[1]&3, p[1]>>headOfSelect&1
	c.transfer = x
	c.sensed[x.unit] = false
}

// beginData starts a command with the eight parameters of a transfer.
func (c *Controller) beginData(p []byte, x transfer) {
	x.cylinder, x.headID, x.sector, x.size, x.last = p[2], p[3], p[4], p[5], p[6]
	if x.left == 0 {
		x.left = unlimited
	}
	c.begin(p, x)
	c.lastEOT = x.last
	if c.config[0]&impliedBit != 0 {
		c.step(c.unit, int(x.cylinder))
	}
	c.nextSector()
}

func (c *Controller) read(p []byte)  { c.beginData(p, transfer{}) }
func (c *Controller) write(p []byte) { c.beginData(p, transfer{out: true}) }

// readTrack is READ TRACK: EOT sectors from the first on.
func (c *Controller) readTrack(p []byte) {
	p[4] = 1
	c.beginData(p, transfer{whole: true, left: uint16(p[6])})
}

// verify is VERIFY: with EC, of as many sectors as its last byte says.
func (c *Controller) verify(p []byte) {
	const enableCount = 1 << 7
	x := transfer{quiet: true}
	if p[1]&enableCount != 0 {
		x.left = uint16(p[8])
	}
	c.beginData(p, x)
}

// formatTrack is FORMAT A TRACK.
func (c *Controller) formatTrack(p []byte) {
	c.begin(p, transfer{out: true, formatting: true, size: p[2], left: uint16(p[3]), fill: p[5]})
	f, ok := c.format(c.unit)
	switch {
	case !ok || !c.onDisk(&f) || c.size != sizeCode:
		c.fail(st0Abnormal, st1MissingAddress, 0)
	case c.media[c.unit].ReadOnly():
		c.fail(st0Abnormal, st1NotWritable, 0)
	case c.left == 0:
		c.succeed()
	default:
		c.accept(idLen)
	}
}

// trackOf is the track of the disk below the head: a drive of 80 tracks has two
// steps to each of a disk of 40.
func (c *Controller) trackOf(f *format) uint8 {
	t := c.drives[c.unit].track
	if f.drive == Drive360K && c.types[c.unit] != Drive360K {
		return t / 2
	}
	return t
}

// onDisk reports whether the selected head is over a track of the disk.
func (c *Controller) onDisk(f *format) bool {
	return c.trackOf(f) < f.tracks && c.head < f.heads
}

// nextSector looks for the ID at hand and begins what is to be done there.
func (c *Controller) nextSector() {
	f, ok := c.format(c.unit)
	switch {
	case !ok || !c.onDisk(&f):
		c.fail(st0Abnormal, st1MissingAddress, 0)
	case c.out && c.media[c.unit].ReadOnly():
		c.fail(st0Abnormal, st1NotWritable, 0)
	case !c.whole && c.cylinder != c.trackOf(&f):
		c.fail(st0Abnormal, st1NoData, st2WrongCylinder)
	case c.sector == 0 || c.sector > f.sectors || c.size != sizeCode || !c.whole && c.headID != c.head:
		c.fail(st0Abnormal, st1NoData, 0)
	case c.out:
		c.accept(sectorSize)
	default:
		c.start(jobRead)
	}
}

// accept takes n bytes from the host.
func (c *Controller) accept(n int) {
	c.buffer, c.filled, c.phase = make([]byte, n), 0, phaseMove
	c.offer()
}

// offer lets the host move the buffer: by DMA, or byte by byte with an interrupt
// for each.
func (c *Controller) offer() {
	if c.nonDMA() && !c.quiet {
		c.interrupt(true)
		return
	}
	c.pump()
}

// start gives the medium a job with the buffer.
func (c *Controller) start(job uint8) {
	if job == jobRead {
		c.buffer, c.filled = make([]byte, sectorSize), 0
	}
	c.phase, c.job = phaseMedium, job
	c.ask()
}

// ask is the request of the job at hand.
func (c *Controller) ask() {
	if c.phase != phaseMedium {
		return
	}
	epoch := c.epoch
	done := func(err error) {
		if c.epoch == epoch {
			c.answered(err)
		}
	}
	f, ok := c.format(c.unit)
	if !ok || !c.onDisk(&f) || c.target() == 0 || c.target() > f.sectors || c.job == jobWrite && c.media[c.unit].ReadOnly() {
		c.job = jobNone
		c.fail(st0Abnormal, st1NoData, 0)
		return
	}
	sector := (uint64(c.trackOf(&f))*uint64(f.heads)+uint64(c.head))*uint64(f.sectors) + uint64(c.target()) - 1
	switch m := c.media[c.unit]; {
	case c.job == jobRead:
		m.Read(c.buffer, sector*sectorSize, done)
	case c.formatting:
		c.drives[c.unit].unflushed = true
		m.Write(bytes.Repeat([]byte{c.fill}, sectorSize), sector*sectorSize, done)
	default:
		c.drives[c.unit].unflushed = true
		m.Write(c.buffer, sector*sectorSize, done)
	}
}

// target is the sector of the job: of a format, the one that the ID names.
func (c *Controller) target() uint8 {
	if c.formatting {
		return c.buffer[2]
	}
	return c.sector
}

// answered goes on when the medium has done its job.
func (c *Controller) answered(err error) {
	job := c.job
	c.job = jobNone
	switch {
	case err != nil:
		c.fail(st0Abnormal, st1DataError, st2DataError)
	case job == jobRead:
		c.phase = phaseMove
		c.offer()
	default:
		c.sectorDone()
	}
}

// pump moves the buffer by DMA as far as the channel goes. It is also called
// when the channel is opened.
func (c *Controller) pump() {
	if c.moving || c.phase != phaseMove || c.nonDMA() && !c.quiet {
		return // who moves goes on
	}
	c.moving = true
	defer func() { c.moving = false }()
	for c.phase == phaseMove {
		n, terminal := len(c.buffer)-int(c.filled), false
		if !c.quiet {
			n, terminal = c.dma.Move(c.buffer[c.filled:], !c.out)
		}
		c.filled += uint32(n)
		if !terminal && int(c.filled) < len(c.buffer) {
			return // the channel is masked
		}
		c.filledUp(terminal)
	}
}

// filledUp goes on when some of the buffer was moved: with all of it, or with
// the terminal count, which leaves the rest of a sector zero.
func (c *Controller) filledUp(terminal bool) {
	c.ending = c.ending || terminal
	switch {
	case int(c.filled) < len(c.buffer) && !c.ending:
		c.offer()
	case c.formatting && int(c.filled) < len(c.buffer):
		c.succeed()
	case c.out:
		c.start(jobWrite)
	default:
		c.sectorDone()
	}
}

// sectorDone goes on to the next sector, unless the command ends with this one.
func (c *Controller) sectorDone() {
	c.left--
	if c.formatting {
		if c.ending || c.left == 0 {
			c.succeed()
			return
		}
		c.accept(idLen)
		return
	}
	atEnd := c.advance()
	switch {
	case c.ending || c.left == 0:
		c.succeed()
	case atEnd:
		c.fail(st0Abnormal, st1EndOfCylinder, 0)
	default:
		c.nextSector()
	}
}

// advance makes the ID that of the next sector, and reports whether the one
// before was the last that the command may reach (82077AA data sheet, "Result
// Phase Table").
func (c *Controller) advance() (atEnd bool) {
	if c.sector != c.last {
		c.sector++
		return false
	}
	c.sector = 1
	if c.code&multiTrack == 0 {
		c.cylinder++
		return true
	}
	c.head ^= 1
	c.headID ^= 1
	if c.head != 0 {
		return false
	}
	c.cylinder++
	return true
}

// succeed ends the command well.
func (c *Controller) succeed() { c.fail(0, 0, 0) }

// fail ends the command with bits of the status registers.
func (c *Controller) fail(st0, st1, st2 uint8) {
	c.job, c.buffer, c.filled = jobNone, nil, 0
	c.result(st0|c.head<<headOfSelect|c.unit, st1, st2, c.cylinder, c.headID, c.sector, c.size)
	c.interrupt(true)
}
