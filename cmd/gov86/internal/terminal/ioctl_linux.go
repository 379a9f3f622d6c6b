package terminal

import "golang.org/x/sys/unix"

// The requests that read and write the settings at once (ioctl_tty(2)).
const (
	ioctlGet = unix.TCGETS
	ioctlSet = unix.TCSETS
)
