package ide

import (
	"encoding/binary"
	"fmt"

	"github.com/gov86/gov86/hw"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/trace"
)

// Phases of a command.
const (
	phaseIdle   = iota
	phasePacket // the host writes a command packet
	phasePIO    // the host reads or writes the buffer
	phaseDMA    // the bus master does
	phaseMedium // the medium has a request
	phases
)

// What a medium is asked.
const (
	jobNone = iota
	jobRead
	jobWrite
	jobFlush
	jobs
)

// The registers in drive.file, which count from regCount.
const (
	fileCount = 0
	fileLow   = regLow - regCount
	fileMid   = regMid - regCount
	fileHigh  = regHigh - regCount
)

// driveRegs is all the guest can observe of a device, and how far its command is.
type driveRegs struct {
	// feature and file are the latest and the previous content of Features,
	// Sector Count and the three of LBA.
	feature     [2]uint8
	file        [4][2]uint8
	status, err uint8
	intrq       bool

	command uint8
	phase   uint8
	job     uint8
	// out is the direction of a transfer: to the device.
	out bool
	// dma says who moves the data, lasting that the command ends with a flush.
	dma, lasting bool
	// lba is the next sector to go to or come from the medium, of left.
	lba  uint64
	left uint32
	// buffer is moved from pos on, by PIO up to block before the next interrupt.
	buffer     []byte
	pos, block uint32

	settings
	packetRegs
}

// settings are what commands set for those that follow.
type settings struct {
	multiple       uint8 // sectors of a DRQ block, 0 for none
	heads, sectors uint8 // of the current translation
	mode           uint8 // of transfer, as SET FEATURES encodes it
	noWriteCache   bool
	noLookAhead    bool
	standby        bool
	noSMART        bool
}

func (r *driveRegs) sync(c *snapshot.Codec) {
	c.Uint8s("feature", r.feature[:])
	for i := range r.file {
		c.Uint8s("file", r.file[i][:])
	}
	c.Uint8("status", &r.status)
	c.Uint8("error", &r.err)
	c.Bool("intrq", &r.intrq)
	c.Uint8("command", &r.command)
	c.Uint8("phase", &r.phase)
	c.Uint8("job", &r.job)
	c.Bool("out", &r.out)
	c.Bool("dma", &r.dma)
	c.Bool("lasting", &r.lasting)
	c.Uint64("lba", &r.lba)
	c.Uint32("left", &r.left)
	c.Bytes("buffer", &r.buffer, chunkSize)
	c.Uint32("pos", &r.pos)
	c.Uint32("block", &r.block)
	c.Uint8("multiple", &r.multiple)
	c.Uint8("heads", &r.heads)
	c.Uint8("sectors", &r.sectors)
	c.Uint8("mode", &r.mode)
	c.Bool("noWriteCache", &r.noWriteCache)
	c.Bool("noLookAhead", &r.noLookAhead)
	c.Bool("standby", &r.standby)
	c.Bool("noSMART", &r.noSMART)
	r.packetRegs.sync(c)
}

// check refuses what no run of commands leads to.
func (r *driveRegs) check() error {
	moving := r.phase == phasePIO || r.phase == phaseDMA
	switch {
	case r.phase >= phases, r.job >= jobs, (r.phase == phaseMedium) != (r.job != jobNone),
		int(r.block) > len(r.buffer), r.pos > r.block, moving && r.pos == r.block,
		r.phase == phasePacket && r.block != packetLen,
		r.heads == 0, r.heads > 16, r.sectors == 0, r.multiple > maxMultiple:
		return fmt.Errorf("phase %d, job %d, %d to %d of %d bytes, %d heads, %d sectors: %w", r.phase, r.job,
			r.pos, r.block, len(r.buffer), r.heads, r.sectors, snapshot.ErrCorrupt)
	}
	return nil
}

// A drive is one device of a channel.
type drive struct {
	channel *channel
	number  uint8
	kind    Kind
	medium  hw.Medium
	serial  string
	// epoch tells the requests to a medium before a reset from those after it.
	epoch uint32
	// spare is the memory of buffers.
	spare []byte
	driveRegs
}

