package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gov86/gov86/machine"
)

const resumeHelp = `Go on with a machine that gov86 run --save-on-exit saved, or another resume.

A snapshot has the guest's memory and devices, and names nothing of the host: give
the --kernel, the --disk and the --fs of the run again, or others that are the same
in the guest's eyes. Memory and processor are the snapshot's. What is on disks must
be as it was; what the guest had open in shared directories is looked for there, and
what is gone is stale.

The exit status is that of gov86 run.`

func newResume(status *int) *cobra.Command {
	s := settings{memory: 256 << 20, model: machine.DefaultModel}
	var directories []string
	var clock string
	cmd := &cobra.Command{
		Use:   "resume [flags] FILE",
		Short: "Go on with a machine that was saved",
		Long:  resumeHelp,
		Args:  exactly(1, "the name of a snapshot"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			switch clock {
			case "saved":
			case "now":
				s.clockNow = true
			default:
				return failure{"--clock", "there is no " + clock, "write saved or now"}
			}
			s.resume = args[0]
			*status, err = s.start(cmd, directories)
			return err
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&clock, "clock", "saved", "have the guest's clock go on from where it was `WHEN` saved, or from now")
	addPartFlags(f, &s, &directories)
	addRunFlags(f, &s)
	return cmd
}

// validateSave reports flags that a save does not go with.
func (s *settings) validateSave() error {
	if s.saveFile == "" {
		if s.saveRaw {
			return failure{"--save-raw", "nothing is saved", "give --save-on-exit too"}
		}
		return nil
	}
	for i := range s.drives {
		if d := &s.drives[i]; d.Snapshot {
			return d.fail("what the guest writes is forgotten at the end, and a machine that resumes would miss it",
				"write overlay=FILE instead of snapshot")
		}
	}
	if _, err := os.Stat(filepath.Dir(s.saveFile)); err != nil {
		return failure{s.saveFile, cause(err), "give --save-on-exit a file in a directory that exists"}
	}
	return nil
}

// newMachine switches a machine on, or resumes one.
func (x *session) newMachine(cfg machine.Config, host machine.Host) (*machine.Machine, error) {
	if x.resume == "" {
		return machine.New(cfg, host)
	}
	cfg.Memory, cfg.Model = 0, ""
	if !x.commandLineSet {
		cfg.CommandLine = ""
	}
	m, err := machine.RestoreFile(x.resume, cfg, host, machine.RestoreOptions{ClockNow: x.clockNow})
	var other *machine.DifferentError
	switch {
	case errors.As(err, &other):
		return nil, failure{x.resume, "the machine is another: " + strings.Join(other.Lines, "; "),
			"give the flags again that the run was given"}
	case errors.Is(err, os.ErrNotExist), errors.Is(err, os.ErrPermission):
		return nil, failure{x.resume, cause(err), "give a snapshot that gov86 run --save-on-exit wrote"}
	}
	return m, err
}

// saveAtEnd saves the machine when the session ended before its guest did; err is
// what Run returned.
func (x *session) saveAtEnd(m *machine.Machine, err error) {
	if x.saveFile == "" {
		return
	}
	if err == nil {
		fmt.Fprintf(x.messages(), "gov86: --save-on-exit: the guest has ended by itself, and nothing is saved\n")
		return
	}
	if context.Cause(x.ctx) != nil {
		x.tools.saveFailed = x.save(m)
	}
}

// save saves the machine and reports what that took.
func (x *session) save(m *machine.Machine) error {
	start := time.Now()
	if err := m.SaveFile(x.saveFile, machine.SaveOptions{Raw: x.saveRaw}); err != nil {
		return failure{x.saveFile, "not saved: " + err.Error(), ""}
	}
	if x.stats {
		fmt.Fprintf(x.messages(), "gov86: saved to %s in %v\n", x.saveFile, time.Since(start).Round(time.Millisecond/10))
	}
	return nil
}

// Save implements computer.
func (p *pc) Save() {
	what := "there is no file to save to; give gov86 --save-on-exit"
	if p.x.saveFile != "" {
		what = "saved to " + p.x.saveFile
		if !p.post(func(m *machine.Machine) {
			if err := p.x.save(m); err != nil {
				what = err.Error()
			}
		}) {
			return
		}
	}
	fmt.Fprintf(p.x.messages(), "\ngov86: %s\n", what)
}
