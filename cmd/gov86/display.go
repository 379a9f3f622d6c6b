package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync"

	"github.com/gov86/gov86/cmd/gov86/internal/terminal"
	"github.com/gov86/gov86/display"
	"github.com/gov86/gov86/display/rfb"
	"github.com/gov86/gov86/display/sdl"
	"github.com/gov86/gov86/display/term"
	"github.com/gov86/gov86/machine"
)

// The front ends, as --display names them.
const (
	faceAuto = "auto"
	faceNone = "none"
	faceTerm = "term"
	faceSDL  = "sdl"
	faceVNC  = "vnc"
)

const displayHelp = "show the guest's screen: none; sdl, in a window; term, in the terminal; vnc[=ADDRESS][,password-file=FILE], to viewers that connect to\n" +
	"ADDRESS (default :5900); or auto, see above"

// vncDefault is where viewers look first.
const vncDefault = ":5900"

// faceFailed is the cause when the display ended and nobody wanted that.
type faceFailed struct{ error }

// openFace makes the front end that --display asks for, none if it is nil.
func (x *session) openFace() (display.Face, error) {
	name, options, _ := strings.Cut(x.display, ",")
	name, address, _ := strings.Cut(name, "=")
	switch {
	case name == faceVNC:
		return x.openVNC(address, options)
	case address != "" || options != "":
		return nil, failure{"--display", "only vnc has options", "write --display " + name}
	case name == faceNone:
		return nil, nil
	case name == faceAuto:
		return x.chooseFace()
	case name == faceTerm:
		return x.openTerm()
	case name == faceSDL:
		face, err := sdl.New("gov86")
		if err != nil {
			return nil, failure{"--display", "sdl: " + err.Error(), ""}
		}
		return face, nil
	}
	return nil, failure{"--display", "there is no display " + name, "write one of auto, none, sdl, term and vnc"}
}

// chooseFace makes the front end that suits the guest and the host: one for a
// machine whose firmware boots what uses the screen, none for a kernel, whose
// console is the serial port and that on standard input and output.
func (x *session) chooseFace() (display.Face, error) {
	if x.headless || !x.firmware() {
		return nil, nil
	}
	noWindow := sdl.Available()
	if noWindow == nil {
		x.explain("sdl")
		return sdl.New("gov86")
	}
	if x.tty == nil || !x.outIsTerminal() {
		x.unseen = "none, for there is neither a window system nor a terminal here; --display vnc is for viewers"
		return nil, nil
	}
	x.explain("term; Ctrl-A x quits. No window: " + noWindow.Error())
	return x.openTerm()
}

// explain says what was chosen, and why.
func (x *session) explain(choice string) { fmt.Fprintf(x.err, "gov86: display: %s\n", choice) }

func (x *session) outIsTerminal() bool {
	out, ok := x.out.(*os.File)
	return ok && terminal.Is(out)
}

// openTerm shows the screen in the terminal. The serial console is not shown then.
func (x *session) openTerm() (display.Face, error) {
	if x.tty == nil || !x.outIsTerminal() {
		return nil, failure{"--display", "standard input and output are no terminal", "give another display, such as vnc"}
	}
	x.resized = make(chan struct{}, 1)
	size := func() (rows, columns int) {
		rows, columns, _ = terminal.Size(x.tty)
		return rows, columns
	}
	face := term.New(x.in, x.out, size, x.resized)
	x.out = io.Discard
	if err, ok := x.err.(*os.File); ok && terminal.Is(err) {
		x.held = &holder{to: err}
		x.err = x.held
	}
	return face, nil
}

// shownHere reports whether the screen is shown in the terminal.
func (x *session) shownHere() bool { return x.resized != nil }

// attachFace leaves the terminal to the front end. What it returns gives it back.
func (x *session) attachFace(ctx context.Context, raw *terminal.Raw) (restore func() error, err error) {
	if err := raw.LastWords(term.Leave); err != nil {
		return nil, errors.Join(err, raw.Restore())
	}
	changes := make(chan os.Signal, 1)
	signal.Notify(changes, append(terminal.Resized(), terminal.Continued()...)...)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-changes:
			}
			raw.Again()
			select {
			case x.resized <- struct{}{}:
			default:
			}
		}
	}()
	return func() error {
		signal.Stop(changes)
		err := raw.Restore()
		if x.held != nil {
			x.held.release()
		}
		return err
	}, nil
}

// A holder keeps what is told while the screen is shown where it would be told.
type holder struct {
	mu   sync.Mutex
	to   io.Writer
	text []byte
	open bool
}

// maxHeld bounds what is kept, in bytes.
const maxHeld = 1 << 20

// Write implements io.Writer.
func (h *holder) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open {
		return h.to.Write(p)
	}
	if len(h.text)+len(p) <= maxHeld {
		h.text = append(h.text, p...)
	}
	return len(p), nil
}

func (h *holder) release() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open = true
	h.to.Write(h.text)
}

// openVNC listens for viewers. Without a password only this machine's may come.
func (x *session) openVNC(address, options string) (display.Face, error) {
	const remedy = "write vnc=:PORT, or vnc=HOST:PORT,password-file=FILE"
	password := ""
	if file, ok := strings.CutPrefix(options, "password-file="); ok {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, failure{file, cause(err), "give a file with the password"}
		}
		if password = strings.TrimRight(string(b), "\r\n"); password == "" {
			return nil, failure{file, "there is no password in it", "write one, of which eight bytes count"}
		}
	} else if options != "" {
		return nil, failure{"--display", "vnc has no option " + options, remedy}
	}
	if address == "" {
		address = vncDefault
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, failure{"--display", fmt.Sprintf("%q is no address", address), remedy}
	}
	if host == "" || host == "localhost" {
		host = "127.0.0.1"
	}
	if ip := net.ParseIP(host); password == "" && (ip == nil || !ip.IsLoopback()) {
		return nil, failure{"--display", "without a password, whoever reaches " + host + " could use the guest", remedy}
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, failure{"--display", fmt.Sprintf("nothing can listen at %s: %s", address, cause(err)), "give another vnc=ADDRESS"}
	}
	fmt.Fprintf(x.err, "gov86: for a VNC viewer: %v\n", l.Addr())
	return rfb.New(l, "gov86", password), nil
}

// showFace has the front end show m while it runs. What it returns ends that.
func (x *session) showFace(m *machine.Machine) (end func()) {
	if x.face == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(x.ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		switch err := x.face.Show(ctx, m); {
		case errors.Is(err, display.ErrClosed):
			x.end(errQuit)
		case err != nil:
			x.end(faceFailed{err})
		}
	}()
	return func() {
		cancel()
		<-done
	}
}
