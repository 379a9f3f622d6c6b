package jit

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gov86/gov86/cpu"
)

// realGates are programs of 16-bit code and what they leave in EAX; realModes how
// they are run.
var (
	realGates = []struct {
		name string
		want uint32
	}{{"real_sieve", 1028}, {"real_crc", 47892}}

	realModes = []struct {
		name string
		set  func(r *rig)
	}{{"real", func(*rig) {}}, {"v86", func(r *rig) { r.v86(3) }}}
)

// runReal runs a program of realGates to its HLT, which faults in virtual-8086
// mode, and returns how many instructions that took.
func (r *rig) runReal(name string, want uint32, set func(r *rig)) uint64 {
	r.t.Helper()
	code, err := os.ReadFile(filepath.Join("testdata", name+".bin"))
	if err != nil {
		r.t.Fatal(err)
	}
	r.begin()
	set(r)
	r.SetReg32(cpu.ESP, 0xfffe)
	r.write(segCode, code...)
	n, why := r.engine.Run(1e9)
	if why != cpu.Halted {
		r.t.Fatalf("%s: %v at %#x", name, why, r.EIP)
	}
	r.is(name, cpu.EAX, want)
	return n
}

// TestTranslationsOfSegmentedCodeGetNoWorse holds code size and exits to
// testdata/seggates.golden.
func TestTranslationsOfSegmentedCodeGetNoWorse(t *testing.T) {
	var b strings.Builder
	for _, g := range realGates {
		for _, m := range realModes {
			r := newRig(t, func(c *cpu.CPU) (cpu.Engine, error) { return New(c) })
			n := r.runReal(g.name, g.want, m.set)
			s := r.engine.(*Engine).Stats
			fmt.Fprintf(&b, "%s %s %.2f %.3f\n", g.name, m.name,
				float64(s.HostBytes)/float64(s.Instructions), 1000*float64(s.Enters)/float64(n))
		}
	}
	golden := filepath.Join("testdata", "seggates.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	text, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	was, is := strings.Split(string(text), "\n"), strings.Split(b.String(), "\n")
	if len(was) != len(is) {
		t.Fatalf("%d lines, want %d", len(is), len(was))
	}
	for i := range is[:len(is)-1] {
		var name, mode string
		var bytes, exits, wantBytes, wantExits float64
		fmt.Sscan(is[i], &name, &mode, &bytes, &exits)
		if _, err := fmt.Sscan(was[i], &name, &mode, &wantBytes, &wantExits); err != nil {
			t.Fatalf("line %q: %v", was[i], err)
		}
		const tolerance = 1.05
		if bytes > wantBytes*tolerance || exits > wantExits*tolerance {
			t.Errorf("%s: bytes an instruction and exits a thousand, and was %s", is[i], was[i])
		}
	}
}

// BenchmarkSegmented runs the same programs in both engines.
func BenchmarkSegmented(b *testing.B) {
	for _, g := range realGates {
		for _, m := range realModes {
			for _, e := range []struct {
				name string
				make func(*cpu.CPU) (cpu.Engine, error)
			}{{"interp", interpreted}, {"jit", func(c *cpu.CPU) (cpu.Engine, error) { return New(c) }}} {
				b.Run(g.name+"/"+m.name+"/"+e.name, func(b *testing.B) {
					r := newRig(b, e.make)
					r.runReal(g.name, g.want, m.set)
					for b.Loop() {
						n := r.runReal(g.name, g.want, m.set)
						b.ReportMetric(float64(n), "instructions/op")
					}
				})
			}
		}
	}
}
