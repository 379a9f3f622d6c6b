package rfb

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/gov86/gov86/display"
)

// Messages of the client.
const (
	setPixelFormat = 0
	setEncodings   = 2
	updateRequest  = 3
	keyEvent       = 4
	pointerEvent   = 5
	cutText        = 6
	qemuMessage    = 255
	qemuKeyEvent   = 0
)

// maxText bounds what a viewer may have cut, in bytes.
const maxText = 256 << 10

// A client is a viewer. One goroutine reads, another writes; what both use is
// under mu.
type client struct {
	server *Server
	conn   net.Conn
	in     *bufio.Reader
	kick   chan struct{}

	mu        sync.Mutex
	format    pixelFormat
	encodings map[int32]bool
	encoding  int32 // that of pixels, the first the client names
	wanted    bool  // it waits for an update
	whole     bool  // and wants it all, not what changed

	// The reader's.
	keys     []uint16 // held
	buttons  display.Buttons
	at       display.Position
	wheels   uint8
	text     string // cut
	paste    chan string
	symbols  map[uint32]uint16 // keys held, by symbol
	extended bool              // keys are told as scan codes

	// The writer's.
	width, height int
	shown         *display.Frame // what the client has
	out           []byte
	compressors
}

func newClient(s *Server, conn net.Conn) *client {
	return &client{server: s, conn: conn, in: bufio.NewReader(conn), kick: make(chan struct{}, 1), format: usual,
		encodings: map[int32]bool{}, paste: make(chan string, 1), symbols: map[uint32]uint16{}}
}

func (c *client) wake() {
	select {
	case c.kick <- struct{}{}:
	default:
	}
}

// serve serves the client until it goes, or ctx ends.
func (c *client) serve(ctx context.Context) {
	ctx, end := context.WithCancel(ctx)
	defer context.AfterFunc(ctx, func() { c.conn.Close() })()
	defer end()
	if c.handshake() != nil {
		return
	}
	var others sync.WaitGroup
	defer others.Wait()
	defer end()
	others.Go(func() {
		defer end()
		c.write(ctx)
	})
	others.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case text := <-c.paste:
				c.server.guest.Type(ctx, text)
			}
		}
	})
	defer c.release()
	for c.read() == nil {
	}
}

// release lets go what the client holds.
func (c *client) release() {
	var events []display.Event
	for _, k := range c.keys {
		events = append(events, display.Key{Usage: k})
	}
	if c.buttons != 0 {
		events = append(events, display.Buttons(0))
	}
	c.server.guest.Input(events...)
}

// take reads n bytes.
func (c *client) take(n int) ([]byte, error) {
	b := make([]byte, n)
	_, err := io.ReadFull(c.in, b)
	return b, err
}

// read obeys one message (RFC 6143, "Client-to-Server Messages").
func (c *client) read() error {
	kind, err := c.in.ReadByte()
	if err != nil {
		return err
	}
	size := map[byte]int{setPixelFormat: 19, setEncodings: 3, updateRequest: 9, keyEvent: 7, pointerEvent: 5, cutText: 7,
		qemuMessage: 11}[kind]
	if size == 0 {
		return fmt.Errorf("the viewer sent a message of type %d", kind)
	}
	b, err := c.take(size)
	if err != nil {
		return err
	}
	switch kind {
	case setPixelFormat:
		return c.setFormat(b[3:])
	case setEncodings:
		return c.setEncodings(int(binary.BigEndian.Uint16(b[1:])))
	case updateRequest:
		c.mu.Lock()
		c.wanted, c.whole = true, c.whole || b[0] == 0
		c.mu.Unlock()
		c.wake()
	case keyEvent:
		c.symbol(binary.BigEndian.Uint32(b[3:]), b[0] != 0)
	case pointerEvent:
		c.pointer(b[0], int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:])))
	case cutText:
		return c.cut(binary.BigEndian.Uint32(b[3:]))
	case qemuMessage:
		if b[0] != qemuKeyEvent {
			return fmt.Errorf("the viewer sent QEMU's message %d", b[0])
		}
		c.code(binary.BigEndian.Uint32(b[7:]), binary.BigEndian.Uint16(b[1:]) != 0)
	}
	return nil
}

