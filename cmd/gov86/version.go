package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/gov86/gov86/bios"
	"github.com/gov86/gov86/guest"
	"github.com/gov86/gov86/internal/licenses"
)

func newVersion() *cobra.Command {
	var withLicenses bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Show the version, and the licences of everything inside",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w := cmd.OutOrStdout()
			if _, err := fmt.Fprintf(w, "gov86 %s %s %s/%s\n", version(), runtime.Version(),
				runtime.GOOS, runtime.GOARCH); err != nil {
				return err
			}
			if !withLicenses {
				return nil
			}
			return writeLicenses(w)
		},
	}
	cmd.Flags().BoolVar(&withLicenses, "licenses", false,
		"also print the licences and where the guest's sources are")
	return cmd
}

// version is the module's version, or what is known of the checkout.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

func writeLicenses(w io.Writer) error {
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	if err := licenses.Write(w); err != nil {
		return err
	}
	for _, terms := range []string{guest.Licenses(), bios.Licenses()} {
		if _, err := io.WriteString(w, terms+"\n"); err != nil {
			return err
		}
	}
	return nil
}
