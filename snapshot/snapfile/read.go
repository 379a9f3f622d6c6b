package snapfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/gov86/gov86/snapshot"
)

// A File is a snapshot that has been read but for its memory.
type File struct {
	// Header is the text without its first line.
	Header []byte
	// Sections are those written, in order.
	Sections []Section
	// MemorySize is in bytes, Encoding how they are stored, and Stored how many
	// bytes of the file that takes.
	MemorySize uint64
	Encoding   Encoding
	Stored     uint64

	r     io.ReaderAt
	size  int64
	body  int64 // where memory begins
	index []frame
}

// Open reads and checks everything but memory. It reports all that is wrong.
func Open(r io.ReaderAt, size int64) (*File, error) {
	f := &File{r: r, size: size}
	at, err := f.readHeader()
	if err != nil {
		return nil, err
	}
	at, wrong := f.readSections(at)
	f.body = at
	errs := append(wrong, f.takeMemoryInfo())
	if err := errors.Join(append(errs, f.readIndex())...); err != nil {
		return nil, err
	}
	return f, nil
}

// readHeader returns where the header ends.
func (f *File) readHeader() (end int64, err error) {
	b := make([]byte, min(f.size, headerLimit))
	n, err := f.r.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	b = b[:n]
	rest, ok := bytes.CutPrefix(b, []byte(magic))
	if !ok {
		return 0, errors.New("this is no snapshot of gov86")
	}
	version, text, ok := bytes.Cut(rest, []byte("\n"))
	if ok && string(version) != fmt.Sprint(Version) {
		return 0, fmt.Errorf("the snapshot is of version %.20q, and this gov86 reads %d", version, Version)
	}
	header, _, whole := bytes.Cut(text, []byte("\n\n"))
	if !ok || !whole {
		return 0, fmt.Errorf("header: %w", errTruncated)
	}
	f.Header = header
	return int64(n - len(text) + len(header) + 2), nil
}

// A cursor reads the file from a place on. After its first error it yields zeros.
type cursor struct {
	f    *File
	at   int64
	sum  uint32
	fail error
}

// take returns the next n bytes, which the file must have.
func (c *cursor) take(n int64) []byte {
	if c.fail == nil && n > c.f.size-c.at {
		c.fail = errTruncated
	}
	if c.fail != nil {
		return make([]byte, min(n, 8))
	}
	b := make([]byte, n)
	if _, err := c.f.r.ReadAt(b, c.at); err != nil && !errors.Is(err, io.EOF) {
		c.fail = err
	}
	c.at += n
	c.sum = crc32.Update(c.sum, castagnoli, b)
	return b
}

// readSections reads all sections and returns where they end, and all that is wrong.
func (f *File) readSections(at int64) (end int64, wrong []error) {
	c := &cursor{f: f}
	c.take(at)
	seen := map[string]bool{}
	for {
		s, err := c.section()
		if c.fail != nil {
			return c.at, append(wrong, c.fail)
		}
		if s.Name == "" {
			break
		}
		if err == nil && seen[s.Name] {
			err = corrupt("section %q is there twice", s.Name)
		}
		if err != nil {
			wrong = append(wrong, err)
		}
		seen[s.Name] = true
		if f.Sections = append(f.Sections, s); len(f.Sections) > sectionLimit {
			return c.at, append(wrong, corrupt("there are more than %d sections", sectionLimit))
		}
	}
	count := binary.LittleEndian.Uint32(c.take(4))
	want := c.sum
	sum := binary.LittleEndian.Uint32(c.take(4))
	switch {
	case c.fail != nil:
		wrong = append(wrong, c.fail)
	case int(count) != len(f.Sections):
		wrong = append(wrong, corrupt("there are %d sections and should be %d", len(f.Sections), count))
	case sum != want && len(wrong) == 0:
		wrong = append(wrong, corrupt("the checksum of the header differs"))
	}
	return c.at, wrong
}

