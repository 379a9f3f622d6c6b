package ps2

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/gov86/gov86/hw"
)

// useSet selects a set of scan codes.
func (r *rig) useSet(n uint32) {
	r.write(kbdScanSet)
	r.write(n)
	r.drain()
}

func TestKeyboardCommands(t *testing.T) {
	for _, c := range []struct {
		name string
		send []uint32
		want []byte
	}{
		{"reset passes its test", []uint32{reset}, []byte{ack, testPassed}},
		{"identify", []uint32{kbdIdentify}, []byte{ack, 0xab, 0x83}},
		{"echo", []uint32{kbdEcho}, []byte{kbdEcho}},
		{"enable", []uint32{kbdEnable}, []byte{ack}},
		{"disable", []uint32{kbdDisable}, []byte{ack}},
		{"defaults", []uint32{kbdDefaults}, []byte{ack}},
		{"LEDs", []uint32{kbdLEDs, 7}, []byte{ack, ack}},
		{"typematic rate", []uint32{kbdTypematic, 0}, []byte{ack, ack}},
		{"typematic rate with bit 7 set", []uint32{kbdTypematic, 0x80}, []byte{ack, resend}},
		{"read the scan code set", []uint32{kbdScanSet, 0}, []byte{ack, ack, 2}},
		{"a scan code set that is none", []uint32{kbdScanSet, 4}, []byte{ack, resend}},
		{"a command in place of a parameter", []uint32{kbdLEDs, kbdIdentify}, []byte{ack, ack, 0xab, 0x83}},
		{"all keys make and break", []uint32{kbdAllReleases}, []byte{ack}},
		{"some keys make only", []uint32{kbdKeyMake, 0x1c, 0x32, kbdEnable}, []byte{ack, ack, ack, ack}},
		{"unknown", []uint32{0xef}, []byte{resend}},
		{"resend", []uint32{kbdEcho, resend}, []byte{kbdEcho, kbdEcho}},
	} {
		r := newTest().raw()
		var got []byte
		for _, v := range c.send {
			r.write(v)
			got = append(got, r.drain()...)
		}
		if !bytes.Equal(got, c.want) {
			t.Errorf("%s: % x, want % x", c.name, got, c.want)
		}
	}
}

func TestScanCodesOfEachSet(t *testing.T) {
	for _, c := range []struct {
		key        string
		usage      uint16
		set        uint32
		down, upTo []byte
	}{
		{"A", 0x04, 1, []byte{0x1e}, []byte{0x9e}},
		{"A", 0x04, 2, []byte{0x1c}, []byte{0xf0, 0x1c}},
		{"A", 0x04, 3, []byte{0x1c}, nil},
		{"Escape", 0x29, 1, []byte{0x01}, []byte{0x81}},
		{"Escape", 0x29, 3, []byte{0x08}, nil},
		{"F7", 0x40, 1, []byte{0x41}, []byte{0xc1}},
		{"F7", 0x40, 2, []byte{0x83}, []byte{0xf0, 0x83}},
		{"left Shift", usageLeftShift, 3, []byte{0x12}, []byte{0xf0, 0x12}},
		{"right Control", usageRightControl, 1, []byte{0xe0, 0x1d}, []byte{0xe0, 0x9d}},
		{"right Control", usageRightControl, 2, []byte{0xe0, 0x14}, []byte{0xe0, 0xf0, 0x14}},
		{"Up", 0x52, 1, []byte{0xe0, 0x48}, []byte{0xe0, 0xc8}},
		{"Delete", 0x4c, 1, []byte{0xe0, 0x53}, []byte{0xe0, 0xd3}},
		{"keypad Enter", 0x58, 2, []byte{0xe0, 0x5a}, []byte{0xe0, 0xf0, 0x5a}},
		{"Pause", usagePause, 1, []byte{0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5}, nil},
		{"Pause", usagePause, 2, []byte{0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77}, nil},
		{"Pause", usagePause, 3, []byte{0x62}, nil},
		{"Print Screen", usagePrintScreen, 1, []byte{0xe0, 0x2a, 0xe0, 0x37}, []byte{0xe0, 0xb7, 0xe0, 0xaa}},
		{"Print Screen", usagePrintScreen, 2, []byte{0xe0, 0x12, 0xe0, 0x7c}, []byte{0xe0, 0xf0, 0x7c, 0xe0, 0xf0, 0x12}},
		{"a key that set 3 lacks", 0x68, 3, nil, nil},
	} {
		r := newTest().raw()
		r.useSet(c.set)
		r.Key(c.usage, true)
		r.want(t, fmt.Sprintf("%s pressed in set %d", c.key, c.set), c.down...)
		r.Key(c.usage, false)
		r.want(t, fmt.Sprintf("%s released in set %d", c.key, c.set), c.upTo...)
	}
}

