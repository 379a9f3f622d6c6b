// Package machine is a whole PC: the board, the loop that runs it, and what
// one can do to it from outside.
//
// One goroutine, that of Run, owns the guest: processor, devices, timers and
// memory. The rest of the world posts to it.
package machine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gov86/gov86/bios"
	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/hw"
	"github.com/gov86/gov86/snapshot"
)

// An Ending is how a machine came to its end by itself.
type Ending uint8

// The endings.
const (
	PoweredOff  Ending = iota // the guest switched it off
	TripleFault               // the processor shut down
	Exited                    // the guest wrote a status to the port of Config.DebugExit
	Stuck                     // it halted with interrupts disabled, and Config.HaltEnds
	Broke                     // it was about to execute one of Config.Breaks
	Unbootable                // its firmware found nothing to boot, and Config.BootFailEnds
)

// A Machine is a PC. Create it with New, run it once with Run, then Close it.
type Machine struct {
	cfg   Config
	log   *slog.Logger
	names func(linear uint32) string
	clock *clock
	inbox *inbox
	board *board
	// hardware is what the machine is made of, as a snapshot says it.
	hardware *Hardware

	// What devices ask for during a run; the loop does it between runs.
	off       bool
	again     restart
	over      bool // as ending says
	ending    Ending
	exitValue uint32
	stopped   atomic.Bool
	began     atomic.Bool // Run was called
	// paused is set while the guest does not run, as the user wants it.
	paused bool
	shown  shown
	gone   chan struct{} // closed when Run returns
	leave  sync.Once
	// warned is set once warnStuck has spoken, until the next reset.
	warned  bool
	retired uint64
	// rate estimates instructions a nanosecond, to end a run near a deadline.
	rate  float64
	debug debug
	// lockstep is the second machine, if there is one.
	lockstep *lockstep
	meter    meter
	profile  *profile
}

// New puts a machine together and loads what it boots. Bad images and
// sizes of memory are reported as *bios.Error.
func New(cfg Config, host Host) (*Machine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	return build(cfg, host, (*Machine).powerOn)
}

