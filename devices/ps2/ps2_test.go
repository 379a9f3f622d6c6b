package ps2

import (
	"bytes"
	"testing"

	"github.com/gov86/gov86/hw"
	"github.com/gov86/gov86/hw/hwtest"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/snapshot/snapshottest"
)

type rig struct {
	*Controller
	clock      *hwtest.Clock
	irq1       *hwtest.Line
	irq12      *hwtest.Line
	gateA20    bool
	resets     int
	data, ctrl portio.Handler
}

func newTest() *rig {
	r := &rig{clock: &hwtest.Clock{}, irq1: &hwtest.Line{}, irq12: &hwtest.Line{}}
	r.Controller = New(r.clock, r.irq1, r.irq12, func(open bool) { r.gateA20 = open }, func() { r.resets++ })
	r.data, r.ctrl = r.Data(), r.Command()
	r.clock.Advance(hw.Second)
	return r
}

// raw turns the translation off.
func (r *rig) raw() *rig {
	r.command(writeRAM)
	r.write(cmdInterrupt | cmdAuxInterrupt)
	return r
}

func (r *rig) command(v uint32)   { r.ctrl.Out(0, portio.Byte, v) }
func (r *rig) write(v uint32)     { r.data.Out(0, portio.Byte, v) }
func (r *rig) read() uint8        { return uint8(r.data.In(0, portio.Byte)) }
func (r *rig) status() uint8      { return uint8(r.ctrl.In(0, portio.Byte)) }
func (r *rig) toMouse(v uint32)   { r.command(writeAux); r.write(v) }
func (r *rig) has(bit uint8) bool { return r.status()&bit != 0 }

// drain reads what comes, as a driver with time does.
func (r *rig) drain() []byte {
	var got []byte
	for range 100 {
		if !r.has(statusOutputFull) {
			r.clock.Advance(byteTime)
		}
		if !r.has(statusOutputFull) {
			break
		}
		got = append(got, r.read())
	}
	return got
}

func (r *rig) want(t *testing.T, what string, want ...byte) {
	t.Helper()
	if got := r.drain(); !bytes.Equal(got, want) {
		t.Errorf("%s: % x, want % x", what, got, want)
	}
}

func TestControllerCommands(t *testing.T) {
	for _, c := range []struct {
		name string
		cmds []uint32
		want byte
	}{
		{"self test", []uint32{selfTest}, 0x55},
		{"keyboard interface test", []uint32{testKeyboard}, 0},
		{"auxiliary interface test", []uint32{testAux}, 0},
		{"read command byte", []uint32{readRAM}, cmdInterrupt | cmdSystem | cmdAuxDisabled | cmdTranslate},
		{"disable keyboard", []uint32{disableKbd, readRAM}, 0x75},
		{"enable keyboard", []uint32{disableKbd, enableKbd, readRAM}, 0x65},
		{"enable auxiliary", []uint32{enableAux, readRAM}, 0x45},
		{"disable auxiliary", []uint32{enableAux, disableAux, readRAM}, 0x65},
		{"test password", []uint32{testPassword}, 0xf1},
		{"read input port", []uint32{readInput}, 0x80},
		{"read output port", []uint32{readOutput}, 0xc3},
		{"close A20", []uint32{closeA20, readOutput}, 0xc1},
	} {
		r := newTest()
		for _, cmd := range c.cmds {
			r.command(cmd)
		}
		if !r.has(statusOutputFull) || r.has(statusAux) {
			t.Errorf("%s: status %#x", c.name, r.status())
		}
		if got := r.read(); got != c.want {
			t.Errorf("%s: %#x, want %#x", c.name, got, c.want)
		}
		if r.has(statusOutputFull) {
			t.Errorf("%s: output buffer full after reading", c.name)
		}
	}
}

func TestStatusTellsCommandsFromData(t *testing.T) {
	r := newTest()
	r.command(enableKbd)
	if !r.has(statusCommand) {
		t.Error("A2 clear after a command")
	}
	r.write(kbdEcho)
	if r.has(statusCommand) {
		t.Error("A2 set after data")
	}
}

func TestControllerRAM(t *testing.T) {
	r := newTest()
	r.command(writeRAM + 5)
	r.write(0xa5)
	r.command(readRAM + 5)
	r.want(t, "byte 5", 0xa5)
}

func TestOutputPortDrivesA20AndReset(t *testing.T) {
	r := newTest()
	r.command(writeOutput)
	r.write(outputNoReset)
	if r.gateA20 || r.resets != 0 {
		t.Errorf("A20 open %t, %d resets after closing the gate", r.gateA20, r.resets)
	}
	r.command(writeOutput)
	r.write(outputNoReset | outputA20)
	if !r.gateA20 {
		t.Error("A20 closed after opening the gate")
	}
	r.command(0xfe)
	r.command(0xff)
	if r.resets != 1 {
		t.Errorf("%d resets after pulsing line 0 and then none, want 1", r.resets)
	}
}

