package ide

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/gov86/gov86/hw/hwtest"
)

// packet sends a command packet to the CD-ROM drive, by PIO with blocks of at
// most limit bytes.
func (b *board) packet(limit uint16, p ...byte) {
	b.t.Helper()
	b.out(cmdBase+regDevice, deviceDEV)
	b.out(cmdBase+regError, 0)
	b.out(cmdBase+regMid, uint8(limit))
	b.out(cmdBase+regHigh, uint8(limit>>8))
	b.out(cmdBase+regStatus, cmdPacket)
	b.wantStatus(wants)
	if got := b.in(cmdBase + regCount); got != reasonCoD {
		b.t.Fatalf("interrupt reason %d while the packet is wanted", got)
	}
	b.writePIO(append(p, make([]byte, packetLen-len(p))...))
}

// answer reads what the drive has to say, block by block, and its interrupts.
func (b *board) answer() (p []byte, blocks int) {
	b.t.Helper()
	for b.wantIRQ(true); b.status() == wants; b.wantIRQ(true) {
		if got := b.in(cmdBase + regCount); got != reasonIO {
			b.t.Fatalf("interrupt reason %d with data", got)
		}
		n := int(b.in(cmdBase+regMid)) | int(b.in(cmdBase+regHigh))<<8
		p = append(p, b.readPIO((n + 1) &^ 1)[:n]...)
		blocks++
	}
	if got := b.in(cmdBase + regCount); got != reasonIO|reasonCoD {
		b.t.Fatalf("interrupt reason %d at the end", got)
	}
	return p, blocks
}

// ask is a packet command that succeeds.
func (b *board) ask(p ...byte) []byte {
	b.t.Helper()
	b.packet(0xfffe, p...)
	answer, _ := b.answer()
	b.wantStatus(ready)
	return answer
}

// refused is a packet command that fails, and its sense data.
func (b *board) refused(p ...byte) sense {
	b.t.Helper()
	b.packet(0xfffe, p...)
	b.answer()
	b.wantStatus(ready | statusERR)
	key := b.in(cmdBase+regError) >> 4
	s := b.ask(opRequestSense, 0, 0, 0, 18)
	if s[2] != key {
		b.t.Errorf("sense key %d in Error, %d in the sense data", key, s[2])
	}
	return sense{s[2], s[12], s[13]}
}

// newDisc is a board whose drive has told of its reset.
func newDisc(t testing.TB) *board {
	b := newBoard(t)
	if got := b.refused(0x00); got != senseAfterReset {
		t.Errorf("after power-on: %x", got)
	}
	return b
}

func TestAPacketDeviceAbortsIdentifyDeviceAndShowsItsSignature(t *testing.T) {
	b := newBoard(t)
	b.out(cmdBase+regDevice, deviceDEV)
	b.out(cmdBase+regStatus, 0xec)
	b.wantStatus(ready | statusERR)
	if b.in(cmdBase+regMid) != 0x14 || b.in(cmdBase+regHigh) != 0xeb {
		t.Error("no signature")
	}
	b.out(cmdBase+regStatus, 0xa1)
	w := words(b.readPIO(512))
	if w[0] != 0x85c0 {
		t.Errorf("word 0 of IDENTIFY PACKET DEVICE is %#x", w[0])
	}
	b.out(cmdBase+regStatus, cmdDeviceReset)
	if b.in(cmdBase+regMid) != 0x14 || b.status() != 0 || b.lines[0].Asserted() {
		t.Error("DEVICE RESET is wrong")
	}
}

func TestReadsOfADisc(t *testing.T) {
	for _, c := range []struct {
		name   string
		limit  uint16
		packet []byte
		from   int
		count  int
		blocks int
	}{
		{"READ (10)", 2048, []byte{0x28, 0, 0, 0, 0, 5, 0, 0, 3}, 5, 3, 3},
		{"READ (10) in odd blocks", 601, []byte{0x28, 0, 0, 0, 0, 5, 0, 0, 1}, 5, 1, 4},
		{"READ (12) of more than the drive reads at once", 0xfffe, []byte{0xa8, 0, 0, 0, 0, 1, 0, 0, 0, 100}, 1, 100, 5},
		{"READ CD", 4096, []byte{0xbe, 0, 0, 0, 0, 7, 0, 0, 2, 0x10}, 7, 2, 1},
		{"READ CD MSF", 4096, []byte{0xb9, 0, 0, 0, 2, 7, 0, 2, 9, 0x10}, 7, 2, 1},
		{"READ (10) of nothing", 4096, []byte{0x28, 0, 0, 0, 0, 5}, 5, 0, 0},
	} {
		b := newDisc(t)
		b.packet(c.limit, c.packet...)
		got, blocks := b.answer()
		if !bytes.Equal(got, b.disc.Data[c.from*frameSize:][:c.count*frameSize]) || blocks != c.blocks {
			t.Errorf("%s: %d bytes in %d blocks", c.name, len(got), blocks)
		}
	}
}

func TestDMAOfAPacketCommand(t *testing.T) {
	b := newDisc(t)
	b.prepare(region{data, 3 * frameSize})
	b.out(cmdBase+regDevice, deviceDEV)
	b.out(cmdBase+regError, 1)
	b.out(cmdBase+regStatus, cmdPacket)
	b.writePIO([]byte{0x28, 0, 0, 0, 0, 9, 0, 0, 3, 0, 0, 0})
	b.out(bus+bmCommand, bmStart|bmToMemory)
	b.wantIRQ(true)
	b.wantStatus(ready)
	if !bytes.Equal(b.memoryAt(data, 3*frameSize), b.disc.Data[9*frameSize:][:3*frameSize]) {
		t.Error("something else was read")
	}
}

