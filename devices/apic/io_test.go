package apic

import (
	"testing"

	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/snapshot/snapshottest"
)

func (r *rig) ioSet(reg uint8, v uint32) {
	r.io.Write(ioRegSel, 4, uint32(reg))
	r.io.Write(ioWin, 4, v)
}

func (r *rig) ioGet(reg uint8) uint32 {
	r.io.Write(ioRegSel, 4, uint32(reg))
	return r.io.Read(ioWin, 4)
}

// redirect writes entry n, the half with the mask last.
func (r *rig) redirect(n int, e uint64) {
	r.ioSet(uint8(ioRedirection+2*n+1), uint32(e>>32))
	r.ioSet(uint8(ioRedirection+2*n), uint32(e))
}

func TestIORegisters(t *testing.T) {
	r := newTest()
	r.ioSet(ioID, 0xffffffff)
	for reg, want := range map[uint8]uint32{
		ioID: 0x0f000000, ioVersion: 0x00170011, ioArbitration: 0x0f000000,
		0x10: 0x10000, 0x11: 0, 0x3e: 0x10000, 0x3f: 0, 0x40: 0,
	} {
		if got := r.ioGet(reg); got != want {
			t.Errorf("register %#x is %#x, want %#x", reg, got, want)
		}
	}
	r.redirect(4, 0xffffffff_ffffffff)
	if lo, hi := r.ioGet(0x18), r.ioGet(0x19); lo != 0x1afff || hi != 0xff000000 {
		t.Errorf("entry %#x:%#x, want the writable bits: neither delivery status nor Remote IRR", hi, lo)
	}
}

func TestAnEdgeInterruptsOnce(t *testing.T) {
	r := newTest()
	r.redirect(4, 0x44)
	r.io.Line(4).Set(true)
	r.wantVector(t, 0x44)
	r.set(regEOI, 0)
	r.io.Line(4).Set(true)
	if r.intr.Asserted() {
		t.Error("INTR again without a new edge")
	}
	r.io.Line(4).Set(false)
	r.io.Line(4).Set(true)
	r.wantVector(t, 0x44)
}

func TestAnEdgeAtAMaskedInputIsIgnored(t *testing.T) {
	r := newTest()
	r.redirect(4, entryMask|0x44)
	r.io.Line(4).Set(true)
	r.redirect(4, 0x44)
	if r.intr.Asserted() {
		t.Error("INTR for an edge that came while the input was masked")
	}
}

func TestALevelInterruptsUntilItFalls(t *testing.T) {
	r := newTest()
	r.redirect(10, entryLevel|0x4a)
	r.io.Line(10).Set(true)
	r.wantVector(t, 0x4a)
	if r.ioGet(0x24)&entryRemoteIRR == 0 || !r.bit(regTMR, 0x4a) {
		t.Error("neither Remote IRR nor TMR show a level interrupt")
	}
	r.io.Line(10).Set(false)
	r.io.Line(10).Set(true)
	if r.bit(regIRR, 0x4a) {
		t.Error("requested again before its EOI")
	}
	r.set(regEOI, 0)
	r.wantVector(t, 0x4a)
	r.io.Line(10).Set(false)
	r.set(regEOI, 0)
	if r.intr.Asserted() || r.ioGet(0x24)&entryRemoteIRR != 0 {
		t.Error("requested after the level fell and EOI")
	}
}

func TestUnmaskingALevelInterrupts(t *testing.T) {
	r := newTest()
	r.redirect(10, entryMask|entryLevel|0x4a)
	r.io.Line(10).Set(true)
	if r.intr.Asserted() {
		t.Error("INTR though masked")
	}
	r.redirect(10, entryLevel|0x4a)
	r.wantVector(t, 0x4a)
}

func TestTurningToEdgeClearsRemoteIRR(t *testing.T) {
	r := newTest()
	r.redirect(10, entryLevel|0x4a)
	r.io.Line(10).Set(true)
	r.redirect(10, entryMask|0x4a)
	r.redirect(10, entryMask|entryLevel|0x4a)
	if r.ioGet(0x24)&entryRemoteIRR != 0 {
		t.Error("Remote IRR kept")
	}
}

func TestALevelWaitsUntilTheLocalAPICIsEnabled(t *testing.T) {
	r := newTest()
	r.set(regSVR, 0xff)
	r.redirect(10, entryLevel|0x4a)
	r.io.Line(10).Set(true)
	if r.intr.Asserted() {
		t.Error("INTR of a disabled local APIC")
	}
	r.set(regSVR, svrEnable|0xff)
	r.wantVector(t, 0x4a)
}

func TestOnlyTheDestinationInterrupts(t *testing.T) {
	r := newTest()
	r.set(regID, 2<<24)
	r.redirect(4, 1<<destinationShift|0x44)
	r.io.Line(4).Set(true)
	if r.intr.Asserted() {
		t.Error("INTR for APIC 1 at APIC 2")
	}
	r.set(regLDR, 1<<24)
	r.redirect(5, 1<<destinationShift|entryLogical|uint64(Lowest)<<entryModeShift|0x45)
	r.io.Line(5).Set(true)
	r.wantVector(t, 0x45)
}

func TestNMIOfAnInputIsAnEdgeWhateverTheEntrySays(t *testing.T) {
	r := newTest()
	r.redirect(6, entryLevel|uint64(NMI)<<entryModeShift)
	r.io.Line(6).Set(true)
	r.io.Line(6).Set(true)
	r.redirect(6, entryLevel|uint64(NMI)<<entryModeShift)
	if r.nmis != 1 {
		t.Errorf("%d NMIs, want 1", r.nmis)
	}
}

func TestIOStateListIsComplete(t *testing.T) { snapshottest.Complete(t, (*ioRegs).sync, nil) }

func FuzzLoadIO(f *testing.F) {
	seed := newTest()
	s := snapshot.NewSaver()
	seed.io.Save(s)
	b, _ := s.Close()
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		r := newTest()
		if r.io.Load(snapshot.NewLoader(b)) != nil {
			return
		}
		for n := range NumInputs {
			r.io.Line(n).Set(true)
			r.io.Line(n).Set(false)
		}
		if r.intr.Asserted() {
			r.Acknowledge()
			r.set(regEOI, 0)
		}
	})
}
