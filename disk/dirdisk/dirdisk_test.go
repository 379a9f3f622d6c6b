package dirdisk

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/gov86/gov86/disk"
)

// tree is a directory with all that is awkward. It returns the files' content.
func tree(t *testing.T, limit int) (dir string, files map[string][]byte) {
	t.Helper()
	dir, files = t.TempDir(), map[string][]byte{}
	add := func(name string, n int) {
		p := bytes.Repeat([]byte(name+"|"), n/(len(name)+1)+1)[:n]
		files[name] = p
		full := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, p, 0o640); err != nil {
			t.Fatal(err)
		}
	}
	add("README", 10)
	add("empty", 0)
	add("one frame", 2048)
	add("frame and one", 2049)
	add("Long Name With Spaces.text", 5000)
	add("long name with other end.text", 3000)
	add("umlaut äöü.txt", 77)
	add("dots.in.name.tar.gz", 100)
	add(".hidden", 5)
	add("a/b/c/d/e/f/g/h/deep.txt", 1234)
	add(strings.Repeat("n", min(limit, 250)), 99)
	for i := range 60 {
		add(fmt.Sprintf("many/file number %d.dat", i), 30*i)
	}
	return dir, files
}

// run runs a program of the host, where there is one.
func run(t *testing.T, env []string, name string, args ...string) []byte {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("there is no %s here to hold the disks to; on Debian: apt-get install xorriso genisoimage mtools dosfstools", name)
	}
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

// store writes an image to a file, by reads of odd sizes.
func store(t *testing.T, image disk.Image) string {
	t.Helper()
	var all []byte
	for off := int64(0); off < image.Size(); {
		p := make([]byte, min(image.Size()-off, 5*512+(off%7)*512))
		if n, err := image.ReadAt(p, off); n != len(p) || err != nil {
			t.Fatalf("read of %d bytes at %d: %d, %v", len(p), off, n, err)
		}
		all = append(all, p...)
		off += int64(len(p))
	}
	name := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(name, all, 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// same compares what was taken out of an image with the files.
func same(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes, want %d, %v", name, len(got), len(want), err)
		}
	}
}

func TestXorrisoExtractsEverything(t *testing.T) {
	for _, joliet := range []string{"off", "on"} {
		dir, files := tree(t, map[string]int{"off": 250, "on": 64}[joliet])
		target := strings.Repeat("../very long target/", 30) + "./end"
		if err := os.Symlink(target, filepath.Join(dir, "link")); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
		image, err := ISO(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer image.Close()
		name, out := store(t, image), t.TempDir()
		args := []string{"-osirrox", "on"}
		if joliet == "on" {
			args = append(args, "-read_fs", "norock")
		}
		run(t, nil, "xorriso", append(args, "-indev", name, "-extract", "/", out)...)
		if joliet == "on" {
			delete(files, strings.Repeat("n", 64))
		}
		same(t, out, files)
		if joliet == "on" {
			continue
		}
		if got, err := os.Readlink(filepath.Join(out, "link")); got != strings.ReplaceAll(target, "//", "/") || err != nil {
			t.Errorf("the link leads to %q, %v", got, err)
		}
		if info, err := os.Stat(filepath.Join(out, "README")); runtime.GOOS != "windows" && (err != nil || info.Mode().Perm() != 0o640) {
			t.Errorf("rights %v, %v", info.Mode(), err)
		}
	}
}

func TestIsoinfoReadsTheDisc(t *testing.T) {
	dir, files := tree(t, 64)
	image, err := ISO(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer image.Close()
	name := store(t, image)
	if got := string(run(t, nil, "isoinfo", "-d", "-i", name)); !strings.Contains(got, "Joliet with UCS level 3 found") ||
		!strings.Contains(got, "Rock Ridge signatures version 1 found") {
		t.Errorf("isoinfo says\n%s", got)
	}
	for _, c := range []struct{ flag, path, file string }{
		{"", "/README.;1", "README"}, {"", "/LONG_NAM.TEX;1", "Long Name With Spaces.text"},
		{"", "/LONG_N_1.TEX;1", "long name with other end.text"}, {"-J", "/Long Name With Spaces.text;1", "Long Name With Spaces.text"},
		{"-R", "/a/b/c/d/e/f/g/h/deep.txt", "a/b/c/d/e/f/g/h/deep.txt"},
	} {
		args := []string{"-i", name, "-x", c.path, "-j", "iso8859-1"}
		if c.flag != "" {
			args = append(args, c.flag)
		}
		if got := run(t, nil, "isoinfo", args...); !bytes.Equal(got, files[c.file]) {
			t.Errorf("isoinfo %s %s: %d bytes, want %d", c.flag, c.path, len(got), len(files[c.file]))
		}
	}
}

// TestFilesAreReadWhenAsked: what has become of a file since does not hurt.
func TestFilesAreReadWhenAsked(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "file")
	if err := os.WriteFile(name, bytes.Repeat([]byte("old "), 2048), 0o644); err != nil {
		t.Fatal(err)
	}
	image, err := ISO(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer image.Close()
	at := int64(image.(*iso).extents[0].at) * frame
	if err := os.WriteFile(name, []byte("new"), 0o644); err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 4096)
	if n, err := image.ReadAt(p, at); n != len(p) || err != nil || !bytes.Equal(p, append([]byte("new"), make([]byte, 4093)...)) {
		t.Errorf("%d, %v: %q", n, err, p[:8])
	}
	image.Close()
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if _, err := image.ReadAt(p, at); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is gone is read: %v", err)
	}
}

