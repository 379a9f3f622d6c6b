package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/gov86/gov86/cmd/gov86/internal/terminal"
	"github.com/gov86/gov86/machine"
)

func newDoctor() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Show what gov86 finds on this machine",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return examine(cmd.OutOrStdout(), cmd.InOrStdin())
		},
	}
}

// examine writes one line for each thing that decides what gov86 can do here.
func examine(w io.Writer, stdin io.Reader) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	lines := [][2]string{
		{"gov86", version() + ", built with " + runtime.Version()},
		{"host", fmt.Sprintf("%s/%s, %d processors", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())},
		{"engine", describeEngine()},
		{"translation", describeTranslation()},
		{"windows", describeWindows()},
		{"terminal", describeTerminal(stdin)},
		{"TERM", termName()},
		{"guest", describeGuest()},
	}
	for _, line := range lines {
		if _, err := fmt.Fprintf(t, "%s\t%s\n", line[0], line[1]); err != nil {
			return err
		}
	}
	return t.Flush()
}

// describeEngine is the engine that executes a guest if none is asked for.
func describeEngine() string {
	name, because := machine.DefaultEngine()
	if because != nil {
		return fmt.Sprintf("%s, for there is no translation: %v", name, because)
	}
	return fmt.Sprintf("%s; --engine %s is slower by far, and the same to the guest", name, machine.Engines[0])
}

// describeTranslation is what translation needs of this machine.
func describeTranslation() string {
	var all []string
	for _, r := range machine.Requirements() {
		has := "yes"
		if r.Lacking != nil {
			has = "no"
		}
		all = append(all, r.What+": "+has)
	}
	return strings.Join(all, ", ")
}

// describeWindows says whether memory of the guest can be mapped at the host's
// addresses.
func describeWindows() string {
	if err := machine.LacksWindows(); err != nil {
		return "none, which is slower and the same to the guest: " + err.Error()
	}
	return "yes"
}

func describeTerminal(stdin io.Reader) string {
	f, ok := stdin.(*os.File)
	if !ok || !terminal.Is(f) {
		return "none: standard input feeds the guest as it is"
	}
	rows, cols, err := terminal.Size(f)
	if err != nil || rows == 0 || cols == 0 {
		return "of unknown size"
	}
	return fmt.Sprintf("%d rows, %d columns", rows, cols)
}
