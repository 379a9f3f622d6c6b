package ps2

import (
	"bytes"
	"testing"

	"github.com/gov86/gov86/hw"
)

// sendMouse sends bytes to the mouse, waiting for each answer, which it returns.
func (r *rig) sendMouse(p ...uint32) []byte {
	var got []byte
	for _, v := range p {
		r.toMouse(v)
		got = append(got, r.drain()...)
	}
	return got
}

func TestMouseCommands(t *testing.T) {
	for _, c := range []struct {
		name string
		send []uint32
		want []byte
	}{
		{"reset passes its test and says what it is", []uint32{reset}, []byte{ack, testPassed, 0}},
		{"identify", []uint32{mouseID}, []byte{ack, 0}},
		{"status after reset", []uint32{mouseStatus}, []byte{ack, 0, 2, 100}},
		{"status shows what was set", []uint32{mouseScaling2, mouseResolution, 3, mouseRate, 200, mouseEnable, mouseStatus},
			[]byte{ack, ack, ack, ack, ack, ack, ack, 0x30, 3, 200}},
		{"defaults", []uint32{mouseScaling2, mouseRate, 200, mouseDefaults, mouseStatus},
			[]byte{ack, ack, ack, ack, ack, 0, 2, 100}},
		{"a sample rate that is none", []uint32{mouseRate, 55}, []byte{ack, resend}},
		{"a resolution that is none", []uint32{mouseResolution, 4}, []byte{ack, resend}},
		{"the wheel, by 200, 100, 80", []uint32{mouseRate, 200, mouseRate, 100, mouseRate, 80, mouseID},
			[]byte{ack, ack, ack, ack, ack, ack, ack, 3}},
		{"five buttons, by 200, 200, 80", []uint32{mouseRate, 200, mouseRate, 200, mouseRate, 80, mouseID},
			[]byte{ack, ack, ack, ack, ack, ack, ack, 4}},
		{"wrap mode returns what it is sent", []uint32{mouseWrap, mouseID, 0x12, mouseUnwrap, mouseID},
			[]byte{ack, mouseID, 0x12, ack, ack, 0}},
		{"remote mode", []uint32{mouseRemote, mouseStatus}, []byte{ack, ack, 0x40, 2, 100}},
		{"resend", []uint32{mouseID, resend}, []byte{ack, 0, 0}},
		{"a sample rate after one that is none", []uint32{mouseRate, 55, 200, mouseStatus}, []byte{ack, resend, ack, ack, 0, 2, 200}},
		{"a command after two sample rates that are none", []uint32{mouseRate, 0x66, 0x88, mouseEnable, mouseStatus},
			[]byte{ack, resend, mouseError, ack, ack, 0x20, 2, 100}},
		{"unknown", []uint32{0xe1}, []byte{resend}},
		{"unknown twice, and what is known", []uint32{0xe1, 0xe1, mouseID}, []byte{resend, mouseError, ack, 0}},
	} {
		r := newTest()
		if got := r.sendMouse(c.send...); !bytes.Equal(got, c.want) {
			t.Errorf("%s: % x, want % x", c.name, got, c.want)
		}
	}
}

func TestPackets(t *testing.T) {
	knock := func(second uint32) []uint32 { return []uint32{mouseRate, 200, mouseRate, second, mouseRate, 80} }
	for _, c := range []struct {
		name          string
		setup         []uint32
		dx, dy, wheel int
		buttons       uint8
		want          []byte
	}{
		{"right and down", nil, 5, 3, 0, 0, []byte{0x28, 5, 0xfd}},
		{"left and up", nil, -5, -3, 0, 0, []byte{0x18, 0xfb, 3}},
		{"buttons", nil, 0, 0, 0, 7, []byte{0x0f, 0, 0}},
		{"2:1 scaling", []uint32{mouseScaling2}, 3, -7, 0, 0, []byte{0x08, 3, 14}},
		{"farther than a packet says", nil, 300, 0, 0, 0, []byte{0x08, 255, 0, 0x08, 45, 0}},
		{"wheel away from the user", knock(100), 0, 0, 1, 0, []byte{0x08, 0, 0, 0xff}},
		{"wheel, five buttons", knock(200), 0, 0, -1, 0x10, []byte{0x08, 0, 0, 0x21}},
		{"a wheel that it does not have", nil, 0, 0, 1, 0, nil},
		{"a button that it does not have", nil, 0, 0, 0, 0x10, nil},
	} {
		r := newTest()
		r.sendMouse(append(c.setup, mouseEnable)...)
		r.Mouse(c.dx, c.dy, c.wheel, c.buttons)
		var got []byte
		for range 4 {
			got = append(got, r.drain()...)
			r.clock.Advance(10 * hw.Millisecond)
		}
		if !bytes.Equal(got, c.want) {
			t.Errorf("%s: % x, want % x", c.name, got, c.want)
		}
	}
}

