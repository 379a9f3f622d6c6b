package main

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// readyMarker is what the embedded guest prints just before its first prompt.
const readyMarker = "gov86 guest ready"

// A boot is one way to start the embedded guest.
type boot struct {
	name    string
	command func(g *guest) *exec.Cmd
}

const bootLine = "console=ttyS0 quiet"

// boots are measured against the first.
var boots = []boot{
	{"qemu", func(g *guest) *exec.Cmd {
		return exec.Command("qemu-system-i386", "-accel", "tcg", "-cpu", "qemu32", "-machine", "pc", "-m", "256",
			"-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-serial", "stdio",
			"-kernel", g.bzImage, "-initrd", g.bootInitrd, "-append", bootLine)
	}},
	{"interp, same bzImage", sameBoot("interp")},
	{"jit, same bzImage", sameBoot("jit")},
	{"interp, embedded", embeddedBoot("interp")},
	{"jit, embedded", embeddedBoot("jit")},
}

// sameBoot boots what QEMU boots, with an engine.
func sameBoot(engine string) func(*guest) *exec.Cmd {
	return func(g *guest) *exec.Cmd {
		return exec.Command(g.gov86, "run", "--headless", "--memory", "256M", "--engine", engine,
			"--kernel", g.bzImage, "--initrd", g.bootInitrd, "--append", bootLine)
	}
}

// embeddedBoot boots the embedded guest.
func embeddedBoot(engine string) func(*guest) *exec.Cmd {
	return func(g *guest) *exec.Cmd {
		return exec.Command(g.gov86, "run", "--headless", "--memory", "256M", "--engine", engine, "--append", "quiet")
	}
}

// bootTime is the wall time from the start of the process to the prompt.
func bootTime(cmd *exec.Cmd, timeout time.Duration) (time.Duration, error) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return 0, err
	}
	defer in.Close()
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	defer time.AfterFunc(timeout, func() { cmd.Process.Kill() }).Stop()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.Contains(lines.Text(), readyMarker) {
			return time.Since(begun), nil
		}
	}
	io.Copy(io.Discard, out)
	return 0, fmt.Errorf("no prompt in %v", timeout)
}

// measureBoots prints the median wall time of each way to boot, and its ratio
// to the first, in interleaved rounds.
func measureBoots(g *guest, rounds int, timeout time.Duration) error {
	times := make([][]float64, len(boots))
	ratios := make([][]float64, len(boots))
	for range rounds {
		for i, b := range boots {
			d, err := bootTime(b.command(g), timeout)
			if err != nil {
				return fmt.Errorf("%s: %w", b.name, err)
			}
			times[i] = append(times[i], d.Seconds())
			ratios[i] = append(ratios[i], times[i][len(times[i])-1]/times[0][len(times[0])-1])
		}
	}
	fmt.Printf("wall seconds to the prompt, median of %d rounds, load %s\n", rounds, load())
	for i, b := range boots {
		fmt.Printf("%-20s %6.3f  ratio to %s %.2f (%.2f..%.2f)\n", b.name, median(times[i]), boots[0].name,
			median(ratios[i]), slices.Min(ratios[i]), slices.Max(ratios[i]))
	}
	return nil
}
