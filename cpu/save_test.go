package cpu

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/gov86/gov86/cpu/isa"
	"github.com/gov86/gov86/snapshot"
	"github.com/gov86/gov86/snapshot/snapshottest"
)

func save(t testing.TB, c *CPU) []byte {
	t.Helper()
	s := snapshot.NewSaver()
	c.Save(s)
	b, err := s.Close()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEveryRegisterIsSaved(t *testing.T) {
	snapshottest.Complete(t, (*registers).sync, func(r *registers) {
		for i := range r.GPR {
			r.GPR[i] &= 0xffffffff
			if i > EDI {
				r.GPR[i] = 0 // always zero
			}
		}
		*r = named(r)
	})
}

// named copies the fields that have a name: padding becomes zero.
func named(r *registers) registers {
	var out registers
	copyNamed(reflect.ValueOf(&out).Elem(), reflect.ValueOf(r).Elem())
	out.intr, out.nmi = r.intr, r.nmi
	return out
}

func copyNamed(to, from reflect.Value) {
	switch from.Kind() {
	case reflect.Struct:
		for i := range from.NumField() {
			if from.Type().Field(i).IsExported() {
				copyNamed(to.Field(i), from.Field(i))
			}
		}
	case reflect.Array:
		for i := range from.Len() {
			copyNamed(to.Index(i), from.Index(i))
		}
	default:
		to.Set(from)
	}
}

func TestASavedProcessorGoesOn(t *testing.T) {
	r := newPaged(t)
	r.level(3)
	r.EFLAGS = FlagOne | FlagIF | FlagID
	r.Halted, r.Shadow = true, true
	r.SetINTR(true)
	r.RaiseNMI()
	r.Kick()
	b := save(t, r.CPU)

	other := newReal(t)
	if _, f := other.Translate(0x200000, 0); f != NoTrap {
		t.Fatal(f)
	}
	state := other.State
	if err := other.Load(snapshot.NewLoader(b)); err != nil {
		t.Fatal(err)
	}
	if *other.State != *r.State {
		t.Error("the registers differ")
	}
	if other.State != state {
		t.Error("the state moved: generated code holds its address")
	}
	if other.Attention() != AttendINTR|AttendNMI {
		t.Errorf("attention %#x: the kick is no state", other.Attention())
	}
	if _, f := other.Translate(0x200000, 0); f == NoTrap {
		t.Error("the TLB outlived the load")
	}
}

func TestTheStateAfterResetCanBeLoaded(t *testing.T) {
	for _, name := range ModelNames() {
		r := newReal(t)
		r.model(name)
		if err := r.Load(snapshot.NewLoader(save(t, r.CPU))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLoadRefusesWhatNoProgramCouldMake(t *testing.T) {
	for _, c := range []struct {
		what  string
		spoil func(s *State)
	}{
		{"EFLAGS", func(s *State) { s.EFLAGS |= 1 << 31 }},
		{"EFLAGS", func(s *State) { s.CR0 &^= CR0PE; s.CPL = 0; s.EFLAGS |= FlagVM }},
		{"CPL", func(s *State) { s.CPL = 4 }},
		{"CPL", func(s *State) { s.EFLAGS |= FlagVM; s.CPL = 0 }},
		{"CR0", func(s *State) { s.CR0 = CR0PG | CR0ET }},
		{"CR4", func(s *State) { s.CR4 = 1 << 13 }},
		{"DR4", func(s *State) { s.DR[4] = 1 }},
		{"DR6", func(s *State) { s.DR[6] = 0 }},
		{"DR7", func(s *State) { s.DR[7] = 0 }},
		{"PDPTE", func(s *State) { s.PDPTE[2] = 3 }},
		{"FOP", func(s *State) { s.FPU.Opcode = 1 << 11 }},
		{"MXCSR", func(s *State) { s.MXCSR = 1 << 16 }},
		{"APIC_BASE", func(s *State) { s.MSR.APICBase = 1 }},
		{"EFER", func(s *State) { s.MSR.EFER = 1 << 8 }},
	} {
		r := newProtected(t)
		c.spoil(r.State)
		b := save(t, r.CPU)
		other := newReal(t)
		before := *other.State
		err := other.Load(snapshot.NewLoader(b))
		if !errors.Is(err, snapshot.ErrCorrupt) || !strings.Contains(err.Error(), c.what) {
			t.Errorf("%s: %v", c.what, err)
		}
		if *other.State != before {
			t.Errorf("%s: a refused load changed registers", c.what)
		}
	}
}

func FuzzLoad(f *testing.F) {
	r := newReal(f)
	b := save(f, r.CPU)
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Add(save(f, newPAE(f).CPU))
	v86 := newProtected(f)
	v86.v86(3)
	f.Add(save(f, v86.CPU))
	f.Fuzz(func(t *testing.T, b []byte) {
		r.Reset()
		before := *r.State
		if err := r.Load(snapshot.NewLoader(b)); err != nil {
			if *r.State != before {
				t.Error("a refused load changed registers")
			}
			return
		}
		// With whatever was accepted the processor goes on, to a state that can
		// be saved.
		r.Mode()
		r.Deliver(GP(0))
		r.AcceptInterrupt()
		r.FarCall(r.Seg[isa.CS].Selector, 0, 4)
		r.FarReturn(4, 0)
		r.InterruptReturn(4)
		r.FarJump(r.TR.Selector, 0, 4)
		if err := r.Load(snapshot.NewLoader(save(t, r.CPU))); err != nil {
			t.Errorf("the processor reached a state it does not load: %v", err)
		}
	})
}
