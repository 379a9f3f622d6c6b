package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/gov86/gov86/cmd/gov86/internal/terminal"
)

// attach connects the session's input to the machine. What it returns gives
// the terminal back.
func (x *session) attach(ctx context.Context, pc computer) (restore func() error, err error) {
	if x.tty == nil {
		go x.readInput(ctx, pc)
		return func() error { return nil }, nil
	}
	raw, err := terminal.MakeRaw(x.tty)
	if err != nil {
		return nil, err
	}
	if x.shownHere() {
		return x.attachFace(ctx, raw)
	}
	changes := make(chan os.Signal, 1)
	signal.Notify(changes, append(terminal.Resized(), terminal.Continued()...)...)
	go x.followTerminal(ctx, pc, raw, changes)
	go x.readInput(ctx, pc)
	return func() error {
		signal.Stop(changes)
		return raw.Restore()
	}, nil
}

// followTerminal tells the guest the terminal's size, now and when it changes,
// and takes the terminal back when gov86 was stopped and goes on.
func (x *session) followTerminal(ctx context.Context, pc computer, raw *terminal.Raw, changes <-chan os.Signal) {
	for {
		if rows, cols, err := terminal.Size(x.tty); err == nil && rows > 0 && cols > 0 {
			pc.Receive(ctx, portSize, fmt.Appendf(nil, "%d %d\n", rows, cols))
		}
		select {
		case <-ctx.Done():
			return
		case <-changes:
			raw.Again()
		}
	}
}

// readInput hands what is typed to the guest, until there is no more.
func (x *session) readInput(ctx context.Context, pc computer) {
	var escapes terminal.Escapes
	buf := make([]byte, 256)
	for ctx.Err() == nil {
		n, err := x.in.Read(buf)
		typed := buf[:n]
		if x.tty != nil {
			typed = x.escape(&escapes, typed, pc)
		}
		if len(typed) > 0 {
			pc.Receive(ctx, portConsole, typed)
		}
		if err != nil {
			return
		}
	}
}

// escape does what the escapes among typed ask for and returns the rest, which
// it moves to the front of typed.
func (x *session) escape(escapes *terminal.Escapes, typed []byte, pc computer) []byte {
	rest := typed[:0]
	for _, b := range typed {
		switch b, action := escapes.Type(b); action {
		case terminal.Send:
			rest = append(rest, b)
		case terminal.Quit:
			x.end(errQuit)
		case terminal.Save:
			pc.Save()
		case terminal.Help:
			for i := range len(terminal.HelpText) {
				x.output.Put(terminal.HelpText[i])
			}
		}
	}
	return rest
}

// endOnSignal makes a signal end the session in order, and a second one end
// gov86 at once: the guard restores the terminal then. What it returns undoes it.
func (x *session) endOnSignal() (undo func()) {
	signals := make(chan os.Signal, 1)
	done := make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		select {
		case s := <-signals:
			signal.Stop(signals)
			if s, ok := s.(syscall.Signal); ok {
				x.end(signalled{s})
			}
		case <-done:
		}
	}()
	return func() {
		signal.Stop(signals)
		close(done)
	}
}
