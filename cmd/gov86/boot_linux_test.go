package main

import (
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/gov86/gov86/cmd/gov86/internal/terminal/ptytest"
)

// startOnTerminal starts gov86 as a program of its own on a new terminal.
func startOnTerminal(t *testing.T, rows, cols uint16) (g *dialogue, program *exec.Cmd, tty *os.File) {
	t.Helper()
	master, tty := ptytest.Open(t)
	resize(t, master, rows, cols)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program = exec.Command(self, "run")
	program.Env = append(os.Environ(), asCommand+"=1")
	program.Dir = t.TempDir()
	program.Stdin, program.Stdout, program.Stderr = tty, tty, tty
	program.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { program.Process.Kill() })
	g = newDialogue(t, master)
	go func() {
		io.Copy(g, master)
		g.close()
	}()
	return g, program, tty
}

func resize(t *testing.T, master *os.File, rows, cols uint16) {
	t.Helper()
	if err := unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: cols}); err != nil {
		t.Fatal(err)
	}
}

func TestBootOnATerminal(t *testing.T) {
	g, program, tty := startOnTerminal(t, 41, 133)
	before, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	g.expect(prompt)
	if got, want := g.shell("stty size"), "41 133\n"; got != want {
		t.Errorf("stty size printed %q, want %q", got, want)
	}
	resize(t, tty, 24, 80)
	if got := g.shell("until [ \"$(stty size)\" = '24 80' ]; do sleep 0.1; done; stty size"); got != "24 80\n" {
		t.Errorf("after the resize stty size printed %q", got)
	}

	g.send("sh -c 'echo sleep''ing; sleep 1000'\n")
	g.expect("sleeping\r\n")
	g.send("\x03")
	g.expect(prompt) // the shell again: Ctrl-C went to the guest

	g.send("\x01h")
	g.expect("Ctrl-A x       quit")
	g.send("\x01x")
	if err := program.Wait(); err != nil {
		t.Errorf("gov86 ended with %v after Ctrl-A x", err)
	}
	after, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	if *after != *before {
		t.Errorf("the terminal's settings after gov86:\n%+v\nwant\n%+v", *after, *before)
	}
	if strings.Contains(g.text(), "goroutine ") {
		t.Error("a stack trace on the console")
	}
}

func TestBootSIGTERMRestoresTheTerminal(t *testing.T) {
	g, program, tty := startOnTerminal(t, 24, 80)
	g.expect("guest ready")
	if err := program.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	program.Wait()
	if got, want := program.ProcessState.ExitCode(), exitSignal+int(syscall.SIGTERM); got != want {
		t.Errorf("status %d, want %d", got, want)
	}
	settings, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	if settings.Lflag&(unix.ICANON|unix.ECHO) != unix.ICANON|unix.ECHO {
		t.Errorf("local flags %#x: the terminal is still raw", settings.Lflag)
	}
}
