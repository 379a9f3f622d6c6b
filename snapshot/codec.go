// Package snapshot is the machine on disk: a field codec that every device
// drives with one list of its fields, and the file that frames the sections.
//
// A device lists each field once; the same list saves, loads and shows it.
// Names are for people (show mode, failure messages) and are not stored.
package snapshot

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// ErrCorrupt is wrapped by every error that blames the bytes.
var ErrCorrupt = errors.New("corrupt state")

type mode uint8

const (
	saving mode = iota
	loading
	showing
)

// A Codec walks a list of fields in one of three modes. Its first error sticks:
// after it, loads yield zeros, so that one check at the end is enough.
type Codec struct {
	mode mode
	buf  []byte
	err  error
	show func(name, value string)
}

// NewSaver returns a codec that appends fields to an empty buffer.
func NewSaver() *Codec { return &Codec{mode: saving} }

// NewLoader returns a codec that takes fields off the front of b.
func NewLoader(b []byte) *Codec { return &Codec{mode: loading, buf: b} }

// NewShower returns a codec that calls show with each field and changes none.
func NewShower(show func(name, value string)) *Codec { return &Codec{mode: showing, show: show} }

// Loading reports whether fields are being replaced.
func (c *Codec) Loading() bool { return c.mode == loading }

// Err returns the first error.
func (c *Codec) Err() error { return c.err }

// Fail records err unless one is recorded already.
func (c *Codec) Fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// Close ends the list. It returns the bytes saved; loading, bytes left over
// are an error.
func (c *Codec) Close() ([]byte, error) {
	if c.mode == loading && c.err == nil && len(c.buf) > 0 {
		c.err = fmt.Errorf("%d bytes left over: %w", len(c.buf), ErrCorrupt)
	}
	return c.buf, c.err
}

// Version opens a list with the version newest of it and returns the one at
// hand: newest when saving, the stored one when loading, from 1 to newest.
func (c *Codec) Version(newest uint16) uint16 {
	v := newest
	c.Uint16("version", &v)
	if c.mode == loading && c.err == nil && (v == 0 || v > newest) {
		c.Fail(fmt.Errorf("version %d, want 1 to %d: %w", v, newest, ErrCorrupt))
	}
	return v
}

func (c *Codec) fixed(name string, n int, load func([]byte), store func([]byte), text func() string) {
	switch c.mode {
	case saving:
		var b [8]byte
		store(b[:n])
		c.buf = append(c.buf, b[:n]...)
	case loading:
		if c.err != nil {
			return
		}
		if len(c.buf) < n {
			c.buf = nil
			c.Fail(fmt.Errorf("%s: %w", name, ErrCorrupt))
			return
		}
		load(c.buf[:n])
		c.buf = c.buf[n:]
	case showing:
		c.show(name, text())
	}
}

// Bool is one byte, 0 or 1.
func (c *Codec) Bool(name string, v *bool) {
	c.fixed(name, 1, func(b []byte) {
		if b[0] > 1 {
			c.Fail(fmt.Errorf("%s: %w", name, ErrCorrupt))
			return
		}
		*v = b[0] == 1
	}, func(b []byte) {
		if *v {
			b[0] = 1
		}
	}, func() string { return fmt.Sprint(*v) })
}

// Uint8 is one byte.
func (c *Codec) Uint8(name string, v *uint8) {
	c.fixed(name, 1, func(b []byte) { *v = b[0] }, func(b []byte) { b[0] = *v },
		func() string { return fmt.Sprintf("%#02x", *v) })
}

// Uint16 is two bytes, little-endian.
func (c *Codec) Uint16(name string, v *uint16) {
	c.fixed(name, 2, func(b []byte) { *v = binary.LittleEndian.Uint16(b) },
		func(b []byte) { binary.LittleEndian.PutUint16(b, *v) },
		func() string { return fmt.Sprintf("%#04x", *v) })
}

