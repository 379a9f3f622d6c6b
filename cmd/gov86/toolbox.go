package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/gov86/gov86/machine"
	"github.com/gov86/gov86/symbols"
	"github.com/gov86/gov86/trace"
)

// A toolbox is what toolFlags ask for, opened.
type toolbox struct {
	table   func() *symbols.Table // read when it is first asked for
	breaks  []uint32
	ranges  []machine.Range
	classes trace.Category
	traces  *record
	text    *record
	state   *record
	profile *record
	screen  *record
	// debuggers is where they connect, nil without --gdb, and drivers those of
	// --control.
	debuggers, drivers net.Listener
	saveFailed         error // what went wrong with --save-on-exit
}

// A record is a file that a run writes.
type record struct {
	name string
	file *os.File
	*bufio.Writer
}

func create(name string) (*record, error) {
	if name == "" {
		return nil, nil
	}
	f, err := os.Create(name)
	if err != nil {
		return nil, failure{name, cause(err), "give a file that can be written"}
	}
	return &record{name, f, bufio.NewWriter(f)}, nil
}

// close writes what is left. A write that failed earlier is reported now.
func (r *record) close() error {
	if r == nil {
		return nil
	}
	err := r.Flush()
	if closed := r.file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return failure{r.name, cause(err), "free some space, or give another file"}
	}
	return nil
}

// openTools reads and opens what the tools need, so that nothing is missing
// when the guest has run.
func (x *session) openTools() (t *toolbox, err error) {
	t = new(toolbox)
	t.table = sync.OnceValue(func() *symbols.Table { return kernelSymbols(x.kernel) })
	if x.symbolFile != "" {
		table, err := symbolsOf(x.symbolFile)
		if err != nil {
			return nil, err
		}
		t.table = func() *symbols.Table { return table }
	}
	for _, text := range x.breaks {
		at, err := addressOf("--break", text, t.table())
		if err != nil {
			return nil, err
		}
		t.breaks = append(t.breaks, at)
	}
	for _, text := range x.dumpMemory {
		r, err := parseRange(text, t.table())
		if err != nil {
			return nil, err
		}
		t.ranges = append(t.ranges, r)
	}
	if t.classes, err = parseClasses(x.toolFlags.classes); err != nil {
		return nil, err
	}
	text := x.debugText
	if text == toConsole || text == toStderr {
		text = ""
	}
	for _, f := range []struct {
		r    **record
		name string
	}{{&t.traces, x.traceFile}, {&t.text, text}, {&t.state, x.stateFile}, {&t.profile, x.toolFlags.profile},
		{&t.screen, x.screenshot}} {
		if *f.r, err = create(f.name); err != nil {
			return nil, errors.Join(err, t.close())
		}
	}
	if x.gdb != "" {
		if t.debuggers, err = listenGDB(x.gdb); err != nil {
			return nil, errors.Join(err, t.close())
		}
		fmt.Fprintf(x.err, "gov86: for GDB: target remote %v\n", t.debuggers.Addr())
	}
	if x.control != "" {
		if t.drivers, err = listenControl(x.control); err != nil {
			return nil, errors.Join(err, t.close())
		}
	}
	return t, nil
}

// close ends the files, and the wait for debuggers.
func (t *toolbox) close() error {
	if t.debuggers != nil {
		t.debuggers.Close()
	}
	if t.drivers != nil {
		t.drivers.Close()
	}
	return errors.Join(t.saveFailed, t.traces.close(), t.text.close(), t.state.close(), t.profile.close(), t.screen.close())
}

// name names a linear address for people.
func (t *toolbox) name(linear uint32) string { return t.table().Name(linear) }

