package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/gov86/gov86/bios"
	"github.com/gov86/gov86/guest"
	"github.com/gov86/gov86/machine"
)

// boot runs a machine as s asks and returns gov86's exit status.
func boot(s settings, std streams) (int, error) {
	x := newSession(s, std)
	var err error
	if x.tools, err = x.openTools(); err != nil {
		return exitFailure, err
	}
	if x.face, err = x.openFace(); err != nil {
		return exitFailure, errors.Join(err, x.tools.close())
	}
	status, err := x.run(x.build)
	if failed := x.tools.close(); failed != nil {
		return exitFailure, errors.Join(err, failed)
	}
	return status, err
}

// build puts the session's machine together.
func (x *session) build() (computer, error) {
	cfg := machine.Config{
		Engine:      x.engine,
		LockstepRun: x.lockstepRun,
		Windows:     x.windows,
		Memory:      uint64(x.memory),
		Model:       x.model,
		NoAPIC:      x.noAPIC,
		CommandLine: x.fullCommandLine(),
	}
	err := x.load(&cfg)
	if err != nil {
		return nil, err
	}
	if cfg.Exports, err = x.exports(); err != nil {
		return nil, err
	}
	if x.locked() {
		if cfg.SecondExports, err = x.exports(); err != nil {
			return nil, err
		}
	}
	if cfg.Storage, err = x.driveFlags.open(); err != nil {
		return nil, err
	}
	if x.locked() {
		if cfg.SecondStorage, err = x.driveFlags.open(); err != nil {
			return nil, errors.Join(err, cfg.Storage.Close())
		}
	}
	host := machine.Host{Log: x.logger()}
	host.Serial[portConsole] = transmitter{x}
	x.tools.equip(x, &cfg, &host)
	m, err := x.newMachine(cfg, host)
	if err != nil {
		return nil, x.blame(err)
	}
	return &pc{m: m, x: x}, nil
}

// exports opens the shared directories.
func (x *session) exports() (all []machine.Export, err error) {
	for _, s := range x.shares {
		export, err := s.open()
		if err != nil {
			return nil, err
		}
		all = append(all, export)
	}
	return all, nil
}

// load reads what is to be booted.
func (x *session) load(cfg *machine.Config) (err error) {
	if x.firmware() {
		return x.loadFirmware(cfg)
	}
	if x.kernel == "" {
		if cfg.Kernel, err = guest.Kernel(); err == nil {
			cfg.Initrd, err = guest.Initramfs()
		}
		return err
	}
	if cfg.Kernel, err = x.readImage(x.kernel); err != nil || x.initrd == "" {
		return err
	}
	cfg.Initrd, err = x.readImage(x.initrd)
	return err
}

// readImage reads a file that is to fit into the guest's memory.
func (x *session) readImage(name string) ([]byte, error) {
	const remedy = "give the file to boot"
	f, err := os.Open(name)
	if err != nil {
		return nil, failure{name, cause(err), remedy}
	}
	defer f.Close()
	image, err := io.ReadAll(io.LimitReader(f, int64(x.memory)+1))
	if err != nil {
		return nil, failure{name, cause(err), remedy}
	}
	if len(image) == 0 {
		return nil, failure{name, "it is empty", remedy}
	}
	if uint64(len(image)) > uint64(x.memory) {
		return nil, failure{name, "it is larger than the guest's memory of " + x.memory.String(), "give more --memory"}
	}
	return image, nil
}

// blame words an error of machine.New with what the user gave.
func (x *session) blame(err error) error {
	var bad *bios.Error
	if !errors.As(err, &bad) {
		return err
	}
	things := map[string]string{
		"kernel": x.kernel, "initrd": x.initrd, "command line": "--append", "memory": "--memory", "debug exit": "--debug-exit",
		"firmware": x.bios, "option ROM": x.vgaBIOS,
	}
	thing := things[bad.Part]
	if thing == "" {
		thing = "the embedded " + bad.Part
	}
	return failure{thing, bad.What, bad.Remedy}
}

// logger tells the user what happens to the host.
func (x *session) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(x.messages(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}

type carriageReturner struct{ io.Writer }

func (c carriageReturner) Write(p []byte) (int, error) {
	if _, err := io.WriteString(c.Writer, strings.ReplaceAll(string(p), "\n", "\r\n")); err != nil {
		return 0, err
	}
	return len(p), nil
}

// A transmitter is the session's end of the console's serial port.
type transmitter struct{ x *session }

func (t transmitter) Put(b byte) bool { return t.x.transmit(b) }

// A pc is a machine as a session wants it. Its lock keeps what is posted to the
// machine from coming after the machine is gone.
type pc struct {
	mu sync.Mutex
	m  *machine.Machine // nil after Run
	x  *session
}

// Run implements computer.
func (p *pc) Run(ctx context.Context) (ending, error) {
	endTraces := p.x.tools.startTraces(p.x, p.m)
	endService := p.x.tools.serveGDB(p.x, p.m)
	endControl := p.x.tools.serveControl(p.x, p.m)
	endFace := p.x.showFace(p.m)
	how, err := p.m.Run(ctx)
	endFace()
	endControl()
	endService()
	endTraces()
	p.mu.Lock()
	p.x.saveAtEnd(p.m, err)
	p.mu.Unlock()
	end := ending{Ending: how, exit: p.m.ExitValue(), place: p.m.Place()}
	if err == nil && how == machine.TripleFault {
		var dump strings.Builder
		p.m.Dump(&dump)
		end.dump = dump.String()
	}
	p.x.tools.conclude(p.x, p.m, how, err)
	p.mu.Lock()
	m := p.m
	p.m = nil
	p.mu.Unlock()
	if closed := m.Close(); closed != nil && err == nil {
		err = fmt.Errorf("machine: %w", closed)
	}
	return end, err
}

// post calls fn with the machine, if it is still there.
func (p *pc) post(fn func(*machine.Machine)) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.m == nil {
		return false
	}
	fn(p.m)
	return true
}

// TransmitReady implements computer.
func (p *pc) TransmitReady() { p.post((*machine.Machine).TransmitReady) }

// fullPort is how long a sender waits whose port is far behind.
const fullPort = 5 * time.Millisecond

// Receive implements computer.
func (p *pc) Receive(ctx context.Context, port int, b []byte) {
	rest := append([]byte(nil), b...)
	took := make(chan int, 1)
	for {
		if !p.post(func(m *machine.Machine) { m.Receive(port, rest, func(n int) { took <- n }) }) {
			return
		}
		select {
		case n := <-took:
			rest = rest[n:]
		case <-ctx.Done():
			return
		}
		if len(rest) == 0 {
			return
		}
		select {
		case <-time.After(fullPort):
		case <-ctx.Done():
			return
		}
	}
}
