package apic

import (
	"testing"

	"github.com/gov86/gov86/hw"
	"github.com/gov86/gov86/hw/hwtest"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/snapshot/snapshottest"
)

type rig struct {
	*Local
	io    *IO
	clock *hwtest.Clock
	intr  *hwtest.Line
	nmis  int
}

// newTest returns both APICs, the local one enabled with spurious vector FFh.
func newTest() *rig {
	r := &rig{clock: &hwtest.Clock{}, intr: &hwtest.Line{}}
	r.Local = NewLocal(r.clock, r.intr, func() { r.nmis++ })
	r.io = NewIO(r.Local)
	r.clock.Advance(hw.Second)
	r.set(regSVR, svrEnable|0xff)
	return r
}

func (r *rig) set(off, v uint32)      { r.Write(off, 4, v) }
func (r *rig) get(off uint32) uint32  { return r.Read(off, 4) }
func (r *rig) self(vector uint32)     { r.set(regICRLow, 1<<icrShorthand|vector) }
func (r *rig) bit(off, v uint32) bool { return r.get(off+v>>5<<4)>>(v&31)&1 != 0 }

func (r *rig) wantVector(t *testing.T, want uint8) {
	t.Helper()
	if !r.intr.Asserted() {
		t.Errorf("INTR low, want vector %#x", want)
	}
	if v, ok := r.Acknowledge(); !ok || v != want {
		t.Errorf("acknowledged %#x, %t, want %#x", v, ok, want)
	}
}

func TestRegistersAfterReset(t *testing.T) {
	r := newTest()
	r.Reset()
	for off, want := range map[uint32]uint32{
		regID: 0, regVersion: 0x50014, regTPR: 0, regLDR: 0, regDFR: 0xffffffff, regSVR: 0xff,
		regTimer: 0x10000, regThermal: 0x10000, regPerf: 0x10000, regLINT0: 0x700, regLINT1: 0x10000,
		regError: 0x10000, regInitial: 0, regCurrent: 0, regDivide: 0, regICRLow: 0,
	} {
		if got := r.get(off); got != want {
			t.Errorf("register %#x is %#x, want %#x", off, got, want)
		}
	}
}

func TestARequestMovesFromIRRToISRAndEndsAtEOI(t *testing.T) {
	r := newTest()
	r.self(0x61)
	if !r.bit(regIRR, 0x61) || r.bit(regISR, 0x61) {
		t.Error("a request is not in IRR alone")
	}
	r.wantVector(t, 0x61)
	if r.bit(regIRR, 0x61) || !r.bit(regISR, 0x61) {
		t.Error("what is served is not in ISR alone")
	}
	r.set(regEOI, 0)
	if r.bit(regISR, 0x61) || r.intr.Asserted() {
		t.Error("served still after EOI")
	}
}

func TestOnlyAHigherPriorityClassInterruptsAService(t *testing.T) {
	r := newTest()
	r.self(0x61)
	r.wantVector(t, 0x61)
	r.self(0x6f)
	if r.intr.Asserted() {
		t.Error("6Fh interrupts 61h, which is of its class")
	}
	r.self(0x70)
	r.wantVector(t, 0x70)
	if got := r.get(regPPR); got != 0x70 {
		t.Errorf("PPR is %#x while 70h is served, want 0x70", got)
	}
	r.set(regEOI, 0)
	r.set(regEOI, 0)
	r.wantVector(t, 0x6f)
}

func TestTPRHoldsBackItsClassAndBelow(t *testing.T) {
	r := newTest()
	r.set(regTPR, 0x52)
	if got := r.get(regPPR); got != 0x52 {
		t.Errorf("PPR is %#x with nothing served, want TPR", got)
	}
	r.self(0x5f)
	if r.intr.Asserted() {
		t.Error("INTR for 5Fh with TPR 52h")
	}
	r.set(regTPR, 0x4f)
	r.wantVector(t, 0x5f)
}

func TestAHeldBackRequestIsAnsweredByTheSpuriousVector(t *testing.T) {
	r := newTest()
	r.set(regSVR, svrEnable|0xef)
	r.self(0x40)
	r.set(regTPR, 0xf0)
	if v, ok := r.Acknowledge(); !ok || v != 0xef {
		t.Errorf("acknowledged %#x, %t, want the spurious vector EFh", v, ok)
	}
	if r.bit(regISR, 0xef) || !r.bit(regIRR, 0x40) {
		t.Error("the spurious vector is in ISR, or the request is lost")
	}
}

