package simd_test

import (
	"math/rand/v2"
	"os"
	"testing"

	xcpu "golang.org/x/sys/cpu"

	"github.com/gov86/gov86/cpu/fpu/host"
	"github.com/gov86/gov86/cpu/simd"
)

// TestResultsAreThoseOfTheHost compares every function but the estimates with
// the instruction itself: results and flags.
func TestResultsAreThoseOfTheHost(t *testing.T) {
	if !xcpu.X86.HasSSE42 || !xcpu.X86.HasSSSE3 {
		t.Skip("the host has no SSE4.2")
	}
	n := 10_000 * *long
	pure := functions(&simd.Pure)
	for i, native := range functions(&host.SIMD) {
		if native.name != pure[i].name {
			t.Fatalf("the host has %s, this package %s", native.name, pure[i].name)
		}
		if estimated(native.name) {
			continue
		}
		r := rand.New(rand.NewPCG(25, uint64(i)))
		for range n {
			a, b, mxcsr := operands(r)
			want, got := native.run(&a, &b, mxcsr), pure[i].run(&a, &b, mxcsr)
			if got != want {
				t.Errorf("%s of %016x, %016x with MXCSR %#x:\n got %v\nwant %v", native.name, a, b, mxcsr, got, want)
				break
			}
		}
	}
}

func TestRecord(t *testing.T) {
	if !*record {
		t.Skip("no -record")
	}
	if err := os.WriteFile("testdata/results.txt", []byte(digests(&host.SIMD)), 0o644); err != nil {
		t.Fatal(err)
	}
}
