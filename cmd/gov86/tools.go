package main

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/gov86/gov86/machine"
	"github.com/gov86/gov86/symbols"
	"github.com/gov86/gov86/trace"
)

// toolFlags is what the flags for people who write kernels ask for.
type toolFlags struct {
	debugExit  debugExit
	haltExit   bool
	debugText  string
	breaks     []string
	stateFile  string
	dumpMemory []string
	classes    []string
	traceFile  string
	symbolFile string
	gdb        string
	control    string
	freeze     bool
	stats      bool
	profile    string
	screenshot string
}

// Where --debugcon's text goes when it is no file.
const (
	toConsole = "stdio"
	toStderr  = "stderr"
)

// addToolFlags adds the flags to those of run.
func addToolFlags(f *pflag.FlagSet, s *toolFlags) {
	f.Var(&s.debugExit, "debug-exit",
		"end with the status that the guest writes to port 0xf4, or to that in `[qemu,]PORT`;\n"+
			"qemu: with twice the value plus 1, as QEMU's isa-debug-exit does")
	f.Lookup("debug-exit").NoOptDefVal = debugExitDefault
	f.BoolVar(&s.haltExit, "halt-exit", false, "end with status 0 when the guest halts with interrupts disabled")
	f.StringVar(&s.debugText, "debugcon", "",
		"write what the guest writes to ports 0xe9 and 0x402 to `FILE`, or to stdio or stderr")
	f.StringArrayVar(&s.breaks, "break", nil,
		"end with status 0 before the instruction at `ADDRESS`, a number or a symbol, repeatable")
	f.StringVar(&s.stateFile, "dump-state", "", "at the end, write the state of the processor to `FILE` as JSON")
	f.StringArrayVar(&s.dumpMemory, "dump-memory", nil,
		"put memory into --dump-state's file: `[phys:]ADDRESS,LENGTH`, repeatable")
	f.StringSliceVar(&s.classes, "trace", nil, "trace these `CLASSES`: "+strings.Join(trace.Names(), ", ")+", or all")
	f.StringVar(&s.traceFile, "trace-file", "", "write traces to `FILE`, not to standard error")
	f.StringVar(&s.symbolFile, "symbols", "",
		"take symbols from `FILE`, a System.map or an ELF file (default the --kernel, if that is an ELF file)")
	f.StringVar(&s.gdb, "gdb", "",
		"let GDB debug the guest at `ADDRESS`: :1234, or unix:PATH for a socket in the file system")
	f.StringVar(&s.control, "control", "",
		"let other programs drive the machine through the socket `unix:PATH`: gov86 ctl, screenshot,\n"+
			"sendkey, type and mouse do, and what speaks QEMU's QMP")
	f.BoolVar(&s.freeze, "freeze", false, "with --gdb, start the guest when the debugger lets it run")
	f.BoolVar(&s.stats, "stats", false, "at the end, write what the run cost to standard error")
	f.StringVar(&s.profile, "profile", "",
		"at the end, write to `FILE` in which functions of the guest the time went; a name that ends in\n"+
			".folded gets what programs that draw flame graphs read")
	f.StringVar(&s.screenshot, "screenshot-on-exit", "", "at the end, write what is on the screen to `FILE` as PNG")
}

// validate reports what is wrong with the flags themselves.
func (s *toolFlags) validate() error {
	switch {
	case len(s.dumpMemory) > 0 && s.stateFile == "":
		return failure{"--dump-memory", "there is no file to put the memory into", "give --dump-state too"}
	case s.traceFile != "" && len(s.classes) == 0:
		return failure{"--trace-file", "there is nothing to write to it", "give --trace too"}
	case s.freeze && s.gdb == "":
		return failure{"--freeze", "no debugger could ever start the guest", "give --gdb too"}
	case s.gdb != "" && len(s.breaks) > 0:
		return failure{"--break", "with --gdb, breakpoints are the debugger's", "set them in GDB"}
	}
	return nil
}

