package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/gov86/gov86/cmd/gov86/internal/console"
	"github.com/gov86/gov86/cmd/gov86/internal/terminal"
	"github.com/gov86/gov86/display"
	"github.com/gov86/gov86/machine"
)

const (
	// drainTime is how long the last console output waits for a reader.
	drainTime = 2 * time.Second
	// lastWords is how long a kernel that panicked may go on talking: it
	// prints its registers and stack after the news.
	lastWords = time.Second
)

// streams are gov86's standard streams.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// Why a session ended before its machine did: causes of its context.
var (
	errUntil   = errors.New("the text appeared")
	errQuit    = errors.New("the user quit")
	errTimeout = errors.New("the time is up")
	errPanic   = errors.New("the guest's kernel panicked")
)

// signalled is the cause when a signal ended the session.
type signalled struct{ syscall.Signal }

func (s signalled) Error() string { return s.Signal.String() }

// consoleFailed is the cause when the console could not be written.
type consoleFailed struct{ error }

// An ending is how a machine ended by itself.
type ending struct {
	machine.Ending
	dump  string // the processor's state, after a triple fault
	exit  uint32 // what the guest wrote, after it Exited
	place string // where it was
}

// A computer is what a session needs of a machine. But for Run its methods may
// be called from any goroutine.
type computer interface {
	// Run runs the machine until it ends or ctx does.
	Run(ctx context.Context) (ending, error)
	// Receive hands bytes to a serial port. It blocks while the port is too far
	// behind, and until ctx ends.
	Receive(ctx context.Context, port int, p []byte)
	// TransmitReady tells the machine that its console takes bytes again.
	TransmitReady()
	// Save saves the machine where --save-on-exit says, and it goes on.
	Save()
}

// The serial ports of the machine.
const (
	portConsole = 0
	portSize    = 1 // takes "ROWS COLS\n" when the terminal's size changes
)

// A session is one machine with gov86's streams around it.
type session struct {
	settings
	streams
	ctx   context.Context // the run's
	tools *toolbox
	tty   *os.File     // the terminal, or nil
	face  display.Face // shows the screen, or nil
	// unseen says why nothing does, where that was for the session to choose.
	unseen string
	// resized tells the face in the terminal that that may have another size; nil
	// without one. held is what the user is told afterwards.
	resized chan struct{}
	held    *holder
	output  *console.Output
	until   *console.Matcher
	panics  console.PanicWatch
	end     context.CancelCauseFunc
}

// newSession returns a session that waits for its machine.
func newSession(s settings, std streams) *session {
	x := &session{settings: s, streams: std}
	if s.until != "" {
		x.until = console.NewMatcher(s.until)
	}
	if in, ok := std.in.(*os.File); ok && !s.headless && terminal.Is(in) {
		x.tty = in
	}
	return x
}

// run runs the machine that build returns, to its end or the session's, and
// returns gov86's exit status.
func (x *session) run(build func() (computer, error)) (int, error) {
	ctx, end := context.WithCancelCause(context.Background())
	defer end(nil)
	x.ctx, x.end = ctx, end
	if x.timeout > 0 {
		defer time.AfterFunc(x.timeout, func() { end(errTimeout) }).Stop()
	}
	defer x.endOnSignal()()

	pc, err := build()
	if err != nil {
		return exitFailure, err
	}
	if x.unseen != "" {
		x.explain(x.unseen)
	}
	x.output = console.NewOutput(x.out, pc.TransmitReady, func(err error) { end(consoleFailed{err}) })
	restore, err := x.attach(ctx, pc)
	if err != nil {
		return exitFailure, err
	}
	how, err := pc.Run(ctx)
	cause := context.Cause(ctx)
	x.output.Close(drainTime)
	err = errors.Join(err, restore())
	if err != nil && cause == nil {
		return exitFailure, err
	}
	return x.status(how, cause)
}

// transmit takes a byte from the guest's console, on the machine's goroutine,
// or refuses it because nobody has read those before.
func (x *session) transmit(b byte) bool {
	if !x.output.Put(b) {
		return false
	}
	if x.until != nil && x.until.Feed(b) {
		x.end(errUntil)
	}
	began := x.panics.Started()
	x.panics.Feed(b)
	switch {
	case x.panics.Over():
		x.end(errPanic)
	case x.panics.Started() && !began:
		time.AfterFunc(lastWords, func() { x.end(errPanic) })
	}
	return true
}

// status is gov86's exit status for how the machine ended, or for why the
// session ended before.
func (x *session) status(how ending, cause error) (int, error) {
	var sig signalled
	var broken consoleFailed
	var blind faceFailed
	if cause == nil {
		x.tell(how)
	}
	switch {
	case cause == nil && how.Ending == machine.TripleFault:
		fmt.Fprint(x.err, how.dump)
		return exitTripleFault, failure{"guest", "triple fault; its processor has shut down", ""}
	case cause == nil && how.Ending == machine.Unbootable:
		return exitUnbootable, failure{"guest", "its firmware found no bootable device", "give a --disk or --cdrom that can be booted, or a --kernel"}
	case cause == nil && how.Ending == machine.Exited:
		return x.debugExit.status(how.exit), nil
	case cause == nil && how.Ending == machine.Broke:
		return exitOK, nil
	case errors.Is(cause, errUntil):
		return exitOK, nil
	case errors.Is(cause, errPanic):
		return exitPanic, failure{"guest", "kernel panic: " + x.panics.Reason(), ""}
	case errors.Is(cause, errTimeout):
		return exitTimeout, failure{"--timeout", x.timeout.String() + " passed and the guest still ran",
			"allow more, or read on the console where it hangs"}
	case errors.As(cause, &sig):
		return exitSignal + int(sig.Signal), nil
	case errors.As(cause, &broken):
		return exitFailure, failure{"console", cause.Error(), "keep reading gov86's standard output"}
	case errors.As(cause, &blind):
		return exitFailure, failure{"--display", cause.Error(), "give another, or none"}
	case x.until != nil:
		return exitUnseen, failure{"--until", fmt.Sprintf("%q has not appeared", x.settings.until),
			"read on the console how the guest ended"}
	case len(x.breaks) > 0:
		return exitUnseen, failure{"--break", "the guest has not come to " + strings.Join(x.breaks, ", "),
			"read on the console how it ended"}
	}
	return exitOK, nil // the guest powered off, or errQuit
}
