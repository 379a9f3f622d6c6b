package guest

import (
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestArtefactsMatchTheirSources fails when a source of the guest was changed
// and the artefacts were not rebuilt, or the other way round.
func TestArtefactsMatchTheirSources(t *testing.T) {
	manifest, err := os.ReadFile("MANIFEST")
	if err != nil {
		t.Fatal(err)
	}
	recorded := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(string(manifest)), "\n") {
		sum, name, ok := strings.Cut(line, "  ")
		if !ok {
			t.Fatalf("MANIFEST: %q", line)
		}
		recorded[name] = sum
	}
	var files []string
	for _, pattern := range []string{"build.sh", "kernel/*", "initramfs/*", "v86fs/*.[ch]", "v86fs/Kconfig", "v86fs/Makefile",
		"SOURCES", "vmlinux.zst", "initramfs.cpio.zst"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		files = append(files, found...)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(b)
		if recorded[name] != hex.EncodeToString(sum[:]) {
			t.Errorf("%s is not what MANIFEST records: run make guest", name)
		}
		delete(recorded, name)
	}
	for name := range recorded {
		t.Errorf("%s is in MANIFEST and not in the tree: run make guest", name)
	}
}

func TestArtefactsUnpackAndAreSmall(t *testing.T) {
	k, err := Kernel()
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.NewFile(bytes.NewReader(k))
	if err != nil || f.Machine != elf.EM_386 {
		t.Errorf("the kernel is no ELF file for the 386: %v", err)
	}
	i, err := Initramfs()
	if err != nil || !bytes.HasPrefix(i, []byte("070701")) {
		t.Errorf("the initramfs is no cpio archive: %v", err)
	}
	if len(kernel) >= 4<<20 || len(initramfs) >= 3<<19 {
		t.Errorf("kernel of %d bytes, initramfs of %d: limits are 4 MiB and 1.5 MiB", len(kernel), len(initramfs))
	}
}

func TestLicensesNameTheSources(t *testing.T) {
	text := Licenses()
	for _, want := range []string{"linux-source-6.1 6.1.", "busybox-static 1:1.", "GNU GENERAL PUBLIC LICENSE", "source"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing", want)
		}
	}
}
