package machine

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/gov86/gov86/bios"
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/devices/uart"
	"github.com/gov86/gov86/devices/v86fs"
	"github.com/gov86/gov86/display"
	"github.com/gov86/gov86/mem"
)

// A Config is the machine: what is in it and what it starts with. Its zero
// value with a kernel boots.
type Config struct {
	// Memory is the size of RAM in bytes, DefaultMemory if zero.
	Memory uint64
	// Model is the processor, DefaultModel if empty.
	Model string
	// Engine executes: one of Engines, the best this host can have if empty.
	Engine string
	// LockstepRun is about how many instructions there are between two comparisons
	// of the engine lockstep, one unit of translation if zero. With long runs code
	// goes from unit to unit as it does without lockstep, and what differs is
	// noticed later.
	LockstepRun uint64
	// Eager makes the translator translate code before it is warm, for tests.
	Eager bool
	// Windows says which address spaces the translator maps at the host's addresses:
	// one of Windows, WindowsAuto if empty.
	Windows string
	// Profile has the engine tell where it is, for WriteProfile and WriteStats.
	Profile bool
	// NoAPIC hides the local APIC and the I/O APIC.
	NoAPIC bool
	// Kernel, Initrd and CommandLine are what to boot. Without a kernel the
	// machine begins with its firmware.
	Kernel      []byte
	Initrd      []byte
	CommandLine string
	// Firmware is the image of the ROM, SeaBIOS if empty, and Boot what it is told.
	Firmware []byte
	Boot     Boot
	// VGABIOS is the option ROM of the graphics card, one of SeaBIOS if empty.
	VGABIOS []byte
	// SerialConsole has the firmware use the first serial port as its screen and
	// keyboard, if it can.
	SerialConsole bool
	// BootFailEnds makes it an ending when the firmware finds nothing to boot.
	BootFailEnds bool
	// Exports are the directories shared through v86fs; the first also answers
	// a mount without a name. The machine shuts them down when it is closed.
	Exports []v86fs.Export
	// SecondExports are Exports opened once more, for the second machine of
	// lockstep. Both are read-only then: what one wrote the other would see.
	SecondExports []v86fs.Export
	// Storage is the drives. SecondStorage is that of the second machine of
	// lockstep: its images are the same, and nothing that one machine writes the
	// other reads.
	Storage, SecondStorage Storage
	// Counted makes guest time follow the number of instructions, not the
	// host's clock: two runs are then the same.
	Counted bool
	// DebugExit is the first of the four ports through which the guest ends the
	// machine with a status of its own, 0 for none.
	DebugExit uint16
	// HaltEnds makes a halt with interrupts disabled an ending.
	HaltEnds bool
	// Breaks are the linear addresses of instructions before which the run ends.
	// They are not for a machine that is debugged.
	Breaks []uint32
}

// DefaultModel is the processor with everything that is implemented.
const DefaultModel = cpu.DefaultModel

// Models are the names a model can have, oldest first.
func Models() []string { return cpu.ModelNames() }

// DefaultMemory is 256 MiB.
const DefaultMemory = 256 << 20

// A Host is the world outside the machine.
type Host struct {
	// Serial take what the four UARTs send; nil takes everything and keeps nothing.
	Serial [4]uart.Output
	// Debug takes the text that the guest writes to ports E9h and 402h. Without
	// it the ports are not there.
	Debug func(b byte)
	// Screen is shown what is on the screen; nil for nobody, which costs nothing.
	Screen display.Sink
	// Names names linear addresses for a post-mortem and for traces: a symbol
	// and an offset, or nothing. It may be nil.
	Names func(linear uint32) string
	// Log is told what happens to the host, nil for nothing.
	Log *slog.Logger
	// Time is the time of day at power-on, now if zero.
	Time time.Time
}

// Validate reports everything that is wrong with the configuration.
func (c *Config) Validate() error {
	var wrong []error
	if m := c.memory(); m < mem.MinRAM || m > mem.MaxRAM || m%mem.PageSize != 0 {
		wrong = append(wrong, &bios.Error{Part: "memory", What: fmt.Sprintf("%d KiB cannot be had", m>>10),
			Remedy: fmt.Sprintf("give %d MiB to %d MiB, in steps of 4 KiB", mem.MinRAM>>20, mem.MaxRAM>>20)})
	}
	if c.Engine != "" && !slices.Contains(Engines, c.Engine) {
		wrong = append(wrong, fmt.Errorf("engine: there is no %q; name one of %s", c.Engine, strings.Join(Engines, ", ")))
	}
	if c.Windows != "" && !slices.Contains(Windows, c.Windows) {
		wrong = append(wrong, fmt.Errorf("windows: there is no %q; name one of %s", c.Windows, strings.Join(Windows, ", ")))
	}
	if c.Engine == Lockstep {
		wrong = append(wrong, c.validateLockstep()...)
	}
	if c.Model != "" {
		if _, err := cpu.ModelByName(c.Model); err != nil {
			wrong = append(wrong, err)
		}
	}
	seen := map[string]bool{}
	for _, x := range c.Exports {
		if seen[x.Name] {
			wrong = append(wrong, fmt.Errorf("shared directory %s: another has this name; give each its own", x.Name))
		}
		seen[x.Name] = true
	}
	wrong = append(wrong, c.validateBoot()...)
	return errors.Join(wrong...)
}

// validateLockstep reports what the engine lockstep cannot have.
func (c *Config) validateLockstep() (wrong []error) {
	for _, x := range c.Exports {
		if !x.ReadOnly {
			wrong = append(wrong, fmt.Errorf("shared directory %s: both machines of lockstep would write to it; share it read-only", x.Name))
		}
	}
	if len(c.SecondExports) != len(c.Exports) {
		wrong = append(wrong, errors.New("shared directories: the second machine of lockstep needs its own"))
	}
	if len(c.SecondStorage.images()) != len(c.Storage.images()) {
		wrong = append(wrong, errors.New("disks: the second machine of lockstep needs its own"))
	}
	if len(c.Breaks) > 0 {
		wrong = append(wrong, errors.New("breakpoints: lockstep has none; take another engine"))
	}
	return wrong
}

func (c *Config) memory() uint64 {
	if c.Memory == 0 {
		return DefaultMemory
	}
	return c.Memory
}

func (c *Config) model() (*cpu.Model, error) {
	name := c.Model
	if name == "" {
		name = DefaultModel
	}
	m, err := cpu.ModelByName(name)
	if err == nil && c.NoAPIC {
		m.HideAPIC()
	}
	return m, err
}

func (c *Config) boot(rsdp mem.Addr) bios.Boot {
	return bios.Boot{Kernel: c.Kernel, Initrd: c.Initrd, CommandLine: c.CommandLine, RSDP: rsdp}
}
