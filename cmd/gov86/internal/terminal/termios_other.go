//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package terminal

import (
	"errors"
	"os"
	"syscall"
)

type settings struct{}

var errNoTermios = errors.New("this system has no terminal settings")

func load(*os.File) (settings, error) { return settings{}, errNoTermios }

func store(*os.File, settings) error { return errNoTermios }

func raw(s settings) settings { return s }

// Is reports whether f is a terminal.
func Is(*os.File) bool { return false }

// Size is the terminal's size in characters.
func Size(*os.File) (rows, cols int, err error) { return 0, 0, errNoTermios }

// Resized lists the signals that say the size has changed.
func Resized() []os.Signal { return nil }

// Continued lists the signals after which the terminal's settings may be the
// shell's.
func Continued() []os.Signal { return nil }

func apart() *syscall.SysProcAttr { return nil }

func outliveSignals() {}
