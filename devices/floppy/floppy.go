// Package floppy is the 82077AA floppy disk controller with two drives (82077AA
// data sheet).
//
// A command runs as far as its medium and the DMA controller let it inside the
// port write that started it: heads step and disks turn in no time. What waits
// for a medium is part of the saved state, and is asked for again by Resume.
package floppy

import (
	"fmt"

	"github.com/gov86/gov86/hw"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/trace"
)

const (
	sectorSize = 512
	// drives is how many the controller can select, of which Drives are there.
	drives = 4
	// Drives is how many drives there can be.
	Drives = 2
	// maxTrack is the last that a head reaches.
	maxTrack = 82
)

// Registers (82077AA data sheet, "Controller Registers").
const (
	regSRA  = 0
	regSRB  = 1
	regDOR  = 2
	regTDR  = 3
	regMSR  = 4 // when written, DSR
	regFIFO = 5
	// RegisterPorts is how many ports there are from SRA on; the seventh is not
	// the controller's.
	RegisterPorts = 6
)

// Bits of the registers.
const (
	dorReset   = 1 << 2 // active low
	dorDMAGate = 1 << 3
	dorMotors  = 4 // the first of the motors' bits
	sraINT     = 1 << 7
	sraNotDRV2 = 1 << 6
	sraNotTRK0 = 1 << 4
	sraNotINDX = 1 << 2
	sraNotWP   = 1 << 1
	srbOnes    = 0xc0
	dsrReset   = 1 << 7
	rateMask   = 3
	msrRQM     = 1 << 7
	msrDIO     = 1 << 6
	msrNonDMA  = 1 << 5
	msrBusy    = 1 << 4
	dirChange  = 1 << 7
)

// Phases of a command.
const (
	phaseCommand = iota // it is written, byte by byte
	phaseMove           // the buffer is moved between the host and the controller
	phaseMedium         // the medium has a request
	phaseResult         // the result is read
	phases
)

// What a medium is asked.
const (
	jobNone = iota
	jobRead
	jobWrite
	jobs
)

// driveRegs is a drive.
type driveRegs struct {
	// track is where the head is.
	track uint8
	// changed is the disk change line.
	changed bool
	// unflushed says that the disk was written since the motor started.
	unflushed bool
	// next is the sector that READ ID finds next, less one.
	next uint8
}

// regs is all the guest can observe.
type regs struct {
	dor, tdr, rate uint8
	drives         [drives]driveRegs
	phase, job     uint8
	// bytes are those of the command or of the result, of which pos were moved.
	bytes []byte
	pos   uint32
	// asserted is INT. sensed are drives whose interrupts SENSE INTERRUPT STATUS
	// has yet to tell of, with the ST0 it tells.
	asserted bool
	sensed   [drives]bool
	st0      [drives]uint8
	specify  [2]uint8
	config   [2]uint8 // the second and third byte of CONFIGURE
	locked   bool
	perpend  uint8
	lastEOT  uint8
	transfer
}

func (r *regs) sync(c *snapshot.Codec) {
	c.Version(1)
	c.Uint8("dor", &r.dor)
	c.Uint8("tdr", &r.tdr)
	c.Uint8("rate", &r.rate)
	for i := range r.drives {
		d := &r.drives[i]
		c.Uint8("track", &d.track)
		c.Bool("changed", &d.changed)
		c.Bool("unflushed", &d.unflushed)
		c.Uint8("next", &d.next)
	}
	c.Uint8("phase", &r.phase)
	c.Uint8("job", &r.job)
	c.Bytes("bytes", &r.bytes, maxBytes)
	c.Uint32("pos", &r.pos)
	c.Bool("asserted", &r.asserted)
	c.Bools("sensed", r.sensed[:])
	c.Uint8s("st0", r.st0[:])
	c.Uint8s("specify", r.specify[:])
	c.Uint8s("config", r.config[:])
	c.Bool("locked", &r.locked)
	c.Uint8("perpend", &r.perpend)
	c.Uint8("lastEOT", &r.lastEOT)
	r.transfer.sync(c)
}

// check refuses what no run of commands leads to.
func (r *regs) check() error {
	ok := r.phase < phases && r.job < jobs && (r.phase == phaseMedium) == (r.job != jobNone) &&
		int(r.pos) <= len(r.bytes) && (r.phase != phaseResult || int(r.pos) < len(r.bytes)) &&
		(r.phase != phaseMove && r.phase != phaseMedium || r.transfer.sound()) &&
		(r.phase != phaseMove || int(r.filled) < len(r.buffer)) && r.perpend <= 0x3f
	for _, d := range r.drives {
		ok = ok && d.track <= maxTrack
	}
	if !ok {
		return fmt.Errorf("phase %d, job %d, %d of %d bytes: %w", r.phase, r.job, r.pos, len(r.bytes), snapshot.ErrCorrupt)
	}
	return nil
}