// Uint32 is four bytes, little-endian.
func (c *Codec) Uint32(name string, v *uint32) {
	c.fixed(name, 4, func(b []byte) { *v = binary.LittleEndian.Uint32(b) },
		func(b []byte) { binary.LittleEndian.PutUint32(b, *v) },
		func() string { return fmt.Sprintf("%#08x", *v) })
}

// Uint64 is eight bytes, little-endian.
func (c *Codec) Uint64(name string, v *uint64) {
	c.fixed(name, 8, func(b []byte) { *v = binary.LittleEndian.Uint64(b) },
		func(b []byte) { binary.LittleEndian.PutUint64(b, *v) },
		func() string { return fmt.Sprintf("%#016x", *v) })
}

// Uint8s is a fixed array.
func (c *Codec) Uint8s(name string, v []uint8) {
	for i := range v {
		c.Uint8(name, &v[i])
	}
}

// Uint16s is a fixed array.
func (c *Codec) Uint16s(name string, v []uint16) {
	for i := range v {
		c.Uint16(name, &v[i])
	}
}

// Uint32s is a fixed array.
func (c *Codec) Uint32s(name string, v []uint32) {
	for i := range v {
		c.Uint32(name, &v[i])
	}
}

// Uint64s is a fixed array.
func (c *Codec) Uint64s(name string, v []uint64) {
	for i := range v {
		c.Uint64(name, &v[i])
	}
}

// Bools is a fixed array.
func (c *Codec) Bools(name string, v []bool) {
	for i := range v {
		c.Bool(name, &v[i])
	}
}

// Bytes is a length and as many bytes, at most limit.
func (c *Codec) Bytes(name string, v *[]byte, limit int) {
	n := uint32(len(*v))
	if c.mode == showing {
		c.show(name, fmt.Sprintf("%x", *v))
		return
	}
	c.Uint32(name, &n)
	switch {
	case c.mode == saving:
		c.buf = append(c.buf, *v...)
	case c.err != nil:
	case int64(n) > int64(limit) || int64(n) > int64(len(c.buf)):
		c.buf = nil
		c.Fail(fmt.Errorf("%s: length %d: %w", name, n, ErrCorrupt))
	default:
		*v = append([]byte(nil), c.buf[:n]...)
		c.buf = c.buf[n:]
	}
}

// memoryPage is the unit of Memory, of which it leaves out what is zero.
const memoryPage = 4096

// Memory is a large fixed array, of whole pages of 4096 bytes. Shown, it is a
// checksum.
func (c *Codec) Memory(name string, v []byte) {
	if c.mode == showing {
		c.show(name, fmt.Sprintf("%d bytes with CRC-32 %08x", len(v), crc32.ChecksumIEEE(v)))
		return
	}
	var zero [memoryPage]byte
	for ; len(v) > 0 && c.err == nil; v = v[memoryPage:] {
		page := v[:memoryPage]
		filled := c.mode == saving && !bytes.Equal(page, zero[:])
		c.Bool(name, &filled)
		switch {
		case !filled && c.mode == loading:
			clear(page)
		case filled && c.mode == saving:
			c.buf = append(c.buf, page...)
		case filled && len(c.buf) < memoryPage:
			c.buf = nil
			c.Fail(fmt.Errorf("%s: %w", name, ErrCorrupt))
		case filled:
			c.buf = c.buf[copy(page, c.buf):]
		}
	}
}

// String is a length and as many bytes, at most limit.
func (c *Codec) String(name string, v *string, limit int) {
	b := []byte(*v)
	c.Bytes(name, &b, limit)
	if c.mode == loading && c.err == nil {
		*v = string(b)
	}
}

// Len is the length of a list the caller then walks, at most limit.
func (c *Codec) Len(name string, n *int, limit int) {
	v := uint32(*n)
	c.Uint32(name, &v)
	if c.mode != loading {
		return
	}
	if c.err != nil || int64(v) > int64(limit) {
		c.Fail(fmt.Errorf("%s: length %d: %w", name, v, ErrCorrupt))
		v = 0
	}
	*n = int(v)
}
