package guests

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/machine"
)

// last is the line a guest ends with.
func last(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

// A console keeps what a serial port sends and calls ended after the last line.
type console struct {
	bytes.Buffer
	ended func()
}

func (c *console) Put(b byte) bool {
	c.WriteByte(b)
	if ended(c.Bytes()) {
		c.ended()
	}
	return true
}

// run boots a guest on a model of processor and returns what it reported.
func run(t *testing.T, model, engine, windows string, eager bool, name string) string {
	t.Helper()
	image, err := guest(name)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	out := &console{ended: cancel}
	host := machine.Host{Time: time.Unix(1e9, 0)}
	host.Serial[0] = out
	m, err := machine.New(machine.Config{Model: model, Engine: engine, Windows: windows, Eager: eager, Memory: 32 << 20, Kernel: image, Counted: true}, host)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}()
	ending, err := m.Run(ctx)
	switch {
	case err == nil && ending == machine.TripleFault:
		t.Errorf("triple fault:\n%s", dump(m))
	case ctx.Err() == context.DeadlineExceeded:
		t.Errorf("it does not end:\n%s", dump(m))
	}
	return out.String()
}

// dump is the machine's post-mortem.
func dump(m *machine.Machine) string {
	var b strings.Builder
	m.Dump(&b)
	return b.String()
}

// A way is how guests are executed.
type way struct{ name, engine, windows string }

// ways are all engines, and windows where there are none otherwise: guests as
// short as these would have none.
func ways() []way {
	all := []way{}
	for _, e := range machine.Engines {
		all = append(all, way{e, e, ""})
	}
	if machine.LacksWindows() == nil {
		all = append(all, way{"windows", "jit", "always"})
	}
	return all
}

func TestGuestsPass(t *testing.T) {
	for _, way := range ways() {
		models := machine.Models()
		if way.windows != "" {
			models = []string{cpu.DefaultModel}
		}
		for _, model := range models {
			for _, name := range names {
				t.Run(way.name+"/"+model+"/"+name, func(t *testing.T) {
					t.Parallel()
					out := run(t, model, way.engine, way.windows, true, name)
					if !strings.HasPrefix(last(out), "PASS ") {
						t.Errorf("it reports:\n%s", out)
					}
					t.Log(last(out))
				})
			}
		}
	}
}

// TestCodePassesAsItWarms has the translator begin in the middle of every check.
func TestCodePassesAsItWarms(t *testing.T) {
	t.Parallel()
	out := run(t, cpu.DefaultModel, "", "", false, "code")
	if !strings.HasPrefix(last(out), "PASS ") {
		t.Errorf("it reports:\n%s", out)
	}
}

// TestManifest holds the prebuilt images to the hashes build.sh wrote.
func TestManifest(t *testing.T) {
	manifest, err := prebuilt.ReadFile("prebuilt/MANIFEST")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for line := range strings.Lines(string(manifest)) {
		f := strings.Fields(line)
		if len(f) != 2 {
			t.Fatalf("line %q", line)
		}
		want[f[1]] = f[0]
	}
	if len(want) != len(names)+1 {
		t.Errorf("the manifest lists %d files for %d guests and a boot sector", len(want), len(names))
	}
	for _, name := range append([]string{"boot"}, names...) {
		image, err := guest(name)
		if err != nil {
			t.Error(err)
			continue
		}
		sum := sha256.Sum256(image)
		if got := hex.EncodeToString(sum[:]); got != want[name+".bin"] {
			t.Errorf("%s: hash %s, the manifest says %s", name, got, want[name+".bin"])
		}
	}
}
