package acpi

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gov86/gov86/hw"
	"github.com/gov86/gov86/hw/hwtest"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/snapshot/snapshottest"
)

var board = Board{PMBase: 0x600, SCI: 9, PCIWires: [4]uint8{10, 11, 10, 11}, PCIMemory: 0x10000000, Floppy: true, APIC: true}

// find returns the table with a signature, by the pointers from the root on.
func find(t *testing.T, img []byte, at uint32, signature string) []byte {
	t.Helper()
	rsdt := img[binary.LittleEndian.Uint32(img[16:])-at:]
	n := binary.LittleEndian.Uint32(rsdt[4:])
	for off := uint32(headerSize); off < n; off += 4 {
		p := img[binary.LittleEndian.Uint32(rsdt[off:])-at:]
		if string(p[:4]) == signature {
			return p[:binary.LittleEndian.Uint32(p[4:])]
		}
	}
	return nil
}

func TestTablesAddUpToZero(t *testing.T) {
	const at = 0xf0000
	img := Tables(at, board)
	if sum(img[:20]) != 0 {
		t.Error("RSDP does not add up")
	}
	facp := find(t, img, at, "FACP")
	apic := find(t, img, at, "APIC")
	dsdt := img[binary.LittleEndian.Uint32(facp[40:])-at:]
	dsdt = dsdt[:binary.LittleEndian.Uint32(dsdt[4:])]
	for _, p := range [][]byte{facp, apic, dsdt} {
		if p == nil || sum(p) != 0 {
			t.Errorf("table %.4s does not add up", p)
		}
	}
	without := board
	without.APIC = false
	if find(t, Tables(at, without), at, "APIC") != nil {
		t.Error("MADT is there though the APIC is hidden")
	}
}