func newDrive(c *channel, number uint8, d Device) *drive {
	return &drive{channel: c, number: number, kind: d.Kind, medium: d.Medium, serial: d.Serial}
}

// sector is the size of the device's sectors.
func (d *drive) sector() uint32 {
	if d.kind == CDROM {
		return frameSize
	}
	return sectorSize
}

// capacity is the size of the medium in sectors.
func (d *drive) capacity() uint64 {
	if d.medium == nil {
		return 0
	}
	return d.medium.Size() / uint64(d.sector())
}

// powerOn is the power-on state.
func (d *drive) powerOn() {
	d.abandon()
	d.driveRegs = driveRegs{}
	g := GeometryOf(d.capacity() * sectorSize)
	d.heads, d.sectors = g.Heads, g.Sectors
	d.multiple = maxMultiple
	d.attention = d.kind == CDROM
	d.signature()
}

// reset is a software reset: the settings stay.
func (d *drive) reset() {
	d.abandon()
	d.intrq = false
	d.signature()
}

// abandon forgets the command at hand. A request to the medium may still come
// back: it finds another epoch, and another buffer.
func (d *drive) abandon() {
	d.epoch++
	if d.phase == phaseMedium {
		d.spare = nil
	}
	d.phase, d.job, d.left = phaseIdle, jobNone, 0
	d.buffer, d.pos, d.block = nil, 0, 0
}

// signature is what a reset leaves in the registers (ATA/ATAPI-7, "Device
// signature").
func (d *drive) signature() {
	d.file = [4][2]uint8{fileCount: {1}, fileLow: {1}}
	d.err = diagnosticPassed
	switch d.kind {
	case Disk:
		d.status = statusDRDY | statusDSC
	case CDROM:
		d.file[fileMid][0], d.file[fileHigh][0] = 0x14, 0xeb
		d.status = 0
	case None:
		d.file = [4][2]uint8{}
		d.status, d.err = 0, 0
	}
}

// interrupt asserts INTRQ.
func (d *drive) interrupt() {
	d.intrq = true
	d.channel.update()
}

// execute is a write to Command.
func (d *drive) execute(v uint8) {
	if d.kind == None || d.status&statusBSY != 0 && v != cmdDeviceReset {
		return
	}
	d.intrq = false
	d.channel.update()
	d.abandon()
	d.command, d.err, d.lasting = v, 0, false
	d.status = statusDRDY | statusDSC
	c := &commands[v]
	if c.run == nil || c.kinds&(1<<d.kind) == 0 {
		d.fail(errABRT)
		return
	}
	c.run(d)
}

// complete ends the command well.
func (d *drive) complete() {
	if d.kind == CDROM && d.command == cmdPacket {
		d.endPacket()
		return
	}
	d.phase, d.status = phaseIdle, statusDRDY|statusDSC
	d.interrupt()
}

// fail ends the command with bits of Error.
func (d *drive) fail(bits uint8) {
	if trace.On(trace.Disk) {
		trace.Emit(trace.Disk, "error", uint64(d.number), uint64(d.command), uint64(bits))
	}
	d.phase, d.err = phaseIdle, bits
	d.status = statusDRDY | statusDSC | statusERR
	d.interrupt()
}

// take makes the buffer n bytes long.
func (d *drive) take(n uint32) {
	if uint32(cap(d.spare)) < n {
		d.spare = make([]byte, max(n, maxMultiple*sectorSize))
	}
	d.buffer, d.pos, d.block = d.spare[:n], 0, n
}

// chunk is how many sectors of what is left move at once.
func (d *drive) chunk() uint32 {
	n := uint32(1)
	switch {
	case d.dma || d.kind == CDROM:
		n = chunkSize / d.sector()
	case multipleCommand(d.command):
		n = uint32(d.multiple)
	}
	return min(n, d.left)
}

// begin starts a transfer of left sectors from lba on.
func (d *drive) begin(lba uint64, left uint32, out, dma bool) {
	d.lba, d.left, d.out, d.dma = lba, left, out, dma
	d.standby = false
	if out {
		d.receive()
		if d.phase == phasePIO {
			d.intrq = false // the first block is asked for without an interrupt
			d.channel.update()
		}
		return
	}
	d.start(jobRead)
}

