package silicon

import (
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gov86/gov86/cpu"
)

//go:embed runner.elf
var runner []byte

// The control area, from controlAt; runner.S has the same.
const (
	setupsOff  = 0
	casesOff   = 4
	setupOff   = 0x40
	currentOff = 0x800 // the runner's own
	filterOff  = 0x900
	stackOff   = 0x1000 // to inputsOff
	inputsOff  = 0x8000
	outputsOff = 0x10000
	resultsOff = 0x20000
	imagesOff  = 0x60000

	caughtOff  = 0x200 // from the entry point
	recordSize = 64
	resultStep = 512

	// MaxBatch is the largest number of cases of a batch.
	MaxBatch = (outputsOff - inputsOff) / recordSize
)

// System calls of the i386 ABI.
const (
	sysMunmap       = 91
	sysMmap2        = 192
	sysModifyLDT    = 123
	sysRtSigaction  = 174
	sysSigaltstack  = 186
	sysPrctl        = 172
	auditArchI386   = 0x40000003
	seccompRetAllow = 0x7fff0000
	seccompRetTrap  = 0x00030000
)

// A Native executes cases on this machine's processor.
type Native struct {
	cmd      *exec.Cmd
	to, from *os.File
	memory   []byte // the control area, then code, data and stack
	code     []byte
	data     []byte
	stack    []byte
}

// Offsets of the areas in the shared memory file.
const (
	codeOff  = ctrlPages * pageSize
	dataOff  = codeOff + CodeSize
	stackAt  = dataOff + DataSize
	fileSize = stackAt + StackSize
)

// NewNative starts the runner. The error says why this host cannot serve.
func NewNative() (*Native, error) {
	n := &Native{}
	shared, err := n.share()
	if err != nil {
		return nil, err
	}
	defer shared.Close()
	fd, err := unix.MemfdCreate("runner", 0)
	if err != nil {
		return nil, err
	}
	image := os.NewFile(uintptr(fd), "runner")
	defer image.Close()
	if _, err := image.Write(runner); err != nil {
		return nil, err
	}
	commands, to, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer commands.Close()
	from, answers, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer answers.Close()
	n.to, n.from = to, from
	n.cmd = &exec.Cmd{
		// The runner's own descriptors are others: it is opened through ours.
		Path: fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), fd), Args: []string{"runner"}, Env: []string{},
		Stdin: commands, Stdout: answers, ExtraFiles: []*os.File{shared},
	}
	if err := n.cmd.Start(); err != nil {
		return nil, fmt.Errorf("32-bit programs do not run here: %w", err)
	}
	if err := n.prepare(); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// share makes the shared memory.
