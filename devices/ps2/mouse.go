package ps2

import (
	"fmt"

	"github.com/gov86/gov86/hw"
	"github.com/gov86/gov86/snapshot"
)

// Commands to the mouse, besides those it shares with the keyboard.
const (
	mouseScaling1   = 0xe6
	mouseScaling2   = 0xe7
	mouseResolution = 0xe8
	mouseStatus     = 0xe9
	mouseStream     = 0xea
	mouseRead       = 0xeb
	mouseUnwrap     = 0xec
	mouseWrap       = 0xee
	mouseRemote     = 0xf0
	mouseID         = 0xf2
	mouseRate       = 0xf3
	mouseEnable     = 0xf4
	mouseDisable    = 0xf5
	mouseDefaults   = 0xf6
)

// mouseError answers a byte that is wrong where the one before it was, too.
const mouseError = 0xfc

// What kind of mouse it says it is. It becomes another one when sample rates
// are set in an order no driver would have reason to.
const (
	standard    = 0
	wheel       = 3
	fiveButtons = 4
)

// farthest bounds movement that nobody has asked for yet.
const farthest = 1 << 15

// mouse is the PS/2 mouse, with the wheel and the buttons of its successors.
type mouse struct {
	id                              uint8
	reporting, remote, wrap, double bool
	rate, resolution                uint8
	rates                           [2]uint8 // set before this one
	expecting                       uint8    // the command whose parameter comes next
	refused                         bool     // the last byte was wrong
	last                            uint8    // what was sent last
	replies, packets                queue
	// Movement since the last packet: right, up, and the wheel towards the user.
	x, y, z           int32
	buttons, reported uint8
	sampleAt          uint64 // guest time from which movement can be reported
}

func (m *mouse) sync(c *snapshot.Codec) {
	c.Uint8("mouse id", &m.id)
	c.Bool("mouse reporting", &m.reporting)
	c.Bool("mouse remote", &m.remote)
	c.Bool("mouse wrap", &m.wrap)
	c.Bool("mouse double", &m.double)
	c.Uint8("mouse rate", &m.rate)
	c.Uint8("mouse resolution", &m.resolution)
	c.Uint8s("mouse rates", m.rates[:])
	c.Uint8("mouse expecting", &m.expecting)
	c.Bool("mouse refused", &m.refused)
	c.Uint8("mouse last", &m.last)
	m.replies.sync("mouse replies", c)
	m.packets.sync("mouse packets", c)
	for _, v := range []*int32{&m.x, &m.y, &m.z} {
		u := uint32(*v)
		c.Uint32("mouse movement", &u)
		*v = int32(u)
	}
	c.Uint8("mouse buttons", &m.buttons)
	c.Uint8("mouse reported", &m.reported)
	c.Uint64("mouse sampleAt", &m.sampleAt)
}

func (m *mouse) validate() error {
	switch {
	case m.id != standard && m.id != wheel && m.id != fiveButtons, !validRate(m.rate), m.resolution > 3:
		return fmt.Errorf("ID %d, rate %d, resolution %d: %w", m.id, m.rate, m.resolution, snapshot.ErrCorrupt)
	case m.expecting != 0 && m.expecting != mouseResolution && m.expecting != mouseRate:
		return fmt.Errorf("parameter of command %#x: %w", m.expecting, snapshot.ErrCorrupt)
	case m.buttons > 31 || m.reported > 31:
		return fmt.Errorf("buttons %#x and %#x: %w", m.buttons, m.reported, snapshot.ErrCorrupt)
	}
	for _, v := range []int32{m.x, m.y, m.z} {
		if v > farthest || v < -farthest {
			return fmt.Errorf("movement by %d: %w", v, snapshot.ErrCorrupt)
		}
	}
	if err := m.replies.validate(); err != nil {
		return err
	}
	return m.packets.validate()
}

// reset is what power-on does. Buttons that are held stay so.
func (m *mouse) reset() {
	*m = mouse{buttons: m.buttons}
	m.setDefaults()
}

func (m *mouse) setDefaults() {
	m.reporting, m.remote, m.double = false, false, false
	m.rate, m.resolution = 100, 2
	m.forget()
}

// forget clears the movement counters.
func (m *mouse) forget() { m.x, m.y, m.z = 0, 0, 0 }

// move follows the mouse.
func (m *mouse) move(dx, dy, wheel int, buttons uint8) {
	add := func(to *int32, by int) {
		by = min(max(by, -farthest), farthest)
		*to = int32(min(max(int(*to)+by, -farthest), farthest))
	}
	add(&m.x, dx)
	add(&m.y, -min(max(dy, -farthest), farthest))
	add(&m.z, -min(max(wheel, -farthest), farthest))
	m.buttons = buttons & 31
}

// shown are the buttons that this kind of mouse has.
func (m *mouse) shown() uint8 {
	if m.id == fiveButtons {
		return m.buttons
	}
	return m.buttons & 7
}

func (m *mouse) streaming() bool { return m.reporting && !m.remote && !m.wrap && m.expecting == 0 }

// moved reports whether there is movement to report at the next sample. It
// adds up while the last packet is still here.
func (m *mouse) moved() bool {
	return m.streaming() && m.packets.n == 0 && (m.x != 0 || m.y != 0 || m.z != 0 && m.id != standard)
}

