package bios

import (
	"embed"
	"fmt"

	"github.com/gov86/gov86/mem"
)

// SeaBIOS is the firmware of a machine that is given none. seabios/README.md
// says where it comes from.
//
//go:embed seabios/bios.bin
var SeaBIOS []byte

// VGABIOS is the option ROM of a VGA with the registers of Bochs, by the same
// people.
//
//go:embed seabios/vgabios-stdvga.bin
var VGABIOS []byte

//go:embed seabios/README.md seabios/COPYRIGHT seabios/LGPL-3 seabios/GPL-3
var seabios embed.FS

// Licenses are the terms of the embedded firmware, with the exact sources and the
// offer to provide them.
func Licenses() string {
	var all []byte
	for _, name := range []string{"README.md", "COPYRIGHT", "LGPL-3", "GPL-3"} {
		text, err := seabios.ReadFile("seabios/" + name)
		if err != nil {
			panic("BUG: no licence text: " + err.Error())
		}
		all = append(append(all, text...), '\n')
	}
	return string(all)
}

// Bounds of a firmware image. Below 1 MiB shows no more than legacyROM of it.
const (
	firmwareUnit = 64 << 10
	maxFirmware  = 16 << 20
	legacyROM    = 128 << 10
	optionROM    = 0xc0000
	maxOptionROM = 64 << 10
)

// PlaceFirmware makes a ROM of image, which ends at 4 GiB, where the processor
// begins, and whose last 128 KiB also end at 1 MiB. It reports an *Error when the
// image is none.
func PlaceFirmware(m *mem.Space, image []byte) error {
	if n := len(image); n == 0 || n%firmwareUnit != 0 || n > maxFirmware {
		return bad("firmware", "give an image of the whole ROM", "it has %d bytes, which is not a multiple of 64 KiB up to 16 MiB", n)
	}
	if err := m.MapROM(1<<32-mem.Addr(len(image)), image); err != nil {
		return fmt.Errorf("firmware: %w", err)
	}
	low := image[max(0, len(image)-legacyROM):]
	if err := m.MapROM(highMemory-mem.Addr(len(low)), low); err != nil {
		return fmt.Errorf("firmware: %w", err)
	}
	return nil
}

// PlaceOptionROM makes a ROM of image at C0000h, where firmware looks for the
// display's. It reports an *Error when the image is none.
func PlaceOptionROM(m *mem.Space, image []byte) error {
	if err := CheckOptionROM(image); err != nil {
		return err
	}
	if err := m.MapROM(optionROM, image); err != nil {
		return fmt.Errorf("option ROM: %w", err)
	}
	return nil
}

// CheckOptionROM reports an *Error when image is no option ROM: it begins with
// 55h, AAh and its length in units of 512 bytes.
func CheckOptionROM(image []byte) error {
	const unit = 512
	if len(image) < unit || image[0] != 0x55 || image[1] != 0xaa || int(image[2])*unit > len(image) {
		return bad("option ROM", "give a file that begins with 55h, AAh and a length", "it is none")
	}
	if len(image) > maxOptionROM {
		return bad("option ROM", "give one of 64 KiB at most", "it has %d bytes", len(image))
	}
	return nil
}
