//go:build linux || darwin || freebsd || netbsd || openbsd

package terminal

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

type settings = *unix.Termios

func load(tty *os.File) (settings, error) {
	return unix.IoctlGetTermios(int(tty.Fd()), ioctlGet)
}

func store(tty *os.File, s settings) error {
	return unix.IoctlSetTermios(int(tty.Fd()), ioctlSet, s)
}

// raw is what cfmakeraw does (termios(3), "Raw mode").
func raw(s settings) settings {
	t := *s
	t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP |
		unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	t.Oflag &^= unix.OPOST
	t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	t.Cflag &^= unix.CSIZE | unix.PARENB
	t.Cflag |= unix.CS8
	t.Cc[unix.VMIN] = 1
	t.Cc[unix.VTIME] = 0
	return &t
}

// Is reports whether f is a terminal.
func Is(f *os.File) bool {
	_, err := load(f)
	return err == nil
}

// Size is the terminal's size in characters. A terminal that doesn't know, as
// a serial line does not, says zero.
func Size(tty *os.File) (rows, cols int, err error) {
	ws, err := unix.IoctlGetWinsize(int(tty.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0, 0, err
	}
	return int(ws.Row), int(ws.Col), nil
}

// Resized lists the signals that say the size has changed.
func Resized() []os.Signal { return []os.Signal{unix.SIGWINCH} }

// Continued lists the signals after which the terminal's settings may be the
// shell's.
func Continued() []os.Signal { return []os.Signal{unix.SIGCONT} }

// apart keeps the guard out of the process group that gov86 is signalled with.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// outliveSignals is for a guard whose session is being torn down. SIGTTOU is
// among them because the guard, being apart, is in the background.
func outliveSignals() {
	signal.Ignore(unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGPIPE,
		unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU)
}
