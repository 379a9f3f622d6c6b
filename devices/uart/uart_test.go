package uart

import (
	"bytes"
	"testing"

	"github.com/gov86/gov86/hw"
	"github.com/gov86/gov86/hw/hwtest"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/snapshot/snapshottest"
)

// wire is an output that can be made busy.
type wire struct {
	bytes.Buffer
	busy bool
}

func (w *wire) Put(b byte) bool {
	if w.busy {
		return false
	}
	w.WriteByte(b)
	return true
}

func newTest() (*UART, *hwtest.Line, *hwtest.Clock, *wire) {
	line, clock, out := &hwtest.Line{}, &hwtest.Clock{}, &wire{}
	u := New(clock, line, out)
	u.Out(regMCR, portio.Byte, mcrOUT2|mcrRTS)
	return u, line, clock, out
}

func TestEnablingTHREWhileEmptyInterrupts(t *testing.T) {
	u, line, _, _ := newTest()
	u.Out(regIER, portio.Byte, ierTHRE)
	if !line.Asserted() {
		t.Error("INTR low after enabling THRE with nothing to send")
	}
	if got := u.In(regIIR, portio.Byte); got != iirTHRE {
		t.Errorf("IIR = %#02x, want %#02x", got, iirTHRE)
	}
	if line.Asserted() {
		t.Error("INTR high after reading IIR, which acknowledges THRE")
	}
}

func TestFIFOInterruptsAtItsTriggerAndAfterATimeout(t *testing.T) {
	u, line, clock, _ := newTest()
	u.Out(regIIR, portio.Byte, fcrEnable|2<<6) // eight bytes
	u.Out(regIER, portio.Byte, ierRDA)
	u.Receive([]byte("1234567"))
	if line.Asserted() {
		t.Error("INTR high below the trigger level")
	}
	u.Receive([]byte("8"))
	if got := u.In(regIIR, portio.Byte); !line.Asserted() || got != iirFIFO|iirRDA {
		t.Errorf("at the trigger level INTR %t, IIR %#x", line.Asserted(), got)
	}
	u.In(regRBR, portio.Byte)
	if line.Asserted() {
		t.Error("INTR high after falling below the trigger level")
	}
	clock.Advance(10 * hw.Millisecond)
	if got := u.In(regIIR, portio.Byte); !line.Asserted() || got != iirFIFO|iirTime {
		t.Errorf("after the time-out INTR %t, IIR %#x", line.Asserted(), got)
	}
}

func TestTheHostSendsOnlyWhileRTSIsUp(t *testing.T) {
	u, line, _, _ := newTest()
	u.Out(regIER, portio.Byte, ierRDA)
	for _, mcr := range []uint32{mcrOUT2, mcrOUT2 | mcrDTR, mcrOUT2 | mcrRTS | mcrLoop} {
		u.Out(regMCR, portio.Byte, mcr)
		u.Receive([]byte("a"))
		if u.In(regLSR, portio.Byte)&lsrDR != 0 {
			t.Errorf("data received with MCR %#02x", mcr)
		}
	}
	u.Out(regIIR, portio.Byte, fcrEnable|fcrResetRx) // as a driver opens the port
	u.Out(regMCR, portio.Byte, mcrOUT2|mcrRTS)
	if !line.Asserted() {
		t.Error("INTR low when RTS rises with data waiting")
	}
	for range 3 {
		if got := u.In(regRBR, portio.Byte); got != 'a' {
			t.Errorf("RBR = %#02x, want what was sent before RTS rose", got)
		}
	}
}

func TestAHostThatIgnoresRTSSendsAlways(t *testing.T) {
	u, _, _, _ := newTest()
	u.IgnoreRTS()
	u.Receive([]byte("a"))
	if got := u.In(regRBR, portio.Byte); got != 'a' {
		t.Errorf("RBR = %#02x without RTS", got)
	}
	u.Out(regMCR, portio.Byte, mcrLoop)
	u.Receive([]byte("b"))
	if u.In(regLSR, portio.Byte)&lsrDR != 0 {
		t.Error("data received in loopback")
	}
}

func TestNoInputIsLostWhenTheGuestIsSlow(t *testing.T) {
	u, _, _, _ := newTest()
	u.Out(regIIR, portio.Byte, fcrEnable)
	sent := bytes.Repeat([]byte("0123456789"), 1000)
	var got []byte
	for rest := sent; len(got) < len(sent); {
		rest = rest[u.Receive(rest):]
		for u.In(regLSR, portio.Byte)&lsrDR != 0 {
			got = append(got, byte(u.In(regRBR, portio.Byte)))
		}
	}
	if !bytes.Equal(got, sent) {
		t.Error("bytes differ")
	}
}

