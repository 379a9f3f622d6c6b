package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/gov86/gov86/machine"
)

// embeddedFirmware is what --bios calls the firmware inside gov86.
const embeddedFirmware = "seabios"

// firmwareFlags is what the flags say of firmware.
type firmwareFlags struct {
	bios, vgaBIOS string // files
	boot          bootFlag
}

func addFirmwareFlags(f *pflag.FlagSet, s *firmwareFlags) {
	f.StringVar(&s.bios, "bios", "",
		"begin with the firmware in `FILE`, an image of the whole ROM, or with the embedded one: seabios")
	f.StringVar(&s.vgaBIOS, "vgabios", "", "with firmware, have the option ROM in `FILE` on the graphics card")
	f.Var(&s.boot, "boot",
		"tell the firmware how to boot: order=LETTERS, a floppy disk, c hard disk, d CD-ROM, n network;\n"+
			"menu=on; splash-time=MS for the menu; reboot-timeout=MS to try again when there is nothing")
}

// asked reports whether a flag asks for firmware.
func (s *firmwareFlags) asked() bool { return s.bios != "" || s.vgaBIOS != "" || s.boot.text != "" }

// firmware reports whether the machine begins with its firmware: if a flag asks
// for that, or if there is something to boot besides a kernel.
func (s *settings) firmware() bool {
	return s.kernel == "" && (s.asked() || len(s.disks)+len(s.cdroms) > 0 || s.floppies != [2]string{})
}

// embedded reports whether the guest is the embedded one.
func (s *settings) embedded() bool { return s.kernel == "" && !s.firmware() }

// validateFirmware reports flags that do not go with firmware, or that nobody
// would heed without it.
func (s *settings) validateFirmware() error {
	switch {
	case s.kernel != "" && s.asked():
		return failure{"--kernel", "a kernel is entered without firmware, which --bios, --vgabios and --boot are about",
			"give the one or the others"}
	case s.firmware() && s.initrd != "":
		return failure{"--initrd", "firmware has no use for an initial RAM disk", "give --kernel too"}
	case s.firmware() && s.commandLineSet:
		return failure{"--append", "firmware has no use for a command line", "give --kernel too"}
	}
	return nil
}

// loadFirmware reads what the machine begins with.
func (x *session) loadFirmware(cfg *machine.Config) (err error) {
	cfg.Boot = x.boot.Boot
	cfg.SerialConsole = x.face == nil
	cfg.BootFailEnds = x.tty == nil && x.face == nil && x.control == "" && cfg.Boot.RetryAfter == 0
	if x.bios != "" && x.bios != embeddedFirmware {
		if cfg.Firmware, err = x.readImage(x.bios); err != nil {
			return err
		}
	}
	if x.vgaBIOS != "" {
		cfg.VGABIOS, err = x.readImage(x.vgaBIOS)
	}
	return err
}

// A bootFlag is --boot, in the words of QEMU's -boot.
type bootFlag struct {
	machine.Boot
	text string
}

// String implements pflag.Value.
func (b *bootFlag) String() string { return b.text }

// Type implements pflag.Value.
func (b *bootFlag) Type() string { return "OPTIONS" }

// Set implements pflag.Value.
func (b *bootFlag) Set(v string) error {
	next := bootFlag{text: v}
	for i, word := range strings.Split(v, ",") {
		key, value, some := strings.Cut(word, "=")
		if !some && i == 0 {
			key, value = "order", word // as QEMU has it
		}
		if err := next.option(key, value); err != nil {
			return err
		}
	}
	*b = next
	return nil
}

func (b *bootFlag) option(key, value string) (err error) {
	switch {
	case key == "order":
		if strings.Trim(value, "abcdn") != "" || value == "" {
			return failure{"--boot", "there is no device " + strconv.Quote(value), "write order= and some of a, b, c, d and n"}
		}
		b.Order = value
	case key == "menu" && (value == "on" || value == "off"):
		b.Menu = value == "on"
	case key == "splash-time":
		b.MenuWait, err = milliseconds(value)
	case key == "reboot-timeout" && value == "-1":
		b.RetryAfter = 0
	case key == "reboot-timeout":
		b.RetryAfter, err = milliseconds(value)
	default:
		return failure{"--boot", "there is no option " + strconv.Quote(key+"="+value),
			"write some of order=, menu=on, splash-time= and reboot-timeout=, with commas between"}
	}
	return err
}

// milliseconds is QEMU's way to write a duration.
func milliseconds(v string) (time.Duration, error) {
	const most = 65535
	n, err := strconv.ParseUint(v, 10, 16)
	if err != nil {
		return 0, failure{"--boot", strconv.Quote(v) + " is no number of milliseconds", "write 0 to " + strconv.Itoa(most)}
	}
	return time.Duration(n) * time.Millisecond, nil
}
