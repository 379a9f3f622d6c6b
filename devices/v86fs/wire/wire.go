// Package wire is the v86fs protocol as bytes (docs/v86fs-protocol.md): one
// struct a message. Those of the base protocol have a cursor that reads them and
// one that appends them; those of the extended protocol are lists of fields.
//
// Integers are little-endian, and in the base protocol packed. A message begins with its length
// (four bytes, header included), its type and a tag; a response has the type
// of its request with bit 7 set, and its tag.
package wire

import (
	"encoding/binary"
	"errors"
)

// A Type is the kind of a message.
type Type uint8

// The requests of the base protocol, and the notifications.
const (
	Mount    Type = 0x00
	Lookup   Type = 0x01
	Getattr  Type = 0x02
	Readdir  Type = 0x03
	Open     Type = 0x04
	Close    Type = 0x05
	Read     Type = 0x06
	Create   Type = 0x07
	Write    Type = 0x08
	Mkdir    Type = 0x09
	Setattr  Type = 0x0a
	Fsync    Type = 0x0b
	Unlink   Type = 0x0c
	Rename   Type = 0x0d
	Symlink  Type = 0x0e
	Readlink Type = 0x0f
	Statfs   Type = 0x10

	Invalidate    Type = 0x20
	InvalidateDir Type = 0x21
	MountNotify   Type = 0x22
	UmountNotify  Type = 0x23

	// Response is added to the type of a request.
	Response Type = 0x80
)

var typeNames = map[Type]string{
	Mount: "MOUNT", Lookup: "LOOKUP", Getattr: "GETATTR", Readdir: "READDIR", Open: "OPEN", Close: "CLOSE",
	Read: "READ", Create: "CREATE", Write: "WRITE", Mkdir: "MKDIR", Setattr: "SETATTR", Fsync: "FSYNC",
	Unlink: "UNLINK", Rename: "RENAME", Symlink: "SYMLINK", Readlink: "READLINK", Statfs: "STATFS",
	Invalidate: "INVALIDATE", InvalidateDir: "INVALIDATE_DIR", MountNotify: "MOUNT_NOTIFY", UmountNotify: "UMOUNT_NOTIFY",

	Mount2: "MOUNT2", Umount: "UMOUNT", Exports: "EXPORTS", Lookup2: "LOOKUP2", Forget: "FORGET",
	Getattr2: "GETATTR2", Setattr2: "SETATTR2", Create2: "CREATE2", Open2: "OPEN2", Release: "RELEASE",
	Read2: "READ2", Write2: "WRITE2", Fsync2: "FSYNC2", Fallocate: "FALLOCATE", Seek: "SEEK",
	CopyRange: "COPY_RANGE", Mknod: "MKNOD", Mkdir2: "MKDIR2", Symlink2: "SYMLINK2", Link: "LINK",
	Unlink2: "UNLINK2", Rmdir: "RMDIR", Rename2: "RENAME2", Tmpfile: "TMPFILE", Readlink2: "READLINK2",
	Readdir2: "READDIR2", Statfs2: "STATFS2", Syncfs: "SYNCFS", Getxattr: "GETXATTR", Setxattr: "SETXATTR",
	Listxattr: "LISTXATTR", Removexattr: "REMOVEXATTR", Getlk: "GETLK", Setlk: "SETLK", Interrupt: "INTERRUPT",
	InvalNode: "INVAL_NODE", InvalEntry: "INVAL_ENTRY", InvalDir: "INVAL_DIR", InvalMount: "INVAL_MOUNT",
}

func (t Type) String() string {
	if n, ok := typeNames[t&^Response]; ok {
		return n
	}
	return "unknown message"
}

// HeaderSize is the size of a message's header in bytes.
const HeaderSize = 7

// Sizes of parts of responses, for who must fit them into a buffer.
const (
	ReaddirFixed = 15 // before the entries
	EntryFixed   = 11 // of an entry, beside its name
	ReadFixed    = 15 // before the data
)

// ErrShort says that a message ends before its fields do.
var ErrShort = errors.New("message too short")

// A Header is what every message begins with.
type Header struct {
	Length uint32
	Type   Type
	Tag    uint16
}

// A Reader takes fields off the front of a message. Past the end it yields
// zeros and remembers, so that one check at the end is enough.
type Reader struct {
	b     []byte
	short bool
}

// NewReader returns a reader of b.
func NewReader(b []byte) Reader { return Reader{b: b} }

func (r *Reader) take(n int) []byte {
	if len(r.b) < n {
		r.b, r.short = nil, true
		return make([]byte, n)
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

// U8, U16, U32 and U64 take an integer.
func (r *Reader) U8() uint8 { return r.take(1)[0] }

// U16 takes two bytes.
func (r *Reader) U16() uint16 { return binary.LittleEndian.Uint16(r.take(2)) }

// U32 takes four bytes.
func (r *Reader) U32() uint32 { return binary.LittleEndian.Uint32(r.take(4)) }

// U64 takes eight bytes.
func (r *Reader) U64() uint64 { return binary.LittleEndian.Uint64(r.take(8)) }

// Text takes a length of two bytes and as many bytes.
func (r *Reader) Text() string { return string(r.take(int(r.U16()))) }

// Bytes takes n bytes; they alias the message.
func (r *Reader) Bytes(n uint32) []byte {
	if uint64(n) > uint64(len(r.b)) {
		r.b, r.short = nil, true
		return nil
	}
	return r.take(int(n))
}

// Done reports ErrShort if more was taken than was there.
func (r *Reader) Done() error {
	if r.short {
		return ErrShort
	}
	return nil
}

// Header takes the header.
func (r *Reader) Header() Header { return Header{r.U32(), Type(r.U8()), r.U16()} }

// A Writer appends fields to a message.
type Writer struct{ B []byte }

// Begin starts a message in w's buffer.
func (w *Writer) Begin(t Type, tag uint16) {
	w.B = append(w.B[:0], 0, 0, 0, 0, uint8(t))
	w.U16(tag)
}

// End fills in the length and returns the message.
func (w *Writer) End() []byte {
	binary.LittleEndian.PutUint32(w.B, uint32(len(w.B)))
	return w.B
}

// U8, U16, U32 and U64 append an integer.
func (w *Writer) U8(v uint8) { w.B = append(w.B, v) }

// U16 appends two bytes.
func (w *Writer) U16(v uint16) { w.B = binary.LittleEndian.AppendUint16(w.B, v) }

// U32 appends four bytes.
func (w *Writer) U32(v uint32) { w.B = binary.LittleEndian.AppendUint32(w.B, v) }

// U64 appends eight bytes.
func (w *Writer) U64(v uint64) { w.B = binary.LittleEndian.AppendUint64(w.B, v) }

// Text appends a length of two bytes and s.
func (w *Writer) Text(s string) {
	w.U16(uint16(len(s)))
	w.B = append(w.B, s...)
}
