package main

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// A sharing is a way to give a guest a directory of the host.
type sharing struct {
	name    string
	command func(g *guest, dir string) *exec.Cmd
}

// sharings are measured beside the first.
var sharings = []sharing{
	{"v86fs", func(g *guest, dir string) *exec.Cmd {
		return exec.Command(g.gov86, "run", "--headless", "--memory", "512M", "--fs", "host="+dir,
			"--kernel", g.bzImage, "--initrd", g.initrd, "--append", shareLine("v86fs"))
	}},
	{"9p", qemu9P("9p")},
	{"9p-loose", qemu9P("9p-loose")},
}

func shareLine(how string) string { return "console=ttyS0 quiet mitigations=off gb.fs=" + how }

func qemu9P(how string) func(*guest, string) *exec.Cmd {
	return func(g *guest, dir string) *exec.Cmd {
		return exec.Command("qemu-system-i386", "-accel", "tcg", "-cpu", "qemu32", "-machine", "pc", "-m", "512",
			"-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-serial", "stdio",
			"-fsdev", "local,id=host,security_model=none,path="+dir, "-device", "virtio-9p-pci,fsdev=host,mount_tag=host",
			"-kernel", g.bzImage, "-initrd", g.initrd, "-append", shareLine(how))
	}
}

// A cost is what a load took, in seconds.
type cost struct{ wall, cpu float64 }

// wakeups is the load whose wall time is from a change on the host until the
// line of the guest's program that watches for it.
const wakeups = "wakeup"

// share runs the loads one way, once.
func (s *sharing) share(g *guest, dir string, timeout time.Duration) (map[string]cost, []string, error) {
	cmd := s.command(g, dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", s.name, err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	defer time.AfterFunc(timeout, func() { cmd.Process.Kill() }).Stop()
	costs := map[string]cost{}
	var order []string
	var begun time.Time
	var used float64
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		now, cpu := time.Now(), cpuSeconds(cmd.Process.Pid)
		f := strings.Fields(lines.Text())
		switch {
		case len(f) == 0:
		case f[0] == "@@FAIL":
			return costs, order, fmt.Errorf("%s: %s", s.name, lines.Text())
		case f[0] == "@@B":
			begun, used = now, cpu
		case f[0] == "@@E" && len(f) > 1:
			costs[f[1]] = cost{now.Sub(begun).Seconds(), cpu - used}
			order = append(order, f[1])
		case f[0] == "@@WATCH":
			return costs, order, wake(filepath.Join(dir, "watched"), lines, costs)
		}
	}
	return costs, order, fmt.Errorf("%s: the guest ended", s.name)
}

// wake makes files until the guest has told of some; 9p never does.
func wake(dir string, lines *bufio.Scanner, costs map[string]cost) error {
	const times = 20
	type line struct {
		text string
		at   time.Time
	}
	heard := make(chan line, 2*times)
	go func() {
		defer close(heard)
		for lines.Scan() {
			heard <- line{strings.TrimSpace(lines.Text()), time.Now()}
		}
	}()
	time.Sleep(time.Second) // the watching begins
	var took []float64
	for i := range times {
		name := fmt.Sprint("file", i)
		begun := time.Now()
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			return err
		}
		for limit := time.After(2 * time.Second); len(took) == i; {
			select {
			case l, ok := <-heard:
				if !ok {
					return nil
				}
				if l.text == name {
					took = append(took, l.at.Sub(begun).Seconds())
				}
			case <-limit:
				return nil
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	costs[wakeups] = cost{wall: median(took), cpu: math.NaN()}
	return nil
}

// measureShares prints what each load costs each way, and the ratio to the
// first, of interleaved rounds.
func measureShares(g *guest, parent string, rounds int, timeout time.Duration) error {
	var order []string
	all := make([]map[string][]cost, len(sharings))
	for range rounds {
		for i := range sharings {
			dir, err := os.MkdirTemp(parent, "share")
			if err != nil {
				return err
			}
			costs, loads, err := sharings[i].share(g, dir, timeout)
			os.RemoveAll(dir)
			if err != nil {
				return err
			}
			if order == nil {
				order = append(loads, wakeups)
			}
			if all[i] == nil {
				all[i] = map[string][]cost{}
			}
			for load, c := range costs {
				all[i][load] = append(all[i][load], c)
			}
		}
		fmt.Printf("load %s\n", load())
	}
	reportShares(order, all)
	return nil
}

// reportShares prints medians in milliseconds, and ratios within rounds.
func reportShares(order []string, all []map[string][]cost) {
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(t, "load\t")
	for _, s := range sharings {
		fmt.Fprintf(t, "%s ms\tCPU\t", s.name)
	}
	for _, s := range sharings[1:] {
		fmt.Fprintf(t, "%s / %s\tCPU\trange\t", s.name, sharings[0].name)
	}
	fmt.Fprintln(t)
	for _, name := range order {
		fmt.Fprintf(t, "%s\t", name)
		for i := range sharings {
			wall, cpu := split(all[i][name])
			fmt.Fprintf(t, "%.1f\t%.0f\t", 1000*median(wall), 1000*median(cpu))
		}
		for i := range sharings[1:] {
			wall, cpu := ratios(all[0][name], all[i+1][name])
			if len(wall) == 0 {
				fmt.Fprint(t, "-\t-\t\t")
				continue
			}
			fmt.Fprintf(t, "%.1f\t%.1f\t%.1f..%.1f\t", median(wall), median(cpu), slices.Min(cpu), slices.Max(cpu))
		}
		fmt.Fprintln(t)
	}
	t.Flush()
}

func split(costs []cost) (wall, cpu []float64) {
	for _, c := range costs {
		wall, cpu = append(wall, c.wall), append(cpu, c.cpu)
	}
	return wall, cpu
}

// ratios are those of costs to the first's, round by round; a tick is the least
// there is.
func ratios(first, others []cost) (wall, cpu []float64) {
	const tick = 0.01
	for i := range min(len(first), len(others)) {
		wall = append(wall, others[i].wall/first[i].wall)
		cpu = append(cpu, max(others[i].cpu, tick)/max(first[i].cpu, tick))
	}
	return wall, cpu
}
