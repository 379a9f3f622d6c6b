// Package guest is the Linux that gov86 starts when it is given no kernel: a
// small i386 kernel with the v86fs driver, and a busybox userland. Its sources
// and how to rebuild it are in this folder; see README.md.
package guest

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"
)

//go:embed vmlinux.zst
var kernel []byte

//go:embed initramfs.cpio.zst
var initramfs []byte

//go:embed SOURCES
var sources string

//go:embed SOURCE-OFFER.md
var offer string

//go:embed v86fs/LICENSE
var gpl string

// sizeLimit bounds what an artefact unpacks to, in bytes.
const sizeLimit = 64 << 20

var (
	unpackKernel    = sync.OnceValues(func() ([]byte, error) { return unpack("vmlinux.zst", kernel) })
	unpackInitramfs = sync.OnceValues(func() ([]byte, error) { return unpack("initramfs.cpio.zst", initramfs) })
)

// Models are the processor models that the kernel runs on: it is compiled for
// an i686, and says nothing on older ones.
var Models = []string{"pentium2", "pentium4", "max"}

// Kernel returns the embedded kernel, an ELF vmlinux.
func Kernel() ([]byte, error) { return unpackKernel() }

// Initramfs returns the embedded initial file system, a cpio archive.
func Initramfs() ([]byte, error) { return unpackInitramfs() }

func unpack(name string, p []byte) ([]byte, error) {
	d, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(sizeLimit))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	out, err := d.DecodeAll(p, nil)
	if err != nil {
		return nil, fmt.Errorf("embedded guest: %s: %w", name, err)
	}
	return out, nil
}

// Describe says in a few lines what the guest was built from.
func Describe() string {
	var b strings.Builder
	for _, line := range strings.Split(strings.TrimSpace(sources), "\n") {
		if !strings.HasPrefix(line, "#") {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

// Licenses are the terms of what runs inside the guest, with the exact sources
// and the offer to provide them.
func Licenses() string {
	return "The embedded guest (Linux kernel, v86fs driver, busybox) is licensed under the GNU GPL version 2.\n\n" +
		Describe() + "\n" + offer + "\n" + gpl
}
