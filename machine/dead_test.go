package machine

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// A lookout ends a run when something is logged.
type lookout struct {
	strings.Builder
	end context.CancelFunc
}

func (l *lookout) Write(p []byte) (int, error) {
	defer l.end()
	return l.Builder.Write(p)
}

func TestAHaltThatNothingEndsIsReported(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	log := &lookout{end: cancel}
	// An INT of a vector that leads to the handler, which halts.
	kernel := image([]byte{0x0f, 0x01, 0x1d, 0xf8, 0x07, 0x10, 0x00, 0xcd, timerGate}, halt)
	m, err := New(Config{Memory: 8 << 20, Kernel: kernel}, Host{Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if _, err := m.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("the run ended with %v, not by the report", err)
	}
	if got := log.String(); !strings.Contains(got, "halted with interrupts disabled") || strings.Count(got, "\n") != 1 {
		t.Errorf("logged %q, want one line about the halt", got)
	}
}
