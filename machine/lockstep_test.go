package machine

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/devices/uart"
	"github.com/gov86/gov86/guest"
	"github.com/gov86/gov86/jit"
)

type sink struct{ bytes.Buffer }

func (s *sink) Put(b byte) bool { s.WriteByte(b); return true }

var _ uart.Output = (*sink)(nil)

// TestLockstepOverABoot boots the embedded guest on two machines with a counted
// clock, translated and interpreted, and compares the processors' states.
func TestLockstepOverABoot(t *testing.T) {
	kernel, err := guest.Kernel()
	if err != nil {
		t.Fatal(err)
	}
	initrd, err := guest.Initramfs()
	if err != nil {
		t.Fatal(err)
	}
	var console [2]sink
	var m [2]*Machine
	for i := range m {
		host := Host{Time: time.Unix(1e9, 0)}
		host.Serial[0] = &console[i]
		if m[i], err = New(Config{Memory: 64 << 20, Kernel: kernel, Initrd: initrd, CommandLine: "console=ttyS0 quiet tsc=reliable",
			Counted: true, Engine: "interp"}, host); err != nil {
			t.Fatal(err)
		}
		defer m[i].Close()
	}
	translated, err := jit.New(m[0].board.cpu)
	if err != nil {
		t.Skipf("skipped: %v", err)
	}
	translated.Eager()
	translated.Exact()
	m[0].board.engine = translated
	m[1].board.engine = jit.NewStepper(m[1].board.cpu)
	var total uint64
	for !bytes.Contains(console[0].Bytes(), []byte("gov86:/#")) {
		for _, m := range m {
			m.clock.fire()
			m.deliver()
		}
		a, b := m[0].board.cpu, m[1].board.cpu
		if a.Halted && !a.Wakes() {
			m[0].sleep()
			m[1].sleep()
			continue
		}
		before := *a.State
		budget := uint64(1)
		if at, ok := m[0].clock.next(); ok {
			budget = min(max(uint64(at-m[0].clock.Now()), 1), lockBudget)
		}
		n, _ := m[0].board.engine.Run(budget)
		k, _ := m[1].board.engine.Run(n)
		// A run of a string instruction is as long as each side's views allow.
		for tries := 0; n != k && tries < 4096; tries++ {
			if n < k {
				more, _ := m[0].board.engine.Run(k - n)
				n += more
			} else {
				more, _ := m[1].board.engine.Run(n - k)
				k += more
			}
		}
		m[0].clock.count += n
		m[1].clock.count += k
		total += n
		if total>>22 != (total-n)>>22 {
			fmt.Println(total, console[0].Len(), translated.Stats.Units, translated.Stats.Flushes, translated.Stats.Killed, translated.Stats.Steps)
		}
		left := a.EFLAGS
		if (a.EFLAGS^b.EFLAGS)&^m[1].board.engine.(*jit.Stepper).Open == 0 {
			a.EFLAGS = b.EFLAGS
		}
		same := n == k && *a.State == *b.State
		a.EFLAGS = left
		if same {
			b.EFLAGS = left
		}
		if !same {
			st := m[1].board.engine.(*jit.Stepper)
			for i := max(st.At-14, 0); i < st.At; i++ {
				eip := st.Ring[i%64]
				code := make([]byte, 15)
				m[1].ReadLinear(code, cpu.Linear(eip))
				fmt.Printf("%x %s\n", eip, isa.Disasm(code, isa.Code32, eip))
			}
			t.Fatalf("after %d instructions, %d and %d of them now: %s", total, n, k, disagreement(&before, a.State, b.State))
		}
		if total > 400e6 {
			t.Fatalf("no prompt after %d instructions:\n%s", total, console[0].String())
		}
	}
	t.Logf("%d instructions, %+v", total, translated.Stats)
}

const lockBudget = 1

func disagreement(before, a, b *cpu.State) string {
	return fmt.Sprintf("\nbefore      %x %x %x\ntranslated  %x %x %x\ninterpreted %x %x %x\nCR2 %x %x", before.EIP, before.EFLAGS, before.GPR[:8], a.EIP, a.EFLAGS, a.GPR[:8], b.EIP, b.EFLAGS, b.GPR[:8], a.CR2, b.CR2)
}
