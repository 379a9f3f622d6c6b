package disk

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sized makes a sparse file of n bytes.
func sized(t *testing.T, name string, n int64) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(name, n); err != nil {
		t.Fatal(err)
	}
	return name
}

func open(t *testing.T, name string, o Options) Image {
	t.Helper()
	image, err := Open(name, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { image.Close() })
	return image
}

// wantRefused checks that an image is refused with both a reason and a remedy.
func wantRefused(t *testing.T, name string, o Options, what string) {
	t.Helper()
	image, err := Open(name, o)
	var wrong *Error
	if !errors.As(err, &wrong) {
		t.Fatalf("opened %s as %v, %v, want an error", name, image, err)
	}
	if !strings.Contains(wrong.What, what) || wrong.Remedy == "" {
		t.Errorf("refused as %q, want it to say %q", err, what)
	}
}

func put(t *testing.T, image Image, off int64, p []byte) {
	t.Helper()
	if n, err := image.WriteAt(p, off); n != len(p) || err != nil {
		t.Fatalf("write of %d bytes at %#x: %d, %v", len(p), off, n, err)
	}
}

func get(t *testing.T, image Image, off int64, n int) []byte {
	t.Helper()
	p := make([]byte, n)
	if got, err := image.ReadAt(p, off); got != n || err != nil {
		t.Fatalf("read of %d bytes at %#x: %d, %v", n, off, got, err)
	}
	return p
}

func TestARawImageIsItsFile(t *testing.T) {
	const size, far = 5 << 30, 5<<30 - 1024 // beyond what 32 bits reach
	name := sized(t, "disk", size)
	image := open(t, name, Options{})
	if image.Size() != size || image.ReadOnly() {
		t.Errorf("size %d, read-only %t", image.Size(), image.ReadOnly())
	}
	p := bytes.Repeat([]byte("far"), 256)
	put(t, image, far, p)
	if err := image.Flush(); err != nil {
		t.Error(err)
	}
	if !bytes.Equal(get(t, image, far, len(p)), p) {
		t.Error("something else was read")
	}
	if err := image.Close(); err != nil {
		t.Error(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got := make([]byte, len(p))
	if _, err := f.ReadAt(got, far); err != nil || !bytes.Equal(got, p) {
		t.Errorf("the file holds something else, %v", err)
	}
}

func TestAnImageThatIsReadOnlyRefusesWrites(t *testing.T) {
	name := sized(t, "disk", 4096)
	if err := os.Chmod(name, 0o444); err != nil {
		t.Fatal(err)
	}
	for _, image := range []Image{open(t, name, Options{ReadOnly: true}), Memory(make([]byte, 4096), true)} {
		if _, err := image.WriteAt(make([]byte, 512), 0); err == nil || !image.ReadOnly() {
			t.Error("it was written")
		}
	}
}

func TestWhoWritesAnImageHasItAlone(t *testing.T) {
	name := sized(t, "disk", 4096)
	writer := open(t, name, Options{})
	wantRefused(t, name, Options{}, "another program uses it")
	wantRefused(t, name, Options{ReadOnly: true}, "another program uses it")
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, name, Options{ReadOnly: true})
	open(t, name, Options{ReadOnly: true})
	wantRefused(t, name, Options{}, "another program uses it")
}

func TestFilesThatAreNoImages(t *testing.T) {
	wantRefused(t, sized(t, "disk", 0), Options{}, "it is empty")
	wantRefused(t, sized(t, "disk", 1000), Options{}, "no whole number of sectors")
	wantRefused(t, filepath.Join(t.TempDir(), "disk"), Options{}, "no such file")
	wantRefused(t, t.TempDir(), Options{ReadOnly: true}, "it is a directory")
	wantRefused(t, t.TempDir(), Options{}, "directory")
}
