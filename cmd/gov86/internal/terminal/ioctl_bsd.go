//go:build darwin || freebsd || netbsd || openbsd

package terminal

import "golang.org/x/sys/unix"

// The requests that read and write the settings at once (termios(4)).
const (
	ioctlGet = unix.TIOCGETA
	ioctlSet = unix.TIOCSETA
)
