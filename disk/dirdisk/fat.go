package dirdisk

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/gov86/gov86/disk"
)

// A floppy disk of 1.44 MB as DOS formats it (Microsoft FAT Specification, "Boot
// Sector and BPB").
const (
	sector       = 512
	diskSectors  = 2880
	fats         = 2
	fatSectors   = 9
	rootEntries  = 224
	rootSectors  = rootEntries * entryLen / sector
	firstFAT     = 1
	firstRoot    = firstFAT + fats*fatSectors
	firstCluster = firstRoot + rootSectors // that is number 2
	clusters     = diskSectors - firstCluster
	entryLen     = 32
	endOfChain   = 0xfff

	attrDirectory = 0x10
	attrArchive   = 0x20
	attrReadOnly  = 0x01
	attrLongName  = 0x0f
)

// A fat is a floppy disk that is being made.
type fat struct {
	p    []byte
	dir  string
	next int // the first cluster that is free, less 2
}

// Floppy makes a floppy disk of 1.44 MB of a directory, in memory. Links are left
// out.
func Floppy(dir string, readOnly bool) (disk.Image, error) {
	root, err := read(dir)
	if err != nil {
		return nil, err
	}
	f := &fat{p: make([]byte, diskSectors*sector), dir: dir}
	f.boot()
	entries, err := f.entries(root, 0)
	if err != nil {
		return nil, err
	}
	if len(entries) > rootEntries*entryLen {
		return nil, f.full(fmt.Sprintf("it has more files than the %d entries of a floppy disk's root take", rootEntries))
	}
	copy(f.p[firstRoot*sector:], entries)
	return disk.Memory(f.p, readOnly), nil
}

func (f *fat) full(what string) error {
	return &disk.Error{Name: f.dir, What: what, Remedy: "give a smaller directory, or --cdrom"}
}

// boot is the boot sector, which loads nothing, and the first entries of both
// FATs.
func (f *fat) boot() {
	const media = 0xf0
	le := binary.LittleEndian
	copy(f.p, "\xeb\x3c\x90MSDOS5.0")
	le.PutUint16(f.p[11:], sector)
	f.p[13] = 1 // sectors of a cluster
	le.PutUint16(f.p[14:], firstFAT)
	f.p[16] = fats
	le.PutUint16(f.p[17:], rootEntries)
	le.PutUint16(f.p[19:], diskSectors)
	f.p[21] = media
	le.PutUint16(f.p[22:], fatSectors)
	le.PutUint16(f.p[24:], 18) // sectors of a track
	le.PutUint16(f.p[26:], 2)  // heads
	copy(f.p[38:], "\x29V86\x00NO NAME    FAT12   ")
	copy(f.p[62:], "\xcd\x18\xf4\xeb\xfd") // INT 18h: boot from another disk; HLT; JMP to it
	f.p[510], f.p[511] = 0x55, 0xaa
	for i := range fats {
		copy(f.p[(firstFAT+i*fatSectors)*sector:], []byte{media, 0xff, 0xff})
	}
}

// link makes v the entry of a cluster in both FATs: twelve bits.
func (f *fat) link(cluster, v int) {
	for i := range fats {
		p := f.p[(firstFAT+i*fatSectors)*sector+cluster*3/2:]
		if cluster&1 == 0 {
			p[0], p[1] = uint8(v), p[1]&0xf0|uint8(v>>8)
		} else {
			p[0], p[1] = p[0]&0x0f|uint8(v<<4), uint8(v>>4)
		}
	}
}

// allocate chains as many clusters as n bytes take, and returns the first, 0 for
// none, and their bytes.
func (f *fat) allocate(n int64) (first int, p []byte, err error) {
	count := int((n + sector - 1) / sector)
	if n > clusters*sector || count > clusters-f.next {
		return 0, nil, f.full(fmt.Sprintf("its files take more than the %d bytes that a floppy disk holds", clusters*sector))
	}
	if count == 0 {
		return 0, nil, nil
	}
	first = f.next + 2
	for i := range count - 1 {
		f.link(first+i, first+i+1)
	}
	f.link(first+count-1, endOfChain)
	p = f.p[(firstCluster+f.next)*sector:][:count*sector]
	f.next += count
	return first, p, nil
}