func (n *Native) share() (*os.File, error) {
	fd, err := unix.MemfdCreate("silicon", 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "silicon")
	if err := f.Truncate(fileSize); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	n.memory, err = unix.Mmap(fd, 0, fileSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	n.code, n.data, n.stack = n.memory[codeOff:dataOff], n.memory[dataOff:stackAt], n.memory[stackAt:]
	return f, nil
}

// Close ends the runner.
func (n *Native) Close() error {
	n.to.Close()
	n.cmd.Process.Kill()
	n.cmd.Wait()
	n.from.Close()
	return unix.Munmap(n.memory)
}

// A call is a system call that the runner makes to prepare itself.
type call [7]uint32

// prepare makes the runner's address space that of layout.go.
func (n *Native) prepare() error {
	// Its own mapping of the control area tells that it has started.
	stale, err := n.stale()
	if err != nil {
		return err
	}
	const shared, fixed, populate = 0x01, 0x10, 0x8000
	calls := []call{}
	for _, m := range stale {
		calls = append(calls, call{sysMunmap, m[0], m[1] - m[0]})
	}
	area := func(at, pages, off uint32, prot uint32) call {
		return call{sysMmap2, at, pages * pageSize, prot, shared | fixed | populate, 3, off / pageSize}
	}
	calls = append(calls,
		area(CodeAt, codePages, codeOff, unix.PROT_READ|unix.PROT_EXEC),
		area(DataAt, dataPages-1, dataOff, unix.PROT_READ|unix.PROT_WRITE),
		area(DataAt+(dataPages-1)*pageSize, 1, dataOff+(dataPages-1)*pageSize, unix.PROT_READ),
		area(StackAt, stackPages, stackAt, unix.PROT_READ|unix.PROT_WRITE))
	at := uint32(filterOff)
	put := func(b []byte) (address uint32) {
		copy(n.memory[at:], b)
		address = controlAt + at
		at += uint32(len(b)+7) &^ 7
		return address
	}
	words := func(w ...uint32) (b []byte) {
		for _, v := range w {
			b = binary.LittleEndian.AppendUint32(b, v)
		}
		return b
	}
	for i := range LDT {
		calls = append(calls, call{sysModifyLDT, 0x11, put(LDT[i].userDesc(i)), 16})
	}
	calls = append(calls, call{sysSigaltstack, put(words(controlAt+stackOff, 0, inputsOff-stackOff)), 0})
	const saSiginfo, saOnstack, saNodefer = 4, 0x08000000, 0x40000000
	entry := binary.LittleEndian.Uint32(runner[24:]) // e_entry of the ELF header
	action := put(words(entry+caughtOff, saSiginfo|saOnstack|saNodefer, 0, 0, 0))
	for _, signal := range []uint32{4, 5, 7, 8, 11, 31} { // ILL TRAP BUS FPE SEGV SYS
		calls = append(calls, call{sysRtSigaction, signal, action, 0, 8})
	}
	calls = append(calls,
		call{sysPrctl, unix.PR_SET_NO_NEW_PRIVS, 1},
		call{sysPrctl, unix.PR_SET_SECCOMP, 2, put(words(filterLen, put(onlyRunner())))})
	if len(calls)*32 > currentOff-setupOff {
		return fmt.Errorf("BUG: %d calls do not fit", len(calls))
	}
	for i, c := range calls {
		copy(n.memory[setupOff+32*i:], words(c[:]...))
	}
	n.put32(setupsOff, uint32(len(calls)))
	if err := n.turn(); err != nil {
		return err
	}
	for i, c := range calls {
		result := int32(n.get32(setupOff + 32*i + 28))
		if c[0] == sysMmap2 && result&0xfff == 0 || c[0] != sysMmap2 && result == 0 {
			continue
		}
		return fmt.Errorf("the runner's system call %d%#x failed: %w", c[0], c[1:4], unix.Errno(-result))
	}
	return nil
}

const filterLen = 9

// onlyRunner is a seccomp filter that traps system calls from anywhere but the
// runner's own code: generated code can do no harm.
func onlyRunner() (b []byte) {
	le := binary.LittleEndian
	for _, i := range []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 4}, // arch
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 5, K: auditArchI386},
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 12}, // instruction pointer, high
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 3, K: 0},
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 8}, // and low
		{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: 0xfffff000},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: 1, K: runnerAt},
		{Code: unix.BPF_RET | unix.BPF_K, K: seccompRetTrap},
		{Code: unix.BPF_RET | unix.BPF_K, K: seccompRetAllow},
	} {
		b = le.AppendUint16(b, i.Code)
		b = append(b, i.Jt, i.Jf)
		b = le.AppendUint32(b, i.K)
	}
	return b
}

// stale are the mappings that the kernel gave the runner: its stack, the vDSO.
func (n *Native) stale() (ranges [][2]uint32, err error) {
	deadline := time.Now().Add(10 * time.Second)
	for {
		maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", n.cmd.Process.Pid))
		if err != nil {
			return nil, err
		}
		started := false
		ranges = nil
		for line := range strings.Lines(string(maps)) {
			span, _, _ := strings.Cut(line, " ")
			first, last, _ := strings.Cut(span, "-")
			from, err1 := strconv.ParseUint(first, 16, 64)
			to, err2 := strconv.ParseUint(last, 16, 64)
			if err1 != nil || err2 != nil || to > 1<<32 {
				continue
			}
			switch from {
			case runnerAt:
			case controlAt:
				started = true
			default:
				ranges = append(ranges, [2]uint32{uint32(from), uint32(to)})
			}
		}
		if started {
			return ranges, nil
		}
		if time.Now().After(deadline) {
			return nil, errors.New("the runner does not start")
		}
		time.Sleep(time.Millisecond)
	}
}

