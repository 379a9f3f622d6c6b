package dirfs

import (
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/gov86/gov86/devices/v86fs"
)

// kept counts the descriptors that all shared directories keep for files that
// guests have open or locked.
var kept atomic.Int64

// keepLimit bounds kept: half of what the process may have. A quarter of that more
// may be directories'. Disks, the terminal and what else gov86 does have the rest.
var keepLimit = sync.OnceValue(func() int64 {
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &r); err != nil || r.Cur > 1<<20 {
		return 1 << 20
	}
	return int64(r.Cur) / 2
})

// mayKeep reports whether one descriptor more may be kept.
func mayKeep() error {
	if kept.Load() >= keepLimit() {
		return v86fs.ENFILE
	}
	return nil
}
