package main

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/gov86/gov86/guest"
	"github.com/gov86/gov86/machine"
)

// settings is what the flags of run ask for.
type settings struct {
	toolFlags
	driveFlags
	firmwareFlags
	kernel, initrd string // paths
	commandLine    string
	commandLineSet bool
	shares         []share
	memory         size
	noAPIC         bool
	model          string
	engine         string
	lockstepRun    uint64
	windows        string
	headless       bool
	display        string
	until          string
	timeout        time.Duration
	saveFile       string // what --save-on-exit names
	saveRaw        bool
	// resume is the snapshot to resume, nothing for a machine that is switched on.
	resume   string
	clockNow bool
}

const runHelp = `Boot a guest: a kernel that is entered directly (--kernel); or what firmware
finds on the disks there are (--disk, --cdrom, --fda, or --bios, --boot); or
without any of these the embedded guest, a small Linux that mounts the shared
directories below /mnt and starts a root shell.

On a terminal, Ctrl-A begins an escape: Ctrl-A x quits, Ctrl-A h lists the
others. Every other key goes to the guest. Otherwise standard input feeds the
guest, and its end leaves the machine running.

The guest's screen is shown by --display. Without it gov86 chooses: for a machine
that begins with firmware, the terminal if there is one; none for a kernel, whose
console is the serial port, and with --headless. docs/display.md has the keys.

QEMU's -kernel, -initrd, -append, -m, -cpu, -bios, -boot, -nographic, -hda, -hdb,
-cdrom, -fda, -fdb, -debugcon, -gdb, -s, -S and -device isa-debug-exit are
understood.

gov86 resume goes on with a machine that --save-on-exit saved.

Exit status:
    0  the guest powered off or halted for good (--halt-exit), the text of
       --until appeared, --break was reached, or Ctrl-A x
    1  the machine ended, and the text of --until had not appeared or --break
       was not reached
  124  --timeout ran out
  125  gov86 failed: a bad flag, a file that is missing or not a kernel, ...
  128+ a signal of that number ended gov86
  253  the firmware found nothing to boot, and standard input is no terminal
  254  the guest's processor shut down (triple fault)
  255  the guest's kernel panicked
With --debug-exit the guest may end with any status.`