func TestBusyOutputKeepsTheTransmitterFull(t *testing.T) {
	u, _, _, out := newTest()
	out.busy = true
	u.Out(regRBR, portio.Byte, 'x')
	if u.In(regLSR, portio.Byte)&(lsrTHRE|lsrTEMT) != 0 {
		t.Error("LSR says empty with a byte waiting")
	}
	out.busy = false
	u.Ready()
	if out.String() != "x" || u.In(regLSR, portio.Byte)&lsrTEMT == 0 {
		t.Errorf("sent %q", out.String())
	}
}

func TestLoopbackConnectsModemOutputsToInputs(t *testing.T) {
	u, _, _, out := newTest()
	u.Out(regMCR, portio.Byte, mcrLoop|mcrRTS|mcrOUT2)
	if got := u.In(regMSR, portio.Byte) & 0xf0; got != CTS|DCD {
		t.Errorf("MSR = %#x, want CTS and DCD", got)
	}
	u.Out(regRBR, portio.Byte, 0x5a)
	if got := u.In(regRBR, portio.Byte); got != 0x5a || out.Len() != 0 {
		t.Errorf("read %#x, %d bytes left the chip", got, out.Len())
	}
}

func TestModemDeltasAreClearedByReading(t *testing.T) {
	u, line, _, _ := newTest()
	u.Out(regIER, portio.Byte, ierMS)
	u.SetModem(DSR | DCD)
	if !line.Asserted() {
		t.Error("INTR low after CTS changed")
	}
	if got := u.In(regMSR, portio.Byte); got != DSR|DCD|1 {
		t.Errorf("MSR = %#x, want DSR, DCD and DCTS", got)
	}
	if line.Asserted() || u.In(regMSR, portio.Byte)&15 != 0 {
		t.Error("delta left after reading MSR")
	}
}

func TestOUT2GatesTheInterrupt(t *testing.T) {
	u, line, _, _ := newTest()
	u.Out(regMCR, portio.Byte, 0)
	u.Out(regIER, portio.Byte, ierTHRE)
	if line.Asserted() {
		t.Error("interrupt without OUT2")
	}
}

func TestInterruptsAreIdentifiedByPriority(t *testing.T) {
	u, line, _, _ := newTest()
	u.Out(regIER, portio.Byte, ierRDA|ierTHRE|ierRLS|ierMS)
	u.SetModem(DSR | DCD)
	u.Break() // a null character and a line status
	for _, c := range []struct {
		name  string
		want  uint32
		clear uint16
	}{
		{"receiver line status", iirRLS, regLSR},
		{"received data available", iirRDA, regRBR},
		{"transmitter holding register empty", iirTHRE, regIIR},
		{"modem status", iirMS, regMSR},
	} {
		if !line.Asserted() {
			t.Errorf("%s: INTR low", c.name)
		}
		if got := u.In(regIIR, portio.Byte); got != c.want {
			t.Errorf("%s: IIR %#x, want %#x", c.name, got, c.want)
		}
		if c.clear != regIIR {
			u.In(c.clear, portio.Byte)
		}
	}
	if got := u.In(regIIR, portio.Byte); got != iirNone || line.Asserted() {
		t.Errorf("IIR %#x, INTR %t when all was served", got, line.Asserted())
	}
}

func TestABreakIsANullCharacterWithAnError(t *testing.T) {
	for _, c := range []struct{ fcr, want uint32 }{
		{0, lsrDR | lsrBI | lsrTHRE | lsrTEMT},
		{fcrEnable, lsrDR | lsrBI | lsrTHRE | lsrTEMT | lsrFIFO},
	} {
		u, _, _, _ := newTest()
		u.Out(regIIR, portio.Byte, c.fcr)
		u.Break()
		if got := u.In(regLSR, portio.Byte); got != c.want {
			t.Errorf("FCR %#x: LSR %#x, want %#x", c.fcr, got, c.want)
		}
		if got := u.In(regLSR, portio.Byte); got != lsrDR|lsrTHRE|lsrTEMT {
			t.Errorf("FCR %#x: LSR %#x read again, want the error gone", c.fcr, got)
		}
		if got := u.In(regRBR, portio.Byte); got != 0 {
			t.Errorf("FCR %#x: RBR %#x, want 0", c.fcr, got)
		}
	}
}

