package ide

import "encoding/binary"

// Operation codes that are spoken of elsewhere.
const opRequestSense = 0x03

// Flags of a packet command.
const (
	always      = 1 << 0 // also while a unit attention waits
	needsMedium = 1 << 1
)

// packets are the packet commands by their operation codes (MMC-4, "Commands").
var packets [256]struct {
	run   func(*drive, *[packetLen]uint8)
	flags uint8
}

func init() {
	for _, row := range []struct {
		code  uint8
		run   func(*drive, *[packetLen]uint8)
		flags uint8
	}{
		{0x00, nothing, needsMedium}, // TEST UNIT READY
		{opRequestSense, requestSense, always},
		{0x12, inquiry, always},
		{0x1b, startStop, 0},
		{0x1e, preventRemoval, 0},
		{0x25, readCapacity, needsMedium},
		{0x28, readFrames, needsMedium},
		{0x2b, seekFrame, needsMedium},
		{0x42, readSubChannel, needsMedium},
		{0x43, readTOC, needsMedium},
		{0x46, getConfiguration, always},
		{0x4a, getEvent, always},
		{0x51, readDiscInformation, needsMedium},
		{0x52, readTrackInformation, needsMedium},
		{0x5a, modeSense, 0},
		{0xa8, readFrames, needsMedium},
		{0xb9, readCD, needsMedium}, // READ CD MSF
		{0xbb, nothing, 0},          // SET CD SPEED
		{0xbd, mechanismStatus, 0},
		{0xbe, readCD, needsMedium},
	} {
		packets[row.code].run, packets[row.code].flags = row.run, row.flags
	}
}

func be16(p []byte) int    { return int(binary.BigEndian.Uint16(p)) }
func be32(p []byte) uint32 { return binary.BigEndian.Uint32(p) }

func nothing(d *drive, _ *[packetLen]uint8) { d.complete() }

func requestSense(d *drive, p *[packetLen]uint8) {
	s := d.sense
	switch {
	case s != senseNone:
	case d.attention:
		d.attention, s = false, senseAfterReset
	case d.changed:
		d.changed, s = false, senseNewMedium
	}
	const current = 0x70
	b := [18]byte{0: current, 2: s.key, 7: 10, 12: s.code, 13: s.qualifier}
	d.sense = senseNone
	d.answer(b[:], int(p[4]))
}

func inquiry(d *drive, p *[packetLen]uint8) {
	const cdrom, removable, atapi = 5, 0x80, 0x21
	if p[1]&1 != 0 || p[2] != 0 {
		d.refuse(senseField) // vital product data
		return
	}
	b := [36]byte{0: cdrom, 1: removable, 3: atapi, 4: 31}
	copy(b[8:], "gov86   CD-ROM          1.0 ")
	d.answer(b[:], be16(p[3:]))
}

// startStop is START STOP UNIT: the tray.
func startStop(d *drive, p *[packetLen]uint8) {
	const start, loadEject = 1, 2
	switch p[4] & (start | loadEject) {
	case loadEject:
		if d.locked {
			d.refuse(sensePrevented)
			return
		}
		if !d.open && d.medium != nil {
			d.event = eventRemoval
		}
		d.open = true
	case start | loadEject:
		if d.open && d.medium != nil {
			d.event, d.changed = eventNew, true
		}
		d.open = false
	}
	d.complete()
}

func preventRemoval(d *drive, p *[packetLen]uint8) {
	d.locked = p[4]&1 != 0
	d.complete()
}

func readCapacity(d *drive, _ *[packetLen]uint8) {
	var b [8]byte
	binary.BigEndian.PutUint32(b[:], d.frames()-1)
	binary.BigEndian.PutUint32(b[4:], frameSize)
	d.answer(b[:], len(b))
}

// frames is the capacity in 32 bits, at least one.
func (d *drive) frames() uint32 { return uint32(min(max(d.capacity(), 1), 1<<32-1)) }

// readFrames is READ (10) and READ (12).
func readFrames(d *drive, p *[packetLen]uint8) {
	n := uint32(be16(p[7:]))
	if p[0] == 0xa8 {
		n = be32(p[6:])
	}
	d.read(uint64(be32(p[2:])), n)
}

// read begins the transfer of n frames from at on.
func (d *drive) read(at uint64, n uint32) {
	switch {
	case at > d.capacity() || uint64(n) > d.capacity()-at:
		d.refuse(senseRange)
	case n == 0:
		d.complete()
	default:
		d.begin(at, n, false, d.dma)
	}
}

