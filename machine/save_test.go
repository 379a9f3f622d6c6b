package machine

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/guest"
	"github.com/gov86/gov86/hw"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/snapshot/snapfile"
	"github.com/gov86/gov86/snapshot/snapshottest"
)

var saves = flag.Int("saves", 2, "at how many random places of a boot to save and resume")

func TestWiringIsComplete(t *testing.T) {
	snapshottest.Complete(t, (*wiring).sync, nil)
}

// forward runs m, whose time is counted, to exactly the instruction count at, or to
// its end. No engine decides then when a timer fires or where a run ends.
func forward(t *testing.T, m *Machine, at uint64) {
	t.Helper()
	c := m.board.cpu
	for m.retired < at && !m.off && !m.over {
		c.TakeKick()
		m.clock.fire()
		m.deliver()
		next, timed := m.clock.next()
		if c.Halted && !c.Wakes() {
			if !timed {
				t.Fatal("the guest sleeps for good")
			}
			m.clock.skip(next)
			continue
		}
		const grid = 1 << 18
		left := min(at-m.retired, grid-m.retired%grid)
		if timed && next > m.clock.Now() {
			left = min(left, uint64(next-m.clock.Now()+countedNs-1)/countedNs)
		}
		m.retire(exactly(m, left))
	}
}

// exactly runs n instructions, or fewer if something else ends the run. Guest time
// stands still meanwhile.
func exactly(m *Machine, n uint64) (done uint64) {
	const unit = 20_000 // no engine does so much at once
	c := m.board.cpu
	for why := cpu.Spent; why == cpu.Spent && done < n; {
		budget := n - done
		if budget > unit {
			budget -= unit
		} else {
			budget = 1
			c.Monitor.Step(true)
		}
		var k uint64
		k, why = m.board.engine.Run(budget)
		c.Monitor.Step(false)
		done += k
	}
	return done
}

