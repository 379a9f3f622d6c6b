package silicon

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/gov86/gov86/cpu"
	"github.com/gov86/gov86/cpu/interp"
)

func recordingOf(class Class) string {
	return filepath.Join("testdata", class.String()+".zst")
}

// TestTheInterpreterEndsEveryCaseAsRecorded holds the interpreter, with the
// host's arithmetic units and without, to what a processor answered once.
func TestTheInterpreterEndsEveryCaseAsRecorded(t *testing.T) {
	for _, engine := range []struct {
		name string
		make func(*cpu.CPU) cpu.Engine
	}{
		{"host units", func(c *cpu.CPU) cpu.Engine { return interp.New(c) }},
		{"pure", func(c *cpu.CPU) cpu.Engine { return interp.NewPure(c) }},
	} {
		t.Run(engine.name, func(t *testing.T) {
			for class := range NumClasses {
				t.Run(class.String(), func(t *testing.T) {
					t.Parallel()
					replay(t, class, engine.make)
				})
			}
		})
	}
}

func replay(t *testing.T, class Class, engine func(*cpu.CPU) cpu.Engine) {
	e, err := NewEmulated(engine)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	e.Inexact = true
	file, err := os.Open(recordingOf(class))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	batches := Recorded(class)
	recording, err := Load(file, batches)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for n, b := range batches {
		_, differing, err := Compare(e, recording, class, b)
		if err != nil {
			t.Fatalf("batch %d: %v", n, err)
		}
		collect(found, uint64(n), differing)
	}
	report(t, found)
}

// TestARecordingOfOtherCasesIsRefused: a generator that changed must not pass
// for a processor that agrees.
func TestARecordingOfOtherCasesIsRefused(t *testing.T) {
	file, err := os.ReadFile(recordingOf(Integer))
	if err != nil {
		t.Fatal(err)
	}
	other := []*Batch{Options{Seed: recordedSeed + 1}.Batch(Integer, 0, batchSize)}
	if _, err := Load(bytes.NewReader(file), other); !errors.Is(err, ErrNotRecorded) {
		t.Errorf("other cases: %v", err)
	}
	if _, err := Load(bytes.NewReader(file[:len(file)/2]), Recorded(Integer)); err == nil {
		t.Error("half a file is accepted")
	}
}