// due is the guest time of the next sample, 0 for none.
func (m *mouse) due() uint64 {
	if !m.moved() {
		return 0
	}
	return max(m.sampleAt, 1)
}

// tick samples. A button is reported at once, so that a short click is not lost.
func (m *mouse) tick(now hw.Time) {
	clicked := m.streaming() && m.shown() != m.reported && m.packets.room() >= 4
	if !clicked && (!m.moved() || uint64(now) < m.due()) {
		return
	}
	var room [4]uint8
	m.packets.put(m.packet(room[:0], m.double)...)
	m.sampleAt = uint64(now + hw.Second/hw.Time(m.rate))
}

// nudge reports what there is, unless a report is on its way.
func (m *mouse) nudge() {
	if m.streaming() && m.packets.n == 0 {
		var room [4]uint8
		m.packets.put(m.packet(room[:0], m.double)...)
	}
}

// packet appends a report of what has happened since the last one. What does
// not fit remains for the next.
func (m *mouse) packet(to []uint8, double bool) []uint8 {
	far := int32(255)
	if double {
		far = 127
	}
	part := func(v *int32, low, high int32) int32 {
		n := min(max(*v, low), high)
		*v -= n
		return n
	}
	x, y := part(&m.x, -far, far), part(&m.y, -far, far)
	if double {
		x, y = doubled(x), doubled(y)
	}
	m.reported = m.shown()
	first := m.reported&7 | 1<<3
	if x < 0 {
		first |= 1 << 4
	}
	if y < 0 {
		first |= 1 << 5
	}
	to = append(to, first, uint8(x), uint8(y))
	switch m.id {
	case wheel:
		to = append(to, uint8(part(&m.z, -8, 7)))
	case fiveButtons:
		to = append(to, uint8(part(&m.z, -8, 7))&15|m.reported>>3<<4)
	default:
		m.z = 0
	}
	return to
}

// doubled is 2:1 scaling.
func doubled(v int32) int32 {
	small := [...]int32{0, 1, 1, 3, 6, 9}
	switch {
	case v < 0:
		return -doubled(-v)
	case int(v) < len(small):
		return small[v]
	}
	return 2 * v
}

func (m *mouse) sending() bool { return m.replies.n > 0 || m.packets.n > 0 }

func (m *mouse) take() uint8 {
	q := &m.packets
	if m.replies.n > 0 {
		q = &m.replies
	}
	m.last = q.take()
	return m.last
}

// write is a byte from the system. It ends what was being sent.
func (m *mouse) write(b uint8) {
	m.replies.n, m.packets.n = 0, 0
	command, again := m.expecting, m.refused
	m.expecting, m.refused = 0, false
	switch {
	case m.wrap && b != mouseUnwrap && b != reset:
		m.replies.put(b)
	case command != 0:
		m.parameter(command, b, again)
	default:
		m.command(b, again)
	}
}

// refuse asks for a byte again that is wrong. With the second in a row, which
// again says, the mouse gives up the command; drivers that look for what other
// makers' mice know count on that.
func (m *mouse) refuse(command uint8, again bool) {
	if again {
		m.replies.put(mouseError)
		return
	}
	m.expecting, m.refused = command, true
	m.replies.put(resend)
}

func (m *mouse) command(b uint8, again bool) {
	switch b {
	case mouseScaling1, mouseScaling2:
		m.double = b == mouseScaling2
	case mouseResolution, mouseRate:
		m.expecting = b
	case mouseStatus:
		m.replies.put(ack, m.status(), m.resolution, m.rate)
		return
	case mouseStream, mouseRemote:
		m.remote = b == mouseRemote
		m.forget()
	case mouseRead:
		var room [5]uint8
		m.replies.put(m.packet(append(room[:0], ack), false)...)
		return
	case mouseWrap, mouseUnwrap:
		m.wrap = b == mouseWrap
	case mouseID:
		m.replies.put(ack, m.id)
		return
	case mouseEnable, mouseDisable:
		m.reporting = b == mouseEnable
		m.forget()
		m.reported = m.shown()
	case mouseDefaults:
		m.setDefaults()
	case resend:
		m.replies.put(m.last)
		return
	case reset:
		m.reset()
		m.replies.put(ack, testPassed, m.id)
		return
	default:
		m.refuse(0, again)
		return
	}
	m.replies.put(ack)
}

func (m *mouse) status() uint8 {
	v := m.buttons>>1&1 | m.buttons>>2&1<<1 | m.buttons&1<<2
	if m.double {
		v |= 1 << 4
	}
	if m.reporting {
		v |= 1 << 5
	}
	if m.remote {
		v |= 1 << 6
	}
	return v
}

func validRate(v uint8) bool {
	switch v {
	case 10, 20, 40, 60, 80, 100, 200:
		return true
	}
	return false
}

// parameter is the byte after a command.
func (m *mouse) parameter(command, b uint8, again bool) {
	switch {
	case command == mouseResolution && b <= 3:
		m.resolution = b
	case command == mouseRate && validRate(b):
		m.rate = b
		switch {
		case b == 80 && m.rates == [2]uint8{200, 100}:
			m.id = wheel
		case b == 80 && m.rates == [2]uint8{200, 200}:
			m.id = fiveButtons
		}
		m.rates = [2]uint8{m.rates[1], b}
	default:
		m.refuse(command, again)
		return
	}
	m.replies.put(ack)
}