func TestOneShotTimerInterruptsOnce(t *testing.T) {
	r := newTest()
	r.set(regDivide, 0xb) // by 1
	r.set(regTimer, 0x30)
	r.set(regInitial, 1000)
	r.clock.Advance(4 * hw.Microsecond)
	if got := r.get(regCurrent); got != 600 {
		t.Errorf("current count %d after 4 us of 100 MHz, want 600", got)
	}
	r.clock.Advance(6*hw.Microsecond - 1)
	if r.intr.Asserted() {
		t.Error("INTR before the count is over")
	}
	r.clock.Advance(1)
	r.wantVector(t, 0x30)
	r.set(regEOI, 0)
	r.clock.Advance(hw.Second)
	if r.intr.Asserted() || r.get(regCurrent) != 0 {
		t.Errorf("a one-shot timer goes on: current count %d", r.get(regCurrent))
	}
}

func TestPeriodicTimerKeepsItsRate(t *testing.T) {
	r := newTest()
	r.clock.Late = 3 * hw.Microsecond
	r.set(regDivide, 3) // by 16
	r.set(regTimer, 0x30|timerPeriodic)
	r.set(regInitial, 62_500) // 10 ms
	n := 0
	for range 1000 {
		r.clock.Advance(hw.Millisecond)
		if r.intr.Asserted() {
			r.wantVector(t, 0x30)
			r.set(regEOI, 0)
			n++
		}
	}
	if n < 99 || n > 100 {
		t.Errorf("%d interrupts in a second, want 100", n)
	}
}

func TestTimerDividers(t *testing.T) {
	for v, want := range map[uint32]uint32{0: 2, 1: 4, 2: 8, 3: 16, 8: 32, 9: 64, 10: 128, 11: 1} {
		r := newTest()
		r.set(regDivide, v)
		r.set(regInitial, 1_000_000)
		r.clock.Advance(1280 * busTick)
		if got := r.get(regCurrent); got != 1_000_000-1280/want {
			t.Errorf("divide configuration %d counts %d in 1280 clocks, want %d", v, 1_000_000-got, 1280/want)
		}
	}
}

const busTick = hw.Second / BusHz

func TestChangingTheDividerKeepsTheCount(t *testing.T) {
	r := newTest()
	r.set(regDivide, 0xb)
	r.set(regTimer, 0x30)
	r.set(regInitial, 1000)
	r.clock.Advance(400 * busTick)
	r.set(regDivide, 0) // by 2
	if got := r.get(regCurrent); got != 600 {
		t.Errorf("count %d after changing the divider, want 600", got)
	}
	r.clock.Advance(1199 * busTick)
	if r.intr.Asserted() {
		t.Error("INTR early")
	}
	r.clock.Advance(busTick)
	r.wantVector(t, 0x30)
}

func TestACountOfOneInterruptsAtMostOnceAMicrosecond(t *testing.T) {
	r := newTest()
	fired := 0
	r.Local = NewLocal(r.clock, hw.LineFunc(func(bool) { fired++ }), func() {})
	r.set(regSVR, svrEnable|0xff)
	r.set(regDivide, 0xb)
	r.set(regTimer, 0x30|timerPeriodic)
	r.set(regInitial, 1)
	fired = 0
	r.clock.Advance(hw.Millisecond)
	if fired == 0 || fired > 1000 {
		t.Errorf("fired %d times in a millisecond, want up to 1000", fired)
	}
}

func TestAMaskedTimerCountsWithoutInterrupting(t *testing.T) {
	r := newTest()
	r.set(regTimer, 0x30|entryMask|timerPeriodic)
	r.set(regInitial, 1000)
	r.clock.Advance(hw.Second + 100*busTick)
	if r.intr.Asserted() {
		t.Error("INTR though masked")
	}
	if got := r.get(regCurrent); got == 0 || got == 1000 {
		t.Errorf("count %d: a masked timer stands still", got)
	}
	r.set(regTimer, 0x30|timerPeriodic)
	r.clock.Advance(2000 * busTick)
	r.wantVector(t, 0x30)
}

func TestDisablingInSVRMasksTheLVT(t *testing.T) {
	r := newTest()
	r.set(regTimer, 0x30)
	r.set(regSVR, 0xff)
	if got := r.get(regTimer); got != 0x30|entryMask {
		t.Errorf("LVT timer %#x after disabling, want it masked", got)
	}
	r.set(regTimer, 0x30)
	if got := r.get(regTimer); got&entryMask == 0 {
		t.Error("the mask could be cleared while disabled")
	}
	r.set(regSVR, svrEnable|0xff)
	if got := r.get(regTimer); got&entryMask == 0 {
		t.Error("enabling cleared the mask")
	}
}

