package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tmux runs a command of the terminal multiplexer and returns what it prints.
func tmux(t *testing.T, socket string, args ...string) string {
	t.Helper()
	out, err := exec.Command("tmux", append([]string{"-f", os.DevNull, "-S", socket}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("tmux %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// TestTheScreenInATerminal has firmware show its menu in a terminal that somebody
// else emulates.
func TestTheScreenInATerminal(t *testing.T) {
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("there is no tmux here, which is the terminal (Debian package tmux)")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(t.TempDir(), "tmux")
	command := fmt.Sprintf("stty -a > %[1]s.before; %[2]s=1 '%[3]s' run --bios seabios --boot menu=on,splash-time=60000 --memory 64M;"+
		" echo status $?; stty -a > %[1]s.after; sleep 300", socket, asCommand, self)
	tmux(t, socket, "new-session", "-d", "-x", "90", "-y", "30", command)
	t.Cleanup(func() { exec.Command("tmux", "-S", socket, "kill-server").Run() })
	await := func(want string) {
		t.Helper()
		for deadline := time.Now().Add(bootTime); ; time.Sleep(50 * time.Millisecond) {
			shown := tmux(t, socket, "capture-pane", "-p")
			if strings.Contains(shown, want) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%q has not come; the terminal shows\n%s", want, shown)
			}
		}
	}
	await("Press ESC for boot menu.")
	if coloured := tmux(t, socket, "capture-pane", "-p", "-e"); !strings.Contains(coloured, "\x1b[37m\x1b[40mSeaBIOS") {
		t.Errorf("no light grey on black:\n%q", coloured)
	}
	tmux(t, socket, "send-keys", "Escape")
	await("Select boot device:")
	tmux(t, socket, "send-keys", "C-a", "x")
	await("status 0")
	if shown := tmux(t, socket, "capture-pane", "-p"); strings.Contains(shown, "SeaBIOS") {
		t.Errorf("the guest's screen is left behind:\n%s", shown)
	}
	first, err := os.ReadFile(socket + ".before")
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(bootTime); ; time.Sleep(20 * time.Millisecond) {
		if last, _ := os.ReadFile(socket + ".after"); string(last) == string(first) {
			return
		} else if time.Now().After(deadline) {
			t.Fatalf("the terminal's settings are\n%s, and were\n%s", last, first)
		}
	}
}
