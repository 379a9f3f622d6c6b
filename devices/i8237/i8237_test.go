package i8237

import (
	"bytes"
	"testing"

	"github.com/gov86/gov86/hw"
	portio "github.com/gov86/gov86/io"
	"github.com/gov86/gov86/mem"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/snapshot/snapshottest"
)

// A board has devices on channels 2 and 5, with the cascade open.
type board struct {
	pair   *Pair
	memory *mem.Space
	byte   hw.DMAChannel
	word   hw.DMAChannel
	woken  int
}

func newBoard(t testing.TB) *board {
	t.Helper()
	m, err := mem.New(mem.MinRAM)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	b := &board{pair: New(m), memory: m}
	b.byte = b.pair.Channel(2, func() { b.woken++ })
	b.word = b.pair.Channel(5, func() {})
	b.out(1, regSingleMask, 0)
	return b
}

func (b *board) out(i int, reg uint16, v ...uint8) {
	for _, v := range v {
		b.pair.Ports(i).Out(reg<<i, portio.Byte, uint32(v))
	}
}

func (b *board) in(i int, reg uint16) uint8 { return uint8(b.pair.Ports(i).In(reg<<i, portio.Byte)) }

// program sets channel n, 2 or 5, up and unmasks it.
func (b *board) program(n int, mode, page uint8, address, count uint16) {
	i, k := n/4, uint8(n&3)
	b.out(i, regSingleMask, maskBit|k)
	b.out(i, regFlipFlop, 0)
	b.out(i, regMode, mode|k)
	b.out(i, uint16(2*k), uint8(address), uint8(address>>8))
	b.out(i, uint16(2*k)+1, uint8(count), uint8(count>>8))
	port := uint16(1)
	if n == 5 {
		port = 0xb
	}
	b.pair.Pages().Out(port, portio.Byte, uint32(page))
	b.out(i, regSingleMask, k)
}

