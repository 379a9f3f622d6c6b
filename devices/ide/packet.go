package ide

import (
	"errors"

	"github.com/gov86/gov86/hw"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/trace"
)

const packetLen = 12

// packetRegs is what a packet device has besides.
type packetRegs struct {
	packet [packetLen]uint8
	// limit is the most bytes of a DRQ block.
	limit uint32
	// sense is what REQUEST SENSE tells of the latest command.
	sense sense
	// attention is a reset that the guest was not told of yet, changed a medium.
	attention, changed bool
	// event is the next answer of GET EVENT STATUS NOTIFICATION.
	event uint8
	// locked says that the guest prevents removal, open that the tray is out.
	locked, open bool
}

func (r *packetRegs) sync(c *snapshot.Codec) {
	c.Uint8s("packet", r.packet[:])
	c.Uint32("limit", &r.limit)
	c.Uint8("key", &r.sense.key)
	c.Uint8("code", &r.sense.code)
	c.Uint8("qualifier", &r.sense.qualifier)
	c.Bool("attention", &r.attention)
	c.Bool("changed", &r.changed)
	c.Uint8("event", &r.event)
	c.Bool("locked", &r.locked)
	c.Bool("open", &r.open)
}

// A sense is a sense key, with an additional sense code and its qualifier
// (MMC-4, "Sense Key / Error Code").
type sense struct{ key, code, qualifier uint8 }

var (
	senseNone       = sense{}
	senseNoMedium   = sense{2, 0x3a, 0x00}
	senseTrayOpen   = sense{2, 0x3a, 0x02}
	senseRead       = sense{3, 0x11, 0x00} // unrecovered read error
	senseCommand    = sense{5, 0x20, 0x00} // invalid command operation code
	senseRange      = sense{5, 0x21, 0x00} // logical block address out of range
	senseField      = sense{5, 0x24, 0x00} // invalid field in command packet
	senseSaving     = sense{5, 0x39, 0x00} // saving parameters not supported
	sensePrevented  = sense{5, 0x53, 0x02} // medium removal prevented
	senseTrackMode  = sense{5, 0x64, 0x00} // illegal mode for this track
	senseNewMedium  = sense{6, 0x28, 0x00} // the medium may have changed
	senseAfterReset = sense{6, 0x29, 0x00} // power on or reset occurred
)

// Events of GET EVENT STATUS NOTIFICATION (MMC-4, "Media Events").
const (
	eventNone    = 0
	eventEject   = 1
	eventNew     = 2
	eventRemoval = 3
)

// insert puts m into the drive, or empties it when m is nil.
func (d *drive) insert(m hw.Medium, force bool) bool {
	if d.locked && !force {
		d.event = eventEject
		return false
	}
	waiting := d.phase == phaseMedium
	d.medium, d.open, d.locked = m, false, false
	d.changed, d.event = m != nil, eventRemoval
	if m != nil {
		d.event = eventNew
	}
	if waiting {
		d.epoch++
		d.spare, d.job = nil, jobNone
		d.refuse(senseNewMedium)
	}
	return true
}

// deviceReset is DEVICE RESET, which has no interrupt.
func deviceReset(d *drive) {
	d.reset()
	d.channel.device &^= deviceDEV
	d.channel.device |= d.number << 4
}

// packetCommand is PACKET: the host is to write the packet.
func packetCommand(d *drive) {
	const dma, overlapped = 1 << 0, 1 << 1
	if d.feature[0]&overlapped != 0 {
		d.fail(errABRT)
		return
	}
	d.dma = d.feature[0]&dma != 0
	d.limit = uint32(d.file[fileMid][0]) | uint32(d.file[fileHigh][0])<<8
	if d.limit == 0 || d.limit == 0xffff {
		d.limit = 0xfffe
	}
	d.take(packetLen)
	d.out, d.phase = true, phasePacket
	d.file[fileCount][0] = reasonCoD
	d.status = statusDRDY | statusDSC | statusDRQ
}

// presentPacket is present's part for a packet command: a block within the
// limit, which is even unless it is the last.
func (d *drive) presentPacket() {
	n := uint32(len(d.buffer)) - d.pos
	if n > d.limit {
		n = max(d.limit&^1, 2)
	}
	d.block = d.pos + min(n, uint32(len(d.buffer))-d.pos)
	n = d.block - d.pos
	d.file[fileMid][0], d.file[fileHigh][0] = uint8(n), uint8(n>>8)
	d.file[fileCount][0] = reasonIO
}

// endPacket ends a packet command well.
func (d *drive) endPacket() {
	d.phase, d.status = phaseIdle, statusDRDY|statusDSC
	d.file[fileCount][0] = reasonIO | reasonCoD
	d.interrupt()
}

// refuse is CHECK CONDITION: the packet command fails and s tells why.
func (d *drive) refuse(s sense) {
	if trace.On(trace.Disk) {
		trace.Emit(trace.Disk, "sense", uint64(s.key), uint64(s.code), uint64(s.qualifier))
	}
	d.sense = s
	d.left = 0
	d.file[fileCount][0] = reasonIO | reasonCoD
	d.fail(s.key<<4 | errABRT)
}

// packetFailed ends a command whose request to the medium failed.
func (d *drive) packetFailed(err error) {
	switch {
	case errors.Is(err, errNoMedium):
		d.refuse(senseNoMedium)
	case errors.Is(err, errRange):
		d.refuse(senseRange)
	default:
		d.refuse(senseRead)
	}
}

// runPacket executes the packet.
func (d *drive) runPacket() {
	d.phase = phaseIdle
	code := d.packet[0]
	if trace.On(trace.Disk) {
		trace.Emit(trace.Disk, "packet", uint64(code))
	}
	p := &packets[code]
	switch {
	case p.run == nil:
		d.refuse(senseCommand)
		return
	case p.flags&always != 0:
	case d.attention:
		d.attention = false
		d.refuse(senseAfterReset)
		return
	case d.changed:
		d.changed = false
		d.refuse(senseNewMedium)
		return
	}
	if code != opRequestSense {
		d.sense = senseNone
	}
	switch {
	case p.flags&needsMedium == 0:
	case d.open:
		d.refuse(senseTrayOpen)
		return
	case d.medium == nil:
		d.refuse(senseNoMedium)
		return
	}
	p.run(d, &d.packet)
}

// answer is data for the host, cut to what it allocated.
func (d *drive) answer(p []byte, allocated int) {
	p = p[:min(len(p), allocated)]
	if len(p) == 0 {
		d.complete()
		return
	}
	d.out, d.left = false, 0
	d.take(uint32(len(p)))
	copy(d.buffer, p)
	d.present()
}