func (c *client) setFormat(b []byte) error {
	f, err := parseFormat(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.format, c.whole = f, true
	return err
}

func (c *client) setEncodings(n int) error {
	b, err := c.take(4 * n)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.encodings, c.encoding = map[int32]bool{}, encodingRaw
	for i := range n {
		e := int32(binary.BigEndian.Uint32(b[4*i:]))
		if (e == encodingRaw || e == encodingZlib || e == encodingZRLE) && c.encoding == encodingRaw && !c.encodings[encodingRaw] {
			c.encoding = e
		}
		c.encodings[e] = true
	}
	return nil
}

// cut reads text the user has cut elsewhere. Viewers send it whenever there is
// some, so it is only kept: Ctrl-Alt-V types it.
func (c *client) cut(n uint32) error {
	if int32(n) < 0 { // the extended clipboard, which was not offered
		n = -n
	}
	if n > maxText {
		_, err := io.CopyN(io.Discard, c.in, int64(n))
		return err
	}
	b, err := c.take(int(n))
	text := make([]rune, 0, len(b)) // it is ISO 8859-1
	for _, x := range b {
		text = append(text, rune(x))
	}
	c.text = string(text)
	return err
}

// symbol is a key that is told as X's symbol.
func (c *client) symbol(sym uint32, down bool) {
	u, ok := c.symbols[sym]
	if !ok {
		if u, ok = display.KeyOfSymbol(sym); !ok {
			return
		}
	}
	delete(c.symbols, sym)
	if down {
		c.symbols[sym] = u
	}
	c.key(u, down)
}

// code is a key that is told as a scan code, as QEMU's extension has it.
func (c *client) code(code uint32, down bool) {
	if code > 0xff {
		code = code&0x7f | 0x80
	}
	if u, ok := display.KeyOfCode(uint8(code)); ok {
		c.key(u, down)
	}
}

const usageV = 0x19

// key presses a key, again if the client repeats it, or lets it go.
func (c *client) key(u uint16, down bool) {
	held := func(u uint16) bool { return slices.Contains(c.keys, u) }
	if down && u == usageV && held(display.LeftControl) && held(display.LeftAlt) {
		c.release()
		c.keys = nil
		select {
		case c.paste <- c.text:
		default: // there is text that is not typed yet
		}
		return
	}
	switch {
	case down == held(u):
		return
	case down:
		c.keys = append(c.keys, u)
	default:
		c.keys = slices.DeleteFunc(c.keys, func(k uint16) bool { return k == u })
	}
	c.server.guest.Input(display.Key{Usage: u, Down: down})
}

// pointerBits are the buttons by their bits in a PointerEvent; the others are
// the wheels.
var pointerBits = [8]display.Buttons{0: display.LeftButton, 1: display.MiddleButton, 2: display.RightButton, 7: display.FourthButton}

func (c *client) pointer(mask uint8, x, y int) {
	c.mu.Lock()
	width, height := c.width, c.height
	c.mu.Unlock()
	at := func(v, of int) uint16 { return uint16((2*min(v, of-1) + 1) * (display.PositionMax + 1) / (2 * of)) }
	var events []display.Event
	if p := (display.Position{X: at(x, width), Y: at(y, height)}); p != c.at {
		c.at = p
		events = append(events, p)
	}
	var held display.Buttons
	for i, b := range pointerBits {
		if mask>>i&1 != 0 {
			held |= b
		}
	}
	if held != c.buttons {
		c.buttons = held
		events = append(events, held)
	}
	for i, w := range []display.Wheel{{Up: 1}, {Up: -1}, {Right: -1}, {Right: 1}} {
		if (mask&^c.wheels)>>(3+i)&1 != 0 {
			events = append(events, w)
		}
	}
	c.wheels = mask
	c.server.guest.Input(events...)
}

// firstSize is the size of the screen once it is known.
func (s *Server) firstSize() (width, height int) {
	for deadline := time.Now().Add(time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		s.frames.RLock()
		known := s.frame != nil
		s.frames.RUnlock()
		if known {
			break
		}
	}
	return s.size()
}
