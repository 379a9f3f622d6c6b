package machine

import (
	"encoding/binary"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/gov86/gov86/disk"
	"github.com/gov86/gov86/jit"
)

// bootSector reads the second sector of the disk it was booted from with INT 13h
// and writes the text there to port 402h.
var bootSector = append([]byte{
	0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0, 0xbc, 0x00, 0x7c, // XOR AX, AX; DS, ES, SS = AX; MOV SP, 7C00h
	0xb8, 0x01, 0x02, 0xbb, 0x00, 0x7e, 0xb9, 0x02, 0x00, 0xb6, 0x00, // MOV AX, 201h; BX, 7E00h; CX, 2; DH, 0
	0xcd, 0x13, 0x72, 0x0e, // INT 13h; JC end
}, writeText(0x7e00)...)

// writeText writes the text at an address to port 402h, and halts.
func writeText(at uint16) []byte {
	return []byte{
		0xbe, uint8(at), uint8(at >> 8), // MOV SI, at
		0xba, 0x02, 0x04, // MOV DX, 402h
		0xac, 0x84, 0xc0, 0x74, 0x03, 0xee, 0xeb, 0xf8, // next: LODSB; TEST AL, AL; JZ end; OUT DX, AL; JMP next
		0xfa, 0xf4, // end: CLI; HLT
	}
}

// bootable is a disk with that boot sector and a text in its second.
func bootable(size int, text string) disk.Image {
	p := make([]byte, size)
	copy(p, bootSector)
	p[510], p[511] = 0x55, 0xaa
	copy(p[512:], text)
	return disk.Memory(p, false)
}

// bootableCD is a CD-ROM that boots without emulation (El Torito, "Bootable
// CD-ROM Format Specification").
func bootableCD(text string) disk.Image {
	const frame, catalog, image = 2048, 19, 20
	p := make([]byte, 32*frame)
	for i, kind := range []byte{1, 0, 255} { // primary descriptor, boot record, terminator
		d := p[(16+i)*frame:]
		d[0], d[6] = kind, 1
		copy(d[1:], "CD001")
	}
	copy(p[17*frame+7:], "EL TORITO SPECIFICATION")
	binary.LittleEndian.PutUint32(p[17*frame+0x47:], catalog)
	c := p[catalog*frame:]
	copy(c, []byte{1, 0x1c: 0xaa, 0x1d: 0x55, 0x1e: 0x55, 0x1f: 0xaa})
	binary.LittleEndian.PutUint16(c[0x1c:], 0xffff-0xaa55) // the words add up to zero
	copy(c[0x20:], []byte{0x88, 6: 4, 8: image})
	code := writeText(0x7c20)
	copy(p[image*frame:], append([]byte{0x31, 0xc0, 0x8e, 0xd8}, code...)) // XOR AX, AX; MOV DS, AX
	copy(p[image*frame+0x20:], text)
	return disk.Memory(p, true)
}

// TestFirmwareBootsFromEveryDrive has SeaBIOS load a boot sector, which loads the
// next.
func TestFirmwareBootsFromEveryDrive(t *testing.T) {
	const text = "the second sector"
	for _, c := range []struct {
		name, order string
		storage     Storage
	}{
		{"IDE", "c", Storage{IDE: [4]Drive{{Image: bootable(8<<20, text)}}}},
		{"the fourth IDE device", "c", Storage{IDE: [4]Drive{3: {Image: bootable(8<<20, text)}}}},
		{"virtio", "c", Storage{Virtio: []disk.Image{bootable(8<<20, text)}}},
		{"a floppy disk of 1.44 MB", "a", Storage{Floppy: [2]FloppyDrive{{Image: bootable(1440<<10, text)}}}},
		{"a floppy disk of 2.88 MB", "a", Storage{Floppy: [2]FloppyDrive{{Image: bootable(2880<<10, text)}}}},
		{"a floppy disk of 360 KB", "a", Storage{Floppy: [2]FloppyDrive{{Image: bootable(360<<10, text)}}}},
		{"a CD-ROM", "d", Storage{IDE: [4]Drive{2: {Image: bootableCD(text), CDROM: true}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBooted(t, Config{Storage: c.storage, Boot: Boot{Order: c.order}, BootFailEnds: true, HaltEnds: true})
			b.until = text
			if ending := b.run(t); !strings.HasSuffix(b.log.String(), text) {
				t.Errorf("ending %d; the firmware said\n%s", ending, b.log.String())
			}
		})
	}
}

// TestLockstepOverTheDrives has both machines boot from disks of their own.
func TestLockstepOverTheDrives(t *testing.T) {
	if jit.Available() != nil {
		t.Skip("there is nothing to compare the interpreter with: this host has no translator")
	}
	const text = "the same on both"
	disks := func() Storage {
		return Storage{IDE: [4]Drive{{Image: bootable(1<<20, text)}}, Virtio: []disk.Image{bootable(1<<20, text)},
			Floppy: [2]FloppyDrive{{Image: bootable(1440<<10, text)}}}
	}
	for _, order := range []string{"a", "c"} {
		b := newBooted(t, Config{Engine: Lockstep, LockstepRun: 1000, Storage: disks(), SecondStorage: disks(),
			Boot: Boot{Order: order}, BootFailEnds: true, HaltEnds: true})
		if ending := b.run(t); ending != Stuck || !strings.HasSuffix(b.log.String(), text) {
			t.Errorf("order %s: ending %d; the firmware said\n%s", order, ending, b.log.String())
		}
	}
}

func TestFirmwareFindsTheDrives(t *testing.T) {
	b := newBooted(t, Config{BootFailEnds: true, Storage: Storage{
		IDE:    [4]Drive{{Image: disk.Memory(make([]byte, 1<<20), false)}, 2: {CDROM: true}},
		Floppy: [2]FloppyDrive{{Present: true}, {Present: true}},
	}})
	b.run(t)
	for _, want := range []string{"gov86 disk", "DVD/CD [ata1-0: gov86 CD-ROM", "/fdc@03f0/floppy@0", "/fdc@03f0/floppy@1"} {
		if !strings.Contains(b.log.String(), want) {
			t.Errorf("the firmware does not find %s:\n%s", want, b.log.String())
		}
	}
}

// A worn image is one whose host fails.
type worn struct{ disk.Image }

var errWorn = errors.New("worn out")

func (worn) ReadAt([]byte, int64) (int, error) { return 0, errWorn }
func (worn) Flush() error                      { return errWorn }

func TestTheHostsErrorsReachTheDriveAndTheUser(t *testing.T) {
	var log strings.Builder
	m := mediumOf(worn{disk.Memory(make([]byte, 512), false)}, "ide0", slog.New(slog.NewTextHandler(&log, nil)))
	for what, request := range map[string]func(func(error)){
		"read":  func(done func(error)) { m.Read(make([]byte, 512), 0, done) },
		"flush": m.Flush,
	} {
		var got error
		request(func(err error) { got = err })
		if got != errWorn || !strings.Contains(log.String(), `"disk `+what+`" drive=ide0 err="worn out"`) {
			t.Errorf("%s: the drive is told %v, the user %s", what, got, log.String())
		}
	}
}
