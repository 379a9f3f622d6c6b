package snapfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gov86/gov86/snapshot"
)

// sample is memory with a chunk of noise, a chunk of zeros and a part of a chunk
// with a page of text.
func sample() []byte {
	ram := make([]byte, 2*chunkSize+8*pageSize)
	random := rand.New(rand.NewPCG(1, 2))
	for i := 0; i < chunkSize; i += 8 {
		binary.LittleEndian.PutUint64(ram[i:], random.Uint64())
	}
	copy(ram[2*chunkSize+3*pageSize:], strings.Repeat("memory ", 100))
	return ram
}

func all(int) bool { return true }

func written(t testing.TB, ram []byte, as Encoding) []byte {
	t.Helper()
	var b bytes.Buffer
	w := NewWriter(&b, []byte("{\n  \"a\": 1\n}"))
	w.Section("first", []byte{1, 0, 42})
	w.Section("second", nil)
	if err := w.Close(ram, all, as); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func open(b []byte) (*File, error) { return Open(bytes.NewReader(b), int64(len(b))) }

func TestWhatIsWrittenIsRead(t *testing.T) {
	ram := sample()
	for _, as := range []Encoding{Packed, Raw} {
		b := written(t, ram, as)
		if !bytes.HasPrefix(b, []byte("gov86 snapshot 1\n{\n  \"a\": 1\n}\n\n")) {
			t.Errorf("%v: it begins with %.40q", as, b)
		}
		f, err := open(b)
		if err != nil {
			t.Fatal(as, err)
		}
		if string(f.Header) != "{\n  \"a\": 1\n}" || len(f.Sections) != 2 || f.Sections[0].Name != "first" ||
			!bytes.Equal(f.Sections[0].Payload, []byte{1, 0, 42}) || f.Sections[0].Version() != 1 || f.Sections[1].Name != "second" {
			t.Errorf("%v: header %q, sections %v", as, f.Header, f.Sections)
		}
		if f.Encoding != as || f.Pages() != chunkPages+1 {
			t.Errorf("%v: encoding %v, %d pages", as, f.Encoding, f.Pages())
		}
		got := make([]byte, len(ram))
		if err := f.ReadMemory(got); err != nil {
			t.Fatal(as, err)
		}
		if !bytes.Equal(got, ram) {
			t.Errorf("%v: memory differs", as)
		}
	}
}

// TestRawMemoryIsInItsPlace holds that memory can be mapped from the file, and that
// what is zero takes no room.
func TestRawMemoryIsInItsPlace(t *testing.T) {
	name := filepath.Join(t.TempDir(), "raw")
	ram := sample()
	if err := Replace(name, func(w io.Writer) error {
		return NewWriter(w, []byte("x")).Close(ram, all, Raw)
	}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := open(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range f.index {
		if x.offset%pageSize != 0 || x.offset-f.index[0].offset != uint64(x.chunk)*chunkSize {
			t.Errorf("chunk %d is at %#x", x.chunk, x.offset)
		}
	}
	if at := f.index[0].offset; !bytes.Equal(b[at:at+uint64(len(ram))], ram) {
		t.Error("the file does not have memory as it is")
	}
}

func TestDamageIsFound(t *testing.T) {
	b := written(t, sample(), Packed)
	random := rand.New(rand.NewPCG(3, 4))
	for range 150 {
		at := random.IntN(len(b))
		if random.IntN(2) == 0 {
			at = random.IntN(200) // the header and the sections
		}
		bad := bytes.Clone(b)
		bad[at] ^= 1 << random.IntN(8)
		f, err := open(bad)
		if err == nil {
			err = f.Verify()
		}
		if err == nil {
			t.Fatalf("a bit of byte %d of %d was turned, and nothing is said", at, len(b))
		}
	}
	for range 50 {
		n := random.IntN(len(b))
		if _, err := open(b[:n]); err == nil {
			t.Fatalf("%d bytes of %d are there, and nothing is said", n, len(b))
		}
	}
	if _, err := open(b[:len(b)-1]); !errors.Is(err, errTruncated) {
		t.Errorf("error %v", err)
	}
}

func TestAllThatIsWrongIsReported(t *testing.T) {
	b := written(t, make([]byte, pageSize), Packed)
	at := bytes.Index(b, []byte("first"))
	b[at+len("first")+8] ^= 1 // its payload
	b[len(b)-1] ^= 1          // the footer
	_, err := open(b)
	if err == nil || !strings.Contains(err.Error(), `section "first": its checksum differs`) ||
		!strings.Contains(err.Error(), "footer") || !errors.Is(err, snapshot.ErrCorrupt) {
		t.Errorf("error %v", err)
	}
}

func TestOtherVersionsAreNamed(t *testing.T) {
	b := written(t, make([]byte, pageSize), Packed)
	b[len(magic)] = '7'
	if _, err := open(b); err == nil || !strings.Contains(err.Error(), `version "7"`) {
		t.Errorf("error %v", err)
	}
	if _, err := open([]byte("QEVM")); err == nil || !strings.Contains(err.Error(), "no snapshot") {
		t.Errorf("error %v", err)
	}
}

// TestAWriterThatFailsLeavesTheOldFile fails at every byte of some.
func TestAWriterThatFailsLeavesTheOldFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "file")
	if err := os.WriteFile(name, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	full := errors.New("no space")
	for room := 0; room < 200; room += 7 {
		err := Replace(name, func(w io.Writer) error {
			return NewWriter(&limited{w, room, full}, []byte("x")).Close(sample(), all, Packed)
		})
		if !errors.Is(err, full) {
			t.Fatalf("error %v", err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil || string(got) != "old" {
		t.Errorf("the file has %q, %v", got, err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("there are %d files", len(left))
	}
}

// limited fails when its room is used up.
type limited struct {
	io.Writer
	room int
	err  error
}

func (l *limited) Write(p []byte) (int, error) {
	if len(p) > l.room {
		return 0, l.err
	}
	l.room -= len(p)
	return l.Writer.Write(p)
}

// reseal makes the checksums of a damaged file right, so that what is behind them
// is reached.
func reseal(b []byte) {
	le := binary.LittleEndian
	if len(b) < footerLen {
		return
	}
	foot := b[len(b)-footerLen:]
	if at := le.Uint64(foot[8:]); at < uint64(len(b)-footerLen) {
		le.PutUint32(foot[20:], checksum(b[at:len(b)-footerLen]))
	}
	le.PutUint32(foot[24:], checksum(foot[:footerLen-4]))
}

func FuzzOpen(f *testing.F) {
	small := make([]byte, 3*pageSize)
	copy(small[pageSize:], "something")
	f.Add(written(f, small, Packed), false)
	f.Add(written(f, small, Raw), true)
	f.Fuzz(func(t *testing.T, b []byte, seal bool) {
		if seal {
			reseal(b)
		}
		file, err := open(b)
		if err != nil {
			return
		}
		if file.MemorySize <= 16<<20 {
			_ = file.ReadMemory(make([]byte, file.MemorySize))
		}
	})
}
