package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gov86/gov86/cmd/gov86/internal/terminal"
	"github.com/gov86/gov86/machine"
)

// asCommand is set in the environment of a test binary that is to be gov86.
const asCommand = "GOV86_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	// The terminal's guard is this program under another command.
	if os.Getenv(asCommand) != "" || len(os.Args) > 1 && os.Args[1] == terminal.GuardCommand {
		main()
	}
	os.Exit(m.Run())
}

// A fakeComputer prints a text and then does what its script says.
type fakeComputer struct {
	x        *session
	prints   string
	ends     ending
	fails    error
	waits    bool // until it is told to end
	received chan string
}

func (f *fakeComputer) Run(ctx context.Context) (ending, error) {
	for i := range len(f.prints) {
		for !f.x.transmit(f.prints[i]) {
			time.Sleep(time.Millisecond)
		}
	}
	if f.waits {
		<-ctx.Done()
		return ending{}, ctx.Err()
	}
	return f.ends, f.fails
}

func (f *fakeComputer) Receive(_ context.Context, port int, p []byte) {
	if f.received != nil {
		f.received <- string(rune('0'+port)) + string(p)
	}
}

func (f *fakeComputer) TransmitReady() {}

func (f *fakeComputer) Save() {}

// play runs f in a session and returns the status, the error and the console.
func play(t *testing.T, s settings, f *fakeComputer, stdin io.Reader) (status int, console, stderr string, err error) {
	t.Helper()
	var out, errs bytes.Buffer
	x := newSession(s, streams{stdin, &out, &errs})
	f.x = x
	status, err = x.run(func() (computer, error) { return f, nil })
	return status, out.String(), errs.String(), err
}

func TestExitStatus(t *testing.T) {
	const panicked = "[ 1.0] Kernel panic - not syncing: no init\r\n"
	for _, c := range []struct {
		name     string
		settings settings
		computer fakeComputer
		status   int
		says     string // in the error, when there is one
	}{
		{"the guest powers off", settings{}, fakeComputer{prints: "bye"}, exitOK, ""},
		{"the text appears", settings{until: "login:"}, fakeComputer{prints: "host login: ", waits: true}, exitOK, ""},
		{"the text does not appear", settings{until: "login:"}, fakeComputer{prints: "log in"}, exitUnseen, `"login:"`},
		{"the time is up", settings{timeout: time.Millisecond}, fakeComputer{waits: true}, exitTimeout, "1ms"},
		{"the kernel panics", settings{}, fakeComputer{prints: panicked, waits: true}, exitPanic, "no init"},
		{"the kernel panics and has said all", settings{},
			fakeComputer{prints: panicked + "---[ end Kernel panic - not syncing: no init ]---\r\n", waits: true},
			exitPanic, "no init"},
		{"the processor shuts down", settings{}, fakeComputer{ends: ending{Ending: machine.TripleFault, dump: "EAX"}},
			exitTripleFault, "triple fault"},
		{"the firmware finds nothing to boot", settings{}, fakeComputer{ends: ending{Ending: machine.Unbootable}},
			exitUnbootable, "no bootable device"},
		{"the machine fails", settings{}, fakeComputer{fails: errors.New("no memory")}, exitFailure, "no memory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, console, stderr, err := play(t, c.settings, &c.computer, strings.NewReader(""))
			if status != c.status {
				t.Errorf("status %d, want %d", status, c.status)
			}
			if (err != nil) != (c.says != "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want one that says %q", err, c.says)
			}
			if console != c.computer.prints {
				t.Errorf("console %q, want %q", console, c.computer.prints)
			}
			if stderr != c.computer.ends.dump {
				t.Errorf("standard error %q, want %q", stderr, c.computer.ends.dump)
			}
		})
	}
}

func TestASignalEndsTheSessionWithItsNumber(t *testing.T) {
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	received := make(chan string)
	go func() {
		<-received // the machine runs, so the session listens
		self.Signal(syscall.SIGTERM)
	}()
	status, _, _, err := play(t, settings{}, &fakeComputer{waits: true, received: received}, strings.NewReader("x"))
	if want := exitSignal + int(syscall.SIGTERM); status != want || err != nil {
		t.Errorf("status %d, %v, want %d and no error", status, err, want)
	}
}

func TestStandardInputFeedsTheGuestAndItsEndLeavesTheMachineRunning(t *testing.T) {
	received := make(chan string, 1)
	computer := &fakeComputer{waits: true, received: received}
	s := settings{timeout: 50 * time.Millisecond}
	status, _, _, _ := play(t, s, computer, strings.NewReader("\x01x\x03"))
	if got := <-received; got != "0\x01x\x03" {
		t.Errorf("port and bytes received: %q, want them untouched on port 0", got)
	}
	if status != exitTimeout {
		t.Errorf("status %d, want %d: the end of input ended the machine", status, exitTimeout)
	}
}

// A brokenWriter is a console nobody can write.
type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestAConsoleThatFailsEndsTheSession(t *testing.T) {
	x := newSession(settings{}, streams{strings.NewReader(""), brokenWriter{}, io.Discard})
	status, err := x.run(func() (computer, error) {
		return &fakeComputer{x: x, prints: "hello", waits: true}, nil
	})
	if status != exitFailure || err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("status %d, %v, want %d and the cause", status, err, exitFailure)
	}
}
