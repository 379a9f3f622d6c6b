package mem

import (
	"bytes"
	"testing"

	"github.com/gov86/gov86/snapshot"
)

func newBank(t testing.TB, size int) *Bank {
	t.Helper()
	b, err := NewBank(size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func TestABankKnowsItsWrittenPages(t *testing.T) {
	b := newBank(t, 300*PageSize)
	woken := 0
	b.OnDirty(func() { woken++ })
	b.Touch(70*PageSize-1, 2)
	b.Touch(299*PageSize, 1)
	if woken != 1 {
		t.Errorf("told %d times that the bank is dirty, want once", woken)
	}
	s := b.Harvest(nil)
	for _, c := range []struct {
		off, n int
		want   bool
	}{
		{0, 69 * PageSize, false}, {0, 69*PageSize + 1, true}, {69*PageSize + 5, 1, true}, {70 * PageSize, PageSize, true},
		{71 * PageSize, 228 * PageSize, false}, {71 * PageSize, 229 * PageSize, true}, {299 * PageSize, 1, true},
	} {
		if got := s.Overlaps(c.off, c.n); got != c.want {
			t.Errorf("%d bytes at %#x written: %v", c.n, c.off, got)
		}
	}
	if b.Harvest(s).Overlaps(0, 300*PageSize) {
		t.Error("pages are dirty twice")
	}
	b.Touch(0, 1)
	if woken != 2 {
		t.Error("not told that the bank is dirty anew")
	}
}

func TestABankIsSavedWithoutItsZeros(t *testing.T) {
	b, other := newBank(t, 8*PageSize), newBank(t, 8*PageSize)
	copy(b.Bytes()[3*PageSize:], "hello")
	other.Bytes()[0] = 1
	s := snapshot.NewSaver()
	b.Save(s)
	saved, _ := s.Close()
	if len(saved) > PageSize+100 {
		t.Errorf("%d bytes saved, of which a page is not zero", len(saved))
	}
	if err := other.Load(snapshot.NewLoader(saved[:len(saved)-5])); err == nil || other.Bytes()[0] != 1 {
		t.Errorf("half a state loads with error %v", err)
	}
	if err := other.Load(snapshot.NewLoader(saved)); err != nil || !bytes.Equal(b.Bytes(), other.Bytes()) {
		t.Errorf("loaded with error %v, equal %v", err, bytes.Equal(b.Bytes(), other.Bytes()))
	}
}

func TestABankIsDirectAfterTheFirstWrite(t *testing.T) {
	s, err := New(MinRAM)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const at = 0xe0000000
	b := newBank(t, 16*PageSize)
	if err := s.MapBank(at, 16*PageSize, b, 0); err != nil {
		t.Fatal(err)
	}
	if err := s.MapBank(0xa0000, 4*PageSize, b, 8*PageSize); err != nil {
		t.Fatal(err)
	}
	if err := s.MapBank(at+15*PageSize, PageSize, b, 0); err == nil {
		t.Error("two windows in one place")
	}
	var protected, moved [][2]uint32
	s.OnProtect(func(first, last uint32) { protected = append(protected, [2]uint32{first, last}) })
	s.OnMove(func(first, last uint32) { moved = append(moved, [2]uint32{first, last}) })

	if s.Page(at, false) == nil || s.Page(at, true) != nil {
		t.Error("a clean page is to be read directly, and not to be written")
	}
	s.Write(at+9*PageSize, 4, 0x12345678)
	if !s.Opened() || s.Opened() {
		t.Error("the first write is to open the page once")
	}
	s.Write(at+9*PageSize, 4, 0x12345679)
	if s.Opened() {
		t.Error("the second write opened the page")
	}
	if s.Page(at+9*PageSize, true) == nil || s.Page(0xa1000, true) == nil || s.Page(at, true) != nil {
		t.Error("a page that was written is to be written directly, wherever it is seen, and no other")
	}
	if got := s.Read(0xa1000, 4); got != 0x12345679 {
		t.Errorf("the other window reads %#x", got)
	}
	if p := b.Harvest(nil); !p.Overlaps(9*PageSize, 1) || p.Overlaps(0, 9*PageSize) {
		t.Error("another page is noted as written")
	}
	if len(protected) != 2 || protected[0] != [2]uint32{0xe0000, 0xe000f} || protected[1] != [2]uint32{0xa0, 0xa3} {
		t.Errorf("frames %x were protected", protected)
	}
	if s.Page(at+9*PageSize, true) != nil {
		t.Error("the page is to be written directly though it is clean again")
	}
	if b.Harvest(nil); len(protected) != 2 {
		t.Error("frames were protected though nothing was written")
	}
	s.SlideBank(0xa0000, b, 9*PageSize)
	if got := s.Read(0xa0000, 4); got != 0x12345679 || len(moved) != 1 || moved[0] != [2]uint32{0xa0, 0xa3} {
		t.Errorf("after the move the window reads %#x, and frames %x were dropped", got, moved)
	}
	if err := s.WriteAt([]byte{1, 2, 3}, at+2*PageSize-1); err != nil {
		t.Error(err)
	}
	if p := b.Harvest(nil); !p.Overlaps(PageSize, 1) || !p.Overlaps(2*PageSize, 1) {
		t.Error("what was written by DMA is not noted")
	}
	s.UnmapBank(0xa0000, b)
	s.UnmapBank(at, b)
	if got := s.Read(0xa0000, 4); got != 0 || s.Read(at, 4) != 0xffffffff {
		t.Errorf("where the windows were it reads %#x and %#x", got, s.Read(at, 4))
	}
}
