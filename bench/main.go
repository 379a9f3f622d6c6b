// Command bench runs one guest with one set of programs on several emulators
// and natively, interleaved, and prints ratios of CPU seconds.
//
//	go run ./bench -peers native,qemu,gov86-interp,gov86-table,gov86-jit -rounds 5 -list cpu
//	go run ./bench -boot -rounds 5
//	go run ./bench -fs -rounds 5
//
// The guest is the embedded kernel, as a bzImage that every emulator boots, with
// an initramfs built from bench/guest; guest/build.sh leaves kernel and busybox
// in its work directory, where this command looks for them.
// A program prints a line when it begins and one, with a check sum, when it
// ends; CPU time of the whole peer process is read at both. Ratios are taken
// within a round, and the median of the rounds is reported: what disturbs a
// shared machine disturbs a round's peers alike.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// sets name the programs by what they exercise.
var sets = map[string][]string{
	"cpu": strings.Fields("core dhry sieve sha256 crc32 qsort interp_sw interp_th fib vcall collatz div64 bignum"),
	"mem": strings.Fields("chase_l1 chase_tlb copy_loop strbyte movs_big stos_big movsb_big movs_small scasb"),
	"fp":  strings.Fields("matmul_x87 matmul_sse2 mandel_x87 mandel_sse2 nbody_x87 nbody_sse2 trig_x87 simd_sse2"),
	"sys": strings.Fields("sys_int80 sys_fast ctxsw fork forkexec pagefault mprotect signal sigsegv clock"),
	"app": strings.Fields("app_gzip app_gunzip app_md5 app_sort app_awk app_sh app_spawn app_find app_tar"),
}

// A peer runs the programs of a list at a scale in percent of full length.
type peer struct {
	scale   int
	command func(g *guest, programs []string, scale int) *exec.Cmd
}

var peers = map[string]peer{
	"native":       {2000, nativeCommand},
	"qemu":         {300, qemuCommand},
	"gov86-interp": {50, gov86Command("--engine", "interp")},
	"gov86-table":  {800, gov86Command("--engine", "jit", "--windows", "off")},
	"gov86-jit":    {800, gov86Command("--engine", "jit")},
}

func nativeCommand(g *guest, programs []string, scale int) *exec.Cmd {
	script := fmt.Sprintf("list=%s scale=%d B=%s T=%s; . %s; runlist",
		strings.Join(programs, ","), scale, g.program, g.scratch, filepath.Join(g.source, "runbench.sh"))
	cmd := exec.Command(g.busybox, "sh", "-c", script)
	cmd.Env = append(os.Environ(), "PATH="+g.applets+":"+os.Getenv("PATH"))
	return cmd
}

func (g *guest) commandLine(programs []string, scale int) string {
	return fmt.Sprintf("console=ttyS0 quiet mitigations=off gb.list=%s gb.scale=%d", strings.Join(programs, ","), scale)
}

func qemuCommand(g *guest, programs []string, scale int) *exec.Cmd {
	return exec.Command("qemu-system-i386", "-accel", "tcg", "-cpu", "qemu32", "-machine", "pc", "-m", "256",
		"-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-serial", "stdio",
		"-kernel", g.bzImage, "-initrd", g.initrd, "-append", g.commandLine(programs, scale))
}

// gov86Command runs gov86 with an engine.
func gov86Command(engine ...string) func(*guest, []string, int) *exec.Cmd {
	return func(g *guest, programs []string, scale int) *exec.Cmd {
		args := append([]string{"run"}, engine...)
		return exec.Command(g.gov86, append(args, "--headless", "--memory", "256M", "--fs", g.shared,
			"--kernel", g.bzImage, "--initrd", g.initrd, "--append", g.commandLine(programs, scale))...)
	}
}

// short is how many seconds are too few to be measured in ticks, on a machine
// where it may take a while until a line is read.
const short = 0.3

// A result is what one program cost on one peer in one round.
type result struct {
	cpu float64 // seconds, scaled to full length
	sum string  // check sum
}

// run runs the programs on p once.
func run(g *guest, name string, programs []string, scale int, timeout time.Duration) (map[string]result, error) {
	cmd := peers[name].command(g, programs, scale)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	// An emulator reads its console from standard input: end of file is for
	// the end of the run.
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	stop := time.AfterFunc(timeout, func() { cmd.Process.Kill() })
	defer stop.Stop()
	results := map[string]result{}
	begun := math.NaN()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		now := cpuSeconds(cmd.Process.Pid)
		f := strings.Fields(lines.Text())
		switch {
		case len(f) >= 2 && f[0] == "@@B":
			begun = now
		case len(f) >= 5 && f[0] == "@@E":
			var did, full float64
			if _, err := fmt.Sscanf(f[4], "%g/%g", &did, &full); err != nil || did == 0 {
				return nil, fmt.Errorf("%s: %q", name, lines.Text())
			}
			used := now - begun
			if used < short {
				log.Printf("bench: %s: %s took only %.2f s; give a larger -scale", name, f[1], used)
			}
			results[f[1]] = result{used * full / did, f[3] + " at " + f[4]}
		}
	}
	io.Copy(io.Discard, out)
	err = cmd.Wait()
	for _, program := range programs {
		if _, ok := results[program]; !ok {
			return results, errors.Join(fmt.Errorf("%s: no result of %s", name, program), err)
		}
	}
	return results, nil
}

