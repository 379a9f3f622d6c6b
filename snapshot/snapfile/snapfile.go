// Package snapfile is the file of a snapshot: a header that people can read, named
// sections, and memory. docs/snapshots.md describes it byte by byte.
//
// A file is not trusted. What a reader allocates is bounded by the size of the
// file and by the memory that it is given to fill; nothing in a file names
// anything of the host.
package snapfile

import (
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/gov86/gov86/snapshot"
)

// Version is that of the framing. Sections have versions of their own.
const Version = 1

// The first line of a file is magic and the version; an empty line ends the header.
const magic = "gov86 snapshot "

// Bounds of what a reader accepts.
const (
	headerLimit  = 1 << 20
	nameLimit    = 64
	sectionLimit = 1 << 10
	payloadLimit = 64 << 20
	memoryLimit  = 4 << 30
)

// Lengths of an entry of the index and of the footer, in bytes.
const (
	frameLen  = 4 + 4 + 8 + 4 + 8*pageWords
	footerLen = 8 + 8 + 4 + 4 + 4
)

const footerMagic = "86VOGEND"

// Memory is cut into chunks.
const (
	pageSize   = 4096
	chunkPages = 256
	chunkSize  = chunkPages * pageSize
	pageWords  = chunkPages / 64
)

// memorySection is the name of the section that says what memory there is.
const memorySection = "memory"

// An Encoding is how memory is stored.
type Encoding uint8

// The encodings.
const (
	// Packed is a frame of Zstandard for each chunk, of its pages that are not zero.
	Packed Encoding = iota
	// Raw is all of memory as it is, from a page of the file on. Pages of zeros are
	// holes, if the file can have them.
	Raw
)

func (e Encoding) String() string {
	if e == Raw {
		return "raw"
	}
	return "packed"
}

// A Section is a name and a device's state.
type Section struct {
	Name    string
	Payload []byte
}

// Version is the version of the list of fields that the section has, 0 if it is
// too short for one.
func (s *Section) Version() uint16 {
	if len(s.Payload) < 2 {
		return 0
	}
	return uint16(s.Payload[0]) | uint16(s.Payload[1])<<8
}

// A frame is where a chunk of memory is stored, and which of its pages are.
type frame struct {
	chunk  uint32
	length uint32
	offset uint64
	sum    uint32
	pages  [pageWords]uint64
}

func (f *frame) has(page int) bool { return f.pages[page>>6]>>(page&63)&1 != 0 }

// memoryInfo is the section memorySection.
type memoryInfo struct {
	size     uint64
	encoding uint8
}

func (m *memoryInfo) sync(c *snapshot.Codec) {
	c.Version(1)
	c.Uint64("size", &m.size)
	c.Uint8("encoding", &m.encoding)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(p []byte) uint32 { return crc32.Checksum(p, castagnoli) }

// corrupt is an error that blames the file.
func corrupt(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, snapshot.ErrCorrupt)...)
}

// errTruncated is what a file is that has no end.
var errTruncated = errors.New("the file is cut off, or its writer was stopped")
