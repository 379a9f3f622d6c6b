package acpi

import "encoding/binary"

// A File is one that firmware finds in fw_cfg by its name.
type File struct {
	Name string
	Data []byte
}

// The files' names (QEMU, "ACPI table loader" of the firmware configuration
// device), and where firmware puts them: the root pointer where the guest
// looks for it, the tables wherever it likes.
const (
	tablesFile = "etc/acpi/tables"
	rsdpFile   = "etc/acpi/rsdp"
	loaderFile = "etc/table-loader"

	zoneHigh     = 1
	zoneFSegment = 2
)

// Commands of the table loader, of commandSize bytes each.
const (
	allocate    = 1
	addPointer  = 2
	addChecksum = 3
	commandSize = 128
	nameSize    = 56
)

// A script is what the loader is told to do.
type script []byte

func (s *script) command(what uint32) []byte {
	at := len(*s)
	*s = append(*s, make([]byte, commandSize)...)
	p := (*s)[at:]
	binary.LittleEndian.PutUint32(p, what)
	return p[4:]
}

func (s *script) allocate(file string, alignment uint32, zone byte) {
	p := s.command(allocate)
	copy(p[:nameSize-1], file)
	binary.LittleEndian.PutUint32(p[nameSize:], alignment)
	p[nameSize+4] = zone
}

// point adds the address of file to to the four bytes at off of file in.
func (s *script) point(in, to string, off int) {
	p := s.command(addPointer)
	copy(p[:nameSize-1], in)
	copy(p[nameSize:2*nameSize-1], to)
	binary.LittleEndian.PutUint32(p[2*nameSize:], uint32(off))
	p[2*nameSize+4] = 4
}

// sum makes the n bytes from first on of file add up to zero by the byte at off.
func (s *script) sum(file string, off, first, n int) {
	p := s.command(addChecksum)
	copy(p[:nameSize-1], file)
	for i, v := range []int{off, first, n} {
		binary.LittleEndian.PutUint32(p[nameSize+4*i:], uint32(v))
	}
}

// Files are the tables for firmware to place, and how: the same that Tables has.
func Files(b Board) []File {
	t, root := b.lay()
	var s script
	s.allocate(tablesFile, alignment, zoneHigh)
	s.allocate(rsdpFile, 16, zoneFSegment)
	for _, off := range t.pointers {
		s.point(tablesFile, tablesFile, off)
	}
	for _, x := range t.tables {
		t.out[x[0]+checksumAt] = 0
		s.sum(tablesFile, x[0]+checksumAt, x[0], x[1])
	}
	pointer := rsdp(root)
	pointer[rsdpChecksum] = 0
	s.point(rsdpFile, tablesFile, rsdpRoot)
	s.sum(rsdpFile, rsdpChecksum, 0, len(pointer))
	return []File{{tablesFile, t.out}, {rsdpFile, pointer}, {loaderFile, s}}
}
