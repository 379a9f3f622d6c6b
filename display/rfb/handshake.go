package rfb

import (
	"crypto/des"
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"time"
)

// Security types (RFC 6143, "Security Types").
const (
	securityNone    = 1
	securityVNCAuth = 2
)

const (
	// handshakeTime is how long a client may take until it is let in.
	handshakeTime = 30 * time.Second
	// penalty is how long a wrong password takes.
	penalty = time.Second
)

var errPassword = errors.New("wrong password")

// handshake lets the client in, or not (RFC 6143, "Handshake Messages").
func (c *client) handshake() error {
	c.conn.SetDeadline(time.Now().Add(handshakeTime))
	defer c.conn.SetDeadline(time.Time{})
	if _, err := io.WriteString(c.conn, "RFB 003.008\n"); err != nil {
		return err
	}
	var version [12]byte
	if _, err := io.ReadFull(c.in, version[:]); err != nil {
		return err
	}
	var major, minor int
	if _, err := fmt.Sscanf(string(version[:]), "RFB %03d.%03d\n", &major, &minor); err != nil || major != 3 {
		return fmt.Errorf("a viewer of version %q", version)
	}
	if err := c.secure(minor); err != nil {
		return err
	}
	if _, err := c.in.ReadByte(); err != nil { // whether others may stay: they may
		return err
	}
	return c.introduce()
}

// secure agrees on a security type, and has the client prove that it knows the
// password. Versions before 3.7 are told the type, those before 3.8 no reasons.
func (c *client) secure(minor int) error {
	kind := byte(securityNone)
	if c.server.password != "" {
		kind = securityVNCAuth
	}
	if minor < 7 {
		if _, err := c.conn.Write([]byte{0, 0, 0, kind}); err != nil {
			return err
		}
	} else {
		if _, err := c.conn.Write([]byte{1, kind}); err != nil {
			return err
		}
		if chosen, err := c.in.ReadByte(); err != nil || chosen != kind {
			return errors.Join(fmt.Errorf("the viewer chose security type %d", chosen), err)
		}
	}
	if kind == securityNone {
		if minor < 8 {
			return nil
		}
		_, err := c.conn.Write([]byte{0, 0, 0, 0})
		return err
	}
	if err := c.authenticate(); err != nil {
		time.Sleep(penalty)
		refusal := []byte{0, 0, 0, 1}
		if minor >= 8 {
			reason := err.Error()
			refusal = append(binary.BigEndian.AppendUint32(refusal, uint32(len(reason))), reason...)
		}
		c.conn.Write(refusal)
		return err
	}
	_, err := c.conn.Write([]byte{0, 0, 0, 0})
	return err
}

// authenticate is VNC Authentication: the client encrypts what it is sent with
// DES, by a key that is the password with the bits of each byte reversed.
func (c *client) authenticate() error {
	var challenge, want, got [16]byte
	rand.Read(challenge[:])
	if _, err := c.conn.Write(challenge[:]); err != nil {
		return err
	}
	if _, err := io.ReadFull(c.in, got[:]); err != nil {
		return err
	}
	var key [8]byte
	copy(key[:], c.server.password)
	for i, b := range key {
		key[i] = bits.Reverse8(b)
	}
	cipher, err := des.NewCipher(key[:])
	if err != nil {
		return err
	}
	cipher.Encrypt(want[:8], challenge[:8])
	cipher.Encrypt(want[8:], challenge[8:])
	if subtle.ConstantTimeCompare(want[:], got[:]) != 1 {
		return errPassword
	}
	return nil
}

// introduce is ServerInit.
func (c *client) introduce() error {
	c.width, c.height = c.server.firstSize()
	c.format = usual
	b := binary.BigEndian.AppendUint16(nil, uint16(c.width))
	b = binary.BigEndian.AppendUint16(b, uint16(c.height))
	b = usual.append(b)
	b = binary.BigEndian.AppendUint32(b, uint32(len(c.server.name)))
	_, err := c.conn.Write(append(b, c.server.name...))
	return err
}
