package main

import (
	"net"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/gov86/gov86/control"
	"github.com/gov86/gov86/machine"
)

// controlVariable names the socket for the commands that drive a machine.
const controlVariable = "GOV86_CONTROL"

// serveControl lets m be driven while it runs, if --control was given. What it
// returns ends that.
func (t *toolbox) serveControl(x *session, m *machine.Machine) (end func()) {
	if t.drivers == nil {
		return func() {}
	}
	s := control.Serve(t.drivers, m, version(), func() { x.end(errQuit) })
	return s.Close
}

// listenControl listens where --control says. Whoever may open the socket may do
// anything to the guest, and write files as the user.
func listenControl(address string) (net.Listener, error) {
	path, err := socketPath("--control", address)
	if err != nil {
		return nil, err
	}
	l, err := listenUnix(path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, failure{"--control", cause(err), "give a path where a socket can be made"}
	}
	return l, nil
}

func socketPath(flag, address string) (string, error) {
	path, ok := strings.CutPrefix(address, "unix:")
	if !ok {
		return "", failure{flag, "there is no socket in " + address, "write unix:PATH"}
	}
	return path, nil
}

// A driver is a command that drives a running machine.
type driver struct{ address string }

// command makes a command of run, which is called with a connection.
func (d *driver) command(c *cobra.Command, run func(c *control.Client, cmd *cobra.Command, args []string) error) *cobra.Command {
	c.Flags().StringVar(&d.address, "control", "",
		"the machine's `unix:PATH`, as its gov86 run --control has it (default $"+controlVariable+")")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		address := d.address
		if address == "" {
			address = os.Getenv(controlVariable)
		}
		if address == "" {
			return failure{"--control", "there is no machine", "give the unix:PATH that gov86 run --control was given"}
		}
		path, err := socketPath("--control", address)
		if err != nil {
			return err
		}
		client, err := control.Dial(path)
		if err != nil {
			return failure{address, cause(err), "start the machine with gov86 run --control " + address}
		}
		defer client.Close()
		return run(client, cmd, args)
	}
	return c
}
