package machine

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gov86/gov86/devices/acpi"
	"github.com/gov86/gov86/devices/fwcfg"
	"github.com/gov86/gov86/disk"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/jit"
	"github.com/gov86/gov86/mem"
	"github.com/gov86/gov86/pci"
)

// A booted is a machine that begins with its firmware, in counted time, and what
// it has said.
type booted struct {
	*Machine
	serial, log bytes.Buffer
	// until ends the run when the log ends in it. answers are typed on the serial
	// port when that, or the log, ends in their keys.
	until   string
	answers map[string]string
	stop    context.CancelCauseFunc
}

// Put implements uart.Output.
func (b *booted) Put(c byte) bool {
	b.serial.WriteByte(c)
	b.answer(b.serial.Bytes())
	return true
}

func (b *booted) answer(said []byte) {
	for question, answer := range b.answers {
		if bytes.HasSuffix(said, []byte(question)) {
			delete(b.answers, question)
			b.receive(0, []byte(answer))
		}
	}
}

var errSaid = errors.New("it has been said")

func (b *booted) debug(c byte) {
	b.log.WriteByte(c)
	b.answer(b.log.Bytes())
	if b.until != "" && bytes.HasSuffix(b.log.Bytes(), []byte(b.until)) {
		b.stop(errSaid)
	}
}

