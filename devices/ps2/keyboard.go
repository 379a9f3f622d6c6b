package ps2

import (
	"fmt"

	"github.com/gov86/gov86/hw"
	"github.com/gov86/gov86/snapshot"
)

// Commands to the keyboard.
const (
	kbdLEDs        = 0xed
	kbdEcho        = 0xee
	kbdScanSet     = 0xf0
	kbdIdentify    = 0xf2
	kbdTypematic   = 0xf3
	kbdEnable      = 0xf4
	kbdDisable     = 0xf5
	kbdDefaults    = 0xf6
	kbdAllRepeat   = 0xf7 // F7h to FAh: all keys of set 3
	kbdAllReleases = 0xf8
	kbdAllMake     = 0xf9
	kbdAllBoth     = 0xfa
	kbdKeyRepeat   = 0xfb // FBh to FDh: the keys that follow
	kbdKeyReleases = 0xfc
	kbdKeyMake     = 0xfd
	resend         = 0xfe
	reset          = 0xff
)

// What devices answer.
const (
	ack        = 0xfa
	testPassed = 0xaa
	kbdID0     = 0xab
	kbdID1     = 0x83
)

// defaultTypematic is a delay of 500 ms and 10.9 characters a second.
const defaultTypematic = 0x2b

// What a key of set 3 does besides sending its make code.
const (
	repeats  = 1 << 0
	releases = 1 << 1
)

// keyboard is the 101-key keyboard.
type keyboard struct {
	set             uint8 // of scan codes, 1 to 3
	leds, typematic uint8
	scanning        bool
	expecting       uint8 // the command whose parameter comes next
	last            uint8 // what was sent last
	replies, codes  queue
	down            [4]uint64  // keys held, by usage
	kinds           [256]uint8 // of the keys of set 3, by their code
	repeating       uint8      // the last key pressed, by usage
	repeatAt        uint64     // guest time of its next make code, 0 for never
}

func (k *keyboard) sync(c *snapshot.Codec) {
	c.Uint8("keyboard set", &k.set)
	c.Uint8("keyboard leds", &k.leds)
	c.Uint8("keyboard typematic", &k.typematic)
	c.Bool("keyboard scanning", &k.scanning)
	c.Uint8("keyboard expecting", &k.expecting)
	c.Uint8("keyboard last", &k.last)
	k.replies.sync("keyboard replies", c)
	k.codes.sync("keyboard codes", c)
	c.Uint64s("keyboard down", k.down[:])
	c.Uint8s("keyboard kinds", k.kinds[:])
	c.Uint8("keyboard repeating", &k.repeating)
	c.Uint64("keyboard repeatAt", &k.repeatAt)
}

func (k *keyboard) validate() error {
	if k.set < 1 || k.set > 3 || k.typematic > 0x7f {
		return fmt.Errorf("scan code set %d, typematic %#x: %w", k.set, k.typematic, snapshot.ErrCorrupt)
	}
	switch k.expecting {
	case 0, kbdLEDs, kbdScanSet, kbdTypematic, kbdKeyRepeat, kbdKeyReleases, kbdKeyMake:
	default:
		return fmt.Errorf("parameter of command %#x: %w", k.expecting, snapshot.ErrCorrupt)
	}
	if err := k.replies.validate(); err != nil {
		return err
	}
	return k.codes.validate()
}

// reset is what power-on does. Keys that are held stay so.
func (k *keyboard) reset() {
	*k = keyboard{down: k.down}
	k.setDefaults()
	k.scanning = true
}

func (k *keyboard) setDefaults() {
	k.set, k.typematic, k.repeatAt = 2, defaultTypematic, 0
	k.codes.n = 0
	k.kinds = defaultKinds
}

func (k *keyboard) held(usage uint8) bool { return k.down[usage>>6]>>(usage&63)&1 != 0 }

// key follows a key.
func (k *keyboard) key(usage uint8, down bool, now hw.Time) {
	if keys[usage].set2 == 0 || k.held(usage) == down {
		return
	}
	k.down[usage>>6] ^= 1 << (usage & 63)
	if !k.scanning {
		return
	}
	k.send(usage, down)
	switch {
	case down && k.doesRepeat(usage):
		k.repeating = usage
		delay := hw.Time(k.typematic>>5&3+1) * 250 * hw.Millisecond
		k.repeatAt = uint64(now + delay)
	case down, usage == k.repeating:
		k.repeatAt = 0
	}
}

func (k *keyboard) doesRepeat(usage uint8) bool {
	if k.set == 3 {
		return k.kinds[keys[usage].set3]&repeats != 0
	}
	return usage != usagePause
}

// tick repeats the key that is held. It does not fill the buffer: what would
// wait there is a real keyboard's overrun, of use to nobody.
func (k *keyboard) tick(now hw.Time) {
	if k.repeatAt == 0 || uint64(now) < k.repeatAt {
		return
	}
	if k.codes.n == 0 {
		k.send(k.repeating, true)
	}
	// (8+A) << B 240ths of a second, where A is bits 2 to 0 and B bits 4 and 3.
	period := hw.Time(8+k.typematic&7) << (k.typematic >> 3 & 3) * hw.Second / 240
	k.repeatAt = uint64(now + period)
}

