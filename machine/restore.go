package machine

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/gov86/gov86/snapshot/snapfile"
)

// RestoreOptions say how a machine is resumed.
type RestoreOptions struct {
	// ClockNow has guest time go on as if it had gone on all the time since the
	// machine was saved; otherwise it goes on from there.
	ClockNow bool
}

// Restore puts a machine together that goes on where the snapshot in the size bytes
// of r was made. cfg and host are as for New: cfg has the kernel, the firmware, the
// shared directories and the drives again, for a snapshot names nothing of the
// host; memory and the processor's model are the snapshot's if cfg leaves them
// open. A machine made of something else is a *DifferentError.
func Restore(r io.ReaderAt, size int64, cfg Config, host Host, o RestoreOptions) (*Machine, error) {
	f, err := snapfile.Open(r, size)
	if err != nil {
		return nil, err
	}
	d, err := parseDescription(f.Header)
	if err != nil {
		return nil, err
	}
	d.Machine.apply(&cfg)
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	this, err := hardware(&cfg, &host)
	if err != nil {
		return nil, err
	}
	if lines := d.Machine.Differences(this); len(lines) > 0 {
		return nil, &DifferentError{lines}
	}
	var elapsed time.Duration
	if o.ClockNow {
		elapsed = min(time.Since(d.Saved.At), latest)
	}
	return build(cfg, host, func(m *Machine) error { return m.load(f, elapsed) })
}

// RestoreFile is Restore from a file.
func RestoreFile(name string, cfg Config, host Host, o RestoreOptions) (*Machine, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	m, err := Restore(file, info.Size(), cfg, host, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, nil
}

// A DifferentError says how the machine to resume in differs from the one saved.
type DifferentError struct{ Lines []string }

func (e *DifferentError) Error() string {
	return "the machine is another than the snapshot's:\n  " + strings.Join(e.Lines, "\n  ")
}

var errEnded = errors.New("the machine has ended by itself; there is nothing to resume")
