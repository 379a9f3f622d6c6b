package guests

import (
	"bytes"
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/gov86/gov86/internal/silicon/kvm"
)

var anyKVM = flag.Bool("guests.anykvm", false, "ask KVM even where no processor executes its guests")

// TestGuestsPassUnderKVM asks the processor of the host. It answers for itself
// in what it executes; what it hands over, KVM answers: task switches, whether
// by a far transfer, an interrupt or IRET, are KVM's program even where there
// is hardware for everything else, and so are CPUID, most accesses to control
// and debug registers and model-specific registers, INVLPG without nested
// paging, and whatever touches an address where there is no memory. Passing
// such checks is a second opinion, not silicon's word; failing them is for the
// table of opinions.
func TestGuestsPassUnderKVM(t *testing.T) {
	verdicts, err := kvm.Probe()
	if err != nil {
		t.Skipf("skipped: %v", err)
	}
	if !verdicts.Executes() && !*anyKVM {
		t.Skipf("skipped, KVM is no reference here:\n%v", verdicts)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			out, err := runKVM(name)
			if err != nil {
				t.Fatalf("%v after:\n%s", err, out)
			}
			compare(t, "kvm", name, []byte(out))
		})
	}
}

// runKVM runs a guest and returns what it reported.
func runKVM(name string) (string, error) {
	image, err := guest(name)
	if err != nil {
		return "", err
	}
	m, err := kvm.New(32 << 20)
	if err != nil {
		return "", err
	}
	defer m.Close()
	const base, entry = 0x10000, 0x10080 // where boot.S reads it, and enters
	copy(m.Memory[base:], image)
	s, err := m.Sregs()
	if err != nil {
		return "", err
	}
	kvm.Protected32.Enter(&s)
	if err := m.SetSregs(s); err != nil {
		return "", err
	}
	if err := m.SetRegs(kvm.Regs{RIP: entry, RSP: 0x7c00, RFLAGS: 2}); err != nil {
		return "", err
	}
	var p ports
	deadline := time.Now().Add(time.Minute)
	for {
		x, err := m.Run(time.Until(deadline))
		if err != nil {
			return p.String(), err
		}
		switch {
		case x.Reason == kvm.IO:
			p.serve(&x)
		case x.Reason == kvm.MMIO:
			for i := range x.Data {
				if !x.Out {
					x.Data[i] = 0xff
				}
			}
		case x.Reason == kvm.Halted && ended(p.Bytes()):
			return p.String(), nil
		default:
			r, err := m.Regs()
			return p.String(), fmt.Errorf("%v %x at %#x (%v)", x.Reason, x.Detail, r.RIP, err)
		}
	}
}

// ports are those of a PC that a guest needs: COM1, which is always ready.
type ports struct {
	bytes.Buffer
	divisor bool // DLAB
}

func (p *ports) serve(x *kvm.Exit) {
	const data, lineControl, lineStatus, controlA = 0x3f8, 0x3fb, 0x3fd, 0x92
	const dlab, empty, a20 = 0x80, 0x60, 2
	for i := range x.Data {
		switch {
		case x.Out && x.Port == lineControl:
			p.divisor = x.Data[i]&dlab != 0
		case x.Out && x.Port == data && !p.divisor:
			p.WriteByte(x.Data[i])
		case x.Out:
		case x.Port == lineStatus:
			x.Data[i] = empty
		case x.Port == controlA:
			x.Data[i] = a20
		default:
			x.Data[i] = 0xff
		}
	}
}
