package jit

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gov86/gov86/mem"
)

// BenchmarkTranslate is what it costs to translate an instruction of a random
// program.
func BenchmarkTranslate(b *testing.B) {
	r, e := newTranslated(b)
	p := newRandom(1)
	p.load(r, p.start())
	k, ok := keyOf(e.CPU, e.Mode())
	if !ok || !e.enterMode(k) {
		b.Fatal("not a mode that is translated")
	}
	var n uint64
	b.ReportAllocs()
	start := cpuTime(b)
	for b.Loop() {
		e.flush()
		was := e.Stats.Instructions
		for at := uint32(codeAt); at < codeAt+uint32(len(p.code)); at += 24 {
			e.translate(at, at>>12, k, e.fetchView()[at>>12], mem.Addr(at))
		}
		n += e.Stats.Instructions - was
	}
	b.ReportMetric(float64(cpuTime(b)-start)/float64(n), "cpu-ns/instruction")
}

// cpuTime is what the process has used of processors, in nanoseconds.
func cpuTime(b *testing.B) int64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
