package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// Exit statuses. A signal that ends gov86 adds its number to exitSignal, as a
// shell reports it; those above all signals are the guest's.
const (
	exitOK          = 0   // the guest powered off, --until's text appeared, or the user quit
	exitUnseen      = 1   // the machine ended and --until's text had not appeared
	exitTimeout     = 124 // --timeout ran out; the status timeout(1) uses
	exitFailure     = 125 // gov86 itself failed, usage errors included
	exitSignal      = 128
	exitUnbootable  = 253 // the firmware found nothing to boot
	exitTripleFault = 254 // the guest's processor shut down
	exitPanic       = 255 // the guest's kernel panicked
)

// A failure is what gov86 reports in one line: the thing that is wrong, what
// is wrong with it, and what to do about it.
type failure struct {
	thing, what, remedy string
}

func (f failure) Error() string {
	if f.remedy == "" {
		return f.thing + ": " + f.what
	}
	return f.thing + ": " + f.what + "; " + f.remedy
}

// report prints err in one line per error joined in it.
func report(stderr io.Writer, err error) {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		for _, e := range joined.Unwrap() {
			report(stderr, e)
		}
		return
	}
	fmt.Fprintf(stderr, "gov86: %s\n", strings.ReplaceAll(err.Error(), "\n", " "))
}
