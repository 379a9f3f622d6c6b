package machine

import (
	"fmt"
	"io"
	"strings"

	"github.com/gov86/gov86/devices/v86fs/memfs"
	"github.com/gov86/gov86/disk"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/snapshot/snapfile"
)

// A Snapshot is a file that is looked at and not resumed.
type Snapshot struct {
	*snapfile.File
	Description Description
}

// OpenSnapshot reads a snapshot in the size bytes of r, but for its memory.
func OpenSnapshot(r io.ReaderAt, size int64) (*Snapshot, error) {
	f, err := snapfile.Open(r, size)
	if err != nil {
		return nil, err
	}
	d, err := parseDescription(f.Header)
	if err != nil {
		return nil, err
	}
	return &Snapshot{f, *d}, nil
}

// A Field is one of a device's.
type Field struct{ Section, Name, Value string }

// Fields are all fields of all devices. To read them takes the devices: a machine
// like the one saved is put together, with nothing behind it.
func (s *Snapshot) Fields() (all []Field, err error) {
	cfg, host, err := s.Description.Machine.hollow()
	if err != nil {
		return nil, err
	}
	m, err := assemble(cfg, host, func(m *Machine) error { return m.loadDevices(s.File) })
	if err != nil {
		return nil, err
	}
	defer m.Close()
	show := func(section string) *snapshot.Codec {
		return snapshot.NewShower(func(name, value string) { all = append(all, Field{section, name, value}) })
	}
	w := m.wiring()
	w.sync(show(boardSection))
	for _, d := range m.board.all() {
		d.Save(show(d.name))
	}
	return all, nil
}

// hollow is a machine made of what h says, with blanks for what is the host's.
func (h *Hardware) hollow() (cfg Config, host Host, err error) {
	cfg = Config{Engine: interpEngine, Counted: true, SerialConsole: h.SerialConsole, DebugExit: h.DebugExit}
	h.apply(&cfg)
	if h.Kernel != nil {
		cfg.Kernel = []byte{0} // it is never entered
	}
	if h.Debug {
		host.Debug = func(byte) {}
	}
	for name, share := range h.Shares {
		cfg.Exports = append(cfg.Exports, Export{Name: name, ReadOnly: share.ReadOnly, Backend: memfs.New(0, nil)})
	}
	for name, d := range h.Drives {
		if err := cfg.Storage.addBlank(name, d); err != nil {
			return cfg, host, err
		}
	}
	return cfg, host, cfg.Validate()
}

// addBlank adds a drive with a blank disk.
func (s *Storage) addBlank(name string, d Disk) error {
	var image disk.Image
	if d.Bytes > 0 {
		image = blank{d}
	}
	kind, n := strings.TrimRight(name, "0123456789"), 0
	fmt.Sscanf(name[len(kind):], "%d", &n)
	switch {
	case kind == "ide" && n < IDEDevices:
		s.IDE[n] = Drive{image, d.Kind == "cdrom"}
	case kind == "floppy" && n < len(s.Floppy):
		s.Floppy[n] = FloppyDrive{true, image}
	case kind == "virtio" && n < VirtioDisks && image != nil:
		for len(s.Virtio) <= n {
			s.Virtio = append(s.Virtio, image)
		}
		s.Virtio[n] = image
	default:
		return fmt.Errorf("header: there is no drive %q", name)
	}
	return nil
}

// A blank is a disk of zeros that forgets what is written.
type blank struct{ d Disk }

func (b blank) Size() int64                            { return b.d.Bytes }
func (b blank) ReadOnly() bool                         { return b.d.ReadOnly }
func (b blank) ReadAt(p []byte, _ int64) (int, error)  { clear(p); return len(p), nil }
func (b blank) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }
func (b blank) Zero(_, _ int64) error                  { return nil }
func (b blank) Flush() error                           { return nil }
func (b blank) Close() error                           { return nil }
