package machine

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/guest"
	"github.com/gov86/gov86/jit"
)

// newLocked is a pair of machines in lockstep, if this host can have them.
func newLocked(t *testing.T, cfg Config) (*Machine, *console) {
	t.Helper()
	if err := jit.Available(); err != nil {
		t.Skipf("skipped: %v", err)
	}
	cfg.Engine = Lockstep
	return newGuest(t, cfg)
}

// TestLockstepOverABoot boots the embedded guest translated and interpreted, and
// compares the processors, in runs of a unit and in long ones.
func TestLockstepOverABoot(t *testing.T) {
	if testing.Short() {
		t.Skip("boots Linux")
	}
	kernel, err := guest.Kernel()
	if err != nil {
		t.Fatal(err)
	}
	initrd, err := guest.Initramfs()
	if err != nil {
		t.Fatal(err)
	}
	for name, length := range map[string]uint64{"units": 1, "long runs": 9000} {
		t.Run(name, func(t *testing.T) {
			windows := "off"
			if length > 1 && LacksWindows() == nil {
				windows = "always"
			}
			m, out := newLocked(t, Config{Memory: 64 << 20, Kernel: kernel, Initrd: initrd,
				CommandLine: "console=ttyS0 quiet", LockstepRun: length, Windows: windows})
			atPrompt := errors.New("the prompt")
			ctx, cancel := context.WithCancelCause(context.Background())
			defer cancel(nil)
			defer time.AfterFunc(15*time.Minute, func() { cancel(context.DeadlineExceeded) }).Stop()
			out.until, out.then = "gov86:/#", func() { cancel(atPrompt) }
			_, err := m.Run(ctx)
			checkLocked(t, err, atPrompt)
			t.Logf("%d instructions", m.Retired())
			if what := m.lockstep.compareAll(m); what != "" {
				t.Errorf("in the end there differs %s", what)
			}
		})
	}
}

// TestLockstepOverSeaBIOS goes through real mode, big real mode, 16-bit protected
// mode and back, until there is nothing to boot.
func TestLockstepOverSeaBIOS(t *testing.T) {
	if err := jit.Available(); err != nil {
		t.Skipf("skipped: %v", err)
	}
	for name, length := range map[string]uint64{"units": 1, "long runs": 9000} {
		t.Run(name, func(t *testing.T) {
			b := newBooted(t, Config{Engine: Lockstep, LockstepRun: length})
			ctx, cancel := context.WithCancelCause(context.Background())
			defer cancel(nil)
			b.until, b.stop = "No bootable device.", cancel
			_, err := b.Run(ctx)
			checkLocked(t, err, errSaid)
			t.Logf("%d instructions", b.Retired())
			if what := b.lockstep.compareAll(b.Machine); what != "" {
				t.Errorf("in the end there differs %s", what)
			}
		})
	}
}

func checkLocked(t *testing.T, err, want error) {
	t.Helper()
	var d *Difference
	if errors.As(err, &d) {
		t.Fatalf("%v\n%s", err, d.Report)
	}
	if !errors.Is(err, want) {
		t.Fatalf("it ended with %v, want %v", err, want)
	}
}

func TestLockstepTellsTheFirstDifference(t *testing.T) {
	loop := []byte{0x43, 0x40, 0xeb, 0xfc} // INC EBX; INC EAX; JMP to the first
	for name, c := range map[string]struct {
		spoil func(second *Machine)
		says  []string
	}{
		"a register": {
			func(m *Machine) { m.board.cpu.SetReg32(cpu.EBX, 0x1234) },
			[]string{"the processor", "EBX", "00001235", "differs", "before the run", "inc ebx"},
		},
		"a timer": {
			func(m *Machine) { m.clock.NewTimer("", nil).Set(1 << 60) },
			[]string{"timer"},
		},
		"output": {
			func(m *Machine) { m.lockstepOutput('!') },
			[]string{`'!' to output 0`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			m, out := newLocked(t, Config{Kernel: image(slices.Concat(text("hello"), loop), nil)})
			out.until, out.then = "hello", func() {
				m.Post(func() { c.spoil(m.lockstep.second) })
			}
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			_, err := m.Run(ctx)
			var d *Difference
			if !errors.As(err, &d) {
				t.Fatalf("it ended with %v, want a difference", err)
			}
			all := err.Error() + d.Report
			for _, want := range c.says {
				if !strings.Contains(all, want) {
					t.Errorf("the report does not have %q:\n%s", want, all)
				}
			}
		})
	}
}

// lockstepOutput has the machine send what its guest did not.
func (m *Machine) lockstepOutput(b byte) { m.board.ports.Out(0x3f8, 1, uint32(b)) }

// TestLockstepGivesInputToBoth has a guest echo what it is sent, and then end.
func TestLockstepGivesInputToBoth(t *testing.T) {
	echo := slices.Concat(
		out8(0x3fc, 2),                              // MCR: RTS
		inAL(0x3fd), []byte{0xa8, 0x01, 0x74, 0xf7}, // until a byte is there
		inAL(0x3f8), outAL(0x3f8),
		[]byte{0x3c, '.', 0x75, 0xe9}, // CMP AL, "."; JNE to where it waits
		powerOff, halt)
	m, out := newLocked(t, Config{Kernel: image(echo, nil)})
	go func() {
		for _, b := range []byte("some input.") {
			took := make(chan int)
			m.Receive(0, []byte{b}, func(n int) { took <- n })
			<-took
			time.Sleep(time.Millisecond)
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ending, err := m.Run(ctx)
	checkLocked(t, err, nil)
	if ending != PoweredOff || out.String() != "some input." {
		t.Errorf("ending %d, console %q", ending, out)
	}
}