func TestModifiersChangePrintScreenAndPause(t *testing.T) {
	for _, c := range []struct {
		modifier, usage uint16
		want            []byte
	}{
		{usageLeftAlt, usagePrintScreen, []byte{0x84}},
		{usageRightControl, usagePrintScreen, []byte{0xe0, 0x7c}},
		{usageLeftShift, usagePrintScreen, []byte{0xe0, 0x7c}},
		{usageLeftControl, usagePause, []byte{0xe0, 0x7e, 0xe0, 0xf0, 0x7e}},
	} {
		r := newTest().raw()
		r.Key(c.modifier, true)
		r.drain()
		r.Key(c.usage, true)
		r.want(t, fmt.Sprintf("%#x with %#x", c.usage, c.modifier), c.want...)
	}
}

// Every key must come out of the controller as the keyboard's own set 1 says,
// and no two keys may share a code but the two that never sit on one keyboard.
func TestTheTranslationAgreesWithSet1AndKeysDiffer(t *testing.T) {
	seen := map[string]int{}
	for usage := range uint16(256) {
		if keys[usage].set2 == 0 {
			continue
		}
		translated, own := newTest(), newTest().raw()
		own.useSet(1)
		var codes [2][]byte
		for i, r := range []*rig{translated, own} {
			r.Key(usage, true)
			r.Key(usage, false)
			codes[i] = r.drain()
		}
		if !bytes.Equal(codes[0], codes[1]) {
			t.Errorf("usage %#x: translated % x, set 1 % x", usage, codes[0], codes[1])
		}
		if n := len(codes[1]); usage != usagePause && usage != usagePrintScreen && codes[1][n-1] != codes[1][n/2-1]|0x80 {
			t.Errorf("usage %#x: % x is not a make and a break code", usage, codes[1])
		}
		if other, dup := seen[string(codes[1])]; dup && usage != 0x32 {
			t.Errorf("usages %#x and %#x are both % x", usage, other, codes[1])
		}
		seen[string(codes[1])] = int(usage)
	}
}

func TestADisabledKeyboardDoesNotScan(t *testing.T) {
	r := newTest().raw()
	r.write(kbdDisable)
	r.drain()
	r.Key(0x04, true)
	r.want(t, "while disabled")
	r.write(kbdEnable)
	r.drain()
	r.Key(0x04, false)
	r.want(t, "after enabling", 0xf0, 0x1c)
}

func TestAHeldKeyRepeatsAtTheTypematicRate(t *testing.T) {
	r := newTest().raw()
	r.write(kbdTypematic)
	r.write(0x20) // 500 ms, 30 a second
	r.drain()
	r.Key(0x04, true)
	r.want(t, "at once", 0x1c)
	r.clock.Advance(490 * hw.Millisecond)
	if r.has(statusOutputFull) {
		t.Error("repeats before its delay")
	}
	n := 0
	for range 1010 {
		r.clock.Advance(hw.Millisecond)
		if r.has(statusOutputFull) {
			n++
			r.read()
		}
	}
	if n < 29 || n > 31 {
		t.Errorf("%d repeats in a second, want 30", n)
	}
	r.Key(0x04, false)
	r.drain()
	r.clock.Advance(hw.Second)
	r.want(t, "after release")
}

func TestHoldingAKeyDoesNotOverrunAGuestThatSleeps(t *testing.T) {
	r := newTest().raw()
	r.Key(0x04, true)
	r.clock.Advance(10 * hw.Second)
	r.Key(0x04, false)
	got := r.drain()
	if n := len(got); n < 3 || n > 4 || !bytes.HasSuffix(got, []byte{0xf0, 0x1c}) {
		t.Errorf("% x, want the key, at most once more, and its release", got)
	}
}

func TestTheLastKeyPressedRepeats(t *testing.T) {
	r := newTest().raw()
	r.Key(0x04, true)
	r.Key(0x05, true)
	r.drain()
	r.clock.Advance(700 * hw.Millisecond)
	if got := r.read(); got != 0x32 {
		t.Errorf("%#x repeats, want 0x32", got)
	}
}

func TestAFullBufferEndsInAnOverrunCode(t *testing.T) {
	for set, overrun := range map[uint32]byte{1: 0xff, 2: 0} {
		r := newTest().raw()
		r.useSet(set)
		r.command(disableKbd)
		for usage := uint16(4); usage < 4+20; usage++ {
			r.Key(usage, true)
		}
		r.command(enableKbd)
		got := r.drain()
		if len(got) != bufferSize+1 || got[bufferSize] != overrun || bytes.IndexByte(got, overrun) != bufferSize {
			t.Errorf("set %d: % x, want 16 codes and an overrun", set, got)
		}
	}
}

func TestKeysOfSet3CanBeToldWhatToSend(t *testing.T) {
	r := newTest().raw()
	r.useSet(3)
	r.write(kbdKeyReleases)
	r.write(0x1c)
	r.write(kbdEnable)
	r.drain()
	r.Key(0x04, true)
	r.Key(0x04, false)
	r.Key(0x05, true)
	r.Key(0x05, false)
	r.want(t, "A releases, B does not", 0x1c, 0xf0, 0x1c, 0x32)
}

func TestLEDsAreShownToTheHost(t *testing.T) {
	r := newTest()
	r.write(kbdLEDs)
	r.write(2)
	if got := r.LEDs(); got != 2 {
		t.Errorf("LEDs %#x, want Num Lock", got)
	}
}