// A Drive says what a drive is and what lies in it.
type Drive struct {
	Type   DriveType
	Medium hw.Medium // nil for nothing
}

// A Controller is the 82077AA with its drives.
type Controller struct {
	line   hw.Line
	dma    hw.DMAChannel
	types  [drives]DriveType
	media  [drives]hw.Medium
	epoch  uint32
	moving bool
	regs
}

// New returns a controller. connect is given the function to call when the DMA
// channel may move again.
func New(line hw.Line, connect func(ready func()) hw.DMAChannel, d [Drives]Drive) *Controller {
	c := &Controller{line: line}
	for i := range d {
		c.types[i], c.media[i] = d[i].Type, d[i].Medium
	}
	c.dma = connect(c.pump)
	c.Reset()
	return c
}

// Type is the type of drive i, for the CMOS.
func (c *Controller) Type(i int) DriveType { return c.types[i] }

// Insert puts m into drive i, or empties it when m is nil. It reports false when
// the drive cannot read such a disk.
func (c *Controller) Insert(i int, m hw.Medium) bool {
	if m != nil {
		f, ok := formatOf(m.Size())
		if !ok {
			return false
		}
		if _, ok = c.types[i].takes(&f); !ok {
			return false
		}
	}
	c.media[i] = m
	c.drives[i].changed = true
	if c.phase == phaseMedium && int(c.unit) == i {
		c.epoch++
		c.fail(st0Abnormal, st1MissingAddress, 0)
	}
	return true
}

// format is that of the disk in drive i, and whether it can be read at the data
// rate that is set.
func (c *Controller) format(i uint8) (format, bool) {
	if c.media[i] == nil {
		return format{}, false
	}
	f, ok := formatOf(c.media[i].Size())
	if !ok {
		return format{}, false
	}
	rate, ok := c.types[i].takes(&f)
	return f, ok && rate == c.rate
}

// Reset implements hw.Device.
func (c *Controller) Reset() {
	c.epoch++
	c.regs = regs{rate: rate250}
	for i := range c.drives {
		c.drives[i].changed = true
	}
}

// Resume goes on with what waited for a medium when the state was saved. The
// board calls it when everything is loaded.
func (c *Controller) Resume() {
	c.ask()
	c.pump()
}

// Save implements hw.Device.
func (c *Controller) Save(s *snapshot.Codec) { c.regs.sync(s) }

// Load implements hw.Device.
func (c *Controller) Load(s *snapshot.Codec) error {
	var next regs
	next.sync(s)
	if _, err := s.Close(); err != nil {
		return err
	}
	if err := next.check(); err != nil {
		return err
	}
	c.epoch++
	c.regs = next
	return nil
}

// interrupt drives INT, which DMAGATE# keeps off the bus.
func (c *Controller) interrupt(asserted bool) {
	c.asserted = asserted
	c.line.Set(asserted && c.dor&dorDMAGate != 0)
}

// softReset is what DOR and DSR start. With polling, which CONFIGURE can turn
// off, the four drives have changed their state then.
func (c *Controller) softReset() {
	c.epoch++
	c.phase, c.job, c.bytes, c.pos = phaseCommand, jobNone, nil, 0
	if !c.locked {
		c.config = [2]uint8{}
	}
	c.perpend &= 0x3c
	const pollOff = 1 << 4
	polls := c.config[0]&pollOff == 0
	for i := range c.sensed {
		c.sensed[i], c.st0[i] = polls, st0Polling|uint8(i)
	}
	c.interrupt(polls)
}

// In implements portio.Handler.
func (c *Controller) In(off uint16, _ portio.Width) uint32 {
	switch off {
	case regSRA:
		return uint32(c.statusA())
	case regSRB:
		return srbOnes | uint32(c.dor>>dorMotors&3) | uint32(c.dor&1)<<5
	case regDOR:
		return uint32(c.dor)
	case regTDR:
		return uint32(c.tdr)
	case regMSR:
		return uint32(c.mainStatus())
	case regFIFO:
		return uint32(c.readFIFO())
	}
	return 0xff
}

