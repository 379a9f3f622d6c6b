package vmmouse

import (
	"testing"

	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/snapshot/snapshottest"
)

type rig struct {
	*Pointer
	r      Registers
	nudged int
}

func newRig() *rig {
	x := &rig{}
	x.Pointer = New(func() Registers { return x.r }, func(r Registers) { x.r = r }, func() { x.nudged++ })
	return x
}

// call is IN EAX, DX as a driver does it.
func (x *rig) call(command, ebx uint32) Registers {
	x.r = Registers{EAX: magic, EBX: ebx, ECX: command, EDX: Port}
	x.r.EAX = x.In(0, portio.DWord)
	return x.r
}

// enabled is a rig after a driver's set-up, in its order.
func enabled(t *testing.T) *rig {
	t.Helper()
	x := newRig()
	if r := x.call(getVersion, ^uint32(magic)); r.EBX != magic || r.EAX == noSuchCommand {
		t.Fatalf("version: EAX %#x, EBX %#x", r.EAX, r.EBX)
	}
	x.call(pointerCommand, pointerEnable)
	if r := x.call(pointerStatus, 0); r.EAX != 1 {
		t.Fatalf("status after an enable is %#x, want a word", r.EAX)
	}
	if r := x.call(pointerData, 1); r.EAX != pointerID {
		t.Fatalf("the first word is %#x", r.EAX)
	}
	x.call(pointerCommand, requestAbsolute)
	return x
}

func TestADriverReadsWhereThePointerIs(t *testing.T) {
	x := enabled(t)
	if !x.Absolute() {
		t.Fatal("not absolute")
	}
	x.Place(0x1234, 0xffff, 0, 1)
	x.Place(0x1235, 0, -1, 6)
	if x.nudged != 2 {
		t.Errorf("nudged %d times, want 2", x.nudged)
	}
	for _, want := range [][4]uint32{{leftButton, 0x1234, 0xffff, 0}, {rightButton | middleButton, 0x1235, 0, 1}} {
		r := x.call(pointerData, 4)
		if got := [4]uint32{r.EAX, r.EBX, r.ECX, r.EDX}; got != want {
			t.Errorf("packet %#x, want %#x", got, want)
		}
	}
	if r := x.call(pointerStatus, 0); r.EAX != 0 {
		t.Errorf("status %#x after reading all", r.EAX)
	}
}

func TestOnlyTheLastOfSeveralPlacesWaits(t *testing.T) {
	x := enabled(t)
	for i := range uint16(1000) {
		x.Place(i, 2*i, 0, 0)
	}
	if r := x.call(pointerStatus, 0); r.EAX != 4 {
		t.Fatalf("%d words wait, want a packet", r.EAX)
	}
	if r := x.call(pointerData, 4); r.EBX != 999 {
		t.Errorf("x is %d, want the last", r.EBX)
	}
}

func TestAGuestThatIsAwayDoesNotFillMemory(t *testing.T) {
	x := enabled(t)
	for i := range 1000 {
		x.Place(0, 0, 0, uint8(i&7))
		x.Move(1, 1, 0, 0)
	}
	if r := x.call(pointerStatus, 0); r.EAX != maxWords {
		t.Errorf("%d words wait, want %d", r.EAX, maxWords)
	}
}

func TestMovementIsMarkedRelative(t *testing.T) {
	x := enabled(t)
	x.Move(-3, 5, 0, 0)
	r := x.call(pointerData, 4)
	if r.EAX != relativePacket || int32(r.EBX) != -3 || int32(r.ECX) != -5 {
		t.Errorf("packet %#x, %d, %d, want relative, 3 to the left and 5 down, where up is positive", r.EAX, int32(r.EBX), int32(r.ECX))
	}
}

func TestADisabledPointerSaysSo(t *testing.T) {
	x := enabled(t)
	x.call(pointerCommand, pointerDisable)
	x.Place(1, 1, 0, 0)
	if r := x.call(pointerStatus, 0); r.EAX != pointerError || x.Absolute() {
		t.Errorf("status %#x, want an error", r.EAX)
	}
	x = enabled(t)
	if r := x.call(pointerData, 4); r.EAX != noSuchCommand {
		t.Errorf("reading what is not there gives %#x", r.EAX)
	}
	if r := x.call(pointerStatus, 0); r.EAX != pointerError {
		t.Error("enabled after a driver was out of step")
	}
}

func TestOtherReadsFindNothing(t *testing.T) {
	x := newRig()
	for _, c := range []struct {
		off uint16
		w   portio.Width
		eax uint32
	}{{0, portio.DWord, 0}, {0, portio.Word, magic}, {1, portio.Byte, magic}} {
		x.r = Registers{EAX: c.eax, ECX: getVersion}
		if got := x.In(c.off, c.w); got != noSuchCommand || x.r.EBX != 0 {
			t.Errorf("%+v: EAX %#x, EBX %#x", c, got, x.r.EBX)
		}
	}
	if r := x.call(99, 0); r.EAX != noSuchCommand {
		t.Errorf("command 99 gives %#x", r.EAX)
	}
}

func TestStateListIsComplete(t *testing.T) { snapshottest.Complete(t, (*regs).sync, nil) }

func FuzzLoad(f *testing.F) {
	x := newRig()
	s := snapshot.NewSaver()
	x.Save(s)
	b, err := s.Close()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		x := newRig()
		if x.Load(snapshot.NewLoader(b)) != nil {
			return
		}
		x.Place(1, 2, 3, 4)
		for range 10 {
			x.call(pointerData, 6)
			x.call(pointerStatus, 0)
		}
	})
}
