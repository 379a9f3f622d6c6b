package i440fx

import (
	"testing"

	"github.com/gov86/gov86/hw/hwtest"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/snapshot/snapshottest"
)

func TestFERRBecomesIRQ13UntilF0hIsWritten(t *testing.T) {
	var irq hwtest.Line
	d := NewCoprocessor(&irq)
	d.FERR(true)
	d.FERR(true)
	if !irq.Asserted() || irq.Rises != 1 {
		t.Errorf("IRQ13 asserted %t after %d edges, want one", irq.Asserted(), irq.Rises)
	}
	d.FERR(false)
	if !irq.Asserted() {
		t.Error("IRQ13 went with FERR#; it is a latch")
	}
	d.Out(0, portio.Byte, 0)
	if irq.Asserted() {
		t.Error("the write to F0h left IRQ13 asserted")
	}
}

func TestF0hAssertsIGNNEWhileFERRIsActive(t *testing.T) {
	var irq hwtest.Line
	d := NewCoprocessor(&irq)
	d.Out(0, portio.Byte, 0)
	if d.IGNNE() {
		t.Error("IGNNE# without FERR#")
	}
	d.FERR(true)
	if d.IGNNE() {
		t.Error("IGNNE# before the write")
	}
	d.Out(0, portio.Byte, 0)
	d.FERR(true)
	if !d.IGNNE() || irq.Rises != 1 {
		t.Errorf("IGNNE# %t, %d interrupts, want it asserted and one", d.IGNNE(), irq.Rises)
	}
	d.FERR(false)
	d.FERR(true)
	if d.IGNNE() || irq.Rises != 2 {
		t.Errorf("the next error: IGNNE# %t, %d interrupts, want it negated and two", d.IGNNE(), irq.Rises)
	}
	d.Reset()
	if d.IGNNE() || d.coprocessorRegs != (coprocessorRegs{}) {
		t.Errorf("after reset: %+v", d.coprocessorRegs)
	}
}

func TestSavedStateIsComplete(t *testing.T) {
	snapshottest.Complete(t, (*coprocessorRegs).sync, nil)
	snapshottest.Complete(t, (*smbusRegs).sync, nil)
}

func FuzzLoadCoprocessor(f *testing.F) {
	c := snapshot.NewSaver()
	NewCoprocessor(new(hwtest.Line)).Save(c)
	p, err := c.Close()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p)
	f.Fuzz(func(t *testing.T, p []byte) {
		d := NewCoprocessor(new(hwtest.Line))
		d.FERR(true)
		before := d.coprocessorRegs
		if err := d.Load(snapshot.NewLoader(p)); err != nil && d.coprocessorRegs != before {
			t.Error("a refused state was taken")
		}
		if d.ignne && !d.ferr {
			t.Error("IGNNE# without FERR#")
		}
	})
}
