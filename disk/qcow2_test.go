package disk

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// pattern fills a file of n bytes that is no zeroes.
func pattern(t *testing.T, name string, n int) (string, []byte) {
	t.Helper()
	p := make([]byte, n)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, p, 0o644); err != nil {
		t.Fatal(err)
	}
	return name, p
}

// scribble writes, zeroes and flushes at random, in a copy, too.
func scribble(t *testing.T, image Image, copyOf []byte, n int) {
	t.Helper()
	r := rand.New(rand.NewPCG(3, uint64(n)))
	for range n {
		off := r.Int64N(image.Size()/512) * 512
		p := make([]byte, 512*(1+r.IntN(300)))
		p = p[:min(int64(len(p)), image.Size()-off)]
		switch r.IntN(8) {
		case 0:
			if err := image.Flush(); err != nil {
				t.Fatal(err)
			}
		case 1, 2:
			if err := image.Zero(off, int64(len(p))); err != nil {
				t.Fatal(err)
			}
			clear(copyOf[off:][:len(p)])
		default:
			for i := range p {
				p[i] = byte(r.Uint32())
			}
			put(t, image, off, p)
			copy(copyOf[off:], p)
		}
	}
}

// qemuImg runs qemu-img, where there is one.
func qemuImg(t *testing.T, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("qemu-img"); err != nil {
		t.Skip("there is no qemu-img here (Debian package qemu-utils) to hold the images to")
	}
	out, err := exec.Command("qemu-img", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("qemu-img %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestAnOverlayKeepsWhatIsWritten(t *testing.T) {
	name, want := pattern(t, "disk", 5<<20+512)
	overlay := filepath.Join(t.TempDir(), "overlay.qcow2")
	for round := range 3 {
		image := open(t, name, Options{Overlay: overlay})
		if !bytes.Equal(get(t, image, 0, len(want)), want) {
			t.Fatalf("round %d: what was written is not there", round)
		}
		scribble(t, image, want, 100+round)
		if !bytes.Equal(get(t, image, 0, len(want)), want) {
			t.Fatalf("round %d: something else is read", round)
		}
		if err := image.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, original := pattern(t, "other", 5<<20+512); !bytes.Equal(get(t, open(t, name, Options{ReadOnly: true}), 0, len(want)), original) {
		t.Error("the image below was written")
	}
	qemuImg(t, "check", overlay)
	flat := filepath.Join(t.TempDir(), "flat")
	qemuImg(t, "convert", "-O", "raw", overlay, flat)
	if got, err := os.ReadFile(flat); err != nil || !bytes.Equal(got, want) {
		t.Errorf("qemu-img reads something else, %v", err)
	}
}

func TestASnapshotIsGoneAfterwards(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	name, original := pattern(t, "disk", 1<<20)
	want := bytes.Clone(original)
	image := open(t, name, Options{Snapshot: true})
	open(t, name, Options{Snapshot: true}) // two may read what neither writes
	scribble(t, image, want, 50)
	if !bytes.Equal(get(t, image, 0, len(want)), want) {
		t.Error("something else is read")
	}
	if err := image.Close(); err != nil {
		t.Error(err)
	}
	if !bytes.Equal(get(t, open(t, name, Options{Snapshot: true}), 0, len(original)), original) {
		t.Error("the image was written")
	}
}

// TestWhatWasFlushedSurvives takes the file as it is when gov86 is killed.
func TestWhatWasFlushedSurvives(t *testing.T) {
	name, want := pattern(t, "disk", 3<<20)
	overlay := filepath.Join(t.TempDir(), "overlay.qcow2")
	image := open(t, name, Options{Overlay: overlay})
	scribble(t, image, want, 60)
	if err := image.Flush(); err != nil {
		t.Fatal(err)
	}
	flushed := bytes.Clone(want)
	for off := int64(0); off < 1<<20; off += 512 {
		put(t, image, off, bytes.Repeat([]byte{0xee}, 512))
	}
	cut, err := os.ReadFile(overlay)
	if err != nil {
		t.Fatal(err)
	}
	after := filepath.Join(t.TempDir(), "after.qcow2")
	if err := os.WriteFile(after, cut, 0o644); err != nil {
		t.Fatal(err)
	}
	got := get(t, open(t, name, Options{Overlay: after}), 0, len(want))
	for i := range got {
		if got[i] != flushed[i] && (i >= 1<<20 || got[i] != 0xee) {
			t.Fatalf("byte %#x is %#x, and was flushed as %#x", i, got[i], flushed[i])
		}
	}
	if out, err := exec.Command("qemu-img", "check", after).CombinedOutput(); err != nil && !strings.Contains(string(out), "leaked clusters") {
		t.Logf("qemu-img check: %v\n%s", err, out)
		if _, missing := exec.LookPath("qemu-img"); missing == nil {
			t.Error("qemu-img finds it corrupt")
		}
	}
}

func TestImagesOfQEMU(t *testing.T) {
	name, original := pattern(t, "disk", 2<<20)
	original2 := bytes.Clone(original)
	for _, args := range [][]string{
		{"-c"}, {"-o", "compat=0.10"}, {"-o", "cluster_size=512"}, {"-o", "cluster_size=2M"}, {"-c", "-o", "cluster_size=4k"},
	} {
		made := filepath.Join(t.TempDir(), "made.qcow2")
		qemuImg(t, append(append([]string{"convert", "-O", "qcow2"}, args...), name, made)...)
		image := open(t, made, Options{})
		want := bytes.Clone(original2)
		if !bytes.Equal(get(t, image, 0, len(want)), want) {
			t.Fatalf("%v: something else is read", args)
		}
		scribble(t, image, want, 60)
		if err := image.Close(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(get(t, open(t, made, Options{ReadOnly: true}), 0, len(want)), want) {
			t.Errorf("%v: what was written is not there", args)
		}
		if args[0] != "-c" { // whose old clusters stay counted
			qemuImg(t, "check", made)
		}
		flat := filepath.Join(t.TempDir(), "flat")
		qemuImg(t, "convert", "-O", "raw", made, flat)
		if got, err := os.ReadFile(flat); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%v: qemu-img reads something else, %v", args, err)
		}
	}
}

func TestAnImageThatIsSparseAndLarge(t *testing.T) {
	const size = 3 << 40
	name := sized(t, "disk", size)
	image := open(t, name, Options{Overlay: filepath.Join(t.TempDir(), "o.qcow2")})
	for _, off := range []int64{0, 1 << 32, 1<<41 - 512, size - 1024} {
		put(t, image, off, bytes.Repeat([]byte{7}, 1024))
		if got := get(t, image, off, 1024); got[1023] != 7 {
			t.Errorf("at %#x %#x is read", off, got[1023])
		}
	}
}

func TestWhatAnOverlayCannotBe(t *testing.T) {
	name, _ := pattern(t, "disk", 1<<20)
	other, _ := pattern(t, "other", 1<<20)
	overlay := filepath.Join(t.TempDir(), "overlay.qcow2")
	open(t, name, Options{Overlay: overlay}).Close()
	wantRefused(t, other, Options{Overlay: overlay}, "it is based on "+name)
	wantRefused(t, name, Options{Overlay: other}, "no QCOW2 image")
	wantRefused(t, name, Options{Overlay: overlay, ReadOnly: true}, "an overlay is for what is written")
	wantRefused(t, name, Options{Overlay: filepath.Join(name, "x")}, "not a directory")
}

// TestAGuestCannotMakeItsDiskNameAFile: what a guest writes to a raw image does
// not become a QCOW2 image that is based on any file of the host.
func TestAGuestCannotMakeItsDiskNameAFile(t *testing.T) {
	name := sized(t, "disk", 1<<20)
	image := open(t, name, Options{})
	put(t, image, 0, append([]byte{'Q', 'F', 'I', 0xfb, 0, 0, 0, 3}, make([]byte, 504)...))
	image.Close()
	wantRefused(t, name, Options{}, "it looks like a QCOW2 image")
	wantRefused(t, name, Options{Snapshot: true}, "it looks like a QCOW2 image")
	if got := get(t, open(t, name, Options{Format: Raw}), 0, 4); string(got[:3]) != "QFI" {
		t.Errorf("as a raw image it reads %q", got)
	}
}

func FuzzQCOW2(f *testing.F) {
	dir := f.TempDir()
	name := filepath.Join(dir, "seed.qcow2")
	file, err := os.Create(name)
	if err != nil {
		f.Fatal(err)
	}
	if err := create(file, 1<<20, "", ""); err != nil {
		f.Fatal(err)
	}
	file.Close()
	seed, _ := os.ReadFile(name)
	f.Add(seed[:headerLen], uint64(0), uint64(0))
	f.Add(seed[:headerLen], uint64(0x40000), uint64(0x8000000000050000))
	f.Add(seed[:headerLen], uint64(0x40000), uint64(0x4000000000050000))
	f.Fuzz(func(t *testing.T, head []byte, l1, l2 uint64) {
		p := bytes.Clone(seed)
		copy(p[:headerLen], head)
		if be.Uint32(p[16:]) != 0 {
			return // files of the host are not this test's
		}
		be.PutUint64(p[3<<newBits:], l1)
		p = append(p, make([]byte, 1<<newBits)...)
		be.PutUint64(p[4<<newBits:], l2)
		name := filepath.Join(dir, "fuzzed.qcow2")
		if err := os.WriteFile(name, p, 0o644); err != nil {
			t.Fatal(err)
		}
		image, err := Open(name, Options{})
		if err != nil {
			return
		}
		defer image.Close()
		b := make([]byte, 4096)
		image.ReadAt(b[:512], 0)
		image.ReadAt(b[:512], image.Size()-512)
		if image.Size() >= 8192 {
			image.WriteAt(b, 4096)
			image.Zero(0, 8192)
		}
	})
}
