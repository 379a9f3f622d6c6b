//go:build linux && amd64

package kvm

import (
	"testing"
	"unsafe"
)

// TestProbe says who executes guests here.
func TestProbe(t *testing.T) {
	v, err := Probe()
	if err != nil {
		t.Skipf("skipped: %v", err)
	}
	t.Logf("\n%v", v)
}

// TestSizes holds the structures to the sizes that the numbers of the requests
// encode.
func TestSizes(t *testing.T) {
	for _, c := range []struct {
		name    string
		request uintptr
		size    uintptr
	}{
		{"Regs", getRegs, unsafe.Sizeof(Regs{})},
		{"Sregs", getSregs2, unsafe.Sizeof(Sregs{})},
		{"DebugRegs", getDebugRegs, unsafe.Sizeof(DebugRegs{})},
		{"Events", getEvents, unsafe.Sizeof(Events{})},
		{"memoryRegion", setMemoryRegion, unsafe.Sizeof(memoryRegion{})},
	} {
		if want := c.request >> 16 & 0x3fff; c.size != want {
			t.Errorf("%s has %d bytes, not %d", c.name, c.size, want)
		}
	}
}

// TestRunEndsInTime checks that code without an end does not keep KVM_RUN.
func TestRunEndsInTime(t *testing.T) {
	m, err := New(probeSize)
	if err != nil {
		t.Skipf("skipped: %v", err)
	}
	defer m.Close()
	_, end, err := m.try(Real, []byte{0xeb, 0xfe})
	if err != nil || end != TimedOut.String() {
		t.Errorf("a jump to itself ends in %q, %v", end, err)
	}
}
