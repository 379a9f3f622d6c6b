//go:build linux && amd64

package kvm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// A VM is memory and a processor. Its methods belong to one goroutine.
type VM struct {
	// Memory is the guest's physical memory from address 0 on.
	Memory []byte

	vm, cpu int
	run     []byte // struct kvm_run
}

// New makes a machine of size bytes of memory. The error says why this host
// cannot serve.
func New(size int) (*VM, error) {
	dev, err := unix.Open("/dev/kvm", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: "/dev/kvm", Err: err}
	}
	defer unix.Close(dev)
	if v, err := request(dev, getAPIVersion, 0); err != nil || v != apiVersion {
		return nil, fmt.Errorf("/dev/kvm speaks version %d, not %d (%v)", v, apiVersion, err)
	}
	m := &VM{vm: -1, cpu: -1}
	if err := m.build(dev, size); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

func (m *VM) build(dev, size int) (err error) {
	if m.vm, err = request(dev, createVM, 0); err != nil {
		return fmt.Errorf("no virtual machine: %w", err)
	}
	const prot, flags = unix.PROT_READ | unix.PROT_WRITE, unix.MAP_PRIVATE | unix.MAP_ANONYMOUS
	if m.Memory, err = unix.Mmap(-1, 0, size, prot, flags); err != nil {
		return err
	}
	// Where Intel's processors need pages for real mode: far from memory.
	identity := uint64(0xfeffc000)
	if _, err := ioctl(m.vm, setIdentityMap, &identity); err != nil {
		return fmt.Errorf("identity map: %w", err)
	}
	if _, err := request(m.vm, setTSSAddress, 0xfeffd000); err != nil {
		return fmt.Errorf("address of the TSS: %w", err)
	}
	region := memoryRegion{size: uint64(size), where: place(m.Memory)}
	if _, err := ioctl(m.vm, setMemoryRegion, &region); err != nil {
		return fmt.Errorf("memory: %w", err)
	}
	if m.cpu, err = request(m.vm, createVCPU, 0); err != nil {
		m.cpu = -1
		return fmt.Errorf("no virtual processor: %w", err)
	}
	n, err := request(dev, getRunSize, 0)
	if err != nil {
		return err
	}
	if m.run, err = unix.Mmap(m.cpu, 0, n, prot, unix.MAP_SHARED); err != nil {
		return err
	}
	id := &leaves{count: 256}
	if _, err := ioctl(dev, getSupportedID, id); err != nil {
		return fmt.Errorf("features: %w", err)
	}
	_, err = ioctl(m.cpu, setCPUID, id)
	return err
}

// Close frees the machine.
func (m *VM) Close() (err error) {
	for _, b := range [][]byte{m.run, m.Memory} {
		if b != nil {
			err = errors.Join(err, unix.Munmap(b))
		}
	}
	for _, fd := range []int{m.cpu, m.vm} {
		if fd >= 0 {
			err = errors.Join(err, unix.Close(fd))
		}
	}
	return err
}

// SetID replaces what CPUID says, and so what the processor has. At first it
// is all that KVM supports. It must come before the first Run.
func (m *VM) SetID(all []Leaf) error {
	id := &leaves{count: uint32(len(all))}
	copy(id.entries[:], all)
	_, err := ioctl(m.cpu, setCPUID, id)
	return err
}

// Regs are the general registers.
func (m *VM) Regs() (r Regs, err error) {
	_, err = ioctl(m.cpu, getRegs, &r)
	return r, err
}

// SetRegs replaces the general registers.
func (m *VM) SetRegs(r Regs) error {
	_, err := ioctl(m.cpu, setRegs, &r)
	return err
}

// Sregs are the segment and control registers.
func (m *VM) Sregs() (s Sregs, err error) {
	_, err = ioctl(m.cpu, getSregs2, &s)
	return s, err
}

// SetSregs replaces the segment and control registers.
func (m *VM) SetSregs(s Sregs) error {
	_, err := ioctl(m.cpu, setSregs2, &s)
	return err
}

// DebugRegs are the debug registers.
func (m *VM) DebugRegs() (d DebugRegs, err error) {
	_, err = ioctl(m.cpu, getDebugRegs, &d)
	return d, err
}

