package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gov86/gov86/machine"
)

const fsHelp = `Work on the changes that --fs DIR,cow=OVERLAY has kept apart from DIR.

They are named by the overlay's directory, or by the value of --fs.`

func newFS() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "fs",
		Short: "Show, apply or discard changes kept apart from a shared directory",
		Long:  fsHelp,
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return failure{args[0], "there is no such command", "gov86 fs --help lists them"}
			}
			return cmd.Help()
		},
	}
	var asJSON bool
	diff := overlayCommand("diff", "List what was added (A), modified (M), removed (D) and renamed (R)", func(cmd *cobra.Command, overlay string) error {
		return showDifferences(cmd, overlay, asJSON)
	})
	diff.Flags().BoolVar(&asJSON, "json", false, "write a JSON array of objects with kind, path, and from for R")
	cmd.AddCommand(diff,
		overlayCommand("apply", "Make the changes in the directory, unless it changed at the same places", applyOverlay),
		overlayCommand("discard", "Forget the changes", func(_ *cobra.Command, overlay string) error {
			return overlayFailure(overlay, machine.DiscardOverlay(overlay))
		}))
	return cmd
}

// overlayCommand is a command that works on one overlay.
func overlayCommand(name, short string, fn func(*cobra.Command, string) error) *cobra.Command {
	return &cobra.Command{
		Use:   name + " OVERLAY|DIR,cow=OVERLAY",
		Short: short,
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return failure{"gov86 fs " + name, fmt.Sprintf("%d overlays are given", len(args)), "give one"}
			}
			overlay := args[0]
			if strings.Contains(overlay, ",cow=") {
				s, err := parseShare(overlay)
				if err != nil {
					return err
				}
				overlay = s.overlay
			}
			return fn(cmd, overlay)
		},
	}
}

// overlayFailure words an error about an overlay.
func overlayFailure(overlay string, err error) error {
	var conflict *machine.OverlayConflict
	switch {
	case err == nil:
		return nil
	case errors.As(err, &conflict):
		return failure{overlay, conflict.Error(), "nothing was applied; undo one of the two changes"}
	}
	return failure{overlay, err.Error(), "give the directory of --fs DIR,cow=OVERLAY"}
}

func showDifferences(cmd *cobra.Command, overlay string, asJSON bool) error {
	list, err := machine.DiffOverlay(overlay)
	if err != nil {
		return overlayFailure(overlay, err)
	}
	w := cmd.OutOrStdout()
	if asJSON {
		if list == nil {
			list = []machine.OverlayDifference{}
		}
		return json.NewEncoder(w).Encode(list)
	}
	for _, d := range list {
		from := ""
		if d.From != "" {
			from = " from " + printable(d.From)
		}
		if _, err := fmt.Fprintf(w, "%s %s%s\n", d.Kind, printable(d.Path), from); err != nil {
			return err
		}
	}
	return nil
}

// printable is a path as it is, or quoted if a terminal should not see it.
func printable(path string) string {
	if q := fmt.Sprintf("%q", path); q != `"`+path+`"` {
		return q
	}
	return path
}

func applyOverlay(cmd *cobra.Command, overlay string) error {
	lost, err := machine.ApplyOverlay(overlay)
	for _, what := range lost {
		fmt.Fprintf(cmd.ErrOrStderr(), "gov86: the directory does not keep the %s\n", what)
	}
	return overlayFailure(overlay, err)
}
