package bios

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/gov86/gov86/mem"
)

func TestEmbeddedImagesAreTheOnesThatTheREADMENames(t *testing.T) {
	for name, image := range map[string][]byte{"bios.bin": SeaBIOS, "vgabios-stdvga.bin": VGABIOS} {
		if row := fmt.Sprintf("| `%s` | `%x` |", name, sha256.Sum256(image)); !strings.Contains(Licenses(), row) {
			t.Errorf("the README does not have %s", row)
		}
	}
	if !strings.Contains(Licenses(), "GNU LESSER GENERAL PUBLIC LICENSE") {
		t.Error("no licence")
	}
}

func newSpace(t *testing.T) *mem.Space {
	t.Helper()
	m, err := mem.New(mem.MinRAM)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func TestFirmwareEndsAt4GiBAndAt1MiB(t *testing.T) {
	for _, size := range []int{64 << 10, 128 << 10, 256 << 10} {
		m := newSpace(t)
		image := make([]byte, size)
		image[0], image[size-1] = 0x11, 0x22
		if err := PlaceFirmware(m, image); err != nil {
			t.Fatal(err)
		}
		low := mem.Addr(1<<20 - min(size, 128<<10))
		first := uint32(0x11)
		if size > 128<<10 {
			first = 0
		}
		if a, b := m.Read(mem.Addr(1<<32-size), 1), m.Read(1<<32-1, 1); a != 0x11 || b != 0x22 {
			t.Errorf("%d bytes below 4 GiB: %#x to %#x", size, a, b)
		}
		if a, b := m.Read(low, 1), m.Read(1<<20-1, 1); a != first || b != 0x22 {
			t.Errorf("%d bytes below 1 MiB: %#x to %#x", size, a, b)
		}
	}
}

func TestImagesThatAreNoROMs(t *testing.T) {
	m := newSpace(t)
	good := append([]byte{0x55, 0xaa, 1}, make([]byte, 509)...)
	if err := PlaceOptionROM(m, good); err != nil || m.Read(0xc0000, 2) != 0xaa55 {
		t.Errorf("an option ROM: %v", err)
	}
	for name, err := range map[string]error{
		"no firmware":           PlaceFirmware(m, nil),
		"half of a unit":        PlaceFirmware(m, make([]byte, 32<<10)),
		"firmware of 17 MiB":    PlaceFirmware(m, make([]byte, 17<<20)),
		"no signature":          PlaceOptionROM(m, make([]byte, 512)),
		"shorter than it says":  PlaceOptionROM(m, append([]byte{0x55, 0xaa, 2}, make([]byte, 509)...)),
		"option ROM of 128 KiB": PlaceOptionROM(m, append([]byte{0x55, 0xaa, 1}, make([]byte, 128<<10)...)),
	} {
		if bad := new(Error); !errors.As(err, &bad) || bad.Remedy == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
