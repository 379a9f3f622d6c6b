// Package guests has small programs that check, one by one, what the Intel SDM
// says of a processor's system side: segments, gates, tasks, virtual-8086 mode,
// paging, debugging, exceptions. They run under gov86 in every test, and under
// other emulators for a second opinion.
package guests

import "embed"

// A guest boots as a Multiboot image, or from a disk behind boot.bin. It writes
// a line to COM1 for every check that fails, and at last PASS or FAIL.
//
//go:embed prebuilt
var prebuilt embed.FS

//go:generate ./build.sh

// names are the guests.
var names = []string{"segments", "gates", "tasks", "paging", "v86", "debug", "code"}

// guest is the flat image of a guest.
func guest(name string) ([]byte, error) { return prebuilt.ReadFile("prebuilt/" + name + ".bin") }
