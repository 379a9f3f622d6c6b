package jit

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/arch/x86/x86asm"

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
	// instructions are those of the host in a window that are not rare, an
	// instruction of the guest.
	instructions float64
}

func (m measure) String() string {
	return fmt.Sprintf("%.2f %.3f %.2f", m.bytes, m.exits, m.instructions)
}

// measured runs a program from cold, and once more in a window.
func measured(t *testing.T, name string, want uint32) measure {
	m := cost(t, name, want, func(c *cpu.CPU) (cpu.Engine, error) { return New(c) })
	if LacksWindows() == nil {
		m.instructions = cost(t, name, want, windowed).instructions
	}
	return m
}

// cost runs a program.
func cost(t *testing.T, name string, want uint32, engine func(*cpu.CPU) (cpu.Engine, error)) measure {
	code, err := os.ReadFile(filepath.Join("testdata", name+".bin"))
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, engine)
	r.write(codeAt, code...)
	n, why := r.engine.Run(1e9)
	if why != cpu.Halted {
		t.Fatalf("%s: %v at %#x", name, why, r.EIP)
	}
	r.is(name, cpu.EAX, want)
	s := r.engine.(*Engine).Stats
	host := 0
	for _, u := range r.engine.(*Engine).all {
		host += count(t, r.engine.(*Engine).asm.Code[u.entry:u.rare])
	}
	of := float64(s.Instructions)
	return measure{float64(s.HostBytes) / of, 1000 * float64(s.Enters) / float64(n), float64(host) / of}
}

// count counts instructions.
func count(t *testing.T, code []byte) (n int) {
	for ; len(code) > 0; n++ {
		if code[0] == 0xc4 { // VEX, which the decoder does not know: SHRX, or RORX
			const rorx = 0xf0
			if code[3] == rorx {
				code = code[1:] // has an immediate
			}
			code = code[5:]
			continue
		}
		in, err := x86asm.Decode(code, 64)
		if err != nil {
			t.Fatalf("% x: %v", code[:min(len(code), 15)], err)
		}
		code = code[in.Len:]
	}
	return n
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
		if _, err := fmt.Sscan(lines[i], &name, &want.bytes, &want.exits, &want.instructions); err != nil || name != g.name {
			t.Fatalf("line %q: %v", lines[i], err)
		}
		got := measured(t, g.name, g.want)
		const tolerance = 1.05
		switch {
		case got.bytes > want.bytes*tolerance || got.exits > want.exits*tolerance || got.instructions > want.instructions*tolerance:
			t.Errorf("%s got worse: %v, and was %v: bytes an instruction, exits a thousand, and instructions in a window", name, got, want)
		case got.bytes*tolerance < want.bytes || got.exits*tolerance < want.exits || 0 < got.instructions && got.instructions*tolerance < want.instructions:
			t.Logf("%s got better: %v, and was %v; -update keeps that", name, got, want)
		}
	}
}
