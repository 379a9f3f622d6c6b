package cpu

import (
	"testing"

	"github.com/gov86/gov86/mem"
)

func TestWritesToABankAreDirectBetweenHarvests(t *testing.T) {
	r := newProtected(t)
	const at, other = 0x80000000, 0x80002000
	b, err := mem.NewBank(8 * mem.PageSize)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := r.Mem.MapBank(at, 4*mem.PageSize, b, 0); err != nil {
		t.Fatal(err)
	}
	write := func(l Linear, v uint32) {
		if t2 := r.WriteLinear(l, 4, v, r.Data()); t2 != NoTrap {
			t.Fatalf("write at %#x: %v", l, t2)
		}
	}
	for range 3 {
		if r.ReadLinear(at, 4, r.Data()); r.TLB.View[ReadView][at>>12] == 0 {
			t.Error("a bank is not read directly")
		}
		if r.TLB.View[WriteView][at>>12] != 0 {
			t.Error("a clean page is written directly")
		}
		write(at, 1)
		if r.TLB.View[WriteView][at>>12] == 0 || r.TLB.View[WriteView][other>>12] != 0 {
			t.Error("after a write that page is to be written directly, and no other")
		}
		if !b.Harvest(nil).Overlaps(0, 1) {
			t.Error("the write was not noticed")
		}
	}
	write(other, 5)
	write(at, 0x11)
	b.Bytes()[4*mem.PageSize] = 0x22
	epoch := r.TLB.Epoch
	r.Mem.SlideBank(at, b, 4*mem.PageSize)
	if v, _ := r.ReadLinear(at, 4, r.Data()); v != 0x22 || r.TLB.View[WriteView][at>>12] != 0 {
		t.Errorf("it reads %#x after the bank moved", v)
	}
	if r.TLB.Epoch != epoch {
		t.Error("linear addresses lead where they led, and the epoch is another")
	}
}