// entries are those of a directory's children, whose data it stores. at is the
// cluster of the directory itself, 0 for the root.
func (f *fat) entries(d *node, at int) (all []byte, err error) {
	names := shortNames(d.children)
	for _, c := range d.children {
		var first int
		switch {
		case c.isLink():
			continue
		case c.isDir():
			first, err = f.directory(c, at)
		default:
			first, err = f.file(c)
		}
		if err != nil {
			return nil, err
		}
		short := packed(names[c])
		if !strings.EqualFold(names[c], c.name) || strings.ToUpper(c.name) != c.name {
			all = append(all, longName(c.name, short)...)
		}
		all = append(all, entry(c, short, first)...)
	}
	return all, nil
}

// directory stores a directory whose parent is at a cluster. Its size must be
// known before those of its children have their clusters.
func (f *fat) directory(d *node, parent int) (first int, err error) {
	n := 2 * entryLen
	names := shortNames(d.children)
	for _, c := range d.children {
		n += entryLen
		if !strings.EqualFold(names[c], c.name) || strings.ToUpper(c.name) != c.name {
			n += len(longName(c.name, packed(names[c])))
		}
	}
	first, p, err := f.allocate(int64(n))
	if err != nil {
		return 0, err
	}
	entries, err := f.entries(d, first)
	copy(p, entry(d, packed("."), first))
	copy(p[entryLen:], entry(d, packed(".."), parent))
	copy(p[2*entryLen:], entries)
	return first, err
}

func (f *fat) file(n *node) (first int, err error) {
	first, p, err := f.allocate(n.size)
	if err != nil || first == 0 {
		return first, err
	}
	file, err := os.Open(n.path)
	if err != nil {
		return 0, refused(n.path, err)
	}
	defer file.Close()
	if _, err := io.ReadFull(file, p[:n.size]); err != nil && !isEOF(err) && err != io.ErrUnexpectedEOF {
		return 0, refused(n.path, err)
	}
	return first, nil
}

// packed is a short name in eleven characters.
func packed(name string) (p [11]byte) {
	copy(p[:], "           ")
	if strings.Trim(name, ".") == "" {
		copy(p[:], name)
		return p
	}
	base, ext, _ := strings.Cut(name, ".")
	copy(p[:8], base)
	copy(p[8:], ext)
	return p
}

// entry is a directory entry.
func entry(n *node, name [11]byte, first int) []byte {
	p := make([]byte, entryLen)
	copy(p, name[:])
	p[11] = attrArchive
	if n.isDir() {
		p[11] = attrDirectory
	} else if n.mode&0o200 == 0 {
		p[11] |= attrReadOnly
	}
	day, clock := dosTime(n.modified)
	le := binary.LittleEndian
	le.PutUint16(p[22:], clock)
	le.PutUint16(p[24:], day)
	le.PutUint16(p[26:], uint16(first))
	if !n.isDir() {
		le.PutUint32(p[28:], uint32(n.size))
	}
	return p
}

// dosTime is a local time: from 1980 on, in steps of two seconds.
func dosTime(t time.Time) (day, clock uint16) {
	t = t.Local()
	year := min(max(t.Year()-1980, 0), 127)
	return uint16(year<<9 | int(t.Month())<<5 | t.Day()), uint16(t.Hour()<<11 | t.Minute()<<5 | t.Second()/2)
}

// longName is the entries in front of an entry that hold the whole name, the
// last part first (Microsoft FAT Specification, "Long Directory Entries").
func longName(name string, short [11]byte) (p []byte) {
	var sum uint8
	for _, c := range short {
		sum = sum>>1 | sum<<7
		sum += c
	}
	const perEntry, lastFlag = 13, 0x40
	text := utf16.Encode([]rune(strings.ToValidUTF8(name, "_")))
	text = text[:min(len(text), 255)]
	count := (len(text) + perEntry - 1) / perEntry
	if len(text)%perEntry != 0 {
		text = append(text, 0)
	}
	for len(text)%perEntry != 0 {
		text = append(text, 0xffff)
	}
	for i := count; i > 0; i-- {
		e := make([]byte, entryLen)
		e[0], e[11], e[13] = uint8(i), attrLongName, sum
		if i == count {
			e[0] |= lastFlag
		}
		for k, at := range [perEntry]int{1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30} {
			binary.LittleEndian.PutUint16(e[at:], text[(i-1)*perEntry+k])
		}
		p = append(p, e...)
	}
	return p
}