func TestDSDTDisassembles(t *testing.T) {
	iasl, err := exec.LookPath("iasl")
	if err != nil {
		t.Skip("iasl is not installed (package acpica-tools): the DSDT is not disassembled")
	}
	file := filepath.Join(t.TempDir(), "dsdt.aml")
	if err := os.WriteFile(file, table("DSDT", 2, board.dsdt()), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(iasl, "-d", file).CombinedOutput(); err != nil {
		t.Fatalf("iasl: %v\n%s", err, out)
	}
	text, err := os.ReadFile(strings.TrimSuffix(file, ".aml") + ".dsl")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Device (PCI0)", "Name (_PRT", "PNP0501", "PNP0700", "DMA (Compatibility, NotBusMaster, Transfer8, )", "Name (\\_S5"} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("%q is missing in the disassembly", want)
		}
	}
}

func newTest() (*PM, *hwtest.Clock, *hwtest.Line, *[]string) {
	var calls []string
	clock, line := &hwtest.Clock{}, &hwtest.Line{}
	p := New(clock, line, func() { calls = append(calls, "off") }, func() { calls = append(calls, "reset") })
	p.APM().Out(0, portio.Byte, ACPIEnable)
	return p, clock, line, &calls
}

func TestTimerCountsInItsFrequency(t *testing.T) {
	p, clock, _, _ := newTest()
	clock.Advance(hw.Second)
	if v := p.In(pmTimer, portio.DWord); v != timerHz&0xffffff {
		t.Errorf("timer %d after a second, want %d", v, timerHz&0xffffff)
	}
}

func TestTimerCarryInterrupts(t *testing.T) {
	p, clock, line, _ := newTest()
	p.Out(pm1Enable, portio.Word, tmrStatus)
	clock.Advance(2 * hw.Second)
	if line.Asserted() {
		t.Error("SCI before the top bit changed")
	}
	clock.Advance(hw.Second)
	if !line.Asserted() {
		t.Error("no SCI after the top bit changed")
	}
	p.Out(pm1Status, portio.Word, tmrStatus)
	if line.Asserted() {
		t.Error("SCI after the status was cleared")
	}
}

func TestPowerButtonRaisesSCI(t *testing.T) {
	p, _, line, _ := newTest()
	p.Out(pm1Enable, portio.Word, powerButton)
	p.PressPower()
	if !line.Asserted() || p.In(pm1Status, portio.Word)&powerButton == 0 {
		t.Error("no event after the button")
	}
}

func TestS5PowersOffAndCF9Resets(t *testing.T) {
	p, _, _, calls := newTest()
	p.Out(pm1Control, portio.Word, softOff<<10|sleepEnable)
	p.ResetControl().Out(1, portio.Byte, 0x06)
	if got := strings.Join(*calls, " "); got != "off reset" {
		t.Errorf("calls %q", got)
	}
}

func TestStateListIsComplete(t *testing.T) { snapshottest.Complete(t, (*regs).sync, nil) }

func TestACPIModeIsAskedForThroughAPMC(t *testing.T) {
	p, _, line, _ := newTest()
	p.Out(pm1Enable, portio.Word, powerButton)
	p.APM().Out(0, portio.Word, 0x5a<<8|ACPIDisable)
	p.PressPower()
	if line.Asserted() || p.In(pm1Control, portio.Word)&sciEnable != 0 {
		t.Error("SCI in legacy mode")
	}
	if v := p.APM().In(0, portio.Word); v != 0x5a<<8|ACPIDisable {
		t.Errorf("APMC and APMS read %#x", v)
	}
	p.APM().Out(0, portio.Byte, ACPIEnable)
	if !line.Asserted() || p.In(pm1Control, portio.Word)&sciEnable == 0 {
		t.Error("no SCI though ACPI mode is on")
	}
	p.Reset()
	if p.In(pm1Control, portio.Word) != 0 {
		t.Error("ACPI mode is on after reset")
	}
}

func TestRegistersAreReachedInEveryWidth(t *testing.T) {
	p, clock, _, _ := newTest()
	p.Out(pm1Status, portio.DWord, rtcAlarm<<16)
	p.Out(pm1Enable, portio.Byte, tmrStatus)
	if v := p.In(pm1Status, portio.DWord); v != (rtcAlarm|tmrStatus)<<16 {
		t.Errorf("status and enable %#x", v)
	}
	if v := p.In(pm1Enable+1, portio.Byte); v != rtcAlarm>>8 {
		t.Errorf("upper half of enable %#x", v)
	}
	p.Out(gpStatus+2, portio.Word, 0x0300)
	if v := p.In(gpStatus, portio.DWord); v != 0x03000000 {
		t.Errorf("general-purpose events %#x", v)
	}
	clock.Advance(hw.Second)
	if v := p.In(pmTimer+1, portio.Byte) & 0xff; v != timerHz>>8&0xff {
		t.Errorf("second byte of the timer %#x", v)
	}
}

// load does what firmware does with the files, the tables being at at.
func load(t *testing.T, files []File, at, rsdp uint32) (tables, root []byte) {
	t.Helper()
	le := binary.LittleEndian
	data := map[string][]byte{}
	for _, f := range files {
		data[f.Name] = f.Data
	}
	text := func(p []byte) string { s, _, _ := bytes.Cut(p[:56], []byte{0}); return string(s) }
	places := map[string]uint32{tablesFile: at, rsdpFile: rsdp}
	for s := data[loaderFile]; len(s) > 0; s = s[128:] {
		switch p := s[4:]; le.Uint32(s) {
		case allocate:
			if text(p) == tablesFile && (le.Uint32(p[56:]) != 64 || p[60] != zoneHigh) {
				t.Error("the tables want to be elsewhere")
			}
		case addPointer:
			field := data[text(p)][le.Uint32(p[112:]):]
			if p[116] != 4 {
				t.Errorf("a pointer of %d bytes", p[116])
			}
			le.PutUint32(field, le.Uint32(field)+places[text(p[56:])])
		case addChecksum:
			d, off := data[text(p)], le.Uint32(p[56:])
			d[off] = 0
			first, n := le.Uint32(p[60:]), le.Uint32(p[64:])
			d[off] = sum(d[first : first+n])
		default:
			t.Errorf("command %d", le.Uint32(s))
		}
	}
	return data[tablesFile], data[rsdpFile]
}

func TestFirmwarePlacesTheSameTables(t *testing.T) {
	const at = 0x1f0000
	want := Tables(at-64, board) // with the root pointer and room before them
	tables, root := load(t, Files(board), at, 0xf6000)
	if !bytes.Equal(tables, want[64:]) {
		t.Error("the tables differ")
	}
	if !bytes.Equal(root, want[:20]) {
		t.Errorf("the root pointer is % x, want % x", root, want[:20])
	}
}