func (c *Controller) statusA() uint8 {
	v := uint8(sraNotINDX)
	d := c.dor & 3
	if c.asserted {
		v |= sraINT
	}
	if c.types[1] == NoDrive {
		v |= sraNotDRV2
	}
	if c.drives[d].track != 0 {
		v |= sraNotTRK0
	}
	if m := c.media[d]; m != nil && !m.ReadOnly() {
		v |= sraNotWP
	}
	return v
}

func (c *Controller) mainStatus() uint8 {
	if c.dor&dorReset == 0 {
		return 0
	}
	switch c.phase {
	case phaseMove:
		if !c.nonDMA() {
			return msrBusy
		}
		if c.out {
			return msrRQM | msrNonDMA | msrBusy
		}
		return msrRQM | msrDIO | msrNonDMA | msrBusy
	case phaseMedium:
		return msrBusy
	case phaseResult:
		return msrRQM | msrDIO | msrBusy
	}
	if len(c.bytes) > 0 {
		return msrRQM | msrBusy
	}
	return msrRQM
}

// nonDMA is the ND bit of SPECIFY.
func (c *Controller) nonDMA() bool { return c.specify[1]&1 != 0 }

// Out implements portio.Handler.
func (c *Controller) Out(off uint16, _ portio.Width, v32 uint32) {
	switch v := uint8(v32); off {
	case regDOR:
		c.writeDOR(v)
	case regTDR:
		c.tdr = v & 3
	case regMSR:
		c.rate = v & rateMask
		if v&dsrReset != 0 && c.dor&dorReset != 0 {
			c.softReset()
		}
	case regFIFO:
		c.writeFIFO(v)
	}
}

func (c *Controller) writeDOR(v uint8) {
	was := c.dor
	c.dor = v
	switch {
	case v&dorReset == 0:
		c.epoch++
		c.phase, c.job, c.bytes, c.pos = phaseCommand, jobNone, nil, 0
		c.interrupt(false)
	case was&dorReset == 0:
		c.softReset()
	default:
		c.interrupt(c.asserted)
	}
	for i := range uint8(Drives) {
		if stopped := was&^v>>(dorMotors+i)&1 != 0; stopped && c.drives[i].unflushed && c.media[i] != nil && c.phase != phaseMedium {
			c.drives[i].unflushed = false
			c.media[i].Flush(func(error) {})
		}
	}
}

// ChangeLine answers the port of DIR and CCR, which the disk controller shares.
func (c *Controller) ChangeLine() portio.Handler { return (*changeLine)(c) }

type changeLine Controller

// In implements portio.Handler: the change line of the selected drive, whose
// motor must run.
func (h *changeLine) In(uint16, portio.Width) uint32 {
	c := (*Controller)(h)
	d := c.dor & 3
	if c.dor>>(dorMotors+d)&1 != 0 && c.types[d] != NoDrive && (c.drives[d].changed || c.media[d] == nil) {
		return dirChange
	}
	return 0
}

// Out implements portio.Handler.
func (h *changeLine) Out(_ uint16, _ portio.Width, v uint32) { h.rate = uint8(v) & rateMask }

// writeFIFO takes a byte of a command, or of its data.
func (c *Controller) writeFIFO(v uint8) {
	switch {
	case c.dor&dorReset == 0:
	case c.phase == phaseMove && c.nonDMA() && c.out:
		c.interrupt(false)
		c.buffer[c.filled] = v
		c.filled++
		c.filledUp(false)
	case c.phase == phaseCommand:
		c.bytes = append(c.bytes, v)
		k := commandOf(c.bytes[0])
		if len(c.bytes) < 1+int(k.parameters) {
			return
		}
		if trace.On(trace.Disk) {
			trace.Text(trace.Disk, "floppy", fmt.Sprintf("% x", c.bytes))
		}
		p := c.bytes
		c.bytes = nil
		k.run(c, p)
	}
}

// readFIFO is a byte of the result, or of the data.
func (c *Controller) readFIFO() uint8 {
	switch {
	case c.phase == phaseMove && c.nonDMA() && !c.out:
		c.interrupt(false)
		v := c.buffer[c.filled]
		c.filled++
		c.filledUp(false)
		return v
	case c.phase == phaseResult:
		c.interrupt(false)
		v := c.bytes[c.pos]
		if c.pos++; int(c.pos) == len(c.bytes) {
			c.phase, c.bytes, c.pos = phaseCommand, nil, 0
		}
		return v
	}
	return 0
}

// result starts the result phase.
func (c *Controller) result(p ...byte) {
	c.phase, c.bytes, c.pos = phaseResult, p, 0
}

var _ hw.Device = (*Controller)(nil)