func (b *board) at(t *testing.T, at mem.Addr, n int) []byte {
	t.Helper()
	p := make([]byte, n)
	if err := b.memory.ReadAt(p, at); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTransfers(t *testing.T) {
	b := newBoard(t)
	p := []byte("eight bytes and more")
	b.program(2, modeWrite, 5, 0x1000, 7)
	if n, tc := b.byte.Move(p[:3], true); n != 3 || tc {
		t.Errorf("moved %d, terminal count %t", n, tc)
	}
	if n, tc := b.byte.Move(p[3:], true); n != 5 || !tc {
		t.Errorf("moved %d, terminal count %t", n, tc)
	}
	if got := b.at(t, 0x51000, 9); string(got) != "eight by\x00" {
		t.Errorf("memory holds %q", got)
	}
	if got := b.in(0, regCommand); got != 1<<2 {
		t.Errorf("status %#x", got)
	}
	if b.in(0, regCommand) != 0 {
		t.Error("reading the status does not clear it")
	}
	if n, _ := b.byte.Move(p, true); n != 0 {
		t.Error("the channel is not masked after its terminal count")
	}
	back := make([]byte, 4)
	b.program(2, modeRead, 5, 0x1004, 3)
	if n, tc := b.byte.Move(back, false); n != 4 || !tc || string(back) != "t by" {
		t.Errorf("read %q, %t", back[:n], tc)
	}
}

func TestAWordChannelMovesWordsWithin128KiB(t *testing.T) {
	b := newBoard(t)
	b.program(5, modeWrite, 3, 0xffff, 1) // bit 0 of the page is not used
	if n, tc := b.word.Move([]byte("abcd"), true); n != 4 || !tc {
		t.Errorf("moved %d, terminal count %t", n, tc)
	}
	if got := b.at(t, 0x3fffe, 2); string(got) != "ab" {
		t.Errorf("the last word is %q", got)
	}
	if got := b.at(t, 0x20000, 2); string(got) != "cd" {
		t.Errorf("the first word is %q", got)
	}
}

func TestTheAddressWrapsAndDecrements(t *testing.T) {
	b := newBoard(t)
	b.program(2, modeWrite, 4, 0xfffe, 3)
	b.byte.Move([]byte("wrap"), true)
	if string(b.at(t, 0x4fffe, 2))+string(b.at(t, 0x40000, 2)) != "wrap" {
		t.Error("the address did not wrap within its page")
	}
	b.program(2, modeWrite|modeDecrement, 4, 0x103, 3)
	b.byte.Move([]byte("down"), true)
	if got := b.at(t, 0x40100, 4); string(got) != "nwod" {
		t.Errorf("decrementing left %q", got)
	}
}

func TestAutoinitializeStartsOver(t *testing.T) {
	b := newBoard(t)
	b.program(2, modeWrite|modeAutoinit, 1, 0, 3)
	for range 2 {
		if n, tc := b.byte.Move([]byte("again"), true); n != 4 || !tc {
			t.Errorf("moved %d, terminal count %t", n, tc)
		}
	}
	if b.in(0, regAllMask)&4 != 0 {
		t.Error("the channel is masked")
	}
	b.out(0, regFlipFlop, 0)
	if lo, hi := b.in(0, 5), b.in(0, 5); lo != 3 || hi != 0 {
		t.Errorf("count %#x%02x", hi, lo)
	}
}

func TestAVerifyMovesNothing(t *testing.T) {
	b := newBoard(t)
	b.program(2, modeVerify, 1, 0, 3)
	if n, tc := b.byte.Move([]byte("none"), true); n != 4 || !tc || !bytes.Equal(b.at(t, 0x10000, 4), make([]byte, 4)) {
		t.Errorf("moved %d, terminal count %t", n, tc)
	}
}

func TestWhatHoldsAChannelBack(t *testing.T) {
	for name, c := range map[string]struct{ hold, release func(*board) }{
		"its mask":              {func(b *board) { b.out(0, regSingleMask, maskBit|2) }, func(b *board) { b.out(0, regSingleMask, 2) }},
		"all masks":             {func(b *board) { b.out(0, regAllMask, 15) }, func(b *board) { b.out(0, regClearMask, 0) }},
		"a disabled controller": {func(b *board) { b.out(0, regCommand, commandDisable) }, func(b *board) { b.out(0, regCommand, 0) }},
		"the cascade":           {func(b *board) { b.out(1, regSingleMask, maskBit) }, func(b *board) { b.out(1, regSingleMask, 0) }},
	} {
		b := newBoard(t)
		b.program(2, modeWrite, 1, 0, 9)
		c.hold(b)
		b.woken = 0
		if n, _ := b.byte.Move([]byte("held"), true); n != 0 {
			t.Errorf("%s does not hold the channel back", name)
		}
		c.release(b)
		if b.woken == 0 {
			t.Errorf("%s: the device is not told", name)
		}
		if n, _ := b.byte.Move([]byte("held"), true); n != 4 {
			t.Errorf("%s: moved %d", name, n)
		}
	}
}

func TestMemoryThatIsNotThereReadsAsOnes(t *testing.T) {
	b := newBoard(t)
	b.program(2, modeRead, 0xf0, 0, 3)
	p := make([]byte, 4)
	if n, tc := b.byte.Move(p, false); n != 4 || !tc || p[0] != 0xff {
		t.Errorf("%x", p[:n])
	}
}

func TestStateListIsComplete(t *testing.T) { snapshottest.Complete(t, (*state).sync, nil) }

func FuzzLoad(f *testing.F) {
	b := newBoard(f)
	b.program(2, modeWrite, 1, 0, 9)
	s := snapshot.NewSaver()
	b.pair.Save(s)
	saved, _ := s.Close()
	f.Add(saved)
	f.Fuzz(func(t *testing.T, p []byte) {
		b := newBoard(t)
		if b.pair.Load(snapshot.NewLoader(p)) == nil {
			b.byte.Move(make([]byte, 70000), true)
			b.word.Move(make([]byte, 70001), false)
		}
	})
}