// receive asks the host for the next chunk.
func (d *drive) receive() {
	d.take(d.chunk() * d.sector())
	d.present()
}

// start gives the medium a job: what the buffer is for, or a flush.
func (d *drive) start(job uint8) {
	if job == jobRead {
		d.take(d.chunk() * d.sector())
	}
	d.phase, d.job = phaseMedium, job
	d.status = statusBSY
	d.ask()
}

// ask is the request of the job at hand.
func (d *drive) ask() {
	if d.phase != phaseMedium {
		return
	}
	epoch := d.epoch
	done := func(err error) {
		if d.epoch == epoch {
			d.answered(err)
		}
	}
	off := d.lba * uint64(d.sector())
	switch end := off + uint64(len(d.buffer)); {
	case d.medium == nil:
		d.answered(errNoMedium)
	case d.job == jobFlush:
		d.medium.Flush(done)
	case d.lba > d.capacity() || end > d.medium.Size():
		d.answered(errRange)
	case d.job == jobRead:
		d.medium.Read(d.buffer, off, done)
	case d.medium.ReadOnly():
		d.answered(errReadOnly)
	default:
		d.medium.Write(d.buffer, off, done)
	}
}

// answered goes on when the medium has done its job.
func (d *drive) answered(err error) {
	job := d.job
	d.job = jobNone
	if err != nil {
		d.mediumFailed(err)
		return
	}
	if job != jobFlush {
		n := uint32(len(d.buffer)) / d.sector()
		d.lba, d.left = d.lba+uint64(n), d.left-min(n, d.left)
	}
	switch {
	case job == jobRead:
		d.present()
	case job == jobWrite && d.left > 0:
		d.receive()
	case job == jobWrite && (d.lasting || d.noWriteCache):
		d.start(jobFlush)
	default:
		d.complete()
	}
}

// present offers the buffer to the host, or the room in it.
func (d *drive) present() {
	if d.dma {
		d.phase, d.status = phaseDMA, statusDRDY|statusDSC|statusDRQ
		d.channel.pump()
		return
	}
	d.block = uint32(len(d.buffer))
	if d.command == cmdPacket {
		d.presentPacket()
	}
	d.phase, d.status = phasePIO, statusDRDY|statusDSC|statusDRQ
	d.interrupt()
}

// moved goes on when the host has moved the buffer.
func (d *drive) moved() {
	switch {
	case d.out:
		d.start(jobWrite)
	case d.left > 0:
		d.start(jobRead)
	case d.dma || d.command == cmdPacket:
		d.complete()
	default: // the host has it all: no interrupt says so
		d.phase, d.status = phaseIdle, statusDRDY|statusDSC
	}
}

// step goes on when the host has moved a block.
func (d *drive) step() {
	switch {
	case d.phase == phasePacket:
		d.packet = [packetLen]uint8(d.buffer)
		d.runPacket()
	case int(d.pos) < len(d.buffer):
		d.present()
	default:
		d.moved()
	}
}

// readData reads Data: w bytes, in words and doublewords.
func (d *drive) readData(w portio.Width) uint32 {
	if d.phase != phasePIO || d.out {
		return 0
	}
	var v uint32
	if p := d.buffer[d.pos:d.block]; w == portio.Word && len(p) >= 2 {
		v = uint32(binary.LittleEndian.Uint16(p))
	} else {
		for i := range min(int(w), len(p)) {
			v |= uint32(p[i]) << (8 * i)
		}
	}
	d.advance(w)
	return v
}

// writeData writes Data.
func (d *drive) writeData(w portio.Width, v uint32) {
	if d.phase != phasePacket && (d.phase != phasePIO || !d.out) {
		return
	}
	p := d.buffer[d.pos:d.block]
	for i := range min(int(w), len(p)) {
		p[i] = uint8(v >> (8 * i))
	}
	d.advance(w)
}

func (d *drive) advance(w portio.Width) {
	if d.pos = min(d.pos+uint32(w), d.block); d.pos == d.block {
		d.step()
	}
}
