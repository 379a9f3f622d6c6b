package jit

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gov86/gov86/cpu"
)

var update = flag.Bool("update", false, "write testdata/gates.golden anew")

//go:generate testdata/build.sh

// gates are small programs and what they leave in EAX.
var gates = []struct {
	name string
	want uint32
}{{"sieve", 1028}, {"fib", 6765}, {"copy", 0}, {"carry", 501}, {"compare", 0}}

// A measure is what a translation costs, as far as it is the same everywhere.
type measure struct {
	bytes float64 // of the host an instruction of the guest
	exits float64 // a thousand instructions
}

func (m measure) String() string { return fmt.Sprintf("%.2f %.3f", m.bytes, m.exits) }

// measured runs a program from cold.
func measured(t *testing.T, name string, want uint32) measure {
	code, err := os.ReadFile(filepath.Join("testdata", name+".bin"))
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, func(c *cpu.CPU) (cpu.Engine, error) { return New(c) })
	r.write(codeAt, code...)
	n, why := r.engine.Run(1e9)
	if why != cpu.Halted {
		t.Fatalf("%s: %v at %#x", name, why, r.EIP)
	}
	r.is(name, cpu.EAX, want)
	s := r.engine.(*Engine).Stats
	return measure{float64(s.HostBytes) / float64(s.Instructions), 1000 * float64(s.Enters) / float64(n)}
}

// TestTranslationsGetNoWorse holds code size and exits to testdata/gates.golden.
func TestTranslationsGetNoWorse(t *testing.T) {
	golden := filepath.Join("testdata", "gates.golden")
	if *update {
		var b strings.Builder
		for _, g := range gates {
			fmt.Fprintln(&b, g.name, measured(t, g.name, g.want))
		}
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	text, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != len(gates) {
		t.Fatalf("%d lines for %d programs", len(lines), len(gates))
	}
	for i, g := range gates {
		var name string
		var want measure
		if _, err := fmt.Sscan(lines[i], &name, &want.bytes, &want.exits); err != nil || name != g.name {
			t.Fatalf("line %q: %v", lines[i], err)
		}
		got := measured(t, g.name, g.want)
		const tolerance = 1.05
		switch {
		case got.bytes > want.bytes*tolerance || got.exits > want.exits*tolerance:
			t.Errorf("%s got worse: %v bytes an instruction and exits a thousand, and was %v", name, got, want)
		case got.bytes*tolerance < want.bytes || got.exits*tolerance < want.exits:
			t.Logf("%s got better: %v bytes an instruction and exits a thousand, and was %v; -update keeps that", name, got, want)
		}
	}
}
