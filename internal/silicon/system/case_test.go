package system

import (
	"bytes"
	"testing"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/interp"
)

// TestCasesEnd runs cases of every class in the interpreter alone: they end in
// a HLT or in shutdown, nearly all, and the same way again.
func TestCasesEnd(t *testing.T) {
	e, err := NewEmulated(func(c *cpu.CPU) cpu.Engine { return interp.New(c) })
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	const cases = 200
	for class := range NumClasses {
		t.Run(class.String(), func(t *testing.T) {
			lost := 0
			for n := range uint64(cases) {
				first, err := e.Run(Options{Seed: 7}.Case(class, n))
				if err != nil {
					t.Fatalf("case %d: %v", n, err)
				}
				again, err := e.Run(Options{Seed: 7}.Case(class, n))
				if err != nil {
					t.Fatalf("case %d: %v", n, err)
				}
				if first.State != again.State || !bytes.Equal(first.Memory, again.Memory) {
					t.Errorf("case %d ends in two ways", n)
				}
				if first.Lost != "" {
					lost++
				}
			}
			if lost > cases/10 {
				t.Errorf("%d of %d cases have no result", lost, cases)
			}
		})
	}
}