func (n *Native) put32(off int, v uint32) { binary.LittleEndian.PutUint32(n.memory[off:], v) }
func (n *Native) get32(off int) uint32    { return binary.LittleEndian.Uint32(n.memory[off:]) }

// turn lets the runner do what the control area says.
func (n *Native) turn() error {
	if _, err := n.to.Write([]byte{0}); err != nil {
		return err
	}
	if err := n.from.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return err
	}
	if _, err := n.from.Read(make([]byte, 1)); err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return ErrStuck
		}
		return fmt.Errorf("the runner ended: %w", err)
	}
	return nil
}

// Execute runs the cases of b one after the other; those that skip has are
// left out.
func (n *Native) Execute(b *Batch, skip func(i int) bool) (*Answer, error) {
	if len(b.Cases) > MaxBatch {
		return nil, fmt.Errorf("BUG: a batch of %d cases", len(b.Cases))
	}
	copy(n.code, b.Code)
	copy(n.data, b.Memory[:DataSize])
	copy(n.stack, b.Memory[DataSize:])
	var which []int
	for i := range b.Cases {
		c := &b.Cases[i]
		if !skip(i) {
			n.input(len(which), c)
			which = append(which, i)
		}
	}
	n.put32(casesOff, uint32(len(which)))
	if err := n.turn(); err != nil {
		return nil, err
	}
	a := &Answer{Results: make([]Result, len(b.Cases)), Memory: make([]byte, DataSize+StackSize)}
	for i := range a.Results {
		a.Results[i].Lost = true
	}
	for slot, i := range which {
		n.output(slot, &a.Results[i])
	}
	copy(a.Memory, n.data)
	copy(a.Memory[DataSize:], n.stack)
	return a, nil
}

// input writes the record of a case.
func (n *Native) input(slot int, c *Case) {
	le := binary.LittleEndian
	r := n.memory[inputsOff+slot*recordSize:][:recordSize]
	for i, v := range c.GPR {
		le.PutUint32(r[4*i:], v)
	}
	le.PutUint32(r[32:], c.EIP)
	le.PutUint16(r[36:], c.Seg[1]) // the far pointer that starts the case
	le.PutUint32(r[40:], c.EFLAGS)
	le.PutUint16(r[44:], c.Seg[3])
	le.PutUint16(r[46:], c.Seg[0])
	le.PutUint16(r[48:], c.Seg[4])
	le.PutUint16(r[50:], c.Seg[5])
	image := imagesOff + slot*resultStep
	le.PutUint32(r[52:], uint32(controlAt+image))
	le.PutUint32(r[56:], c.GPR[cpu.ESP])
	le.PutUint16(r[60:], c.Seg[2])
	copy(n.memory[image:], c.FX[:])
}

// output reads the record of a result.
func (n *Native) output(slot int, r *Result) {
	le := binary.LittleEndian
	o := n.memory[outputsOff+slot*recordSize:][:recordSize]
	*r = Result{}
	r.Seg = [6]uint16{le.Uint16(o[8:]), le.Uint16(o[2:]), le.Uint16(o[6:]), le.Uint16(o[12:]), le.Uint16(o[4:]), le.Uint16(o[0:])}
	for i, off := range [8]int{44, 40, 36, 32, 28, 24, 20, 16} {
		r.GPR[i] = le.Uint32(o[off:])
	}
	r.Vector = o[48]
	r.EIP, r.EFLAGS = le.Uint32(o[56:]), le.Uint32(o[60:])
	if hasCode(r.Vector) {
		r.Code = le.Uint32(o[52:])
	}
	image := n.memory[resultsOff+slot*resultStep:]
	copy(r.FX[:], image)
	compared(&r.FX)
	if r.Vector == cpu.VecPF {
		r.CR2 = le.Uint32(image[imageUsed:])
	}
	const sigsys = 31
	r.Lost = o[50] == sigsys
}
