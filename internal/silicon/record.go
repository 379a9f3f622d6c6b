package silicon

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// A Recording is what a real processor answered, case by case. It implements
// Reference for the cases that were recorded.
type Recording struct {
	answers map[key]answer
}

// A key tells cases apart.
type key [8]byte

// An answer is the result of a case, and the memory it changed.
type answer struct {
	Result
	writes []written
}

type written struct {
	At    uint16 // into Batch.Memory
	Value uint8
}

// fixed is a Result as the file has it; the state is stored as what differs
// from the case's own, which compresses well.
type fixed struct {
	Key    key
	State  State
	Vector uint8
	Lost   bool
	Code   uint32
	CR2    uint32
	Writes uint16
}

func (c *Case) key() (k key) {
	h := sha256.New()
	h.Write(c.Code)
	if err := binary.Write(h, binary.LittleEndian, struct {
		At, Open uint32
		State
	}{c.At, c.Open, c.State}); err != nil {
		panic("BUG: " + err.Error())
	}
	copy(k[:], h.Sum(nil))
	return k
}

// What is recorded: as many batches of every class, from one seed.
const (
	recordedSeed    = 1
	recordedBatches = 8
	recordedCases   = 256 // a batch
)

// Recorded are the batches of a class whose answers are kept under testdata.
func Recorded(class Class) (batches []*Batch) {
	for n := range uint64(recordedBatches) {
		batches = append(batches, Options{Seed: recordedSeed}.Batch(class, n, recordedCases))
	}
	return batches
}

// ErrNotRecorded says that a recording lacks a case: cases are made otherwise
// than when it was made.
var ErrNotRecorded = errors.New("a case is not in the recording; make the recording anew on silicon (make silicon-record)")

// Execute implements Reference.
func (r *Recording) Execute(b *Batch, skip func(i int) bool) (*Answer, error) {
	a := &Answer{Results: make([]Result, len(b.Cases)), Memory: bytes.Clone(b.Memory)}
	for i := range b.Cases {
		one, ok := r.answers[b.Cases[i].key()]
		switch {
		case !ok:
			return nil, ErrNotRecorded
		case skip(i):
			a.Results[i].Lost = true
			continue
		}
		a.Results[i] = one.Result
		for _, w := range one.writes {
			a.Memory[w.At] = w.Value
		}
	}
	return a, nil
}

// Record writes what real answers to the cases of batches, one after the other.
func Record(w io.Writer, real Reference, batches []*Batch) error {
	z, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedBestCompression))
	if err != nil {
		return err
	}
	for _, b := range batches {
		memory := b.Memory
		for i := range b.Cases {
			one := &Batch{Cases: b.Cases[i : i+1], Code: b.Code, Memory: memory}
			a, err := real.Execute(one, func(int) bool { return false })
			if err != nil {
				return err
			}
			if err := record(z, &b.Cases[i], &a.Results[0], memory, a.Memory); err != nil {
				return err
			}
			memory = a.Memory
		}
	}
	return z.Close()
}

func record(w io.Writer, c *Case, r *Result, before, after []byte) error {
	var writes []written
	for at := range after {
		if after[at] != before[at] {
			writes = append(writes, written{uint16(at), after[at]})
		}
	}
	f := fixed{Key: c.key(), State: r.State, Vector: r.Vector, Lost: r.Lost, Code: r.Code, CR2: r.CR2,
		Writes: uint16(len(writes))}
	f.State.mix(&c.State)
	if err := binary.Write(w, binary.LittleEndian, &f); err != nil {
		return err
	}
	return binary.Write(w, binary.LittleEndian, writes)
}

// mix makes s what differs from other; doing it twice undoes it.
func (s *State) mix(other *State) {
	for i := range s.GPR {
		s.GPR[i] ^= other.GPR[i]
	}
	s.EIP ^= other.EIP
	s.EFLAGS ^= other.EFLAGS
	for i := range s.Seg {
		s.Seg[i] ^= other.Seg[i]
	}
	for i := range s.FX {
		s.FX[i] ^= other.FX[i]
	}
}

// Load reads a recording of the cases of batches.
func Load(r io.Reader, batches []*Batch) (*Recording, error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	in := bufio.NewReader(z)
	all := &Recording{answers: map[key]answer{}}
	for _, b := range batches {
		for i := range b.Cases {
			c := &b.Cases[i]
			var f fixed
			if err := binary.Read(in, binary.LittleEndian, &f); err != nil {
				return nil, fmt.Errorf("case %d: %w", len(all.answers), err)
			}
			if f.Key != c.key() {
				return nil, ErrNotRecorded
			}
			a := answer{Result{f.State, f.Vector, f.Code, f.CR2, f.Lost}, make([]written, f.Writes)}
			a.State.mix(&c.State)
			if err := binary.Read(in, binary.LittleEndian, a.writes); err != nil {
				return nil, fmt.Errorf("case %d: %w", len(all.answers), err)
			}
			all.answers[f.Key] = a
		}
	}
	return all, nil
}