func TestThe8259AReachesTheProcessor(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(*rig)
		want bool
	}{
		{"while the local APIC is disabled in its SVR", func(r *rig) { r.set(regSVR, 0xff) }, true},
		{"while it is disabled in IA32_APIC_BASE", func(r *rig) { r.SetBase(false) }, true},
		{"once enabled, with LINT0 as it was", func(*rig) {}, true},
		{"in virtual wire mode", func(r *rig) { r.set(regLINT0, uint32(ExtINT)<<entryModeShift) }, true},
		{"in virtual wire mode, whatever TPR says", func(r *rig) {
			r.set(regTPR, 0xff)
			r.set(regLINT0, uint32(ExtINT)<<entryModeShift)
		}, true},
		{"not when LINT0 is masked", func(r *rig) { r.set(regLINT0, entryMask) }, false},
		{"through the I/O APIC", func(r *rig) {
			r.set(regLINT0, entryMask)
			r.io.Line(0).Set(true)
			r.redirect(0, uint64(ExtINT)<<entryModeShift)
		}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newTest()
			r.LINT0().Set(true)
			c.set(r)
			if got := r.intr.Asserted(); got != c.want {
				t.Fatalf("INTR %t, want %t", got, c.want)
			}
			if _, ok := r.Acknowledge(); ok == c.want {
				t.Errorf("Acknowledge has a vector of its own: %t", ok)
			}
			r.LINT0().Set(false)
			r.io.Line(0).Set(false)
			if r.intr.Asserted() {
				t.Error("INTR high after the 8259A lowered it")
			}
		})
	}
}

func TestLINT1IsNMI(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(*rig)
		want int
	}{
		{"by its LVT entry", func(r *rig) { r.set(regLINT1, uint32(NMI)<<entryModeShift) }, 1},
		{"while disabled", func(r *rig) { r.SetBase(false) }, 1},
		{"not when masked", func(*rig) {}, 0},
	} {
		r := newTest()
		c.set(r)
		r.LINT1().Set(true)
		r.LINT1().Set(true)
		if r.nmis != c.want {
			t.Errorf("%s: %d NMIs for one edge, want %d", c.name, r.nmis, c.want)
		}
	}
}

func TestFixedLevelLINTInterruptsAgainAfterEOI(t *testing.T) {
	r := newTest()
	r.set(regLINT0, 0x55|entryLevel)
	r.LINT0().Set(true)
	r.wantVector(t, 0x55)
	if r.get(regLINT0)&entryRemoteIRR == 0 {
		t.Error("no Remote IRR while served")
	}
	r.set(regEOI, 0)
	r.wantVector(t, 0x55)
	r.LINT0().Set(false)
	r.set(regEOI, 0)
	if r.intr.Asserted() {
		t.Error("INTR high with the pin low")
	}
}

func TestInterprocessorInterruptsReachTheirDestination(t *testing.T) {
	const logical = entryLogical
	for _, c := range []struct {
		name              string
		id, ldr, dfr      uint32
		icrHigh, icrLow   uint32
		wantIRR, wantNMIs int
	}{
		{"physical, by ID", 3, 0, 0xf, 3, 0x40, 1, 0},
		{"physical, another's ID", 3, 0, 0xf, 4, 0x40, 0, 0},
		{"physical, broadcast", 3, 0, 0xf, 0xff, 0x40, 1, 0},
		{"logical, flat", 0, 0x01, 0xf, 0x03, logical | 0x40, 1, 0},
		{"logical, flat, no bit in common", 0, 0x04, 0xf, 0x03, logical | 0x40, 0, 0},
		{"logical, cluster", 0, 0x21, 0, 0x23, logical | 0x40, 1, 0},
		{"logical, another cluster", 0, 0x31, 0, 0x23, logical | 0x40, 0, 0},
		{"lowest priority", 0, 0x01, 0xf, 0x01, logical | 1<<8 | 0x40, 1, 0},
		{"all including self", 3, 0, 0xf, 0, 2<<icrShorthand | 0x40, 1, 0},
		{"all excluding self", 0, 0, 0xf, 0, 3<<icrShorthand | 0x40, 0, 0},
		{"NMI", 0, 0, 0xf, 0, 4<<8 | 0x40, 0, 1},
		{"INIT has no effect", 0, 0, 0xf, 0, 5<<8 | 0x40, 0, 0},
		{"start-up has no effect", 0, 0, 0xf, 0, 6<<8 | 0x40, 0, 0},
	} {
		r := newTest()
		r.set(regID, c.id<<24)
		r.set(regLDR, c.ldr<<24)
		r.set(regDFR, c.dfr<<28)
		r.set(regICRHigh, c.icrHigh<<24)
		r.set(regICRLow, c.icrLow)
		if got := r.bit(regIRR, 0x40); got != (c.wantIRR == 1) || r.nmis != c.wantNMIs {
			t.Errorf("%s: in IRR %t, %d NMIs", c.name, got, r.nmis)
		}
		if r.get(regICRLow)&entryStatus != 0 {
			t.Errorf("%s: send pending", c.name)
		}
	}
}

