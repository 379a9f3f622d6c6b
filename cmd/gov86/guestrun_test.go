package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

// bootTime is more than any guest needs for anything here, on a machine that
// is busy with something else.
const bootTime = 2 * time.Minute

// prompt is the embedded guest's root shell waiting.
const prompt = "# "

// A guestRun is gov86 in this process, with a guest at its console.
type guestRun struct {
	*dialogue
	stdin  *io.PipeWriter
	stderr bytes.Buffer // to be read after wait
	status chan int
}

// startRun starts gov86 run with args.
func startRun(t *testing.T, args ...string) *guestRun { return startCommand(t, "run", args...) }

// startCommand starts gov86 with a command that runs a guest.
func startCommand(t *testing.T, command string, args ...string) *guestRun {
	t.Helper()
	in, stdin := io.Pipe()
	g := &guestRun{dialogue: newDialogue(t, stdin), stdin: stdin, status: make(chan int, 1)}
	go func() {
		g.status <- run(append([]string{command}, args...), in, g.dialogue, &g.stderr)
		g.dialogue.close()
	}()
	t.Cleanup(func() { stdin.Close() })
	return g
}

// wantStatus waits for gov86 to end.
func (g *guestRun) wantStatus(want int) {
	g.t.Helper()
	select {
	case got := <-g.status:
		if got != want {
			g.t.Errorf("status %d, want %d; standard error %q", got, want, g.stderr.String())
		}
	case <-time.After(bootTime):
		g.t.Fatalf("the guest still runs after %v; the end of its console:\n%s", bootTime, g.text())
	}
}

// A dialogue is a console: an io.Writer for what the guest prints, and what is
// typed to it.
type dialogue struct {
	t     *testing.T
	typed io.Writer

	mu      sync.Mutex
	printed []byte
	read    int // how much of printed has been expected already
	closed  bool
	changed chan struct{}
}

func newDialogue(t *testing.T, typed io.Writer) *dialogue {
	return &dialogue{t: t, typed: typed, changed: make(chan struct{}, 1)}
}

// Write implements io.Writer.
func (d *dialogue) Write(p []byte) (int, error) {
	d.mu.Lock()
	d.printed = append(d.printed, p...)
	d.mu.Unlock()
	d.wake()
	return len(p), nil
}

func (d *dialogue) close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.wake()
}

func (d *dialogue) wake() {
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

// text is the last of what was printed.
func (d *dialogue) text() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return string(d.printed[max(0, len(d.printed)-4000):])
}

// expect waits until the guest prints want and returns what came before it.
func (d *dialogue) expect(want string) string {
	d.t.Helper()
	deadline := time.After(bootTime)
	for {
		before, found, closed := d.take(want)
		if found {
			return before
		}
		if closed {
			d.t.Fatalf("the guest ended and has not printed %q; the end of its console:\n%s", want, d.text())
		}
		select {
		case <-d.changed:
		case <-deadline:
			d.t.Fatalf("%q has not come in %v; the end of its console:\n%s", want, bootTime, d.text())
		}
	}
}

func (d *dialogue) take(want string) (before string, found, closed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before, _, found = strings.Cut(string(d.printed[d.read:]), want)
	if found {
		d.read += len(before) + len(want)
	}
	return before, found, d.closed
}

// send types text.
func (d *dialogue) send(text string) {
	d.t.Helper()
	if _, err := io.WriteString(d.typed, text); err != nil {
		d.t.Fatalf("typing %q: %v", text, err)
	}
}

// shell runs a command in the guest's shell and returns what it prints. The
// marks are spelled so that the echo of the command holds neither.
func (d *dialogue) shell(command string) string {
	d.t.Helper()
	d.send(fmt.Sprintf("echo beg''in; %s; echo e''nd\n", command))
	d.expect("begin\r\n")
	out := d.expect("end\r\n")
	d.expect(prompt)
	return strings.ReplaceAll(out, "\r\n", "\n")
}