// equip has the machine serve the tools.
func (t *toolbox) equip(x *session, cfg *machine.Config, host *machine.Host) {
	cfg.DebugExit, cfg.HaltEnds, cfg.Breaks = x.debugExit.port, x.haltExit, t.breaks
	cfg.Profile = x.stats || t.profile != nil
	host.Names = t.name
	switch x.debugText {
	case "":
	case toConsole:
		host.Debug = x.transmitAll
	case toStderr:
		w := x.messages()
		host.Debug = func(b byte) { w.Write([]byte{b}) }
	default:
		host.Debug = func(b byte) { t.text.put(b) }
	}
}

// put writes a byte of text; who follows the file sees whole lines.
func (r *record) put(b byte) {
	r.WriteByte(b)
	if b == '\n' {
		r.Flush()
	}
}

// startTraces sends the events of m to where they are wanted. What it returns
// ends that.
func (t *toolbox) startTraces(x *session, m *machine.Machine) (end func()) {
	if t.classes == 0 {
		return func() {}
	}
	out := x.messages()
	if t.traces != nil {
		out = t.traces
	}
	trace.EnableTo(t.classes, trace.Sink{Out: out, Name: t.name, Place: m.Place})
	return func() { trace.Enable(0, nil) }
}

// transmitAll is transmit for a guest that does not wait for a transmitter: it
// stands still until the byte is taken, or the session ends.
func (x *session) transmitAll(b byte) {
	for !x.transmit(b) {
		select {
		case <-x.ctx.Done():
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// messages is where what is told about the guest goes. A raw terminal needs its
// carriage returned.
func (x *session) messages() io.Writer {
	if x.tty != nil {
		return carriageReturner{x.err}
	}
	return x.err
}

// A stateDocument is what --dump-state writes. docs/debugging.md has its schema.
type stateDocument struct {
	Schema int    `json:"schema"`
	Ending string `json:"ending"`
	*machine.State
}

const stateSchema = 1

// writeState writes the state m has been left in, if it is wanted.
func (t *toolbox) writeState(m *machine.Machine, ending string) {
	if t.state == nil {
		return
	}
	e := json.NewEncoder(t.state)
	e.SetIndent("", "  ")
	e.Encode(stateDocument{stateSchema, ending, m.State(t.ranges)}) // close reports what fails
}

// endingName is how a run ended, for the state's document.
func endingName(how machine.Ending, err error, cause error) string {
	var sig signalled
	switch {
	case errors.Is(cause, errUntil):
		return "until"
	case errors.Is(cause, errTimeout):
		return "timeout"
	case errors.Is(cause, errPanic):
		return "panic"
	case errors.Is(cause, errQuit):
		return "quit"
	case errors.As(cause, &sig):
		return "signal"
	case err != nil:
		return "failure"
	}
	return map[machine.Ending]string{
		machine.PoweredOff: "power-off", machine.TripleFault: "triple-fault", machine.Exited: "debug-exit",
		machine.Stuck: "halt", machine.Broke: "break",
	}[how]
}

// conclude is told how m has ended, before it is closed.
func (t *toolbox) conclude(x *session, m *machine.Machine, how machine.Ending, err error) {
	t.writeState(m, endingName(how, err, context.Cause(x.ctx)))
	var parted *machine.Difference
	if errors.As(err, &parted) {
		fmt.Fprint(x.messages(), parted.Report)
	}
	switch { // close reports what fails
	case t.profile == nil:
	case strings.HasSuffix(t.profile.name, ".folded"):
		m.WriteFolded(t.profile)
	default:
		m.WriteProfile(t.profile)
	}
	if t.screen != nil {
		m.Picture().WritePNG(t.screen) // close reports what fails
	}
	if x.stats {
		m.WriteStats(x.messages())
	}
}

// tell says what the guest came to by itself where that is no failure.
func (x *session) tell(how ending) {
	switch how.Ending {
	case machine.Stuck:
		fmt.Fprintf(x.err, "gov86: guest: halted with interrupts disabled at %s\n", how.place)
	case machine.Broke:
		fmt.Fprintf(x.err, "gov86: --break: reached %s\n", how.place)
	}
}
