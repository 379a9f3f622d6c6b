// Package terminal puts the user's terminal in raw mode and sees to it that
// it never stays there.
//
// A deferred call can't promise that: a panic on another goroutine, os.Exit
// and SIGKILL all run no deferred calls. So a guard does it, a second process
// (this same program under its hidden command) that holds the terminal and the
// reading end of a pipe. However gov86 dies, the kernel closes the writing
// end, and the guard puts back the settings it found when it started.
//
// The package also reads the escapes that begin with Ctrl-A, and the
// terminal's size. Where there are no termios settings (Windows), no file is a
// terminal, and gov86 treats its input and output as plain streams.
package terminal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
)

// GuardCommand is the hidden command under which the program runs Guard.
const GuardCommand = "terminal-guard"

// guardTTY is the descriptor at which the guard finds the terminal: the first
// of exec.Cmd's ExtraFiles.
const guardTTY = 3

const maxLastWords = 256

// A Raw is a terminal in raw mode.
type Raw struct {
	tty   *os.File
	saved settings
	guard *exec.Cmd
	hold  io.WriteCloser // while it is open the guard waits

	mu       sync.Mutex // keeps Again from undoing Restore
	restored bool
}

// MakeRaw starts the guard and then puts tty in raw mode: every byte typed is
// delivered as it is, at once, and nothing is echoed or translated.
func MakeRaw(tty *os.File) (*Raw, error) {
	saved, err := load(tty)
	if err != nil {
		return nil, fmt.Errorf("terminal: %w", err)
	}
	r := &Raw{tty: tty, saved: saved}
	if err := r.startGuard(); err != nil {
		return nil, fmt.Errorf("terminal guard: %w", err)
	}
	if err := store(tty, raw(saved)); err != nil {
		return nil, errors.Join(fmt.Errorf("terminal: %w", err), r.Restore())
	}
	return r, nil
}

// startGuard returns once the guard has the settings to put back.
func (r *Raw) startGuard() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	guard := exec.Command(self, GuardCommand)
	guard.ExtraFiles = []*os.File{r.tty}
	guard.SysProcAttr = apart()
	hold, err := guard.StdinPipe()
	if err != nil {
		return err
	}
	ready, err := guard.StdoutPipe()
	if err != nil {
		return err
	}
	if err := guard.Start(); err != nil {
		return err
	}
	if _, err := io.ReadFull(ready, make([]byte, 1)); err != nil {
		hold.Close()
		return errors.Join(errors.New("it ended before it was ready"), guard.Wait())
	}
	r.guard, r.hold = guard, hold
	return nil
}

// LastWords has the guard write words to the terminal before it puts back the
// settings: what undoes what was written to it. Up to 256 bytes are.
func (r *Raw) LastWords(words string) error {
	_, err := io.WriteString(r.hold, words)
	return err
}

// Again puts the terminal in raw mode once more, for a program that was
// stopped and continues: the shell has used the terminal in between. After
// Restore it does nothing. Any goroutine may call it.
func (r *Raw) Again() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.restored {
		return nil
	}
	return store(r.tty, raw(r.saved))
}

// Restore puts back the settings that MakeRaw found and ends the guard. It
// waits for the guard, which must not touch the terminal after the shell has
// it again.
func (r *Raw) Restore() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.restored = true
	err := store(r.tty, r.saved)
	r.hold.Close()
	r.guard.Wait() // a guard that was killed has nothing left to do
	return err
}

// Guard is the guard's life: it keeps the settings of the terminal at
// descriptor 3, says so with one byte on ready, waits for the end of hold, writes
// what came from there, and puts the settings back.
func Guard(hold io.Reader, ready io.Writer) error {
	outliveSignals()
	tty := os.NewFile(guardTTY, "terminal")
	saved, err := load(tty)
	if err != nil {
		return fmt.Errorf("terminal guard: %w", err)
	}
	if _, err := ready.Write([]byte{0}); err != nil {
		return fmt.Errorf("terminal guard: %w", err)
	}
	words, _ := io.ReadAll(io.LimitReader(hold, maxLastWords)) // an error is as much the end as EOF is
	io.Copy(io.Discard, hold)
	tty.Write(words) // a terminal that is gone has no settings either
	if err := store(tty, saved); err != nil {
		return fmt.Errorf("terminal guard: %w", err)
	}
	return nil
}
