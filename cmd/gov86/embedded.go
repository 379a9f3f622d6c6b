package main

import (
	"os"
	"regexp"
	"strings"

	"github.com/gov86/gov86/guest"
)

// defaultCommandLine is for a kernel that was given none.
const defaultCommandLine = "console=ttyS0"

// fullCommandLine is the kernel's command line. For the embedded guest it
// holds the words that its init understands (guest/README.md).
func (x *session) fullCommandLine() string {
	if x.kernel != "" {
		if x.commandLineSet {
			return x.commandLine
		}
		return defaultCommandLine
	}
	words := []string{defaultCommandLine, "quiet"}
	for _, s := range x.shares {
		word := "gov86.fs=" + s.name + ":/mnt/" + s.name
		if s.readOnly {
			word += ":ro"
		}
		words = append(words, word)
	}
	if x.tty != nil {
		words = append(words, "gov86.winsize=1", "gov86.term="+termName())
	}
	if x.commandLine != "" {
		words = append(words, x.commandLine)
	}
	return strings.Join(words, " ")
}

// plainTerm is what terminals of every kind understand.
const plainTerm = "vt100"

// safeTerm is a TERM that can stand in a kernel command line.
var safeTerm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$`)

// termName is the terminal's kind, for the guest.
func termName() string {
	if name := os.Getenv("TERM"); safeTerm.MatchString(name) {
		return name
	}
	return plainTerm
}

// describeGuest names the packages that the embedded guest was built from.
func describeGuest() string {
	var packages []string
	for line := range strings.Lines(guest.Describe()) {
		if f := strings.Fields(line); len(f) > 2 && f[0] != "compiler" {
			packages = append(packages, f[0]+" "+f[1])
		}
	}
	return "embedded: " + strings.Join(packages, ", ")
}
