package machine

import (
	"github.com/gov86/gov86/devices/floppy"
	"github.com/gov86/gov86/devices/ide"
)

// Bytes of CMOS memory that tell of drives.
const (
	cmosFloppies    = 0x10 // the type of A: in the upper half, of B: in the lower
	cmosDisks       = 0x12 // the same of the disks C: and D:
	cmosDiskType    = 0x19 // of C:, and behind it of D:, when the above says 15
	cmosGeometry    = 0x1b // of C:, and behind it of D:
	geometryLen     = 9
	cmosTranslation = 0x39 // two bits for each of the four disks

	equipmentFloppy      = 1 << 0
	equipmentMoreFloppys = 1 << 6

	typeExtended = 15
	typeUser     = 47
	// translateLBA is how a BIOS addresses a disk of more than 1024 cylinders.
	translateLBA = 1
	biosMost     = 1024
)

// fillDrives stores in CMOS memory what drives there are, and returns their bits
// of the equipment byte.
func (b *board) fillDrives(cfg *Config) (equipment uint8) {
	b.cmos.SetCMOS(cmosFloppies, uint8(b.floppy.Type(0))<<4|uint8(b.floppy.Type(1)))
	switch {
	case b.floppy.Type(0) == floppy.NoDrive:
	case b.floppy.Type(1) == floppy.NoDrive:
		equipment = equipmentFloppy
	default:
		equipment = equipmentFloppy | equipmentMoreFloppys
	}
	var types, translation uint8
	for i, d := range cfg.Storage.IDE {
		if d.Image == nil || d.CDROM {
			continue
		}
		g := ide.GeometryOf(uint64(d.Image.Size()))
		if g.Cylinders > biosMost {
			translation |= translateLBA << (2 * i)
		}
		if i < 2 {
			types |= typeExtended << (4 - 4*i)
			b.cmos.SetCMOS(uint8(cmosDiskType+i), typeUser)
			b.fillGeometry(uint8(cmosGeometry+i*geometryLen), g)
		}
	}
	b.cmos.SetCMOS(cmosDisks, types)
	b.cmos.SetCMOS(cmosTranslation, translation)
	return equipment
}

// fillGeometry stores a disk's geometry as setup programs have: cylinders, heads,
// no write precompensation, the control byte, the landing zone, sectors.
func (b *board) fillGeometry(at uint8, g ide.Geometry) {
	const control, moreThan8Heads = 0xc0, 1 << 3
	low, high := uint8(g.Cylinders), uint8(g.Cylinders>>8)
	for i, v := range [geometryLen]uint8{low, high, g.Heads, 0xff, 0xff, control | moreThan8Heads, low, high, g.Sectors} {
		b.cmos.SetCMOS(at+uint8(i), v)
	}
}