// build puts together what cfg, which is valid, describes, and has begin put it in
// the state in which it begins.
func build(cfg Config, host Host, begin func(*Machine) error) (*Machine, error) {
	if host.Log == nil {
		host.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Engine == Lockstep {
		return newLockstep(cfg, host, begin)
	}
	return assemble(cfg, host, begin)
}

// assemble puts one machine together.
func assemble(cfg Config, host Host, begin func(*Machine) error) (*Machine, error) {
	m := &Machine{cfg: cfg, log: host.Log, names: host.Names, clock: newClock(cfg.Counted), inbox: newInbox(), rate: 0.1,
		gone: make(chan struct{})}
	var err error
	if m.board, err = pcBoard(m, &m.cfg, &host); err != nil {
		return nil, err
	}
	if m.hardware, err = hardware(&m.cfg, &host); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	if err := begin(m); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	m.setBreaks()
	m.startProfile()
	return m, nil
}

// Close ends the use of the shared directories and the disks, and returns the
// memory. Run must have returned.
func (m *Machine) Close() error {
	m.board.fs.Shut()
	err := errors.Join(m.cfg.Storage.Close(), m.board.cpu.Close(), m.board.memory.Close(), m.board.video.Close())
	if e, ok := m.board.engine.(io.Closer); ok {
		err = errors.Join(err, e.Close())
	}
	if m.lockstep != nil {
		err = errors.Join(err, m.lockstep.second.Close())
	}
	return err
}

// powerOn begins as a machine does that is switched on.
func (m *Machine) powerOn() error { return m.reset(hard) }

// A restart is how much of the machine begins anew.
type restart uint8

// The restarts: none, the processor, and the board.
const (
	none restart = iota
	soft
	hard
)

// reset resets the processor or the board. A kernel that is entered without
// firmware is loaded anew in either case.
func (m *Machine) reset(how restart) error {
	m.warned = false
	if how == soft && m.cfg.firm() {
		m.board.init()
		return nil
	}
	m.board.reset()
	if m.cfg.firm() {
		return nil
	}
	m.board.standIn(&m.cfg)
	return bios.Load(m.board.memory, m.board.cpu.State, m.cfg.boot(tablesAt))
}

// Post runs fn on the machine goroutine soon. Any goroutine may call it.
func (m *Machine) Post(fn func()) {
	m.inbox.post(fn)
	m.board.cpu.Kick()
}

// Receive hands bytes to a serial port, 0 to 3. taken is told, on the machine
// goroutine, how many it took: the rest is to be offered again.
func (m *Machine) Receive(port int, p []byte, taken func(n int)) {
	m.Post(func() { taken(m.receive(port, p)) })
}

// TransmitReady tells the serial ports that their outputs take bytes again.
func (m *Machine) TransmitReady() {
	m.Post(func() {
		m.both(func(b *board) {
			for _, u := range b.serial {
				u.Ready()
			}
		})
	})
}

// PressPower is the power button.
func (m *Machine) PressPower() { m.Post(func() { m.both(func(b *board) { b.pm.PressPower() }) }) }

// requestReset, requestInit and requestPowerOff end the run at hand; the loop
// does the rest.
func (m *Machine) requestReset() {
	traceBoard("reset", m.Place())
	m.again = hard
	m.board.cpu.Kick()
}

// requestInit is a pulse of the processor's INIT pin.
func (m *Machine) requestInit() {
	traceBoard("init", m.Place())
	m.again = max(m.again, soft)
	m.board.cpu.Kick()
}

func (m *Machine) requestPowerOff() {
	traceBoard("power off", m.Place())
	m.off = true
	m.board.cpu.Kick()
}

// Run runs the machine until it ends by itself, or until ctx does: then the
// error is the context's cause.
func (m *Machine) Run(ctx context.Context) (Ending, error) {
	m.began.Store(true)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer context.AfterFunc(ctx, func() {
		m.stopped.Store(true)
		m.Post(func() {})
	})()
	defer m.leave.Do(func() { close(m.gone) })
	defer m.ended()
	if m.lockstep == nil { // what one of two machines is told the other is not
		m.board.fs.Watch(m.Post)
	}
	if !m.cfg.Counted { // when the host is done must not be seen in counted time
		m.board.fs.SetHost(newWorkers(m.Post))
	}
	m.watchInstructions()
	defer m.meter.start()()
	for {
		m.board.cpu.TakeKick()
		m.inbox.run()
		if l := m.lockstep; l != nil && !m.stopped.Load() {
			if err := l.follow(m); err != nil {
				return PoweredOff, err
			}
		}
		switch {
		case m.stopped.Load():
			return PoweredOff, context.Cause(ctx)
		case m.over:
			return m.ending, nil
		case m.off:
			return PoweredOff, nil
		case m.again != none:
			how := m.again
			m.again = none
			if err := m.reset(how); err != nil {
				return PoweredOff, fmt.Errorf("reset: %w", err)
			}
		}
		if m.paused {
			m.wait()
			continue
		}
		if m.debug.Debugger != nil && m.hold() {
			continue
		}
		m.clock.turn()
		m.clock.fire()
		m.deliver()
		if m.board.cpu.Shutdown {
			return TripleFault, nil
		}
		if m.board.cpu.Halted && !m.board.cpu.Wakes() {
			m.sleep()
			continue
		}
		if m.lockstep != nil {
			if err := m.lockstep.burst(m); err != nil {
				return PoweredOff, err
			}
			continue
		}
		m.burst()
	}
}

// Bounds of a run of the engine, in instructions: the shortest is worth the
// way out and in, the longest keeps timers and the inbox waiting no more than
// a fraction of a millisecond.
const (
	shortest = 200
	longest  = 50_000
)

// burst runs the processor until about the next deadline.
func (m *Machine) burst() {
	budget := uint64(longest)
	start, began := m.clock.Now(), m.clock.host()
	if at, ok := m.clock.next(); ok {
		left := 0.0
		if at > start {
			left = float64(at - start)
		}
		if m.cfg.Counted {
			left /= countedNs
		} else {
			left *= m.rate
		}
		budget = min(max(uint64(left), shortest), longest)
	}
	n, why := m.board.engine.Run(budget)
	m.retire(n)
	m.sampleRun(n)
	if why == cpu.Stopped {
		m.hit()
		return
	}
	if m.cfg.Counted {
		return
	}
	if spent := m.clock.host() - began; spent > 0 && n > 1000 {
		m.rate += (float64(n)/float64(spent) - m.rate) / 16
	}
}

// retire counts n instructions, in time too if it follows them.
func (m *Machine) retire(n uint64) {
	m.retired += n
	m.shown.retired.Store(m.retired)
	if m.cfg.Counted {
		m.clock.count += n
	}
}

// sleep waits, halted, for the next deadline or for the inbox.
func (m *Machine) sleep() {
	defer m.meter.pause()()
	if m.lockstep != nil {
		defer m.lockstep.slept(m)
	}
	if m.stuck() {
		if m.cfg.HaltEnds {
			m.end(Stuck)
			return
		}
		m.warnStuck()
	}
	at, ok := m.clock.next()
	if ok && m.cfg.Counted {
		m.clock.skip(at)
		return
	}
	if !ok {
		<-m.inbox.wake
		m.clock.slept()
		return
	}
	left := m.clock.idle(at)
	if left <= 0 {
		return
	}
	t := time.NewTimer(left)
	defer t.Stop()
	select {
	case <-t.C:
	case <-m.inbox.wake:
	}
}

// deliver lets v86fs speak unasked, at a safe point: no driver of a guest that
// is halted with interrupts enabled, or in user mode, is adding a request.
func (m *Machine) deliver() {
	c := m.board.cpu
	if m.board.fs.Pending() && (c.CPL == 3 || c.Halted && c.EFLAGS&cpu.FlagIF != 0) {
		m.board.fs.Deliver()
	}
}

// Now is guest time. Only the machine goroutine, and who knows that Run is not
// running, may call it and what follows.
func (m *Machine) Now() hw.Time { return m.clock.Now() }

// Retired is the number of instructions executed.
func (m *Machine) Retired() uint64 { return m.retired }

// DumpDevices writes the state of every device, a line each, without what is zero.
func (m *Machine) DumpDevices(w io.Writer) {
	for _, d := range m.board.devices {
		fmt.Fprintf(w, "%s:", d.name)
		d.Save(snapshot.NewShower(func(name, value string) {
			if strings.Trim(value, "0x") != "" && value != "false" {
				fmt.Fprintf(w, " %s=%s", name, value)
			}
		}))
		fmt.Fprintln(w)
	}
}