// section reads a section; one without a name is the end of them.
func (c *cursor) section() (s Section, err error) {
	le := binary.LittleEndian
	n := le.Uint16(c.take(2))
	if n == 0 || c.fail != nil {
		return s, nil
	}
	if n > nameLimit {
		c.fail = corrupt("a section's name has %d bytes", n)
		return s, nil
	}
	s.Name = string(c.take(int64(n)))
	head := c.take(8)
	length, sum := le.Uint32(head), le.Uint32(head[4:])
	if length > payloadLimit {
		c.fail = corrupt("it has %d bytes", length)
	}
	s.Payload = c.take(int64(length))
	if c.fail != nil {
		c.fail = fmt.Errorf("section %q: %w", s.Name, c.fail)
	} else if crc32.Update(checksum([]byte(s.Name)), castagnoli, s.Payload) != sum {
		err = corrupt("section %q: its checksum differs", s.Name)
	}
	return s, err
}

// takeMemoryInfo takes the section about memory out of the others.
func (f *File) takeMemoryInfo() error {
	last := len(f.Sections) - 1
	if last < 0 || f.Sections[last].Name != memorySection {
		return corrupt("section %q is missing", memorySection)
	}
	var m memoryInfo
	c := snapshot.NewLoader(f.Sections[last].Payload)
	m.sync(c)
	if _, err := c.Close(); err != nil {
		return fmt.Errorf("section %q: %w", memorySection, err)
	}
	if m.size == 0 || m.size > memoryLimit || m.size%pageSize != 0 || m.encoding > uint8(Raw) {
		return corrupt("memory of %d bytes in encoding %d", m.size, m.encoding)
	}
	f.Sections = f.Sections[:last]
	f.MemorySize, f.Encoding = m.size, Encoding(m.encoding)
	return nil
}

// readIndex reads the index, to which the footer leads.
func (f *File) readIndex() error {
	le := binary.LittleEndian
	c := &cursor{f: f, at: f.size - footerLen}
	if c.at < f.body {
		return errTruncated
	}
	foot := c.take(footerLen)
	if c.fail != nil {
		return c.fail
	}
	if string(foot[:8]) != footerMagic {
		return errTruncated
	}
	at, n, sum := le.Uint64(foot[8:]), le.Uint32(foot[16:]), le.Uint32(foot[20:])
	length := int64(n) * frameLen
	if checksum(foot[:footerLen-4]) != le.Uint32(foot[footerLen-4:]) || at > uint64(f.size) ||
		at < uint64(f.body) || int64(at)+length+footerLen != f.size {
		return corrupt("footer")
	}
	c.at = int64(at)
	b := c.take(length)
	if c.fail != nil {
		return c.fail
	}
	if checksum(b) != sum {
		return corrupt("the checksum of the memory's index differs")
	}
	for ; len(b) > 0; b = b[frameLen:] {
		x := frame{chunk: le.Uint32(b), length: le.Uint32(b[4:]), offset: le.Uint64(b[8:]), sum: le.Uint32(b[16:])}
		for i := range x.pages {
			x.pages[i] = le.Uint64(b[20+8*i:])
		}
		if err := f.checkFrame(&x, at); err != nil {
			return err
		}
		f.index = append(f.index, x)
		f.Stored += uint64(x.length)
	}
	return nil
}

// checkFrame refuses a frame that is not within the file and within memory.
func (f *File) checkFrame(x *frame, end uint64) error {
	last := len(f.index) - 1
	ordered := last < 0 || f.index[last].chunk < x.chunk
	start := uint64(x.chunk) * chunkSize
	if !ordered || start >= f.MemorySize || x.offset < uint64(f.body) || x.offset > end || uint64(x.length) > end-x.offset {
		return corrupt("chunk %d of memory is out of place", x.chunk)
	}
	size := min(chunkSize, f.MemorySize-start)
	for p := int(size / pageSize); p < chunkPages; p++ {
		if x.has(p) {
			return corrupt("chunk %d of memory has a page behind its end", x.chunk)
		}
	}
	if f.Encoding == Raw && uint64(x.length) != size || f.Encoding == Packed && x.length > packedLimit {
		return corrupt("chunk %d of memory has %d bytes", x.chunk, x.length)
	}
	return nil
}

// packedLimit is more than a packed chunk can have.
const packedLimit = chunkSize + chunkSize/64