func newBooted(t *testing.T, cfg Config) *booted {
	t.Helper()
	b := new(booted)
	host := Host{Time: time.Unix(1e9, 0), Debug: b.debug}
	host.Serial[0] = b
	cfg.Counted, cfg.SerialConsole = true, true
	if cfg.Memory == 0 {
		cfg.Memory = 32 << 20
	}
	var err error
	if b.Machine, err = New(cfg, host); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// run runs the machine until it ends or has said so.
func (b *booted) run(t *testing.T) Ending {
	t.Helper()
	ctx, timeout := context.WithTimeout(context.Background(), time.Minute)
	defer timeout()
	ctx, b.stop = context.WithCancelCause(ctx)
	defer b.stop(nil)
	ending, err := b.Run(ctx)
	if err != nil && !errors.Is(err, errSaid) {
		t.Fatalf("%v; the log:\n%s", err, &b.log)
	}
	return ending
}

// wants reports each text that does not follow the one before it.
func wants(t *testing.T, what string, got []byte, texts ...string) {
	t.Helper()
	rest := string(got)
	for _, text := range texts {
		_, after, found := strings.Cut(rest, text)
		if !found {
			t.Errorf("%s does not go on with %q:\n%s", what, text, got)
			return
		}
		rest = after
	}
}

// firmwareEngines are the engines this host can have.
func firmwareEngines() []string {
	if jit.Available() != nil {
		return []string{interpEngine}
	}
	return []string{interpEngine, jitEngine}
}

func TestSeaBIOSFindsNothingToBoot(t *testing.T) {
	for _, engine := range firmwareEngines() {
		t.Run(engine, func(t *testing.T) {
			b := newBooted(t, Config{Engine: engine, BootFailEnds: true})
			if ending := b.run(t); ending != Unbootable {
				t.Errorf("ending %d", ending)
			}
			wants(t, "the log", b.log.Bytes(), "Running on QEMU (i440fx)\n", "QEMU fw_cfg DMA interface supported\n",
				"e820: addr 0x0000000000000000 len 0x0000000002000000 [RAM]\n", "Moving pm_base to 0x600\n",
				"PCI: init bdf=00:01.3 id=8086:7113\n", "Using pmtimer, ioport 0x608\n",
				"Found 1 cpu(s) max supported 1 cpu(s)\n", "sercon: using ioport 0x3f8\n", "Found 4 serial ports\n",
				"PS2 keyboard initialized\n", "All threads complete.\n", "No bootable device.\n")
			wants(t, "the serial port", b.serial.Bytes(), "SeaBIOS (version 1.16.2", "No bootable device.")
			wants(t, "the screen", []byte(strings.Join(b.ScreenText(), "\n")), "SeaBIOS (version 1.16.2", "No bootable device.")
			// A wait by a timer that does not run would take minutes of guest time.
			if s := b.Now() / 1e9; s > 2 || b.Retired() > 60e6 {
				t.Errorf("it took %d s and %d instructions", s, b.Retired())
			}
			t.Logf("%d instructions", b.Retired())
		})
	}
}

func TestSeaBIOSPlacesTheTablesThatAKernelFindsWithoutIt(t *testing.T) {
	b := newBooted(t, Config{BootFailEnds: true})
	b.run(t)
	var rsdp [20]byte
	at := mem.Addr(0xf0000)
	for ; at < 0x100000 && !bytes.HasPrefix(rsdp[:], []byte("RSD PTR ")); at += 16 {
		if err := b.board.memory.ReadAt(rsdp[:], at); err != nil {
			t.Fatal(err)
		}
	}
	if at == 0x100000 {
		t.Fatal("there is no root pointer")
	}
	// The RSDT is the last table, so its place tells where the first one is.
	rsdt := binary.LittleEndian.Uint32(rsdp[16:])
	own := acpi.Tables(0, b.board.tables(&b.cfg))
	first := rsdt - binary.LittleEndian.Uint32(own[16:]) + 64
	want := acpi.Tables(first-64, b.board.tables(&b.cfg))[64:]
	got := make([]byte, len(want))
	if err := b.board.memory.ReadAt(got, mem.Addr(first)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("the tables at %#x are others", first)
	}
}

func TestSeaBIOSWaitsRetriesAndResets(t *testing.T) {
	b := newBooted(t, Config{Boot: Boot{Menu: true, MenuWait: time.Second, RetryAfter: 2 * time.Second}})
	b.until = "Moving pm_base to 0x600\n"
	b.run(t) // into the first boot
	first := b.log.Len()
	b.stopped.Store(false)
	b.run(t)
	wants(t, "the log", b.log.Bytes()[first:], "Press ESC for boot menu.",
		"No bootable device.  Retrying in 2 seconds.\n", "Rebooting.\n", "SeaBIOS (version", "Moving pm_base to 0x600\n")
	if ms := b.Now() / 1e6; ms < 3000 || ms > 6000 {
		t.Errorf("a second for the menu and two to retry took %d ms", ms)
	}
}

// optionROM is code as an option ROM whose entry is at offset 3.
func optionROM(code []byte) []byte {
	return seal(append([]byte{0x55, 0xaa, 0}, code...))
}

// seal gives an option ROM its length and its checksum.
func seal(rom []byte) []byte {
	const unit = 512
	rom = append(rom, make([]byte, unit-len(rom)%unit)...)
	rom[2] = uint8(len(rom) / unit)
	var sum uint8
	for _, b := range rom {
		sum -= b
	}
	rom[len(rom)-1] = sum
	return rom
}

// pciROM is code as the option ROM of the PCI device 1234:5678.
func pciROM(code []byte) []byte {
	const dataAt, codeAt = 0x20, 0x40
	rom := make([]byte, codeAt)
	copy(rom, []byte{0x55, 0xaa, 0, 0xeb, codeAt - 5}) // JMP to the code
	rom[0x18] = dataAt
	copy(rom[dataAt:], "PCIR\x34\x12\x78\x56\x00\x00\x18\x00\x00\x00\x00\x02\x01\x00\x00\x00\x00\x80")
	return seal(append(rom, code...))
}

// say16 is text for real mode: MOV DX, 402h, then MOV AL, c; OUT DX, AL.
func say16(s string) []byte {
	code := []byte{0xba, 0x02, 0x04}
	for _, c := range []byte(s) {
		code = append(code, 0xb0, c, 0xee)
	}
	return code
}

// out16 is MOV AL, v; OUT port, AL.
func out16(port, v uint8) []byte { return []byte{0xb0, v, 0xe6, port} }

func TestSeaBIOSRunsOptionROMs(t *testing.T) {
	code := append(say16("option ROM\n"), 0xcb) // RETF
	t.Run("of fw_cfg", func(t *testing.T) {
		b := newBooted(t, Config{BootFailEnds: true})
		b.addFile(t, "genroms/test.rom", optionROM(code))
		b.run(t)
		wants(t, "the log", b.log.Bytes(), "Running option rom at", "option ROM\n", "No bootable device.")
	})
	t.Run("of a PCI device", func(t *testing.T) {
		b := newBooted(t, Config{BootFailEnds: true})
		f := pci.NewFunction(pci.Header{Vendor: 0x1234, Device: 0x5678, Class: 0x020000})
		f.ROM(pciROM(code))
		b.board.attach("network card", 5, 0, f, f)
		b.run(t)
		wants(t, "the log", b.log.Bytes(), "Running option rom at", "option ROM\n", "No bootable device.")
	})
}

// addFile adds a file to fw_cfg.
func (b *booted) addFile(t *testing.T, name string, data []byte) {
	t.Helper()
	i := slices.IndexFunc(b.board.devices, func(n named) bool { return n.name == "fw_cfg" })
	b.board.devices[i].Device.(*fwcfg.Device).Add(name, data)
}

// TestAResetOfTheProcessorLeavesTheRest is how programs leave protected mode:
// CMOS byte 0Fh says that it is on purpose, and 467h where to go on.
func TestAResetOfTheProcessorLeavesTheRest(t *testing.T) {
	for name, pulse := range map[string][]byte{
		"keyboard controller": out16(0x64, 0xfe),
		"port 92h":            append(out16(0x92, 0x02), out16(0x92, 0x03)...),
	} {
		t.Run(name, func(t *testing.T) {
			before := slices.Concat(say16("before\n"), out16(0x70, 0x0f), out16(0x71, 0x0a),
				[]byte{0x31, 0xc0, 0x8e, 0xd8},                                       // XOR AX, AX; MOV DS, AX
				[]byte{0xc7, 0x06, 0x67, 0x04, 0, 0}, []byte{0x8c, 0x0e, 0x69, 0x04}, // the word at 467h, and CS at 469h
				pulse, []byte{0xeb, 0xfe})
			at := uint16(3 + len(before))
			where := bytes.Index(before, []byte{0xc7, 0x06, 0x67, 0x04}) + 4
			binary.LittleEndian.PutUint16(before[where:], at)
			b := newBooted(t, Config{})
			b.until = "after\n"
			b.addFile(t, "genroms/test.rom", optionROM(slices.Concat(before, say16("after\n"), []byte{0xf4})))
			b.run(t)
			wants(t, "the log", b.log.Bytes(), "before\n", "after\n")
			if n := strings.Count(b.log.String(), "SeaBIOS (version"); n > 2 { // once on the screen, too
				t.Errorf("the firmware began %d times", n)
			}
		})
	}
}

func TestAResetOfTheBoardBeginsWithTheROM(t *testing.T) {
	b := newBooted(t, Config{BootFailEnds: true})
	// CMOS byte 50h counts: the second time the ROM returns.
	code := slices.Concat(out16(0x70, 0x50), []byte{0xe4, 0x71, 0xfe, 0xc0, 0xe6, 0x71}, // IN AL, 71h; INC AL; OUT
		[]byte{0x3c, 0x01, 0x74, 0x01, 0xcb},                   // CMP AL, 1; JE over RETF
		[]byte{0xba, 0xf9, 0x0c, 0xb0, 0x06, 0xee, 0xeb, 0xfe}) // OUT CF9h, 6; JMP $
	b.addFile(t, "genroms/test.rom", optionROM(code))
	if ending := b.run(t); ending != Unbootable {
		t.Errorf("ending %d", ending)
	}
	wants(t, "the log", b.log.Bytes(), "Running option rom", "SeaBIOS (version 1.16.2", "Moving pm_base", "No bootable device.")
}

// bootedText is what the boot sector says in the end, to the debug port.
const bootedText = "booted\n"

// bootDisk is a disk whose boot sector greets through INT 10h, reads the second
// sector through INT 13h, prints the text that is there and says so.
func bootDisk() []byte {
	const message, second, print = 0x7c80, 0x7e00, 0x7c60
	image := make([]byte, 1440<<10)
	call := func(at, to int) []byte { return []byte{0xe8, uint8(to - at - 3), uint8((to - at - 3) >> 8)} }
	code := []byte{0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0, 0xbc, 0x00, 0x7c} // AX, DS, ES, SS = 0; SP = 7C00h
	code = append(code, 0xbe, message&0xff, message>>8)                              // MOV SI, message
	code = append(code, call(0x7c00+len(code), print)...)
	code = append(code, 0xb8, 0x01, 0x02, 0xbb, second&0xff, second>>8, 0xb9, 0x02, 0x00, 0xb6, 0x00, 0xcd, 0x13) // read a sector
	code = append(code, 0x72, 0xfe)                                                                               // JC $
	code = append(code, 0xbe, second&0xff, second>>8)
	code = append(code, call(0x7c00+len(code), print)...)
	code = slices.Concat(code, say16(bootedText), []byte{0xfa, 0xf4})
	copy(image, code)
	copy(image[print-0x7c00:], []byte{0xac, 0x84, 0xc0, 0x74, 0x09, 0xb4, 0x0e, 0xbb, 0x07, 0x00, 0xcd, 0x10, 0xeb, 0xf2, 0xc3})
	copy(image[message-0x7c00:], "the boot sector\r\n\x00")
	copy(image[510:], []byte{0x55, 0xaa})
	copy(image[512:], "and the next\r\n\x00")
	return image
}

func TestABootSectorIsBooted(t *testing.T) {
	image := func() disk.Image { return disk.Memory(bootDisk(), false) }
	for name, c := range map[string]struct {
		storage   Storage
		log, says string
	}{
		"of an IDE disk":   {Storage{IDE: [4]Drive{{Image: image()}}}, "ATA-", "Booting from Hard Disk..."},
		"of a virtio disk": {Storage{Virtio: []disk.Image{image()}}, "found virtio-blk at", "Booting from Hard Disk..."},
		"of a floppy disk": {Storage{Floppy: [2]FloppyDrive{{Image: image()}}}, "", "Booting from Floppy..."},
	} {
		for _, engine := range firmwareEngines() {
			t.Run(name+", "+engine, func(t *testing.T) {
				b := newBooted(t, Config{Engine: engine, Storage: c.storage, BootFailEnds: true})
				b.until = bootedText
				b.run(t)
				wants(t, "the log", b.log.Bytes(), c.log, c.says+"\n", "Booting from 0000:7c00\n")
				wants(t, "the screen", []byte(strings.Join(b.ScreenText(), "\n")), c.says, "the boot sector", "and the next")
			})
		}
	}
}

// TestTheBootMenuIsChosenFromOnTheSerialPort has a disk that is not the first.
func TestTheBootMenuIsChosenFromOnTheSerialPort(t *testing.T) {
	cfg := Config{Boot: Boot{Order: "ac", Menu: true, MenuWait: time.Second}, BootFailEnds: true}
	cfg.Storage.Floppy[0].Present = true
	cfg.Storage.IDE[0].Image = disk.Memory(bootDisk(), false)
	b := newBooted(t, cfg)
	b.until = bootedText
	b.answers = map[string]string{"Press ESC for boot menu.\r\n": "\x1b", "Select boot device:": "2"}
	b.run(t)
	wants(t, "the serial port", b.serial.Bytes(), "Press ESC for boot menu.", "Select boot device:", "1. Floppy [drive A]", "2. ",
		"gov86 disk", "Booting from Hard Disk...", "the boot sector")
}

// TestBochsFirmware runs firmware of another kind: it builds its own tables and
// knows nothing of fw_cfg.
func TestBochsFirmware(t *testing.T) {
	image, err := os.ReadFile("/usr/share/bochs/BIOS-bochs-latest")
	if err != nil {
		t.Skip("the package bochsbios is not installed")
	}
	started := []string{"Starting rombios32\n", "ram_size=0x02000000\n", "Found 1 cpu(s)\n",
		"PIIX3/PIIX4 init: elcr=00 0a\n", "vendor_id=0x1af4", "ACPI tables: RSDP addr="}
	t.Run("nothing to boot", func(t *testing.T) {
		b := newBooted(t, Config{Firmware: image, BootFailEnds: true})
		if ending := b.run(t); ending != Unbootable {
			t.Errorf("ending %d", ending)
		}
		wants(t, "the log", b.log.Bytes(), append(started, "No bootable device.\n")...)
		if b.board.ports.In(0xb008, portio.DWord) == 0xffffffff {
			t.Error("the timer is not at B008h, where this firmware has it")
		}
	})
	t.Run("a disk", func(t *testing.T) {
		cfg := Config{Firmware: image, BootFailEnds: true}
		cfg.Storage.IDE[0].Image = disk.Memory(bootDisk(), false)
		b := newBooted(t, cfg)
		b.until = bootedText
		b.run(t)
		wants(t, "the log", b.log.Bytes(), append(started, bootedText)...)
		wants(t, "the screen", []byte(strings.Join(b.ScreenText(), "\n")), "the boot sector", "and the next")
	})
}