func TestWritingTheOutputBuffersLooksLikeADevice(t *testing.T) {
	r := newTest().raw()
	r.command(writeKbdBuf)
	r.write(0x12)
	if !r.irq1.Asserted() || r.irq12.Asserted() || r.has(statusAux) {
		t.Error("D2h is not a byte of the keyboard")
	}
	r.want(t, "keyboard output buffer", 0x12)
	r.command(writeAuxBuf)
	r.write(0x34)
	if r.irq1.Asserted() || !r.irq12.Asserted() || !r.has(statusAux) {
		t.Error("D3h is not a byte of the mouse")
	}
	r.want(t, "auxiliary output buffer", 0x34)
	if r.irq12.Asserted() {
		t.Error("IRQ 12 high after reading")
	}
}

func TestEachByteInterruptsAnew(t *testing.T) {
	r := newTest()
	r.Key(0x04, true)
	r.Key(0x04, false)
	if r.irq1.Rises != 1 {
		t.Errorf("%d edges before the first byte was read, want 1", r.irq1.Rises)
	}
	if a, again := r.read(), r.read(); a != 0x1e || again != a {
		t.Errorf("read %#x and then %#x, want 0x1e both times: the next byte takes its time", a, again)
	}
	if r.irq1.Asserted() {
		t.Error("IRQ 1 high after reading")
	}
	r.clock.Advance(byteTime)
	if r.irq1.Rises != 2 || r.read() != 0x9e {
		t.Errorf("%d edges, want 2", r.irq1.Rises)
	}
}

func TestInterruptsFollowTheCommandByte(t *testing.T) {
	r := newTest()
	r.command(writeRAM)
	r.write(0)
	r.Key(0x04, true)
	if r.irq1.Asserted() {
		t.Error("IRQ 1 while disabled")
	}
	r.command(writeRAM)
	r.write(cmdInterrupt)
	if !r.irq1.Asserted() {
		t.Error("IRQ 1 low after enabling it with a byte there")
	}
}

func TestADisabledPortHoldsItsDevice(t *testing.T) {
	r := newTest()
	r.command(disableKbd)
	r.Key(0x04, true)
	r.clock.Advance(hw.Millisecond)
	if r.has(statusOutputFull) {
		t.Error("a byte from a disabled keyboard")
	}
	r.command(enableKbd)
	r.want(t, "after enabling", 0x1e)
}

func TestTheControllersAnswerComesBeforeTheKeyboards(t *testing.T) {
	r := newTest()
	r.Key(0x04, true)
	r.Key(0x04, false)
	r.command(readRAM)
	r.want(t, "scan code, answer, scan code", 0x1e, 0x65, 0x9e)
}

func TestStateListIsComplete(t *testing.T) { snapshottest.Complete(t, (*regs).sync, nil) }

func save(t *testing.T, r *rig) []byte {
	t.Helper()
	s := snapshot.NewSaver()
	r.Save(s)
	b, err := s.Close()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAByteOnItsWaySurvivesASave(t *testing.T) {
	r := newTest()
	r.Key(0x04, true)
	r.Key(0x04, false)
	r.read()
	b := save(t, r)
	n := newTest()
	if err := n.Load(snapshot.NewLoader(b)); err != nil {
		t.Fatal(err)
	}
	n.want(t, "after loading", 0x9e)
}

func TestTheRepeatedPathsDoNotAllocate(t *testing.T) {
	r := newTest()
	r.toMouse(mouseEnable)
	r.drain()
	if n := testing.AllocsPerRun(100, func() {
		r.Controller.Key(usagePause, true)
		r.Controller.Key(usagePause, false)
		r.Controller.Mouse(3, 4, 0, 0)
		for range 20 {
			r.status()
			r.read()
			r.ready = 0
			r.update()
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzLoad(f *testing.F) {
	s := snapshot.NewSaver()
	newTest().Save(s)
	b, _ := s.Close()
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		r := newTest()
		if r.Load(snapshot.NewLoader(b)) != nil {
			return
		}
		r.Key(0x04, true)
		r.Mouse(1, 2, 3, 4)
		r.write(1)
		r.toMouse(100)
		r.drain()
	})
}

// FuzzPorts has a guest write anything to the ports, and expects the lines to
// agree with the status and the queues to stay within their bounds.
func FuzzPorts(f *testing.F) {
	f.Add([]byte{1, 0xd4, 0, 0xf4, 3, 5, 2, 4})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := newTest()
		for ; len(b) >= 2; b = b[2:] {
			switch v := uint32(b[1]); b[0] & 7 {
			case 0:
				r.write(v)
			case 1:
				r.command(v)
			case 2:
				r.Key(uint16(v), b[0]&8 != 0)
			case 3:
				r.Mouse(int(v), -int(v), int(v), uint8(v))
			case 4:
				r.clock.Advance(hw.Time(v) * 100 * hw.Microsecond)
			default:
				r.read()
			}
			full, aux := r.has(statusOutputFull), r.has(statusAux)
			if r.irq1.Asserted() && (!full || aux) || r.irq12.Asserted() && !aux {
				t.Fatalf("status %#x, IRQ 1 %t, IRQ 12 %t", r.status(), r.irq1.Asserted(), r.irq12.Asserted())
			}
			if err := r.Load(snapshot.NewLoader(save(t, r))); err != nil {
				t.Fatalf("state refused that was saved: %v", err)
			}
		}
	})
}
