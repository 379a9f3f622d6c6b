package console

import "strings"

// What a Linux kernel prints about a panic (kernel/panic.c). The last two are
// its last words; which of them depends on the panic= parameter.
const (
	panicStart  = "Kernel panic - not syncing"
	panicEnd    = "---[ end Kernel panic - not syncing"
	panicReboot = "Rebooting in "
)

// maxLine bounds what is kept of a line. A guest may never end one.
const maxLine = 512

// A PanicWatch recognises a Linux kernel's panic on its console. The zero
// value is ready.
//
// The words count at the beginning of a line or after a printk time stamp, so
// that a guest may still talk about panics.
type PanicWatch struct {
	line    []byte
	started bool
	over    bool
	reason  string
}

// Feed takes the console's next byte.
func (p *PanicWatch) Feed(b byte) {
	switch {
	case b == '\n':
		p.endLine(strings.TrimRight(string(p.line), "\r"))
		p.line = p.line[:0]
	case len(p.line) < maxLine:
		p.line = append(p.line, b)
	}
}

// Started reports whether the kernel has panicked.
func (p *PanicWatch) Started() bool { return p.started }

// Over reports whether the kernel has said the last it says in a panic.
func (p *PanicWatch) Over() bool { return p.over }

// Reason is what the kernel gave as the reason.
func (p *PanicWatch) Reason() string { return p.reason }

func (p *PanicWatch) endLine(line string) {
	said := withoutStamps(line)
	if _, after, stamped := strings.Cut(line, "] "+panicStart); stamped {
		said = panicStart + after
	}
	switch {
	case strings.HasPrefix(said, panicStart):
		p.begin(strings.TrimPrefix(said, panicStart))
	case strings.HasPrefix(said, panicEnd):
		p.begin(strings.TrimSuffix(strings.TrimPrefix(said, panicEnd), " ]---"))
		p.over = true
	case p.started && strings.HasPrefix(said, panicReboot):
		p.over = true
	}
}

func (p *PanicWatch) begin(reason string) {
	if !p.started {
		p.started = true
		p.reason = strings.TrimPrefix(reason, ": ")
	}
}

// withoutStamps takes the level, the time and the caller off a printk line:
// "<0>[   12.345678][    T1] ".
func withoutStamps(line string) string {
	for {
		rest := strings.TrimLeft(line, " ")
		for _, pair := range []string{"<>", "[]"} {
			if end := strings.IndexByte(rest, pair[1]); end > 0 && rest[0] == pair[0] {
				rest = rest[end+1:]
			}
		}
		if rest == line {
			return line
		}
		line = rest
	}
}
