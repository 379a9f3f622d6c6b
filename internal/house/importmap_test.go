package house

import (
	"path"
	"slices"
	"strings"
)

// A row says what one package, or every package of a pattern, may import
// besides its own internal packages and the standard library.
type row struct {
	pkg    string // a directory, or a path.Match pattern
	ours   string // what of ours it may import
	others string // what from outside the standard library
	banned string // what of the standard library it may not import, with all below
}

// noHost is what a chip has no use for: it takes its time from hw.Clock, runs
// on one goroutine, and knows no host.
const noHost = "time os sync net math/rand log"

const (
	sys   = "golang.org/x/sys"
	sdl2  = "github.com/veandco/go-sdl2"
	cobra = "github.com/spf13/cobra"
	pflag = "github.com/spf13/pflag"
	zstd  = "github.com/klauspost/compress"
	arch  = "golang.org/x/arch"
)

// importMap is who may know whom. The first line that fits counts.
var importMap = []row{
	// Contracts and leaves.
	{pkg: "snapshot", banned: "reflect"},
	{pkg: "snapshot/snapshottest", ours: "snapshot"},
	{pkg: "snapshot/snapfile", ours: "snapshot", others: zstd, banned: "reflect time net"},
	{pkg: "hw", ours: "snapshot"},
	{pkg: "hw/hwtest", ours: "hw"},
	{pkg: "trace"},
	{pkg: "symbols", banned: noHost},
	{pkg: "mem", ours: "hw snapshot trace", others: sys},
	{pkg: "io", ours: "trace", banned: noHost},
	{pkg: "display", banned: "os time net"},
	{pkg: "display/sdl", ours: "display", others: sdl2, banned: "net"},
	{pkg: "display/term", ours: "display", banned: "os net"},
	{pkg: "display/rfb", ours: "display", others: zstd, banned: "os"},

	// The processor.
	{pkg: "cpu/isa", others: arch, banned: noHost},
	{pkg: "cpu/fpu", banned: noHost},
	{pkg: "cpu/simd", ours: "cpu/isa", banned: noHost},
	{pkg: "cpu/fpu/host", ours: "cpu/isa cpu/simd", banned: noHost},
	{pkg: "cpu/fpu/host/gen"},
	{pkg: "cpu", ours: "cpu/isa mem io hw snapshot trace", others: sys},
	{pkg: "cpu/block", ours: "cpu cpu/isa mem"},
	{pkg: "cpu/interp", ours: "cpu cpu/isa cpu/fpu cpu/simd cpu/fpu/host cpu/block io mem trace", others: sys},
	{pkg: "cpu/interp/gen"},
	{pkg: "jit/amd64", banned: noHost},
	{pkg: "jit/window", others: sys, banned: "time os net math/rand log"},
	{pkg: "jit", ours: "cpu cpu/interp cpu/isa jit/amd64 jit/window mem", others: sys, banned: noHost},

	// The board's chips.
	{pkg: "pci", ours: "io mem hw snapshot trace", banned: noHost},
	{pkg: "devices/virtio", ours: "pci io mem hw snapshot trace", banned: noHost},
	{pkg: "devices/virtio/virtiotest", ours: "pci io mem hw hw/hwtest"},
	{pkg: "devices/virtioblk", ours: "devices/virtio hw mem snapshot trace", banned: noHost},
	{pkg: "devices/v86fs", ours: "devices/virtio devices/v86fs/wire hw mem snapshot trace", banned: "os"},
	{pkg: "devices/v86fs/wire", banned: noHost},
	{pkg: "devices/v86fs/dirfs", ours: "devices/v86fs devices/v86fs/acl", others: sys},
	{pkg: "devices/v86fs/iofs", ours: "devices/v86fs", banned: "os time net"},
	{pkg: "devices/v86fs/acl", ours: "devices/v86fs", banned: noHost},
	{pkg: "devices/v86fs/cowfs", ours: "devices/v86fs devices/v86fs/acl devices/v86fs/dirfs", others: sys},
	{pkg: "devices/v86fs/memfs", ours: "devices/v86fs devices/v86fs/acl"},
	{pkg: "devices/v86fs/v86fstest", ours: "devices/v86fs"},
	{pkg: "devices/vga", ours: "display hw io mem pci snapshot trace", banned: noHost},
	{pkg: "devices/*", ours: "hw io mem pci snapshot trace", banned: noHost},

	// The board.
	{pkg: "bios", ours: "mem cpu cpu/isa io"},
	{pkg: "gdb", ours: "cpu cpu/isa"},
	{pkg: "control", ours: "display"},
	{pkg: "machine", ours: "bios gdb cpu cpu/block cpu/interp cpu/isa display jit mem io pci hw snapshot snapshot/snapfile" +
		" trace devices/* devices/v86fs/* disk", others: sys + " " + arch},

	{pkg: "disk", others: sys},
	{pkg: "disk/dirdisk", ours: "disk"},

	{pkg: "bench", ours: "guest"},

	// The program.
	{pkg: "guest", others: zstd},
	{pkg: "internal/silicon", ours: "cpu cpu/interp cpu/isa io mem", others: sys + " " + zstd},
	{pkg: "internal/silicon/guests", ours: "machine"},
	{pkg: "internal/silicon/kvm", others: sys},
	{pkg: "internal/silicon/system", ours: "cpu cpu/isa internal/silicon/kvm io mem"},
	{pkg: "internal/sharing/program", others: sys},
	{pkg: "internal/gotest"},
	{pkg: "internal/licenses"},
	{pkg: "cmd/gov86", ours: "bios control disk disk/dirdisk display display/rfb display/sdl display/term gdb machine guest trace symbols cpu/isa internal/licenses", others: cobra + " " + pflag},
	{pkg: "cmd/gov86/internal/terminal", others: sys},
	{pkg: "cmd/gov86/internal/terminal/ptytest", others: sys},
	{pkg: "cmd/gov86/internal/console"},
}

// oversized lists the files longer than TestNoOversizedFiles allows, each with
// the reason.
var oversized = map[string]string{
	"cpu/interp/gen/main.go": "the table of forms",
	"cpu/isa/op.go":          "the list of operations",
}

// rowFor is the line for a package.
func rowFor(dir string) (row, bool) {
	i := slices.IndexFunc(importMap, func(r row) bool { return fits(r.pkg, dir) })
	if i < 0 {
		return row{}, false
	}
	return importMap[i], true
}

func fits(pattern, dir string) bool {
	ok, err := path.Match(pattern, dir)
	if err != nil {
		panic("BUG: bad pattern " + pattern)
	}
	return ok
}

// refuses says why the package in dir may not import p, or nothing.
func (r row) refuses(dir, p string) string {
	if local, ours := strings.CutPrefix(p, module+"/"); ours {
		allowed := func(pattern string) bool { return fits(pattern, local) }
		below := strings.HasPrefix(local, dir+"/internal/")
		if below || slices.ContainsFunc(strings.Fields(r.ours), allowed) {
			return ""
		}
		return "the map lets it import only " + orNothing(r.ours) + " of ours"
	}
	first, _, _ := strings.Cut(p, "/")
	within := func(parent string) bool { return p == parent || strings.HasPrefix(p, parent+"/") }
	switch {
	case strings.Contains(first, ".") && !slices.ContainsFunc(strings.Fields(r.others), within):
		return "the map lets it import only " + orNothing(r.others) + " from outside"
	case slices.ContainsFunc(strings.Fields(r.banned), within):
		return "the map bans " + r.banned
	}
	return ""
}

func orNothing(list string) string {
	if list == "" {
		return "nothing"
	}
	return list
}