// validateLockstep reports what there cannot be with two machines: whoever
// watches one of them has it run otherwise than the other.
func (s *toolFlags) validateLockstep() error {
	for _, f := range []struct {
		flag  string
		given bool
	}{{"--gdb", s.gdb != ""}, {"--break", len(s.breaks) > 0}, {"--trace", len(s.classes) > 0}} {
		if f.given {
			return failure{f.flag, "lockstep has two machines, which only run together", "give --engine jit or interp"}
		}
	}
	return nil
}

// A debugExit is the value of --debug-exit. No port means that there is none.
type debugExit struct {
	port    uint16
	doubled bool
}

const (
	debugExitDefault = "0xf4"
	debugExitPort    = 0xf4
)

// Set implements pflag.Value.
func (d *debugExit) Set(v string) error {
	next := debugExit{port: debugExitPort}
	port, doubled := strings.CutPrefix(v, "qemu,")
	next.doubled = doubled || v == "qemu"
	if v != "qemu" {
		n, err := strconv.ParseUint(port, 0, 16)
		if err != nil || n == 0 {
			return failure{"--debug-exit", fmt.Sprintf("%q names no port", v), "write --debug-exit=0xf4, =qemu or =qemu,0xf4"}
		}
		next.port = uint16(n)
	}
	*d = next
	return nil
}

// Type implements pflag.Value.
func (d *debugExit) Type() string { return "port" }

func (d *debugExit) String() string { return "" }

// status is the exit status for what the guest wrote: its low eight bits are
// all that a process can end with.
func (d *debugExit) status(v uint32) int {
	if d.doubled {
		v = v<<1 | 1
	}
	return int(v & 0xff)
}

func isELF(image []byte) bool { return bytes.HasPrefix(image, []byte(elf.ELFMAG)) }

// kernelSymbols are the symbols of a kernel that is an ELF file and has some.
// One without is as good as any, and what else is wrong with it is reported
// when it is loaded.
func kernelSymbols(kernel string) *symbols.Table {
	file, err := os.ReadFile(kernel)
	if err != nil || !isELF(file) {
		return nil
	}
	table, err := symbols.Parse(file)
	if err != nil {
		return nil
	}
	return table
}

func symbolsOf(name string) (*symbols.Table, error) {
	const remedy = "give --symbols a System.map, the output of nm, or a 32-bit ELF file with symbols"
	file, err := os.ReadFile(name)
	if err != nil {
		return nil, failure{name, cause(err), remedy}
	}
	table, err := symbols.Parse(file)
	if err != nil {
		return nil, failure{name, err.Error(), remedy}
	}
	return table, nil
}

// addressOf reads an address that was given to flag.
func addressOf(flag, text string, table *symbols.Table) (uint32, error) {
	at, err := table.Address(text)
	if err != nil {
		return 0, failure{flag + " " + text, err.Error(),
			"write a number such as 0xc0100000, or a symbol of the file given to --symbols"}
	}
	return at, nil
}

// maxDump is how much memory one --dump-memory may ask for.
const maxDump = 64 << 20

// parseRange reads [phys:]ADDRESS,LENGTH.
func parseRange(v string, table *symbols.Table) (r machine.Range, err error) {
	flag := "--dump-memory " + v
	at, length, ok := strings.Cut(v, ",")
	n, bad := strconv.ParseUint(length, 0, 32)
	if !ok || bad != nil || n == 0 {
		return r, failure{flag, "names no length", "write [phys:]ADDRESS,LENGTH"}
	}
	if n > maxDump {
		return r, failure{flag, "is too much for one range", "ask for no more than " + strconv.Itoa(maxDump)}
	}
	r.Len = uint32(n)
	if at, r.Physical = strings.CutPrefix(at, "phys:"); r.Physical {
		table = nil // a symbol is a linear address
	}
	r.At, err = addressOf("--dump-memory", at, table)
	return r, err
}

// parseClasses reads --trace.
func parseClasses(classes []string) (trace.Category, error) {
	if len(classes) == 0 {
		return 0, nil
	}
	set, err := trace.Parse(strings.Join(classes, ","))
	if err != nil {
		names := trace.Names()
		slices.Sort(names)
		return 0, failure{"--trace", err.Error(), "write some of " + strings.Join(names, ",") + ", or all"}
	}
	return set, nil
}