// send buffers the scan codes of a key, all of them or an overrun.
func (k *keyboard) send(usage uint8, down bool) {
	var room [8]uint8
	codes := k.encode(room[:0], usage, down)
	if !k.codes.put(codes...) {
		overrun := uint8(0)
		if k.set == 1 {
			overrun = 0xff
		}
		k.codes.overrun(overrun)
	}
}

// encode appends the scan codes of a key.
func (k *keyboard) encode(to []uint8, usage uint8, down bool) []uint8 {
	if k.set == 3 {
		code := keys[usage].set3
		switch {
		case code == 0:
			return to // the key is younger than the set
		case down:
			return append(to, code)
		case k.kinds[code]&releases != 0:
			return append(to, 0xf0, code)
		}
		return to
	}
	to = k.encode2(to, usage, down)
	if k.set == 2 {
		return to
	}
	translated, released := to[:0], false
	for _, b := range to {
		if b, ok := toSet1(b, &released); ok {
			translated = append(translated, b)
		}
	}
	return translated
}

// encode2 is encode for set 2.
func (k *keyboard) encode2(to []uint8, usage uint8, down bool) []uint8 {
	control := k.held(usageLeftControl) || k.held(usageRightControl)
	shift := k.held(usageLeftShift) || k.held(usageRightShift)
	code := keys[usage].set2
	switch {
	case usage == usagePause && !down:
		return to // it has no break code
	case usage == usagePause && control:
		return append(to, 0xe0, 0x7e, 0xe0, 0xf0, 0x7e)
	case usage == usagePause:
		return append(to, 0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77)
	case usage == usagePrintScreen && (k.held(usageLeftAlt) || k.held(usageRightAlt)):
		code = 0x84
	case usage == usagePrintScreen && !control && !shift && down:
		return append(to, 0xe0, 0x12, 0xe0, 0x7c)
	case usage == usagePrintScreen && !control && !shift:
		return append(to, 0xe0, 0xf0, 0x7c, 0xe0, 0xf0, 0x12)
	}
	if code&extended != 0 {
		to = append(to, 0xe0)
	}
	if !down {
		to = append(to, 0xf0)
	}
	return append(to, uint8(code))
}

// toSet1 turns a byte of set 2 into one of set 1; F0h makes the next a release.
func toSet1(b uint8, released *bool) (uint8, bool) {
	if b == 0xf0 {
		*released = true
		return 0, false
	}
	v := set1[b]
	if *released {
		v |= 0x80
	}
	*released = false
	return v, true
}

// sending reports whether there is a byte to take. While a parameter is
// awaited the keyboard does not scan.
func (k *keyboard) sending() bool { return k.replies.n > 0 || k.codes.n > 0 && k.expecting == 0 }

func (k *keyboard) take() uint8 {
	q := &k.codes
	if k.replies.n > 0 {
		q = &k.replies
	}
	k.last = q.take()
	return k.last
}

// write is a byte from the system. A command in place of a parameter is obeyed.
func (k *keyboard) write(b uint8) {
	k.replies.n = 0
	if k.expecting != 0 && b < kbdLEDs {
		k.parameter(b)
		return
	}
	k.expecting = 0
	switch b {
	case kbdLEDs, kbdScanSet, kbdTypematic:
		k.expecting = b
	case kbdKeyRepeat, kbdKeyReleases, kbdKeyMake:
		k.expecting = b
		k.codes.n = 0
	case kbdEcho:
		k.replies.put(kbdEcho)
		return
	case kbdIdentify:
		k.replies.put(ack, kbdID0, kbdID1)
		return
	case kbdEnable:
		k.codes.n = 0
		k.scanning = true
	case kbdDisable, kbdDefaults:
		k.setDefaults()
		k.scanning = b == kbdDefaults
	case kbdAllRepeat, kbdAllReleases, kbdAllMake, kbdAllBoth:
		for i := range k.kinds {
			k.kinds[i] = kindOf(b - kbdAllRepeat)
		}
	case resend:
		k.replies.put(k.last)
		return
	case reset:
		k.reset()
		k.replies.put(ack, testPassed)
		return
	default:
		k.replies.put(resend)
		return
	}
	k.replies.put(ack)
}

// kindOf is what the n-th of the commands F7h and FBh on make of a key.
func kindOf(n uint8) uint8 { return [...]uint8{repeats, releases, 0, repeats | releases}[n] }

// parameter is the byte after a command.
func (k *keyboard) parameter(b uint8) {
	command := k.expecting
	k.expecting = 0
	switch {
	case command == kbdLEDs:
		k.leds = b & 7
	case command == kbdScanSet && b == 0:
		k.replies.put(ack, k.set)
		return
	case command == kbdScanSet && b <= 3:
		k.set, k.repeatAt = b, 0
		k.codes.n = 0
	case command == kbdTypematic && b < 0x80:
		k.typematic = b
	case command >= kbdKeyRepeat:
		k.expecting = command // there may be more keys
		k.kinds[b] = kindOf(command - kbdKeyRepeat)
	default:
		k.expecting = command
		k.replies.put(resend)
		return
	}
	k.replies.put(ack)
}
