package jit

import (
	"errors"

	"golang.org/x/sys/cpu"
	"golang.org/x/sys/unix"
)

// Requirements are what translation needs, and whether this host has it.
func Requirements() []Requirement {
	return []Requirement{
		{"BMI2", lacksBMI2()},
		{"SSE4.2 and POPCNT", lacksSSE()},
		{"LAHF in 64-bit mode", lacksLAHF()},
		{"memory that is writable and executable", lacksCode()},
		{"16 GiB of address space", lacksAddresses()},
	}
}

// lacksBMI2: AH, CH, DH and BH are turned by RORX, which leaves the flags alone.
func lacksBMI2() error {
	if !cpu.X86.HasBMI2 {
		return errors.New("the host's processor lacks BMI2")
	}
	return nil
}

// lacksSSE: what the guest's processor may promise becomes itself.
func lacksSSE() error {
	if x := &cpu.X86; !x.HasSSE3 || !x.HasSSSE3 || !x.HasSSE41 || !x.HasSSE42 || !x.HasPOPCNT {
		return errors.New("the host's processor lacks one of SSE3, SSSE3, SSE4.1, SSE4.2 and POPCNT")
	}
	return nil
}

// lacksLAHF: flags are saved by LAHF, which the first 64-bit processors had only
// in 32-bit mode (AMD64 APM Vol. 3, "LAHF": CPUID 80000001h, ECX bit 0).
func lacksLAHF() error {
	const leaf, lahf = 0x80000001, 1 << 0
	if largest, _ := cpuid(0x80000000); largest >= leaf {
		if _, ecx := cpuid(leaf); ecx&lahf != 0 {
			return nil
		}
	}
	return errors.New("the host's processor lacks LAHF in 64-bit mode")
}

// lacksCode asks the system, which may be told to refuse.
func lacksCode() error {
	code, err := mapCode(unix.Getpagesize())
	if err != nil {
		return err
	}
	return unix.Munmap(code)
}

// lacksAddresses: a limit on address space may be too low for a table of jumps.
func lacksAddresses() error {
	t, err := newJumpTable()
	if err != nil {
		return err
	}
	return t.close()
}

// cpuid is CPUID.
func cpuid(leaf uint32) (eax, ecx uint32)
