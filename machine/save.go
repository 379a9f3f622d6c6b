package machine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/gov86/gov86/hw"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/snapshot/snapfile"
)

// SaveOptions say how a machine is saved.
type SaveOptions struct {
	// Raw stores memory as it is, which is quicker to write and to read, and large.
	Raw bool
}

// Save writes a snapshot of the machine, which goes on as if nothing had been. Any
// goroutine but the machine's may call it: before Run, while Run runs, and after
// Run if that ended because its context did. What a disk holds is not in it, but
// everything the guest wrote has reached the image.
func (m *Machine) Save(w io.Writer, o SaveOptions) (err error) {
	if !m.began.Load() || !m.ask(func() { err = m.save(w, o) }) {
		return m.save(w, o)
	}
	return err
}

// SaveFile is Save to a file. The file of that name is replaced when all is written,
// or stays as it was.
func (m *Machine) SaveFile(name string, o SaveOptions) error {
	return snapfile.Replace(name, func(w io.Writer) error { return m.Save(w, o) })
}

// save is Save on the machine goroutine, between two instructions.
func (m *Machine) save(w io.Writer, o SaveOptions) error {
	if err := m.quiet(); err != nil {
		return err
	}
	if !m.clock.held { // what is saved is of one moment
		m.clock.hold()
		defer m.clock.release()
	}
	header, err := m.describe()
	if err != nil {
		return err
	}
	sections, err := m.sections()
	if err != nil {
		return err
	}
	out := snapfile.NewWriter(w, header)
	for _, s := range sections {
		out.Section(s.Name, s.Payload)
	}
	as := snapfile.Packed
	if o.Raw {
		as = snapfile.Raw
	}
	c := m.board.memory.Contents()
	return out.Close(c.RAM, c.Held.Has, as)
}

// quiet has the host finish what is under way.
func (m *Machine) quiet() error {
	if m.off || m.over || m.board.cpu.Shutdown {
		return errEnded
	}
	m.board.fs.Drain()
	var wrong []error
	for _, image := range m.cfg.Storage.images() {
		if !image.ReadOnly() {
			wrong = append(wrong, image.Flush())
		}
	}
	return errors.Join(wrong...)
}

// describe is the header.
func (m *Machine) describe() ([]byte, error) {
	d := Description{Machine: *m.hardware, Saved: Moment{At: time.Now().UTC().Truncate(time.Millisecond),
		GuestTime: time.Duration(m.clock.Now()), Instructions: m.retired, Engine: m.cfg.Engine}}
	if d.Saved.Engine == "" {
		d.Saved.Engine, _ = DefaultEngine()
	}
	return json.MarshalIndent(&d, "", "  ")
}

// The sections of a snapshot that are no device of the board's list.
const (
	boardSection = "board"
	cpuSection   = "cpu"
)

// all are the processor and the devices, in the order in which they are saved.
func (b *board) all() []named { return append([]named{{cpuSection, b.cpu}}, b.devices...) }

// sections are the states of all devices. It reports all that refuse.
func (m *Machine) sections() (all []snapfile.Section, err error) {
	var wrong []error
	add := func(name string, save func(*snapshot.Codec)) {
		c := snapshot.NewSaver()
		save(c)
		payload, err := c.Close()
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", name, err))
		}
		all = append(all, snapfile.Section{Name: name, Payload: payload})
	}
	wires := m.wiring()
	add(boardSection, wires.sync)
	for _, d := range m.board.all() {
		add(d.name, d.Save)
	}
	return all, errors.Join(wrong...)
}

// A resumer has work that waited when it was saved.
type resumer interface{ Resume() }

// load puts the machine, which has never run, in the state that f has. elapsed is
// how much later it is than when it was saved.
func (m *Machine) load(f *snapfile.File, elapsed time.Duration) error {
	m.clock.hold()
	defer m.clock.release()
	if err := errors.Join(m.loadDevices(f), m.loadMemory(f)); err != nil {
		return err
	}
	b := m.board
	b.memory.SetA20(b.a20[0] || b.a20[1])
	b.remap()
	b.relocateAPIC(b.cpu.MSR.APICBase)
	m.clock.set(m.clock.Now() + hw.Time(max(elapsed, 0)))
	for _, d := range b.devices {
		if r, ok := d.Device.(resumer); ok {
			r.Resume()
		}
	}
	return nil
}

// loadMemory fills memory.
func (m *Machine) loadMemory(f *snapfile.File) error {
	if has := m.board.memory.RAMSize(); f.MemorySize != has {
		return fmt.Errorf("memory: the snapshot has %d bytes, this machine %d", f.MemorySize, has)
	}
	return f.ReadMemory(m.board.memory.Contents().RAM)
}

// loadDevices loads the board, the processor and all devices, and reports all that
// is wrong with them.
func (m *Machine) loadDevices(f *snapfile.File) error {
	if err := m.match(f); err != nil {
		return err
	}
	var wires wiring
	c := snapshot.NewLoader(f.Sections[0].Payload)
	wires.sync(c)
	_, err := c.Close()
	if err == nil {
		err = wires.validate(m.board)
	}
	if err != nil {
		return fmt.Errorf("section %q: %w", boardSection, err)
	}
	m.clock.set(hw.Time(wires.now))
	var wrong []error
	for i, d := range m.board.all() {
		if err := d.Load(snapshot.NewLoader(f.Sections[1+i].Payload)); err != nil {
			wrong = append(wrong, fmt.Errorf("section %q: %w", d.name, err))
		}
	}
	m.rewire(&wires)
	return errors.Join(wrong...)
}

// match reports sections that are missing, unknown or out of order.
func (m *Machine) match(f *snapfile.File) error {
	want := []string{boardSection}
	for _, d := range m.board.all() {
		want = append(want, d.name)
	}
	have := map[string]bool{}
	for _, s := range f.Sections {
		have[s.Name] = true
	}
	var wrong []error
	known := map[string]bool{}
	for _, name := range want {
		known[name] = true
		if !have[name] {
			wrong = append(wrong, fmt.Errorf("section %q is missing", name))
		}
	}
	for i, s := range f.Sections {
		if !known[s.Name] {
			wrong = append(wrong, fmt.Errorf("section %q is of a device that this machine has not", s.Name))
		} else if len(wrong) == 0 && s.Name != want[i] {
			wrong = append(wrong, fmt.Errorf("section %q is out of place", s.Name))
		}
	}
	return errors.Join(wrong...)
}
