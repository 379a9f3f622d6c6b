package machine

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gov86/gov86/disk"
)

// A Description is the header of a snapshot.
type Description struct {
	Machine Hardware `json:"machine"`
	Saved   Moment   `json:"saved"`
}

// A Moment is when a machine was saved.
type Moment struct {
	// At is the host's time of day.
	At time.Time `json:"at"`
	// GuestTime is the time since the guest's power-on.
	GuestTime time.Duration `json:"guest_nanoseconds"`
	// Instructions is how many it had executed.
	Instructions uint64 `json:"instructions"`
	Engine       string `json:"engine"`
}

// Hardware is what a machine is made of. A snapshot is resumed by a machine that is
// made of the same; what executes it, and who looks at it, may differ.
type Hardware struct {
	Memory        uint64                     `json:"memory"`
	Processor     string                     `json:"processor"`
	APIC          bool                       `json:"apic"`
	Kernel        *Content                   `json:"kernel,omitempty"`
	Initrd        *Content                   `json:"initrd,omitempty"`
	CommandLine   string                     `json:"command_line,omitempty"`
	Firmware      *Content                   `json:"firmware,omitempty"`
	VGABIOS       *Content                   `json:"vga_bios,omitempty"`
	SerialConsole bool                       `json:"serial_console,omitempty"`
	DebugExit     uint16                     `json:"debug_exit,omitempty"`
	Debug         bool                       `json:"debug_port,omitempty"`
	Drives        map[string]Disk            `json:"drives,omitempty"`
	Shares        map[string]SharedDirectory `json:"shares,omitempty"`
}

// A Content stands for bytes: how many there are, and their CRC-32C.
type Content struct {
	Bytes int    `json:"bytes"`
	CRC   string `json:"crc32c"`
}

// A Disk is a drive of a Hardware. The snapshot has nothing of what is stored on it.
type Disk struct {
	Kind     string `json:"kind"`
	Bytes    int64  `json:"bytes"`
	ReadOnly bool   `json:"read_only,omitempty"`
}

// A SharedDirectory is an export of a Hardware.
type SharedDirectory struct {
	ReadOnly bool `json:"read_only"`
}

// content is what stands for p, or nothing.
func content(p []byte) *Content {
	if len(p) == 0 {
		return nil
	}
	return &Content{len(p), fmt.Sprintf("%08x", crc32.Checksum(p, crc32.MakeTable(crc32.Castagnoli)))}
}

// hardware is what a machine is made of that cfg and host describe.
func hardware(cfg *Config, host *Host) (*Hardware, error) {
	model, err := cfg.model()
	if err != nil {
		return nil, err
	}
	h := &Hardware{Memory: cfg.memory(), Processor: cfg.Model, APIC: model.APIC(), DebugExit: cfg.DebugExit,
		Debug: host.Debug != nil, SerialConsole: cfg.SerialConsole, Drives: map[string]Disk{},
		Shares: map[string]SharedDirectory{}}
	if h.Processor == "" {
		h.Processor = DefaultModel
	}
	if cfg.firm() {
		h.Firmware, h.VGABIOS = content(cfg.firmwareImage()), content(cfg.vgaBIOS())
	} else {
		h.Kernel, h.Initrd, h.CommandLine = content(cfg.Kernel), content(cfg.Initrd), cfg.CommandLine
	}
	for _, x := range cfg.Exports {
		h.Shares[x.Name] = SharedDirectory{x.ReadOnly}
	}
	h.addDrives(&cfg.Storage)
	return h, nil
}

// addDrives adds the drives that there are.
func (h *Hardware) addDrives(s *Storage) {
	add := func(name, kind string, image disk.Image) {
		d := Disk{Kind: kind}
		if image != nil {
			d.Bytes, d.ReadOnly = image.Size(), image.ReadOnly()
		}
		h.Drives[name] = d
	}
	for i, d := range s.IDE {
		switch {
		case d.CDROM:
			add(fmt.Sprintf("ide%d", i), "cdrom", d.Image)
		case d.Image != nil:
			add(fmt.Sprintf("ide%d", i), "disk", d.Image)
		}
	}
	for i, d := range s.Floppy {
		if d.Present || d.Image != nil {
			add(fmt.Sprintf("floppy%d", i), "floppy", d.Image)
		}
	}
	for i, image := range s.Virtio {
		add(fmt.Sprintf("virtio%d", i), "disk", image)
	}
}

// Differences are what other has not as h has it, a line each.
func (h *Hardware) Differences(other *Hardware) (lines []string) {
	a, b := h.flat(), other.flat()
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if a[name] != b[name] {
			lines = append(lines, fmt.Sprintf("%s: the snapshot has %s, this machine %s", name, said(a[name]), said(b[name])))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b)) {
		if _, ok := a[name]; !ok {
			lines = append(lines, fmt.Sprintf("%s: the snapshot has none, this machine %s", name, b[name]))
		}
	}
	return lines
}

func said(v string) string {
	if v == "" {
		return "none"
	}
	return v
}

// flat is h as names and values: "drives ide0" has all of a drive.
func (h *Hardware) flat() map[string]string {
	b, err := json.Marshal(h)
	if err != nil {
		panic(fmt.Sprintf("BUG: description: %v", err))
	}
	var top map[string]json.RawMessage
	if err := json.Unmarshal(b, &top); err != nil {
		panic(fmt.Sprintf("BUG: description: %v", err))
	}
	all := map[string]string{}
	for name, v := range top {
		name = strings.ReplaceAll(name, "_", " ")
		var below map[string]json.RawMessage
		if name != "drives" && name != "shares" || json.Unmarshal(v, &below) != nil {
			all[name] = readable(v)
			continue
		}
		for k, v := range below {
			all[fmt.Sprintf("%s %q", name, k)] = readable(v)
		}
	}
	return all
}

// readable is a value of JSON without its braces.
func readable(v json.RawMessage) string {
	return strings.NewReplacer("{", "", "}", "", `"`, "", ":", " ", ",", ", ").Replace(string(v))
}

// parseDescription reads the header of a snapshot.
func parseDescription(header []byte) (*Description, error) {
	d := new(Description)
	if err := json.Unmarshal(header, d); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	return d, nil
}

// apply gives cfg what it leaves open, as the snapshot has it.
func (h *Hardware) apply(cfg *Config) {
	if cfg.Memory == 0 {
		cfg.Memory = h.Memory
	}
	if cfg.Model == "" {
		cfg.Model = h.Processor
	}
	cfg.NoAPIC = cfg.NoAPIC || !h.APIC && slices.Contains(Models(), cfg.Model)
	if !cfg.firm() && cfg.CommandLine == "" {
		cfg.CommandLine = h.CommandLine
	}
}
