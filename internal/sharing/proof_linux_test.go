package sharing

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var (
	span = flag.Duration("sharing.for", 2*time.Second, "how long each of the random loads goes on")
	long = flag.Bool("sharing.long", false, "make the tests that take minutes, too")
	seed = flag.Uint64("sharing.seed", 1, "where the random loads begin")
)

// load is a random load's arguments.
func load() string { return fmt.Sprintf("%g %d", span.Seconds(), *seed) }

func TestWhatOperationsAnswer(t *testing.T) {
	asRoot(t)
	g := start(t)
	// Other users have to reach it.
	dir, err := os.MkdirTemp("", "native")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	native := host(t, "posix", filepath.Join(dir, "posix"))
	out, status := g.run(program + "posix /mnt/host/posix")
	if status != 0 || out != native {
		t.Errorf("on the host:\n%sthrough the shared directory:\n%s", native, out)
	}
	t.Log(strings.TrimSpace(out))
}

func TestAFileIsItsModel(t *testing.T) {
	g := start(t)
	t.Log(g.must(program + "fsx /mnt/host/fsx " + load()))
}

func TestManyInOneTree(t *testing.T) {
	g := start(t)
	t.Log(g.must(program + "stress /mnt/host/stress " + load()))
	g.sameTree("stress")
}

// Little memory has pages written and dropped at any time.
func TestLittleMemory(t *testing.T) {
	g := start(t, "--memory", "40M")
	command := ""
	for i := range 3 {
		command += fmt.Sprintf("%sfsx /mnt/host/fsx%d %g %d & ", program, i, span.Seconds(), *seed+uint64(i))
	}
	g.must("mkdir /mnt/host/s; (" + command + program + "stress /mnt/host/s/t " + load() + "; r=$?; for i in 1 2 3; do wait -n || r=1; done; exit $r)")
	g.sameTree("s")
}
