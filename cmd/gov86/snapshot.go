package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/gov86/gov86/machine"
)

// exactly is for commands that take n arguments.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > n {
			return failure{args[n], "it is one too many", cmd.CommandPath() + " --help tells more"}
		}
		return atLeast(n, what)(cmd, args)
	}
}

// newSnapshot is the commands that look at snapshots.
func newSnapshot() *cobra.Command {
	root := &cobra.Command{Use: "snapshot", Short: "Look at machines that were saved"}
	root.AddCommand(&cobra.Command{
		Use:   "info FILE",
		Short: "Tell what machine a snapshot has, and what of it takes how much room",
		Args:  exactly(1, "the name of a snapshot"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withSnapshots(args, func(s []*machine.Snapshot) error { return tellSnapshot(cmd.OutOrStdout(), s[0]) })
		},
	}, &cobra.Command{
		Use:   "verify FILE",
		Short: "Check all of a snapshot, memory included",
		Args:  exactly(1, "the name of a snapshot"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withSnapshots(args, func(s []*machine.Snapshot) error {
				if _, err := s[0].Fields(); err != nil {
					return err
				}
				return s[0].Verify()
			})
		},
	}, &cobra.Command{
		Use:   "diff FILE FILE",
		Short: "Tell what differs between two snapshots, field by field and page by page",
		Args:  exactly(2, "the name of a snapshot"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withSnapshots(args, func(s []*machine.Snapshot) error { return compareSnapshots(cmd.OutOrStdout(), s[0], s[1]) })
		},
	})
	return root
}

// withSnapshots calls fn with the snapshots of those names.
func withSnapshots(names []string, fn func([]*machine.Snapshot) error) error {
	var all []*machine.Snapshot
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return failure{name, cause(err), "give a snapshot that gov86 run --save-on-exit wrote"}
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return failure{name, cause(err), ""}
		}
		s, err := machine.OpenSnapshot(f, info.Size())
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, s)
	}
	return fn(all)
}

func tellSnapshot(w io.Writer, s *machine.Snapshot) error {
	fmt.Fprintf(w, "%s\n\n", s.Header)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "section\tversion\tbytes\t")
	for _, x := range s.Sections {
		fmt.Fprintf(t, "%s\t%d\t%d\t\n", x.Name, x.Version(), len(x.Payload))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nmemory: %d pages of %d are not zero; %v, in %d bytes\n", s.Pages(), s.MemorySize/4096,
		s.Encoding, s.Stored)
	return err
}

func compareSnapshots(w io.Writer, a, b *machine.Snapshot) error {
	for _, line := range a.Description.Machine.Differences(&b.Description.Machine) {
		fmt.Fprintln(w, line)
	}
	before, err := a.Fields()
	if err != nil {
		return err
	}
	after, err := b.Fields()
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i := range max(len(before), len(after)) {
		var x, y machine.Field
		if i < len(before) {
			x = before[i]
		}
		if i < len(after) {
			y = after[i]
		}
		if x != y {
			fmt.Fprintf(t, "%s.%s\t%.60s\t%s.%s\t%.60s\n", x.Section, x.Name, x.Value, y.Section, y.Name, y.Value)
		}
	}
	if err := t.Flush(); err != nil || a.MemorySize != b.MemorySize {
		return err
	}
	return comparePages(w, a, b)
}

// comparePages tells how many pages of memory differ, and which are the first.
func comparePages(w io.Writer, a, b *machine.Snapshot) error {
	const page, most = 4096, 16
	x, y := make([]byte, a.MemorySize), make([]byte, b.MemorySize)
	if err := a.ReadMemory(x); err != nil {
		return err
	}
	if err := b.ReadMemory(y); err != nil {
		return err
	}
	differ := 0
	for at := 0; at < len(x); at += page {
		if slices.Equal(x[at:at+page], y[at:at+page]) {
			continue
		}
		if differ++; differ <= most {
			fmt.Fprintf(w, "memory at %#08x\n", at)
		}
	}
	_, err := fmt.Fprintf(w, "%d pages of memory differ\n", differ)
	return err
}