func TestMovementIsReportedAtTheSampleRate(t *testing.T) {
	r := newTest()
	r.sendMouse(mouseRate, 40, mouseEnable)
	packets, sum := 0, 0
	for range 1000 {
		r.Mouse(1, 0, 0, 0)
		for i := range 3 {
			if r.has(statusOutputFull) {
				if b := r.read(); i == 1 {
					packets, sum = packets+1, sum+int(b)
				}
				r.clock.Advance(byteTime)
			}
		}
		r.clock.Advance(hw.Millisecond)
	}
	if packets < 38 || packets > 44 {
		t.Errorf("%d packets in about a second at a rate of 40", packets)
	}
	if sum < 1000-30 {
		t.Errorf("movement by %d reported, want about 1000", sum)
	}
}

func TestNothingIsReportedUntilEnabled(t *testing.T) {
	r := newTest()
	r.command(enableAux)
	r.Mouse(5, 5, 0, 1)
	r.want(t, "before enabling")
	r.sendMouse(mouseEnable)
	r.want(t, "what happened before")
}

func TestAShortClickIsNotLost(t *testing.T) {
	r := newTest()
	r.sendMouse(mouseEnable)
	r.Mouse(0, 0, 0, 1)
	r.Mouse(0, 0, 0, 0)
	r.want(t, "click", 0x09, 0, 0, 0x08, 0, 0)
}

func TestAGuestThatDoesNotReadGetsWhatAddedUp(t *testing.T) {
	r := newTest()
	r.sendMouse(mouseEnable)
	for range 1000 {
		r.Mouse(1, 0, 0, 0)
		r.clock.Advance(hw.Millisecond)
	}
	n, sum := 0, 0
	for range 20 {
		for p := r.drain(); len(p) >= 3; p = p[3:] {
			n, sum = n+1, sum+int(p[1])
		}
		r.clock.Advance(10 * hw.Millisecond)
	}
	if n > 6 || sum != 1000 {
		t.Errorf("%d packets, movement by %d; want 1000 in a few", n, sum)
	}
}

func TestRemoteModeReportsWhenRead(t *testing.T) {
	r := newTest()
	r.sendMouse(mouseRemote)
	r.Mouse(2, 0, 0, 1)
	r.want(t, "unasked")
	if got := r.sendMouse(mouseRead); !bytes.Equal(got, []byte{ack, 0x09, 2, 0}) {
		t.Errorf("read data: % x", got)
	}
}

func TestExtremeMovementSaturates(t *testing.T) {
	r := newTest()
	r.sendMouse(mouseEnable)
	const most = int(^uint(0) >> 1)
	for range 3 {
		r.Mouse(most, -most-1, most, 0)
	}
	if r.mouse.x > farthest || r.mouse.y > farthest || r.mouse.x < 0 || r.mouse.y < 0 {
		t.Errorf("movement by %d, %d", r.mouse.x, r.mouse.y)
	}
}

func TestANudgedMouseReportsOnce(t *testing.T) {
	r := newTest().raw()
	r.Nudge()
	r.want(t, "nudged while it does not report")
	r.toMouse(mouseEnable)
	r.drain()
	r.Nudge()
	r.Nudge()
	r.want(t, "nudged", 0x08, 0, 0)
}

func TestTheKeyboardIsIdleWhenAllIsRead(t *testing.T) {
	r := newTest().raw()
	r.Key(0x04, true)
	if r.Idle() {
		t.Error("idle with a scan code to be read")
	}
	r.drain()
	if !r.Idle() {
		t.Error("not idle after all was read")
	}
}