// SetDebugRegs replaces the debug registers.
func (m *VM) SetDebugRegs(d DebugRegs) error {
	_, err := ioctl(m.cpu, setDebugRegs, &d)
	return err
}

// Events are the exceptions and interrupts under way.
func (m *VM) Events() (e Events, err error) {
	_, err = ioctl(m.cpu, getEvents, &e)
	return e, err
}

// SetEvents replaces them.
func (m *VM) SetEvents(e Events) error {
	_, err := ioctl(m.cpu, setEvents, &e)
	return err
}

// A Reason is why Run returned: KVM_EXIT_ of the API.
type Reason uint32

// The reasons that a machine without devices meets.
const (
	IO        Reason = 2
	Halted    Reason = 5
	MMIO      Reason = 6
	Shutdown  Reason = 8
	FailEntry Reason = 9
	Internal  Reason = 17
	// TimedOut is none of KVM's.
	TimedOut Reason = 1 << 16
)

func (r Reason) String() string {
	switch r {
	case IO:
		return "an access to a port"
	case Halted:
		return "HLT"
	case MMIO:
		return "an access where there is no memory"
	case Shutdown:
		return "a triple fault"
	case FailEntry:
		return "a state that the processor refuses"
	case Internal:
		return "an internal error of KVM"
	case TimedOut:
		return "no end in time"
	}
	return fmt.Sprintf("exit %d", uint32(r))
}

// An Exit is what Run came back with.
type Exit struct {
	Reason
	// Port, Size, Count and Out tell of an access to a port, Data is what moves:
	// In must fill it.
	Port uint16
	Size int
	Out  bool
	Data []byte
	// Address is that of an access where there is no memory.
	Address uint64
	// Suberror and Detail tell of an internal error.
	Suberror uint32
	Detail   []uint64
}

// Run executes until something is to be served, or for at most limit.
func (m *VM) Run(limit time.Duration) (Exit, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	m.run[runImmediateExit] = 0
	var late atomic.Bool
	thread := unix.Gettid()
	// A signal that nothing waits for ends KVM_RUN with EINTR; the byte does if
	// it comes before KVM_RUN.
	timer := time.AfterFunc(limit, func() {
		late.Store(true)
		m.run[runImmediateExit] = 1
		unix.Tgkill(unix.Getpid(), thread, unix.SIGURG)
	})
	defer timer.Stop()
	for {
		_, err := request(m.cpu, run, 0)
		switch {
		case err == nil:
			return m.exit(), nil
		case err == unix.EINTR && late.Load():
			return Exit{Reason: TimedOut}, nil
		case err != unix.EINTR && err != unix.EAGAIN:
			return Exit{}, fmt.Errorf("KVM_RUN: %w", err)
		}
	}
}

// Settle completes the access that Run came back with, which KVM does only
// when it is entered again, and executes nothing behind it.
func (m *VM) Settle() error {
	m.run[runImmediateExit] = 1
	for {
		_, err := request(m.cpu, run, 0)
		switch {
		case err == unix.EINTR:
			return nil
		case err != nil:
			return fmt.Errorf("KVM_RUN: %w", err)
		}
	}
}

// exit reads what KVM_RUN left.
func (m *VM) exit() Exit {
	le := binary.LittleEndian
	x := Exit{Reason: Reason(le.Uint32(m.run[runReason:]))}
	switch x.Reason {
	case IO:
		x.Out = m.run[runIODirection] == 1
		x.Size = int(m.run[runIOSize])
		x.Port = le.Uint16(m.run[runIOPort:])
		n := x.Size * int(le.Uint32(m.run[runIOCount:]))
		x.Data = m.run[le.Uint64(m.run[runIOData:]):][:n]
	case MMIO:
		x.Address = le.Uint64(m.run[runMMIOAddress:])
		x.Out = m.run[runMMIOWrite] == 1
		x.Data = m.run[runMMIOData:][:le.Uint32(m.run[runMMIOLength:])]
	case Internal:
		x.Suberror = le.Uint32(m.run[runSuberror:])
		for i := range min(le.Uint32(m.run[runDataCount:]), 16) {
			x.Detail = append(x.Detail, le.Uint64(m.run[runData+8*i:]))
		}
	case FailEntry:
		x.Detail = []uint64{le.Uint64(m.run[runHardware:])}
	}
	return x
}