// saved is what Save writes of m.
func saved(t testing.TB, m *Machine, o SaveOptions) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := m.Save(&b, o); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// restored is a machine that goes on with a snapshot. Its console has what is sent
// from then on.
func restored(t testing.TB, b []byte, cfg Config) (*Machine, *console) {
	t.Helper()
	out := new(console)
	host := Host{Time: time.Unix(2e9, 0)}
	host.Serial[0] = out
	m, err := Restore(bytes.NewReader(b), int64(len(b)), cfg, host, RestoreOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m, out
}

// compareMachines fails the test if a device, the processor or memory differs.
func compareMachines(t *testing.T, what string, a, b *Machine) {
	t.Helper()
	if a.retired != b.retired {
		t.Fatalf("%s: %d and %d instructions", what, a.retired, b.retired)
	}
	first, err := a.sections()
	if err != nil {
		t.Fatal(err)
	}
	second, err := b.sections()
	if err != nil {
		t.Fatal(err)
	}
	same := true
	for i := range first {
		if !bytes.Equal(first[i].Payload, second[i].Payload) {
			t.Errorf("%s: %s differs:\n%s", what, first[i].Name, firstLine(show(a, i), show(b, i)))
			same = false
		}
	}
	x, y := a.board.memory.Contents().RAM, b.board.memory.Contents().RAM
	for at := 0; at < len(x); at += 4096 {
		if !bytes.Equal(x[at:at+4096], y[at:at+4096]) {
			t.Errorf("%s: memory differs in the page at %#x", what, at)
			same = false
			break
		}
	}
	if !same {
		t.FailNow()
	}
}

// show is the section i of m as text, a field a line.
func show(m *Machine, i int) string {
	var b bytes.Buffer
	c := snapshot.NewShower(func(name, value string) { fmt.Fprintf(&b, "%s=%s\n", name, value) })
	if i == 0 {
		w := m.wiring()
		w.sync(c)
	} else {
		m.board.all()[i-1].Save(c)
	}
	return b.String()
}

// linux is the embedded guest in a machine of an engine.
func linux(t testing.TB, engine string) Config {
	t.Helper()
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
	return Config{Kernel: kernel, Initrd: initramfs, CommandLine: "console=ttyS0", Memory: 64 << 20, Counted: true,
		Engine: engine, NoAPIC: true}
}

// TestResumedIsAsNeverSaved saves a booting guest at random places, and holds the
// machine that resumes there, in another engine, to the one that went on.
func TestResumedIsAsNeverSaved(t *testing.T) {
	engines := []string{interpEngine}
	if name, _ := DefaultEngine(); name != interpEngine {
		engines = append(engines, name)
	}
	for _, from := range engines {
		for _, to := range engines {
			t.Run(from+" to "+to, func(t *testing.T) {
				straight, out := newGuest(t, linux(t, from))
				const boot = 60_000_000 // instructions, or about; most of what a boot does
				random := rand.New(rand.NewPCG(1, uint64(*saves)))
				var places []uint64
				for range *saves {
					places = append(places, random.Uint64N(boot))
				}
				slices.Sort(places)
				for _, at := range places {
					forward(t, straight, at)
					b := saved(t, straight, SaveOptions{Raw: at%4 == 0})
					before := out.Len()
					m, rest := restored(t, b, linux(t, to))
					compareMachines(t, fmt.Sprintf("at %d", at), straight, m)
					at += 300_000 + random.Uint64N(1_000_000)
					forward(t, straight, at)
					forward(t, m, at)
					compareMachines(t, fmt.Sprintf("at %d, saved before", at), straight, m)
					if sent := out.String()[before:]; sent != rest.String() {
						t.Fatalf("the console has %q, and resumed %q", sent, rest)
					}
				}
			})
		}
	}
}

// TestLinesAreConsistent holds the levels that a snapshot has of wires to what the
// devices at them say, at some places of a boot.
func TestLinesAreConsistent(t *testing.T) {
	m, _ := newGuest(t, linux(t, ""))
	for at := uint64(0); at < 40_000_000; at += 7_654_321 {
		forward(t, m, at)
		checkLines(t, m)
	}
}

func checkLines(t *testing.T, m *Machine) {
	t.Helper()
	for i := range m.board.irq {
		if i == 2 {
			continue // between the two chips, and no wire of the board
		}
		w := &m.board.irq[i]
		var seen []bool
		was := w.pic
		w.pic = hw.LineFunc(func(level bool) { seen = append(seen, level); was.Set(level) })
		before := show(m, 3)
		w.set(w.levels != 0)
		if after := show(m, 3); before != after {
			t.Errorf("interrupt %d: the 8259A has another level than the wire:\n%s", i, firstLine(before, after))
		}
		w.pic = was
		if len(seen) != 1 {
			t.Errorf("interrupt %d was set %d times", i, len(seen))
		}
	}
}

// TestEveryDeviceIsSaved walks the board, and loses each section in turn.
func TestEveryDeviceIsSaved(t *testing.T) {
	cfg := Config{Kernel: image(spin, nil), Memory: 1 << 20 * 4}
	m, _ := newGuest(t, cfg)
	b := saved(t, m, SaveOptions{})
	f, err := snapfile.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range f.Sections {
		less := *f
		less.Sections = slices.Delete(slices.Clone(f.Sections), i, i+1)
		if err := m.match(&less); err == nil {
			t.Errorf("nothing is said of the section %q that is missing", s.Name)
		}
	}
	more := *f
	more.Sections = append(slices.Clone(f.Sections), snapfile.Section{Name: "floppotron"})
	if err := m.match(&more); err == nil {
		t.Error("nothing is said of a section of a device that is unknown")
	}
}

func TestADifferentMachineIsToldHow(t *testing.T) {
	cfg := Config{Kernel: image(spin, nil), Memory: 4 << 20}
	m, _ := newGuest(t, cfg)
	b := saved(t, m, SaveOptions{})
	cfg.Memory, cfg.DebugExit, cfg.Kernel = 8<<20, 0x501, image(halt, nil)
	_, err := Restore(bytes.NewReader(b), int64(len(b)), cfg, Host{}, RestoreOptions{})
	var different *DifferentError
	if !errors.As(err, &different) || len(different.Lines) != 3 {
		t.Fatalf("error %v", err)
	}
	for i, want := range []string{"debug exit: ", "kernel: the snapshot has bytes 4096, crc32c ", "memory: the snapshot has 4194304, this machine 8388608"} {
		if !bytes.Contains([]byte(fmt.Sprint(different.Lines)), []byte(want)) {
			t.Errorf("line %d, %q, is not among %q", i, want, different.Lines)
		}
	}
}
