package machine

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gov86/gov86/disk"
	"github.com/gov86/gov86/snapshot/snapfile"
)

var golden = flag.Bool("golden", false, "write the golden snapshot anew")

// talker is a small machine that says "one", "two", and powers off.
func talker() Config {
	return Config{Kernel: image(slices.Concat(text("one"), text("two"), powerOff, halt), nil), Memory: 4 << 20,
		Model: "pentium2", Counted: true, Engine: interpEngine}
}

// halfway is a snapshot of talker when it has said "one".
func halfway(t testing.TB) []byte {
	t.Helper()
	m, out := newGuest(t, talker())
	for out.String() != "one" {
		n, _ := m.board.engine.Run(1)
		m.retire(n)
	}
	return saved(t, m, SaveOptions{})
}

// TestTheGoldenSnapshotGoesOn resumes a file that an earlier gov86 wrote. Whoever
// changes a device's list of fields raises its version and reads the old one.
func TestTheGoldenSnapshotGoesOn(t *testing.T) {
	name := filepath.Join("testdata", "snapshots", "talker.snap")
	if *golden {
		if err := os.WriteFile(name, halfway(t), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	m, out := restored(t, b, talker())
	if ending := run(t, m); ending != PoweredOff || out.String() != "two" {
		t.Errorf("ending %d, console %q", ending, out)
	}
}

// TestAMachineIsSavedWhileItRuns saves from another goroutine; the guest notices
// nothing.
func TestAMachineIsSavedWhileItRuns(t *testing.T) {
	cfg := Config{Kernel: image(slices.Concat(text("on"), spin), nil)}
	m, _ := newGuest(t, cfg)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ended := make(chan error, 1)
	go func() { _, err := m.Run(ctx); ended <- err }()
	var first, second bytes.Buffer
	if err := errors.Join(m.Save(&first, SaveOptions{}), m.Save(&second, SaveOptions{Raw: true})); err != nil {
		t.Fatal(err)
	}
	cancel()
	<-ended
	after := saved(t, m, SaveOptions{})
	var counts []uint64
	for _, b := range [][]byte{first.Bytes(), second.Bytes(), after} {
		s, err := OpenSnapshot(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Fatal(err)
		}
		counts = append(counts, s.Description.Saved.Instructions)
	}
	if !slices.IsSorted(counts) {
		t.Errorf("the guest had executed %d instructions", counts)
	}
}

func TestAMachineThatHasEndedIsNotSaved(t *testing.T) {
	m, _ := newGuest(t, Config{Kernel: image(slices.Concat(powerOff, halt), nil)})
	run(t, m)
	if err := m.Save(io.Discard, SaveOptions{}); !errors.Is(err, errEnded) {
		t.Errorf("error %v", err)
	}
}

// TestTheClockGoesOnFromNowIfWanted resumes half an hour later.
func TestTheClockGoesOnFromNowIfWanted(t *testing.T) {
	cfg := Config{Kernel: image(spin, nil), Memory: 4 << 20}
	m, _ := newGuest(t, cfg)
	b := saved(t, m, SaveOptions{})
	b = rewritten(t, b, func(header []byte) []byte {
		at := bytes.Index(header, []byte(`"at": "20`)) + len(`"at": "20`)
		copy(header[at:], "20") // the year
		return header
	}, nil)
	for _, now := range []bool{false, true} {
		r, err := Restore(bytes.NewReader(b), int64(len(b)), cfg, Host{}, RestoreOptions{ClockNow: now})
		if err != nil {
			t.Fatal(err)
		}
		if passed := time.Duration(r.Now() - m.Now()); (passed > 24*time.Hour) != now {
			t.Errorf("with the clock from now %v, %v have passed", now, passed)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// rewritten is the snapshot in b with another header, and with other sections, where
// there are functions for them.
func rewritten(t testing.TB, b []byte, header func([]byte) []byte, payload func(i int, p []byte) []byte) []byte {
	t.Helper()
	s, err := OpenSnapshot(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	ram := make([]byte, s.MemorySize)
	if err := s.ReadMemory(ram); err != nil {
		t.Fatal(err)
	}
	if header != nil {
		s.Header = header(s.Header)
	}
	var out bytes.Buffer
	w := snapfile.NewWriter(&out, s.Header)
	for i, x := range s.Sections {
		if payload != nil {
			x.Payload = payload(i, x.Payload)
		}
		w.Section(x.Name, x.Payload)
	}
	if err := w.Close(ram, func(int) bool { return true }, snapfile.Packed); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestWritesReachTheDiskBeforeTheSave flushes nothing by itself.
func TestWritesReachTheDiskBeforeTheSave(t *testing.T) {
	flushed := &flushes{Image: blank{Disk{Bytes: 1 << 20}}}
	m, _ := newGuest(t, Config{Kernel: image(spin, nil), Storage: Storage{IDE: [IDEDevices]Drive{{Image: flushed}}}})
	saved(t, m, SaveOptions{})
	if flushed.n == 0 {
		t.Error("the disk was not flushed")
	}
}

type flushes struct {
	disk.Image
	n int
}

func (f *flushes) Flush() error { f.n++; return f.Image.Flush() }

// TestKilledWhileSavingTheOldFileStays has a process save again and again, and
// kills it at some moment.
func TestKilledWhileSavingTheOldFileStays(t *testing.T) {
	const variable = "GOV86_TEST_SAVE_FOREVER"
	if name := os.Getenv(variable); name != "" {
		m, _ := newGuest(t, Config{Kernel: image(spin, nil)})
		for {
			if err := m.SaveFile(name, SaveOptions{Raw: true}); err != nil {
				t.Fatal(err)
			}
		}
	}
	dir := t.TempDir()
	name := filepath.Join(dir, "file")
	for i := range 3 {
		c := exec.Command(os.Args[0], "-test.run=^TestKilledWhileSavingTheOldFileStays$")
		c.Env = append(os.Environ(), variable+"="+name)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			if _, err := os.Stat(name); err == nil {
				break
			}
		}
		time.Sleep(time.Duration(i*7) * time.Millisecond)
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		c.Wait() // it was killed
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		s, err := OpenSnapshot(f, info.Size())
		if err == nil {
			err = s.Verify()
		}
		if err != nil {
			t.Errorf("after a kill: %v", err)
		}
		f.Close()
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range left {
		if e.Name() != "file" && !strings.HasSuffix(e.Name(), ".part") {
			t.Errorf("there is a file %s", e.Name())
		}
	}
}

// FuzzRestore has a section with any payload in a file that is otherwise in order,
// and runs the machine that comes of it.
func FuzzRestore(f *testing.F) {
	b := halfway(f)
	s, err := OpenSnapshot(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		f.Fatal(err)
	}
	for i, x := range s.Sections {
		if len(x.Payload) < 2000 {
			f.Add(uint8(i), x.Payload)
		}
	}
	f.Fuzz(func(t *testing.T, section uint8, payload []byte) {
		bad := rewritten(t, b, nil, func(i int, p []byte) []byte {
			if i == int(section) {
				return payload
			}
			return p
		})
		m, err := Restore(bytes.NewReader(bad), int64(len(bad)), talker(), Host{}, RestoreOptions{})
		if err != nil {
			return
		}
		defer m.Close()
		for range 20 {
			m.clock.fire()
			n, _ := m.board.engine.Run(500)
			m.retire(n)
			m.board.cpu.TakeKick()
		}
		m.DumpDevices(io.Discard)
	})
}
