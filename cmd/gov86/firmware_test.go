package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gov86/gov86/machine"
)

func TestBootOptions(t *testing.T) {
	for _, c := range []struct {
		text string
		want machine.Boot
	}{
		{"order=cdn", machine.Boot{Order: "cdn"}},
		{"d", machine.Boot{Order: "d"}},
		{"menu=on", machine.Boot{Menu: true}},
		{"menu=off,order=a", machine.Boot{Order: "a"}},
		{"order=c,menu=on,splash-time=1500,reboot-timeout=3000",
			machine.Boot{Order: "c", Menu: true, MenuWait: 1500 * time.Millisecond, RetryAfter: 3 * time.Second}},
		{"reboot-timeout=-1", machine.Boot{}},
	} {
		var b bootFlag
		if err := b.Set(c.text); err != nil || b.Boot != c.want {
			t.Errorf("--boot %s is %+v, %v, want %+v", c.text, b.Boot, err, c.want)
		}
	}
	for _, text := range []string{"", "order=", "order=cx", "menu=maybe", "menu", "splash-time=-1", "reboot-timeout=65536", "once=c", "c,d"} {
		if err := new(bootFlag).Set(text); err == nil {
			t.Errorf("--boot %q was taken", text)
		}
	}
}

func TestWithoutAnythingToBootTheRunHasItsOwnStatus(t *testing.T) {
	var stdout, stderr bytes.Buffer
	status := run([]string{"run", "--bios", "seabios", "--display", "none", "--timeout", "1m"}, strings.NewReader(""), &stdout, &stderr)
	if status != exitUnbootable || !strings.HasPrefix(stderr.String(), "gov86: guest: its firmware found no bootable device; ") {
		t.Errorf("status %d, standard error %q", status, &stderr)
	}
	if !strings.Contains(stdout.String(), "SeaBIOS (version 1.16.2") || !strings.Contains(stdout.String(), "No bootable device.") {
		t.Errorf("console %q", &stdout)
	}
}

func TestTheFirmwaresLogIsWhatDebugconShows(t *testing.T) {
	t.Chdir(t.TempDir())
	var stdout, stderr bytes.Buffer
	run([]string{"run", "--boot", "order=c", "--debugcon", "log", "--timeout", "1m"}, strings.NewReader(""), &stdout, &stderr)
	log, err := os.ReadFile("log")
	if err != nil || !bytes.Contains(log, []byte("Found QEMU fw_cfg\n")) || !bytes.Contains(log, []byte("No bootable device.\n")) {
		t.Errorf("%v, log %q; standard error %q", err, log, &stderr)
	}
}

// greeter is a disk whose boot sector prints a text through INT 10h and halts.
func greeter() []byte {
	image := make([]byte, 1<<20)
	copy(image, []byte{
		0x31, 0xc0, 0x8e, 0xd8, // XOR AX, AX; MOV DS, AX
		0xbe, 0x40, 0x7c, // MOV SI, 7C40h
		0xac, 0x84, 0xc0, // LODSB; TEST AL, AL
		0x74, 0x09, // JZ to HLT
		0xb4, 0x0e, 0xbb, 0x07, 0x00, 0xcd, 0x10, // AH = 0Eh; BX = 7; INT 10h
		0xeb, 0xf2, // JMP to LODSB
		0xf4, 0xeb, 0xfd, // HLT; JMP to it
	})
	copy(image[0x40:], "hello from the disk\r\n\x00")
	image[510], image[511] = 0x55, 0xaa
	return image
}

func TestADiskIsBootedByTheFirmware(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("disk.img", greeter(), 0o666); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	status := run([]string{"run", "--disk", "disk.img,ro", "--until", "hello from the disk", "--timeout", "1m"},
		strings.NewReader(""), &stdout, &stderr)
	if status != exitOK {
		t.Errorf("status %d, standard error %q, console %q", status, &stderr, &stdout)
	}
}