func TestErrorsShowInESROnceItIsWrittenAndInterrupt(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*rig)
		want uint32
	}{
		{"send illegal vector", func(r *rig) { r.self(0x0f) }, esrSendVector},
		{"received illegal vector", func(r *rig) {
			r.redirect(5, 0x05)
			r.io.Line(5).Set(true)
		}, esrReceiveVector},
		{"illegal register address", func(r *rig) { r.get(0x3f0) }, esrRegister},
	} {
		r := newTest()
		r.set(regError, 0xfe)
		c.do(r)
		if got := r.get(regESR); got != 0 {
			t.Errorf("%s: ESR %#x before it was written", c.name, got)
		}
		r.wantVector(t, 0xfe)
		r.set(regESR, 0)
		if got := r.get(regESR); got != c.want {
			t.Errorf("%s: ESR %#x, want %#x", c.name, got, c.want)
		}
		r.set(regESR, 0)
		if got := r.get(regESR); got != 0 {
			t.Errorf("%s: ESR %#x after a second write", c.name, got)
		}
	}
}

func TestAnErrorInterruptWithAnIllegalVectorDoesNotRecurse(t *testing.T) {
	r := newTest()
	r.set(regError, 3)
	r.self(1)
	r.set(regESR, 0)
	if got := r.get(regESR); got != esrSendVector|esrReceiveVector {
		t.Errorf("ESR %#x, want both vector errors", got)
	}
}

func TestDisablingInTheBaseForgetsTheState(t *testing.T) {
	r := newTest()
	r.self(0x40)
	r.SetBase(false)
	if r.intr.Asserted() {
		t.Error("INTR of an APIC that is not there")
	}
	r.SetBase(true)
	if r.bit(regIRR, 0x40) || r.get(regSVR) != 0xff {
		t.Error("state kept over a global disable")
	}
}

func TestTheRepeatedPathsDoNotAllocate(t *testing.T) {
	r := newTest()
	r.redirect(5, entryLevel|0x51)
	line := r.io.Line(5)
	if n := testing.AllocsPerRun(100, func() {
		line.Set(true)
		r.Acknowledge()
		r.set(regInitial, 1000)
		line.Set(false)
		r.set(regEOI, 0)
	}); n != 0 {
		t.Errorf("%v allocations an interrupt", n)
	}
}

func TestLocalStateListIsComplete(t *testing.T) {
	snapshottest.Complete(t, (*localRegs).sync, nil)
}

func TestLoadedTimerGoesOn(t *testing.T) {
	r := newTest()
	r.set(regDivide, 0xb)
	r.set(regTimer, 0x30)
	r.set(regInitial, 1000)
	s := snapshot.NewSaver()
	r.Save(s)
	b, err := s.Close()
	if err != nil {
		t.Fatal(err)
	}
	r.Reset()
	if err := r.Load(snapshot.NewLoader(b)); err != nil {
		t.Fatal(err)
	}
	r.clock.Advance(1000 * busTick)
	r.wantVector(t, 0x30)
}

func FuzzLoadLocal(f *testing.F) {
	seed := newTest()
	seed.self(0x40)
	s := snapshot.NewSaver()
	seed.Save(s)
	b, _ := s.Close()
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		r := newTest()
		if r.Load(snapshot.NewLoader(b)) != nil {
			return
		}
		r.LINT0().Set(true)
		r.Acknowledge()
		r.set(regEOI, 0)
		r.set(regDivide, 0)
		r.get(regCurrent)
		r.clock.Advance(hw.Millisecond)
		s := snapshot.NewSaver()
		r.Save(s)
		b, _ = s.Close()
		if err := r.Load(snapshot.NewLoader(b)); err != nil {
			t.Errorf("state refused that was saved: %v", err)
		}
	})
}

func FuzzRegisters(f *testing.F) {
	f.Add([]byte{0x32, 0, 0, 2, 0x30, 0x38, 0, 0, 0, 9})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := newTest()
		for ; len(b) >= 5; b = b[5:] {
			v := uint32(b[1])<<24 | uint32(b[2])<<16 | uint32(b[3])<<8 | uint32(b[4])
			r.set(uint32(b[0])<<4, v)
			r.get(uint32(b[0]) << 4)
			r.io.Write(ioRegSel, 4, uint32(b[0]))
			r.io.Write(ioWin, 4, v)
			r.io.Line(int(b[1]) % NumInputs).Set(b[2]&1 != 0)
			r.LINT0().Set(b[3]&1 != 0)
			if r.intr.Asserted() {
				r.Acknowledge()
			}
			r.clock.Advance(hw.Microsecond)
			_, ok := r.request()
			if want := ok || r.extINT(); want != r.intr.Asserted() {
				t.Fatalf("INTR %t, the registers say %t", r.intr.Asserted(), want)
			}
		}
	})
}
