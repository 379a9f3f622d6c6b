package machine

import (
	"fmt"
	"slices"

	"github.com/gov86/gov86/bios"
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/devices/debugcon"
	"github.com/gov86/gov86/devices/debugexit"
)

// What people who write kernels ask of a machine: ports for text and for a
// status, and ends of the run that no hardware has.

// debugTextPorts are where Bochs and SeaBIOS have their ports for text, and
// firmwareTextPorts where they have them while they run themselves.
var (
	debugTextPorts    = []uint16{0xe9, 0x402}
	firmwareTextPorts = []uint16{0x402, 0x403}
)

// addDebugPorts adds the ports that no PC has, as far as they are asked for.
func (b *board) addDebugPorts(m *Machine, cfg *Config, host *Host) error {
	put, at := host.Debug, debugTextPorts
	if cfg.firm() {
		put = m.listening(put)
		at = slices.Compact(slices.Sorted(slices.Values(slices.Concat(at, firmwareTextPorts))))
	}
	if put != nil {
		for _, at := range at {
			port := debugcon.New(put)
			b.device(fmt.Sprintf("debugcon%x", at), port)
			b.ports.Claim(at, 1, port)
		}
	}
	if cfg.DebugExit == 0 {
		return nil
	}
	exit := debugexit.New(m.exit)
	b.device("debugexit", exit)
	if !b.ports.Map(cfg.DebugExit, debugexit.Ports, exit) {
		return &bios.Error{Part: "debug exit", Remedy: "give others",
			What: fmt.Sprintf("of the ports from %#x on one is another device's", cfg.DebugExit)}
	}
	return nil
}

// exit is the guest's wish to end with a status. The first counts.
func (m *Machine) exit(v uint32) {
	if !m.over {
		m.exitValue = v
		m.end(Exited)
	}
}

// end ends the run at hand, and with it Run.
func (m *Machine) end(how Ending) {
	m.over, m.ending = true, how
	m.board.cpu.Kick()
}

// ExitValue is what the guest wrote to end the machine, when it Exited.
func (m *Machine) ExitValue() uint32 { return m.exitValue }

// stuck reports whether the processor, which halts and has no reason to go on,
// will have none but a reset or an NMI. A guest that expects an NMI does not ask
// for HaltEnds.
func (m *Machine) stuck() bool { return m.board.cpu.EFLAGS&cpu.FlagIF == 0 }

// warnStuck tells once that the processor is stuck, as kernels leave it that
// can't go on: from outside that looks like waiting.
func (m *Machine) warnStuck() {
	if m.warned {
		return
	}
	m.warned = true
	last := "none"
	if r := m.board.cpu.Last.Records(); len(r) > 0 {
		e := r[len(r)-1]
		last = cpu.Mnemonic(e.Vector) + " at " + m.at(e.Place)
	}
	m.log.Warn("the guest's processor halted with interrupts disabled: it waits for a reset",
		"at", m.Place(), "last exception", last)
}

// setBreaks has the engine stop at the configured addresses.
func (m *Machine) setBreaks() {
	if len(m.cfg.Breaks) == 0 {
		return
	}
	var at []cpu.Linear
	for _, l := range m.cfg.Breaks {
		at = append(at, cpu.Linear(l))
	}
	m.board.cpu.SetBreakpoints(at)
}

// broke ends the run at a breakpoint. Its instruction is then the current one.
func (m *Machine) broke() {
	m.board.cpu.Start = m.board.cpu.EIP
	m.end(Broke)
}
