//go:build linux && amd64

package window

import (
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The handler of faults is written in assembler, and needs no C: it is installed
// by the system call itself, and hands on to the one that was there, which is
// Go's, what is not about generated code. Go installs its own at its start and
// when it dies.

// A Record is where the handler notes a fault, and where it has the code go on.
// It lies outside the Go heap.
type Record struct {
	// Address is what could not be accessed, RIP the instruction.
	Address, RIP uintptr
	// Goto is set by who catches.
	Goto uintptr
}

// An action is the system's struct sigaction.
type action struct {
	handler  uintptr
	flags    uint64
	restorer uintptr
	mask     uint64
}

// A code is a range of generated code whose faults are the handler's.
type code struct{ low, high, record uintptr }

// maxRanges is how many a process can have at a time.
const maxRanges = 128

// previous are the actions that the handler replaces, of SIGSEGV and SIGBUS.
var (
	ranges   [maxRanges]code
	previous [2]action
)

// handler returns the addresses of the handler and of what ends it.
func handler() (entry, restorer uintptr)

// setAction is RT_SIGACTION.
func setAction(signal unix.Signal, to, was *action) error {
	// SAFETY: the system reads and writes no more than an action each, and keeps neither.
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(signal),
		uintptr(unsafe.Pointer(to)), uintptr(unsafe.Pointer(was)), unsafe.Sizeof(to.mask), 0, 0)
	if errno != 0 {
		return fmt.Errorf("handler of signal %d: %w", signal, errno)
	}
	return nil
}

// install installs the handler, once for the process.
var install = sync.OnceValue(func() error {
	entry, restorer := handler()
	for i, s := range [...]unix.Signal{unix.SIGSEGV, unix.SIGBUS} {
		if err := setAction(s, nil, &previous[i]); err != nil {
			return err
		}
		const restores = 0x04000000 // SA_RESTORER
		a := action{entry, previous[i].flags | restores, restorer, ^uint64(0)}
		if err := setAction(s, &a, nil); err != nil {
			return err
		}
	}
	return nil
})

// Catch has faults of the code in b noted in r, until release is called.
func Catch(b []byte, r *Record) (release func(), err error) {
	if err := install(); err != nil {
		return nil, err
	}
	low := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	for i := range ranges {
		c := &ranges[i]
		// The upper end is what makes a range match: it comes last, and goes first.
		if atomic.CompareAndSwapUintptr(&c.low, 0, low) {
			atomic.StoreUintptr(&c.record, uintptr(unsafe.Pointer(r)))
			atomic.StoreUintptr(&c.high, low+uintptr(len(b)))
			return func() {
				atomic.StoreUintptr(&c.high, 0)
				atomic.StoreUintptr(&c.low, 0)
			}, nil
		}
	}
	return nil, fmt.Errorf("the process has %d translators with windows already", maxRanges)
}
