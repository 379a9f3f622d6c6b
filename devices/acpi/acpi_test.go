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

var board = Board{PMBase: 0x600, SCI: 9, PCIWires: [4]uint8{10, 11, 10, 11}, PCIMemory: 0x10000000, APIC: true}

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
	for _, want := range []string{"Device (PCI0)", "Name (_PRT", "PNP0501", "Name (\\_S5"} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("%q is missing in the disassembly", want)
		}
	}
}

func newTest() (*PM, *hwtest.Clock, *hwtest.Line, *[]string) {
	var calls []string
	clock, line := &hwtest.Clock{}, &hwtest.Line{}
	p := New(clock, line, func() { calls = append(calls, "off") }, func() { calls = append(calls, "reset") })
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
