package main

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/gov86/gov86/cmd/gov86/internal/terminal"
)

// run is main, separate so that tests can call it.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) (status int) {
	defer func() {
		if bug := recover(); bug != nil {
			fmt.Fprintf(stderr, "gov86: internal error: %v\n%s", bug, debug.Stack())
			status = exitFailure
		}
	}()
	root := newRoot(&status)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	args, err := respell(root, args)
	if err == nil {
		root.SetArgs(args)
		err = root.Execute()
	}
	if err != nil {
		report(stderr, err)
		if status == exitOK {
			status = exitFailure
		}
	}
	return status
}

// newRoot returns the command tree. A command that ends with a status of its
// own, and not with an error alone, stores it in status.
func newRoot(status *int) *cobra.Command {
	root := &cobra.Command{
		Use:               "gov86",
		Short:             "A 32-bit PC in one program",
		Args:              cobra.ArbitraryArgs,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return failure{args[0], "there is no such command", "gov86 help lists them"}
			}
			return cmd.Help()
		},
	}
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(newRun(status), newResume(status), newSnapshot(), newDisasm(), newCtl(), newScreenshot(), newSendKey(),
		newType(), newMouse(), newVersion(), newDoctor(), newFS(), newGuard())
	return root
}

// respell turns QEMU's flags among the arguments of run into gov86's.
func respell(root *cobra.Command, args []string) ([]string, error) {
	cmd, _, err := root.Find(args)
	if err != nil || cmd.Name() != "run" && cmd.Name() != "resume" {
		return args, nil
	}
	return fromQEMU(args, func(arg string) bool {
		flag := cmd.Flags().Lookup(strings.TrimPrefix(arg, "--"))
		return strings.HasPrefix(arg, "--") && flag != nil && flag.NoOptDefVal == ""
	})
}

// flagError words what pflag reports.
func flagError(cmd *cobra.Command, err error) error {
	remedy := cmd.CommandPath() + " --help lists the flags"
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		return failure{"-" + unknown.GetSpecifiedShortnames(), "there is no such flag", remedy}
	case errors.As(err, &unknown):
		return failure{"--" + unknown.GetSpecifiedName(), "there is no such flag", remedy}
	case errors.As(err, &missing):
		return failure{"--" + missing.GetSpecifiedName(), "a value is missing", remedy}
	case errors.As(err, &invalid):
		var f failure
		if errors.As(invalid.Unwrap(), &f) {
			return f
		}
		return failure{"--" + invalid.GetFlag().Name, fmt.Sprintf("%q is not a %s", invalid.GetValue(),
			invalid.GetFlag().Value.Type()), remedy}
	}
	return failure{"flags", err.Error(), remedy}
}

// noArguments is for commands that take flags only.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return failure{args[0], cmd.CommandPath() + " takes flags only", cmd.CommandPath() + " --help lists them"}
}

// newGuard is the second process that restores the terminal.
func newGuard() *cobra.Command {
	return &cobra.Command{
		Use:    terminal.GuardCommand,
		Hidden: true,
		Args:   noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return terminal.Guard(cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
}
