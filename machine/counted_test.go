package machine

import (
	"testing"

	"github.com/gov86/gov86/guest"
)

// TestCountedRunsAreTheSame boots the embedded guest to its prompt twice.
func TestCountedRunsAreTheSame(t *testing.T) {
	if testing.Short() {
		t.Skip("boots Linux")
	}
	kernel, err := guest.Kernel()
	if err != nil {
		t.Fatal(err)
	}
	initramfs, err := guest.Initramfs()
	if err != nil {
		t.Fatal(err)
	}
	type result struct {
		retired uint64
		console string
	}
	var runs [2]result
	for i := range runs {
		m, out := newGuest(t, Config{Kernel: kernel, Initrd: initramfs, CommandLine: "console=ttyS0",
			Memory: 64 << 20, Counted: true})
		out.until, out.then = "# ", m.requestPowerOff
		if ending := run(t, m); ending != PoweredOff {
			t.Fatalf("ending %d", ending)
		}
		runs[i] = result{m.Retired(), out.String()}
	}
	if runs[0].retired != runs[1].retired {
		t.Errorf("%d and %d instructions", runs[0].retired, runs[1].retired)
	}
	if a, b := runs[0].console, runs[1].console; a != b {
		i := 0
		for i < min(len(a), len(b)) && a[i] == b[i] {
			i++
		}
		t.Errorf("the consoles differ at byte %d: %.80q and %.80q", i, a[i:], b[i:])
	}
}
