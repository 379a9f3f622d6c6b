package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/gov86/gov86/display"
	"github.com/gov86/gov86/display/rfb"
	"github.com/gov86/gov86/machine"
)

// The front ends, as --display names them.
const (
	faceAuto = "auto"
	faceNone = "none"
	faceVNC  = "vnc"
)

const displayHelp = "show the guest's screen: none; vnc[=ADDRESS][,password-file=FILE], to viewers that connect to\n" +
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
		return nil, nil
	}
	return nil, failure{"--display", "there is no display " + name, "write one of auto, none and vnc"}
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
