package machine

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/gov86/gov86/devices/floppy"
	"github.com/gov86/gov86/devices/i8237"
	"github.com/gov86/gov86/devices/ide"
	"github.com/gov86/gov86/devices/virtio"
	"github.com/gov86/gov86/devices/virtioblk"
	"github.com/gov86/gov86/disk"
	"github.com/gov86/gov86/hw"
)

// How many drives there can be.
const (
	IDEDevices  = 4
	VirtioDisks = 8
)

// Storage is what drives there are, and what is in them. The machine closes
// the images when it is closed.
type Storage struct {
	// IDE are the devices 0 and 1 of the primary channel and then those of the
	// secondary.
	IDE [IDEDevices]Drive
	// Floppy are the drives A: and B:.
	Floppy [2]FloppyDrive
	// Virtio are disks behind virtio, at most VirtioDisks.
	Virtio []disk.Image
}

// A Drive is a place for a disk.
type Drive struct {
	// Image is the disk, nil for none.
	Image disk.Image
	// CDROM makes it a CD-ROM drive, which may be empty.
	CDROM bool
}

// A FloppyDrive is a place for floppy disks.
type FloppyDrive struct {
	// Present says that there is a drive.
	Present bool
	// Image is the disk in it, nil for none. Its size says what kind of disk, and
	// of drive, it is.
	Image disk.Image
}

// FloppySize reports whether a floppy disk can have a size in bytes.
func FloppySize(size int64) bool { return floppy.DriveFor(uint64(size)) != floppy.NoDrive }

// images are all images there are.
func (s *Storage) images() (all []disk.Image) {
	for _, d := range s.IDE {
		if d.Image != nil {
			all = append(all, d.Image)
		}
	}
	for _, d := range s.Floppy {
		if d.Image != nil {
			all = append(all, d.Image)
		}
	}
	return append(all, s.Virtio...)
}

// Close ends the use of all images.
func (s *Storage) Close() error {
	var wrong []error
	for _, image := range s.images() {
		wrong = append(wrong, image.Close())
	}
	return errors.Join(wrong...)
}

// A medium is an image as the drive that holds it sees it: requests end before
// they return. The host's errors are told to the user, too.
type medium struct {
	disk.Image
	name string
	log  *slog.Logger
}

// mediumOf is the medium that is image, or none.
func mediumOf(image disk.Image, name string, log *slog.Logger) hw.Medium {
	if image == nil {
		return nil
	}
	return &medium{image, name, log}
}

// Size implements hw.Medium.
func (m *medium) Size() uint64 { return uint64(m.Image.Size()) }

// Read implements hw.Medium.
func (m *medium) Read(p []byte, off uint64, done func(error)) {
	_, err := m.ReadAt(p, int64(off))
	done(m.tell("read", err))
}

// Write implements hw.Medium.
func (m *medium) Write(p []byte, off uint64, done func(error)) {
	_, err := m.WriteAt(p, int64(off))
	done(m.tell("write", err))
}

// Zero implements hw.Medium.
func (m *medium) Zero(off, n uint64, done func(error)) {
	done(m.tell("discard", m.Image.Zero(int64(off), int64(n))))
}

// Flush implements hw.Medium.
func (m *medium) Flush(done func(error)) { done(m.tell("flush", m.Image.Flush())) }

func (m *medium) tell(what string, err error) error {
	if err != nil {
		m.log.Warn("disk "+what, "drive", m.name, "err", err)
	}
	return err
}

// Where storage is on this board.
const (
	busMasterAt = 0xc000
	floppyDMA   = 2
	virtioAt    = 0x10   // PCI device number of the first disk behind virtio
	virtioPorts = 0xd000 // and its ports
	virtioStep  = 0x100
)

// addStorage adds the drives and their controllers.
func (b *board) addStorage(cfg *Config, log *slog.Logger) {
	var devices [IDEDevices]ide.Device
	for i, d := range cfg.Storage.IDE {
		name := fmt.Sprintf("ide%d", i)
		devices[i] = ide.Device{Medium: mediumOf(d.Image, name, log), Serial: fmt.Sprintf("GOV86-%05d", i)}
		switch {
		case d.CDROM:
			devices[i].Kind = ide.CDROM
		case d.Image != nil:
			devices[i].Kind = ide.Disk
		}
	}
	b.ide = ide.New([2]hw.Line{b.irq[14].tap(), b.irq[15].tap()}, devices, busMasterAt, b.memory)
	b.device("ide", b.ide)
	b.function("ide function", 1, 1, b.ide.Function())
	for i, at := range [2]uint16{0x1f0, 0x170} {
		b.ports.Claim(at, 8, b.ide.Command(i))
		b.ports.Claim(at+0x206, 1, b.ide.Control(i))
	}
	b.addFloppy(cfg, log)
	for i, image := range cfg.Storage.Virtio {
		b.addVirtioDisk(i, mediumOf(image, fmt.Sprintf("virtio%d", i), log))
	}
}

// addFloppy adds the floppy disk controller and the DMA controllers it needs.
func (b *board) addFloppy(cfg *Config, log *slog.Logger) {
	b.dma = i8237.New(b.memory)
	b.device("dma", b.dma)
	b.ports.Claim(0x00, 16, b.dma.Ports(0))
	b.ports.Claim(0xc0, 32, b.dma.Ports(1))
	b.ports.Claim(0x80, 16, b.dma.Pages())

	var drives [floppy.Drives]floppy.Drive
	for i, d := range cfg.Storage.Floppy {
		switch {
		case d.Image != nil:
			drives[i].Type = floppy.DriveFor(uint64(d.Image.Size()))
			drives[i].Medium = mediumOf(d.Image, fmt.Sprintf("floppy%d", i), log)
		case d.Present:
			drives[i].Type = floppy.Drive1440K
		}
	}
	connect := func(ready func()) hw.DMAChannel { return b.dma.Channel(floppyDMA, ready) }
	b.floppy = floppy.New(b.irq[6].tap(), connect, drives)
	b.device("floppy", b.floppy)
	b.ports.Claim(0x3f0, floppy.RegisterPorts, b.floppy)
	b.ports.Claim(0x3f7, 1, b.floppy.ChangeLine())
}

// addVirtioDisk adds the disk i behind virtio.
func (b *board) addVirtioDisk(i int, m hw.Medium) {
	name, number, at := fmt.Sprintf("virtio disk %d", i), uint8(virtioAt+i), uint16(virtioPorts+i*virtioStep)
	d := virtioblk.New(m, fmt.Sprintf("gov86-%d", i))
	t := virtio.NewPCI(d, b.pci, number, [4]uint16{at, at + 0x40, at + 0x50, at + 0x80}, b.memory)
	b.device(name, d)
	b.device(name+" transport", t)
	b.device(name+" function", t.Function())
}
