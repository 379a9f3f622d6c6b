package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/gov86/gov86/cmd/gov86/internal/terminal"
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
	for _, line := range [][2]string{
		{"gov86", version() + ", built with " + runtime.Version()},
		{"host", fmt.Sprintf("%s/%s, %d processors", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())},
		{"engines", "interp"},
		{"terminal", describeTerminal(stdin)},
		{"TERM", termName()},
		{"guest", describeGuest()},
	} {
		if _, err := fmt.Fprintf(t, "%s\t%s\n", line[0], line[1]); err != nil {
			return err
		}
	}
	return t.Flush()
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
