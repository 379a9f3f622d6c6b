package wire

import "encoding/binary"

// A Codec walks the fields of an extended message, which are naturally aligned:
// it fills them from bytes, or appends them to bytes. One list of fields is so
// both ways.
type Codec struct {
	b     []byte
	write bool
	short bool
}

// A Message is the body of an extended request, response or notification: what
// follows the prefix.
type Message interface{ Fields(c *Codec) }

// take moves over the next n bytes and returns them: those to read, or those
// appended to be written. Past the end it yields zeros and remembers.
func (c *Codec) take(n int) []byte {
	switch {
	case c.write:
		at := len(c.b)
		c.b = append(c.b, make([]byte, n)...)
		return c.b[at:]
	case len(c.b) < n:
		c.b, c.short = nil, true
		return make([]byte, n)
	}
	v := c.b[:n]
	c.b = c.b[n:]
	return v
}

// U8 is one byte.
func (c *Codec) U8(p *uint8) {
	if b := c.take(1); c.write {
		b[0] = *p
	} else {
		*p = b[0]
	}
}

// U16 is two bytes.
func (c *Codec) U16(p *uint16) {
	if b := c.take(2); c.write {
		binary.LittleEndian.PutUint16(b, *p)
	} else {
		*p = binary.LittleEndian.Uint16(b)
	}
}

// U32 is four bytes.
func (c *Codec) U32(p *uint32) {
	if b := c.take(4); c.write {
		binary.LittleEndian.PutUint32(b, *p)
	} else {
		*p = binary.LittleEndian.Uint32(b)
	}
}

// U64 is eight bytes.
func (c *Codec) U64(p *uint64) {
	if b := c.take(8); c.write {
		binary.LittleEndian.PutUint64(b, *p)
	} else {
		*p = binary.LittleEndian.Uint64(b)
	}
}

// S64 is eight bytes, signed.
func (c *Codec) S64(p *int64) {
	v := uint64(*p)
	c.U64(&v)
	*p = int64(v)
}

// Zero is n bytes that are sent as zeros and not looked at.
func (c *Codec) Zero(n int) { c.take(n) }

// Length is the two bytes that say how long a text later in the message is.
func (c *Codec) Length(s string) int {
	n := uint16(len(s))
	c.U16(&n)
	return int(n)
}

// Text is n bytes, the length told before.
func (c *Codec) Text(p *string, n int) {
	if b := c.take(n); c.write {
		copy(b, *p)
	} else {
		*p = string(b)
	}
}

// more reports whether a list that is read goes on.
func (c *Codec) more() bool { return !c.write && len(c.b) > 0 }

// A Request is the prefix of an extended request.
type Request struct {
	Type  Type
	Tag   uint16
	Flags uint8
	// Mount is what MOUNT2 returned.
	Mount uint32
	// UID and GID own what the request makes.
	UID, GID uint32
	// PID is the process that asks.
	PID uint32
	// Node is what is asked about: for requests with a name, the directory.
	Node uint64
}

// RequestSize is the size of the prefix of an extended request in bytes.
const RequestSize = 32

func (r *Request) fields(c *Codec, length *uint32) {
	c.U32(length)
	c.U8((*uint8)(&r.Type))
	c.U16(&r.Tag)
	c.U8(&r.Flags)
	c.U32(&r.Mount)
	c.U32(&r.UID)
	c.U32(&r.GID)
	c.U32(&r.PID)
	c.U64(&r.Node)
}

// Append appends the request with its body to b.
func (r *Request) Append(b []byte, body Message) []byte {
	return finish(b, body, func(c *Codec, length *uint32) { r.fields(c, length) })
}

// Decode takes the prefix of a request off b, and returns the bytes of its
// body. ErrShort says that b has not all the bytes that the request claims.
func (r *Request) Decode(b []byte) ([]byte, error) {
	var length uint32
	c := Codec{b: b}
	r.fields(&c, &length)
	return rest(b, length, RequestSize)
}

// A Reply is the prefix of the response to an extended request.
type Reply struct {
	Type  Type
	Tag   uint16
	Flags uint8
	// Status is 0 or an error number of Linux.
	Status uint32
	// Data is how many bytes of data follow the message.
	Data uint32
	// Version is the device's version when the request was begun.
	Version uint64
}

// ReplySize is the size of the prefix of an extended response in bytes.
const ReplySize = 24

func (r *Reply) fields(c *Codec, length *uint32) {
	c.U32(length)
	c.U8((*uint8)(&r.Type))
	c.U16(&r.Tag)
	c.U8(&r.Flags)
	c.U32(&r.Status)
	c.U32(&r.Data)
	c.U64(&r.Version)
}

// Append appends the response with its body to b.
func (r *Reply) Append(b []byte, body Message) []byte {
	return finish(b, body, func(c *Codec, length *uint32) { r.fields(c, length) })
}

// Decode takes the prefix of a response off b, and returns the bytes of its body.
func (r *Reply) Decode(b []byte) ([]byte, error) {
	var length uint32
	c := Codec{b: b}
	r.fields(&c, &length)
	return rest(b, length, ReplySize)
}

// A Notice is the prefix of an extended notification.
type Notice struct {
	Type    Type
	Flags   uint8
	Mount   uint32
	Version uint64
}

// NoticeSize is the size of the prefix of an extended notification in bytes.
const NoticeSize = 24

func (n *Notice) fields(c *Codec, length *uint32) {
	c.U32(length)
	c.U8((*uint8)(&n.Type))
	c.Zero(2)
	c.U8(&n.Flags)
	c.U32(&n.Mount)
	c.Zero(4)
	c.U64(&n.Version)
}

// Append appends the notification with its body to b.
func (n *Notice) Append(b []byte, body Message) []byte {
	return finish(b, body, func(c *Codec, length *uint32) { n.fields(c, length) })
}

// Decode takes the prefix of a notification off b, and returns the bytes of its body.
func (n *Notice) Decode(b []byte) ([]byte, error) {
	var length uint32
	c := Codec{b: b}
	n.fields(&c, &length)
	return rest(b, length, NoticeSize)
}

// finish appends a prefix and a body, nil for none, and fills in the length.
func finish(b []byte, body Message, prefix func(*Codec, *uint32)) []byte {
	at := len(b)
	c := Codec{b: b, write: true}
	var length uint32
	prefix(&c, &length)
	if body != nil {
		body.Fields(&c)
	}
	binary.LittleEndian.PutUint32(c.b[at:], uint32(len(c.b)-at))
	return c.b
}

// rest is the body of a message of the given length with a prefix of size bytes.
func rest(b []byte, length uint32, size int) ([]byte, error) {
	if uint64(length) > uint64(len(b)) || int(length) < size {
		return nil, ErrShort
	}
	return b[size:length], nil
}

// DecodeBody fills m from the bytes of a body; ErrShort says that they end
// before its fields do. More bytes than fields are passed over.
func DecodeBody(b []byte, m Message) error {
	c := Codec{b: b}
	m.Fields(&c)
	if c.short {
		return ErrShort
	}
	return nil
}
