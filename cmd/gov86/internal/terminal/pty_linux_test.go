package terminal

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gov86/gov86/cmd/gov86/internal/terminal/ptytest"
)

// holdCommand makes the test binary put its standard input in raw mode, say
// "raw" and wait for a line that tells it how to die.
const holdCommand = "hold-terminal"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case GuardCommand:
			if err := Guard(os.Stdin, os.Stdout); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			os.Exit(0)
		case holdCommand:
			hold()
		}
	}
	os.Exit(m.Run())
}

// held keeps the guard's pipe open: a collected Raw would close it.
var held *Raw

func hold() {
	var err error
	if held, err = MakeRaw(os.Stdin); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("raw")
	orders := bufio.NewScanner(os.NewFile(3, "orders"))
	orders.Scan()
	switch orders.Text() {
	case "panic":
		go panic("on a goroutine that defers nothing")
	case "exit":
		os.Exit(3)
	}
	select {}
}

func TestRawDeliversControlCharactersAndRestoreBringsTheSettingsBack(t *testing.T) {
	_, tty := ptytest.Open(t)
	before, err := load(tty)
	if err != nil {
		t.Fatal(err)
	}
	r, err := MakeRaw(tty)
	if err != nil {
		t.Fatal(err)
	}
	during, err := load(tty)
	if err != nil {
		t.Fatal(err)
	}
	if during.Lflag&(unix.ISIG|unix.ICANON|unix.ECHO) != 0 || during.Oflag&unix.OPOST != 0 {
		t.Errorf("local flags %#x, output flags %#x: the terminal is not raw", during.Lflag, during.Oflag)
	}
	if err := errors.Join(r.Restore(), r.Again()); err != nil {
		t.Fatal(err)
	}
	after, err := load(tty)
	if err != nil {
		t.Fatal(err)
	}
	if *after != *before {
		t.Errorf("settings after Restore:\n%+v\nwant\n%+v", *after, *before)
	}
}

func TestSizeIsTheTerminals(t *testing.T) {
	_, tty := ptytest.Open(t)
	if err := unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 41, Col: 133}); err != nil {
		t.Fatal(err)
	}
	rows, cols, err := Size(tty)
	if err != nil || rows != 41 || cols != 133 {
		t.Errorf("Size = %d, %d, %v, want 41, 133", rows, cols, err)
	}
}

func TestAFileIsNotATerminal(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if Is(f) {
		t.Errorf("Is(%s) = true", os.DevNull)
	}
	if _, err := MakeRaw(f); err == nil {
		t.Errorf("MakeRaw(%s) succeeded", os.DevNull)
	}
}

// TestTheTerminalIsRestoredAfterAnyDeath kills a process whose terminal is raw
// in each way that runs no deferred call.
func TestTheTerminalIsRestoredAfterAnyDeath(t *testing.T) {
	for _, death := range []struct {
		name   string
		order  string
		signal syscall.Signal
	}{
		{name: "SIGKILL", signal: syscall.SIGKILL},
		{name: "SIGTERM", signal: syscall.SIGTERM},
		{name: "os.Exit", order: "exit"},
		{name: "panic on another goroutine", order: "panic"},
	} {
		t.Run(death.name, func(t *testing.T) {
			_, tty := ptytest.Open(t)
			before, err := load(tty)
			if err != nil {
				t.Fatal(err)
			}
			child, orders := startHolder(t, tty)
			if during, err := load(tty); err != nil || during.Lflag&unix.ICANON != 0 {
				t.Fatalf("local flags %#x, %v: the terminal is not raw", during.Lflag, err)
			}
			if death.order != "" {
				fmt.Fprintln(orders, death.order)
			} else if err := child.Process.Signal(death.signal); err != nil {
				t.Fatal(err)
			}
			child.Wait()
			awaitSettings(t, tty, *before)
		})
	}
}

// startHolder starts a session leader on tty and waits until tty is raw. What
// is written to orders tells it how to die.
func startHolder(t *testing.T, tty *os.File) (child *exec.Cmd, orders *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	child = exec.Command(os.Args[0], holdCommand)
	child.Stdin = tty
	child.ExtraFiles = []*os.File{r}
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	said, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { child.Process.Kill() })
	if line, err := bufio.NewReader(said).ReadString('\n'); line != "raw\n" {
		t.Fatalf("the child said %q, %v", line, err)
	}
	return child, w
}

// awaitSettings waits for the guard, which nobody tells when it is done.
func awaitSettings(t *testing.T, tty *os.File, want unix.Termios) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		got, err := load(tty)
		if err == nil && *got == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("settings ten seconds after the death: %+v, %v\nwant %+v", got, err, want)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
