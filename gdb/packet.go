package gdb

import (
	"bufio"
	"errors"
	"fmt"
)

// maxPacket is the longest packet there may be, between $ and #.
const maxPacket = 0x4000

// A kind is what arrived.
type kind uint8

const (
	kindPacket    kind = iota
	kindBad            // a packet whose checksum is wrong
	kindNak            // the other side got a packet of ours with a wrong checksum
	kindInterrupt      // the byte 03h
)

// A message is what arrived; data is a packet's, as it was sent.
type message struct {
	kind kind
	data []byte
}

var (
	errTooLong = errors.New("the packet is too long")
	errForeign = errors.New("this is another protocol")
)

// receive waits for the next message (Debugging with GDB, "Overview" of the
// protocol). Nothing else may lie between packets: whoever makes a browser
// post to the port is not to get a packet through in what it posts.
func receive(r *bufio.Reader) (message, error) {
	for {
		b, err := r.ReadByte()
		if err != nil {
			return message{}, err
		}
		switch b {
		case 0x03:
			return message{kind: kindInterrupt}, nil
		case '-':
			return message{kind: kindNak}, nil
		case '$':
			return receivePacket(r)
		case '+':
		default:
			return message{}, errForeign
		}
	}
}

// receivePacket reads a packet whose $ was read.
func receivePacket(r *bufio.Reader) (message, error) {
	var data []byte
	var sum byte
	for {
		b, err := r.ReadByte()
		if err != nil {
			return message{}, err
		}
		if b == '#' {
			break
		}
		if b == '$' { // the one before was cut short
			data, sum = data[:0], 0
			continue
		}
		if len(data) == maxPacket {
			return message{}, errTooLong
		}
		data = append(data, b)
		sum += b
	}
	var digits [2]byte
	for i := range digits {
		var err error
		if digits[i], err = r.ReadByte(); err != nil {
			return message{}, err
		}
	}
	want, ok := number(string(digits[:]))
	if !ok || byte(want) != sum {
		return message{kind: kindBad}, nil
	}
	return message{kind: kindPacket, data: data}, nil
}

// frame makes a packet of data, in which nothing needs an escape.
func frame(data []byte) []byte {
	var sum byte
	for _, b := range data {
		sum += b
	}
	p := append([]byte{'$'}, data...)
	return fmt.Appendf(p, "#%02x", sum)
}

// unescape undoes the escapes of binary data (Debugging with GDB, "Binary
// Data"). An escape with nothing behind it is not valid.
func unescape(data []byte) ([]byte, bool) {
	out := make([]byte, 0, len(data))
	for i := 0; i < len(data); i++ {
		b := data[i]
		if b == '}' {
			i++
			if i == len(data) {
				return nil, false
			}
			b = data[i] ^ 0x20
		}
		out = append(out, b)
	}
	return out, true
}

// number reads one to sixteen hexadecimal digits, and nothing else.
func number(s string) (v uint64, ok bool) {
	if len(s) == 0 || len(s) > 16 {
		return 0, false
	}
	for i := range len(s) {
		d := s[i]
		switch {
		case d >= '0' && d <= '9':
			d -= '0'
		case d >= 'a' && d <= 'f':
			d -= 'a' - 10
		case d >= 'A' && d <= 'F':
			d -= 'A' - 10
		default:
			return 0, false
		}
		v = v<<4 | uint64(d)
	}
	return v, true
}

// number32 is number for what fits in 32 bits.
func number32(s string) (v uint32, ok bool) {
	n, ok := number(s)
	return uint32(n), ok && n>>32 == 0
}
