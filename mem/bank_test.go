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