func TestAFullReceiverOverruns(t *testing.T) {
	for _, c := range []struct {
		fcr   uint32
		depth int
	}{{0, 1}, {fcrEnable, fifoSize}} {
		u, _, _, _ := newTest()
		u.Out(regIIR, portio.Byte, c.fcr)
		u.Out(regMCR, portio.Byte, mcrLoop)
		for i := range c.depth {
			u.Out(regRBR, portio.Byte, uint32(i))
		}
		if u.In(regLSR, portio.Byte)&lsrOE != 0 {
			t.Errorf("FCR %#x: overrun with room for all", c.fcr)
		}
		u.Out(regRBR, portio.Byte, 0xff)
		if u.In(regLSR, portio.Byte)&lsrOE == 0 {
			t.Errorf("FCR %#x: no overrun", c.fcr)
		}
	}
}

func TestDLABGivesTheDivisorLatch(t *testing.T) {
	u, _, _, out := newTest()
	u.Out(regIER, portio.Byte, ierRDA)
	u.Out(regLCR, portio.Byte, lcrDLAB|3)
	u.Out(regRBR, portio.Byte, 0x34)
	u.Out(regIER, portio.Byte, 0x12)
	if lo, hi := u.In(regRBR, portio.Byte), u.In(regIER, portio.Byte); lo != 0x34 || hi != 0x12 || out.Len() != 0 {
		t.Errorf("divisor %#x%02x, %d bytes sent", hi, lo, out.Len())
	}
	u.Out(regLCR, portio.Byte, 3)
	if got := u.In(regIER, portio.Byte); got != ierRDA {
		t.Errorf("IER %#x after the divisor was written, want %#x", got, ierRDA)
	}
}

func TestScratchKeepsWhatIsWritten(t *testing.T) {
	u, _, _, _ := newTest()
	u.Out(regSCR, portio.Byte, 0x5a)
	if got := u.In(regSCR, portio.Byte); got != 0x5a {
		t.Errorf("SCR %#x", got)
	}
}

func TestABusyTransmitterLosesNothingToADriverThatWaits(t *testing.T) {
	u, line, _, out := newTest()
	u.Out(regIIR, portio.Byte, fcrEnable)
	u.Out(regIER, portio.Byte, ierTHRE)
	u.In(regIIR, portio.Byte)
	out.busy = true
	for i := range fifoSize {
		u.Out(regRBR, portio.Byte, uint32('a'+i))
	}
	u.Out(regRBR, portio.Byte, '!') // without waiting
	if line.Asserted() || u.In(regLSR, portio.Byte)&lsrTHRE != 0 {
		t.Error("THRE with the host busy")
	}
	out.busy = false
	u.Ready()
	if got := out.String(); got != "abcdefghijklmnop" || !line.Asserted() {
		t.Errorf("sent %q, INTR %t", got, line.Asserted())
	}
}

func TestBytesDoNotAllocate(t *testing.T) {
	u, _, _, _ := newTest()
	u.out = nil
	u.Out(regIIR, portio.Byte, fcrEnable|3<<6)
	u.Out(regIER, portio.Byte, ierRDA|ierTHRE)
	p := []byte("0123456789abcdef0123456789abcdef")
	if n := testing.AllocsPerRun(100, func() {
		u.Receive(p)
		for range p {
			u.Out(regRBR, portio.Byte, u.In(regRBR, portio.Byte))
			u.In(regIIR, portio.Byte)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestBytesOnTheirWaySurviveASave(t *testing.T) {
	u, _, _, _ := newTest()
	u.Receive([]byte("login"))
	s := snapshot.NewSaver()
	u.Save(s)
	b, _ := s.Close()
	n, _, _, _ := newTest()
	if err := n.Load(snapshot.NewLoader(b)); err != nil {
		t.Fatal(err)
	}
	var got []byte
	for n.In(regLSR, portio.Byte)&lsrDR != 0 {
		got = append(got, byte(n.In(regRBR, portio.Byte)))
	}
	if string(got) != "login" {
		t.Errorf("%q, want what was typed before the save", got)
	}
}

func TestStateListIsComplete(t *testing.T) { snapshottest.Complete(t, (*regs).sync, nil) }

func FuzzLoad(f *testing.F) {
	u, _, _, _ := newTest()
	s := snapshot.NewSaver()
	u.Save(s)
	b, _ := s.Close()
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if u.Load(snapshot.NewLoader(b)) == nil {
			u.Receive([]byte("abc"))
			for off := range uint16(8) {
				u.In(off, portio.Byte)
			}
		}
	})
}
