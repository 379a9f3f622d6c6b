package jit

import (
	"flag"
	"io"
	"runtime"
	"runtime/pprof"
	"runtime/trace"
	"sync"
	"testing"
	"time"

	"github.com/gov86/gov86/cpu"
)

var stress = flag.Duration("jit.stress", 2*time.Second, "how long to run beside a busy runtime")

// TestResultsAreRightBesideABusyRuntime runs random programs while the runtime
// collects garbage, profiles, traces and dumps stacks: generated code runs on a
// stack of its own, with registers that belong to the runtime elsewhere.
func TestResultsAreRightBesideABusyRuntime(t *testing.T) {
	const engines = 3
	quit := make(chan struct{})
	var others, runs sync.WaitGroup
	busy := func(body func()) {
		others.Go(func() {
			for {
				select {
				case <-quit:
					return
				default:
					body()
				}
			}
		})
	}
	if err := pprof.StartCPUProfile(io.Discard); err != nil {
		t.Logf("without a profile: %v", err)
	} else {
		defer pprof.StopCPUProfile()
	}
	if err := trace.Start(io.Discard); err != nil {
		t.Logf("without a trace: %v", err)
	} else {
		defer trace.Stop()
	}
	busy(runtime.GC)
	busy(func() {
		runtime.Stack(make([]byte, 1<<20), true)
		time.Sleep(time.Millisecond)
	})
	busy(func() {
		done := make(chan []byte)
		for n := range 100 {
			go func() { done <- deepen(n%30, make([]byte, n<<6)) }()
		}
		for range 100 {
			<-done
		}
	})
	end := time.Now().Add(*stress)
	for i := range engines {
		p := newRandom(uint64(100 + i))
		start := p.start()
		a, _ := newTranslated(t)
		if i > 0 && LacksWindows() == nil {
			a = newRig(t, windowed)
		}
		b := newRig(t, interpreted)
		p.load(b, start)
		b.toHalt(codeAt + uint32(len(p.code)) - 1)
		runs.Go(func() {
			if i == 0 {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
			}
			times := 0
			for ; time.Now().Before(end) || times == 0; times++ {
				p.load(a, start)
				deepen(times%50, nil)
				if _, why := a.engine.Run(1e9); why != cpu.Halted {
					t.Errorf("run %d ends %v at %#x", times, why, a.EIP)
					return
				}
				if !same(t, "beside a busy runtime", a, b) {
					return
				}
			}
			t.Logf("%d runs", times)
		})
	}
	runs.Wait()
	close(quit)
	others.Wait()
}

// deepen makes the goroutine's stack grow, and returns p.
func deepen(n int, p []byte) []byte {
	var frame [1024]byte
	if n == 0 {
		return p
	}
	frame[n] = byte(n)
	p = deepen(n-1, p)
	if frame[n] != byte(n) {
		panic("BUG: the stack was overwritten")
	}
	return p
}
