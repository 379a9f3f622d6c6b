// Package sharing proves a shared directory from inside a guest: the embedded
// one, with gov86 as a program of its own and a real directory of the host.
package sharing

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is more than a guest needs for any one command beside a random load,
// on a machine that is busy with something else.
const patience = 5 * time.Minute

// built has what the tests run, built once.
var built = struct {
	once  sync.Once
	dir   string
	err   error
	gov86 string
	// program for the guest, and for the host.
	inside, outside string
}{}

func TestMain(m *testing.M) {
	status := m.Run()
	os.RemoveAll(built.dir)
	os.Exit(status)
}

func build(t *testing.T) {
	t.Helper()
	built.once.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "sharing"); built.err != nil {
			return
		}
		built.gov86 = filepath.Join(built.dir, "gov86")
		built.inside = filepath.Join(built.dir, "inside", "program")
		built.outside = filepath.Join(built.dir, "outside")
		for _, b := range []struct{ out, pkg, arch string }{
			{built.gov86, "../../cmd/gov86", "GOARCH="},
			{built.inside, "./program", "GOARCH=386"},
			{built.outside, "./program", "GOARCH="},
		} {
			cmd := exec.Command("go", "build", "-o", b.out, b.pkg)
			cmd.Env = append(os.Environ(), "CGO_ENABLED=0", b.arch)
			if out, err := cmd.CombinedOutput(); err != nil {
				built.err = fmt.Errorf("go build %s: %w\n%s", b.pkg, err, out)
				return
			}
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
}

// asRoot skips what asks for owners that only root of the host can give.
func asRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("files of several users are made, which only root may")
	}
}

// A guest is gov86 with a directory shared as /mnt/host, and a shell at its
// console.
type guest struct {
	t     *testing.T
	dir   string // that is shared
	cmd   *exec.Cmd
	in    io.Writer
	lines chan string
	seen  bytes.Buffer // of the console
	marks int
}

// start boots the embedded guest. /mnt/tools holds the program, and takes what
// is to be handed to the host by another way than the directory under test.
func start(t *testing.T, args ...string) *guest {
	t.Helper()
	g := launch(t, t.TempDir(), args...)
	g.until("guest ready")
	g.quiet()
	return g
}

// launch starts gov86 with a directory to share.
func launch(t *testing.T, dir string, args ...string) *guest {
	t.Helper()
	build(t)
	g := &guest{t: t, dir: dir, lines: make(chan string, 1000)}
	args = append([]string{"run", "--headless", "--fs", "host=" + g.dir, "--fs", "tools=" + filepath.Dir(built.inside)}, args...)
	g.cmd = exec.Command(built.gov86, args...)
	in, err := g.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := g.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	g.cmd.Stderr = g.cmd.Stdout
	if err := g.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	g.in = in
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			g.lines <- strings.TrimRight(s.Text(), "\r")
		}
		close(g.lines)
	}()
	t.Cleanup(g.stop)
	return g
}

// quiet has the shell print nothing but what commands do.
func (g *guest) quiet() {
	g.t.Helper()
	g.enter("stty -echo; export GUEST=1 PS1=; echo qui''et\n")
	g.until("quiet")
}

func (g *guest) stop() {
	g.cmd.Process.Kill()
	for range g.lines {
	}
	g.cmd.Wait()
}

func (g *guest) enter(text string) {
	g.t.Helper()
	if _, err := io.WriteString(g.in, text); err != nil {
		g.t.Fatal(err)
	}
}

// until returns what the guest prints before a line with text, and that line.
func (g *guest) until(text string) (before, line string) {
	g.t.Helper()
	var b strings.Builder
	limit := time.After(*span + patience)
	for {
		select {
		case l, ok := <-g.lines:
			if !ok {
				g.t.Fatalf("the guest ended; its console:\n%s", g.tail())
			}
			g.seen.WriteString(l + "\n")
			if bad := complaint(l); bad != "" {
				g.t.Errorf("the kernel says %q", l)
			}
			if strings.Contains(l, text) {
				return b.String(), l
			}
			b.WriteString(l + "\n")
		case <-limit:
			g.t.Fatalf("no %q in %v; the console:\n%s", text, *span+patience, g.tail())
		}
	}
}

// complaint is what a kernel says when something is wrong with it.
func complaint(line string) string {
	for _, c := range []string{"BUG:", "WARNING:", "Oops", "possible circular", "leaked", "blocked for more than", "Kernel panic"} {
		if strings.Contains(line, c) {
			return c
		}
	}
	return ""
}

func (g *guest) tail() []byte {
	b := g.seen.Bytes()
	return b[max(0, len(b)-3000):]
}

// run runs a command and returns what it printed, and its status.
func (g *guest) run(command string) (string, int) {
	g.t.Helper()
	g.marks++
	mark := fmt.Sprintf("=%d=", g.marks)
	g.enter(fmt.Sprintf("%s; echo \"=\"%d= $?\n", command, g.marks))
	out, line := g.until(mark)
	status := 0
	end := strings.Index(line, mark)
	fmt.Sscan(line[end+len(mark):], &status)
	return out + line[:end], status
}

// must runs a command that is to succeed.
func (g *guest) must(command string) string {
	g.t.Helper()
	out, status := g.run(command)
	if status != 0 {
		g.t.Fatalf("%s: status %d\n%s", command, status, out)
	}
	return out
}

// program is the program's command line in the guest.
const program = "/mnt/tools/program "

// host runs the program on the host.
func host(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command(built.outside, args...).CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if err != nil {
		t.Errorf("program %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// sameTree compares a directory as guest and host see it.
func (g *guest) sameTree(name string) {
	g.t.Helper()
	g.must(program + "tree /mnt/host/" + name + " >/mnt/tools/tree")
	inside, err := os.ReadFile(filepath.Join(filepath.Dir(built.inside), "tree"))
	if err != nil {
		g.t.Fatal(err)
	}
	outside := host(g.t, "tree", filepath.Join(g.dir, name))
	a, b := strings.Split(string(inside), "\n"), strings.Split(outside, "\n")
	for i := range a {
		if i >= len(b) || a[i] != b[i] {
			g.t.Fatalf("the trees differ: in the guest there is\n%s\non the host\n%s", a[i], b[min(i, len(b)-1)])
		}
	}
	g.t.Log(strings.TrimSpace(a[max(0, len(a)-2)]))
}