func newRun(status *int) *cobra.Command {
	s := settings{memory: 256 << 20, model: machine.DefaultModel}
	var directories []string
	cmd := &cobra.Command{
		Use:   "run [flags]",
		Short: "Boot a guest and put its console on the terminal",
		Long:  runHelp,
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			*status, err = s.start(cmd, directories)
			return err
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	addPartFlags(f, &s, &directories)
	f.Var(&s.memory, "memory", "give the guest this much memory: a number and K, M or G")
	f.StringVar(&s.model, "cpu", s.model, "be the processor `MODEL`: "+models())
	f.BoolVar(&s.noAPIC, "no-apic", false, "hide the local APIC and the I/O APIC")
	addRunFlags(f, &s)
	return cmd
}

// start does what run and resume have in common: it checks the flags, and runs the
// machine.
func (s *settings) start(cmd *cobra.Command, directories []string) (status int, err error) {
	s.commandLineSet = cmd.Flags().Changed("append")
	if err := s.validate(); err != nil {
		return exitFailure, err
	}
	if s.embedded() && len(directories) == 0 && machine.CanShare {
		directories = []string{defaultShare + "=.,ro"}
	}
	if s.shares, err = parseShares(directories); err != nil {
		return exitFailure, err
	}
	if err = s.validateShares(); err != nil {
		return exitFailure, err
	}
	if err = s.driveFlags.parse(s.locked()); err != nil {
		return exitFailure, err
	}
	if err = s.validateSave(); err != nil {
		return exitFailure, err
	}
	return boot(*s, streams{cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()})
}

// addPartFlags adds the flags that say what a machine is made of, but for what a
// snapshot tells.
func addPartFlags(f *pflag.FlagSet, s *settings, directories *[]string) {
	f.StringVar(&s.kernel, "kernel", "", "boot the kernel in `FILE`: a bzImage, or an ELF or Multiboot image")
	f.StringVar(&s.initrd, "initrd", "", "give the kernel the initial RAM disk in `FILE`")
	f.StringVar(&s.commandLine, "append", "",
		"the kernel's command line (default \"console=ttyS0\"); for the embedded guest, words to add to its own")
	f.StringArrayVar(directories, "fs", nil,
		"share a directory under a name: `[NAME=]DIR[,OPTION]...`, repeatable; the embedded guest mounts\n"+
			"it at /mnt/NAME (default for the embedded guest \"host=.,ro\"). DIR may be mem:, an empty one in\n"+
			"memory. Options: ro; owners=auto, squash, mapped or host, whose the files are in the\n"+
			"guest: with squash, yours are root's; with mapped, the guest gives them to whom it likes,\n"+
			"and the host does not notice; with host, the numbers are those of the host; cow=OVERLAY, to\n"+
			"keep what the guest changes in that directory, for gov86 fs")
	f.StringArrayVar(&s.disks, "disk", nil,
		"have the disk whose image is in a file: `FILE[,OPTION]...`, repeatable. Options: ro; snapshot,\n"+
			"to forget at the end what was written; overlay=FILE, to keep it in that QCOW2 image, which\n"+
			"is made if need be; if=ide or virtio; format=raw or qcow2, the latter for files named so")
	f.StringArrayVar(&s.cdroms, "cdrom", nil,
		"have a CD-ROM drive with the image in a `FILE|DIR`, or with the files of a directory, repeatable")
	f.StringVar(&s.floppies[0], "fda", "",
		"have a first floppy drive with the disk in a file: `FILE[,OPTION]...`; or with one of 1.44 MB\n"+
			"that holds the files of a directory, and is read-only or, with snapshot, forgotten at the end")
	f.StringVar(&s.floppies[1], "fdb", "", "have a second floppy drive: `FILE[,OPTION]...`")
	addFirmwareFlags(f, &s.firmwareFlags)
}

// addRunFlags adds the flags that say how a machine is run.
func addRunFlags(f *pflag.FlagSet, s *settings) {
	f.BoolVar(&s.headless, "headless", false, "treat a terminal as a plain stream: no raw mode, no escapes")
	f.StringVar(&s.display, "display", faceAuto, displayHelp)
	f.StringVar(&s.engine, "engine", s.engine,
		"execute with `ENGINE`: interp; jit, the default where the host can have it; or lockstep:\n"+
			"jit, and end with status 125 at the first difference from interp")
	f.Uint64Var(&s.lockstepRun, "lockstep-run", 1, "with lockstep, compare about every `N` instructions")
	f.StringVar(&s.windows, "windows", "auto",
		"with jit, map memory of the guest at the host's addresses: `WHEN` is off, auto, which is for\n"+
			"address spaces that live, or always, which is for tests")
	f.StringVar(&s.until, "until", "", "end with status 0 when `TEXT` appears on the console")
	f.DurationVar(&s.timeout, "timeout", 0, "end with status 124 after `DURATION`, such as 60s or 5m")
	f.StringVar(&s.saveFile, "save-on-exit", "",
		"when the run ends but the guest has not (--until, --timeout, Ctrl-A x, a signal), save the machine\n"+
			"to `FILE`, for gov86 resume; Ctrl-A s saves it at once, and it goes on")
	f.BoolVar(&s.saveRaw, "save-raw", false, "save memory as it is: large, and quicker to resume")
	addToolFlags(f, &s.toolFlags)
}

// validate reports what is wrong with the flags themselves.
func (s *settings) validate() error {
	switch {
	case s.engine != "" && !slices.Contains(machine.Engines, s.engine):
		return failure{"--engine", "there is no engine " + s.engine, "write one of " + strings.Join(machine.Engines, ", ")}
	case s.lockstepRun == 0:
		return failure{"--lockstep-run", "nothing would ever be compared", "write 1, or more"}
	case s.lockstepRun > 1 && !s.locked():
		return failure{"--lockstep-run", "there is nothing to compare with", "give --engine lockstep too"}
	case !slices.Contains(machine.Windows, s.windows):
		return failure{"--windows", "there is no " + s.windows, "write one of " + strings.Join(machine.Windows, ", ")}
	case !slices.Contains(machine.Models(), s.model):
		return failure{"--cpu", "there is no processor model " + s.model, "write one of " + models()}
	case s.embedded() && !slices.Contains(guest.Models, s.model):
		return failure{"--cpu", "the embedded guest needs an i686, which a " + s.model + " is not",
			"write one of " + strings.Join(guest.Models, ", ") + ", or give a --kernel"}
	case s.timeout < 0:
		return failure{"--timeout", s.timeout.String() + " is in the past", "write a duration such as 60s"}
	case s.initrd != "" && s.embedded():
		return failure{"--initrd", "the embedded guest has its own initial RAM disk", "give --kernel too"}
	}
	if err := s.validateFirmware(); err != nil {
		return err
	}
	if s.locked() {
		if err := s.toolFlags.validateLockstep(); err != nil {
			return err
		}
	}
	return s.toolFlags.validate()
}

// locked reports whether there are two machines.
func (s *settings) locked() bool { return s.engine == machine.Lockstep }

// validateShares reports what lockstep cannot share.
func (s *settings) validateShares() error {
	for _, share := range s.shares {
		if s.locked() && !share.readOnly {
			return failure{"--fs " + share.dir, "both machines of lockstep would write to it", "write --fs " + share.dir + ",ro"}
		}
	}
	return nil
}

// models are the processor models, oldest first.
func models() string { return strings.Join(machine.Models(), ", ") }
