package floppy

// A DriveType is a kind of drive, as the CMOS numbers them.
type DriveType uint8

// The types of drives.
const (
	NoDrive   DriveType = iota
	Drive360K           // 5¼", double density
	Drive1200K
	Drive720K // 3½"
	Drive1440K
	Drive2880K
)

// Data rates, as DSR and CCR encode them.
const (
	rate500 = iota
	rate300
	rate250
	rate1000
)

// A format is how a floppy disk is divided: sectors of 512 bytes.
type format struct {
	tracks, heads, sectors uint8
	drive                  DriveType // that such a disk is made for
	rate                   uint8
}

// formats are those the PC has had, and two that hold more.
var formats = []format{
	{40, 1, 8, Drive360K, rate250},    // 160 KB
	{40, 1, 9, Drive360K, rate250},    // 180 KB
	{40, 2, 8, Drive360K, rate250},    // 320 KB
	{40, 2, 9, Drive360K, rate250},    // 360 KB
	{80, 2, 9, Drive720K, rate250},    // 720 KB
	{80, 2, 15, Drive1200K, rate500},  // 1.2 MB
	{80, 2, 18, Drive1440K, rate500},  // 1.44 MB
	{80, 2, 21, Drive1440K, rate500},  // 1.68 MB, which Microsoft distributed on
	{82, 2, 21, Drive1440K, rate500},  // 1.72 MB
	{80, 2, 36, Drive2880K, rate1000}, // 2.88 MB
}

func (f *format) size() uint64 {
	return uint64(f.tracks) * uint64(f.heads) * uint64(f.sectors) * sectorSize
}

// formatOf is the format of a disk of a size in bytes.
func formatOf(size uint64) (format, bool) {
	for _, f := range formats {
		if f.size() == size {
			return f, true
		}
	}
	return format{}, false
}

// Sizes are the sizes in bytes that a medium can have.
func Sizes() (all []uint64) {
	for _, f := range formats {
		all = append(all, f.size())
	}
	return all
}

// DriveFor is the drive for a disk of a size in bytes, NoDrive if there is none.
// A drive for 1.44 MB is as good as one for 720 KB.
func DriveFor(size uint64) DriveType {
	switch f, ok := formatOf(size); {
	case !ok:
		return NoDrive
	case f.drive == Drive720K:
		return Drive1440K
	default:
		return f.drive
	}
}

// takes reports whether a drive reads a disk made for another, and at which
// rate. Drives of 5¼" and 3½" read all that theirs did before them.
func (t DriveType) takes(f *format) (rate uint8, ok bool) {
	switch {
	case t == Drive1200K && f.drive == Drive360K:
		return rate300, true // it turns faster
	case t == f.drive:
		return f.rate, true
	}
	return f.rate, t >= Drive720K && f.drive >= Drive720K && f.drive <= t
}