func seekFrame(d *drive, p *[packetLen]uint8) {
	if uint64(be32(p[2:])) >= d.capacity() {
		d.refuse(senseRange)
		return
	}
	d.complete()
}

// readCD is READ CD and READ CD MSF, of the user data of a data track alone.
func readCD(d *drive, p *[packetLen]uint8) {
	const anyType, mode1, userData, other = 0, 2, 0x10, 0xe8
	at, n := uint64(be32(p[2:])), uint32(p[6])<<16|uint32(be16(p[7:]))
	if p[0] == 0xb9 {
		first, last := fromMSF(p[3:]), fromMSF(p[6:])
		if first < 0 || last < first {
			d.refuse(senseField)
			return
		}
		at, n = uint64(first), uint32(last-first)
	}
	kind := p[1] >> 2 & 7
	switch {
	case kind != anyType && kind != mode1, p[9]&other != 0, p[10]&7 != 0:
		d.refuse(senseTrackMode)
	case p[9]&userData == 0:
		d.complete()
	default:
		d.read(at, n)
	}
}

// Addresses in minutes, seconds and frames begin two seconds before the first
// frame of the program area.
const (
	pregap          = 150
	framesPerSecond = 75
)

func fromMSF(p []byte) int {
	return (int(p[0])*60+int(p[1]))*framesPerSecond + int(p[2]) - pregap
}

// position is an address as a command asks for it: four bytes.
func position(frame uint32, msf bool) (b [4]byte) {
	if msf {
		frame += pregap
		seconds := frame / framesPerSecond
		return [4]byte{0, uint8(seconds / 60), uint8(seconds % 60), uint8(frame % framesPerSecond)}
	}
	binary.BigEndian.PutUint32(b[:], frame)
	return b
}

const (
	dataTrack = 0x14 // ADR 1, a data track that was recorded without interruption
	leadOut   = 0xaa
)

// readTOC is READ TOC/PMA/ATIP of a disc with one session of one data track.
func readTOC(d *drive, p *[packetLen]uint8) {
	msf := p[1]&2 != 0
	format := p[2] & 15
	if format == 0 {
		format = p[9] >> 6 // where SFF-8020 had it
	}
	start, end := position(0, msf), position(d.frames(), msf)
	var b []byte
	switch {
	case format == 0 && p[6] > 1 && p[6] != leadOut:
		d.refuse(senseField)
		return
	case format == 0:
		b = []byte{0, 0, 1, 1}
		if p[6] <= 1 {
			b = append(append(b, 0, dataTrack, 1, 0), start[:]...)
		}
		b = append(append(b, 0, dataTrack, leadOut, 0), end[:]...)
	case format == 1: // the sessions
		b = append([]byte{0, 0, 1, 1, 0, dataTrack, 1, 0}, start[:]...)
	case format == 2: // the points of the lead-in; their times are in minutes
		end = position(d.frames(), true)
		b = []byte{0, 0, 1, 1}
		for _, point := range [][4]byte{{0xa0, 1}, {0xa1, 1}, {0xa2, end[1], end[2], end[3]}, {1, 0, 2, 0}} {
			b = append(b, 1, dataTrack, 0, point[0], 0, 0, 0, 0, point[1], point[2], point[3])
		}
	default:
		d.refuse(senseField)
		return
	}
	binary.BigEndian.PutUint16(b, uint16(len(b)-2))
	d.answer(b, be16(p[7:]))
}

func readSubChannel(d *drive, p *[packetLen]uint8) {
	const noAudioStatus = 0x15
	b := []byte{0, noAudioStatus, 0, 0}
	if p[2]&0x40 != 0 {
		if p[3] != 1 {
			d.refuse(senseField) // neither a catalogue number nor an ISRC
			return
		}
		b = append(b, 1, dataTrack, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0)
		b[3] = uint8(len(b) - 4)
	}
	d.answer(b, be16(p[7:]))
}