func main() {
	log.SetFlags(0)
	names := flag.String("peers", "native,qemu,gov86-interp,gov86-jit", "comma-separated peers; ratios are to the first")
	list := flag.String("list", "cpu", "comma-separated programs and sets (cpu mem fp sys app all)")
	rounds := flag.Int("rounds", 3, "interleaved rounds")
	scale := flag.String("scale", "", "percent of full length, or PEER=PERCENT,... (default each peer's own)")
	timeout := flag.Duration("timeout", 10*time.Minute, "limit for one run of one peer")
	bootOnly := flag.Bool("boot", false, "measure the time to the embedded guest's prompt instead")
	shares := flag.Bool("fs", false, "measure shared directories against QEMU's virtio-9p instead")
	parent := flag.String("share", "", "with -fs, where to make the directories to share; by default where temporary files go")
	g := guestFlags()
	flag.Parse()
	if err := g.build(); err != nil {
		log.Fatal("bench: ", err)
	}
	if *bootOnly {
		if err := measureBoots(g, *rounds, *timeout); err != nil {
			log.Fatal("bench: ", err)
		}
		return
	}
	if *shares {
		if err := measureShares(g, *parent, *rounds, *timeout); err != nil {
			log.Fatal("bench: ", err)
		}
		return
	}
	scales, err := parseScales(*scale)
	if err != nil {
		log.Fatal("bench: ", err)
	}
	order := strings.Split(*names, ",")
	for _, n := range order {
		if _, ok := peers[n]; !ok {
			log.Fatalf("bench: no peer %q; peers are %v", n, slices.Sorted(maps.Keys(peers)))
		}
	}
	programs := expand(*list)
	ratios := map[string]map[string][]float64{}
	seconds := map[string]map[string][]float64{}
	for round := range *rounds {
		all := map[string]map[string]result{}
		for _, n := range order {
			r, err := run(g, n, programs, scales[n], *timeout)
			if err != nil {
				log.Print("bench: ", err)
			}
			all[n] = r
		}
		collect(ratios, seconds, order, programs, all)
		fmt.Printf("round %d of %d, load %s\n", round+1, *rounds, load())
	}
	report(os.Stdout, order, programs, ratios, seconds)
}

// parseScales reads -scale.
func parseScales(text string) (map[string]int, error) {
	scales := map[string]int{}
	for name, p := range peers {
		scales[name] = p.scale
	}
	if text == "" {
		return scales, nil
	}
	for _, w := range strings.Split(text, ",") {
		name, percent, some := strings.Cut(w, "=")
		if !some {
			name, percent = "", w
		}
		n, err := strconv.Atoi(percent)
		if _, known := scales[name]; err != nil || n < 1 || some && !known {
			return nil, fmt.Errorf("-scale %s is neither PERCENT nor PEER=PERCENT", w)
		}
		for peer := range scales {
			if !some || peer == name {
				scales[peer] = n
			}
		}
	}
	return scales, nil
}

// expand replaces the names of sets by their programs.
func expand(list string) []string {
	var out []string
	for _, w := range strings.Split(list, ",") {
		switch {
		case w == "all":
			for _, s := range []string{"cpu", "mem", "fp", "sys", "app"} {
				out = append(out, sets[s]...)
			}
		case sets[w] != nil:
			out = append(out, sets[w]...)
		default:
			out = append(out, w)
		}
	}
	return out
}

func collect(ratios, seconds map[string]map[string][]float64, order, programs []string, all map[string]map[string]result) {
	for _, n := range order {
		if ratios[n] == nil {
			ratios[n], seconds[n] = map[string][]float64{}, map[string][]float64{}
		}
		for _, p := range programs {
			r, ok := all[n][p]
			if !ok {
				continue
			}
			seconds[n][p] = append(seconds[n][p], r.cpu)
			first, ok := all[order[0]][p]
			if !ok || first.cpu <= 0 {
				continue
			}
			ratios[n][p] = append(ratios[n][p], r.cpu/first.cpu)
			// Sums are comparable only between runs of the same length.
			_, length, _ := strings.Cut(r.sum, " at ")
			if _, l, _ := strings.Cut(first.sum, " at "); l == length && first.sum != r.sum {
				fmt.Printf("%s: check sum of %s is %s, on %s it is %s\n", n, p, r.sum, order[0], first.sum)
			}
		}
	}
}

// report prints the median ratio, and its range, of each program to the first peer.
func report(w io.Writer, order, programs []string, ratios, seconds map[string]map[string][]float64) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "program\t%s seconds\t", order[0])
	for _, n := range order[1:] {
		fmt.Fprintf(t, "%s / %s\trange\t", n, order[0])
	}
	fmt.Fprintln(t)
	sums := make([]float64, len(order))
	counts := make([]int, len(order))
	for _, p := range programs {
		fmt.Fprintf(t, "%s\t%.3f\t", p, median(seconds[order[0]][p]))
		for i, n := range order[1:] {
			r := ratios[n][p]
			if len(r) == 0 {
				fmt.Fprint(t, "-\t\t")
				continue
			}
			m := median(r)
			sums[i+1] += math.Log(m)
			counts[i+1]++
			fmt.Fprintf(t, "%.2f\t%.2f..%.2f\t", m, slices.Min(r), slices.Max(r))
		}
		fmt.Fprintln(t)
	}
	fmt.Fprint(t, "geometric mean\t\t")
	for i := range order[1:] {
		fmt.Fprintf(t, "%.2f\t\t", math.Exp(sums[i+1]/float64(counts[i+1])))
	}
	fmt.Fprintln(t)
	t.Flush()
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	s := slices.Clone(v)
	sort.Float64s(s)
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