func TestMtoolsReadsTheFloppyDisk(t *testing.T) {
	dir, files := tree(t, 200)
	image, err := Floppy(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	name, out := store(t, image), t.TempDir()
	env := []string{"LC_ALL=C.UTF-8", "MTOOLS_SKIP_CHECK=0"}
	run(t, env, "mcopy", "-s", "-i", name, "::*", out)
	same(t, out, files)
	if got := string(run(t, env, "mdir", "-i", name, "::")); !strings.Contains(got, "LONG_N~1") && !strings.Contains(got, "LONG_NAM TEX") {
		t.Errorf("mdir says\n%s", got)
	}
	run(t, env, "fsck.vfat", "-n", name)
}

func TestWhatDoesNotFit(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "large"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(dir, "large"), 1440<<10); err != nil {
		t.Fatal(err)
	}
	var wrong *disk.Error
	if _, err := Floppy(dir, true); !errors.As(err, &wrong) || !strings.Contains(wrong.What, "floppy disk holds") {
		t.Errorf("%v", err)
	}
	if err := os.Truncate(filepath.Join(dir, "large"), 9<<40); err != nil {
		t.Skipf("no file of 9 TiB here: %v", err)
	}
	if _, err := ISO(dir); !errors.As(err, &wrong) || !strings.Contains(wrong.What, "larger than a disc") {
		t.Errorf("%v", err)
	}
	if _, err := ISO(filepath.Join(dir, "large")); !errors.As(err, &wrong) {
		t.Errorf("a file as a directory: %v", err)
	}
}

func TestAFileOfMoreThanFourGiB(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "large")
	const size = 5<<30 + 1
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte{0x77}, size-1); err != nil {
		t.Skipf("no file of 5 GiB here: %v", err)
	}
	f.Close()
	image, err := ISO(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer image.Close()
	at := int64(image.(*iso).extents[0].at) * frame
	p := make([]byte, 2)
	if _, err := image.ReadAt(p, at+size-1); err != nil || p[0] != 0x77 {
		t.Errorf("the last byte is %#x, %v", p[0], err)
	}
	if got := bytes.Count(image.(*iso).head, []byte("LARGE.;1")); got != 2 {
		t.Errorf("it has %d records, want 2: an extent has less than 4 GiB", got)
	}
}