// getConfiguration tells the profiles and the features that all drives have.
func getConfiguration(d *drive, p *[packetLen]uint8) {
	const profileCD, profileDVD, cdFrames = 0x08, 0x10, 450_000
	current := uint16(0)
	switch {
	case d.medium == nil || d.open:
	case d.frames() > cdFrames:
		current = profileDVD
	default:
		current = profileCD
	}
	is := func(profile uint16) byte {
		if profile == current {
			return 1
		}
		return 0
	}
	features := [][]byte{
		{0, 0, 3, 8, 0, profileDVD, is(profileDVD), 0, 0, profileCD, is(profileCD), 0}, // profile list
		{0, 1, 3, 4, 0, 0, 0, 2},                             // core, by ATAPI
		{0, 2, 3, 4, 0, 0, 0, 0},                             // morphing
		{0, 3, 3, 4, 0x29, 0, 0, 0},                          // removable medium, in a tray that can be locked
		{0, 0x10, 1, 8, 0, 0, frameSize >> 8, 0, 0, 1, 0, 0}, // random readable
		{0, 0x1e, 1, 4, 0, 0, 0, 0},                          // CD read
	}
	b := []byte{0, 0, 0, 0, 0, 0, uint8(current >> 8), uint8(current)}
	from, kind := be16(p[2:]), p[1]&3
	for _, f := range features {
		code := be16(f)
		if code >= from && (kind != 2 || code == from) && (kind != 1 || f[2]&1 != 0) {
			b = append(b, f...)
		}
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	d.answer(b, be16(p[7:]))
}

// getEvent is GET EVENT STATUS NOTIFICATION of media events, when asked.
func getEvent(d *drive, p *[packetLen]uint8) {
	const polled, media = 1, 4
	const supported = 1 << media
	if p[1]&polled == 0 {
		d.refuse(senseField) // nothing is told unasked
		return
	}
	b := []byte{0, 2, 0x80, supported} // no event available
	if p[4]&supported != 0 {
		present := uint8(0)
		if d.open {
			present = 1
		} else if d.medium != nil {
			present = 2
		}
		b = []byte{0, 6, media, supported, d.event, present, 0, 0}
		d.event = eventNone
	}
	d.answer(b, be16(p[7:]))
}

func readDiscInformation(d *drive, p *[packetLen]uint8) {
	const complete, lastSession = 2, 3 << 2
	b := [34]byte{1: 32, 2: complete | lastSession, 3: 1, 4: 1, 5: 1, 6: 1, 7: 0x20}
	for i := range 8 {
		b[16+i] = 0xff // neither lead-in nor lead-out can be written
	}
	d.answer(b[:], be16(p[7:]))
}

func readTrackInformation(d *drive, p *[packetLen]uint8) {
	if at := be32(p[2:]); p[1]&3 == 1 && at > 1 || p[1]&3 == 0 && at >= d.frames() {
		d.refuse(senseField)
		return
	}
	b := [36]byte{1: 34, 2: 1, 3: 1, 5: 4, 6: 1}
	binary.BigEndian.PutUint32(b[24:], d.frames())
	d.answer(b[:], be16(p[7:]))
}

// modeSense is MODE SENSE (10) of the pages that drivers ask for.
func modeSense(d *drive, p *[packetLen]uint8) {
	const recovery, capabilities, all = 0x01, 0x2a, 0x3f
	const saved = 3
	page, control := p[2]&0x3f, p[2]>>6
	if control == saved {
		d.refuse(senseSaving)
		return
	}
	medium := uint8(0x70) // none
	switch {
	case d.open:
		medium = 0x71
	case d.medium != nil:
		medium = 0x01 // 120 mm, data
	}
	b := []byte{0, 0, medium, 0, 0, 0, 0, 0}
	if page == recovery || page == all {
		b = append(b, recovery, 6, 0, 5, 0, 0, 0, 0)
	}
	if page == capabilities || page == all {
		const canLock, canEject, tray = 1, 8, 1 << 5
		mechanism := uint8(canLock | canEject | tray)
		if d.locked {
			mechanism |= 2
		}
		const speed = 706 // of 4x, in 1000 bytes a second
		b = append(b, capabilities, 18, 0x3b, 0, 0x70, 0x60, mechanism, 0,
			speed>>8, speed&0xff, 0, 2, 2, 0, speed>>8, speed&0xff, 0, 0, 0, 0)
	}
	if len(b) == 8 {
		d.refuse(senseField)
		return
	}
	binary.BigEndian.PutUint16(b, uint16(len(b)-2))
	d.answer(b, be16(p[7:]))
}

func mechanismStatus(d *drive, p *[packetLen]uint8) {
	b := [8]byte{5: 1}
	if d.open {
		b[1] = 0x10
	}
	d.answer(b[:], be16(p[8:]))
}