func TestAnswersOfADrive(t *testing.T) {
	lba := func(p []byte) uint32 { return binary.BigEndian.Uint32(p) }
	b := newDisc(t)
	if p := b.ask(0x12, 0, 0, 0, 96); p[0] != 5 || p[1] != 0x80 || len(p) != 36 || string(p[8:13]) != "gov86" {
		t.Errorf("INQUIRY %x", p)
	}
	if p := b.ask(0x12, 0, 0, 0, 5); len(p) != 5 {
		t.Errorf("INQUIRY of 5 bytes returns %d", len(p))
	}
	if p := b.ask(0x25); lba(p) != 399 || lba(p[4:]) != 2048 {
		t.Errorf("READ CAPACITY %x", p)
	}
	if p := b.ask(0x43, 0, 0, 0, 0, 0, 0, 0, 100); len(p) != 20 || p[1] != 18 || p[6] != 1 || p[14] != 0xaa || lba(p[16:]) != 400 {
		t.Errorf("READ TOC %x", p)
	}
	if p := b.ask(0x43, 2, 0, 0, 0, 0, 0, 0, 100); !bytes.Equal(p[8:12], []byte{0, 0, 2, 0}) || !bytes.Equal(p[16:20], []byte{0, 0, 7, 25}) {
		t.Errorf("READ TOC in minutes %x", p)
	}
	if p := b.ask(0x43, 0, 0, 0, 0, 0, 0, 0, 12, 0x40); p[2] != 1 || p[3] != 1 || len(p) != 12 {
		t.Errorf("READ TOC of sessions %x", p)
	}
	if p := b.ask(0x46, 0, 0, 0, 0, 0, 0, 0, 200); p[7] != 8 || int(lba(p))+4 != len(p) {
		t.Errorf("GET CONFIGURATION %x", p)
	}
	if p := b.ask(0x51, 0, 0, 0, 0, 0, 0, 0, 200); p[2] != 0x0e || len(p) != 34 {
		t.Errorf("READ DISC INFORMATION %x", p)
	}
	if p := b.ask(0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 200); p[8] != 0x2a || int(p[1])+2 != len(p) || int(p[9])+10 != len(p) {
		t.Errorf("MODE SENSE %x", p)
	}
	if p := b.ask(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8); !bytes.Equal(p, []byte{0, 6, 4, 0x10, 0, 2, 0, 0}) {
		t.Errorf("GET EVENT STATUS NOTIFICATION %x", p)
	}
}

func TestWhatADriveRefuses(t *testing.T) {
	b := newDisc(t)
	for _, c := range []struct {
		packet []byte
		want   sense
	}{
		{[]byte{0x2a, 0, 0, 0, 0, 0, 0, 0, 1}, senseCommand}, // WRITE (10)
		{[]byte{0x28, 0, 0, 0, 1, 0x90, 0, 0, 1}, senseRange},
		{[]byte{0xa8, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, senseRange},
		{[]byte{0x12, 1, 0x80, 0, 96}, senseField},
		{[]byte{0x5a, 0, 0xc1, 0, 0, 0, 0, 0, 96}, senseSaving},
		{[]byte{0xbe, 4, 0, 0, 0, 0, 0, 0, 1, 0xf8}, senseTrackMode},
		{[]byte{0x43, 0, 5, 0, 0, 0, 0, 0, 100}, senseField},
	} {
		if got := b.refused(c.packet...); got != c.want {
			t.Errorf("%x: %x, want %x", c.packet, got, c.want)
		}
	}
	b.disc.Err = bytes.ErrTooLarge
	if got := b.refused(0x28, 0, 0, 0, 0, 0, 0, 0, 1); got != senseRead {
		t.Errorf("a medium that fails: %x", got)
	}
}

func TestChangingTheMedium(t *testing.T) {
	b := newDisc(t)
	event := func() uint8 { return b.ask(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8)[4] }
	b.ask(0x1e, 0, 0, 0, 1) // PREVENT
	if got := b.refused(0x1b, 0, 0, 0, 2); got != sensePrevented {
		t.Errorf("eject while prevented: %x", got)
	}
	if b.ide.Insert(1, nil, false) || event() != eventEject {
		t.Error("a locked drive gives up its medium without asking the guest")
	}
	b.ask(0x1e)
	b.ask(0x1b, 0, 0, 0, 2)
	if got := b.refused(0x00); got != senseTrayOpen || event() != eventRemoval {
		t.Errorf("with the tray out: %x", got)
	}
	other := hwtest.NewMedium(7 * frameSize)
	if !b.ide.Insert(1, other, false) || event() != eventNew {
		t.Error("the medium cannot be changed")
	}
	if got := b.refused(0x00); got != senseNewMedium {
		t.Errorf("after a change: %x", got)
	}
	if p := b.ask(0x25); p[3] != 6 {
		t.Errorf("capacity %x", p)
	}
	b.ide.Insert(1, nil, true)
	if got := b.refused(0x00); got != senseNoMedium {
		t.Errorf("without a medium: %x", got)
	}
}
